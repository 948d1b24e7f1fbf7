"""Coming in by single sign-on: which user it is whom an issuer proves, and what the audit log says of it."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from typing import Any

import structlog
from allauth.socialaccount.models import SocialAccount
from django.contrib.auth.hashers import is_password_usable
from django.db import transaction

from tidegate.actions.errors import Refused
from tidegate.actions.user import actor_of_user, add_user, grant_role, take_role
from tidegate.config import Settings
from tidegate.guard.issuer import Identity
from tidegate.reads.grant import given_for_everything
from tidegate.rules.access import highest
from tidegate.rules.actor import SINGLE_SIGN_ON, TIDEGATE
from tidegate.rules.names import NameRefused, clean_name
from tidegate.store.models import User
from tidegate.store.writers.audit import save_audit_line
from tidegate.store.writers.user import hold_people

PROVIDER = "openid_connect"
_ASK = "Ask an administrator."

log = structlog.get_logger("tidegate.people")


def come_in(settings: Settings, identity: Identity, address: str = "") -> int:
    """The number of the user who comes in. At their first log-in they are linked to who the issuer says they are.
    Raises Refused, which the audit log knows too."""
    facts = {"issuer": identity.issuer, "subject": identity.subject, "name": identity.name[:150]}
    try:
        with transaction.atomic():
            user_id = _linked(settings, identity, address)
            _give_what_groups_give(settings, identity, user_id, address)
            actor = actor_of_user(user_id, address) or TIDEGATE
            save_audit_line(actor, "session.sign_on", "done", "user", [user_id], {"arguments": _clean(facts)})
    except Refused as refused:
        sign_on_refused(refused.sentence, address, facts)
        raise
    return user_id


def sign_on_refused(why: str, address: str, facts: dict[str, str] | None = None) -> None:
    """Writes down that somebody came by single sign-on who may not come in."""
    actor = replace(TIDEGATE, through="page", address=address)
    told = {"arguments": _clean(facts or {}), "answer": why.replace("\0", "\ufffd")}
    save_audit_line(actor, "session.sign_on", "forbidden", "user", [], told)


def _linked(settings: Settings, identity: Identity, address: str) -> int:
    hold_people()  # two first log-ins at once: the second finds the first
    # One column of 191 characters holds both: a subject is only known together with its issuer.
    uid = sha256(f"{identity.issuer}\0{identity.subject}".encode()).hexdigest()
    link = SocialAccount.objects.select_related("user").filter(provider=PROVIDER, uid=uid).first()
    if link is not None:
        _may_come(link.user)
        return link.user.pk
    user_id = _first_time(settings, identity.name, address)
    told = {"issuer": identity.issuer, "subject": identity.subject}
    SocialAccount.objects.create(provider=PROVIDER, uid=uid, user_id=user_id, extra_data=told)
    return user_id


def _first_time(settings: Settings, said: str, address: str) -> int:
    """Whom the name is for: a user that was made to come in this way, or a new one."""
    try:
        name = clean_name(said, "name of the user")
    except NameRefused as refused:
        raise Refused(f"The issuer's name for you cannot be used: {refused}", _ASK) from None
    if name != said:  # the issuer may know both as two people
        raise Refused("The issuer's name for you has spaces or signs that no name here has.", _ASK)
    user = User.objects.filter(username__iexact=name).first()
    if user is None:
        if settings.oidc_new_users == "refuse":
            raise Refused(f"There is no user «{name}» here.", "An administrator adds people: tidegate user add NAME")
        return add_user(replace(TIDEGATE, through="page", address=address), name)
    _may_come(user)
    has_password = user.password != "" and is_password_usable(user.password)
    if has_password or SocialAccount.objects.filter(user=user).exists():
        raise Refused(
            f"There is a user «{name}» already, who comes in another way.",
            "Log in as you did so far, or ask an administrator.",
        )
    return user.pk


def _give_what_groups_give(settings: Settings, identity: Identity, user_id: int, address: str) -> None:
    """The role for everything that their groups give now: a higher one, a lower one, or none any more. What a person
    gave stays as it is, and so does the last administrator."""
    given = given_for_everything(user_id)
    by_group = given is not None and given[1]
    if (given is not None and not by_group) or not (settings.roles_of_groups or by_group):
        return
    role = highest(settings.roles_of_groups.get(group, "") for group in identity.groups)
    actor = replace(SINGLE_SIGN_ON, address=address)
    try:
        if role is None and given is not None:
            take_role(actor, user_id)
        elif role is not None and (given is None or given[0] != role):
            grant_role(actor, user_id, role)
    except Refused as refused:
        log.warning("role stays", user_id=user_id, why=refused.sentence)


def _may_come(user: Any) -> None:
    if not user.is_active or user.kind != User.PERSON:
        raise Refused(f"{user.username} may not come in.", _ASK)


def _clean(facts: dict[str, str]) -> dict[str, str]:
    return {name: text.replace("\0", "\ufffd").encode("utf-8", "replace").decode() for name, text in facts.items()}
