"""Makes Tidegate ready in this process: the database, Django, the migrations. Every command begins here."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from tidegate.config import Settings
from tidegate.server.postgres import Database, django_settings, open_database


class MigrationsMissing(Exception):
    """The given database has an older or newer schema than this Tidegate; the message says what to run."""


@contextmanager
def started(settings: Settings, progress: Callable[[str], None] = lambda _: None) -> Iterator[Database]:
    """Opens the database and sets Django up. An embedded database is migrated; a given one is only checked."""
    with open_database(settings, progress) as database:
        set_up_django(database)
        from django.db import connections

        try:
            if database.embedded:
                migrate(progress)
            else:
                check_migrations()
            yield database
        finally:
            connections.close_all()


def set_up_django(database: Database) -> None:
    """Points Django at the database, once a process."""
    import django
    from django.conf import settings as django_conf

    from tidegate.server import settings as defaults

    if django_conf.configured:
        return
    values = {name: getattr(defaults, name) for name in dir(defaults) if name.isupper()}
    django_conf.configure(**values | {"DATABASES": {"default": django_settings(database)}})
    django.setup()


def pending_migrations() -> list[str]:
    """The names of the migrations that the database lacks, in order."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    plan = executor.migration_plan(executor.loader.graph.leaf_nodes())
    return [f"{migration.app_label}.{migration.name}" for migration, _ in plan]


def migrate(progress: Callable[[str], None] = lambda _: None) -> list[str]:
    """Applies what is missing, one process at a time; returns what it applied."""
    from django.core.management import call_command
    from django.db import connection

    if not pending_migrations():
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('tidegate.migrate'))")
    try:
        missing = pending_migrations()
        if missing:
            progress(f"Preparing the tables ({len(missing)} steps)")
            call_command("migrate", verbosity=0, interactive=False)
        return missing
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('tidegate.migrate'))")


def check_migrations() -> None:
    """Raises MigrationsMissing where a given database was not migrated for this Tidegate."""
    if missing := pending_migrations():
        raise MigrationsMissing(
            f"The database given by TIDEGATE_DATABASE_URL lacks {len(missing)} migrations of this Tidegate"
            f" (first: {missing[0]}). Run: tidegate migrate"
        )
