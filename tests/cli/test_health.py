"""How a Connection is, as the command line says it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.cli.test_guide import ROOT, commands
from tidegate.demo.fake_burp import FakeBurp
from tidegate.rules.health import WORDS

GUIDE = ROOT / "docs" / "guide" / "health.md"
SECRET = "api_key=env:BURP_KEY"


def stored(**facts: Any) -> None:
    from tidegate.store.models import Connection

    Connection.objects.update(**facts)


def due(type: str, at: datetime) -> None:
    from tidegate.store.models import Schedule

    changed_at = at - timedelta(days=90)
    Schedule.objects.filter(type=type).update(kind="daily", at="02:00", next_at=at, changed_at=changed_at)


def soon() -> datetime:
    return datetime.now(UTC) + timedelta(hours=5, minutes=1)


@pytest.fixture
def planned(shop: Any) -> Any:
    """Discover and Sync of Burp are planned daily, the next in five hours."""
    shop("connection", "list")
    for type in ("discover", "sync"):
        due(type, soon())
    return shop


def test_a_list_says_how_each_is_when_it_was_synced_and_when_it_is_next(planned: Any):
    planned("sync", "Burp")

    ran = planned("connection", "list")
    row = planned.json("connection", "list")["connections"][0]["health"]

    assert ran.code == 0, ran.err
    assert "on time" in ran.out
    assert "in 5 h" in ran.out
    assert " ago" in ran.out
    assert (row["state"], row["sync"]["last_success"]["status"]) == ("on time", "success")


def test_what_needs_you_is_said_with_its_next_step(planned: Any, burp: FakeBurp, monkeypatch: pytest.MonkeyPatch):
    planned("sync", "Burp")
    monkeypatch.setenv("BURP_KEY", "another")
    planned("connection", "edit", "Burp", "--secret", SECRET)
    planned("sync", "Burp")

    ran, shown = planned("connection", "list"), planned("connection", "show", "Burp")
    health = planned.json("connection", "show", "Burp")["connection"]["health"]

    assert "Burp: needs you." in ran.err
    assert "Enter a new credential for this Connection." in ran.err
    assert (health["state"], health["sync"]["attention"]) == ("needs you", "needs you")
    assert health["sync"]["last_run"]["status"] == "failed"
    assert health["sync"]["last_success"]["status"] == "success"
    assert "needs you" in shown.out
    assert "LAST THAT WENT WELL" in shown.out


def test_a_list_can_be_of_those_that_are_so(planned: Any):
    due("sync", datetime.now(UTC) - timedelta(days=3))

    assert "Burp" in planned("connection", "list", "--health", "overdue").out
    assert planned("connection", "list", "--health", "on time").out == "There is no such Connection.\n"
    assert "Burp: overdue. The Sync that was due on " in planned("connection", "list").err


def test_rejected_logins_pause_it_and_a_new_secret_lets_it_go_on(
    planned: Any, burp: FakeBurp, monkeypatch: pytest.MonkeyPatch
):
    """records.md: one whose login is rejected three times running pauses itself and says so."""
    monkeypatch.setenv("BURP_KEY", "another")
    planned("connection", "edit", "Burp", "--secret", SECRET)
    for command in ("discover", "sync", "discover"):
        planned(command, "Burp")

    refused, shown = planned("sync", "Burp"), planned("connection", "show", "Burp")
    monkeypatch.setenv("BURP_KEY", burp.api_key)
    edited = planned("connection", "edit", "Burp", "--secret", SECRET)

    assert "rejected three times running" in refused.err
    assert "needs you" in shown.out
    assert "It goes on" in edited.out
    assert planned("sync", "Burp").code == 0


def test_the_end_of_a_secret_is_entered_shown_warned_of_and_taken_back(planned: Any, burp: FakeBurp):
    """Issue 4, 9: warned 14, 3 and 0 days before."""
    assert planned("connection", "edit", "Burp", "--secret-ends", "2041-04-30").code == 0
    far = planned("connection", "show", "Burp")
    stored(secret_ends_at=datetime.now(UTC) + timedelta(days=2))
    near, listed, doctor = (
        planned("connection", "show", "Burp"), planned("connection", "list"), planned("doctor"),
    )  # fmt: skip
    end = planned.json("connection", "show", "Burp")["connection"]["health"]["secret"]
    planned("connection", "edit", "Burp", "--secret-ends", "")

    assert "2041-04-30 23:59 UTC (entered by a person)" in far.out
    assert "Its secret ends" not in far.out
    for said in (near.out, listed.err, doctor.out):
        assert "Its secret ends on " in said, said
    assert (end["told_by"], end["days_left"]) == ("person", 2)
    assert planned.json("connection", "show", "Burp")["connection"]["health"]["secret"] is None


@pytest.mark.parametrize(("text", "said"), [("soon", "«soon» is no date"), ("2020-01-01", "2020-01-01 is over")])
def test_a_date_that_cannot_be_is_refused_before_anything_is_stored(planned: Any, text: str, said: str):
    ran = planned("connection", "edit", "Burp", "--secret-ends", text)

    assert ran.code in (1, 2)
    assert said in ran.err


def test_a_pause_says_what_it_stopped(planned: Any):
    from tidegate.store.models import Operation

    planned("connection", "list")
    asked = {"type": "sync", "connection_id": 1, "status": "pending"}
    Operation.objects.get_or_create(**asked, defaults={"trigger": "scheduled", "actor": "schedule"})

    ran = planned("connection", "pause", "Burp")

    assert "1 that waited will not begin." in ran.out
    assert planned.json("connection", "show", "Burp")["connection"]["health"]["state"] == "off"


def test_the_guide_can_be_followed_to_the_letter(planned: Any):
    found = commands(GUIDE)

    assert len(found) == 4
    for program, *arguments in found:
        ran = planned(*arguments)
        assert (program, ran.code) == ("tidegate", 0), f"{arguments}: {ran.out}{ran.err}"


def test_the_guide_names_every_word():
    text = GUIDE.read_text(encoding="utf-8")

    assert {word for word in WORDS if f"| {word} |" not in text} == set()
