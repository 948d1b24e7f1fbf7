"""What a vendor sends cannot move the cursor, colour the line, hide in it or turn it around."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tidegate.cli.terminal import QUIET_SECONDS, SELDOM_SECONDS, _seldom, clean, json_text, plain, table

PROGRAM = Path(sys.executable).with_name("tidegate")
COLOURED = "\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07 \x9b2J"
HOSTILE = f"{COLOURED} [bold]x[/bold] :smile: \u202egnp\u202c \x00\x07\ud800\r\nend"


def test_escapes_are_gone_and_the_rest_is_replaced():
    cleaned = clean(HOSTILE)

    assert "\x1b" not in cleaned
    assert not [
        letter for letter in cleaned if ord(letter) < 32 or 127 <= ord(letter) < 160 or letter in "\u202e\u202c"
    ]
    assert "red link" in cleaned
    cleaned.encode()


@pytest.mark.parametrize(
    "text", ["\x1b", "\x1b[", "\x1b]0;title", "\x1bP+q", "\x1b(B", "\x1b[38;5;1", "\x9d0;x\x9c", "a\x1b\x1b[0m"]
)
def test_a_cut_escape_does_no_harm_either(text: str):
    assert not set(clean(text)) & {"\x1b", "\x9d", "\x9c"}


def test_letters_of_any_language_stay():
    assert clean("Grüße 日本語 العربية 👍") == "Grüße 日本語 العربية 👍"


def test_json_escapes_what_a_terminal_would_obey_and_keeps_the_text():
    text = json_text({"name": HOSTILE})

    assert text.isprintable() or set(text) - {"\n"} == {letter for letter in text if letter.isprintable()}
    assert json.loads(text)["name"] == HOSTILE.replace("\ud800", "?")


def test_a_table_prints_text_as_text(capsys: pytest.CaptureFixture[str]):
    table(("NAME", "N#"), [("[red]x[/red] :bomb: \x1b[1m", "3")], empty="")

    said = capsys.readouterr().out
    assert "[red]x[/red] :bomb:" in said
    assert "\x1b" not in said


def test_a_table_in_a_pipe_fits_80_columns_and_ends_no_line_with_blanks(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.delenv("COLUMNS", raising=False)

    table(("NAME", "WHY"), [("x" * 60, "because " * 30)], empty="")

    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    assert all(line == line.rstrip() for line in lines)


def test_where_the_heads_have_no_room_each_row_is_told_downwards(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("COLUMNS", "20")

    table(
        ("#", "SEVERITY", "ACTIVE#", "TITLE"), [("1", "High", "7", "XSS in\nhere"), ("2", "Low", "", "CSRF")], empty=""
    )

    assert capsys.readouterr().out == (
        "#         1\nSEVERITY  High\nACTIVE    7\nTITLE     XSS in\n          here\n\n"
        "#         2\nSEVERITY  Low\nTITLE     CSRF\n"
    )


@pytest.mark.parametrize("columns", ["0", "1", "-3", "abc"])
def test_a_width_that_is_none_still_shows_what_there_is(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, columns: str
):
    monkeypatch.setenv("COLUMNS", columns)

    table(("NAME", "N#"), [("Storefront", "3")], empty="")

    assert "Storefront" in capsys.readouterr().out


@pytest.mark.parametrize("arguments", ["--help", "tool show burpsuite", "tool show nessus"])
def test_a_terminal_that_is_not_utf_8_gets_its_answer(arguments: str):
    run = subprocess.run(
        [PROGRAM, *arguments.split()],
        env={**os.environ, "PYTHONIOENCODING": "ascii"},
        capture_output=True,
        encoding="ascii",
        check=False,
    )

    assert "Traceback" not in run.stderr
    assert "tidegate" in run.stdout + run.stderr


def test_where_there_is_no_terminal_progress_is_quiet_until_it_takes_long(capsys: pytest.CaptureFixture[str]):
    times = iter([0.0, 1.0, QUIET_SECONDS, QUIET_SECONDS + 1, QUIET_SECONDS + SELDOM_SECONDS])
    progress = _seldom(lambda: next(times))

    progress("Reading a", 0, 2)
    progress("Reading b", 1, 2000)

    assert capsys.readouterr().err == "Reading b … 1 of 2,000\n"
    progress("Waiting", 0, None)
    assert capsys.readouterr().err == ""


def test_a_value_is_shown_as_one_would_type_it():
    assert [plain(value) for value in (True, ["a", "b"], 7, "x", [])] == ["true", "a, b", "7", "x", ""]


def test_an_empty_list_says_what_to_do(tidegate: Any):
    assert "tidegate tool list" in tidegate("connection", "list").out
    assert "tidegate discover" in tidegate("record", "list").out
    assert "tidegate record map" in tidegate("product", "list").out
    assert "tidegate sync" in tidegate("finding", "list").out


def test_a_reader_that_goes_away_is_no_news():
    code = "import sys; sys.argv=['tidegate','tool','list']; from tidegate.cli import main; main()"
    run = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert run.stdout is not None
    run.stdout.close()

    _, said = run.communicate(timeout=60)

    assert said == b""


def test_a_hostile_name_of_a_vendor_prints_harmlessly(shop: Any, burp: Any):
    burp.control.rename_site("Storefront", "\x1b[2J\x1b]0;owned\x07[bold]Shop[/bold]\u202e")
    shop("discover", "Burp")

    for command in (
        ("record", "list"),
        ("record", "show", "1"),
        ("operation", "show", "2"),
        ("record", "list", "--json"),
    ):
        ran = shop(*command)
        assert ran.code == 0, ran.err
        assert not set(ran.out + ran.err) & {"\x1b", "\x07", "\u202e", "\x9b"}
    assert "[bold]Shop[/bold]" in shop("record", "list").out
