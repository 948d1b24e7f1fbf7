"""Find anything: by words or a number, whatever it is: Products, Connections, Operations, Records, findings."""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal

import msgspec
from django.db.models import CharField, F, Q, TextField, Value
from django.db.models.functions import Cast, Concat
from msgspec import Meta

from tidegate.reads.finding import findings
from tidegate.reads.page import number, storable
from tidegate.reads.record import named_like
from tidegate.reads.share import visible_operations
from tidegate.reads.viewer import visible
from tidegate.store import models

Kind = Literal["product", "connection", "operation", "record", "finding"]

KINDS: Final[tuple[Kind, ...]] = ("product", "connection", "operation", "record", "finding")
MOST: Final = 5
"""So many of each kind."""


class Hit(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was found."""

    kind: Annotated[str, Meta(description="`product`, `connection`, `operation`, `record` or `finding`.")]
    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="What it is called.")]
    beside: Annotated[str, Meta(description="Where it lies, or what else tells it from others.")]


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """What was found, kind by kind."""

    hits: Annotated[list[Hit], Meta(description=f"The first {MOST} of each kind, in the order of the kinds.")]
    not_searchable: Annotated[
        int, Meta(description="Findings whose words are not indexed yet; they follow some seconds later.")
    ]


def anything(search: str) -> Found:
    """What has these words in its name; what has this number, and a finding by its tool's id, CVE or path as well.
    Nothing where there are no words."""
    words = storable(search).strip()
    if not words:
        return Found(hits=[], not_searchable=0)
    said = findings(search=words, limit=MOST)
    hits = [
        *_few(words),
        *(
            Hit(kind="record", id=one.id, name=one.name, beside=f"{one.connection}: {one.state}")
            for one in named_like(words, MOST)
        ),
        *(
            Hit(kind="finding", id=one.id, name=one.title, beside=f"{one.severity}, {one.product}")
            for one in said.findings
        ),
    ]
    return Found(hits=sorted(hits, key=_order), not_searchable=said.not_searchable)


def _order(hit: Hit) -> int:
    return [*KINDS].index(hit.kind)  # pyright: ignore[reportArgumentType] - each of ours is one


def _few(words: str) -> list[Hit]:
    """Products, Connections and Operations, which are few beside Records and findings: in one question."""
    name, of = Q(), Q()
    for word in words.split():
        name &= Q(name__icontains=word)
        of &= Q(label__icontains=word)
    asked = number(words.removeprefix("#"))
    if asked is not None:
        name |= Q(pk=asked)
    products = models.Product.objects.filter(name, visible(product="pk", product_type="product_type_id"))
    connections = models.Connection.objects.filter(of, visible(connection="pk"), deleted_at=None)
    operations: Any = visible_operations(asked) if asked is not None else models.Operation.objects.none()
    kinds = (
        (products.order_by("name", "pk"), "product", F("name"), F("product_type__name")),
        (connections.order_by("label", "pk"), "connection", F("label"), F("tool")),
        (operations.order_by("-pk"), "operation", _title(), F("connection__label")),
    )
    parts = [
        query.annotate(kind=Value(kind), said=Cast(said, TextField()), lies=Cast(beside, TextField())).values_list(
            "kind", "pk", "said", "lies"
        )[:MOST]
        for query, kind, said, beside in kinds
    ]
    found = parts[0].union(*parts[1:], all=True)
    return [Hit(kind=kind, id=id, name=name, beside=beside) for kind, id, name, beside in found]


def _title() -> Concat:
    """An Operation as its page calls it."""
    return Concat(F("type"), Value(" "), Cast("pk", CharField()))
