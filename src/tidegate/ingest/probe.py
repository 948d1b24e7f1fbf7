"""Test connection: the first real questions, step by step, until one of them fails. Writes nothing."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any

from tidegate.rules.record import plural
from tidegate_sdk import Account, ConnectorError, Odd, Tool
from tidegate_sdk.session import Session

from .vendor import way_out

ENOUGH = 1000
"""VEPs after which the list is believed to be readable."""


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
            return Probe((*_warned(tool), login, await _look(tool, session)), account)
    except ConnectorError as error:
        return Probe((Step("login", False, str(error)),))


def _warned(tool: Tool[Any]) -> list[Step]:
    told = tool.door().warning
    return [Step("the way there", True, told, warning=True)] if told else []


async def _look(tool: Tool[Any], session: Session) -> Step:
    things, seen = plural(tool.a_record_is), 0
    reading = session.read(tool.veps())
    try:
        async for batch in reading:
            seen += sum(not isinstance(row, Odd) for row in batch)
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
