"""Random histories through actions and real PostgreSQL are what the reference model says, after every step."""

from __future__ import annotations

import pytest

from tests.ingest.scene import Scene
from tests.property.histories import LONG, PARTS, PLAYED, ROUNDS, play, seconds_of_a_part

pytestmark = pytest.mark.usefixtures("settings_read_once")


@pytest.mark.timeout(0 if LONG else 900)
@pytest.mark.parametrize("part", range(PARTS))
def test_any_history_is_what_the_law_says(scene: Scene, part: int) -> None:
    """records.md, *A Record is facts* and *Sync*; promises.md 1 to 5 and 8; issue 5, preview, undo, reconciliation."""
    play(scene, PLAYED, ROUNDS, part, seconds_of_a_part())
