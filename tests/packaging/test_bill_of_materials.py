"""What a release says it stands on: `./dev build` writes it from the lock."""

from __future__ import annotations

import json
import re
from importlib.machinery import SourceFileLoader
from importlib.util import module_from_spec, spec_from_loader
from pathlib import Path
from typing import Any

import pytest

from tests.docs.test_licences import locked, shipped
from tests.packaging.test_wheel import uv

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Written by uv as `./dev build` asks it."""
    loader = SourceFileLoader("dev", str(ROOT / "dev"))
    spec = spec_from_loader("dev", loader)
    assert spec
    dev = module_from_spec(spec)
    loader.exec_module(dev)
    place = tmp_path_factory.mktemp("built") / "tidegate.cdx.json"
    uv(*dev.bill_of_materials(place))
    return json.loads(place.read_text())


def test_every_package_of_a_release_stands_there_with_its_version_and_hashes(written: dict[str, Any]):
    """Issue 6, 10: the SBOM of the release is complete, by the lock."""
    components = {one["name"]: one for one in written["components"]}
    packages = {name: package for name, package in locked().items() if name in shipped() and "tidegate" not in name}

    assert (written["bomFormat"], written["specVersion"]) == ("CycloneDX", "1.5")
    assert packages.keys() <= components.keys()
    for name, package in packages.items():
        assert components[name]["version"] == package["version"]
        assert components[name]["purl"] == f"pkg:pypi/{name}@{package['version']}"


def test_nothing_of_development_stands_there(written: dict[str, Any]):
    assert not {"pytest", "hypothesis", "basedpyright"} & {one["name"] for one in written["components"]}


def test_it_names_no_folder_of_the_machine_it_was_written_on(written: dict[str, Any]):
    assert not re.search(rf"{re.escape(str(ROOT))}|file://", json.dumps(written))
