"""A process that runs one Operation and stops at a named place, to be killed there: `python -m tests.faults.victim`.

Reads its orders as JSON from standard input; prints "here" when it has come to the place, and waits for a line there.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from typing import Any

import tests.database  # noqa: F401 - sets Django up
from tests.acme import Acme, Product, World
from tidegate.rules.actor import Actor


def main() -> None:
    orders = json.loads(sys.stdin.readline())
    point_django_at(orders["database"])
    world = World({key: Product(**product) for key, product in orders["products"].items()}, paged="steady")
    from tidegate import catalog
    from tidegate.actions.operation import discover, sync

    tool = type("Acme", (Acme,), {"world": world, "__orig_bases__": vars(Acme)["__orig_bases__"]})
    catalog.build = lambda connection: tool(tool.settings_type()(**connection.settings))
    stop_at(orders["place"])
    run = {"sync": sync, "discover": discover}[orders["type"]]
    run(Actor("person", "alice"), orders["connection"])
    print("ended", flush=True)


def point_django_at(parameters: dict[str, Any]) -> None:
    from django.db import connections

    connections.settings["default"].update(parameters)


def here() -> None:
    """Waits to be killed, or told to go on."""
    print("here", flush=True)
    sys.stdin.readline()


def stop_at(place: str) -> None:
    """`before <place>` and `after <place>` name a function of ingest; it is stopped on entering, or on leaving it."""
    when, _, name = place.partition(" ")
    module, function = PLACES[name]()
    real = getattr(module, function)

    def stopped(*arguments: Any, **options: Any) -> Any:
        if when == "before":
            here()
        result = real(*arguments, **options)
        here()
        return result

    setattr(module, function, stopped)


def places() -> dict[str, Callable[[], tuple[Any, str]]]:
    from tidegate.ingest import apply, discover, operation, record, sync

    return {
        "claim": lambda: (operation, "claim_operation"),
        "login": lambda: (sync, "log_in"),
        "compare": lambda: (apply, "compare"),
        "write": lambda: (apply, "write"),
        "record": lambda: (sync, "apply_record"),
        "results": lambda: (record, "_save_parts"),
        "verdict": lambda: (sync, "save_verdict"),
        "closing": lambda: (sync, "_carry_out_one"),
        "ending": lambda: (sync, "_ending"),
        "end": lambda: (operation, "end_operation"),
        "veps": lambda: (discover, "_read"),
        "discover apply": lambda: (discover, "_apply"),
        "discover staging": lambda: (discover, "_stage"),
    }


PLACES = places()

if __name__ == "__main__":
    main()
