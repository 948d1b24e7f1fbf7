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
    refused(shop, *BURP, f"url={burp.url}", "--set", "url=http://b.example", code=2, named="url was given twice")
    refused(shop, *BURP, f"url={burp.url}", "--secret", "api_key=env:HOME", code=2, named="api_key was given twice")
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


def test_a_label_that_is_empty(shop: Any, burp: FakeBurp):
    secret = ("--secret", "api_key=env:BURP_KEY")

    refused(
        shop,
        "connection",
        "add",
        "burpsuite",
        "--label",
        "",
        "--set",
        f"url={burp.url}",
        *secret,
        code=1,
        named="label",
    )


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


@pytest.mark.parametrize("number", ["0", str(2**63 - 1), str(2**63), "9" * 5000], ids=len)
def test_a_number_that_nothing_has_is_no_usage_error_however_large(shop: Any, number: str):
    for command in (("finding", "show"), ("operation", "show"), ("operation", "approve"), ("record", "show")):
        refused(shop, *command, number, code=1, named="There is no ")


EMPTY_NAMES = (
    ("record", "list", "--product", ""),
    ("record", "list", "--connection", ""),
    ("record", "show", "Storefront", "--connection", ""),
    ("record", "map", "Storefront", "--product", ""),
    ("record", "undo", ""),
    ("product", "list", "--connection", ""),
    ("operation", "list", "--connection", ""),
    ("finding", "list", "--product", ""),
    ("finding", "list", "--record", ""),
)


@pytest.mark.parametrize("command", EMPTY_NAMES, ids=" ".join)
def test_an_empty_name_is_a_name_of_nothing_and_not_everything(shop: Any, command: tuple[str, ...]):
    """A script whose variable is empty must not be answered as if it had not filtered."""
    refused(shop, *command, code=1, named="«»")


def test_a_product_type_for_a_product_that_is_there(shop: Any):
    refused(
        shop,
        "record",
        "map",
        "Storefront",
        "--product",
        "Web shop",
        "--product-type",
        "X",
        code=2,
        named="Product Type",
    )


@pytest.mark.parametrize("day", ["2026-02-30", "31/12/2999", "tomorrow", ""])
def test_an_end_that_is_no_day(shop: Any, day: str):
    refused(shop, "finding", "decide", "1", "--verdict", "accepted", "--until", day, code=2, named=f"«{day}»")


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
    assert shop("connection", "show", "Burp").code == 0


def test_settings_that_the_tool_no_longer_knows_can_be_taken_away(shop: Any, burp: FakeBurp):
    """A newer version of a tool may drop a field; a secret may have been put there by hand."""
    from tidegate.store.models import Connection

    Connection.objects.update(settings={"url": burp.url, "colour": "red", "api_key": "hush-hush"})

    broken, shown = shop("discover", "Burp"), shop("connection", "show", "Burp", "--json")
    mended = shop("connection", "edit", "Burp", "--set", "colour=", "--set", "api_key=")

    assert (broken.code, mended.code, shop("discover", "Burp").code) == (1, 0, 0), mended.err
    assert "hush-hush" not in shown.out
    assert shown.json["settings"]["colour"] == "red"


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


def test_ctrl_c_ends_with_130_and_says_what_became_of_it(shop: Any, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tidegate.actions.operation.see_through", interrupt)

    ran, as_json = shop("sync", "Burp"), shop("sync", "Burp", "--json")

    assert (ran.code, as_json.code) == (130, 130)
    assert ran.err == "Stopped.\nNext: What was applied stays; run the command again to go on.\n"
    assert (as_json.error["what"], as_json.out) == ("Stopped.", "")


def test_ctrl_c_while_the_vendor_is_read_cancels_the_operation(shop: Any, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("tidegate.ingest.operation.run_sync", interrupt)

    ran = shop("sync", "Burp")

    assert ran.code == 130
    assert shop.json("operation", "list", "--limit", "1")["operations"][0]["status"] == "cancelled"


def test_ctrl_c_at_a_prompt_ends_with_130(shop: Any, monkeypatch: pytest.MonkeyPatch):
    def interrupt(*_: Any) -> str:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("typer._click.termui.visible_prompt_func", interrupt)
        ran = shop("connection", "delete", "Burp", keyboard=True)
    nothing = shop("connection", "list")

    assert ran.code == 130
    assert "nothing was done" in ran.err
    assert "Burp" in nothing.out


CLOSED = {
    "stdout": (("tool", "list"), ">&-", 0),
    "stdout of the overview": (("--help",), ">&-", 0),
    "stdin, where something is asked": (("connection", "add", "burpsuite"), "<&-", 2),
    "stdin, where a secret comes from it": (
        ("connection", "add", "burpsuite", "--set", "url=http://127.0.0.1:9", "--secret", "api_key=-"),
        "<&-",
        2,
    ),
    "stderr": (("tool", "show", "nessus"), "2>&-", 1),
}


@pytest.mark.parametrize("closed", CLOSED)
def test_a_stream_that_is_closed_is_no_bug(closed: str):
    arguments, redirection, code = CLOSED[closed]

    run = subprocess.run(
        ["sh", "-c", f'"$0" "$@" {redirection}', PROGRAM, *arguments], capture_output=True, text=True, check=False
    )

    assert run.returncode == code, run.stderr
    assert "was not made for" not in run.stderr
    assert "Traceback" not in run.stderr
    assert run.stdout == ""


@pytest.mark.parametrize("arguments", ["--help", "tool list", "tool list --json"])
def test_an_answer_that_cannot_be_written_is_a_failure_and_said(arguments: str):
    with Path("/dev/full").open("w") as full:
        run = subprocess.run([PROGRAM, *arguments.split()], stdout=full, stderr=subprocess.PIPE, text=True, check=False)

    assert run.returncode == 1
    assert run.stderr.count("No space left on device") == 1
    assert "was not made for" not in run.stderr
    assert "Traceback" not in run.stderr
