"""What people do with schedules."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from tests import world
from tests.world import ALICE, BOB
from tidegate.actions import connection as connections
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.schedule import set_schedule
from tidegate.reads.schedule import schedules, schedules_of
from tidegate.rules.schedule import Schedule, key_of, next_runs
from tidegate.store import models
from tidegate.store.writers.schedule import request_due, save_default_schedules

pytestmark = pytest.mark.usefixtures("database")

CHOICES = ("kind", "at", "weekday", "hours", "cron", "zone", "spread_minutes")


def connected(label: str = "Burp") -> int:
    connection = world.connection(label).pk
    save_default_schedules(connection)
    return connection


def stored(connection: int, type: str = "sync") -> models.Schedule:
    return models.Schedule.objects.get(connection_id=connection, type=type)


def chosen(connection: int) -> dict[str, Any]:
    row = stored(connection)
    return {name: getattr(row, name) for name in CHOICES}


def read(connection: int, type: str = "sync") -> Any:
    found = schedules_of(connection)
    assert found is not None
    return next(row for row in found.schedules if row.type == type)


def test_what_is_named_changes_and_the_rest_stays():
    connection = connected()

    set_schedule(BOB, connection, "sync", kind="weekly", weekday=4, zone="Europe/Berlin")

    assert chosen(connection) == {
        "kind": "weekly", "at": "02:00", "weekday": 4, "hours": 0, "cron": "",
        "zone": "Europe/Berlin", "spread_minutes": 60,
    }  # fmt: skip
    assert (stored(connection).changed_by, stored(connection, "discover").kind) == ("bob", "daily")
    key = key_of(connection, "sync")
    wanted = Schedule("weekly", at="02:00", weekday=4, zone="Europe/Berlin")
    assert [stored(connection).next_at] == next_runs(wanted, world.now(), 1, key)


@pytest.mark.parametrize(
    ("choices", "sentence"),
    [
        ({"zone": "Europe/Berln"}, "There is no time zone «Europe/Berln»."),
        ({"kind": "cron"}, "«» is no cron expression."),
        ({"kind": "cron", "cron": "0 0 30 2 *"}, "The cron expression «0 0 30 2 *» never comes."),
        ({"kind": "hours", "hours": 7}, "A day cannot be divided into parts of 7 hours."),
        ({"spread_minutes": 10_000}, "Runs cannot be spread over 10,000 minutes."),
        ({"kind": "daily", "at": "25:00"}, "«25:00» is no time of day."),
    ],
)
def test_what_cannot_be_kept_is_refused_and_nothing_changes(choices: Any, sentence: str):
    connection = connected()
    before = chosen(connection)

    with pytest.raises(Refused) as refused:
        set_schedule(ALICE, connection, "sync", **choices)

    assert refused.value.sentence == sentence
    assert refused.value.next_step
    assert chosen(connection) == before


@pytest.mark.parametrize("unknown", [0, 99, 2**63])
def test_an_unknown_connection_is_named(unknown: int):
    with pytest.raises(NotThere, match=f"There is no Connection {unknown}"):
        set_schedule(ALICE, unknown, "sync", kind="off")


def test_a_deleted_connection_cannot_be_scheduled():
    connection = connected()
    connections.delete_connection(ALICE, connection, "Burp")

    with pytest.raises(NotThere):
        set_schedule(ALICE, connection, "sync", kind="off")
    assert schedules_of(connection) is None


def test_spaces_of_a_cron_expression_do_not_matter():
    connection = connected()

    set_schedule(ALICE, connection, "sync", kind="cron", cron="  30 2\t* *  1-5 ")

    assert stored(connection).cron == "30 2 * * 1-5"


def test_switched_off_nothing_is_planned_nor_tried_again():
    connection = connected()
    models.Schedule.objects.update(next_at=world.now(), retry_at=world.now())

    set_schedule(ALICE, connection, "sync", kind="off")

    assert (stored(connection).next_at, stored(connection).retry_at) == (None, None)
    assert request_due(world.now() + timedelta(days=1)) == 1  # Discover, which nobody switched off


def test_a_run_that_was_missed_under_the_old_schedule_is_not_made_up():
    connection = connected()
    models.Schedule.objects.update(next_at=world.now() - timedelta(days=1))

    set_schedule(ALICE, connection, "sync", kind="hours", hours=6)

    assert stored(connection).next_at > world.now()  # pyright: ignore[reportOptionalOperand]


def test_a_schedule_that_is_broken_as_stored_says_so_and_is_mended_by_naming_it():
    connection = connected()
    models.Schedule.objects.filter(type="sync").update(zone="Mars/Olympus")

    assert read(connection).problem.startswith("It cannot be kept, and runs once a day until that is mended.")
    assert "«Mars/Olympus»" in read(connection).words
    assert read(connection).next == []
    set_schedule(ALICE, connection, "sync", zone="UTC")
    assert (read(connection).problem, len(read(connection).next)) == ("", 3)


def test_the_next_three_runs_are_read_in_words():
    """The next three runs are known in words."""
    connection = connected()
    set_schedule(ALICE, connection, "sync", kind="hours", hours=24, zone="Europe/Berlin", spread_minutes=0)

    row = read(connection)

    assert row.words == "every 24 hours"
    assert row.next[0] == stored(connection).next_at
    assert len(row.next) == 3
    assert row.outlook.count(" at ") == 3
    assert row.outlook.endswith("(Europe/Berlin)")
    assert row.outlook.startswith(row.soon.removesuffix(" (Europe/Berlin)"))


def test_what_is_due_off_paused_or_to_be_tried_again_is_said():
    connection = connected()
    models.Schedule.objects.filter(type="sync").update(retry_at=world.now() + timedelta(minutes=5))
    assert read(connection).soon.startswith("again to")
    assert read(connection).soon.endswith("(UTC), after a failure")
    assert "; then " in read(connection).outlook

    models.Schedule.objects.filter(type="sync").update(next_at=world.now() - timedelta(minutes=5))
    assert read(connection).soon == "now, as soon as a scheduler looks"
    assert read(connection).due_since is not None

    connections.pause_connection(ALICE, connection)
    assert read(connection).outlook == "nothing while the Connection is paused, then at once what was missed"
    assert read(connection, "discover").outlook == "nothing while the Connection is paused"
    assert read(connection).next == []

    set_schedule(ALICE, connection, "sync", kind="off")
    assert (read(connection).words, read(connection).soon) == ("off", "nothing by itself")


def test_schedules_are_listed_by_label_in_pages():
    for label in ("Burp", "Acme", "Zap"):
        connected(label)

    first = schedules(limit=2)
    second = schedules(limit=2, cursor=first.next)

    assert [one.connection for one in (*first.connections, *second.connections)] == ["Acme", "Burp", "Zap"]
    assert [row.type for row in first.connections[0].schedules] == ["discover", "sync"]
    assert second.next is None
