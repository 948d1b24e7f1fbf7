"""Who asks: what they are told of themselves."""

from __future__ import annotations

import pytest

from tests import world
from tidegate.actions.token import actor_of_token, add_token
from tidegate.actions.user import actor_of_user, add_user
from tidegate.reads.me import Me, me
from tidegate.rules.access import Grant
from tidegate.rules.actor import Actor, at_this_machine

ROOT = at_this_machine("root")

pytestmark = pytest.mark.usefixtures("database")


def asked(actor: Actor | None) -> Me:
    assert actor is not None
    return me(actor.user_id, actor.name, actor.token, actor.access)


def test_who_may_nothing_is_told_so():
    found = asked(actor_of_user(add_user(ROOT, "eve")))

    assert (found.name, found.grants, found.token, found.token_grants) == ("eve", [], "", None)


def test_roles_are_told_with_the_names_of_what_they_are_for_the_widest_first():
    burp = world.connection("Burp Staging")
    shop = world.product("Web shop")
    bob = add_user(ROOT, "bob", grants=[Grant("operator", "connection", burp.pk), Grant("mapper", "product", shop)])

    told = [(row.role, row.scope, row.id, row.name) for row in asked(actor_of_user(bob)).grants]

    assert told == [("mapper", "product", shop, "Web shop"), ("operator", "connection", burp.pk, "Burp Staging")]


def test_who_comes_with_a_token_is_told_what_that_may():
    bob = add_user(ROOT, "bob", grants=[Grant("operator")])
    text = add_token(ROOT, "nightly", user_id=bob, grants=[Grant("reader")]).token.get_secret_value()

    found = asked(actor_of_token(text))

    assert (found.id, found.token) == (bob, "nightly")
    assert [row.role for row in found.grants] == ["operator"]
    assert [row.role for row in found.token_grants or ()] == ["reader"]
