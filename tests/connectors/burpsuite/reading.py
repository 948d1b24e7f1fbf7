"""Reads a whole Burp through the real Session, as Discover and Sync do, and keeps what each list gave."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

from tidegate.connectors.burpsuite.connector import BurpSuite, BurpSuiteSettings
from tidegate_sdk import Account, ConnectorError, Family, Finding, Odd, Outcome, Skipped, Vep
from tidegate_sdk.limits import Limits

PATIENT = Limits(connect=20, read=20, page_seconds=40, tries=3, longest_wait=5)
"""A busy machine is no fault."""
HASTY = Limits(connect=20, read=0.3, page_seconds=1, tries=3, longest_wait=5)
"""For faults that make one wait."""


@dataclass
class Read:
    account: Account | None = None
    veps: dict[str, Vep] = field(default_factory=dict)
    listed: Outcome | None = None
    findings: dict[str, dict[str, Finding]] = field(default_factory=dict)
    outcomes: dict[str, Outcome] = field(default_factory=dict)
    marks: dict[str, str] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    odd: list[Odd] = field(default_factory=list)
    errors: list[ConnectorError] = field(default_factory=list)
    twice: set[str] = field(default_factory=set)
    """Lists in which one key came with two meanings: ingest lets such a pass prove nothing."""
    log: list[str] = field(default_factory=list)

    @property
    def said(self) -> str:
        """Every text that left the Session."""
        told = [self.listed, *self.outcomes.values(), *self.odd, *self.skipped.values(), *self.log]
        return " ".join([*map(str, told), *(f"{error} {error!r} {error.next_step}" for error in self.errors)])

    def of(self, name: str) -> dict[str, Finding]:
        """The findings of the site of that name."""
        return self.findings[next(vep.id for vep in self.veps.values() if vep.name == name)]


def tool(burp: Any, **settings: Any) -> BurpSuite:
    return BurpSuite(BurpSuiteSettings(**{"url": burp.url, "api_key": burp.api_key, **settings}))


async def read(burpsuite: BurpSuite, between: Any = None, limits: Limits = PATIENT) -> Read:
    """Discovers and syncs everything; `between` is called after Discover."""
    result = Read()
    log = lambda event, **facts: result.log.append(f"{event} {facts}")  # noqa: E731
    async with burpsuite.open(limits=limits, sleep=_at_once, log=log) as session:
        try:
            result.account = await session.talk(burpsuite.account())
        except ConnectorError as error:
            result.errors.append(error)
        listing = session.read(burpsuite.veps())
        async for batch in listing:
            result.odd += [vep for vep in batch if isinstance(vep, Odd)]
            result.twice |= _keep(result.veps, {vep.id: vep for vep in batch if isinstance(vep, Vep)}, batch, "sites")
        result.listed = listing.outcome
        if between is not None:
            between()
        for vep in [*result.veps.values()]:
            try:
                await _read_families(session, vep, result)
            except ConnectorError as error:
                result.errors.append(error)
    return result


async def _read_families(session: Any, vep: Vep, result: Read) -> None:
    async for family in session.families(vep):
        if isinstance(family, Skipped):
            result.skipped[vep.id] = family.because
            continue
        assert isinstance(family, Family)
        listing = session.read(family.list, off=family.off, keep_raw=not family.secret)
        found: dict[str, Finding] = {}
        async for batch in listing:
            result.odd += [value for value in batch if isinstance(value, Odd)]
            values = {finding.key: finding for finding in batch if isinstance(finding, Finding)}
            result.twice |= _keep(found, values, batch, vep.id)
        result.findings[vep.id], result.outcomes[vep.id] = found, listing.outcome
        result.marks[vep.id] = family.mark


def _keep(found: dict[str, Any], values: dict[str, Any], batch: list[Any], label: str) -> set[str]:
    """Adds the values of a batch; the label if a key came twice."""
    came = sum(not isinstance(value, Odd) for value in batch)
    twice = len(values) < came or bool(found.keys() & values.keys())
    found |= values
    return {label} if twice else set()


async def _at_once(seconds: float) -> None:
    await asyncio.sleep(0)
