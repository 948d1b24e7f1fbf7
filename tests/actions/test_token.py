"""Tokens: shown once, stored as a hash, never more than their owner, of no use as soon as somebody says so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from tests import world
from tidegate.actions.errors import Forbidden, NotThere, Refused
from tidegate.actions.token import actor_of_token, add_token, hash_of, revoke_token
from tidegate.actions.user import (
    actor_of_user,
    add_user,
    deactivate_user,
    grant_role,
    log_out_everywhere,
    reactivate_user,
    take_role,
)
from tidegate.reads.token import token as read_token
from tidegate.reads.token import tokens
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS, Grant, Place
from tidegate.rules.actor import Actor, at_this_machine
from tidegate.store.models import AuditLine, Token

ROOT = at_this_machine("root")
READS = [Grant("reader")]

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture(autouse=True)
def _seeing_everything():  # pyright: ignore[reportUnusedFunction]
    with viewing(FULL_ACCESS):
        yield


@pytest.fixture
def bob() -> int:
    return add_user(ROOT, "bob", grants=[Grant("operator")])


def made(user_id: int, *grants: Grant, **more: Any) -> str:
    return add_token(ROOT, "nightly", user_id=user_id, grants=grants or READS, **more).token.get_secret_value()


def actor_of(user_id: int) -> Actor:
    found = actor_of_user(user_id)
    assert found is not None
    return found


def somebody_of_one_connection() -> int:
    return add_user(ROOT, "eve", grants=[Grant("reader", "connection", world.connection().pk)])


def comes_with(text: str) -> Actor:
    found = actor_of_token(text, "203.0.113.5")
    assert found is not None
    return found


# Who does not come in


@pytest.mark.parametrize("text", ["", "tg_", "tg_" + "x" * 43, "tg_" + "x" * 42, "tg_" + "é" * 43, "x" * 100_000])
def test_what_is_no_token_lets_nobody_in(bob: int, text: str):
    made(bob)

    assert actor_of_token(text) is None


def test_a_token_is_not_let_in_by_its_beginning_its_hash_or_in_other_letters(bob: int):
    text = made(bob)
    row = Token.objects.get()

    for other in (row.beginning, bytes(row.hash).hex(), text.swapcase(), f"{text} ", f"{text}\n", text[:-1]):
        assert actor_of_token(other) is None, other


def test_an_expired_token_lets_nobody_in(bob: int):
    """Promise: tokens expire."""
    text = made(bob, days=1)
    Token.objects.update(
        created_at=datetime.now(UTC) - timedelta(days=2), expires_at=datetime.now(UTC) - timedelta(seconds=1)
    )

    assert actor_of_token(text) is None
    assert tokens().tokens[0].state == "expired"


def test_a_revoked_token_lets_nobody_in_from_then_on(bob: int):
    """Promise: a token ends at once."""
    text = made(bob)
    assert actor_of_token(text) is not None

    revoke_token(actor_of(bob), Token.objects.get().pk)

    assert actor_of_token(text) is None
    with pytest.raises(Refused, match="revoked already"):
        revoke_token(ROOT, Token.objects.get().pk)


def test_a_token_of_who_left_is_of_no_use_even_when_they_come_back(bob: int):
    """Promise: access ends the moment an administrator says so."""
    text = made(bob)

    deactivate_user(ROOT, bob)
    assert actor_of_token(text) is None

    reactivate_user(ROOT, bob)
    assert actor_of_token(text) is None


def test_logging_out_everywhere_can_end_tokens_too(bob: int):
    text = made(bob)

    assert log_out_everywhere(actor_of(bob), bob) == 0
    assert actor_of_token(text) is not None
    assert log_out_everywhere(actor_of(bob), bob, also_tokens=True) == 1
    assert actor_of_token(text) is None


# What a token may do


def test_a_token_may_no_more_than_it_was_given_nor_than_its_owner_may_now(bob: int):
    """Promise: tokens are scoped; they lose what their owner loses."""
    burp = world.connection()
    here, elsewhere = Place(connection_id=burp.pk), Place(connection_id=burp.pk + 1)
    text = made(bob, Grant("operator", "connection", burp.pk))

    assert comes_with(text).access.may("operator", here)
    assert not comes_with(text).access.may("administrator", here)
    assert not comes_with(text).access.may("reader", elsewhere)

    grant_role(ROOT, bob, "reader")
    assert not comes_with(text).access.may("operator", here)
    assert comes_with(text).access.may("reader", here)

    take_role(ROOT, bob)
    assert not comes_with(text).access.may("reader", here)


def test_no_token_is_made_for_more_than_its_owner_may(bob: int):
    with pytest.raises(Refused, match="«bob» is not administrator for everything"):
        made(bob, Grant("administrator"))


def test_nobody_learns_by_a_token_what_they_do_not_see():
    """Promise: what one may not see is not there."""
    hidden = world.connection("Hidden")
    eve = somebody_of_one_connection()

    with pytest.raises(NotThere) as seen:
        add_token(actor_of(eve), "nosy", grants=[Grant("reader", "connection", hidden.pk)])
    with pytest.raises(NotThere) as absent:
        add_token(actor_of(eve), "nosy", grants=[Grant("reader", "connection", 987_654)])

    assert str(seen.value).split(".")[0] == f"There is no Connection {hidden.pk}"
    assert str(absent.value).split(".")[0] == "There is no Connection 987654"


def test_a_token_makes_no_tokens_for_its_owner(bob: int):
    """Promise: a token that was stolen does not outlive its end."""
    with pytest.raises(Refused, match="makes no other tokens"):
        add_token(comes_with(made(bob, Grant("operator"))), "child", grants=READS)


def test_tokens_of_others_are_not_made_and_not_revoked(bob: int):
    alice, eve = add_user(ROOT, "alice", grants=READS), somebody_of_one_connection()
    made(alice)
    theirs = Token.objects.get().pk

    with pytest.raises(NotThere):
        add_token(actor_of(eve), "x", user_id=alice, grants=READS)
    with pytest.raises(NotThere):
        revoke_token(actor_of(eve), theirs)
    with pytest.raises(Forbidden):
        add_token(actor_of(bob), "x", user_id=alice, grants=READS)
    with pytest.raises(Forbidden):
        revoke_token(actor_of(bob), theirs)
    with viewing(actor_of(bob).access):
        assert tokens(me=bob).tokens == []
        assert read_token(theirs, me=bob) is None


@pytest.mark.parametrize("days", [0, -1, 366, 10**9])
def test_a_token_lives_a_year_at_most(bob: int, days: int):
    with pytest.raises(Refused, match="cannot live for"):
        made(bob, days=days)


def test_a_token_needs_a_role_and_somebody_whose_it_is(bob: int):
    with pytest.raises(Refused, match="without a role"):
        add_token(ROOT, "nothing", user_id=bob, grants=[])
    with pytest.raises(Refused, match="belongs to a user"):
        add_token(ROOT, "nobodys", grants=READS)
    deactivate_user(ROOT, bob)
    with pytest.raises(Refused, match="may not come in"):
        made(bob)


def test_nobody_has_tokens_without_end(bob: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tidegate.actions.token.MOST_TOKENS", 2)
    made(bob)
    made(bob)

    with pytest.raises(Refused, match="has 2 tokens already"):
        made(bob)


# What is kept of it


def test_a_token_is_shown_once_and_only_its_hash_is_stored(bob: int, caplog: pytest.LogCaptureFixture):
    """Promise: tokens are hashed and shown once."""
    new = add_token(ROOT, "nightly", user_id=bob, grants=READS)
    text = new.token.get_secret_value()
    row = Token.objects.get()

    assert bytes(row.hash) == hash_of(text)
    kept = (repr(Token.objects.values()[0]), repr(list(AuditLine.objects.values())), caplog.text, repr(new))
    told = msgspec.json.encode(tokens()).decode()
    assert not [one for one in (*kept, told) if text in one]
    assert bytes(row.hash).hex() not in told
    assert text.startswith(row.beginning)
    assert len(row.beginning) == 8


def test_when_and_from_where_it_was_used_is_noted_once_a_minute(bob: int):
    text = made(bob)
    assert tokens().tokens[0].last_used_at is None

    comes_with(text)
    actor_of_token(text, "198.51.100.1")

    row = tokens().tokens[0]
    assert row.last_used_at is not None
    assert row.last_used_from == "203.0.113.5"


def test_who_comes_with_a_token_is_called_by_its_owner_and_its_name(bob: int):
    actor = comes_with(made(bob))

    assert (actor.name, actor.token, actor.through, actor.address) == ("bob", "nightly", "API", "203.0.113.5")
