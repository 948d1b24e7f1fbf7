"""`Idempotency-Key`: what a request did is done once, also where the process died between doing it and answering."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.http import HttpResponse
from django.test import RequestFactory

from tests.actions.ways import user
from tidegate.actions import product as products
from tidegate.actions.errors import Refused
from tidegate.actions.request import Answered, Begun, begin_request, carrying_out
from tidegate.api.again import once
from tidegate.api.answer import hashed
from tidegate.api.problem import Trouble
from tidegate.rules.access import FULL_ACCESS
from tidegate.rules.actor import Actor
from tidegate.store.models import AnsweredRequest, Product

pytestmark = pytest.mark.usefixtures("database")

KEY, ASKED = hashed(b"a key"), hashed(b"a request")


@pytest.fixture
def carol(database: object) -> Actor:
    return Actor("person", "carol", FULL_ACCESS, through="API", user_id=user("carol"))


def asked_once(carol: Actor, answer: Any) -> Any:
    request = RequestFactory().post("/api/v1/products", b"{}", "application/json", headers={"Idempotency-Key": "mine"})
    return once(request, carol, answer, secret=False)


def added(carol: Actor, then: type[BaseException] | None = None) -> HttpResponse:
    """Makes a Product; and then something may happen to who answers."""
    products.add_product(carol, f"Shop {Product.objects.count()}")
    if then is not None:
        raise then
    return HttpResponse(b"made", status=201)


def begun(carol: Actor) -> Any:
    assert carol.user_id is not None
    return begin_request(carol.user_id, KEY, ASKED)


def long_ago(minutes: int) -> None:
    AnsweredRequest.objects.update(at=F("at") - timedelta(minutes=minutes))


@pytest.mark.parametrize("what", [RuntimeError, KeyboardInterrupt])
def test_what_was_done_before_something_happened_is_not_done_again(carol: Actor, what: type[BaseException]):
    """promises.md: doing a thing twice changes nothing; whoever asks again is told that it was done."""
    with pytest.raises(what):
        asked_once(carol, lambda: added(carol, then=what))

    with pytest.raises(Trouble, match="was carried out") as told:
        asked_once(carol, lambda: added(carol))

    assert "look at what it made" in told.value.next_step
    assert Product.objects.count() == 1


def test_what_came_to_nothing_is_done_when_asked_again(carol: Actor):
    def nothing() -> HttpResponse:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        asked_once(carol, nothing)

    assert asked_once(carol, lambda: added(carol)).status_code == 201
    assert asked_once(carol, lambda: added(carol))["Idempotent-Replayed"] == "true"
    assert Product.objects.count() == 1


def test_a_request_whose_process_died_before_it_did_anything_is_done_by_the_next(carol: Actor):
    first = begun(carol)
    long_ago(minutes=9)
    assert begun(carol) == Begun(first.number, "running")

    long_ago(minutes=2)

    again = begun(carol)
    assert (again.why, again.number != first.number) == ("", True)


def test_of_a_request_whose_process_died_after_it_was_done_only_the_answer_is_lost(carol: Actor):
    first = begun(carol)
    with carrying_out(first.number):
        products.add_product(carol, "Shop")

    for minutes in (0, 60):
        long_ago(minutes)
        assert begun(carol) == Begun(first.number, "lost")


def test_whoever_slept_too_long_does_nothing_any_more(carol: Actor):
    """The one that took the key may have done it by then."""
    slept = begun(carol)
    long_ago(minutes=11)
    taken = begun(carol)
    assert taken.why == ""

    with pytest.raises(Refused, match="began it anew"), carrying_out(slept.number):
        products.add_product(carol, "Shop")

    assert not Product.objects.exists()
    with carrying_out(taken.number):
        products.add_product(carol, "Shop")
    assert begun(carol).why == "lost"


def test_another_request_does_not_take_the_key_of_the_dead(carol: Actor):
    begun(carol)
    long_ago(minutes=11)
    assert carol.user_id is not None

    assert begin_request(carol.user_id, KEY, hashed(b"another")).why == "another"  # pyright: ignore[reportAttributeAccessIssue]


def test_an_answer_is_kept_once_it_is_given(carol: Actor):
    asked_once(carol, lambda: added(carol))

    kept = begin_request(carol.user_id or 0, hashed(b"mine"), hashed(b"/api/v1/products", b"{}"))

    assert kept == Answered(201, {"Content-Type": "text/html; charset=utf-8"}, b"made")
