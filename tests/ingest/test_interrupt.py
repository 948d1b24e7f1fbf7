"""What may end a run before its end: a cancellation in any phase, a process that stops, others that wait.

And what a run says of itself meanwhile: how far it is, where its time went, and its log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from django.db import connection, transaction

from tests.acme import Acme, many, rows
from tests.ingest.scene import ALICE, Scene, in_another_thread, meanwhile, on_findings
from tests.ingest.test_run import wait_for
from tidegate.actions import operation as operations
from tidegate.ingest.heart import HEART
from tidegate.ingest.operation import run_claimed, run_operation
from tidegate.ingest.run import HandedBack, Run
from tidegate.reads.operation import log
from tidegate.reads.progress import follow
from tidegate.store.models import LogLine, Operation, Record
from tidegate.store.writers import operation as writer
from tidegate.store.writers.operation import LOG_LINES, claim_operation, request_operation
from tidegate_sdk import Account, Ask, Vep

WITHIN_SECONDS = 30.0
"""Five are promised, of a machine that has time; here a vendor never answers, and other tests run beside these."""


def claimed(scene: Scene, kind: str = "sync") -> writer.Claim:
    claim = claim_operation(request_operation(kind, scene.connection_id, actor="alice"), "test:1", 30)
    assert claim is not None
    return claim


@contextmanager
def in_the_background(work: Callable[[], Any]) -> Iterator[None]:
    """The work runs beside the test, as another process would; the test waits for its end."""
    thread = threading.Thread(target=lambda: in_another_thread(work))
    thread.start()
    yield
    thread.join(60)
    assert not thread.is_alive()


def hangs(scene: Scene, asked: threading.Event, path: str) -> None:
    """The vendor takes the question and never answers."""

    async def handle(request: httpx2.Request) -> httpx2.Response:
        if path in request.url.path:
            asked.set()
            await forever()
        return await type(scene.world).handle(scene.world, request)

    scene.world.handle = handle  # pyright: ignore[reportAttributeAccessIssue]


async def forever() -> None:
    import asyncio

    await asyncio.sleep(3600)


# Cancel, within five seconds, in any phase


@pytest.mark.parametrize(
    ("kind", "path"),
    [("sync", "/account"), ("sync", "/findings/"), ("discover", "/account"), ("discover", "/products")],
)
def test_a_run_that_waits_for_its_vendor_is_cancelled_within_five_seconds(scene: Scene, kind: str, path: str):
    """Issue 4: cancel within five seconds in any phase, also while waiting for a vendor; the row says who."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    asked = threading.Event()
    hangs(scene, asked, path)
    claim = claimed(scene, kind)

    with in_the_background(lambda: run_claimed(claim)):
        assert asked.wait(60)
        began = time.monotonic()
        operations.cancel(ALICE, claim.operation)
        wait_for(lambda: Operation.objects.get(pk=claim.operation).status == "cancelled")
        assert time.monotonic() - began < WITHIN_SECONDS

    found = Operation.objects.get(pk=claim.operation)
    assert (found.cancelled_by, found.why) == ("alice", "Cancelled by alice.")
    assert scene.findings() == {}


def test_a_run_that_waits_for_the_database_is_cancelled_within_five_seconds_and_its_statement_rolled_back(scene: Scene):
    """Another session holds the Record: no check is come to, so the statement itself is cancelled."""
    scene.mapped(shop=rows("a"))
    claim = claimed(scene)

    with transaction.atomic():
        Record.objects.select_for_update().get()
        with in_the_background(lambda: run_claimed(claim)):
            wait_for(waits_for_a_lock)
            began = time.monotonic()
            in_another_thread(lambda: operations.cancel(ALICE, claim.operation))
            wait_for(lambda: Operation.objects.get(pk=claim.operation).status == "cancelled")
            assert time.monotonic() - began < WITHIN_SECONDS

    assert Operation.objects.get(pk=claim.operation).cancelled_by == "alice"
    assert scene.findings() == {}
    assert scene.sync().status == "success"


def waits_for_a_lock() -> bool:
    """Asked by another session: within one transaction the answer would always be the same."""
    found: list[bool] = []

    def look() -> None:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
            )
            found.append(cursor.fetchall() != [(0,)])

    in_another_thread(look)
    return found[0]


# Handed back


def test_a_process_that_stops_hands_back_what_it_runs_and_the_next_one_does_only_what_is_left(scene: Scene):
    """Issue 4, lease, fence, reconcile: a resumed Operation does only what is left. Nobody died."""
    scene.mapped(api=rows("a"), shop=rows("b"))
    first, second = sorted(("api", "shop"), key=lambda key: scene.record(key).pk)
    asked = threading.Event()
    hangs(scene, asked, f"/{second}/")
    claim = claimed(scene)

    with in_the_background(lambda: run_claimed(claim)):
        assert asked.wait(60)
        wait_for(lambda: scene.findings(first))
        for run in HEART.running():
            run.interrupt(HandedBack("this worker stops."))

    del scene.world.handle
    scene.world.asked.clear()
    operation = Operation.objects.get(pk=claim.operation)
    assert (operation.status, operation.deaths) == ("running", 0)
    again = claim_operation(claim.operation, "test:2", 30)
    assert again is not None
    run_claimed(again)

    operation.refresh_from_db()
    assert (operation.status, operation.attempt, operation.deaths) == ("success", 2, 0)
    assert scene.open() == {"a", "b"}
    assert not [path for path in scene.world.asked if f"/{first}/" in path]
    assert "it was handed back. What is left is done now." in scene.log(operation)


def test_a_long_sync_lets_others_go_first_between_two_records(scene: Scene):
    """Issue 4: fairly: a 10-hour sync does not starve short ones."""
    scene.mapped(api=rows("a"), shop=rows("b"))
    claim = claimed(scene)
    looks: list[float] = []

    def may_yield(seconds: float) -> bool:
        looks.append(seconds)
        return len(looks) > 1

    assert run_claimed(claim, may_yield=may_yield) == "handed back"

    operation = Operation.objects.get(pk=claim.operation)
    assert operation.status == "running"
    assert "Others wait for their turn" in scene.log(operation)
    assert len(scene.findings()) == 1


# How far it is


def test_whoever_watches_is_told_how_far_it_is_until_it_ends(scene: Scene):
    """Issue 4: progress, live, ready for the page by LISTEN; also when the Operation runs elsewhere."""
    scene.mapped(shop=many(30), api=many(5, "g"))
    asked, go_on = threading.Event(), threading.Event()
    scene.world.interfere = on_findings(lambda request: (asked.set(), go_on.wait(60), None)[2])
    claim = claimed(scene)
    seen: list[Any] = []

    with in_the_background(lambda: run_claimed(claim)):
        assert asked.wait(60)
        for row in follow(claim.operation):
            seen.append(row)
            if row.phase.startswith("Reading"):
                go_on.set()

    assert seen[-1].status == "success"
    reading = next(row for row in seen if row.phase.startswith("Reading"))
    assert (reading.status, reading.total) == ("running", 2)


def test_progress_is_written_at_most_once_a_second(scene: Scene):
    scene.mapped(**{f"site{n}": rows(f"f{n}") for n in range(30)})
    beats: list[float] = []
    real = writer.rows_of

    def counted(name: str, **parameters: Any) -> Any:
        if name == "beat":
            beats.append(time.monotonic())
        return real(name, **parameters)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(writer, "rows_of", counted)
        began = time.monotonic()
        assert scene.sync().status == "success"

    assert len(beats) <= (time.monotonic() - began) / 1.0 + 1


def test_findings_a_second_and_the_time_left_are_told_where_they_can_be(scene: Scene):
    scene.mapped(shop=rows("a"))
    run = Run(claimed(scene))
    run.started -= 10
    run.counts["seen"] = 500

    run.show("Reading b", 1, 4, lambda: 100)
    told = run.progress()

    assert (told["phase"], told["done"], told["total"], told["seen"]) == ("Reading b", 1, 4, 600)
    assert told["rate"] == pytest.approx(60, abs=1)
    assert told["left"] == pytest.approx(30, abs=1)


def test_a_name_of_a_megabyte_does_not_break_the_beat(scene: Scene):
    scene.mapped(shop=rows("a"))
    Record.objects.update(name="x" * 2**20)

    assert scene.sync().status == "success"


# Where the time went


def test_a_slow_sync_explains_itself(scene: Scene):
    """Issue 4: waiting and working time apart (vendor's waits, rate limits, queue, database)."""
    scene.mapped(shop=rows("a"))

    def slowly(request: httpx2.Request) -> None:
        time.sleep(0.6)

    scene.world.interfere = on_findings(slowly)
    operation = scene.sync()

    assert operation.seconds["vendor"] >= 0.5
    assert {"queue", "database", "work"} <= operation.seconds.keys()
    whole = (operation.ended_at - operation.started_at).total_seconds()
    assert sum(number for word, number in operation.seconds.items() if word != "queue") == pytest.approx(whole, abs=0.5)
    assert sum(operation.calls.values()) == operation.calls["200"] >= 2
    assert "waiting for the tool" in scene.log(operation)


def test_what_earlier_attempts_took_is_added_up(scene: Scene):
    scene.mapped(shop=rows("a"))
    claim = claimed(scene)
    writer.spend(claim, {"vendor": 1.5, "work": 1}, {"200": 3})

    writer.spend(claim, {"vendor": 2, "database": 0.25}, {"200": 1, "429": 2})

    operation = Operation.objects.get(pk=claim.operation)
    queue = operation.seconds.pop("queue")
    assert queue >= 0
    assert operation.seconds == {"vendor": 3.5, "work": 1, "database": 0.25}
    assert operation.calls == {"200": 4, "429": 2}


# The log


def test_a_log_is_bounded_and_its_last_line_says_how_much_is_missing(scene: Scene):
    with Run(claimed(scene)) as run:
        for number in range(LOG_LINES + 20):
            run.say(f"line {number}")

    lines = LogLine.objects.filter(operation=run.claim.operation)
    assert lines.count() == LOG_LINES
    assert lines.order_by("-n")[0].text == "21 more lines came, and were not kept: 10,000 of one Operation are."


def test_details_do_not_crowd_out_what_goes_wrong_later(scene: Scene):
    with Run(claimed(scene)) as run:
        for number in range(LOG_LINES):
            run.say(f"detail {number}", "debug")
        run.say("The tool answers 500.", "error")

    assert LogLine.objects.filter(level="error").exists()


def test_the_log_of_a_second_attempt_goes_on_where_the_first_ended(scene: Scene):
    claim = claimed(scene)
    for text in ("one", "two"):
        with Run(claim) as run:
            run.say(text)

    assert list(LogLine.objects.order_by("n").values_list("n", "text")) == [(1, "one"), (2, "two")]


def test_no_credential_gets_into_the_log_whoever_writes_it(scene: Scene):
    """Issue 4: redacted on the way in."""
    with Run(claimed(scene)) as run:
        run.say("Asked https://alice:hunter22@acme.test/x", token="tok-12345678", url="https://bob:hunter23@acme.test")

    (line,) = LogLine.objects.all()
    assert "hunter22" not in line.text
    assert "tok-12345678" not in str(line.facts)
    assert "hunter23" not in str(line.facts)


def test_the_log_can_be_searched_by_words_and_level(scene: Scene):
    """Issue 4: structured, readable, searchable."""
    with Run(claimed(scene)) as run:
        run.say("Storefront: 12 seen.", record=7)
        run.say("vendor.asked", "debug", url="https://acme.test/storefront")
        run.say("Portal: the tool answers 500.", "error")
    which = run.claim.operation

    assert [line.text for line in log(which, search="STOREfront").lines] == ["Storefront: 12 seen.", "vendor.asked"]
    assert [line.text for line in log(which, level="warning").lines] == ["Portal: the tool answers 500."]
    assert log(which, search="nowhere").lines == []
    first = log(which, limit=2)
    assert [line.n for line in first.lines] == [1, 2]
    assert first.next == 2
    assert [line.n for line in log(which, after=first.next).lines] == [3]


def test_a_run_that_lost_its_lease_stops_waiting_for_its_vendor(scene: Scene):
    """promises.md: SIGSTOP of a worker past its lease: it must not write."""
    scene.mapped(shop=rows("a"))
    asked = threading.Event()
    hangs(scene, asked, "/findings/")
    claim = claimed(scene)
    went: list[str] = []

    with in_the_background(lambda: went.append(run_claimed(claim))):
        assert asked.wait(60)
        Operation.objects.filter(pk=claim.operation).update(attempt=9)
        writer.Lease.objects.filter(pk=claim.operation).update(attempt=9)

    assert went == ["lost"]
    assert Operation.objects.get(pk=claim.operation).status == "running"


def test_a_cancellation_between_two_records_is_seen_at_once(scene: Scene):
    scene.mapped(api=rows("a"), shop=rows("b"))
    meanwhile(scene, lambda: operations.cancel(ALICE, Operation.objects.get(status="running").pk))

    assert scene.sync().status == "cancelled"


# A person's own run, beside what others run or left


def test_what_a_dead_process_left_of_the_connection_is_finished_first(scene: Scene):
    """records.md: each survives the death of the process that ran it: it is taken up again."""
    scene.mapped(shop=rows("a"))
    left = claimed(scene, "discover")
    writer.Lease.objects.update(until="2020-01-01T00:00:00Z")

    assert scene.sync().status == "success"

    assert Operation.objects.get(pk=left.operation).status == "success"


def test_what_somebody_else_runs_for_the_connection_is_waited_for(scene: Scene):
    """records.md: one discover or sync at a time per Connection."""
    scene.mapped(shop=rows("a"))
    other = claimed(scene, "discover")
    told: list[str] = []

    def progress(phase: str, done: int, total: int | None, beside: str = "") -> None:
        told.append(phase)
        if len(told) == 2:
            writer.end_operation(other, "success", "", {})

    mine = request_operation("sync", scene.connection_id, actor="alice")
    run_operation(mine, progress)

    assert told[0] == f"Waiting for Operation {other.operation} of this Connection"
    assert Operation.objects.get(pk=mine).status == "success"


def test_what_has_ended_is_not_run_again(scene: Scene):
    scene.mapped(shop=rows("a"))
    ended = scene.sync()
    scene.world.asked.clear()

    run_operation(ended.pk)

    assert scene.world.asked == []


def test_a_statement_that_outlasts_the_patience_of_a_process_that_stops_is_rolled_back_and_handed_back(scene: Scene):
    """Issue 4, tidegate up: stops cleanly within a grace time, hands unfinished Operations back."""
    scene.mapped(shop=rows("a"))
    claim = claimed(scene)
    went: list[str] = []

    with transaction.atomic():
        Record.objects.select_for_update().get()
        with in_the_background(lambda: went.append(run_claimed(claim))):
            wait_for(waits_for_a_lock)
            (run,) = HEART.running()
            run.interrupt(HandedBack("this worker stops."))
            run.cancel_statement()

    assert went == ["handed back"]
    operation = Operation.objects.get(pk=claim.operation)
    assert (operation.status, operation.deaths) == ("running", 0)
    assert scene.findings() == {}


def test_a_heart_that_was_cut_off_beats_on(scene: Scene):
    """promises.md, database faults: its connections cut."""
    scene.mapped(shop=rows("a"))
    asked = threading.Event()
    hangs(scene, asked, "/findings/")
    claim = claimed(scene)

    with in_the_background(lambda: run_claimed(claim)):
        assert asked.wait(60)
        wait_for(heart_is_cut)
        before = writer.Lease.objects.get().until
        wait_for(lambda: writer.Lease.objects.get().until > before)
        operations.cancel(ALICE, claim.operation)

    assert Operation.objects.get(pk=claim.operation).status == "cancelled"


def heart_is_cut() -> bool:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND (query ILIKE '%Keeps leases alive%' OR query = 'COMMIT')"
        )
        return bool(cursor.fetchall())


def test_what_the_tool_says_of_its_credentials_end_is_kept(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    """Issue 4: secrets with a known end (what the vendor tells)."""
    ends = datetime.now(UTC) + timedelta(days=9)

    def account(self: Acme) -> Any:
        yield Ask("account")
        return Account(id="acme-1", name="Acme user", credential_ends=ends)

    scene.configure(secrets=b"sealed")
    monkeypatch.setattr(Acme, "account", account)
    scene.discover()

    assert scene.connection.secret_ends_at == ends
    assert scene.connection.secret_ends_told_by == "tool"


# Taken up again


def test_who_takes_it_up_says_that_the_process_before_died(scene: Scene):
    scene.mapped(shop=rows("a"))
    claim = claimed(scene)
    writer.Lease.objects.update(until="2020-01-01T00:00:00Z")
    again = claim_operation(claim.operation, "test:2", 30)
    assert again is not None

    assert run_claimed(again) == "ended"

    operation = Operation.objects.get(pk=claim.operation)
    assert (operation.status, operation.deaths) == ("success", 1)
    assert "attempt 2: the process that ran it before died." in scene.log(operation)


def test_a_verdict_that_was_taken_is_carried_out_by_the_next_attempt_without_asking_the_vendor(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    """records.md: a killed Operation is taken up again and finishes this."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.world.issues("shop").pop("b")
    claim = claimed(scene)

    def stops(run: Run) -> None:
        raise HandedBack("this worker stops.")

    with monkeypatch.context() as patch:
        patch.setattr("tidegate.ingest.sync._carry_out", stops)
        assert run_claimed(claim) == "handed back"
    assert scene.open() == {"a", "b"}
    scene.world.asked.clear()
    again = claim_operation(claim.operation, "test:2", 30)
    assert again is not None
    run_claimed(again)

    assert scene.open() == {"a"}
    assert scene.world.asked == []


def test_a_tool_with_a_question_of_its_own_is_the_witness_of_an_empty_answer(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    """records.md: no rows for a VEP that has open findings is believed only if the vendor still names the VEP."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    scene.sync()
    scene.world.issues("shop").clear()
    scene.world.issues("api").clear()

    def witness(self: Acme, vep: Vep) -> Any:
        page = yield Ask("account")
        return bool(page.body["id"]) and vep.id == "shop"

    monkeypatch.setattr(Acme, "witness", witness)
    scene.sync()

    assert scene.open() == {"b"}


def test_a_run_that_has_ended_already_is_no_longer_beaten_for(scene: Scene):
    run = Run(claimed(scene))
    with run:
        assert HEART.running() == [run]

    HEART.remove(run)

    assert HEART.running() == []
