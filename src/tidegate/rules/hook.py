"""What a webhook of news says: one JSON object for each piece of news. Its shape is a promise; VERSION counts it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from tidegate.rules.news import Words

VERSION: Final = 1
"""Becomes 2 where something of it is named anew, taken away, or means something else. What is added leaves it as it is,
so whoever reads it leaves alone what they do not know."""

FACTS: Final[dict[str, tuple[str, ...]]] = {
    "needs_you": ("cause", "type", "why", "paused"),
    "overdue": ("types", "since", "last_success", "why"),
    "held": ("findings", "absences", "since", "reminder", "names", "more"),
    "records": ("missing", "stale", "names", "more"),
    "new_records": ("new", "waiting", "names", "more"),
    "recovered": ("of", "since"),
    "secret_ends": ("ends_at", "days", "ended"),
}
"""By kind of news which facts are told; others are Tidegate's own affair."""

TYPES: Final = (*(f"news.{kind}" for kind in FACTS), "test")


@dataclass(frozen=True)
class Told:
    """One piece of news, as a webhook tells it."""

    number: int
    kind: str
    at: datetime
    connection_id: int
    label: str
    operation_id: int | None
    facts: Mapping[str, Any]


def id_of(number: int, at: datetime) -> str:
    """The webhook-id of a piece of news: the same at every try and when it is sent again.

    The number alone may come twice: in another Tidegate, and in one that was restored from a backup.
    """
    return f"news_{number}_{int(at.timestamp() * 1_000_000):x}"


def body_of(news: Told, words: Words) -> dict[str, Any]:
    """What is sent of it."""
    return _body(
        f"news.{news.kind}",
        news.at,
        {
            "news_id": news.number,
            "connection": {"id": news.connection_id, "label": news.label},
            "operation_id": news.operation_id,
            "title": words.title,
            "text": words.body,
            "facts": {name: news.facts[name] for name in FACTS.get(news.kind, ()) if name in news.facts},
        },
    )


def body_of_test(route: str, at: datetime, words: Words) -> dict[str, Any]:
    """What `notify test` sends."""
    return _body("test", at, {"route": route, "title": words.title, "text": words.body})


def _body(type: str, at: datetime, data: Mapping[str, Any]) -> dict[str, Any]:
    when = at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")
    return {"version": VERSION, "type": type, "timestamp": when, "data": dict(data)}
