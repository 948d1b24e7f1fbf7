"""The findings of a server before version 5: one finding may come once for each time that an analyzer found it."""

from collections.abc import Iterator
from hashlib import blake2b
from typing import Any, BinaryIO, cast

import msgspec

from tidegate_sdk import Row
from tidegate_sdk.array import rows_of_array

AGAIN = "attributed again"
"""A field that no server sends: the row tells of a finding that another row has told of."""


def rows_of_findings(file: BinaryIO) -> Iterator[Any]:
    """Every row; those that differ from one before in nothing but who found it, and when, are marked.

    A row that comes twice as it is stays as it is: it may stand in the place of one that is left out.
    """
    known: dict[str, tuple[bytes, list[bytes]]] = {}
    for item in rows_of_array(file):
        if isinstance(item, dict) and isinstance(item.get("matrix"), str):  # pyright: ignore[reportUnknownMemberType]
            row = cast("dict[str, Any]", item)
            finding = _digest({name: told for name, told in row.items() if name != "attribution"})
            before, by = known.setdefault(row["matrix"], (finding, []))
            attribution = _digest(row.get("attribution"))
            yield {**row, AGAIN: True} if by and before == finding and attribution not in by else row
            by.append(attribution)
        else:
            yield item


def is_told_again(row: Row) -> bool:
    return row.get(AGAIN) is True


def _digest(told: Any) -> bytes:
    return blake2b(msgspec.json.encode(told, order="deterministic"), digest_size=16).digest()
