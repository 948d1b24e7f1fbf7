"""Writes docs/reference from the code, and what a far command line knows of the API: `./dev docs`. With --check it only
compares, and says which page is stale."""

from __future__ import annotations

import json
import sys
import tempfile
import types
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, Union, get_args, get_origin
from uuid import UUID

import msgspec
import typer
from pydantic import SecretStr

REFERENCE = Path(__file__).resolve().parent / "reference"
ROUTES = REFERENCE.parents[1] / "src" / "tidegate" / "cli" / "routes.json"
QUALITY = REFERENCE.parents[1] / "src" / "tidegate" / "reads" / "quality.json"
MADE = "<!-- Made by docs/generate.py from the code. To change it, change the code and run: ./dev docs -->\n\n"


def main(arguments: list[str]) -> int:
    set_up_django()
    pages = {REFERENCE / name: MADE + make().rstrip() + "\n" for name, make in PAGES.items()}
    pages[ROUTES] = routes_file()
    told = quality()
    pages[QUALITY] = json.dumps(told, indent=2, ensure_ascii=False) + "\n"  # quality_file
    pages |= {REFERENCE / "tools" / f"{slug}.md": MADE + tool_page(slug, told[slug]).rstrip() + "\n" for slug in told}
    pages[REFERENCE / "tools" / "README.md"] = MADE + tools_page(told).rstrip() + "\n"
    stale = [path for path, text in pages.items() if written(path) != text]
    if "--check" in arguments:
        for path in stale:
            print(f"{path.parent.name}/{path.name} does not say what the code says. Run: ./dev docs", file=sys.stderr)
        return 1 if stale else 0
    for path in stale:
        path.parent.mkdir(exist_ok=True)
        path.write_text(pages[path], encoding="utf-8")
        print(f"{path.parent.name}/{path.name} is written anew.")
    return 0


def written(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def routes_file() -> str:
    from tidegate.api.table import table

    return table()


def set_up_django() -> None:
    """Models want Django's settings, though nobody asks a database here."""
    import django
    from django.conf import settings as django_conf

    from tidegate.server import settings as defaults

    if not django_conf.configured:
        django_conf.configure(**{name: getattr(defaults, name) for name in dir(defaults) if name.isupper()})
        django.setup()


# Tools


def quality() -> dict[str, Any]:
    """What one clean run of each built-in Tool's World shows; of several Worlds the first stands for the Tool."""
    from importlib import import_module
    from importlib.resources import files
    from importlib.util import find_spec

    from tidegate.catalog import BUILT_IN
    from tidegate_sdk.conformance.quality import quality_of

    told: dict[str, Any] = {}
    for slug in sorted(BUILT_IN):
        home = BUILT_IN[slug].partition(":")[0].rpartition(".")[0]
        found = import_module(f"{home}.fixtures.world")
        worlds = found.WORLDS if hasattr(found, "WORLDS") else (found.WORLD,)
        world = next(world for world in worlds if world.tool.slug == slug)
        with tempfile.TemporaryDirectory() as folder:
            played = quality_of(world, Path(folder) / "world")
        of_reports = home.endswith(".report_folder")  # tests/replay.py reads every other file as a report
        claimed = "*Replayed*" in (files(home) / "NOTES.md").read_text(encoding="utf-8")  # payloads were there to read
        replayed = of_reports or (claimed and find_spec(f"{home}.fixtures.replay") is not None)
        lists = [{"name": each.name, "kind": each.kind, "counted": each.counted} for each in played.lists]
        if of_reports:  # what is called after the producers of the fixtures is no Family of the Tool
            lists = [lists[0], {**lists[-1], "name": "each producer of reports"}]
        told[slug] = {
            "tier": "replayed" if replayed else "by the book",
            "cases": played.cases,
            "lists": lists,
            "endpoints": list(played.endpoints),
        }
    return told


TIERS = {
    "live": "ran against the real product",
    "replayed": "reads published payloads without loss (`./dev replay`), and passes the conformance suite",
    "by the book": "written from the vendor's documentation, and passes the conformance suite",
}
PROOFS = {
    "whole": "one answer holds everything",
    "steady": "pages of one consistent list",
    "drifting": "page numbers or positions: what is missing is looked for twice before it is closed",
}


def tools_page(told: dict[str, Any]) -> str:
    from tidegate.catalog import known_tool

    rows = [
        f"| [{known_tool(slug).name}]({slug}.md) | {known_tool(slug).a_record_is} | {one['tier']} | "
        f"{', '.join(each['name'] for each in one['lists'][1:])} | {one['cases']} |"
        for slug, one in told.items()
    ]
    return "\n".join([
        "# Tools\n",
        "What each can be trusted with, computed by playing it against its fixtures.\n",
        "| tool | a Record is | tier | Families | cases of the suite |",
        "|---|---|---|---|---|",
        *rows,
        "\n## Tiers\n",
        *(f"* *{tier}*: {means}" for tier, means in TIERS.items()),
    ])  # fmt: skip


def tool_page(slug: str, one: dict[str, Any]) -> str:
    from tidegate.catalog import known_tool
    from tidegate.reads.tool import fields

    kind = known_tool(slug)
    asked = [f"| `{each.name}` | {cell(each.title)} | {cell(each.description)} |" for each in fields(kind)]
    lists = [
        f"| {cell(each['name'])} | {each['kind']}: {PROOFS[each['kind']]} | {('walked', 'counted')[each['counted']]} |"
        for each in one["lists"]
    ]
    about = f"A Record is {kind.a_record_is}. Tier: *{one['tier']}*, {TIERS[one['tier']]}."
    return "\n".join([
        f"# {kind.name}\n",
        f"{about} Cases of the suite: {one['cases']}.\n",
        "## What it needs\n", "| setting | | |", "|---|---|---|", *asked,
        "\n## How the end of each list is proven\n",
        "*Counted*: the vendor declares how many rows there are. *Walked*: its word that no page follows.\n",
        "| list | pages | end |", "|---|---|---|", *lists,
        "\n## What it asks\n",
        *([f"* `{each}`" for each in one["endpoints"]] or ["Nothing but files below the folder."]),
    ])  # fmt: skip


# The command line


def cli_page() -> str:
    from tidegate.cli import COMMANDS, SECTIONS, WELCOME
    from tidegate.cli.root import app

    root: Any = typer.main.get_command(app)
    parts = ["# The command line\n", " ".join(WELCOME.split()), EXIT_CODES, NAMING]
    for title, section in SECTIONS.items():
        parts.append(f"## {title}\n")
        for name in section:
            parts += command_parts(f"tidegate {name}", root.get_command(None, name), COMMANDS[name][1])
    return "\n".join(parts)


EXIT_CODES = """
## What a command ends with

| code | means |
|---|---|
| 0 | done |
| 1 | failed: stderr says what happened, to which thing, and what to do next |
| 2 | asked wrongly: an unknown option, a name that means two things, a missing confirmation, a bad setting |
| 3 | done in part, or something is held and waits for you |
| 130 | stopped by Ctrl-C; what was applied stays |

With `--json` the answer is JSON ([json.md](json.md)), and so is an error: `{"error": {"what": …, "next_step": …}}` on
stderr. `TIDEGATE_DEBUG=1` adds the traceback to an error. `NO_COLOR=1` takes the colours away.
"""

NAMING = """
## How things are named

Connections by label or number, Products and Records by name or number, findings and Operations by number. A number is
always the number, even where something is called so; then an exact name counts, then one in other letters' case. A name
that means two things is refused, with the numbers of both. What is listed page by page is continued with `--after`.
"""


def command_parts(path: str, command: Any, line: str = "") -> Iterator[str]:
    subcommands = getattr(command, "commands", None)
    if subcommands:
        yield f"### {path}\n\n{line}\n"
        if command.invoke_without_command:  # a command itself too
            yield from command_part(path, command)
        for name, sub in subcommands.items():
            yield from command_parts(f"{path} {name}", sub)
        return
    yield from command_part(path, command)


def command_part(path: str, command: Any) -> Iterator[str]:
    context = typer.Context(command, info_name=path)
    usage = " ".join([path, *command.collect_usage_pieces(context)])
    yield f"#### {path}\n\n{prose(command.help)}\n\n```\n{usage}\n```\n"
    rows = [parameter_row(parameter, context) for parameter in command.get_params(context)]
    rows = [row for row in rows if row]
    if rows:
        yield "\n".join(["| | |", "|---|---|", *rows]) + "\n"


def parameter_row(parameter: Any, context: Any) -> str:
    record = parameter.get_help_record(context)
    if record is None or parameter.name == "help":
        return ""
    names, meaning = record
    return f"| `{cell(names)}` | {cell(' '.join(meaning.split()))} |"


def prose(text: str | None) -> str:
    paragraphs = (text or "").split("\n\n")
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


# States, badges, reasons


def states_page() -> str:
    from tidegate.reads.story import CLOSED_BECAUSE
    from tidegate.rules import record as rules
    from tidegate.rules.cause import CAUSES
    from tidegate.rules.health import WORDS

    states = [(facts, rules.state(facts)) for facts in STATES()]
    badges = [rules.badge(sync) for sync in SYNCS()]
    lines = [
        "# States, badges and reasons",
        "\nA Record stores facts; its state follows from them, and always says why in one sentence.\n",
        "## States of a Record\n",
        "| state | list | such as |",
        "|---|---|---|",
        *(f"| {state.value} | {list_of(state)} | {rules.why(facts, NOW)} |" for facts, state in states),
        "\n## Badges\n",
        "Beside the state, from the last Sync of the Record; gone by itself. The first that holds is shown.\n",
        "| badge | such as |",
        "|---|---|",
        *(f"| {badge.word} | {badge.why} |" for badge in badges if badge),
        "\n## Why a finding is closed\n",
        "| word | means |",
        "|---|---|",
        *(f"| {word} | {meaning} |" for word, meaning in CLOSED_BECAUSE.items()),
        "\n## Health of a Connection\n",
        "Derived from its schedules and runs, the worst first; every word says why in one sentence.\n",
        "| word | means |",
        "|---|---|",
        *(f"| {word} | {meaning} |" for word, meaning in WORDS.items()),
        "\n## Causes of a failed Operation\n",
        "What needs you waits for you; what may pass by itself is tried again before its next planned run.\n",
        "| word | | what to do |",
        "|---|---|---|",
        *(
            f"| {word} | {'needs you' if cause.needs_you else 'may pass'} | {cause.next_step} |"
            for word, cause in CAUSES.items()
        ),
    ]
    return "\n".join(lines)


NOW = datetime(2026, 6, 1, tzinfo=UTC)


def list_of(state: Any) -> str:
    return ("Mapped, with a warning" if state.warning else "Mapped") if state.mapped else "Unmapped"


def STATES() -> list[Any]:  # noqa: N802 - a table that needs its module imported late
    """One example a state, in the order of records.md."""
    from tidegate.rules.record import RecordFacts

    day = datetime(2026, 5, 3, tzinfo=UTC)
    seen: dict[str, Any] = {"first_seen_at": day, "first_seen_operation": 7, "a_record_is": "a project"}
    mapped: dict[str, Any] = seen | {
        "decision": "mapped", "finalized_at": day, "finalized_by": "alice", "finalized_how": "person",
    }  # fmt: skip
    gone: dict[str, Any] = {"absent_since": day, "absent_operation": 123, "absent_seen": 412}
    lost: dict[str, Any] = {"target_lost_at": day, "target_lost": "product", "earlier_product": "Shop"}
    ignored: dict[str, Any] = {"decision": "ignored", "ignored_because": "A sandbox"}
    return [
        RecordFacts(**seen),
        RecordFacts(**mapped | ignored),
        RecordFacts(**mapped, product="Shop"),
        RecordFacts(**mapped, **lost),
        RecordFacts(**mapped, **gone, product="Shop"),
    ]


def SYNCS() -> list[Any]:  # noqa: N802
    """One example a badge, the worst first."""
    from tidegate.rules.record import LastSync, PartResult

    skipped = PartResult("secrets", "", "skipped", "The token may not read them", once_read=True)
    return [
        LastSync(124, "incomplete", "12 of 30 pages came", seen=1200),
        LastSync(124, "complete", seen=40, held=60),
        LastSync(124, "complete", seen=40, parts=(skipped,)),
        LastSync(124, "complete"),
    ]


# The service's own settings


def settings_page() -> str:
    from tidegate.config import RemoteSettings, Settings

    lines = [
        "# Settings of the service",
        "\nEnvironment variables; an empty one counts as not set. What a Tool needs to be connected is not here:",
        "`tidegate tool show TOOL` says that.\n",
        "| variable | must be | without it |",
        "|---|---|---|",
    ]
    lines += settings_rows(Settings)
    lines += [
        "| `TIDEGATE_DEBUG` | `1` to see the traceback of an error | not set |",
        "| `NO_COLOR` | anything, for output without colours | not set |",
        "\n## Settings of a command line that asks a Tidegate elsewhere\n",
        "See [the command line from elsewhere](../guide/remote.md).\n",
        "| variable | must be | without it |",
        "|---|---|---|",
        *settings_rows(RemoteSettings),
    ]
    return "\n".join(lines)


def settings_rows(kind: Any) -> Iterator[str]:
    from tidegate.config import PREFIX

    for name, field in kind.model_fields.items():
        secret = any(part is SecretStr for part in (field.annotation, *get_args(field.annotation)))
        default = "not set" if secret or field.default is None else default_of(name, field)
        yield f"| `{PREFIX}{name.upper()}` | {cell(field.description or '')} | {cell(default)} |"


def default_of(name: str, field: Any) -> str:
    if name == "home":
        return "the platform's folder for user data"
    return f"`{field.get_default(call_default_factory=True)}`"


# JSON


def json_page() -> str:
    from tidegate.cli.answer import Error, answers, answers_to_previews

    shapes = answers() | answers_to_previews()
    lines = [
        "# What `--json` prints",
        "\nField names are stable: one may be added, none is renamed or dropped without a new major version. Times are",
        "ISO 8601 with a zone. Control characters of a tool's own texts are escaped.\n",
        "| command | prints |",
        "|---|---|",
        *(f"| `tidegate {command}` | {link(shape)} |" for command, shape in shapes.items()),
        f"| any command that fails, on stderr | {link(Error)} |",
    ]
    for shape in reachable([Error, *shapes.values()]):
        lines += [
            "",
            f"## {shape.__name__}",
            "",
            (shape.__doc__ or "").strip(),
            "",
            "| field | type | |",
            "|---|---|---|",
        ]
        for field in msgspec.structs.fields(shape):
            kind, description = described(field.type)
            lines.append(f"| `{field.name}` | {type_name(kind)} | {cell(description)} |")
    return "\n".join(lines)


def reachable(shapes: list[Any]) -> list[Any]:
    """Every Struct that stands in these, each once, in the order in which one meets them."""
    found: dict[Any, None] = {}
    todo = list(shapes)
    while todo:
        shape = todo.pop(0)
        if shape not in found:
            found[shape] = None
            todo += [part for field in msgspec.structs.fields(shape) for part in structs_in(field.type)]
    return list(found)


def structs_in(kind: Any) -> Iterator[Any]:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        yield kind
    for part in get_args(kind):
        yield from structs_in(part)


def described(kind: Any) -> tuple[Any, str]:
    """The bare type, and what its Meta says."""
    for meta in getattr(kind, "__metadata__", ()):
        if isinstance(meta, msgspec.Meta) and meta.description:
            return get_args(kind)[0], meta.description
    return kind, ""


def type_name(kind: Any) -> str:
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return " or ".join(type_name(part) for part in parts)
    if origin is Literal:
        return "text"
    if origin is list:
        return f"list of {type_name(parts[0])}"
    if origin is dict:
        return f"object of {type_name(parts[1])}"
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return link(kind)
    return JSON_TYPES[kind]


JSON_TYPES: dict[Any, str] = {
    str: "text",
    int: "number",
    float: "number",
    bool: "true or false",
    datetime: "time",
    UUID: "text",
    type(None): "null",
    Any: "any",
}


# Roles


def roles_page() -> str:
    """Each action with the roles that may take it."""
    import pkgutil
    from importlib import import_module

    from tidegate import actions
    from tidegate.actions.action import ACTIONS
    from tidegate.rules.access import ROLE_IN_WORDS, ROLES

    for module in pkgutil.iter_modules(actions.__path__):
        import_module(f"tidegate.actions.{module.name}")
    head = "| action | for | " + " | ".join(ROLES) + " |"
    rows = [
        f"| `{one.name}` | {cell(reach_of(one))} | "
        + " | ".join("yes" if ROLES.index(role) >= ROLES.index(one.role) else "" for role in ROLES)
        + " |"
        for _, one in sorted(ACTIONS.items())
    ]
    return "\n".join(
        [
            "# Roles and what they may do",
            "\nA role is held for everything, or for one Product Type, Product or Connection; each holds all below it.",
            "What lies where one holds no role is not there for them. Granting one: [people](../guide/people.md).\n",
            "| role | |",
            "|---|---|",
            *(f"| {role} | {cell(words)} |" for role, words in ROLE_IN_WORDS.items()),
            "\n## Actions\n",
            head,
            "|---|---|" + "---|" * len(ROLES),
            *rows,
        ]
    )


def reach_of(one: Any) -> str:
    """Where the role has to be held for an action."""
    if one.targets:
        return "where it lies: " + ", or ".join(one.targets)
    return "somewhere; the action looks where" if one.anywhere else "everything"


def link(shape: type) -> str:
    return f"[{shape.__name__}](#{shape.__name__.lower()})"


def cell(text: str) -> str:
    return text.replace("|", "\\|")


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli_page,
    "states.md": states_page,
    "settings.md": settings_page,
    "json.md": json_page,
    "roles.md": roles_page,
}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
