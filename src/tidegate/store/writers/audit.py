"""Lines of the audit log: written in the transaction they tell of; the database lets nobody change one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tidegate.rules.actor import Actor
from tidegate.store.models import AuditLine


def save_audit_line(
    actor: Actor, action: str, outcome: str, target: str, target_ids: Sequence[int], facts: dict[str, Any]
) -> None:
    """Writes one line: who, through which face and token, from where, did what to which things."""
    AuditLine.objects.create(
        actor=str(actor),
        user_id=actor.user_id,
        through=actor.through,
        token=actor.token,
        address=actor.address,
        action=action,
        outcome=outcome,
        target=target,
        target_ids=list(target_ids),
        facts=facts,
    )
