"""Whom the commands ask: the actions and reads, by their names.

    from tidegate.cli.house import actions, reads

    actions.connection.pause_connection(me(), row.id, because)

What is imported is imported when it is used, so that --help answers at once.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:

    class Actions:
        """What type checkers know of it: the modules themselves."""

        from tidegate.actions import (
            configuration,
            connection,
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
            undo,
            user,
        )

    class Reads:
        """The same for what can be asked."""

        from tidegate.reads import (
            audit,
            configuration,
            connection,
            engagement,
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
            validation,
        )


class _Room:
    """`tidegate.actions` or `tidegate.reads`."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, noun: str) -> Any:
        return import_module(f"tidegate.{self._name}.{noun}")


if TYPE_CHECKING:
    actions, reads = Actions(), Reads()
else:
    actions, reads = _Room("actions"), _Room("reads")
