"""Takes a decision back: each Record's facts, and what its remap did to findings, are again as before the step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from tidegate.rules.actor import Actor
from tidegate.rules.undo import DECISION_FACTS, Line, Remap, facts_before, remap, why_not
from tidegate.store.models import Feed, Record
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.record import exchange_proofs


def records_of_step(step: UUID) -> list[int]:
    """The Records that a step decided, by id."""
    return [row["record_id"] for row in rows_of("records_of_step", step=step)]


@dataclass(frozen=True)
class LastDecision:
    """Who decided a Record last, and in which step; None for plain SQL."""

    actor: str
    at: datetime
    step: UUID | None


def last_decision(record: int) -> LastDecision | None:
    """The last decision on a Record, if there is one."""
    for row in rows_of("last_decision", record=record):
        return LastDecision(**row)
    return None


def undo_records(actor: Actor, step: UUID, records: Sequence[int]) -> dict[int, str | None]:
    """Undoes the step for each of these locked Records: None where it did, else why not. Products that the step made
    and that are empty go too."""
    rows = rows_of("record_steps", step=step, records=list(records))
    histories = {
        record: [line_of(row) for row in lines] for record, lines in groupby(rows, lambda row: row["record_id"])
    }
    now = {facts["id"]: facts for facts in Record.objects.filter(pk__in=histories).values("id", *DECISION_FACTS)}
    answers: dict[int, str | None] = {record: why_not(step, history) for record, history in histories.items()}
    facts = {
        record: {"id": record, **facts_before(step, history, now[record])}
        for record, history in histories.items()
        if answers[record] is None
    }
    feeds = {was["feed_id"] for was in facts.values() if was["feed_id"] is not None}
    there = set(Feed.objects.filter(pk__in=feeds).values_list("pk", flat=True))
    for record in [
        record for record, was in facts.items() if was["feed_id"] is not None and was["feed_id"] not in there
    ]:
        answers[record] = (
            f"{facts.pop(record)['earlier_product_name'] or 'the Product it had before'} was deleted since"
        )
    for record in list(facts):
        if sentence := put_findings_back(actor, step, record, remap(step, histories[record])):
            answers[record] = sentence
            del facts[record]
    run("records_put_back", facts=json.dumps(list(facts.values()), default=str))
    made_at = {line.after.get("finalized_at") for record in facts for line in histories[record] if line.step == step}
    run("products_unmake", made_at=[at for at in made_at if at is not None])
    return answers


def line_of(row: dict[str, Any]) -> Line:
    before, after = json.loads(row["before"]), json.loads(row["after"])  # Django reads jsonb of raw SQL as text
    return Line(row["step"], row["actor"], row["at"], before, after, row["written_under"])


def put_findings_back(actor: Actor, step: UUID, record: int, did: Remap) -> str | None:
    """Undoes what a remap did to findings; a sentence where that is no longer possible."""
    if did.moved_from is not None:
        return move_back(record, did.moved_from)
    if did.feed_before is None:
        return None
    if did.feed_after is not None:
        unmerge(actor, step, source=did.feed_before, destination=did.feed_after)
    run("findings_reopen_by_undo", feeds=[did.feed_before], step=str(step), actor=str(actor))
    return None


def move_back(record: int, product: int) -> str | None:
    if run("feed_move_back", record=record, product=product):
        return None
    return "the Test it came from was deleted since"


def unmerge(actor: Actor, step: UUID, *, source: int, destination: int) -> None:
    """Takes two merged Feeds apart again; nothing where the step merged none."""
    at_destination = {"destination": destination, "step": str(step)}
    run("unmerge_decisions_keep", source=source, **at_destination)
    run("unmerge_decisions_forget", **at_destination)
    run("unmerge_decisions_restore", **at_destination)
    run("unmerge_held", source=source, **at_destination)
    if run("unmerge_findings", source=source, actor=str(actor), **at_destination):
        exchange_proofs(source=destination, destination=source)
