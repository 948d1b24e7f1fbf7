"""Whom the commands ask: the actions and reads, by their names.

    from tidegate.cli.house import actions, reads

    actions.connection.pause_connection(me(), row.id, because)

They are those of this machine, or, with TIDEGATE_URL, those of a Tidegate elsewhere. What is imported is imported when
it is used, so that --help answers at once.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Any

from tidegate.cli.failure import Failure

if TYPE_CHECKING:

    class Actions:
        """What type checkers know of it: the modules themselves."""

        from tidegate.actions import (
            bulk,
            configuration,
            connection,
            delivery,
            destination,
            engagement,
            finding,
            mapping,
            operation,
            product,
            product_type,
            record,
            route,
            rule,
            schedule,
            suggestion,
            test,
            token,
            trigger,
            undo,
            user,
            validation,
        )

    class Reads:
        """The same for what can be asked."""

        from tidegate.reads import (
            audit,
            configuration,
            connection,
            destination,
            engagement,
            export,
            find,
            finding,
            mapping,
            operation,
            preview,
            product,
            product_type,
            progress,
            record,
            route,
            rule,
            schedule,
            service,
            story,
            suggestion,
            test,
            token,
            tool,
            user,
        )


def is_far() -> bool:
    """Whether the commands are for a Tidegate elsewhere."""
    return bool(os.environ.get("TIDEGATE_URL"))


def only_here() -> Failure:
    """What is said of what only the machine itself can do."""
    return Failure(
        "That works only on the machine where Tidegate runs, and TIDEGATE_URL names another.",
        "Run it there, without TIDEGATE_URL.",
    )


class _Room:
    """`tidegate.actions` or `tidegate.reads`, here or far away."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, noun: str) -> Any:
        if is_far():
            from tidegate.cli.far import FarModule

            return FarModule(f"{self._name}.{noun}")
        return import_module(f"tidegate.{self._name}.{noun}")


if TYPE_CHECKING:
    actions, reads = Actions(), Reads()
else:
    actions, reads = _Room("actions"), _Room("reads")
