"""What a person may answer to *this is the same one*: yes, and the Record goes on under its new id; or no."""

from __future__ import annotations

from uuid import uuid4

from tidegate.actions.action import action
from tidegate.actions.errors import Refused
from tidegate.actions.record import locked, sync_after_undo_time, why_not_decide
from tidegate.actions.step import Item, StepOutcome
from tidegate.rules.actor import Actor
from tidegate.store.acting import acting
from tidegate.store.models import Record
from tidegate.store.writers import relink as writer
from tidegate.store.writers.record import Deciding


@action("mapper", record="missing_id new_id")
def accept_suggestion(actor: Actor, missing_id: int, new_id: int) -> StepOutcome:
    """The Missing Record goes on as the new one: mapping, findings and history stay, and the new one is gone from the
    lists. It need not have been suggested. Undone like any decision.

    Raises NotThere for an unknown Record, Refused where the two cannot be one.
    """
    if missing_id == new_id:
        raise Refused("Both are the same Record.", "Name the Missing one, then the new one.")
    step = uuid4()
    with acting(str(actor), step=step):
        records = locked([missing_id, new_id])
        missing, new = records[missing_id], records[new_id]
        _refuse(missing, new)
        writer.relink(actor, missing_id, new_id)
        sync_after_undo_time(actor, [missing_id] if missing.feed_id is not None else [])
    flows = f"flows into «{missing.product_name}»" if missing.product_name else "keeps its findings"
    told = f"Is the same as {new.name} from now on, and {flows}."
    return StepOutcome(step, (Item(missing_id, True, told),))


@action("mapper", record="missing_id new_id")
def dismiss_suggestion(actor: Actor, missing_id: int, new_id: int) -> None:
    """The two are not the same: they are not suggested any more. Raises NotThere for an unknown Record."""
    with acting(str(actor)):
        locked([missing_id, new_id])
        writer.dismiss(actor, missing_id, new_id)


@action("mapper", record="missing_id new_id")
def suggest_again(actor: Actor, missing_id: int, new_id: int) -> None:
    """Takes a dismissal back. Refused where there is none."""
    with acting(str(actor)):
        if not writer.suggest_again(missing_id, new_id):
            raise Refused("These two were not dismissed.", "See what is suggested: tidegate suggestion list")


def _refuse(missing: Deciding, new: Deciding) -> None:
    """Raises Refused where the two cannot become one."""
    for record in (missing, new):
        if why := why_not_decide(record, {}):
            raise Refused(f"{record.name}: {why}", "Nothing was changed.")
    if missing.connection_id != new.connection_id:
        raise Refused(
            f"{missing.name} is of {missing.connection_label} and {new.name} of {new.connection_label}.",
            "Only Records of one Connection can be the same.",
        )
    absent = dict(Record.objects.filter(pk__in=[missing.id, new.id]).values_list("pk", "absent_since"))
    if missing.decision != "mapped" or absent[missing.id] is None:
        raise Refused(f"{missing.name} is not Missing.", "Name the Missing Record first, then the new one.")
    if new.decision != "undecided" or absent[new.id] is not None:
        what = "no longer in the tool" if absent[new.id] is not None else f"{new.decision} already"
        raise Refused(f"{new.name} is {what}.", "Only a New Record can be what another one was.")
