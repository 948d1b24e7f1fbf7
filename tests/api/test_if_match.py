"""`If-Match`: whoever edits what somebody else changed since they looked is told so, and nothing is done."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import connections, transaction

from tests.actions.ways import Side, user
from tests.api.house import House, house, undone
from tests.api.test_every_change import ask, call
from tests.world import ALICE
from tidegate.actions import connection as connection_actions
from tidegate.actions import destination, engagement, finding, product, product_type, route, rule, schedule
from tidegate.actions import test as tests
from tidegate.actions import user as users
from tidegate.actions.version import Changed, expecting
from tidegate.api import app
from tidegate.api.route import ROUTES, Route
from tidegate.reads.version import KINDS, OF_A_CONNECTION, version_of
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS
from tidegate.store import models

__all__ = ["house", "undone"]

assert app.api
EDITS = [one for one in ROUTES if one.method in ("PATCH", "PUT")]
WITHOUT: dict[str, str] = {}
"""Edits without a version, and why."""


@pytest.mark.parametrize("edit", EDITS, ids=lambda one: one.of)
def test_every_edit_has_a_version(edit: Route):
    """A new edit without one fails."""
    assert edit.version in KINDS or edit.of in WITHOUT


@pytest.mark.parametrize("kind", KINDS)
def test_every_version_is_told_where_the_thing_is_read(kind: str):
    """Else nobody could send it. A rule tells its own among the rules of its Connection."""
    assert kind == "rule" or any(one.method == "GET" and one.version == kind for one in ROUTES)
    assert any(one.version == kind for one in EDITS)


@pytest.mark.parametrize("edit", [one for one in EDITS if one.version], ids=lambda one: one.of)
def test_the_version_that_was_looked_at_is_edited_and_an_older_one_is_not(undone: House, edit: Route):
    asked = call(edit, undone.own)
    number = re.findall(r"/(\d+)", asked.path)[0]
    seen = version_of(edit.version, int(number))
    assert seen is not None

    stale = ask(undone, "administrator", edit, asked, if_match='"0123456789abcdef01234567"')
    assert (stale.status, stale.problem) == (412, "changed")
    assert version_of(edit.version, int(number)) == seen

    done = ask(undone, "administrator", edit, asked, if_match=f'"another", "{seen}"')
    assert done.status == edit.status, done.body
    assert done.headers["etag"] == f'"{version_of(edit.version, int(number))}"'


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"rule"}))
def test_a_read_tells_the_version_that_an_edit_demands(undone: House, kind: str):
    read = next(one for one in ROUTES if one.method == "GET" and one.version == kind)
    of = "connection" if kind in OF_A_CONNECTION else kind.replace(" ", "_")
    number = models.User.objects.get(username="eve").pk if kind == "user" else getattr(undone.own, of)

    answer = undone.as_("administrator").get(re.sub(r"\{\w+\}", str(number), read.path))

    assert answer.headers["etag"] == f'"{version_of(kind, number)}"'


def test_a_rule_tells_its_version_among_the_others(undone: House):
    answer = undone.as_("administrator").get(f"/connections/{undone.own.connection}/rules")

    (own,) = (one for one in answer.json["rules"] if one["id"] == undone.own.rule)
    assert own["version"] == version_of("rule", undone.own.rule)


# At the same moment

AT_ONCE: dict[str, tuple[Callable[[Side], int], Callable[[int], Any], Callable[[int], Any]]] = {
    "connection": (
        lambda s: s.connection,
        lambda id: models.Connection.objects.filter(pk=id).update(label="Theirs"),
        lambda id: connection_actions.edit_connection(ALICE, id, label="Mine"),
    ),
    "destination": (
        lambda s: s.destination,
        lambda id: models.Destination.objects.filter(pk=id).update(name="Theirs"),
        lambda id: destination.edit_destination(ALICE, id, name="Mine"),
    ),
    "engagement": (
        lambda s: s.engagement,
        lambda id: models.Engagement.objects.filter(pk=id).update(name="Theirs"),
        lambda id: engagement.rename_engagement(ALICE, id, "Mine"),
    ),
    "finding": (
        lambda s: s.finding,
        lambda id: finding.decide_finding(ALICE, id, note="theirs"),
        lambda id: finding.decide_finding(ALICE, id, note="mine"),
    ),
    "product": (
        lambda s: s.product,
        lambda id: models.Product.objects.filter(pk=id).update(name="Theirs"),
        lambda id: product.edit_product(ALICE, id, name="Mine"),
    ),
    "product type": (
        lambda s: s.product_type,
        lambda id: models.ProductType.objects.filter(pk=id).update(name="Theirs"),
        lambda id: product_type.rename_product_type(ALICE, id, "Mine"),
    ),
    "route": (
        lambda s: s.route,
        lambda id: models.Route.objects.filter(pk=id).update(name="Theirs"),
        lambda id: route.edit_route(ALICE, id, name="Mine"),
    ),
    "rule": (
        lambda s: s.rule,
        lambda id: rule.edit_rule(ALICE, id, rule.new_rule("theirs", ignore=True)),
        lambda id: rule.edit_rule(ALICE, id, rule.new_rule("mine", ignore=True)),
    ),
    "rules": (
        lambda s: s.connection,
        lambda id: rule.add_rule(ALICE, id, rule.new_rule("theirs", ignore=True)),
        lambda id: rule.save_rules(ALICE, id, []),
    ),
    "schedules": (
        lambda s: s.connection,
        lambda id: schedule.set_schedule(ALICE, id, "sync", kind="hours", hours=3),
        lambda id: schedule.set_schedule(ALICE, id, "sync", kind="hours", hours=5),
    ),
    "test": (
        lambda s: s.test,
        lambda id: models.Test.objects.filter(pk=id).update(name="Theirs"),
        lambda id: tests.rename_test(ALICE, id, "Mine"),
    ),
    "user": (
        lambda s: user("dave"),
        lambda id: models.User.objects.filter(pk=id).update(email="theirs@example.org"),
        lambda id: users.edit_user(ALICE, id, email="mine@example.org"),
    ),
}
"""By kind: which one, what another changes and has not yet committed, and what is done by who looked before."""


def test_every_kind_is_tried_at_the_same_moment():
    assert set(AT_ONCE) == set(KINDS)


@pytest.mark.parametrize("kind", sorted(AT_ONCE))
def test_what_is_changed_at_the_same_moment_is_waited_for(kind: str, house: House):
    """The row is locked before it is compared: else both would have seen the old version, and one be lost."""
    which, theirs, mine = AT_ONCE[kind]
    number = which(house.own)
    seen = version_of(kind, number)
    assert seen is not None
    begun = threading.Event()

    def edit() -> Any:
        begun.set()
        try:
            with viewing(FULL_ACCESS), expecting(kind, number, frozenset({seen})):
                return mine(number)
        except Changed as changed:
            return changed
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as pool:
        with transaction.atomic():
            theirs(number)
            late = pool.submit(edit)
            assert begun.wait(60)
            waits_for_us()
        heard = late.result(timeout=60)

    assert isinstance(heard, Changed), heard
    assert "was changed since you looked at it" in str(heard)


def waits_for_us() -> None:
    """Until somebody waits for a lock of this transaction."""
    asked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid))"
    for _ in range(500):
        with connections["default"].cursor() as cursor:
            cursor.execute(asked)
            if cursor.fetchone()[0]:  # pyright: ignore[reportOptionalSubscript]
                return
            cursor.execute("SELECT pg_sleep(0.01)")
    raise AssertionError("Nobody waited.")
