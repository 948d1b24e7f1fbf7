"""Mappings as CSV: a file that a spreadsheet opens without running anything in it, and that is read back without loss.

A cell that a spreadsheet could take for a formula begins with an apostrophe, and so does one that begins with one of
its own; reading takes exactly one from the beginning of a cell. So what was written comes back.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from io import StringIO
from typing import Final

COLUMNS: Final = (
    "connection", "vendor_id", "name", "parent", "decision", "product_type", "product", "reason",
)  # fmt: skip
WANTED: Final = ("connection", "vendor_id", "decision")
"""Columns that a file must have; what else it lacks stays as it is."""

DECISIONS: Final = {"new": "undecided", "mapped": "mapped", "ignored": "ignored"}
"""The words of the file, and what is stored."""

MOST_LINES: Final = 200_000
MOST_LETTERS: Final = 100_000_000
"""Of a whole file."""

_FORMULA: Final = frozenset("=+-@\t\r\n'＝＋－＠")


class FileRefused(ValueError):
    """The file as a whole cannot be read; nothing of it was done."""


@dataclass(frozen=True)
class FileLine:
    """One line as it stands in the file; a column that the file does not have is None."""

    number: int
    cells: Mapping[str, str]
    problem: str = ""

    def __getitem__(self, column: str) -> str | None:
        return self.cells.get(column)


def guarded(cell: str) -> str:
    """The cell as it is written."""
    return f"'{cell}" if cell.lstrip()[:1] in _FORMULA or cell[:1] in _FORMULA else cell


def unguarded(cell: str) -> str:
    """The cell that was meant."""
    return cell.removeprefix("'")


def written(rows: Iterable[Iterable[str]], columns: Sequence[str] = COLUMNS) -> Iterator[str]:
    """Line by line, the head first."""
    text = StringIO()
    writer = csv.writer(text, lineterminator="\r\n")  # so that line ends of either kind within a cell are quoted
    writer.writerow(columns)
    yield _taken(text)
    for row in rows:
        writer.writerow([guarded(cell) for cell in row])
        yield _taken(text)


def lines(file: Iterable[str]) -> Iterator[FileLine]:
    """The lines of a file; what is wrong with one is said in it. Commas, semicolons and tabs are understood, since
    spreadsheets write what their country does. Raises FileRefused."""
    source = _Counted(file)
    head = next(iter(source), "")
    delimiter = max(",;\t", key=head.count)
    rows = csv.reader(_before(head, source), delimiter=delimiter, strict=True)
    columns = _columns(rows)
    begins = rows.line_num + 1
    for many in range(MOST_LINES + 1):
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error as broken:
            raise FileRefused(f"Line {begins} cannot be read as CSV: {broken}.") from broken
        if many == MOST_LINES:
            raise FileRefused(f"The file has more than {MOST_LINES:,} lines.")
        if row:
            yield _line(begins, columns, row)
        begins = rows.line_num + 1


def _columns(rows: Iterator[list[str]]) -> list[str]:
    try:
        columns = [unguarded(cell).strip().lower() for cell in next(rows, list[str]())]
    except csv.Error as broken:
        raise FileRefused(f"Line 1 cannot be read as CSV: {broken}.") from broken
    if missing := [name for name in WANTED if name not in columns]:
        raise FileRefused(f"The first line does not name the column {missing[0]}; it names: {', '.join(COLUMNS)}.")
    if unknown := [name for name in columns if name not in COLUMNS]:
        raise FileRefused(f"There is no column «{unknown[0][:80]}»; there are: {', '.join(COLUMNS)}.")
    if len(set(columns)) < len(columns):
        raise FileRefused("The first line names a column twice.")
    return columns


def _line(number: int, columns: list[str], row: list[str]) -> FileLine:
    if len(row) != len(columns):
        return FileLine(number, {}, f"It has {len(row)} cells, and the first line {len(columns)}.")
    return FileLine(number, {name: unguarded(cell) for name, cell in zip(columns, row, strict=True)})


def _taken(text: StringIO) -> str:
    line = text.getvalue()
    text.seek(0)
    text.truncate()
    return line


def _before(head: str, rest: Iterable[str]) -> Iterator[str]:
    yield head
    yield from rest


class _Counted:
    """The file, until it is too much."""

    def __init__(self, file: Iterable[str]) -> None:
        self._file = iter(file)
        self._letters = 0

    def __iter__(self) -> Iterator[str]:
        for text in self._file:
            self._letters += len(text)
            if self._letters > MOST_LETTERS:
                raise FileRefused(f"The file has more than {MOST_LETTERS:,} characters.")
            yield text
