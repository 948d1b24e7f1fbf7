"""What benches import: findings of about 1 KB, made as they are asked for, and a Record to import into."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tidegate_sdk import Finding, Severity

SEVERITIES = tuple(Severity)
WORDS = "input reaches the query without being checked, so an attacker may read or change what is stored; "
BATCH = 1_000  # as they come from a Session


@dataclass
class Scene:
    """Where they go: a Feed, and the Operation that imports."""

    feed: int
    operation: int


def finding(number: int, how: str = "") -> Finding:
    """A finding as scanners write them."""
    return Finding(
        key=f"finding-{number:09}",
        title=f"SQL injection in parameter {number % 97} of /api/v1/orders/{number}",
        severity=SEVERITIES[number % len(SEVERITIES)],
        description=f"{how}{number}: " + WORDS * 7,
        path=f"src/orders/handler_{number % 1000}.py",
        line=number % 2000,
        rule=f"python:S{number % 300}",
        cwe=(89,),
        url=f"https://scanner.example.org/issues/{number}",
        vendor_severity="HIGH",
        vendor_status="OPEN",
    )


def batches(findings: int, changed: bool = False) -> Iterator[list[Finding]]:
    """As a Session yields them; `changed`: every hundredth says something else, and the one after it is gone."""
    for start in range(0, findings, BATCH):
        numbers = range(start, min(start + BATCH, findings))
        if changed:
            yield [finding(n, "" if n % 100 else "changed ") for n in numbers if n % 100 != 1]
        else:
            yield [finding(n) for n in numbers]


def new_scene(name: str = "bench") -> Scene:
    """A Record of a Connection of its own, mapped to a Product of its own."""
    from tidegate.store.models import Connection, Engagement, Feed, Operation, Product, ProductType, Record, Test

    product_type, _ = ProductType.objects.get_or_create(name="Bench")
    product = Product.objects.create(product_type=product_type, name=name, origin="bench")
    engagement = Engagement.objects.create(product=product, name="Global Connectors", kind="connectors")
    source = Connection.objects.create(tool="bench", label=name, created_by="bench")
    test = Test.objects.create(engagement=engagement, connection=source, name="Bench")
    record = Record.objects.create(connection=source, vendor_id="bench", name=name)
    feed = Feed.objects.create(record=record, test=test)
    operation = Operation.objects.create(type="sync", connection=source, trigger="manual", actor="bench")
    return Scene(feed.pk, operation.pk)


def forget_everything() -> None:
    """Empties the tables that a Sync writes to, and everything above them."""
    from django.db import connection

    with connection.cursor() as cursor:
        cursor.execute("TRUNCATE product_type, connection, finding, journal, held RESTART IDENTITY CASCADE")
