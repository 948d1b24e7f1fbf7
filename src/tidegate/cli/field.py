"""The fields of a Tool as a person gives them: `--set name=value`, `--secret name=env:VARIABLE`, or at a prompt."""

from __future__ import annotations

import os
import sys
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Protocol

import typer
from pydantic import SecretStr

from tidegate.cli.failure import usage

if TYPE_CHECKING:
    from tidegate.reads.tool import FieldRow

LARGEST_SECRET = 64 * 1024

Set = Annotated[
    list[str] | None,
    typer.Option(
        "--set", metavar="NAME=VALUE", help="A field of the tool. `tool show TOOL` lists them. Say it again for more."
    ),
]
Secret = Annotated[
    list[str] | None,
    typer.Option(
        "--secret",
        metavar="NAME=SOURCE",
        help="A secret field, from where it stays secret: env:VARIABLE, file:PATH, or - for standard input.",
    ),
]


class Fielded(Protocol):
    """What has fields to be given: a Tool, a kind of Destination."""

    @property
    def name(self) -> str: ...

    @property
    def fields(self) -> list[FieldRow]: ...


@dataclass
class Given:
    """What was given of a Tool's fields."""

    settings: dict[str, Any] = field(default_factory=dict)
    secrets: dict[str, SecretStr] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.settings or name in self.secrets


def given(
    tool: Fielded, sets: Sequence[str] | None, secrets: Sequence[str] | None, stored: Collection[str] = ()
) -> Given:
    """What the options say; refuses unknown fields, and secrets where others could read them.

    `stored` are the settings there are: one that the tool no longer knows, or that should never have been among them,
    can be taken away with `NAME=`, or nothing could mend that Connection.
    """
    fields = {one.name: one for one in tool.fields}
    answer = Given()
    for text in sets or ():
        name, value = _parts(tool, text, fields, "--set", stored)
        if value == "" and name in stored:
            answer.settings[name] = None
            continue
        if fields[name].secret:
            raise usage(
                f"{name} is a secret, and what stands in a command can be read by others on this machine.",
                f"Give it with --secret {name}=env:VARIABLE, --secret {name}=file:PATH or --secret {name}=-",
            )
        if fields[name].many:
            answer.settings[name] = [*answer.settings.get(name, ()), value]
        else:
            _once(name, answer, "--set")
            answer.settings[name] = value
    for text in secrets or ():
        name, source = _parts(tool, text, fields, "--secret")
        if not fields[name].secret:
            raise usage(f"{name} is no secret of {tool.name}.", f"Give it with --set {name}=…")
        _once(name, answer, "--secret")
        answer.secrets[name] = secret_from(name, source, f"--secret {name}=")
    return answer


def asked_for(tool: Fielded, answer: Given) -> Given:
    """The same with what is missing asked for one by one, where something needed is missing and somebody is there.

    What hardly anybody needs is left to options: `tool show TOOL` lists it.
    """
    missing = [one for one in tool.fields if one.name not in answer]
    needed = [one for one in missing if one.required]
    if not needed:
        return answer
    if not sys.stdin.isatty():
        ways = " ".join(f"--secret {one.name}=env:VARIABLE" if one.secret else f"--set {one.name}=…" for one in needed)
        raise usage(f"{tool.name} needs {_listing([one.name for one in needed])}.", f"Add: {ways}")
    for one in missing:
        if not one.seldom:
            _ask(one, answer)
    return answer


def _once(name: str, answer: Given, option: str) -> None:
    if name in answer:
        raise usage(f"{name} was given twice, and has one value.", f"Say {option} {name}=… once.")


def _parts(
    tool: Fielded, text: str, fields: dict[str, FieldRow], option: str, stored: Collection[str] = ()
) -> tuple[str, str]:
    name, equals, value = text.partition("=")
    if not equals:
        raise usage(
            f"{option} needs a name and a value.",
            f"Write it as {option} NAME={'VALUE' if option == '--set' else 'SOURCE'}",
        )
    if name not in fields and (value or name not in stored):
        raise usage(f"{tool.name} has no field «{name}».", f"Its fields are {_listing(list(fields))}.")
    return name, value


def secret_from(name: str, source: str, option: str) -> SecretStr:
    """The secret from where a person says it is; `option` is how they would say it: "--secret token="."""
    kind, colon, place = source.partition(":")
    if source == "-":
        return _checked(name, sys.stdin.read(LARGEST_SECRET + 1), "standard input")
    if kind in ("env", "file") and not place:
        raise usage(
            f"{source} does not say where the secret for {name} is.",
            f"Write {option}env:VARIABLE or {option}file:PATH",
        )
    if colon and kind == "env":
        if place not in os.environ:
            raise usage(f"The environment variable {place} for {name} is not set.", "Set it, then try again.")
        return _checked(name, os.environ[place], f"the environment variable {place}")
    if colon and kind == "file":
        return _checked(name, _file(name, place), place)
    raise usage(
        f"{name} is a secret, and what stands in a command can be read by others on this machine.",
        f"Give it as {option}env:VARIABLE, {option}file:PATH or {option}-",
    )


def _file(name: str, place: str) -> str:
    try:
        with Path(place).expanduser().open(encoding="utf-8") as file:
            return file.read(LARGEST_SECRET + 1)
    except OSError as error:
        raise usage(
            f"The file {place} for {name} cannot be read: {error.strerror}.", "Check path and rights."
        ) from None
    except ValueError:
        raise usage(f"The file {place} for {name} is not text.", "Give a file that holds the secret alone.") from None
    except RuntimeError as error:  # pathlib, where there is no such user
        raise usage(f"The file {place} for {name} cannot be found: {error}", "Write out its whole path.") from None


def _checked(name: str, value: str, source: str) -> SecretStr:
    value = value.strip("\r\n")
    if not value:
        raise usage(f"There is nothing for {name} in {source}.", "Put the secret there, then try again.")
    if len(value) > LARGEST_SECRET:
        raise usage(f"What {source} holds for {name} is too long for a secret.", "Give the secret alone.")
    return SecretStr(value)


def _ask(one: FieldRow, answer: Given) -> None:
    typer.echo(f"\n{one.title}. {one.description}", err=True)
    if one.secret:
        value = typer.prompt(
            one.title, hide_input=True, default=None if one.required else "", show_default=False, err=True
        )
        if value:
            answer.secrets[one.name] = SecretStr(value)
        return
    default = "" if one.default is None else one.default
    value = typer.prompt(one.title, default=None if one.required else default, show_default=default != "", err=True)
    if value not in ("", one.default):
        answer.settings[one.name] = [value] if one.many else value


def _listing(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
