"""Whether a preview left everything alone: each row of each table is the same row, never written again."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from django.apps import apps
from django.db import connection

OF_THE_OPERATION = ("operation", "result", "difference", "log_line", "lease", "total", "host_pace", "audit_line")
"""What a preview may write: how it went itself, what it found, what it cost, and who asked for it."""


@contextmanager
def only_the_preview_is_written(*also: str) -> Iterator[None]:
    """All other tables hold the very same rows afterwards, by content and by who wrote them last (`xmin`)."""
    before = _rows_of_tables(also)
    yield
    after = _rows_of_tables(also)
    written = sorted(table for table in before if before[table] != after[table])
    assert not written, f"The preview wrote to {', '.join(written)}."


def _rows_of_tables(but: tuple[str, ...]) -> dict[str, list[tuple[str, ...]]]:
    tables = {model._meta.db_table for model in apps.get_app_config("store").get_models()}
    found: dict[str, list[tuple[str, ...]]] = {}
    with connection.cursor() as cursor:
        for table in sorted(tables - {*OF_THE_OPERATION, *but}):
            cursor.execute(f"SELECT xmin::text, ctid::text, t::text FROM {table} AS t ORDER BY ctid")
            found[table] = cursor.fetchall()
    return found
