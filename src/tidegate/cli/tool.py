"""`tidegate tool`: what can be connected, and what each needs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.house import reads
from tidegate.cli.naming import not_there
from tidegate.cli.option import Json, Search, group
from tidegate.cli.terminal import facts, heading, plain, print_json, say, table

if TYPE_CHECKING:
    from tidegate.reads.tool import FieldRow, GradedRow

app = group("See which security tools Tidegate can talk to.")


@app.command("list")
def list_tools(search: Search = "", json: Json = False) -> None:
    """List every tool that can be connected."""
    found = reads.tool.tools(search)
    if json:
        return print_json(reads.tool.ToolList(tools=found))
    rows = [(row.slug, row.name, row.a_record_is, row.tier) for row in found]
    return table(
        ("TOOL", "NAME", "A RECORD IS", "TIER"), rows, empty="There is no such tool. See all: tidegate tool list"
    )


@app.command("show")
def show_tool(
    slug: Annotated[str, typer.Argument(metavar="TOOL", help="Its short name, as `tool list` says it.")],
    json: Json = False,
) -> None:
    """Show what a tool needs to be connected: every field, and where to find its value."""
    found = reads.tool.tool(slug)
    if found is None:
        raise not_there("Tool", slug)
    if json:
        return print_json(reads.tool.ToolAnswer(tool=found))
    say(f"{found.name}: a Record is {found.a_record_is}.")
    if found.tier:
        read = ", ".join(f"{each.name} ({each.kind}, {_proven(each)})" for each in found.lists)
        say(f"Tier: {found.tier}; it passes {found.cases} cases of the conformance suite. It reads: {read}.")
    for field in found.fields:
        heading(f"{field.title} ({field.name})")
        facts(
            [
                ("", field.description),
                ("given by", _given_by(field)),
                ("needed", _needed(field)),
                ("one of", plain(field.choices)),
                ("such as", plain(field.examples)),
            ]
        )
    say()
    return say(f"Connect it with: tidegate connection add {found.slug} --label …")


def _proven(each: GradedRow) -> str:
    return "counted" if each.counted else "walked"


def _given_by(field: FieldRow) -> str:
    if field.secret:
        return f"--secret {field.name}=env:VARIABLE"
    return f"--set {field.name}=…" + (", said again for each value" if field.many else "")


def _needed(field: FieldRow) -> str:
    if field.required:
        return "yes"
    return "no" if field.default in (None, [], "") else f"no; without it: {plain(field.default)}"
