"""Fields of a form as settings declare them: what was entered, and how each stands there. Secrets never go back."""

from __future__ import annotations

from typing import Any, cast

from django.http import QueryDict

from tidegate.reads.tool import FieldRow


def value_of(given: QueryDict, one: FieldRow) -> Any:
    """What was entered for a field; None where nothing was."""
    name = f"set.{one.name}"
    if isinstance(one.default, bool):
        return name in given
    text = given.get(name, "")
    if one.many:
        return [line.strip() for line in text.splitlines() if line.strip()] or None
    return (text if one.secret else text.strip()) or None


def field_shown(one: FieldRow, value: Any, *, stored: bool, problem: str) -> dict[str, Any]:
    """A field with what was entered and what is wrong with it, for connector/field.html. `stored`: a secret that is
    there already, so that it need not be entered again."""
    if one.many and isinstance(value, list | tuple):
        value = "\n".join(map(str, cast("list[object]", value)))
    return {
        "field": one, "name": f"set.{one.name}", "value": "" if value is None or one.secret else value,
        "checkbox": isinstance(one.default, bool), "stored": stored, "problem": problem,
    }  # fmt: skip
