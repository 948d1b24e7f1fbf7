"""The cases of a vendor that answers: for each request of a clean run every fault strikes once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..errors import AccessDenied, AuthRejected, ConnectorError, NotFound, VendorDown
from ..one_walk import Share
from ..tool import Tool
from . import faults
from .body import Way, field, kind_of, places, put
from .judgement import Touched, document_law, law, recovered, value_law
from .player import Player, at
from .rehearsal import Rehearsal
from .stage import Stage
from .values import KINDS, Kind, Odd, encoded, odd_values, takes_away
from .world import Answer, Exchange, Fault, Vendor

Case = Callable[[], Awaitable[list[str]]]

FAULTS: Mapping[str, Fault] = {**faults.STATUS, **faults.TRANSPORT, **faults.BODY, **faults.PAGING}
REASONS: Mapping[str, type[ConnectorError]] = {
    "401": AuthRejected,
    "403": AccessDenied,
    "404": NotFound,
    **dict.fromkeys(("500 for ever", "refused for ever", "time-out for ever", "one byte a second"), VendorDown),
    **{name: VendorDown for name in faults.TRANSPORT if name.startswith(("the name", "the certificate"))},
}
"""What the operator is told, where already the first question meets it."""


@dataclass(frozen=True, slots=True)
class Place:
    """One value of the answer to one request, which the suite will change."""

    number: int
    way: Way
    touched: Touched


class AnswerCases:
    """What a Tool does when answers go wrong."""

    def __init__(self, player: Player) -> None:
        self.player = player

    @property
    def cases(self) -> dict[str, Case]:
        """Every case by its name."""
        world = self.player.world
        cases: dict[str, Case] = {}
        for name, fault in {**FAULTS, **world.faults}.items():
            cases[f"fault: {name}"] = lambda name=name, fault=fault: self.fault(name, fault)
        for name, vendor in world.variants.items():
            cases[f"variant: {name}"] = lambda vendor=vendor: self.variant(vendor)
        for kind in KINDS:
            cases[f"in a row: {kind}"] = lambda kind=kind: self.value_in_rows(kind)
        cases["around the rows"] = self.value_around_rows
        cases["links lead elsewhere"] = self.links_lead_elsewhere
        if _has_secrets(world.tool):
            cases["the vendor repeats the credential"] = self.credential_repeated
        return cases

    async def fault(self, name: str, fault: Fault) -> list[str]:
        """For each request of a clean run the fault strikes at that request."""
        golden, clean = await self.player.clean()
        problems: list[str] = []
        for number, exchange in enumerate(clean.exchanges, 1):
            if fault.strike(exchange) is None:
                continue
            result, stage = await self.player.play(fault, number)
            believed = [struck for struck in stage.struck if fault.lie and not _has_total(golden, struck)]
            but = [key for struck in believed for key in golden.given_by(struck.key)]
            if fault.recovers and _may_be_repeated(exchange):
                verdict = recovered(golden, result)
            else:
                verdict = law(golden, result, but=but)
            if number == 1 and name in REASONS:
                verdict += _told(result, REASONS[name])
            problems += at(exchange, verdict + self.player.leaks(result, stage))
        return problems

    async def variant(self, vendor: Callable[[], Vendor]) -> list[str]:
        """The same truth, served otherwise."""
        result, stage = await self.player.play(vendor=vendor)
        return law(await self.player.golden(), result) + self.player.leaks(result, stage)

    async def value_in_rows(self, kind: Kind) -> list[str]:
        """One value of one row becomes odd, for each field that the vendor sends."""
        golden, clean = await self.player.clean()
        problems: list[str] = []
        for place in _places_in_rows(golden, clean, self.player.world.skips_by):
            nobody_is_said = place.touched.field in self.player.world.no_product
            for odd in odd_values(place.touched.before):
                if odd.kind != kind or (nobody_is_said and _says_end(odd)) or takes_away(place.way, odd):
                    continue
                result, stage = await self.player.play(_replacing(place.way, odd), place.number)
                touched = replace(place.touched, kind=kind, after=odd.value)
                verdict = value_law(golden, result, touched) + self.player.leaks(result, stage)
                problems += [f"{touched.field} = {odd.name}: {problem}" for problem in verdict]
        return problems

    async def value_around_rows(self) -> list[str]:
        """One value outside of the rows becomes odd: a total, a link, the status of an export."""
        golden, clean = await self.player.clean()
        problems: list[str] = []
        for place in _places_around_rows(clean):
            ends = place.touched.field in {*self.player.world.ends, *_links(clean.exchanges[place.number - 1])}
            for odd in odd_values(place.touched.before, often=True):
                if odd.kind == "text" or (ends and _says_end(odd)) or takes_away(place.way, odd):
                    continue
                result, stage = await self.player.play(_replacing(place.way, odd), place.number)
                if clean.exchanges[place.number - 1].document:
                    verdict = document_law(golden, result, replace(place.touched, kind=odd.kind, after=odd.value))
                else:
                    verdict = law(golden, result)
                verdict += self.player.leaks(result, stage)
                problems += [f"{place.touched.field} = {odd.name}: {problem}" for problem in verdict]
        return problems

    async def links_lead_elsewhere(self) -> list[str]:
        """A link to another host, by another scheme or to this very page, in the body or in the Link header."""
        golden, clean = await self.player.clean()
        problems: list[str] = []
        for number, exchange in enumerate(clean.exchanges, 1):
            for name, fault in _link_faults(exchange):
                result, stage = await self.player.play(fault, number)
                verdict = law(golden, result) + self.player.leaks(result, stage)
                problems += [f"{name}: {problem}" for problem in at(exchange, verdict)]
        return problems

    async def credential_repeated(self) -> list[str]:
        """The vendor quotes the credential in errors, redirects and rows; nothing that leaves the Session says it."""
        _, clean = await self.player.clean()
        problems: list[str] = []
        for secret in self.player.tool().secrets():
            for name, fault in faults.echoing(secret).items():
                for number, exchange in enumerate(clean.exchanges, 1):
                    if fault.strike(exchange) is None:
                        continue
                    result, stage = await self.player.play(fault, number)
                    told = self.player.leaks(result, stage) + self.player.secrets_in_values(result)
                    crash = [f"it crashed: {result.crash}"] if result.crash else []
                    problems += [f"{name}: {problem}" for problem in at(exchange, told + crash)]
        return problems


def _has_secrets(tool: type[Tool[Any]]) -> bool:
    return any("SecretStr" in str(asked.annotation) for asked in tool.settings_type().model_fields.values())


def _has_total(golden: Rehearsal, exchange: Exchange) -> bool:
    proofs = [golden.parts[key].outcome.proof for key in golden.given_by(exchange.key)]
    return exchange.total is not None or any(proof is not None and proof.expected is not None for proof in proofs)


def _may_be_repeated(exchange: Exchange) -> bool:
    """A question that starts something is not asked twice."""
    return exchange.request.method in ("GET", "HEAD") or exchange.value("data") is not None


def _told(result: Rehearsal, expected: type[ConnectorError]) -> list[str]:
    told = any(isinstance(error, expected) for error in result.errors)
    return [] if told else [f"the operator is told {result.errors} instead of {expected.__name__}"]


def _replacing(way: Way, odd: Odd) -> Fault:
    def strike(exchange: Exchange) -> Answer | None:
        return replace(exchange.answer, content=encoded(put(exchange.answer.body(), way, odd.value)))

    return Fault(strike)


def _places_in_rows(golden: Rehearsal, clean: Stage, skips_by: frozenset[str]) -> Iterator[Place]:
    """Each field of each list once, in the first row that has it; again in the first row that is no finding, and what
    names the VEP of a row for each VEP: of one alone nobody could tell that it is taken for all that are unknown."""
    known: set[object] = set()
    for number, exchange in enumerate(clean.exchanges, 1):
        if exchange.list is None:
            continue
        root = tuple(exchange.list.items.split(".")) if exchange.list.items else ()
        for position, row in enumerate(exchange.rows):
            key, value = exchange.key_of(row), exchange.reads(row)
            if key not in golden.parts:
                continue
            for way, before in places(row):
                name = field(way)
                named = key[0] if exchange.of is not None and _stands_in(before, key[0]) else ""
                what = (exchange.key[1], name, kind_of(before), value is None, named)
                if what not in known:
                    known.add(what)
                    tells = isinstance(exchange.list, Share) and key != exchange.key_of(put(row, way, None))
                    touched = Touched(key, value, name, before, "type", _decides(name, skips_by), tells_family=tells)
                    yield Place(number, (*root, position, *way), touched)


def _stands_in(value: Any, name: str) -> bool:
    return isinstance(value, str | int) and not isinstance(value, bool) and bool(told := str(value)) and told in name


def _decides(name: str, skips_by: frozenset[str]) -> bool:
    """Whether the field, or one that lies in it, decides what is a finding."""
    return any(name == path or path.startswith(f"{name}.") for path in skips_by)


def _places_around_rows(clean: Stage) -> Iterator[Place]:
    """Each field outside of the rows once for each list, on its first page and on a later one."""
    known: set[object] = set()
    for number, exchange in enumerate(clean.exchanges, 1):
        rows = exchange.list.items if exchange.list else None
        for way, before in places(exchange.answer.body()):
            name = field(way)
            what = (exchange.key[1], exchange.request.path, name, bool(exchange.earlier), kind_of(before))
            inside = rows is not None and (not rows or name.startswith(f"{rows}."))
            if not inside and what not in known:
                known.add(what)
                yield Place(number, way, Touched(exchange.key, None, name, before, "type"))


def _links(exchange: Exchange) -> set[str]:
    """Where the paging shape looks for the way on; nothing there is the vendor's way to say that the list ends."""
    by = exchange.list.by if exchange.list else None
    named = [getattr(by, name, None) for name in ("link", "cursor", "next", "after")]
    return {path for path in named if isinstance(path, str)}


def _says_end(odd: Odd) -> bool:
    return odd.name in ("null", "missing", "empty", "a list", "an object")


def _link_faults(exchange: Exchange) -> Iterator[tuple[str, Fault]]:
    """Every text of the answer that leads on, outside of the rows, leading elsewhere."""
    host, url = exchange.request.host, exchange.request.url
    for way, before in places(exchange.answer.body()):
        rows = exchange.list.items if exchange.list else None
        inside = rows is not None and (not rows or field(way).startswith(f"{rows}."))
        if inside or not isinstance(before, str) or not before.startswith(("http://", "https://", "/")):
            continue
        path = before.partition("://")[2].partition("/")[2] if "://" in before else before.lstrip("/")
        for name, other in _elsewhere(host, path, url).items():
            yield f"{field(way)} leads {name}", _replacing(way, Odd(name, "type", other))
    header = next((name for name in exchange.answer.headers if name.lower() == "link"), None)
    if header is not None:
        told = exchange.answer.headers[header].replace(f"//{host}", f"//{faults.ELSEWHERE}")
        answer = replace(exchange.answer, headers={**exchange.answer.headers, header: told})
        yield "the Link header leads to another host", Fault(lambda exchange: answer)


def _elsewhere(host: str, path: str, url: str) -> Mapping[str, str]:
    return {
        "to another host": f"https://{faults.ELSEWHERE}/{path}",
        "to another host without scheme": f"//{faults.ELSEWHERE}/{path}",
        "to another host by a user's name": f"https://{host}@{faults.ELSEWHERE}/{path}",
        "to another host by a backslash": f"https://{faults.ELSEWHERE}\\@{host}/{path}",
        "to a host that begins alike": f"https://{host}.{faults.ELSEWHERE}/{path}",
        "to another port": f"https://{host}:8443/{path}",
        "away from https": f"http://{host}/{path}",
        "to a file": "file:///etc/passwd",
        "up": f"/../../{path}",
        "to this page": url,
        "nowhere": "https://",
    }
