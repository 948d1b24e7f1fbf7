"""Takes a decision back: each Record's facts, and what its remap did to findings, are again as before the step."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from tidegate.rules.undo import DECISION_FACTS, Line, facts_before, remap, why_not
from tidegate.store.models import Feed, Record
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.relink import is_relink, take_apart
from tidegate.store.writers.remap import Going


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


@dataclass(frozen=True)
class Undone:
    """How an undo went: by Record None, or why not; and whose findings are to be put back yet."""

    answers: dict[int, str | None]
    back: list[Going]


def undo_records(step: UUID, records: Sequence[int]) -> Undone:
    """Undoes the step for each of these locked Records. Products that the step made and that are empty go too."""
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
    if is_relink(histories, step):
        if why := next((why for why in answers.values() if why is not None), None):
            return Undone(dict.fromkeys(answers, why), [])  # both or none: they exchanged their ids
        take_apart(histories)
    feeds = {was["feed_id"] for was in facts.values() if was["feed_id"] is not None}
    there = set(Feed.objects.filter(pk__in=feeds).values_list("pk", flat=True))
    for record in [
        record for record, was in facts.items() if was["feed_id"] is not None and was["feed_id"] not in there
    ]:
        answers[record] = (
            f"{facts.pop(record)['earlier_product_name'] or 'the Product it had before'} was deleted since"
        )
    back: list[Going] = []
    for record in list(facts):
        did = remap(step, histories[record])
        if did.moved_from is not None:
            answers[record] = move_back(record, did.moved_from)
        elif did.feed_before is not None:
            back.append(Going(record, did.feed_before, did.feed_after))
        if answers[record] is not None:
            del facts[record]
    run("records_put_back", facts=json.dumps(list(facts.values()), default=str))
    made_at = {line.after.get("finalized_at") for record in facts for line in histories[record] if line.step == step}
    run("products_unmake", made_at=list(made_at - {None}))
    return Undone(answers, back)


def line_of(row: dict[str, Any]) -> Line:
    before, after = json.loads(row["before"]), json.loads(row["after"])  # Django reads jsonb of raw SQL as text
    return Line(row["step"], row["actor"], row["at"], before, after, row["written_under"])


def move_back(record: int, product: int) -> str | None:
    """The Feed that went as a whole returns; a sentence where that is no longer possible."""
    if run("feed_move_back", record=record, product=product):
        return None
    return "the Test it came from was deleted since"
