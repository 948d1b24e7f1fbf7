"""Connections: which tools are connected, how they are, and what flows through each."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any

import msgspec
from django.db.models import Q
from msgspec import Meta

from tidegate import catalog
from tidegate.guard.keys import KeyProblem
from tidegate.log import MASK
from tidegate.reads.count import Findings, counted_by_connection
from tidegate.reads.health import ConnectionHealth, Run, health_of, in_state
from tidegate.reads.managed import file_of
from tidegate.reads.page import LIMIT, cut, number, storable
from tidegate.reads.viewer import viewer, visible
from tidegate.rules.health import secret_warning
from tidegate.store import models
from tidegate_sdk import ConnectorError, Severity


class ConnectionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One Connection, as lists show it."""

    id: Annotated[int, Meta(description="Its number.")]
    label: Annotated[str, Meta(description="What its owner calls it; unique.")]
    tool: Annotated[str, Meta(description="The slug of its Tool.")]
    tool_name: Annotated[str, Meta(description="What people call the Tool.")]
    a_record_is: Annotated[str, Meta(description="The tool's own word for what one Record stands for.")]
    account: Annotated[str, Meta(description="The account it is logged in with; empty before the first login.")]
    state: Annotated[str, Meta(description="`ready`, `paused`, or `new` before the first Discover.")]
    why: Annotated[str, Meta(description="Why it is so, in one sentence.")]
    records: Annotated[dict[str, int], Meta(description="How many of its Records are in each state.")]
    findings: Annotated[Findings, Meta(description="What came through it.")]
    last_discover: Annotated[Run | None, Meta(description="Its last Discover, or null.")]
    last_sync: Annotated[Run | None, Meta(description="Its last Sync, or null.")]
    health: Annotated[ConnectionHealth, Meta(description="Whether its runs come when they should, and need you.")]
    managed_by: Annotated[str | None, Meta(description="The configuration file that manages it, or null.")]


class ConnectionWarning(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner of a Connection should know: it cannot be used as it is stored, or not with a quiet mind."""

    label: str
    usable: bool
    sentence: str


class ConnectionPage(msgspec.Struct, frozen=True, kw_only=True):
    """One page of Connections, by label."""

    connections: Annotated[list[ConnectionRow], Meta(description="The Connections of this page.")]
    next: Annotated[str | None, Meta(description="The cursor of the next page, or null where this is the last.")]


class ConnectionDetail(msgspec.Struct, frozen=True, kw_only=True):
    """One Connection with how it is set up. Secrets are named, never shown."""

    connection: Annotated[ConnectionRow, Meta(description="The Connection itself.")]
    settings: Annotated[dict[str, Any], Meta(description="The Tool's own fields as they are stored, without secrets.")]
    secrets: Annotated[list[str], Meta(description="The Tool's secret fields; empty where nothing is stored for them.")]
    minimum_severity: Annotated[str, Meta(description="Findings below it are not stored.")]
    close_branches_after: Annotated[
        int,
        Meta(description="Findings of a branch close so many days after the tool last had it; 0 keeps them."),
    ]
    auto_map: Annotated[bool, Meta(description="New Records get a Product of their own.")]
    join_by_name: Annotated[bool, Meta(description="Auto-map joins a Product of the same name.")]
    product_type: Annotated[str | None, Meta(description="The Product Type of Products that auto-map makes.")]
    hold_above: Annotated[int, Meta(description="So many open findings or fewer are never held.")]
    hold_percent: Annotated[int, Meta(description="More than so many per cent gone at once are held.")]
    warnings: Annotated[list[str], Meta(description="What its owner should know: unusable as stored, TLS unverified.")]
    trigger: Annotated[bool, Meta(description="Who signs with its trigger's secret may ask for its Sync.")]
    created_at: Annotated[datetime, Meta(description="When it was made.")]
    created_by: Annotated[str, Meta(description="Who made it.")]


def connections(
    *,
    tool: str | None = None,
    paused: bool | None = None,
    health: str | None = None,
    search: str = "",
    cursor: str | None = None,
    limit: int = LIMIT,
) -> ConnectionPage:
    """Connections by label, without deleted ones. `health` is one of the words of rules/health.py."""
    query = _living()
    if tool is not None:
        query = query.filter(tool=storable(tool))
    if paused is not None:
        query = query.filter(paused_at__isnull=not paused)
    if health is not None:
        query = query.filter(id__in=in_state(health))
    if search := storable(search):
        query = query.filter(Q(label__icontains=search) | Q(account_name__icontains=search))
    found, following = cut(query, ("label", "id"), (str, int), cursor, limit)
    return ConnectionPage(connections=_rows(found), next=following)


def connection(connection_id: int) -> ConnectionDetail | None:
    """One Connection; None if there is none of this number, or it was deleted."""
    found = _living().select_related("product_type").filter(id=connection_id).first()
    if found is None:
        return None
    rows = _rows([found])
    if not rows:
        return None  # deleted at this moment
    kind = catalog.tool(found.tool)
    secret = catalog.secret_names(kind) if kind else set[str]()
    return ConnectionDetail(
        connection=rows[0],
        settings=_shown(found.settings, secret),
        secrets=_held(found, secret),
        minimum_severity=Severity.of_rank(found.minimum_severity).value,
        close_branches_after=found.close_branches_after,
        auto_map=found.auto_map,
        join_by_name=found.join_by_name,
        product_type=found.product_type.name if found.product_type else None,
        hold_above=found.hold_above,
        hold_percent=found.hold_percent,
        warnings=[warning.sentence for warning in _warnings(found)],
        trigger=found.trigger_secret is not None,
        created_at=found.created_at,
        created_by=found.created_by,
    )


def _warnings(found: models.Connection) -> list[ConnectionWarning]:
    try:
        told = catalog.build(found).door().warning
    except (catalog.Unusable, ConnectorError) as broken:
        return [ConnectionWarning(label=found.label, usable=False, sentence=str(broken))]
    end = secret_warning(found.secret_ends_at, datetime.now(UTC), found.secret_ends_told_by)
    sentences = [told, f"{end.why} {end.next_step}" if end else ""]
    return [ConnectionWarning(label=found.label, usable=True, sentence=sentence) for sentence in sentences if sentence]


def _held(found: models.Connection, secret: set[str]) -> list[str]:
    """The names of the secrets that are stored; of those that no key opens, all that there could be."""
    try:
        return sorted(catalog.stored_secrets(found))
    except KeyProblem:
        return sorted(secret)


def _shown(settings: dict[str, Any], secret: set[str]) -> dict[str, Any]:
    """The settings as they are stored, corrupt ones too: what is shown can be mended. No secret stands among them, and
    one that somebody put there by hand is not shown either."""
    return {name: MASK if name in secret else value for name, value in settings.items()}


def warnings() -> tuple[int, list[ConnectionWarning]]:
    """How many Connections there are, and what the owners of them should know."""
    living = list(_living().order_by("label"))
    return len(living), [warning for one in living for warning in _warnings(one)]


def named(text: str) -> list[ConnectionRow]:
    """The Connections a person may mean: the one of this number, else of this label, else ignoring case."""
    text = storable(text)
    by_number = [] if number(text) is None else [Q(id=number(text))]
    for wanted in (*by_number, Q(label=text), Q(label__iexact=text)):
        if found := list(_living().filter(wanted).order_by("id")[:20]):
            return _rows(found)
    return []


def is_draft(text: str) -> bool:
    """Whether this is the number of a draft; drafts are listed nowhere, so whoever means one knows its number."""
    drafts = models.Connection.objects.filter(draft_at__isnull=False)
    return number(text) is not None and viewer().may("administrator") and drafts.filter(id=number(text)).exists()


def _living() -> Any:
    there = models.Connection.objects.filter(visible(connection="pk"), deleted_at=None)
    return there.annotate(file=file_of("connection"))


def _rows(found: list[Any]) -> list[ConnectionRow]:
    ids = [one.pk for one in found]
    counted, health = counted_by_connection(ids), health_of(ids)
    return [_row(one, *counted[one.pk], health[one.pk]) for one in found if one.pk in health]


def _row(one: Any, findings: Findings, records: dict[str, int], health: ConnectionHealth) -> ConnectionRow:
    kind = catalog.tool(one.tool)
    state, why = _state(one, health.discover.last_run)
    return ConnectionRow(
        id=one.pk,
        label=one.label,
        tool=one.tool,
        tool_name=kind.name if kind else one.tool,
        a_record_is=kind.a_record_is if kind else "",
        account=one.account_name or one.account,
        state=state,
        why=why,
        records=records,
        findings=findings,
        last_discover=health.discover.last_run,
        last_sync=health.sync.last_run,
        health=health,
        managed_by=one.file,
    )


def _state(one: Any, discover: Run | None) -> tuple[str, str]:
    if one.paused_at:
        return "paused", f"Paused since {one.paused_at:%Y-%m-%d}. {one.paused_because}".rstrip()
    if discover is None:
        return "new", "Nobody has asked it yet what it watches."
    problem = f" {discover.why}" if discover.status in ("partial", "failed") else ""
    return "ready", f"Last discovered on {discover.at:%Y-%m-%d}: {discover.status}.{problem}"
