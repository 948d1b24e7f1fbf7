"""One Discover and Sync of a Tool, read as ingest reads it, and all that came out of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from ..ask import Family, List, Skipped
from ..errors import ConnectorError, TotalMoved
from ..finding import Account, Finding, Vep
from ..reading import Odd, Outcome
from ..tool import Tool
from .stage import Stage
from .world import VEPS, Key

T = TypeVar("T", Finding, Vep)


@dataclass(slots=True)
class Part(Generic[T]):
    """What one list gave: its values by key, how many came again, and the word on whether it was read whole."""

    values: dict[str, T]
    odd: list[Odd]
    outcome: Outcome
    repeated: int = 0

    def add(self, value: T | Odd) -> str | None:
        """Takes a value in; gives its key where another value came with the same one."""
        if isinstance(value, Odd):
            self.odd.append(value)
            return None
        key = str(value.key if isinstance(value, Finding) else value.id)
        before = self.values.setdefault(key, value)
        self.repeated += before is not value
        return None if before == value else key

    @property
    def complete(self) -> bool:
        """Whether what is missing from it would close."""
        return self.outcome.complete

    @property
    def set_aside(self) -> set[str]:
        """The ids of odd rows: they count as seen."""
        return {odd.id for odd in self.odd if odd.id is not None}


@dataclass(slots=True)
class Rehearsal:
    """What one run gave. `said` is every text that left the Session; `crash` what no connector may raise."""

    account: Account | None = None
    veps: Part[Vep] | None = None
    families: dict[Key, Part[Finding]] = field(default_factory=dict[Key, "Part[Finding]"])
    skipped: dict[Key, str] = field(default_factory=dict[Key, str])
    errors: list[ConnectorError] = field(default_factory=list[ConnectorError])
    said: list[str] = field(default_factory=list[str])
    crash: str = ""

    @property
    def parts(self) -> dict[Key, Part[Any]]:
        """Every list that was read, the list of VEPs among them."""
        return {**({VEPS: self.veps} if self.veps else {}), **self.families}


@dataclass(slots=True)
class Cues:
    """Moments at which a test may change the world: before a list is read, and after its first batch."""

    before: Callable[[Key], None] = lambda key: None
    amid: Callable[[Key], None] = lambda key: None


async def rehearse(
    tool: Tool[Any], stage: Stage, known: Rehearsal | None = None, cues: Cues | None = None
) -> Rehearsal:
    """Discovers and syncs everything. `known` is what is open before: it decides where a second pass is due."""
    result = Rehearsal()

    def note(event: object, **fields: object) -> None:
        result.said.append(f"{event} {fields}")

    try:
        async with tool.open(transport=stage, limits=stage.limits, sleep=_no_sleep, log=note) as session:
            await _Reader(tool, session, stage, result, known, cues or Cues()).run()
    except ConnectorError as error:
        result.errors.append(error)
    except Exception as error:  # noqa: BLE001 - a connector or the SDK let something through: that is looked for
        result.crash = f"{type(error).__name__}: {error}"[:300]
    _collect_texts(result)
    return result


class _Reader:
    def __init__(
        self, tool: Tool[Any], session: Any, stage: Stage, result: Rehearsal, known: Rehearsal | None, cues: Cues
    ) -> None:
        self.tool = tool
        self.session = session
        self.stage = stage
        self.result = result
        self.known = known
        self.cues = cues

    async def run(self) -> None:
        self.stage.begin(None, ("", "account", ""))
        self.result.account = await self.session.talk(self.tool.account())
        before = self.known.veps.values if self.known and self.known.veps else {}
        self.result.veps = await self.read_like_ingest(VEPS, self.tool.veps(), before)
        for vep in [*self.result.veps.values.values()]:
            try:
                await self.read_families(vep)
            except ConnectorError as error:
                self.result.errors.append(error)

    async def read_families(self, vep: Vep) -> None:
        about: Key = (vep.id, "", "")
        self.stage.begin(None, about)
        async for family in self.session.families(vep):
            if isinstance(family, Skipped):
                self.result.skipped[vep.id, family.family, family.branch] = family.because
            else:
                await self.read_family(vep, family)
            self.stage.begin(None, about)

    async def read_family(self, vep: Vep, family: Family) -> None:
        key: Key = (vep.id, family.name, family.branch)
        known = self.known.families.get(key) if self.known else None
        before = known.values if known else {}
        part = await self.read_like_ingest(key, family.list, before, off=family.off, keep_raw=not family.secret)
        if part.complete and before and not part.values and not await self.is_named(vep):
            part.outcome = Outcome(False, "No rows, and the vendor no longer names the VEP.")
        self.result.families[key] = part

    async def read_like_ingest(self, key: Key, list_: List[T], before: Mapping[str, T], **options: Any) -> Part[T]:
        """Reads the list; where pages drift or repeat and something would close, a second pass must miss it too."""
        part = await self.read_once(key, list_, **options)
        if isinstance(part.outcome.error, TotalMoved):
            part = await self.read_once(key, list_, **options)
        proof = part.outcome.proof
        doubtful = part.repeated or (proof is not None and proof.kind == "drifting")
        if not part.complete or not doubtful or before.keys() <= part.values.keys() | part.set_aside:
            return part
        second = await self.read_once(key, list_, **options)
        if second.complete:
            second.values = {**part.values, **second.values}
            second.odd = [*part.odd, *second.odd]
        return second

    async def read_once(self, key: Key, list_: List[T], **options: Any) -> Part[T]:
        self.cues.before(key)
        self.stage.begin(list_, key)
        part: Part[T] = Part({}, [], Outcome(False))
        differing: list[str] = []
        reading = self.session.read(list_, **options)
        try:
            async for batch in reading:
                differing += [other for value in batch if (other := part.add(value)) is not None]
                self.cues.amid(key)
        except ConnectorError as error:
            raise RuntimeError(f"A Reading raised {error!r}; its outcome should say so.") from error
        part.outcome = reading.outcome
        if part.outcome.error is not None:
            self.result.errors.append(part.outcome.error)
        if part.complete and differing:
            part.outcome = replace(part.outcome, complete=False, why=f"{differing[0]} came twice, with differences.")
        return part

    async def is_named(self, vep: Vep) -> bool:
        talk = self.tool.witness(vep)
        if talk is None:
            return self.result.veps is not None and vep.id in self.result.veps.values
        try:
            return bool(await self.session.talk(talk))
        except ConnectorError as error:
            self.result.errors.append(error)
            return False


def _collect_texts(result: Rehearsal) -> None:
    for part in result.parts.values():
        result.said += [part.outcome.why, *part.outcome.skipped]
        result.said += [text for odd in part.odd for text in (odd.reason, odd.raw, odd.id or "")]
    for error in result.errors:
        result.said += [str(error), repr(error), error.next_step]
        result.said += [repr(error.__cause__), repr(error.__context__)]
    result.said += [*result.skipped.values(), result.crash]


async def _no_sleep(seconds: float) -> None:
    """No test waits."""
