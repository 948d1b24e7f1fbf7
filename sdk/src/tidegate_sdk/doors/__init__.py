"""The ways to a vendor. A door answers one Ask at a time; rows, walks and proofs are the Session's."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..ask import Ask


@dataclass(frozen=True, slots=True)
class Stream:
    """A body on disk: `rows` runs the Ask's reader over it, to be called in a thread; `close` gives it back.

    `close` may be called twice, and while `rows` is read: the reader's next look at the file then fails. `check` raises
    Incomplete where the file changed while it was read.
    """

    rows: Callable[[], Iterator[Any]]
    close: Callable[[], None]
    check: Callable[[], None] = lambda: None


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: a decoded body, or, where the Ask has a reader, a stream."""

    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    stream: Stream | None = None


class Way(Protocol):
    """An open door."""

    @property
    def calls(self) -> Counter[str]:
        """What they were answered, by status; "none" where nothing came."""
        ...

    @property
    def requests(self) -> int:
        """Questions sent so far, repetitions included."""
        ...

    async def ask(self, ask: Ask) -> Answer:
        """The answer; raises ConnectorError, not yet scrubbed."""
        ...

    async def aclose(self) -> None:
        """Gives back connections and descriptors."""
        ...
