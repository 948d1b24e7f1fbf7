"""The shapes in which vendors cut lists into pages: values whose walk asks, is sent the pages, and returns the proof.

Each walk ends only where the vendor says that the list ends. A short page, an empty page or a field that is not there
never means "done": what was not read would be taken for gone. Paths are dotted (`"paging.total"`), `total` is where the
vendor declares how many rows there are: give it wherever there is one, for nothing proves more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, cast
from urllib.parse import parse_qsl

from .ask import Ask, Kind, Page, Proof, Wait, Walk, dig
from .errors import Incomplete, TotalMoved, VendorChanged
from .steps import counted


@dataclass(frozen=True, slots=True)
class Whole:
    """One answer holds the whole list.

        Whole()
        Whole("total")
        Whole("X-Total-Count", in_headers=True)

    Burp's site tree and every report in a folder come so. The proof is *whole*: there is nothing to drift. A declared
    total that is not what came is Incomplete, which is how a page size that nobody asked for is found out.
    """

    total: str | None = None
    in_headers: bool = False

    def walk(self, first: Ask) -> Walk:
        """Asks once."""
        tally = _Tally(self.total, in_headers=self.in_headers)
        tally.add((yield first))
        return tally.proof("whole")


@dataclass(frozen=True, slots=True)
class PageNumber:
    """Numbered pages with a declared total.

        PageNumber("paging.total", page="p", size="ps", per=500, window=10_000)    # SonarQube's api/issues/search
        PageNumber("X-Total-Count", in_headers=True)                               # the total is a header's

    `start` is the number of the first page. `window` is the number of rows beyond which the vendor lists no more: a
    total that reaches it is Incomplete at once, for it may be cut there as well. `json` puts the numbers into that
    object of the JSON body (`""` is the body itself) instead of the query. `in_headers`: `total` names a header.

    The proof is *drifting*: what is added or fixed meanwhile moves every later row by one, so one can be missed while
    seen and total agree. A page size that the vendor lowers does no harm. A page that is empty before the end, or the
    one before once more, is Incomplete, a total that moves is TotalMoved.
    """

    total: str
    page: str = "page"
    size: str = "per_page"
    per: int = 100
    start: int = 1
    window: int | None = None
    json: str | None = None
    in_headers: bool = False

    def walk(self, first: Ask) -> Walk:
        """Asks page after page until the declared total has come."""
        seen, number, expected, before = 0, self.start, None, Page()
        while True:
            page = yield _saying(first, self.json, {self.page: number, self.size: self.per})
            declared = _declared(page, self.total, in_headers=self.in_headers)
            expected = _drifting_total(page, before, expected, declared, self.window)
            seen += page.count
            if seen >= expected:
                return Proof(seen, expected, "drifting", number - self.start + 1)
            if not page.count:
                raise Incomplete(f"A page is empty after {seen} of {counted(expected, 'row')}.")
            number, before = number + 1, page


@dataclass(frozen=True, slots=True)
class Offset:
    """A position and a page size, with a declared total.

        Offset("count")                                                            # DefectDojo's and other Django APIs
        Offset("totalResults", "startIndex", "count", start=1)                     # SCIM counts from one
        Offset("hits.total.value", "from", "size", json="", window=10_000)         # a search in the JSON body
        Offset("data.scan.counts.total", "start", "count", json="variables")       # GraphQL without cursors

    The next position is `start` plus the rows that came, so a page size that the vendor lowers leaves no gap. `window`
    is the vendor's cap on positions: a total that reaches it is Incomplete at once, and no question reaches beyond it.
    `json` puts the numbers into that object of the JSON body (`""` is the body itself) instead of the query.

    The proof is *drifting*, as with PageNumber, and the same is refused. So is a page that overlaps with a short one
    before it: there a row was left out, and a repeated one would make up for it in the count.
    """

    total: str
    offset: str = "offset"
    limit: str = "limit"
    per: int = 100
    start: int = 0
    window: int | None = None
    json: str | None = None

    def walk(self, first: Ask) -> Walk:
        """Asks on from what came until the declared total has come."""
        seen, pages, expected, before = 0, 0, None, Page()
        while True:
            size = self.per if self.window is None else min(self.per, self.window - seen)
            page = yield _saying(first, self.json, {self.offset: self.start + seen, self.limit: size})
            expected = _drifting_total(page, before, expected, _declared(page, self.total), self.window)
            if before.count < self.per and any(row in before.rows for row in page.rows):
                # The vendor left a row out of the page before, so this one began too early and makes up for it.
                raise Incomplete(f"Two pages overlap after {seen} of {counted(expected, 'row')}.")
            seen, pages, before = seen + page.count, pages + 1, page
            if seen >= expected:
                return Proof(seen, expected, "drifting", pages)
            if not page.count:
                raise Incomplete(f"A page is empty at {seen} of {counted(expected, 'row')}.")


@dataclass(frozen=True, slots=True)
class NextLink:
    """Each page holds the link to the next one, or null.

        NextLink()                              # JSON:API: Snyk's REST API
        NextLink("next", total="count")         # Django: DefectDojo

    An object of links (`"links.next"`) may leave it out at the end, as JSON:API allows; at the top it must be there.

    The proof is *drifting* where a link counts (`page=3`, `offset=200`: Django's do) and *steady* otherwise: Snyk's
    hold cursors. Say `kind` where a vendor counts under a name that nobody guesses, or calls a cursor `start`. A link
    that is no text, and an answer without a place for one, are VendorChanged.
    """

    link: str = "links.next"
    total: str | None = None
    kind: Literal["steady", "drifting"] | None = None

    def walk(self, first: Ask) -> Walk:
        """Follows the links to the page that has none."""
        return _along(first, self._next, _Tally(self.total), self.kind)

    def _next(self, page: Page) -> str | None:
        link = _in_its_place(page.body, self.link, optional="." in self.link)
        if link is None or link == "":
            return None
        if not isinstance(link, str):
            raise VendorChanged(f"The answer's {self.link!r} is no link.")
        return link


@dataclass(frozen=True, slots=True)
class LinkHeader:
    """The header `Link` names the next page with `rel="next"` (RFC 8288); the last page has none.

        LinkHeader()                                        # GitHub's Dependabot alerts: cursors
        LinkHeader(total_header="X-Total", always=True)     # GitLab, by offset

    The proof is *steady* or *drifting* as with NextLink: GitHub's code scanning alerts are numbered, and drift.

    A header that something in between drops looks like the end of the list. So name what else the vendor sends: the
    header with the number of rows, and whether there is `always` a Link header, also on the last page (`rel="first"`,
    `rel="self"`). A header that is not written as RFC 8288 wants, and one that names two next pages, are VendorChanged.
    """

    total_header: str | None = None
    always: bool = False
    kind: Literal["steady", "drifting"] | None = None

    def walk(self, first: Ask) -> Walk:
        """Follows the links to the page that has none."""
        return _along(first, self._next, _Tally(self.total_header, in_headers=True), self.kind)

    def _next(self, page: Page) -> str | None:
        header = _header(page, "Link")
        if header is None and self.always:
            raise VendorChanged("The answer has no Link header.")
        links = {target for target, relations in _links(header or "") if "next" in relations}
        if len(links) > 1:
            raise VendorChanged("The Link header names two next pages.")
        return links.pop() if links else None


@dataclass(frozen=True, slots=True)
class Cursor:
    """A token in the answer goes back into the next question, until there is none.

        Cursor("meta.next_cursor", query="cursor")
        Cursor("nextToken", json="nextToken", optional=True)                # AWS Inspector's ListFindings
        Cursor("next_cursor", query="cursor", more="has_more")

    It goes into the parameter `query`, or to the path `json` of the JSON body. null and an empty text end the list; a
    token that is not there at all does so only where the vendor documents it (`optional`), and then what should hold it
    must be there. `more` is where a true or false says whether another page follows: then that word decides, and a
    page that promises another without a token is VendorChanged.

    The proof is *steady*: a cursor stands for a place in one consistent list. A page may be empty and have a token, as
    AWS documents: the walk goes on. A token that is no text and no number is VendorChanged. A cursor that comes back
    is refused by the Session, which never asks for the same page twice.
    """

    cursor: str
    query: str = ""
    json: str = ""
    more: str = ""
    optional: bool = False
    total: str | None = None

    def __post_init__(self) -> None:
        if bool(self.query) == bool(self.json):
            raise ValueError("A Cursor goes back into the query or into the JSON body: give one of both.")

    def walk(self, first: Ask) -> Walk:
        """Puts the token back until there is none."""
        tally, ask = _Tally(self.total), first
        while True:
            page = yield ask
            tally.add(page)
            token = self._token(page.body)
            if token is None:
                return tally.proof("steady")
            ask = _putting(first, self.query, self.json, token)

    def _token(self, body: Any) -> str | int | None:
        if self.more and not _says_more(body, self.more):
            return None
        token = _in_its_place(body, self.cursor, optional=self.optional)
        if token is None or token == "":
            if self.more:
                raise VendorChanged(f"The answer promises another page and has no {self.cursor!r}.")
            return None
        if isinstance(token, bool) or not isinstance(token, str | int):
            raise VendorChanged(f"The answer's {self.cursor!r} is no cursor.")
        return token


@dataclass(frozen=True, slots=True)
class SearchAfter:
    """A keyset: the next question names the sort values, or the id, of the last row that came.

        SearchAfter("sort", json="search_after", total="hits.total.value")       # OpenSearch, Wazuh's indexer
        SearchAfter("id", query="starting_after", more="has_more")               # by the last id

    `last` is where a row holds its values. Sort by what never changes and no two rows share, the id last: rows that
    share the values at the end of a page are left out. Ask OpenSearch with `"track_total_hits": true`: a total whose
    `relation` is not `eq` is an estimate, and Incomplete for every shape.

    The proof is *steady*: rows that come or go do not move the place of another one. What ends the list is the declared
    `total` or the word at `more`, and one of them must be there. An empty page before that, and a row that comes twice,
    are Incomplete; a row without its values, or with null among them, is VendorChanged.
    """

    last: str
    query: str = ""
    json: str = ""
    total: str | None = None
    more: str = ""

    def __post_init__(self) -> None:
        if bool(self.query) == bool(self.json):
            raise ValueError("The last values go into the query or into the JSON body: give one of both.")
        if self.total is None and not self.more:
            raise ValueError("Nothing would prove the end of the list: give total or more.")

    def walk(self, first: Ask) -> Walk:
        """Asks for what comes after the last row until the vendor's word says that all of them came."""
        tally, ask, last = _Tally(self.total), first, None
        while True:
            page = yield ask
            tally.add(page)
            places = self._places(page)
            if last in places or len({repr(place) for place in places}) < len(places):
                raise Incomplete(f"The vendor repeats a row after {counted(tally.seen - page.count, 'row')}.")
            if not (_says_more(page.body, self.more) if self.more else tally.is_short):
                return tally.proof("steady")
            if not places:
                raise Incomplete(
                    f"A page is empty after {counted(tally.seen, 'row')}, and the vendor says that there are more."
                )
            last = places[-1]
            ask = _putting(first, self.query, self.json, last)

    def _places(self, page: Page) -> list[Any]:
        """What names the place of each row: one that came twice would make up in the count for one left out."""
        if len(page.rows) != page.count:
            raise VendorChanged("A row of the page is no object, so nothing says where it stands.")
        places = [dig(row, self.last) for row in page.rows]
        if not all(_is_place(place) or (self.json and _are_places(place)) for place in places):
            raise VendorChanged(f"The {self.last!r} of a row does not say where it stands.")
        return places


@dataclass(frozen=True, slots=True)
class GraphQL:
    """A connection as Relay describes it: `pageInfo { hasNextPage endCursor }`, and a variable that takes the cursor.

        ALERTS = "query Alerts($after: String) { viewer { alerts(first: 100, after: $after) { ... } } }"
        List(graphql(ALERTS, after=None), "data.viewer.alerts.nodes",
             GraphQL("data.viewer.alerts", total="data.viewer.alerts.totalCount"), ...)

    GitHub, GitLab and Wiz page so. `connection` is where it stands in the answer. An API that takes positions instead,
    as Burp's does, is `Offset(..., json="variables")`.

    The proof is *steady*. Only `hasNextPage: false` ends the list; one that is missing, null or no boolean, and a next
    page without a cursor, are VendorChanged. The Ask must be made by graphql(), or errors beside half of the data would
    pass for data.
    """

    connection: str
    variable: str = "after"
    total: str | None = None

    def walk(self, first: Ask) -> Walk:
        """Puts the end cursor back into the variables until there is no next page."""
        if not first.graphql:
            raise ValueError("GraphQL walks a question that graphql() made.")
        info = f"{self.connection}.pageInfo"
        more, variable = f"{info}.hasNextPage", f"variables.{self.variable}"
        return Cursor(f"{info}.endCursor", json=variable, more=more, total=self.total).walk(first)


@dataclass(frozen=True, slots=True)
class Export:
    """The vendor writes the list down on demand: start it, look until it is done, fetch its parts.

        Export(                                                             # Tenable's vulns/export
            status=lambda started: Ask(f"vulns/export/{identifier(started.body, 'export_uuid')}/status"),
            state="status",
            working=frozenset({"QUEUED", "PROCESSING"}),
            done=frozenset({"FINISHED"}),
            parts=chunks,       # a function of the first answer and of the last look: an Ask for each chunk
            count="total_chunks",
            empty="empty_chunks_count",
            lost=("chunks_failed", "chunks_cancelled"),
            reason="reason",
            busy="active_job_id",
        )

    The List's Ask starts it (`method="POST"`). `status` makes of the answer to that the question to look with, `parts`
    of it and of the last look the questions for the rows; one for a single large file has a `reader`. Between two looks
    lie `every` seconds, and after `polls` of them the walk gives up. `count` is where the last look says how many parts
    there are, `empty` how many of them hold nothing and may be left out of the list, `lost` are lists that must be
    empty there, `reason` is where it may say why the export failed, `total` is the declared number of rows. `busy` is
    where the answer to the start names another run of the same export, which is waited for: the start says by `also`
    which status that has, and is then `safe` to be asked again after a failure.
    `allowed` is a question that needs the same right and starts nothing, for *Test connection*.

    The proof is *whole* for one part and *steady* for more: they are cut from one snapshot. A state that is neither
    `working` nor `done`, known or not, is Incomplete, and so are lost parts, fewer parts than declared, and no part at
    all where no count says so. A part that has expired answers 404 or 410, which ends the reading by itself.
    """

    status: Callable[[Page], Ask]
    parts: Callable[[Page, Page], Sequence[Ask]]
    state: str
    working: frozenset[str]
    done: frozenset[str]
    count: str | None = None
    empty: str | None = None
    lost: tuple[str, ...] = ()
    reason: str | None = None
    busy: str | None = None
    allowed: Ask | None = None
    total: str | None = None
    every: float = 5
    polls: int = 720

    def walk(self, first: Ask) -> Walk:
        """Starts the export, waits for it, and fetches every part."""
        started = yield from self._started(replace(first, bare=True))
        finished = yield from self._finished(replace(self.status(started), bare=True))
        parts = self._all_parts(started, finished)
        seen = 0
        for part in parts:
            seen += (yield part).count
        expected = None if self.total is None else _count(finished.body, self.total)
        _refuse_difference(expected, seen)
        return Proof(seen, expected, "whole" if len(parts) == 1 else "steady", len(parts))

    def _started(self, start: Ask) -> Generator[Ask | Wait, Page, Page]:
        """The vendor's word that it has begun. Another run is not taken over: it may be somebody's who sees less."""
        for _ in range(self.polls):
            page = yield start
            if self.busy is None or dig(page.body, self.busy, None) is None:
                return page
            yield Wait(self.every)
        raise Incomplete(f"The same export, started before, was still running after {self.polls} tries.")

    def _finished(self, look: Ask) -> Generator[Ask | Wait, Page, Page]:
        """The last look at the export, which says that it is done."""
        for _ in range(self.polls):
            page = yield look
            state = dig(page.body, self.state)
            if not isinstance(state, str):
                raise VendorChanged(f"The answer's {self.state!r} is no state.")
            if state in self.done:
                return page
            if state not in self.working:
                raise Incomplete(f"The export ended as {state[:60]!r}.{self._why(page)}")
            yield Wait(self.every)
        raise Incomplete(f"The export was not done after {self.polls} looks.")

    def _all_parts(self, started: Page, finished: Page) -> Sequence[Ask]:
        for path in self.lost:
            if dig(finished.body, path) != []:
                raise Incomplete(f"The vendor lost a part of the export: {path!r} is not empty.{self._why(finished)}")
        parts = self.parts(started, finished)
        if self.count is None and not parts:
            raise Incomplete("The export is done and has no part.")
        declared = len(parts) if self.count is None else _count(finished.body, self.count)
        empty = 0 if self.empty is None else _count(finished.body, self.empty)
        if len(parts) not in (declared, declared - empty):
            raise Incomplete(f"The export declares {counted(declared, 'part')} and names {len(parts)}.")
        return parts

    def _why(self, page: Page) -> str:
        """The vendor's own sentence about a failure, where it gives one."""
        told = None if self.reason is None else dig(page.body, self.reason, None)
        return f' The vendor says: "{" ".join(told.split())[:200]}"' if isinstance(told, str) and told else ""


def steady_total(before: int | None, now: int) -> int:
    """The total, if it did not move since the page before; raises TotalMoved if it did."""
    if before is not None and before != now:
        raise TotalMoved(f"The total moved from {before} to {now} while the list was read.")
    return now


@dataclass(slots=True)
class _Tally:
    """What one walk has seen, beside what the vendor declares in the body or in a header."""

    total: str | None
    in_headers: bool = False
    seen: int = 0
    pages: int = 0
    expected: int | None = None

    def add(self, page: Page) -> None:
        """Counts a page; raises TotalMoved where the total did."""
        self.seen, self.pages = self.seen + page.count, self.pages + 1
        if self.total is not None:
            self.expected = steady_total(self.expected, _declared(page, self.total, in_headers=self.in_headers))
        if self.expected is not None and self.seen > self.expected:
            _refuse_difference(self.expected, self.seen)

    @property
    def is_short(self) -> bool:
        """Whether rows are still due."""
        return self.expected is not None and self.seen < self.expected

    def proof(self, kind: Kind) -> Proof:
        """The proof at the vendor's word that this was the end; raises Incomplete where its count says otherwise."""
        _refuse_difference(self.expected, self.seen)
        return Proof(self.seen, self.expected, kind, self.pages)


def _refuse_difference(expected: int | None, seen: int) -> None:
    if expected is not None and expected != seen:
        raise Incomplete(f"The vendor declares {counted(expected, 'row')} and sent {seen}.")


def _declared(page: Page, total: str, *, in_headers: bool = False) -> int:
    """How many rows there are, by the body or by a header of a page."""
    return _count_of(_header(page, total), total) if in_headers else _count(page.body, total)


def _drifting_total(page: Page, before: Page, expected: int | None, now: int, window: int | None) -> int:
    """What a page declares; raises Incomplete where it is the page before once more, or the list cannot be whole."""
    declared = steady_total(expected, now)
    if window is not None and declared >= window:  # a total that is itself cut there looks like one that just fits
        raise Incomplete(f"There are {declared} rows or more, and the vendor lists only {window}.")
    if page.rows and page.rows == before.rows:  # whoever does not know the parameter sends the first page for ever
        raise Incomplete("The vendor sends the same page again.")
    return declared


def _along(first: Ask, following: Callable[[Page], str | None], tally: _Tally, kind: Kind | None) -> Walk:
    """Follows links until a page has none."""
    ask, counted = first, False
    while True:
        page = yield ask
        tally.add(page)
        link = following(page)
        if link is None:
            return tally.proof(kind or ("drifting" if counted else "steady"))
        counted = counted or _counts(link)
        own = first.path.partition("?")[0] if link.startswith("?") else ""
        ask = replace(first, path=own + link, query={})


_COUNTING = frozenset(
    {"page", "p", "page[number]", "page[offset]", "pagenumber", "offset", "skip", "start", "startat", "startindex"}
)


def _counts(link: str) -> bool:
    """Whether a link says by a number where it leads, so that it moves with every row before."""
    query = link.partition("?")[2].partition("#")[0]
    return any(name.lower() in _COUNTING and value.isdecimal() for name, value in parse_qsl(query))


def _saying(first: Ask, json: str | None, numbers: Mapping[str, int]) -> Ask:
    """The question with these numbers in its query, or in an object of its JSON body."""
    if json is None:
        return first.more(**numbers)
    held = dig({} if first.json is None else first.json, json, {})
    return replace(first, json=_put(first.json, json, {**held, **numbers}))


def _putting(first: Ask, query: str, json: str, value: Any) -> Ask:
    """The question with a value at one of both places."""
    return first.more(**{query: value}) if query else replace(first, json=_put(first.json, json, value))


def _put(body: Any, path: str, value: Any) -> Any:
    """A copy of nested dicts with a value at the path, which is made where it is missing."""
    if not path:
        return value
    if body is not None and not isinstance(body, Mapping):
        raise ValueError(f"the JSON body of the question has no place for {path!r}")
    held = dict(cast("Mapping[str, Any]", body or {}))
    name, _, rest = path.partition(".")
    return {**held, name: _put(held.get(name), rest, value)}


def _in_its_place(body: Any, path: str, *, optional: bool) -> Any:
    """The value at a path; None where it is left out and may be. What should hold it must be there in any case."""
    if not isinstance(dig(body, path.rpartition(".")[0]), Mapping):
        raise VendorChanged(f"The answer has no place for {path!r}.")
    return dig(body, path, *([None] if optional else []))


def _says_more(body: Any, path: str) -> bool:
    more = dig(body, path)
    if not isinstance(more, bool):
        raise VendorChanged(f"The answer's {path!r} does not say whether there is another page.")
    return more


def _is_place(value: Any) -> bool:
    """Whether a value can say where a row stands in an order: null would lead back to the first one."""
    return isinstance(value, str | int | float) and not isinstance(value, bool) and value != ""


def _are_places(values: Any) -> bool:
    items = cast("list[Any]", values if isinstance(values, list) else [])
    return bool(items) and all(map(_is_place, items))


def _count(body: Any, path: str) -> int:
    """The vendor's own count in the body. Raises Incomplete where a search engine only says "at least so many"."""
    holder, _, name = path.rpartition(".")
    if name == "value" and dig(body, f"{holder}.relation", "eq") != "eq":
        raise Incomplete("The vendor only estimates how many rows there are.")
    return _count_of(dig(body, path), path)


def _count_of(found: Any, name: str) -> int:
    """A whole number, or a text that is one."""
    if isinstance(found, str) and found.isascii() and found.isdigit() and len(found) < 20:
        return int(found)
    if isinstance(found, bool) or not (isinstance(found, int) or (isinstance(found, float) and found.is_integer())):
        raise VendorChanged(f"The answer's {name!r} is no count.")
    return int(found)


def _header(page: Page, name: str) -> str | None:
    """A header by its name, however it is written."""
    return next((value for key, value in page.headers.items() if key.lower() == name.lower()), None)


# RFC 8288, section 3. Possessive throughout, so that no header takes longer to read than it is long.
_NAME, _VALUE = r"[^\s=;,<>\"]++", r'"(?:[^"\\]|\\.)*+"|[^\s=;,<>"]*+'
_PARAMETERS = re.compile(rf";\s*+(?:({_NAME})\s*+(?:=\s*+({_VALUE})\s*+)?+)?+")
_LINK = re.compile(rf"[\s,]*+<([^<>]*+)>\s*+((?:;\s*+(?:{_NAME}\s*+(?:=\s*+(?:{_VALUE})\s*+)?+)?+)*+)(?:,|\Z)")


def _links(header: str) -> list[tuple[str, list[str]]]:
    """The links of a Link header with their relations; raises VendorChanged where it is not written as it should."""
    found: list[tuple[str, list[str]]] = []
    position, end = 0, len(header.rstrip(" \t,"))
    while position < end:
        link = _LINK.match(header, position)
        if link is None:
            raise VendorChanged("The Link header cannot be read.")
        position = link.end()
        parameters = [(name.lower(), value) for name, value in _PARAMETERS.findall(link[2])]
        relation = next((value for name, value in parameters if name == "rel"), "")
        if not any(name == "anchor" for name, _ in parameters):  # it tells of a page that is not this one
            found.append((link[1].strip(), relation.strip('"').lower().split()))
    return found
