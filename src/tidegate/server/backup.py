"""`tidegate backup`: everything that is stored, as it is at one moment, in one file that is whole or not there.

The database is dumped by pg_dump from one snapshot, and what it holds is counted in that same snapshot. The key that
opens secrets is no part of it unless somebody says so, and then only in a file with a passphrase.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Final

import msgspec
import psycopg
from msgspec import Meta
from psycopg import sql
from pydantic import SecretStr

from tidegate.config import Settings
from tidegate.guard.archive import PIECE, ArchiveProblem, ArchiveWriter, damaged, is_encrypted, pieces_of
from tidegate.guard.keys import Key, keep_through_a_power_cut, keys_of, known_keys, written
from tidegate.guard.second_factor import BEGINNING, sealed_bytes
from tidegate.guard.secrets import key_id_of
from tidegate.server.postgres import Database
from tidegate.server.postgres.program import client_program, entrance_to, running

MANIFEST, KEYS, DUMP, END = b"M", b"K", b"D", b"E"
FORM: Final = 1
LAST_BACKUP: Final = "last-backup"
"""In the home: when a backup was last made from here. For `tidegate upgrade --check`."""

Told = Callable[[str, int], None]


class SealedWith(msgspec.Struct, frozen=True, kw_only=True):
    """How much one key sealed."""

    key: Annotated[str, Meta(description="The key's id.")]
    secrets: Annotated[
        int,
        Meta(description="How many secrets it sealed: of Connections, triggers, routes, webhooks, second factors."),
    ]


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says of itself."""

    form: Annotated[int, Meta(description="The form of the backup; 1.")] = FORM
    tidegate: Annotated[str, Meta(description="The version that wrote it.")]
    made_at: Annotated[datetime, Meta(description="When, by the database's clock.")]
    postgresql: Annotated[int, Meta(description="The major version of the server it came from.")]
    schema: Annotated[str, Meta(description="The schema that its tables stand in.")]
    migrations: Annotated[list[str], Meta(description="Its version: the migrations it has seen, as `app.name`.")]
    rows: Annotated[dict[str, int], Meta(description="How many rows each table has.")]
    sealed: Annotated[list[SealedWith], Meta(description="Which keys are needed to open its secrets.")]
    with_key: Annotated[bool, Meta(description="These keys are in it.")]


class End(msgspec.Struct, frozen=True):
    """The last piece: what the dump was as a whole."""

    dump_bytes: int
    dump_sha256: str


class Backup(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `backup`."""

    file: Annotated[str, Meta(description="The file.")]
    bytes: Annotated[int, Meta(description="Its size.")]
    encrypted: Annotated[bool, Meta(description="It has a passphrase.")]
    manifest: Annotated[Manifest, Meta(description="What it says of itself.")]


def back_up(
    settings: Settings,
    database: Database,
    file: Path,
    told: Told = lambda what, number: None,
    *,
    passphrase: SecretStr | None = None,
    with_key: bool = False,
) -> Backup:
    """Writes the file, mode 0600, whole or not at all. Raises ArchiveProblem, ProgramFailed, KeyProblem."""
    if with_key and passphrase is None:
        raise ArchiveProblem(
            "The key may only be in a backup that is encrypted: together with the data it opens every secret.",
            "Add --encrypt or --passphrase-file FILE.",
        )
    if file.exists() or file.is_symlink():
        raise ArchiveProblem(f"{file} is there already, and is not written over.", "Name another file.")
    keys = known_keys(settings) if with_key else []
    try:
        with _draft_of(file) as draft:
            manifest = _write(database, draft, keys, passphrase, told)
    except OSError as error:
        raise ArchiveProblem(
            f"{file} cannot be written: {error.strerror or error}. Nothing is left of it.",
            "Free some space or name another place, then try again.",
        ) from error
    _note_it(settings.home, manifest)
    return Backup(file=str(file), bytes=file.stat().st_size, encrypted=passphrase is not None, manifest=manifest)


@contextlib.contextmanager
def _draft_of(file: Path) -> Iterator[int]:
    """A file beside it that gets its name once all is written. What a killed backup left of the same name goes."""
    for leftover in file.parent.glob(f".{file.name}.*.part"):
        with contextlib.suppress(OSError), leftover.open("rb") as found:
            fcntl.flock(found, fcntl.LOCK_EX | fcntl.LOCK_NB)
            leftover.unlink()
    draft = file.with_name(f".{file.name}.{secrets.token_hex(4)}.part")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield handle
        os.fsync(handle)
        draft.rename(file)
        keep_through_a_power_cut(file.parent)
    finally:
        os.close(handle)
        draft.unlink(missing_ok=True)


def _write(database: Database, handle: int, keys: list[Key], passphrase: SecretStr | None, told: Told) -> Manifest:
    """All pieces in their order: what it is, the keys where they are wanted, the dump, what that was as a whole."""
    with os.fdopen(handle, "wb", closefd=False) as file, psycopg.connect(database.url) as connection:
        archive = ArchiveWriter(file, passphrase)
        told("Counting", 0)
        connection.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        (snapshot,) = _row(connection, "SELECT pg_export_snapshot()")
        manifest = _manifest(connection, with_key=bool(keys))
        archive.put(MANIFEST + msgspec.json.encode(manifest))
        if keys:
            archive.put(KEYS + written(keys).encode())
        sum, length = hashlib.sha256(), 0
        told("Writing bytes", 0)
        for piece in _dumped(database, snapshot, manifest.schema):
            archive.put(DUMP + piece)
            sum.update(piece)
            length += len(piece)
            told("Writing bytes", length)
        archive.put(END + msgspec.json.encode(End(length, sum.hexdigest())), last=True)
        file.flush()
        return manifest


def _dumped(database: Database, snapshot: str, schema: str) -> Iterator[bytes]:
    """What pg_dump says of this snapshot, piece by piece."""
    with entrance_to(database.url) as entrance:
        words = [
            *(client_program("pg_dump"), "--format=custom", "--compress=gzip:1", "--no-owner", "--no-privileges"),
            *("--no-password", f"--snapshot={snapshot}", f'--schema="{schema.replace(chr(34), chr(34) * 2)}"'),
            *("-d", entrance.word),
        ]
        with running(words, entrance, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as dump:
            assert dump.stdout  # noqa: S101 - PIPE, above
            while piece := dump.stdout.read(PIECE - 1):
                yield piece


def _manifest(connection: psycopg.Connection, *, with_key: bool) -> Manifest:
    (now,) = _row(connection, "SELECT now()")
    tables = tables_of(connection)
    migrations = (
        connection.execute("SELECT app, name FROM django_migrations ORDER BY id").fetchall()
        if ("django_migrations" in tables)
        else []
    )
    counts: dict[str, int] = {}
    for (key,) in _sealed(connection, tables):
        id = key_id_of(bytes(key))
        counts[id.hex() if id else ""] = counts.get(id.hex() if id else "", 0) + 1
    return Manifest(
        tidegate=version("tidegate"),
        made_at=now.astimezone(UTC),
        postgresql=connection.info.server_version // 10000,
        schema=_schema_of(connection),
        migrations=[f"{app}.{name}" for app, name in migrations],
        rows={table: count_of(connection, table) for table in tables},
        sealed=[SealedWith(key=key, secrets=number) for key, number in sorted(counts.items())],
        with_key=with_key,
    )


SEALED: Final = (
    ("connection", "secrets"),
    ("connection", "trigger_secret"),
    ("route", "address"),
    ("route", "signing_secret"),
    ("destination", "secrets"),
)
"""Where secrets stand as bytes."""

SEALED_AS_TEXT: Final = (("mfa_authenticator", "data", "secret"), ("mfa_authenticator", "data", "seed"))
"""Where they stand as text, and under which name in there."""


def _sealed(connection: psycopg.Connection, tables: list[str]) -> list[tuple[bytes]]:
    """Every secret as it is stored; a database that an older version made has not all of these columns."""
    rows = connection.execute(
        "SELECT table_name, column_name FROM information_schema.columns WHERE table_schema = current_schema()"
    )
    there, found = set(rows.fetchall()), list[tuple[bytes]]()
    for table, column in SEALED:
        if table in tables and (table, column) in there:
            query = sql.SQL("SELECT {column} FROM {table} WHERE {column} IS NOT NULL")
            names = {"column": sql.Identifier(column), "table": sql.Identifier(table)}
            found += connection.execute(query.format(**names)).fetchall()
    for table, column, name in SEALED_AS_TEXT:
        if table in tables and (table, column) in there:
            # What an older version left in the clear no key has to open.
            query = sql.SQL("SELECT {column} ->> {name} FROM {table} WHERE starts_with({column} ->> {name}, {begins})")
            names = {"column": sql.Identifier(column), "table": sql.Identifier(table)}
            said = query.format(**names, name=sql.Literal(name), begins=sql.Literal(BEGINNING))
            found += [(sealed_bytes(text),) for (text,) in connection.execute(said).fetchall()]
    return found


def tables_of(connection: psycopg.Connection) -> list[str]:
    """The tables of the schema that ours stand in."""
    rows = connection.execute(
        "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind IN ('r', 'p')"
        " ORDER BY relname"
    )
    return [name for (name,) in rows.fetchall()]


def count_of(connection: psycopg.Connection, table: str) -> int:
    (number,) = connection.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table))).fetchone() or (0,)
    return number


def _schema_of(connection: psycopg.Connection) -> str:
    return _row(connection, "SELECT current_schema()")[0]


def _row(connection: psycopg.Connection, query: str) -> tuple:
    row = connection.execute(query.encode()).fetchone()
    assert row is not None  # noqa: S101 - each of these gives one
    return row


def _note_it(home: Path, manifest: Manifest) -> None:
    """For whoever asks how old the last backup is. A home that cannot be written is told of by others."""
    with contextlib.suppress(OSError):
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        (home / LAST_BACKUP).unlink(missing_ok=True)  # it may be another user's, as root's is
        (home / LAST_BACKUP).write_text(f"{manifest.made_at.isoformat()}\n", encoding="ascii")


def last_backup(home: Path) -> datetime | None:
    """When a backup was last made from this home; None where nobody knows of one."""
    try:
        return datetime.fromisoformat((home / LAST_BACKUP).read_text(encoding="ascii").strip())
    except (OSError, ValueError):
        return None


# Reading one


def check_backup(
    file: Path, told: Told = lambda what, number: None, *, passphrase: SecretStr | None = None
) -> tuple[Backup, list[Key]]:
    """Reads all of it, as a restore would, into nothing; what it says of itself, and the keys in it.

    Raises ArchiveProblem or ProgramFailed where it is not whole.
    """
    contents = Contents(file, passphrase)
    words: list[str | Path] = [client_program("pg_restore"), "--file=-"]
    with running(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL) as reader:
        assert reader.stdin  # noqa: S101 - PIPE, above
        length = 0
        for piece in contents.dump():
            with contextlib.suppress(BrokenPipeError):  # its own words say more, once all was read
                reader.stdin.write(piece)
            length += len(piece)
            told("Verified bytes", length)
    manifest = contents.manifest()
    size, encrypted = file.stat().st_size, is_encrypted(file)
    return Backup(file=str(file), bytes=size, encrypted=encrypted, manifest=manifest), contents.keys


class Contents:
    """What is in a file. Nothing of it is to be believed before `dump` came to its end."""

    def __init__(self, file: Path, passphrase: SecretStr | None) -> None:
        self.file, self.passphrase = file, passphrase
        self.keys: list[Key] = []
        self._manifest: Manifest | None = None

    def manifest(self) -> Manifest:
        if self._manifest is None:
            raise damaged(self.file)
        return self._manifest

    def dump(self) -> Iterator[bytes]:
        """pg_dump's own words. Raises ArchiveProblem, also at the end, where it is not whole."""
        sum, length, end = hashlib.sha256(), 0, None
        try:
            for piece in pieces_of(self.file, self.passphrase):
                kind, rest = piece[:1], piece[1:]
                if kind == DUMP and self._manifest:
                    sum.update(rest)
                    length += len(rest)
                    yield rest
                elif kind == END:
                    end = msgspec.json.decode(rest, type=End)
                else:
                    self._beginning(kind, rest)
        except OSError as error:
            raise ArchiveProblem(
                f"{self.file} cannot be read: {error.strerror}.", "Look at it, or use another."
            ) from error
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise damaged(self.file) from None
        if end is None or end != End(length, sum.hexdigest()):
            raise damaged(self.file)

    def _beginning(self, kind: bytes, rest: bytes) -> None:
        if kind == MANIFEST and self._manifest is None:
            if msgspec.json.decode(rest).get("form") != FORM:
                raise ArchiveProblem(f"{self.file} was written by a newer Tidegate.", "Restore it with that version.")
            self._manifest = msgspec.json.decode(rest, type=Manifest)
        elif kind == KEYS:
            self.keys = keys_of(rest.decode(), str(self.file))
        else:
            raise damaged(self.file)
