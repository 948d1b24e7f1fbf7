"""`tidegate connection trigger`: who may ask from outside for a Sync; made, shown and taken away."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tests.cli.test_json import has_shape
from tidegate.actions.trigger import NotSigned, take_call
from tidegate.cli.answer import answers


@pytest.fixture
def acme(tidegate: Any) -> Any:
    world.connection("Acme")
    return tidegate


@pytest.mark.parametrize(
    ("options", "code", "why"),
    [
        (("--new", "--remove"), 2, "contradict"),
        (("--key-path", "project.key"), 2, "stored with a secret"),
        (("--new", "--key-path", "a..b"), 1, "Leave it out"),
        (("--remove",), 1, "has no trigger"),
    ],
)
def test_what_cannot_be_is_a_sentence(acme: Any, options: tuple[str, ...], code: int, why: str):
    ran = acme("connection", "trigger", "Acme", *options)

    assert (ran.code, why in ran.err) == (code, True), ran.err


def test_without_an_option_nothing_changes_and_it_says_who_may(acme: Any):
    nobody = acme("connection", "trigger", "Acme")
    acme("connection", "trigger", "Acme", "--new")
    somebody = acme("connection", "trigger", "Acme")

    assert "Nobody can ask from outside" in nobody.out
    assert "/api/v1/connections/1/trigger" in somebody.out
    assert "whsec_" not in somebody.out + somebody.err + acme("connection", "show", "Acme", "--json").out


def test_a_secret_is_shown_once_and_the_one_before_ends(acme: Any):
    first = acme("connection", "trigger", "Acme", "--new")
    second = acme.json("connection", "trigger", "Acme", "--new", "--key-path", "project.key")

    assert first.out.strip().startswith("whsec_")
    assert "not shown again" in first.err
    assert second["secret"] not in (None, first.out.strip())
    assert second["trigger"] is True
    assert has_shape(second, answers()["connection trigger"])


def test_a_trigger_that_was_removed_takes_no_call(acme: Any):
    acme("connection", "trigger", "Acme", "--new")

    gone = acme.json("connection", "trigger", "Acme", "--remove")

    assert (gone["trigger"], gone["secret"]) == (False, None)
    with pytest.raises(NotSigned):
        take_call(1, {}, b"")
