"""The suite as a pytest plugin: one test for each case of each World.

@pytest.mark.tidegate(WORLD)
def test_it_conforms(conformance):
    conformance.check()
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # pytest loads every plugin in every run: the suite itself is met only where it is used
    from .suite import Suite
    from .world import World

SHOWN = 20


@dataclass(frozen=True, slots=True)
class Conformance:
    """One case of one World."""

    suite: Suite
    case: str

    def check(self) -> None:
        """Fails with what is wrong."""
        problems = asyncio.run(self.suite.problems(self.case))
        if problems:
            more = f"\n… and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
            told = "\n".join(problems[:SHOWN])
            pytest.fail(f"{self.suite.world}, {self.case}:\n{told}{more}", pytrace=False)


def pytest_configure(config: pytest.Config) -> None:
    """Makes the mark known."""
    config.addinivalue_line("markers", "tidegate(*worlds): runs the conformance suite in these Worlds")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """One test for each case of each World that the mark names."""
    if "conformance" not in metafunc.fixturenames:
        return
    from .suite import Suite

    worlds: list[World] = [world for mark in metafunc.definition.iter_markers("tidegate") for world in mark.args]
    if not worlds:
        raise pytest.UsageError("Say in which Worlds: @pytest.mark.tidegate(WORLD).")
    cases = [(world, case) for world in worlds for case in Suite(world, Path()).cases]
    metafunc.parametrize("conformance", cases, indirect=True, ids=[f"{world}: {case}" for world, case in cases])


@pytest.fixture
def conformance(request: pytest.FixtureRequest, tmp_path: Path) -> Conformance:
    """The case of this test; call `check()`."""
    from .suite import Suite

    world, case = request.param
    return Conformance(Suite(world, tmp_path / "world"), case)
