"""Bad input is a sentence that names the thing and the next step, exit code 1 or 2, and nothing half done."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest

from tidegate.demo.fake_burp import FakeBurp

PROGRAM = Path(sys.executable).with_name("tidegate")


def everything() -> list[Any]:
    """All that could have been half done."""
    from tidegate.reads import connection, finding, operation, product, record

    return [
        connection.connections(),
        record.records(),
        product.products(),
        operation.operations(),
        finding.findings(),
    ]


def refused(tidegate: Any, *arguments: object, code: int, named: str) -> None:
    """The command ends so, names the thing, says what to do next, as text and as JSON alike, and changes nothing."""
    before = everything()

    ran, as_json = tidegate(*arguments), tidegate(*arguments, "--json")

    assert (ran.code, as_json.code) == (code, code), ran.out + ran.err
    assert named in ran.err
    assert "\nNext: " in ran.err
    assert named in as_json.error["what"] + as_json.error["next_step"]
    assert as_json.error["next_step"]
    assert (ran.out, as_json.out) == ("", "")
    assert everything() == before


BURP = ("connection", "add", "burpsuite", "--secret", "api_key=env:BURP_KEY", "--label", "Other", "--set")


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("http://127.0.0.1:9/", "127.0.0.1:9/"),
        ("ftp://burp.example", "ftp"),
        ("http://169.254.169.254/", "169.254"),
        ("not a url", "url"),
        ("http://user:pass@burp.example", "url"),
    ],
)
def test_a_wrong_url(shop: Any, url: str, named: str):
    refused(shop, *BURP, f"url={url}", code=1, named=named)


def test_a_url_that_leads_to_something_else(shop: Any, burp: FakeBurp):
    refused(shop, *BURP, f"url={burp.control_url}", code=1, named="is not connected")


def test_a_wrong_token(shop: Any, burp: FakeBurp, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("BURP_KEY", "a-wrong-token")

    refused(shop, *BURP, f"url={burp.url}", code=1, named="is not connected")
    ran = shop(*BURP, f"url={burp.url}")

    assert "a-wrong-token" not in ran.err


def test_unknown_settings(shop: Any, burp: FakeBurp):
    refused(shop, *BURP, f"url={burp.url}", "--set", "colour=red", code=2, named="«colour»")
    refused(shop, *BURP, f"url={burp.url}", "--set", "verify_tls=perhaps", code=1, named="verify_tls")
    refused(shop, *BURP, "url", code=2, named="--set NAME=VALUE")
    refused(shop, "connection", "edit", "Burp", "--set", "colour=red", code=2, named="«colour»")


def test_an_unknown_tool(shop: Any):
    refused(shop, "connection", "add", "netsparker", code=1, named="«netsparker»")
    refused(shop, "tool", "show", "netsparker", code=1, named="«netsparker»")


def test_a_label_that_is_taken(shop: Any, burp: FakeBurp):
    again = (
        "connection",
        "add",
        "burpsuite",
        "--label",
        "Burp",
        "--set",
        f"url={burp.url}",
        "--secret",
        "api_key=env:BURP_KEY",
    )

    refused(shop, *again, code=1, named="«Burp»")


NOT_THERE = (
    ("connection", "show", "99"),
    ("connection", "test", "99"),
    ("connection", "delete", "99", "--confirm", "x"),
    ("discover", "Nessus"),
    ("sync", "99"),
    ("sync", "--record", "99"),
    ("record", "show", "99"),
    ("record", "map", "99", "--new", "X"),
    ("record", "map", "Storefront", "99", "--product", "Web shop"),
    ("record", "map", "Storefront", "--product", "99"),
    ("record", "undo", "--step", "00000000-0000-0000-0000-000000000000"),
    ("product", "show", "99"),
    ("product", "delete", "99", "--confirm", "x"),
    ("finding", "show", "99"),
    ("finding", "decide", "99", "--verdict", "accepted"),
    ("finding", "list", "--product", "99"),
    ("operation", "show", "99"),
    ("operation", "approve", "99"),
    ("operation", "keep", "999999999999999999"),
)


def test_an_unknown_id(shop: Any):
    for command in NOT_THERE:
        refused(shop, *command, code=1, named="here is no ")


ASKED_WRONGLY = (
    ("record", "list", "--state", "lost"),
    ("record", "list", "--limit", "0"),
    ("record", "list", "--colour", "red"),
    ("record", "map", "Storefront"),
    ("record", "map", "Storefront", "--new", "X", "--product", "Web shop"),
    ("record", "undo"),
    ("record", "undo", "--step", "yesterday"),
    ("finding", "show", "first"),
    ("finding", "decide", "1"),
    ("finding", "list", "--active", "--status", "open"),
    ("operation", "show", "-1"),
    ("sync",),
    ("discover",),
)


def test_what_was_asked_wrongly(shop: Any):
    for command in ASKED_WRONGLY:
        refused(shop, *command, code=2, named="")


def test_a_product_name_that_cannot_be_used(shop: Any):
    for name in ["x" * 10_000, "with\0nul", " ", "", "line\nbreak", "\x1b[2J"]:
        refused(shop, "record", "map", "Partner Portal", "--new", name, code=1, named="name of the Product")


def test_looking_for_what_cannot_be_a_name(shop: Any):
    for name in ["x" * 10_000, "with\0nul", "\ud800"]:
        refused(shop, "product", "show", name, code=1, named="There is no Product")
        refused(shop, "record", "show", name, code=1, named="There is no Record")
        refused(shop, "discover", name, code=1, named="There is no Connection")
        assert shop.json("record", "list", "--search", name)["records"] == []
        assert shop.json("product", "list", "--search", name)["products"] == []
        assert shop.json("finding", "list", "--search", name)["findings"] == []
        assert shop.json("connection", "list", "--search", name)["connections"] == []


def test_a_cursor_of_nobody(shop: Any):
    for cursor in ["x", "é", "WzFd", "W1tbW1tbXQ", "e30", "A" * 5000, "WyJhIiwgMTAwMDAwMDAwMDAwMDAwMDAwMDAwMDBd"]:
        refused(shop, "record", "list", "--after", cursor, code=1, named="cursor")


def test_two_people_mapping_the_same_record_at_once(shop: Any, monkeypatch: pytest.MonkeyPatch):
    """Both looked at the undecided Record; one decides, the other is told so, and nothing of theirs is done."""
    from tidegate.cli import record

    looked = threading.Event()
    find = record.the_records

    def look(*arguments: Any) -> Any:
        rows = find(*arguments)
        if not looked.is_set():
            looked.set()
            assert shop("record", "map", "Partner Portal", "--new", "Of the other").code == 0
        return rows

    monkeypatch.setattr(record, "the_records", look)
    ran = shop("record", "map", "Partner Portal", "--new", "Mine")

    assert ran.code == 1
    assert "decided by alice" in ran.err
    assert shop.json("record", "show", "Partner Portal")["record"]["product"] == "Of the other"
    assert "Mine" not in [row["name"] for row in shop.json("product", "list")["products"]]


@pytest.mark.parametrize(
    ("variable", "value", "code"),
    [
        ("TIDEGATE_LEASE_SECONDS", "soon", 2),
        ("TIDEGATE_PRIVATE_NETWORKS", "maybe", 2),
        ("TIDEGATE_DATABASE_URL", "mysql://alice:hush-hush@db/x", 1),
        ("TIDEGATE_DATABASE_URL", "postgresql://alice:hush-hush@127.0.0.1:9/x", 1),
        ("TIDEGATE_SECRET_KEY", "hush-hush", 1),
    ],
)
def test_a_corrupt_configuration(
    shop: Any, burp: FakeBurp, monkeypatch: pytest.MonkeyPatch, variable: str, value: str, code: int
):
    monkeypatch.setenv(variable, value)

    ran = shop(*BURP, f"url={burp.url}")

    assert ran.code == code
    assert variable in ran.err
    assert "\nNext: " in ran.err
    assert "hush-hush" not in ran.err


def test_corrupt_settings_of_a_connection_are_named_and_mended(shop: Any):
    from tidegate.store.models import Connection

    Connection.objects.update(settings={"url": 7})

    ran = shop("sync", "Burp")

    assert ran.code == 1, ran.out + ran.err
    assert "Location URL" in ran.out + ran.err


def test_a_bug_is_a_sentence_and_a_traceback_only_where_asked_for(
    tidegate: Any, database: Any, monkeypatch: pytest.MonkeyPatch
):
    """Issue 3, Bad input: never a traceback; but whoever mends it can have one, without secrets."""
    broken = "import tidegate.cli as cli, tidegate.cli.tool as tool; tool.table = 1; cli.main(['tool', 'list'])"

    def run(**environment: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-c", broken],
            capture_output=True,
            text=True,
            check=False,
            env={**os.environ, **environment},
        )

    quiet, debug = run(), run(TIDEGATE_DEBUG="1")

    assert (quiet.returncode, debug.returncode) == (1, 1)
    assert "Traceback" not in quiet.stderr
    assert "TypeError" in quiet.stderr
    assert "Traceback" in debug.stderr


def test_ctrl_c_ends_cleanly(shop: Any, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tidegate.actions.operation.sync", interrupt)

    ran = shop("sync", "Burp")

    assert ran.code == 130
