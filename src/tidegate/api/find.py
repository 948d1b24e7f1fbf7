"""Routes: find anything."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tidegate.api.route import Routes
from tidegate.reads import find as reads

routes = Routes("find")

Words = Annotated[str, Field(max_length=200, description="Words of its name, or its number.")]


@routes.read("/find", reads.anything, answers=reads.Found)
def anything(search: Words = "") -> reads.Found:
    return reads.anything(search)
