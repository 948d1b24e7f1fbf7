"""`tidegate tool`: what can be connected, and what each needs."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate.cli.naming import not_there
from tidegate.cli.option import Json, group
from tidegate.cli.terminal import facts, heading, print_json, say, table

app = group("See which security tools Tidegate can talk to.")


@app.command("list")
def list_tools(json: Json = False) -> None:
    """List every tool that can be connected."""
    from tidegate.reads import tool

    found = tool.tools()
    if json:
        return print_json(tool.ToolList(tools=found))
    rows = [(row.slug, row.name, row.a_record_is) for row in found]
    return table(("TOOL", "NAME", "A RECORD IS"), rows, empty="No tool is installed. Install one, then try again.")


@app.command("show")
def show_tool(
    slug: Annotated[str, typer.Argument(metavar="TOOL", help="Its short name, as `tool list` says it.")],
    json: Json = False,
) -> None:
    """Show what a tool needs to be connected: every field, and where to find its value."""
    from tidegate.reads import tool

    found = tool.tool(slug)
    if found is None:
        raise not_there("Tool", slug)
    if json:
        return print_json(tool.ToolAnswer(tool=found))
    say(f"{found.name}: a Record is {found.a_record_is}.")
    for field in found.fields:
        heading(f"{field.title} ({field.name})")
        facts(
            [
                ("", field.description),
                ("given by", f"--secret {field.name}=env:VARIABLE" if field.secret else f"--set {field.name}=…"),
                (
                    "needed",
                    "yes"
                    if field.required
                    else f"no; without it: {field.default}"
                    if field.default is not None
                    else "no",
                ),
                ("one of", ", ".join(map(str, field.choices))),
                ("such as", ", ".join(map(str, field.examples))),
            ]
        )
    say()
    return say(f"Connect it with: tidegate connection add {found.slug} --label …")
