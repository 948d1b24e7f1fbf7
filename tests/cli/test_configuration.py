"""`tidegate export`, `plan`, `apply` and `validate`: a file kept with the code, as a person and as CI use it."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest

from tidegate.cli import reference, run
from tidegate.demo.fake_burp import FakeBurp

CANARY = "canary-word-of-the-vault"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "tidegate.yaml"


def document(secret: str = "{env: BURP_KEY}", more: str = "") -> str:
    return f"""\
version: 1
connections:
  - label: Burp
    tool: burpsuite
    settings: {{url: https://burp.example.org}}
    secrets: {{api_key: {secret}}}
{more}"""


def test_plan_exits_4_until_it_is_applied(tidegate: Any, burp: FakeBurp, file: Path):
    file.write_text(document())

    first = tidegate("plan", file)
    applied = tidegate("apply", file, "--yes")
    again = tidegate("plan", file)

    assert (first.code, applied.code, again.code) == (4, 0, 0), applied.err
    assert "+ create Connection «Burp»" in first.out
    assert "secrets.api_key: from {env: BURP_KEY}" in first.out
    assert "tidegate.yaml manages 1 things" in applied.out
    assert "Nothing is to be changed." in again.out
    assert burp.api_key not in "".join((first.out, first.err, applied.out, applied.err))


def test_apply_asks_and_does_nothing_where_the_answer_is_no(tidegate: Any, burp: FakeBurp, file: Path):
    file.write_text(document())

    assert tidegate("apply", file).code == 2
    assert tidegate("apply", file, "--json").code == 2
    refused = tidegate("apply", file, stdin="n\n", keyboard=True)
    assert refused.code == 1
    assert tidegate.json("connection", "list")["connections"] == []
    assert tidegate("apply", file, stdin="y\n", keyboard=True).code == 0
    assert len(tidegate.json("connection", "list")["connections"]) == 1


def test_what_was_exported_is_in_order_and_changes_nothing(shop: Any, burp: FakeBurp, file: Path):
    exported = shop("export")
    file.write_text(exported.out)

    assert exported.code == 0
    assert burp.api_key not in exported.out
    assert "{env: NAME}" in exported.out
    assert shop("validate", file).code == 0
    planned = shop.json("plan", file, "--no-secrets")
    assert planned["changes"] == []
    assert shop("plan", file, "--no-secrets").code == 0


def test_validate_needs_no_database_and_says_all_that_is_wrong(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setenv("TIDEGATE_DATABASE_URL", "postgresql://nobody@127.0.0.1:1/nothing")
    file.write_text(document(more="    hold_above: many\n    auto_map: perhaps\n"))

    code = run(["validate", str(file)])

    said = capsys.readouterr().err
    assert code == 1
    assert "tidegate.yaml, line 7, connections[0].hold_above: «many» cannot be used." in said
    assert "tidegate.yaml, line 8, connections[0].auto_map: «perhaps»" in said


def test_validate_knows_the_fields_of_a_tool(file: Path, capsys: pytest.CaptureFixture[str]):
    file.write_text(document().replace("url: https://burp.example.org", "url: nowhere, api_key: canary"))
    assert run(["validate", str(file)]) == 1
    assert "canary" not in capsys.readouterr().err
    file.write_text(document().replace("url:", "uri:"))

    assert run(["validate", str(file)]) == 1
    assert "connections[0].settings.uri: BurpSuite has no setting «uri»" in capsys.readouterr().err


def test_secrets_come_from_variables_files_and_commands(tidegate: Any, file: Path, tmp_path: Path, monkeypatch: Any):
    (tmp_path / "secret").write_text(f"{CANARY}\n")
    monkeypatch.setenv("BURP_KEY", CANARY)
    ways = (
        "{env: BURP_KEY}",
        f"{{file: '{tmp_path / 'secret'}'}}",
        f"{{command: [printf, '%s\\n', {CANARY}]}}".replace(CANARY, "canary-word-of-the-vault"),
    )
    file.write_text(document(ways[0]))
    assert tidegate("apply", file, "--yes").code == 0

    for way in ways[1:]:
        file.write_text(document(way))
        assert tidegate("plan", file).code == 0, way  # it is the same secret


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("{env: NOT_SET}", "The environment variable NOT_SET"),
        ("{file: /nowhere/at/all}", "The file /nowhere/at/all"),
        ("{command: [/nowhere/at/all]}", "cannot be run"),
        ("{command: ['false']}", "ended with code 1"),
        ("{command: ['true']}", "said nothing"),
        ("{command: [sh, -c, 'echo canary; exit 3']}", "ended with code 3"),
        ("{command: [cat, /dev/zero]}", "is too long"),
    ],
)
def test_a_secret_that_is_not_there_is_said_by_its_place(
    file: Path, secret: str, said: str, capsys: pytest.CaptureFixture[str]
):
    file.write_text(document(secret))

    code, err = run(["plan", str(file)]), capsys.readouterr().err

    assert code in (1, 2)
    assert said in err
    assert "connections[0].secrets.api_key (line 6)" in err
    assert "canary" not in err


def test_a_command_that_does_not_end_is_ended_with_all_it_started(
    file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
):
    monkeypatch.setattr(reference, "SECONDS_FOR_A_COMMAND", 0.3)
    file.write_text(document("{command: [sh, -c, 'sleep 60 & sleep 60']}"))
    began = time.monotonic()

    run(["plan", str(file)])

    assert "did not end within 0.3 seconds" in capsys.readouterr().err
    assert time.monotonic() - began < 20


def test_a_command_is_run_without_a_shell_and_not_at_all_with_no_secrets(tidegate: Any, file: Path, tmp_path: Path):
    shell, mark = tmp_path / "of a shell", tmp_path / "of the command"
    file.write_text(document(f"{{command: [echo, 'x; touch {shell}', '$(touch {shell})']}}"))
    assert tidegate("plan", file).code == 4
    file.write_text(document(f"{{command: [touch, '{mark}']}}"))
    assert tidegate("plan", file, "--no-secrets").code == 4

    assert not shell.exists()
    assert not mark.exists()


def test_what_is_refused_is_said_and_the_rest_is_done(tidegate: Any, burp: FakeBurp, file: Path):
    file.write_text(document(more="    rules: [{pattern: a, product: Nothing}]\nusers: [{username: anna}]\n"))

    ran = tidegate("apply", file, "--yes")

    assert ran.code == 3
    assert "Not done: change mapping rules of «Burp». There is no Product «Nothing»" in ran.err
    assert "2 done, 1 not." in ran.out


def test_reading_stdin_cannot_ask(tidegate: Any, burp: FakeBurp):
    assert tidegate("plan", "-", stdin=document()).code == 4
    assert tidegate("apply", "-", stdin=document()).code == 2
    assert tidegate("apply", "-", "--yes", stdin=document()).code == 0


def test_a_file_that_is_not_there_or_is_no_text(file: Path, capsys: pytest.CaptureFixture[str]):
    assert run(["plan", str(file)]) == 1
    assert "cannot be read" in capsys.readouterr().err
    file.write_bytes(b"\xff\xfe\x00")
    assert run(["plan", str(file)]) == 1
    assert "is not UTF-8" in capsys.readouterr().err


def test_what_a_file_manages_says_so_where_it_is_shown_and_where_it_is_changed_by_hand(
    shop: Any, burp: FakeBurp, file: Path, monkeypatch: pytest.MonkeyPatch
):
    """Issue 6: what a file manages says so, and nobody wonders later why an edit is gone."""
    monkeypatch.setenv("MAIL", "mailto://u:word@mail.example.org")
    rest = """\
    schedules: {sync: {kind: off}}
    rules: [{pattern: a*, ignore: true}]
    mappings: [{id: ID, product: Web shop}]
product_types: [{name: Web}]
products: [{name: Web shop, product_type: Web}]
notifications: [{name: Mail, address: {env: MAIL}}]
users: [{username: anna}]
"""
    storefront = shop.json("record", "show", "Storefront")["record"]["vendor_id"]
    file.write_text(document(more=rest.replace("ID", storefront)).replace("https://burp.example.org", burp.url))
    assert shop("apply", file, "--yes").code == 0
    edits = [
        ("connection", "edit", "Burp", "--no-auto-map"),
        ("schedule", "set", "Burp", "--sync", "--every", "6"),
        ("rule", "delete", "Burp", "1"),
        ("record", "ignore", "Storefront"),
        ("product-type", "rename", "Web", "Webs"),
        ("product", "edit", "Web shop", "--tag", "x"),
        ("notify", "edit", "Mail", "--off"),
        ("user", "edit", "anna", "--email", "anna@example.org"),
    ]

    for command in edits:
        shown = shop(command[0], "list" if command[0] == "rule" else "show", command[2])
        assert "anaged by" in shown.out + shown.err, command
        assert "tidegate.yaml" in shown.out + shown.err, command
        edited = shop(*command)
        assert (edited.code, "is managed by tidegate.yaml: the next apply" in edited.err) == (0, True), command
    other = shop("record", "ignore", "Storefront API")
    assert "managed" not in other.out + other.err
