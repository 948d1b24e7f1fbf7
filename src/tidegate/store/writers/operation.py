"""Operations as rows: requested, claimed under a lease, beaten alive, logged, ended. The row is the truth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

from django.db import IntegrityError, OperationalError, connection, transaction
from django.db.models.functions import Now
from psycopg.errors import LockNotAvailable

from tidegate.log import redact, redacted
from tidegate.rules.actor import SCHEDULE
from tidegate.rules.change import how_far
from tidegate.rules.retry import next_try
from tidegate.store.clock import database_now
from tidegate.store.models import Connection, Lease, LogLine, Operation, Record, Schedule
from tidegate.store.sql import sql
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.notification import note_ended
from tidegate.store.writers.queue import forget_jobs_of_the_dead, offer, withdraw
from tidegate.store.writers.schedule import forget_retries, plan_retry
from tidegate.store.writers.total import count_ended

LOG_LINES = 10_000
"""Lines kept of one Operation's log; what comes after is counted in its last line."""

DEBUG_LINES = 5_000
"""How many of them may be details; they must not crowd out what went wrong later."""

DEATHS = 3
"""Workers an Operation may take with it before it is failed instead of tried again."""

PATIENCE_AT_CLAIM = "2s"
"""How long a claim waits for whoever holds the row: one that sleeps within its fence may hold it for ever, and the next
tick offers the Operation again."""

FROZEN_AT_CLAIM = "10s"
"""A claim holds the row that the schedule and people ask for the Operation with: one that is frozen in it would stop
them all, the scheduler for every Connection."""

WORKER_SILENT_SECONDS = 60
"""A worker without a heart-beat for so long is dead: procrastinate's workers beat every ten seconds."""

Status = Literal["success", "partial", "failed", "cancelled"]
LineOfLog = tuple[int, datetime, str, str, Mapping[str, Any]]


@dataclass(frozen=True)
class Claim:
    """The right to run an Operation, until another attempt is claimed. `resumed`: somebody ran it before; `died`: and
    did not hand it back."""

    operation: int
    attempt: int
    resumed: bool
    died: bool = False
    seconds: float = 30
    """How long one beat of its lease is believed."""


@dataclass(frozen=True)
class Beat:
    """One heart-beat of a run: whose, and how far it is."""

    claim: Claim
    progress: Mapping[str, Any]


@dataclass(frozen=True)
class Kept:
    """How much of an Operation's log is there already."""

    last: int
    debug: int


class Lost(Exception):
    """Somebody else claimed or ended the Operation meanwhile; this run must write nothing more."""


def request_operation(
    type: str,
    connection_id: int,
    *,
    actor: str,
    trigger: str = "manual",
    records: Sequence[int] | None = None,
    delay: float = 0,
    preview: bool = False,
) -> int:
    """Asks for an Operation, `delay` seconds from now, and tells the workers in the same transaction.

    One of a type may wait for a Connection (and one preview beside it): a second request joins it, widening its scope.
    """
    scope: dict[str, Any] = {} if records is None else {"records": sorted(set(records))}
    asked = {"type": type, "connection": connection_id, "actor": actor, "trigger": trigger, "scope": json.dumps(scope)}
    with transaction.atomic():
        operation: int = rows_of("request_operation", **asked, delay=delay, preview=preview)[0]["id"]
        offer([operation])
    return operation


def request_deliver(
    destination_id: int, connection_id: int, *, actor: str, trigger: str = "manual", mode: str, preview: bool = False
) -> int:
    """Asks for a delivery of what the Connection brought; one waits for each, and a second request joins it. `mode` is
    deliver, reconcile (compare only), or repair."""
    asked = {"destination": destination_id, "connection": connection_id, "actor": actor, "trigger": trigger}
    with transaction.atomic():
        scope = json.dumps({"mode": mode})
        operation: int = rows_of("request_deliver", **asked, scope=scope, preview=preview)[0]["id"]
        offer([operation])
    return operation


def delivering_operation(destination_id: int) -> int | None:
    """The delivery that runs, or is believed to run, to the Destination."""
    running = Operation.objects.filter(destination_id=destination_id, status="running", type="deliver")
    return running.values_list("pk", flat=True).first()


def request_change(
    connection_id: int,
    scope: Mapping[str, Any],
    *,
    actor: str,
    records: Sequence[int] = (),
    step: UUID | None = None,
) -> int:
    """Asks for a change, in the caller's transaction. `scope` says which and of what (ingest/change.py). The `records`,
    locked by the caller, are its own until it ends: no Sync writes to them meanwhile."""
    asked = {"connection": connection_id, "actor": actor, "scope": json.dumps(dict(scope)), "step": step}
    operation: int = rows_of("request_change", **asked)[0]["id"]
    if records:
        run("records_changing", operation=operation, records=list(records))
    offer([operation])
    return operation


def reconcile() -> int:
    """Offers again whatever has no living lease and no job; returns how many. Doing it twice changes nothing."""
    with transaction.atomic():
        forget_jobs_of_the_dead(WORKER_SILENT_SECONDS)
        adrift = [row["id"] for row in rows_of("operations_adrift")]
        offer(adrift)
    return len(adrift)


def claim_operation(
    operation_id: int, worker: str, lease_seconds: float, *, early: bool = False, solitary: bool = True
) -> Claim | None:
    """Takes the Operation: a waiting one whose time has come (or `early`), or one whose worker's lease ran out. None
    where it may not run now.

    An Operation that took three workers with it is failed with that reason, and None is given. Who is not `solitary`
    is not given one that a worker died with: it might take its neighbours along (see `suspected`).
    """
    try:
        with transaction.atomic():
            _in_a_transaction_that_ends(PATIENCE_AT_CLAIM, FROZEN_AT_CLAIM)
            operation = Operation.objects.select_for_update().filter(pk=operation_id).first()
            if operation is None or not _may_run(operation, early=early) or _let_go_by_connection(operation):
                return None
            resumed = operation.status == "running"
            left = Lease.objects.filter(pk=operation_id).first() if resumed else None
            if left is not None and left.cancelled_by:
                cancel_operation(operation, left.cancelled_by)
                return None
            died = resumed and not (left is not None and left.handed_back)
            if died and operation.deaths + 1 >= DEATHS:
                _fail_for_good(operation)
                return None
            if not solitary and (died or operation.deaths):
                return None
            asked = {"operation": operation_id, "worker": worker, "seconds": lease_seconds, "died": died}
            claimed = rows_of("claim_operation", **asked)
            return Claim(operation_id, claimed[0]["attempt"], resumed, died, lease_seconds)
    except IntegrityError:
        return None  # another Operation of this Connection runs: a unique index says so
    except OperationalError as error:
        if isinstance(error.__cause__, LockNotAvailable):
            return None
        raise


def _in_a_transaction_that_ends(patience: str, frozen: str) -> None:
    """It waits for no lock longer than its patience, and the server ends it where this process froze within."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT set_config('lock_timeout', %s, true), set_config('idle_in_transaction_session_timeout', %s, true)",
            [patience, frozen],
        )


def suspected(operation_id: int) -> bool:
    """Whether a worker died with this Operation, so that it must run in a process of its own."""
    operation = Operation.objects.filter(pk=operation_id, status="running").first()
    if operation is None:
        return Operation.objects.filter(pk=operation_id, status="pending", deaths__gt=0).exists()
    handed_back = Lease.objects.filter(pk=operation_id, handed_back=True).exists()
    return operation.deaths > 0 or (not handed_back and not lease_is_alive(operation_id))


def _may_run(operation: Operation, *, early: bool) -> bool:
    if operation.status == "running":
        return not lease_is_alive(operation.pk)
    if operation.status != "pending":
        return False
    return early or not Operation.objects.filter(pk=operation.pk, not_before__gt=Now()).exists()


def _let_go_by_connection(operation: Operation) -> bool:
    """A Connection that was paused or deleted while this waited asks its vendor nothing: cancelled, with that reason.
    A change and a delivery ask no vendor; and the preview of a draft is what the draft is for."""
    connection = Connection.objects.get(pk=operation.connection_id)
    if operation.status != "pending" or (connection.paused_at is None and connection.deleted_at is None):
        return False
    if operation.type in ("change", "deliver") or connection.draft_at is not None:
        return False
    reason = "deleted" if connection.deleted_at is not None else f"paused. {connection.paused_because}".rstrip()
    why = f"The Connection is {reason.rstrip('.')}."
    Operation.objects.filter(pk=operation.pk).update(
        status="cancelled", cancelled_by="tidegate", why=why, ended_at=Now()
    )
    _let_go(operation.pk, operation.connection_id, "cancelled")
    return True


def _fail_for_good(operation: Operation) -> None:
    why = f"It ended {DEATHS} processes that ran it, so it is not tried again. Look at its log, then ask for it anew."
    Operation.objects.filter(pk=operation.pk).update(
        status="failed", why=why, cause="deaths", deaths=DEATHS, ended_at=Now()
    )
    _let_go(operation.pk, operation.connection_id, "failed")


def lease_is_alive(operation_id: int) -> bool:
    """Whether a worker still beats for the Operation."""
    return bool(rows_of("lease_is_alive", operation=operation_id))


def running_operation(connection_id: int) -> int | None:
    """The discover or sync that runs, or is believed to run, for the Connection."""
    return (
        Operation.objects.filter(connection_id=connection_id, status="running", type__in=["discover", "sync"])
        .values_list("pk", flat=True)
        .first()
    )


def beat(beats: Sequence[Beat]) -> dict[int, str]:
    """Keeps these leases alive, shows how far each is, and tells who listens. Gives who asked for the end of each, ""
    where nobody did; an Operation that is missing there is another attempt's by now."""
    rows = rows_of(
        "beat",
        operations=[one.claim.operation for one in beats],
        attempts=[one.claim.attempt for one in beats],
        progresses=[json.dumps(one.progress) for one in beats],
    )
    return {row["operation_id"]: row["cancelled_by"] for row in rows}


def hold_claim(claim: Claim) -> Operation:
    """Locks the Operation for the rest of the transaction and looks whether it is still ours. Raises Lost if not.

    Every applying transaction begins so (the fence); a take-over locks the row too, so it waits for the apply.
    """
    operation = Operation.objects.raw(sql("hold_claim"), {"operation": claim.operation})[0]
    if operation.status != "running" or operation.attempt != claim.attempt:
        raise Lost(f"Operation {claim.operation} is {operation.status} in attempt {operation.attempt} now.")
    return operation


def spend(claim: Claim, seconds: Mapping[str, float], calls: Mapping[str, int]) -> None:
    """Notes where the time of this attempt went, in seconds, and what the vendor answered, by status."""
    given = {"seconds": json.dumps(dict(seconds)), "calls": json.dumps(dict(calls))}
    run("spend", operation=claim.operation, attempt=claim.attempt, **given)


def end_operation(
    claim: Claim, status: Status, why: str, counts: Mapping[str, int], *, complete: bool = False, cause: str = ""
) -> None:
    """Writes the end of the Operation, gives the lease back, and lets the next of its Connection begin. Raises Lost
    where it is no longer ours."""
    with transaction.atomic():
        ended = rows_of(
            "end_operation",
            operation=claim.operation,
            attempt=claim.attempt,
            status=status,
            why=why,
            cause=cause,
            counts=json.dumps(counts),
            complete=complete,
        )
        if not ended:
            raise Lost(f"Operation {claim.operation} was ended by another process.")
        _let_go(claim.operation, ended[0]["connection_id"], ended[0]["status"])


def hand_back(claim: Claim) -> None:
    """Lets go of an Operation that is not done: it goes on wherever the next worker looks. Its results stay."""
    with transaction.atomic():
        if run("hand_back", operation=claim.operation, attempt=claim.attempt):
            offer([claim.operation])


def ask_to_end(operation_id: int, actor: str) -> bool:
    """Tells whoever runs it that the actor wants its end. False where nobody runs it.

    Waits for no apply: that holds the Operation's row, and the lease has one of its own.
    """
    return bool(run("ask_to_end", operation=operation_id, actor=actor))


def cancel_operation(operation: Operation, actor: str) -> None:
    """Ends a locked Operation that nobody runs."""
    ended = {"status": "cancelled", "cancelled_by": actor, "why": f"Cancelled by {actor}.", "ended_at": Now()}
    Operation.objects.filter(pk=operation.pk).update(**ended)
    _let_go(operation.pk, operation.connection_id, "cancelled")


def _let_go(operation_id: int, connection_id: int, status: str) -> None:
    """What follows every end, in its transaction: it is counted and told, tried again where that may help, its lease
    goes, and who waited for the Connection may begin."""
    _say_how_far(operation_id)
    count_ended(operation_id)
    note_ended(operation_id)
    _plan_another_try(operation_id)
    Lease.objects.filter(pk=operation_id).delete()
    withdraw(operation_id)
    run("records_changed", operation=operation_id)
    _ask_for_its_sync(operation_id)
    _ask_for_its_deliveries(operation_id)
    offer([row["id"] for row in rows_of("operations_waiting", connection=connection_id, operation=operation_id)])
    rows_of("tell_ended", operation=operation_id, status=status)


def _say_how_far(operation_id: int) -> None:
    """A change that ended early says how many findings it came to, and where the others are."""
    ended = Operation.objects.get(pk=operation_id)
    if ended.type == "change" and ended.status in ("failed", "cancelled"):
        told = how_far(operation_id, ended.scope, ended.counts)
        Operation.objects.filter(pk=operation_id).update(why=f"{ended.why} {told}".strip())


def _ask_for_its_sync(operation_id: int) -> None:
    """What flows elsewhere since a remap is synced once its findings are there and there was time to undo it."""
    ended = Operation.objects.get(pk=operation_id)
    delay: float | None = ended.scope.get("sync_after")
    if delay is None:
        return
    flowing = Record.objects.filter(pk__in=ended.scope["records"], decision="mapped", feed_id__isnull=False)
    flowing = flowing.filter(absent_since=None, connection__paused_at=None, connection__deleted_at=None)
    if records := list(flowing.values_list("pk", flat=True)):
        request_operation("sync", ended.connection_id, actor=ended.actor, records=records, delay=delay)


def _ask_for_its_deliveries(operation_id: int) -> None:
    """What a Sync brought goes on to where routes lead it; a delivery that finds nothing changed asks once a Test."""
    ended = Operation.objects.get(pk=operation_id)
    if ended.type != "sync" or ended.preview or ended.status not in ("success", "partial"):
        return
    for row in rows_of("destinations_of_connection", connection=ended.connection_id):
        request_deliver(row["id"], ended.connection_id, actor=str(SCHEDULE), trigger="scheduled", mode="deliver")


def _plan_another_try(operation_id: int) -> None:
    """A failure that may pass is tried again before its next planned run; one that went well forgets such tries."""
    ended = Operation.objects.get(pk=operation_id)
    whole = ended.type in ("discover", "sync") and not ended.preview and "records" not in ended.scope
    if ended.status == "cancelled" or not whole:
        return
    if ended.status != "failed":
        forget_retries(ended.connection_id, ended.type)
        return
    plan = Schedule.objects.filter(connection_id=ended.connection_id, type=ended.type).exclude(kind="off").first()
    if plan is None:
        return
    key = f"{ended.type} of {ended.connection_id}"
    if at := next_try(ended.cause, plan.retries, database_now(), key, plan.next_at):
        plan_retry(ended.connection_id, ended.type, at, plan.retries + 1)


def save_log(operation_id: int, lines: Iterable[LineOfLog]) -> None:
    """Appends lines (number, time, level, text, facts), redacted; a line that is there already stays."""
    LogLine.objects.bulk_create(
        [
            LogLine(
                operation_id=operation_id,
                n=number,
                at=at,
                level=level,
                text=redacted(text),
                facts=dict(redact(None, "", dict(facts))),
            )
            for number, at, level, text, facts in lines
        ],
        ignore_conflicts=True,
    )


def save_last_line(operation_id: int, at: datetime, left_out: int) -> None:
    """Says in the last line that is kept how many came after it."""
    text = f"{left_out:,} more lines came, and were not kept: {LOG_LINES:,} of one Operation are."
    facts = {"left_out": left_out}
    LogLine.objects.update_or_create(
        operation_id=operation_id, n=LOG_LINES, defaults={"at": at, "level": "warning", "text": text, "facts": facts}
    )


def kept_log(operation_id: int) -> Kept:
    """How much of the log is there: where it goes on when an Operation is taken up again."""
    (row,) = rows_of("kept_log", operation=operation_id)
    return Kept(row["last"], row["debug"])


def save_verdict(claim: Claim, verdict: Mapping[int, str]) -> None:
    """Writes, once, what becomes of closings that wait. Whoever takes the Operation up carries the same verdict out."""
    with transaction.atomic():
        hold_claim(claim)
        Operation.objects.filter(pk=claim.operation).update(
            verdict={str(record): ruling for record, ruling in verdict.items()}
        )


def save_quarantine(
    operation_id: int, connection_id: int, record_id: int | None, rows: Iterable[tuple[str, str, str | None, str, str]]
) -> None:
    """Sets odd rows aside: (family, branch, vendor key, reason, raw). The newest read of a Family replaces the list."""
    with connection.cursor() as cursor:
        cursor.executemany(
            sql("set_aside"),
            [(operation_id, connection_id, record_id, *row) for row in rows],
        )


def count_rejected_login(connection_id: int) -> bool:
    """A login was rejected; the third time running pauses the Connection. Returns whether it is paused by this."""
    return bool(rows_of("count_rejected_login", connection=connection_id)[0]["paused_now"])


def login_accepted(connection_id: int, account: str, account_name: str) -> None:
    """The vendor took the login: rejections are forgotten, and the account is remembered where it was not known."""
    run("login_accepted", connection=connection_id, account=account, account_name=account_name)
