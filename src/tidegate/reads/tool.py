"""Tools: what Tidegate can talk to, and what a person enters to connect one."""

from __future__ import annotations

import json
from collections.abc import Iterable
from functools import cache
from importlib.resources import files
from typing import Annotated, Any, Literal, cast, get_args, get_origin

import msgspec
from msgspec import Meta
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tidegate import catalog


class FieldRow(msgspec.Struct, frozen=True, kw_only=True):
    """One field of a Tool's settings."""

    name: Annotated[str, Meta(description="What to write before the `=` of `--set` or `--secret`.")]
    title: Annotated[str, Meta(description="What it is called for people.")]
    description: Annotated[str, Meta(description="Where to find the value in the tool, and which rights it needs.")]
    secret: Annotated[bool, Meta(description="Given by `--secret` only, stored encrypted, never shown again.")]
    required: Annotated[bool, Meta(description="Must be given.")]
    many: Annotated[bool, Meta(description="Holds several values: `--set` may be said again for each.")]
    default: Annotated[Any, Meta(description="What holds where it is not given.")]
    choices: Annotated[list[Any], Meta(description="The only values there are; empty where any will do.")]
    examples: Annotated[list[Any], Meta(description="How a value looks.")]
    seldom: Annotated[bool, Meta(description="Hardly anybody needs it, so it is not asked for one by one.")] = False


class GradedRow(msgspec.Struct, frozen=True, kw_only=True):
    """One list that a Tool reads, and how its end is proven."""

    name: Annotated[str, Meta(description="The Family, or VEPs for the list of the vendor's products.")]
    kind: Annotated[str, Meta(description="whole, steady, or drifting: what is missing there is looked for twice.")]
    counted: Annotated[bool, Meta(description="The vendor declares how many rows there are.")]


class ToolRow(msgspec.Struct, frozen=True, kw_only=True):
    """One Tool."""

    slug: Annotated[str, Meta(description="What the command line calls it.")]
    name: Annotated[str, Meta(description="What people call it.")]
    a_record_is: Annotated[str, Meta(description="The tool's own word for what one Record stands for.")]
    fields: Annotated[list[FieldRow], Meta(description="What a Connection of it needs.")]
    has_branches: Annotated[bool, Meta(description="It reads branches, so one of them may be gone one day.")] = False
    tier: Annotated[str, Meta(description="How it was tried: live, replayed, by the book; empty for another's.")] = ""
    cases: Annotated[int, Meta(description="Cases of the conformance suite that it passes.")] = 0
    lists: Annotated[list[GradedRow], Meta(description="What it reads, and how the end of each is proven.")] = []
    endpoints: Annotated[list[str], Meta(description="The questions it asks the vendor.")] = []


class ToolList(msgspec.Struct, frozen=True, kw_only=True):
    """Every Tool there is."""

    tools: Annotated[list[ToolRow], Meta(description="The Tools, by name.")]


class ToolAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """One Tool."""

    tool: Annotated[ToolRow, Meta(description="The Tool.")]


def tools(search: str = "") -> list[ToolRow]:
    """Every Tool there is, by name; `search` looks into slug and name, ignoring case."""
    wanted = search.casefold()
    return [_row(kind) for kind in catalog.tools() if wanted in kind.slug.casefold() or wanted in kind.name.casefold()]


def tool(slug: str) -> ToolRow | None:
    """The Tool of this slug."""
    found = catalog.tool(slug)
    return _row(found) if found else None


def fields(kind: catalog.ToolClass) -> list[FieldRow]:
    """The fields of a Tool's settings, in the order in which its author wants them asked."""
    return fields_of(kind.settings_type())


def fields_of(settings: type[BaseModel]) -> list[FieldRow]:
    """The same of any settings."""
    return [_field(name, field) for name, field in settings.model_fields.items()]


@cache
def _row(kind: catalog.ToolClass) -> ToolRow:
    """Made once of each: what a Tool says of itself does not change, and a page that names all asks for all."""
    known = _quality().get(kind.slug, {}) if kind.slug in catalog.BUILT_IN else {}
    return ToolRow(
        slug=kind.slug,
        name=kind.name,
        a_record_is=kind.a_record_is,
        has_branches=kind.has_branches,
        fields=fields(kind),
        **known,
    )


@cache
def _quality() -> dict[str, dict[str, Any]]:
    """What docs/generate.py found out of each built-in Tool by playing it."""
    told = json.loads((files("tidegate.reads") / "quality.json").read_text(encoding="utf-8"))
    return {slug: {**one, "lists": [GradedRow(**each) for each in one["lists"]]} for slug, one in told.items()}


def _field(name: str, field: FieldInfo) -> FieldRow:
    secret = catalog.is_secret(field.annotation)
    required = field.is_required()
    default = None if required or secret else field.get_default(call_default_factory=True)
    return FieldRow(
        name=name,
        title=field.title or name,
        description=field.description or "",
        secret=secret,
        required=required,
        many=_is_many(field.annotation),
        default=_plain(default),
        choices=_choices(field.annotation),
        examples=list(field.examples or ()),
        seldom=isinstance(field.json_schema_extra, dict) and field.json_schema_extra.get("seldom") is True,
    )


def _is_many(annotation: Any) -> bool:
    """Whether it is, or may be, a list or another collection of values."""
    kind = get_origin(annotation) or annotation
    if kind is Literal:
        return False
    if isinstance(kind, type) and issubclass(kind, list | tuple | set | frozenset):
        return True
    return any(_is_many(part) for part in get_args(annotation))


def _choices(annotation: Any) -> list[Any]:
    if get_origin(annotation) is Literal:
        return list(get_args(annotation))
    return [choice for part in get_args(annotation) for choice in _choices(part)]


def _plain(value: Any) -> Any:
    if isinstance(value, tuple | set | frozenset):
        return list(cast("Iterable[Any]", value))
    return value if value is None or isinstance(value, str | int | float | bool | list) else str(value)
