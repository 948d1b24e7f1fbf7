"""What whoever looks may do to the thing on a page: which of its buttons are there, and what is said where none are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from tidegate.rules.access import ROLE_IN_WORDS, Access, Place, Role

BUTTONS: Final[Mapping[str, Role]] = {"may": "mapper", "may_sync": "operator", "may_edit": "administrator"}
"""What templates ask by, and the role it takes."""


def allowed(access: Access, place: Place) -> dict[str, Any]:
    """For templates, of what lies there; with the role that is held, where it only looks."""
    may: dict[str, Any] = {name: access.may(role, place) for name, role in BUTTONS.items()}
    return {**may, "only_looks": only_looks(any(may.values()))}


def only_looks(may_something: bool) -> str:
    """What is said to whoever may do nothing here; empty for who may."""
    if may_something:
        return ""
    return f"You may look at this. To decide here takes the role of a mapper, who {ROLE_IN_WORDS['mapper']}."
