"""Types of parameters that many routes share, with what they mean."""

from __future__ import annotations

from typing import Annotated, Final

from pydantic import Field

from tidegate.reads.page import LARGEST_LIMIT, LIMIT

LARGEST_ID: Final = 2**63 - 1

Id = Annotated[int, Field(ge=1, le=LARGEST_ID, description="Its number.")]
Ids = Annotated[list[Id], Field(min_length=1, max_length=10_000, description="Their numbers.")]
Cursor = Annotated[
    str | None, Field(max_length=1000, description="Where the page begins: `next` of the page before it.")
]
Limit = Annotated[int, Field(ge=1, le=LARGEST_LIMIT, description="How many at most.")]
Search = Annotated[str, Field(max_length=500, description="Only those that contain this, ignoring case.")]
Reason = Annotated[str, Field(max_length=2000, description="Why; it stands in the history.")]
PAGE: Final = LIMIT
"""So many are in a page where nobody says how many."""
