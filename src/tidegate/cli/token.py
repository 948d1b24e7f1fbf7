"""`tidegate token`: what scripts show instead of a password."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate.cli.answer import CreatedToken
from tidegate.cli.house import actions, reads
from tidegate.cli.naming import not_there, the_number, the_user
from tidegate.cli.option import After, Json, Limit, RoleWord, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import moment, note, print_json, say, table
from tidegate.cli.user import OfConnection, OfProduct, OfProductType, in_words, the_grants

app = group("Let scripts in, for a while and with no more than they need.")


@app.command("list")
def list_tokens(
    user: Annotated[str | None, typer.Option("--user", metavar="USER", help="Only of this user.")] = None,
    all_of_them: Annotated[bool, typer.Option("--all", help="Also those that have ended.")] = False,
    limit: Limit = 50,
    after: After = None,
    json: Json = False,
) -> None:
    """List tokens that can be used: whose they are, what they may do, when they were used."""
    with ready(quiet=json):
        owner = None if user is None else the_user(user).id
        page = reads.token.tokens(user_id=owner, alive=None if all_of_them else True, cursor=after, limit=limit)
    if json:
        return print_json(page)
    rows = [
        (
            str(row.id),
            row.name,
            f"{row.beginning}…",
            row.user,
            row.state,
            "; ".join(map(in_words, row.grants)) or "nothing",
            moment(row.expires_at),
            f"{moment(row.last_used_at)} from {row.last_used_from}" if row.last_used_at else "never",
        )
        for row in page.tokens
    ]
    empty = "There is no such token. Make one: tidegate token add NAME --user USER --role reader"
    table(("#", "NAME", "BEGINS", "USER", "STATE", "ROLES", "ENDS", "LAST USED"), rows, empty=empty)
    if page.next:
        note(f"There are more: --after {page.next}")
    return None


@app.command("add")
def add_token(
    name: Annotated[str, typer.Argument(metavar="NAME", help="What it is for.")],
    role: Annotated[RoleWord, typer.Option("--role", help="What it may do, at most.")],
    user: Annotated[
        str | None, typer.Option("--user", metavar="USER", help="Whose it is: a person or a service account.")
    ] = None,
    product_type: OfProductType = None,
    product: OfProduct = None,
    connection: OfConnection = None,
    days: Annotated[int, typer.Option("--days", min=1, max=365, metavar="N", help="Days until it ends.")] = 90,
    json: Json = False,
) -> None:
    """Make a token. It is shown once, here; only its hash is stored.

    It never does more than its owner may at that moment, and never more than its own role.
    """
    with ready(quiet=json):
        owner = None if user is None else the_user(user).id
        grants = the_grants(role, product_type, product, connection)
        made = actions.token.add_token(me(), name, user_id=owner, grants=grants, days=days)
    if json:
        return print_json(CreatedToken(id=made.id, token=made.token.get_secret_value()))
    note(f"Token {made.id}, for {days} days. Keep it now: it is not shown again.")
    return say(made.token.get_secret_value())


@app.command("revoke")
def revoke_token(
    number: Annotated[str, typer.Argument(metavar="NUMBER", help="Its number in the list.")], json: Json = False
) -> None:
    """End a token at once."""
    with ready(quiet=json):
        token_id = the_number(number, "a token")
        name = actions.token.revoke_token(me(), token_id)
        found = reads.token.token(token_id)
    if found is None:
        raise not_there("Token", number)
    if json:
        return print_json(found)
    return say(f"The token «{name}» is of no use any more.")
