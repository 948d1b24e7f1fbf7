"""One Discover and Sync of a Tool, read as ingest reads it, and all that came out of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import Any, Generic, TypeVar

from ..ask import Family, List, SharedFamily, Skipped, every_vep
from ..branch import Listed
from ..errors import ConnectorError, Incomplete, TotalMoved
from ..finding import NO_PRODUCT, Account, Finding, Skip, Vep
from ..limits import Limits
from ..one_walk import Share
from ..reading import Odd, Outcome
from ..tool import Tool
from .stage import Stage
from .world import VEPS, Key, walk_key

T = TypeVar("T", Finding, Vep)
LONGEST_WAIT = 2 * Limits().longest_wait
_NOBODY = Vep(id=NO_PRODUCT, name=NO_PRODUCT)


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
    def drifting(self) -> bool:
        """Whether a live row may hide between two pages."""
        return self.outcome.proof is not None and self.outcome.proof.kind == "drifting"

    def would_close(self, before: Mapping[str, T]) -> bool:
        """Whether one of these is gone, if this part is believed."""
        return self.complete and not before.keys() <= self.values.keys() | self.set_aside

    @property
    def set_aside(self) -> set[str]:
        """The ids of odd rows: they count as seen."""
        return {odd.id for odd in self.odd if odd.id is not None}


@dataclass(slots=True)
class Rehearsal:
    """What one run gave. `said` is every text that left the Session; `crash` what no connector may raise.

    `walks`: for each walk that served many VEPs whose rows came in it; what they are stands in `families`, also where
    the VEP is unknown.
    """

    account: Account | None = None
    veps: Part[Vep] | None = None
    families: dict[Key, Part[Finding]] = field(default_factory=dict[Key, "Part[Finding]"])
    walks: list[tuple[Key, set[str]]] = field(default_factory=list[tuple[Key, set[str]]])
    shares: dict[Key, list[Key]] = field(default_factory=dict[Key, "list[Key]"])
    """For each Family that shares its walk with others of its VEP: all of them."""
    skipped: dict[Key, str] = field(default_factory=dict[Key, str])
    branches: dict[str, Listed] = field(default_factory=dict[str, Listed])
    """The list of branches of each VEP, where the Tool asks for it."""
    errors: list[ConnectorError] = field(default_factory=list[ConnectorError])
    said: list[str] = field(default_factory=list[str])
    opened: dict[str, set[str]] = field(default_factory=dict[str, set[str]])
    """Of a folder: the VEPs that each file was opened for."""
    crash: str = ""

    @property
    def parts(self) -> dict[Key, Part[Any]]:
        """Every list that was read, the list of VEPs among them."""
        return {**({VEPS: self.veps} if self.veps else {}), **self.families}

    @property
    def lists(self) -> list[Key]:
        """Every list that was asked for: of a walk that serves many VEPs its own Key."""
        return [*self.parts, *dict(self.walks)]

    def given_by(self, list_: Key) -> list[Key]:
        """The parts that came of a list: one, those of many Families, or those of many VEPs."""
        if list_ in self.shares:
            return [key for key in self.shares[list_] if key in self.families]
        return [list_] if list_ in self.parts else [key for key in self.parts if key[1:] == list_[1:]]


@dataclass(slots=True)
class Cues:
    """Moments at which a test may change the world: before a list is read, and after its first batch."""

    before: Callable[[Key], None] = lambda key: None
    amid: Callable[[Key], None] = lambda key: None


async def rehearse(
    tool: Tool[Any],
    stage: Stage,
    known: Rehearsal | None = None,
    cues: Cues | None = None,
    scope: Callable[[Vep], bool] = every_vep,
    focus: Key | None = None,
) -> Rehearsal:
    """Discovers everything, and syncs the VEPs of the scope. `known` is what is open before: it decides where a second
    pass is due. `focus`: of all that the Tool names, only this list is read, or those of one VEP."""
    result = Rehearsal()

    def note(event: object, **fields: object) -> None:
        result.said.append(f"{event} {fields}")
        if event == "folder.opened":
            result.opened.setdefault(str(fields["file"]), set()).add(stage.key[0])

    try:
        async with tool.open(transport=stage, limits=stage.limits, sleep=_no_sleep, log=note) as session:
            await _Reader(tool, session, stage, result, known, cues or Cues(), focus).run(scope)
    except ConnectorError as error:
        result.errors.append(error)
    except Exception as error:  # noqa: BLE001 - a connector or the SDK let something through: that is looked for
        result.crash = f"{type(error).__name__}: {error}"[:300]
    _collect_texts(result)
    return result


class _House:
    """What one walk gives to one VEP."""

    def __init__(self) -> None:
        self.part: Part[Finding] = Part({}, [], Outcome(False))
        self.skipped: Counter[str] = Counter()
        self.seen = 0
        self.why = ""

    def add(self, value: Finding | Odd | Skip) -> None:
        self.seen += 1
        if isinstance(value, Skip):
            self.skipped[value.because] += 1
        elif (other := self.part.add(value)) is not None:
            self.why = f"{other} came twice, with differences."
        elif isinstance(value, Odd) and value.id is None:
            self.why = "An odd row has no readable id."

    def closed(self, walk: Outcome) -> Part[Finding]:
        """The part, with what the proof of the walk says of it."""
        why = walk.why or self.why
        counts: dict[str, Any] = {"seen": self.seen, "odd": len(self.part.odd), "skipped": dict(self.skipped)}
        kept = self.seen - len(self.part.odd) - self.skipped.total()
        self.part.outcome = replace(walk, complete=walk.complete and not why, why=why, kept=kept, **counts)
        return self.part


class _Reader:
    def __init__(
        self,
        tool: Tool[Any],
        session: Any,
        stage: Stage,
        result: Rehearsal,
        known: Rehearsal | None,
        cues: Cues,
        focus: Key | None,
    ) -> None:
        self.tool = tool
        self.session = session
        self.stage = stage
        self.result = result
        self.known = known
        self.cues = cues
        self.focus = focus
        self.named: set[Key] = set()
        self.doubts: dict[Key, ConnectorError] = {}

    async def run(self, scope: Callable[[Vep], bool]) -> None:
        self.stage.begin(None, ("", "account", ""))
        self.result.account = await self.session.talk(self.tool.account())
        known = {VEPS: self.known.veps.values} if self.known and self.known.veps else {}
        read = await self.read_like_ingest(lambda: self.read_once(VEPS, self.tool.veps()), known)
        self.result.veps = read[VEPS]
        wanted = [vep for vep in self.veps if scope(vep) and (vep is not _NOBODY or self.has_nobody)]
        try:
            await self.read_shared(wanted)
        except ConnectorError as error:
            self.result.errors.append(error)
        for vep in wanted:
            if self.focus is not None and self.focus[0] != vep.id:
                continue
            try:
                await self.read_families(vep)
            except ConnectorError as error:
                self.result.errors.append(error)
        for key, error in self.doubts.items():
            self.result.errors.append(error)
            if key in self.result.families:
                part = self.result.families[key]
                part.outcome = replace(part.outcome, complete=False, why=str(error))

    @property
    def veps(self) -> list[Vep]:
        """Those of the list, and the home of findings without a product."""
        return [*{_NOBODY.id: _NOBODY, **(self.result.veps.values if self.result.veps else {})}.values()]

    @property
    def has_nobody(self) -> bool:
        """Whether that home was made before, as one was seen."""
        return self.known is not None and any(key[0] == NO_PRODUCT for key in self.known.families)

    async def read_shared(self, wanted: Sequence[Vep]) -> None:
        """First all walks are named, then each is asked whom it covers: a scope that looks at a variable of a loop
        would be that of the last one by then."""
        self.stage.begin(None, ("", "", ""))
        for family in [family async for family in self.session.shared(wanted)]:
            covered: list[Vep] = self.session.covered(family, wanted)
            if isinstance(family, Skipped):
                for vep in covered:
                    self.name((vep.id, family.family, family.branch))
                    self.result.skipped[vep.id, family.family, family.branch] = family.because
            elif self.focus is None or self.focus == walk_key(family):
                await self.read_walk(family, covered)

    async def read_walk(self, family: SharedFamily, covered: Sequence[Vep]) -> None:
        keys = {vep.id: (vep.id, family.name, family.branch) for vep in covered}
        for key in keys.values():
            self.name(key)
        known = self.known.families if self.known else {}
        before = {key: known[key].values for key in keys.values() if key in known}
        parts = await self.read_like_ingest(lambda: self.read_walk_once(family, keys), before)
        for vep in covered:
            await self.ask_witness(vep, parts[keys[vep.id]], before.get(keys[vep.id], {}))
        served = {vep.id for vep in self.session.covered(family, self.veps)}
        for vep in self.veps:
            key: Key = (vep.id, family.name, family.branch)
            if vep.id in served:
                continue
            if parts.pop(key, None) is not None:
                self.doubts[key] = Incomplete(f"A row of {vep.id} came in a walk that does not cover it.")
        self.result.families.update(parts)

    async def read_families(self, vep: Vep) -> None:
        about: Key = (vep.id, "", "")
        self.stage.begin(None, about)
        async for family in self.session.families(vep, listed=partial(self.result.branches.__setitem__, vep.id)):
            if isinstance(family, Skipped):
                self.name((vep.id, family.family, family.branch))
                self.result.skipped[vep.id, family.family, family.branch] = family.because
            elif self.is_in_focus(vep, family):
                await self.read_family(vep, family)
            self.stage.begin(None, about)

    def is_in_focus(self, vep: Vep, family: Family) -> bool:
        """Of Families that share a walk each one is: what strikes the walk strikes them all."""
        if self.focus is None or self.focus == (vep.id, "", ""):
            return True
        names = family.list.walk.families if isinstance(family.list, Share) else (family.name,)
        return any(self.focus == (vep.id, name, family.branch) for name in names)

    async def read_family(self, vep: Vep, family: Family) -> None:
        key: Key = (vep.id, family.name, family.branch)
        self.name(key)
        if isinstance(family.list, Share):
            self.result.shares[key] = [(vep.id, name, family.branch) for name in family.list.walk.families]
        known = self.known.families.get(key) if self.known else None
        before = {key: known.values} if known else {}
        options: dict[str, Any] = {"off": family.off, "keep_raw": not family.secret}
        parts = await self.read_like_ingest(lambda: self.read_once(key, family.list, **options), before)
        await self.ask_witness(vep, parts[key], before.get(key, {}))
        self.result.families.update(parts)

    def name(self, key: Key) -> None:
        """A Family and Branch of a VEP is named once; of two, neither is believed."""
        if key in self.named:
            self.doubts[key] = Incomplete(f"The connector yields the Family {key[1]!r} of {key[0]} twice.")
        self.named.add(key)

    async def ask_witness(self, vep: Vep, part: Part[Finding], before: Mapping[str, Finding]) -> None:
        if part.complete and before and not part.values and not await self.is_named(vep):
            part.outcome = Outcome(False, "No rows, and the vendor no longer names the VEP.")

    async def read_like_ingest(
        self, read: Callable[[], Awaitable[dict[Key, Part[T]]]], before: Mapping[Key, Mapping[str, T]]
    ) -> dict[Key, Part[T]]:
        """Reads a list; where pages drift or repeat and something would close, a second pass must miss it too."""
        parts = await read()
        if any(isinstance(part.outcome.error, TotalMoved) for part in parts.values()):
            parts = await read()
        doubtful = any(part.repeated or part.drifting for part in parts.values())
        closes = any(part.would_close(before.get(key, {})) for key, part in parts.items())
        if not doubtful or not closes:
            return parts
        second = await read()
        for key, part in second.items():
            if part.complete and key in parts:
                part.values = {**parts[key].values, **part.values}
                part.odd = [*parts[key].odd, *part.odd]
        return {**parts, **second}

    async def read_once(self, key: Key, list_: List[T], **options: Any) -> dict[Key, Part[T]]:
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
        part.outcome = self.told(reading.outcome)
        if part.complete and differing:
            part.outcome = replace(part.outcome, complete=False, why=f"{differing[0]} came twice, with differences.")
        return {key: part}

    async def read_walk_once(self, family: SharedFamily, keys: Mapping[str, Key]) -> dict[Key, Part[Finding]]:
        """The parts of these VEPs, and of all others whose rows come along."""
        key = walk_key(family)
        self.cues.before(key)
        self.stage.begin(family.list, key, family.of)
        houses = {vep: _House() for vep in keys}
        reading = self.session.read_shared(family)
        try:
            async for batch in reading:
                for home, value in batch:
                    if home is None:
                        self.result.said += _texts([value] if isinstance(value, Odd) else [])
                    else:
                        houses.setdefault(home, _House()).add(value)
                self.cues.amid(key)
        except ConnectorError as error:
            raise RuntimeError(f"A Reading raised {error!r}; its outcome should say so.") from error
        outcome = self.told(reading.outcome)
        self.result.walks.append((key, {vep for vep, house in houses.items() if house.part.values}))
        return {(vep, family.name, family.branch): house.closed(outcome) for vep, house in houses.items()}

    def told(self, outcome: Outcome) -> Outcome:
        if outcome.error is not None:
            self.result.errors.append(outcome.error)
        return outcome

    async def is_named(self, vep: Vep) -> bool:
        talk = self.tool.witness(vep) if vep is not _NOBODY else None
        if talk is None:
            return vep is _NOBODY or (self.result.veps is not None and vep.id in self.result.veps.values)
        try:
            return bool(await self.session.talk(talk))
        except ConnectorError as error:
            self.result.errors.append(error)
            return False


def _collect_texts(result: Rehearsal) -> None:
    for part in result.parts.values():
        result.said += [part.outcome.why, *part.outcome.skipped]
        result.said += _texts(part.odd)
    for error in result.errors:
        result.said += [str(error), repr(error), error.next_step]
        result.said += [repr(error.__cause__), repr(error.__context__)]
    result.said += [*result.skipped.values(), result.crash]


def _texts(odd: Sequence[Odd]) -> list[str]:
    return [text for row in odd for text in (row.reason, row.raw, row.id or "")]


async def _no_sleep(seconds: float) -> None:
    """No test waits; that nobody is made to wait for days is looked for."""
    if seconds > LONGEST_WAIT:
        raise AssertionError(f"It waits for {seconds:,.0f} seconds.")
