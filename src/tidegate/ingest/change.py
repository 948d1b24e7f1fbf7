"""A change: what a person decided about so many findings or Records that it takes steps, each a transaction.

Its Operation's scope says which: `{"change": "<name>", …}`. A step looks at the claim first, as every apply does, and
finds by itself what is left to do: a change that was taken up again goes on, and doing it twice changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from . import decide, remap
from .run import Ending, Run
from .undo import UNDO_SYNC, run_undo_sync

Change = Callable[[Run], Ending]
"""Carries a change out, to its end or to where the run must end (`run.check()` between two steps)."""

CHANGES: Final[dict[str, Change]] = {
    remap.MOVE: remap.run_move,
    remap.CLOSE: remap.run_close,
    remap.PUT_BACK: remap.run_put_back,
    remap.THRESHOLD: remap.run_threshold,
    UNDO_SYNC: run_undo_sync,
    decide.DECIDE: decide.run_decide,
}
"""By name."""


def run_change(run: Run) -> Ending:
    """Carries out what the Operation's scope says."""
    return CHANGES[run.operation.scope["change"]](run)
