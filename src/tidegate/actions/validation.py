"""What is wrong with a configuration file, as far as it can be told without a database."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta
from pydantic import SecretStr, ValidationError

from tidegate import catalog
from tidegate.delivery.defectdojo.settings import DefectDojoSettings
from tidegate.rules.configuration import (
    Configuration,
    ConfigurationRefused,
    Connection,
    Destination,
    Problem,
)
from tidegate.rules.configuration_file import read

DEFECTDOJO: Final = "DefectDojo"
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
    """What the text says, its Tools, its Destinations and their settings looked at too. Raises ConfigurationRefused."""
    wanted = read(document)
    problems = [problem for one in wanted.of(Connection) for problem in _of_tool(one)]
    problems += [problem for one in wanted.of(Destination) for problem in _of_destination(one)]
    if problems:
        raise ConfigurationRefused(problems)
    return wanted


def _of_tool(one: Connection) -> list[Problem]:
    try:
        kind = catalog.known_tool(one.tool)
    except catalog.UnknownTool as unknown:
        return [Problem(one.line, f"{one.path}.tool", str(unknown), "Choose one of these, or install it.")]
    return _of_settings(
        one,
        kind.name,
        catalog.secret_names(kind),
        lambda settings, secrets: catalog.built(kind, settings, secrets),
        f"See what it needs: tidegate tool show {kind.slug}",
    )


def _of_destination(one: Destination) -> list[Problem]:
    fields = DefectDojoSettings.model_fields
    secret = {name for name, field in fields.items() if catalog.is_secret(field.annotation)}

    def built(settings: Mapping[str, Any], secrets: Mapping[str, SecretStr]) -> None:
        try:
            DefectDojoSettings.model_validate({**settings, **secrets})
        except ValidationError as error:
            problems = catalog.problems_of(DEFECTDOJO, fields, error)
            raise catalog.SettingsRefused(DEFECTDOJO, problems) from None  # pydantic's own text repeats what it read

    return _of_settings(one, DEFECTDOJO, secret, built, "See what it needs: docs/guide/defectdojo.md")


def _of_settings(
    one: Connection | Destination,
    name: str,
    secret: set[str],
    built: Callable[[Mapping[str, Any], Mapping[str, SecretStr]], object],
    see: str,
) -> list[Problem]:
    """What is wrong with the settings and secrets of a thing, whose kind is called `name` and `built` of both."""
    if misplaced := sorted(secret & (one.settings or {}).keys()):
        where = f"{one.path}.settings.{misplaced[0]}"
        return [Problem(one.line, where, f"{name}'s {misplaced[0]} is a secret.", "Say where it is, in secrets.")]
    if unknown := sorted((one.secrets or {}).keys() - secret):
        where = f"{one.path}.secrets.{unknown[0]}"
        there = ", ".join(sorted(secret)) or "none"
        return [Problem(one.line, where, f"{name} has no such secret; it has: {there}.", see)]
    if one.settings is None:
        return []
    given: dict[str, Any] = {field: value for field, value in one.settings.items() if value is not None}
    try:
        built(given, dict.fromkeys(one.secrets or {}, STAND_IN))
    except catalog.SettingsRefused as refused:
        # What hangs on a secret, and what is only not said here, is told when the file is applied.
        told = {field: why for field, why in refused.problems.items() if field in one.settings}
        return [Problem(one.line, f"{one.path}.settings.{field}", why, see) for field, why in told.items()]
    return []
