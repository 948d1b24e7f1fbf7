"""Every route that changes something, and each way in which it must not: generated from the code, so that a new route
is asked all of it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any

import pytest

from tests.actions.ways import WAYS, Side
from tests.api.conftest import Answer
from tests.api.house import NOBODY_HAS, House, body_of, house, undone
from tidegate.actions.action import ACTIONS
from tidegate.api import app
from tidegate.api.route import ROUTES, Route, sayable_in
from tidegate.rules.access import ROLES
from tidegate.store.models import AuditLine

__all__ = ["house", "undone"]

assert app.api
BY_HAND: dict[str, Any] = {
    "actions.bulk.preview_records": lambda here: {"deed": "ignore", "record_ids": [here.shop]},
    "actions.finding.preview_findings": lambda here: {"deed": "decide", "finding_ids": [here.finding]},
    "reads.rule.try_rules": lambda here: {"connection_id": here.connection},
    "actions.validation.validate": lambda here: {"document": "version: 1\n"},
}
"""What is asked by POST and is no action."""
KEY = "a key of mine"
TOO_LONG = "9999999999"
CHANGES = [one for one in ROUTES if one.method != "GET"]
every_change = pytest.mark.parametrize("route", CHANGES, ids=lambda one: one.of)


@dataclass(frozen=True)
class Call:
    """A request that would be carried out."""

    path: str
    body: dict[str, Any] | None


def call(route: Route, here: Side) -> Call:
    """The route's own, as somebody who may would call it on this side."""
    name = route.of.removeprefix("actions.")
    given = BY_HAND[route.of](here) if route.of in BY_HAND else WAYS[name].arguments(here)
    said = {parameter: body_of(value) for parameter, value in given.items()}
    if name == "mapping.import_mappings":
        said["file"] = "".join(said["file"])
    in_path = re.findall(r"\{(\w+)\}", route.path)
    path = re.sub(r"\{(\w+)\}", lambda found: str(said[found[1]]), route.path)
    body = {parameter: value for parameter, value in said.items() if parameter not in in_path}
    return Call(path, body if route.body is not None else None)


def ask(house: House, who: str, route: Route, asked: Call, **headers: str) -> Answer:
    return house.as_(who).ask(route.method, asked.path, {}, asked.body, headers)


def refused(answer: Answer, status: int, problem: str, pointer: str = "") -> None:
    said = answer.body.decode()
    assert (answer.status, answer.problem) == (status, problem), said
    assert answer.json["detail"].strip(), said
    assert answer.json["next_step"].strip(), said
    if pointer:
        assert pointer in [one["pointer"] for one in answer.json["errors"]], said


@every_change
def test_it_is_done_for_who_may(undone: House, route: Route):
    """Else the tests below would prove nothing. What WAYS says cannot be done in this world is refused as it says."""
    way = WAYS.get(route.of.removeprefix("actions."))
    answer = ask(undone, "administrator", route, call(route, undone.own))

    if route.of == "actions.finding.close_findings":
        assert answer.status == 409
        assert "Its Record still watches it" in answer.json["refusals"][0]["sentence"]
    elif way is not None and way.refuses:
        refused(answer, 409, "refused")
        assert way.refuses in answer.json["detail"]
    else:
        assert answer.status == route.status, answer.body
    if answer.status == 202 and "operation" in answer.json:
        assert answer.headers["location"] == f"/api/v1/operations/{answer.json['operation']['id']}"


@every_change
def test_who_may_less_is_told_so_and_nothing_is_done(undone: House, route: Route):
    """promises.md, Users: roles are checked; the audit log has a line of it."""
    way, lower = WAYS.get(route.of.removeprefix("actions.")), ROLES.index(route.role) - 1
    if route.of in BY_HAND or lower < 0 or (way is not None and way.others == "does it"):
        return
    last = AuditLine.objects.count()
    answer = ask(undone, ROLES[lower], route, call(route, undone.own))

    refused(answer, 403, "forbidden")
    assert AuditLine.objects.order_by("-pk")[: AuditLine.objects.count() - last][0].outcome == "forbidden"


@every_change
def test_what_is_on_the_other_side_is_not_there(undone: House, route: Route):
    """promises.md, Users: another's object answers 404. What is of the whole house is forbidden."""
    name = route.of.removeprefix("actions.")
    way = WAYS.get(name)
    if way is not None and way.others:
        return
    asked = call(route, undone.other)
    answer = ask(undone, f"{route.role} of own", route, asked)

    one = ACTIONS.get(name)
    numbers = one is None or (one.targets and any(str(value).isdigit() or value for value in asked.path.split("/")))
    if answer.status == 403:
        assert one is not None
        assert not numbers or not any(part.isdigit() for part in asked.path.split("/")), answer.body
    else:
        if route.of == "actions.validation.validate":
            return
        refused(answer, 404, "not-there")
    assert b"Foreign" not in answer.body


@every_change
def test_a_number_that_nobody_has_is_not_there(undone: House, route: Route):
    asked = call(route, undone.own)
    numbered = Call(re.sub(r"/\d+", f"/{NOBODY_HAS}", asked.path), asked.body)
    if numbered.path != asked.path:
        refused(ask(undone, "administrator", route, numbered), 404, "not-there")


@every_change
def test_a_number_that_is_none_is_no_surprise(undone: House, route: Route):
    asked = call(route, undone.own)
    for number in ("0", "-1", "1.5", "x", "9" * 30, "1%00", "%D9%A1"):
        path = re.sub(r"/\d+", f"/{number}", asked.path, count=1)
        if path != asked.path:
            answer = ask(undone, "administrator", route, Call(path, asked.body))
            assert (answer.status, answer.problem) in ((422, "fields"), (404, "not-there")), answer.body


@every_change
def test_what_cannot_be_read_is_refused(undone: House, route: Route):
    """promises.md, Input: uploads and bodies have limits that answer 413; and they are JSON of the right shape."""
    asked, administrator = call(route, undone.own), undone.as_("administrator")

    def sent(body: Any, **headers: str) -> Answer:
        return administrator.ask(route.method, asked.path, {}, body, headers)

    # Where a body takes secrets a name that nobody knows may be one.
    named = route.body is None or sayable_in(route.body) is None
    refused(sent({"nonsense": 1} | (asked.body or {})), 422, "fields", "#/nonsense" if named else "#")
    refused(sent([1]), 422, "fields")
    refused(sent(b"{"), 400, "not-readable")
    refused(sent(b'{"a": "\xff"}'), 400, "not-readable")
    refused(sent(b'{"a":' * 5_000), 400, "not-readable")
    refused(sent(asked.body or {}, content_type="text/plain"), 415, "content-type")
    assert sent(b"{", content_length=TOO_LONG).status == 413
    refused(administrator.ask(route.method, asked.path, {"nonsense": "1"}, asked.body), 422, "fields", "nonsense")


@every_change
def test_each_field_of_a_wrong_type_is_named(undone: House, route: Route):
    asked = call(route, undone.own)
    if route.body is None:
        return
    for name in route.body.model_fields:
        wrong = Call(asked.path, {**(asked.body or {}), name: {"of": [{"no": "type"}]} if name != "settings" else 1})
        if name in ("secrets", "epochs"):
            wrong = Call(asked.path, {**(asked.body or {}), name: 1})
        answer = ask(undone, "administrator", route, wrong)
        refused(answer, 422, "fields")
        assert any(one["pointer"].startswith(f"#/{name}") for one in answer.json["errors"]), answer.body


@every_change
def test_it_is_not_done_to_what_was_changed_in_between(undone: House, route: Route):
    """If-Match of another version is 412; where a thing has no versions it is no promise that is ignored, but 422."""
    answer = ask(undone, "administrator", route, call(route, undone.own), if_match='"another"')

    if route.version:
        refused(answer, 412, "changed")
    else:
        refused(answer, 422, "fields", "If-Match")


@every_change
def test_a_key_that_was_used_is_not_used_for_another_request(undone: House, route: Route):
    if route.method != "POST" or route.of in BY_HAND:
        return
    asked = call(route, undone.own)
    first = ask(undone, "administrator", route, asked, idempotency_key=KEY)
    if first.status >= 300:
        return  # nothing was done: the key is free
    same = ask(undone, "administrator", route, asked, idempotency_key=KEY)
    body = json.dumps(asked.body or {}).encode() + b"\n"
    other = undone.as_("administrator").ask(route.method, asked.path, {}, body, {"idempotency_key": KEY})

    refused(other, 422, "fields", "Idempotency-Key")
    if route.secret:
        refused(same, 409, "refused")
    else:
        assert (same.status, same.body, same.headers["idempotent-replayed"]) == (first.status, first.body, "true")


@every_change
def test_a_key_that_is_none_is_refused(undone: House, route: Route):
    if route.method != "POST":
        return
    asked = call(route, undone.own)
    for key in ("", "x" * 256, "ä", "a\tb"):
        refused(ask(undone, "administrator", route, asked, idempotency_key=key), 422, "fields", "Idempotency-Key")
