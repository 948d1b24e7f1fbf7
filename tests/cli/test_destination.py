"""`tidegate destination`: tried before it is stored, said in sentences, and no token anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.cli.test_guide import ROOT, commands
from tests.cli.test_json import has_shape
from tidegate.cli.answer import answers
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo


@pytest.fixture
def dojo(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeDefectDojo]:
    with FakeDefectDojo() as fake:
        monkeypatch.setenv("DOJO_TOKEN", fake.token)
        yield fake


def add(dojo: FakeDefectDojo, *more: str) -> tuple[str, ...]:
    return ("destination", "add", "Dojo", "--set", f"url={dojo.url}", "--secret", "token=env:DOJO_TOKEN", *more)


def test_a_life_of_a_destination(shop: Any, dojo: FakeDefectDojo):
    assert shop("sync", "Burp").code == 0
    told = shop(*add(dojo, "--product-type", "Research and Development", "--writes-per-minute", "90"))
    assert told.code == 0, told.err
    assert "destination take 1" in told.out

    theirs = dojo.world.add("products", name="Their shop", description="", prod_type=1, tags=[], authorized_users=[])[
        "id"
    ]
    every = [
        ("destination", "list"),
        ("destination", "show", "Dojo"),
        ("destination", "test", "Dojo"),
        ("destination", "take", "Dojo", "--connection", "Burp"),
        ("destination", "join", "Dojo", "Web shop", str(theirs)),
        ("deliver", "Burp"),
        ("deliver", "Burp", "--compare"),
        ("destination", "take", "Dojo", "--the-rest"),
        ("destination", "leave", "Dojo", "--connection", "Burp"),
        ("destination", "edit", "Dojo", "--off", "--join", "same name"),
    ]
    for command in every:
        name = " ".join(command[: 1 if command[0] == "deliver" else 2])
        assert has_shape(shop.json(*command), answers()[name]), command
        if name == "deliver":
            continue
        again = {"take": "test", "leave": "show", "edit": "show", "join": "show"}.get(command[1], command[1])
        ran = shop("destination", again, *command[2:3])
        assert dojo.token not in ran.out + ran.err
    assert {row["test"] for row in dojo.world.rows["findings"].values()} == {1}
    shown = shop("destination", "show", "Dojo").out
    assert "the rest" in shown
    assert "joined by name" in shown
    assert "Switched off" in shown
    assert has_shape(shop.json(*add(dojo)[:2], "Other", *add(dojo)[3:]), answers()["destination add"])
    shop("destination", "delete", "Other", "--confirm", "Other")
    gone = shop.json("destination", "delete", "Dojo", "--confirm", "Dojo")
    assert has_shape(gone, answers()["destination delete"])
    assert shop.json("destination", "list") == {"destinations": []}


def test_every_command_of_the_guide_about_destinations_works_as_it_stands_there(shop: Any, dojo: FakeDefectDojo):
    shop("product-type", "add", "Web shops")
    of_ours = [one for one in commands(ROOT / "docs" / "guide" / "defectdojo.md") if one[1] == "destination"]

    assert len(of_ours) >= 10
    for program, *arguments in of_ours:
        ran = shop(*(one.replace("https://defectdojo.example.org", dojo.url) for one in arguments))
        assert (program, ran.code) == ("tidegate", 0), f"{arguments}: {ran.out}{ran.err}"


def test_what_cannot_work_is_not_stored(tidegate: Any, dojo: FakeDefectDojo, monkeypatch: pytest.MonkeyPatch):
    ran = tidegate(*add(dojo, "--product-type", "Nowhere"))
    assert ran.code == 1
    assert "There is no product type «Nowhere»" in ran.err
    monkeypatch.setenv("DOJO_TOKEN", "wr0ng" * 8)
    ran = tidegate(*add(dojo))
    assert "Invalid token" in ran.err
    assert "wr0ng" not in ran.out + ran.err

    assert tidegate.json("destination", "list") == {"destinations": []}
    assert tidegate(*add(dojo, "--no-test")).code == 0
    tried = tidegate("destination", "test", "Dojo")
    assert (tried.code, "FAIL  connection:" in tried.out) == (1, True)


@pytest.mark.parametrize("options", [(), ("--the-rest", "--connection", "Burp")])
def test_which_findings_has_to_be_said(tidegate: Any, dojo: FakeDefectDojo, options: tuple[str, ...]):
    assert tidegate(*add(dojo)).code == 0

    ran = tidegate("destination", "take", "Dojo", *options)

    assert ran.code == 2
    assert "Which findings?" in ran.err
