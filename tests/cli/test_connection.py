"""Connecting a tool: fields, secrets, the first try; and what becomes of it later."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tidegate.demo.fake_burp import FakeBurp

SECRET = "api_key=env:BURP_KEY"


def add(tidegate: Any, burp: FakeBurp, *more: str, label: str = "Burp", secret: str = SECRET, **streams: str) -> Any:
    url = ("--set", f"url={burp.url}")
    return tidegate("connection", "add", "burpsuite", "--label", label, *url, "--secret", secret, *more, **streams)


def test_a_tool_is_tried_stored_and_discovered_at_once(tidegate: Any, burp: FakeBurp):
    ran = add(tidegate, burp)

    assert ran.code == 0, ran.err
    assert "Burp is stored as Connection 1." in ran.out
    assert "4 new" in ran.out


@pytest.mark.parametrize("source", ["env", "file", "stdin"])
def test_a_secret_comes_from_where_it_stays_secret(tidegate: Any, burp: FakeBurp, tmp_path: Path, source: str):
    (tmp_path / "key").write_text(burp.api_key + "\n")
    given = {"env": SECRET, "file": f"api_key=file:{tmp_path / 'key'}", "stdin": "api_key=-"}[source]

    ran = add(tidegate, burp, secret=given, stdin=f"{burp.api_key}\n")

    assert ran.code == 0, ran.err


def test_a_secret_among_the_settings_is_refused_and_the_right_way_shown(tidegate: Any, burp: FakeBurp):
    ran = tidegate("connection", "add", "burpsuite", "--set", f"url={burp.url}", "--set", "api_key=hush-hush")

    assert ran.code == 2
    assert "--secret api_key=env:VARIABLE" in ran.err
    assert "hush-hush" not in ran.err


def test_a_secret_written_out_is_refused_without_repeating_it(tidegate: Any, burp: FakeBurp):
    ran = add(tidegate, burp, secret="api_key=hush-hush")

    assert ran.code == 2
    assert "--secret api_key=file:PATH" in ran.err
    assert "hush-hush" not in ran.err


@pytest.mark.parametrize("source", ["env:NOT_SET_ANYWHERE", "file:/not/there", "-"])
def test_a_secret_that_is_not_there_is_said(tidegate: Any, burp: FakeBurp, source: str):
    ran = add(tidegate, burp, secret=f"api_key={source}")

    assert ran.code == 2
    assert "api_key" in ran.err


def test_what_is_missing_is_named_where_nobody_can_be_asked(tidegate: Any):
    ran = tidegate("connection", "add", "burpsuite")

    assert ran.code == 2
    assert "needs url and api_key" in ran.err
    assert "--set url=… --secret api_key=env:VARIABLE" in ran.err


def test_what_is_missing_is_asked_for_where_somebody_is_there(
    tidegate: Any, burp: FakeBurp, monkeypatch: pytest.MonkeyPatch
):
    asked: list[str] = []
    answers = {"Location URL": burp.url, "API key": burp.api_key}

    def prompt(text: str, **how: Any) -> Any:
        asked.append(f"{text}{' (hidden)' if how.get('hide_input') else ''}")
        return answers.get(text, how.get("default"))

    monkeypatch.setattr("typer.prompt", prompt)
    ran = tidegate("connection", "add", "burpsuite", "--label", "Burp", "--json", keyboard=True)

    assert ran.code == 0, ran.err
    assert asked == ["Location URL", "API key (hidden)", "Certificate authority", "Verify TLS"]


def test_no_output_shows_a_secret(shop: Any, burp: FakeBurp):
    commands = [
        ("connection", "list"),
        ("connection", "show", "Burp"),
        ("connection", "test", "Burp"),
        ("connection", "edit", "Burp", "--secret", SECRET),
        ("operation", "show", "1"),
        ("doctor",),
    ]

    said = "".join(ran.out + ran.err for command in commands for ran in (shop(*command), shop(*command, "--json")))

    assert "never shown" in said
    assert burp.api_key not in said


def test_an_edit_changes_what_is_named_and_leaves_the_rest(shop: Any):
    before = shop.json("connection", "show", "Burp")

    after = shop.json("connection", "edit", "Burp", "--label", "Burp of the shop", "--auto-map")

    assert (after["connection"]["label"], after["auto_map"]) == ("Burp of the shop", True)
    assert (after["settings"], after["minimum_severity"]) == (before["settings"], before["minimum_severity"])


def test_an_edit_of_nothing_is_refused(shop: Any):
    assert shop("connection", "edit", "Burp").code == 2


def test_a_raised_threshold_says_what_it_closed(shop: Any):
    shop("sync", "Burp")

    ran = shop("connection", "edit", "Burp", "--minimum-severity", "high")

    assert ran.code == 0, ran.err
    assert "findings are below its minimum severity now, and closed" in ran.out


def test_a_paused_connection_does_nothing_until_it_goes_on(shop: Any):
    shop("connection", "pause", "Burp", "--because", "the move")

    refused = shop("sync", "Burp")

    assert refused.code == 1
    assert "the move" in refused.err
    assert shop.json("connection", "list", "--paused")["connections"][0]["state"] == "paused"
    assert shop("connection", "resume", "Burp").code == 0
    assert shop("sync", "Burp").code == 0


def test_a_test_says_step_by_step_what_works(shop: Any, burp: FakeBurp, monkeypatch: pytest.MonkeyPatch):
    assert shop.json("connection", "test", "Burp")["ok"] is True

    monkeypatch.setenv("BURP_KEY", "another")
    shop("connection", "edit", "Burp", "--secret", SECRET)
    ran = shop("connection", "test", "Burp")

    assert ran.code == 1
    assert "FAIL  login" in ran.out


def test_deleting_asks_for_the_label(shop: Any):
    unasked = shop("connection", "delete", "Burp")
    wrong = shop("connection", "delete", "Burp", "--confirm", "burp")
    there = shop.json("connection", "list")["connections"]
    right = shop("connection", "delete", "Burp", "--confirm", "Burp")

    assert (unasked.code, wrong.code, len(there), right.code) == (2, 1, 1, 0)
    assert "--confirm 'Burp'" in unasked.err
    assert shop.json("connection", "list")["connections"] == []
    assert [row["name"] for row in shop.json("product", "list")["products"]] == ["Web shop"]
