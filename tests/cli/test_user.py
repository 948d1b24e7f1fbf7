"""People and tokens from the terminal: each command once, as a person and as a script types it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cli.conftest import Person
from tests.cli.test_json import has_shape
from tidegate.cli.answer import answers
from tidegate.store.models import Token

CANARY = "a seeded canary tide"


@pytest.fixture
def people(tidegate: Person, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Person:
    """alice is administrator, bob reads."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    monkeypatch.setenv("FIRST", CANARY)
    for arguments in (("alice", "--administrator", "--password", "env:FIRST"), ("bob", "--role", "reader")):
        ran = tidegate("user", "add", *arguments, *(() if arguments[0] == "alice" else ("--no-password",)))
        assert ran.code == 0, ran.err
    return tidegate


def test_every_command_answers_in_its_shape(people: Person):
    shapes = answers()

    for command in (
        ("user list",),
        ("user show", "alice"),
        ("user add", "robot", "--service", "--role", "operator"),
        ("user edit", "bob", "--email", "bob@example.com"),
        ("user grant", "bob", "operator"),
        ("user take", "bob"),
        ("user password", "bob", "--password", "env:FIRST"),
        ("user logout", "bob", "--tokens"),
        ("user deactivate", "bob"),
        ("user reactivate", "bob"),
        ("token add", "nightly", "--user", "robot", "--role", "reader"),
        ("token list",),
        ("token revoke", "1"),
    ):
        answer = people.json(*command[0].split(), *command[1:])
        assert has_shape(answer, shapes[command[0]]), command[0]
        assert CANARY not in str(answer)


def test_every_command_says_what_it_did(people: Person):
    people("user", "add", "robot", "--service", "--role", "operator")

    for command, said in (
        (("user", "list"), "administrator of everything"),
        (("user", "list", "--left"), "There is nobody yet"),
        (("user", "show", "robot"), "robot (3) is a service account."),
        (("user", "edit", "bob", "--name", "robert"), "bob is changed."),
        (("user", "grant", "robert", "mapper"), "robert is mapper there now."),
        (("user", "take", "robert"), "robert has that role no more."),
        (("user", "password", "robert", "--password", "env:FIRST"), "logged out everywhere"),
        (("user", "logout", "robert"), "0 ended"),
        (("user", "deactivate", "robert"), "may not come in any more"),
        (("user", "reactivate", "robert"), "may come in again"),
        (("token", "list"), "There is no such token"),
        (("token", "add", "nightly", "--user", "robot", "--role", "reader"), "tg_"),
        (("token", "list"), "nightly"),
        (("token", "revoke", "1"), "of no use any more"),
    ):
        ran = people(*command)
        assert ran.code == 0, ran.err
        assert said in ran.out + ran.err, command


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (("user", "show", "nobody"), "nobody"),
        (("user", "add", "alice", "--no-password"), "There is a user «alice» already"),
        (("user", "add", "carol"), "nobody is there to be asked"),
        (("user", "add", "carol", "--service", "--no-password"), "contradict each other"),
        (("user", "add", "carol", "--administrator", "--role", "reader"), "contradict each other"),
        (("user", "add", "carol", "--no-password", "--product", "Web shop"), "not said what they may do"),
        (("user", "add", "carol", "--password", CANARY), "--password"),
        (("user", "edit", "bob"), "Nothing to change was named"),
        (("user", "take", "alice"), "the last administrator of everything"),
        (("user", "deactivate", "alice"), "the last administrator of everything"),
        (("user", "reset-second-factor", "bob"), "has no second factor"),
        (("token", "add", "x", "--role", "reader"), "belongs to a user"),
        (("token", "add", "x", "--user", "bob", "--role", "operator"), "«bob» is not operator"),
        (("token", "add", "x", "--user", "bob", "--role", "reader", "--days", "400"), "365"),
        (("token", "revoke", "9"), "There is no Token 9"),
    ],
)
def test_what_cannot_be_is_said_with_what_to_do(people: Person, command: tuple[str, ...], said: str):
    ran = people(*command)

    assert ran.code != 0
    assert said in ran.err
    assert command[-1] != CANARY or CANARY not in ran.err


def test_a_token_stands_alone_on_standard_output_and_is_never_shown_again(people: Person):
    """Promise: shown once. A script may take it as it comes."""
    ran = people("token", "add", "nightly", "--user", "bob", "--role", "reader")
    token = ran.out.strip()

    assert ran.out == f"{token}\n"
    assert len(token) == 46
    assert token not in ran.err
    later = [people("token", "list", "--all", *more).out for more in ((), ("--json",))]
    later += [people("user", "show", "bob").out, people("audit", "list", "--json").out]
    assert not [text for text in later if token in text or bytes(Token.objects.get().hash).hex() in text]
