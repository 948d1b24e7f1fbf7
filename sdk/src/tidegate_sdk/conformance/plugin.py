"""The suite as a pytest plugin: one test for each case of each World.

@pytest.mark.tidegate(WORLD)
def test_it_conforms(conformance):
    conformance.check()
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # pytest loads every plugin in every run: the suite itself is met only where it is used
    from .suite import Suite
    from .world import World

SHOWN = 20
SUITES = pytest.StashKey["dict[int, Suite]"]()
"""One for each World, so that its clean run is played once and not for each case."""


@dataclass(frozen=True, slots=True)
class Conformance:
    """One case of one World."""

    suite: Suite
    case: str

    def check(self) -> None:
        """Fails with what is wrong."""
        with asyncio.Runner(loop_factory=AtOnce) as runner:
            problems = runner.run(self.suite.problems(self.case))
        if problems:
            more = f"\n… and {len(problems) - SHOWN} more" if len(problems) > SHOWN else ""
            told = "\n".join(problems[:SHOWN])
            pytest.fail(f"{self.suite.world}, {self.case}:\n{told}{more}", pytrace=False)


class AtOnce(asyncio.SelectorEventLoop):
    """Does what is meant for a thread at once: most of a run over small files would be spent in changing threads."""

    def run_in_executor(self, executor: object, func: Callable[..., Any], *args: Any) -> asyncio.Future[Any]:  # pyright: ignore[reportIncompatibleMethodOverride] - its type variables cannot be written
        """The result of the call, which is over when this returns."""
        done = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001 - as a thread of the pool: whoever waits for it is told
            done.set_exception(error)
        return done


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
def conformance(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Conformance:
    """The case of this test; call `check()`."""
    from .suite import Suite

    world, case = request.param
    suites = request.config.stash.setdefault(SUITES, {})
    if id(world) not in suites:
        suites[id(world)] = Suite(world, tmp_path_factory.mktemp("world") / "world")
    return Conformance(suites[id(world)], case)
