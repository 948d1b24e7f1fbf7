"""One list while it is read: walks it page by page, reads its rows, and keeps the ledger."""

from __future__ import annotations

import traceback
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing
from hashlib import blake2b
from typing import Any, Generic, TypeVar, cast, get_args

import msgspec

from .ask import Ask, Kind, List, Page, Proof, Row, Wait, dig, read_name
from .doors import Stream
from .errors import ConnectorError, Incomplete, VendorChanged
from .finding import Skip
from .fit import check_fit
from .ledger import Ledger
from .line import Line, Pump
from .reading import Odd, Outcome
from .steps import End, brief, close, make, move, question

T = TypeVar("T")
B = TypeVar("B")
_LONGEST_REASON, _LONGEST_RAW = 500, 4_000
_OBJECT: Any = dict  # a cast for the type checker would be called for every row


class Walked(ABC, Generic[T, B]):
    """A list that is walked; what becomes of its rows is for the two kinds of it to say."""

    def __init__(self, line: Line, listing: List[T], *, off: frozenset[int], keep_raw: bool) -> None:
        self._line, self._list, self._off, self._keep_raw = line, listing, off, keep_raw
        self._ledger = Ledger()
        self._outcome: Outcome | None = None
        self._answered = 0
        self._page = Page()
        self._batches = self._read()

    def __aiter__(self) -> AsyncGenerator[list[B]]:
        return self._batches

    async def aclose(self) -> None:
        """Ends the reading early: nothing is proven then."""
        await self._batches.aclose()
        if self._outcome is None:
            self._outcome = self._ledger.outcome()

    @property
    def outcome(self) -> Outcome:
        if self._outcome is None:
            raise RuntimeError("The list is still being read: iterate to its end, or call aclose().")
        return self._outcome

    async def _read(self) -> AsyncGenerator[list[B]]:
        """Every batch; whatever ends the walk ends the accounts."""
        try:
            async with aclosing(self._walk()) as batches:
                async for batch in batches:
                    yield batch
        except ConnectorError as error:
            self._fail(self._line.redactor.error(error))
        finally:
            self._outcome = self._ledger.outcome()

    def _fail(self, error: ConnectorError) -> None:
        """ "Not enabled" can only be the first answer: later the same status means that something is lost."""
        if error.status in self._off and not self._answered:
            self._ledger.not_enabled = f"Not enabled: {error.what}"
        else:
            self._ledger.fail(error)

    async def _walk(self) -> AsyncGenerator[list[B]]:
        """Drives the walk. No failure is shown to it, so it has none to hide."""
        where = _name(self._list.ask)
        walk = make(lambda: self._list.by.walk(self._list.ask), where)
        asked: set[bytes] = set()
        try:
            step = move(lambda: next(walk), where)
            for _ in range(self._line.limits.pages):
                if isinstance(step, End):
                    self._ledger.proof = _proof(step.value)
                    return
                if isinstance(step, Wait):
                    self._page = await self._line.rest(step)
                else:
                    step = question(step)
                    where = _name(step)
                    _refuse_repetition(step, asked)
                    async with aclosing(self._answer(step)) as batches:
                        async for batch in batches:
                            yield batch
                step = move(lambda: walk.send(self._page), where)
            raise Incomplete(f"The list has more than {self._line.limits.pages:,} pages.")
        finally:
            close(walk)

    async def _answer(self, ask: Ask) -> AsyncGenerator[list[B]]:
        """The batches of one answer; the Page for the walk is ready after the last."""
        answer = await self._line.way.ask(ask)
        self._answered += 1
        before, rows = self._ledger.seen, ()
        if answer.stream is not None:
            async with aclosing(self._stream(ask, answer.stream)) as batches:
                async for batch in batches:
                    yield batch
        elif not ask.bare:
            items, size = _items(dig(answer.body, self._list.items), ask), self._line.limits.batch
            for start in range(0, len(items), size):
                yield self._sort(items[start : start + size])
            rows = tuple(item for item in items if isinstance(item, Row))
        self._page = Page(answer.body, rows, self._ledger.seen - before, answer.headers)

    async def _stream(self, ask: Ask, stream: Stream) -> AsyncGenerator[list[B]]:
        """The rows of a body on disk, never more than one batch of them in memory."""
        try:
            with Pump(ask.path, stream, self._line.limits.batch) as pump:
                while items := await pump.pull():
                    yield self._sort(_rows(items))
        finally:
            stream.close()

    @abstractmethod
    def _sort(self, items: list[Any]) -> list[B]:
        """Reads rows and books each: kept, skipped with a reason, or odd."""

    def _value(self, item: Any) -> T | Skip:
        """What the connector makes of a row. Any exception makes the row odd."""
        if not isinstance(item, Row):
            raise TypeError("not an object")
        value: Any = self._list.read(item)
        if value is None:
            raise TypeError("the connector made nothing of it")
        check_fit(value)
        return value

    def _odd(self, item: Any, error: Exception) -> Odd:
        """Sets a row aside. In a Family of secrets its reason must not quote the row either."""
        key = read_name(item, self._list.id)
        self._ledger.odd += 1
        redact = self._line.redactor.shortened
        if not self._keep_raw:
            return Odd(key, f"{type(error).__name__} at {_line_of(error)}", "")
        reason = error.what if isinstance(error, ConnectorError) else brief(error)
        return Odd(key, redact(reason, _LONGEST_REASON), redact(_raw(item), _LONGEST_RAW))


class Listing(Walked[T, T | Odd]):
    """The Reading that a Session hands out."""

    def _sort(self, items: list[Any]) -> list[T | Odd]:
        ledger = self._ledger
        ledger.seen += len(items)
        batch: list[T | Odd] = []
        for item in items:
            try:
                value = self._value(item)
            except Exception as error:  # noqa: BLE001 - any surprise in a row makes it odd and spares the others
                batch.append(odd := self._odd(item, error))
                ledger.nameless += odd.id is None
                continue
            if isinstance(value, Skip):
                ledger.skipped[self._line.redactor.text(value.because)] += 1
            else:
                ledger.kept += 1
                batch.append(value)
        return batch


def _items(found: Any, ask: Ask) -> list[Any]:
    if not isinstance(found, list):
        raise VendorChanged(f"The answer to {_name(ask)} holds no list of rows.")
    return _rows(cast("list[Any]", found))


def _rows(items: list[Any]) -> list[Any]:
    """Objects as Rows; what is none stays as it is, to be set aside."""
    return [Row(item) if isinstance(item, _OBJECT) else item for item in items]


def _proof(value: Any) -> Proof:
    if not isinstance(value, Proof) or value.kind not in get_args(Kind):
        raise Incomplete("The walk ended without a proof.")
    return value


def _refuse_repetition(ask: Ask, asked: set[bytes]) -> None:
    """A question with rows that comes again means a cursor in a circle, so the list would never end."""
    query = sorted((name, str(value)) for name, value in ask.query.items())
    digest = blake2b(repr((ask.method, ask.path, query, ask.json)).encode("utf-8", "replace"), digest_size=16).digest()
    if not ask.bare and digest in asked:
        raise Incomplete(f"{_name(ask)}: the vendor repeats a page.")
    asked.add(digest)


def _name(ask: Ask) -> str:
    return ask.path.partition("?")[0] or "the location"


def _raw(item: Any) -> str:
    try:
        return msgspec.json.encode(item).decode()
    except (TypeError, ValueError):
        return repr(item)
    except RecursionError:
        return "It is nested too deeply to be shown."


def _line_of(error: Exception) -> str:
    """Where it was raised, without a word of the row."""
    frames = traceback.extract_tb(error.__traceback__)
    return f"{frames[-1].name}, line {frames[-1].lineno}" if frames else "an unknown place"
