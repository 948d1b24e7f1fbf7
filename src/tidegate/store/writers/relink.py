"""A Record that went Missing goes on as the one that appeared: mapping, findings and history stay.

The two exchange their ids, and the one that appeared is deleted: so nothing is lost, an id is never twice in a
Connection, and where the earlier VEP comes back Discover shows it as New.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID, uuid4

from tidegate.rules.actor import Actor
from tidegate.rules.undo import Line
from tidegate.store.models import Record, RecordHistory, RelinkDismissed
from tidegate.store.statement import run

VENDOR_FACTS: Final = (
    "vendor_id", "former_ids", "name", "url", "parent", "attributes", "absent_since", "absent_operation_id",
)  # fmt: skip


def relink(actor: Actor, missing: int, new: int) -> None:
    """Both are locked, the first Missing and mapped, the second undecided."""
    rows = {row["id"]: row for row in Record.objects.filter(pk__in=[missing, new]).values("id", *VENDOR_FACTS)}
    before, after = rows[missing], rows[new]
    free = f"{before['vendor_id']} {uuid4()}"  # for a moment: both cannot have one id
    former = [*before["former_ids"], before["vendor_id"]]
    for record, vendor_id, ids, likes in (
        (new, free, after["former_ids"], None),
        (missing, after["vendor_id"], former, new),
    ):
        facts = {"vendor_id": vendor_id, "former": ids, "likes": likes, "deleted": likes is None}
        run("relink_step", record=record, **facts, actor=str(actor), how=actor.how)
    Record.objects.filter(pk=new).update(vendor_id=before["vendor_id"])


def is_relink(histories: Mapping[int, Sequence[Line]], step: UUID) -> bool:
    """Whether the step gave Records other ids."""
    return any("vendor_id" in line.before for lines in histories.values() for line in lines if line.step == step)


def gave_ids(record: int, step: UUID) -> bool:
    """Whether the step gave this Record the id of another: the two became one."""
    return RecordHistory.objects.filter(record_id=record, step=step, before__has_key="vendor_id").exists()


def take_apart(histories: Mapping[int, Sequence[Line]]) -> None:
    """Undoes the relink of these locked Records: what the tool says of each is again as before the step."""
    now = Record.objects.filter(pk__in=histories).values("id", *VENDOR_FACTS)
    facts: list[dict[str, Any]] = []
    for row in now:
        was = dict(row)
        for line in reversed(histories[row["id"]]):
            was |= {name: value for name, value in line.before.items() if name in VENDOR_FACTS}
        facts.append(was)
    for row in facts:
        Record.objects.filter(pk=row["id"]).update(vendor_id=str(uuid4()))
    run("relink_back", facts=json.dumps(facts, default=str))


def dismiss(actor: Actor, missing: int, new: int) -> None:
    """The two are not the same: that is remembered."""
    RelinkDismissed.objects.get_or_create(missing_id=missing, candidate_id=new, defaults={"by": str(actor)})


def suggest_again(missing: int, new: int) -> bool:
    """Takes a dismissal back; whether there was one."""
    return bool(RelinkDismissed.objects.filter(missing_id=missing, candidate_id=new).delete()[0])
