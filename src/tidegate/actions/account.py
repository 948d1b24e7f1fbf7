"""What people do about themselves on allauth's pages: password, second factors, sessions.

allauth does it. That it is one transaction, and stands in the audit log, is done here: by looking before and after, so
that no page can forget it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Final

from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import transaction

from tidegate.reads.user import SECOND_FACTORS
from tidegate.rules.actor import Actor
from tidegate.store.statement import rows_of
from tidegate.store.writers.audit import save_audit_line
from tidegate.store.writers.secret import hold_second_factors
from tidegate.store.writers.user import lock_user

CODES: Final = Authenticator.Type.RECOVERY_CODES


@dataclass(frozen=True)
class _WaysIn:
    """How somebody comes in: the hash of their password, their second factors by number, their sessions."""

    password: str
    factors: dict[int, str]
    sessions: frozenset[str]


@contextmanager
def changing_oneself(actor: Actor, own_session: str | None) -> Iterator[None]:
    """All that changes in here of how this person comes in changes together, with a line in the audit log for each.
    `own_session` may take another name meanwhile, which ends nothing."""
    assert actor.user_id is not None  # noqa: S101 - who is logged in
    with transaction.atomic():
        hold_second_factors()
        lock_user(actor.user_id)
        before = _ways_in(actor.user_id)
        yield
        _write_down(actor, actor.user_id, before, own_session)


def _write_down(actor: Actor, user_id: int, before: _WaysIn, own_session: str | None) -> None:
    after = _ways_in(user_id)

    def line(action: str, **facts: object) -> None:
        save_audit_line(actor, f"account.{action}", "done", "user", [user_id], facts)

    if after.password != before.password:
        line("change_password")
    made = [type for id, type in after.factors.items() if id not in before.factors]
    gone = [type for id, type in before.factors.items() if id not in after.factors]
    for type in made:
        if type != CODES:
            line("add_second_factor", arguments={"kind": in_words(type)})
    for type in gone:
        if type != CODES or CODES not in made:
            line("remove_second_factor", arguments={"kind": in_words(type)})
    if CODES in made:
        line("make_recovery_codes")
    if ended := _ended(before.sessions - {own_session}):
        line("end_sessions", answer=ended)


def in_words(type: str) -> str:
    """ "app", "passkey", "recovery codes" """
    return SECOND_FACTORS.get(Authenticator.Type(type), "recovery codes")


def _ways_in(user_id: int) -> _WaysIn:
    (row,) = rows_of("ways_in", user=user_id)
    factors = {int(number): type for number, type in sorted(row["factors"].items(), key=lambda one: int(one[0]))}
    return _WaysIn(password=row["password"], factors=factors, sessions=frozenset(row["sessions"]))


def _ended(sessions: frozenset[str | None]) -> int:
    """How many of these there are no more."""
    return len(sessions) - Session.objects.filter(session_key__in=list(sessions)).count()
