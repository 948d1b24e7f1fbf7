"""`tidegate user`: who may come in, and what they may do."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import SecretStr

from tidegate.cli.failure import Failure, usage
from tidegate.cli.field import secret_from
from tidegate.cli.house import actions, reads
from tidegate.cli.managed import managed, note_managed
from tidegate.cli.naming import the_connection, the_product, the_product_type, the_user
from tidegate.cli.option import After, Json, Limit, RoleWord, Search, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, heading, moment, note, print_json, say, table

if TYPE_CHECKING:
    from tidegate.reads.grant import GrantRow
    from tidegate.rules.access import Grant, ScopeKind

app = group("Say who may come in and what they may do.")

Named = Annotated[str, typer.Argument(metavar="USER", help="Their name or their number.")]
RoleArgument = Annotated[RoleWord, typer.Argument(metavar="ROLE", help="What they may do there.")]
OfProductType = Annotated[
    list[str] | None, typer.Option("--product-type", metavar="NAME", help="Only for this Product Type.")
]
OfProduct = Annotated[list[str] | None, typer.Option("--product", "-p", metavar="NAME", help="Only for this Product.")]
OfConnection = Annotated[
    list[str] | None, typer.Option("--connection", "-c", metavar="LABEL", help="Only for this Connection.")
]
Password = Annotated[
    str | None,
    typer.Option(
        "--password",
        metavar="SOURCE",
        help="Where the password is: env:VARIABLE, file:PATH, or - for standard input. Else you are asked.",
    ),
]


@app.command("list")
def list_users(
    search: Search = "",
    active: Annotated[
        bool | None, typer.Option("--active/--left", help="Only who may come in, or only who may not any more.")
    ] = None,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List people and service accounts, with what they may do."""
    with ready(quiet=json):
        page = reads.user.users(search=search, active=active, cursor=after, limit=limit)
    if json:
        return print_json(page)
    rows = [
        (
            str(row.id),
            row.name,
            row.kind,
            "may come in" if row.active else "left",
            "; ".join(map(in_words, row.grants)) or "nothing yet",
            moment(row.last_login_at) or "never",
        )
        for row in page.users
    ]
    empty = "There is nobody yet. Begin with: tidegate user add NAME --administrator"
    table(("#", "NAME", "KIND", "STATE", "ROLES", "LAST LOG-IN"), rows, empty=empty)
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("show")
def show_user(name: Named, json: Json = False) -> None:
    """Show one user: what they may do, and how they come in."""
    with ready(quiet=json):
        row = the_user(name)
    if json:
        return print_json(row)
    say(f"{row.name} ({row.id}) is a {'person' if row.kind == 'person' else 'service account'}.")
    ways = [word for word, has in (("password", row.password), ("single sign-on", row.single_sign_on)) if has]
    facts(
        [
            ("state", "may come in" if row.active else f"left on {moment(row.left_at)}"),
            ("mail", row.email),
            managed(row.managed_by),
            ("comes in by", ", ".join(ways)),
            ("second factor", ", ".join(row.second_factors)),
            ("sessions", f"{row.sessions:,}" if row.sessions else ""),
            ("tokens", f"{row.tokens:,}" if row.tokens else ""),
            ("last log-in", moment(row.last_login_at) or "never"),
            ("added", f"{moment(row.created_at)} by {row.created_by}"),
        ]
    )
    heading("Roles")
    rows = [
        (grant.role, grant.scope, grant.name, "a group at the issuer" if grant.by_group else "") for grant in row.grants
    ]
    return table(("ROLE", "FOR", "NAME", "BY"), rows, empty="None yet: they see nothing. tidegate user grant NAME ROLE")


@app.command("add")
def add_user(
    name: Annotated[str, typer.Argument(metavar="NAME", help="The name they log in with.")],
    administrator: Annotated[
        bool, typer.Option("--administrator", help="They may do everything, and let others in.")
    ] = False,
    role: Annotated[RoleWord | None, typer.Option("--role", help="What they may do. Without it: nothing yet.")] = None,
    product_type: OfProductType = None,
    product: OfProduct = None,
    connection: OfConnection = None,
    service: Annotated[
        bool, typer.Option("--service", help="A service account: it has tokens and no password.")
    ] = False,
    email: Annotated[str, typer.Option("--email", metavar="ADDRESS", help="Their mail address, to know them by.")] = "",
    password: Password = None,
    no_password: Annotated[bool, typer.Option("--no-password", help="They come in by single sign-on only.")] = False,
    json: Json = False,
) -> None:
    """Add a person, or a service account for scripts.

    A person's password is asked for, or read from where --password says; it never stands in the command.
    """
    if administrator and role not in (None, RoleWord.administrator):
        raise usage("--administrator and --role contradict each other.", "Give one of the two.")
    if sum((service, no_password, password is not None)) > 1:
        raise usage("--service, --no-password and --password contradict each other.", "Give one of them.")
    wanted = RoleWord.administrator if administrator else role
    if wanted is None and (product_type or product or connection):
        raise usage("It is not said what they may do there.", "Add: --role reader")
    secret = None if service or no_password else password_from(password, f"A password for {name}")
    with ready(quiet=json):
        grants = [] if wanted is None else the_grants(wanted, product_type, product, connection)
        kind = "service" if service else "person"
        number = actions.user.add_user(me(), name, kind=kind, email=email, password=secret, grants=grants)
        nothing = "" if grants else " They see nothing yet: tidegate user grant NAME ROLE"
        _answer(number, f"{name} is user {number}.{nothing}", json=json)


@app.command("edit")
def edit_user(
    name: Named,
    rename: Annotated[str | None, typer.Option("--name", metavar="NAME", help="Another name to log in with.")] = None,
    email: Annotated[
        str | None, typer.Option("--email", metavar="ADDRESS", help="Another mail address; empty for none.")
    ] = None,
    json: Json = False,
) -> None:
    """Change name or mail address. What history says of the old name stays as it is."""
    if rename is None and email is None:
        raise usage("Nothing to change was named.", "See what can be: tidegate user edit --help")
    with ready(quiet=json):
        row = the_user(name)
        actions.user.edit_user(me(), row.id, name=rename, email=email)
        _answer(row.id, f"{row.name} is changed.", row.managed_by, json=json)


@app.command("grant")
def grant_role(
    name: Named,
    role: RoleArgument,
    product_type: OfProductType = None,
    product: OfProduct = None,
    connection: OfConnection = None,
    json: Json = False,
) -> None:
    """Give a role: for everything, or for Product Types, Products or Connections.

    A reader sees. A mapper also decides about Records and findings. An operator also runs things. An administrator also
    sets up; for everything, also people, tokens and keys. It replaces the role they have for the same.
    """
    with ready(quiet=json):
        row = the_user(name)
        for grant in the_grants(role, product_type, product, connection):
            actions.user.grant_role(me(), row.id, grant.role, grant.scope, grant.id)
        _answer(row.id, f"{row.name} is {role.value} there now.", row.managed_by, json=json)


@app.command("take")
def take_role(
    name: Named,
    product_type: OfProductType = None,
    product: OfProduct = None,
    connection: OfConnection = None,
    json: Json = False,
) -> None:
    """Take the role for everything, or for Product Types, Products or Connections."""
    with ready(quiet=json):
        row = the_user(name)
        for grant in the_grants(RoleWord.reader, product_type, product, connection):
            actions.user.take_role(me(), row.id, grant.scope, grant.id)
        _answer(row.id, f"{row.name} has that role no more.", row.managed_by, json=json)


@app.command("deactivate")
def deactivate_user(name: Named, json: Json = False) -> None:
    """Let somebody in no more: sessions and tokens end at once. History keeps their name."""
    with ready(quiet=json):
        row = the_user(name)
        actions.user.deactivate_user(me(), row.id)
        _answer(row.id, f"{row.name} may not come in any more.", row.managed_by, json=json)


@app.command("reactivate")
def reactivate_user(name: Named, json: Json = False) -> None:
    """Let somebody in again, with the roles they had. Tokens they make anew."""
    with ready(quiet=json):
        row = the_user(name)
        actions.user.reactivate_user(me(), row.id)
        _answer(row.id, f"{row.name} may come in again.", row.managed_by, json=json)


@app.command("password")
def set_password(name: Named, password: Password = None, json: Json = False) -> None:
    """Set a new password; every session of theirs ends. It is asked for, or read from where --password says."""
    secret = password_from(password, f"A new password for {name}")
    with ready(quiet=json):
        row = the_user(name)
        actions.user.set_password(me(), row.id, secret)
        _answer(row.id, f"{row.name} has a new password, and is logged out everywhere.", json=json)


@app.command("logout")
def log_out(
    name: Named,
    tokens: Annotated[bool, typer.Option("--tokens", help="Revoke their tokens as well.")] = False,
    json: Json = False,
) -> None:
    """Log somebody out everywhere."""
    with ready(quiet=json):
        row = the_user(name)
        ended = actions.user.log_out_everywhere(me(), row.id, also_tokens=tokens)
        _answer(row.id, f"{row.name} is logged out everywhere; {ended:,} ended.", json=json)


@app.command("reset-second-factor")
def reset_second_factor(name: Named, json: Json = False) -> None:
    """Forget authenticator app, recovery codes and passkeys of somebody who lost them."""
    with ready(quiet=json):
        row = the_user(name)
        actions.user.reset_second_factor(me(), row.id)
        _answer(row.id, f"{row.name} logs in by password alone until they set up another one.", json=json)


# What the commands about people share


def the_grants(
    role: RoleWord, product_types: list[str] | None, products: list[str] | None, connections: list[str] | None
) -> list[Grant]:
    """The role for each of these; for everything where none is named."""
    from tidegate.rules.access import Grant

    def of(scope: ScopeKind, id: int) -> Grant:
        return Grant(role.value, scope, id)

    found = [
        *(of("product type", the_product_type(text).id) for text in product_types or ()),
        *(of("product", the_product(text).id) for text in products or ()),
        *(of("connection", the_connection(text).id) for text in connections or ()),
    ]
    return found or [Grant(role.value)]


def in_words(grant: GrantRow) -> str:
    """ "operator of the connection Burp" """
    return f"{grant.role} of {'everything' if grant.id is None else f'the {grant.scope} {grant.name}'}"


def password_from(source: str | None, what: str) -> SecretStr:
    """From where it is said to be, or asked for twice where somebody is there."""
    if source is not None:
        return secret_from("the password", source, "--password ")
    if not sys.stdin.isatty():
        raise usage(
            "A password is needed, and nobody is there to be asked.",
            "Give it with --password env:VARIABLE, --password file:PATH or --password -",
        )
    return SecretStr(typer.prompt(what, hide_input=True, err=True, confirmation_prompt=True))


def _answer(number: int, sentence: str, file: str | None = None, *, json: bool) -> None:
    if not json:
        say(sentence)
        return note_managed("This user", file)
    found: Any = reads.user.user(number)
    if found is None:
        raise Failure(f"There is no User {number}.", "See who there is: tidegate user list")
    return print_json(found)
