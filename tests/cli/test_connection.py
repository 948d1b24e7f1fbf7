"""Connecting a tool: fields, secrets, the first try; and what becomes of it later."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
import trustme

from tidegate.demo.fake_burp import FakeBurp

SECRET = "api_key=env:BURP_KEY"


def add(tidegate: Any, burp: FakeBurp, *more: str, label: str = "Burp", secret: str = SECRET, **streams: Any) -> Any:
    url = ("--set", f"url={burp.url}")
    return tidegate("connection", "add", "burpsuite", "--label", label, *url, "--secret", secret, *more, **streams)


def test_a_tool_is_tried_stored_and_discovered_at_once(tidegate: Any, burp: FakeBurp):
    """records.md: a new Connection is discovered at once."""
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


@pytest.mark.parametrize(
    "source",
    [
        "env:NOT_SET_ANYWHERE",
        "env:",
        "file:/not/there",
        "file:",
        "file:/",
        "file:~no-such-user-here/x",
        "file:/dev/null",
        "-",
    ],
)
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


def test_only_secret_fields_are_called_secret(shop: Any):
    """Fields that were not given have their defaults; they are not "stored encrypted"."""
    shown = shop.json("connection", "show", "Burp")

    assert shown["secrets"] == ["api_key"]
    assert "verify_tls" not in shop("connection", "show", "Burp").out


def test_a_field_of_many_values_is_given_once_for_each():
    from tidegate.cli.field import given
    from tidegate.reads.tool import FieldRow, ToolRow

    plain: Any = {"description": "", "secret": False, "required": False, "default": None, "choices": [], "examples": []}
    fields = [FieldRow(name=name, title=name, many=name == "orgs", **plain) for name in ("orgs", "url")]
    tool = ToolRow(slug="acme", name="Acme", a_record_is="a thing", fields=fields)

    assert given(tool, ["orgs=a"], None).settings == {"orgs": ["a"]}
    assert given(tool, ["orgs=a", "url=x", "orgs=b"], None).settings == {"orgs": ["a", "b"], "url": "x"}


def test_a_filter_that_nothing_passes_does_not_say_that_nothing_is_connected(shop: Any):
    assert shop("connection", "list", "--tool", "nessus").out == "There is no such Connection.\n"
    assert shop("connection", "list", "--paused").out == "There is no such Connection.\n"


def test_tools_are_found_by_a_part_of_their_name(tidegate: Any):
    assert [row["slug"] for row in tidegate.json("tool", "list", "--search", "FOLD")["tools"]] == ["report_folder"]
    assert tidegate.json("tool", "list", "--search", "nessus")["tools"] == []


def test_an_edit_changes_what_is_named_and_leaves_the_rest(shop: Any):
    before = shop.json("connection", "show", "Burp")

    after = shop.json("connection", "edit", "Burp", "--label", "Burp of the shop", "--auto-map")

    assert (after["connection"]["label"], after["auto_map"]) == ("Burp of the shop", True)
    assert (after["settings"], after["minimum_severity"]) == (before["settings"], before["minimum_severity"])


def test_when_branches_close_can_be_set(shop: Any, burp: FakeBurp):
    """Of a tool that has branches `connection show` says it."""
    edited = shop.json("connection", "edit", "Burp", "--close-branches-after", "30")

    assert edited["close_branches_after"] == 30
    assert "gone branches" not in shop("connection", "show", "Burp").out
    assert shop("connection", "edit", "Burp", "--close-branches-after", "-1").code == 2


def test_when_closings_are_held_can_be_set(shop: Any, burp: FakeBurp):
    """records.md: more than half of more than twenty are held; both can be configured."""
    shop("sync", "Burp")
    edited = shop.json("connection", "edit", "Burp", "--hold-above", "1000", "--hold-percent", "90")
    burp.control.fix_issue("Storefront", n=100)

    ran = shop("sync", "Burp")

    assert (edited["hold_above"], edited["hold_percent"]) == (1000, 90)
    assert "when more than 90 % of more than 1,000" in shop("connection", "show", "Burp").out
    assert (ran.code, "100 closed" in ran.out) == (0, True), ran.out
    assert shop("connection", "edit", "Burp", "--hold-percent", "0").code == 2


def test_an_edit_of_nothing_is_refused(shop: Any):
    assert shop("connection", "edit", "Burp").code == 2


def test_an_edit_of_what_the_tool_is_asked_with_says_how_to_try_it(shop: Any):
    assert "tidegate connection test 1" in shop("connection", "edit", "Burp", "--secret", SECRET).out
    assert "connection test" not in shop("connection", "edit", "Burp", "--auto-map").out


def test_a_raised_threshold_says_what_it_closed(shop: Any):
    shop("sync", "Burp")

    ran = shop("connection", "edit", "Burp", "--minimum-severity", "high")

    assert ran.code == 0, ran.err
    assert "findings are below its minimum severity now, and closed" in ran.out


def test_a_paused_connection_does_nothing_until_it_goes_on(shop: Any):
    """records.md: a Connection can be paused."""
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


@pytest.mark.parametrize("answer", ["\n", "n\n"])
def test_a_deleted_connection_of_the_same_account_is_offered_to_whoever_is_there(
    shop: Any, burp: FakeBurp, monkeypatch: pytest.MonkeyPatch, answer: str
):
    """records.md: a new Connection of the same Tool and account offers *continue the deleted one*."""
    deleted = shop("connection", "delete", "Burp", "--confirm", "Burp")

    ran = add(shop, burp, label="Burp again", stdin=answer, keyboard=True)

    assert "tidegate connection add burpsuite --continues 1" in deleted.out
    assert ran.code == 0, ran.err
    assert "Burp, deleted on " in ran.err
    [row] = shop.json("connection", "list")["connections"]
    assert (row["id"] == 1, row["label"], row["records"]["good"]) == (
        (True, "Burp again", 2) if answer == "\n" else (False, "Burp again", 0)
    )


def test_where_nobody_is_there_the_deleted_connection_is_only_named(shop: Any, burp: FakeBurp):
    shop("connection", "delete", "Burp", "--confirm", "Burp")

    ran, as_json = add(shop, burp, label="New"), add(shop, burp, "--json", label="Newer")

    assert "--continues 1" in ran.err
    assert (as_json.code, as_json.err) == (0, "")
    assert 1 not in [row["id"] for row in shop.json("connection", "list")["connections"]]
    assert add(shop, burp, "--continues", "1", label="Burp").code == 0
    assert shop.json("connection", "show", "Burp")["connection"]["records"]["good"] == 2


def test_deleting_asks_for_the_label(shop: Any):
    """records.md: deleting a Connection cannot be undone and asks for the name."""
    unasked = shop("connection", "delete", "Burp")
    wrong = shop("connection", "delete", "Burp", "--confirm", "burp")
    there = shop.json("connection", "list")["connections"]
    right = shop("connection", "delete", "Burp", "--confirm", "Burp")

    assert (unasked.code, wrong.code, len(there), right.code) == (2, 1, 1, 0)
    assert "--confirm 'Burp'" in unasked.err
    assert shop.json("connection", "list")["connections"] == []
    assert [row["name"] for row in shop.json("product", "list")["products"]] == ["Web shop"]


def test_certificates_that_are_not_verified_are_a_warning_wherever_the_connection_is_shown(
    tidegate: Any, burp: FakeBurp, monkeypatch: pytest.MonkeyPatch
):
    """promises.md, Attack: switching verification off is possible per Connection and shown as a warning."""
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("localhost").configure_cert(serving)
    with FakeBurp(tls=serving) as secure:
        monkeypatch.setenv("BURP_KEY", secure.api_key)
        refused = add(tidegate, secure)
        added = add(tidegate, secure, "--set", "verify_tls=false")
        tried, shown = tidegate("connection", "test", "Burp"), tidegate("connection", "show", "Burp")
        log = tidegate("operation", "show", "1")

    assert refused.code == 1, "a certificate of nobody was trusted"
    assert added.code == 0, added.err
    for said in (added.err, tried.out, shown.out, log.out):
        assert "Certificates are not verified" in said
    assert tried.code == 0


def test_a_connection_that_cannot_be_used_as_it_is_stored_says_so_where_it_is_shown(tidegate: Any, burp: FakeBurp):
    add(tidegate, burp)
    edit_settings({"url": 7})

    shown = tidegate("connection", "show", "Burp", "--json")

    assert "Location URL" in shown.json["warnings"][0]


def edit_settings(settings: dict[str, Any]) -> None:
    from tidegate.store.models import Connection

    Connection.objects.update(settings=settings)


def test_private_networks_are_refused_where_the_operator_of_the_service_says_so(
    tidegate: Any, burp: FakeBurp, monkeypatch: pytest.MonkeyPatch
):
    """promises.md, Attack: private networks are allowed or refused by one setting."""
    add(tidegate, burp)
    monkeypatch.setenv("TIDEGATE_PRIVATE_NETWORKS", "refuse")

    answers = {
        "added": add(tidegate, burp, label="Another"),
        "tried": tidegate("connection", "test", "Burp"),
        "discovered": tidegate("discover", "Burp"),
        "synced": tidegate("sync", "Burp"),
    }

    for name, ran in answers.items():
        assert ran.code == 1, name
        assert "127.0.0.1 is a private address" in ran.out + ran.err, name


def test_another_address_is_another_burp_until_somebody_says_that_its_records_continue(
    tidegate: Any, burp: FakeBurp, monkeypatch: pytest.MonkeyPatch
):
    """records.md: another account asks whether the Records continue."""
    add(tidegate, burp)
    with FakeBurp() as moved:
        monkeypatch.setenv("BURP_KEY", moved.api_key)
        to = ("--set", f"url={moved.url}", "--secret", SECRET)
        assert tidegate("connection", "edit", "Burp", *to).code == 0

        refused = tidegate("discover", "Burp")
        continued = tidegate("connection", "edit", "Burp", "--records-continue")
        discovered = tidegate("discover", "Burp")

    assert refused.code == 1
    assert "its Records belong to http://127.0.0.1" in refused.out + refused.err
    assert "--records-continue" in refused.out + refused.err
    assert (continued.code, discovered.code) == (0, 0), discovered.out + discovered.err
    assert sorted(row["id"] for row in tidegate.json("record", "list")["records"]) == [1, 2, 3, 4]


def test_what_another_minimum_severity_does_is_told_before_it_is_saved(tidegate: Any, burp: FakeBurp):
    """records.md, Threshold: how many of each is said before it is saved."""
    add(tidegate, burp)
    tidegate("record", "map", "Storefront", "--new", "Shop")
    tidegate("sync", "Burp")

    edit = ("connection", "edit", "Burp", "--minimum-severity", "high")
    asked = tidegate(*edit, stdin="n\n", keyboard=True)
    before = tidegate.json("product", "list")["products"][0]["findings"]["open"]
    done = tidegate(*edit)
    lowered = tidegate("connection", "edit", "Burp", "--minimum-severity", "info")

    assert asked.code == 1
    assert "This closes " in asked.err
    assert before > tidegate.json("product", "list")["products"][0]["findings"]["open"]
    assert done.code == 0
    assert lowered.code == 0
