"""Examples of what every route is sent and answers, as a real house answered: examples.json.

tests/api/record_examples.py writes them. What is not what a route takes or answers any more fails
tests/api/test_example.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

import msgspec

from tidegate.api.route import Route


class Example(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True, forbid_unknown_fields=True):
    """Of one route."""

    sends: Any = None
    """The body; None where it takes none, or where one stands at the route itself."""
    answers: Any = None
    """The answer, a text where it is a file; None where it has none."""


@cache
def examples() -> Mapping[str, Example]:
    """By the operation: `actions.connection.pause_connection`."""
    return msgspec.json.decode((files("tidegate.api") / "examples.json").read_bytes(), type=dict[str, Example])


def example_of(route: Route) -> Example:
    """Its example; an empty one where none was recorded."""
    return examples().get(route.of) or Example()


def sent_to(route: Route) -> Any:
    """An example of its body; None where there is none."""
    return example_of(route).sends if route.sends is None else route.sends
