"""How moments come out of the database: in UTC, whoever reads them."""

from __future__ import annotations

from datetime import UTC, datetime

from tests import world
from tidegate.store.models import Operation
from tidegate.store.statement import rows_of

NOON = datetime(2026, 5, 30, 12, 0, 0, 123456, tzinfo=UTC)


def test_a_statement_reads_moments_as_django_does(database: object):
    operation = world.operation(world.connection("Burp"), "sync", "success")
    Operation.objects.filter(pk=operation.pk).update(requested_at=NOON)

    read = Operation.objects.get(pk=operation.pk).requested_at
    (row,) = (
        row for row in rows_of("health_of_connections", connections=None, everywhere=[], now=NOON) if row["last_id"]
    )

    assert [(one, one.tzinfo) for one in (read, row["last_requested_at"], row["now"])] == [(NOON, UTC)] * 3
