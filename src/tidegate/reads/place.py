"""Where things lie: in which Connection, Product and Product Type, so that a role there reaches them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Final
from uuid import UUID

from tidegate.reads.viewer import viewer
from tidegate.rules.access import EVERYWHERE, Place, Role
from tidegate.store import models

_PRODUCT = "feed__test__engagement__product"


def _rows(query: Any, ids: Iterable[int], *columns: str) -> dict[int, tuple[Any, ...]]:
    return {row[0]: row[1:] for row in query.filter(pk__in=list(ids)).values_list("pk", *columns)}


def _connections(ids: Iterable[int]) -> dict[int, Place]:
    return {id: Place(connection_id=id) for id in _rows(models.Connection.objects, ids)}


def _records(ids: Iterable[int]) -> dict[int, Place]:
    rows = _rows(
        models.Record.objects,
        ids,
        "connection_id",
        f"{_PRODUCT}_id",
        f"{_PRODUCT}__product_type_id",
    )
    return {id: Place(*row) for id, row in rows.items()}


def _findings(ids: Iterable[int]) -> dict[int, Place]:
    test = "feed__test"
    rows = _rows(
        models.Finding.objects,
        ids,
        f"{test}__connection_id",
        f"{test}__engagement__product_id",
        f"{test}__engagement__product__product_type_id",
    )
    return {id: Place(*row) for id, row in rows.items()}


def _tests(ids: Iterable[int]) -> dict[int, Place]:
    rows = _rows(
        models.Test.objects,
        ids,
        "connection_id",
        "engagement__product_id",
        "engagement__product__product_type_id",
    )
    return {id: Place(*row) for id, row in rows.items()}


def _engagements(ids: Iterable[int]) -> dict[int, Place]:
    rows = _rows(models.Engagement.objects, ids, "product_id", "product__product_type_id")
    return {id: Place(None, *row) for id, row in rows.items()}


def _products(ids: Iterable[int]) -> dict[int, Place]:
    return {id: Place(None, id, row[0]) for id, row in _rows(models.Product.objects, ids, "product_type_id").items()}


def _product_types(ids: Iterable[int]) -> dict[int, Place]:
    return {id: Place(product_type_id=id) for id in _rows(models.ProductType.objects, ids)}


def _of_connection(model: Any) -> Callable[[Iterable[int]], dict[int, Place]]:
    def places(ids: Iterable[int]) -> dict[int, Place]:
        return {id: Place(connection_id=row[0]) for id, row in _rows(model.objects, ids, "connection_id").items()}

    return places


def _of_the_house(ids: Iterable[int]) -> dict[int, Place]:
    return dict.fromkeys(ids, EVERYWHERE)


_OF: Final[dict[str, Callable[[Iterable[Any]], dict[int, Place]]]] = {
    "connection": _connections,
    "record": _records,
    "finding": _findings,
    "operation": _of_connection(models.Operation),
    "rule": _of_connection(models.MappingRule),
    "route": _of_connection(models.Route),
    "product": _products,
    "product type": _product_types,
    "engagement": _engagements,
    "test": _tests,
    "user": _of_the_house,
    "token": _of_the_house,
    "destination": _of_the_house,
    "house": _of_the_house,
}

KINDS: Final = tuple(_OF)


def places(kind: str, ids: Iterable[int]) -> dict[int, Place]:
    """The place of each that is there, by its number."""
    return _OF[kind](ids)


def among(kind: str, ids: Iterable[int], role: Role) -> frozenset[int]:
    """Those of these, all of which the viewer sees, on which they hold this role."""
    access, wanted = viewer(), list(ids)
    if access.may(role):
        return frozenset(wanted)
    if not wanted or not access.may_somewhere(role):
        return frozenset()
    return frozenset(id for id, place in places(kind, wanted).items() if access.may(role, place))


def held_for_operation(operation_id: int, connection_id: int, role: Role, *, of_some: bool) -> bool:
    """Whether the viewer, who sees it, holds this role for an Operation: for its Connection, or, where it was asked for
    some Records, for all of these."""
    access = viewer()
    if access.may(role, Place(connection_id=connection_id)):
        return True
    parts = places_of_operation(operation_id) if of_some and access.may_somewhere(role) else None
    return parts is not None and all(access.may(role, part) for part in parts)


def places_of_operation(operation_id: int) -> list[Place] | None:
    """Where a Sync or a change of some Records lies besides its Connection: in each of these, and in each Test that it
    wrote into. None where it was asked for all, or is no such Operation."""
    found = models.Operation.objects.filter(pk=operation_id).exclude(type="discover").first()
    if found is None or not (asked := found.scope.get("records")):
        return None
    feeds = models.Result.objects.filter(operation_id=operation_id, feed_id__isnull=False).values("feed_id")
    tests = models.Feed.objects.filter(pk__in=feeds).values_list("test_id", flat=True)
    records = _records(asked)
    return [*(records.get(record, EVERYWHERE) for record in asked), *_tests(tests).values()]


def places_before_step(step: UUID, actor: str) -> dict[int, Place]:
    """Where the Records lay that this actor took away from their Product by this step, and that flow nowhere since."""
    taken = models.RecordHistory.objects.filter(step=step, actor=actor, record__feed=None, before__has_key="feed_id")
    feeds: dict[int, int] = {line.record_id: line.before["feed_id"] for line in taken if line.before["feed_id"]}
    lay_in = dict(models.Feed.objects.filter(pk__in=feeds.values()).values_list("pk", "test_id"))
    tests = _tests(lay_in.values())
    return {record: tests[lay_in[feed]] for record, feed in feeds.items() if lay_in.get(feed) in tests}


def records_of_step(step: UUID) -> list[int]:
    """The Records that a step was about: whoever undoes it decides about each of them."""
    return sorted(set(models.RecordHistory.objects.filter(step=step).values_list("record_id", flat=True)))
