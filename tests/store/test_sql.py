"""Every hand-written statement: it fits the schema, says what it does, and is called from exactly one place."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest
from django.db import connection

import tidegate
from tidegate.store.sql import sql

SOURCE = Path(tidegate.__file__).parent
FOLDER = SOURCE / "store" / "sql"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sql"))
EMPTY_BINARY_COPY = b"PGCOPY\n\xff\r\n\0" + bytes(8) + b"\xff\xff"


@pytest.mark.parametrize("name", NAMES)
def test_it_fits_the_migrated_schema(database: object, name: str):
    statement = re.sub(r"%\((\w+)\)s|%s", sample, sql(name)).replace("%%", "%")
    with connection.cursor() as cursor:
        cursor.execute(sql("staging"))
        kind = re.sub(r"--[^\n]*\n", "", statement).split()[0].upper()

        if kind == "COPY":
            with cursor.copy(statement) as copy:  # pyright: ignore[reportAttributeAccessIssue]
                copy.write(EMPTY_BINARY_COPY)
        elif kind in ("SELECT", "INSERT", "UPDATE", "DELETE", "WITH"):
            cursor.execute(f"PREPARE statement AS {statement}")
            cursor.execute("DEALLOCATE statement")
        else:
            cursor.execute(statement)


def sample(parameter: re.Match[str]) -> str:
    """Parameters travel as literals; numbers say their type there, all others wait for what they are compared with."""
    numbers = ("below", "destination", "feed", "mapping_version", "minimum", "operation", "skipped", "source")
    return "1" if parameter[1] in numbers else "NULL"


@pytest.mark.parametrize("name", NAMES)
def test_it_says_what_it_does_and_which_rows(name: str):
    header = re.match(r"(--[^\n]*\n)+", sql(name))

    assert header, f"{name}.sql has no header"
    for word in ("Locks:", "Rows:"):
        assert word in header[0], f"the header of {name}.sql does not say {word}"
    if re.search(r"%\(\w+\)s", sql(name)):
        assert "Parameters:" in header[0], f"the header of {name}.sql does not say its parameters"


def test_each_is_called_from_exactly_one_place():
    named = [
        argument.value
        for path in SOURCE.rglob("*.py")
        for call in ast.walk(ast.parse(path.read_text()))
        if isinstance(call, ast.Call) and getattr(call.func, "attr", "") not in ("values", "values_list", "only", "get")
        for argument in call.args
        if isinstance(argument, ast.Constant)
    ]

    assert {name: named.count(name) for name in NAMES if named.count(name) != 1} == {}
