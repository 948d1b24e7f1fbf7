"""`tidegate connection`: connect a tool, look after it, let it go."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.answer import ConnectionTrigger, Deleted, DeletedThing, Tested, TestStep, Threshold
from tidegate.cli.failure import DONE, FAILED, Failure, usage
from tidegate.cli.field import Given, Secret, Set, asked_for, given
from tidegate.cli.house import actions, reads
from tidegate.cli.managed import managed, note_managed
from tidegate.cli.naming import confirmed, not_there, the_connection, the_number
from tidegate.cli.option import After, Confirm, HealthWord, Json, Limit, Search, SeverityWord, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, heading, moment, note, plain, print_json, say, table

if TYPE_CHECKING:
    from tidegate.actions.connection import ThresholdEffect
    from tidegate.reads.connection import ConnectionDetail, ConnectionRow
    from tidegate.reads.health import RunHealth, SecretEnd
    from tidegate.reads.tool import ToolRow

app = group("Connect a tool, look after it, let it go.")

Named = Annotated[str, typer.Argument(metavar="CONNECTION", help="Its label or its number.")]
AutoMap = Annotated[
    bool | None, typer.Option("--auto-map/--no-auto-map", help="Give each new Record a Product of its own.")
]
Join = Annotated[
    bool | None, typer.Option("--join-by-name/--no-join-by-name", help="Let auto-map join a Product of the same name.")
]
Minimum = Annotated[
    SeverityWord | None, typer.Option("--minimum-severity", case_sensitive=False, help="Store nothing below it.")
]
ProductType = Annotated[
    str | None, typer.Option("--product-type", metavar="NAME", help="The Product Type of Products that auto-map makes.")
]
CloseBranches = Annotated[
    int | None,
    typer.Option(
        "--close-branches-after",
        min=0,
        max=3_650,
        metavar="DAYS",
        help="Close what a branch had, so many days after the tool last had that branch; 0 keeps it.",
    ),
]
HoldAbove = Annotated[
    int | None,
    typer.Option("--hold-above", min=0, max=32_767, metavar="N", help="Never hold closings where this few are open."),
]
HoldPercent = Annotated[
    int | None,
    typer.Option(
        "--hold-percent",
        min=1,
        max=100,
        metavar="N",
        help="Hold closings where more than this many per cent go at once.",
    ),
]
SecretEnds = Annotated[
    str | None,
    typer.Option(
        "--secret-ends", metavar="DATE", help="The last day of the secret (YYYY-MM-DD), to be warned before it."
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask whether to go on.")]
Discover = Annotated[bool, typer.Option("--discover/--no-discover", help="Ask it at once what it watches.")]
Continues = Annotated[
    int | None, typer.Option("--continues", metavar="N", help="Take up the deleted Connection of this number.")
]
Draft = Annotated[str, typer.Argument(metavar="NUMBER", help="The number of the draft.")]
Label = Annotated[str | None, typer.Option("--label", metavar="LABEL", help="What you call it; no two have the same.")]


@app.command("add")
def add_connection(
    tool: Annotated[str, typer.Argument(metavar="TOOL", help="Which tool, as `tool list` says it.")],
    label: Label = None,
    set_: Set = None,
    secret: Secret = None,
    auto_map: AutoMap = None,
    join_by_name: Join = None,
    minimum_severity: Minimum = None,
    close_branches_after: CloseBranches = None,
    product_type: ProductType = None,
    secret_ends: SecretEnds = None,
    continues: Continues = None,
    test: Annotated[
        bool, typer.Option("--test/--no-test", help="Try it first, and store nothing where it does not work.")
    ] = True,
    discover: Discover = True,
    preview: Annotated[
        bool,
        typer.Option("--preview", help="Only say what it watches, and keep what you entered as a draft for a day."),
    ] = False,
    json: Json = False,
) -> int:
    """Connect a tool.

    Fields that you do not give are asked for one by one. A secret is never written into the command: others on this
    machine could read it there. The tool is tried first: where it does not let us in, nothing is stored. Then it is
    asked what it watches.
    """
    if preview and continues is not None:
        raise usage("A draft is a Connection of its own until it is kept.", "Say --continues when you keep it.")
    kind, last_day = reads.tool.tool(tool), _last_day(secret_ends)
    if kind is None:
        raise not_there("Tool", tool)
    fields = asked_for(kind, given(kind, set_, secret))
    with ready(quiet=json):
        if test:
            tried = actions.connection.try_settings(me(), tool, fields.settings, fields.secrets)
            _stop_at_a_failure(kind, fields, tried.steps)
            for step in tried.steps:
                if step.warning:
                    note(f"Warning: {step.sentence}")
            if continues is None and tried.account is not None and not preview:
                continues = _continued(actions.connection.continuable(tool, tried.account.id), quiet=json)
        called = kind.name if label is None else label
        chosen: dict[str, Any] = {
            "auto_map": bool(auto_map),
            "join_by_name": bool(join_by_name),
            "minimum_severity": _rank(minimum_severity),
            "close_branches_after": close_branches_after or 0,
            "product_type": product_type,
            "secret_ends": last_day,
        }
        if preview:
            number = actions.connection.draft_connection(me(), tool, called, fields.settings, fields.secrets, **chosen)
            return _drafted(number, called, taken=actions.connection.label_is_taken(called), json=json)
        number = actions.connection.add_connection(
            me(), tool, called, fields.settings, fields.secrets, continues=continues, discover=discover, **chosen
        )
        return _stored(number, discover=discover, json=json)


@app.command("keep")
def keep_draft(
    number: Draft, label: Label = None, continues: Continues = None, discover: Discover = True, json: Json = False
) -> int:
    """Make a draft the Connection it was to be; then ask it what it watches."""
    with ready(quiet=json):
        kept = actions.connection.save_draft(
            me(), the_number(number, "a draft"), label=label, continues=continues, discover=discover
        )
        return _stored(kept, discover=discover, json=json)


@app.command("drop")
def drop_draft(number: Draft, json: Json = False) -> None:
    """Let a draft go, with its secrets, before the day is over."""
    with ready(quiet=json):
        which = the_number(number, "a draft")
        actions.connection.drop_draft(me(), which)
    if json:
        return print_json(Deleted(deleted=DeletedThing(id=which, name=f"draft {which}")))
    return say(f"The draft {which} is gone, with its secrets.")


@app.command("list")
def list_connections(
    tool: Annotated[str | None, typer.Option("--tool", metavar="TOOL", help="Only of this tool.")] = None,
    paused: Annotated[
        bool | None, typer.Option("--paused/--running", help="Only those that are, or are not, paused.")
    ] = None,
    health: Annotated[
        HealthWord | None, typer.Option("--health", case_sensitive=False, help="Only those that are so.")
    ] = None,
    search: Search = "",
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List the Connections, and how each of them is."""
    with ready(quiet=json):
        page = reads.connection.connections(
            tool=tool, paused=paused, health=health and health.value, search=search, cursor=after, limit=limit
        )
    if json:
        return print_json(page)
    now = datetime.now(UTC)
    rows = [
        (
            str(row.id), row.label, row.tool_name, row.state, row.health.state, _synced(row.health.sync, now),
            _next(row.health.sync, now), _flow(row), f"{row.findings.active:,}",
        )
        for row in page.connections
    ]  # fmt: skip
    filtered = tool is not None or paused is not None or health is not None or search
    empty = (
        "There is no such Connection." if filtered else "Nothing is connected yet. See what can be: tidegate tool list"
    )
    heads = ("#", "LABEL", "TOOL", "STATE", "HEALTH", "SYNCED", "NEXT", "RECORDS", "ACTIVE#")
    table(heads, rows, empty=empty)
    for row in page.connections:
        for sentence in _to_know(row):
            note(f"{row.label}: {sentence}")
    return _more(page.next)


@app.command("show")
def show_connection(name: Named, json: Json = False) -> None:
    """Show one Connection: its settings, what flows through it, its last runs. Secrets are never shown."""
    with ready(quiet=json):
        found = reads.connection.connection(the_connection(name).id)
    if found is None:
        raise not_there("Connection", name)
    if json:
        return print_json(found)
    row = found.connection
    say(f"{row.label} ({row.id}) connects {row.tool_name}. {row.why}")
    for warning in found.warnings:
        say(f"Warning: {warning}")
    _show_health(row)
    heading("Flow")
    facts(
        [
            ("records", _flow(row)),
            ("findings", f"{row.findings.active:,} active, {row.findings.inactive:,} inactive"),
            ("last discover", _run(row.last_discover)),
            ("last sync", _run(row.last_sync)),
        ]
    )
    heading("Set up")
    secrets = [(name, "stored encrypted, never shown") for name in found.secrets]
    return facts(
        [
            ("account", row.account),
            *((name, plain(value)) for name, value in found.settings.items() if value is not None),
            *secrets,
            ("secret ends", _secret(row.health.secret)),
            ("minimum severity", found.minimum_severity),
            ("gone branches", _gone_branches(found)),
            ("auto-map", _auto_map(found)),
            ("held", f"when more than {found.hold_percent} % of more than {found.hold_above:,} would close at once"),
            ("made", f"{moment(found.created_at)} by {found.created_by}"),
            managed(row.managed_by),
        ]
    )


@app.command("edit")
def edit_connection(
    name: Named,
    label: Label = None,
    set_: Set = None,
    secret: Secret = None,
    auto_map: AutoMap = None,
    join_by_name: Join = None,
    minimum_severity: Minimum = None,
    close_branches_after: CloseBranches = None,
    product_type: ProductType = None,
    hold_above: HoldAbove = None,
    hold_percent: HoldPercent = None,
    records_continue: Annotated[
        bool,
        typer.Option("--records-continue", help="It leads to another account now, and that has the same things."),
    ] = False,
    secret_ends: SecretEnds = None,
    preview: Annotated[
        bool, typer.Option("--preview", help="Only say what another minimum severity would do, and change nothing.")
    ] = False,
    yes: Yes = False,
    json: Json = False,
) -> None:
    """Change a Connection. What you do not name stays as it is; `--set NAME=` sets a field back to its default.

    A new secret forgets the end of the one before, and so does `--secret-ends ""`. What another minimum severity closes
    and may bring back is said first; where it closes something you are asked, unless you say --yes.

    Where a new address or secret leads to another account, nothing is read from it until you say that its Records
    continue there.
    """
    from tidegate.cli.operation import seen_through

    with ready(quiet=json):
        row = the_connection(name)
        kind = _tool(reads.tool.tool(row.tool), row)
        fields = given(kind, set_, secret, stored=_detail(row.id).settings)
        wanted = {
            "label": label,
            "settings": {name: value or None for name, value in fields.settings.items()} or None,
            "secrets": fields.secrets or None,
            "auto_map": auto_map,
            "join_by_name": join_by_name,
            "minimum_severity": None if minimum_severity is None else _rank(minimum_severity),
            "close_branches_after": close_branches_after,
            "product_type": product_type,
            "hold_above": hold_above,
            "hold_percent": hold_percent,
            "records_continue": records_continue or None,
            "secret_ends": _last_day(secret_ends),
        }
        changes: dict[str, Any] = {field: value for field, value in wanted.items() if value is not None}
        if not changes:
            raise Failure("Nothing to change was named.", "See what can be: tidegate connection edit --help", 2)
        if preview:
            if minimum_severity is None or len(changes) > 1:
                raise usage("Only another minimum severity can be previewed here.", "Name --minimum-severity alone.")
            return _previewed_threshold(row, minimum_severity, json=json)
        if minimum_severity is not None and not json:
            _told_before(actions.connection.threshold_effect(row.id, _rank(minimum_severity)), yes=yes)
        edited = actions.connection.edit_connection(me(), row.id, **changes)
        untried = f" Try it with: tidegate connection test {row.id}" if fields.settings or fields.secrets else ""
        if edited.operation is not None:
            seen_through(edited.operation, quiet=json)
        _answer(row.id, f"{row.label} is changed.{_consequence(edited)}{untried}", row.managed_by, json=json)
    return None


@app.command("test")
def try_connection(name: Named, json: Json = False) -> int:
    """Try the Connection step by step: is it there, does it let us in, what can we see?"""
    with ready(quiet=json):
        steps = actions.connection.test_connection(me(), the_connection(name).id)
    well = all(step.ok for step in steps)
    if json:
        told = [TestStep(name=step.name, ok=step.ok, warning=step.warning, sentence=step.sentence) for step in steps]
        print_json(Tested(ok=well, steps=told))
        return DONE if well else FAILED
    for step in steps:
        word = "FAIL" if not step.ok else "warn" if step.warning else "ok"
        say(f"{word:<4}  {step.name}: {step.sentence}")
    return DONE if well else FAILED


@app.command("pause")
def pause_connection(
    name: Named,
    because: Annotated[str, typer.Option("--because", metavar="TEXT", help="Why, for whoever wonders later.")] = "",
    json: Json = False,
) -> None:
    """Pause a Connection: nothing is discovered and nothing flows until you resume it."""
    with ready(quiet=json):
        row = the_connection(name)
        paused = actions.connection.pause_connection(me(), row.id, because)
        goes_on = f" Go on with: tidegate connection resume {row.id}"
        _answer(row.id, f"{row.label} is paused.{_stopped(paused)}{goes_on}", row.managed_by, json=json)


@app.command("resume")
def resume_connection(name: Named, json: Json = False) -> None:
    """Let a paused Connection go on."""
    with ready(quiet=json):
        row = the_connection(name)
        actions.connection.resume_connection(me(), row.id)
        _answer(row.id, f"{row.label} goes on.", row.managed_by, json=json)


@app.command("delete")
def delete_connection(name: Named, confirm: Confirm = None, json: Json = False) -> None:
    """Delete a Connection, its Records and its secrets. Products and findings stay. Asks for the label."""
    with ready(quiet=json):
        row = the_connection(name)
        typed = confirmed(confirm, row.label, f"the Connection {row.label}")
        actions.connection.delete_connection(me(), row.id, typed)
    if json:
        return print_json(Deleted(deleted=DeletedThing(id=row.id, name=row.label)))
    say(
        f"{row.label} is deleted. What it brought stays where it is."
        f" Take it up again with: tidegate connection add {row.tool} --continues {row.id}"
    )
    return note_managed("It", row.managed_by)


@app.command("trigger")
def trigger(
    name: Named,
    new: Annotated[
        bool, typer.Option("--new", help="Make a secret; it is shown once, and one before it ends at once.")
    ] = False,
    key_path: Annotated[
        str | None,
        typer.Option(
            "--key-path",
            metavar="PATH",
            help="With --new: where in the body the tool's own key stands, as `project.key`. GitHub, SonarQube and Snyk"
            " need none.",
        ),
    ] = None,
    remove: Annotated[bool, typer.Option("--remove", help="Nobody can ask from outside any more.")] = False,
    json: Json = False,
) -> None:
    """Let a tool or a pipeline ask for a Sync when something was scanned, by a call that it signs.

    Without an option it says whether somebody may. What a call looks like: docs/guide/webhooks.md
    """
    if new and remove:
        raise usage("--new and --remove contradict each other.", "Give one of the two.")
    if key_path is not None and not new:
        raise usage("A key path is stored with a secret.", "Add --new, or leave --key-path out.")
    with ready(quiet=json):
        row = the_connection(name)
        secret = actions.trigger.new_trigger_secret(me(), row.id, key_path=key_path or "") if new else None
        if remove:
            actions.trigger.remove_trigger(me(), row.id)
        found = reads.connection.connection(row.id)
    if found is None:
        raise not_there("Connection", name)
    shown = None if secret is None else secret.get_secret_value()
    path = f"/api/v1/connections/{row.id}/trigger"
    if json:
        return print_json(ConnectionTrigger(connection_id=row.id, path=path, trigger=found.trigger, secret=shown))
    if shown is not None:
        note(f"Sign with this secret, and POST to {path}. Keep it now: it is not shown again.")
        return say(shown)
    if found.trigger:
        return say(f"Who signs with the secret of {row.label} may ask for its Sync: POST {path}")
    let = f"tidegate connection trigger {row.id} --new"
    return say(f"Nobody can ask from outside for a Sync of {row.label}. Let somebody: {let}")


def _stop_at_a_failure(kind: ToolRow, fields: Given, steps: Sequence[Any]) -> None:
    given = ", ".join(f"{name} {value}" for name, value in fields.settings.items())
    for step in steps:
        if not step.ok:
            raise Failure(
                f"{kind.name} ({given}) is not connected, nothing is stored. {step.name.capitalize()}: {step.sentence}",
                "Correct that and try again, or store it untried with --no-test",
            )


def _continued(deleted: Sequence[Any], *, quiet: bool) -> int | None:
    """The deleted Connection of the same account to take up again: asked where somebody is there, else only said."""
    if not deleted or quiet:
        return None
    last = deleted[0]
    told = f"{last.label}, deleted on {moment(last.deleted_at)}, was connected to the same account."
    if not sys.stdin.isatty():
        note(f"{told} To take it up again instead, with its Records and decisions: --continues {last.id}")
        return None
    goes_on = typer.confirm(f"{told} Take it up again, with its Records and decisions?", default=True, err=True)
    return last.id if goes_on else None


def _stored(number: int, *, discover: bool, json: bool) -> int:
    """The answer of `add`: the Connection, and what it watches."""
    from tidegate.cli.operation import code_of, said_result, saw_discover

    stored = f"{_detail(number).connection.label} is stored as Connection {number}."
    if not discover:
        _answer(number, stored, json=json)
        return DONE
    if not json:
        say(stored)
    ran = saw_discover(number, quiet=json)
    if json:
        print_json(_detail(number))
        return code_of(ran)
    return said_result(ran, json=False)


def _detail(number: int) -> ConnectionDetail:
    found = reads.connection.connection(number)
    if found is None:
        raise not_there("Connection", number)
    return found


def _drafted(number: int, label: str, *, taken: bool, json: bool) -> int:
    """The answer of `add --preview`: what it watches, and what becomes of the draft."""
    from tidegate.cli.operation import code_of, previewed_discover, said_result

    ran = previewed_discover(number, quiet=json)
    if json:
        print_json(ran)
        return code_of(ran)
    code = said_result(ran, json=False)
    other = " --label ANOTHER" if taken else ""
    if taken:
        note(f"There is a Connection «{label}» already, so it needs another label to be kept.")
    note(f"What you entered is kept as draft {number} for a day, and does nothing by itself.")
    note(f"Connect it with: tidegate connection keep {number}{other}")
    note(f"Let it go with: tidegate connection drop {number}")
    return code


def _previewed_threshold(row: ConnectionRow, minimum: SeverityWord, *, json: bool) -> None:
    effect = actions.connection.threshold_effect(row.id, _rank(minimum))
    if json:
        return print_json(
            Threshold(minimum_severity=minimum.value.capitalize(), closes=effect.closes, may_bring=effect.may_bring)
        )
    closes, brings = _closes(effect, "would close"), _brings(effect)
    told = " ".join(filter(None, [closes, brings])) or "It would neither close findings nor bring any."
    return say(f"{row.label}, minimum severity {minimum.value}. {told} Nothing is changed.")


def _told_before(effect: ThresholdEffect, *, yes: bool) -> None:
    """What another minimum severity does, before it is saved; whoever sits there is asked."""
    if brings := _brings(effect):
        note(brings)
    if closes := _closes(effect, "closes"):
        note(closes)
        if not yes and sys.stdin.isatty() and not typer.confirm("Go on?", err=True):
            raise typer.Abort


def _closes(effect: ThresholdEffect, closes: str) -> str:
    stay = "They are not deleted: a lower minimum brings them back."
    return f"This {closes} {effect.closes:,} findings now. {stay}" if effect.closes else ""


def _brings(effect: ThresholdEffect) -> str:
    kept_away = "findings that were kept away; how bad the tool calls them is seen then."
    return f"The next Sync may bring up to {effect.may_bring:,} {kept_away}" if effect.may_bring else ""


def _answer(number: int, sentence: str, file: str | None = None, *, json: bool) -> None:
    if json:
        return print_json(reads.connection.connection(number))
    say(sentence)
    return note_managed("It", file)


def _stopped(paused: Any) -> str:
    waited = f" {paused.cancelled:,} that waited will not begin." if paused.cancelled else ""
    runs = paused.running
    return waited + (
        f" Operation {runs} runs on to its end; to end it too: tidegate operation cancel {runs}." if runs else ""
    )


def _consequence(edited: Any) -> str:
    resumed = " It goes on: only its rejected login had paused it." if edited.resumed else ""
    if edited.closed:
        by = f" by Operation {edited.operation}" if edited.operation else ""
        return f"{resumed} {edited.closed:,} findings are below its minimum severity now, and closed{by}."
    back = " A Sync is asked for: it brings back what the minimum severity kept away."
    return resumed + (back if edited.sync_wanted else "")


def _last_day(text: str | None) -> Any:
    """What actions take as `secret_ends`: nothing said, "unknown" where it is to be forgotten, or a day."""
    if not text:
        return None if text is None else "unknown"
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise usage(f"«{text}» is no date.", "Write it as YYYY-MM-DD, such as 2031-04-30.") from None


def _tool(kind: ToolRow | None, row: ConnectionRow) -> ToolRow:
    if kind is None:
        raise Failure(f"The tool {row.tool} of {row.label} is not installed.", "Install it, then try again.")
    return kind


def _rank(word: SeverityWord | None) -> int:
    from tidegate_sdk import Severity

    return 0 if word is None else Severity(word.value.capitalize()).rank


def _flow(row: ConnectionRow) -> str:
    return ", ".join(f"{number:,} {state}" for state, number in row.records.items() if number) or "none"


def _run(run: Any) -> str:
    return f"{run.status}, {moment(run.at)} (Operation {run.id}). {run.why}".strip() if run else "never"


def _show_health(row: ConnectionRow) -> None:
    """The last success stands beside the last run, and what comes next beside both."""
    health = row.health
    heading(f"Health: {health.state}")
    if health.state != "on time" and health.why not in row.why:
        say(health.why if health.next_step in health.why else f"{health.why} {health.next_step}")
    runs = [("Discover", health.discover), ("Sync", health.sync)]
    rows = [
        (
            what, ", ".join(filter(None, (one.timing, one.attention))),
            f"{one.last_run.status}, {moment(one.last_run.at)}" if one.last_run else "none yet",
            moment(one.last_success.ended_at) if one.last_success else "none yet",
            moment(one.next_try or one.next_run),
        )
        for what, one in runs
    ]  # fmt: skip
    table(("", "IS", "LAST RUN", "LAST THAT WENT WELL", "NEXT"), rows, empty="")


def _secret(end: SecretEnd | None) -> str:
    by = {"person": "entered by a person", "token": "it says so itself", "tool": "the tool says so"}
    return f"{moment(end.ends_at)} ({by.get(end.told_by, end.told_by)})" if end else ""


def _synced(sync: RunHealth, now: datetime) -> str:
    ended = sync.last_success and sync.last_success.ended_at
    return f"{_span((now - ended).total_seconds())} ago" if ended else "never"


def _next(sync: RunHealth, now: datetime) -> str:
    ahead = [at for at in (sync.next_try, sync.next_run) if at is not None]
    seconds = (min(ahead) - now).total_seconds() if ahead else 0
    return "" if not ahead else f"in {_span(seconds)}" if seconds > 0 else "due"


def _span(seconds: float) -> str:
    """How long, in the largest unit that fits: a table has little room."""
    for unit, length in (("d", 86_400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{int(seconds // length)} {unit}"
    return f"{max(0, int(seconds))} s"


def _to_know(row: ConnectionRow) -> list[str]:
    """What a person must know of it before they look at the next one."""
    health, told = row.health, []
    if health.state in ("needs you", "overdue"):
        step = "" if health.next_step in health.why else f" {health.next_step}"
        told.append(f"{health.state}. {health.why}{step}")
    warning = health.secret.warning if health.secret else ""
    return [*told, *([warning] if warning and warning not in health.why else [])]


def _gone_branches(found: ConnectionDetail) -> str:
    kind = reads.tool.tool(found.connection.tool)
    if kind is None or not kind.has_branches:
        return ""
    days = found.close_branches_after
    return f"their findings close after {days:,} day{'s' if days > 1 else ''}" if days else "keep their findings"


def _auto_map(found: Any) -> str:
    if not found.auto_map:
        return "off: you decide about each Record"
    joins = "joining Products of the same name" if found.join_by_name else "never joining a Product that is there"
    return f"on, {joins}" + (f", in {found.product_type}" if found.product_type else "")


def _more(cursor: str | None) -> None:
    if cursor:
        note(f"There are more: --after {cursor}")
