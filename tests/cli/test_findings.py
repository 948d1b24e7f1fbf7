"""Deciding about many findings on the command line: named, or all that the options find."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tests.cli.test_json import has_shape
from tests.world import ALICE
from tidegate.actions import record as records
from tidegate.cli.answer import answers, answers_to_previews


@pytest.fixture
def house(tidegate: Any) -> Any:
    """Three findings in *Web shop*, of which one is Low."""
    record = world.record(world.connection(), "shop")
    records.map_records(ALICE, [record], new_product="Web shop")
    world.synced(record, "k1")
    world.synced(record, "k2")
    world.synced(record, "k3", severity_vendor=1)
    return tidegate


def active(house: Any) -> list[int]:
    return sorted(row["id"] for row in house.json("finding", "list", "--active")["findings"])


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("decide", "--verdict", "real"), "Which findings?"),
        (("decide", "1", "--all", "--verdict", "real"), "Which findings?"),
        (("decide", "1", "--product", "Web shop", "--verdict", "real"), "need --all"),
        (("decide", "1", "2", "--search", "x", "--verdict", "real"), "need --all"),
        (("decide", "--all"), "Nothing was decided"),
        (("decide", "--all", "--verdict", "real"), "nobody is there to say that they are meant"),
        (("decide", "first", "--verdict", "real"), "is not the number of a finding"),
        (("close",), "Which findings?"),
        (("close", "1", "--status", "unwatched"), "need --all"),
    ],
)
def test_what_is_not_clear_is_asked_wrongly(house: Any, arguments: tuple[str, ...], why: str):
    ran = house("finding", *arguments)

    assert (ran.code, why in ran.err) == (2, True), ran.err
    assert active(house) == [1, 2, 3]


def test_others_than_were_expected_are_left_alone(house: Any):
    ran = house("finding", "decide", "--all", "--verdict", "false positive", "--expected", "7")

    assert (ran.code, "there are 3 now" in ran.err) == (1, True)
    assert active(house) == [1, 2, 3]


def test_many_are_decided_by_their_numbers(house: Any):
    ran = house("finding", "decide", "1", "2", "--verdict", "accepted", "--until", "2999-01-01")
    gone = house("finding", "decide", "1", "987", "--verdict", "accepted")

    assert (ran.code, active(house)) == (0, [3])
    assert "2 of 2 are changed." in ran.out
    assert (gone.code, "There is no Finding 987" in gone.err) == (1, True)


def test_all_that_are_found_are_decided_as_they_were_looked_at(house: Any):
    options = ("--all", "--product", "Web shop", "--of-severity", "medium", "--verdict", "out of scope")
    seen = house.json("finding", "decide", *options, "--preview")
    said = house("finding", "decide", *options, "--preview")

    no = house("finding", "decide", *options, stdin="n\n", keyboard=True)
    assert active(house) == [1, 2, 3]
    done = house.json("finding", "decide", *options, "--expected", seen["expected"])

    assert has_shape(seen, answers_to_previews()["finding decide --all --preview"])
    assert has_shape(done, answers_to_previews()["finding decide --all"])
    assert (no.code, seen["changes"], done["changed"], active(house)) == (1, 2, 2, [3])
    assert "Nothing was changed" in said.out


def test_what_nothing_watches_is_closed_and_what_is_watched_is_not(house: Any):
    watched = house("finding", "close", "1")
    records.ignore_records(ALICE, [1])

    closed = house.json("finding", "close", "--all", "--status", "unwatched", "--expected", "3")

    assert (watched.code, "still watches it" in watched.err) == (1, True)
    assert has_shape(closed, answers()["finding close"])
    assert (closed["changed"], active(house)) == (3, [])
