"""How a fake vendor is wrong on demand: one answer, changed on the wire, in its status, its body or its pages.

What is wrong in the vendor's own world (a right that is lost, a product that is gone) is done to that world instead;
what is wrong before a question arrives (a closed port, a certificate), to its server.
"""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

Manner = Literal["whole", "reset", "break off", "stall", "drip", "say more"]
"""How the bytes go out: all; none and the connection is reset; half and reset; half and then silence; one a second;
all, with a Content-Length larger than that."""


@dataclass(frozen=True, slots=True)
class Shape:
    """Where things stand in the JSON of one answer. Paths are dotted; "" where the answer has no such thing.

    `start` and `page` are the names of the variables that cut the list into pages.
    """

    rows: str = ""
    id: str = "id"
    total: str = ""
    word: str = ""
    text: str = ""
    date: str = ""
    start: str = ""
    page: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out: a status, headers and a body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    body: bytes = b""
    manner: Manner = "whole"

    def having(self, path: str, change: Callable[[Any], Any]) -> "Answer":
        """The same with the value at a dotted path changed; itself where there is none."""
        tree = json.loads(self.body)
        holder, steps = tree, path.split(".")
        for step in steps[:-1]:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if not path or not isinstance(holder, dict) or steps[-1] not in holder:
            return self
        holder[steps[-1]] = change(holder[steps[-1]])
        return replace(self, body=json.dumps(tree).encode())


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
        lost = getattr(shape, named)
        return answer.having(
            shape.rows, lambda rows: [{name: rows[0][name] for name in rows[0] if name != lost}, *rows[1:]]
        )

    return Fault(lambda answer, shape, asked: change(answer, shape, asked) if _has_rows(answer, shape) else answer)


def _with(row: dict[str, Any], name: str, value: Callable[[Any], Any]) -> dict[str, Any]:
    return {**row, name: value(row.get(name))} if name else row


def _has_rows(answer: Answer, shape: Shape) -> bool:
    found: list[Any] = []
    answer.having(shape.rows, lambda rows: found.extend(rows) or rows)
    return bool(found)


def _half(answer: Answer, shape: Shape, asked: Asked) -> Answer:
    """The first half of the first page, and nothing after it; the declared total stays."""
    if asked.get(shape.start):
        return answer.having(shape.rows, lambda rows: [])
    return answer.having(shape.rows, lambda rows: rows[: len(rows) // 2])


def _no_last_page(answer: Answer, shape: Shape, asked: Asked) -> Answer:
    wanted = int(asked.get(shape.page) or 0)
    return answer.having(shape.rows, lambda rows: rows if len(rows) >= wanted else [])


def _capped(answer: Answer, shape: Shape, asked: Asked) -> Answer:
    """The vendor lists no more than one page of anything, whatever its total says."""
    return answer.having(shape.rows, lambda rows: []) if asked.get(shape.start) else answer


def _overlapping(asked: Asked, shape: Shape) -> Asked:
    """A row came while a page was turned: the next page begins with the last row of the one before."""
    start = asked.get(shape.start)
    return {**asked, shape.start: start - 1} if isinstance(start, int) and start > 0 else asked


def _moved_total(answer: Answer, shape: Shape, asked: Asked) -> Answer:
    return answer.having(shape.total, lambda total: total + 1 if asked.get(shape.start) else total)


def _hidden(answer: Answer, shape: Shape, asked: Asked) -> Answer:
    """A row goes while a page is turned: the next page begins one too late. Another came, so the total stays."""
    if not asked.get(shape.start):
        return answer
    return answer.having(shape.rows, lambda rows: rows[1:] + rows[-1:] if rows else rows)


def _with_id(row: dict[str, Any], other: dict[str, Any], shape: Shape) -> dict[str, Any]:
    return {**row, shape.id: other[shape.id]}


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
    "the same page again": Fault(ask=lambda asked, shape: {**asked, shape.start: 0}, lasts="for ever"),
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
