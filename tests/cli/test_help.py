"""`tidegate --help` answers at once, and every command explains itself in sentences."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer

from tidegate.cli import COMMANDS, SECTIONS, overview
from tidegate.cli.root import app

PROGRAM = Path(sys.executable).with_name("tidegate")
HEAVY = ("django", "httpx2", "tidegate_sdk", "typer", "rich", "pydantic", "msgspec", "psycopg", "structlog")


def every_command() -> Iterator[tuple[str, Any]]:
    root: Any = typer.main.get_command(app)
    for name in COMMANDS:
        command = root.get_command(None, name)
        subcommands = getattr(command, "commands", None) or {"": command}
        if getattr(command, "invoke_without_command", False):
            subcommands = {"": command, **subcommands}
        yield from ((f"{name} {sub}".strip(), found) for sub, found in subcommands.items())


def test_help_answers_within_300_ms():
    def took() -> float:
        """Of the processor: that others have it meanwhile is no fault of ours."""
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([PROGRAM, "--help"], check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(took() for _ in range(5)) < 0.3


def test_the_root_imports_nothing_heavy():
    code = "import sys, tidegate.cli; tidegate.cli.run(['--help']); print(*sys.modules, file=sys.stderr)"

    run = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    loaded = set(run.stderr.split())
    assert not [name for name in loaded if name.split(".")[0] in HEAVY]
    assert {name for name in loaded if name.startswith("tidegate.")} == {"tidegate.cli"}


def test_no_arguments_say_what_there_is():
    run = subprocess.run([PROGRAM], check=True, capture_output=True, text=True)

    assert run.stdout.strip() == overview()


def test_the_overview_fits_an_old_terminal():
    assert max(len(line) for line in overview().splitlines()) <= 80


def test_the_overview_says_what_the_commands_say_of_themselves():
    root: Any = typer.main.get_command(app)

    for name, (_, line) in COMMANDS.items():
        first = " ".join(root.get_command(None, name).help.split("\n\n")[0].split())
        assert first == line, name


@pytest.mark.parametrize(("path", "command"), [*every_command()])
def test_every_command_and_option_is_explained_in_sentences(path: str, command: Any):
    assert command.help.strip().splitlines()[0][0].isupper(), path
    for parameter in command.params:
        text = getattr(parameter, "help", None)
        assert text, f"{path}: {parameter.name} is not explained"
        assert text[0].isupper(), f"{path}: {parameter.name}"
        assert text.endswith((".", "?")), f"{path}: {parameter.name}"


def every_answer() -> Iterator[tuple[str, Any]]:
    """Without those that run until they are stopped: they log, and answer nobody."""
    return ((path, command) for path, command in every_command() if path not in SECTIONS["Run the service"])


@pytest.mark.parametrize(("path", "command"), [*every_answer()])
def test_every_command_answers_json(path: str, command: Any):
    options = [name for parameter in command.params for name in parameter.opts]

    assert "--json" in options, path


def test_an_unknown_command_offers_the_nearest(tidegate: Any):
    ran = tidegate("recrd")

    assert (ran.code, ran.out) == (2, "")
    assert "Did you mean 'record'?" in ran.err


def test_a_group_says_of_each_command_all_that_its_first_sentences_say(tidegate: Any):
    for name in ("connection", "record", "finding", "operation", "product", "tool"):
        said = " ".join(tidegate(name, "--help").out.split())
        assert "..." not in said.replace("[ARGS]...", "")
    assert "everything that happened to it." in " ".join(tidegate("record", "--help").out.split())


def test_a_group_without_a_command_says_what_it_has(tidegate: Any):
    ran = tidegate("record")

    assert ran.code == 2
    assert "undo" in ran.out
