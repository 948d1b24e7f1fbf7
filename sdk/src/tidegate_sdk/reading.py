"""What a Session gives back while a list is read, and the ledger's word on whether it was read whole."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

import msgspec

from .ask import Proof
from .errors import ConnectorError
from .finding import Finding, Skip

T = TypeVar("T")


class Odd(msgspec.Struct, frozen=True):
    """A row that could not be read: set aside with its reason and its scrubbed, shortened raw form.

    With an `id` it counts as seen, so the finding of that key stays as it is. Without one its list proves nothing.
    """

    id: str | None
    reason: str
    raw: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """The ledger's word on one list. `complete` is the only thing that may ever close a finding or miss a VEP.

    complete = the walk ended with its proof, no failure passed through the Session meanwhile, no odd row was without
    an id, and seen = kept + skipped + odd. `why` is "" or the sentence that says what is missing.

    Of a shared walk: no row was without a VEP, and an odd row without an id takes the proof from its own VEP alone,
    which is for the reader to see.
    """

    complete: bool
    why: str = ""
    error: ConnectorError | None = None
    off: bool = False
    """The vendor answered with a status that means "not enabled here"."""
    proof: Proof | None = None
    seen: int = 0
    kept: int = 0
    odd: int = 0
    skipped: Mapping[str, int] = field(default_factory=dict[str, int])
    elsewhere: int = 0
    """Rows of other Families, where one walk serves several: the proof counts them, `seen` does not."""


class Reading(Protocol, Generic[T]):
    """An asynchronous iterator of batches (a page, or at most 1,000 rows of a stream), each a list of values and Odds.

    It never raises ConnectorError: the walk ends, and `outcome` says why. Read to its end, or closed by `aclose`.
    """

    def __aiter__(self) -> AsyncIterator[list[T | Odd]]: ...

    async def aclose(self) -> None:
        """Ends the reading early; it proves nothing then."""
        ...

    @property
    def outcome(self) -> Outcome:
        """The ledger's word; raises RuntimeError before the iteration has ended."""
        ...


Housed = tuple[str | None, Finding | Odd | Skip]
"""A row of a shared walk: the id of the VEP it belongs to, and what it is.

None for a row that does not say where it belongs; it is an Odd then, and the outcome is not complete. An Odd with a VEP
and without an `id` means that this VEP's Family closes nothing. A Skip comes along so that the rows of each VEP can be
told apart: they are its findings, its skipped and its odd rows.
"""


class SharedReading(Protocol):
    """As a Reading, with the VEP of each row."""

    def __aiter__(self) -> AsyncIterator[list[Housed]]: ...

    async def aclose(self) -> None:
        """Ends the reading early; it proves nothing then."""
        ...

    @property
    def outcome(self) -> Outcome:
        """The ledger's word on the whole walk; raises RuntimeError before the iteration has ended."""
        ...
