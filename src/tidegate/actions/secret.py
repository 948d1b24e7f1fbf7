"""What a person may do to the keys that seal secrets: rotate them."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

import structlog
from django.db import OperationalError, transaction

from tidegate.actions.action import action
from tidegate.actions.errors import Refused
from tidegate.actions.second_factor import seal_what_is_in_the_clear
from tidegate.config import Settings
from tidegate.guard.keys import Key, KeyProblem, add_key, change_file, file_is_ours, known_keys
from tidegate.guard.secrets import beginning_of, key_id_of, resealed
from tidegate.ingest.apply import again_after_deadlock
from tidegate.rules.actor import Actor
from tidegate.store.clock import database_now
from tidegate.store.writers.secret import (
    being_the_one_who_rotates,
    everything_sealed,
    hold_secrets,
    reseal_connections,
    reseal_destinations,
    reseal_routes,
    reseal_second_factors,
    reseal_triggers,
    reseal_webhooks,
)

AT_MOST: Final = 100
"""Secrets that a transaction seals anew: so long others wait for these rows."""

SECONDS_TO_HOLD: Final = 2.0
TRIES_TO_HOLD: Final = 15
PAUSE: Final = 1.0

log = structlog.get_logger("tidegate.secrets")

Told = Callable[[str, int], None]


@dataclass(frozen=True)
class Rotated:
    """What a rotation did."""

    key: str
    """The id of the key that seals everything now."""
    made: bool
    """It was made just now; else one was there that not everything was sealed with yet."""
    resealed: int
    retired: tuple[str, ...]
    """Ids of keys that nothing is sealed with, and that were taken out of the file."""
    kept: tuple[str, ...]
    """Ids of older keys that are still there."""
    lost: int
    """Secrets that no key opens: they stay as they are, until somebody enters them again."""


@action("administrator", at_once=False, begins=True)
def rotate_secrets(actor: Actor, settings: Settings, told: Told = lambda what, number: None) -> Rotated:
    """Makes a new key where Tidegate keeps them itself, seals everything with it, and takes older ones away once
    nothing needs them. Commits batch by batch, so it must not be called inside a transaction.

    Broken off anywhere it goes on where it was: as long as an older key is there no further one is made. Whoever runs
    meanwhile finds the new key in the file. Raises Refused for anybody but a person, and KeyProblem.
    """
    if actor.kind != "person":
        raise Refused(f"{actor} is no person.", "Somebody has to answer for it: tidegate secrets rotate")
    with being_the_one_who_rotates() as alone:
        if not alone:
            raise Refused("Somebody rotates the key at this moment.", "Look at it with: tidegate secrets status")
        newest, made = the_newest(actor, settings)
        anew, lost = seal_anew(newest, settings, told)
        retired, kept = retire(newest, settings, told) if file_is_ours(settings) else ((), older(settings, newest))
    rotated = Rotated(newest.id.hex(), made, anew, names(retired), names(kept), lost)
    log.info("key rotated", actor=str(actor), key_id=rotated.key, made=made, sealed_anew=anew, retired=rotated.retired)
    return rotated


def the_newest(actor: Actor, settings: Settings) -> tuple[Key, bool]:
    """The key to seal with, and whether it was made now."""
    keys = known_keys(settings)
    if not file_is_ours(settings):
        return keys[0], False
    if len(keys) > 1:
        return keys[0], False  # a rotation was broken off, or somebody put an older key back
    remark = f"{database_now():%Y-%m-%d %H:%M} UTC by {actor}"
    return add_key(settings.home, remark), True


def seal_anew(newest: Key, settings: Settings, told: Told) -> tuple[int, int]:
    """Everything that the newest key did not seal; how much was, and how much nothing opens."""
    anew, lost = seal_what_is_in_the_clear(settings), 0

    def reseal(sealed: bytes, owner: str) -> bytes | None:
        nonlocal lost
        try:
            return resealed(sealed, owner, newest, settings)
        except KeyProblem:
            lost += 1
            return None

    for what, batch in (
        ("Connections", reseal_connections),
        ("triggers", reseal_triggers),
        ("routes", reseal_routes),
        ("signing secrets", reseal_webhooks),
        ("Destinations", reseal_destinations),
        ("second factors", reseal_second_factors),
    ):
        after, number = 0, 0
        while True:
            with transaction.atomic():
                done = batch(beginning_of(newest), reseal, after=after, most=AT_MOST)
            if done is None:
                break
            after, number = done[1], number + done[0]
            told(f"Sealing {what} anew", number)
        anew += number
    return anew, lost


def retire(newest: Key, settings: Settings, told: Told) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """Takes out of the file every older key that nothing is sealed with; which went, and which stay."""
    for turn in range(TRIES_TO_HOLD):
        try:
            return again_after_deadlock(lambda: _retire_now(newest, settings))
        except OperationalError:
            told("Waiting for who stores secrets just now", turn)
            time.sleep(PAUSE)
    return (), older(settings, newest)


def _retire_now(newest: Key, settings: Settings) -> tuple[tuple[Key, ...], tuple[Key, ...]]:
    """While the tables are held nobody seals: what is found here is all there is."""
    hold_secrets(SECONDS_TO_HOLD)
    needed = {key_id_of(bytes(row["sealed"])) for row in everything_sealed()}
    if not older(settings, newest):
        return (), ()
    went: list[Key] = []

    def without(keys: list[Key]) -> list[Key]:
        went[:] = [key for key in keys if key != newest and key.id not in needed]
        return [key for key in keys if key not in went]

    change_file(settings.home, without)
    return tuple(went), older(settings, newest)


def older(settings: Settings, newest: Key) -> tuple[Key, ...]:
    return tuple(key for key in known_keys(settings) if key != newest)


def names(keys: tuple[Key, ...]) -> tuple[str, ...]:
    return tuple(key.id.hex() for key in keys)
