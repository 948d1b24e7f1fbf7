"""Sessions of people who log in with a browser: what the audit log says of them, and those that have ended."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

from django.db import transaction

from tidegate.actions.user import actor_of_user
from tidegate.rules.actor import TIDEGATE, Actor
from tidegate.store.models import User
from tidegate.store.writers.audit import save_audit_line
from tidegate.store.writers.user import forget_sessions


def forget_ended_sessions() -> int:
    """Lets go of sessions that have ended by themselves; how many there were."""
    return forget_sessions()


@contextmanager
def logging_in(user_id: int, by: Sequence[str], address: str) -> Iterator[None]:
    """Somebody logs in in here, having proven who they are by these: they do with a line in the audit log, or not."""
    with transaction.atomic():
        yield
        actor = actor_of_user(user_id, address) or _stranger(address)
        save_audit_line(actor, "session.log_in", "done", "user", [user_id], {"arguments": {"by": list(by)}})


def logged_out(actor: Actor) -> None:
    """Writes down that somebody ended their own session."""
    save_audit_line(actor, "session.log_out", "done", "user", [actor.user_id] if actor.user_id else [], {})


def log_in_refused(name: str, why: str, address: str) -> None:
    """Writes down that somebody could not log in. The name is only written where there is such a user: it may be a
    password that was typed into the wrong field."""
    user = User.objects.filter(username__iexact=name).first()
    save_audit_line(
        _stranger(address), "session.log_in", "forbidden", "user", [user.pk] if user else [], {"answer": why}
    )


def second_factor_refused(user_id: int, address: str) -> None:
    """The same for who knew the password, and not the second factor."""
    answer = {"answer": "The second factor is wrong."}
    save_audit_line(_stranger(address), "session.second_factor", "forbidden", "user", [user_id], answer)


def _stranger(address: str) -> Actor:
    """Whoever it is: nothing is proven."""
    return replace(TIDEGATE, through="page", address=address)
