"""A Feed that goes to another Product is written down by the database itself, whoever moves it."""

from __future__ import annotations

import pytest
from django.db import connection as database

from tests import world
from tests.world import ALICE
from tidegate.actions.record import map_records, undo
from tidegate.store import models
from tidegate.store.sql import sql

pytestmark = pytest.mark.usefixtures("database")


def moved_there_and_back() -> int:
    record = world.record(world.connection())
    map_records(ALICE, [record], new_product="A")
    world.synced(record, "k")
    models.Operation.objects.filter(status="pending").delete()
    map_records(ALICE, [record], new_product="B", already_imported="move")
    undo(ALICE, record_id=record)
    return record


def moves() -> list[tuple[str, str, str]]:
    return list(models.FeedMove.objects.order_by("id").values_list("left", "went_to", "actor"))


def test_a_move_and_its_undo_are_written_down():
    moved_there_and_back()

    assert moves() == [("A", "B", "alice"), ("B", "A", "alice")]


def test_plain_sql_is_written_down_too():
    record = moved_there_and_back()
    map_records(ALICE, [record], new_product="C")
    feeds = models.Feed.objects.filter(record_id=record).order_by("id")
    elsewhere = models.Test.objects.create(
        engagement=models.Engagement.objects.create(
            product_id=world.product("D"), name="Global Connectors", kind="connectors"
        ),
        name="x",
    )
    with database.cursor() as cursor:
        cursor.execute("UPDATE feed SET test_id = %s WHERE id = %s", [elsewhere.pk, feeds[0].pk])

    assert moves()[-1][:2] == ("A", "D")
    assert moves()[-1][2].startswith("plain SQL by ")


def test_a_feed_that_stays_in_its_product_did_not_move():
    moved_there_and_back()
    before = moves()

    models.Feed.objects.update(test_id=models.Feed.objects.get().test_id)  # pyright: ignore[reportAttributeAccessIssue]

    assert moves() == before


def test_moves_of_before_are_taken_from_the_history_of_their_record():
    """Where it went nobody wrote down. Break it: take lines of a mapping to another Feed too."""
    record = moved_there_and_back()
    map_records(ALICE, [record], new_product="C")
    models.FeedMove.objects.all().delete()
    statement = sql("schema/0008_provenance").split("INSERT INTO feed_move")[-1].split(";")[0]

    with database.cursor() as cursor:
        cursor.execute(f"INSERT INTO feed_move{statement}")

    assert moves() == [("A", "", "alice"), ("", "A", "alice")]
    first = models.Feed.objects.filter(record_id=record).order_by("id").first()
    assert first is not None
    assert set(models.FeedMove.objects.values_list("feed_id", flat=True)) == {first.pk}
