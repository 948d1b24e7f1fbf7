"""Runs one Operation to its end in this process, after whatever else of its Connection must end first."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Final

from django.db import Error as DatabaseFailure
from django.db import connections

from tidegate import catalog
from tidegate.config import Settings
from tidegate.store.models import Connection, Operation
from tidegate.store.writers.decision import expire_acceptances
from tidegate.store.writers.operation import (
    Claim,
    Lost,
    claim_operation,
    end_operation,
    lease_is_alive,
    running_operation,
)
from tidegate_sdk import ConnectorError

from .apply import again_after_deadlock
from .discover import run_discover
from .run import Cancelled, Ending, Progress, Run, no_progress, worker_name
from .stage import SpoolFailed
from .sync import applied_counts, run_sync

LOOK_EVERY_SECONDS: Final = 0.2


def run_operation(operation_id: int, progress: Progress = no_progress) -> None:
    """Runs the Operation here, after whatever else of its Connection runs or was left by a process that died."""
    settings = Settings()
    while True:
        claim = claim_operation(operation_id, worker_name(), settings.lease_seconds)
        if claim is not None:
            _run_claimed(claim, settings, progress)
            return
        status, connection = Operation.objects.values_list("status", "connection_id").get(pk=operation_id)
        if status not in ("pending", "running"):
            return
        other = running_operation(connection)
        if other is not None and other != operation_id and not lease_is_alive(other):
            progress(f"Operation {other} was left unfinished by a process that died; finishing it first", 0, None)
            run_operation(other, progress)
            continue
        progress(f"Waiting for Operation {other or operation_id} of this Connection", 0, None)
        time.sleep(LOOK_EVERY_SECONDS)


def _run_claimed(claim: Claim, settings: Settings, progress: Progress) -> None:
    with Run(claim, lease_seconds=settings.lease_seconds, progress=progress) as run:
        try:
            if ended := again_after_deadlock(lambda: expire_acceptances(datetime.now(UTC))):
                run.say(f"{ended:,} findings are active again: their acceptance has ended.")
            ending = _ending_of(run)
            end_operation(claim, ending.status, ending.why, ending.counts, complete=ending.complete)  # pyright: ignore[reportArgumentType]
            run.say(f"Ended: {ending.status}. {ending.why}".rstrip())
        except Lost as error:
            run.say(str(error), "warning")
        except KeyboardInterrupt:
            end_operation(claim, "cancelled", "Interrupted. What was applied stays.", applied_counts(claim.operation))
            raise
        except DatabaseFailure as error:
            # Ending it needs the database too; while that is gone the row stays, and the next request takes it up.
            connections.close_all()
            end_operation(claim, "failed", _database_failed(error), applied_counts(claim.operation))
            raise
        except Exception as error:
            # A fault of Tidegate's own must not leave the Operation running until its lease ends.
            why = f"Tidegate itself failed ({type(error).__name__}). Please report it."
            end_operation(claim, "failed", why, applied_counts(claim.operation))
            raise


def _database_failed(error: Exception) -> str:
    said = str(error).strip().partition("\n")[0].rstrip(".") or type(error).__name__
    return f"The database failed: {said}. What was applied stays. See: tidegate doctor. Then run it again."


def _ending_of(run: Run) -> Ending:
    """Runs it to its end. Only what an operator can do something about ends it here; a bug ends it too, and is told."""
    connection = Connection.objects.get(pk=run.operation.connection_id)
    try:
        tool = catalog.build(connection)
        work = run_discover if run.operation.type == "discover" else run_sync
        return work(run, connection, tool)
    except Cancelled as error:
        return Ending("cancelled", str(error), applied_counts(run.claim.operation))
    except (ConnectorError, catalog.Unusable, SpoolFailed) as error:
        run.say(str(error), "error")
        return Ending("failed", str(error), applied_counts(run.claim.operation))
