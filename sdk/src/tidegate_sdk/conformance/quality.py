"""What a World shows of its Tool in one clean run: its Families, how the end of each list is proven, what it asks."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

from .rehearsal import Part
from .suite import Suite
from .world import VEPS, Exchange, World

_KINDS = ("whole", "steady", "drifting")
_NUMBER = re.compile(r"(?<=[/=-])(?:\d+|[0-9a-f]{8}-[0-9a-f-]{27})(?=/|$)")


@dataclass(frozen=True, slots=True)
class Graded:
    """A Family, or the list of VEPs under its name there: the weakest proof that any of its lists came with.

    `kind` as of a Proof. `counted`: the vendor declares how many rows there are; otherwise the end was walked to.
    """

    name: str
    kind: str
    counted: bool


@dataclass(frozen=True, slots=True)
class Quality:
    """What is known of a Tool without its vendor. `cases`: how many of the suite it has to pass."""

    lists: tuple[Graded, ...]
    endpoints: tuple[str, ...]
    cases: int


def quality_of(world: World, folder: Path) -> Quality:
    """Plays the World once; `folder` is written to where it is a tree of files."""
    suite = Suite(world, folder)
    golden, stage = asyncio.run(suite.player.clean())
    names = dict.fromkeys(key[1] for key in (VEPS, *golden.families))
    graded = [_graded(name, [part for key, part in golden.parts.items() if key[1] == name]) for name in names]
    ids = sorted((key[0] for key in golden.parts if key[0]), key=len, reverse=True)
    asked = dict.fromkeys(_endpoint(exchange, ids) for exchange in stage.exchanges)
    return Quality(tuple(graded), tuple(asked), len(suite.cases))


def _graded(name: str, parts: Iterable[Part[Any]]) -> Graded:
    proofs = [part.outcome.proof for part in parts if part.outcome.proof is not None]
    kind = max((proof.kind for proof in proofs), key=_KINDS.index, default="whole")
    return Graded(name, kind, bool(proofs) and all(proof.expected is not None for proof in proofs))


def _endpoint(exchange: Exchange, ids: Iterable[str]) -> str:
    """The question without what differs from VEP to VEP."""
    request = exchange.request
    path = request.path
    for id_ in ids:
        for told in {id_, quote(id_, safe="")}:
            path = re.sub(rf"(?<=/){re.escape(told)}(?=/|$)", "…", path)
    return f"{request.method} {_NUMBER.sub('…', path)} {request.operation}".strip()
