"""Which findings a list shows, in which order: by their numbers only; reads/finding.py says what stands in a row.

Each way along an index is for a case, and each ends after a page, however many findings there are. What costs is
measured by bench/lists.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Final, Literal

from tidegate.reads.page import CursorRefused, decoded, encoded
from tidegate.reads.viewer import sees_everything, visible
from tidegate.store import models
from tidegate.store.statement import rows_of
from tidegate_sdk import Severity

Sort = Literal["severity", "newest", "oldest", "changed"]

COUNTED: Final = 10_000
"""Counts are exact up to so many."""

HITS: Final = 1_000
"""So many hits of a search are ranked."""

WORST: Final = Severity.CRITICAL.rank

FEEDS: Final = 2_000
"""Where no more Feeds are asked for, each is looked into; where more are, findings are walked along."""

MOST: Final = 0.67
"""Where a smaller part of all Tests is asked for, all their findings are looked at for the oldest: others may have come
before."""

RARE: Final = 30_000
"""Hits that are all gathered, from the index; of more frequent words, the newest findings are looked at one by one."""

SURELY_RARE: Final = 16_000
"""Hits of one whole word that are gathered whatever the newest findings say of it: among them it may be frequent by
chance, and to meet a thousand hits one by one costs more."""

PROBED: Final = 3_000
"""So many of the newest findings tell what the planner does not know of words that come together: that they are
frequent."""

FREQUENT: Final = 0.022
"""The part of all findings from which on hits are met sooner than gathered."""

FREQUENT_BESIDE: Final = 0.03
"""The same where there are other filters, for which more hits must be met."""

LOOKED_AT: Final = 7_000
"""So many are looked at one by one, the newest, where indexes alone leave no more of them out."""

WITHIN: Final = 40_000
"""Findings of some Feeds that are all looked at too, where the word is not known to be rare, so that hits elsewhere are
not."""

IN_FEEDS: Final = 8_000
"""Findings of a few Feeds that are all looked at, whatever the word."""

BESIDE: Final = 2
"""So many times the hits are looked at where there are other filters."""

WALKED: Final = 8_000
"""So many findings are looked at along their numbers first, where many Feeds are asked for: they mostly fill a page."""

FEW_FEEDS: Final = 200
"""Of no more Feeds each is looked into at once."""

SKEW: Final = timedelta(hours=2)
"""Findings that are stored at once by several may have numbers in another order than times."""

LOOKED_THROUGH: Final = 3_000
"""So many numbers at a time are looked through for all hits of a search: they are small, and hits may be far apart."""

MOST_WORDS: Final = 12
_BETWEEN: Final = re.compile(r"[\x00-\x2f\x3a-\x40\x5b-\x60\x7b-\x7f\s]+")
"""What stands between words, as words_of() in store/sql/schema cuts them."""


@dataclass(frozen=True, kw_only=True)
class Wanted:
    """What is asked for; None asks for all."""

    product_id: int | None = None
    product_type: str | None = None
    connection_id: int | None = None
    record_id: int | None = None
    tool: str | None = None
    severity: int | None = None
    active: bool | None = None
    open: bool | None = None
    standing: str | None = None
    """`held` or `kept open`."""
    unwatched: bool = False
    since: datetime | None = None
    until: datetime | None = None
    cwe: int | None = None
    component: str | None = None
    text: str = ""
    sort: Sort | None = None


@dataclass(frozen=True, kw_only=True)
class Selected:
    """The numbers of one page."""

    ids: list[int]
    next: str | None
    count: int | None
    """None where it would take too long to count."""
    more: bool
    """There are more than `count`."""


NOTHING: Final = Selected(ids=[], next=None, count=0, more=False)


@dataclass(frozen=True)
class _Scope:
    """The Feeds asked for: all of them, or those in some Tests where they are too many to be looked into."""

    feeds: list[int] | None
    tests: list[int] | None
    unwatched: bool
    left: list[int]
    left_open: int = 0
    """Open findings of the Feeds that are left behind whole."""

    @property
    def empty(self) -> bool:
        return self.feeds == [] or self.tests == []

    @property
    def few(self) -> bool:
        return self.feeds is not None and len(self.feeds) <= FEEDS

    def parameters(self) -> dict[str, Any]:
        some_skipped = self.unwatched and not set(self.feeds or ()) <= set(self.left)
        return {"feeds": self.feeds, "tests": self.tests, "unwatched": some_skipped, "left_feeds": self.left}


def select(wanted: Wanted, cursor: str | None, limit: int) -> Selected:
    """The numbers of one page behind the cursor. Raises CursorRefused."""
    scope = _scope(wanted)
    if scope.empty:
        return NOTHING
    if wanted.text or wanted.cwe is not None or wanted.component is not None:
        return _search(wanted, scope, cursor, limit)
    if wanted.standing is not None:
        held = models.Held.objects.filter(standing=wanted.standing)
        given = list(held.order_by("-pk").values_list("pk", flat=True)[: COUNTED + 1])
        return _among(given, wanted, scope, cursor, limit, at_most=COUNTED) or NOTHING
    return _list(wanted, scope, cursor, limit)


def walk(wanted: Wanted, at_a_time: int) -> Iterator[list[int]]:
    """The numbers of all that is asked for, the oldest first, so many at a time and however many there are. Of a search
    too: a list shows its best hits, here are all of them. Where few findings have the words these are looked at, else
    hits are looked for along the way."""
    scope = _scope(wanted)
    query = query_of(wanted.text) if wanted.text else None
    if scope.empty or query == "":  # none has a text without any word, as in a list
        return
    if query is not None and (hits := _gathered(query)) is not None:
        yield from _walk_of_some(_cut(hits, LOOKED_THROUGH), wanted, scope, at_a_time)
        return
    searched = wanted.text or wanted.cwe is not None or wanted.component is not None
    many = max(at_a_time, LOOKED_THROUGH) if searched else at_a_time
    found = _walk_of_held(wanted, scope, many) if wanted.standing is not None else _walk_of_all(wanted, scope, many)
    yield from _searched(wanted, query, found, at_a_time) if searched else found


def _walk_of_all(wanted: Wanted, scope: _Scope, at_a_time: int) -> Iterator[list[int]]:
    given = _facts(wanted) | scope.parameters() | _numbers_between(wanted) | {"at_most": at_a_time}
    after: int | None = None
    while True:
        if scope.few and scope.tests is None:
            rows = _ids_of_feeds(**given, after_id=after, by="oldest", after_severity=None)
        else:
            rows = _ids_by_age(**given, after_id=after, oldest=True)
        if not rows:
            return
        after = rows[-1]["id"]
        yield [row["id"] for row in rows]


def _gathered(query: str) -> list[int] | None:
    """All findings with these words, the oldest first, wherever they lie; None where many have them."""
    if not _is_rare(query, _estimated(query), others=True):
        return None
    found = [row["finding_id"] for row in rows_of("words_gathered", query=query, at_most=RARE + 1)]
    return found if len(found) <= RARE else None


def _searched(wanted: Wanted, query: str | None, found: Iterator[list[int]], at_a_time: int) -> Iterator[list[int]]:
    """Those that are searched for, out of what was found."""
    for given in found:
        hits = rows_of(
            "finding_ids_searched", given=given, query=query, cwe=wanted.cwe, component=wanted.component
        )  # fmt: skip
        yield from _cut(_ids(hits, len(hits)), at_a_time)


def _walk_of_held(wanted: Wanted, scope: _Scope, at_a_time: int) -> Iterator[list[int]]:
    return _walk_of_some(_held(wanted, at_a_time), wanted, scope, at_a_time)


def _held(wanted: Wanted, at_a_time: int) -> Iterator[list[int]]:
    held, after = models.Held.objects.filter(standing=wanted.standing).order_by("pk"), 0
    while given := list(held.filter(pk__gt=after).values_list("pk", flat=True)[:at_a_time]):
        after = given[-1]
        yield given


def _walk_of_some(some: Iterator[list[int]], wanted: Wanted, scope: _Scope, at_a_time: int) -> Iterator[list[int]]:
    """Of given findings those that are as asked for; the words are not asked again."""
    for given in some:
        shown = _among(given, replace(wanted, sort="oldest"), scope, None, len(given), at_most=len(given))
        yield from _cut(shown.ids if shown is not None else [], at_a_time)


def _cut(ids: list[int], at_a_time: int) -> Iterator[list[int]]:
    for first in range(0, len(ids), at_a_time):
        yield ids[first : first + at_a_time]


def unindexed() -> int:
    """How many findings that the viewer may see wait for their words; of very many, those that come first."""
    tests = None if sees_everything() else _visible_tests()
    (row,) = rows_of("words_waiting", tests=tests, at_most=1000)
    return row["findings"]


def query_of(text: str, *also: str) -> str:
    """A tsquery of all words in a text, the last as a beginning; empty where there is none. Nothing in the text is
    syntax: what could be stands between words."""
    words = [word for word in _BETWEEN.split(text.lower()) if word][:MOST_WORDS]
    # One letter begins half of all words; it is looked for as it is.
    parts = [f"'{word[:500]}'{':*' if word is words[-1] and len(word) > 1 else ''}" for word in words]
    return " & ".join([*parts, *(f"'{word}'" for word in also)])


def _scope(wanted: Wanted) -> _Scope:
    tests: list[int] | None = None
    filters = {
        "engagement__product_id": wanted.product_id,
        "engagement__product__product_type__name__iexact": wanted.product_type,
        "connection_id": wanted.connection_id,
        "connection__tool": wanted.tool,
    }
    asked = {name: value for name, value in filters.items() if value is not None}
    if asked or not sees_everything():
        tests = _visible_tests(**asked)
    feeds: list[int] | None = None
    if wanted.record_id is not None:
        within = models.Feed.objects.filter(record_id=wanted.record_id)
        found = within.values_list("id", "test_id")
        feeds = [feed for feed, test in found if tests is None or test in tests]
        tests = None
    elif tests is not None and len(tests) <= FEEDS:
        some: list[int] = rows_of("feeds_of_tests", tests=tests, at_most=FEEDS + 1)[0]["ids"]
        if len(some) <= FEEDS:
            feeds, tests = some, None
    if not wanted.unwatched:
        return _Scope(feeds, tests, False, [])
    left = rows_of("feeds_left", feeds=feeds)
    whole = {row["id"]: row["open"] for row in left if row["whole"]}
    ours = {row["id"] for row in left}
    return _Scope(sorted(ours), tests, True, list(whole), sum(whole.values()))


def _visible_tests(**asked: Any) -> list[int]:
    seen = visible(
        connection="connection_id",
        product="engagement__product_id",
        product_type="engagement__product__product_type_id",
    )
    return list(models.Test.objects.filter(seen, **asked).values_list("id", flat=True))


def _list(wanted: Wanted, scope: _Scope, cursor: str | None, limit: int) -> Selected:
    sort = wanted.sort or "severity"
    behind = _behind(cursor, sort, 2)
    given = _facts(wanted) | scope.parameters() | _numbers_between(wanted) | {"at_most": limit + 1}
    if sort == "changed":
        return _by_change(given, behind, wanted, scope, limit)
    first, second = behind or (None, None)
    given["after_id"] = None if second is None else abs(second)
    if sort == "severity":
        rows = _the_worst(given, scope, first, limit + 1)
    else:
        rows = _the_newest_or_oldest(given, scope, sort, limit + 1)
    count, more = _count(wanted, scope)
    return Selected(ids=_ids(rows, limit), next=_next(rows, limit, sort, "first", "second"), count=count, more=more)


def _the_worst(given: dict[str, Any], scope: _Scope, after: int | None, at_most: int) -> list[dict[str, Any]]:
    if not scope.few or scope.tests is not None:
        return _by_severity({**given, "after_severity": after}, at_most)
    worst = WORST if after is None else after
    if len(scope.feeds or ()) <= FEW_FEEDS or given["severity"] is not None:
        return _ids_of_feeds(**given, by="severity", after_severity=after)
    # Of many Feeds the tallies of the worst severity are a sixth of all, and mostly fill the page.
    rows = _ids_of_feeds(**{**given, "severity": worst}, by="severity", after_severity=after)
    if len(rows) < at_most and worst > 0:
        others = {**given, "after_id": None, "at_most": at_most - len(rows)}
        rows += _ids_of_feeds(**others, by="severity", after_severity=worst - 1)
    return rows


def _the_newest_or_oldest(given: dict[str, Any], scope: _Scope, sort: str, at_most: int) -> list[dict[str, Any]]:
    oldest = sort == "oldest"
    few = scope.feeds is not None and scope.few and scope.tests is None
    some = oldest and scope.feeds is None and scope.tests is not None and _are_some(scope.tests)
    if some or (few and len(scope.feeds or ()) > FEW_FEEDS):
        rows = rows_of("finding_ids_walked", **given, oldest=oldest, looked_at=WALKED)
        if len(rows) == at_most:
            return rows
    if few:
        return _ids_of_feeds(**given, by=sort, after_severity=None)
    if some:
        return rows_of("finding_ids_oldest_of_tests", **given)
    return _ids_by_age(**given, oldest=oldest)


def _are_some(tests: Sequence[int]) -> bool:
    return len(tests) < models.Test.objects.count() * MOST


def _ids_of_feeds(**given: Any) -> list[dict[str, Any]]:
    return rows_of("finding_ids_of_feeds", **given)


def _ids_by_age(**given: Any) -> list[dict[str, Any]]:
    return rows_of("finding_ids_by_age", **given)


def _by_severity(given: dict[str, Any], at_most: int) -> list[dict[str, Any]]:
    """The worst severity that is left fills most pages; the others are looked at where it does not."""
    worst = WORST if given["after_severity"] is None else given["after_severity"]
    rows: list[dict[str, Any]] = []
    for least, most in ((worst, worst), (0, worst - 1)):
        if len(rows) < at_most and most >= least:
            rows += _ids_by_severity(given | {"least": least, "worst": most, "at_most": at_most - len(rows)})
    return rows


def _ids_by_severity(given: Mapping[str, Any]) -> list[dict[str, Any]]:
    return rows_of("finding_ids_by_severity", **given)


def _by_change(
    given: Mapping[str, Any], behind: Sequence[int] | None, wanted: Wanted, scope: _Scope, limit: int
) -> Selected:
    line, finding = (value or None for value in behind or (None, None))
    count, more = _count(wanted, scope)
    after = {"after_line": line, "after_id": finding}
    if scope.few and scope.tests is None and not more:
        within = {name: value for name, value in given.items() if name != "tests"}
        rows = rows_of("finding_ids_by_change_inside", **within, **after)
    else:
        rows = rows_of("finding_ids_by_change", **given, **after)
    shown, following = rows[:limit], None
    if len(rows) > limit:
        lines = [row["line"] for row in shown if row["line"] is not None]
        others = [row["id"] for row in shown if row["line"] is None]
        following = encoded(["changed", min(lines, default=line or 0), min(others, default=finding or 0)])
    return Selected(ids=_ids(shown, limit), next=following, count=count, more=more)


def _search(wanted: Wanted, scope: _Scope, cursor: str | None, limit: int) -> Selected:
    also = [f"cwe{wanted.cwe}"] if wanted.cwe is not None else []
    if wanted.component is not None:
        also += [word for word in _BETWEEN.split(wanted.component.lower()) if word]
    query = query_of(wanted.text, *also)
    if not query:
        return NOTHING
    others = _filtered(wanted, scope)
    found = None
    if scope.feeds is not None and len(scope.feeds) <= FEW_FEEDS:
        found = _met_in_feeds(query, wanted, scope, IN_FEEDS)
    hits = _estimated(query) if found is None else 0
    if found is None and scope.few and not _is_surely_rare(query, hits):
        found = _met_in_feeds(query, wanted, scope, WITHIN)
    if found is None and hits <= RARE:
        probed = 0 if _is_surely_rare(query, hits) else _probed(query)
        if not _is_frequent(probed, others=others):
            gathered = None if others else _newest_of_rare(query, hits, probed, wanted, scope, cursor, limit)
            gathered = gathered or _among([], wanted, scope, cursor, limit, at_most=HITS, query=query)
            if gathered is not None:
                return gathered
    if found is None and scope.feeds is None and wanted.severity is not None:
        found = _met_of_severity(query, wanted, scope, WITHIN)
    given, cut = found or _met(query, scope, others=others)
    return _among(given, wanted, scope, cursor, limit, at_most=HITS, cut=cut) or NOTHING


def _estimated(query: str) -> int:
    """How many findings have all these words, as the planner's statistics know it: they know how frequent one word is,
    take words for independent of each other, and guess at beginnings."""
    (row,) = rows_of("words_estimate", query=query)
    (plan,) = row["QUERY PLAN"]
    return plan["Plan"]["Plan Rows"]


def _is_surely_rare(query: str, hits: int) -> bool:
    return hits <= SURELY_RARE and " & " not in query and not query.endswith(":*")


def _is_rare(query: str, hits: int, *, others: bool) -> bool:
    """Whether all hits are gathered; where the estimate may be wrong, the newest findings are asked too."""
    return hits <= RARE and (_is_surely_rare(query, hits) or not _is_frequent(_probed(query), others=others))


def _probed(query: str) -> int:
    """How many of the newest findings have these words."""
    return len(_newest(query, looked_at=PROBED, at_most=PROBED)[0])


def _is_frequent(probed: int, *, others: bool) -> bool:
    """As the newest findings know it: whether so many have these words that to meet a thousand of them costs less than
    to gather all; or more of them, where there are other filters."""
    return probed > PROBED * (FREQUENT_BESIDE if others else FREQUENT)


def _newest_of_rare(
    query: str, hits: int, probed: int, wanted: Wanted, scope: _Scope, cursor: str | None, limit: int
) -> Selected | None:
    """Of a word that many have, though not most, the newest hits: they lie among the newest findings, and are gathered
    there alone. How many have it the planner knows, or for a beginning the newest findings. None where there are too
    few hits to begin so, or the guess was too small."""
    if hits < HITS * 8 and probed == 0:
        return None
    (span,) = rows_of("words_span")
    if span["last"] is None:
        return None
    numbers = span["last"] - span["first"]
    hits = max(hits, numbers * probed // max(PROBED, 1))
    if hits < HITS * 8:
        return None
    newest_from = span["last"] - numbers * HITS * 3 // (2 * hits)
    found = _among([], wanted, scope, cursor, limit, at_most=HITS, query=query, newest_from=newest_from)
    return found if found is not None and found.more else None


def _met_in_feeds(query: str, wanted: Wanted, scope: _Scope, most: int) -> tuple[list[int], bool] | None:
    """Findings of few Feeds with these words, and whether there may be more; None where the Feeds hold too many."""
    if wanted.severity is not None:  # of which their own index knows
        return _met_of_severity(query, wanted, scope, most)
    at_most = HITS * (BESIDE if _filtered(wanted, replace(scope, feeds=None)) else 1)
    rows = rows_of("words_find_in_feeds", query=query, feeds=scope.feeds, most=most, at_most=at_most)
    if rows[0]["held"] > most:
        return None
    return [row["finding_id"] for row in rows if row["finding_id"] is not None], rows[0]["met"] > at_most


def _met_of_severity(query: str, wanted: Wanted, scope: _Scope, most: int) -> tuple[list[int], bool] | None:
    """Findings of a severity with these words, of few Feeds or of all, and whether there may be more; None where the
    Feeds hold too many of it."""
    rest = replace(wanted, severity=None, active=None)
    at_most = HITS * (BESIDE if _filtered(rest, replace(scope, feeds=None)) else 1) + 1
    looked_at = LOOKED_AT if scope.feeds is None else IN_FEEDS
    rows = rows_of(
        "words_find_inside", query=query, feeds=scope.feeds, severity=wanted.severity, active=wanted.active, most=most,
        looked_at=looked_at, at_most=at_most,
    )  # fmt: skip
    held = rows[0]["held"]
    if held > most:
        return None
    found = [row["finding_id"] for row in rows if row["finding_id"] is not None]
    looked_at_all = held <= looked_at if scope.feeds is not None else held < looked_at
    return found[: at_most - 1], not looked_at_all or len(found) == at_most


def _met(query: str, scope: _Scope, *, others: bool) -> tuple[list[int], bool]:
    """Of the newest findings with words that many have those that are in the scope, and whether there are more."""
    at_most = HITS * (BESIDE if others else 1) + 1
    found, met = _newest(query, looked_at=None, at_most=at_most, tests=scope.tests, feeds=scope.feeds)
    return found, met == at_most


def _newest(
    query: str, *, looked_at: int | None, at_most: int, tests: list[int] | None = None, feeds: list[int] | None = None
) -> tuple[list[int], int]:
    rows = rows_of(
        "words_find_newest", query=query, looked_at=looked_at, at_most=at_most, tests=tests, feeds=feeds
    )  # fmt: skip
    return [row["finding_id"] for row in rows if row["finding_id"] is not None], rows[0]["met"]


def _among(
    given: list[int],
    wanted: Wanted,
    scope: _Scope,
    cursor: str | None,
    limit: int,
    *,
    at_most: int,
    cut: bool = False,
    query: str | None = None,
    newest_from: int | None = None,
) -> Selected | None:
    """One page out of these findings, or of those that the query finds: the first so many that are as asked for, in the
    order asked for. None where the query finds too many to be gathered."""
    by = wanted.sort or ("rank" if wanted.text else "severity")
    first, second, third = _behind(cursor, f"among {by}", 3) or (None, None, None)
    words = [word for word in _BETWEEN.split(wanted.text.lower()) if word][:MOST_WORDS]
    rows = rows_of(
        "finding_ids_among", given=given, query=query, newest_from=newest_from, gathered=RARE,
        looked_at=max(LOOKED_AT, len(given)),
        **_facts(wanted), **_numbers_between(wanted), standing=wanted.standing, **scope.parameters(),
        text=wanted.text.strip(), words=words, cwe=wanted.cwe, component=wanted.component, by=by,
        after_first=first, after_second=second, after_third=third, first_hits=at_most, at_most=limit + 1,
    )  # fmt: skip
    hits, cut = rows[0]["hits"], cut or rows[0]["cut"]
    if rows[0]["met"] > RARE:
        return None
    there = [row for row in rows if row["id"] is not None]
    return Selected(
        ids=_ids(there, limit),
        next=_next(there, limit, f"among {by}", "first", "second", "third"),
        count=min(hits, at_most),
        more=cut or hits > at_most,
    )


def _facts(wanted: Wanted) -> dict[str, Any]:
    return {
        "severity": wanted.severity, "active": wanted.active, "open": wanted.open, "since": wanted.since,
        "until": wanted.until,
    }  # fmt: skip


def _filtered(wanted: Wanted, scope: _Scope) -> bool:
    narrow = scope.feeds is not None or scope.tests is not None or scope.unwatched or wanted.standing is not None
    return narrow or any(value is not None for value in _facts(wanted).values())


def _numbers_between(wanted: Wanted) -> dict[str, int | None]:
    """Between which numbers findings of this age lie; a little more than that."""
    ends: dict[str, int | None] = {"from_id": None, "to_id": None}
    if wanted.since is not None:
        ends["from_id"] = _number_at(wanted.since - SKEW)
    if wanted.until is not None:
        ends["to_id"] = _number_at(wanted.until + SKEW)
    return ends


def _number_at(moment: datetime) -> int:
    return rows_of("finding_at", at=moment)[0]["id"]


def _count(wanted: Wanted, scope: _Scope) -> tuple[int | None, bool]:
    if wanted.since is not None or wanted.until is not None:
        return None, True
    facts = {"severity": wanted.severity, "active": wanted.active, "open": wanted.open}
    if scope.unwatched and scope.tests is None and (wanted.severity, wanted.active) == (None, None):
        return _count_of_left(facts, scope)
    everything = sees_everything() and (wanted.product_id, wanted.product_type, wanted.record_id) == (None, None, None)
    if everything and not scope.unwatched:
        (row,) = rows_of("connection_tally_count", **facts, connection=wanted.connection_id, tool=wanted.tool)
        return min(row["n"], COUNTED), row["n"] > COUNTED
    # Each row of tally is one finding or more, most are several.
    for rows in (COUNTED + 1,) if scope.few else (COUNTED // 4, COUNTED + 1):
        n, cut = _tallied(facts, scope.parameters(), rows)
        if not cut or n > COUNTED:
            return min(n, COUNTED), n > COUNTED
    return COUNTED, True


def _tallied(facts: Mapping[str, Any], scope: Mapping[str, Any], at_most: int) -> tuple[int, bool]:
    """How many, out of so many rows of tally; and whether there are more of these."""
    (row,) = rows_of("tally_count", **facts, **scope, at_most=at_most)
    return row["n"], row["cut"]


def _count_of_left(facts: dict[str, Any], scope: _Scope) -> tuple[int, bool]:
    """Feeds that are left behind know how many open findings they hold; what is skipped of others is in the tally."""
    skipped = scope.parameters() | {"feeds": sorted(set(scope.feeds or ()) - set(scope.left))}
    there = scope.left_open + _tallied(facts, skipped, COUNTED + 1)[0]
    return min(there, COUNTED), there > COUNTED


def _behind(cursor: str | None, of: str, numbers: int) -> list[int] | None:
    if not cursor:
        return None
    name, *values = decoded(cursor, [str, *[int] * numbers])
    if name != of:
        raise CursorRefused
    return values


def _ids(rows: Sequence[Mapping[str, Any]], limit: int) -> list[int]:
    return [row["id"] for row in rows[:limit]]


def _next(rows: Sequence[Mapping[str, Any]], limit: int, of: str, *by: str) -> str | None:
    return encoded([of, *(rows[limit - 1][name] for name in by)]) if len(rows) > limit else None
