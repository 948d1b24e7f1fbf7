"""Names of Products in what is told of the past: where a Record flowed before, where a finding lay.

Whoever sees a Connection is told where its Records went. Whoever sees a Record or finding by its Product only is told
the names of Products that they see; any other is *another Product*, and a deleted one too.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tidegate.reads.viewer import sees, sees_everything
from tidegate.rules.access import Place
from tidegate.store import models

ANOTHER: Final = "another Product"


class Told:
    """What the viewer is told for the names of Products, in what belongs to some Connections."""

    def __init__(self, names: Iterable[tuple[int, str]]) -> None:
        """Asks once for all of these: of which Connection, and the name."""
        self._hidden: frozenset[tuple[int, str]] = frozenset()
        if not sees_everything():
            self._hidden = _hidden({(connection, name) for connection, name in names if name})

    def name(self, connection_id: int, name: str) -> str:
        """The name, or that it is another Product; empty where there is none."""
        return ANOTHER if (connection_id, name) in self._hidden else name


def quoted(name: str) -> str:
    """A Product's name in a sentence."""
    return name if name == ANOTHER else f"«{name}»"


def _hidden(names: set[tuple[int, str]]) -> frozenset[tuple[int, str]]:
    asked = {one for one in names if not sees(Place(connection_id=one[0]))}
    if not asked:
        return frozenset()
    products = models.Product.objects.filter(name__in={name for _, name in asked})
    places = {name: (pk, kind) for name, pk, kind in products.values_list("name", "pk", "product_type_id")}
    return frozenset(
        (connection, name)
        for connection, name in asked
        if name not in places or not sees(Place(connection, *places[name]))
    )
