"""Routes: Records, and what people decide about them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, Field

from tidegate.actions import bulk
from tidegate.actions import record as actions
from tidegate.actions.step import BulkDone, BulkPreview
from tidegate.api.answer import Answered, StepAnswer, bulk_answer, step_answer, there
from tidegate.api.problem import FieldError, trouble_of_fields
from tidegate.api.route import STRICT, Routes
from tidegate.api.words import LARGEST_ID, PAGE, Cursor, Expected, Id, Ids, Limit, Moment, Named, NoIds, Reason, Search
from tidegate.reads import record as reads
from tidegate.rules.actor import Actor
from tidegate.rules.bulk import RecordFilter

routes = Routes("record")

Name = Annotated[str | None, Field(max_length=1000, description="The name of a new Product.")]
Epochs = Annotated[
    dict[Annotated[str, Field(pattern=r"^[1-9]\d{0,17}$")], int] | None,
    Field(
        max_length=10_000,
        description="Each Record's `epoch` as you saw it, by its number: one decided since then is left alone.",
    ),
]


class RecordsMatching(BaseModel):
    """Which Records are meant, by the filters of their list; an empty one means all of them."""

    model_config = STRICT

    connection_id: Id | None = None
    state: Annotated[
        Literal["new", "ignored", "good", "stale", "missing", "mapped"] | None, Field(description="Only in this state.")
    ] = None
    product_id: Id | None = None
    search: Search = ""
    gone: Annotated[bool | None, Field(description="Only those that are no longer, or still, in the tool.")] = None
    seen_since: Annotated[Moment | None, Field(description="First found from then on.")] = None
    seen_until: Annotated[Moment | None, Field(description="First found before then.")] = None


Matching = Annotated[RecordsMatching | None, Field(description="Which are meant, instead of their numbers.")]
Existing = Annotated[int | None, Field(ge=1, le=LARGEST_ID, description="An existing Product, for `map`.")]
TypeOfNew = Annotated[str | None, Field(max_length=1000, description="The Product Type of new Products.")]
Join = Annotated[bool, Field(description="`map each` joins a Product that has the name already; else it is refused.")]


def filter_of(matching: RecordsMatching | None) -> RecordFilter | None:
    """As the actions take it."""
    return None if matching is None else RecordFilter(**matching.model_dump(exclude_none=True))


def seen(epochs: dict[str, int] | None) -> dict[int, int]:
    """As the actions take them."""
    return {int(number): epoch for number, epoch in (epochs or {}).items()}


@routes.read("/records", reads.records, answers=reads.RecordPage)
def records(
    connection_id: Id | None = None,
    state: Annotated[
        Literal["new", "ignored", "good", "stale", "missing", "mapped"] | None, Field(description="Only in this state.")
    ] = None,
    product_id: Id | None = None,
    search: Search = "",
    gone: Annotated[bool | None, Field(description="Only those that are no longer, or still, in the tool.")] = None,
    seen_since: Annotated[Moment | None, Field(description="First found from then on.")] = None,
    seen_until: Annotated[Moment | None, Field(description="First found before then.")] = None,
    sort: Literal["name", "vendor id", "parent", "product", "state", "newest"] = "name",
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> reads.RecordPage:
    return reads.records(
        connection_id=connection_id, state=state, product_id=product_id, search=search, gone=gone,
        seen_since=seen_since, seen_until=seen_until, sort=sort, cursor=cursor, limit=limit,
    )  # fmt: skip


@routes.read("/records/named", reads.named, answers=reads.RecordPage)
def named(text: Named, connection_id: Id | None = None) -> reads.RecordPage:
    return reads.RecordPage(records=reads.named(text, connection_id), next=None)


@routes.read("/records/{record_id}", reads.record, answers=reads.RecordDetail)
def record(record_id: Id) -> reads.RecordDetail:
    return there(reads.record(record_id), "Record", record_id)


@routes.act(
    "POST",
    "/records/map",
    actions.map_records,
    answers=StepAnswer,
    sends={"record_ids": [7], "new_product": "Web shop"},
)
def map_records(
    actor: Actor,
    record_ids: Ids,
    product_id: Annotated[int | None, Field(ge=1, le=LARGEST_ID, description="An existing Product.")] = None,
    new_product: Name = None,
    product_type: Annotated[
        str | None, Field(max_length=1000, description="The Product Type of a new Product.")
    ] = None,
    already_imported: Literal["leave", "move", "close"] = "leave",
    epochs: Epochs = None,
) -> Answered:
    outcome = actions.map_records(
        actor, record_ids, product_id=product_id, new_product=new_product, product_type=product_type,
        already_imported=already_imported, epochs=seen(epochs),
    )  # fmt: skip
    return step_answer(outcome)


@routes.act("POST", "/records/ignore", actions.ignore_records, answers=StepAnswer)
def ignore_records(actor: Actor, record_ids: Ids, because: Reason = "", epochs: Epochs = None) -> Answered:
    return step_answer(actions.ignore_records(actor, record_ids, because, epochs=seen(epochs)))


@routes.act("POST", "/records/restore", actions.restore_records, answers=StepAnswer)
def restore_records(actor: Actor, record_ids: Ids, to_earlier: bool = False, epochs: Epochs = None) -> Answered:
    return step_answer(actions.restore_records(actor, record_ids, to_earlier=to_earlier, epochs=seen(epochs)))


@routes.act("POST", "/records/delete", actions.delete_records, answers=StepAnswer)
def delete_records(actor: Actor, record_ids: Ids, epochs: Epochs = None) -> Answered:
    return step_answer(actions.delete_records(actor, record_ids, epochs=seen(epochs)))


@routes.act("POST", "/records/undo", actions.undo, answers=StepAnswer)
def undo(
    actor: Actor,
    step: Annotated[UUID | None, Field(description="A whole step, as an answer told it.")] = None,
    record_id: Id | None = None,
) -> Answered:
    if (step is None) == (record_id is None):
        raise trouble_of_fields(
            [FieldError(place="body", pointer="#/step", sentence="Name a step or a Record, not both.")]
        )
    return step_answer(actions.undo(actor, step=step, record_id=record_id))


@routes.act(
    "POST",
    "/records/preview",
    bulk.preview_records,
    answers=BulkPreview,
    sends={"deed": "map each", "matching": {"connection_id": 3, "state": "new"}},
)
def preview_records(
    actor: Actor,
    deed: Annotated[
        Literal["map", "map each", "ignore", "restore", "restore to earlier", "delete", "sync"],
        Field(description="What would be done; `map each` maps each to the Product of its own name."),
    ],
    record_ids: NoIds = [],  # noqa: B006
    matching: Matching = None,
    product_id: Existing = None,
    new_product: Name = None,
    product_type: TypeOfNew = None,
    join: Join = True,
    because: Reason = "",
) -> BulkPreview:
    return bulk.preview_records(
        actor, deed, record_ids, matching=filter_of(matching), product_id=product_id, new_product=new_product,
        product_type=product_type, join=join, because=because,
    )  # fmt: skip


@routes.act(
    "POST",
    "/records/decide",
    bulk.decide_records,
    answers=BulkDone,
    sends={"deed": "ignore", "matching": {"connection_id": 3, "search": "sandbox"}, "expected": "412"},
)
def decide_records(
    actor: Actor,
    deed: Annotated[
        Literal["map", "map each", "ignore", "restore", "restore to earlier", "delete"],
        Field(description="What is done; `map each` maps each to the Product of its own name."),
    ],
    record_ids: NoIds = [],  # noqa: B006
    matching: Matching = None,
    expected: Expected = "",
    product_id: Existing = None,
    new_product: Name = None,
    product_type: TypeOfNew = None,
    join: Join = True,
    because: Reason = "",
    already_imported: Literal["leave", "move", "close"] = "leave",
) -> Answered:
    done = bulk.decide_records(
        actor, deed, record_ids, matching=filter_of(matching), expected=expected, product_id=product_id,
        new_product=new_product, product_type=product_type, join=join, because=because,
        already_imported=already_imported,
    )  # fmt: skip
    return bulk_answer(done)


@routes.act("POST", "/records/sync", bulk.sync_records, answers=BulkDone)
def sync_records(
    actor: Actor,
    record_ids: NoIds = [],  # noqa: B006
    matching: Matching = None,
    expected: Expected = "",
) -> Answered:
    return bulk_answer(bulk.sync_records(actor, record_ids, matching=filter_of(matching), expected=expected))
