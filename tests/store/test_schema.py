"""The schema that the migrations make is what the models say, but for what lives in the database alone."""

from __future__ import annotations

from io import StringIO

import pytest
from django.apps import apps
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction

from tests import world
from tidegate.store.models import Product, Record

pytestmark = pytest.mark.usefixtures("database")

# What Django cannot say, and where it is said: store/sql/schema.
TRIGGERS = {
    "audit_line_stays",
    "engagement_leaves_product_tally",
    "engagement_lose_target",
    "feed_leaves_connection_tally",
    "feed_leaves_product_tally",
    "feed_move",
    "feed_moves_product_tally",
    "feed_takes_its_findings",
    "feed_lose_target",
    "finding_tally_deleted",
    "finding_tally_inserted",
    "finding_tally_updated",
    "product_lose_target",
    "product_takes_its_tally",
    "record_history",
    "record_leaves_feeds",
    "record_tally_deleted",
    "record_tally_inserted",
    "record_tally_updated",
    "record_told_inserted",
    "record_told_updated",
    "tally_of_connection_inserted",
    "tally_of_connection_updated",
    "tally_of_product_inserted",
    "tally_of_product_updated",
    "test_leaves_product_tally",
    "test_lose_target",
}
KEPT_OTHERWISE = {
    ("finding", "feed_id", "feed"),  # by the tally's foreign key and a trigger: schema/0005
    ("record_tally", "connection_id", "connection"),  # one with Records stays, of others nothing is left: schema/0023
    ("product_tally", "product_id", "product"),  # by the Feed's way to its Product and a trigger: schema/0013
    # by the one statement that deletes Operations: schema/0008
    ("part", "last_operation_id", "operation"),
    ("part", "proven_operation_id", "operation"),
    ("record", "absent_operation_id", "operation"),
    ("record", "first_seen_operation_id", "operation"),
}
CHECKS_OF_OURS = {
    "connection_settings",
    "destination_settings",
    "product_name",
    "product_type_name",
    "record_attributes",
    "user_username",
}
VIEWS = {"test_destination"}


def column(statement: str) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return {row[0] for row in cursor.fetchall()}


def models():
    return apps.get_app_config("store").get_models()


def of_others() -> tuple[str, ...]:
    """The tables of the libraries we install: their schema is theirs to check."""
    tables = {
        model._meta.db_table
        for app in apps.get_app_configs()
        if app.label not in ("store", "procrastinate")
        for model in app.get_models(include_auto_created=True)
    }
    return (*sorted(tables), "django_migrations")


def ours(table: str) -> bool:
    return not table.startswith("procrastinate_") and table not in of_others()


def test_no_migration_is_missing():
    call_command("makemigrations", check=True, dry_run=True, verbosity=1, stdout=StringIO())


def test_there_are_the_tables_of_the_models_and_no_others():
    there = column("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")

    assert {name for name in there if ours(name)} == {model._meta.db_table for model in models()}
    assert column("SELECT viewname FROM pg_views WHERE schemaname = 'public'") == VIEWS


def test_each_column_is_of_a_model_and_null_where_the_model_says_so():
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name, is_nullable = 'YES' FROM information_schema.columns"
            " WHERE table_schema = 'public'"
        )
        there = {row for row in cursor.fetchall() if ours(row[0]) and row[0] not in VIEWS}

    assert there == {
        (model._meta.db_table, field.column, field.null) for model in models() for field in model._meta.local_fields
    }


def test_every_foreign_key_of_a_model_is_one_in_the_database():
    """Nothing points into nowhere: cascades live in the database."""
    said = {
        (model._meta.db_table, field.column, field.related_model._meta.db_table)  # pyright: ignore[reportOptionalMemberAccess]
        for model in models()
        for field in model._meta.local_fields
        if field.is_relation
    }
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text, attname, confrelid::regclass::text FROM pg_constraint"
            " JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]"
            " WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
        )
        there = {row for row in cursor.fetchall() if ours(row[0])}

    assert there == said - KEPT_OTHERWISE


def test_a_foreign_key_whose_target_may_be_deleted_in_numbers_is_indexed():
    """Else each deleted row scans the table that points to it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conrelid::regclass::text || '.' || attname FROM pg_constraint AS key"
            " JOIN pg_attribute ON attrelid = conrelid AND attnum = conkey[1]"
            " WHERE contype = 'f' AND connamespace = 'public'::regnamespace"
            "   AND confrelid IN ('finding'::regclass, 'feed'::regclass, 'test'::regclass, 'engagement'::regclass,"
            "                     'product'::regclass)"
            "   AND NOT EXISTS (SELECT FROM pg_index WHERE indrelid = conrelid AND indkey[0] = conkey[1])"
        )
        assert cursor.fetchall() == []


def test_only_the_triggers_and_checks_that_are_written_down_are_more_than_the_models():
    assert (
        column("SELECT tgname FROM pg_trigger WHERE NOT tgisinternal AND tgname NOT LIKE 'procrastinate_%'") == TRIGGERS
    )
    of_models = {constraint.name for model in models() for constraint in model._meta.constraints}
    there = column(
        "SELECT conname FROM pg_constraint WHERE contype = 'c' AND connamespace = 'public'::regnamespace"
        "   AND conrelid::regclass::text NOT LIKE 'procrastinate_%'"
        f"   AND conrelid::regclass::text NOT IN {of_others()}"
    )
    assert there - of_models == CHECKS_OF_OURS


@pytest.mark.parametrize("name", ["", " x", "x ", "x" * 256, "Cafe\u0301"])
def test_a_name_that_breaks_the_rules_does_not_get_into_the_database(name: str):
    """Names of Products: trimmed, NFC, 1–255 characters, unique exactly."""
    product = world.product("Shop")

    with pytest.raises(IntegrityError), transaction.atomic():
        Product.objects.filter(pk=product).update(name=name)


@pytest.mark.parametrize(
    "facts",
    [
        {"decision": "mapped"},
        {"decision": "ignored"},
        {"decision": "maybe"},
        {"deleted_at": "2026-05-03T00:00Z", "decision": "ignored", "finalized_at": "2026-05-03T00:00Z"},
        {"target_lost_at": "2026-05-03T00:00Z"},
    ],
)
def test_facts_that_contradict_each_other_do_not_get_into_the_database(facts: dict[str, str]):
    """A Record stores facts, and nobody sets its state directly."""
    record = world.record(world.connection())

    with pytest.raises(IntegrityError), transaction.atomic():
        Record.objects.filter(pk=record).update(**facts)


def test_what_changes_only_the_epoch_is_no_history():
    record = world.record(world.connection())

    Record.objects.update(epoch=9)

    assert world.history(record) == []


def test_vendor_ids_are_compared_as_bytes():
    """identity: the most stable id the vendor has, compared as bytes."""
    burp = world.connection()

    for vendor_id in ("é", "e\u0301", "E", "e"):
        world.record(burp, vendor_id=vendor_id)

    assert Record.objects.count() == 4
