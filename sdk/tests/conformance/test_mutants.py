"""The suite catches each of the bad Tools."""

from pathlib import Path

import pytest

from tidegate_sdk.conformance import Suite

from .mutants import MUTANTS, Mutant


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
async def test_a_bad_tool_is_caught(mutant: Mutant, tmp_path: Path):
    suite = Suite(mutant.world, tmp_path / "world")

    problems = await suite.problems(mutant.case)

    assert problems
