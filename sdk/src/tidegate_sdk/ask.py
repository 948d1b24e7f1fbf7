"""What a connector asks, and what the walk of a list gives back: values, no I/O. The shapes of walks: paging.py."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, BinaryIO, Generic, Literal, Protocol, TypeVar

from pydantic import SecretStr

from .errors import VendorChanged
from .finding import Finding, Skip, Vep

T = TypeVar("T")
_REQUIRED: Any = object()
_NAMES = (str, int)  # made once: `str | int` would be put together anew for every row
_OBJECT: Any = (dict, Mapping)  # nearly always a dict, and to ask for the abstract class first costs more than the rest


def dig(body: Any, path: str, default: Any = _REQUIRED) -> Any:
    """The value at a dotted path (`"paging.total"`) of nested dicts; "" is the body itself.

    Raises VendorChanged when something on the way is missing and no default is given.
    """
    found: Any = body
    for step in path.split(".") if path else ():
        if isinstance(found, _OBJECT) and step in found:
            found = found[step]
        elif default is not _REQUIRED:
            return default
        else:
            raise VendorChanged(f"The answer has no {path!r}.")
    return found


def identifier(row: Any, path: str = "") -> str:
    """The vendor's id at a dotted path of a row (or the value itself): a text, or a whole number as a text.

    Raises VendorChanged for null, true, a fraction, a list and a blank text: they would be the same name for every row
    that has no id.
    """
    found = dig(row, path)
    if type(found) is str and found.strip():
        return found
    if not isinstance(found, _NAMES) or isinstance(found, bool) or not str(found).strip():
        raise VendorChanged(f"There is no id at {path!r}." if path else "There is no id.")
    return str(found)


class Row(dict[str, Any]):
    """A vendor's object: `row["a.b"]` must be there, `row.get("a.b")` may be."""

    __slots__ = ()

    def __missing__(self, path: str) -> Any:
        return dig(self, path)

    def get(self, path: str, default: Any = None) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The value at the dotted path, or the default where any part of the path is missing."""
        if path in self:
            return self[path]
        if path and "." not in path:
            return default
        found: Any = self
        for step in path.split(".") if path else ():  # as in dig(), without the call: dozens a row
            if isinstance(found, _OBJECT) and step in found:
                found = found[step]
            else:
                return default
        return found

    def inside(self, path: str) -> Row:
        """The object at the dotted path as a row of its own, an empty one where there is none. Who reads several fields
        of it finds each by one name instead of two."""
        found: Any = self.get(path)
        return Row(found) if isinstance(found, _OBJECT) else Row()


def read_name(row: Any, name: str | Callable[[Row], str]) -> str | None:
    """What names a row, or the VEP that it belongs to: at a dotted path, or what a function gives.

    A text that is not blank, or a whole number as a text; None where it cannot be read.
    """
    if not isinstance(row, Row):
        return None
    try:
        told: Any = row[name] if isinstance(name, str) else name(row)
    except Exception:  # noqa: BLE001 - whatever a connector raises: nothing was named
        return None
    if isinstance(told, str):
        return told if told.strip() else None
    return str(told) if isinstance(told, int) and not isinstance(told, bool) else None


Reader = Callable[[BinaryIO], Iterator[dict[str, Any]]]
"""Turns a body that is too large for memory into rows. Gets a seekable binary file opened by the Session and may read
it twice; does no I/O of its own. Raises VendorChanged where the file is not what it should be, Incomplete where it
ends too early."""


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to the vendor. `path` is relative to the location; an absolute link must stay at its origin.

    `bare`: the answer steers the walk and holds no rows. `reader`: the body is streamed through it, never held whole.
    `graphql`: an answer with a non-empty `errors` list is a failure although the status says 200. `safe`: a POST that
    only reads (a search), so it may be repeated after a failure like a GET; a GraphQL query is safe as it is.
    `form`: a body of names and values, as token endpoints want it; a secret among them is opened when it is sent.
    `also`: statuses whose body is an answer too, as a 409 that names the job which runs already.
    """

    path: str = ""
    query: Mapping[str, Any] = field(default_factory=dict[str, Any])
    method: str = "GET"
    json: Any = None
    bare: bool = False
    reader: Reader | None = None
    graphql: bool = False
    safe: bool = False
    form: Mapping[str, str | SecretStr] | None = None
    also: frozenset[int] = frozenset()

    def more(self, **query: Any) -> Ask:
        """The same question with these query parameters added or replaced."""
        return replace(self, query={**self.query, **query})


def graphql(query: str, *, path: str = "graphql", bare: bool = False, **variables: Any) -> Ask:
    """A GraphQL query as an Ask. Every query needs a name of its own: some servers refuse anonymous ones."""
    return Ask(path, method="POST", json={"query": query, "variables": variables}, bare=bare, graphql=True)


@dataclass(frozen=True, slots=True)
class Wait:
    """Let the vendor work for so many seconds before the next question."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Page:
    """An answer. `count` is the number of its rows; a streamed body has a count and its rows are not kept."""

    body: Any = None
    rows: tuple[Row, ...] = ()
    count: int = 0
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Count:
    """Where a vendor says how many open findings the account sees, without listing them.

        Count("paging.total", Ask("api/issues/search", {"resolved": "false", "ps": 1}))     # one question
        Count("metrics.vulnerabilities")                                                    # in each row of veps()

    `path` is where the number stands, dotted, in the answer to `ask`, or without one in the rows that list the VEPs; a
    row that has none there has none to tell of. A list on the way is gone through and its numbers added up. `most`:
    what the vendor counts to at most, so that this many may be more. It is a word to a person, never a proof.
    """

    path: str
    ask: Ask | None = None
    most: int | None = None


Kind = Literal["whole", "steady", "drifting"]


@dataclass(frozen=True, slots=True)
class Proof:
    """How a walk ended. `expected` is the vendor's own count; without it the end was only walked to.

    `kind`: *whole*, one answer holds everything; *steady*, pages of one consistent list (cursor, export, keyset);
    *drifting*, page numbers and offsets, where a live row can hide between two pages while every total agrees.
    """

    seen: int
    expected: int | None = None
    kind: Kind = "steady"
    pages: int = 1


Walk = Generator[Ask | Wait, Page, Proof]
"""Yields what to ask, is sent the page, returns the proof."""

Talk = Generator[Ask | Wait, Page, T]
"""A few questions with an answer at the end: an account, a token, a witness."""


class Paging(Protocol):
    """How a vendor cuts a list into pages. Values are shared between walks: state lives in the generator.

    The usual shapes are in paging.py; an odd vendor gets a class of its own with this one method.
    """

    def walk(self, first: Ask) -> Walk:
        """Walks from the first question to the proven end; raises Incomplete where it cannot be proven."""
        ...


@dataclass(frozen=True, slots=True)
class List(Generic[T]):
    """One list of the vendor: what to ask, where its rows are, how it is paged and how a row is read.

    `id` names a row by itself (a dotted path, or a function): a row that cannot be read but has an id is set aside and
    counts as seen; without one the list proves nothing. It must give the `key` of the Finding, the `id` of the Vep.
    `secret`: its rows hold secrets of the customer, as the logins that a scan uses, so no raw row is ever kept.
    """

    ask: Ask
    items: str
    by: Paging
    read: Callable[[Row], T | Skip]
    id: str | Callable[[Row], str]
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Family:
    """A kind of finding that the vendor reports, and can withhold, on its own, on one Branch of one VEP.

    `off`: HTTP statuses that mean "not enabled here": the Family is skipped, never read as "all fixed".
    `mark`: an order for states that may arrive out of order, as a time in UTC (`2026-05-03T12:00:00.000000Z`): a Family
    whose mark is before the one last applied is skipped. One in the future counts as now.
    `secret`: its findings carry secrets of the customer, so no raw row is ever kept.
    """

    name: str
    list: List[Finding]
    branch: str = ""
    off: frozenset[int] = frozenset()
    mark: str = ""
    secret: bool = False


def every_vep(vep: Vep) -> bool:
    """The scope of a walk that serves all of them."""
    return True


@dataclass(frozen=True, slots=True)
class SharedFamily:
    """A Family that one walk reads for many VEPs: an account's export, the alerts of a whole organization.

        SharedFamily("issues", List(...), of="scan_item.id", covers=lambda vep: vep.attributes["org"] == org)

    `of` says which VEP a row belongs to, its id at a dotted path or by a function; NO_PRODUCT for one that belongs to
    none. *Every* row needs one, also a row that is no finding: one that does not say it makes the walk prove nothing,
    for it could be anybody's. It takes no default, and it looks at the row alone, not at which VEPs there are: rows of
    VEPs that nobody asked for are counted and dropped by whoever reads.

    `covers` says which VEPs the walk serves: of these it must hold every finding, since what it lacks is gone. Walks of
    one name with different scopes are fine (one for each organization), but a VEP gets a Family and Branch from one of
    them only. The rest is as for a Family and holds for all of its VEPs.
    """

    name: str
    list: List[Finding]
    of: str | Callable[[Row], str]
    covers: Callable[[Vep], bool] = every_vep
    branch: str = ""
    off: frozenset[int] = frozenset()
    mark: str = ""
    secret: bool = False


@dataclass(frozen=True, slots=True)
class Skipped:
    """A Family that cannot be read now, and why in one sentence: no scan has completed yet, the scanner is off.

    `covers`: of which VEPs, where a shared walk is skipped.
    """

    family: str
    because: str
    branch: str = ""
    covers: Callable[[Vep], bool] = every_vep


@dataclass(frozen=True, slots=True)
class Branch:
    """A line of work inside a VEP, as the vendor lists it.

    `id` is what `Family.branch` says for it: its name; of the main one "", so that it stays the same one when it is
    called otherwise, and when patterns are added later. The branch without a name never vanishes.
    """

    name: str
    main: bool = False

    @property
    def id(self) -> str:
        return "" if self.main else self.name


@dataclass(frozen=True, slots=True)
class Branches:
    """All branches of one VEP, whichever are wanted. families() asks for them before it names what it reads:

        listed = yield from branches_of(List(Ask("branches", ...), "branches", Whole(), self.branch, id="name"))
        for branch in chosen(listed, self.settings.branches): ...

    What is left out of a list that was read whole has vanished, and its findings may close after some days; so the list
    says all that there are, unfiltered. `List.id` names the branch. Where nobody asks for Branches none vanishes.
    """

    list: List[Branch]


Families = Generator[Ask | Wait | Family | Skipped | Branches, Page, None]
"""Yields the Families of one VEP; may ask first (the latest completed scan, the branches), and is sent what came."""

SharedFamilies = Generator[Ask | Wait | SharedFamily | Skipped, Page, None]
"""Yields the Families that serve many VEPs in one walk each; may ask first, and is then sent the page."""
