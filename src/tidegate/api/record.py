"""Routes: Records, and what people decide about them."""

from __future__ import annotations

from typing import Annotated, Literal
from uuid import UUID

from pydantic import Field

from tidegate.actions import record as actions
from tidegate.api.answer import Answered, StepAnswer, step_answer, there
from tidegate.api.problem import FieldError, trouble_of_fields
from tidegate.api.route import Routes
from tidegate.api.words import LARGEST_ID, PAGE, Cursor, Id, Ids, Limit, Moment, Named, Reason, Search
from tidegate.reads import record as reads
from tidegate.rules.actor import Actor

routes = Routes("record")

Name = Annotated[str | None, Field(max_length=1000, description="The name of a new Product.")]
Epochs = Annotated[
    dict[Annotated[str, Field(pattern=r"^[1-9]\d{0,17}$")], int] | None,
    Field(
        max_length=10_000,
        description="Each Record's `epoch` as you saw it, by its number: one decided since then is left alone.",
    ),
]


def seen(epochs: dict[str, int] | None) -> dict[int, int]:
    """As the actions take them."""
    return {int(number): epoch for number, epoch in (epochs or {}).items()}


@routes.read("/records", reads.records, answers=reads.RecordPage)
def records(
    connection_id: Id | None = None,
    state: Annotated[
        Literal["new", "ignored", "good", "stale", "missing"] | None, Field(description="Only in this state.")
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
