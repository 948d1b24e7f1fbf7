"""The guide can be followed to the letter: its commands are run here, in their order."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from tidegate.demo.fake_burp import FakeBurp

GUIDE = Path(__file__).resolve().parents[2] / "docs" / "guide" / "first-steps.md"


def test_every_command_of_the_first_steps_works_in_its_order(tidegate: Any, burp: FakeBurp):
    blocks = re.findall(r"^```\n(.*?)^```", GUIDE.read_text(), re.MULTILINE | re.DOTALL)
    commands = [shlex.split(line) for block in blocks for line in block.splitlines()]

    assert len(commands) > 12
    for program, *arguments in commands:
        ran = tidegate(*(argument.replace("https://burp.example.org:8443", burp.url) for argument in arguments))
        assert (program, ran.code) == ("tidegate", 0), f"{arguments}: {ran.out}{ran.err}"
