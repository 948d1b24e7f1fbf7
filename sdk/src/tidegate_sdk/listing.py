"""One list while it is read: walks it page by page, reads its rows, and keeps the ledger."""

from __future__ import annotations

import asyncio
import traceback
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress
from hashlib import blake2b
from typing import Any, Generic, TypeVar, cast, get_args

import msgspec

from .ask import Ask, Kind, List, Page, Proof, Row, Wait, Walk, dig, read_name
from .doors import Answer, Stream
from .errors import ConnectorError, Incomplete, VendorChanged
from .finding import Skip
from .fit import check_fit
from .ledger import Ledger
from .line import Line, Pump
from .reading import Odd, Outcome
from .steps import End, brief, close, make, move, question

T = TypeVar("T")
B = TypeVar("B")
_AT_ONCE = 125
"""Rows that are read in one go: other tasks, and the next piece of what was asked ahead, have their turn after them."""

_LONGEST_REASON, _LONGEST_RAW = 500, 4_000
_OBJECT: Any = dict  # a cast for the type checker would be called for every row


class Walked(ABC, Generic[T, B]):
    """A list that is walked; what becomes of its rows is for the two kinds of it to say."""

    def __init__(self, line: Line, listing: List[T], *, off: frozenset[int], keep_raw: bool) -> None:
        self._line, self._list, self._off = line, listing, off
        self._keep_raw = keep_raw and not listing.secret
        self._ledger = Ledger()
        self._outcome: Outcome | None = None
        self._answered = self._streamed = 0
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
        """Drives the walk. No failure is shown to it, so it has none to hide. What it asks next is on its way while
        the rows of the page before are read."""
        where = _name(self._list.ask)
        walk = make(lambda: self._list.by.walk(self._list.ask), where)
        asked = _Asked(self._line)
        try:
            step: Any = move(lambda: next(walk), where)
            for _ in range(self._line.limits.pages):
                if isinstance(step, End):
                    self._ledger.proof = _proof(cast("End[Any]", step).value)
                    return
                if isinstance(step, Wait):
                    page = await self._line.rest(step)
                    step = move(lambda page=page: walk.send(page), where)
                    continue
                step = question(step)
                where = _name(step)
                answer = await asked.answer(step)
                self._answered += 1
                if answer.stream is not None:
                    async with aclosing(self._stream(step, answer.stream)) as batches:
                        async for batch in batches:
                            yield batch
                    page = Page(answer.body, (), self._streamed, answer.headers)
                    step = move(lambda page=page: walk.send(page), where)
                    continue
                items = [] if step.bare else _items(dig(answer.body, self._list.items), step)
                following = self._following(walk, answer, items, where)
                asked.ahead(following)
                async with aclosing(self._sorted(items)) as batches:
                    async for batch in batches:
                        yield batch
                step = following
                if isinstance(step, ConnectorError):
                    raise step
            raise Incomplete(f"The list has more than {self._line.limits.pages:,} pages.")
        finally:
            await asked.close()
            close(walk)

    def _following(self, walk: Walk, answer: Answer, items: list[Any], where: str) -> Any:
        """The walk's next step, or why it has none: that counts once the rows of this page are read."""
        rows = tuple(item for item in items if isinstance(item, Row))
        page = Page(answer.body, rows, len(items), answer.headers)
        try:
            return move(lambda: walk.send(page), where)
        except ConnectorError as error:
            return error

    async def _sorted(self, items: list[Any]) -> AsyncGenerator[list[B]]:
        """The rows of a page in batches; what was asked ahead goes on its way meanwhile."""
        size = self._line.limits.batch
        for start in range(0, len(items), size):
            end, batch = min(start + size, len(items)), list[B]()
            for some in range(start, end, _AT_ONCE):
                batch += self._sort(items[some : min(some + _AT_ONCE, end)])
                await at_rest()
            yield batch

    async def _stream(self, ask: Ask, stream: Stream) -> AsyncGenerator[list[B]]:
        """The rows of a body on disk, never more than one batch of them in memory."""
        self._streamed = 0
        try:
            with Pump(ask.path, stream, self._line.limits.batch) as pump:
                while items := await pump.pull():
                    self._streamed += len(items)
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
        ledger, value_of, apart = self._ledger, self._value, 0
        ledger.seen += len(items)
        batch: list[T | Odd] = []
        for item in items:
            try:
                value = value_of(item)
            except Exception as error:  # noqa: BLE001 - any surprise in a row makes it odd and spares the others
                batch.append(odd := self._odd(item, error))
                ledger.nameless += odd.id is None
                apart += 1
                continue
            if isinstance(value, Skip):
                ledger.skipped[self._line.redactor.text(value.because)] += 1
            else:
                batch.append(value)
        ledger.kept += len(batch) - apart
        return batch


async def at_rest() -> None:
    """Other tasks have their turn."""
    await asyncio.sleep(0)


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


class _Asked:
    """The questions of one walk: none with rows twice, and the next one asked while the answer before is read."""

    def __init__(self, line: Line) -> None:
        self._line = line
        self._digests: set[bytes] = set()
        self._task: asyncio.Task[Answer] | None = None

    def ahead(self, step: object) -> None:
        """Asks at once where the step is a question; whatever is wrong with it is told when its turn comes."""
        if isinstance(step, Ask):
            self._task = asyncio.ensure_future(self._answer(step))

    async def answer(self, ask: Ask) -> Answer:
        """The answer to the question, which may have been asked ahead."""
        task, self._task = self._task, None
        return await (self._answer(ask) if task is None else task)

    async def close(self) -> None:
        """Nobody waits for an answer any more."""
        task, self._task = self._task, None
        if task is None:
            return
        task.cancel()
        with suppress(asyncio.CancelledError, ConnectorError):
            answer = await task
            if answer.stream is not None:
                answer.stream.close()

    async def _answer(self, ask: Ask) -> Answer:
        ask = question(ask)
        self._refuse_repetition(ask)
        return await self._line.way.ask(ask)

    def _refuse_repetition(self, ask: Ask) -> None:
        """A question with rows that comes again means a cursor in a circle, so the list would never end."""
        query = sorted((name, str(value)) for name, value in ask.query.items())
        told = repr((ask.method, ask.path, query, ask.json)).encode("utf-8", "replace")
        digest = blake2b(told, digest_size=16).digest()
        if not ask.bare and digest in self._digests:
            raise Incomplete(f"{_name(ask)}: the vendor repeats a page.")
        self._digests.add(digest)


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
