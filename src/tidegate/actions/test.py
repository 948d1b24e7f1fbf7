"""What a person may do to Tests: rename and delete them. A Test belongs to its Connection, whatever its name."""

from __future__ import annotations

from tidegate.actions.action import action
from tidegate.actions.step import not_there
from tidegate.actions.target import deleted, named
from tidegate.rules.actor import Actor
from tidegate.rules.names import clean_name
from tidegate.store.acting import acting
from tidegate.store.models import Test
from tidegate.store.writers.product import rename


@action("administrator", test="test_id")
def rename_test(actor: Actor, test_id: int, name: str) -> None:
    """Another name; several Tests may have the same. What flows into it flows on."""
    if not rename(Test, test_id, clean_name(name, "name of the Test")):
        raise not_there("Test", [test_id])


@action("administrator", test="test_id")
def delete_test(actor: Actor, test_id: int, typed_name: str) -> list[int]:
    """Deletes the Test with its findings; returns the Records that are Stale now."""
    with acting(str(actor)):
        named(Test, "Test", test_id, typed_name)
        return deleted(test=test_id)
