"""What the API answers: a Struct as JSON, in whole or the fields that were asked for; and pieces of a stream."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin
from uuid import UUID

import msgspec
from asgiref.sync import sync_to_async
from django.db import connections
from django.http import HttpResponse, StreamingHttpResponse
from msgspec import Meta

from tidegate.actions.errors import NotThere
from tidegate.actions.step import BulkDone, StepOutcome
from tidegate.api.problem import FieldError, Trouble, trouble_of_fields
from tidegate.reads.viewer import viewing
from tidegate.rules.access import Access

JSON = "application/json"
ALWAYS = "next"
"""A page keeps its cursor, whichever fields are asked for."""


class ItemAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one thing."""

    id: Annotated[int, Meta(description="Its number.")]
    ok: Annotated[bool, Meta(description="It was done.")]
    sentence: Annotated[str, Meta(description="What was done, or why not.")]


class StepAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a decision, thing by thing."""

    step: Annotated[UUID | None, Meta(description="Undoes it as one; null where nothing was done, or for ever.")]
    items: Annotated[list[ItemAnswer], Meta(description="Thing by thing.")]
    operations: Annotated[list[int], Meta(description="The Operations that carry it out; mostly none.")]


class Done(msgspec.Struct, frozen=True, kw_only=True):
    """The answer where there is nothing else to say."""

    done: Annotated[str, Meta(description="What was done, as a sentence.")]


@dataclass(frozen=True)
class Answered:
    """A Struct with another status than its route's own, with the address of what was made, or with other headers."""

    body: Any
    status: int | None = None
    location: str = ""
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


def step_answer(outcome: StepOutcome) -> Answered:
    """The answer to a decision: 200 where all was done, 207 where some was, 409 where nothing was."""
    items = [ItemAnswer(id=item.id, ok=item.ok, sentence=item.sentence) for item in outcome.items]
    done = sum(item.ok for item in items)
    status = 200 if done == len(items) else 207 if done else 409
    return Answered(StepAnswer(step=outcome.step, items=items, operations=list(outcome.operations)), status)


def bulk_answer(done: BulkDone) -> Answered:
    """The answer to a decision about many: 207 where some were left alone, 409 where none was anything but that."""
    stays = done.number - done.changed - done.refused
    return Answered(done, 200 if not done.refused else 207 if done.changed or stays else 409)


def there(found: Any, what: str, number: object) -> Any:
    """What a read gave. Raises NotThere where it gave nothing: there is none, or none for this person."""
    if found is None:
        raise NotThere(f"There is no {what} {number}.", "Look at the list of what there is.")
    return found


def encoded(body: Any, fields: str | None) -> bytes:
    """The JSON of an answer, or of the fields of it that are named."""
    if not fields:
        return msgspec.json.encode(body)
    return msgspec.json.encode(_only(msgspec.to_builtins(body, builtin_types=(UUID, datetime, date)), tree_of(fields)))


def etag_of(version: str) -> str:
    """A version as a header shows it."""
    return f'"{version}"'


def hashed(*parts: bytes) -> bytes:
    """One SHA-256 over all of them, with their borders."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


# Fields

Tree = dict[str, Any]


def tree_of(fields: str) -> Tree:
    """`a,b.c` as a tree; an empty branch is everything there."""
    tree: Tree = {}
    for path in fields.split(","):
        branch, whole = tree, False
        parts = path.strip().split(".")
        for index, part in enumerate(parts):
            known = part in branch
            whole = known and not branch[part]
            if whole:
                break  # all of it is named already
            branch = branch.setdefault(part, {})
            if index == len(parts) - 1:
                branch.clear()
    return tree


def fields_within(fields: str, name: str) -> list[str]:
    """Of the fields that are wanted those of one row, as `a` and `b.c`; none where all of them are."""
    paths = (path.strip() for path in fields.split(","))
    return [path.removeprefix(f"{name}.") for path in paths if path.startswith(f"{name}.")]


def check_fields(fields: str, struct: Any) -> None:
    """Raises Trouble for a field that the answer does not have."""
    wrong = list(_unknown(tree_of(fields), struct, ""))
    if wrong:
        raise trouble_of_fields(
            [
                FieldError(place="query", pointer="fields", sentence=f"There is no field «{name[:200]}» in the answer.")
                for name in wrong[:20]
            ]
        )


def _unknown(tree: Tree, kind: Any, above: str) -> Iterator[str]:
    structs = list(_structs(kind))
    if not structs:
        if not _is_open(kind):
            yield from (f"{above}{name}" for name in tree)
        return
    for name, branch in tree.items():
        found = [field.type for one in structs for field in msgspec.structs.fields(one) if field.encode_name == name]
        if not found:
            yield f"{above}{name}"
        elif branch:
            yield from _unknown(branch, Union[tuple(found)], f"{above}{name}.")  # noqa: UP007 - made of a list


def _structs(kind: Any) -> Iterator[Any]:
    """The Structs that a field of this type may hold, also in a list."""
    origin = get_origin(kind)
    if origin is Annotated:
        yield from _structs(get_args(kind)[0])
    elif origin in (Union, UnionType, list, tuple):
        for part in get_args(kind):
            yield from _structs(part)
    elif isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind


def _is_open(kind: Any) -> bool:
    """Whether it may hold names that no type says."""
    origin = get_origin(kind)
    if origin is Annotated:
        return _is_open(get_args(kind)[0])
    if origin in (Union, UnionType, list, tuple):
        return any(_is_open(part) for part in get_args(kind) if part is not NoneType)
    return kind is Any or kind is dict or origin is dict


def _only(value: Any, tree: Tree, *, root: bool = True) -> Any:
    if isinstance(value, list):
        return [_only(one, tree, root=False) for one in value]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, dict):
        return value
    kept: dict[Any, Any] = value
    return {
        name: _only(one, tree[name], root=False) if tree.get(name) else one
        for name, one in kept.items()
        if name in tree or (root and name == ALWAYS)
    }


# Streams

PIECE = 64 * 1024


def streamed(pieces: Iterable[bytes], kind: str, name: str, access: Access) -> HttpResponse:
    """Pieces as they come, to be saved under this name. Each is made while a connection to the database is borrowed,
    and sent without one: a slow reader holds up nobody. `pieces` asks in pages, and each page anew."""
    answer = StreamingHttpResponse(_sent(iter(pieces), access), content_type=kind)
    answer["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer  # pyright: ignore[reportReturnType] - both are answers


async def _sent(pieces: Iterator[bytes], access: Access) -> AsyncIterator[bytes]:
    def following() -> bytes:
        gathered = bytearray()
        try:
            with viewing(access):
                for piece in pieces:
                    gathered += piece
                    if len(gathered) >= PIECE:
                        break
        finally:
            connections.close_all()
        return bytes(gathered)

    while piece := await sync_to_async(following)():
        yield piece


def trouble_of_none() -> Trouble:
    """What is said where no route is."""
    return Trouble("not-there", "There is nothing at this address.", "See what there is: /api/v1/docs")
