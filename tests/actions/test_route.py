"""What a person may do to routes: everything is checked before anything is stored."""

from __future__ import annotations

import pytest
from pydantic import SecretStr

from tests import world
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.route import add_route, edit_route, remove_route, try_address
from tidegate.actions.route import test_route as send_a_test
from tidegate.reads.route import named, routes
from tidegate.rules.news import EVERY_CONNECTION
from tidegate.store.models import Connection, Route

ALICE = world.ALICE
HOOK = SecretStr("json://127.0.0.1:1/T0pS3cretT0ken")


def test_what_cannot_be_is_refused_and_nothing_is_stored(database: object):
    deleted = world.connection(deleted_at=world.now())
    for refused in (
        lambda: add_route(ALICE, " ", HOOK),
        lambda: add_route(ALICE, "a", HOOK, kinds=["gossip"]),
        lambda: add_route(ALICE, "a", HOOK, connection_id=deleted.pk),
        lambda: add_route(ALICE, "a", HOOK, connection_id=2**70),
        lambda: add_route(ALICE, "a", SecretStr("file:///etc/passwd")),
        lambda: try_address(ALICE, "a", SecretStr("file:///etc/passwd")),
    ):
        with pytest.raises(Refused):
            refused()

    assert Route.objects.count() == 0


def test_a_route_that_is_not_there_is_said(database: object):
    for missing in (-1, 0, 5, 2**70):
        for work in (
            lambda number=missing: edit_route(ALICE, number, name="b"),
            lambda number=missing: remove_route(ALICE, number),
            lambda number=missing: send_a_test(ALICE, number),
        ):
            with pytest.raises(NotThere, match="There is no route"):
                work()


def test_an_address_is_stored_sealed_and_shown_masked(database: object):
    number = add_route(ALICE, "Team", HOOK)

    stored = Route.objects.get(pk=number)
    assert b"T0pS3cretT0ken" not in bytes(stored.address)
    assert stored.shown == "json://127.0.0.1:1/…"
    assert (stored.created_by, stored.connection_id, stored.kinds) == ("alice", None, [])
    assert "T0pS3cretT0ken" not in str(routes()) + repr(stored)


def test_another_address_forgets_what_the_old_one_did(database: object):
    number = add_route(ALICE, "Team", HOOK)
    Route.objects.update(failing_since=world.now(), last_error="It refuses the connection.")

    edit_route(ALICE, number, address=SecretStr("json://127.0.0.1:2/x"))

    (row,) = routes().routes
    assert (row.state, row.leads_to, row.last_error) == ("on", "json://127.0.0.1:2/…", "")


def test_what_is_not_named_stays(database: object):
    of = world.connection("Acme")
    number = add_route(ALICE, "Team", HOOK, kinds=["held", "overdue"], connection_id=of.pk)
    edit_route(ALICE, number, name="Crew")
    (row,) = named("crew")
    assert (row.kinds, row.connection_id) == (["overdue", "held"], of.pk)

    edit_route(ALICE, number, kinds=[], connection_id=EVERY_CONNECTION)
    (row,) = named(str(number))
    assert (row.name, row.kinds, row.connection_id) == ("Crew", [], None)


def test_a_route_goes_with_the_row_of_its_connection(database: object):
    of = world.connection("Acme")
    add_route(ALICE, "Team", HOOK, connection_id=of.pk)

    Connection.objects.filter(pk=of.pk).delete()

    assert Route.objects.count() == 0
