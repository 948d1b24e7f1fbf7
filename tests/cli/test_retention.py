"""`tidegate retention` at the terminal, and the story of a finding that it leaves."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest

from tests import world
from tidegate.actions.errors import Refused
from tidegate.actions.retention import forget_now
from tidegate.config import Settings
from tidegate.demo.fake_burp import FakeBurp
from tidegate.rules.actor import SCHEDULE
from tidegate.store import models


def old_line(number: int, **before: Any) -> None:
    at = world.now() - timedelta(days=800)
    models.Journal.objects.create(finding_id=number, actor="alice", kind="changed", at=at, before=before)


def test_it_says_what_is_kept_how_long_and_what_for_ever(tidegate: Any):
    said = tidegate("retention").out

    assert re.search(r"changes of findings +730 days", said)
    assert "why a finding is closed, and what can still be undone" in " ".join(said.split())
    assert "What went just now" not in said


def test_at_once_all_that_is_older_goes_and_the_story_says_so(shop: Any, burp: FakeBurp):
    shop("sync", "Burp")
    burp.control.fix_issue("Storefront API")
    shop("sync", "Burp")
    [closed] = shop.json("finding", "list", "--status", "closed")["findings"]
    models.Finding.objects.filter(pk=closed["id"]).update(created_at=world.now() - timedelta(days=900))
    old_line(closed["id"], title="Before")
    asked = shop("retention")
    assert "At once: tidegate retention --now" in asked.err

    ran = shop("retention", "--now")

    assert ran.code == 0, ran.err
    assert re.search(r"WENT\nchanges of findings +1\n", ran.out)
    story = shop.json("finding", "story", closed["id"])["events"]
    assert [event["kind"] for event in story] == ["created", "forgotten", "closed"]
    assert shop.json("retention", "--now")["went"]["journal"] == 0
    assert "Nothing: all that is older is needed still." in shop("retention", "--now").out


def test_a_story_is_told_page_by_page_with_what_proves_it(shop: Any, burp: FakeBurp):
    shop("sync", "Burp")
    burp.control.fix_issue("Storefront API")
    shop("sync", "Burp")
    [closed] = shop.json("finding", "list", "--status", "closed")["findings"]
    old_line(closed["id"], title="Before")

    said = " ".join(shop("finding", "story", closed["id"]).out.split())
    assert "and this was not among them." in said.replace(" tidegate", "")
    first = shop.json("finding", "story", closed["id"], "--limit", "1")
    rest = shop.json("finding", "story", closed["id"], "--after", first["next"])
    assert [event["kind"] for event in first["events"] + rest["events"]] == ["created", "closed", "changed"]
    assert f"--after {first['next']}" in shop("finding", "story", closed["id"], "--limit", "1").err
    assert shop("finding", "story", "4711").code == 1
    assert shop("finding", "story", closed["id"], "--after", "x").code == 1


def test_a_long_story_is_shown_by_its_end(shop: Any, monkeypatch: pytest.MonkeyPatch):
    shop("sync", "Burp")
    monkeypatch.setattr("tidegate.reads.story.LINES", 2)
    for n in range(4):
        old_line(1, title=f"Title {n}")

    ran = shop("finding", "show", "1")

    assert "Title 2" in ran.out
    assert "Title 0" not in ran.out
    assert "tidegate finding story 1" in ran.err


def test_only_a_person_has_it_done_at_once(tidegate: Any, tmp_path: Any):
    with pytest.raises(Refused, match="schedule is no person"):
        forget_now(SCHEDULE, Settings(home=tmp_path))
