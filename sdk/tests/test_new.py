"""What `tidegate-sdk new` writes: a Tool that conforms from the first minute, and a test that tells what is left."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate_sdk.new import Refused, main, named, write_into_tree

ROOT = Path(__file__).parents[2]


def test_a_new_package_conforms_and_says_what_is_left_to_do(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """Issue 8, point 6: pytest there runs the whole suite."""
    package = tmp_path / "acme"

    assert main(["new", "Acme Scanner", "--into", str(package)]) == 0
    assert f"Now: pytest {package}" in capsys.readouterr().out

    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-p", "no:django"]
    settings = {name: value for name, value in os.environ.items() if name != "PYTEST_ADDOPTS"}
    ran = subprocess.run(command, cwd=package, env=settings, capture_output=True, text=True, check=False)
    passed = re.search(r"^1 failed, (\d+) passed", ran.stdout, re.MULTILINE)
    assert passed, ran.stdout
    assert int(passed[1]) > 90
    assert "connector.py:36: # NEXT: how the vendor cuts its lists into pages" in ran.stdout


def test_a_package_is_not_written_over_another(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    (tmp_path / "mine.txt").write_text("mine")

    assert main(["new", "Acme", "--into", str(tmp_path)]) == 2
    assert "is not empty" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize("name", ["", "7 of 9", "…", "x" * 41])
def test_what_makes_no_name_is_refused(name: str):
    with pytest.raises(Refused, match="gives no name"):
        named(name)


@pytest.mark.parametrize(
    ("name", "slug", "kind", "spoken"),
    [
        ("Acme", "acme", "Acme", "Acme"),
        ("acme", "acme", "Acme", "Acme"),
        ("Acme Scanner", "acme_scanner", "AcmeScanner", "Acme Scanner"),
        ("SonarQube", "sonarqube", "SonarQube", "SonarQube"),
        ("checkmarx-one", "checkmarx_one", "CheckmarxOne", "checkmarx-one"),
    ],
)
def test_names_are_made_of_what_people_call_it(name: str, slug: str, kind: str, spoken: str):
    words = named(name)

    assert (words["__slug__"], words["__Class__"], words["__Name__"]) == (slug, kind, spoken)


def test_a_tool_of_the_repository_has_everything_a_tool_has_there(tmp_path: Path):
    """Issue 8, point 6: `./dev tool NAME` scaffolds connector, fixtures, tests, guide and the line of the catalog."""
    catalog = tmp_path / "src/tidegate/catalog.py"
    catalog.parent.mkdir(parents=True)
    catalog.write_text((ROOT / "src/tidegate/catalog.py").read_text())

    written = write_into_tree(named("Middle Earth", in_tree=True), tmp_path)

    assert {str(path.relative_to(tmp_path)) for path in written} == {
        "src/tidegate/connectors/middle_earth/__init__.py",
        "src/tidegate/connectors/middle_earth/connector.py",
        "src/tidegate/connectors/middle_earth/NOTES.md",
        "src/tidegate/connectors/middle_earth/fixtures/__init__.py",
        "src/tidegate/connectors/middle_earth/fixtures/world.py",
        "src/tidegate/connectors/middle_earth/fixtures/vendor.json",
        "tests/connectors/middle_earth/test_middle_earth.py",
        "docs/guide/middle_earth.md",
        "src/tidegate/catalog.py",
    }
    assert '"middle_earth": "tidegate.connectors.middle_earth.connector:MiddleEarth",' in catalog.read_text()
    for path in (path for path in written if path.suffix == ".py"):
        compile(path.read_text(), str(path), "exec")
        assert "__" not in re.sub(r"__(?:init|file|future)__", "", path.read_text()) or path == catalog
    with pytest.raises(Refused, match="is there already"):
        write_into_tree(named("Middle Earth", in_tree=True), tmp_path)


def test_a_folder_that_is_not_the_repository_is_refused(tmp_path: Path):
    (tmp_path / "src/tidegate").mkdir(parents=True)
    (tmp_path / "src/tidegate/catalog.py").write_text("")

    with pytest.raises(Refused, match="has no BUILT_IN"):
        write_into_tree(named("Acme", in_tree=True), tmp_path)

    assert not (tmp_path / "src/tidegate/connectors").exists()
