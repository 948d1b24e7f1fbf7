"""`tidegate destination`: where findings are delivered to, and which of them go where."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.answer import Deleted, DeletedThing, PreflightDone, PreflightRemark
from tidegate.cli.failure import DONE, FAILED, Failure, usage
from tidegate.cli.field import Secret, Set, asked_for, given
from tidegate.cli.house import actions, reads
from tidegate.cli.managed import managed, note_managed
from tidegate.cli.naming import confirmed, the_connection, the_destination, the_product, the_product_type
from tidegate.cli.option import Confirm, Json, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, heading, moment, note, plain, print_json, say, table

if TYPE_CHECKING:
    from tidegate.reads.destination import DestinationRouteRow, DestinationRow
    from tidegate.reads.tool import FieldRow

app = group("Say where findings are delivered to, and which of them.")


class JoinWord(StrEnum):
    """When an existing Product there is joined."""

    ask = "ask"
    same_name = "same name"


Named = Annotated[str, typer.Argument(metavar="DESTINATION", help="Its name or its number.")]
ProductType = Annotated[
    str | None,
    typer.Option("--product-type", metavar="NAME", help="The product type there in which Products are made."),
]
Engagement = Annotated[
    str | None,
    typer.Option("--engagement", metavar="NAME", help="What the Engagement is called that is made in each Product."),
]
Join = Annotated[
    JoinWord | None,
    typer.Option("--join", help="Join an existing Product only when a person says so, or by its name."),
]
Writes = Annotated[
    int | None,
    typer.Option("--writes-per-minute", min=1, max=6_000, metavar="N", help="Burden the server with no more."),
]
Test = Annotated[bool, typer.Option("--test/--no-test", help="Try it first, and store nothing where it cannot work.")]
Of = Annotated[str | None, typer.Option("--connection", "-c", metavar="LABEL", help="What comes from this Connection.")]
In = Annotated[str | None, typer.Option("--product-type", metavar="NAME", help="What lies in this Product Type, here.")]
Rest = Annotated[bool, typer.Option("--the-rest", help="Whatever no other route takes.")]


@dataclass(frozen=True)
class Kind:
    """What a Destination needs, as fields are given and asked for."""

    name: str
    fields: list[FieldRow]


@app.command("add")
def add_destination(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What you call it; no two have the same.")],
    set_: Set = None,
    secret: Secret = None,
    product_type: ProductType = None,
    engagement: Engagement = None,
    join: Join = None,
    writes_per_minute: Writes = None,
    test: Test = True,
    json: Json = False,
) -> None:
    """Add a DefectDojo that findings are delivered to.

    Its fields are `url` and `token`; what you do not give is asked for. The token is never written into the command:
    others on this machine could read it there. Nothing is delivered until a route leads to it: tidegate destination
    take.
    """
    fields = asked_for(_kind(), given(_kind(), set_, secret))
    own = _own(product_type=product_type, engagement=engagement, join=join, writes_per_minute=writes_per_minute)
    with ready(quiet=json):
        if test:
            tried = actions.destination.try_destination(
                me(), fields.settings, fields.secrets, product_type=product_type or ""
            )
            _stop_at_a_problem(tried)
            for remark in tried.remarks:
                if remark.level == "warning":
                    note(f"Warning: {_sentences(remark)}")
        number = actions.destination.add_destination(me(), name, fields.settings, fields.secrets, **own)
        sentence = f"{name} is stored as Destination {number}. Say what goes there: tidegate destination take {number}"
        _answer(number, sentence, json=json)


@app.command("list")
def list_destinations(json: Json = False) -> None:
    """List the Destinations, and what is delivered to each."""
    with ready(quiet=json):
        found = reads.destination.destinations()
    if json:
        return print_json(found)
    rows = [
        (str(row.id), row.name, row.state, row.url, row.version or "not tested", _taken(row))
        for row in found.destinations
    ]
    empty = "Nothing is delivered anywhere. Begin with: tidegate destination add NAME"
    return table(("#", "NAME", "STATE", "URL", "VERSION", "TAKES"), rows, empty=empty)


@app.command("show")
def show_destination(name: Named, json: Json = False) -> None:
    """Show one Destination: where it is, how it is written to, what goes there. Secrets are never shown."""
    with ready(quiet=json):
        row = the_destination(name)
    if json:
        return print_json(row)
    say(f"{row.name} ({row.id}) is {row.url}. {row.why}")
    if row.warning:
        say(f"Warning: {row.warning}")
    heading("Set up")
    facts(
        [
            *((field, plain(value)) for field, value in row.settings.items() if value is not None),
            ("product type", row.product_type or "none: no Product is made there"),
            ("engagement", row.engagement_name),
            ("existing Products", "joined when a person says so" if row.join_products == "ask" else "joined by name"),
            ("writes a minute", f"{row.writes_per_minute:,} at most"),
            ("version", row.version),
            ("tested", moment(row.checked_at) or "never with success"),
            ("made", f"{moment(row.created_at)} by {row.created_by}"),
            managed(row.managed_by),
        ]
    )
    heading("Routes")
    rows = [(str(one.id), _takes(one), f"{moment(one.created_at)} by {one.created_by}") for one in row.routes]
    return table(("#", "TAKES", "MADE"), rows, empty=f"None. Say what goes there: tidegate destination take {row.id}")


@app.command("edit")
def edit_destination(
    name: Named,
    rename: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Call it so from now on.")] = None,
    set_: Set = None,
    secret: Secret = None,
    product_type: ProductType = None,
    engagement: Engagement = None,
    join: Join = None,
    writes_per_minute: Writes = None,
    on: Annotated[bool | None, typer.Option("--on/--off", help="Deliver to it, or do not.")] = None,
    json: Json = False,
) -> None:
    """Change a Destination, or switch it off. What you do not name stays as it is; `--set NAME=` sets a field back.

    For a URL that leads to another server the token is given anew.
    """
    with ready(quiet=json):
        row = the_destination(name)
        fields = given(_kind(), set_, secret, stored=row.settings)
        wanted: dict[str, Any] = {
            "name": rename,
            "settings": {name: value or None for name, value in fields.settings.items()} or None,
            "secrets": fields.secrets or None,
            "on": on,
            **_own(product_type=product_type, engagement=engagement, join=join, writes_per_minute=writes_per_minute),
        }
        changes = {field: value for field, value in wanted.items() if value is not None}
        if not changes:
            raise Failure("Nothing to change was named.", "See what can be: tidegate destination edit --help", 2)
        actions.destination.edit_destination(me(), row.id, **changes)
        untried = f" Try it with: tidegate destination test {row.id}" if fields.settings or fields.secrets else ""
        _answer(row.id, f"{row.name} is changed.{untried}", json=json)
        note_managed("It", row.managed_by)


@app.command("delete")
def delete_destination(name: Named, confirm: Confirm = None, json: Json = False) -> None:
    """Forget a Destination, its token and its routes. On the server everything stays as it is."""
    with ready(quiet=json):
        row = the_destination(name)
        actions.destination.delete_destination(me(), row.id, confirmed(confirm, row.name, "a Destination"))
    if json:
        return print_json(Deleted(deleted=DeletedThing(id=row.id, name=row.name)))
    return say(f"{row.name} is deleted; what was delivered there stays there.")


@app.command("test")
def fly_destination(name: Named, json: Json = False) -> int:
    """Look before anything is delivered: version, user, rights, deduplication, clock. Nothing is written there."""
    with ready(quiet=json):
        found = actions.destination.test_destination(me(), the_destination(name).id)
    if json:
        remarks = [
            PreflightRemark(about=one.about, level=one.level, what=one.what, follows=one.follows, do=one.do)
            for one in found.remarks
        ]
        print_json(PreflightDone(ok=found.ok, version=found.version, user=found.user, remarks=remarks))
    else:
        for remark in found.remarks:
            say(f"{WORDS[remark.level]:<4}  {remark.about}: {_sentences(remark)}")
    return DONE if found.ok else FAILED


@app.command("take")
def add_route(
    name: Named, connection: Of = None, product_type: In = None, the_rest: Rest = False, json: Json = False
) -> None:
    """Have findings delivered there: of a Connection, in a Product Type, or all that no other route takes.

    Of two routes that take the same finding, the Connection's wins, then the Product Type's.
    """
    of, within = _which(connection, product_type, the_rest=the_rest)
    with ready(quiet=json):
        row = the_destination(name)
        actions.destination.add_destination_route(
            me(),
            row.id,
            connection_id=None if of is None else the_connection(of).id,
            product_type_id=None if within is None else the_product_type(within).id,
        )
        takes = f"what comes from {of}" if of else f"what lies in {within}" if within else "what no other route takes"
        _answer(row.id, f"{row.name} takes {takes}.", json=json)
        note_managed("It", row.managed_by)


@app.command("leave")
def remove_route(
    name: Named, connection: Of = None, product_type: In = None, the_rest: Rest = False, json: Json = False
) -> None:
    """Have these findings delivered there no more: they go where the next best route leads, or nowhere."""
    of, within = _which(connection, product_type, the_rest=the_rest)
    with ready(quiet=json):
        row = the_destination(name)
        wanted = (
            None if of is None else the_connection(of).id,
            None if within is None else the_product_type(within).id,
        )
        found = next((one for one in row.routes if (one.connection_id, one.product_type_id) == wanted), None)
        if found is None:
            raise Failure(f"{row.name} has no such route.", f"See its routes: tidegate destination show {row.id}")
        actions.destination.remove_destination_route(me(), found.id)
        _answer(row.id, f"{row.name} takes {_takes(found)} no more; what was delivered stays there.", json=json)
        note_managed("It", row.managed_by)


@app.command("join")
def join_product(
    name: Named,
    product: Annotated[str, typer.Argument(metavar="PRODUCT", help="Of ours: its name or its number.")],
    number: Annotated[int, typer.Argument(metavar="NUMBER", min=1, help="The Product's there, as its URL says.")],
    json: Json = False,
) -> None:
    """Say that a Product there is one of ours: findings are delivered into it from then on."""
    with ready(quiet=json):
        row, of = the_destination(name), the_product(product)
        actions.delivery.join_product(me(), row.id, of.id, number)
        _answer(row.id, f"{of.name} is the Product {number} of {row.name}.", json=json)


WORDS = {"good": "ok", "warning": "warn", "problem": "FAIL"}


def _kind() -> Kind:
    from tidegate.delivery.defectdojo.settings import fields

    return Kind("DefectDojo", fields())


def _own(
    *, product_type: str | None, engagement: str | None, join: JoinWord | None, writes_per_minute: int | None
) -> dict[str, Any]:
    named = {
        "product_type": product_type,
        "engagement_name": engagement,
        "join_products": None if join is None else join.value,
        "writes_per_minute": writes_per_minute,
    }
    return {name: value for name, value in named.items() if value is not None}


def _which(connection: str | None, product_type: str | None, *, the_rest: bool) -> tuple[str | None, str | None]:
    if [connection is not None, product_type is not None, the_rest].count(True) != 1:
        raise usage("Which findings?", "Say one of: --connection LABEL, --product-type NAME, --the-rest")
    return connection, product_type


def _stop_at_a_problem(tried: Any) -> None:
    if tried.ok:
        return
    problems = [_sentences(remark) for remark in tried.remarks if remark.level == "problem"]
    raise Failure(
        f"It cannot be delivered to, so nothing is stored. {' '.join(problems)}",
        "Correct it and try again, or store it untried with --no-test",
    )


def _sentences(remark: Any) -> str:
    return " ".join(part for part in (remark.what, remark.follows, remark.do) if part)


def _taken(row: DestinationRow) -> str:
    return "; ".join(_takes(one) for one in row.routes) or "nothing"


def _takes(one: DestinationRouteRow) -> str:
    if one.takes == "connection":
        return f"Connection {one.connection}"
    return f"Product Type {one.product_type}" if one.takes == "product type" else "the rest"


def _answer(number: int, sentence: str, *, json: bool) -> None:
    if not json:
        return say(sentence)
    found = reads.destination.destination(number)
    if found is None:
        raise Failure(f"There is no Destination {number}.", "See what there is: tidegate destination list")
    return print_json(found)
