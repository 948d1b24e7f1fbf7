"""Two people at once: the second sees a clear result, and nothing is half done."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.db import DatabaseError, connections, transaction

from tests import world
from tests.world import ALICE, BOB
from tidegate.actions import connection as actions
from tidegate.actions import product as products
from tidegate.actions import record as records
from tidegate.actions.errors import Refused
from tidegate.store.models import Connection, Product, Record

pytestmark = pytest.mark.usefixtures("database")


def at_once(*works: Callable[[], Any]) -> list[Any]:
    """What each gave or raised; all begin together, each on a database connection of its own."""
    gate = threading.Barrier(len(works))

    def alone(work: Callable[[], Any]) -> Any:
        try:
            gate.wait(60)
            return work()
        except (Refused, DatabaseError) as error:
            return error
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(works)) as pool:
        return list(pool.map(alone, works))


def test_of_two_who_map_the_same_record_one_is_told():
    shop = world.record(world.connection())
    seen = {shop: world.read(shop).epoch}

    outcomes = at_once(
        lambda: records.map_records(ALICE, [shop], new_product="A", epochs=seen),
        lambda: records.map_records(BOB, [shop], new_product="B", epochs=seen),
    )

    assert sorted(outcome.items[0].ok for outcome in outcomes) == [False, True]
    told = next(outcome.items[0].sentence for outcome in outcomes if not outcome.items[0].ok)
    assert "It was decided by " in told
    assert Product.objects.count() == 1


def test_many_map_many_records_to_one_new_product_without_a_deadlock():
    burp = world.connection()
    ids = [world.record(burp, str(n)) for n in range(20)]

    outcomes = at_once(*(lambda: records.map_records(ALICE, ids[::-1], new_product="Shop") for _ in range(4)))

    assert [outcome for outcome in outcomes if not isinstance(outcome, Refused)]
    assert {world.product_of(id) for id in ids} == {"Shop"}
    assert Product.objects.count() == 1


def test_a_product_that_is_deleted_while_records_are_mapped_to_it_leaves_them_stale_or_untouched():
    """records.md: Product deleted: Stale at once; never silently made again; also while somebody maps to it."""
    burp = world.connection()
    ids = [world.record(burp, str(n)) for n in range(10)]
    shop = world.product("Shop")

    at_once(
        lambda: records.map_records(ALICE, ids, product_id=shop),
        lambda: products.delete_product(BOB, shop, "Shop"),
    )

    states = set(Record.objects.values_list("decision", "target_lost"))
    assert states in ({("undecided", "")}, {("mapped", "product")})
    assert not Product.objects.exists()


def test_an_action_is_tried_again_after_a_deadlock_with_plain_sql():
    burp = world.connection()
    first, second = world.record(burp, "a"), world.record(burp, "b")
    began = threading.Event()

    def plain_sql() -> None:
        with transaction.atomic():
            list(Record.objects.select_for_update().filter(pk=second))
            began.set()
            threading.Event().wait(0.3)
            Record.objects.filter(pk=first).update(url="https://a.example.org")

    def person() -> Any:
        began.wait(60)
        return records.ignore_records(ALICE, [first, second])

    outcomes = at_once(plain_sql, person)

    assert world.read(first).decision == world.read(second).decision == "ignored" or isinstance(outcomes[0], Exception)
    assert not isinstance(outcomes[1], Exception)


def test_of_two_who_take_a_label_one_is_told(tmp_path: Any):
    outcomes = at_once(
        *(
            lambda: actions.add_connection(
                ALICE, "report_folder", "Reports", {"path": str(tmp_path)}, {}, discover=False
            )
            for _ in range(3)
        )
    )

    assert [str(outcome) for outcome in outcomes if isinstance(outcome, Refused)] == [
        "There is a Connection «Reports» already. Choose another label."
    ] * 2
    assert Connection.objects.count() == 1
