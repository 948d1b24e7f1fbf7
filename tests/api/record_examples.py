"""Writes src/tidegate/api/examples.json: asks every route of a small house once, and keeps what was sent and answered.

Run it where tests/api/test_example.py says so:

    ./dev test tests/api/record_examples.py
"""

from __future__ import annotations

import re
import time
from typing import Any, Final

import msgspec
from django.db import transaction
from pydantic import SecretStr

from tests.actions.ways import CANARY, Side
from tests.api.conftest import Answer
from tests.api.house import House, house
from tests.api.test_every_change import Call, ask, call
from tests.api.test_every_route import QUERY
from tests.api.test_example import FILE
from tests.world import ALICE
from tidegate.actions import connection as connections
from tidegate.actions import finding as findings
from tidegate.actions import record as records
from tidegate.api.example import Example
from tidegate.api.route import ROUTES, Route
from tidegate.api.table import SECRET
from tidegate.api.trigger import TAKE_CALL
from tidegate.guard.signing import signed
from tidegate.reads.tool import ToolList
from tidegate.rules.list_file import rows_within
from tidegate.rules.preview import COUNTED_AS
from tidegate.store import models

__all__ = ["house"]

ROWS: Final = 2
"""So many of a list are kept."""

SAID_OTHERWISE: Final = (
    (re.compile(rf"json://127\.0\.0\.1:1/{CANARY}"), "json://hooks.example.com/team"),
    (re.compile(r"https://127\.0\.0\.1:1/x"), "https://hooks.example.com/tidegate"),
    (re.compile(r"https?://(127\.0\.0\.1|localhost)(:\d+)?"), "https://defectdojo.example.com"),
    (re.compile(r"(127\.0\.0\.1|localhost)(:\d+)?"), "hooks.example.com"),
    (re.compile(r"whsec_[\w+/=]+"), "whsec_YW4gZXhhbXBsZSwgbm90IGEgc2VjcmV0"),
    (re.compile(r"\bexample\.org\b"), "example.com"),
    (re.compile(f"{CANARY} long enough"), "a long sentence of theirs"),
    (re.compile(CANARY), "what the tool gave you"),
    (re.compile(r" of own\b"), " of the web team"),
    (re.compile(r"\bOwn\b"), "Web"),
    (re.compile(r"\bForeign\b"), "Bank"),
    (re.compile(r"_OWN_"), "_WEB_"),
    (re.compile(r"_FOREIGN_"), "_BANK_"),
    (re.compile(r"\b\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|\+00:00)"), "2026-05-03T02:30:00Z"),
    (re.compile(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b"), "01970000-0000-7000-8000-000000000000"),
)
"""What of the tests' world would teach nothing, or is another each time."""


REFUSED: Final = [
    "actions.delivery.join_product",
    "actions.product_type.delete_product_type",
    "actions.undo.undo_sync",
    "actions.user.reset_second_factor",
]
"""What the small house cannot do: its answer is that of another route with the same."""

ITS_OWN: Final = {
    "actions.delivery.join_product": {"done": "Product 3 is the Product 7 there."},
}
"""What it would answer, where the small house cannot do it and the Struct of another answer says something else."""


def test_every_route_is_asked_once_and_its_example_is_written(house: House, django_db_blocker: Any):
    told: dict[str, Example] = {}
    refused: list[tuple[Route, Any]] = []
    for route in [*ROUTES, TAKE_CALL]:
        with django_db_blocker.unblock(), transaction.atomic():
            sends, answer = asked(house, route)
            transaction.set_rollback(True)
        if answer.headers.get("content-type") == "application/problem+json":
            refused.append((route, sends))
            print(route.of, answer.body.decode())  # what a failure shows
        elif answer.status == 204:
            told[route.of] = Example(sends=kept(route, sends))
        else:
            answers = of_file(answer) if route.kinds else shown(route, answer.json)
            told[route.of] = Example(sends=kept(route, sends), answers=answers)
    for route, sends in refused:
        answers = ITS_OWN.get(route.of) or next(
            (told[one.of].answers for one in ROUTES if one.answers is route.answers and one.of in told), None
        )
        told[route.of] = Example(sends=kept(route, sends), answers=None if route.answers is None else answers)
    content = msgspec.json.format(msgspec.json.encode(dict(sorted(told.items()))), indent=1)
    FILE.write_bytes(content + b"\n")

    assert sorted(route.of for route, _ in refused) == REFUSED


def kept(route: Route, sends: Any) -> Any:
    """The body that was sent, unless one was written by hand where the route stands."""
    return None if route.sends is not None else said_otherwise(sends)


def asked(house: House, route: Route) -> tuple[Any, Answer]:
    """What is sent, and the answer to it."""
    somebody = house.as_("administrator")
    if route is TAKE_CALL:
        return a_signed_call(house)
    if route.method == "GET":
        prepared(house.own, route)
        return None, somebody.get(filled(house, route), **QUERY_OF_READS.get(route.of, {}))
    if route.of == "actions.finding.close_findings":  # only what nothing watches is closed by hand
        records.ignore_records(ALICE, [house.own.shop])
    one = call(route, house.own)
    if route.of in BY_HAND:
        one = Call(one.path, route.sends)
    if route.of in SENT:
        one = Call(one.path, SENT[route.of])
    return one.body, ask(house, "administrator", route, one)


NAMES: Final = {
    "connection": "Own scanner", "product_type": "Own type", "product": "Own product", "record": "Own shop",
    "engagement": "Global Connectors", "test": "Own scanner", "route": "Own route",
    "destination": "Own destination", "user": "eve",
}  # fmt: skip
QUERY_OF_READS: Final = (
    QUERY
    | {f"reads.{noun}.named": {"text": name} for noun, name in NAMES.items()}
    | {"reads.find.anything": {"search": "Own"}, "actions.connection.continuable": {"tool": "acme"}}
)
SENT: Final[dict[str, dict[str, Any]]] = {
    "actions.connection.save_draft": {"label": "Web scanner of the team", "discover": False},
    "actions.rule.delete_rule": {"again": True},
    "actions.trigger.new_trigger_secret": {"key_path": "project.key"},
    "actions.undo.undo_sync": {"record_ids": [1]},
    "actions.user.take_role": {"scope": "everything"},
    "reads.rule.try_rules": {"one_more": {"pattern": "shop-*", "template": "{parent}/{name}"}, "position": 1},
}
"""What may be left out, said."""
BY_HAND: Final = (
    "actions.configuration.plan",
    "actions.configuration.apply",
    "actions.rule.add_rule",
    "actions.user.add_user",
)
"""What was written where the route stands can be sent as it is."""


def filled(house: House, route: Route) -> str:
    """Its path, with numbers of the house."""
    own = house.own

    def of(found: re.Match[str]) -> str:
        name = found[1]
        if name in ("user_id", "token_id"):
            listed = house.as_("administrator").get("/users" if name == "user_id" else "/tokens").json
            return str(next(iter(listed.values()))[0]["id"])
        return str(getattr(own, OF_PATH.get(name, name.removesuffix("_id")), "burpsuite"))

    return re.sub(r"\{(\w+)\}", of, route.path)


OF_PATH: Final = {"operation_id": "sync", "record_id": "shop"}


def prepared(own: Side, route: Route) -> None:
    """What a read has to show."""
    if route.of == "reads.story.story":
        findings.decide_finding(ALICE, own.finding, verdict="accepted", note="Behind the firewall.")
    if route.of == "actions.connection.continuable":
        connections.delete_connection(ALICE, own.connection, typed_label="Own scanner")
    if route.of == "reads.operation.log":
        told = {"records": 1, "findings": 1}
        models.LogLine.objects.create(operation_id=own.sync, n=1, level="info", text="Own shop is read", facts=told)
    if route.of == "reads.suggestion.suggestions":
        models.Record.objects.filter(pk=own.missing).update(name="Own shop front")
        models.Record.objects.filter(pk=own.new).update(name="Own shop-front")
    if route.of == "reads.route.news":
        models.News.objects.create(kind="new_records", connection_id=own.connection, operation_id=own.sync, facts={})
    if route.of.startswith("reads.preview."):
        counts = {word: 1 for word, kind in COUNTED_AS["discover"].items() if kind == "renamed"}
        models.Operation.objects.filter(pk=own.sync).update(type="discover", preview=True, counts=counts)
        models.Difference.objects.create(
            operation_id=own.sync, record_id=own.new, kind="renamed", key="4711", title="Own new",
            before={"name": "Own old"}, after={"name": "Own new"},
        )  # fmt: skip


def a_signed_call(house: House) -> tuple[Any, Answer]:
    """As a build server calls."""
    path = f"/connections/{house.own.connection}/trigger"
    secret = SecretStr(house.as_("administrator").put(path, {"key_path": "project.key"}).json["secret"])
    body = {"project": {"key": "id of Own shop"}}
    sent = msgspec.json.encode(body)
    headers = signed([secret], "msg_1", int(time.time()), sent)
    signs = {name.replace("-", "_"): value for name, value in headers.items()}
    return body, house.as_("nobody").post(path, sent, **signs)


def shown(route: Route, answer: Any) -> Any:
    """The answer as an example: of lists the first rows, and nothing of this machine or this day."""
    if route.secret:
        answer |= {name: "shown once" for name in SECRET if answer.get(name)}
    rows = rows_within(route.answers)
    if rows is not None:
        wanted = [one for one in answer[rows[0]] if route.answers is not ToolList or one["slug"] == "burpsuite"]
        answer |= {rows[0]: wanted[:ROWS]}
    return said_otherwise(answer)


def of_file(answer: Answer) -> str:
    """Its first lines."""
    return said_otherwise("".join(answer.body.decode().splitlines(keepends=True)[: ROWS + 1]))


def said_otherwise(value: Any) -> Any:
    """The same in words that teach."""
    if isinstance(value, dict):
        return {said_otherwise(name): said_otherwise(one) for name, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [said_otherwise(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, str):
        for said, otherwise in SAID_OTHERWISE:
            value = said.sub(otherwise, value)
    return value
