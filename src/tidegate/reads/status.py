"""The status page: is everything flowing, what needs a person, what runs and what waits."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec
from msgspec import Meta

from tidegate.reads import connection, operation
from tidegate.reads.connection import ConnectionRow
from tidegate.reads.operation import OperationRow
from tidegate.reads.progress import shown
from tidegate.reads.service import Service, service
from tidegate.rules.progress import progress_in_words

CONNECTIONS = 200
OPERATIONS = 20
ALARMING = ("needs you", "overdue")


class Concern(msgspec.Struct, frozen=True, kw_only=True):
    """Something that waits for a person."""

    what: Annotated[str, Meta(description="Which thing, and that something is wrong with it.")]
    why: Annotated[str, Meta(description="Why, in a sentence or two.")]
    next_step: Annotated[str, Meta(description="What to do.")]
    command: Annotated[str, Meta(description="The command that does or shows it; empty where there is none.")]
    connection_id: Annotated[int | None, Meta(description="The Connection it is about, or null.")] = None
    operation_id: Annotated[int | None, Meta(description="The Operation whose closings are held, or null.")] = None
    tone: Annotated[str, Meta(description="`bad` where findings do not flow, `warn`, or `new`.")] = "warn"


class Running(msgspec.Struct, frozen=True, kw_only=True):
    """One Operation that runs, and how far it is."""

    operation: Annotated[OperationRow, Meta(description="The Operation itself.")]
    phase: Annotated[str, Meta(description="What it does now; empty before its first heart-beat.")]
    done: Annotated[int, Meta(description="How much of the phase is done.")]
    total: Annotated[int | None, Meta(description="Of how much, where the tool said so.")]
    words: Annotated[str, Meta(description="How far it is, how fast, and how long it still takes, in words.")]


class Status(msgspec.Struct, frozen=True, kw_only=True):
    """Everything at one glance, looked at in one moment."""

    at: Annotated[datetime, Meta(description="When, by the database's clock.")]
    service: Annotated[Service, Meta(description="The parts that live.")]
    problems: Annotated[list[Concern], Meta(description="What waits for a person.")]
    connections: Annotated[list[ConnectionRow], Meta(description="Every Connection, by label.")]
    more_connections: Annotated[bool, Meta(description="There are more than are shown.")]
    running: Annotated[list[Running], Meta(description="What runs.")]
    waiting: Annotated[list[OperationRow], Meta(description="What waits for its turn, the newest first.")]
    more_waiting: Annotated[bool, Meta(description="More of them wait than are shown.")]


def status(now: datetime) -> Status:
    """All of it, by a few questions, however many Connections there are. `now` is the page's own clock."""
    living, found = service(), connection.connections(limit=CONNECTIONS)
    there = operation.at_once(OPERATIONS)
    return Status(
        at=now,
        service=living,
        problems=[*_of_the_service(living), *_of_connections(found.connections), *_held(there.held)],
        connections=found.connections,
        more_connections=found.next is not None,
        running=[_as_running(row, dict(shown(row.connection_id, there.told[row.id]))) for row in there.running],
        waiting=there.waiting[:OPERATIONS],
        more_waiting=len(there.waiting) > OPERATIONS,
    )


def _of_the_service(living: Service) -> list[Concern]:
    said: list[Concern] = []
    if not living.scheduler:
        why = "What is planned is not begun: no scheduler lives."
        said.append(
            Concern(what="Nobody keeps the time.", why=why, next_step="Start one:", command="tidegate scheduler")
        )
    if not living.workers:
        why = "Discover and Sync wait: no worker lives."
        said.append(Concern(what="Nobody works.", why=why, next_step="Start one:", command="tidegate worker"))
    return said


def _of_connections(rows: list[ConnectionRow]) -> list[Concern]:
    alarming = [row for row in rows if row.health.state in ALARMING]
    return [
        Concern(
            what=f"{row.label} {'needs you' if row.health.state == 'needs you' else 'is overdue'}.",
            why=row.health.why,
            next_step=row.health.next_step,
            command=f"tidegate connection show {row.id}",
            connection_id=row.id,
            tone="bad",
        )
        for row in sorted(alarming, key=lambda row: ALARMING.index(row.health.state))
    ]


def _held(waiting: list[OperationRow]) -> list[Concern]:
    return [
        Concern(
            what=f"{row.connection}: {row.held:,} {'is' if row.held == 1 else 'are'} held.",
            why=row.why,
            next_step="Look at them, then approve them or keep them open:",
            command=f"tidegate operation show {row.id}",
            connection_id=row.connection_id,
            operation_id=row.id,
        )
        for row in waiting
    ]


def _as_running(row: OperationRow, progress: dict[str, Any]) -> Running:
    return Running(
        operation=row,
        phase=progress.get("phase", ""),
        done=progress.get("done", 0),
        total=progress.get("total"),
        words=progress_in_words(progress),
    )
