"""What the life tests of all Tools look at: whether a Sync wrote anything at all."""

from __future__ import annotations


def stored() -> list[tuple[str, str]]:
    """Who wrote each row of the findings last, and where it lies."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("SELECT xmin::text, ctid::text FROM finding ORDER BY ctid")
        return cursor.fetchall()
