"""Everything in one file and back again: all of it or nothing, whatever is broken, full, or at work meanwhile."""

from __future__ import annotations

import json
import os
import re
import resource
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import msgspec
import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.db import connections as django_connections
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from pydantic import SecretStr

from tests import world
from tests.database import administer
from tests.server.homes import all_processes, opened, wait_for, words_of
from tidegate.actions.record import map_records
from tidegate.config import Settings, load_settings
from tidegate.guard.archive import ArchiveWriter, pieces_of
from tidegate.guard.second_factor import seal_factor
from tidegate.guard.secrets import seal
from tidegate.server.backup import SEALED, SEALED_AS_TEXT, Backup, back_up
from tidegate.server.postgres import Database
from tidegate.server.postgres.program import client_program, entrance_to, running
from tidegate.server.postgres.upgrade import sums_of
from tidegate.server.restore import Restored, restore
from tidegate.store.models import Connection, Destination, Route, User

CHECKOUT = Path(__file__).parents[2]
CANARY = "c4nary-of-the-vendor"
PASSPHRASE = "f0ur w0rds or more"


@pytest.fixture
def house(tidegate: Any) -> Any:
    """A Tidegate with something in it, a secret as well, and nobody at work."""
    burp = world.connection("Burp", settings={"url": "https://burp.example.org"})
    Connection.objects.filter(pk=burp.pk).update(secrets=seal({"api_key": SecretStr(CANARY)}, burp.pk, load_settings()))
    record = world.record(burp, "Storefront")
    map_records(world.ALICE, [record], product_id=world.product("Web shop"))
    world.synced(record, *(f"k{n}" for n in range(50)))
    django_connections.close_all()
    return tidegate


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "backups").mkdir()
    return tmp_path / "backups" / "tidegate.backup"


@pytest.fixture
def passphrase(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.write_text(f"{PASSPHRASE}\n")
    return path


@pytest.fixture
def empty(database: Database) -> Iterator[Database]:
    """Another database of the same server, without a table."""
    with another(database) as made:
        yield made


@contextmanager
def another(database: Database) -> Iterator[Database]:
    name = f"restored_{uuid4().hex[:12]}"
    administer(database, "CREATE DATABASE {}", name)
    try:
        yield Database(make_conninfo(database.url, dbname=name), database.embedded)
    finally:
        administer(database, "DROP DATABASE {} WITH (FORCE)", name)


def ours(home: Path, *words: object, url: str = "", **more: Any) -> subprocess.CompletedProcess[str]:
    """A process of its own: Django knows one database in each."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    given = {"TIDEGATE_DATABASE_URL": url} if url else {}
    return subprocess.run(
        [sys.executable, "-m", "tidegate.cli", *map(str, words)],
        env={**inherited, "TIDEGATE_HOME": str(home), **given},
        cwd=CHECKOUT,
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def contents(url: str) -> dict[str, tuple[int, str]]:
    with psycopg.connect(url) as connection:
        return sums_of(connection)


def schema(url: str) -> str:
    with entrance_to(url) as entrance:
        words = [client_program("pg_dump"), "--schema-only", "--no-owner", "-d", entrance.word]
        with running(words, entrance, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as dump:
            assert dump.stdout
            said = dump.stdout.read().decode()
    return re.sub(r"^(\\(un)?restrict|--).*$", "", said, flags=re.MULTILINE)


def test_a_fresh_home_has_every_table_row_and_secret_of_the_backup(
    shop: Any, database: Database, file: Path, passphrase: Path, tmp_path: Path
):
    """Issue 6, 9: verified by a restore in CI. The home is new; server and key are made by the restore alone."""
    shop("sync", "Burp")
    before, schema_before = contents(database.url), schema(database.url)

    made = shop.json("backup", file, "--with-key", "--passphrase-file", passphrase)
    run = ours(tmp_path / "fresh", "restore", file, "--passphrase-file", passphrase, "--json")

    assert run.returncode == 0, run.stderr
    restored = json.loads(run.stdout)
    assert msgspec.to_builtins(msgspec.convert(made, Backup)) == made
    assert msgspec.to_builtins(msgspec.convert(restored, Restored)) == restored
    assert (restored["migrated"], restored["keys_missing"]) == ([], [])
    assert restored["keys_added"] == [made["manifest"]["sealed"][0]["key"]]
    assert made["manifest"]["rows"]["finding"] > 10
    with opened(tmp_path / "fresh") as there:
        assert contents(there.url) == before
        assert schema(there.url) == schema_before
    assert (tmp_path / "fresh" / "secret.key").read_text() == (tmp_path / "home" / "secret.key").read_text()
    assert ours(tmp_path / "fresh", "secrets", "status").returncode == 0


def test_into_a_given_database_and_without_the_key_it_says_which_is_missing(
    house: Any, database: Database, empty: Database, file: Path, tmp_path: Path
):
    made = house.json("backup", file)

    run = ours(tmp_path / "other", "restore", file, "--json", url=empty.url)

    assert run.returncode == 3, run.stderr
    assert json.loads(run.stdout)["keys_missing"] == [made["manifest"]["sealed"][0]["key"]]
    assert contents(empty.url) == contents(database.url)
    assert not (tmp_path / "other" / "secret.key").exists()


def everything_that_can_be_sealed() -> int:
    """A secret in each place where there may be one; how many."""
    settings = load_settings()
    burp, alice = Connection.objects.get(label="Burp"), User.objects.create(username="alice", created_by="root")
    route = Route.objects.create(name="Team", created_by="alice", address=b"", shown="json://…")
    trigger, signature = f"connection {burp.pk} trigger", f"route {route.pk} signature"
    Connection.objects.filter(pk=burp.pk).update(trigger_secret=seal({"secret": SecretStr(CANARY)}, trigger, settings))
    Route.objects.filter(pk=route.pk).update(
        address=seal({"address": SecretStr(f"json://{CANARY}")}, f"route {route.pk}", settings),
        signing_secret=seal({"secret": SecretStr(CANARY)}, signature, settings),
    )
    dojo = Destination.objects.create(
        name="Dojo", created_by="alice", settings={"url": "http://127.0.0.1:1"}, secrets=b""
    )
    token = seal({"token": SecretStr(CANARY)}, f"destination {dojo.pk}", settings)
    Destination.objects.filter(pk=dojo.pk).update(secrets=token)
    for type, name in (("totp", "secret"), ("recovery_codes", "seed")):
        text = seal_factor(CANARY, alice.pk, settings)
        Authenticator.objects.create(user=alice, type=type, data={name: text, "used_mask": 0})
    django_connections.close_all()
    return len(SEALED) + len(SEALED_AS_TEXT)


def test_whatever_is_sealed_opens_after_a_restore_with_the_key_and_is_rotated_there(
    house: Any, empty: Database, file: Path, passphrase: Path, tmp_path: Path
):
    """Issue 6, 7 and 9: of each place that is ever sealed, named once in server/backup.py and stored here."""
    number = everything_that_can_be_sealed()
    made = house.json("backup", file, "--with-key", "--passphrase-file", passphrase)
    (sealed,) = made["manifest"]["sealed"]
    assert sealed["secrets"] == number == 7

    run = ours(tmp_path / "other", "restore", file, "--passphrase-file", passphrase, "--json", url=empty.url)
    assert run.returncode == 0, run.stderr

    def status() -> Any:
        return json.loads(ours(tmp_path / "other", "secrets", "status", "--json", url=empty.url).stdout)

    before = status()
    rotated = json.loads(ours(tmp_path / "other", "secrets", "rotate", "--json", url=empty.url).stdout)
    after = status()

    assert (before["sealed"], before["lost"], before["keys"][0]["id"]) == (number, [], sealed["key"])
    assert (rotated["resealed"], rotated["lost"], rotated["retired"]) == (number, 0, [sealed["key"]])
    assert (after["sealed"], after["lost"]) == (number, [])
    (key,) = after["keys"]
    assert (key["id"], key["connections"], key["routes"], key["users"]) == (rotated["key"], 2, 2, 2)
    assert key["destinations"] == 1


def test_whatever_is_sealed_is_named_where_its_key_did_not_come_along(
    house: Any, empty: Database, file: Path, tmp_path: Path
):
    """promises.md, 7: lost key, clear error."""
    number = everything_that_can_be_sealed()
    house.json("backup", file)
    ours(tmp_path / "other", "restore", file, url=empty.url)

    run = ours(tmp_path / "other", "secrets", "status", "--json", url=empty.url)

    assert run.returncode == 3
    lost = json.loads(run.stdout)["lost"]
    assert sorted(one["kind"] for one in lost) == ["connection"] * 2 + ["destination"] + ["route"] * 2 + ["user"] * 2
    assert len(lost) == number
    assert any("tidegate user reset-second-factor" in one["next_step"] for one in lost)


def test_the_audit_log_comes_along_and_stays_append_only(
    house: Any, database: Database, empty: Database, file: Path, tmp_path: Path
):
    """Issue 6.6: a backup holds the lines; the grants that keep them, which it does not hold, are made again."""
    house.json("backup", file)

    assert ours(tmp_path / "other", "restore", file, "--json", url=empty.url).returncode == 3

    asked = "SELECT (SELECT count(*) FROM audit_line), relacl::text FROM pg_class WHERE relname = 'audit_line'"
    with psycopg.connect(database.url) as before, psycopg.connect(empty.url) as after:
        lines, grants = after.execute(asked).fetchone() or (0, "")
        assert (lines, grants) == before.execute(asked).fetchone()
        assert lines > 0
        assert not {"w", "d", "D"} & set(grants.partition("=")[2].partition("/")[0])
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            after.execute("DELETE FROM audit_line")


def test_no_secret_and_no_key_stands_in_it_in_the_clear(house: Any, file: Path, tmp_path: Path):
    """promises.md, 7: no secret in a backup in the clear."""
    house("backup", file)
    key = (tmp_path / "home" / "secret.key").read_text().strip()

    dump = b"".join(piece[1:] for piece in pieces_of(file, None) if piece[:1] == b"D")
    (tmp_path / "dump").write_bytes(dump)
    words = [client_program("pg_restore"), "--file=-", tmp_path / "dump"]
    clear = subprocess.run(words, check=True, capture_output=True).stdout

    assert b"Storefront" in clear
    for secret in (CANARY, key):
        for text in (file.read_bytes(), clear):
            assert secret.encode() not in text
            assert secret.encode().hex().encode() not in text


def test_what_is_encrypted_shows_nothing_and_needs_the_passphrase(
    house: Any, file: Path, passphrase: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    house("backup", file, "--passphrase-file", passphrase)
    (tmp_path / "wrong").write_text("hunter2")

    assert b"PGDMP" not in file.read_bytes()
    assert b"Storefront" not in file.read_bytes()
    assert house("backup", "--check", file, "--passphrase-file", passphrase).code == 0
    assert house("backup", "--check", file).code == 2
    wrong = house("backup", "--check", file, "--passphrase-file", tmp_path / "wrong")
    assert (wrong.code, "does not open with this passphrase" in wrong.err) == (1, True)
    monkeypatch.setattr("getpass.getpass", lambda *a, **k: PASSPHRASE)
    typed = house("backup", "--check", file, keyboard=True)
    assert (typed.code, PASSPHRASE in typed.out + typed.err) == (0, False)


def test_a_file_is_readable_to_its_owner_and_never_written_over(house: Any, file: Path):
    killed = file.with_name(f".{file.name}.0badcafe.part")
    killed.write_text("half")

    assert house("backup", file).code == 0
    again = house("backup", file)

    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (again.code, "is there already" in again.err) == (1, True)
    assert [path.name for path in file.parent.iterdir()] == [file.name]


def test_the_key_only_goes_into_what_is_encrypted(house: Any, file: Path):
    ran = house("backup", file, "--with-key")

    assert (ran.code, "only be in a backup that is encrypted" in ran.err) == (1, True)
    assert not file.exists()


def test_a_disk_that_fills_leaves_no_half_file(house: Any, database: Database, file: Path, tmp_path: Path):
    """Issue 6, 9. A limit on the size of files stands for the disk."""

    def small() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (32 * 1024, 32 * 1024))

    run = ours(tmp_path / "home", "backup", file, url=database.url, preexec_fn=small)

    assert run.returncode == 1
    assert "cannot be written: File too large. Nothing is left of it." in run.stderr
    assert list(file.parent.iterdir()) == []


def test_what_is_broken_or_cut_changes_nothing(
    house: Any, database: Database, empty: Database, file: Path, tmp_path: Path
):
    """Issue 6, 9: verified before anything is touched."""
    house("backup", file)
    whole = file.read_bytes()
    with psycopg.connect(empty.url) as connection:
        connection.execute("CREATE TABLE product (id int)")
        connection.execute("INSERT INTO product VALUES (1)")
    before = contents(empty.url)
    turned = bytearray(whole)
    turned[len(whole) // 2] ^= 1

    for broken in (whole[:-1], whole[: len(whole) // 2], bytes(turned), b""):
        file.write_bytes(broken)
        with pytest.raises(Exception, match=r"cut|damaged|no backup"):
            restore(Settings(home=tmp_path / "other"), empty, file, replace=str(tmp_path / "other"))
        assert house("backup", "--check", file).code == 1

    assert contents(empty.url) == before


def test_what_ends_half_way_changes_nothing(house: Any, empty: Database, file: Path, tmp_path: Path):
    """All in one transaction, which only we commit: neither Ctrl-C nor a program that ends early does."""
    house("backup", file)
    with psycopg.connect(empty.url) as connection:
        connection.execute("CREATE TABLE product (id int)")
    before, settings = contents(empty.url), Settings(home=tmp_path / "other")

    def stopped(what: str, number: int) -> None:
        if what == "Restored bytes":
            wait_for(lambda: has_dropped(empty), "psql has dropped what was there, and waits for more")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        restore(settings, empty, file, stopped)

    assert contents(empty.url) == before


def has_dropped(database: Database) -> bool:
    query = (
        "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'psql'"
        " AND state LIKE 'idle%' AND query !~ '^(BEGIN|SET LOCAL|SELECT pg_advisory|$)'"
    )
    with psycopg.connect(database.url) as connection:
        return connection.execute(query.encode()).fetchone() is not None


def test_what_has_other_rows_than_the_backup_says_is_not_kept(house: Any, empty: Database, file: Path):
    """Counted in the transaction, before it is committed."""
    house("backup", file)
    first, *others = pieces_of(file, None)
    said = json.loads(first[1:])
    said["rows"]["product"] += 1
    with file.open("wb") as rewritten:
        archive = ArchiveWriter(rewritten, None)
        for number, piece in enumerate([b"M" + json.dumps(said).encode(), *others]):
            archive.put(piece, last=number == len(others))

    with pytest.raises(Exception, match="not as many rows as the backup says"):
        restore(load_settings(), empty, file)

    assert contents(empty.url) == {}


def test_what_is_not_empty_is_given_up_only_by_its_name(house: Any, database: Database, empty: Database, file: Path):
    house("backup", file)
    settings = load_settings()
    given = settings.model_copy(update={"database_url": SecretStr(empty.url)})
    restore(given, empty, file)
    before = contents(empty.url)
    with psycopg.connect(empty.url) as connection:
        connection.execute("DELETE FROM record_history")
        connection.execute("INSERT INTO product_type (name) VALUES ('of later')")
    changed = contents(empty.url)
    name = f"{conninfo_to_dict(empty.url)['host']}/{conninfo_to_dict(empty.url)['dbname']}"

    with pytest.raises(Exception, match=rf"is not empty: .*--replace '{re.escape(name)}'"):
        restore(given, empty, file)
    with pytest.raises(Exception, match="something else was typed"):
        restore(given, empty, file, replace=f"{name}x")
    assert contents(empty.url) == changed != before
    restore(given, empty, file, replace=name)

    assert contents(empty.url) == before == contents(database.url)


def test_nothing_is_pulled_from_under_whoever_works_with_it(house: Any, empty: Database, file: Path):
    house("backup", file)

    with psycopg.connect(empty.url), pytest.raises(Exception, match=r"1 other session is at work.*Stop every part"):
        restore(load_settings(), empty, file)


def test_tables_of_others_are_never_dropped(house: Any, empty: Database, file: Path):
    house("backup", file)
    with psycopg.connect(empty.url) as connection:
        connection.execute("CREATE TABLE payroll (id int)")

    with pytest.raises(Exception, match="neither this Tidegate nor the backup knows: payroll"):
        restore(load_settings(), empty, file, replace="anything")


def test_a_backup_of_a_newer_schema_is_refused(house: Any, database: Database, empty: Database, file: Path):
    insert = "INSERT INTO django_migrations (app, name, applied) VALUES ('store', '9999_later', now())"
    with psycopg.connect(database.url) as connection:
        connection.execute(insert.encode())
    try:
        house("backup", file)
    finally:
        with psycopg.connect(database.url) as connection:
            connection.execute("DELETE FROM django_migrations WHERE name = '9999_later'")

    with pytest.raises(Exception, match=r"newer Tidegate \(.*store.9999_later"):
        restore(load_settings(), empty, file)
    assert contents(empty.url) == {}


def test_a_backup_of_an_older_schema_is_brought_up_to_this_one(tmp_path: Path, database: Database, file: Path):
    older = (
        "import sys; from django.core.management import call_command; from pydantic import SecretStr\n"
        "from tidegate.server import start; from tidegate.server.postgres import Database\n"
        "start.set_up_django(Database(sys.argv[1], False))\n"
        "call_command('migrate', 'store', '0001', verbosity=0)\n"
    )
    with another(database) as old, another(database) as new:
        subprocess.run([sys.executable, "-c", older, old.url], check=True, cwd=CHECKOUT)
        with psycopg.connect(old.url) as connection:
            connection.execute("INSERT INTO product_type (name) VALUES ('Web')")
        back_up(Settings(home=tmp_path / "home"), old, file)

        run = ours(tmp_path / "home", "restore", file, "--json", url=new.url)

        assert run.returncode == 0, run.stderr
        migrated = json.loads(run.stdout)["migrated"]
        assert [name for name in migrated if name.startswith("store.0002")]
        with psycopg.connect(new.url) as connection:
            assert connection.execute("SELECT name FROM product_type").fetchall() == [("Web",)]
        assert schema(new.url) == schema(database.url)


def test_neither_password_nor_passphrase_stands_in_a_list_of_processes(
    house: Any, database: Database, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """promises.md, 7: not in a process list. Looked at while pg_dump runs: it waits for a sequence that we hold."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))  # what others leave for a moment is not ours
    secrets = [PASSPHRASE, str(conninfo_to_dict(database.url)["password"]), CANARY]
    settings, passphrase = load_settings(), SecretStr(PASSPHRASE)
    writing = threading.Thread(target=lambda: back_up(settings, database, file, passphrase=passphrase))
    with psycopg.connect(database.url) as other:
        other.execute("ALTER SEQUENCE product_type_id_seq RENAME TO held_for_a_test")
        writing.start()
        pids = wait_for(lambda: dumping(database), "pg_dump waits")
        seen = [words_of(pid, file) for pid in pids for file in ("cmdline", "environ")]
        other.rollback()
    writing.join()

    assert any(b"service=tidegate" in text for text in seen)
    assert file.exists()
    for secret in secrets:
        assert secret.encode() not in b"".join(seen)
    assert not list(tmp_path.glob("tidegate-entrance-*"))


def dumping(database: Database) -> list[int]:
    """The programs that write a dump, once one of them waits."""
    waiting = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'pg_dump' AND wait_event_type = 'Lock'"
    with psycopg.connect(database.url) as connection:
        if connection.execute(waiting.encode()).fetchone() is None:
            return []
    return [pid for pid in all_processes() if b"/pg_dump" in words_of(pid).split(b"\0")[0]]


def test_a_backup_is_of_one_moment_whatever_is_written_meanwhile(
    house: Any, database: Database, empty: Database, file: Path
):
    """Counted and dumped from one snapshot; else the restore would count otherwise."""
    before = contents(database.url)
    later: list[str] = []

    def write(what: str, number: int) -> None:
        if what != "Counting":  # it has been counted: each time pg_dump has not begun yet, or is at it
            with psycopg.connect(database.url) as connection:
                connection.execute("INSERT INTO product_type (name) VALUES (%s)", [f"later {len(later)}"])
            later.append(what)

    back_up(load_settings(), database, file, write)
    restore(load_settings(), empty, file)

    assert later
    assert {name: rows for name, rows in contents(empty.url).items() if "seq" not in name} == {
        name: rows for name, rows in before.items() if "seq" not in name
    }
