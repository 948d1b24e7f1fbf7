"""Mapping rules that decide many Records anew: a change, in batches, which can be cut short and goes on."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tests.world import ALICE
from tidegate.actions import operation as operations
from tidegate.actions import record as records
from tidegate.actions import rule as actions
from tidegate.actions.errors import Refused
from tidegate.ingest import decide
from tidegate.ingest.operation import run_operation
from tidegate.reads import operation as reads
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS
from tidegate.store import models

pytestmark = pytest.mark.usefixtures("database", "few")


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Here two Records are a batch, and three are many."""
    monkeypatch.setattr(actions, "AT_ONCE", 3)
    monkeypatch.setattr(decide, "BATCH", 2)


def scanner(count: int = 7) -> tuple[models.Connection, list[int]]:
    burp = world.connection()
    return burp, [world.record(burp, f"shop {n}", parent="Shop") for n in range(count)]


def saved(connection: models.Connection, **answer: Any) -> int:
    """The change that the rule asks for."""
    told = actions.save_rules(ALICE, connection.pk, [actions.new_rule("shop *", **answer)], again=True)
    assert told.operation is not None
    assert told.counts == {}
    return told.operation


def flows_into(ids: list[int]) -> set[str | None]:
    return {world.product_of(id) for id in ids}


def ended(number: int) -> models.Operation:
    return models.Operation.objects.get(pk=number)


def test_many_records_are_decided_by_a_change_and_undone_as_one_step():
    burp, ids = scanner()
    number = saved(burp, template="{parent}")
    assert flows_into(ids) == {None}
    shown: list[tuple[int, int | None]] = []

    run_operation(number, lambda phase, done, total, beside="": shown.append((done, total)))

    change = ended(number)
    assert (change.status, change.counts) == ("success", {"mapped_by_rules": 7, "products_made": 1})
    assert [one for one in shown if one[1] == 7] == [(0, 7), (2, 7), (4, 7), (6, 7), (7, 7)]
    assert flows_into(ids) == {"Shop"}
    sync = models.Operation.objects.get(type="sync", status="pending")
    assert (sync.scope, sync.not_before is not None) == ({"records": ids}, True)
    records.undo(ALICE, step=change.step)
    assert flows_into(ids) == {None}


def test_few_records_are_decided_at_once():
    burp, ids = scanner(3)

    told = actions.add_rule(ALICE, burp.pk, actions.new_rule("shop *", template="{parent}"), again=True)

    assert (told.operation, told.counts) == (None, {"mapped_by_rules": 3, "products_made": 1})
    assert flows_into(ids) == {"Shop"}


def test_it_goes_on_where_it_was_cancelled():
    burp, ids = scanner()
    number = saved(burp, template="{parent}")

    def stop(phase: str, done: int, total: int | None, beside: str = "") -> None:
        if done == 4:
            operations.cancel(ALICE, number)

    run_operation(number, stop)
    assert (ended(number).status, ended(number).counts["mapped_by_rules"] < 7) == ("cancelled", True)
    again = operations.request_again(ALICE, number)
    run_operation(again)

    assert ended(again).counts["mapped_by_rules"] + ended(number).counts["mapped_by_rules"] == 7
    assert ended(again).step == ended(number).step
    assert flows_into(ids) == {"Shop"}
    with pytest.raises(Refused, match="is left to do"):
        operations.request_again(ALICE, again)


def test_rules_that_were_changed_since_decide_nothing_under_the_old_name():
    """records.md: what rules once mapped changes only if the person who saves them asks for it."""
    burp, ids = scanner()
    number = saved(burp, template="{parent}")
    actions.save_rules(ALICE, burp.pk, [actions.new_rule("shop *", template="{id}")])

    run_operation(number)

    assert (ended(number).status, ended(number).why) == ("partial", decide.CHANGED)
    assert flows_into(ids) == {None}
    with pytest.raises(Refused, match="were changed since"):
        operations.request_again(ALICE, number)


def test_what_a_person_decides_meanwhile_is_left_to_them():
    burp, ids = scanner()
    number = saved(burp, template="{parent}")
    records.ignore_records(ALICE, [ids[5]], "mine")

    run_operation(number)

    assert world.read(ids[5]).ignored_because == "mine"
    assert flows_into([id for id in ids if id != ids[5]]) == {"Shop"}


def test_what_no_rule_matches_any_more_is_let_go():
    burp, ids = scanner()
    run_operation(saved(burp, template="{parent}"))
    told = actions.save_rules(ALICE, burp.pk, [], again=True)
    assert told.operation is not None

    run_operation(told.operation)

    assert ended(told.operation).counts == {"let_go_by_rules": 7}
    assert flows_into(ids) == {None}
    with viewing(FULL_ACCESS):
        found = reads.operation(told.operation)
    assert found is not None
    assert "7 let go by rules" in found.verdict


def test_nothing_is_decided_for_a_connection_that_was_deleted_meanwhile():
    from tidegate.actions.connection import delete_connection

    burp, ids = scanner()
    number = saved(burp, template="{parent}")
    delete_connection(ALICE, burp.pk, "Burp")

    run_operation(number)

    assert ended(number).status in ("partial", "cancelled")
    assert flows_into(ids) == {None}
