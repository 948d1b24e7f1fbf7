"""The queue's side of Operations: a job says no more than *look at this one*; the Operation's row says the rest."""

from __future__ import annotations

from collections.abc import Sequence

from tidegate.store.statement import run


def offer(operations: Sequence[int]) -> None:
    """Tells the workers, in the caller's transaction, to look at these."""
    if operations:
        run("offer_operations", operations=list(operations))


def withdraw(operation_id: int) -> None:
    """Nobody needs to look at it any more."""
    run("withdraw_job", operation=operation_id)


def forget_jobs_of_the_dead(seconds: float) -> int:
    """Drops jobs that a worker took and died with: it has not beaten for so long. Returns how many."""
    return run("jobs_of_the_dead", seconds=seconds)
