"""From the folder to the Product: what the next reports in it do to the findings that are there."""

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.connectors.report_folder.reading import result, sarif
from tests.connectors.report_folder.test_folder import put
from tests.ingest.scene import ALICE, Scene
from tidegate_sdk import NO_PRODUCT

NOON = datetime(2026, 5, 1, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def folder(database: object, tmp_path: Path) -> Path:
    root = tmp_path / "reports"
    root.mkdir()
    return root


def connected(root: Path) -> Scene:
    """A Connection to the folder, its Records mapped by themselves."""
    from tidegate.actions.connection import add_connection

    number = add_connection(ALICE, "report_folder", "Reports", {"path": str(root)}, {}, auto_map=True, discover=False)
    scene = Scene(None, number)  # pyright: ignore[reportArgumentType] - there is no world but the folder
    scene.discover()
    return scene


def rules(scene: Scene, key: str = "shop") -> set[str]:
    """The rules of the findings that are open."""
    return {finding.fields["rule"] for finding in scene.findings(key).values() if finding.open}


def report(*names: str, **run: Any) -> bytes:
    return sarif(*[result(name) for name in names], **run)


def test_what_the_newest_report_no_longer_holds_is_closed(folder: Path):
    put(folder / "shop/a.sarif", report("A", "B"), NOON)
    scene = connected(folder)
    scene.sync()
    put(folder / "shop/b.sarif", report("B", "C"), NOON + HOUR)

    assert scene.sync().status == "success"
    assert rules(scene) == {"B", "C"}


def test_a_newest_report_without_a_result_closes_all(folder: Path):
    """records.md: empty needs a witness; the folder is still listed."""
    put(folder / "shop/a.sarif", report("A"), NOON)
    put(folder / "a.sarif", report("A"), NOON)
    scene = connected(folder)
    scene.sync()
    put(folder / "shop/a.sarif", report(), NOON + HOUR)
    put(folder / "a.sarif", report(), NOON + HOUR)

    scene.sync()

    assert rules(scene) == rules(scene, NO_PRODUCT) == set()


def test_an_older_report_never_takes_the_place_of_the_one_last_applied(folder: Path):
    """tools.md: never older than the last one applied."""
    put(folder / "shop/old.sarif", report("OLD"), NOON)
    put(folder / "shop/new.sarif", report("NEW"), NOON + HOUR)
    scene = connected(folder)
    scene.sync()
    (folder / "shop/new.sarif").unlink()

    scene.sync()

    assert rules(scene) == {"NEW"}


@pytest.mark.parametrize(
    "data",
    [report("B")[:-60], b"", b"hello", report("B", invocations=[{"executionSuccessful": False}])],
    ids=["cut", "empty", "no report", "a run that failed"],
)
def test_a_report_that_is_no_proof_closes_nothing(folder: Path, data: bytes):
    """records.md: a sync that did not prove that it saw everything closes nothing."""
    put(folder / "shop/a.sarif", report("A"), NOON)
    scene = connected(folder)
    scene.sync()
    put(folder / "shop/a.sarif", data, NOON + HOUR)

    scene.sync()

    assert "A" in rules(scene)


def test_a_producer_that_writes_no_longer_leaves_its_findings_and_the_others_flow(folder: Path):
    """records.md: a Family that the Tool no longer yields is *skipped*: its findings stay as they are, the others are
    applied."""
    put(folder / "shop/a.sarif", report("A"), NOON)
    put(folder / "shop/b.sarif", report("B", tool="Other"), NOON)
    scene = connected(folder)
    scene.sync()
    (folder / "shop/b.sarif").unlink()
    put(folder / "shop/a.sarif", report("C"), NOON + HOUR)

    scene.sync()

    assert rules(scene) == {"B", "C"}


def test_the_home_of_what_has_no_product_is_never_missing(folder: Path):
    """tools.md: a Record (no product) for findings that belong to none, made when one is seen, never Missing."""
    put(folder / "shop/a.sarif", report("A"), NOON)
    put(folder / "a.sarif", report("A"), NOON)
    scene = connected(folder)
    scene.sync()
    (folder / "a.sarif").unlink()

    assert scene.discover().status == "success"
    assert scene.record(NO_PRODUCT).absent_since is None
    scene.sync()
    assert rules(scene, NO_PRODUCT) == {"A"}
