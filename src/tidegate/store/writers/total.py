"""Totals: numbers that only grow, whatever retention deletes. Metrics are made of them."""

from __future__ import annotations

from tidegate.store.statement import run


def count_ended(operation_id: int) -> None:
    """Adds an Operation that ended in this transaction to the totals of its Tool: once, with its end.

    Call it last in the transaction: the totals stay locked until it commits, and all workers add to the same ones.
    """
    run("count_ended", operation=operation_id)
