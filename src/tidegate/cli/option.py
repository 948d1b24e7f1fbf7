"""Options that many commands share, so that they read the same everywhere."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

JSON_OPTION = "--json"

Json = Annotated[bool, typer.Option(JSON_OPTION, help="Print JSON for a script to read.")]
Limit = Annotated[int, typer.Option("--limit", min=1, max=1000, metavar="N", help="How many at most.")]
After = Annotated[
    str | None,
    typer.Option("--after", metavar="CURSOR", help="Go on behind this cursor: the `next` of the page before."),
]
Search = Annotated[str, typer.Option("--search", metavar="TEXT", help="Only those that contain this text.")]
ConnectionFilter = Annotated[
    str | None,
    typer.Option("--connection", "-c", metavar="LABEL", help="Only of this Connection: its label or number."),
]
ProductFilter = Annotated[
    str | None, typer.Option("--product", "-p", metavar="NAME", help="Only of this Product: its name or number.")
]
Later = Annotated[bool, typer.Option("--later", help="Ask for it and do not wait: a worker runs it.")]
Preview = Annotated[bool, typer.Option("--preview", help="Only say what it would do, and change nothing.")]
Confirm = Annotated[
    str | None,
    typer.Option("--confirm", metavar="NAME", help="The name, typed out. Without it you are asked for it."),
]


class StateWord(StrEnum):
    """The states of a Record."""

    new = "new"
    ignored = "ignored"
    good = "good"
    stale = "stale"
    missing = "missing"


class ConfigurationMappings(StrEnum):
    """Which mappings an export holds."""

    people = "people"
    all = "all"
    none = "none"


class HealthWord(StrEnum):
    """How a Connection is: the words of rules/health.py, the worst first."""

    needs_you = "needs you"
    overdue = "overdue"
    recovering = "recovering"
    late = "late"
    on_time = "on time"
    never_ran = "never ran"
    off = "off"


class NewsKind(StrEnum):
    """The kinds of news: the words of rules/news.py."""

    needs_you = "needs_you"
    overdue = "overdue"
    held = "held"
    records = "records"
    new_records = "new_records"
    recovered = "recovered"
    secret_ends = "secret_ends"  # noqa: S105 - no password, a word


class DifferenceKind(StrEnum):
    """What a preview would do: the kinds of rules/preview.py."""

    created = "created"
    changed = "changed"
    reopened = "reopened"
    closed = "closed"
    held = "held"
    new = "new"
    renamed = "renamed"
    missing = "missing"
    back = "back"
    revived = "revived"
    mapped = "mapped"
    ignored = "ignored"


class SeverityWord(StrEnum):
    """How bad a finding is."""

    critical = "critical"
    high = "high"
    medium = "medium"
    unknown = "unknown"
    low = "low"
    info = "info"


class StatusWord(StrEnum):
    """What can be asked of findings."""

    active = "active"
    inactive = "inactive"
    open = "open"
    closed = "closed"
    held = "held"
    kept_open = "kept open"
    unwatched = "unwatched"


class ExportWord(StrEnum):
    """How findings are written out."""

    ndjson = "ndjson"
    csv = "csv"
    sarif = "sarif"


class FindingSort(StrEnum):
    """What findings can be sorted by."""

    severity = "severity"
    newest = "newest"
    oldest = "oldest"
    changed = "changed"


class OperationType(StrEnum):
    """What an Operation does."""

    discover = "discover"
    sync = "sync"
    change = "change"
    deliver = "deliver"


class OperationStatus(StrEnum):
    """How far an Operation is."""

    pending = "pending"
    running = "running"
    success = "success"
    partial = "partial"
    failed = "failed"
    cancelled = "cancelled"


class LogLevel(StrEnum):
    """How much a line of a log matters."""

    debug = "debug"
    info = "info"
    warning = "warning"
    error = "error"


class RoleWord(StrEnum):
    """What somebody may do: the words of rules/access.py, each of which may what those before it may."""

    reader = "reader"
    mapper = "mapper"
    operator = "operator"
    administrator = "administrator"


class Group(TyperGroup):
    """Lists its commands with their whole first sentences; Click would cut them off."""

    def format_commands(self, ctx: typer.Context, formatter: Any) -> None:
        rows = [(name, " ".join((one.help or "").split("\n\n")[0].split())) for name, one in self.commands.items()]
        with formatter.section("Commands"):
            formatter.write_dl(rows)


def group(help: str) -> typer.Typer:
    """A group of commands about one noun."""
    return typer.Typer(
        cls=Group,
        help=help,
        add_completion=False,
        rich_markup_mode=None,
        no_args_is_help=True,
        context_settings={"help_option_names": ["-h", "--help"]},
    )


def alone(help: str = "") -> typer.Typer:
    """A command that stands at the root by itself."""
    return typer.Typer(
        help=help or None,
        add_completion=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
