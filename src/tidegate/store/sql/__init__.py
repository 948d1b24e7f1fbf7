"""Every hand-written statement, one a file: `sql("compare")` is the text of sql/compare.sql."""

from __future__ import annotations

from functools import cache
from importlib import resources
from typing import LiteralString, cast


@cache
def sql(name: str) -> LiteralString:
    """The statement in `<name>.sql`. It comes from our own package, so it may be called a literal."""
    return cast("LiteralString", (resources.files(__name__) / f"{name}.sql").read_text("utf-8"))
