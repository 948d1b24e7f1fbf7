"""What `tidegate doctor --mend` puts right: Operations that nobody would look at, and files that nobody will close."""

from __future__ import annotations

from tidegate.actions.action import action
from tidegate.reads import doctor
from tidegate.rules.actor import Actor
from tidegate.store.writers.operation import reconcile


@action("administrator", at_once=False, begins=True)
def mend_queue(actor: Actor) -> int:
    """Offers again what nobody looks at, and forgets jobs whose worker died; gives how many Operations were offered.

    The scheduler does the same every few seconds; this is for where none lives.
    """
    return reconcile()


@action("administrator", at_once=False, begins=True)
def mend_spools(actor: Actor) -> int:
    """Deletes spools that a killed process left here; gives how many."""
    removed = 0
    for path in doctor.orphaned_spools():
        path.unlink(missing_ok=True)
        removed += 1
    return removed
