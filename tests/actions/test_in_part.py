"""Who holds a role for a Product only: sees, and cancels, what they asked for; takes back what they took away."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.acme import World
from tests.world import ALICE
from tidegate.actions import operation as operations
from tidegate.actions import record as records
from tidegate.actions.errors import Forbidden, NotThere
from tidegate.reads import operation as reads
from tidegate.reads.viewer import viewing
from tidegate.rules.access import Grant, Role, granted
from tidegate.rules.actor import Actor
from tidegate.store import models

pytestmark = pytest.mark.usefixtures("database", "acme")


def of_product(product: int, role: Role, name: str = "carol") -> Actor:
    return Actor("person", name, granted([Grant(role, "product", product)]), through="API")


def two_products() -> dict[str, Any]:
    """A Connection with a Record in each of two Products."""
    scanner = world.connection(tool="acme")
    made = {"connection": scanner.pk}
    for name in ("shop", "desk"):
        made[name] = world.record(scanner, name)
        made[f"{name} product"] = world.product(name.title())
        records.map_records(ALICE, [made[name]], product_id=made[f"{name} product"])
    models.Operation.objects.all().delete()  # the Syncs that come by themselves
    return made


def seen(actor: Actor, operation_id: int) -> reads.OperationDetail | None:
    with viewing(actor.access):
        return reads.operation(operation_id)


def test_who_asked_for_a_sync_of_their_records_sees_it_and_may_cancel_it(acme: World):
    there = two_products()
    carol = of_product(there["shop product"], "operator")

    number = operations.request_sync(carol, there["connection"], [there["shop"]])

    found = seen(carol, number)
    assert found is not None
    assert found.operation.records == [there["shop"]]
    operations.cancel(carol, number)
    assert models.Operation.objects.get(pk=number).status == "cancelled"


@pytest.mark.parametrize("ask", [operations.request_sync, operations.request_sync_preview])
def test_many_records_are_looked_up_at_once(acme: World, ask: Callable[..., int]):
    """However many are named: a thousand names of one cost no more than one, and one that is not there is named."""
    there = two_products()

    def questions(records: list[int]) -> int:
        with CaptureQueriesContext(connection) as asked, pytest.raises(NotThere, match="no Record 987654321 of"):
            ask(ALICE, there["connection"], [*records, 987_654_321])
        return len(asked)

    assert questions([there["shop"], there["desk"]] * 500) == questions([there["shop"]])


def test_a_sync_that_others_asked_for_too_is_seen_in_part_and_not_cancelled(acme: World):
    """Who sees a thing and may not is told which role it takes; who does not see it is told that it is not there."""
    there = two_products()
    carol, dave = of_product(there["shop product"], "operator"), of_product(there["desk product"], "operator", "dave")
    number = operations.request_sync(carol, there["connection"], [there["shop"]])
    assert operations.request_sync(dave, there["connection"], [there["desk"]]) == number

    for actor, own in ((carol, "shop"), (dave, "desk")):
        found = seen(actor, number)
        assert found is not None
        assert found.operation.records == [there[own]]
        with pytest.raises(Forbidden, match="takes the role operator there"):
            operations.cancel(actor, number)
    stranger = of_product(world.product("Another"), "operator", "mallory")
    assert seen(stranger, number) is None
    with pytest.raises(NotThere):
        operations.cancel(stranger, number)


def test_a_sync_that_joined_one_of_all_records_is_seen_in_part(acme: World):
    there = two_products()
    whole = operations.request_sync(ALICE, there["connection"])
    carol = of_product(there["shop product"], "operator")

    number = operations.request_sync(carol, there["connection"], [there["shop"]])

    assert number == whole
    found = seen(carol, number)
    assert found is not None
    assert (found.operation.records, found.operation.counts, found.log) == (None, {}, [])
    with pytest.raises(Forbidden):
        operations.cancel(carol, number)


def test_a_reader_of_the_product_sees_it_and_is_told_which_role_cancels_it(acme: World):
    there = two_products()
    number = operations.request_sync(ALICE, there["connection"], [there["shop"]])
    reader = of_product(there["shop product"], "reader")

    assert seen(reader, number) is not None
    with pytest.raises(Forbidden, match="takes the role operator there"):
        operations.cancel(reader, number)


def test_what_a_sync_held_in_another_product_is_not_decided_from_here(acme: World):
    """The Record went over to this Product since; its closings of then did not."""
    there = two_products()
    world.synced(there["shop"], "k1")
    sync = world.operation(
        models.Connection.objects.get(pk=there["connection"]), ended_at=world.now(), scope={"records": [there["shop"]]}
    )
    old = world.read(there["shop"]).feed_id
    assert old is not None
    models.Result.objects.create(operation=sync, record_id=there["shop"], family="", outcome="complete", feed_id=old)
    records.map_records(ALICE, [there["shop"]], product_id=there["desk product"])
    dave = of_product(there["desk product"], "operator", "dave")

    assert seen(dave, sync.pk) is not None
    for decide in (operations.approve, operations.keep_open):
        with pytest.raises(Forbidden):
            decide(dave, sync.pk)


def test_who_took_a_record_away_from_their_product_takes_that_back(acme: World):
    """Every decision can be undone as one step: by who made it, although the Record is out of their sight by it."""
    there = two_products()
    carol = of_product(there["shop product"], "mapper")
    step = records.ignore_records(carol, [there["shop"]], "a reason").step

    outcome = records.undo(carol, step=step)

    assert [item.ok for item in outcome.items] == [True]
    assert world.product_of(there["shop"]) == "Shop"


def test_nobody_else_takes_it_back_and_not_once_it_flows_elsewhere(acme: World):
    there = two_products()
    carol = of_product(there["shop product"], "mapper")
    step = records.ignore_records(carol, [there["shop"]]).step
    others = of_product(there["shop product"], "mapper", "dave")
    no_more = of_product(there["shop product"], "reader")

    for actor in (others, no_more):
        with pytest.raises(NotThere):
            records.undo(actor, step=step)
    records.map_records(ALICE, [there["shop"]], product_id=there["desk product"])
    with pytest.raises(NotThere):
        records.undo(carol, step=step)
    assert world.product_of(there["shop"]) == "Desk"


def test_a_bulk_is_taken_back_by_who_may_take_back_each_of_it(acme: World):
    there = two_products()
    both = Actor(
        "person",
        "carol",
        granted([Grant("mapper", "product", there[f"{name} product"]) for name in ("shop", "desk")]),
        through="API",
    )
    step = records.ignore_records(both, [there["shop"], there["desk"]]).step
    of_one = of_product(there["shop product"], "mapper")

    with pytest.raises(NotThere):
        records.undo(of_one, step=step)
    assert all(item.ok for item in records.undo(both, step=step).items)
