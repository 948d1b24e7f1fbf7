"""What goes wrong with a vendor's answers: status, transport, body and paging, each as a Fault."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from functools import cache
from typing import Any, Literal

import httpx2

from .body import at, put
from .stage import spellings
from .world import Answer, Exchange, Fault, Strike

ELSEWHERE = "evil.test"
LOGIN_PAGE = b"<!doctype html><html><title>Sign in</title><form action='/login'>Password</form></html>"

Change = Callable[[Exchange, tuple[Any, ...]], list[Any] | None]
"""Other rows for the rows of an answer; None where there is nothing to change."""


def _status(code: int, lasts: Literal["once", "same", "ever"] = "same", recovers: bool = False, **more: str) -> Fault:
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    return Fault(lambda exchange: Answer({"message": "no"}, status=code, headers=headers), lasts, recovers)


def _raises(error: Exception, lasts: Literal["once", "same", "ever"], recovers: bool) -> Fault:
    return Fault(lambda exchange: error, lasts, recovers)


def _bytes(change: Callable[[bytes], bytes | None]) -> Fault:
    def strike(exchange: Exchange) -> Answer | None:
        content = change(exchange.answer.wire)
        return None if content is None else replace(exchange.answer, content=content)

    return Fault(strike)


def _rows(change: Change, **more: Any) -> Fault:
    def strike(exchange: Exchange) -> Answer | None:
        rows = exchange.rows
        changed = change(exchange, rows) if rows else None
        return None if changed is None else exchange.with_rows(changed)

    return Fault(strike, **more)


def _cut(part: float) -> Callable[[bytes], bytes | None]:
    return lambda content: content[: int(len(content) * part)] if len(content) > 2 else None


def _amid(poison: bytes) -> Callable[[bytes], bytes | None]:
    """Puts bytes into the first text of a JSON body that is a value."""

    def change(content: bytes) -> bytes | None:
        found = re.search(rb':\s*"[^"\\]', content)
        return None if found is None else content[: found.end()] + poison + content[found.end() :]

    return change


def _graphql_error(exchange: Exchange, *, data: bool = True) -> Answer | None:
    """What a GraphQL server says when a resolver failed: status 200, part of the data, and errors."""
    if at(exchange.request.json, "query") is None:
        return None
    body = {"data": exchange.value("data") if data else None, "errors": [{"message": "resolver failed"}]}
    rows = exchange.rows
    if data and rows and exchange.list is not None:
        body = put(body, exchange.list.items, [*rows[:-1]])
    return Answer(json.loads(json.dumps(body)))


STATUS: Mapping[str, Fault] = {
    **{str(code): _status(code) for code in (400, 401, 403, 404, 409, 410, 422)},
    "401 from here on": _status(401, "ever"),
    "403 from here on": _status(403, "ever"),
    "404 from here on": _status(404, "ever"),
    "429 with seconds": _status(429, "once", True, retry_after="2"),
    "429 with a date": _status(429, "once", True, retry_after=formatdate(usegmt=True)),
    "429 without a time": _status(429, "once", True),
    "429 with an odd time": _status(429, "once", True, retry_after="soon"),
    "429 with an absurd time": _status(429, "once", retry_after="999999999999"),
    "429 for ever": _status(429, "ever", retry_after="1"),
    **{f"{code} once": _status(code, "once", True) for code in (500, 502, 503, 504)},
    "500 for ever": _status(500, "ever"),
    "503 for this question": _status(503),
    "200 with a login page": Fault(lambda e: Answer(content=LOGIN_PAGE, headers={"content-type": "text/html"})),
    "200 with an error object": Fault(lambda e: Answer({"error": "backend", "errors": [{"message": "backend"}]})),
    "200 with errors beside the data": Fault(_graphql_error),
    "200 with errors and no data": Fault(lambda e: _graphql_error(e, data=False)),
    "204": Fault(lambda e: Answer(content=b"", status=204)),
    "200 with an empty body": Fault(lambda e: Answer(content=b"")),
    "redirect to another host": _status(302, location=f"https://{ELSEWHERE}/api"),
    "redirect for ever": Fault(lambda e: Answer(status=302, headers={"location": e.request.url})),
    "redirect to http": Fault(
        lambda e: Answer(status=307, headers={"location": e.request.url.replace("https:", "http:")})
    ),
}

TRANSPORT: Mapping[str, Fault] = {
    "refused once": _raises(httpx2.ConnectError("refused"), "once", True),
    "refused for ever": _raises(httpx2.ConnectError("refused"), "ever", False),
    "time-out once": _raises(httpx2.ReadTimeout("slow"), "once", True),
    "time-out for ever": _raises(httpx2.ReadTimeout("slow"), "ever", False),
    "reset once": _raises(httpx2.ReadError("reset"), "once", True),
    "reset in the body once": Fault(
        lambda e: replace(e.answer, content=e.answer.wire[:20], breaks=httpx2.ReadError("reset")), "once", True
    ),
    "body shorter than announced": Fault(
        lambda e: replace(e.answer, breaks=httpx2.RemoteProtocolError("peer closed connection")), "once"
    ),
    "reset in the body for ever": Fault(
        lambda e: replace(e.answer, content=e.answer.wire[:20], breaks=httpx2.ReadError("reset")), "ever"
    ),
    "gzip bomb": Fault(lambda e: Answer(content=_bomb(), headers={"content-encoding": "gzip"})),
    "gzip that is none": Fault(lambda e: replace(e.answer, content=b"{}", headers={"content-encoding": "gzip"})),
}

BODY: Mapping[str, Fault] = {
    "not JSON": _bytes(lambda content: b"upstream connect error"),
    "cut at a third": _bytes(_cut(0.33)),
    "cut before the end": _bytes(_cut(0.99)),
    "cut to one byte": _bytes(lambda content: content[:1]),
    "followed by more": _bytes(lambda content: content + content),
    "invalid UTF-8": _bytes(_amid(b"\xff\xfe\x80")),
    "a lone surrogate in bytes": _bytes(_amid(b"\xed\xa0\x80")),
    "byte-order mark": _bytes(lambda content: b"\xef\xbb\xbf" + content),
    "UTF-16": _bytes(lambda content: content.decode("utf-8", "replace").encode("utf-16")),
    "null": Fault(lambda e: Answer(content=b"null")),
    "a number": Fault(lambda e: Answer(content=b"7")),
    "an empty object": Fault(lambda e: Answer({})),
    "an empty list": Fault(lambda e: Answer([]), lie=True),
    "nested 10,000 deep": _bytes(lambda content: b"[" * 10_000 + b"]" * 10_000),
}


def _repeats(exchange: Exchange, number: int) -> Answer | None:
    return exchange.earlier[number] if exchange.earlier else None


def _swapped(exchange: Exchange, rows: tuple[Any, ...]) -> list[Any] | None:
    """A row of an earlier page stands where a live one was: seen and total agree, and one is hidden."""
    if exchange.list is None:
        return None
    for answer in reversed(exchange.earlier):
        before = Exchange(exchange.request, answer, exchange.list).rows
        findings = [row for row in before if exchange.reads(row) is not None]
        if findings:
            return [findings[-1], *rows[1:]]
    return None


def _retold(exchange: Exchange, rows: tuple[Any, ...]) -> list[Any] | None:
    """Another row comes with the id of the first one."""
    path = exchange.list.id if exchange.list else None
    if not isinstance(path, str) or len(rows) < 2 or any(exchange.reads(row) is None for row in rows[:2]):
        return None
    return [*rows, put(rows[1], path, at(rows[0], path))]


def _without_id(value: Any) -> Change:
    def change(exchange: Exchange, rows: tuple[Any, ...]) -> list[Any] | None:
        path = exchange.list.id if exchange.list else None
        if not isinstance(path, str) or at(rows[0], path) is None or not isinstance(rows[0], dict):
            return None
        return [put(rows[0], path, value), *rows[1:]]

    return change


def _moved_total(by: int) -> Strike:
    def strike(exchange: Exchange) -> Answer | None:
        path = getattr(exchange.list.by, "total", None) if exchange.list else None
        total = exchange.value(path) if isinstance(path, str) else None
        return exchange.having(path, total + by) if isinstance(path, str) and isinstance(total, int) else None

    return strike


PAGING: Mapping[str, Fault] = {
    "the last row missing": _rows(lambda e, rows: [*rows[:-1]], lie=True),
    "the first row missing": _rows(lambda e, rows: [*rows[1:]], lie=True),
    "every page a row short": _rows(lambda e, rows: [*rows[:-1]], lasts="ever", lie=True),
    "a page is empty": _rows(lambda e, rows: [], lie=True),
    "empty from here on": _rows(lambda e, rows: [], lasts="ever", lie=True),
    "a page is empty once": _rows(lambda e, rows: [], lasts="once", lie=True),
    "rows are null": Fault(lambda e: e.having(e.list.items, None) if e.list and e.rows else None),
    "a row twice": _rows(lambda e, rows: [*rows, rows[0]], lasts="once"),
    "a row in place of another": _rows(
        lambda e, rows: [*rows[:-1], rows[0]] if len(rows) > 1 else None, lasts="once", lie=True
    ),
    "rows swapped between pages": _rows(_swapped, lasts="once", lie=True),
    "the same page again": Fault(lambda e: _repeats(e, -1), "once"),
    "the same page for ever": Fault(lambda e: _repeats(e, -1), "ever"),
    "the first page again": Fault(lambda e: _repeats(e, 0), "once"),
    "an id with other content": _rows(_retold, lasts="once"),
    "a row without its id": _rows(_without_id(None)),
    "a row is null": _rows(lambda e, rows: [None, *rows[1:]]),
    "a row is a number": _rows(lambda e, rows: [7, *rows[1:]]),
    "a row is text": _rows(lambda e, rows: ["row", *rows[1:]]),
    "a row is a list": _rows(lambda e, rows: [[], *rows[1:]]),
    "a row is an empty object": _rows(lambda e, rows: [{}, *rows[1:]]),
    "the total grows": Fault(_moved_total(1), "once"),
    "fewer rows than promised": Fault(_moved_total(1), "ever"),
    "the total is less than nothing": Fault(_moved_total(-1_000_000)),
}


def echoing(secret: str) -> Mapping[str, Fault]:
    """Answers in which the vendor repeats the credential where people and logs may see it."""
    told = f"Token {secret} is not valid (Authorization: Bearer {secret})"
    page = f"<html><body>{told}</body></html>".encode()
    errors = {f"credential in a {code}": Answer({"message": told}, status=code) for code in (400, 401, 403, 404, 500)}
    answers = {
        **errors,
        "credential in a redirect": Answer(status=302, headers={"location": f"https://{ELSEWHERE}/?token={secret}"}),
        "credential in a redirect home": Answer(status=302, headers={"location": f"/login?token={secret}"}),
        "credential in a page": Answer(content=page, headers={"content-type": "text/html"}),
        "credential in errors": Answer({"data": None, "errors": [{"message": told}], "error": told}),
        "credential in a status line": Answer({}, status=500, headers={"x-error": told, "retry-after": secret}),
    }
    faults = {name: Fault(lambda e, answer=answer: answer) for name, answer in answers.items()}
    for spelling in spellings(secret):
        odd = {"text": f"Token {spelling} is not valid", spelling: [spelling]}
        faults[f"credential in an odd row, spelled {len(faults)}"] = _rows(lambda e, rows, odd=odd: [odd, *rows[1:]])
    faults["credential as a row"] = _rows(lambda e, rows: [secret, *rows[1:]])
    faults["credential as a total"] = Fault(lambda e: _told_total(e, secret))
    return faults


def _told_total(exchange: Exchange, secret: str) -> Answer | None:
    path = getattr(exchange.list.by, "total", None) if exchange.list else None
    return exchange.having(path, secret) if isinstance(path, str) and exchange.value(path) is not None else None


@cache
def _bomb() -> bytes:
    return gzip.compress(b"[" + b" " * 20_000_000 + b"]", 9)
