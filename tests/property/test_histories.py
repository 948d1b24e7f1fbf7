"""Random histories through actions and real PostgreSQL are what the reference model says, after every step."""

from __future__ import annotations

import pytest

from tests.ingest.scene import Scene
from tests.property.histories import LONG, PLAYED, ROUNDS, play


@pytest.mark.timeout(0 if LONG else 900)
def test_any_history_is_what_the_law_says(scene: Scene) -> None:
    """records.md, *A Record is facts* and *Sync*; promises.md 1 to 5 and 8."""
    play(scene, PLAYED, ROUNDS)
