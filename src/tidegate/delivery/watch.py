"""What the passing of time makes news: asked by the scheduler's tick; set-based, also for a thousand Connections."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from tidegate.reads import health
from tidegate.rules.health import days_left
from tidegate.rules.news import DIGEST_EVERY, HELD_AGAIN
from tidegate.store.writers import notification as writer
from tidegate.store.writers.notification import Fresh

STALE_FOR: Final = timedelta(days=30)
"""How far back a lost target is looked for that was not told; news are kept longer than that."""


def note_time(now: datetime) -> int:
    """Writes what became news since the last look; returns how many. Two who look at once tell nothing twice."""
    with transaction.atomic():
        writer.lock_news()
        overdue = health.overdue(now)
        return writer.save_what_is_new(
            [
                *_overdue(overdue),
                *_no_longer_overdue([row.connection_id for row in overdue]),
                *_secrets(now),
                *_still_held(now),
                *_stale(now),
                *_new_records(now),
            ]
        )


def _overdue(rows: list[health.Overdue]) -> Iterator[Fresh]:
    """Once for each Connection; of one that is known to need somebody it is no news that nothing comes from it."""
    known = {told["connection_id"] for told in writer.open_troubles("needs_you")}
    by_connection: dict[int, list[health.Overdue]] = {}
    for row in rows:
        if row.connection_id not in known:
            by_connection.setdefault(row.connection_id, []).append(row)
    for connection_id, late in by_connection.items():
        facts = {
            "key": "overdue",
            "types": sorted(row.type for row in late),
            "since": min(row.since for row in late),
            "last_success": max((row.last_success for row in late if row.last_success), default=None),
            "why": " ".join(row.why for row in late),
        }
        yield Fresh("overdue", connection_id, facts)


def _no_longer_overdue(overdue: list[int]) -> Iterator[Fresh]:
    for row in writer.no_longer_overdue(overdue):
        facts = {"key": f"overdue {row['since'].isoformat()}", "of": ["overdue"], "since": row["since"]}
        yield Fresh("recovered", row["connection_id"], facts)


def _secrets(now: datetime) -> Iterator[Fresh]:
    for row in health.secrets_ending(now):
        facts = {
            "key": f"{row.ends_at.isoformat()} {row.days}",
            "ends_at": row.ends_at,
            "days": max(0, days_left(row.ends_at, now)),
            "ended": row.ended,
        }
        yield Fresh("secret_ends", row.connection_id, facts)


def _still_held(now: datetime) -> Iterator[Fresh]:
    for row in writer.still_held(now - HELD_AGAIN):
        facts = {
            "key": f"after {row['told'] or 'nothing'}",
            "reminder": True,
            "findings": row["findings"],
            "absences": row["absences"],
            "since": row["since"],
        }
        yield Fresh("held", row["connection_id"], facts)


def _stale(now: datetime) -> Iterator[Fresh]:
    for row in writer.stale_untold(now - STALE_FOR):
        facts = {
            "key": f"stale {row['lost'].isoformat()} {row['ids'][0]} {row['stale']}",
            "stale": row["stale"],
            "away": row["away"],
            "ids": row["ids"],
            "lost": row["lost"],
            **writer.first_names(row["names"], row["stale"]),
        }
        yield Fresh("records", row["connection_id"], facts)


def _new_records(now: datetime) -> Iterator[Fresh]:
    for row in writer.new_records_untold(now - DIGEST_EVERY):
        facts = {
            "key": f"up to {row['up_to']}",
            "new": row["new"],
            "waiting": row["waiting"],
            "up_to": row["up_to"],
            **writer.first_names(row["names"], row["new"]),
        }
        yield Fresh("new_records", row["connection_id"], facts)
