"""Rotating the key: everything is sealed anew, nothing is ever lost, whoever is killed or at work meanwhile."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import allauth.mfa
import psycopg
import pytest
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.db.models import BinaryField
from pydantic import SecretStr

from tests import world
from tidegate.actions import secret as actions
from tidegate.actions.errors import Refused
from tidegate.actions.second_factor import NAMES
from tidegate.actions.secret import rotate_secrets
from tidegate.catalog import stored_secrets
from tidegate.config import Settings, load_settings
from tidegate.delivery.deliver import address_of, keys_of
from tidegate.guard.keys import KeyProblem, add_key, known_keys, the_key
from tidegate.guard.second_factor import open_factor, seal_factor
from tidegate.guard.secrets import key_id_of, seal, unseal
from tidegate.reads.secret import secrets_status
from tidegate.rules.actor import TIDEGATE
from tidegate.server.backup import SEALED, SEALED_AS_TEXT
from tidegate.server.postgres import Database
from tidegate.store.models import Connection, Destination, Route, User
from tidegate.store.sql import sql
from tidegate.store.writers import secret as writer

ALICE = world.ALICE
CANARY = "c4nary-t0ken"


@pytest.fixture
def settings(database: Database, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("TIDEGATE_SECRET_KEY", "TIDEGATE_SECRET_KEY_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    return load_settings()


def stored(settings: Settings, connections: int = 3, routes: int = 2) -> None:
    """Connections and routes, each with a secret of its own."""
    made = Connection.objects.bulk_create(
        [Connection(tool="acme", label=f"Acme {n}", created_by="alice") for n in range(connections)]
    )
    for one in made:
        Connection.objects.filter(pk=one.pk).update(secrets=seal(token(one.pk), one.pk, settings))
    for n in range(routes):
        route = Route.objects.create(name=f"Team {n}", created_by="alice", address=b"", shown="json://…")
        address = {"address": SecretStr(f"json://{CANARY}-{route.pk}")}
        Route.objects.filter(pk=route.pk).update(address=seal(address, f"route {route.pk}", settings))


def token(number: int) -> dict[str, SecretStr]:
    return {"token": SecretStr(f"{CANARY}-{number}")}


def all_open(settings: Settings) -> bool:
    """Each gives its own secret."""
    return all(stored_secrets(one, settings) == token(one.pk) for one in Connection.objects.all()) and all(
        address_of(route, settings) == SecretStr(f"json://{CANARY}-{route.pk}") for route in Route.objects.all()
    )


def keys_in_use() -> set[bytes | None]:
    return {key_id_of(bytes(row["sealed"])) for row in writer.everything_sealed()}


def signed_both_ways(settings: Settings) -> tuple[Connection, Route]:
    """A Connection with a trigger, a route that is a webhook."""
    connection = Connection.objects.order_by("pk")[0]
    trigger = seal({"secret": SecretStr(f"{CANARY}-in")}, f"connection {connection.pk} trigger", settings)
    Connection.objects.filter(pk=connection.pk).update(trigger_secret=trigger)
    route = Route.objects.order_by("pk")[0]
    signature = seal({"secret": SecretStr(f"{CANARY}-out")}, f"route {route.pk} signature", settings)
    Route.objects.filter(pk=route.pk).update(signing_secret=signature)
    return Connection.objects.get(pk=connection.pk), Route.objects.get(pk=route.pk)


@contextmanager
def somebody(database: Database, statement: str) -> Iterator[psycopg.Connection]:
    """Another process, in the middle of a transaction."""
    with psycopg.connect(database.url) as other:
        other.execute(statement.encode())
        yield other


def test_everything_is_sealed_anew_and_the_old_key_retired(settings: Settings):
    """Issue 6, 7: `tidegate secrets rotate`."""
    stored(settings)
    (old,) = known_keys(settings)
    told: list[tuple[str, int]] = []

    done = rotate_secrets(ALICE, settings, lambda what, number: told.append((what, number)))

    (new,) = known_keys(settings)
    assert new != old
    assert (done.key, done.made, done.resealed, done.lost) == (new.id.hex(), True, 5, 0)
    assert (done.retired, done.kept) == ((old.id.hex(),), ())
    assert keys_in_use() == {new.id}
    assert all_open(settings)
    assert new.remark.endswith(" UTC by alice")
    assert told == [("Sealing Connections anew", 3), ("Sealing routes anew", 2)]


def test_what_signs_is_sealed_anew_as_well(settings: Settings):
    """Issue 6, 7: whatever is sealed is rotated; a column that were left out would be lost with the old key."""
    stored(settings)
    before, route = signed_both_ways(settings)

    done = rotate_secrets(ALICE, settings)

    assert (done.resealed, done.lost, len(known_keys(settings))) == (7, 0, 1)
    after = Connection.objects.get(pk=before.pk)
    opened = unseal(bytes(after.trigger_secret or b""), f"connection {after.pk} trigger", settings)
    assert opened == {"secret": SecretStr(f"{CANARY}-in")}
    assert keys_of(route, settings) == [SecretStr(f"{CANARY}-out")]  # which was read before
    status = secrets_status(settings)
    assert (status.sealed, status.lost) == (7, [])
    assert [(key.connections, key.routes) for key in status.keys] == [(4, 3)]


def test_the_login_of_a_destination_is_sealed_anew_as_well(settings: Settings):
    """Issue 9: what is sealed for a Destination opens for it alone, and after a rotation still does."""
    made = Destination.objects.create(name="Dojo", created_by="alice", secrets=b"")
    sealed = seal({"token": SecretStr(CANARY)}, f"destination {made.pk}", settings)
    Destination.objects.filter(pk=made.pk).update(secrets=sealed)

    done = rotate_secrets(ALICE, settings)

    assert (done.resealed, done.lost, len(known_keys(settings))) == (1, 0, 1)
    again = bytes(Destination.objects.get(pk=made.pk).secrets)
    assert unseal(again, f"destination {made.pk}", settings) == {"token": SecretStr(CANARY)}
    assert [key.destinations for key in secrets_status(settings).keys] == [1]


def test_every_sealed_column_is_known_to_whoever_rotates_and_backs_up():
    """A new one is noticed here: sealed is what is bytes, but for hashes and answers."""
    binary = {
        (model._meta.db_table, field.column)
        for model in apps.get_models()
        for field in model._meta.fields
        if isinstance(field, BinaryField)
    }

    assert set(SEALED) <= binary
    assert {table for table, column in binary - set(SEALED)} <= {"token", "answered_request", "delivered_finding"}
    for table, column in SEALED:
        assert re.search(rf"\b{column}\b[^;]*\bFROM {table}\b", sql("secrets_sealed")), column
        assert table in HOLDS, table


HOLDS = re.findall(r"\w+", sql("secrets_hold").partition("LOCK TABLE")[2].partition(" IN ")[0])


def test_every_text_that_allauth_has_sealed_is_known_to_whoever_rotates_and_backs_up():
    """A new one of a later version of allauth is noticed here."""
    source = Path(str(allauth.mfa.__file__)).parent
    named = {
        name
        for path in source.rglob("*.py")
        for name in re.findall(r"""["'](\w+)["']\]?:? *=? *encrypt\(""", path.read_text(encoding="utf-8"))
    }
    calls = sum(
        len(re.findall(r"(?<!def )\bencrypt\(\w", path.read_text(encoding="utf-8"))) for path in source.rglob("*.py")
    )

    assert named == {"secret", "seed"} == set(NAMES)
    assert calls == len(named) + 1  # and where it is handed on to the adapter
    assert {name for _, _, name in SEALED_AS_TEXT} == named
    for statement in ("secrets_sealed", "secrets_of_second_factors", "second_factors_unsealed"):
        assert set(re.findall(r"\('(?:totp|recovery_codes)', '(\w+)'\)", sql(statement))) == named, statement
    assert "mfa_authenticator" in HOLDS


def test_second_factors_are_sealed_anew_as_well(settings: Settings):
    """Issue 6.7; what is sealed for one of two people opens for them alone."""
    alice, bob = (User.objects.create(username=name, created_by="root") for name in ("alice", "bob"))
    for user in (alice, bob):
        sealed = seal_factor(f"{CANARY}-{user.username}", user.pk, settings)
        Authenticator.objects.create(user=user, type="totp", data={"secret": sealed})
    Authenticator.objects.create(user=alice, type="webauthn", data={"name": "Key", "credential": {}})

    done = rotate_secrets(ALICE, settings)

    assert (done.resealed, done.lost, len(known_keys(settings))) == (2, 0, 1)
    assert keys_in_use() == {bytes.fromhex(done.key)}
    for user in (alice, bob):
        text = Authenticator.objects.get(user=user, type="totp").data["secret"]
        assert open_factor(text, user.pk, settings) == f"{CANARY}-{user.username}"
        with pytest.raises(KeyProblem, match="damaged or belong to another User"):
            open_factor(text, user.pk + 1, settings)
    status = secrets_status(settings)
    assert ([(key.connections, key.routes, key.users) for key in status.keys], status.lost) == ([(0, 0, 2)], [])


@pytest.mark.parametrize("text", ["dGcx", "dGcx!", "dGcxAAAA", "dGcxé", "dGcx====", "dGcxAAA", "dGcx\n"])
def test_what_is_nothing_that_was_sealed_is_said_and_breaks_nothing(settings: Settings, text: str):
    user = User.objects.create(username="alice", created_by="root")
    Authenticator.objects.create(user=user, type="totp", data={"secret": text})
    add_key(settings.home, "")

    assert rotate_secrets(ALICE, settings).lost == 1

    (lost,) = secrets_status(settings).lost
    assert (lost.kind, lost.id, lost.name) == ("user", user.pk, "alice (authenticator app)")
    assert "damaged" in lost.why


def test_who_sets_up_a_second_factor_meanwhile_keeps_the_old_key_until_they_are_through(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(actions, "SECONDS_TO_HOLD", 0.05)
    monkeypatch.setattr(actions, "PAUSE", 0.05)
    monkeypatch.setattr(actions, "TRIES_TO_HOLD", 2)
    stored(settings)
    (old,) = known_keys(settings)
    user = User.objects.create(username="alice", created_by="root")
    sealed = seal_factor(CANARY, user.pk, settings)
    with somebody(database, sql("second_factors_hold")) as other:
        held = rotate_secrets(ALICE, settings)
        other.execute(
            "INSERT INTO mfa_authenticator (user_id, type, data, created_at)"
            " VALUES (%s, 'totp', jsonb_build_object('secret', %s::text), now())",
            [user.pk, sealed],
        )

    assert (held.retired, held.kept) == ((), (old.id.hex(),))
    assert rotate_secrets(ALICE, settings).retired == (old.id.hex(),)
    (factor,) = Authenticator.objects.all()
    assert open_factor(factor.data["secret"], user.pk, settings) == CANARY


def test_a_secret_does_not_open_in_the_place_of_another(settings: Settings):
    """Whoever can write into the database cannot have a webhook sign with what a trigger believes."""
    stored(settings)
    connection, route = signed_both_ways(settings)
    Route.objects.filter(pk=route.pk).update(signing_secret=connection.trigger_secret)

    with pytest.raises(KeyProblem, match="damaged or belong to another"):
        keys_of(Route.objects.get(pk=route.pk), settings)
    (lost,) = secrets_status(settings).lost
    assert (lost.kind, lost.id, lost.name) == ("route", route.pk, "Team 0 (signature)")


def test_of_nothing_there_is_a_new_key_all_the_same(settings: Settings):
    first = rotate_secrets(ALICE, settings)
    second = rotate_secrets(ALICE, settings)

    assert (first.resealed, second.resealed) == (0, 0)
    assert [key.id.hex() for key in known_keys(settings)] == [second.key] != [first.key]


def test_a_rotation_that_was_broken_off_is_gone_on_with_and_no_further_key_is_made(settings: Settings):
    stored(settings)
    (old,) = known_keys(settings)
    new = add_key(settings.home, "")

    done = rotate_secrets(ALICE, settings)

    assert (done.key, done.made, done.resealed, done.retired) == (new.id.hex(), False, 5, (old.id.hex(),))
    assert all_open(settings)


@pytest.mark.parametrize(
    "held",
    [
        "SELECT 1 FROM connection WHERE label = 'Acme 0' FOR UPDATE",
        "SELECT 1 FROM connection WHERE label = 'Acme 150' FOR UPDATE",
        "SELECT 1 FROM route WHERE name = 'Team 1' FOR UPDATE",
        "INSERT INTO route (name, address, shown, kinds, created_by) VALUES ('x', '', '', '{}', 'bob')",
    ],
    ids=["before-the-first", "half-way", "at-the-last", "before-the-old-key-goes"],
)
def test_killed_anywhere_nothing_is_lost_and_the_next_one_goes_through(
    database: Database, settings: Settings, held: str
):
    """kill -9, for real: each place is reached by somebody who holds what comes next."""
    stored(settings, connections=160)
    (old,) = known_keys(settings)
    with somebody(database, held) as other:
        with in_a_process_of_its_own(database) as rotation:
            wait_until_it_waits(other)
            rotation.kill()
        other.rollback()

    assert len(known_keys(settings)) == 2
    assert all_open(settings)
    assert not secrets_status(settings).lost
    done = rotate_secrets(ALICE, settings)
    assert (done.made, done.retired, done.lost) == (False, (old.id.hex(),), 0)
    assert keys_in_use() == {bytes.fromhex(done.key)}
    assert all_open(settings)


@contextmanager
def in_a_process_of_its_own(database: Database) -> Iterator[subprocess.Popen[bytes]]:
    rotation = subprocess.Popen(
        [sys.executable, "-m", "tidegate.cli", "secrets", "rotate"],
        env={**os.environ, "TIDEGATE_DATABASE_URL": database.url},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    try:
        yield rotation
    finally:
        rotation.kill()
        rotation.wait()


def wait_until_it_waits(other: psycopg.Connection) -> None:
    until = time.monotonic() + 20
    blocked = "SELECT count(*) FROM pg_locks WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    while not (other.execute(blocked.encode()).fetchone() or (0,))[0]:
        assert time.monotonic() < until, "nobody waits for what is held"
        time.sleep(0.02)


def test_whoever_stores_a_secret_meanwhile_keeps_the_old_key_until_he_is_through(
    database: Database, settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """He had the old key in hand before the new one was made. A key is retired only when nothing is sealed with it any
    more, checked while nobody can seal."""
    monkeypatch.setattr(actions, "SECONDS_TO_HOLD", 0.05)
    monkeypatch.setattr(actions, "PAUSE", 0.05)
    monkeypatch.setattr(actions, "TRIES_TO_HOLD", 2)
    stored(settings)
    (old,) = known_keys(settings)
    late = world.connection("Late")
    sealed = seal(token(late.pk), late.pk, settings)
    with somebody(database, f"SELECT 1 FROM connection WHERE id = {late.pk} FOR NO KEY UPDATE") as other:
        held = rotate_secrets(ALICE, settings)
        other.execute("UPDATE connection SET secrets = %s WHERE id = %s", [sealed, late.pk])

    assert (held.retired, held.kept) == ((), (old.id.hex(),))
    assert all_open(settings)
    assert rotate_secrets(ALICE, settings).retired == (old.id.hex(),)
    assert all_open(settings)


def test_who_comes_while_the_old_key_goes_waits_and_seals_with_the_new_one(database: Database, settings: Settings):
    stored(settings)
    late = world.connection("Late")
    order: list[str] = []

    def store() -> None:
        with psycopg.connect(database.url) as other:
            other.execute("SELECT 1 FROM connection WHERE id = %s FOR NO KEY UPDATE", [late.pk])
            order.append("stored")
            other.execute(
                "UPDATE connection SET secrets = %s WHERE id = %s", [seal(token(late.pk), late.pk, settings), late.pk]
            )

    storing = threading.Thread(target=store)
    real = actions.change_file

    def slow(*given: object) -> None:
        storing.start()
        time.sleep(0.2)
        order.append("retired")
        real(*given)  # pyright: ignore[reportArgumentType]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(actions, "change_file", slow)
        rotate_secrets(ALICE, settings)
    storing.join()

    assert order == ["retired", "stored"]
    assert all_open(settings)


def test_whoever_read_the_row_before_and_the_key_after_reads_the_row_again(settings: Settings):
    """A worker beside the rotation: what it holds was sealed with a key that is retired by now."""
    stored(settings)
    before, route = list(Connection.objects.all()), Route.objects.first()

    rotate_secrets(ALICE, settings)

    assert [stored_secrets(one, settings) for one in before] == [token(one.pk) for one in before]
    assert route is not None
    assert address_of(route, settings) == SecretStr(f"json://{CANARY}-{route.pk}")


def test_what_no_key_opens_stays_as_it_is_and_is_said(settings: Settings):
    stored(settings)
    first = Connection.objects.order_by("pk")[0]
    foreign = seal(token(1), 1, Settings(home=settings.home / "elsewhere"))
    Connection.objects.filter(pk=first.pk).update(secrets=foreign)

    done = rotate_secrets(ALICE, settings)

    assert (done.resealed, done.lost) == (4, 1)
    assert bytes(Connection.objects.get(pk=first.pk).secrets or b"") == foreign
    status = secrets_status(settings)
    (lost,) = status.lost
    assert (lost.kind, lost.id, lost.name) == ("connection", first.pk, "Acme 0")
    assert "sealed with another key" in lost.why
    assert [(key.known, key.newest, key.connections, key.routes) for key in status.keys] == [
        (True, True, 2, 2),
        (False, False, 1, 0),
    ]


def test_a_key_that_still_seals_something_stays_also_where_that_is_damaged(settings: Settings):
    """Whoever has the row whole in a backup can put it back, and it opens."""
    stored(settings)
    (old,) = known_keys(settings)
    first = Connection.objects.order_by("pk")[0]
    whole = bytes(first.secrets or b"")
    Connection.objects.filter(pk=first.pk).update(secrets=whole[:-1] + bytes([whole[-1] ^ 1]))

    done = rotate_secrets(ALICE, settings)

    assert (done.lost, done.retired, done.kept) == (1, (), (old.id.hex(),))
    Connection.objects.filter(pk=first.pk).update(secrets=whole)
    assert all_open(settings)
    assert rotate_secrets(ALICE, settings).retired == (old.id.hex(),)


def test_where_the_environment_names_the_keys_none_is_made_and_everything_is_sealed_with_its_first(settings: Settings):
    stored(settings)
    old = (settings.home / "secret.key").read_text().strip()
    new = "A" * 42 + "E"
    given = settings.model_copy(update={"secret_key": SecretStr(f"{new},{old}")})

    done = rotate_secrets(ALICE, given)

    assert (done.made, done.resealed, done.retired, len(done.kept)) == (False, 5, (), 1)
    assert (settings.home / "secret.key").read_text().strip() == old
    assert all_open(settings.model_copy(update={"secret_key": SecretStr(new)}))
    assert rotate_secrets(ALICE, given).resealed == 0


def test_one_rotates_at_a_time_and_only_a_person(database: Database, settings: Settings):
    with (
        somebody(database, "SELECT pg_advisory_lock(hashtext('tidegate.secrets'))"),
        pytest.raises(Refused, match="at this"),
    ):
        rotate_secrets(ALICE, settings)
    with pytest.raises(Refused, match="no person"):
        rotate_secrets(TIDEGATE, settings)

    assert the_key(settings) is None


def test_a_status_says_nothing_of_what_it_opens(settings: Settings):
    stored(settings)

    status = secrets_status(settings)

    assert (status.sealed, status.lost, status.kept_by_tidegate) == (5, [], True)
    assert CANARY not in str(status)
    assert unseal(bytes(Connection.objects.all()[0].secrets or b""), 1, settings) == token(1)
