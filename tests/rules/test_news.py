"""News: what is told in which words, and when a message that did not arrive is tried again."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.rules.cause import CAUSES
from tidegate.rules.news import KINDS, About, Words, heals, next_try, plain, together, words
from tidegate.rules.news import test_words as words_of_a_test

ACME = About(12, "Acme")
FACTS = {
    "needs_you": {"cause": "auth_rejected", "type": "sync", "why": "The login was rejected."},
    "overdue": {"types": ["discover", "sync"], "why": "The Sync that was due on 3 May at 02:00 UTC has not begun."},
    "held": {"findings": 41, "absences": 0, "operation": 7, "names": ["shop", "blog"], "more": 0},
    "records": {"missing": 7, "names": ["a", "b", "c", "d", "e"], "more": 2},
    "new_records": {"new": 2, "waiting": 380, "names": ["shop", "blog"], "more": 0},
    "recovered": {"of": ["needs_you"], "since": "2026-05-03T02:00:00+00:00"},
    "secret_ends": {"ends_at": "2026-05-17T23:59:59+00:00", "days": 14, "ended": False},
}


def told(kind: str, **facts: object) -> Words:
    return words(kind, {**FACTS[kind], **facts}, ACME)


@pytest.mark.parametrize("kind", KINDS)
def test_each_kind_says_what_happened_to_which_connection_and_what_to_do(kind: str):
    title, body = told(kind)

    assert title.startswith("Acme")
    assert "\n" not in title
    assert "tidegate " in body or kind == "recovered"
    assert all(line.strip() == line and line for line in body.splitlines())


def test_there_are_words_for_each_kind_and_each_cause():
    assert set(FACTS) == set(KINDS)
    generic = told("needs_you", cause="").title
    for cause in CAUSES.values():
        title = told("needs_you", cause=cause.word).title
        assert (title != generic) == cause.needs_you, cause.word


def test_a_rejected_login_in_full():
    title, body = told("needs_you")

    assert title == "Acme needs you: its login is rejected"
    assert body == (
        "The login was rejected.\n"
        "Next: Enter a new credential for this Connection.\n"
        "Look: tidegate connection show 12\n"
        "Change it: tidegate connection edit 12 --help\n"
        "Then try it: tidegate connection test 12"
    )


def test_a_connection_that_paused_itself_says_how_it_goes_on():
    title, body = told("needs_you", paused=True)

    assert title == "Acme needs you: it paused itself after three rejected logins"
    assert body.endswith("And let it go on: tidegate connection resume 12")


def test_what_is_held_in_full_and_its_reminder():
    title, body = told("held")

    assert title == "Acme: 41 closings wait for you"
    assert body == (
        "Too much was gone at once to be believed, so nothing was closed; everything else went on.\n"
        "«shop» and «blog».\n"
        "Next: look, then approve or keep: tidegate operation show 7"
    )
    again = told("held", reminder=True, absences=1, operation=None, since="2026-05-03T02:00:00+00:00")
    assert again.title == "Acme: 41 closings and 1 absence still wait for you"
    assert "They wait since 3 May 2026 at 02:00 UTC." in again.body
    assert again.body.endswith("tidegate operation list --held")


def test_missing_and_stale_records_are_counted_and_the_first_named():
    assert told("records").title == "Acme: 7 Records became Missing"
    assert "«a», «b», «c», «d», «e» and 2 more." in told("records").body
    stale = told("records", missing=0, stale=1, names=["shop"], more=0)
    assert stale.title == "Acme: 1 Record became Stale"
    assert "tidegate record list --connection 12 --state stale" in stale.body
    away = told("records", missing=0, stale=1, away=1, names=["shop"], more=0)
    assert "nothing is delivered there any more" in away.body
    assert "nothing flows any more" not in away.body


def test_a_digest_of_new_records_says_how_many_wait_in_all():
    title, body = told("new_records")

    assert title == "Acme: 2 new Records wait for your decision"
    assert "In all 380 wait." in body
    assert told("new_records", new=1, waiting=1, names=["shop"]).title == "Acme: 1 new Record waits for your decision"


@pytest.mark.parametrize(
    ("facts", "title"),
    [
        ({"days": 14}, "Acme: its secret ends in 14 days"),
        ({"days": 1}, "Acme: its secret ends in 1 day"),
        ({"days": 0}, "Acme: its secret ends today"),
        ({"days": 0, "ended": True}, "Acme: its secret has ended"),
    ],
)
def test_the_end_of_a_secret_is_said_in_days(facts: dict[str, object], title: str):
    assert told("secret_ends", **facts).title == title


def test_what_is_well_again_asks_for_nothing():
    assert told("recovered", of=["needs_you", "overdue"]) == (
        "Acme is well again",
        "It needed you and was overdue since 3 May 2026 at 02:00 UTC; that is over.\nThere is nothing to do.",
    )


@pytest.mark.parametrize("kind", [*KINDS, "of a later version"])
def test_facts_of_another_version_are_words_all_the_same(kind: str):
    for facts in ({}, {"names": "no list", "more": "x", "findings": None, "types": 3, "since": None, "why": None}):
        assert words(kind, facts, ACME).title


# Vendor text is hostile


@pytest.mark.parametrize(
    ("text", "harmless"),
    [
        ("a\r\nBcc: eve@example.org", "a Bcc: eve@example.org"),
        ("\x1b[31mred\x07", "[31mred"),
        ("<b>bold</b> & <!channel> <@U123>", "‹b›bold‹/b› & ‹!channel› ‹@U123›"),
        ("[click](https://evil.example)", "[click] ( https://evil.example)"),
        ("hello @everyone and @Here", "hello @ everyone and @ Here"),
        ("pinned@1.2.3", "pinned@1.2.3"),
        ("`code`", "'code'"),
        ("right\u202eleft\u200b", "right left"),
        ("\ud800 \x00", ""),
    ],
)
def test_text_of_any_origin_is_made_harmless(text: str, harmless: str):
    """Vendor text is hostile: a name must not become markup, a header, a mention or a hidden link."""
    assert plain(text) == harmless


@given(st.text())
def test_no_text_leaves_its_line_or_is_endless(text: str):
    shown = plain(text, 40)

    assert len(shown) <= 40
    assert not any(unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") for letter in shown)
    assert not set("<>`") & set(shown)


@given(st.sampled_from(list(KINDS)), st.text(), st.text())
def test_nothing_of_a_vendor_makes_a_line_of_its_own(kind: str, name: str, why: str):
    facts = {**FACTS[kind], "names": [name, name], "why": why}
    title, body = words(kind, facts, About(1, name))

    assert len(title) <= 150
    for line in [title, *body.split("\n")]:
        assert len(line) < 800
        assert line.isprintable()


# When


def test_a_message_is_tried_again_after_1_5_and_30_minutes_2_and_12_hours_and_given_up_after_a_day():
    age, waits = timedelta(), []
    for attempt in range(1, 20):
        wait = next_try(attempt, age)
        if wait is None:
            break
        waits.append(wait.total_seconds() / 60)
        age += wait

    assert waits[:5] == [1, 5, 30, 120, 720]
    assert sum(waits) == 24 * 60


@given(st.integers(1, 1000), st.timedeltas(timedelta(), timedelta(days=3)))
def test_nothing_is_tried_for_ever(attempts: int, age: timedelta):
    wait = next_try(attempts, age)

    assert (wait is None) == (age >= timedelta(days=1))
    assert wait is None or timedelta() < wait <= timedelta(hours=12)


def test_a_login_that_works_heals_a_login_whatever_it_was_for():
    assert heals("auth_rejected", "sync", type="discover", status="success", whole=True)
    assert heals("auth_rejected", "sync", type="discover", status="partial", whole=False)
    assert not heals("auth_rejected", "sync", type="discover", status="failed", whole=True)


def test_a_right_is_there_again_when_the_same_work_went_well_on_everything():
    assert heals("access_denied", "sync", type="sync", status="success", whole=True)
    assert not heals("access_denied", "sync", type="discover", status="success", whole=True)
    assert not heals("access_denied", "sync", type="sync", status="success", whole=False)
    assert not heals("access_denied", "sync", type="sync", status="partial", whole=True)


def test_many_at_once_are_one_message():
    several = [Words(f"Title {number}", f"Body {number}") for number in range(3)]

    assert together(several[:1]) == several[0]
    assert together(several) == ("3 news from Tidegate", "Title 0\nBody 0\n\nTitle 1\nBody 1\n\nTitle 2\nBody 2")


def test_a_test_says_that_it_is_one():
    assert "nothing has happened" in words_of_a_test("Team").body


def test_times_are_said_in_utc():
    since = datetime(2026, 5, 3, 4, 0, tzinfo=UTC).isoformat()

    assert "3 May 2026 at 04:00 UTC" in told("recovered", since=since).body
