"""What a person may do about retention: have done at once what the scheduler does hour by hour."""

from __future__ import annotations

from collections.abc import Callable

from tidegate.actions.action import action
from tidegate.actions.errors import Refused
from tidegate.config import Settings
from tidegate.rules.actor import Actor
from tidegate.store.clock import database_now
from tidegate.store.writers.retention import retain


@action("administrator", at_once=False, begins=True)
def forget_now(
    actor: Actor, settings: Settings, told: Callable[[str, int], None] = lambda what, number: None
) -> dict[str, int]:
    """Deletes all that is older than its days, and gives how much of what; `told` hears of it batch by batch.

    Only for a person: the days are the service's settings, so nobody can delete more than these say. May be broken off
    at any time, and done beside the scheduler's own. Raises Refused for anybody else.
    """
    if actor.kind != "person":
        raise Refused(f"{actor} is no person.", "The scheduler does this by itself every hour.")
    return retain(database_now(), settings, seconds=None, told=told)
