"""The version of a thing: changes whenever somebody changes what they may edit of it, and by nothing else."""

from __future__ import annotations

from typing import Any, Final

from tidegate.rules.version import version_of_facts
from tidegate.store import models

_FACTS: Final[dict[str, tuple[Any, tuple[str, ...]]]] = {
    "connection": (
        models.Connection,
        (
            "label",
            "settings",
            "secrets",
            "secret_ends_at",
            "auto_map",
            "join_by_name",
            "minimum_severity",
            "product_type_id",
            "hold_above",
            "hold_percent",
            "paused_at",
        ),
    ),
}

KINDS: Final = tuple(_FACTS)


def version_of(kind: str, id: int) -> str | None:
    """The version of one thing; None where it is not there. It tells nothing of what stands there."""
    model, columns = _FACTS[kind]
    facts = model.objects.filter(pk=id).values_list(*columns).first()
    return None if facts is None else version_of_facts(facts)
