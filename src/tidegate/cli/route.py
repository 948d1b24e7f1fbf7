"""`tidegate notify`: who is told what, and how the telling goes."""

from __future__ import annotations

import sys
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import SecretStr

from tidegate.cli.answer import CreatedWebhook, Deleted, DeletedThing, ReplayedNews, Tested, TestStep
from tidegate.cli.failure import DONE, FAILED, Failure, usage
from tidegate.cli.field import secret_from
from tidegate.cli.house import actions, reads
from tidegate.cli.managed import managed, note_managed
from tidegate.cli.naming import the_connection, the_number, the_route
from tidegate.cli.option import After, ConnectionFilter, Json, Limit, NewsKind, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, heading, moment, note, print_json, say, table

if TYPE_CHECKING:
    from tidegate.reads.route import NewsRow, RouteRow

app = group("Say who is told when something needs a person.")

Named = Annotated[str, typer.Argument(metavar="ROUTE", help="Its name or its number.")]
Address = Annotated[
    str | None,
    typer.Option(
        "--address",
        metavar="SOURCE",
        help="Where the address is kept secret: env:VARIABLE, file:PATH, or - for standard input. Else you are asked.",
    ),
]
Kind = Annotated[
    list[NewsKind] | None,
    typer.Option("--kind", help="Only this kind of news. Say it again for more; without it every kind."),
]
Of = Annotated[
    str | None,
    typer.Option("--connection", "-c", metavar="LABEL", help="Only of this Connection: its label or number."),
]

SigningSecret = Annotated[
    str | None,
    typer.Option(
        "--signing-secret",
        metavar="SOURCE",
        help="Sign with this one, from env:VARIABLE, file:PATH, or - for standard input. Without it one is made.",
    ),
]


@app.command("add")
def add_route(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it; no two have the same.")],
    address: Address = None,
    kind: Kind = None,
    connection: Of = None,
    webhook: Annotated[
        bool, typer.Option("--webhook", help="For a program: each piece of news is posted as JSON that is signed.")
    ] = False,
    signing_secret: SigningSecret = None,
    test: Annotated[
        bool, typer.Option("--test/--no-test", help="Send a message first, and store nothing where that fails.")
    ] = True,
    json: Json = False,
) -> None:
    """Tell somebody: by mail, Slack, Teams, ntfy, a webhook and more.

    The address holds its own password, so it is never written into the command: others on this machine could read it
    there. A test message is sent to it first. The secret that signs what goes to a webhook is shown once, here; where
    one is made, the receiver does not know it yet, so no test is sent.
    """
    if signing_secret is not None and not webhook:
        raise usage("Only what goes to a webhook is signed.", "Add --webhook, or leave --signing-secret out.")
    if address == signing_secret == "-":
        raise usage("Standard input holds one of the two.", "Give the other as env:VARIABLE or file:PATH.")
    given = _address(address)
    if webhook:
        return _add_webhook(name, given, signing_secret, kind=kind, connection=connection, test=test, json=json)
    with ready(quiet=json):
        tried = actions.route.try_address(me(), name, given, send=test)
        _stop_where_untaken(tried)
        of = None if connection is None else the_connection(connection).id
        number = actions.route.add_route(me(), name, given, kinds=_words(kind), connection_id=of)
        arrived = " The test message was taken." if test else f" Try it with: tidegate notify test {number}"
        _answer(number, f"{name} is stored as route {number}.{arrived}", json=json)
    return None


def _add_webhook(
    name: str,
    address: SecretStr,
    source: str | None,
    *,
    kind: list[NewsKind] | None,
    connection: str | None,
    test: bool,
    json: bool,
) -> None:
    secret = None if source is None else secret_from("the signing secret", source, "--signing-secret ")
    with ready(quiet=json):
        if secret is not None:
            tried = actions.route.try_address(me(), name, address, signing_secret=secret, send=test)
            _stop_where_untaken(tried)
        of = None if connection is None else the_connection(connection).id
        made = actions.route.add_webhook(
            me(), name, address, kinds=_words(kind), connection_id=of, signing_secret=secret
        )
    told = f"{name} is stored as route {made.route_id}. Tell the receiver its secret, which is not shown again; then:"
    _shown_once(made.route_id, made.signing_secret, f"{told} tidegate notify test {made.route_id}", json=json)


@app.command("list")
def list_routes(json: Json = False) -> None:
    """List the routes that news take, and how each of them is."""
    with ready(quiet=json):
        found = reads.route.routes()
    if json:
        return print_json(found)
    rows = [
        (str(row.id), row.name, row.state, row.leads_to, ", ".join(row.kinds) or "every kind", row.connection or "all")
        for row in found.routes
    ]
    empty = "Nobody is told anything yet. Begin with: tidegate notify add NAME"
    return table(("#", "NAME", "STATE", "LEADS TO", "KINDS", "CONNECTION"), rows, empty=empty)


@app.command("show")
def show_route(name: Named, json: Json = False) -> None:
    """Show one route: where it leads, for which news, how it is. The address itself is never shown."""
    with ready(quiet=json):
        row = the_route(name)
    if json:
        return print_json(row)
    say(f"{row.name} ({row.id}) leads to {row.leads_to}. {row.why}")
    heading("News")
    return facts(
        [
            ("kinds", ", ".join(row.kinds) or "every kind"),
            ("connection", row.connection or "all"),
            ("waiting", f"{row.waiting:,}" if row.waiting else ""),
            ("last sent", moment(row.last_sent_at) or "never"),
            ("failing since", moment(row.failing_since)),
            ("made", f"{moment(row.created_at)} by {row.created_by}"),
            managed(row.managed_by),
        ]
    )


@app.command("test")
def try_route(name: Named, json: Json = False) -> int:
    """Send one message now and say how that went."""
    with ready(quiet=json):
        row = the_route(name)
        outcome = actions.route.test_route(me(), row.id)
    sentence = outcome.why or f"The message was taken by {row.leads_to}. Look there whether it came."
    if json:
        print_json(
            Tested(ok=outcome.ok, steps=[TestStep(name="send", ok=outcome.ok, warning=False, sentence=sentence)])
        )
    else:
        say(f"{'ok' if outcome.ok else 'FAIL':<4}  send: {sentence}")
    return DONE if outcome.ok else FAILED


@app.command("edit")
def edit_route(
    name: Named,
    rename: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Call it so from now on.")] = None,
    address: Address = None,
    kind: Kind = None,
    every_kind: Annotated[bool, typer.Option("--every-kind", help="For every kind of news again.")] = False,
    connection: Of = None,
    every_connection: Annotated[bool, typer.Option("--every-connection", help="For all Connections again.")] = False,
    on: Annotated[
        bool | None, typer.Option("--on/--off", help="Switch it on, or off; what waits for it then is given up.")
    ] = None,
    new_secret: Annotated[
        bool, typer.Option("--new-secret", help="Of a webhook: sign with another secret. It is shown once, here.")
    ] = False,
    signing_secret: SigningSecret = None,
    at_once: Annotated[
        bool, typer.Option("--at-once", help="With --new-secret: the one before ends now, not after a day beside it.")
    ] = False,
    json: Json = False,
) -> None:
    """Change a route, or switch it off. What you do not name stays as it is."""
    if (signing_secret is not None or at_once) and not new_secret:
        raise usage("That is about a new secret, and none was asked for.", "Add: --new-secret")
    if (kind and every_kind) or (connection and every_connection):
        raise usage("One option says all, another says which.", "Give one of the two.")
    if address == signing_secret == "-":
        raise usage("Standard input holds one of the two.", "Give the other as env:VARIABLE or file:PATH.")
    given = None if address is None else secret_from("the address", address, "--address ")
    secret = None if signing_secret is None else secret_from("the signing secret", signing_secret, "--signing-secret ")
    with ready(quiet=json):
        from tidegate.rules.news import EVERY_CONNECTION

        row = the_route(name)
        wanted: dict[str, Any] = {
            "name": rename,
            "address": given,
            "kinds": [] if every_kind else _words(kind) or None,
            "connection_id": EVERY_CONNECTION
            if every_connection
            else None
            if connection is None
            else the_connection(connection).id,
            "on": on,
        }
        changes = {field: value for field, value in wanted.items() if value is not None}
        if not changes and not new_secret:
            raise Failure("Nothing to change was named.", "See what can be: tidegate notify edit --help", 2)
        if changes:
            actions.route.edit_route(me(), row.id, **changes)
        if new_secret:
            made = actions.route.new_signing_secret(me(), row.id, signing_secret=secret, keep_former=not at_once)
            beside = "the one before ended." if at_once else "for a day the one before signs too."
            _shown_once(row.id, made, f"{row.name} signs with this secret from now on; {beside}", json=json)
            return note_managed("It", row.managed_by)
        untried = f" Try it with: tidegate notify test {row.id}" if given else ""
        return _answer(row.id, f"{row.name} is changed.{untried}", row.managed_by, json=json)


@app.command("remove")
def remove_route(name: Named, json: Json = False) -> None:
    """Remove a route: nothing is sent there any more, and its part of the log goes."""
    with ready(quiet=json):
        row = the_route(name)
        actions.route.remove_route(me(), row.id)
    if json:
        return print_json(Deleted(deleted=DeletedThing(id=row.id, name=row.name)))
    say(f"{row.name} is removed.")
    return note_managed("It", row.managed_by)


@app.command("log")
def list_news(
    route: Annotated[str | None, typer.Option("--route", metavar="NAME", help="Only what went this route.")] = None,
    kind: Annotated[NewsKind | None, typer.Option("--kind", help="Only this kind of news.")] = None,
    connection: ConnectionFilter = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List what happened and how telling it went, the newest first."""
    with ready(quiet=json):
        page = reads.route.news(
            kind=None if kind is None else kind.value,
            connection_id=None if connection is None else the_connection(connection).id,
            route_id=None if route is None else the_route(route).id,
            cursor=after,
            limit=limit,
        )
    if json:
        return print_json(page)
    rows = [(str(one.id), moment(one.at), one.title, _told(one)) for one in page.news]
    table(("#", "WHEN", "WHAT", "TOLD"), rows, empty="There are no such news.")
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("replay")
def replay_news(
    number: Annotated[
        str | None, typer.Argument(metavar="[NUMBER]", help="The number of one piece of news, as `notify log` says it.")
    ] = None,
    since: Annotated[
        datetime | None, typer.Option("--since", metavar="TIME", help="All news from then on, in UTC.")
    ] = None,
    route: Annotated[
        str | None, typer.Option("--route", metavar="NAME", help="Only on this route, whatever kinds it is for.")
    ] = None,
    json: Json = False,
) -> None:
    """Send news again: one piece of them, or all since a moment. A webhook gets each with the webhook-id it had."""
    if (number is None) == (since is None):
        raise usage("Which news?", "Give the number of one, or --since for all from then on; not both.")
    with ready(quiet=json):
        done = actions.route.replay_news(
            me(),
            None if number is None else the_number(number, "a piece of news"),
            since=_utc(since),
            route_id=None if route is None else the_route(route).id,
        )
    if json:
        return print_json(ReplayedNews(news=done.news, messages=done.messages))
    return say(f"{done.news:,} news go out again, in {done.messages:,} messages. See how it goes: tidegate notify log")


def _stop_where_untaken(tried: Any) -> None:
    if not tried.outcome.ok:
        raise Failure(
            f"The test message did not arrive, so nothing is stored. {tried.outcome.why}",
            "Correct the address and try again, or store it untried with --no-test",
        )
    if tried.warning:
        note(f"Warning: {tried.warning}")


def _shown_once(number: int, secret: SecretStr, told: str, *, json: bool) -> None:
    if json:
        return print_json(CreatedWebhook(id=number, signing_secret=secret.get_secret_value()))
    note(told)
    return say(secret.get_secret_value())


def _utc(at: datetime | None) -> datetime | None:
    from datetime import UTC

    return None if at is None else at.replace(tzinfo=at.tzinfo or UTC)


def _address(source: str | None) -> SecretStr:
    if source is not None:
        return secret_from("the address", source, "--address ")
    if not sys.stdin.isatty():
        raise usage(
            "An address is needed, and nobody is there to be asked.",
            "Give it with --address env:VARIABLE, --address file:PATH or --address -",
        )
    typer.echo(
        "\nThe address, as docs/guide/notifications.md says it for each service. It is stored encrypted.", err=True
    )
    return SecretStr(typer.prompt("Address", hide_input=True, err=True))


def _words(kinds: list[NewsKind] | None) -> list[str]:
    return [kind.value for kind in kinds or ()]


def _told(news: NewsRow) -> str:
    told = [f"{one.route}: {one.outcome}{f' ({one.error})' if one.error else ''}" for one in news.deliveries]
    return "; ".join(told) or "nobody"


def _answer(number: int, sentence: str, file: str | None = None, *, json: bool) -> None:
    if not json:
        say(sentence)
        return note_managed("It", file)
    found: RouteRow | None = reads.route.route(number)
    if found is None:
        raise Failure(f"There is no route {number}.", "See what there is: tidegate notify list")
    return print_json(found)
