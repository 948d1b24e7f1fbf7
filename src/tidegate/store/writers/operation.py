"""Operations as rows: requested, claimed under a lease, beaten alive, logged, ended. The row is the truth."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from django.db import IntegrityError, connection, transaction
from django.db.models.functions import Now

from tidegate.store.models import Lease, LogLine, Operation
from tidegate.store.sql import sql
from tidegate.store.statement import rows_of, run

LOG_LINES = 10_000
"""Lines kept of one Operation's log; what comes after is counted in its last line."""

DEATHS = 3
"""Workers an Operation may take with it before it is failed instead of tried again."""

Status = Literal["success", "partial", "failed", "cancelled"]


@dataclass(frozen=True)
class Claim:
    """The right to run an Operation, until another attempt is claimed. `resumed`: somebody ran it before and died."""

    operation: int
    attempt: int
    resumed: bool


class Lost(Exception):
    """Somebody else claimed or ended the Operation meanwhile; this run must write nothing more."""


def request_operation(
    type: str, connection_id: int, *, actor: str, trigger: str = "manual", records: Sequence[int] | None = None
) -> int:
    """Asks for an Operation. One of a type may wait for a Connection: a second request joins it, widening its scope."""
    scope: dict[str, Any] = {} if records is None else {"records": sorted(set(records))}
    asked = {"type": type, "connection": connection_id, "actor": actor, "trigger": trigger, "scope": json.dumps(scope)}
    return rows_of("request_operation", **asked)[0]["id"]


def claim_operation(operation_id: int, worker: str, lease_seconds: float) -> Claim | None:
    """Takes the Operation: a waiting one, or one whose worker's lease ran out. None where it may not run now.

    An Operation that took three workers with it is failed with that reason, and None is given.
    """
    try:
        with transaction.atomic():
            operation = Operation.objects.select_for_update().get(pk=operation_id)
            if operation.status == "running" and lease_is_alive(operation_id):
                return None
            if operation.status not in ("pending", "running"):
                return None
            if operation.attempt >= DEATHS:
                _fail_for_good(operation)
                return None
            resumed = operation.status == "running"
            claimed = rows_of("claim_operation", operation=operation_id, worker=worker, seconds=lease_seconds)
            return Claim(operation_id, claimed[0]["attempt"], resumed)
    except IntegrityError:
        return None  # another Operation of this Connection runs: a unique index says so


def _fail_for_good(operation: Operation) -> None:
    why = f"It ended {DEATHS} processes that ran it, so it is not tried again. Look at its log, then ask for it anew."
    Operation.objects.filter(pk=operation.pk).update(status="failed", why=why, ended_at=Now())
    Lease.objects.filter(pk=operation.pk).delete()


def lease_is_alive(operation_id: int) -> bool:
    """Whether a worker still beats for the Operation."""
    return Lease.objects.filter(pk=operation_id, until__gt=Now()).exists()


def running_operation(connection_id: int) -> int | None:
    """The discover or sync that runs, or is believed to run, for the Connection."""
    return (
        Operation.objects.filter(connection_id=connection_id, status="running", type__in=["discover", "sync"])
        .values_list("pk", flat=True)
        .first()
    )


def beat(claim: Claim, lease_seconds: float, progress: Mapping[str, Any]) -> None:
    """Keeps the lease alive and shows how far the Operation is. Raises Lost where another attempt has it."""
    beaten = run(
        "beat",
        operation=claim.operation,
        attempt=claim.attempt,
        seconds=lease_seconds,
        progress=json.dumps(progress),
    )
    if not beaten:
        raise Lost(f"Operation {claim.operation} is run by another process now.")


def hold_claim(claim: Claim) -> Operation:
    """Locks the Operation for the rest of the transaction and looks whether it is still ours. Raises Lost if not.

    Every applying transaction begins so (the fence); a take-over locks the row too, so it waits for the apply.
    """
    operation = Operation.objects.raw(sql("hold_claim"), {"operation": claim.operation})[0]
    if operation.status != "running" or operation.attempt != claim.attempt:
        raise Lost(f"Operation {claim.operation} is {operation.status} in attempt {operation.attempt} now.")
    return operation


def end_operation(claim: Claim, status: Status, why: str, counts: Mapping[str, int], *, complete: bool = False) -> None:
    """Writes the end of the Operation and gives the lease back. Raises Lost where it is no longer ours."""
    with transaction.atomic():
        ended = run(
            "end_operation",
            operation=claim.operation,
            attempt=claim.attempt,
            status=status,
            why=why,
            counts=json.dumps(counts),
            complete=complete,
        )
        if not ended:
            raise Lost(f"Operation {claim.operation} was ended by another process.")
        Lease.objects.filter(pk=claim.operation).delete()


def save_log(operation_id: int, lines: Iterable[tuple[int, Any, str, str, Mapping[str, Any]]]) -> None:
    """Appends lines (number, time, level, text, facts); a line that is there already stays."""
    LogLine.objects.bulk_create(
        [
            LogLine(operation_id=operation_id, n=number, at=at, level=level, text=text, facts=dict(facts))
            for number, at, level, text, facts in lines
            if number <= LOG_LINES
        ],
        ignore_conflicts=True,
    )


def next_log_number(operation_id: int) -> int:
    """Where the log goes on when an Operation is taken up again."""
    last = LogLine.objects.filter(operation_id=operation_id).order_by("-n").values_list("n", flat=True).first()
    return (last or 0) + 1


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
