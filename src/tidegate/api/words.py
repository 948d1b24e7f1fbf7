"""Types of parameters that many routes share, with what they mean."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any, Final

from pydantic import AfterValidator, AwareDatetime, BeforeValidator, Field

from tidegate.reads.page import LARGEST_LIMIT, LIMIT

LARGEST_ID: Final = 2**63 - 1
FIRST: Final = datetime(1, 1, 1, tzinfo=UTC)
LAST: Final = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def _no_number(given: Any) -> Any:
    """A number is no time: pydantic would count it in seconds or milliseconds, as it pleases."""
    if isinstance(given, (int, float)) or (isinstance(given, str) and given[4:5] != "-"):
        raise ValueError("Write it as 2026-11-27T08:00:00Z.")
    return given


def _in_utc(given: datetime) -> datetime:
    """PostgreSQL takes fewer offsets than Python; and at both ends of time one is as good as the other."""
    try:
        return given.astimezone(UTC)
    except OverflowError:
        return FIRST if given.year == 1 else LAST


Moment = Annotated[AwareDatetime, Field(strict=False), BeforeValidator(_no_number), AfterValidator(_in_utc)]
"""A time with its offset, as ISO 8601 and RFC 3339 write it."""

Id = Annotated[int, Field(ge=1, le=LARGEST_ID, description="Its number.")]
Ids = Annotated[list[Id], Field(min_length=1, max_length=10_000, description="Their numbers.")]
NoIds = Annotated[list[Id], Field(max_length=10_000, description="Their numbers; none where a filter says which.")]
Expected = Annotated[
    str,
    Field(
        max_length=100,
        pattern=r"^(\d+(-[0-9a-f]+)?)?$",
        description="What you expect to be meant: `expected` of the preview, or how many. A filter needs it.",
    ),
]
Cursor = Annotated[
    str | None,
    Field(
        max_length=1000,
        description="Where the page begins: `next` of the page before it.",
        json_schema_extra={"format": "cursor"},
    ),
]
Limit = Annotated[int, Field(ge=1, le=LARGEST_LIMIT, description="How many at most.")]
Search = Annotated[str, Field(max_length=500, description="Only those that contain this, ignoring case.")]
Named = Annotated[
    str,
    Field(max_length=1000, description="Its number, or its name; where no name is just so, in other letters' case."),
]
Reason = Annotated[str, Field(max_length=2000, description="Why; it stands in the history.")]
PAGE: Final = LIMIT
"""So many are in a page where nobody says how many."""
