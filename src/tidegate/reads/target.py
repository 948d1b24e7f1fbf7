"""What deleting a Product, an Engagement or a Test leaves behind."""

from __future__ import annotations

from typing import Annotated

import msgspec
from msgspec import Meta


class StaleRecords(msgspec.Struct, frozen=True, kw_only=True):
    """The Records that lost what they wrote to."""

    stale: Annotated[list[int], Meta(description="Their numbers: they are Stale now.")]
