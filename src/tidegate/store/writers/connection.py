"""Connections made, changed, paused, deleted and continued. The caller has the transaction open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models.functions import Now

from tidegate.rules.actor import Actor
from tidegate.store.models import Connection
from tidegate.store.statement import rows_of, run


def save_new_connection(actor: Actor, tool: str, facts: Mapping[str, Any]) -> int:
    """Makes the row, without secrets: these are sealed to its number. IntegrityError for a label that is taken."""
    return Connection.objects.create(tool=tool, created_by=str(actor), **facts).pk


def lock_connection(connection_id: int) -> Connection | None:
    """The Connection, deleted or not, until the transaction ends; None where there is none."""
    return Connection.objects.select_for_update(no_key=True).filter(pk=connection_id).first()


def change_connection(connection_id: int, facts: Mapping[str, Any]) -> None:
    """Sets these facts of the locked Connection."""
    if facts:
        Connection.objects.filter(pk=connection_id).update(**facts)


def raise_minimum(actor: Actor, connection_id: int, minimum: int) -> int:
    """Closes at once what is below the new threshold; returns how many. A Sync that runs looks again."""
    renew_epochs(connection_id)
    return run("findings_close_below", connection=connection_id, minimum=minimum, actor=str(actor))


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
    """How many findings it closes at once, and how many kept away until now the next Sync may bring."""
    (row,) = rows_of("threshold_effect", connection=connection_id, minimum=minimum)
    return ThresholdEffect(row["closes"], row["may_bring"])


def pause(connection_id: int, because: str) -> None:
    change_connection(connection_id, {"paused_at": Now(), "paused_because": because})


def resume(connection_id: int) -> None:
    change_connection(connection_id, {"paused_at": None, "paused_because": "", "rejected_logins": 0})


def delete_connection(actor: Actor, connection_id: int) -> None:
    """The row stays without its secrets, so that findings say where they came from and a new one may continue it."""
    change_connection(connection_id, {"secrets": None, "deleted_at": Now(), "deleted_by": str(actor)})
    renew_epochs(connection_id)
    run("operations_cancel_waiting", connection=connection_id, actor=str(actor), why="The Connection was deleted.")


def revive(connection_id: int, facts: Mapping[str, Any]) -> None:
    """A deleted Connection is continued: the same Records, Tests and decisions under new settings."""
    change_connection(connection_id, {**facts, "deleted_at": None, "deleted_by": ""})
    resume(connection_id)
    renew_epochs(connection_id)
