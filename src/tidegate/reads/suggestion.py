"""Suggestions: a Record went Missing while another appeared that looks like it. Derived when asked, never stored."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import groupby
from typing import Annotated, Any, Final

import msgspec
from django.db.models import Exists, F, OuterRef, Window
from django.db.models.functions import RowNumber
from msgspec import Meta

from tidegate.reads.managed import file_of
from tidegate.reads.viewer import visible
from tidegate.rules.suggest import Likeness, Look, Missing, Overlap, likeness
from tidegate.store import models
from tidegate.store.statement import rows_of

LOOKED_AT: Final = 500
"""Missing Records of a Connection that are compared, the newest; pairs of each; findings of each new Record."""
BEFORE: Final = timedelta(days=30)
"""So long before the one went the other may have appeared: both may be there for a while."""
BATCH: Final = 5_000


class Suggestion(msgspec.Struct, frozen=True, kw_only=True):
    """Two Records that look like the same thing."""

    connection: Annotated[str, Meta(description="The label of their Connection.")]
    connection_id: Annotated[int, Meta(description="That Connection's number.")]
    missing_id: Annotated[int, Meta(description="The number of the Record that is Missing.")]
    missing: Annotated[str, Meta(description="Its name.")]
    missing_since: Annotated[datetime, Meta(description="Since when it is Missing.")]
    product: Annotated[str, Meta(description="The Product it flows into; empty where that was deleted.")]
    new_id: Annotated[int, Meta(description="The number of the Record that appeared.")]
    new: Annotated[str, Meta(description="Its name.")]
    new_since: Annotated[datetime, Meta(description="When Discover first found it.")]
    managed_by: Annotated[
        str | None, Meta(description="The configuration file that manages where the Missing one flows, or null.")
    ]
    evidence: Annotated[list[str], Meta(description="What speaks for it, in sentences.")]
    score: Annotated[int, Meta(description="The more, the likelier; it only orders.")]


class SuggestionList(msgspec.Struct, frozen=True, kw_only=True):
    """What looks like the same thing, the likeliest first; of each Missing Record the best."""

    suggestions: Annotated[list[Suggestion], Meta(description="Pair by pair.")]


def suggestions(connection_id: int | None = None) -> SuggestionList:
    """What looks like the same thing in one Connection, or in all."""
    gone = models.Record.objects.filter(decision="mapped", absent_since__isnull=False, deleted_at=None)
    gone = gone.filter(visible(connection="connection_id"), connection__deleted_at=None, changing_operation=None)
    if connection_id is not None:
        gone = gone.filter(connection_id=connection_id)
    found = _of(gone)
    return SuggestionList(suggestions=sorted(found, key=lambda one: (-one.score, one.missing, one.missing_id)))


def suggested(missing_id: int, new_id: int) -> Suggestion | None:
    """The suggestion of these two; None where there is none (any more)."""
    connection = models.Record.objects.filter(pk=missing_id).values_list("connection_id", flat=True).first()
    if connection is None:
        return None
    there = (one for one in suggestions(connection).suggestions if (one.missing_id, one.new_id) == (missing_id, new_id))
    return next(there, None)


def _of(gone: Any) -> list[Suggestion]:
    """Of all these at once, each compared within its Connection: by so many questions, however many Connections."""
    related = gone.select_related("connection", "feed__test__engagement__product")
    newest = [F("absent_since").desc(), F("pk").desc()]
    place = Window(RowNumber(), partition_by=F("connection_id"), order_by=newest)
    placed = related.annotate(place=place, file=file_of("mapping"))
    missing = {one.pk: one for one in placed.filter(place__lte=LOOKED_AT).order_by("connection_id", *newest)}
    if not missing:
        return []
    since = min(one.absent_since for one in missing.values()) - BEFORE
    of_each = groupby(missing.values(), key=lambda one: one.connection_id)
    indexes = {connection: Missing([_look(one) for one in there]) for connection, there in of_each}
    dismissed = models.RelinkDismissed.objects.filter(missing__in=missing)
    refused = set(dismissed.values_list("missing_id", "candidate_id"))
    best: dict[int, tuple[Likeness, Any]] = {}
    for batch in _new(list(indexes), since):
        pairs = [
            (old, new, one)
            for one in batch
            for old, new in indexes[one.connection_id].like(_look(one))
            if (old.id, new.id) not in refused and one.first_seen_at >= missing[old.id].absent_since - BEFORE
        ]
        overlaps = _overlaps([(old.id, new.id) for old, new, _ in pairs])
        for old, new, one in pairs:
            like = likeness(old, new, overlaps.get((old.id, new.id)))
            if like and (old.id not in best or like.score > best[old.id][0].score):
                best[old.id] = (like, one)
    return [_told(missing[number], new, like) for number, (like, new) in best.items()]


def _new(connections: list[int], since: datetime) -> Iterator[list[Any]]:
    """The undecided Records that appeared since then, by id."""
    held = models.HeldAbsence.objects.filter(record=OuterRef("pk"))
    new = models.Record.objects.filter(
        ~Exists(held),
        connection_id__in=connections,
        decision="undecided",
        deleted_at=None,
        absent_since=None,
        changing_operation=None,
        first_seen_at__gte=since,
    ).order_by("pk")
    after, batch = 0, list[Any]()
    while not batch or len(batch) == BATCH:
        batch = list(new.filter(pk__gt=after)[:BATCH])
        if not batch:
            return
        yield batch
        after = batch[-1].pk


def _overlaps(pairs: list[tuple[int, int]]) -> dict[tuple[int, int], Overlap]:
    if not pairs:
        return {}
    missing, news = [pair[0] for pair in pairs], [pair[1] for pair in pairs]
    rows = rows_of("relink_overlap", missing=missing, news=news, looked_at=LOOKED_AT)
    return {(row["missing_id"], row["new_id"]): Overlap(row["looked_at"], row["shared"]) for row in rows}


def _look(one: Any) -> Look:
    return Look(one.pk, one.name, one.parent, one.attributes)


def _told(missing: Any, new: Any, like: Likeness) -> Suggestion:
    return Suggestion(
        connection=missing.connection.label,
        connection_id=missing.connection_id,
        missing_id=missing.pk,
        missing=missing.name,
        missing_since=missing.absent_since,
        product=missing.feed.test.engagement.product.name if missing.feed else "",
        new_id=new.pk,
        new=new.name,
        new_since=new.first_seen_at,
        managed_by=missing.file,
        evidence=list(like.evidence),
        score=like.score,
    )
