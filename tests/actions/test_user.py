"""Users: whose names are refused, who stays, and what ends when somebody leaves."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from tests import world
from tidegate.actions.errors import Forbidden, NotThere, Refused
from tidegate.actions.user import (
    actor_of_user,
    add_user,
    deactivate_user,
    edit_user,
    grant_role,
    log_out_everywhere,
    reactivate_user,
    reset_second_factor,
    set_password,
    take_role,
)
from tidegate.reads.user import access_of, named, users
from tidegate.reads.user import user as read_user
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS, NO_ACCESS, Grant, granted
from tidegate.rules.actor import Actor, at_this_machine
from tidegate.rules.names import NameRefused
from tidegate.store.models import AuditLine, User

ROOT = at_this_machine("root")
EVERYTHING = Grant("administrator")
CANARY = "seeded canary of a tide"

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def _seeing_everything(settings: Any):  # pyright: ignore[reportUnusedFunction]
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    with viewing(FULL_ACCESS):
        yield


def person(name: str, *grants: Grant) -> int:
    return add_user(ROOT, name, grants=grants)


# Who may be called what


@pytest.mark.parametrize(
    "name", ["", "  ", "a\nb", "a\x00b", "a\u202eb", "al\u200bice", "x" * 151, "Tidegate", "tidegate"]
)
def test_a_name_that_history_could_not_tell_apart_from_a_machines_is_refused(name: str):
    """Promise: what Tidegate did and what a person did is never mistaken."""
    with pytest.raises((NameRefused, Refused)):
        person(name)

    assert not User.objects.exists()


@pytest.mark.parametrize("twin", ["alice", "Alice", "ALICE", "аlice", "alice "])
def test_no_two_users_look_the_same(twin: str):
    """Promise: nobody takes the name of another, in other letters either."""
    person("alice")

    with pytest.raises((NameRefused, Refused)):
        person(twin)
    with pytest.raises((NameRefused, Refused)):
        edit_user(ROOT, person("bob"), name=twin)


@pytest.mark.parametrize("mail", ["nobody", "a@b", "a@b\nc.example", "<a@example.com>"])
def test_what_is_no_mail_address_is_refused(mail: str):
    with pytest.raises(Refused, match="is not a mail address"):
        add_user(ROOT, "alice", email=mail)


@pytest.mark.parametrize("password", ["", "tiny-pw", "password1234", "alice.example"])
def test_a_password_that_is_easy_to_guess_is_refused_and_not_repeated(password: str):
    with pytest.raises(Refused) as refused:
        add_user(ROOT, "alice.example", password=SecretStr(password))

    assert not password or password not in str(refused.value)
    assert not User.objects.exists()


def test_a_service_account_has_no_password():
    robot = add_user(ROOT, "robot", kind="service")

    with pytest.raises(Refused, match="has no password"):
        set_password(ROOT, robot, SecretStr(CANARY))
    with pytest.raises(Refused, match="has no password"):
        add_user(ROOT, "another", kind="service", password=SecretStr(CANARY))
    assert actor_of_user(robot) is None  # nor does it come in by the pages


# Roles


@pytest.mark.parametrize(
    ("grant", "said"),
    [
        (("tsar", "everything", None), "no role «tsar»"),
        (("reader", "galaxy", 1), "not granted for «galaxy»"),
        (("reader", "everything", 1), "one thing with its number"),
        (("reader", "product", None), "one thing with its number"),
        (("reader", "product", 9), "no Product 9"),
        (("reader", "product", 2**70), "no Product"),
    ],
)
def test_a_role_that_cannot_be_given_is_refused(grant: tuple[Any, Any, Any], said: str):
    bob = person("bob")

    with pytest.raises((Refused, NotThere), match=said):
        grant_role(ROOT, bob, *grant)

    assert access_of(bob) == granted([])


def test_a_role_for_the_same_thing_is_replaced_and_can_be_taken():
    burp = world.connection()
    bob = person("bob", Grant("reader", "connection", burp.pk))

    grant_role(ROOT, bob, "operator", "connection", burp.pk)
    assert access_of(bob) == granted([Grant("operator", "connection", burp.pk)])

    take_role(ROOT, bob, "connection", burp.pk)
    assert access_of(bob) == granted([])
    with pytest.raises(Refused, match="has no role for connection"):
        take_role(ROOT, bob, "connection", burp.pk)


def test_the_last_administrator_of_everything_stays():
    """Promise: nobody locks everybody out."""
    alice = person("alice", EVERYTHING)
    person("bob", Grant("operator"))
    add_user(ROOT, "robot", kind="service", grants=[EVERYTHING])  # opens no page to let others in with
    deactivate_user(ROOT, person("carol", EVERYTHING))

    for attempt in (
        lambda: take_role(ROOT, alice),
        lambda: grant_role(ROOT, alice, "operator"),
        lambda: deactivate_user(ROOT, alice),
    ):
        with pytest.raises(Refused, match="the last administrator of everything"):
            attempt()
    assert access_of(alice) == granted([EVERYTHING])

    person("dora", EVERYTHING)
    take_role(ROOT, alice)
    assert access_of(alice) == granted([])


# Coming and going


def test_who_leaves_may_do_nothing_and_who_comes_back_has_their_roles():
    bob = person("bob", Grant("mapper"))

    deactivate_user(ROOT, bob)
    assert access_of(bob) == NO_ACCESS
    assert actor_of_user(bob) is None
    with pytest.raises(Refused, match="may not come in already"):
        deactivate_user(ROOT, bob)

    reactivate_user(ROOT, bob)
    assert access_of(bob) == granted([Grant("mapper")])
    with pytest.raises(Refused, match="may come in already"):
        reactivate_user(ROOT, bob)


def test_one_logs_oneself_out_everywhere_and_nobody_else():
    """Promise: what is another's is not there; for who sees everything it is forbidden."""
    alice, bob, eve = person("alice", Grant("operator")), person("bob", Grant("reader")), somebody_of_one_connection()

    assert log_out_everywhere(actor_of(bob), bob) == 0
    assert log_out_everywhere(actor_of(eve), eve) == 0
    with pytest.raises(NotThere):
        log_out_everywhere(actor_of(eve), alice)
    with pytest.raises(Forbidden):
        log_out_everywhere(actor_of(alice), bob)


def test_without_a_second_factor_there_is_none_to_forget():
    with pytest.raises(Refused, match="has no second factor"):
        reset_second_factor(ROOT, person("bob"))


@pytest.mark.parametrize("user_id", [0, -1, 987_654, 2**80])
def test_nobody_of_that_number_is_there(user_id: int):
    for attempt in (deactivate_user, reactivate_user, reset_second_factor, log_out_everywhere):
        with pytest.raises(NotThere, match="There is no User"):
            attempt(ROOT, user_id)


def somebody_of_one_connection() -> int:
    return person("eve", Grant("reader", "connection", world.connection().pk))


def actor_of(user_id: int) -> Actor:
    found = actor_of_user(user_id)
    assert found is not None
    return found


# What is told


def test_no_password_and_no_hash_is_in_any_answer_or_audit_line(caplog: pytest.LogCaptureFixture):
    """Promise: secrets are write-only."""
    alice = add_user(ROOT, "alice", password=SecretStr(CANARY), grants=[EVERYTHING])
    set_password(ROOT, alice, SecretStr(f"{CANARY} again"))
    hash = User.objects.get(pk=alice).password

    lines = list(AuditLine.objects.values())
    told = [repr(lines), repr(read_user(alice)), msgspec.json.encode(users()).decode(), caplog.text]

    assert len(lines) >= 2
    assert hash != ""
    assert not [text for text in told if CANARY in text or hash in text]


def test_people_see_themselves_and_administrators_everybody():
    alice, bob = person("alice"), person("bob", Grant("operator"))

    with viewing(access_of(bob)):
        assert [row.name for row in users(me=bob).users] == ["bob"]
        assert read_user(alice, me=bob) is None
        assert named("alice", me=bob) == []
        assert users().users == []
    assert [row.name for row in users().users] == ["alice", "bob"]
