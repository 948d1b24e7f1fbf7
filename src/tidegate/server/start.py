"""Makes Tidegate ready in this process: the database, Django, the migrations. Every command begins here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager

from tidegate.config import Settings
from tidegate.server.postgres import Database, django_settings, open_database


class MigrationsMissing(Exception):
    """The given database has an older schema than this Tidegate; the message says what to run."""

    for_a_person = True


class SchemaTooNew(Exception):
    """A newer Tidegate has worked with this database; what this one would write there might break it."""

    for_a_person = True

    def __init__(self, newer: list[str]) -> None:
        self.cause = f"The database was brought up by a newer Tidegate ({newer[0]}), which this one does not know."
        self.next_step = "Use that version again, or a later one; nothing was changed."
        super().__init__(f"{self.cause} {self.next_step}")


class MayNotMigrate(Exception):
    """The given database does not let its user make tables: from PostgreSQL 15 on, only its owner may by itself."""

    for_a_person = True

    def __init__(self, database: str, user: str) -> None:
        self.cause = f"The user {user} of TIDEGATE_DATABASE_URL may not make tables in the database {database}."
        self.next_step = (
            f'Let its administrator run there: GRANT CREATE ON SCHEMA public TO "{user}"; then run: tidegate migrate'
        )
        super().__init__(f"{self.cause} {self.next_step}")


@contextmanager
def started(
    settings: Settings,
    progress: Callable[[str], None] = lambda _: None,
    *,
    pool: Mapping[str, object] | None = None,
) -> Iterator[Database]:
    """Opens the database and sets Django up. An embedded database is migrated; a given one is only checked.

    `pool` are psycopg's options for connections that the threads of this process share.
    """
    with open_database(settings, progress) as database:
        set_up_django(database, pool)
        from django.db import connections

        try:
            if database.embedded:
                migrate(progress)
            else:
                check_migrations()
            yield database
        finally:
            connections.close_all()
            if pool:
                connections["default"].close_pool()  # pyright: ignore[reportAttributeAccessIssue] - PostgreSQL's own


def set_up_django(database: Database, pool: Mapping[str, object] | None = None) -> None:
    """Points Django at the database, once a process."""
    import django
    from django.conf import settings as django_conf

    from tidegate.server import settings as defaults

    if django_conf.configured:
        return
    values = {name: getattr(defaults, name) for name in dir(defaults) if name.isupper()}
    django_conf.configure(**values | {"DATABASES": {"default": django_settings(database, pool)}})
    django.setup()


def pending_migrations() -> list[str]:
    """The names of the migrations that the database lacks, in order. Raises SchemaTooNew."""
    from django.db import connection
    from django.db.migrations.executor import MigrationExecutor

    executor = MigrationExecutor(connection)
    latest = executor.loader.graph.leaf_nodes()
    if newer := _newer(executor.loader.applied_migrations, latest):
        raise SchemaTooNew(newer)
    return [f"{migration.app_label}.{migration.name}" for migration, _ in executor.migration_plan(latest)]


def newer_than_ours(applied: Iterable[tuple[str, str]]) -> list[str]:
    """Which of these migrations, each an app and a name, are of a later Tidegate."""
    from django.db.migrations.loader import MigrationLoader

    return _newer(applied, MigrationLoader(None).graph.leaf_nodes())


def _newer(applied: Iterable[tuple[str, str]], latest: Iterable[tuple[str, str]]) -> list[str]:
    """Numbers begin the names. What is unknown and older, a later Tidegate squashed; what is newer is news."""
    latest = list(latest)
    return [f"{app}.{name}" for app, name in sorted(applied) for known, last in latest if app == known and name > last]


def migrate(progress: Callable[[str], None] = lambda _: None) -> list[str]:
    """Applies what is missing, one process at a time; returns what it applied. Raises SchemaTooNew, MayNotMigrate."""
    from django.db import connection

    if not pending_migrations():
        return []
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(hashtext('tidegate.migrate'))")
    try:
        missing = pending_migrations()
        if missing:
            progress(f"Preparing the tables ({len(missing)} steps)")
            _apply_all()
        return missing
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtext('tidegate.migrate'))")


def _apply_all() -> None:
    from django.core.management import call_command
    from django.db import DatabaseError, connection
    from psycopg.errors import InsufficientPrivilege

    try:
        call_command("migrate", verbosity=0, interactive=False)
    except DatabaseError as error:
        # Django says the same in its own words where it cannot make the table it keeps its list in.
        if any(isinstance(cause, InsufficientPrivilege) for cause in _causes(error)):
            raise MayNotMigrate(connection.settings_dict["NAME"], connection.settings_dict["USER"]) from error
        raise


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    while error:
        yield error
        error = error.__cause__ or error.__context__


def check_migrations() -> None:
    """Raises MigrationsMissing where a given database was not migrated for this Tidegate."""
    if missing := pending_migrations():
        raise MigrationsMissing(
            f"The database given by TIDEGATE_DATABASE_URL lacks {len(missing)} migrations of this Tidegate"
            f" (first: {missing[0]}). Run: tidegate migrate"
        )
