"""Every built-in Tool passes the suite that third parties pass too."""

from importlib import import_module
from pathlib import Path

import pytest

import tidegate.connectors
from tidegate_sdk.conformance import World
from tidegate_sdk.conformance.plugin import Conformance

TOOLS = sorted(file.parent.name for file in Path(tidegate.connectors.__file__).parent.glob("*/connector.py"))


def worlds_of(tool: str) -> tuple[World, ...]:
    module = import_module(f"tidegate.connectors.{tool}.fixtures.world")
    return module.WORLDS if hasattr(module, "WORLDS") else (module.WORLD,)


@pytest.mark.tidegate(*(world for tool in TOOLS for world in worlds_of(tool)))
def test_the_tool_conforms(conformance: Conformance):
    conformance.check()
