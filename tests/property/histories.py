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
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    verbosity=Verbosity.normal,
)
PLAYED = settings(EVERY, max_examples=10, stateful_step_count=60 if LONG else 25)
HUNTED = settings(EVERY, max_examples=10, stateful_step_count=25, phases=[Phase.generate])
"""For a planted bug: it is to be found, not made small, and the hunt ends with the first history that shows it."""
ROUNDS = 200 if LONG else 8
LONGEST_HUNT = 40


def play(scene: Scene, how: settings, rounds: int) -> None:
    """Plays histories until one breaks the law, which raises. The same ones each time, but for the long profile.

    In many short rounds: after its first ten histories Hypothesis spends five of six on small variations of the one
    before, and sees far less of the world (measured: a bug that 150 histories in one round missed is found in 40).
    """
    number = int(os.environ.get("TIDEGATE_TEST_SEED") or (random.SystemRandom().randrange(2**32) if LONG else 20260501))
    machine = type("Histories", (Histories,), {"scene": scene})
    for turn in range(rounds):
        print(f"To play these histories again: TIDEGATE_TEST_SEED={number + turn}")
        run_state_machine_as_test(seed(number + turn)(machine), settings=how)
