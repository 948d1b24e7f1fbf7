"""Takes a decision back: each Record's facts, and what its remap did to findings, are again as before the step."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, Final
from uuid import UUID

from tidegate.rules.undo import DECISION_FACTS, Line, facts_before, remap, why_not
from tidegate.store.models import Feed, Record
from tidegate.store.statement import rows_of, run
from tidegate.store.writers.relink import is_relink, take_apart
from tidegate.store.writers.remap import Going

BATCH: Final = 2_000
"""Records whose histories are in memory at once: a step may be about a hundred thousand."""


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
    undone, made_at = Undone({}, []), set[Any]()
    for first in range(0, len(records), BATCH):
        made_at |= undo_some(step, records[first : first + BATCH], undone)
    made = [row["id"] for row in rows_of("products_made", made_at=list(made_at - {None}))]
    if made:
        run("products_unmake", products=made)
    return undone


def undo_some(step: UUID, records: Sequence[int], undone: Undone) -> set[Any]:
    """The same for so many as memory holds the histories of; gives the moments in which the step decided them."""
    rows = rows_of("record_steps", step=step, records=list(records))
    histories = {
        record: [line_of(row) for row in lines] for record, lines in groupby(rows, lambda row: row["record_id"])
    }
    now = {facts["id"]: facts for facts in Record.objects.filter(pk__in=histories).values("id", *DECISION_FACTS)}
    answers: dict[int, str | None] = {record: why_not(step, history) for record, history in histories.items()}
    undone.answers.update(answers)
    facts = {
        record: {"id": record, **facts_before(step, history, now[record])}
        for record, history in histories.items()
        if answers[record] is None
    }
    if is_relink(histories, step):
        why = next((why for why in answers.values() if why is not None), None)
        if why is None and histories.keys() != set(records_of_step(step)):
            why = "the Record it goes back together with cannot now"
        if why is not None:
            undone.answers.update(dict.fromkeys(answers, why))  # both or none: they exchanged their ids
            return set()
        take_apart(histories)
    for record in lost(facts):
        product = facts.pop(record)["earlier_product_name"] or "the Product it had before"
        undone.answers[record] = f"{product} was deleted since"
    did = {record: remap(step, histories[record]) for record in facts}
    moved = {record: one.moved_from for record, one in did.items() if one.moved_from is not None}
    for record in moved.keys() - move_back(moved):
        del facts[record]
        undone.answers[record] = "the Test it came from was deleted since"
    undone.back.extend(
        Going(record, one.feed_before, one.feed_after)
        for record, one in did.items()
        if one.moved_from is None and one.feed_before is not None
    )
    run("records_put_back", facts=json.dumps(list(facts.values()), default=str))
    return {line.after.get("finalized_at") for record in facts for line in histories[record] if line.step == step}


def lost(facts: Mapping[int, Mapping[str, Any]]) -> list[int]:
    """The Records whose Feed of before is gone."""
    feeds = {was["feed_id"] for was in facts.values() if was["feed_id"] is not None}
    there = {None, *Feed.objects.filter(pk__in=feeds).values_list("pk", flat=True)}
    return [record for record, was in facts.items() if was["feed_id"] not in there]


def move_back(moved: Mapping[int, int]) -> set[int]:
    """The Feeds that went as a whole return, by Record to the Product they came from; gives those that could."""
    rows = rows_of("feeds_move_back", records=list(moved), products=list(moved.values())) if moved else []
    return {row["record_id"] for row in rows}


def line_of(row: dict[str, Any]) -> Line:
    before, after = json.loads(row["before"]), json.loads(row["after"])  # Django reads jsonb of raw SQL as text
    return Line(row["step"], row["actor"], row["at"], before, after, row["written_under"])
