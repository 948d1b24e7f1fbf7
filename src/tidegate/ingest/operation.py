"""Runs one Operation to its end in this process: for a person who waits for it, or for a worker that was offered it."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Final, Literal

import psycopg
from django.db import Error as DatabaseFailure
from django.db import connections
from psycopg.errors import QueryCanceled

from tidegate import catalog
from tidegate.config import load_settings
from tidegate.log import bound
from tidegate.rules.cause import cause_of
from tidegate.store.models import Connection, Operation
from tidegate.store.writers.decision import expire_acceptances
from tidegate.store.writers.operation import (
    Claim,
    Lost,
    claim_operation,
    delivering_operation,
    end_operation,
    hand_back,
    lease_is_alive,
    running_operation,
)
from tidegate_sdk import ConnectorError

from .apply import again_after_deadlock
from .change import run_change
from .discover import run_discover
from .run import Cancelled, Ending, HandedBack, Progress, Run, no_progress, worker_name
from .stage import SpoolFailed
from .sync import applied_counts, run_sync

LOOK_EVERY_SECONDS: Final = 0.2
DATABASE_BACK_SECONDS: Final = 10.0
"""How long a person's own run waits for a database that went away; a worker waits as long as it lives."""

MayYield = Callable[[float], bool]
Went = Literal["ended", "handed back", "lost"]


def run_operation(operation_id: int, progress: Progress = no_progress) -> None:
    """Runs the Operation here, after whatever else of its Connection runs or was left by a process that died."""
    while True:
        claim = claim_operation(operation_id, worker_name(), load_settings().lease_seconds, early=True)
        if claim is not None:
            if run_claimed(claim, progress) == "handed back":
                progress("The database went away and is back; going on", 0, None)
                continue
            return
        asked = Operation.objects.get(pk=operation_id)
        if asked.status not in ("pending", "running"):
            return
        other = _before(asked)
        if other is not None and other != operation_id and not lease_is_alive(other):
            progress(f"Operation {other} was left unfinished by a process that died; finishing it first", 0, None)
            run_operation(other, progress)
            continue
        whose = "Destination" if asked.type == "deliver" else "Connection"
        progress(f"Waiting for Operation {other or operation_id} of this {whose}", 0, None)
        time.sleep(LOOK_EVERY_SECONDS)


def _before(operation: Operation) -> int | None:
    """The Operation that this one waits for; a change waits for none."""
    if operation.type == "deliver" and operation.destination_id is not None:
        return delivering_operation(operation.destination_id)
    return None if operation.type == "change" else running_operation(operation.connection_id)


WORKS: Final[dict[str, Callable[[Run], Ending]]] = {"change": run_change}
"""What is done for an Operation that asks no vendor, by its type; deliveries lie in a room above, which adds them
(jobs/works.py)."""

COLLECT_AFTER: Final = 50_000
"""New objects before the garbage collector looks for circles among them, instead of after 700: rows have none, and it
took a sixth of the time of reading them (measured)."""


def run_claimed(
    claim: Claim,
    progress: Progress = no_progress,
    may_yield: MayYield | None = None,
    patience: float = DATABASE_BACK_SECONDS,
) -> Went:
    """Runs what was claimed. *handed back* where it goes on elsewhere: this process stops, others wait for their turn,
    or the database went away and came back within `patience` seconds. Raises DatabaseFailure where it did not."""
    gc.set_threshold(COLLECT_AFTER)
    with (
        Run(claim, progress=progress, may_yield=may_yield) as run,
        bound(operation=claim.operation, connection=run.operation.connection_id),
    ):
        try:
            with run.cancellable():
                ending = _attempt(run)
            _end(run, ending)
        except Lost as error:
            run.say(str(error), "warning")
            return "lost"
        except HandedBack as why:
            _hand_back(run, str(why))
            return "handed back"
        except KeyboardInterrupt:
            _end(run, Ending("cancelled", "Interrupted. What was applied stays.", _counts_so_far(claim.operation)))
            raise
        except DatabaseFailure as error:
            connections.close_all()
            if not _is_gone(error):
                _end(run, Ending("failed", _database_failed(error), _counts_so_far(claim.operation), cause="database"))
                raise
            _hand_back_once_it_is_back(run, error, patience)
            return "handed back"
        except Exception as error:
            # A fault of Tidegate's own must not leave the Operation running until its lease ends.
            why = f"Tidegate itself failed ({type(error).__name__}). Please report it."
            _end(run, Ending("failed", why, _counts_so_far(claim.operation), cause="fault"))
            raise
    return "ended"


def _attempt(run: Run) -> Ending:
    """Runs it to its end. Only what an operator can do something about ends it here; a bug ends it too, and is told."""
    try:
        # A preview leaves even that to others.
        if not run.operation.preview and (ended := again_after_deadlock(lambda: expire_acceptances(datetime.now(UTC)))):
            run.say(f"{ended:,} findings are active again: their acceptance has ended.")
        if (work := WORKS.get(run.operation.type)) is not None:
            return work(run)
        connection = Connection.objects.get(pk=run.operation.connection_id)
        tool = catalog.build(connection)
        read = run_discover if run.operation.type == "discover" else run_sync
        return read(run, connection, tool)
    except Cancelled as error:
        return _cancelled(run, error)
    except DatabaseFailure as error:
        # The statement of a run that had to end was cancelled; what it did is rolled back.
        if not isinstance(error.__cause__, QueryCanceled) or run.interruption is None:
            raise
        if isinstance(run.interruption, Cancelled):
            return _cancelled(run, run.interruption)
        raise run.interruption from None
    except (ConnectorError, catalog.Unusable, SpoolFailed) as error:
        run.say(str(error), "error")
        return Ending("failed", str(error), _counts_so_far(run.claim.operation), cause=cause_of(error))


def _cancelled(run: Run, error: Exception) -> Ending:
    return Ending("cancelled", str(error), _counts_so_far(run.claim.operation))


def _counts_so_far(operation_id: int) -> dict[str, int]:
    """What it did by now: the results of its Records say it, or (of a change without such) its own row."""
    return dict(applied_counts(operation_id)) or Operation.objects.values_list("counts", flat=True).get(pk=operation_id)


def _end(run: Run, ending: Ending) -> None:
    run.account()
    run.flush()  # whoever looks right after the end finds the log
    end_operation(
        run.claim,
        ending.status,  # pyright: ignore[reportArgumentType]
        ending.why,
        ending.counts,
        complete=ending.complete,
        cause=ending.cause,
    )
    run.say(f"Ended: {ending.status}. {ending.why}".rstrip())


def _hand_back(run: Run, why: str) -> None:
    run.say(f"Handed back: {why}")
    run.account()
    hand_back(run.claim)


def _hand_back_once_it_is_back(run: Run, error: DatabaseFailure, patience: float) -> None:
    """Nobody died, so nobody's death is counted: as soon as the database answers, the Operation is free again."""
    until = time.monotonic() + patience
    while True:
        try:
            _hand_back(run, f"the database went away ({_first_line(error)}) and is back.")
        except DatabaseFailure:
            connections.close_all()
            if time.monotonic() > until or isinstance(run.interruption, HandedBack):
                raise error from None
            time.sleep(LOOK_EVERY_SECONDS)
        else:
            return


def _is_gone(error: Exception) -> bool:
    """Whether the database itself went away; a statement that failed is another thing, and would fail again."""
    cause = error.__cause__ or error
    state = getattr(cause, "sqlstate", None)
    if state is None:  # libpq's own: no server said it
        return isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError)
    return state.startswith("08") or state in ("57P01", "57P02", "57P03", "57P05")


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__


def _database_failed(error: Exception) -> str:
    return (
        f"The database failed: {_first_line(error)}. What was applied stays. See: tidegate doctor. Then run it again."
    )
