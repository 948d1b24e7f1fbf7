"""What goes wrong with a vendor's answers: status, transport, body and paging, each as a Fault."""

from __future__ import annotations

import gzip
import json
import re
import socket
import ssl
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from functools import cache
from typing import Any, Literal

import httpx2

from .body import at, places, put
from .stage import spellings
from .world import Answer, Exchange, Fault, Strike

ELSEWHERE = "evil.test"
UNMISTAKABLE = 16
"""A shorter credential may stand in a text by chance, so the Session leaves it there: see redaction.py."""
LOGIN_PAGE = b"<!doctype html><html><title>Sign in</title><form action='/login'>Password</form></html>"

Change = Callable[[Exchange, tuple[Any, ...]], list[Any] | None]
"""Other rows for the rows of an answer; None where there is nothing to change."""


def _status(code: int, lasts: Literal["once", "same", "ever"] = "same", recovers: bool = False, **more: str) -> Fault:
    headers = {name.replace("_", "-"): value for name, value in more.items()}
    return Fault(lambda exchange: Answer({"message": "no"}, status=code, headers=headers), lasts, recovers)


def _raises(error: Exception, lasts: Literal["once", "same", "ever"], recovers: bool) -> Fault:
    return Fault(lambda exchange: error, lasts, recovers)


def _unreached(words: str, cause: Exception) -> Fault:
    """No connection comes up, and the system says why."""
    error = httpx2.ConnectError(words)
    error.__cause__ = cause
    return _raises(error, "ever", False)


def _refused_certificate(verify_code: int, words: str) -> Fault:
    error = ssl.SSLCertVerificationError(1, f"certificate verify failed: {words}")
    error.verify_code, error.verify_message = verify_code, words
    return _unreached(words, error)


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
    if not isinstance(at(exchange.request.json, "query"), str):  # other APIs ask with an object of that name
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
    "the name does not resolve": _unreached("no address", socket.gaierror(socket.EAI_NONAME, "Name not known")),
    "the certificate is of an unknown authority": _refused_certificate(20, "unable to get local issuer certificate"),
    "the certificate has expired": _refused_certificate(10, "certificate has expired"),
    "the certificate is of another host": _refused_certificate(62, "hostname mismatch"),
    "refused once": _raises(httpx2.ConnectError("refused"), "once", True),
    "refused for ever": _raises(httpx2.ConnectError("refused"), "ever", False),
    "connect time-out once": _raises(httpx2.ConnectTimeout("slow"), "once", True),
    "time-out once": _raises(httpx2.ReadTimeout("slow"), "once", True),
    "time-out for ever": _raises(httpx2.ReadTimeout("slow"), "ever", False),
    "silence in the body once": Fault(
        lambda e: replace(e.answer, content=e.answer.wire[:20], breaks=httpx2.ReadTimeout("slow")), "once", True
    ),
    "one byte a second": Fault(lambda e: replace(e.answer, content=e.answer.wire[:1], drips=True), slow=True),
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


def _before(exchange: Exchange) -> Any:
    """The last row of the pages before that is a finding; None where there is none."""
    for answer in reversed(exchange.earlier):
        before = replace(exchange, answer=answer).rows
        findings = [row for row in before if exchange.reads(row) is not None]
        if findings:
            return findings[-1]
    return None


def _swapped(exchange: Exchange, rows: tuple[Any, ...]) -> list[Any] | None:
    """A row of an earlier page stands where a live one was: seen and total agree, and one is hidden."""
    before = _before(exchange)
    return None if before is None else [before, *rows[1:]]


def _shown_again(exchange: Exchange, rows: tuple[Any, ...]) -> list[Any] | None:
    """A row of an earlier page comes once more."""
    before = _before(exchange)
    return None if before is None else [*rows, before]


def _retold(exchange: Exchange, rows: tuple[Any, ...]) -> list[Any] | None:
    """Another row comes with the id of the first one."""
    return _with_id_of(exchange, rows[0], rows[1], rows) if len(rows) > 1 else None


def _retold_later(exchange: Exchange, rows: tuple[Any, ...]) -> list[Any] | None:
    """Another row comes with the id of one on an earlier page."""
    return _with_id_of(exchange, _before(exchange), rows[0], rows)


def _with_id_of(exchange: Exchange, named: Any, other: Any, rows: tuple[Any, ...]) -> list[Any] | None:
    way = exchange.way_of_id(named)
    if way is None or any(exchange.reads(row) is None for row in (named, other)):
        return None
    if exchange.key_of(named) != exchange.key_of(other):  # the same id in another VEP is another finding, no fault
        return None
    return [*rows, put(other, way, at(named, way))]


def _without_id(exchange: Exchange, rows: tuple[Any, ...]) -> list[Any] | None:
    way = exchange.way_of_id(rows[0])
    return None if way is None else [put(rows[0], way, None), *rows[1:]]


def _moved_total(by: int) -> Strike:
    def strike(exchange: Exchange) -> Answer | None:
        path = exchange.total
        return None if path is None else exchange.having(path, exchange.value(path) + by)

    return strike


def _ended(exchange: Exchange) -> Answer | None:
    """The word that there is another page says that there is none."""
    rows = exchange.list.items if exchange.list else ""
    for way, value in places(exchange.answer.body()) if rows else ():
        if value is True and way[: rows.count(".") + 1] != tuple(rows.split(".")):
            return exchange.having(way, False)
    return None


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
    "a row of an earlier page again": _rows(_shown_again, lasts="once"),
    "an id with other content": _rows(_retold, lasts="once"),
    "an id of an earlier page with other content": _rows(_retold_later, lasts="once"),
    "a row without its id": _rows(_without_id),
    "the list ends early": Fault(_ended, lie=True),
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
    if len(secret) >= UNMISTAKABLE:
        faults["credential in a finding"] = _rows(lambda e, rows: _telling(e, rows, secret))
    for spelling in spellings(secret):
        odd = {"text": f"Token {spelling} is not valid", spelling: [spelling]}
        faults[f"credential in an odd row, spelled {len(faults)}"] = _rows(lambda e, rows, odd=odd: [odd, *rows[1:]])
    faults["credential as a row"] = _rows(lambda e, rows: [secret, *rows[1:]])
    faults["credential as a total"] = Fault(lambda e: _told_total(e, secret))
    return faults


def _told_total(exchange: Exchange, secret: str) -> Answer | None:
    return None if exchange.total is None else exchange.having(exchange.total, secret)


def _telling(exchange: Exchange, rows: tuple[Any, ...], secret: str) -> list[Any] | None:
    """The first row, with the credential at the end of its longest text that is not its id."""
    id_ = exchange.way_of_id(rows[0])
    texts = [(way, value) for way, value in places(rows[0]) if isinstance(value, str) and way != id_]
    if not texts or exchange.reads(rows[0]) is None:
        return None
    way, text = max(texts, key=lambda place: len(place[1]))
    return [put(rows[0], way, f"{text} {secret}"), *rows[1:]]


@cache
def _bomb() -> bytes:
    return gzip.compress(b"[" + b" " * 20_000_000 + b"]", 9)
