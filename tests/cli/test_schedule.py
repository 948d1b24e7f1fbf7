"""`tidegate schedule`, and the guide about it: its commands are run as they stand there."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.test_guide import ROOT, commands


def row(shop: Any, type: str = "sync") -> dict[str, Any]:
    return next(one for one in shop.json("schedule", "show", "Burp")["schedules"] if one["type"] == type)


def test_every_command_of_the_guide_works_as_it_stands_there(shop: Any):
    found = commands(ROOT / "docs" / "guide" / "schedules.md")

    assert len(found) >= 8
    for program, *arguments in found:
        ran = shop(*arguments)
        assert (program, ran.code) == ("tidegate", 0), f"{arguments}: {ran.out}{ran.err}"


def test_a_new_connection_has_its_schedules(shop: Any):
    """Daily at a local time with a time zone by default."""
    listed = " ".join(shop("schedule", "list").out.split())

    assert "Burp discover daily at 01:00 (UTC) to" in listed  # today or tomorrow
    assert "Burp sync daily at 02:00 (UTC) to" in listed
    assert [
        (one["type"], one["at"]) for one in shop.json("schedule", "list", "Burp")["connections"][0]["schedules"]
    ] == [
        ("discover", "01:00"),
        ("sync", "02:00"),
    ]


def test_nothing_connected_is_said(tidegate: Any):
    assert "Nothing is connected yet." in tidegate("schedule", "list").out


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (("--daily", "2:30", "--zone", "Europe/Berlin"), "daily at 02:30 (Europe/Berlin), up to 60 minutes later"),
        (("--weekly", "Mon@02:00", "--spread", "0"), "every Monday at 02:00 (UTC)"),
        (("--weekly", "saturday@9:05", "--spread", "5"), "every Saturday at 09:05 (UTC), up to 5 minutes later"),
        (("--every", "6"), "every 6 hours, up to 60 minutes later"),
        (("--cron", "30 2 * * 1-5", "--spread", "0"), "by cron 30 2 * * 1-5 (UTC)"),
        (("--off",), "off"),
        (("--spread", "0"), "daily at 02:00 (UTC)"),
    ],
)
def test_a_schedule_is_set_as_people_say_it(shop: Any, options: tuple[str, ...], words: str):
    ran = shop("schedule", "set", "Burp", "--sync", *options)

    assert ran.code == 0, ran.err
    assert f"Burp, Sync: {words}." in ran.out
    assert "daily at 02:00 (UTC), up to 60 minutes later" in " ".join(ran.out.split())  # what was before
    assert row(shop)["words"] == words
    assert row(shop)["changed_by"] == "alice"
    assert row(shop, "discover")["words"] == "daily at 01:00 (UTC), up to 60 minutes later"


def test_the_next_three_runs_are_shown_before_and_after(shop: Any):
    out = shop("schedule", "set", "Burp", "--sync", "--every", "12").out

    assert [line.split("  ")[0] for line in out.splitlines() if line[:1].islower()][:1] == ["next"]
    assert "would have been" in out
    assert out.count(" and ") == 2


def test_without_a_type_both_are_set(shop: Any):
    shop("schedule", "set", "Burp", "--every", "6")

    assert {row(shop, type)["hours"] for type in ("discover", "sync")} == {6}


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "Nothing to change was named."),
        (("--daily", "02:00", "--off"), "A schedule is of one kind, and several were named."),
        (("--weekly", "funday@02:00"), "«funday@02:00» is no day and time of a week."),
        (("--weekly", "mon"), "«mon» is no day and time of a week."),
        (("--weekly", "monkey@02:00"), "«monkey@02:00» is no day and time of a week."),
        (("--daily", "noon"), "«noon» is no time of day."),
        (("--every", "5"), "A day cannot be divided into parts of 5 hours."),
        (("--zone", "Europe/Berln"), "There is no time zone «Europe/Berln»."),
        (("--cron", "0 0 30 2 *"), "The cron expression «0 0 30 2 *» never comes."),
        (("--spread", "999999999"), "Runs cannot be spread over 999,999,999 minutes."),
        (("--every", "9" * 30), "A day cannot be divided into parts of"),
    ],
)
def test_what_cannot_be_is_said_with_what_can(shop: Any, options: tuple[str, ...], said: str):
    ran = shop("schedule", "set", "Burp", "--sync", *options)

    assert ran.code in (1, 2)
    assert said in ran.err
    assert "Next: " in ran.err
    assert row(shop)["words"] == "daily at 02:00 (UTC), up to 60 minutes later"


def test_a_paused_connection_says_that_nothing_runs(shop: Any):
    shop("connection", "pause", "Burp")

    out = shop("schedule", "show", "Burp").out

    assert "It is paused." in out
    assert "nothing while the Connection is paused" in out


def test_an_unknown_connection_is_said(tidegate: Any):
    for command in (("list", "Nobody"), ("show", "Nobody"), ("set", "Nobody", "--off")):
        ran = tidegate("schedule", *command)
        assert (ran.code, "There is no Connection «Nobody»." in ran.err) == (1, True)
