"""The sample Tools pass every case of the suite, and every fault finds something to strike among them."""

from pathlib import Path

import pytest

from tidegate_sdk.conformance import Suite
from tidegate_sdk.conformance.answers import FAULTS
from tidegate_sdk.conformance.plugin import Conformance

from . import cursored, dropped, engined, exported, headed, linked, numbered, pooled, queried, searched

OVER_HTTP = tuple(
    sample.WORLD for sample in (numbered, searched, linked, headed, cursored, queried, exported, pooled, engined)
)


@pytest.mark.tidegate(*OVER_HTTP, dropped.WORLD)
def test_a_good_tool_conforms(conformance: Conformance):
    conformance.check()


async def test_no_fault_passes_because_it_strikes_nowhere(tmp_path: Path):
    clean = [(await Suite(world, tmp_path).player.clean())[1] for world in OVER_HTTP]
    exchanges = [exchange for stage in clean for exchange in stage.exchanges]

    idle = [name for name, fault in FAULTS.items() if all(fault.strike(exchange) is None for exchange in exchanges)]

    assert idle == []
