"""A small world for tests of Records and findings: Connections, VEPs that a Discover saw, findings that a Sync brought.

Only what the vendor's side would write is written here directly; what people do goes through the actions.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from django.db import connection as database

from tidegate.rules.actor import at_this_machine
from tidegate.store import models

ALICE, BOB = at_this_machine("alice"), at_this_machine("bob")
MEDIUM = 3


def connection(label: str = "Burp", **facts: Any) -> models.Connection:
    return models.Connection.objects.create(**{"tool": "burpsuite", "label": label, "created_by": "alice", **facts})


def operation(of: models.Connection, type: str = "sync", status: str = "success", **facts: Any) -> models.Operation:
    return models.Operation.objects.create(
        **{"type": type, "connection": of, "trigger": "manual", "actor": "alice", "status": status, **facts}
    )


def record(of: models.Connection, name: str = "shop.example.org", **facts: Any) -> int:
    return models.Record.objects.create(**{"connection": of, "vendor_id": f"id of {name}", "name": name, **facts}).pk


def read(record_id: int) -> models.Record:
    return models.Record.objects.select_related("connection", "feed__test__engagement__product", "earlier_product").get(
        pk=record_id
    )


def product_of(record_id: int) -> str | None:
    feed = read(record_id).feed
    return None if feed is None else feed.test.engagement.product.name


def product(name: str, type_name: str = "Web") -> int:
    kind, _ = models.ProductType.objects.get_or_create(name=type_name)
    return models.Product.objects.create(name=name, product_type=kind, origin="alice").pk


def history(record_id: int) -> list[models.RecordHistory]:
    return list(models.RecordHistory.objects.filter(record_id=record_id).order_by("id"))


def finding(feed_id: int, key: str = "k1", **facts: Any) -> int:
    severity = facts.pop("severity_vendor", MEDIUM)
    values: dict[str, Any] = {
        "feed_id": feed_id,
        "family": "dast",
        "key_hash": uuid5(NAMESPACE_URL, key),
        "key": key,
        "fingerprint": uuid5(NAMESPACE_URL, key),
        "mapping_version": 1,
        "severity_vendor": severity,
        "severity": severity,
        "active": facts.get("open", True) and not facts.get("vendor_verdict"),
        "created_operation": 1,
        "title": f"Weakness {key}",
        "fields": {},
    }
    return models.Finding.objects.create(**{**values, **facts}).pk


def synced(record_id: int, *keys: str, **facts: Any) -> list[int]:
    """A complete Sync wrote these findings under the Record."""
    found = read(record_id)
    sync = operation(found.connection, ended_at=now())
    feed = found.feed_id
    assert feed is not None
    made = [finding(feed, key, created_operation=sync.pk, **facts) for key in keys]
    part = {"proven_operation": sync, "proven_at": now(), "last_operation": sync, "last_outcome": "complete"}
    models.Part.objects.update_or_create(feed_id=feed, family="dast", branch="", defaults=part)
    return made


def of(finding_id: int) -> models.Finding:
    return models.Finding.objects.get(pk=finding_id)


def journal(finding_id: int) -> list[tuple[str, str]]:
    rows = models.Journal.objects.filter(finding_id=finding_id).order_by("id")
    return [(row.kind, row.actor) for row in rows]


def now() -> datetime:
    with database.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        return cursor.fetchone()[0].astimezone(UTC)  # pyright: ignore[reportOptionalSubscript]


def tallies() -> dict[tuple[int, bool, bool], int]:
    """What the triggers counted, without empty rows; equals what is there, always (see true_tallies)."""
    rows = models.Tally.objects.exclude(n=0).values_list("feed_id", "open", "active", "n")
    counted: dict[tuple[int, bool, bool], int] = {}
    for feed, open, active, n in rows:
        counted[feed, open, active] = counted.get((feed, open, active), 0) + n
    return counted


def true_tallies() -> dict[tuple[int, bool, bool], int]:
    counted: dict[tuple[int, bool, bool], int] = {}
    for feed, open, active in models.Finding.objects.values_list("feed_id", "open", "active"):
        counted[feed, open, active] = counted.get((feed, open, active), 0) + 1
    return counted
