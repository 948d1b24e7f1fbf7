"""What the command line says when something did not work: what happened, to which thing, what to do next."""

from __future__ import annotations

import os
import sys

import typer
from typer.core import _click

DONE = 0
FAILED = 1
USAGE = 2
PARTIAL = 3
DIFFERENCE = 4
INTERRUPTED = 130

UsageError = _click.exceptions.UsageError
NoArgsIsHelp = _click.exceptions.NoArgsIsHelpError
ROOMS = ("tidegate.", "tidegate_sdk.")


class Failure(Exception):
    """A command cannot do what it was asked. `code` is 1 where it failed, 2 where it was asked wrongly."""

    def __init__(self, what: str, next_step: str, code: int = FAILED) -> None:
        super().__init__(what)
        self.what = what
        self.next_step = next_step
        self.code = code


def usage(what: str, next_step: str) -> Failure:
    """The command was asked wrongly."""
    return Failure(what, next_step, USAGE)


def exit_code_of(answer: object) -> int:
    """Commands answer with their exit code, or with nothing where there is only one way to end well."""
    return answer if isinstance(answer, int) else DONE


def say_failure(error: BaseException, *, as_json: bool) -> int:
    """Says on stderr what went wrong, and returns the exit code. Tracebacks only with TIDEGATE_DEBUG=1."""
    if isinstance(error, NoArgsIsHelp) and error.ctx:
        print(error.ctx.get_help())
        return USAGE
    if os.environ.get("TIDEGATE_DEBUG") == "1":
        _say_traceback(error)
    failure = failure_of(error)
    if as_json:
        _say_json(failure)
    else:
        _say(failure)
    return failure.code


def failure_of(error: BaseException) -> Failure:
    """Any error as a failure. Those that are ours carry a next step; the others are either the asker's or a bug."""
    if isinstance(error, Failure):
        return error
    if isinstance(error, KeyboardInterrupt):
        return Failure("Stopped.", "What was applied stays; run the command again to go on.", INTERRUPTED)
    if isinstance(error, typer.Abort):
        asked = "Nothing was answered, so nothing was done.", "Run the command again when you are ready."
        return Failure(*asked, INTERRUPTED if isinstance(error.__context__, KeyboardInterrupt) else FAILED)
    if isinstance(error, UsageError):
        return _asked_wrongly(error)
    if type(error).__module__.startswith(ROOMS):
        return _ours(error)
    if isinstance(error, OSError) and error.strerror:
        where = f"{error.filename}: " if error.filename else ""
        return Failure(
            f"This machine did not do what it was asked: {where}{error.strerror}.", "Mend that, then try again."
        )
    return _database_failure(error) or _bug(error)


def _asked_wrongly(error: UsageError) -> Failure:
    command = error.ctx.command_path if error.ctx else "tidegate"
    said = error.format_message().replace("Value error, ", "")  # pydantic's word for: what follows is the reason
    return usage(_sentence(said), f"See how it is meant: {command} --help")


def _ours(error: BaseException) -> Failure:
    """Errors of ours say what happened and the next step; some in one text, where the last sentence is the step."""
    said = (getattr(error, name, None) for name in ("what", "cause", "sentence"))
    what, next_step = next(filter(None, said), ""), getattr(error, "next_step", "")
    if getattr(error, "problems", None):
        what, next_step = str(error), "Correct that and try again. What a field means: tidegate tool show TOOL"
    elif not what or not next_step:
        what, _, next_step = str(error).rpartition(". ")
        what, next_step = (what, next_step) if what else (next_step, "See: tidegate --help")
    code = USAGE if type(error).__name__ == "ConfigurationError" else FAILED
    return Failure(_sentence(what), _sentence(next_step), code)


def _database_failure(error: BaseException) -> Failure | None:
    """What Django and psycopg raise when the database goes away; asked only after the fact, so that both stay lazy."""
    if "django.db" not in sys.modules:
        return None
    from django.db import DatabaseError, InterfaceError

    if not isinstance(error, DatabaseError | InterfaceError):
        return None
    first = str(error).strip().splitlines()[:1] or [type(error).__name__]
    return Failure(f"The database did not do what it was asked: {first[0]}.", "Look at it with: tidegate doctor")


def _bug(error: BaseException) -> Failure:
    return Failure(
        f"Tidegate met something it was not made for: {type(error).__name__}.",
        "Nothing half done was kept. Run the command again with TIDEGATE_DEBUG=1 to see where, and report that.",
    )


def _sentence(text: str) -> str:
    text = text.strip()
    text = text[:1].upper() + text[1:]
    closed = text.endswith((".", "!", "?", ":", "…")) or not text or _ends_in_a_command(text)
    return text if closed else f"{text}."


def _ends_in_a_command(text: str) -> bool:
    """A full stop behind a command would be copied with it."""
    return ": " in text and text.rpartition(": ")[2].startswith(("tidegate ", "chmod ", "chown ", "pip ", "python3 "))


def _say(failure: Failure) -> None:
    from tidegate.cli.terminal import clean

    print(clean(failure.what), file=sys.stderr)
    if failure.next_step:
        print(f"Next: {clean(failure.next_step)}", file=sys.stderr)


def _say_json(failure: Failure) -> None:
    from tidegate.cli.answer import Error, Failed
    from tidegate.cli.terminal import json_text

    print(json_text(Error(error=Failed(what=failure.what, next_step=failure.next_step))), file=sys.stderr)


def _say_traceback(error: BaseException) -> None:
    import traceback

    from tidegate.log import redacted

    print(redacted("".join(traceback.format_exception(error))), file=sys.stderr)
