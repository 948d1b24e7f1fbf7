"""Runs a statement of store/sql on Django's connection, so inside the transaction that is open."""

from __future__ import annotations

from typing import Any

from django.db import connection

from .sql import sql


def rows_of(name: str, **parameters: Any) -> list[dict[str, Any]]:
    """What the statement gives back, a row a dict."""
    with connection.cursor() as cursor:
        cursor.execute(sql(name), parameters)
        columns = [column.name for column in cursor.description or ()]
        return [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]


def run(name: str, **parameters: Any) -> int:
    """Runs the statement; gives the number of rows it wrote."""
    with connection.cursor() as cursor:
        cursor.execute(sql(name), parameters)
        return cursor.rowcount
