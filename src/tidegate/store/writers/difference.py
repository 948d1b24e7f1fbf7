"""Differences: what a preview would do, row by row; beside nothing else that is written."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, Final

from tidegate.store.models import Difference
from tidegate.store.statement import rows_of, run

KEPT: Final = 1_000
"""How many differences of each kind a Discover keeps; counts are exact whatever is kept."""


def records_discovered(operation_id: int, connection_id: int) -> list[dict[str, Any]]:
    """What a Discover has done to Records in the transaction that is open and will be taken back."""
    rows = rows_of("records_discovered", operation=operation_id, connection=connection_id, kept=KEPT)
    return [{**row, "before": json.loads(row["before"]), "after": json.loads(row["after"])} for row in rows]


def save_differences(operation_id: int, differences: Sequence[Mapping[str, Any]]) -> None:
    """Keeps what this preview found, in place of what an earlier attempt of it did."""
    forget_differences(operation_id)
    add_differences(operation_id, differences)


def forget_differences(operation_id: int) -> None:
    """What an earlier attempt of this preview found."""
    Difference.objects.filter(operation_id=operation_id).delete()


def add_differences(operation_id: int, differences: Sequence[Mapping[str, Any]]) -> None:
    """Keeps some more of what this preview found."""
    if differences:
        run("differences_save", operation=operation_id, differences=json.dumps(list(differences)))
