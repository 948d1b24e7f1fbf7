"""What a user without a checkout gets: built wheels, a fresh environment, an empty home."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

import pytest

from tests.spot import folder_for_a_home

ROOT = Path(__file__).resolve().parents[2]

# Builds, installs some fifty packages, and runs the whole demo.
pytestmark = pytest.mark.timeout(400)


@dataclass(frozen=True)
class Built:
    folder: Path
    constraints: Path
    wheel: Path
    version: str


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    place = tmp_path_factory.mktemp("built wheels")
    folder = place / "dist"
    uv("build", "--quiet", "--all-packages", "--wheel", "--out-dir", folder)
    [wheel] = folder.glob("tidegate-*.whl")
    constraints = place / "constraints.txt"
    # The locked versions: a release somewhere else in the world must not turn this test red.
    locked = ["--frozen", "--no-dev", "--all-extras", "--no-emit-workspace", "--no-hashes"]
    uv("export", "--quiet", *locked, "--output-file", constraints)
    return Built(folder, constraints, wheel, wheel.name.split("-")[1])


@pytest.fixture(scope="module")
def installed(built: Built, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of commands of a fresh environment that holds the wheels and nothing of this checkout."""
    place = tmp_path_factory.mktemp("installed") / "venv"
    uv("venv", "--quiet", "--python", sys.executable, place)
    sources = ["--find-links", built.folder, "--constraints", built.constraints]
    uv("pip", "install", "--quiet", "--python", place / "bin" / "python", *sources, *the_wheels(built))
    return place / "bin"


def test_both_wheels_carry_the_license_and_the_sdk_its_types(built: Built):
    listings = {wheel.name.split("-")[0]: ZipFile(wheel).namelist() for wheel in built.folder.glob("*.whl")}

    assert sorted(listings) == ["tidegate", "tidegate_sdk"]
    assert all(any(name.endswith("licenses/LICENSE") for name in names) for names in listings.values())
    assert "tidegate_sdk/py.typed" in listings["tidegate_sdk"]


def test_the_installed_command_explains_itself(installed: Path, tmp_path: Path):
    run = tidegate(installed, tmp_path, "--help")

    assert run.returncode == 0, run.stderr
    assert "demo" in run.stdout


def test_the_demo_runs_from_the_wheel(installed: Path):
    """Issue 3, Repository: as a user without a checkout would, checked from the built wheel."""
    run = tidegate(installed, folder_for_a_home(), "demo", "--once", "--json")

    assert run.returncode == 0, run.stderr
    end = json.loads(run.stdout)
    assert {"records", "products", "operations"} <= end.keys()
    assert len(end["records"]) >= 4
    assert any(product["findings"]["active"] for product in end["products"])


def test_the_line_of_the_readme_works_without_a_checkout(built: Built, tmp_path: Path):
    readme = (ROOT / "README.md").read_text()
    assert re.search(r"^uvx --from 'tidegate\[demo\]' tidegate demo$", readme, re.MULTILINE)

    sources = ["--find-links", built.folder, "--constraints", built.constraints, "--python", sys.executable]
    named = f"tidegate[demo]=={built.version}"
    run = uv(
        "tool", "run", "--isolated", *sources, "--from", named, "tidegate", "demo", "--help", **empty_home(tmp_path)
    )

    assert "--once" in run.stdout


def test_a_tool_of_another_package_is_begun_built_installed_and_discovered(installed: Path, tmp_path: Path):
    """Issue 8, point 6: what `tidegate-sdk new` begins works in a clean environment, and Tidegate finds it there."""
    package = tmp_path / "tidegate-acme"
    begun = subprocess.run(
        [installed / "tidegate-sdk", "new", "Acme", "--into", package], capture_output=True, text=True, check=False
    )
    assert begun.returncode == 0, begun.stderr
    uv("build", "--quiet", "--wheel", "--out-dir", tmp_path / "dist", package)
    [wheel] = (tmp_path / "dist").glob("tidegate_acme-*.whl")
    python = ["--quiet", "--python", installed / "python"]
    uv("pip", "install", *python, "--no-deps", wheel)
    try:
        listed = tidegate(installed, tmp_path, "tool", "list", "--json")
        shown = tidegate(installed, tmp_path, "tool", "show", "acme")
    finally:
        uv("pip", "uninstall", *python, "tidegate-acme")

    assert "acme" in [tool["slug"] for tool in json.loads(listed.stdout)["tools"]]
    assert "Acme: a Record is an application." in shown.stdout


def the_wheels(built: Built) -> list[str]:
    [sdk] = built.folder.glob("tidegate_sdk-*.whl")
    return [f"tidegate[demo] @ {built.wheel.as_uri()}", f"tidegate-sdk @ {sdk.as_uri()}"]


def tidegate(commands: Path, home: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("TIDEGATE_", "PYTHON"))}
    environment |= {**empty_home(home), "PATH": os.defpath}
    command = [commands / "tidegate", *arguments]
    return subprocess.run(command, cwd=home, env=environment, capture_output=True, text=True, check=False)


def empty_home(place: Path) -> dict[str, str]:
    return {"TIDEGATE_HOME": str(place / "an empty home")}


def uv(*arguments: str | Path, **environment: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "dev", "uv", *arguments]
    run = subprocess.run(command, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    return run
