"""Drafts: a Connection that is only tried out is nowhere, until somebody keeps it."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from tests import world
from tests.acme import World
from tests.untouched import only_the_preview_is_written
from tests.world import ALICE, BOB
from tidegate import catalog
from tidegate.actions import connection as actions
from tidegate.actions import operation as operations
from tidegate.actions.errors import NotThere, Refused
from tidegate.reads import connection as reads
from tidegate.reads import metrics
from tidegate.reads.health import health_of
from tidegate.reads.preview import differences
from tidegate.reads.schedule import schedules
from tidegate.reads.status import status
from tidegate.store.models import Connection, Difference, LogLine, News, Operation, Record, Schedule

pytestmark = pytest.mark.usefixtures("database")

TOKEN = {"token": SecretStr("acme-secret-token")}


def drafted(label: str = "Acme", **more: Any) -> int:
    return actions.draft_connection(ALICE, "acme", label, {}, TOKEN, **more)


def added(label: str = "Acme") -> int:
    return actions.add_connection(ALICE, "acme", label, {}, TOKEN, discover=False)


def read(connection_id: int) -> Connection:
    return Connection.objects.get(pk=connection_id)


def preview(connection_id: int) -> Operation:
    return Operation.objects.get(pk=operations.preview_discover(ALICE, connection_id))


def test_its_secrets_are_sealed_as_usual(acme: World):
    """promises.md, Secrets: encrypted at rest; a draft is no way around that."""
    found = read(drafted())

    assert b"acme-secret-token" not in bytes(found.secrets or b"")
    assert "token" not in json.dumps(found.settings)
    assert catalog.build(found).settings.token.get_secret_value() == "acme-secret-token"


def test_what_cannot_be_used_is_refused_as_for_a_connection(acme: World):
    with pytest.raises(Refused, match="no setting of a name that was given; it has: url"):
        actions.draft_connection(ALICE, "acme", "Acme", {"uri": "x"}, TOKEN)
    with pytest.raises(NotThere, match="no Tool"):
        actions.draft_connection(ALICE, "no such", "Acme", {}, TOKEN)
    assert not Connection.objects.exists()


def test_a_draft_is_listed_nowhere(acme: World):
    """Drafts: nothing that looks for Connections finds it, also after its Discover was previewed."""
    acme.add("shop")
    id = drafted()
    preview(id)

    assert reads.connections().connections == []
    assert (reads.connection(id), reads.named("Acme"), reads.named(str(id))) == (None, [], [])
    assert (reads.warnings(), health_of(), schedules().connections) == ((0, []), {}, [])
    assert not Schedule.objects.exists()
    assert (status(world.now()).connections, Record.objects.count()) == ([], 0)
    assert 'connection="Acme"' not in metrics.exposition()[0].decode()
    assert not News.objects.exists()


def test_a_draft_is_never_offered_as_the_deleted_one(acme: World):
    """records.md: a new Connection offers *continue the deleted one*: a draft was never there."""
    id = drafted()
    Connection.objects.update(account="acme-1")

    assert (actions.continuable("acme"), actions.continuable("acme", "acme-1")) == ([], [])
    with pytest.raises(NotThere, match="no deleted Connection"):
        actions.add_connection(ALICE, "acme", "Again", {}, TOKEN, continues=id, discover=False)


@pytest.mark.parametrize(
    "ask",
    [
        lambda id: operations.request_discover(ALICE, id),
        lambda id: operations.request_sync(ALICE, id),
        lambda id: operations.request_sync_preview(ALICE, id),
        lambda id: actions.edit_connection(ALICE, id, label="x"),
        lambda id: actions.pause_connection(ALICE, id),
        lambda id: actions.delete_connection(ALICE, id, "Acme"),
        lambda id: actions.threshold_effect(id, 1),
    ],
)
def test_nothing_but_a_preview_of_its_discover_can_be_asked_of_it(acme: World, ask: Callable[[int], Any]):
    id = drafted()

    with pytest.raises(NotThere):
        ask(id)


def test_its_discover_is_previewed_and_nothing_else_is_written(acme: World):
    """Preview of a Discover, also of a Connection that is still a draft."""
    acme.add("shop", "Storefront")
    id = drafted(auto_map=True)

    with only_the_preview_is_written():
        operation = preview(id)

    assert (operation.status, operation.counts["new"], operation.counts["auto_mapped"]) == ("success", 1, 1)
    page = differences(operation.pk)
    assert page is not None
    assert sorted(one.kind for one in page.differences) == ["mapped", "new"]


def test_a_worker_runs_its_preview_too(acme: World):
    """A Connection that counts as deleted lets its Operations go; a draft does not."""
    from tidegate.ingest.operation import run_operation

    acme.add("shop")
    asked = operations.request_discover_preview(ALICE, drafted())

    run_operation(asked)

    assert Operation.objects.get(pk=asked).status == "success"


def test_a_rejected_login_pauses_no_draft(acme: World):
    """Three rejected logins pause a Connection; a draft is asked by a person each time."""
    acme.interfere = lambda request: httpx2.Response(401)
    id = drafted()

    for _ in range(3):
        assert preview(id).status == "failed"

    assert (read(id).rejected_logins, read(id).paused_at) == (0, None)


def test_a_draft_that_is_kept_is_a_connection(acme: World):
    """save_draft: label unique, schedules made, draft and deletion forgotten; what is named is changed."""
    id = drafted(auto_map=True, minimum_severity=1)
    preview(id)

    assert actions.save_draft(BOB, id, label="Acme 2", minimum_severity=3, discover=False) == id

    found = read(id)
    assert (found.label, found.auto_map, found.minimum_severity) == ("Acme 2", True, 3)
    assert (found.draft_at, found.deleted_at, found.deleted_by) == (None, None, "")
    assert {schedule.type for schedule in Schedule.objects.all()} == {"discover", "sync"}
    assert [row.label for row in reads.connections().connections] == ["Acme 2"]
    assert catalog.build(found).settings.token.get_secret_value() == "acme-secret-token"
    with pytest.raises(NotThere, match="no draft"):
        actions.save_draft(BOB, id, discover=False)
    with pytest.raises(NotThere, match="no draft"):
        actions.drop_draft(BOB, id)


def test_a_label_that_is_taken_is_told_at_the_draft_and_refused_when_it_is_kept(acme: World):
    """The label of a draft need not be free yet."""
    added()
    id = drafted()

    assert (actions.label_is_taken("Acme"), actions.label_is_taken("Other")) == (True, False)
    with pytest.raises(Refused, match="«Acme» already"):
        actions.save_draft(ALICE, id, discover=False)
    assert read(id).draft_at is not None
    actions.save_draft(ALICE, id, label="Other", discover=False)


def test_a_new_secret_may_be_given_when_it_is_kept(acme: World):
    id = drafted()

    actions.save_draft(ALICE, id, secrets={"token": SecretStr("another")}, discover=False)

    assert catalog.build(read(id)).settings.token.get_secret_value() == "another"


@pytest.mark.parametrize("secrets", [None, {"token": SecretStr("another")}])
def test_a_draft_may_take_up_a_deleted_connection(acme: World, secrets: dict[str, SecretStr] | None):
    """records.md: continue the deleted one: same Records; under the settings and secrets of the draft."""
    deleted = added("Old")
    shop = world.record(read(deleted))
    actions.delete_connection(ALICE, deleted, "Old")
    id = drafted("New", auto_map=True)
    preview(id)

    taken_up = actions.save_draft(ALICE, id, continues=deleted, secrets=secrets, discover=False)

    found = read(deleted)
    token = "acme-secret-token" if secrets is None else "another"
    assert (taken_up, found.label, found.auto_map, found.deleted_at) == (deleted, "New", True, None)
    assert catalog.build(found).settings.token.get_secret_value() == token
    assert world.read(shop).connection == found
    assert not Connection.objects.filter(pk=id).exists()


def test_a_draft_takes_up_no_draft(acme: World):
    one, other = drafted(), drafted()

    with pytest.raises(NotThere, match="no deleted Connection"):
        actions.save_draft(ALICE, one, continues=other, discover=False)


def test_a_draft_that_is_dropped_leaves_nothing(acme: World):
    """Drafts: it goes with its secrets and its previews."""
    acme.add("shop")
    id = drafted()
    preview(id)

    actions.drop_draft(ALICE, id)

    left = (model.objects.count() for model in (Connection, Operation, Difference, LogLine))
    assert sum(left) == 0


def test_a_draft_whose_preview_runs_is_not_dropped(acme: World):
    """A worker that reads would find nothing to write to."""
    id = drafted()
    world.operation(read(id), "discover", "running", preview=True)

    with pytest.raises(Refused, match="runs"):
        actions.drop_draft(ALICE, id)

    assert Connection.objects.filter(pk=id).exists()


def test_a_connection_is_no_draft_to_drop(acme: World):
    id = added()

    with pytest.raises(NotThere):
        actions.drop_draft(ALICE, id)
    assert read(id).deleted_at is None


# Discovered at once


def asked() -> list[tuple[str, int, bool]]:
    return list(Operation.objects.order_by("pk").values_list("type", "connection_id", "preview"))


def test_a_new_connection_is_discovered_at_once(acme: World):
    """records.md, Operations: by whichever face it was made, in the same transaction."""
    id = actions.add_connection(ALICE, "acme", "Acme", {}, TOKEN)

    assert asked() == [("discover", id, False)]


def test_a_draft_that_is_kept_is_discovered_at_once(acme: World):
    id = drafted()

    kept = actions.save_draft(ALICE, id)

    assert asked() == [("discover", kept, False)]


def test_a_deleted_connection_that_goes_on_is_discovered_at_once(acme: World):
    id = actions.add_connection(ALICE, "acme", "Acme", {}, TOKEN, discover=False)
    actions.delete_connection(ALICE, id, "Acme")

    again = actions.add_connection(ALICE, "acme", "Acme", {}, TOKEN, continues=id)

    assert asked() == [("discover", again, False)]


def test_whoever_does_not_want_that_says_so(acme: World):
    actions.add_connection(ALICE, "acme", "Acme", {}, TOKEN, discover=False)

    assert asked() == []
