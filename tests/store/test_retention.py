"""Retention: what is older than its days goes, in small batches; what is named, latest or young stays."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db import connection as database
from django.db import transaction
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.world import ALICE
from tidegate.actions.record import map_records
from tidegate.config import Settings
from tidegate.store import models
from tidegate.store.writers import retention
from tidegate.store.writers.retention import retain

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def keeping(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path)


def ago(days: float) -> Any:
    return world.now() - timedelta(days=days)


def old(of: models.Connection, type: str = "sync", status: str = "success", days: float = 400, **facts: Any) -> int:
    """An Operation of long ago that changed nothing."""
    at = ago(days)
    return world.operation(of, type, status, **{"requested_at": at, "ended_at": at, "counts": {"seen": 3}, **facts}).pk


def latest(of: models.Connection) -> None:
    """Yesterday's Discover and Sync of everything went well."""
    for type in ("discover", "sync"):
        old(of, type, days=1, complete=type == "discover")


def there(number: int) -> bool:
    return models.Operation.objects.filter(pk=number).exists()


def deleted(keeping: Settings, **more: Any) -> dict[str, int]:
    found = retain(world.now(), keeping, **more)
    return {name: number for name, number in found.items() if number}


def execute(statement: str, *parameters: Any) -> None:
    with database.cursor() as cursor:
        cursor.execute(statement, parameters)


# Operations


def test_an_operation_that_nothing_names_goes_once_it_is_old(keeping: Settings):
    burp = world.connection()
    gone, young = old(burp), old(burp, days=364)
    latest(burp)

    assert deleted(keeping) == {"operations": 1}
    assert (there(gone), there(young)) == (False, True)


NAMED: dict[str, Callable[[int, Any], object]] = {
    "part.proven": lambda number, it: models.Part.objects.create(
        feed_id=it.feed, family="x", proven_operation_id=number
    ),
    "part.last": lambda number, it: models.Part.objects.create(feed_id=it.feed, family="x", last_operation_id=number),
    "held.since": lambda number, it: it.hold(since_operation=number, latest_operation=0),
    "held.latest": lambda number, it: it.hold(since_operation=0, latest_operation=number),
    "record.first_seen": lambda number, it: it.change(first_seen_operation_id=number),
    "record.absent": lambda number, it: it.change(absent_operation_id=number),
    "record_history": lambda number, it: models.RecordHistory.objects.create(
        record_id=it.record, actor="tidegate", operation_id=number, before={}, after={}
    ),
    "feed_move": lambda number, it: models.FeedMove.objects.create(
        feed_id=it.feed, actor="alice", operation=number, left="A", went_to="B"
    ),
    "held_absence.since": lambda number, it: it.absence(since_operation_id=number, latest_operation_id=it.other),
    "held_absence.latest": lambda number, it: it.absence(since_operation_id=it.other, latest_operation_id=number),
}


class Named:
    """A Record with a Feed and a finding, and ways to name an Operation from there."""

    def __init__(self, burp: models.Connection) -> None:
        self.connection = burp
        self.record = world.record(burp)
        map_records(ALICE, [self.record], new_product="Shop")
        self.other = old(burp, days=1)
        [self.finding] = world.synced(self.record, "a")
        self.feed = world.of(self.finding).feed_id

    def hold(self, **operations: int) -> None:
        models.Held.objects.create(finding_id=self.finding, feed_id=self.feed, standing="kept open", **operations)

    def change(self, **facts: int) -> None:
        """Without its history, which would name the Operation too."""
        with transaction.atomic():
            execute("ALTER TABLE record DISABLE TRIGGER record_history")
            models.Record.objects.filter(pk=self.record).update(**facts)
            execute("ALTER TABLE record ENABLE TRIGGER record_history")

    def absence(self, **operations: int) -> None:
        models.HeldAbsence.objects.create(record_id=self.record, connection=self.connection, **operations)


@pytest.mark.parametrize("where", NAMED)
def test_an_operation_stays_where_anything_names_it(keeping: Settings, where: str):
    """Issue 4, 12. Break it: take the search there out of operations_forget.sql."""
    burp = world.connection()
    number = old(burp)
    NAMED[where](number, Named(burp))
    latest(burp)

    assert "operations" not in deleted(keeping)
    assert there(number)


@pytest.mark.parametrize(
    "word", ["created", "updated", "closed", "reopened", "rewritten", "held", "a word of tomorrow"]
)
def test_a_sync_that_changed_a_finding_stays_unasked(keeping: Settings, word: str):
    """No index leads from findings to Operations, so its own counts speak for it; what is not known does too."""
    burp = world.connection()
    number = old(burp, counts={"seen": 3, word: 1})
    latest(burp)

    assert deleted(keeping) == {}
    assert there(number)


def test_a_change_that_a_person_asked_for_stays(keeping: Settings):
    burp = world.connection()
    number = old(burp, "change", counts={})
    old(burp, "change", days=1)
    latest(burp)

    assert deleted(keeping) == {}
    assert there(number)


def test_a_word_that_counts_nought_speaks_for_nothing(keeping: Settings):
    burp = world.connection()
    old(burp, counts={"seen": 3, "created": 0})
    latest(burp)

    assert deleted(keeping) == {"operations": 1}


@pytest.mark.parametrize(
    ("earlier", "later"),
    [
        ({"status": "success"}, [{"status": "partial"}, {"status": "failed"}, {"status": "cancelled"}]),
        ({"status": "partial"}, [{"status": "failed"}, {"status": "cancelled"}]),
        ({"status": "failed"}, [{"status": "cancelled"}]),
        ({"status": "success"}, [{"status": "success", "scope": {"records": [1]}}]),
        ({"status": "success"}, [{"status": "success", "preview": True}]),
        ({"type": "discover", "complete": True}, [{"type": "discover", "complete": False}]),
        ({"type": "discover", "complete": True}, [{"type": "sync"}]),
        ({"status": "success"}, [{"status": "running", "ended_at": None}]),
    ],
)
def test_the_latest_that_tells_as_much_stays(keeping: Settings, earlier: dict[str, Any], later: list[dict[str, Any]]):
    """Health shows the last success beside the last run, however long ago that was."""
    burp = world.connection()
    telling = old(burp, **earlier)
    for facts in later:
        old(burp, days=1, **facts)

    deleted(keeping)

    assert there(telling)


def test_what_never_ended_stays(keeping: Settings):
    burp, other = world.connection(), world.connection("Other")
    waiting, running = old(burp, status="pending", ended_at=None), old(other, status="running", ended_at=None)
    latest(burp)
    latest(other)

    assert deleted(keeping) == {}
    assert there(waiting)
    assert there(running)


def test_it_stays_as_long_as_its_results_and_its_log(tmp_path: Path):
    burp = world.connection()
    number = world.record(burp)
    with_log, with_result = old(burp), old(burp)
    models.LogLine.objects.create(operation_id=with_log, n=1, at=ago(400), level="info", text="x")
    models.Result.objects.create(operation_id=with_result, record_id=number, outcome="complete")
    latest(burp)

    keeps_all = Settings(home=tmp_path, keep_logs_days=1000, keep_results_days=1000)

    assert deleted(keeps_all) == {}
    assert there(with_log)
    assert there(with_result)


def test_its_quarantine_goes_with_it(keeping: Settings):
    burp = world.connection()
    number = old(burp, "discover")
    models.Quarantine.objects.create(operation_id=number, connection=burp, reason="odd")
    latest(burp)

    assert deleted(keeping) == {"operations": 1}
    assert not models.Quarantine.objects.exists()


# Logs, results, jobs, news


def test_lines_of_logs_go_by_their_age(keeping: Settings):
    burp = world.connection()
    number = old(burp, days=40, counts={"created": 1})
    for n, days in enumerate((40, 31, 29), start=1):
        models.LogLine.objects.create(operation_id=number, n=n, at=ago(days), level="info", text="x")

    assert deleted(keeping) == {"log_lines": 2}
    assert list(models.LogLine.objects.values_list("n", flat=True)) == [3]


def test_results_go_but_for_the_latest_of_each_record(keeping: Settings):
    """What a badge is made of stays, Family by Family, however old; results of a preview are none."""
    burp = world.connection()
    read_again, read_once = world.record(burp, "again"), world.record(burp, "once")
    first, preview = old(burp, days=200, counts={"created": 1}), old(burp, days=150, preview=True)
    second, third = old(burp, days=120), old(burp, days=1)
    for operation, record in (
        (first, read_again), (first, read_once), (preview, read_once), (second, read_again), (third, read_again),
    ):  # fmt: skip
        for family in ("", "dast"):
            models.Result.objects.create(
                operation_id=operation, record_id=record, family=family, outcome="complete", counts={"seen": 1}
            )

    assert deleted(keeping) == {"results": 4, "previews": 1}
    assert set(models.Result.objects.values_list("operation_id", "record_id")) == {
        (first, read_once),
        (third, read_again),
    }


def test_an_operation_without_counts_is_told_by_its_results_before_they_go(keeping: Settings):
    """One that took its workers along ended without counts. Break it: do not run results_sum."""
    burp = world.connection()
    number = world.record(burp)
    died, second = old(burp, status="failed", counts={}), old(burp, days=120)
    for operation in (died, second):
        models.Result.objects.create(
            operation_id=operation, record_id=number, outcome="complete", counts={"created": 2, "seen": 5}
        )
    latest(burp)

    assert deleted(keeping) == {"results": 1}
    assert models.Operation.objects.get(pk=died).counts == {"created": 2, "seen": 5, "records": 1}


def job(status: str, days: float, operation: int | None = None) -> None:
    execute(
        "INSERT INTO procrastinate_jobs (queue_name, task_name, args)"
        " VALUES ('operations', 'look', jsonb_strip_nulls(jsonb_build_object('operation', %s::bigint)))",
        operation,
    )
    if status != "todo":
        execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE id = (SELECT max(id) FROM procrastinate_jobs)")
        execute("UPDATE procrastinate_jobs SET status = %s WHERE id = (SELECT max(id) FROM procrastinate_jobs)", status)
    execute(
        "UPDATE procrastinate_events SET at = %s WHERE job_id = (SELECT max(id) FROM procrastinate_jobs)", ago(days)
    )


def jobs() -> int:
    with database.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM procrastinate_jobs")
        return cursor.fetchone()[0]  # pyright: ignore[reportOptionalSubscript]


def test_finished_jobs_and_those_of_ended_operations_go(keeping: Settings):
    burp = world.connection()
    ended, waiting = old(burp, days=9, counts={"created": 1}), old(burp, status="pending", ended_at=None, days=9)
    execute("DELETE FROM procrastinate_jobs")
    try:
        for status, days, operation in (
            ("succeeded", 8, ended), ("failed", 8, ended), ("cancelled", 8, None), ("todo", 8, ended),
            ("todo", 8, 4711), ("succeeded", 6, ended), ("todo", 8, waiting), ("todo", 8, None), ("doing", 8, ended),
        ):  # fmt: skip
            job(status, days, operation)

        assert deleted(keeping) == {"jobs": 5}
        assert jobs() == 4
    finally:
        execute("DELETE FROM procrastinate_jobs")


def test_news_and_their_deliveries_go_but_for_the_latest_of_a_kind(keeping: Settings):
    """Whether people were told that a Connection needs them is read from the latest news of that kind."""
    burp = world.connection()
    route = models.Route.objects.create(name="mail", address=b"", shown="x", created_by="alice")
    first, second, other = (
        models.News.objects.create(kind=kind, connection=burp, at=ago(days), routed_at=ago(days))
        for kind, days in (("held", 60), ("held", 40), ("overdue", 50))
    )
    for news in (first, second):
        models.Delivery.objects.create(news=news, route=route, sent_at=ago(40))

    assert deleted(keeping) == {"news": 1}
    assert set(models.News.objects.values_list("pk", flat=True)) == {second.pk, other.pk}
    assert models.Delivery.objects.count() == 1


# Previews and drafts


def preview(of: models.Connection, days: float, **facts: Any) -> int:
    number = old(of, days=days, preview=True, **facts)
    models.Difference.objects.create(operation_id=number, kind="created", key="k", title="x")
    models.Quarantine.objects.create(operation_id=number, connection=of, reason="odd")
    models.LogLine.objects.create(operation_id=number, n=1, level="info", text="x")
    return number


def test_a_preview_goes_a_day_after_its_end_with_all_that_hangs_on_it(keeping: Settings):
    """Break it: let `_previews` ask for those that nobody looked at, or forget to empty them."""
    burp = world.connection()
    gone, young = preview(burp, 1.1), preview(burp, 0.9)
    running = preview(burp, 3, status="running", ended_at=None)
    sync = old(burp, days=3, counts={"created": 1})

    assert deleted(keeping) == {"previews": 1}
    assert set(models.Operation.objects.values_list("pk", flat=True)) == {young, running, sync}
    assert set(models.Difference.objects.values_list("operation_id", flat=True)) == {young, running}
    assert not there(gone)


def test_a_preview_of_a_million_goes_in_batches(keeping: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "AT_MOST", 10)
    burp = world.connection()
    number = preview(burp, 2)
    models.Difference.objects.bulk_create(
        models.Difference(operation_id=number, kind="created", key=f"k{n}", title="x") for n in range(34)
    )

    assert deleted(keeping, seconds=0) == {}
    assert 10 < models.Difference.objects.count() < 35
    assert deleted(keeping) == {"previews": 1}
    assert not models.Difference.objects.exists()


def draft(label: str, days: float) -> models.Connection:
    at = ago(days)
    return world.connection(label, draft_at=at, deleted_at=at, secrets=b"sealed")


def test_a_draft_that_nobody_saved_goes_after_a_day_with_all_that_hangs_on_it(keeping: Settings):
    """Its secrets too. Break it: let `_drafts` ask for `deleted_at` in both places."""
    gone, young = draft("old", 1.1), draft("young", 0.9)
    tried = preview(gone, 1.05)
    waiting = world.operation(gone, "discover", "pending", preview=True)
    deleted_one = world.connection("deleted", deleted_at=ago(9))
    its = old(deleted_one, days=9)

    assert deleted(keeping, seconds=None) in ({"drafts": 1}, {"previews": 1, "drafts": 1})
    assert set(models.Connection.objects.values_list("pk", flat=True)) == {young.pk, deleted_one.pk}
    assert (there(tried), there(waiting.pk), there(its)) == (False, False, True)


def test_a_draft_that_is_being_tried_stays_until_that_has_ended(keeping: Settings):
    tried = draft("old", 2)
    running = world.operation(tried, "discover", "running", preview=True)

    assert deleted(keeping) == {}
    models.Operation.objects.filter(pk=running.pk).update(status="success", ended_at=world.now())
    assert deleted(keeping) == {"drafts": 1}


# The journal


class Told:
    """A finding, and lines of its journal of long ago."""

    def __init__(self, label: str = "Burp", **facts: Any) -> None:
        self.connection = world.connection(label)
        self.record = world.record(self.connection)
        map_records(ALICE, [self.record], new_product=f"Shop of {label}")
        [self.number] = world.synced(self.record, "a", **facts)
        models.Result.objects.all().delete()

    def line(self, kind: str, days: float = 800, operation: int | None = None, **before: Any) -> int:
        line = models.Journal.objects.create(
            finding_id=self.number, actor="alice", kind=kind, at=ago(days), operation=operation, before=before
        )
        return line.pk

    @property
    def left(self) -> list[int]:
        return list(models.Journal.objects.filter(finding_id=self.number).order_by("pk").values_list("pk", flat=True))


def test_old_changes_go_and_young_ones_stay(keeping: Settings):
    it = Told()
    it.line("changed", title="x")
    it.line("closed", open=True)
    it.line("reopened", open=False, closed_because="gone")
    young = it.line("changed", days=729, title="y")

    assert deleted(keeping) == {"journal": 3}
    assert it.left == [young]


def test_why_a_finding_is_closed_is_never_forgotten(keeping: Settings):
    """Its last closing, not those of before. Break it: let old lines of closed findings go too."""
    it = Told(open=False, closed_because="gone")
    it.line("closed", open=True)
    it.line("reopened", open=False, closed_because="gone")
    why = it.line("closed", open=True)
    it.line("decided", decision={"note": None})

    assert deleted(keeping) == {"journal": 3}
    assert it.left == [why]


@pytest.mark.parametrize(
    ("kind", "before"),
    [
        ("decided", {"decision": {"severity": None}, "open": True}),
        ("merged", {"open": False, "closed_because": "gone"}),
        ("undone", {"open": True, "active": True}),
    ],
)
def test_other_ways_to_be_closed_are_not_forgotten_either(keeping: Settings, kind: str, before: dict[str, Any]):
    """A closing that an undo brought back is told by both lines."""
    it = Told(open=False, closed_because="gone")
    closing = it.line("closed", open=True)
    why = it.line(kind, **before)

    deleted(keeping)

    assert it.left == ([why] if kind == "decided" else [closing, why])


def test_an_undo_may_have_gone_back_to_an_earlier_closing(keeping: Settings):
    """The last line that closed it is not why it is closed. Break it: leave `closed_it` out of journal_forget.sql."""
    it = Told(open=False, closed_because="gone")
    first, second = (old(it.connection, days=900, counts={"closed": 1}) for _ in range(2))
    models.Finding.objects.filter(pk=it.number).update(closed_operation=first)
    why = it.line("closed", operation=first, open=True)
    it.line("reopened", open=False, closed_because="gone")
    last = it.line("closed", operation=second, open=True)
    undone = it.line("undone", open=True)

    deleted(keeping)

    assert it.left == [why, last, undone]


def test_what_the_last_decision_did_can_still_be_undone(keeping: Settings):
    """Break it: do not ask for the last step in journal_forget.sql."""
    it = Told()
    first, last = (
        models.RecordHistory.objects.filter(step__isnull=False).first(),
        "00000000-0000-4000-8000-000000000001",
    )
    assert first is not None
    it.line("moved", feed=7, step=str(first.step))
    models.RecordHistory.objects.create(
        record_id=it.record, actor="alice", step=last, before={}, after={"finalized_at": "x"}
    )
    kept = it.line("moved", feed=8, step=last)

    assert deleted(keeping) == {"journal": 1}
    assert it.left == [kept]


def test_what_the_latest_applied_sync_did_can_still_be_undone(keeping: Settings):
    """Even if a failed one came after it, a preview, or one that was undone. Break it: ask for the latest result."""
    it = Told()
    first, latest = (old(it.connection, days=900, counts={"updated": 1}) for _ in range(2))
    failed = old(it.connection, status="failed", days=850)
    tried = old(it.connection, preview=True, days=0.5)
    undone = old(it.connection, days=840, counts={"updated": 1})
    for operation, facts in (
        (first, {"feed_id": 1}), (latest, {"feed_id": 1}), (failed, {}), (tried, {"feed_id": 1}),
        (undone, {"feed_id": 1, "undone_by": 9}),
    ):  # fmt: skip
        models.Result.objects.create(operation_id=operation, record_id=it.record, outcome="complete", **facts)
    it.line("changed", operation=first, title="x")
    kept = it.line("changed", operation=latest, title="y")
    also = it.line("undone", operation=undone, title="z")

    assert deleted(keeping)["journal"] == 1
    assert it.left == [kept, also]


def test_the_journal_is_walked_once_and_begun_again_after_a_month(keeping: Settings, monkeypatch: pytest.MonkeyPatch):
    """Millions of lines stay for ever, and are not looked through each hour. What they explained may be over by then.
    Break it: begin at 0 each time."""
    monkeypatch.setattr(retention, "AT_MOST", 2)
    it = Told(open=False, closed_because="gone")
    for _ in range(5):
        it.line("changed", title="x")
    it.line("closed", open=True)
    assert deleted(keeping) == {"journal": 5}
    models.Finding.objects.filter(pk=it.number).update(open=True, closed_because=None)

    with CaptureQueriesContext(database) as queries:
        assert deleted(keeping) == {}
    assert sum("FROM journal" in query["sql"] for query in queries) == 1

    found = retain(world.now() + timedelta(days=31), keeping)
    assert found["journal"] == 1
    assert it.left == []


def test_until_when_something_was_forgotten_is_remembered(keeping: Settings):
    it = Told(open=False, closed_because="gone")
    it.line("changed", days=900, title="x")
    latest = models.Journal.objects.get(pk=it.line("changed", days=800, title="x"))
    it.line("closed", days=790, open=True)

    deleted(keeping)

    assert models.Mark.objects.get(pk=models.Mark.JOURNAL).forgotten_until == latest.at
    deleted(keeping)
    assert models.Mark.objects.get(pk=models.Mark.JOURNAL).forgotten_until == latest.at


def test_where_nothing_went_nothing_is_said_to_be_forgotten(keeping: Settings):
    it = Told(open=False, closed_because="gone")
    it.line("closed", open=True)

    assert deleted(keeping) == {}
    assert models.Mark.objects.get(pk=models.Mark.JOURNAL).forgotten_until is None


# What proves a closing


def test_what_proves_why_a_finding_is_closed_stays_with_its_operation(keeping: Settings):
    """Family by Family; and goes once nothing that it closed is closed still. Break it: take `proving` out of
    results_forget.sql."""
    it = Told()
    proof, other, latest = (
        old(it.connection, counts={"closed": 1}), old(it.connection, counts={"closed": 1}), old(it.connection, days=1),
    )  # fmt: skip
    for operation in (proof, other, latest):
        for family in ("", "dast", "sast"):
            models.Result.objects.create(
                operation_id=operation, record_id=it.record, family=family, outcome="complete", gone=1
            )
    it.line("closed", operation=proof, open=True)
    it.line("closed", operation=other, open=True)
    models.Finding.objects.filter(pk=it.number).update(
        open=False, active=False, closed_because="gone", closed_operation=proof
    )

    assert deleted(keeping)["results"] == 4
    assert set(models.Result.objects.values_list("operation_id", "family")) == {
        (proof, ""), (proof, "dast"), (latest, ""), (latest, "dast"), (latest, "sast"),
    }  # fmt: skip
    assert there(proof)

    models.Finding.objects.filter(pk=it.number).update(open=True, closed_because=None, closed_operation=None)
    assert deleted(keeping) == {}  # looked at again a month later
    assert retain(world.now() + timedelta(days=30), keeping)["results"] == 2


def test_the_result_of_the_latest_applied_sync_stays_so_that_it_can_be_undone(keeping: Settings):
    it = Told()
    applied, failed = old(it.connection, counts={"updated": 1}), old(it.connection, status="failed", days=1)
    models.Result.objects.create(operation_id=applied, record_id=it.record, outcome="complete", feed_id=1)
    models.Result.objects.create(operation_id=failed, record_id=it.record, outcome="failed")

    assert "results" not in deleted(keeping)


# How it is done


def test_a_second_call_finds_nothing(keeping: Settings):
    burp = world.connection()
    old(burp)
    latest(burp)

    assert deleted(keeping)
    assert deleted(keeping) == {}


def test_it_goes_in_batches_each_in_a_transaction_of_its_own(keeping: Settings, monkeypatch: pytest.MonkeyPatch):
    """Never one statement over a million rows."""
    monkeypatch.setattr(retention, "AT_MOST", 10)
    monkeypatch.setattr(retention, "OPERATIONS_AT_MOST", 10)
    burp = world.connection()
    numbers = [old(burp, days=400) for _ in range(35)]
    models.LogLine.objects.bulk_create(
        [models.LogLine(operation_id=number, n=1, at=ago(400), level="info", text="x") for number in numbers]
    )
    latest(burp)

    with CaptureQueriesContext(database) as queries:
        assert deleted(keeping) == {"log_lines": 35, "operations": 35}

    deletions = [query["sql"] for query in queries if "DELETE FROM log_line" in query["sql"]]
    assert len(deletions) == 5
    assert sum(query["sql"] == "COMMIT" for query in queries) >= 9


def test_without_time_each_kind_still_has_its_turn(keeping: Settings, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(retention, "AT_MOST", 10)
    burp = world.connection()
    numbers = [old(burp, days=400) for _ in range(25)]
    models.LogLine.objects.bulk_create(
        [models.LogLine(operation_id=numbers[0], n=n, at=ago(400), level="info", text="x") for n in range(25)]
    )
    latest(burp)

    assert deleted(keeping, seconds=0) == {"log_lines": 10, "operations": 24}


def test_inside_a_transaction_it_refuses(keeping: Settings):
    """There, all its batches would be one."""
    with pytest.raises(RuntimeError, match="outside of a transaction"), transaction.atomic():
        retain(world.now(), keeping)


def test_a_worker_that_fell_asleep_with_an_old_operation_loses_nothing(keeping: Settings):
    """An Operation that is asked for long before it runs has young lines, and they stay."""
    burp = world.connection()
    number = old(burp, days=1, requested_at=ago(40))
    models.LogLine.objects.create(operation_id=number, n=1, at=ago(1), level="info", text="x")

    assert deleted(keeping) == {}
