"""How many histories are played, how long they are, and how they are repeated.

TIDEGATE_TEST_SEED plays others, or one again; TIDEGATE_TEST_HISTORIES=long plays ten thousand long ones, for
TIDEGATE_TEST_MINUTES at most and with TIDEGATE_TEST_STEPS steps each; TIDEGATE_TEST_PLAYED names a file that notes each
round, so that the next run goes on.
"""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, Verbosity, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.ingest.scene import Scene
from tests.property.machine import EVENTS, Histories, one_event_of

LONG = os.environ.get("TIDEGATE_TEST_HISTORIES") == "long"
PARTS = 40 if LONG else 4
"""Tests that share them, so that the workers of pytest can."""
ROUNDS = 25 if LONG else 5
"""Of each part, ten histories each."""
A_ROUND = 10
SECONDS = float(os.environ.get("TIDEGATE_TEST_MINUTES", "0")) * 60 or (0.0 if LONG else 600.0)
"""How long new rounds are begun, by one worker alone: two take half of it. 0 for as long as they take."""
EVERY = settings(
    database=None,
    deadline=None,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much, HealthCheck.data_too_large],
    verbosity=Verbosity.normal,
)
STEPS = int(os.environ.get("TIDEGATE_TEST_STEPS", "0")) or (60 if LONG else 14)
PLAYED = settings(EVERY, max_examples=A_ROUND, stateful_step_count=STEPS)
HUNTED = settings(EVERY, max_examples=A_ROUND, stateful_step_count=25, phases=[Phase.generate])
"""For a planted bug: it is to be found, not made small, and the hunt ends with the first history that shows it."""
LONGEST_HUNT = 40
FIRST_SEED = 20260501


@dataclass(frozen=True)
class Scent:
    """Where a planted bug is hunted: how each history begins, and what happens in it more often than by chance."""

    begins_with: dict[str, Any] = field(default_factory=dict[str, Any])
    events: tuple[Any, ...] = ()

    def followed(self) -> dict[str, Any]:
        """As attributes of the machine."""
        often = self.events * (2 * len(EVENTS) // max(1, len(self.events)))
        return {"begins_with": self.begins_with, "events": one_event_of((*EVENTS, *often))}


def play(
    scene: Scene, how: settings, rounds: int, part: int = 0, seconds: float = 0, scent: Scent | None = None
) -> int:
    """Plays histories until one breaks the law, which raises. The same ones each time. Returns how many were played.

    In many short rounds: after its first ten histories Hypothesis spends five of six on small variations of the one
    before, and sees far less of the world (measured: a bug that 150 histories in one round missed is found in 40).
    """
    first = int(os.environ.get("TIDEGATE_TEST_SEED", FIRST_SEED)) + 1_000 * part
    machine = type("Histories", (Histories,), {"scene": scene, **(scent.followed() if scent else {})})
    began, played = time.monotonic(), 0
    for number in range(first, first + rounds):
        if number in _played_before():
            continue
        if seconds and time.monotonic() - began > seconds:
            break
        print(f"To play these histories again: TIDEGATE_TEST_SEED={number}, in the first part")
        run_state_machine_as_test(seed(number)(machine), settings=how)
        played += A_ROUND
        _note(number)
    print(f"{played} histories were played in {time.monotonic() - began:.0f} s.")
    return played


def seconds_of_a_part() -> float:
    """Its share of the time, where the parts run side by side."""
    return SECONDS * int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1")) / PARTS


def _note(number: int) -> None:
    if LONG and (noted := os.environ.get("TIDEGATE_TEST_PLAYED")):
        with Path(noted).open("a", encoding="utf-8") as file:
            file.write(f"{number}\n")


def _played_before() -> set[int]:
    noted = Path(os.environ.get("TIDEGATE_TEST_PLAYED") or os.devnull)
    return {int(line) for line in noted.read_text(encoding="utf-8").split()} if LONG and noted.exists() else set()
