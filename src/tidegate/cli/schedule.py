"""`tidegate schedule`: say when each tool is discovered and synced by itself."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.failure import usage
from tidegate.cli.house import actions, reads
from tidegate.cli.managed import managed, note_managed
from tidegate.cli.naming import not_there, the_connection
from tidegate.cli.option import After, Json, Limit, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, heading, moment, note, print_json, say, table

if TYPE_CHECKING:
    from tidegate.reads.schedule import ConnectionSchedules, ScheduleRow
    from tidegate.rules.schedule import Type

app = group("Say when each tool is asked by itself.")

Named = Annotated[str, typer.Argument(metavar="CONNECTION", help="Its label or its number.")]
DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


@app.command("list")
def list_schedules(
    name: Annotated[
        str | None, typer.Argument(metavar="[CONNECTION]", help="Only of this one: its label or its number.")
    ] = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List when the Connections are discovered and synced by themselves, and when next."""
    with ready(quiet=json):
        page = (
            reads.schedule.schedules(cursor=after, limit=limit)
            if name is None
            else reads.schedule.SchedulePage(connections=[_schedules(the_connection(name).id)], next=None)
        )
    if json:
        return print_json(page)
    rows = [(one.connection, row.type, row.rhythm, row.soon) for one in page.connections for row in one.schedules]
    table(
        ("CONNECTION", "RUNS", "WHEN", "NEXT"),
        rows,
        empty="Nothing is connected yet. See what can be: tidegate tool list",
    )
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("show")
def show_schedule(name: Named, json: Json = False) -> None:
    """Show when one Connection is discovered and synced by itself, and its next three runs."""
    with ready(quiet=json):
        found = _schedules(the_connection(name).id)
    if json:
        return print_json(found)
    say(f"{found.connection} ({found.connection_id}) is asked by itself.{' It is paused.' if found.paused else ''}")
    for row in found.schedules:
        heading(row.type.capitalize())
        facts(
            [
                ("runs", row.words),
                ("next", row.outlook),
                ("chosen", f"{moment(row.changed_at)} by {row.changed_by}"),
                managed(row.managed_by),
            ]
        )
    return None


@app.command("set")
def set_schedule(
    name: Named,
    discover: Annotated[bool, typer.Option("--discover", help="That of Discover; without --sync only that.")] = False,
    sync: Annotated[bool, typer.Option("--sync", help="That of Sync; without --discover only that.")] = False,
    daily: Annotated[
        str | None, typer.Option("--daily", metavar="HH:MM", help="Every day at this time of its zone.")
    ] = None,
    weekly: Annotated[
        str | None, typer.Option("--weekly", metavar="DAY@HH:MM", help="Every week, as in mon@02:00.")
    ] = None,
    every: Annotated[
        int | None,
        typer.Option("--every", metavar="HOURS", help="Every 1, 2, 3, 4, 6, 8, 12 or 24 hours, whatever clocks show."),
    ] = None,
    cron: Annotated[
        str | None,
        typer.Option(
            "--cron", metavar="EXPRESSION", help="Five fields, as in '30 2 * * 1-5'. The zone's clocks count."
        ),
    ] = None,
    off: Annotated[bool, typer.Option("--off", help="Never by itself.")] = False,
    zone: Annotated[
        str | None, typer.Option("--zone", metavar="ZONE", help="The time zone it goes by, as in Europe/Berlin.")
    ] = None,
    spread: Annotated[
        int | None,
        typer.Option(
            "--spread",
            metavar="MINUTES",
            help="Run up to so many minutes later, always the same, so that not all Connections begin together.",
        ),
    ] = None,
    json: Json = False,
) -> None:
    """Set when a Connection is discovered and synced by itself. What you do not name stays as it is.

    Without --discover and --sync both are set.
    """
    beside = {"zone": zone, "spread_minutes": spread}
    changes = _named(daily, weekly, every, cron, off=off)
    changes |= {choice: value for choice, value in beside.items() if value is not None}
    if not changes:
        raise usage("Nothing to change was named.", "See what can be: tidegate schedule set --help")
    with ready(quiet=json):
        from tidegate.rules.schedule import TYPES

        row = the_connection(name)
        before = {one.type: one for one in _schedules(row.id).schedules}
        wanted: list[Type] = [
            type for type in TYPES if {"discover": discover, "sync": sync}[type] or not (discover or sync)
        ]
        for type in wanted:
            actions.schedule.set_schedule(me(), row.id, type, **changes)
        found = _schedules(row.id)
    if json:
        return print_json(found)
    for one in found.schedules:
        if one.type in wanted:
            _told_change(found.connection, before.get(one.type), one)
    return None


def _named(daily: str | None, weekly: str | None, every: int | None, cron: str | None, *, off: bool) -> dict[str, Any]:
    """The kind of schedule that was named, with what belongs to it."""
    named: list[dict[str, Any]] = []
    if daily is not None:
        named.append({"kind": "daily", "at": _time(daily)})
    if weekly is not None:
        named.append({"kind": "weekly", **_day_and_time(weekly)})
    if every is not None:
        named.append({"kind": "hours", "hours": every})
    if cron is not None:
        named.append({"kind": "cron", "cron": cron})
    if off:
        named.append({"kind": "off"})
    if len(named) > 1:
        raise usage(
            "A schedule is of one kind, and several were named.",
            "Give one of --daily, --weekly, --every, --cron, --off.",
        )
    return named[0] if named else {}


def _day_and_time(text: str) -> dict[str, Any]:
    day, _, time = text.partition("@")
    short = day.strip().lower()[:3]
    full = day.strip().lower()
    from tidegate.rules.schedule import WEEKDAYS

    if short not in DAYS or full not in (short, WEEKDAYS[DAYS.index(short)].lower()) or not time:
        raise usage(f"«{text[:80]}» is no day and time of a week.", "Give it as in mon@02:00.")
    return {"weekday": DAYS.index(short), "at": _time(time)}


def _time(text: str) -> str:
    """2:00 is what people write, 02:00 what is stored."""
    text = text.strip()
    return f"0{text}" if re.fullmatch("[0-9]:[0-9]{2}", text) else text


def _told_change(label: str, before: ScheduleRow | None, now: ScheduleRow) -> None:
    say(f"{label}, {now.type.capitalize()}: {now.words}.")
    facts(
        [
            ("next", now.outlook),
            ("before", "" if before is None else before.words),
            ("would have been", "" if before is None else before.outlook),
        ]
    )
    note_managed("It", now.managed_by)


def _schedules(connection_id: int) -> ConnectionSchedules:
    found = reads.schedule.schedules_of(connection_id)
    if found is None:
        raise not_there("Connection", connection_id)
    return found
