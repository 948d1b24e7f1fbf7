"""Which parts of the service live, asked of the database: it is the one place that all machines share."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
from django.db import OperationalError, connection

from tests import world
from tests.database import parameters
from tidegate.reads.service import answered_within, secrets_are_stored, service
from tidegate.server.postgres import Database
from tidegate.store import models
from tidegate.store.clock import being_the_scheduler


def beat(seconds_ago: float) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now() - make_interval(secs => %s))",
            [seconds_ago],
        )


@pytest.fixture(autouse=True)
def no_worker(database: Database):
    yield
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM procrastinate_workers")


def test_nobody_lives_before_anybody_came(database: Database):
    found = service()

    assert (found.scheduler, found.workers) == (False, 0)


def test_a_worker_lives_while_it_beats(database: Database):
    for seconds_ago in (0, 20, 31, 3600):
        beat(seconds_ago)

    assert service().workers == 2


def test_the_scheduler_lives_while_it_keeps_the_time(database: Database):
    with psycopg.connect(**parameters(database)) as other:  # pyright: ignore[reportArgumentType]
        other.execute("SELECT pg_advisory_lock(hashtext('tidegate.scheduler'))")
        assert service().scheduler
        other.execute("SELECT pg_advisory_unlock(hashtext('tidegate.scheduler'))")

        assert not service().scheduler


def test_another_lock_is_not_the_schedulers(database: Database):
    with psycopg.connect(**parameters(database)) as other:  # pyright: ignore[reportArgumentType]
        other.execute("SELECT pg_advisory_lock(hashtext('tidegate.migrate')), pg_advisory_lock(1, 2)")

        assert not service().scheduler


def test_whoever_is_the_scheduler_by_the_schedulers_own_statement_is_seen(database: Database):
    with being_the_scheduler() as held:
        assert held
        assert service().scheduler


@pytest.mark.parametrize(
    "store",
    [
        lambda: world.connection(secrets=b"sealed"),
        lambda: world.connection(trigger_secret=b"sealed"),
        lambda: models.Route.objects.create(name="Mail", address=b"sealed", shown="mail", created_by="a"),
    ],
    ids=["of a Connection", "of its trigger", "of a route"],
)
def test_whatever_is_sealed_needs_the_key(database: Database, store: Any):
    """reads/secret.py counts the same: with the key lost, none may be made anew behind its back."""
    world.connection("Without")
    assert not secrets_are_stored()

    store()

    assert secrets_are_stored()


def test_a_question_that_takes_too_long_is_given_up(database: Database):
    with (
        pytest.raises(OperationalError, match="statement timeout"),
        answered_within(0.1),
        connection.cursor() as cursor,
    ):
        cursor.execute("SELECT pg_sleep(5)")


def test_nothing_can_be_written_while_a_page_is_answered(database: Database):
    with pytest.raises(Exception, match="read-only transaction"), answered_within(5):
        world.connection()
