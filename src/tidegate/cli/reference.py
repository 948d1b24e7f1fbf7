"""Secrets that a configuration file refers to, looked up on the machine where the command runs, when they are used.

A command is run without a shell, with a limit of time and of what it may say; what it says is repeated nowhere.
"""

from __future__ import annotations

import os
import signal
import subprocess
import threading
from collections.abc import Iterable
from contextlib import suppress
from typing import TYPE_CHECKING

from pydantic import SecretStr

from tidegate.cli.failure import Failure, usage
from tidegate.cli.field import LARGEST_SECRET, secret_from

if TYPE_CHECKING:
    from tidegate.rules.configuration import Reference

SECONDS_FOR_A_COMMAND = 15.0


def looked_up(references: Iterable[Reference]) -> dict[str, SecretStr]:
    """The secret of each reference, by its path. Raises Failure, which names the reference and never the secret."""
    found: dict[str, SecretStr] = {}
    for one in references:
        name = f"{one.path} (line {one.line})"
        if one.source == "command":
            found[one.path] = SecretStr(_said_by(list(one.place), name))
        else:
            found[one.path] = secret_from(name, f"{one.source}:{one.place[0]}", "")
    return found


def _said_by(words: list[str], name: str) -> str:
    program = words[0][:80]
    try:
        started = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,  # so that what it starts ends with it
        )
    except OSError as error:
        raise Failure(f"The command {program} for {name} cannot be run: {error.strerror}.", "Run it by hand.") from None
    late = threading.Event()

    def end() -> None:
        late.set()
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(started.pid, signal.SIGKILL)

    timer = threading.Timer(SECONDS_FOR_A_COMMAND, end)
    timer.start()
    try:
        with started:
            answer = b"" if started.stdout is None else started.stdout.read(LARGEST_SECRET + 1)
            too_long = len(answer) > LARGEST_SECRET
            if too_long:
                end()
            code = started.wait()
    finally:
        timer.cancel()
    if too_long:
        raise usage(f"What the command {program} says for {name} is too long.", "Have it print the secret alone.")
    if late.is_set():
        raise Failure(
            f"The command {program} for {name} did not end within {SECONDS_FOR_A_COMMAND:g} seconds.", "Run it by hand."
        )
    if code != 0:
        raise Failure(f"The command {program} for {name} ended with code {code}.", "Run it by hand.")
    text = answer.decode("utf-8", "replace").strip("\r\n")
    if not text:
        raise Failure(f"The command {program} for {name} said nothing.", "It has to print the secret.")
    return text
