"""Actions and reads of a Tidegate elsewhere: each function is a request, its answer what the function would have given.

How each is asked for stands in routes.json, made from the API's own routes. What is more than one request, or asked
otherwise than its route says, is written here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from types import SimpleNamespace
from typing import Any, Final
from urllib.parse import quote

import msgspec
from typer._click.globals import get_current_context

from tidegate.cli.failure import Failure
from tidegate.cli.house import only_here
from tidegate.cli.shape import decoded, shape, table
from tidegate.cli.terminal import note
from tidegate.cli.wire import Answer, Lost, Refusal, Wire
from tidegate_sdk import Severity

LOOKS: Final = (0.1, 0.2, 0.4, 1.0)
"""Seconds between two looks at an Operation; the last again and again."""
UNDER_WAY: Final = ("pending", "running")


class FarModule:
    """A module of actions or reads: its functions, and the shapes of what they give."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        name = f"{self._name}.{attribute}"
        if name in COMPOSED:
            return COMPOSED[name]
        if name in table()["shapes"]:
            return shape(name)
        return FarFunction(name)


class FarFunction:
    """One action or read."""

    def __init__(self, name: str) -> None:
        operation = table()["operations"].get(name)
        if operation is None:
            raise only_here()
        self._operation: Mapping[str, Any] = operation

    def __call__(self, *given: Any, **named: Any) -> Any:
        values = self._values(dict(zip(self._operation["takes"], given, strict=False)) | named)
        path, method = self._path(values), self._operation["method"]
        if self._operation["gives"] in STREAMED:
            return STREAMED[self._operation["gives"]](wire().stream(path, _query(values)))
        query, body = (_query(values), None) if method == "GET" else (None, values)
        try:
            return self._given(wire().ask(method, path, query, body))
        except Refusal as refusal:
            if refusal.status == 404 and self._operation["none"]:
                return None
            raise

    def _values(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """What is told: what is not said stays as it is, or becomes what it is by itself."""
        told = {name: value for name, value in given.items() if name != "actor" and value is not None}
        if unknown := sorted(told.keys() - {*self._operation["in_path"], *self._operation["sends"]}):
            raise Failure(
                f"A Tidegate elsewhere cannot be told {', '.join(unknown)}.", "Leave that out, or do it where it runs."
            )
        if isinstance(rank := told.get("minimum_severity"), int):
            told["minimum_severity"] = next(word.value for word in Severity if word.rank == rank)
        return told

    def _path(self, values: dict[str, Any]) -> str:
        path: str = self._operation["path"]
        for name in self._operation["in_path"]:
            path = path.replace("{" + name + "}", quote(str(values.pop(name)), safe=""))
        return path

    def _given(self, answer: Answer) -> Any:
        where = self._operation["gives"]
        if where == "nothing":
            return None
        if where == "location":
            number = answer.location.rpartition("/")[2]
            if not number.isascii() or not number.isdigit():
                raise wire().not_understood("it does not say what was made.")
            return int(number)
        try:
            found = decoded(answer.content, self._operation["answer"])
        except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
            raise wire().not_understood("its answer is not what was expected.") from None
        return found if where == "answer" else getattr(found, where)


def _query(values: Mapping[str, Any]) -> dict[str, Any]:
    told = msgspec.to_builtins(values)
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in told.items()}


def _lines(pieces: Iterable[bytes]) -> Iterator[str]:
    """Line by line, each with its end."""
    left = b""
    for piece in pieces:
        *whole, left = (left + piece).split(b"\n")
        yield from (f"{line.decode()}\n" for line in whole)
    if left:
        yield left.decode()


STREAMED: Final[Mapping[str, Callable[[Iterable[bytes]], Iterator[Any]]]] = {"lines": _lines, "pieces": iter}


def wire() -> Wire:
    """The way to the Tidegate that TIDEGATE_URL names; the same for all that one command asks, and closed with it."""
    command = _command()
    if "wire" not in command.meta:
        from tidegate.config import load_remote_settings

        command.meta["wire"] = command.with_resource(Wire(load_remote_settings()))
    return command.meta["wire"]


def _command() -> Any:
    return get_current_context().find_root()


# What is more than one request, or asked otherwise than its route says


def see_through(operation_id: int, progress: Callable[..., None] = lambda *_: None) -> None:
    """Waits until the Operation has ended: workers run it there. Where there is none, that is said, and not waited."""
    follow, service = FarFunction("reads.progress.progress"), FarFunction("reads.service.service")
    looks = list(LOOKS)
    while True:
        try:
            row = follow(operation_id)
        except Lost as lost:
            raise Failure(lost.what, f"Operation {operation_id} goes on there: {_watch(operation_id)}") from None
        if row is None or row.status not in UNDER_WAY:
            return
        if row.status == "pending" and not service().workers:
            note(f"Operation {operation_id} waits: no worker lives there. Where Tidegate runs: tidegate up")
            note(f"Then watch it: {_watch(operation_id)}")
            return
        progress(row.phase, row.done, row.total, row.beside)
        time.sleep(looks.pop(0) if len(looks) > 1 else looks[0])


def _watch(operation_id: int) -> str:
    return f"tidegate operation watch {operation_id}"


def draft_connection(*given: Any, **named: Any) -> int:
    """The number of the draft. Its route asks for the preview as well, which is remembered until it is asked for."""
    asked = FarFunction("actions.connection.draft_connection")(*given, **named).operation
    _command().meta["previewed"] = {asked.connection_id: asked.id}
    return asked.connection_id


def request_discover_preview(actor: object, connection_id: int) -> int:
    """The number of the Operation."""
    known = _command().meta.get("previewed", {}).pop(connection_id, None)
    return known or FarFunction("actions.operation.request_discover_preview")(actor, connection_id)


def request_sync_of_product(*given: Any) -> list[int]:
    """The numbers of the Operations."""
    return [one.operation.id for one in FarFunction("actions.operation.request_sync_of_product")(*given).operations]


def label_is_taken(label: str) -> bool:
    """Whether a Connection that is there has the label."""
    return any(row.label == label for row in FarFunction("reads.connection.named")(label))


def is_draft(text: str) -> bool:
    """Whether this can only be the number of a draft; that there is one is seen when it is asked."""
    return text.isascii() and text.isdigit() and not FarFunction("reads.connection.named")(text)


def add_webhook(*given: Any, **named: Any) -> SimpleNamespace:
    """The number of the route, and its secret, shown once."""
    made = FarFunction("actions.route.add_webhook")(*given, **named)
    return SimpleNamespace(route_id=made.route.id, signing_secret=made.signing_secret)


def new_rule(**entered: Any) -> dict[str, Any]:
    """The rule as it was entered: it is looked at where it is tried or saved."""
    return entered


def import_mappings(actor: object, file: Iterable[str], *, preview: bool = False) -> Any:
    """The file goes as one text."""
    try:
        text = "".join(file)
    except UnicodeDecodeError:
        raise Failure("The file is not UTF-8.", "Nothing was changed. Save it as CSV in UTF-8.") from None
    return FarFunction("actions.mapping.import_mappings")(actor, text, preview=preview)


def mappings(connection_id: int | None = None) -> Iterator[Any]:
    """Each Record with what is decided of it."""
    rows = FarFunction("reads.mapping.mappings_csv")(connection_id, format="ndjson")
    return (decoded(line.encode(), "#reads.mapping.MappingRow") for line in rows)


COMPOSED: Final[Mapping[str, Callable[..., Any]]] = {
    f"{room}.{function.__name__}": function
    for room, function in (
        ("actions.operation", see_through),
        ("actions.connection", draft_connection),
        ("actions.operation", request_discover_preview),
        ("actions.operation", request_sync_of_product),
        ("actions.connection", label_is_taken),
        ("reads.connection", is_draft),
        ("actions.route", add_webhook),
        ("actions.rule", new_rule),
        ("actions.mapping", import_mappings),
        ("reads.mapping", mappings),
    )
}
