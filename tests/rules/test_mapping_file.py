"""Mappings as CSV: what is written is read back, and no spreadsheet runs it."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.rules import mapping_file
from tidegate.rules.mapping_file import COLUMNS, FileRefused, guarded, lines, unguarded, written

CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20) | st.sampled_from(
    ["=1+1", "'=1", "''", "\t=x", " +1", "@x", "-1", "a\rb", "a\nb", "a\r\nb", '"', ",", ";", ""]
)


@settings(deadline=None)
@given(st.lists(st.lists(CELLS, min_size=len(COLUMNS), max_size=len(COLUMNS)), max_size=4))
def test_what_is_written_is_read_back_without_loss(rows: list[list[str]]):
    """CSV of mappings: formula-safe and read back without loss."""
    text = "".join(written(rows))

    read = list(lines(io.StringIO(text, newline="")))

    assert [[line[column] for column in COLUMNS] for line in read] == rows


@settings(deadline=None)
@given(CELLS)
def test_no_cell_begins_as_a_formula_does(cell: str):
    """promises.md: CSV is formula-safe."""
    assert guarded(cell)[:1] not in tuple("=+-@\t\r\n＝＋－＠")
    assert guarded(cell).lstrip()[:1] not in tuple("=+-@")
    assert unguarded(guarded(cell)) == cell


@pytest.mark.parametrize("delimiter", [";", "\t", ","])
def test_what_a_spreadsheet_of_another_country_writes_is_read(delimiter: str):
    text = delimiter.join(("vendor_id", "connection", "decision")) + "\n" + delimiter.join(("1", "Burp", "new")) + "\n"

    (line,) = lines(io.StringIO(text))

    assert (line.number, line["connection"], line["product"]) == (2, "Burp", None)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "does not name the column connection"),
        ("connection,vendor_id\n", "does not name the column decision"),
        ("connection,vendor_id,decision,colour\n", "no column «colour»"),
        ("connection,vendor_id,decision,decision\n", "twice"),
        ('connection,vendor_id,decision\n"a,b,c\n', "Line 2 cannot be read"),
    ],
)
def test_a_file_that_cannot_be_read_says_why(text: str, said: str):
    with pytest.raises(FileRefused, match=said):
        list(lines(io.StringIO(text)))


def test_a_file_that_is_too_long_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(mapping_file, "MOST_LINES", 2)
    head = "connection,vendor_id,decision\n"

    assert len(list(lines(io.StringIO(head + "a,b,new\n" * 2)))) == 2
    with pytest.raises(FileRefused, match="more than 2 lines"):
        list(lines(io.StringIO(head + "a,b,new\n" * 3)))
    monkeypatch.setattr(mapping_file, "MOST_LETTERS", 35)
    with pytest.raises(FileRefused, match="more than 35 characters"):
        list(lines(io.StringIO(head + "a,b,new\n" * 2)))


def test_a_line_knows_where_it_begins_and_what_is_wrong_with_it():
    text = 'connection,vendor_id,decision\n"a\nb",1,new\n\nshort\n'

    first, second = lines(io.StringIO(text))

    assert (first.number, first.problem) == (2, "")
    assert (second.number, second.problem) == (5, "It has 1 cells, and the first line 3.")


def test_it_is_csv_as_others_read_it():
    rows = list(csv.reader(io.StringIO("".join(written([["a", 'b"', "c,d", "", "new", "", "=x", ""]])), newline="")))

    assert rows == [list(COLUMNS), ["a", 'b"', "c,d", "", "new", "", "'=x", ""]]
