"""Decisions on Records, by people, rules and auto-map alike: the one place that writes them.

The caller has the transaction open with `acting(…)`, so that history knows who and in which step; Records are locked
here, by id, before anything is looked at.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

from tidegate.rules.actor import AUTO_MAP, Actor
from tidegate.rules.auto_map import UNNAMED, product_name
from tidegate.rules.names import made_clean
from tidegate.store.acting import say_who_acts
from tidegate.store.models import Connection, Record
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.product import (
    IMPORTED,
    all_product_names,
    keep_products,
    make_products,
    product_type_named,
    products_named,
)


@dataclass(frozen=True)
class Deciding:
    """A locked Record, and what a decision on it must know."""

    id: int
    name: str
    parent: str
    connection_id: int
    connection_label: str
    connection_deleted: bool
    decision: str
    feed_id: int | None
    test_id: int | None
    product_id: int | None
    product_name: str | None
    finalized_at: datetime | None
    finalized_by: str
    hands_off: bool
    earlier_product_id: int | None
    earlier_product_name: str
    target_lost: str
    epoch: int
    deleted_at: datetime | None
    changing_operation_id: int | None
    """The change that its findings belong to just now: nobody else decides meanwhile."""


def home_of_no_product(connection_id: int, operation: int, vendor_id: str) -> int | None:
    """The Record for findings that belong to no product, where it is new, or back; None where it was there."""
    made = rows_of("record_of_no_product", connection=connection_id, operation=operation, no_product=vendor_id)
    return made[0]["id"] if made else None


def lock_records(records: Iterable[int]) -> dict[int, Deciding]:
    """Locks Records by id until the transaction ends; those that do not exist are not in the answer."""
    wanted = sorted(set(records))
    hold_records(wanted)
    return deciding(wanted)


def deciding(records: Sequence[int]) -> dict[int, Deciding]:
    """What a decision must know of Records that the caller holds."""
    return {row["id"]: Deciding(**row) for row in rows_of("records_to_decide", records=list(records))}


def hold_records(records: Sequence[int]) -> None:
    """The same, where nothing has to be known of each."""
    run("records_lock", records=list(records))


def map_records(actor: Actor, targets: Mapping[int, int], before: Mapping[int, tuple[int, str]] | None = None) -> None:
    """Maps each locked Record to its Product; Engagement, Test and Feed are made where they are not there.

    `before` is the Product (id and name) that a Record was mapped to, where it was to another one.
    """
    before = before or {}
    feeds = make_feeds(make_tests(targets))
    run(
        "records_map",
        records=list(targets),
        feeds=[feeds[record] for record in targets],
        products=list(targets.values()),
        before=[before.get(record, (None, None))[0] for record in targets],
        before_names=[before.get(record, (None, None))[1] for record in targets],
        actor=str(actor),
        how=actor.how,
    )


def make_tests(targets: Mapping[int, int]) -> dict[int, int]:
    """For each Record the Test of its Connection, in our Engagement of the Product; made where they are not there."""
    products = sorted(set(targets.values()))
    run("engagements_make", products=products)
    engagements = {row["product_id"]: row["id"] for row in rows_of("engagements_of_products", products=products)}
    connections = dict(Record.objects.filter(pk__in=targets).values_list("pk", "connection_id"))
    wanted = {record: (engagements[product], connections[record]) for record, product in targets.items()}
    pairs = sorted(set(wanted.values()))
    run("tests_make", engagements=[pair[0] for pair in pairs], connections=[pair[1] for pair in pairs])
    rows = rows_of("tests_of_engagements", engagements=sorted(set(engagements.values())))
    tests = {(row["engagement_id"], row["connection_id"]): row["id"] for row in rows}
    return {record: tests[pair] for record, pair in wanted.items()}


def make_feeds(tests: Mapping[int, int]) -> dict[int, int]:
    """For each Record its Feed in the Test; made where it is not there."""
    run("feeds_make", records=list(tests), tests=list(tests.values()))
    rows = rows_of("feeds_of_records", records=list(tests))
    return {row["record_id"]: row["id"] for row in rows if tests[row["record_id"]] == row["test_id"]}


def ignore_records(actor: Actor, records: Sequence[int], because: str | Sequence[str]) -> None:
    """No data from here: the mapping is taken away and remembered. One reason for all, or one for each."""
    unmap(actor, records, "ignored", because=because)


def restore_records(actor: Actor, records: Sequence[int]) -> None:
    """Back to New; the earlier mapping stays remembered."""
    unmap(actor, records, "undecided")


def delete_records(actor: Actor, records: Sequence[int]) -> None:
    """Gone from the lists; imported data stays, and a Discover that still sees the VEP brings the Record back."""
    unmap(actor, records, "undecided", deleted=True)


def unmap(
    actor: Actor, records: Sequence[int], decision: str, *, because: str | Sequence[str] = "", deleted: bool = False
) -> None:
    run(
        "records_unmap",
        records=list(records),
        decision=decision,
        becauses=[because] * len(records) if isinstance(because, str) else list(because),
        actor=str(actor),
        how=actor.how,
        deleted=deleted,
    )


# Auto-map


def auto_map_records(
    connection_id: int, operation_id: int | None, left_to_people: Collection[int] = ()
) -> dict[str, int]:
    """Maps every undecided Record of a Connection that has auto-map on, and counts; does nothing where it is off.

    Inside the transaction of a Discover; in history it is auto-map who acted, in a step of its own. A Record whose
    earlier Product was deleted stays New: that is for a person to decide. So are those that a mapping rule matches and
    cannot decide (`left_to_people`).
    """
    connection = Connection.objects.get(pk=connection_id)
    if not connection.auto_map:
        return {}
    left = set(left_to_people)
    candidates = [row for row in rows_of("records_to_auto_map", connection=connection_id) if row["id"] not in left]
    if not candidates:
        return {}
    targets = {row["id"]: row["earlier_product_id"] for row in candidates if row["earlier_product_id"] is not None}
    fresh = [row for row in candidates if row["earlier_product_id"] is None and not row["had_one"]]
    found, products_made = products_for(fresh, connection)
    kept = keep_products({*targets.values(), *found.values()})
    targets = {record: product for record, product in (targets | found).items() if product in kept}
    step = uuid4()
    with acting_for_now(AUTO_MAP, operation_id, step):
        map_records(AUTO_MAP, targets)
    return {"auto_mapped": len(targets), "products_made": products_made}


@contextmanager
def acting_for_now(actor: Actor, operation: int | None, step: UUID) -> Iterator[None]:
    """Somebody else acts for a while in the transaction of whoever acts now."""
    (now,) = rows_of("who_acts")
    say_who_acts(str(actor), operation=operation, step=step)
    yield
    say_who_acts(now["actor"], operation=now["operation"], step=now["step"])


def products_for(records: Sequence[Mapping[str, Any]], connection: Connection) -> tuple[dict[int, int], int]:
    """A Product for each Record, and how many were made for them: the existing one of its name where the Connection
    joins by name, else a new one under a name that is free. Somebody else may take a name at the same moment: then the
    next one is tried."""
    targets: dict[int, int] = {}
    products_made = 0
    left = list(records)
    while left:
        if connection.join_by_name:
            targets |= same_named(left)
            left = [row for row in left if row["id"] not in targets]
        named = names_for(left, connection.label, all_product_names(), joining=connection.join_by_name)
        made = make_products(AUTO_MAP, sorted(set(named.values())), product_type_of(connection)) if left else {}
        products_made += len(made)
        targets |= {record: made[name] for record, name in named.items() if name in made}
        left = [row for row in left if row["id"] not in targets]
    return targets, products_made


def product_type_of(connection: Connection) -> int:
    """The Product Type of what auto-map makes: the Connection's, else the one for all that nobody chose one for."""
    return connection.product_type_id or product_type_named(IMPORTED)  # pyright: ignore[reportAttributeAccessIssue]


def same_named(records: Sequence[Mapping[str, Any]]) -> dict[int, int]:
    """The existing Product of exactly the VEP's name, for each Record that finds one."""
    names = {row["id"]: made_clean(row["name"], UNNAMED) for row in records}
    products = products_named(set(names.values()))
    return {record: products[name] for record, name in names.items() if name in products}


def names_for(records: Sequence[Mapping[str, Any]], label: str, taken: set[str], *, joining: bool) -> dict[int, str]:
    """A free name for each Record; `taken` grows by them."""
    named: dict[int, str] = {}
    shared: dict[str, str] = {}
    numbers: dict[str, int] = {}
    for row in records:
        own = made_clean(row["name"], UNNAMED)
        if joining and own in shared:
            named[row["id"]] = shared[own]
            continue
        chosen = product_name(row["name"], row["parent"], label, taken, numbers)
        taken.add(chosen)
        named[row["id"]] = shared[own] = chosen
    return named
