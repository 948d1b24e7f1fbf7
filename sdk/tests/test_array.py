"""A list in JSON that is larger than memory, row by row."""

import io
import json
from typing import Any

import pytest

from tidegate_sdk import Incomplete, VendorChanged
from tidegate_sdk import array as arrays
from tidegate_sdk.array import rows_of_array


def read(text: str | bytes) -> list[Any]:
    return list(rows_of_array(io.BytesIO(text.encode() if isinstance(text, str) else text)))


@pytest.fixture(params=[1, 3, 2**20], ids=["byte by byte", "by three", "by the megabyte"])
def pieces(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(arrays, "_PIECE", request.param)


ROWS = [{"id": 1, "text": 'a "b" \\ [{}],ö', "more": [{"x": 1.5}, [], None]}, 12, 345, "s", True, None, [], {}]


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("indent", [None, 1])
def test_every_item_comes_wherever_the_pieces_are_cut(indent: int | None):
    for text in (json.dumps(ROWS, indent=indent), json.dumps(ROWS, indent=indent, ensure_ascii=False) + " \n"):
        assert read(text) == ROWS
        assert read("\ufeff" + text) == ROWS


@pytest.mark.usefixtures("pieces")
def test_an_empty_list_has_no_items():
    assert read(" [ ] ") == []


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "[",
        "[ ",
        "[1",
        "[1,",
        '[{"a": 1}',
        '[{"a": 1}, ',
        '[{"a": "b',
        '[{"a"',
        "[,]",
        "[x]",
        "[NaN]",
        "[1e999]",
    ],
)
def test_a_list_that_is_cut_or_goes_on_as_something_else_is_incomplete(text: str):
    """The law: fewer rows are never taken for all of them."""
    with pytest.raises(Incomplete):
        read(text)


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize(
    "text",
    ['{"a": 1}', "null", "7", "<html>", "[1] 2", "[1][2]", "[1 2]", "[1;2]", b"[\xff]"],
)
def test_what_is_no_list_is_a_changed_vendor(text: str | bytes):
    with pytest.raises(VendorChanged):
        read(text)


def test_a_row_that_never_ends_is_not_read_into_memory(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(arrays, "_ROW", 1_000)
    monkeypatch.setattr(arrays, "_PIECE", 100)
    file = io.BytesIO(b'["' + b"x" * 100_000 + b'"]')

    with pytest.raises(VendorChanged, match="1,000 characters"):
        list(rows_of_array(file))

    assert file.tell() < 10_000


@pytest.mark.parametrize("text", ["[{}]", "[1{},2]", "{}[]", "[1]{}"])
def test_megabytes_of_blanks_are_no_list(text: str):
    """A gzip bomb that would be an empty list."""
    with pytest.raises(VendorChanged, match="blanks"):
        read(text.replace("{}", " " * 5_000_000))


def test_a_row_nested_too_deeply_is_a_changed_vendor():
    with pytest.raises(VendorChanged, match="nested"):
        read("[" * 100_000 + "]" * 100_000)


@pytest.mark.usefixtures("pieces")
@pytest.mark.parametrize("odd", ["\\u0000", "\\ud800", "\0"])
def test_what_no_database_takes_is_replaced(odd: str):
    assert read(f'[{{"a": "x{odd}y"}}, {{"a": "\\ud83d\\ude00"}}]') == [{"a": "x\ufffdy"}, {"a": "\U0001f600"}]
