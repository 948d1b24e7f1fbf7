"""What the end of an Operation tells: once, in the transaction that ends it, and again only after it was well."""

from __future__ import annotations

import threading
from datetime import timedelta
from typing import Any

import pytest
from django.db import connections, transaction

from tests import world
from tidegate.store.models import Connection, Held, HeldAbsence, News, Record, Result
from tidegate.store.writers.notification import note_ended, save_news


@pytest.fixture
def acme(database: object) -> Connection:
    return world.connection("Acme")


def ended(of: Connection, type: str = "sync", status: str = "failed", cause: str = "", **facts: Any) -> int:
    number = world.operation(of, type, status, cause=cause, ended_at=world.now(), **facts).pk
    with transaction.atomic():
        note_ended(number)
    return number


def news() -> list[tuple[str, dict[str, Any]]]:
    return [(one.kind, one.facts) for one in News.objects.order_by("pk")]


def kinds() -> list[str]:
    return [kind for kind, _ in news()]


# It needs you


@pytest.mark.parametrize("cause", ["auth_rejected", "access_denied", "secret_ended", "certificate", "fault"])
def test_what_a_person_must_mend_is_told(acme: Connection, cause: str):
    number = ended(acme, cause=cause, why="It failed so.")

    (one,) = News.objects.all()
    assert (one.kind, one.connection_id, one.operation_id) == ("needs_you", acme.pk, number)
    assert (one.facts["cause"], one.facts["type"], one.facts["why"]) == (cause, "sync", "It failed so.")


@pytest.mark.parametrize("cause", ["vendor_down", "database", "incomplete"])
def test_what_passes_by_itself_is_no_news(acme: Connection, cause: str):
    ended(acme, cause=cause)

    assert kinds() == []


def test_neither_is_a_preview_nor_what_a_person_cancelled_nor_what_was_done_in_part(acme: Connection):
    ended(acme, cause="auth_rejected", preview=True)
    ended(acme, status="cancelled", cause="auth_rejected")
    ended(acme, status="partial", cause="access_denied")

    assert kinds() == []


def test_the_same_trouble_is_told_once_until_it_is_well_and_then_again(acme: Connection):
    for _ in range(3):
        ended(acme, cause="auth_rejected")
    assert kinds() == ["needs_you"]

    ended(acme, status="success")
    assert kinds() == ["needs_you", "recovered"]

    ended(acme, cause="auth_rejected")
    assert kinds() == ["needs_you", "recovered", "needs_you"]


def test_another_trouble_is_told_beside_the_first(acme: Connection):
    ended(acme, cause="auth_rejected")
    ended(acme, cause="certificate")
    ended(acme, cause="auth_rejected")

    assert [facts["cause"] for _, facts in news()] == ["auth_rejected", "certificate"]


def test_each_connection_has_its_own_trouble(acme: Connection):
    ended(acme, cause="auth_rejected")
    ended(world.connection("Other"), cause="auth_rejected")

    assert kinds() == ["needs_you", "needs_you"]


def test_pausing_itself_after_three_rejected_logins_is_told_each_time(acme: Connection):
    """A Connection whose login is rejected three times running pauses itself and says so."""
    because = "The login was rejected three times running."
    ended(acme, cause="auth_rejected")
    for _ in range(2):
        Connection.objects.filter(pk=acme.pk).update(paused_at=world.now(), paused_because=because)
        ended(acme, cause="auth_rejected")
        ended(acme, cause="auth_rejected")

    assert [facts["paused"] for _, facts in news()] == [False, True, True]


# It is well again


def test_recovered_says_since_when_it_was_not_well(acme: Connection):
    ended(acme, cause="auth_rejected")
    number = ended(acme, "discover", "success")

    told, well = News.objects.order_by("pk")
    assert well.facts["of"] == ["needs_you"]
    assert well.facts["since"] == told.at.isoformat()
    assert well.operation_id == number


def test_nothing_is_well_again_that_nobody_was_told_of(acme: Connection):
    ended(acme, cause="vendor_down")
    ended(acme, status="success")

    assert kinds() == []


def test_a_missing_right_is_well_again_only_when_the_same_work_goes_well_on_everything(acme: Connection):
    ended(acme, cause="access_denied")
    ended(acme, "discover", "success")
    ended(acme, "sync", "success", scope={"records": [1]})
    assert kinds() == ["needs_you"]

    ended(acme, "sync", "success")
    assert kinds() == ["needs_you", "recovered"]


def test_two_troubles_are_well_again_when_the_last_of_them_is(acme: Connection):
    ended(acme, "discover", cause="access_denied")
    for _ in range(2):
        ended(acme, "sync", cause="access_denied")
    assert kinds() == ["needs_you", "needs_you"]

    ended(acme, "discover", "success")
    assert kinds() == ["needs_you", "needs_you"]

    ended(acme, "sync", "success")
    assert kinds() == ["needs_you", "needs_you", "recovered"]


# Records


def test_mapped_records_that_became_missing_are_counted_and_named(acme: Connection):
    names = ["blog", "docs", "shop", "wiki", "mail", "chat"]
    records = [mapped(acme, name) for name in names]
    undecided = world.record(acme, "nobody decided")
    number = world.operation(acme, "discover", counts={"missing": 7}).pk
    Record.objects.filter(pk__in=[*records, undecided]).update(absent_since=world.now(), absent_operation_id=number)

    for _ in range(2):
        note_ended(number)

    ((kind, facts),) = news()
    assert (kind, facts["missing"], facts["more"]) == ("records", 6, 1)
    assert facts["names"] == sorted(names)[:5]


def mapped(of: Connection, name: str) -> int:
    from tidegate.actions.record import map_records

    number = world.record(of, name)
    map_records(world.ALICE, [number], new_product=f"Product {name}")
    return number


# Held


def test_what_is_held_is_told_when_it_is_first_held_and_not_each_day(acme: Connection):
    shop = mapped(acme, "shop")
    findings = world.synced(shop, *(f"k{number}" for number in range(30)))
    feed = world.read(shop).feed_id

    first = world.operation(acme, counts={"held": 30}).pk
    hold(findings[:20], feed, since=first, latest=first)
    Result.objects.create(operation_id=first, record_id=shop, outcome="complete", counts={"held": 20})
    note_ended(first)
    second = world.operation(acme, counts={"held": 30}).pk
    hold(findings[20:], feed, since=second, latest=second)
    Held.objects.update(latest_operation=second)
    Result.objects.create(operation_id=second, record_id=shop, outcome="complete", counts={"held": 30})
    note_ended(second)

    ((kind, facts),) = news()
    assert (kind, facts["findings"], facts["absences"], facts["names"]) == ("held", 20, 0, ["shop"])
    assert facts["operation"] == first


def hold(findings: list[int], feed: int | None, *, since: int, latest: int) -> None:
    for finding in findings:
        Held.objects.create(
            finding_id=finding, feed_id=feed, since_operation=since, latest_operation=latest, standing=Held.HELD
        )


def test_absences_that_are_held_are_told_once(acme: Connection):
    numbers = [world.record(acme, name) for name in ("a", "b", "c")]
    first = world.operation(acme, "discover", counts={"held": 2}).pk
    for number in numbers[:2]:
        HeldAbsence.objects.create(
            record_id=number, connection=acme, since_operation_id=first, latest_operation_id=first
        )
    note_ended(first)
    second = world.operation(acme, "discover", counts={"held": 3}).pk
    HeldAbsence.objects.update(latest_operation_id=second)
    HeldAbsence.objects.create(
        record_id=numbers[2], connection=acme, since_operation_id=second, latest_operation_id=second
    )
    note_ended(second)

    ((kind, facts),) = news()
    assert (kind, facts["absences"], facts["findings"]) == ("held", 2, 0)


# The outbox


def test_news_are_gone_where_the_transaction_is(acme: Connection):
    """News leave by the outbox: what was rolled back is told to nobody."""
    with transaction.atomic():
        save_news("held", acme.pk, facts={"key": "a"})
        transaction.set_rollback(True)

    assert kinds() == []


def test_two_who_tell_the_same_at_once_tell_it_once(acme: Connection):
    gate = threading.Barrier(4)

    def tell() -> None:
        try:
            with transaction.atomic():
                gate.wait()
                save_news("needs_you", acme.pk, facts={"key": "auth_rejected"})
        finally:
            connections.close_all()

    threads = [threading.Thread(target=tell) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert kinds() == ["needs_you"]


def test_a_real_sync_whose_login_is_rejected_is_news_of_its_end(acme: Connection):
    """Seen from outside: whatever ends an Operation, its news stand beside the end."""
    from tidegate.store.writers.operation import claim_operation, end_operation, request_operation

    number = request_operation("sync", acme.pk, actor="alice")
    claim = claim_operation(number, "here", 30)
    assert claim is not None
    end_operation(claim, "failed", "The login was rejected.", {}, cause="auth_rejected")
    with transaction.atomic():
        note_ended(number)

    assert kinds() == ["needs_you"]
    assert News.objects.get().at - world.now() < timedelta(seconds=10)
