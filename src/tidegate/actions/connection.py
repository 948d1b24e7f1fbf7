"""What a person may do to Connections: add, try, draft, edit, pause, resume, delete, and continue a deleted one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal, TypeVar

from django.utils import timezone
from pydantic import SecretStr

from tidegate import catalog
from tidegate.actions.action import action
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.saving import sealed_to, unique_name
from tidegate.actions.step import LARGEST_ID
from tidegate.actions.version import demand_expected
from tidegate.guard.keys import KeyProblem
from tidegate.guard.secret_end import end_in
from tidegate.ingest.login import other_account_step
from tidegate.ingest.probe import Probe, Step, probe
from tidegate.reads.page import storable
from tidegate.reads.viewer import sees, visible
from tidegate.rules.access import Place
from tidegate.rules.actor import Actor
from tidegate.rules.branch import KEEP, MOST_DAYS
from tidegate.rules.health import ToldBy, end_of, paused_itself
from tidegate.rules.names import clean_name, clean_text
from tidegate.store.acting import acting
from tidegate.store.models import Connection
from tidegate.store.writers import connection as writer
from tidegate.store.writers.connection import ThresholdEffect
from tidegate.store.writers.operation import request_operation, running_operation
from tidegate.store.writers.product import product_type_named
from tidegate_sdk import Account, Severity, Tool

T = TypeVar("T")


@dataclass(frozen=True)
class Edited:
    """What saving changed beyond the Connection itself."""

    closed: int = 0
    """Findings that are below the new threshold."""
    operation: int | None = None
    """The change that closes them, where they are many."""
    sync_wanted: bool = False
    """The threshold is lower: a Sync brings back what it kept away."""
    resumed: bool = False
    """A new secret was entered where rejected logins had paused the Connection: it goes on."""


@dataclass(frozen=True)
class Paused:
    """What pausing did beyond the Connection itself."""

    cancelled: int
    """Operations that waited, and are not begun any more."""
    running: int | None
    """The Operation that runs on to its end, or None."""


SecretEnds = date | Literal["unknown"]
"""The last day of a secret, as a person knows it; "unknown" forgets what was said before."""

NUMBERS: Final = {
    "hold_above": ("hold above", 0, 32_767),
    "hold_percent": ("hold percent", 1, 100),
    "close_branches_after": ("number of days", KEEP, MOST_DAYS),
}
"""Those of a Connection, each by its name for people, with the least and the most."""


@action("administrator")
def add_connection(
    actor: Actor,
    tool: str,
    label: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, SecretStr],
    *,
    auto_map: bool = False,
    join_by_name: bool = False,
    minimum_severity: int = 0,
    close_branches_after: int = KEEP,
    product_type: str | None = None,
    continues: int | None = None,
    secret_ends: SecretEnds | None = None,
    discover: bool = True,
) -> int:
    """Connects a Tool, and has it discovered at once unless that is not wanted; returns the Connection's id.

    `continues` takes up a deleted one of the same Tool: its Records, Tests and decisions flow on under the new
    settings. `secret_ends` is the last day of the secret: warned before it.

    Raises NotThere for an unknown Tool, Refused with what cannot be used. Nothing is asked of the vendor here.
    """
    kind = the_tool(tool)
    with acting(str(actor)):
        facts = new_facts(
            kind,
            settings,
            secrets,
            label=label,
            auto_map=auto_map,
            join_by_name=join_by_name,
            minimum_severity=minimum_severity,
            close_branches_after=close_branches_after,
            product_type=product_type,
            secret_ends=secret_ends,
        )
        if continues is not None:
            connection_id = continued(kind, continues, facts)
        else:
            connection_id = unique_label(facts["label"], lambda: writer.save_new_connection(actor, tool, facts))
        writer.change_connection(connection_id, {"secrets": sealed(secrets, connection_id)})
    discovered_at_once(actor, connection_id, wanted=discover)
    return connection_id


@action("administrator")
def draft_connection(
    actor: Actor,
    tool: str,
    label: str,
    settings: Mapping[str, Any],
    secrets: Mapping[str, SecretStr],
    *,
    auto_map: bool = False,
    join_by_name: bool = False,
    minimum_severity: int = 0,
    close_branches_after: int = KEEP,
    product_type: str | None = None,
    secret_ends: SecretEnds | None = None,
) -> int:
    """Keeps what was entered as a draft, so that a Discover of it can be previewed; returns its number. It never runs
    by itself, is listed nowhere, and goes after a day unless `save_draft` makes it a Connection.

    The label need not be free yet. Raises NotThere for an unknown Tool, Refused with what cannot be used.
    """
    kind = the_tool(tool)
    with acting(str(actor)):
        facts = new_facts(
            kind,
            settings,
            secrets,
            label=label,
            auto_map=auto_map,
            join_by_name=join_by_name,
            minimum_severity=minimum_severity,
            close_branches_after=close_branches_after,
            product_type=product_type,
            secret_ends=secret_ends,
        )
        connection_id = writer.save_draft(actor, tool, facts)
        writer.change_connection(connection_id, {"secrets": sealed(secrets, connection_id)})
    return connection_id


@action("administrator")
def save_draft(
    actor: Actor,
    connection_id: int,
    *,
    label: str | None = None,
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, SecretStr] | None = None,
    auto_map: bool | None = None,
    join_by_name: bool | None = None,
    minimum_severity: int | None = None,
    close_branches_after: int | None = None,
    product_type: str | None = None,
    secret_ends: SecretEnds | None = None,
    continues: int | None = None,
    discover: bool = True,
) -> int:
    """Makes a draft the Connection it was to be, with its schedules; what is named is changed, as in `edit_connection`.
    It is discovered at once unless that is not wanted. Returns the Connection's number: the draft's own, or that of the
    deleted one it `continues`.

    Raises NotThere where there is no such draft (any more), Refused for a label that is taken.
    """
    with acting(str(actor)):
        draft = locked_draft(connection_id)
        facts = plain_facts(
            label=label,
            auto_map=auto_map,
            join_by_name=join_by_name,
            minimum_severity=minimum_severity,
            close_branches_after=close_branches_after,
            product_type=product_type,
        )
        facts |= entered_anew(draft, settings, secrets, secret_ends)
        if continues is not None:
            kept = continued_by_draft(draft, continues, facts)
        else:
            kept = connection_id
            unique_label(facts.get("label", draft.label), lambda: writer.keep_draft(connection_id, facts))
    discovered_at_once(actor, kept, wanted=discover)
    return kept


@action("administrator")
def drop_draft(actor: Actor, connection_id: int) -> None:
    """Lets a draft go, with its secrets and its previews. Refused while one of these runs."""
    with acting(str(actor)):
        draft = locked_draft(connection_id)
        if running := running_operation(connection_id):
            raise Refused(
                f"The preview {running} of the draft «{draft.label}» runs.",
                f"Cancel it first: tidegate operation cancel {running}",
            )
        writer.forget_draft(connection_id)


def label_is_taken(label: str) -> bool:
    """Whether a Connection that is there has the label, so that a draft could not be kept under it."""
    return Connection.objects.filter(label=clean_name(label, "label"), deleted_at__isnull=True).exists()


@action("administrator", connection="connection_id")
def edit_connection(
    actor: Actor,
    connection_id: int,
    *,
    label: str | None = None,
    settings: Mapping[str, Any] | None = None,
    secrets: Mapping[str, SecretStr] | None = None,
    auto_map: bool | None = None,
    join_by_name: bool | None = None,
    minimum_severity: int | None = None,
    close_branches_after: int | None = None,
    product_type: str | None = None,
    hold_above: int | None = None,
    hold_percent: int | None = None,
    records_continue: bool = False,
    secret_ends: SecretEnds | None = None,
) -> Edited:
    """Changes what is named and leaves the rest. Of `settings`, None sets a field back to its default; an empty
    `product_type` means none. Where settings or secrets lead to another account nothing is read from there, until a
    person says `records_continue`: that what it has are the same things.

    A raised threshold closes what is below it: at once, or as a change where that is much. Another
    `close_branches_after` (days; 0 keeps what a vanished branch had) is for the next Sync. A new secret forgets the end
    of the one before, and resumes a Connection that its rejected logins had paused.
    """
    with acting(str(actor)):
        connection = locked(connection_id)
        facts = plain_facts(
            label=label,
            auto_map=auto_map,
            join_by_name=join_by_name,
            minimum_severity=minimum_severity,
            close_branches_after=close_branches_after,
            product_type=product_type,
            hold_above=hold_above,
            hold_percent=hold_percent,
        )
        facts |= entered_anew(connection, settings, secrets, secret_ends)
        if records_continue:
            facts |= {"account": "", "account_name": ""}
        unique_label(label or connection.label, lambda: writer.change_connection(connection_id, facts))
        if facts.get("settings", connection.settings) != connection.settings or records_continue:
            writer.renew_epochs(connection_id)
        minimum, resumed = facts.get("minimum_severity", connection.minimum_severity), "paused_at" in facts
        if minimum > connection.minimum_severity:
            raised = writer.raise_minimum(actor, connection_id, minimum)
            return Edited(closed=raised.closed, operation=raised.operation, resumed=resumed)
        wanted = minimum < connection.minimum_severity
        if wanted and (resumed or connection.paused_at is None):
            request_operation("sync", connection_id, actor=str(actor), trigger=actor.trigger)
        return Edited(sync_wanted=wanted, resumed=resumed)


@action("operator", connection="connection_id")
def pause_connection(actor: Actor, connection_id: int, because: str = "") -> Paused:
    """Nothing is discovered and nothing flows until somebody resumes it. What waits is cancelled; what runs goes on to
    its end, since half of it has flowed already: whoever wants that to end too cancels it.
    """
    reason = clean_text(because, "reason")
    with acting(str(actor)):
        connection = locked(connection_id)
        if connection.paused_at is not None:
            raise Refused(f"{connection.label} is paused already. {connection.paused_because}".rstrip(), "Resume it.")
        told = f"Paused by {actor}{f': {reason}' if reason else ''}.".replace("..", ".")
        cancelled = writer.pause(actor, connection_id, told)
        return Paused(cancelled, running_operation(connection_id))


@action("operator", connection="connection_id")
def resume_connection(actor: Actor, connection_id: int) -> None:
    """Lets a paused Connection go on, and forgets its rejected logins."""
    with acting(str(actor)):
        connection = locked(connection_id)
        if connection.paused_at is None:
            raise Refused(f"{connection.label} is not paused.", "There is nothing to resume.")
        writer.resume(connection_id)


@action("administrator", connection="connection_id")
def delete_connection(actor: Actor, connection_id: int, typed_label: str) -> None:
    """Its Records and secrets go; Products, Tests and findings stay. A new Connection may continue it."""
    with acting(str(actor)):
        connection = locked(connection_id)
        if typed_label != connection.label:
            raise Refused(
                f"The Connection is called «{connection.label}», and something else was typed; nothing was deleted.",
                "Type the label exactly.",
            )
        writer.delete_connection(actor, connection_id)


def continuable(tool: str, account: str | None = None) -> list[Connection]:
    """Deleted Connections of this Tool (and account) that a new one may continue, the latest first; no drafts."""
    found = Connection.objects.filter(visible(connection="pk"), tool=storable(tool), deleted_at__isnull=False)
    found = found.filter(draft_at__isnull=True)
    found = found.order_by("-deleted_at")
    return list(found if account is None else found.filter(account=storable(account)))


def threshold_effect(connection_id: int, minimum_severity: int) -> ThresholdEffect:
    """How many findings another threshold would close at once, and how many the next Sync may bring."""
    if not sees(Place(connection_id=connection_id)):
        raise no_connection(connection_id)
    return writer.threshold_effect(existing(connection_id).pk, the_minimum(minimum_severity))


@action("operator", at_once=False, connection="connection_id")
def test_connection(actor: Actor, connection_id: int) -> list[Step]:
    """Asks the vendor the first real questions, step by step, until one fails. Writes nothing."""
    connection = existing(connection_id)
    try:
        tool = catalog.build(connection)
    except catalog.Unusable as broken:
        return [Step("settings", False, str(broken))]
    found = probe(tool)
    other = found.account is not None and connection.account not in ("", found.account.id)
    return [*found.steps, *([another_account(connection, found.account)] if other and found.account else [])]


@action("administrator", at_once=False)
def try_settings(actor: Actor, tool: str, settings: Mapping[str, Any], secrets: Mapping[str, SecretStr]) -> Probe:
    """The same for what was entered and is not saved yet; the account says which deleted Connection it may continue."""
    return probe(the_filled(the_tool(tool), settings, secrets))


def another_account(connection: Connection, account: Account) -> Step:
    return Step(
        "account",
        False,
        f"This is {account.name or account.id}; the Records of {connection.label} belong to"
        f" {connection.account_name or connection.account}. {other_account_step(connection.label)}",
    )


# What the actions share


def existing(connection_id: int) -> Connection:
    found = (
        Connection.objects.filter(pk=connection_id, deleted_at__isnull=True) if 0 < connection_id <= LARGEST_ID else []
    )
    for connection in found:
        return connection
    raise no_connection(connection_id)


def locked(connection_id: int) -> Connection:
    connection = writer.lock_connection(connection_id) if 0 < connection_id <= LARGEST_ID else None
    if connection is None or connection.deleted_at is not None:
        raise no_connection(connection_id)
    demand_expected("connection", connection_id)
    return connection


def discovered_at_once(actor: Actor, connection_id: int, *, wanted: bool) -> None:
    """A new Connection is asked what it watches, by whoever works: a worker, or who waits for it."""
    if wanted:
        request_operation("discover", connection_id, actor=str(actor), trigger=actor.trigger)


def locked_draft(connection_id: int) -> Connection:
    draft = writer.lock_connection(connection_id) if 0 < connection_id <= LARGEST_ID else None
    if draft is None or draft.draft_at is None:
        raise NotThere(
            f"There is no draft {connection_id}: it was kept or let go, or a day has passed.",
            "Enter it again: tidegate connection add TOOL --preview",
        )
    return draft


def no_connection(connection_id: int) -> NotThere:
    return NotThere(f"There is no Connection {connection_id}.", "See what there is: tidegate connection list")


def the_tool(slug: str) -> catalog.ToolClass:
    try:
        return catalog.known_tool(slug)
    except catalog.UnknownTool as unknown:
        raise NotThere(str(unknown), "See what each needs: tidegate tool show TOOL") from unknown


def the_filled(
    kind: catalog.ToolClass,
    settings: Mapping[str, Any],
    secrets: Mapping[str, SecretStr],
    stored: Collection[str] = (),
) -> Tool[Any]:
    """The Tool with what was entered; `stored` are the names of settings that were there before. A secret among the
    settings would be stored in the clear: refused. A name that the Tool does not know is not said again: whoever
    exchanged name and value sent a secret there.
    """
    fields, secret = kind.settings_type().model_fields, catalog.secret_names(kind)
    if misplaced := sorted(secret & settings.keys()):
        raise Refused(f"{kind.name}'s {misplaced[0]} is a secret.", "Give it as a secret, not as a setting.")
    if misplaced := sorted((secrets.keys() - secret) & fields.keys()):
        raise Refused(f"{kind.name}'s {misplaced[0]} is no secret.", "Give it as a setting, not as a secret.")
    if secrets.keys() - secret:
        raise Refused(
            f"{kind.name} has no secret of a name that was given; it has: {', '.join(sorted(secret)) or 'none'}.",
            see(kind),
        )
    try:
        return catalog.built(kind, settings, secrets)
    except catalog.SettingsRefused as refused:
        unknown = settings.keys() - fields.keys() - set(stored)
        problems = {name: why for name, why in refused.problems.items() if name not in unknown}
        said = [f"{kind.name} has no setting of a name that was given; it has: {', '.join(fields)}."] if unknown else []
        raise Refused(" ".join([*said, *problems.values()]), see(kind), problems) from refused


def see(kind: catalog.ToolClass) -> str:
    return f"See what it needs: tidegate tool show {kind.slug}"


def new_facts(
    kind: catalog.ToolClass,
    settings: Mapping[str, Any],
    secrets: Mapping[str, SecretStr],
    *,
    label: str,
    minimum_severity: int,
    product_type: str | None,
    secret_ends: SecretEnds | None,
    **others: Any,
) -> dict[str, Any]:
    """What is stored of a Connection that was entered, checked; without its secrets, which are sealed to its number."""
    filled = the_filled(kind, settings, secrets)
    check_numbers(others)
    return {
        "label": clean_name(label, "label"),
        "settings": catalog.stored_settings(filled),
        "minimum_severity": the_minimum(minimum_severity),
        "product_type_id": None if product_type is None else product_type_named(product_type),
        **ends_of(secrets, secret_ends, there=bool(secrets)),
        **others,
    }


def the_minimum(rank: int) -> int:
    try:
        return Severity.of_rank(rank).rank
    except KeyError:
        raise Refused(f"{rank} is no severity.", "Choose 0 (Info) to 5 (Critical).") from None


def sealed(secrets: Mapping[str, SecretStr], connection_id: int) -> bytes | None:
    return sealed_to(secrets, connection_id) if secrets else None


def unique_label(label: str, save: Callable[[], T]) -> T:
    """Saves. Raises Refused where another Connection has the label, also one that was added at the same moment."""
    return unique_name("Connection", label, save, word="label")


def plain_facts(
    *, label: str | None, product_type: str | None, minimum_severity: int | None, **others: Any
) -> dict[str, Any]:
    """What was named of a Connection's own facts, checked."""
    facts = {name: value for name, value in others.items() if value is not None}
    check_numbers(facts)
    if label is not None:
        facts["label"] = clean_name(label, "label")
    if minimum_severity is not None:
        facts["minimum_severity"] = the_minimum(minimum_severity)
    if product_type is not None:
        facts["product_type_id"] = product_type_named(product_type) if product_type else None
    return facts


def check_numbers(facts: Mapping[str, Any]) -> None:
    """Raises Refused for a number that is out of its range."""
    for name, (what, least, most) in NUMBERS.items():
        if not least <= facts.get(name, least) <= most:
            raise Refused(f"{facts[name]} is no {what}.", f"Give a number from {least} to {most:,}.")


def entered_anew(
    connection: Connection,
    settings: Mapping[str, Any] | None,
    secrets: Mapping[str, SecretStr] | None,
    secret_ends: SecretEnds | None,
) -> dict[str, Any]:
    """The facts that follow from settings, secrets and their end, where any of these was entered."""
    facts: dict[str, Any] = {}
    if settings is not None or secrets is not None:
        facts |= refilled(connection, settings or {}, secrets or {})
    if secrets or secret_ends is not None:
        facts |= ends_of(secrets or {}, secret_ends, there=bool(secrets) or connection.secrets is not None)
    return facts


def refilled(connection: Connection, settings: Mapping[str, Any], secrets: Mapping[str, SecretStr]) -> dict[str, Any]:
    """The facts of a Connection whose settings or secrets are changed in part. A lost key, or corrupt settings,
    are mended by entering what is missing."""
    kind = the_tool(connection.tool)
    try:
        before = catalog.stored_secrets(connection)
    except KeyProblem as problem:
        if not secrets:
            raise Refused(f"{connection.label} cannot be used. {problem.cause}", problem.next_step) from problem
        before = {}
    entered = {**connection.settings, **settings}
    filled = the_filled(
        kind,
        {name: value for name, value in entered.items() if value is not None},
        {**before, **secrets},
        connection.settings.keys(),
    )
    facts: dict[str, Any] = {"settings": catalog.stored_settings(filled)}
    if secrets:
        facts |= {"secrets": sealed({**before, **secrets}, connection.pk), "rejected_logins": 0}
        if connection.paused_at is not None and paused_itself(connection.paused_because):
            facts |= writer.RESUMED
    return facts


def ends_of(secrets: Mapping[str, SecretStr], day: SecretEnds | None, *, there: bool) -> dict[str, Any]:
    """When secrets end: what they say themselves, and the day that a person knows; the earlier of the two."""
    if day is not None and not there:
        raise Refused("No secret is stored for this Connection, so none can end.", "Leave the date out.")
    ends_at: datetime | None = end_in(secrets.values())
    told_by: ToldBy | Literal[""] = "token" if ends_at else ""
    if isinstance(day, date):
        if end_of(day) <= timezone.now():
            raise Refused(f"{day} is over, so the secret would have ended.", "Enter its last day, as YYYY-MM-DD.")
        if ends_at is None or end_of(day) < ends_at:
            ends_at, told_by = end_of(day), "person"
    return {"secret_ends_at": ends_at, "secret_ends_told_by": told_by}


def continued(kind: catalog.ToolClass, connection_id: int, facts: dict[str, Any]) -> int:
    """Takes up a deleted Connection under new settings."""
    connection = writer.lock_connection(connection_id) if 0 < connection_id <= LARGEST_ID else None
    known = connection is not None and connection.tool == kind.slug and connection.draft_at is None
    if connection is None or not known or connection.deleted_at is None:
        raise NotThere(f"There is no deleted Connection {connection_id} of {kind.name} to continue.", "Add a new one.")
    unique_label(facts["label"], lambda: writer.revive(connection_id, facts))
    return connection_id


def continued_by_draft(draft: Connection, connection_id: int, changes: Mapping[str, Any]) -> int:
    """Takes up a deleted Connection under what was entered for the draft, which goes: secrets belong to a number."""
    for name, value in changes.items():
        setattr(draft, name, value)
    try:
        secrets = catalog.stored_secrets(draft)
    except KeyProblem as problem:
        raise Refused(problem.cause, problem.next_step) from problem
    taken_up = continued(the_tool(draft.tool), connection_id, {name: getattr(draft, name) for name in DRAFTED})
    writer.change_connection(taken_up, {"secrets": sealed(secrets, taken_up)})
    writer.forget_draft(draft.pk)
    return taken_up


DRAFTED = (
    "label", "settings", "auto_map", "join_by_name", "minimum_severity", "close_branches_after", "product_type_id",
    "secret_ends_at", "secret_ends_told_by",
)  # fmt: skip
"""What is entered for a Connection, without its secrets."""
