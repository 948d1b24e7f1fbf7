"""Connections made, changed, paused, deleted and continued. The caller has the transaction open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from tidegate.rules.actor import Actor
from tidegate.rules.health import ToldBy, believed_end
from tidegate.store.models import Connection, Operation
from tidegate.store.statement import rows_of, run
from tidegate.store.writers import remap
from tidegate.store.writers.operation import request_change
from tidegate.store.writers.schedule import forget_schedules, save_default_schedules


def save_new_connection(actor: Actor, tool: str, facts: Mapping[str, Any]) -> int:
    """Makes the row, without secrets: these are sealed to its number. IntegrityError for a label that is taken."""
    connection_id = Connection.objects.create(tool=tool, created_by=str(actor), **facts).pk
    save_default_schedules(connection_id)
    return connection_id


def save_draft(actor: Actor, tool: str, facts: Mapping[str, Any]) -> int:
    """Makes the row of a Connection that is only tried out: it counts as deleted until somebody keeps it."""
    absent: dict[str, Any] = {"draft_at": Now(), "deleted_at": Now(), "deleted_by": str(actor)}
    return Connection.objects.create(tool=tool, created_by=str(actor), **absent, **facts).pk


def keep_draft(connection_id: int, facts: Mapping[str, Any]) -> None:
    """A draft becomes the Connection it was to be. IntegrityError for a label that is taken."""
    there: dict[str, Any] = {"draft_at": None, "deleted_at": None, "deleted_by": "", "created_at": Now()}
    change_connection(connection_id, {**facts, **there})
    save_default_schedules(connection_id)


def forget_draft(connection_id: int) -> None:
    """Deletes a locked draft and its previews: nothing else can name it."""
    Operation.objects.filter(connection_id=connection_id).delete()
    Connection.objects.filter(pk=connection_id, draft_at__isnull=False).delete()


def lock_connection(connection_id: int) -> Connection | None:
    """The Connection, deleted, a draft or neither, until the transaction ends; None where there is none."""
    return Connection.objects.select_for_update(no_key=True).filter(pk=connection_id).first()


def change_connection(connection_id: int, facts: Mapping[str, Any]) -> None:
    """Sets these facts of the locked Connection."""
    if facts:
        Connection.objects.filter(pk=connection_id).update(**facts)


@dataclass(frozen=True)
class Raised:
    """How many findings a raised threshold closes, and the change that does, where they are many."""

    closed: int
    operation: int | None = None


def raise_minimum(actor: Actor, connection_id: int, minimum: int) -> Raised:
    """Closes what is below the new threshold, at once where that is not too much. A Sync that runs looks again."""
    renew_epochs(connection_id)
    closings = remap.closings_below(connection_id, minimum)
    if sum(closings.values()) > remap.AT_ONCE:
        closes = sum(closings.values())
        return Raised(closes, request_threshold(actor, connection_id, minimum, closes))
    return Raised(remap.close_below(str(actor), list(closings), minimum))


def request_threshold(actor: Actor, connection_id: int, minimum: int, closes: int) -> int:
    """Asks for a change that closes so many. Its Records are nobody's: a Sync meanwhile looks at the threshold too."""
    scope = {"change": "threshold", "minimum": minimum, "findings": closes}
    return request_change(connection_id, scope, actor=str(actor))


def renew_epochs(connection_id: int) -> None:
    """What a running Sync has read was asked for under other conditions."""
    run("records_of_connection_lock", connection=connection_id)
    run("records_new_epoch", connection=connection_id)


@dataclass(frozen=True)
class ThresholdEffect:
    """What another threshold would do, before it is saved."""

    closes: int
    may_bring: int


def threshold_effect(connection_id: int, minimum: int) -> ThresholdEffect:
    """How many findings it closes at once, exactly, and how many kept away until now the next Sync may bring, at most:
    how bad those are that were never stored is not known."""
    (row,) = rows_of("threshold_effect", connection=connection_id, minimum=minimum)
    return ThresholdEffect(row["closes"], row["may_bring"])


def pause(actor: Actor, connection_id: int, because: str) -> int:
    """What waits for it is not begun any more; returns how much. What runs goes on to its end."""
    change_connection(connection_id, {"paused_at": Now(), "paused_because": because})
    return cancel_waiting(actor, connection_id, f"The Connection was paused. {because}")


def resume(connection_id: int) -> None:
    change_connection(connection_id, RESUMED)


RESUMED: dict[str, Any] = {"paused_at": None, "paused_because": "", "rejected_logins": 0}
"""The facts of a Connection that goes on."""


def delete_connection(actor: Actor, connection_id: int) -> None:
    """The row stays without its secrets, so that findings say where they came from and a new one may continue it."""
    gone: dict[str, Any] = {"secrets": None, "trigger_secret": None, "secret_ends_at": None, "secret_ends_told_by": ""}
    change_connection(connection_id, {**gone, "deleted_at": Now(), "deleted_by": str(actor)})
    forget_schedules(connection_id)
    renew_epochs(connection_id)
    cancel_waiting(actor, connection_id, "The Connection was deleted.")


def cancel_waiting(actor: Actor, connection_id: int, why: str) -> int:
    """Cancels the Operations that wait for the Connection; returns how many."""
    return run("operations_cancel_waiting", connection=connection_id, actor=str(actor), why=why)


def revive(connection_id: int, facts: Mapping[str, Any]) -> None:
    """A deleted Connection is continued: the same Records, Tests and decisions under new settings."""
    change_connection(connection_id, {**facts, "deleted_at": None, "deleted_by": ""})
    resume(connection_id)
    save_default_schedules(connection_id)
    renew_epochs(connection_id)


def note_secret_end(connection_id: int, at: datetime, told_by: ToldBy, *, sealed: bytes | None = None) -> bool:
    """Notes when the stored secret ends, as the token or the tool says; returns whether that is news.

    rules/health.py says whom we believe. With `sealed` only where that is still the secret: a login takes a while, and
    somebody may have entered another meanwhile. Opens a transaction of its own where none is open.
    """
    with transaction.atomic():
        connection = lock_connection(connection_id)
        if connection is None or connection.deleted_at is not None or connection.secrets is None:
            return False
        if sealed is not None and bytes(connection.secrets) != bytes(sealed):
            return False
        believed = believed_end(connection.secret_ends_at, connection.secret_ends_told_by, at, told_by)
        if believed is None:
            return False
        change_connection(connection_id, {"secret_ends_at": believed[0], "secret_ends_told_by": believed[1]})
        return True
