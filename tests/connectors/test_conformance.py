"""Every built-in Tool passes the suite that third parties pass too."""

from importlib import import_module
from pathlib import Path

import pytest

import tidegate.connectors
from tidegate.catalog import BUILT_IN
from tidegate_sdk.conformance import World
from tidegate_sdk.conformance.plugin import Conformance

PACKAGES = sorted({module.rpartition(".")[0] for module in BUILT_IN.values()})


def worlds_of(package: str) -> tuple[World, ...]:
    module = import_module(f"{package}.fixtures.world")
    return module.WORLDS if hasattr(module, "WORLDS") else (module.WORLD,)


WORLDS = [world for package in PACKAGES for world in worlds_of(package)]


@pytest.mark.tidegate(*WORLDS)
def test_the_tool_conforms(conformance: Conformance):
    conformance.check()


def test_each_tool_of_the_catalog_has_a_world_and_each_folder_of_a_connector_is_in_the_catalog():
    """Whoever forgets one of them has tests that pass because they do not run."""
    folders = {file.parent.name for file in Path(tidegate.connectors.__file__).parent.glob("*/connector.py")}

    assert {world.tool.slug for world in WORLDS} == BUILT_IN.keys()
    assert folders == {package.rpartition(".")[2] for package in PACKAGES}
