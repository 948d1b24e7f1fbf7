"""Test connection: the first real questions, step by step, until one of them fails. Writes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from tidegate.rules.record import plural
from tidegate_sdk import (
    AccessDenied,
    Account,
    Ask,
    ConnectorError,
    Export,
    Family,
    List,
    Odd,
    SharedFamily,
    Skipped,
    Talk,
    Tool,
    Vep,
)
from tidegate_sdk.session import Session

from .vendor import way_out

ENOUGH = 1000
"""VEPs after which the list is believed to be readable."""
SAMPLE = 3
"""VEPs whose Families are asked for: what can be read of none of them is told."""


@dataclass(frozen=True)
class Step:
    """One question and how it went."""

    name: str
    ok: bool
    sentence: str
    warning: bool = False
    """It works, and a person should know this all the same."""


@dataclass(frozen=True)
class Probe:
    """What the vendor said; `account` is None where the login did not get that far."""

    steps: tuple[Step, ...]
    account: Account | None = None


def probe(tool: Tool[Any], **session: Any) -> Probe:
    """Logs in, then looks at what the account can see. Takes what Session takes."""
    return asyncio.run(_probe(tool, session))


async def _probe(tool: Tool[Any], how: dict[str, Any]) -> Probe:
    try:
        async with tool.open(**way_out() | how) as session:
            account = await session.talk(tool.account())
            login = Step("login", True, f"Logged in as {account.name or account.id}.")
            sample: list[Vep] = []
            seen = await _look(tool, session, sample)
            refused = await _refused(session, sample) if seen.ok else []
            return Probe((*_warned(tool), login, *refused, seen), account)
    except ConnectorError as error:
        return Probe((Step("login", False, str(error)),))


def _warned(tool: Tool[Any]) -> list[Step]:
    told = tool.door().warning
    return [Step("the way there", True, told, warning=True)] if told else []


async def _look(tool: Tool[Any], session: Session, sample: list[Vep]) -> Step:
    """What is listed; a few of the VEPs become the sample."""
    things, seen = plural(tool.a_record_is), 0
    reading = session.read(tool.veps())
    try:
        async for batch in reading:
            seen += sum(not isinstance(row, Odd) for row in batch)
            sample += [row for row in batch if not isinstance(row, Odd)][: SAMPLE - len(sample)]
            if seen >= ENOUGH:
                return Step("what it can see", True, f"At least {seen:,} {things}.")
    finally:
        await reading.aclose()
    outcome = reading.outcome
    if outcome.error is not None:
        return Step("what it can see", False, str(outcome.error))
    if not outcome.complete:
        return Step("what it can see", False, f"{seen:,} {things}, and not the whole list. {outcome.why}".rstrip())
    if not seen:
        nothing = f"No {things} at all: check what the account may see in the tool."
        return Step("what it can see", True, nothing)
    return Step("what it can see", True, f"All {seen:,} {things}.")


async def _refused(session: Session, sample: list[Vep]) -> list[Step]:
    """Issue 8, rights per Family: what can be read of no VEP of the sample, with the vendor's reason."""
    readable: set[str] = set()
    refused: dict[str, ConnectorError] = {}

    async def ask_for(family: Family | SharedFamily | Skipped) -> None:
        if isinstance(family, Skipped) or (talk := _first_page(family.list)) is None:
            return
        try:
            await session.talk(talk)
            readable.add(family.name)
        except ConnectorError as error:
            if isinstance(error, AccessDenied) or error.status in family.off:
                refused.setdefault(family.name, error)

    try:
        async for shared in session.shared(sample):
            await ask_for(shared)
        for vep in sample:
            async for family in session.families(vep):
                await ask_for(family)
    except ConnectorError:  # what else is wrong with a list the first Sync tells, with the Record that it concerns
        return []
    return [
        Step("what it may read", True, f"{name} cannot be read. {error}", warning=True)
        for name, error in refused.items()
        if name not in readable
    ]


def _first_page(listing: List[Any]) -> Talk[None] | None:
    """The question for the first rows; None for an export, which is work for the vendor, unless it has another one."""
    by = listing.by
    if isinstance(by, Export):
        return None if by.allowed is None else _asked(by.allowed)
    return _until_rows(listing)


def _asked(ask: Ask) -> Talk[None]:
    yield ask


def _until_rows(listing: List[Any]) -> Talk[None]:
    """Asks until the first answer that holds rows."""
    walk = listing.by.walk(listing.ask)
    try:
        step = next(walk)
        while True:
            page = yield step
            if isinstance(step, Ask) and not step.bare:
                return
            step = walk.send(page)
    except StopIteration:
        return
    finally:
        walk.close()
