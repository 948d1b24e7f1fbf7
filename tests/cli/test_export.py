"""`tidegate finding export`: all findings out, to stdout or into a file that is whole or not there."""

from __future__ import annotations

import csv
import io
import json
import stat
from pathlib import Path
from typing import Any

import pytest

from tests import world
from tests.cli.test_json import has_shape
from tests.world import ALICE
from tidegate.actions.record import map_records
from tidegate.cli.answer import answers
from tidegate.reads import export
from tidegate.store import models
from tidegate.store.writers.words import index_words


@pytest.fixture
def house(tidegate: Any) -> Any:
    """Three findings in *Web shop*, one of them closed; one that a spreadsheet and a terminal should fear."""
    record = world.record(world.connection(), "shop")
    map_records(ALICE, [record], product_id=world.product("Web shop"))
    world.synced(record, "k1", title="=cmd|'/c calc'!A1")
    world.synced(record, "k2", title="steer\x1b[2Jing", fields={"cwe": [79], "component": "lib"})
    world.synced(record, "k3", open=False, closed_because="gone", title="Gone")
    models.WordsDue.objects.create(feed_id=world.read(record).feed_id)
    index_words()
    return tidegate


def test_json_without_a_file_is_asked_wrongly(house: Any):
    ran = house("finding", "export", "--json")

    assert (ran.code, "Add --output FILE" in ran.err) == (2, True)


def test_a_place_that_cannot_be_written_is_a_sentence(house: Any, tmp_path: Path):
    ran = house("finding", "export", "--output", tmp_path / "no such folder" / "findings.csv")

    assert (ran.code, "No such file or directory" in ran.err) == (1, True)


def test_an_export_that_breaks_off_leaves_the_file_before_it(
    house: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    file = tmp_path / "findings.ndjson"
    file.write_text("the one before")

    def broken(**_: Any) -> Any:
        yield b"half"
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "exported_findings", broken)
    ran = house("finding", "export", "--output", file)

    assert (ran.code, "No space left" in ran.err) == (1, True)
    assert {one.name: one.read_text() for one in tmp_path.iterdir()} == {"findings.ndjson": "the one before"}


def test_each_form_goes_to_stdout(house: Any):
    lines = house("finding", "export").out.splitlines()
    told = list(csv.reader(io.StringIO(house("finding", "export", "--form", "CSV").out)))
    sarif = json.loads(house("finding", "export", "--form", "sarif").out)

    assert [json.loads(line)["finding"]["title"] for line in lines] == ["=cmd|'/c calc'!A1", "steer\x1b[2Jing", "Gone"]
    assert told[1][told[0].index("title")].startswith("'=")
    assert len(sarif["runs"][0]["results"]) == 2


def test_filters_are_those_of_the_list(house: Any):
    def titles(*filters: str) -> list[str]:
        out = house("finding", "export", *filters).out
        return [json.loads(line)["finding"]["title"] for line in out.splitlines()]

    assert titles("--status", "closed", "--product", "web shop") == ["Gone"]
    assert titles("--severity", "low") == []
    assert titles("--cwe", "79") == titles("--component", "LIB") == titles("--search", "steer") == ["steer\x1b[2Jing"]
    assert house("finding", "export", "--active", "--status", "open").code == 2


def test_a_file_is_for_its_owner_alone(house: Any, tmp_path: Path):
    file = tmp_path / "findings.ndjson"

    answer = house.json("finding", "export", "--output", file)

    assert has_shape(answer, answers()["finding export"])
    assert answer["bytes"] == file.stat().st_size > 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "is written" in house("finding", "export", "-o", file).out
