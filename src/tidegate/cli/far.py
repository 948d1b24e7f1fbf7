"""Actions and reads of a Tidegate elsewhere: each function is a request, its answer what the function would have given.

How each is asked for stands in routes.json, made from the API's own routes. What is more than one request is said here.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, Final, NoReturn
from urllib.parse import quote

import msgspec
from pydantic import SecretStr

from tidegate.cli.failure import Failure
from tidegate.cli.shape import table, type_of
from tidegate.cli.terminal import note
from tidegate.cli.wire import Answer, Lost, Refusal, Wire

LOOK_SECONDS: Final = 1.0
UNDER_WAY: Final = ("pending", "running")


def far_module(room: str, noun: str) -> FarModule:
    """`tidegate.actions.connection` of the Tidegate that TIDEGATE_URL names."""
    return FarModule(f"{room}.{noun}")


class FarModule:
    """A module of actions or reads: its functions, and the shapes of what they give."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        name = f"{self._name}.{attribute}"
        if name in COMPOSED:
            return COMPOSED[name]
        if attribute[:1].isupper():
            return type_of(f"#{name}", table()["shapes"])
        operation = table()["operations"].get(name)
        if operation is None:
            return _Missing(name)
        return FarFunction(name, operation)


class _Missing:
    """Something that the API has no route for."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_: Any, **__: Any) -> NoReturn:
        raise Failure(
            "That works only where Tidegate runs, and TIDEGATE_URL names another.",
            "Run it on that machine, without TIDEGATE_URL.",
        )


class FarFunction:
    """One action or read."""

    def __init__(self, name: str, operation: Mapping[str, Any]) -> None:
        self._name, self._operation = name, operation

    def __call__(self, *given: Any, **named: Any) -> Any:
        values = self._values(given, named)
        method = self._operation["method"]
        path = self._path(values)
        if "streams" in self._operation and "answer" not in self._operation:
            return _streamed(path, _query(values), self._operation["streams"])
        query, body = (_query(values), None) if method == "GET" else (None, encoded(values))
        try:
            answer = wire().ask(method, path, query, body if values or method != "GET" else None)
        except Refusal as refusal:
            if refusal.status == 404 and self._operation.get("none"):
                return None
            raise
        return self._given(answer)

    def _values(self, given: tuple[Any, ...], named: dict[str, Any]) -> dict[str, Any]:
        takes = self._operation["takes"]
        if self._name.startswith("actions.") and given and _is_actor(given[0]):
            given = given[1:]
        values = dict(zip(takes, given, strict=False)) | {
            name: value for name, value in named.items() if name != "actor"
        }
        known = {*self._operation["in_path"], *self._operation["sends"]}
        unsaid = [name for name, value in values.items() if name not in known and value not in (None, False, "")]
        if unsaid:
            raise Failure(
                f"A Tidegate elsewhere cannot be told {', '.join(unsaid)}.", "Leave that out, or do it where it runs."
            )
        return {name: value for name, value in values.items() if name in known}

    def _path(self, values: dict[str, Any]) -> str:
        path: str = self._operation["path"]
        for name in self._operation["in_path"]:
            path = path.replace("{" + name + "}", quote(str(values.pop(name)), safe=""))
        return path

    def _given(self, answer: Answer) -> Any:
        where = self._operation["gives"]
        if where == "nothing" or (where == "location" and not answer.location):
            return None
        if where == "location":
            number = answer.location.rstrip("/").rpartition("/")[2]
            if not number.isascii() or not number.isdigit():
                raise _not_understood()
            return int(number)
        found = decoded(answer.content, self._operation["answer"])
        return found if where == "answer" else getattr(found, where)


def _is_actor(value: Any) -> bool:
    return type(value).__name__ == "Actor"


def _query(values: Mapping[str, Any]) -> dict[str, Any]:
    told = msgspec.to_builtins({name: value for name, value in values.items() if value is not None})
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in told.items()}


def encoded(values: Any) -> bytes:
    """The body of a request; secrets are revealed on the way into it."""
    return msgspec.json.encode(values, enc_hook=_on_the_wire)


def _on_the_wire(value: Any) -> Any:
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    raise TypeError(f"There is no JSON for {type(value).__name__}.")


def decoded(content: bytes, said: Any) -> Any:
    """An answer as what it is."""
    try:
        return msgspec.json.decode(content, type=type_of(said, table()["shapes"]))
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise _not_understood() from None


def _not_understood() -> Failure:
    one = wire()
    return Failure(f"{one.shown} answered something that this command does not understand.", one.other_version())


def _streamed(path: str, query: dict[str, Any], kinds: list[str]) -> Iterator[str]:
    accept = "text/csv" if "text/csv" in kinds else kinds[0]
    with wire().stream("GET", path, query, accept) as lines:
        yield from lines


def wire() -> Wire:
    """The way to the Tidegate that TIDEGATE_URL names; the same for all that one command asks."""
    import os

    from tidegate.config import PREFIX

    return _wire(tuple(sorted((name, value) for name, value in os.environ.items() if name.startswith(PREFIX))))


@cache
def _wire(_settings: tuple[tuple[str, str], ...]) -> Wire:
    from tidegate.config import load_remote_settings

    return Wire(load_remote_settings())


# What is more than one request


def see_through(operation_id: int, progress: Callable[..., None] = lambda *_: None) -> None:
    """Waits until the Operation has ended: workers run it there. Where there is none, that is said, and not waited."""
    follow, service = _function("reads.progress.progress"), _function("reads.service.service")
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
        time.sleep(LOOK_SECONDS)


def _watch(operation_id: int) -> str:
    return f"tidegate operation watch {operation_id}"


def _function(name: str) -> Any:
    room, noun, function = name.split(".")
    return getattr(FarModule(f"{room}.{noun}"), function)


COMPOSED: Final[dict[str, Callable[..., Any]]] = {
    "actions.operation.see_through": see_through,
}
