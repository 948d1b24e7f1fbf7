"""What is told of a Tool in the catalog is what its World shows: Families, the proof of each list, what is asked."""

from pathlib import Path

from tidegate_sdk.conformance import Suite, World
from tidegate_sdk.conformance.quality import Graded, quality_of

from . import cursored, dropped, exported, headed, numbered, pooled, queried, searched


def graded(world: World, tmp_path: Path) -> dict[str, tuple[str, bool]]:
    return {each.name: (each.kind, each.counted) for each in quality_of(world, tmp_path / "world").lists}


def test_each_list_is_told_with_its_weakest_proof(tmp_path: Path):
    """Issue 8, point 7: proof grade, counted or walked, steady or drifting."""
    assert graded(numbered.WORLD, tmp_path) == {"VEPs": ("drifting", True), "issues": ("drifting", True)}
    assert graded(cursored.WORLD, tmp_path) == {"VEPs": ("steady", True), "findings": ("steady", False)}
    assert graded(exported.WORLD, tmp_path)["vulnerabilities"] == ("steady", False)
    assert graded(dropped.WORLD, tmp_path) == {"VEPs": ("whole", False), "report": ("whole", False)}
    assert {*graded(pooled.WORLD, tmp_path)} == {"VEPs", "vulnerabilities", "issues"}
    assert graded(searched.WORLD, tmp_path)["VEPs"] == ("drifting", True)


def test_questions_are_told_without_what_differs_from_vep_to_vep(tmp_path: Path):
    started, queries = (quality_of(world, tmp_path / "world").endpoints for world in (exported.WORLD, queried.WORLD))

    assert started == (
        "GET /session",
        "GET /networks",
        "POST /…/vulns/export",
        "GET /…/vulns/export/u-n1/status",
        "GET /…/vulns/export/u-n1/chunks/…",
        "GET /…/vulns/export/u-n2/status",
        "GET /…/vulns/export/u-n2/chunks/…",
    )
    assert all(one.startswith("POST /graphql ") for one in queries)


def test_the_cases_are_those_of_the_suite_and_a_folder_asks_nothing(tmp_path: Path):
    quality = quality_of(dropped.WORLD, tmp_path / "world")

    assert quality.cases == len(Suite(dropped.WORLD, tmp_path).cases)
    assert quality.endpoints == ()
    assert quality.lists[0] == Graded("VEPs", "whole", counted=False)
    assert quality_of(headed.WORLD, tmp_path / "world").cases > 90
