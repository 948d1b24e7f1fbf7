"""What a person may do to Tests: rename and delete them. A Test belongs to its Connection, whatever its name."""

from __future__ import annotations

from tidegate.actions.action import action
from tidegate.actions.step import LARGEST_ID, not_there
from tidegate.actions.target import deleted, named
from tidegate.actions.version import demand_expected
from tidegate.rules.actor import Actor
from tidegate.rules.names import clean_name
from tidegate.store.acting import acting
from tidegate.store.models import Test
from tidegate.store.writers.product import lock_named, rename


@action("administrator", test="test_id")
def rename_test(actor: Actor, test_id: int, name: str) -> None:
    """Another name; several Tests may have the same. What flows into it flows on."""
    name = clean_name(name, "name of the Test")
    if not 0 < test_id <= LARGEST_ID or not lock_named(Test, test_id):
        raise not_there("Test", [test_id])
    demand_expected("test", test_id)
    rename(Test, test_id, name)


@action("administrator", test="test_id")
def delete_test(actor: Actor, test_id: int, typed_name: str) -> list[int]:
    """Deletes the Test with its findings; returns the Records that are Stale now."""
    with acting(str(actor)):
        named(Test, "Test", test_id, typed_name)
        return deleted(test=test_id)
