"""What is wrong with a configuration file, as far as it can be told without a database."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec import Meta
from pydantic import SecretStr

from tidegate import catalog
from tidegate.rules.configuration import Configuration, ConfigurationRefused, Connection, Problem, read

STAND_IN = SecretStr("a secret that is looked up when the file is applied")


class ProblemRow(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is wrong with a file."""

    line: Annotated[int, Meta(description="The line of the file.")]
    path: Annotated[str, Meta(description="Where that is, as in `connections[2].schedules.sync.cron`.")]
    sentence: Annotated[str, Meta(description="What is wrong.")]
    next_step: Annotated[str, Meta(description="What to do.")]


class Validated(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `validate`."""

    ok: Annotated[bool, Meta(description="Nothing is wrong.")]
    things: Annotated[int, Meta(description="How many things the file names.")]
    problems: Annotated[list[ProblemRow], Meta(description="What is wrong, by line.")]


def validate(document: str) -> Validated:
    """What is wrong with the text of a file; nothing is looked up, neither secrets nor what is stored."""
    try:
        wanted = checked(document)
    except ConfigurationRefused as refused:
        rows = [
            ProblemRow(line=one.line, path=one.path, sentence=one.sentence, next_step=one.next_step)
            for one in refused.problems
        ]
        return Validated(ok=False, things=0, problems=rows)
    return Validated(ok=True, things=len(wanted.things), problems=[])


def checked(document: str) -> Configuration:
    """What the text says, its Tools and their settings looked at too. Raises ConfigurationRefused."""
    wanted = read(document)
    problems = [problem for one in wanted.of(Connection) for problem in _of_tool(one)]
    if problems:
        raise ConfigurationRefused(problems)
    return wanted


def _of_tool(one: Connection) -> list[Problem]:
    try:
        kind = catalog.known_tool(one.tool)
    except catalog.UnknownTool as unknown:
        return [Problem(one.line, f"{one.path}.tool", str(unknown), "Choose one of these, or install it.")]
    secret = catalog.secret_names(kind)
    see = f"See what it needs: tidegate tool show {kind.slug}"
    if misplaced := sorted(secret & (one.settings or {}).keys()):
        where = f"{one.path}.settings.{misplaced[0]}"
        return [Problem(one.line, where, f"{kind.name}'s {misplaced[0]} is a secret.", "Say where it is, in secrets.")]
    if unknown_one := sorted((one.secrets or {}).keys() - secret):
        where = f"{one.path}.secrets.{unknown_one[0]}"
        there = ", ".join(sorted(secret)) or "none"
        return [Problem(one.line, where, f"{kind.name} has no such secret; it has: {there}.", see)]
    if one.settings is None:
        return []
    given: dict[str, Any] = {name: value for name, value in one.settings.items() if value is not None}
    try:
        catalog.built(kind, given, dict.fromkeys(one.secrets or {}, STAND_IN))
    except catalog.SettingsRefused as refused:
        # What hangs on a secret, and what is only not said here, is told when the file is applied.
        told = {name: why for name, why in refused.problems.items() if name in one.settings}
        return [Problem(one.line, f"{one.path}.settings.{name}", why, see) for name, why in told.items()]
    return []
