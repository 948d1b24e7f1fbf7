"""Test connection: the first real questions, step by step, until one of them fails. Writes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast, get_args

from pydantic import SecretStr

from tidegate.rules.record import plural, singular
from tidegate_sdk import (
    AccessDenied,
    Account,
    Ask,
    ConnectorError,
    Export,
    Family,
    List,
    Odd,
    Page,
    Row,
    SharedFamily,
    Skip,
    Skipped,
    Talk,
    Tool,
    Vep,
    dig,
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
            seen = await _look(tool, session)
            if not seen.ok or not seen.veps:
                return Probe((*_warned(tool), login, _sight(tool, seen)), account)
            readable = await _readable(session, seen.sample)
            told = [_about_open(seen, await _counted(tool, session, seen)), *readable.words]
            return Probe((*_warned(tool), login, *readable.steps, _sight(tool, seen, told)), account)
    except ConnectorError as error:
        return Probe((Step("login", False, str(error)),))


def _warned(tool: Tool[Any]) -> list[Step]:
    told = tool.door().warning
    return [Step("the way there", True, told, warning=True)] if told else []


@dataclass
class _Seen:
    """What the list of VEPs showed; `rows` is what its rows tell of open findings, None where none tells of any."""

    veps: int = 0
    whole: bool = True
    problem: str = ""
    sample: list[Vep] = field(default_factory=list[Vep])
    rows: int | None = None

    @property
    def ok(self) -> bool:
        return not self.problem


async def _look(tool: Tool[Any], session: Session) -> _Seen:
    """Reads the list of VEPs, up to so many; the first few become the sample."""
    seen = _Seen()
    reading = session.read(_counting(tool, seen))
    try:
        async for batch in reading:
            veps = [row for row in batch if not isinstance(row, Odd)]
            seen.veps += len(veps)
            seen.sample += veps[: SAMPLE - len(seen.sample)]
            if seen.veps >= ENOUGH:
                seen.whole = False
                return seen
    finally:
        await reading.aclose()
    outcome = reading.outcome
    if outcome.error is not None:
        seen.problem = str(outcome.error)
    elif not outcome.complete:
        things = singular(tool.a_record_is) if seen.veps == 1 else plural(tool.a_record_is)
        seen.problem = f"{seen.veps:,} {things}, and not the whole list. {outcome.why}".rstrip()
    return seen


def _counting(tool: Tool[Any], seen: _Seen) -> List[Vep]:
    """The list of VEPs, noting what each row that becomes one tells of its open findings."""
    listing = tool.veps()
    paths = [count.path for count in tool.open_findings() if count.ask is None]

    def read(row: Row) -> Vep | Skip:
        vep = listing.read(row)
        if not isinstance(vep, Skip):
            for path in paths:
                if (told := _number(row.get(path))) is not None:
                    seen.rows = told + (seen.rows or 0)
        return vep

    return replace(listing, read=read) if paths else listing


async def _counted(tool: Tool[Any], session: Session, seen: _Seen) -> tuple[int, bool] | None:
    """How many findings are open, and whether there may be more; None where the vendor does not tell."""
    counts = tool.open_findings()
    in_rows = any(count.ask is None for count in counts)
    if not counts or (in_rows and seen.rows is None):
        return None
    total, more = seen.rows or 0, in_rows and not seen.whole
    for count in counts:
        if count.ask is None:
            continue
        try:
            page = await session.talk(_page(count.ask))
        except ConnectorError:  # it is a word on the way: what cannot be read, the steps for the Families tell
            return None
        told = _added_up(page.body, count.path)
        if told is None:
            return None
        total, more = total + told, more or (count.most is not None and told >= count.most)
    return total, more


def _page(ask: Ask) -> Talk[Page]:
    return (yield replace(ask, bare=True))


def _added_up(body: object, path: str) -> int | None:
    """The number at a dotted path; of a list on the way, those of its entries together. None where one is none."""
    if isinstance(body, list):
        told = [_added_up(each, path) for each in cast("list[object]", body)]
        return sum(each for each in told if each is not None) if None not in told else None
    here, _, rest = path.partition(".")
    return _added_up(dig(body, here, None), rest) if here else _number(body)


def _number(told: object) -> int | None:
    return told if isinstance(told, int) and not isinstance(told, bool) and told >= 0 else None


def _about_open(seen: _Seen, counted: tuple[int, bool] | None) -> str:
    if counted is None:
        return ""
    total, more = counted
    return f"{'at least' if more else 'about'} {total:,} open finding{'' if total == 1 else 's'}"


def _sight(tool: Tool[Any], seen: _Seen, told: Sequence[str] = ()) -> Step:
    """ "All 37 projects, about 12,480 open findings, secrets not enabled." Where nothing is visible, what to grant."""
    name, things = "what it can see", plural(tool.a_record_is)
    if not seen.ok:
        return Step(name, False, seen.problem)
    if not seen.veps:
        grant = _rights(tool)
        nothing = f"No {things} at all: the credential lacks a right to see them, or there are none yet."
        return Step(name, True, f"{nothing} {grant}".rstrip(), warning=True)
    amount = f"{'All' if seen.whole else 'At least'} {seen.veps:,} {things}"
    if seen.whole and seen.veps == 1:
        amount = f"One {singular(tool.a_record_is)}"
    return Step(name, True, ", ".join([amount, *filter(None, told)]) + ".")


def _rights(tool: Tool[Any]) -> str:
    """What the form says of the credential: where it comes from, and which rights it needs."""
    fields = tool.settings_type().model_fields.values()
    secret = (field for field in fields if _is_secret(field.annotation) and field.title and field.description)
    return " ".join(f"{field.title}: {field.description}" for field in secret if field.is_required())


def _is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(map(_is_secret, get_args(annotation)))


@dataclass
class _Readable:
    """Issue 8, rights per Family: what can be read of no VEP of the sample, and why."""

    steps: list[Step] = field(default_factory=list[Step])
    words: list[str] = field(default_factory=list[str])


async def _readable(session: Session, sample: list[Vep]) -> _Readable:
    readable: set[str] = set()
    refused: dict[str, tuple[ConnectorError, bool]] = {}
    skipped: dict[str, str] = {}

    async def ask_for(family: Family | SharedFamily | Skipped) -> None:
        if isinstance(family, Skipped):
            skipped.setdefault(family.family, family.because)
            return
        if (talk := _first_page(family.list)) is None:
            readable.add(family.name)
            return
        try:
            await session.talk(talk)
            readable.add(family.name)
        except ConnectorError as error:
            if isinstance(error, AccessDenied) or error.status in family.off:
                refused.setdefault(family.name, (error, error.status in family.off))

    try:
        async for shared in session.shared(sample):
            await ask_for(shared)
        for vep in sample:
            async for family in session.families(vep):
                await ask_for(family)
    except ConnectorError:  # what else is wrong with a list the first Sync tells, with the Record that it concerns
        return _Readable()
    found = _Readable()
    for name, (error, off) in refused.items():
        if name not in readable:
            found.steps.append(Step("what it may read", True, f"{name} cannot be read. {error}", warning=True))
            found.words.append(f"{name} not {'enabled' if off else 'allowed'}")
    for name, why in skipped.items():
        if name not in {*readable, *refused}:
            found.steps.append(Step("what it may read", True, f"{name} is skipped. {why}"))
            found.words.append(f"{name} skipped")
    return found


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
