"""Bad Tools, each wrong in one way that loses data or leaks, with the World and the case that must catch it."""

import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, BinaryIO, ClassVar

import msgspec

from tidegate_sdk import (
    NO_PRODUCT,
    AccessDenied,
    Ask,
    ConnectorError,
    Families,
    Family,
    Finding,
    List,
    OneWalk,
    Proof,
    Row,
    Severity,
    SharedFamilies,
    SharedFamily,
    Skip,
    Tool,
    Vep,
    Verdict,
    Walk,
    Whole,
    dig,
)
from tidegate_sdk.ask import every_vep, read_name
from tidegate_sdk.conformance import World

from .dropped import Dropped, results
from .dropped import world as dropped
from .engined import Engined
from .engined import world as engined
from .exported import Exported, export
from .exported import world as exported
from .linked import Linked
from .linked import world as linked
from .numbered import Numbered
from .numbered import world as numbered
from .pooled import PAGES, Pooled
from .pooled import world as pooled
from .queried import Queried
from .queried import world as queried


@dataclass(frozen=True)
class Mutant:
    world: World
    case: str

    def __str__(self) -> str:
        return f"{self.world.tool.__name__}: {self.case}"


MUTANTS: list[Mutant] = []


def caught_by(*cases: str, world: Callable[[type[Tool[Any]]], World] = numbered):
    def enter(tool: type[Tool[Any]]) -> type[Tool[Any]]:
        MUTANTS.extend(Mutant(world(tool), case) for case in cases)
        return tool

    return enter


def declared(families: Families) -> Iterator[Family]:
    """The Families of a Tool that asks nothing before it names them."""
    for step in families:
        assert isinstance(step, Family)
        yield step


class Otherwise(Numbered):
    """Numbered, its list of issues read otherwise."""

    changes: ClassVar[dict[str, Any]] = {}

    def families(self, vep: Vep) -> Families:
        for family in declared(super().families(vep)):
            yield replace(family, list=replace(family.list, **self.changes))


class UntilShort:
    """Takes a short page for the last one."""

    def walk(self, first: Ask) -> Walk:
        number, seen = 1, 0
        while True:
            page = yield first.more(p=number, ps=3)
            seen, number = seen + page.count, number + 1
            if page.count < 3:
                return Proof(seen, kind="drifting", pages=number - 1)


class UntilEmpty:
    """Takes an empty page for the end."""

    def walk(self, first: Ask) -> Walk:
        number, seen = 1, 0
        while True:
            page = yield first.more(p=number, ps=3)
            seen, number = seen + page.count, number + 1
            if not page.count:
                return Proof(seen, kind="drifting", pages=number - 1)


class OnePage:
    def walk(self, first: Ask) -> Walk:
        page = yield first.more(p=1, ps=3)
        return Proof(page.count, kind="whole")


@caught_by("a clean run is complete")
class ReadsOnePage(Otherwise):
    changes: ClassVar[dict[str, Any]] = {"by": OnePage()}


@caught_by("variant: pages of 1", "variant: pages of 2")
class ShortPageMeansEnd(Otherwise):
    changes: ClassVar[dict[str, Any]] = {"by": UntilShort()}


@caught_by("fault: a page is empty", "fault: every page a row short")
class EmptyPageMeansEnd(Otherwise):
    changes: ClassVar[dict[str, Any]] = {"by": UntilEmpty()}


@caught_by("a clean run is complete", world=linked)
class ReadsOneLink(Linked):
    def veps(self) -> List[Vep]:
        return replace(super().veps(), by=Whole())


@caught_by("twice gives the same")
class RandomKey(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return changed(super().issue(row), key=str(uuid.uuid4()))


@caught_by("a clean run is complete")
class KeyOfTheRule(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return changed(super().issue(row), key=row["rule"])


@caught_by("in a row: text")
class TitleInTheKey(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return changed(super().issue(row), key=f"{row['key']}{row['message']}")


@caught_by("in a row: type")
class LineInTheKey(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return changed(super().issue(row), key=f"{row['key']}:{row['line']}")


@caught_by("in a row: word", "the fixtures are rich")
class UnknownSeverityIsInfo(Numbered):
    def severity(self, word: Any) -> Severity:
        return self.severities.get(str(word).lower(), Severity.INFO)


@caught_by("in a row: word")
class ReportsAndStillSaysInfo(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        issue = super().issue(row)
        unknown = isinstance(issue, Finding) and issue.severity is Severity.UNKNOWN
        words = (f"severity: {row['severity']}",)
        return changed(issue, severity=Severity.INFO, unknown_words=words) if unknown else issue


@caught_by("in a row: type")
class MissingSeverityIsInfo(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return super().issue(Row({**row, "severity": row.get("severity") or "INFO"}))


@caught_by("in a row: word")
class UnknownStatusIsFixed(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return changed(super().issue(row), fixed=row["status"] != "OPEN")


@caught_by("in a row: word")
class UnknownStatusIsAccepted(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return changed(super().issue(row), verdict=None if row["status"] == "OPEN" else Verdict.ACCEPTED)


@caught_by("in a row: word")
class UnknownStatusIsSkipped(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        known = row["status"] in ("OPEN", "RESOLVED")
        return super().issue(row) if known else Skip("Not open.")


@caught_by("in a row: word")
class UnknownStatusIsSilent(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return changed(super().issue(row), unknown_words=())


@caught_by("in a row: type")
class SwallowsWhatItCannotRead(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        try:
            return super().issue(row)
        except (ConnectorError, TypeError, ValueError):
            return Skip("It could not be read.")


@caught_by("in a row: type", "fault: a row without its id")
class TakesNoneForAName(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return changed(super().issue(Row({**row, "key": "x"})), key=str(row.get("key")))


@caught_by("in a row: text")
class LinksAnywhere(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return changed(super().issue(row), url=str(row.get("link")))


@caught_by("in a row: date")
class TimeWithoutZone(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        issue = super().issue(row)
        time = issue.found_at if isinstance(issue, Finding) else None
        return changed(issue, found_at=time and time.replace(tzinfo=None))


@caught_by("a clean run is complete")
class SecretInATitle(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return changed(super().issue(row), title=f"{row['message']} {self.settings.token.get_secret_value()}")


@caught_by("twice gives the same")
class RemembersBetweenRuns(Numbered):
    known: ClassVar[set[str]] = set()

    def issue(self, row: Row) -> Finding | Skip:
        issue = super().issue(row)
        if not isinstance(issue, Finding) or issue.key in self.known:
            return Skip("Known.")
        self.known.add(issue.key)
        return issue


class Nothing:
    def walk(self, first: Ask) -> Walk:
        return Proof(0)
        yield first


@caught_by("fault: 403")
class Takes403ForEmpty(Numbered):
    def families(self, vep: Vep) -> Families:
        issues = List(Ask("api/issues/search", {"componentKeys": vep.id}), "issues", Nothing(), self.issue, id="key")
        try:
            yield replace(issues.ask, bare=True).more(p=1, ps=1)
            yield from super().families(vep)
        except AccessDenied:
            yield Family("issues", issues)


class Exports(Exported):
    """Exported, its export judged otherwise."""

    changes: ClassVar[dict[str, Any]]

    def families(self, vep: Vep) -> Families:
        for family in declared(super().families(vep)):
            by = replace(export(f"{vep.id}/vulns/export"), **self.changes)
            yield replace(family, list=replace(family.list, by=by))


@caught_by("fault: a chunk lost", world=exported)
class IgnoresLostChunks(Exports):
    changes: ClassVar[dict[str, Any]] = {"lost": (), "count": None}


@caught_by("fault: a chunk missing", world=exported)
class DoesNotCountChunks(Exports):
    changes: ClassVar[dict[str, Any]] = {"count": None}


@caught_by("fault: the export failed", world=exported)
class TakesAFailedExport(Exports):
    changes: ClassVar[dict[str, Any]] = {"done": frozenset({"FINISHED", "ERROR"})}


class UntilNoCursor:
    """Believes whatever says that there is no more."""

    def __init__(self, path: str) -> None:
        self.path = path

    def walk(self, first: Ask) -> Walk:
        ask, seen, pages = first, 0, 0
        while True:
            page = yield ask
            seen, pages = seen + page.count, pages + 1
            if dig(page.body, f"{self.path}.pageInfo.hasNextPage", None) is not True:
                return Proof(seen, pages=pages)
            after = dig(page.body, f"{self.path}.pageInfo.endCursor")
            ask = replace(first, json={**first.json, "variables": {**first.json["variables"], "after": after}})


@caught_by("around the rows", world=queried)
class MissingMeansNoMore(Queried):
    def veps(self) -> List[Vep]:
        return replace(super().veps(), by=UntilNoCursor("data.viewer.repositories"))


@caught_by("fault: the list ends early", "fault: a page is empty", world=queried)
class DoesNotCount(Queried):
    def veps(self) -> List[Vep]:
        return replace(super().veps(), by=UntilNoCursor("data.viewer.repositories"))


@caught_by("fault: 200 with errors beside the data", world=queried)
class ForgetsGraphql(Queried):
    def ask(self, query: str, **variables: Any) -> Ask:
        return replace(super().ask(query, **variables), graphql=False)

    def veps(self) -> List[Vep]:
        return replace(super().veps(), by=UntilNoCursor("data.viewer.repositories"))


@caught_by("file: cut by one byte", "file: a login page", world=dropped)
class TakesABrokenReportForEmpty(Dropped):
    def families(self, vep: Vep) -> Families:
        for family in declared(super().families(vep)):
            ask = replace(family.list.ask, reader=lenient)
            yield replace(family, list=replace(family.list, ask=ask))


def lenient(file: BinaryIO) -> Iterator[dict[str, Any]]:
    try:
        yield from results(file)
    except ConnectorError:
        return


@caught_by("an edit keeps the keys", world=dropped)
class KeyMovesWithTheLine(Dropped):
    def key(self, row: Row) -> str:
        return f"{super().key(row)}:{row['line']}"


@caught_by("in a document: word", world=dropped)
class UnknownLevelIsSkipped(Dropped):
    def result(self, row: Row) -> Finding | Skip:
        known = row["level"] in ("high", "low", "grim")
        return super().result(row) if known else Skip("Of no known level.")


@caught_by("the fixtures are rich")
class SkipsNothing(Numbered):
    def issue(self, row: Row) -> Finding | Skip:
        return super().issue(Row({**row, "type": "BUG"}))


@caught_by("the Tool is described")
class HasNoWord(Numbered):
    a_record_is = ""


class Shares(Pooled):
    """Pooled, its walks for many VEPs declared otherwise."""

    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        for step in super().shared(veps):
            assert isinstance(step, SharedFamily)
            yield self.changed(step, veps)

    def changed(self, family: SharedFamily, veps: Sequence[Vep]) -> SharedFamily:
        raise NotImplementedError


@caught_by("in a row: type", world=pooled)
class TakesADefaultForTheVep(Shares):
    def changed(self, family: SharedFamily, veps: Sequence[Vep]) -> SharedFamily:
        return replace(family, of=self.owner) if family.name == "issues" else family

    def owner(self, row: Row) -> str:
        return row.get("project_id") or "unassigned"


@caught_by("in a row: type", world=pooled)
class TakesNobodyForTheVep(TakesADefaultForTheVep):
    def owner(self, row: Row) -> str:
        return row.get("project_id") or NO_PRODUCT


@caught_by("in a row: type", world=pooled)
class TakesNoneForAVep(TakesADefaultForTheVep):
    def owner(self, row: Row) -> str:
        return str(row["project_id"])


@caught_by("in a row: type", "in a row: word", world=pooled)
class TakesTheFirstVepForAnUnknownOne(TakesADefaultForTheVep):
    def owner(self, row: Row) -> str:
        told = row["project_id"]
        return told if told in ("p0", "p1", "p2", "p3", "p8") else "p0"


@caught_by("one VEP alone gives the same", "the fixtures are rich", world=pooled)
class TakesRowsOfOthersForNobodys(Shares):
    def changed(self, family: SharedFamily, veps: Sequence[Vep]) -> SharedFamily:
        wanted = {vep.id for vep in veps}

        def of(row: Row) -> str:
            told = read_name(row, family.of) or ""
            return told if told in wanted else NO_PRODUCT

        return replace(family, of=of) if family.name == "vulnerabilities" else family


@caught_by("a clean run is complete", "the fixtures are rich", world=pooled)
class SkipsRowsOfUnknownVeps(Pooled):
    def issue(self, row: Row) -> Finding | Skip:
        return super().issue(row) if row["project_id"] in ("p0", "p1", "p2", "p3") else Skip("Of an unknown project.")


@caught_by("a clean run is complete", world=pooled)
class CoversWhatItDoesNotAsk(Shares):
    def changed(self, family: SharedFamily, veps: Sequence[Vep]) -> SharedFamily:
        return replace(family, covers=every_vep)


@caught_by("a clean run is complete", world=pooled)
class CoversWhatTheLoopEndedWith(Pooled):
    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        for org in ("o0", "o1"):
            issues = List(Ask(f"orgs/{org}/issues"), "data", PAGES, self.issue, id="id")
            yield SharedFamily("issues", issues, "project_id", covers=lambda vep: vep.attributes.get("org") == org)  # noqa: B023


@caught_by("a clean run is complete", world=pooled)
class CoversTooLittle(Shares):
    def changed(self, family: SharedFamily, veps: Sequence[Vep]) -> SharedFamily:
        return replace(family, covers=lambda vep: vep.id != "p1" and family.covers(vep))


@caught_by("one VEP alone gives the same", world=pooled)
class AsksTheFirstOrganization(Pooled):
    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        org = next(vep.attributes["org"] for vep in veps if "org" in vep.attributes)
        issues = List(Ask(f"orgs/{org}/issues"), "data", PAGES, self.issue, id="id")
        yield SharedFamily("issues", issues, "project_id")


@caught_by("a clean run is complete", world=pooled)
class NamesAFamilyTwice(Pooled):
    def families(self, vep: Vep) -> Families:
        yield Family("issues", List(Ask("orgs/o0/issues"), "data", PAGES, self.issue, id="id"))


@caught_by("fault: a chunk lost", world=pooled)
class SharesLostChunks(Shares):
    def changed(self, family: SharedFamily, veps: Sequence[Vep]) -> SharedFamily:
        by = replace(export("vulns/export"), lost=(), count=None)
        return replace(family, list=replace(family.list, by=by)) if family.name == "vulnerabilities" else family


@caught_by("twice gives the same", world=pooled)
class RemembersTheVep(TakesADefaultForTheVep):
    turn: ClassVar[list[str]] = []

    def owner(self, row: Row) -> str:
        self.turn.append(row["id"])
        return row["project_id"] if self.turn.count(row["id"]) < 2 else "p1"


@caught_by("in a row: type", world=engined)
class TakesADefaultForTheFamily(Engined):
    def engine(self, row: Row) -> str:
        return row.get("type") or "sast"


@caught_by("in a row: word", "in a row: type", world=engined)
class TakesTheFirstFamilyForAnUnknownOne(Engined):
    def engine(self, row: Row) -> str:
        return row["type"] if row["type"] == "sca" else "sast"


@caught_by("a clean run is complete", world=engined)
class ServesTooFewFamilies(Engined):
    def walk(self, vep: Vep) -> OneWalk[Finding]:
        whole = super().walk(vep)
        return OneWalk(whole.list, whole.of, ("sast",))


@caught_by("a clean run is complete", world=engined)
class WalksOnceForAllProjects(Engined):
    """A walk belongs to one VEP: the next one is given what the first one said."""

    def families(self, vep: Vep) -> Families:
        once = vars(self).setdefault("once", {})
        walk = once.setdefault("walk", self.walk(vep))
        for engine in walk.families:
            yield Family(engine, walk.share(engine))


def changed(value: Finding | Skip, **changes: Any) -> Finding | Skip:
    return value if isinstance(value, Skip) else msgspec.structs.replace(value, **changes)
