"""What allauth's second factors ask of us: that their secrets are sealed when they are stored, and opened when used.

allauth gives the text alone, so what comes out of the database is told whose it is (`Kept`).
"""

from __future__ import annotations

from typing import Any, Final

import structlog
from allauth.mfa.models import Authenticator
from django.db import transaction
from django.db.models.signals import post_init
from django.dispatch import receiver

from tidegate.config import Settings
from tidegate.guard.keys import KeyProblem
from tidegate.guard.second_factor import open_factor, seal_factor
from tidegate.store.writers.secret import hold_second_factors, save_factor, unsealed_factors

NAMES: Final = ("secret", "seed")
"""What is sealed of their data: of an authenticator app, of recovery codes. A passkey is public here."""

AT_MOST: Final = 100

log = structlog.get_logger("tidegate.people")


class Kept(str):
    """A sealed text that knows the row it was read from."""

    __slots__ = ("factor", "name", "user_id")

    factor: int | None
    name: str
    user_id: int


@receiver(post_init, sender=Authenticator)
def tell_whose(instance: Any, **_: Any) -> None:
    """Every row that is read, or made, tells its text whose it is."""
    data = instance.__dict__.get("data")  # else it was left out of the question
    for name in NAMES if isinstance(data, dict) else ():
        if isinstance(text := data.get(name), str):
            kept = data[name] = Kept(text)
            kept.factor, kept.name, kept.user_id = instance.pk, name, instance.user_id


def sealed_factor(text: str, user_id: int, settings: Settings) -> str:
    """What is stored of a second factor of this user, in the transaction that is open. Raises KeyProblem."""
    hold_second_factors()
    return seal_factor(text, user_id, settings)


def opened_factor(kept: str, settings: Settings) -> str:
    """The secret of a second factor that was read. Raises KeyProblem, which the log knows too."""
    assert isinstance(kept, Kept)  # noqa: S101 - allauth has it from a row
    try:
        try:
            return open_factor(kept, kept.user_id, settings)
        except KeyProblem:
            # Between its being read and our reading the key it may have been sealed anew, and the old key retired.
            now = Authenticator.objects.filter(pk=kept.factor).values_list(f"data__{kept.name}", flat=True).first()
            if now is None or now == kept:
                raise
            return open_factor(now, kept.user_id, settings)
    except KeyProblem as problem:
        log.error("second factor cannot be opened", user_id=kept.user_id, why=problem.cause, step=problem.next_step)
        raise


def seal_what_is_in_the_clear(settings: Settings) -> int:
    """Seals the second factors that an earlier version stored as they are; how many. Raises KeyProblem."""
    sealed = 0
    while True:
        with transaction.atomic():
            hold_second_factors()
            rows = unsealed_factors(AT_MOST)
            for row in rows:
                save_factor(row["id"], row["name"], seal_factor(row["text"], row["user_id"], settings))
        if not rows:
            break
        sealed += len(rows)
    if sealed:
        log.info("second factors sealed", number=sealed)
    return sealed
