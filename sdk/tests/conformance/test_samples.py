"""The five sample Tools pass every case of the suite."""

import pytest

from tidegate_sdk.conformance.plugin import Conformance

from . import dropped, exported, linked, numbered, queried


@pytest.mark.tidegate(numbered.WORLD, linked.WORLD, exported.WORLD, queried.WORLD, dropped.WORLD)
def test_a_good_tool_conforms(conformance: Conformance):
    conformance.check()
