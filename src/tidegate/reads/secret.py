"""Which key seals how much, and whether everything that is sealed can still be opened."""

from __future__ import annotations

from typing import Annotated, Final

import msgspec
from msgspec import Meta

from tidegate.config import Settings
from tidegate.guard.keys import KeyProblem, file_is_ours, known_keys, where
from tidegate.guard.secrets import key_id_of, unseal
from tidegate.reads.viewer import demand_everywhere
from tidegate.store.writers.secret import everything_sealed

KINDS: Final = ("connection", "route", "destination", "user")
FORGET: Final = "Put that key back, or have them set up a new one: tidegate user reset-second-factor {id}"


class KeyRow(msgspec.Struct, frozen=True, kw_only=True):
    """One key."""

    id: Annotated[str, Meta(description="What tells it from other keys; nothing can be opened with this.")]
    newest: Annotated[bool, Meta(description="It seals what is stored from now on.")]
    known: Annotated[bool, Meta(description="It is here; false where something is sealed with a key that is lost.")]
    remark: Annotated[str, Meta(description="When it was made, and by whom; empty where that was not written down.")]
    connections: Annotated[
        int, Meta(description="How many of Connections it sealed: logins, drafts' too, and triggers' secrets.")
    ]
    routes: Annotated[int, Meta(description="How many of routes it sealed: addresses, and what webhooks sign with.")]
    destinations: Annotated[int, Meta(description="How many logins of Destinations it sealed.")]
    users: Annotated[int, Meta(description="How many second factors of people it sealed: apps, and recovery codes.")]


class LostSecret(msgspec.Struct, frozen=True, kw_only=True):
    """Something that cannot be opened."""

    kind: Annotated[str, Meta(description="`connection`, `route`, `destination` or `user`.")]
    id: Annotated[int, Meta(description="Its number.")]
    name: Annotated[str, Meta(description="Its label or name.")]
    why: Annotated[str, Meta(description="Why it cannot be opened.")]
    next_step: Annotated[str, Meta(description="What to do.")]


class SecretsStatus(msgspec.Struct, frozen=True, kw_only=True):
    """The keys and what they seal."""

    where: Annotated[str, Meta(description="Where the keys stand.")]
    kept_by_tidegate: Annotated[bool, Meta(description="`secrets rotate` may make a new key there.")]
    keys: Annotated[list[KeyRow], Meta(description="Key by key, the newest first; those that are lost last.")]
    sealed: Annotated[int, Meta(description="How much is sealed at all.")]
    lost: Annotated[list[LostSecret], Meta(description="What cannot be opened; empty where all is well.")]


def secrets_status(settings: Settings) -> SecretsStatus:
    """How it is now; everything that is sealed is opened once, and nothing of it kept. Raises KeyProblem where the keys
    cannot be read at all."""
    demand_everywhere("administrator", "Which keys seal what")
    known = {key.id: key for key in known_keys(settings)}
    counts = {id: dict.fromkeys(KINDS, 0) for id in known}
    lost: list[LostSecret] = []
    rows = everything_sealed()
    for row in rows:
        kind, id, sealed = row["kind"], row["id"], bytes(row["sealed"])
        if key := key_id_of(sealed):
            counts.setdefault(key, dict.fromkeys(KINDS, 0))[kind] += 1
        try:
            unseal(sealed, row["owner"], settings)
        except KeyProblem as problem:
            step = FORGET.format(id=id) if kind == "user" else problem.next_step
            told = {"name": row["name"], "why": problem.cause, "next_step": step}
            lost.append(LostSecret(kind=kind, id=id, **told))
    newest = next(iter(known), None)
    keys = [
        KeyRow(
            id=id.hex(),
            newest=id == newest,
            known=id in known,
            remark=known[id].remark if id in known else "",
            connections=count["connection"],
            routes=count["route"],
            destinations=count["destination"],
            users=count["user"],
        )
        for id, count in counts.items()
    ]
    ours = file_is_ours(settings)
    return SecretsStatus(where=where(settings), kept_by_tidegate=ours, keys=keys, sealed=len(rows), lost=lost)
