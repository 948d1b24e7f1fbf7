"""The version of a thing: changes whenever somebody changes what they may edit of it, and by nothing else."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

from tidegate.rules.version import version_of_facts
from tidegate.store import models

Facts = Callable[[int], Sequence[object] | None]
"""What people may edit of the thing of this number; None where it is not there."""

_OF_RULE: Final = (
    "field", "attribute", "pattern", "syntax", "case_matters", "answer", "product_id", "product_name", "template",
    "because", "product_type", "tags",
)  # fmt: skip
_OF_SCHEDULE: Final = ("type", "kind", "at", "weekday", "hours", "cron", "zone", "spread_minutes")


def _columns(model: Any, *columns: str) -> Facts:
    return lambda id: model.objects.filter(pk=id).values_list(*columns).first()


def _user(id: int) -> Sequence[object] | None:
    """With the roles they hold."""
    own = models.User.objects.filter(pk=id).values_list("username", "email", "is_active").first()
    grants = models.RoleGrant.objects.filter(user_id=id).order_by("pk")
    return own and (*own, *grants.values_list("role", "scope", "product_type_id", "product_id", "connection_id"))


def _finding(id: int) -> Sequence[object] | None:
    """What people decided about it, on all its Branches; a Sync does not change that."""
    found = models.Finding.objects.filter(pk=id).values("feed_id", "family", "key_hash").first()
    if found is None:
        return None
    decided = models.Decision.objects.filter(**found).order_by("field")
    return list(decided.values_list("field", "value", "until", "by"))


def _rules(connection_id: int) -> Sequence[object]:
    rules = models.MappingRule.objects.filter(connection_id=connection_id).order_by("position")
    return list(rules.values_list("pk", *_OF_RULE))


def _schedules(connection_id: int) -> Sequence[object]:
    found = models.Schedule.objects.filter(connection_id=connection_id).order_by("type")
    return list(found.values_list(*_OF_SCHEDULE))


_FACTS: Final[dict[str, Facts]] = {
    "connection": _columns(
        models.Connection,
        "label",
        "settings",
        "secrets",
        "secret_ends_at",
        "auto_map",
        "join_by_name",
        "minimum_severity",
        "close_branches_after",
        "product_type_id",
        "hold_above",
        "hold_percent",
        "paused_at",
    ),
    "destination": _columns(
        models.Destination,
        "name",
        "settings",
        "secrets",
        "product_type",
        "engagement_name",
        "join_products",
        "writes_per_minute",
        "off_at",
    ),
    "engagement": _columns(models.Engagement, "name"),
    "finding": _finding,
    "product": _columns(models.Product, "name", "product_type_id", "tags"),
    "product type": _columns(models.ProductType, "name"),
    "route": _columns(models.Route, "name", "kinds", "connection_id", "address", "off_at"),
    "rule": _columns(models.MappingRule, *_OF_RULE),
    "rules": _rules,
    "schedules": _schedules,
    "test": _columns(models.Test, "name"),
    "user": _user,
}

KINDS: Final = tuple(_FACTS)

OF_A_CONNECTION: Final = ("rules", "schedules")
"""What goes by the number of its Connection."""


def version_of_rule(row: models.MappingRule) -> str:
    """That of a rule that is at hand."""
    return version_of_facts([getattr(row, name) for name in _OF_RULE])


def version_of(kind: str, id: int) -> str | None:
    """The version of one thing; None where it is not there. It tells nothing of what stands there."""
    facts = _FACTS[kind](id)
    return None if facts is None else version_of_facts(facts)
