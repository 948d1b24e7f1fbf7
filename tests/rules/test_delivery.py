"""What is sent keeps the limits whatever the vendor said, no two findings are one there, the later word counts."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tidegate.demo.fake_defectdojo import report
from tidegate.demo.fake_defectdojo.world import World
from tidegate.rules.delivery import (
    STATUS,
    TOLD,
    Ours,
    Said,
    as_report,
    changed,
    differs,
    digests,
    edit,
    merge,
    ours_by_id,
    seen,
    sent,
)

NOW = datetime(2026, 11, 27, tzinfo=UTC)
TEXT = st.text(max_size=40) | st.sampled_from(["x" * 9_000, "NUL \0", "\ud800", "a\tb\r\nc ", "```", "  "])
FIELDS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("description", "mitigation", "impact", "evidence", "url", "rule", "component", "version", "fix", "path",
             "fixed_version", "endpoint", "image", "purl"), TEXT,
        ),
        "cwe": st.lists(st.integers(-1, 2**40), max_size=2),
        "line": st.none() | st.integers(-5, 2**40),
        "ids": st.lists(TEXT, max_size=3),
        "tags": st.lists(TEXT, max_size=3),
        "references": st.lists(TEXT, max_size=3),
        "cvss": st.lists(TEXT | st.just("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"), max_size=2),
        "epss": st.none() | st.floats(-1, 2),
        "known_exploited": st.none() | st.booleans(),
        "found_at": st.sampled_from([None, "2026-05-03T10:00:00Z", "yesterday"]),
    },
)  # fmt: skip
VERDICTS = st.sampled_from(["", "false positive", "accepted", "out of scope"])


def ours(**facts: Any) -> Ours:
    known = {
        "id": 7,
        "connection": 3,
        "label": "Burp",
        "title": "Weakness",
        "severity": 4,
        "open": True,
        "active": True,
    }
    return Ours(**{**known, "since": NOW, **facts})


@st.composite
def findings(draw: st.DrawFn) -> Ours:
    verdict, open = draw(VERDICTS), draw(st.booleans())
    return ours(
        title=draw(TEXT),
        severity=draw(st.integers(0, 5)),
        open=open,
        active=open and not verdict,
        verdict=verdict,
        fields=draw(FIELDS),
        decided=draw(st.sampled_from([{}, {"verified": Said("true", NOW)}, {"tags": Said('["a b"]', NOW)}])),
    )


@given(findings(), st.sampled_from(["3.2.0", "2.50.4"]))
def test_whatever_the_vendor_said_every_version_takes_it_and_stores_what_was_meant(one: Ours, version: str):
    world = World(version)
    told = sent(one)

    _, (taken,) = report.parsed(world, json.dumps({"findings": [as_report(told)]}).encode())
    row = report.finding(world, taken)

    assert set(told) == set(TOLD)
    assert row["title"].casefold() == told["title"].casefold()
    assert (row["severity"], sorted(row["tags"])) == (told["severity"], told["tags"])
    assert not (told["active"] and (told["false_p"] or told["out_of_scope"] or told["risk_accepted"]))
    assert not (told["active"] and told["is_mitigated"])
    assert not (told["false_p"] and told["verified"])


@given(findings(), st.integers(1, 10**6), st.integers(1, 10**6), st.integers(1, 99), st.integers(1, 99))
def test_no_two_findings_are_one_under_the_servers_hash(one: Ours, first: int, second: int, here: int, there: int):
    world = World()
    rows = [
        {**sent(ours(**{**vars(one), "id": number, "connection": connection})), "service": None}
        for number, connection in ((first, here), (second, there))
    ]

    assert (world.hash_of(rows[0]) == world.hash_of(rows[1])) == ((first, here) == (second, there))


@given(findings(), findings())
def test_an_edit_makes_what_stands_there_as_it_should_and_says_no_more(before: Ours, after: Ours):
    row: dict[str, Any] = {**sent(before), "notes": []}
    row["vulnerability_ids"] = [{"vulnerability_id": each} for each in row["vulnerability_ids"]]
    told = sent(after)

    said = edit(row, told, changed(digests(sent(before)), told))

    assert differs({**row, **said}, told) == []
    assert edit(row, sent(before), changed(digests(sent(before)), sent(before))) == {}


def test_vulnerability_ids_that_are_gone_here_are_not_asked_to_go_there():
    """Neither 2.50.4 nor 3.2.0 hears a PATCH with an empty list: it would be sent, and differ, for ever."""
    told = sent(ours())
    row = {**told, "notes": [], "vulnerability_ids": [{"vulnerability_id": "CVE-2026-1"}]}

    assert told["vulnerability_ids"] == []
    assert (differs(row, told), edit(row, told, ["vulnerability_ids"])) == ([], {})


def stands(**facts: Any) -> dict[str, Any]:
    row = {"severity": "High", "tags": [], "notes": [], **dict.fromkeys(STATUS, False), "active": True}
    return seen({**row, **facts})


@given(st.integers(-3, 3), st.integers(-3, 3), st.booleans())
def test_the_later_word_counts_ours_on_a_tie_and_none_is_forgotten(mine: int, theirs: int, told_when: bool):
    written = NOW - timedelta(days=1)
    spoke, they_spoke = NOW + timedelta(seconds=mine), NOW + timedelta(seconds=theirs)
    one = ours(verdict="accepted", decided={"verdict": Said("accepted", spoke)})

    found = merge(
        stands(),
        stands(false_p=True, active=False),
        one,
        written_at=written,
        said_at={"verdict": they_spoke} if told_when else {},
    )

    theirs_wins = told_when and they_spoke > spoke
    assert (dict(found.taken), dict(found.lost)) == (
        ({"verdict": "false positive"}, {}) if theirs_wins else ({}, {"verdict": "false positive"})
    )


def test_a_word_that_nobody_here_answered_since_is_taken():
    one = ours(vendor_verdict="false positive", decided={"severity": Said("1", NOW - timedelta(days=2))})

    found = merge(
        stands(false_p=True, active=False, severity="Low"),
        stands(severity="Critical", tags=["new"]),
        one,
        written_at=NOW - timedelta(days=1),
        said_at={},
    )

    assert found.taken == {"verdict": "real", "severity": "5", "tags": '["new"]'}


def test_only_our_names_are_ours():
    assert ours_by_id("tidegate:3:7") == (3, 7)
    assert [ours_by_id(name) for name in (None, "", "7", "tidegate:3", "tidegate:3:7x", "x tidegate:3:7")] == [None] * 6
