"""A list as a file: every row once, each field a cell, and no cell a formula."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from typing import Annotated, Any

import msgspec
import pytest
from msgspec import Meta

from tidegate.rules.list_file import BATCH, columns_of, lines, rows_within


class Inside(msgspec.Struct, frozen=True, kw_only=True):
    open: int = 3
    closed: Annotated[int, Meta(description="What is closed.")] = 4


class Row(msgspec.Struct, frozen=True, kw_only=True):
    name: str = "shop"
    findings: Annotated[Inside, Meta(description="What came.")] = Inside()
    more: Any = None


class RowPage(msgspec.Struct, frozen=True, kw_only=True):
    rows: Annotated[list[Row], Meta(description="The rows.")]
    next: str | None = None


class TwoList(msgspec.Struct, frozen=True, kw_only=True):
    rows: list[Row]
    others: list[Inside]


class Detail(msgspec.Struct, frozen=True, kw_only=True):
    rows: list[Row]


def read(parts: list[bytes]) -> list[list[str]]:
    return list(csv.reader(b"".join(parts).decode().splitlines()))


def once(*rows: Row) -> Any:
    return lambda cursor, limit: (rows, None)


def test_every_page_is_asked_for_and_the_head_stands_once():
    pages = {None: ([Row(name="a"), Row(name="b")], 2), 2: ([], 3), 3: ([Row(name="c")], None)}
    asked: list[tuple[Any, int]] = []

    def ask(cursor: Any, limit: int) -> tuple[list[Row], Any]:
        asked.append((cursor, limit))
        return pages[cursor]

    told = list(lines(Row, ask))

    assert asked == [(None, BATCH), (2, BATCH), (3, BATCH)]
    assert len(told) == 3, "a page at a time, however long the list"
    assert [line[0] for line in read(told)] == ["name", "a", "b", "c"]


def test_a_list_may_begin_behind_a_cursor_and_one_without_rows_has_its_head():
    assert read(list(lines(Row, lambda cursor, limit: ([Row(name=cursor)], None), cursor="z")))[1][0] == "z"
    assert read(list(lines(Row, once()))) == [["name", "findings.open", "findings.closed", "more"]]


@pytest.mark.parametrize(
    ("only", "head"),
    [
        ((), ["name", "findings.open", "findings.closed", "more"]),
        (("findings",), ["findings.open", "findings.closed"]),
        (("findings.closed", "name"), ["name", "findings.closed"]),
        (("find", "more"), ["more"]),
    ],
)
def test_only_the_fields_that_are_named(only: tuple[str, ...], head: list[str]):
    assert read(list(lines(Row, once(Row()), only)))[0] == head


@pytest.mark.parametrize(
    ("value", "cell"),
    [
        (None, ""),
        (True, "yes"),
        (False, "no"),
        (0, "0"),
        (datetime(2026, 11, 28, 1, 2, 3, tzinfo=UTC), "2026-11-28T01:02:03+00:00"),
        (date(2026, 11, 28), "2026-11-28"),
        (Inside(), "open 3; closed 4"),
        ({"a": 1, "b": [True, None, "c"]}, "a 1; b yes  c"),
        ((1, 2), "1 2"),
        ("=HYPERLINK(1)", "'=HYPERLINK(1)"),
        (["+1", "x"], "'+1 x"),
    ],
)
def test_what_stands_in_a_cell(value: Any, cell: str):
    """The last two: no spreadsheet takes them for a formula."""
    assert read(list(lines(Row, once(Row(more=value)))))[1][-1] == cell


def test_what_a_list_is_and_what_its_rows_are():
    assert rows_within(RowPage) == ("rows", Row)
    assert rows_within(TwoList) is None, "two lists are no list"
    assert rows_within(Detail) is None
    assert rows_within(dict[str, int]) is None
    assert list(columns_of(Inside, "of.")) == ["of.open", "of.closed"]
