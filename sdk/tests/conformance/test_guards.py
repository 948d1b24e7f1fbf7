"""Take one guard of the SDK away, and a case of the suite goes red."""

from pathlib import Path

import pytest

from tidegate_sdk.conformance import Suite

from . import cursored, dropped, engined, exported, headed, linked, numbered, pooled, queried, searched
from .guards import GUARDS, Guard, removed

SAMPLES = [
    sample.WORLD
    for sample in (numbered, searched, linked, headed, cursored, queried, exported, dropped, pooled, engined)
]
OF_THEIR_OWN = [guard for guard in GUARDS if not any(guard.world is world for world in SAMPLES)]
"""The others are green in test_samples.py."""


@pytest.mark.parametrize("guard", GUARDS, ids=str)
async def test_without_a_guard_the_suite_is_red(guard: Guard, tmp_path: Path):
    suite = Suite(guard.world, tmp_path / "world")
    await suite.player.golden()

    with removed(guard):
        problems = await suite.problems(guard.case)

    assert problems


@pytest.mark.parametrize("guard", OF_THEIR_OWN, ids=str)
async def test_with_the_guard_it_is_green(guard: Guard, tmp_path: Path):
    suite = Suite(guard.world, tmp_path / "world")

    problems = await suite.problems(guard.case)

    assert not problems
