"""What undoing a Sync costs depends on what the Sync did, not on how much there is beside it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.db import connection

from tests import world
from tests.world import BOB, read
from tidegate.actions import record as records
from tidegate.rules.undo_sync import Applied
from tidegate.store.acting import acting
from tidegate.store.models import Finding, Result
from tidegate.store.sql import sql
from tidegate.store.writers.undo_sync import applied, undo_sync_of

pytestmark = pytest.mark.usefixtures("database")

STOCK = 20_000
CHANGED = 10


def stock(feed: int, operation: int, number: int, prefix: str) -> None:
    """So many findings that the Operation created, as an apply would write them."""
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO finding (feed_id, created_operation, created_at, key_hash, fingerprint, mapping_version,"
            " severity_vendor, severity, vendor_verdict, open, active, family, branch, key, title, fields)"
            " SELECT %s, %s, now(), md5(%s || n)::uuid, md5(%s || n)::uuid, 1, 3, 3, 0, true, true, 'dast', '',"
            " %s || n, 'Weakness ' || n, jsonb_build_object('description', repeat('x', 200))"
            " FROM generate_series(1, %s) AS n",
            [feed, operation, prefix, prefix, prefix, number],
        )


@pytest.fixture
def beside_many() -> tuple[Applied, dict[str, Any]]:
    """A Sync that created ten, changed ten and closed ten, in a Feed that holds very many others, each journalled."""
    shop = world.record(world.connection())
    records.map_records(world.ALICE, [shop], new_product="Shop")
    of, feed = read(shop).connection, read(shop).feed_id
    assert feed is not None
    first, sync, undo = (world.operation(of, ended_at=world.now()) for _ in range(3))
    stock(feed, first.pk, STOCK, "old")
    ids = list(Finding.objects.order_by("pk").values_list("pk", flat=True)[: 2 * CHANGED])
    with connection.cursor() as cursor:
        line = "INSERT INTO journal (finding_id, operation, actor, kind, before) SELECT id, %s, 'tidegate', %s, %s"
        cursor.execute(f"{line} FROM finding", [first.pk, "changed", json.dumps({"title": "Older"})])
        cursor.execute(
            f"{line} FROM finding WHERE id = ANY(%s)", [sync.pk, "changed", json.dumps({"title": "Old"}), ids[:CHANGED]]
        )
        cursor.execute(
            f"{line} FROM finding WHERE id = ANY(%s)", [sync.pk, "closed", json.dumps({"open": True}), ids[CHANGED:]]
        )
        cursor.execute(
            "UPDATE finding SET open = false, active = false, closed_because = 'gone', closed_operation = %s,"
            " closed_at = now() WHERE id = ANY(%s)",
            [sync.pk, ids[CHANGED:]],
        )
    stock(feed, sync.pk, CHANGED, "new")
    Result.objects.create(operation=sync, record_id=shop, outcome="complete", feed_id=feed)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE finding, journal, decision, held, result")
    how = {"feed": feed, "sync": sync.pk, "operation": undo.pk, "actor": "bob"}
    return applied(sync.pk)[shop], how | {"tidegate": "tidegate", "minimum": 0, "record": shop}


def test_it_undoes_these_and_leaves_the_others(beside_many: tuple[Applied, dict[str, Any]]) -> None:
    """Issue 5: cost depends on the change, not on the stock. The counts are the work."""
    facts, how = beside_many

    with acting(str(BOB)):
        counts = undo_sync_of(facts, feed=how["feed"], operation=how["operation"], actor="bob")

    assert counts == {"inactive": CHANGED, "as_before": CHANGED, "open_again": CHANGED}
    assert Finding.objects.filter(changed_operation=how["operation"]).count() == 3 * CHANGED
    assert Finding.objects.filter(title="Old").count() == CHANGED
    assert world.tallies() == world.true_tallies()


def test_it_never_reads_the_whole_stock(beside_many: tuple[Applied, dict[str, Any]]) -> None:
    """Issue 5: no sequential scan of findings outside the apply step; nor of the journal."""
    _, how = beside_many

    for name in ("undo_sync_created", "undo_sync_changed", "undo_sync_waiting"):
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN {sql(name)}", how)
            plan = "\n".join(row[0] for row in cursor.fetchall())

        assert "Seq Scan on finding" not in plan, plan
        assert "Seq Scan on journal" not in plan, plan
