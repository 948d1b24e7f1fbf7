"""What an administrator does to users: add, change, grant and take roles, let them go and come back, log them out.

Somebody is always left who can let others in: the last administrator of everything cannot be taken away.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, cast

from django.contrib.auth.hashers import make_password
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction
from pydantic import SecretStr

from tidegate.actions.action import action
from tidegate.actions.errors import Forbidden, NotThere, Refused
from tidegate.actions.step import LARGEST_ID
from tidegate.actions.version import demand_expected
from tidegate.reads.grant import grants_of, place_of_grant
from tidegate.reads.user import has_administrator, person_coming_in, user_of_session
from tidegate.rules.access import ROLES, SCOPES, Grant, Role, ScopeKind
from tidegate.rules.actor import Actor
from tidegate.rules.people import clean_username
from tidegate.store.models import User
from tidegate.store.writers import token as tokens
from tidegate.store.writers import user as writer

Kind = Literal["person", "service"]


@action("administrator")
def add_user(
    actor: Actor,
    name: str,
    *,
    kind: Kind = "person",
    email: str = "",
    password: SecretStr | None = None,
    grants: Sequence[Grant] = (),
) -> int:
    """Adds a person, or a service account, which only has tokens; returns the number. Without password a person comes
    in by single sign-on only. Without grants they see nothing yet."""
    if kind not in (User.PERSON, User.SERVICE):
        raise Refused(f"There is no kind of user «{kind}».", "The kinds are: person, service.")
    if kind == User.SERVICE and password is not None:
        raise Refused("A service account has no password; it comes with tokens.", "Leave the password out.")
    writer.hold_people()
    user = User(username=clean_username(name, _names()), email=_email(email))
    facts: dict[str, Any] = {
        "username": user.username,
        "email": user.email,
        "kind": kind,
        "password": make_password(None) if password is None else hashed(password, user),
    }
    wanted = the_grants(grants)
    user_id = _unique(user.username, facts, actor)
    writer.save_grants(actor, wanted, user=user_id)
    return user_id


@action("administrator", user="user_id")
def edit_user(actor: Actor, user_id: int, *, name: str | None = None, email: str | None = None) -> None:
    """Changes what is named. What history says of the old name stays as it was written."""
    writer.hold_people()
    user = locked(user_id)
    facts: dict[str, Any] = {}
    if name is not None:
        facts["username"] = clean_username(name, [other for other in _names() if other != user.username])
    if email is not None:
        facts["email"] = _email(email)
    writer.change_user(user_id, facts)


@action("administrator", user="user_id")
def grant_role(actor: Actor, user_id: int, role: Role, scope: ScopeKind = "everything", id: int | None = None) -> None:
    """Gives a role for everything, or for one Product Type, Product or Connection; it replaces theirs for the same."""
    writer.hold_people()
    user = locked(user_id)
    (grant,) = the_grants([the_grant(role, scope, id)])
    if scope == "everything" and role != "administrator":
        _somebody_stays(user)
    writer.save_grants(actor, [grant], user=user_id)


@action("administrator", user="user_id")
def take_role(actor: Actor, user_id: int, scope: ScopeKind = "everything", id: int | None = None) -> None:
    """Takes the role they have for everything, or for just this Product Type, Product or Connection."""
    writer.hold_people()
    user = locked(user_id)
    the_grant("reader", scope, id)
    if scope == "everything":
        _somebody_stays(user)
    if not writer.take_grant(user_id, scope, id):
        of = "everything" if id is None else f"{scope} {id}"
        raise Refused(f"«{user.username}» has no role for {of}.", "See what they have: tidegate user list")


@action("administrator", user="user_id")
def deactivate_user(actor: Actor, user_id: int) -> None:
    """They may not come in any more: their sessions end at once, and their tokens for good."""
    writer.hold_people()
    user = locked(user_id)
    if not user.is_active:
        raise Refused(f"«{user.username}» may not come in already.", "There is nothing to do.")
    _somebody_stays(user)
    writer.leave(user_id)
    writer.end_sessions(user_id)
    tokens.revoke(actor, user=user_id)


@action("administrator", user="user_id")
def reactivate_user(actor: Actor, user_id: int) -> None:
    """They may come in again, with the roles and the password they had; tokens they make anew."""
    user = locked(user_id)
    if user.is_active:
        raise Refused(f"«{user.username}» may come in already.", "There is nothing to do.")
    writer.change_user(user_id, {"is_active": True, "left_at": None})


@action("reader", anywhere=True, user="user_id")
def log_out_everywhere(actor: Actor, user_id: int, *, also_tokens: bool = False) -> int:
    """Ends every session of theirs, and their tokens if asked; one's own, or an administrator anybody's. Returns how
    many ended."""
    own_or_administrator(actor, user_id, "User", user_id, "log others out")
    locked(user_id)
    ended = writer.end_sessions(user_id)
    return ended + (tokens.revoke(actor, user=user_id) if also_tokens else 0)


@action("administrator", user="user_id")
def set_password(actor: Actor, user_id: int, password: SecretStr) -> None:
    """Sets a new password and ends every session. People change their own on the page, where the old one is asked."""
    user = locked(user_id)
    if user.kind != User.PERSON:
        raise Refused(
            f"«{user.username}» is a service account and has no password.", "Make a token: tidegate token add"
        )
    writer.change_user(user_id, {"password": hashed(password, user)})
    writer.end_sessions(user_id)


@action("administrator", user="user_id")
def reset_second_factor(actor: Actor, user_id: int) -> int:
    """For who lost their phone: authenticator app, recovery codes and passkeys are forgotten and every session ends.
    Returns how many were forgotten."""
    user = locked(user_id)
    forgotten = writer.forget_second_factors(user_id)
    if not forgotten:
        raise Refused(f"«{user.username}» has no second factor.", "There is nothing to do.")
    writer.end_sessions(user_id)
    return forgotten


def actor_of_user(user_id: int, address: str = "") -> Actor | None:
    """Who is logged in on the page; None where they may not come in."""
    return _actor_of(user_of_session(user_id), address)


def actor_of_session(user: Any, address: str) -> Actor | None:
    """The same of the user whom a request came with. A session brings what they are granted along; who logs in just now
    came by none, and is asked for."""
    if user.pk is None:
        return None
    return _actor_of(user, address) if hasattr(user, "held") else actor_of_user(user.pk, address)


def _actor_of(user: User | None, address: str) -> Actor | None:
    found = person_coming_in(user)
    if user is None or found is None:
        return None
    name, access = found
    return Actor("person", name, access, through="page", address=address, user_id=user.pk)


# What the actions share


def locked(user_id: int) -> User:
    """The user, until the transaction ends. Raises NotThere."""
    user = writer.lock_user(user_id) if 0 < user_id <= LARGEST_ID else None
    if user is None:
        raise no_user(user_id)
    demand_expected("user", user_id)
    return user


def no_user(user_id: int) -> NotThere:
    return NotThere(f"There is no User {user_id}.", "Nothing was changed. See who there is: tidegate user list")


def own_or_administrator(actor: Actor, owner_id: int, kind: str, id: int, what: str) -> None:
    """Raises NotThere for what is another's, or Forbidden where the actor sees everything but may not this."""
    if actor.access.may("administrator") or (actor.user_id is not None and actor.user_id == owner_id):
        return
    if actor.access.may("reader"):
        raise Forbidden(
            f"{actor} may not {what}: it takes the role administrator for everything.", "Ask an administrator."
        )
    raise NotThere(f"There is no {kind} {id}.", f"Nothing was changed. See what there is: tidegate {kind.lower()} list")


def the_grant(role: str, scope: str, id: int | None) -> Grant:
    """The grant in these words. Raises Refused."""
    if role not in ROLES:
        raise Refused(f"There is no role «{role}».", f"The roles are: {', '.join(ROLES)}.")
    if scope not in SCOPES:
        raise Refused(f"A role is not granted for «{scope}».", f"It is for one of: {', '.join(SCOPES)}.")
    if (scope == "everything") != (id is None):
        raise Refused(
            "A role is for everything, or for one thing with its number.",
            "Say which Product Type, Product or Connection, or none of them.",
        )
    return Grant(cast("Role", role), cast("ScopeKind", scope), id)


def the_grants(grants: Sequence[Grant]) -> list[Grant]:
    """The grants, each for something that is there, no two for the same. Raises Refused, NotThere."""
    for grant in grants:
        if (grant.id is not None and not 0 < grant.id <= LARGEST_ID) or place_of_grant(grant) is None:
            raise NotThere(
                f"There is no {grant.scope.title()} {grant.id}.",
                f"Nothing was changed. See what there is: tidegate {grant.scope.replace(' ', '-')} list",
            )
    if len({(one.scope, one.id) for one in grants}) != len(grants):
        raise Refused("Two roles were named for the same thing.", "The higher one is enough.")
    return list(grants)


def hashed(password: SecretStr, user: User) -> str:
    """The hash of the password. Raises Refused where it is too easy to guess."""
    text = password.get_secret_value()
    try:
        validate_password(text, user)
    except ValidationError as error:
        raise Refused(" ".join(error.messages), "Nothing was changed; choose another password.") from None
    return make_password(text)


def _names() -> list[str]:
    return list(User.objects.values_list("username", flat=True))


def _email(text: str) -> str:
    text = text.strip()
    try:
        if text:
            validate_email(text)
    except ValidationError:
        raise Refused(f"«{text[:80]}» is not a mail address.", "Correct it, or leave it out.") from None
    return text


def _somebody_stays(user: User) -> None:
    is_one = user.is_active and user.kind == User.PERSON and Grant("administrator") in grants_of(user=user.pk)
    if is_one and not has_administrator(besides=user.pk):
        raise Refused(
            f"«{user.username}» is the last administrator of everything; nobody could let others in.",
            "Make somebody else an administrator first: tidegate user grant NAME administrator",
        )


def _unique(name: str, facts: dict[str, Any], actor: Actor) -> int:
    try:
        with transaction.atomic():
            return writer.save_new_user(actor, facts)
    except IntegrityError as error:
        if "user_name" not in str(error):
            raise
        raise Refused(f"There is a user «{name}» already.", "Choose another name.") from error
