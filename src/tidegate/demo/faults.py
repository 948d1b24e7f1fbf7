"""How a fake vendor is wrong on demand: one answer, changed on the wire, in its status, its body or its pages.

What is wrong in the vendor's own world (a right that is lost, a product that is gone) is done to that world instead;
what is wrong before a question arrives (a closed port, a certificate), to its server.
"""

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from tidegate.demo.wire import Answer, Manner


@dataclass(frozen=True, slots=True)
class Shape:
    """Where things stand in one answer: dotted paths in its JSON, BODY where that is a list itself, HEADER and a name;
    "" where the answer has no such thing. `id`, `word`, `text` and `date` are fields of a row.

    `start` and `page` are the names of the variables that cut the list into pages, `first` what `start` holds for the
    first one: 0 for positions, 1 for most numbers, None where it is left out, as a cursor is.
    """

    rows: str = ""
    id: str = "id"
    total: str = ""
    word: str = ""
    text: str = ""
    date: str = ""
    start: str = ""
    page: str = ""
    first: Any = 0

    def begins(self, asked: Mapping[str, Any]) -> bool:
        """Whether it is the first page that is asked for."""
        start = asked.get(self.start)
        return start is None or start == "" or str(start) == str(self.first)


Asked = Mapping[str, Any]
Change = Callable[[Answer, Shape, Asked], Answer]


@dataclass(frozen=True, slots=True)
class Fault:
    """One way of being wrong: what is done to the answer, and before that to the variables of the question.

    `lasts`: for one answer; for one walk through one list, from its first page to its last; or until it is calmed.
    """

    change: Change = lambda answer, shape, asked: answer
    ask: Callable[[Asked, Shape], Asked] = lambda asked, shape: asked
    lasts: Literal["answer", "walk", "for ever"] = "answer"


def _sent(manner: Manner) -> Fault:
    return Fault(lambda answer, shape, asked: replace(answer, manner=manner))


def _status(status: int, body: bytes = b'{"error": "no"}', **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(lambda answer, shape, asked: Answer(status, {"Content-Type": "application/json", **named}, body))


def _body(change: Callable[[bytes], bytes], **headers: str) -> Fault:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Fault(
        lambda answer, shape, asked: replace(answer, body=change(answer.body), headers={**answer.headers, **named})
    )


def _rows(change: Callable[[list[Any]], list[Any]], lasts: Literal["answer", "walk", "for ever"] = "answer") -> Fault:
    return Fault(lambda answer, shape, asked: answer.having(shape.rows, change), lasts=lasts)


def _field(named: str, value: Callable[[Any], Any]) -> Fault:
    """One field of the first row, by its name in the Shape."""

    def change(answer: Answer, shape: Shape, asked: Asked) -> Answer:
        return answer.having(shape.rows, lambda rows: [_with(rows[0], getattr(shape, named), value), *rows[1:]])

    return Fault(lambda answer, shape, asked: change(answer, shape, asked) if _has_rows(answer, shape) else answer)


def _lacking(named: str) -> Fault:
    """The first row without one of its fields."""

    def change(answer: Answer, shape: Shape, asked: Asked) -> Answer:
        return answer.having(shape.rows, lambda rows: [_without(rows[0], getattr(shape, named)), *rows[1:]])

    return Fault(lambda answer, shape, asked: change(answer, shape, asked) if _has_rows(answer, shape) else answer)


def _with(row: dict[str, Any], path: str, value: Callable[[Any], Any]) -> dict[str, Any]:
    """The row with the value at a dotted path changed."""
    name, _, inner = path.partition(".")
    if not name:
        return row
    return {**row, name: _with(row.get(name) or {}, inner, value) if inner else value(row.get(name))}


def _without(row: dict[str, Any], path: str) -> dict[str, Any]:
    """The row without what stands at a dotted path."""
    name, _, inner = path.partition(".")
    if inner and isinstance(row.get(name), dict):
        return {**row, name: _without(row[name], inner)}
    return {told: row[told] for told in row if told != name}


def _has_rows(answer: Answer, shape: Shape) -> bool:
    found: list[Any] = []
    answer.having(shape.rows, lambda rows: found.extend(rows) or rows)
    return bool(found)


def _half(answer: Answer, shape: Shape, asked: Asked) -> Answer:
    """The first half of the first page, and nothing after it; the declared total stays."""
    if not shape.begins(asked):
        return answer.having(shape.rows, lambda rows: [])
    return answer.having(shape.rows, lambda rows: rows[: len(rows) // 2])


def _no_last_page(answer: Answer, shape: Shape, asked: Asked) -> Answer:
    wanted = int(asked.get(shape.page) or 0)
    return answer.having(shape.rows, lambda rows: rows if len(rows) >= wanted else [])


def _capped(answer: Answer, shape: Shape, asked: Asked) -> Answer:
    """The vendor lists no more than one page of anything, whatever its total says."""
    return answer if shape.begins(asked) else answer.having(shape.rows, lambda rows: [])


def _overlapping(asked: Asked, shape: Shape) -> Asked:
    """A row came while a page was turned: the next page begins with the last row of the one before. By positions only,
    since no number and no cursor leads there."""
    if shape.first != 0 or shape.begins(asked):
        return asked
    start = asked[shape.start]
    return {**asked, shape.start: type(start)(int(start) - 1)}


def _from_the_start(asked: Asked, shape: Shape) -> Asked:
    if shape.first is None:
        return {name: told for name, told in asked.items() if name != shape.start}
    return {**asked, shape.start: shape.first}


def _moved_total(answer: Answer, shape: Shape, asked: Asked) -> Answer:
    return answer if shape.begins(asked) else answer.having(shape.total, lambda total: total + 1)


def _hidden(answer: Answer, shape: Shape, asked: Asked) -> Answer:
    """A row goes while a page is turned: the next page begins one too late. Another came, so the total stays."""
    if shape.begins(asked):
        return answer
    return answer.having(shape.rows, lambda rows: rows[1:] + rows[-1:] if rows else rows)


def _with_id(row: dict[str, Any], other: dict[str, Any], shape: Shape) -> dict[str, Any]:
    named = other
    for name in shape.id.split("."):
        named = named[name]
    return _with(row, shape.id, lambda before: named)


def _same_id(answer: Answer, shape: Shape, asked: Asked) -> Answer:
    return answer.having(
        shape.rows, lambda rows: [rows[0], _with_id(rows[1], rows[0], shape), *rows[2:]] if len(rows) > 1 else rows
    )


_LOGIN = b"<!doctype html><html><body><form>Sign in</form></body></html>"
_BOMB = gzip.compress(b" " * 64_000_000)

TRANSPORT: Mapping[str, Fault] = {
    "reset": _sent("reset"),
    "reset in the body": _sent("break off"),
    "silence in the body": _sent("stall"),
    "one byte a second": _sent("drip"),
    "length larger than the body": _sent("say more"),
    "gzip bomb": _body(lambda body: _BOMB, Content_Encoding="gzip"),
    "redirect loop": _status(302, b"", Location=""),
    "redirect to another host": _status(302, b"", Location="https://elsewhere.invalid/graphql/v1"),
    "redirect from https to http": _status(302, b"", Location="http://{host}/graphql/v1"),
}
STATUS: Mapping[str, Fault] = {
    **{str(status): _status(status) for status in (400, 401, 403, 404, 409, 410, 422, 500, 502, 503, 504)},
    "429 with seconds": _status(429, Retry_After="1"),
    "429 with a date": _status(429, Retry_After="Mon, 03 Nov 2025 08:00:00 GMT"),
    "429 without": _status(429),
    "429 with nonsense": _status(429, Retry_After="soon"),
    "429 with an absurd time": _status(429, Retry_After="999999999999"),
    "login page": _status(200, _LOGIN, Content_Type="text/html"),
    "error object": _status(200, b'{"data": null, "errors": [{"message": "Internal error"}]}'),
    "no content": _status(204, b""),
    "empty body": _status(200, b""),
}
BODY: Mapping[str, Fault] = {
    "not JSON": _body(lambda body: b"scan -> issues"),
    "cut JSON": _body(lambda body: body[: len(body) // 2]),
    "invalid UTF-8": _body(lambda body: body.replace(b'"', b'"\xff', 2)),
    "byte-order mark": _body(lambda body: b"\xef\xbb\xbf" + body),
    "null": _body(lambda body: b"null"),
    "NUL in a text": _field("text", lambda value: f"{value}\x00"),
    "lone surrogate in a text": _field("text", lambda value: f"{value}\ud800"),
    "markup in a text": _field("text", lambda value: f"<script>alert(1)</script>{value}"),
    "1 MB text": _field("text", lambda value: "x" * 1_000_000),
    "text is a number": _field("text", lambda value: 7),
    "text is null": _field("text", lambda value: None),
    "text is missing": _lacking("text"),
    "id is missing": _field("id", lambda value: None),
    "id is a number": _field("id", lambda value: 7),
    "id twice in a page": Fault(_same_id),
    "unknown word": _field("word", lambda value: "apocalyptic"),
    "word is null": _field("word", lambda value: None),
    "word is missing": _lacking("word"),
    "odd date": _field("date", lambda value: "yesterday"),
    "date without zone": _field("date", lambda value: "2025-11-03T08:00:00"),
    "date in the future": _field("date", lambda value: "2199-01-01T00:00:00Z"),
    "row is null": _rows(lambda rows: [None, *rows[1:]]),
    "rows are null": Fault(lambda answer, shape, asked: answer.having(shape.rows, lambda rows: None)),
    "nested 10,000 deep": Fault(lambda answer, shape, asked: replace(answer, body=b"[" * 10_000 + b"]" * 10_000)),
}
PAGING: Mapping[str, Fault] = {
    "half a page": Fault(_half, lasts="walk"),
    "the same page again": Fault(ask=_from_the_start, lasts="for ever"),
    "a row too few": _rows(lambda rows: rows[:-1]),
    "a total that changes": Fault(_moved_total, lasts="walk"),
    "a row hidden between pages": Fault(_hidden, lasts="walk"),
    "last page missing": Fault(_no_last_page, lasts="walk"),
    "a row twice on two pages": Fault(ask=_overlapping, lasts="walk"),
    "the vendor's cap": Fault(_capped, lasts="walk"),
    "a smaller page than asked for": Fault(ask=lambda asked, shape: {**asked, shape.page: 7}, lasts="for ever"),
    "no rows": _rows(lambda rows: [], lasts="walk"),
}
FAULTS: Mapping[str, Fault] = {**TRANSPORT, **STATUS, **BODY, **PAGING}
RECOVERED = frozenset(
    {
        *("reset", "reset in the body", "length larger than the body", "500", "502", "503", "504", "429 with seconds"),
        *("429 with a date", "429 without", "429 with nonsense", "byte-order mark", "a smaller page than asked for"),
    }
)
"""Faults that, striking once, a reader must get over: it comes to the same findings, complete."""
