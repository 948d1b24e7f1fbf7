"""How SonarQube's searches are walked: numbered pages that end at 10,000 rows, so a larger search is split.

A split is believed only where it leaves nothing out: by the time of creation and by rule that is so by itself; by words
(a severity, a status) only if the parts add up to what the server declares for the whole. SonarQube Cloud cuts the
declared total itself at 10,000, so there 10,000 means "so many or more" and a split by words proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tidegate.connectors.sonarqube.rules import Rules
from tidegate_sdk import (
    Ask,
    Incomplete,
    Page,
    PageNumber,
    Proof,
    TotalMoved,
    VendorChanged,
    Wait,
    Walk,
    dig,
    identifier,
)
from tidegate_sdk.fields import moment, rows, whole_number

TOTAL = "paging.total"
LARGEST_FACET = 100
"""Values that a facet lists at most."""
_SECOND = timedelta(seconds=1)

Asking = Generator[Ask | Wait, Page, list[Ask]]


@dataclass(frozen=True, slots=True)
class Cut:
    """One way to split a search: the narrower questions, none where it cannot be split so.

    `exact`: nothing can fall between the parts. `again`: a part may be split in the same way once more.
    """

    parts: Callable[[Ask], Asking]
    exact: bool = False
    again: bool = False


@dataclass(frozen=True, slots=True)
class Search:
    """A search within the window. It first asks how many rows there are, which also tells an empty one at once.

    `witness` is asked where nothing is there: a search answers with no rows for a branch that does not exist.
    """

    cuts: tuple[Cut, ...]
    rules: Rules
    organization: Mapping[str, str] = field(default_factory=dict[str, str])
    witness: Callable[[], Generator[Ask, Page, bool]] | None = None
    total: str = TOTAL
    window: int = 10_000
    per: int = 500

    def walk(self, first: Ask) -> Walk:
        yield from self.rules.learn(self.organization)
        proof = yield from self._part(first, self.cuts)
        if not proof.seen and self.witness is not None and not (yield from self.witness()):
            raise Incomplete("There is nothing, and the branch is not there any more.")
        return proof

    def _part(self, ask: Ask, cuts: Sequence[Cut]) -> Generator[Ask | Wait, Page, Proof]:
        """Everything that the question finds, if need be piece by piece."""
        count = yield from self._count(ask)
        if not count:
            return Proof(0, 0, "whole", 1)
        if count < self.window:
            return (yield from self._pages(ask, count))
        for place, cut in enumerate(cuts):
            parts = yield from cut.parts(ask)
            if parts:
                return (yield from self._together(count, cut, parts, cuts[place if cut.again else place + 1 :]))
        raise Incomplete(f"There are {count} rows or more, only {self.window} are listed, and no filter parts them.")

    def _together(
        self, count: int, cut: Cut, parts: Sequence[Ask], cuts: Sequence[Cut]
    ) -> Generator[Ask | Wait, Page, Proof]:
        """The parts of one search; they must add up to what was declared for it."""
        proofs: list[Proof] = []
        for part in parts:
            proofs.append((yield from self._part(part, cuts)))  # noqa: PERF401 - a comprehension cannot ask
        seen = sum(proof.seen for proof in proofs)
        if count == self.window and not cut.exact:
            raise Incomplete(f"There are {count} rows or more, and nothing tells whether the {seen} found are all.")
        if seen < count or seen > count > self.window:
            raise TotalMoved(f"The server declares {count} rows, and its parts add up to {seen}.")
        return Proof(seen, seen, "drifting", sum(proof.pages for proof in proofs))

    def _count(self, ask: Ask) -> Generator[Ask | Wait, Page, int]:
        page = yield replace(ask.more(p=1, ps=1), bare=True)
        return whole_number(dig(page.body, self.total))

    def _pages(self, ask: Ask, count: int) -> Generator[Ask | Wait, Page, Proof]:
        proof = yield from PageNumber(self.total, page="p", size="ps", per=self.per).walk(ask)
        if proof.expected != count:
            raise TotalMoved(f"The total moved from {count} to {proof.expected} while the list was read.")
        return replace(proof, kind="whole") if proof.pages == 1 else proof


def _by_words(name: str, *words: str) -> Cut:
    def parts(ask: Ask) -> Asking:
        yield from ()
        return [ask.more(**{name: word}) for word in words]

    return Cut(parts)


def _by_creation(ask: Ask) -> Asking:
    """Two halves of the time in which the issues were created, down to one second."""
    after, before = ask.query.get("createdAfter"), ask.query.get("createdBefore")
    if after is None or before is None:
        first = yield from _created(ask, "true")
        last = yield from _created(ask, "false")
        begin, end = first, last + _SECOND
    else:
        begin, end = datetime.fromisoformat(after), datetime.fromisoformat(before)
    middle = begin + timedelta(seconds=(end - begin) // _SECOND // 2)
    if not begin < middle < end:
        return []
    return [
        ask.more(createdAfter=_written(begin), createdBefore=_written(middle)),
        ask.more(createdAfter=_written(middle), createdBefore=_written(end)),
    ]


def _created(ask: Ask, ascending: str) -> Generator[Ask | Wait, Page, datetime]:
    """When the oldest or the newest of them was created, to the second."""
    page = yield replace(ask.more(p=1, ps=1, s="CREATION_DATE", asc=ascending), bare=True)
    issues = rows(page.body, "issues")
    created = moment(issues[0]["creationDate"]) if issues else None
    if created is None:
        raise VendorChanged("An issue does not say when it was created, so the list cannot be split.")
    return created.astimezone(UTC)


def _written(time: datetime) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S+0000")


def _by_rule(ask: Ask) -> Asking:
    """One question a rule, if the server lists all of them."""
    page = yield replace(ask.more(p=1, ps=1, facets="rules"), bare=True)
    facet: list[Any] = next((each["values"] for each in rows(page.body, "facets") if each["property"] == "rules"), [])
    found = [identifier(value, "val") for value in facet]
    return [ask.more(rules=rule) for rule in found] if 1 < len(found) < LARGEST_FACET else []


OF_ISSUES = (
    Cut(_by_creation, exact=True, again=True),
    Cut(_by_rule, exact=True),
    _by_words("severities", "INFO", "MINOR", "MAJOR", "CRITICAL", "BLOCKER"),
)
OF_HOTSPOTS = (
    _by_words("status", "TO_REVIEW", "REVIEWED"),
    _by_words(
        "sonarsourceSecurity",
        *("malicious-dependencies", "buffer-overflow", "sql-injection", "rce", "object-injection", "command-injection"),
        *("path-traversal-injection", "ldap-injection", "xpath-injection", "log-injection", "xxe", "xss", "dos"),
        *("ssrf", "csrf", "http-response-splitting", "open-redirect", "weak-cryptography", "auth", "insecure-conf"),
        *("file-manipulation", "encrypt-data", "traceability", "permission", "others"),
    ),
)
