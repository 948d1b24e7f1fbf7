"""How many histories are played, how long they are, and how they are repeated: TIDEGATE_TEST_HISTORIES, …_SEED."""

from __future__ import annotations

import os
import random

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.ingest.scene import Scene
from tests.property.machine import Histories

LONG = os.environ.get("TIDEGATE_TEST_HISTORIES") == "long"
EVERY = settings(
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=list(HealthCheck),
    verbosity=Verbosity.normal,
)
PLAYED = settings(EVERY, max_examples=2000 if LONG else 60, stateful_step_count=60 if LONG else 25)
HUNTED = settings(EVERY, max_examples=60, stateful_step_count=20, phases=[Phase.generate])
"""For a planted bug: it is to be found, not made small."""


def play(scene: Scene, how: settings) -> None:
    """Plays histories until one breaks the law, which raises. The same ones each time, but for the long profile."""
    number = int(os.environ.get("TIDEGATE_TEST_SEED") or (random.SystemRandom().randrange(2**32) if LONG else 20260501))
    print(f"To play these histories again: TIDEGATE_TEST_SEED={number}")
    machine = type("Histories", (Histories,), {"scene": scene})
    run_state_machine_as_test(seed(number)(machine), settings=how)
