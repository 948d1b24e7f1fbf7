"""`tidegate audit`: what was done stands there, what was not does not, and a spreadsheet is not attacked by it."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest

from tests import world
from tidegate.store.models import AuditLine


def lines(tidegate: Any, *options: str) -> list[tuple[str, str, str]]:
    found = tidegate.json("audit", "list", *options)["lines"]
    return [(line["actor"], line["action"], line["outcome"]) for line in found]


def test_what_somebody_did_has_its_line(tidegate: Any):
    """promises.md, Users: every change is in the audit log."""
    record = world.record(world.connection("Burp"), "shop")
    assert tidegate("record", "ignore", "shop", "--because", "a copy").code == 0

    (line,) = tidegate.json("audit", "list")["lines"]

    assert (line["actor"], line["through"], line["action"]) == ("alice", "command line", "record.ignore_records")
    assert (line["outcome"], line["target"], line["target_ids"]) == ("done", "record", [record])
    assert line["facts"]["arguments"]["because"] == "a copy"


def test_a_change_that_fails_leaves_no_line(tidegate: Any, monkeypatch: pytest.MonkeyPatch):
    """The line is of the transaction of the change: none is without the other."""
    world.record(world.connection("Burp"), "shop")

    assert tidegate("record", "map", "shop", "--product", "nothing of the kind").code != 0
    assert tidegate("connection", "pause", "Burp").code == 0
    assert tidegate("connection", "delete", "Burp", "--confirm", "Bump").code != 0

    assert lines(tidegate) == [("alice", "connection.pause_connection", "done")]


@pytest.mark.parametrize(
    ("option", "there", "not_there"),
    [("--actor", "alice", "bob"), ("--action", "connection.pause_connection", "x"), ("--target", "connection", "user")],
)
def test_it_is_filtered(tidegate: Any, option: str, there: str, not_there: str):
    world.connection("Burp")
    assert tidegate("connection", "pause", "Burp").code == 0

    assert len(lines(tidegate, option, there)) == 1
    assert lines(tidegate, option, not_there) == []


def test_it_goes_on_where_a_page_ended(tidegate: Any):
    for n in range(3):
        AuditLine.objects.create(actor=f"a{n}", through="API", action="a.b", outcome="done", facts={})

    first = tidegate.json("audit", "list", "--limit", "2")
    rest = tidegate.json("audit", "list", "--after", first["next"])

    assert [line["actor"] for line in first["lines"] + rest["lines"]] == ["a2", "a1", "a0"]


def test_an_export_is_all_of_it_the_oldest_first(tidegate: Any):
    for n in range(3):
        AuditLine.objects.create(actor=f"a{n}", through="API", action="a.b", outcome="done", facts={"n": n})

    exported = [json.loads(line) for line in tidegate("audit", "export").out.splitlines()]

    assert [(line["actor"], line["facts"]) for line in exported] == [(f"a{n}", {"n": n}) for n in range(3)]


@pytest.mark.parametrize("name", ["=1+1", "@SUM(A1)", "+1", "-1", "a\r\nb,c", 'a"b'])
def test_no_cell_is_a_formula_and_none_begins_another(tidegate: Any, name: str):
    """promises.md, Input: CSV guarded against formulas."""
    AuditLine.objects.create(actor=name, through="API", action="a.b", outcome="done", facts={})

    text = tidegate("audit", "export", "--form", "csv").out
    head, row = csv.reader(io.StringIO(text, newline=""))

    assert len(head) == len(row)
    cell = dict(zip(head, row, strict=True))["actor"]
    assert cell.endswith(name.lstrip("'"))
    assert cell[0] not in "=+-@"
