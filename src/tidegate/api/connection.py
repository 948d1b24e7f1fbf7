"""Routes: Connections: add, try, edit, run, pause, let go."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta
from pydantic import Field, SecretStr

from tidegate.actions import connection as actions
from tidegate.actions import operation as operations
from tidegate.api.answer import Answered, Done, there
from tidegate.api.operation import asked
from tidegate.api.route import Routes
from tidegate.api.words import LARGEST_ID, PAGE, Cursor, Id, Ids, Limit, Named, Reason, Search
from tidegate.reads import connection as reads
from tidegate.reads import operation as read_operations
from tidegate.rules.actor import Actor
from tidegate_sdk import Severity

routes = Routes("connection")

Tool = Annotated[str, Field(max_length=100, description="The slug of the Tool: see /tools.")]
Label = Annotated[str, Field(max_length=1000, description="What you call it; unique.")]
Settings = Annotated[
    dict[Annotated[str, Field(max_length=100)], Any],
    Field(max_length=100, description="The Tool's own fields without its secrets: see /tools/{slug}."),
]
Secrets = Annotated[
    dict[Annotated[str, Field(max_length=100)], Annotated[SecretStr, Field(max_length=100_000)]],
    Field(max_length=100, description="The Tool's secret fields. They are sealed, and never shown again."),
]
SeverityWord = Annotated[
    Literal["Critical", "High", "Medium", "Unknown", "Low", "Info"],
    Field(description="Findings below it are not stored."),
]
ProductType = Annotated[
    str | None, Field(max_length=1000, description="The Product Type of Products that auto-map makes; empty: none.")
]
SecretEnds = Annotated[
    date | Literal["unknown"] | None,
    Field(
        description="The last day of the secret, as 2027-03-31: you are warned before. `unknown` forgets it.",
    ),
]
Continues = Annotated[
    int | None,
    Field(ge=1, le=LARGEST_ID, description="A deleted Connection whose Records, Tests and decisions flow on."),
]
Discover = Annotated[bool, Field(description="Ask it at once what it watches.")]
Percent = Annotated[int, Field(ge=1, le=100, description="More than so many per cent gone at once are held.")]
Days = Annotated[
    int,
    Field(
        ge=0, le=3_650, description="Findings of a branch close so many days after the tool last had it; 0 keeps them."
    ),
]
Above = Annotated[int, Field(ge=0, le=32_767, description="So many open findings or fewer are never held.")]


class TestStep(msgspec.Struct, frozen=True, kw_only=True):
    """One step of a test."""

    name: Annotated[str, Meta(description="What was tried.")]
    ok: Annotated[bool, Meta(description="It worked.")]
    warning: Annotated[bool, Meta(description="It works, and you should know this all the same.")]
    sentence: Annotated[str, Meta(description="What was found, or what is wrong.")]


class Tested(msgspec.Struct, frozen=True, kw_only=True):
    """How a test went."""

    ok: Annotated[bool, Meta(description="Every step worked.")]
    steps: Annotated[list[TestStep], Meta(description="Step by step.")]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the tool takes us for."""

    id: Annotated[str, Meta(description="Its id in the tool.")]
    name: Annotated[str, Meta(description="What the tool calls it; may be empty.")]


class Tried(msgspec.Struct, frozen=True, kw_only=True):
    """How settings did that are not saved yet."""

    ok: Annotated[bool, Meta(description="Every step worked.")]
    steps: Annotated[list[TestStep], Meta(description="Step by step.")]
    account: Annotated[Account | None, Meta(description="The account they lead to; null where nobody was let in.")]


class Edited(msgspec.Struct, frozen=True, kw_only=True):
    """What saving changed, beyond the Connection itself."""

    connection: Annotated[reads.ConnectionDetail, Meta(description="The Connection as it is now.")]
    closed: Annotated[int, Meta(description="Findings that are below the new threshold.")]
    operation: Annotated[int | None, Meta(description="The change that closes them, where they are many.")]
    sync_wanted: Annotated[bool, Meta(description="The threshold is lower: a Sync brings back what it kept away.")]
    resumed: Annotated[bool, Meta(description="Rejected logins had paused it; with the new secret it goes on.")]


class Paused(msgspec.Struct, frozen=True, kw_only=True):
    """What pausing did."""

    connection: Annotated[reads.ConnectionDetail, Meta(description="The Connection as it is now.")]
    cancelled: Annotated[int, Meta(description="Operations that waited, and are not begun any more.")]
    running: Annotated[int | None, Meta(description="The Operation that runs on to its end, or null.")]


class Threshold(msgspec.Struct, frozen=True, kw_only=True):
    """What another minimum severity would do."""

    closes: Annotated[int, Meta(description="Findings it would close at once.")]
    may_bring: Annotated[int, Meta(description="Findings the next Sync may bring, at most.")]


class Continuable(msgspec.Struct, frozen=True, kw_only=True):
    """A deleted Connection that a new one may continue."""

    id: Annotated[int, Meta(description="Its number.")]
    label: Annotated[str, Meta(description="What it was called.")]
    account: Annotated[str, Meta(description="The account it was logged in with.")]
    deleted_at: Annotated[datetime, Meta(description="When it was deleted.")]


class ContinuableList(msgspec.Struct, frozen=True, kw_only=True):
    """The deleted Connections of a Tool, the latest first."""

    connections: Annotated[list[Continuable], Meta(description="Those that may be continued.")]


def detail(connection_id: int) -> reads.ConnectionDetail:
    """One Connection. Raises NotThere."""
    return there(reads.connection(connection_id), "Connection", connection_id)


def _steps(steps: Any) -> list[TestStep]:
    return [TestStep(name=one.name, ok=one.ok, warning=one.warning, sentence=one.sentence) for one in steps]


@routes.read("/connections", reads.connections, answers=reads.ConnectionPage)
def connections(
    tool: Tool | None = None,
    paused: bool | None = None,
    health: Annotated[
        Literal["needs you", "overdue", "recovering", "late", "on time", "never ran", "off"] | None,
        Field(description="Only those that are so."),
    ] = None,
    search: Search = "",
    cursor: Cursor = None,
    limit: Limit = PAGE,
) -> reads.ConnectionPage:
    return reads.connections(tool=tool, paused=paused, health=health, search=search, cursor=cursor, limit=limit)


@routes.read("/connections/continuable", actions.continuable, answers=ContinuableList, role="administrator")
def continuable(
    tool: Tool, account: Annotated[str | None, Field(max_length=1000, description="Only of this account.")] = None
) -> ContinuableList:
    found = actions.continuable(tool, account)
    return ContinuableList(
        connections=[
            Continuable(id=one.pk, label=one.label, account=one.account_name or one.account, deleted_at=one.deleted_at)
            for one in found
            if one.deleted_at is not None
        ]
    )


@routes.read("/connections/named", reads.named, answers=reads.ConnectionPage)
def named(text: Named) -> reads.ConnectionPage:
    return reads.ConnectionPage(connections=reads.named(text), next=None)


@routes.read("/connections/{connection_id}", reads.connection, answers=reads.ConnectionDetail, version="connection")
def connection(connection_id: Id) -> reads.ConnectionDetail:
    return detail(connection_id)


@routes.act(
    "POST", "/connections", actions.add_connection, answers=reads.ConnectionDetail, status=201,
    sends={"tool": "burpsuite", "label": "Burp", "settings": {"url": "https://burp.example.com"}},
)  # fmt: skip
def add_connection(
    actor: Actor,
    tool: Tool,
    label: Label,
    settings: Settings = {},  # noqa: B006 - it is read only
    secrets: Secrets = {},  # noqa: B006
    auto_map: bool = False,
    join_by_name: bool = False,
    minimum_severity: SeverityWord = "Info",
    close_branches_after: Days = 0,
    product_type: ProductType = None,
    continues: Continues = None,
    secret_ends: SecretEnds = None,
    discover: Discover = True,
) -> Answered:
    number = actions.add_connection(
        actor, tool, label, settings, secrets, auto_map=auto_map, join_by_name=join_by_name,
        minimum_severity=Severity(minimum_severity).rank, close_branches_after=close_branches_after,
        product_type=product_type, continues=continues, secret_ends=secret_ends, discover=discover,
    )  # fmt: skip
    return Answered(detail(number), location=f"/connections/{number}")


@routes.act(
    "POST", "/connections/drafts", actions.draft_connection, answers=read_operations.OperationDetail, status=202
)
def draft_connection(
    actor: Actor,
    tool: Tool,
    label: Label,
    settings: Settings = {},  # noqa: B006
    secrets: Secrets = {},  # noqa: B006
    auto_map: bool = False,
    join_by_name: bool = False,
    minimum_severity: SeverityWord = "Info",
    close_branches_after: Days = 0,
    product_type: ProductType = None,
    secret_ends: SecretEnds = None,
) -> Answered:
    number = actions.draft_connection(
        actor, tool, label, settings, secrets, auto_map=auto_map, join_by_name=join_by_name,
        minimum_severity=Severity(minimum_severity).rank, close_branches_after=close_branches_after,
        product_type=product_type, secret_ends=secret_ends,
    )  # fmt: skip
    return asked(operations.request_discover_preview(actor, number))


@routes.act(
    "POST", "/connections/drafts/{connection_id}/save", actions.save_draft, answers=reads.ConnectionDetail, status=201
)
def save_draft(
    actor: Actor,
    connection_id: Id,
    label: Label | None = None,
    continues: Continues = None,
    discover: Discover = True,
) -> Answered:
    number = actions.save_draft(actor, connection_id, label=label, continues=continues, discover=discover)
    return Answered(detail(number), location=f"/connections/{number}")


@routes.act("DELETE", "/connections/drafts/{connection_id}", actions.drop_draft, answers=Done)
def drop_draft(actor: Actor, connection_id: Id) -> Done:
    actions.drop_draft(actor, connection_id)
    return Done(done=f"The draft {connection_id} is gone, with its secrets.")


@routes.act("POST", "/connections/try", actions.try_settings, answers=Tried)
def try_settings(actor: Actor, tool: Tool, settings: Settings = {}, secrets: Secrets = {}) -> Tried:  # noqa: B006
    found = actions.try_settings(actor, tool, settings, secrets)
    account = None if found.account is None else Account(id=found.account.id, name=found.account.name)
    return Tried(ok=all(step.ok for step in found.steps), steps=_steps(found.steps), account=account)


@routes.act(
    "PATCH", "/connections/{connection_id}", actions.edit_connection, answers=Edited, version="connection",
    sends={"minimum_severity": "Medium"},
)  # fmt: skip
def edit_connection(
    actor: Actor,
    connection_id: Id,
    label: Label | None = None,
    settings: Settings | None = None,
    secrets: Secrets | None = None,
    auto_map: bool | None = None,
    join_by_name: bool | None = None,
    minimum_severity: SeverityWord | None = None,
    close_branches_after: Days | None = None,
    product_type: ProductType = None,
    hold_above: Above | None = None,
    hold_percent: Percent | None = None,
    records_continue: bool = False,
    secret_ends: SecretEnds = None,
) -> Edited:
    rank = None if minimum_severity is None else Severity(minimum_severity).rank
    done = actions.edit_connection(
        actor, connection_id, label=label, settings=settings, secrets=secrets, auto_map=auto_map,
        join_by_name=join_by_name, minimum_severity=rank, close_branches_after=close_branches_after,
        product_type=product_type, hold_above=hold_above, hold_percent=hold_percent,
        records_continue=records_continue, secret_ends=secret_ends,
    )  # fmt: skip
    return Edited(
        connection=detail(connection_id), closed=done.closed, operation=done.operation, sync_wanted=done.sync_wanted,
        resumed=done.resumed,
    )  # fmt: skip


@routes.read("/connections/{connection_id}/threshold", actions.threshold_effect, answers=Threshold)
def threshold_effect(connection_id: Id, minimum_severity: SeverityWord) -> Threshold:
    effect = actions.threshold_effect(connection_id, Severity(minimum_severity).rank)
    return Threshold(closes=effect.closes, may_bring=effect.may_bring)


@routes.act("POST", "/connections/{connection_id}/test", actions.test_connection, answers=Tested)
def test_connection(actor: Actor, connection_id: Id) -> Tested:
    steps = actions.test_connection(actor, connection_id)
    return Tested(ok=all(step.ok for step in steps), steps=_steps(steps))


@routes.act(
    "POST", "/connections/{connection_id}/pause", actions.pause_connection, answers=Paused, version="connection"
)
def pause_connection(actor: Actor, connection_id: Id, because: Reason = "") -> Paused:
    done = actions.pause_connection(actor, connection_id, because)
    return Paused(connection=detail(connection_id), cancelled=done.cancelled, running=done.running)


@routes.act(
    "POST",
    "/connections/{connection_id}/resume",
    actions.resume_connection,
    answers=reads.ConnectionDetail,
    version="connection",
)
def resume_connection(actor: Actor, connection_id: Id) -> reads.ConnectionDetail:
    actions.resume_connection(actor, connection_id)
    return detail(connection_id)


@routes.act("DELETE", "/connections/{connection_id}", actions.delete_connection, answers=Done, version="connection")
def delete_connection(actor: Actor, connection_id: Id, typed_label: Label) -> Done:
    actions.delete_connection(actor, connection_id, typed_label)
    return Done(done=f"«{typed_label}» is deleted; Products, Tests and findings stay.")


@routes.act(
    "POST",
    "/connections/{connection_id}/discover",
    operations.request_discover,
    answers=read_operations.OperationDetail,
    status=202,
)
def request_discover(actor: Actor, connection_id: Id) -> Answered:
    return asked(operations.request_discover(actor, connection_id))


@routes.act(
    "POST", "/connections/{connection_id}/discover/preview", operations.request_discover_preview,
    answers=read_operations.OperationDetail, status=202,
)  # fmt: skip
def request_discover_preview(actor: Actor, connection_id: Id) -> Answered:
    return asked(operations.request_discover_preview(actor, connection_id))


@routes.act(
    "POST",
    "/connections/{connection_id}/sync",
    operations.request_sync,
    answers=read_operations.OperationDetail,
    status=202,
)
def request_sync(actor: Actor, connection_id: Id, record_ids: Ids | None = None) -> Answered:
    return asked(operations.request_sync(actor, connection_id, record_ids))


@routes.act(
    "POST", "/connections/{connection_id}/sync/preview", operations.request_sync_preview,
    answers=read_operations.OperationDetail, status=202,
)  # fmt: skip
def request_sync_preview(actor: Actor, connection_id: Id, record_ids: Ids | None = None) -> Answered:
    return asked(operations.request_sync_preview(actor, connection_id, record_ids))
