"""What a person may do to Destinations: checked before it is stored, sealed, and one place for each thing."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from tests import world
from tidegate.actions.destination import (
    add_destination,
    add_destination_route,
    delete_destination,
    edit_destination,
    remove_destination_route,
    try_destination,
)
from tidegate.actions.destination import test_destination as fly
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.version import Changed, expecting
from tidegate.delivery.defectdojo.destination import dojo_of
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo
from tidegate.reads.destination import destination, destinations
from tidegate.reads.version import version_of
from tidegate.store.models import Destination, DestinationRoute, ProductType
from tidegate.store.writers.product import product_type_named

ALICE = world.ALICE
CANARY = "c4nary0t0ken0of0a0dojo0000000000000000001"
THERE = {"url": "https://dojo.example.org/api/v2/"}
TOKEN = {"token": SecretStr(CANARY)}


@pytest.fixture
def dojo() -> Iterator[FakeDefectDojo]:
    with FakeDefectDojo() as fake:
        yield fake


def test_what_cannot_be_is_refused_and_nothing_is_stored(database: object):
    for refused, why in (
        (lambda: add_destination(ALICE, " ", THERE, TOKEN), "empty"),
        (lambda: add_destination(ALICE, "D", {}, TOKEN), "URL .* is missing"),
        (lambda: add_destination(ALICE, "D", THERE, {}), "token.* is missing"),
        (lambda: add_destination(ALICE, "D", {"url": "https://u:p@x"}, TOKEN), "no user or password"),
        (lambda: add_destination(ALICE, "D", THERE | {"token": CANARY}, {}), "is a secret"),
        (lambda: add_destination(ALICE, "D", THERE | {CANARY: "x"}, TOKEN), "no setting of a name"),
        (lambda: add_destination(ALICE, "D", THERE, TOKEN | {CANARY: SecretStr("x")}), "no secret of a name"),
        (lambda: add_destination(ALICE, "D", THERE, TOKEN, writes_per_minute=0), "writes a minute"),
        (lambda: add_destination(ALICE, "D", THERE, TOKEN, join_products="always"), "no way to join"),
    ):
        with pytest.raises(Refused, match=why) as caught:
            refused()
        assert CANARY not in str(caught.value) + repr(caught.value)

    assert Destination.objects.count() == 0


def test_a_destination_that_is_not_there_is_said(database: object):
    for number in (-1, 0, 5, 2**70):
        for work in (
            lambda number=number: edit_destination(ALICE, number, name="b"),
            lambda number=number: delete_destination(ALICE, number, "b"),
            lambda number=number: fly(ALICE, number),
            lambda number=number: add_destination_route(ALICE, number),
            lambda number=number: remove_destination_route(ALICE, number),
            lambda number=number: try_destination(ALICE, THERE, {}, destination_id=number),
        ):
            with pytest.raises(NotThere):
                work()


def test_the_token_is_sealed_and_shown_nowhere(database: object):
    number = add_destination(ALICE, "D", THERE, TOKEN)

    row = Destination.objects.get(pk=number)
    assert row.settings == {"url": "https://dojo.example.org"}
    assert CANARY.encode() not in bytes(row.secrets)
    assert CANARY not in str(destinations()) + repr(row.settings)
    with dojo_of(row) as opened:
        assert opened.url == "https://dojo.example.org"


def test_two_do_not_have_one_name(database: object):
    add_destination(ALICE, "D", THERE, TOKEN)
    other = add_destination(ALICE, "E", THERE, TOKEN)

    for work in (lambda: add_destination(ALICE, "D", THERE, TOKEN), lambda: edit_destination(ALICE, other, name="D")):
        with pytest.raises(Refused, match="There is a Destination «D» already"):
            work()


def test_a_token_is_sent_to_no_other_server_than_it_was_given_for(database: object, dojo: FakeDefectDojo):
    """Whoever may edit must not learn the token by naming a server of their own."""
    number = add_destination(ALICE, "D", THERE, TOKEN)

    for work in (
        lambda: edit_destination(ALICE, number, settings={"url": dojo.url}),
        lambda: try_destination(ALICE, {"url": dojo.url}, {}, destination_id=number),
    ):
        with pytest.raises(Refused, match="another server"):
            work()

    assert dojo.asked == []
    edit_destination(ALICE, number, settings={"url": f"{THERE['url']}dojo"})  # another path of the same
    edit_destination(ALICE, number, settings={"url": dojo.url}, secrets={"token": SecretStr(dojo.token)})
    assert fly(ALICE, number).ok is True


def test_a_look_is_remembered_until_the_server_is_another(database: object, dojo: FakeDefectDojo):
    number = add_destination(
        ALICE, "D", {"url": dojo.url}, {"token": SecretStr(dojo.token)}, product_type="Research and Development"
    )
    assert fly(ALICE, number).ok

    seen = destination(number)
    assert seen is not None
    assert (seen.version, seen.checked_at is not None) == ("3.2.0", True)
    edit_destination(ALICE, number, settings=THERE, secrets=TOKEN)
    seen = destination(number)
    assert seen is not None
    assert (seen.version, seen.checked_at) == ("", None)


def test_one_thing_goes_to_one_place(database: object):
    number, other = (add_destination(ALICE, name, THERE, TOKEN) for name in ("D", "E"))
    acme, shelf = world.connection(), product_type_named("Shelf")
    rest = add_destination_route(ALICE, number)
    add_destination_route(ALICE, number, connection_id=acme.pk)
    add_destination_route(ALICE, number, product_type_id=shelf)

    for chosen in ({}, {"connection_id": acme.pk}, {"product_type_id": shelf}):
        with pytest.raises(Refused, match="is there already"):
            add_destination_route(ALICE, other, **chosen)
    with pytest.raises(Refused, match="a Connection or for a Product Type"):
        add_destination_route(ALICE, other, connection_id=acme.pk, product_type_id=shelf)
    with pytest.raises(NotThere):
        add_destination_route(ALICE, other, product_type_id=2**40)
    remove_destination_route(ALICE, rest)
    add_destination_route(ALICE, other)

    found = destination(number)
    assert found is not None
    assert sorted(one.takes for one in found.routes) == ["connection", "product type"]
    assert "2 routes lead to it" in found.why


def test_routes_go_with_what_they_are_about(database: object):
    number = add_destination(ALICE, "D", THERE, TOKEN)
    add_destination_route(ALICE, number, product_type_id=product_type_named("Shelf"))
    add_destination_route(ALICE, number)
    ProductType.objects.filter(name="Shelf").delete()
    assert DestinationRoute.objects.count() == 1

    with pytest.raises(Refused, match="something else was typed"):
        delete_destination(ALICE, number, "d")
    delete_destination(ALICE, number, "D")

    assert (Destination.objects.count(), DestinationRoute.objects.count()) == (0, 0)


def test_what_was_changed_meanwhile_is_not_overwritten(database: object):
    number = add_destination(ALICE, "D", THERE, TOKEN)
    looked_at = frozenset({version_of("destination", number) or ""})
    edit_destination(ALICE, number, writes_per_minute=30, on=False)

    with pytest.raises(Changed), expecting("destination", number, looked_at):
        edit_destination(ALICE, number, writes_per_minute=60)

    found = destination(number)
    assert found is not None
    assert (found.writes_per_minute, found.state) == (30, "off")
