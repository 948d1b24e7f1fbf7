"""Routes: which tools can be connected, and what each needs."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tidegate.api.answer import there
from tidegate.api.route import Routes
from tidegate.api.words import Search
from tidegate.reads import tool as reads

routes = Routes("tool")

Slug = Annotated[str, Field(max_length=100, description="The slug of the Tool, as the list says it.")]


@routes.read("/tools", reads.tools, answers=reads.ToolList)
def tools(search: Search = "") -> reads.ToolList:
    return reads.ToolList(tools=reads.tools(search))


@routes.read("/tools/{slug}", reads.tool, answers=reads.ToolAnswer)
def tool(slug: Slug) -> reads.ToolAnswer:
    return reads.ToolAnswer(tool=there(reads.tool(slug), "Tool", slug))
