"""`tidegate restore`: puts what a backup holds in the place of what is there, in one transaction or not at all.

The whole file is read and verified before anything is touched, and once more while it is applied; what was restored is
counted against what the backup says of itself before the transaction is committed.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Annotated, Final

import msgspec
import psycopg
from msgspec import Meta
from psycopg import sql
from pydantic import SecretStr

from tidegate.config import Settings
from tidegate.guard.keys import Key, KeyProblem, change_file, file_is_ours, known_keys, where
from tidegate.server import start
from tidegate.server.backup import Contents, Manifest, check_backup, tables_of
from tidegate.server.postgres import Database
from tidegate.server.postgres.program import Entrance, ProgramFailed, client_program, entrance_to, running

Told = Callable[[str, int], None]

NOTED_BY_MIGRATIONS: Final = ("django_migrations",)
SECONDS_TO_GET_ALONE: Final = 5
SECONDS_TO_END: Final = 2.0
NAMED: Final = 5

# Not among the statements of store/sql: those are run against the migrated schema of tests, and this leaves none of it.
DROP_EVERYTHING: Final = """\
DO $drop$
DECLARE one record;
BEGIN
    -- By the names in the catalog: those of a regclass are numbers once a CASCADE took it along.
    FOR one IN SELECT format('%I.%I', current_schema(), relname) AS name, relkind FROM pg_class
                WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p', 'v', 'm')
                  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    LOOP
        EXECUTE format('DROP %s IF EXISTS %s CASCADE', CASE one.relkind WHEN 'v' THEN 'VIEW'
            WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'TABLE' END, one.name);
    END LOOP;
    FOR one IN SELECT format('%I.%I', current_schema(), relname) AS name FROM pg_class
                WHERE relnamespace = current_schema()::regnamespace AND relkind = 'S'
                  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_class.oid AND deptype = 'e')
    LOOP
        EXECUTE format('DROP SEQUENCE IF EXISTS %s CASCADE', one.name);
    END LOOP;
    FOR one IN SELECT oid::regprocedure AS name FROM pg_proc
                WHERE pronamespace = current_schema()::regnamespace
                  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
    LOOP
        EXECUTE format('DROP ROUTINE IF EXISTS %s CASCADE', one.name);
    END LOOP;
    FOR one IN SELECT oid::regtype AS name FROM pg_type
                WHERE typnamespace = current_schema()::regnamespace AND typelem = 0
                  AND (typrelid = 0 OR (SELECT relkind = 'c' FROM pg_class WHERE oid = typrelid))
                  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_type.oid AND deptype = 'e')
    LOOP
        EXECUTE format('DROP TYPE IF EXISTS %s CASCADE', one.name);
    END LOOP;
END
$drop$;
"""


AUDIT_LOG_STAYS: Final = "REVOKE UPDATE, DELETE, TRUNCATE ON audit_line FROM PUBLIC, CURRENT_USER"
"""A backup holds no grants, so they are taken away again; the trigger came along."""


class RestoreRefused(Exception):
    """Nothing was touched. `cause` and `next_step` are sentences."""

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(f"{cause} {next_step}")
        self.cause = cause
        self.next_step = next_step


class Restored(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `restore`."""

    file: Annotated[str, Meta(description="The backup.")]
    manifest: Annotated[Manifest, Meta(description="What it says of itself.")]
    migrated: Annotated[list[str], Meta(description="Migrations that were applied to it, where it was older.")]
    keys_added: Annotated[list[str], Meta(description="Ids of keys that came from it, and stand in the key file now.")]
    keys_missing: Annotated[list[str], Meta(description="Ids of keys that its secrets need, and that are not here.")]


def restore(
    settings: Settings,
    database: Database,
    file: Path,
    told: Told = lambda what, number: None,
    *,
    passphrase: SecretStr | None = None,
    replace: str | None = None,
) -> Restored:
    """Restores it, and brings it up to this version. `replace` is the name of what is given up for it, exactly.

    Raises ArchiveProblem, RestoreRefused, ProgramFailed, KeyProblem: the first three change nothing.
    """
    start.set_up_django(database)
    found, keys = check_backup(file, told, passphrase=passphrase)
    refuse_newer(found.manifest)
    with psycopg.connect(database.url) as connection:
        refuse_foreign_tables(connection, found.manifest)
        refuse_company(connection)
        refuse_what_is_there(connection, settings, name_of(settings, connection), replace)
        refuse_another_schema(connection, found.manifest)
    added = add_keys(settings, keys)
    apply(database, Contents(file, passphrase), found.manifest, told)
    told("Bringing it up to this version", 0)
    migrated = start.migrate()
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute(AUDIT_LOG_STAYS)
    known = {key.id.hex() for key in known_keys(settings)}
    missing = [sealed.key for sealed in found.manifest.sealed if sealed.key and sealed.key not in known]
    return Restored(file=str(file), manifest=found.manifest, migrated=migrated, keys_added=added, keys_missing=missing)


# What is looked at first


def refuse_newer(manifest: Manifest) -> None:
    if newer := start.newer_than_ours(_app_and_name(each) for each in manifest.migrations):
        raise RestoreRefused(
            f"The backup was made by a newer Tidegate ({manifest.tidegate}, {newer[0]}), which this one does not know.",
            "Restore it with that version, or a later one; nothing was changed.",
        )


def _app_and_name(migration: str) -> tuple[str, str]:
    app, _, name = migration.partition(".")
    return app, name


def refuse_foreign_tables(connection: psycopg.Connection, manifest: Manifest) -> None:
    """The database is Tidegate's alone: all that stands in it goes."""
    from django.apps import apps

    ours = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    ours |= set(manifest.rows) | set(NOTED_BY_MIGRATIONS)
    if others := [table for table in tables_of(connection) if table not in ours]:
        named = ", ".join(others[:NAMED]) + (", …" if len(others) > NAMED else "")
        raise RestoreRefused(
            f"The database holds tables that neither this Tidegate nor the backup knows: {named}.",
            "Restore into a database that is Tidegate's alone; nothing was changed.",
        )


def refuse_another_schema(connection: psycopg.Connection, manifest: Manifest) -> None:
    here = (connection.execute("SELECT current_schema()").fetchone() or (None,))[0]
    if here != manifest.schema:
        raise RestoreRefused(
            f"The backup's tables stood in the schema {manifest.schema}, and those here would in {here}.",
            f"Name a database whose user has the search_path {manifest.schema}; nothing was changed.",
        )


def refuse_company(connection: psycopg.Connection) -> None:
    """Whoever works with the tables would lose them under his hands."""
    others = connection.execute(
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        " AND backend_type = 'client backend'"
    ).fetchone()
    if others and others[0]:
        raise RestoreRefused(
            f"{others[0]:,} other {'session is' if others[0] == 1 else 'sessions are'} at work in this database.",
            "Stop every part of Tidegate (tidegate up, web, worker, scheduler), then try again; nothing was changed.",
        )


def refuse_what_is_there(connection: psycopg.Connection, settings: Settings, name: str, replace: str | None) -> None:
    rows = filled(connection)
    if replace is not None and replace != name:
        raise RestoreRefused(
            f"This Tidegate is called {name}, and something else was typed; nothing was changed.",
            "Look where you are, then type it exactly.",
        )
    if rows and replace is None:
        told = ", ".join(f"{table} {number:,}" for table, number in rows[:NAMED])
        raise RestoreRefused(
            f"This Tidegate is not empty: {told}{', …' if len(rows) > NAMED else ''} rows. It would all be given up.",
            f"If that is meant, add: --replace '{name}'",
        )


def filled(connection: psycopg.Connection) -> list[tuple[str, int]]:
    """The tables that hold anything of somebody's, those of most rows first."""
    found: list[tuple[str, int]] = []
    for table in tables_of(connection):
        query = sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))
        number = (connection.execute(query).fetchone() or (0,))[0]
        # Jobs and workers are the queue's, and whoever started Tidegate once has some.
        if number and table not in NOTED_BY_MIGRATIONS and not table.startswith("procrastinate_"):
            found.append((table, number))
    return sorted(found, key=lambda row: -row[1])


def name_of(settings: Settings, connection: psycopg.Connection) -> str:
    """What a person types to give it up: its home, or host and name of a given database."""
    if settings.database_url is None:
        return str(settings.home)
    return f"{connection.info.host}/{connection.info.dbname}"


def add_keys(settings: Settings, keys: list[Key]) -> list[str]:
    """Puts the backup's keys behind those that are there; whoever keeps his keys elsewhere must have them there.
    Gives the ids of those that are new here."""
    known = known_keys(settings)
    new = [key for key in keys if key not in known]
    if not new:
        return []
    if not file_is_ours(settings):
        raise KeyProblem(
            f"The backup brings the key {new[0].id.hex()}, and {where(settings)} does not have it.",
            f"Put it there, behind the others, or unset that to have it kept in {settings.home}; nothing was changed.",
        )
    change_file(settings.home, lambda there: [*there, *(key for key in new if key not in there)])
    return [key.id.hex() for key in new]


# Applying it


def apply(database: Database, contents: Contents, manifest: Manifest, told: Told) -> None:
    """psql runs what we say, then what pg_restore makes of the dump, then what we say: it commits only if we say so,
    and we do only once pg_restore ended well and the file was as it was written to its end."""
    with entrance_to(database.url) as entrance, _psql(entrance) as (psql, ours):
        try:
            _say(ours, f"BEGIN;\nSET LOCAL lock_timeout = '{SECONDS_TO_GET_ALONE}s';\n")
            _say(ours, "SELECT pg_advisory_xact_lock(hashtext('tidegate.migrate'));\n")
            _say(ours, DROP_EVERYTHING)
            _pass_on(contents, manifest.schema, ours, told)
            _say(ours, counted(manifest))
            _say(ours, "COMMIT;\n")
        except (ProgramFailed, BrokenPipeError):
            if not _has_failed(psql):
                raise  # else psql's own words say why nobody listened
    with psycopg.connect(database.url, autocommit=True) as connection:
        connection.execute("ANALYZE")


def _pass_on(contents: Contents, schema: str, ours: int, told: Told) -> None:
    """The dump to pg_restore, and what that makes of it to psql."""
    words: list[str | Path] = [
        client_program("pg_restore"),
        "--no-owner",
        "--no-privileges",
        "--file=-",
        f"--schema={schema}",
    ]
    with running(words, stdin=subprocess.PIPE, stdout=ours) as reader:
        assert reader.stdin  # noqa: S101 - PIPE, above
        length = 0
        for piece in contents.dump():
            reader.stdin.write(piece)
            length += len(piece)
            told("Restored bytes", length)


def _has_failed(psql: subprocess.Popen[bytes]) -> bool:
    try:
        return psql.wait(SECONDS_TO_END) != 0
    except subprocess.TimeoutExpired:
        return False


@contextlib.contextmanager
def _psql(entrance: Entrance) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    """psql, and where to write what it runs. Where we end without COMMIT it rolls back."""
    reading, writing = os.pipe()
    words = [
        *(client_program("psql"), "--no-psqlrc", "--quiet", "--no-password", "--set=ON_ERROR_STOP=1"),
        *("--output=/dev/null", "--file=-", "-d", entrance.word),
    ]
    try:
        with running(words, entrance, stdin=reading, stdout=subprocess.DEVNULL) as program:
            os.close(reading)
            reading = -1
            try:
                yield program, writing
            finally:
                os.close(writing)
                writing = -1
    finally:
        for end in (reading, writing):
            if end >= 0:
                os.close(end)


def _say(pipe: int, text: str) -> None:
    words = text.encode()
    while words:
        words = words[os.write(pipe, words) :]


def counted(manifest: Manifest) -> str:
    """Statements that fail, and with them the transaction, where a table has not as many rows as the backup says."""
    check = sql.SQL(
        "DO $check$ BEGIN IF (SELECT count(*) FROM {}) <> {} THEN"
        " RAISE EXCEPTION 'a table has not as many rows as the backup says'; END IF; END $check$;\n"
    )
    checks = [
        check.format(sql.Identifier(manifest.schema, table), sql.Literal(rows)) for table, rows in manifest.rows.items()
    ]
    return sql.Composed(checks).as_string(None)
