"""What `--json` prints is what docs/reference/json.md says: every field, and no other."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.cli.test_help import every_answer
from tidegate.cli.answer import Error, answers, answers_to_previews
from tidegate.demo.fake_burp import FakeBurp

ROOT = Path(__file__).resolve().parents[2]

COMMANDS = [
    ("doctor",),
    ("find", "shop"),
    ("migrate",),
    ("tool", "list"),
    ("tool", "show", "burpsuite"),
    ("connection", "list"),
    ("connection", "show", "Burp"),
    ("connection", "edit", "Burp", "--no-auto-map"),
    ("connection", "test", "Burp"),
    ("connection", "pause", "Burp"),
    ("connection", "resume", "Burp"),
    ("schedule", "list"),
    ("schedule", "show", "Burp"),
    ("schedule", "set", "Burp", "--every", "6"),
    ("discover", "Burp"),
    ("sync", "Burp"),
    ("operation", "list"),
    ("operation", "show", "1"),
    ("operation", "differences", "1"),
    ("record", "list"),
    ("record", "show", "Storefront"),
    ("record", "ignore", "Storefront"),
    ("record", "restore", "Storefront"),
    ("record", "map", "Storefront", "--product", "Web shop"),
    ("record", "undo", "Storefront"),
    ("record", "delete", "Legacy Intranet"),
    ("product", "list"),
    ("product", "show", "Web shop"),
    ("finding", "list"),
    ("finding", "show", "1"),
    ("finding", "story", "1"),
    ("audit", "list"),
    ("audit", "export"),
    ("secrets", "status"),
    ("secrets", "rotate"),
    ("upgrade",),
    ("retention",),
    ("retention", "--now"),
    ("finding", "decide", "1", "--note", "x"),
    ("finding", "undo", "1"),
    ("notify", "list"),
    ("notify", "log"),
    ("product", "delete", "Web shop", "--confirm", "Web shop"),
    ("connection", "delete", "Burp", "--confirm", "Burp"),
]


def has_shape(answer: Any, shape: Any) -> bool:
    return msgspec.to_builtins(msgspec.convert(answer, shape)) == answer


def test_every_answer_has_its_documented_shape(shop: Any, burp: FakeBurp):
    shop("sync", "Burp")
    burp.control.fix_issue("Storefront", n=100)
    shop("sync", "Burp")
    held = shop.json("operation", "list", "--held")["operations"][0]["id"]
    shapes = answers()

    for command in (("operation", "keep", str(held)), *COMMANDS):
        name = " ".join(command[: 1 if command[0] in shapes else 2])
        assert has_shape(shop.json(*command), shapes[name]), name


def test_the_answer_to_a_new_connection_has_its_shape(tidegate: Any, burp: FakeBurp):
    answer = tidegate.json(
        "connection", "add", "burpsuite", "--set", f"url={burp.url}", "--secret", "api_key=env:BURP_KEY"
    )

    assert has_shape(answer, answers()["connection add"])
    assert answer["connection"]["records"]["new"] == 4


def test_previews_have_their_documented_shapes(tidegate: Any, burp: FakeBurp):
    shapes = answers() | answers_to_previews()
    add = ("connection", "add", "burpsuite", "--set", f"url={burp.url}", "--secret", "api_key=env:BURP_KEY")

    for command in (
        (*add, "--preview"),
        ("operation", "differences", "1"),
        ("connection", "keep", "1"),
        ("connection", "edit", "1", "--minimum-severity", "high", "--preview"),
        (*add, "--label", "Other", "--preview"),
        ("connection", "drop", "2"),
        ("upgrade", "--check"),
    ):
        name = " ".join((*command[:2], "--preview")) if "--preview" in command else " ".join(command[:2])
        assert has_shape(tidegate.json(*command), shapes[name]), name


def test_configuration_as_code_has_its_shapes(shop: Any, tmp_path: Path):
    shapes, file = answers(), tmp_path / "tidegate.yaml"
    exported = shop.json("export", "--mappings", "all")
    file.write_text(exported["document"].replace("hold_above: 20", "hold_above: 21"))
    found = {"export": exported, "validate": shop("validate", file, "--json").json}
    found["plan"] = shop("plan", file, "--no-secrets", "--json").json
    found["apply"] = shop("apply", file, "--no-secrets", "--yes", "--json").json

    assert found["plan"]["changes"] != []
    assert found["apply"]["changes"] != []
    for name, answer in found.items():
        assert has_shape(answer, shapes[name]), name
    file.write_text("version: 2")
    assert has_shape(shop("validate", file, "--json").json, shapes["validate"])


def test_an_error_has_its_shape(tidegate: Any):
    assert has_shape({"error": tidegate("record", "show", "9", "--json").error}, Error)


def test_every_command_has_a_documented_answer():
    assert sorted(answers()) == sorted(path for path, _ in every_answer())


def test_no_two_shapes_have_one_name():
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        from generate import reachable  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.pop(0)
    names = [shape.__name__ for shape in reachable([Error, *(answers() | answers_to_previews()).values()])]

    assert len(names) == len(set(names))


def test_the_reference_says_what_the_code_says():
    run = subprocess.run(
        [sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True, check=False
    )

    assert run.returncode == 0, run.stderr


def test_a_stale_reference_is_noticed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
):
    sys.path.insert(0, str(ROOT / "docs"))
    try:
        import generate  # pyright: ignore[reportMissingImports]
    finally:
        sys.path.pop(0)
    monkeypatch.setattr(generate, "REFERENCE", tmp_path)
    monkeypatch.setattr(generate, "ROUTES", tmp_path / "routes.json")

    assert generate.main(["--check"]) == 1
    assert "Run: ./dev docs" in capsys.readouterr().err
    assert generate.main([]) == 0
    assert generate.main(["--check"]) == 0
