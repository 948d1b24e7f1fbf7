"""The cases of a vendor that answers: at each kind of question of a clean run every fault strikes.

Where it strikes for the first time in the list of VEPs, in a Family or elsewhere, everything is read, so that what a
Tool keeps from one list for another is seen; after that only the list that it strikes: the others are asked as in a
clean run.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..ask import Row, read_name
from ..errors import AccessDenied, AuthRejected, CertificateUnknown, ConnectorError, NotFound, VendorDown
from ..one_walk import Share
from ..tool import Tool
from . import faults
from .body import Way, field, kind_of, places, put
from .judgement import Touched, document_law, is_identity, key_of, law, recovered, value_law
from .player import Player, at
from .rehearsal import Rehearsal
from .stage import Stage
from .values import KINDS, Kind, Odd, Raw, encoded, odd_values, takes_away
from .world import VEPS, Answer, Exchange, Fault, Vendor

Case = Callable[[], Awaitable[list[str]]]
FEW, MANY = 8, 40
"""Values of a row that are made odd together; few texts of 1 MB still are one page."""

FAULTS: Mapping[str, Fault] = {**faults.STATUS, **faults.TRANSPORT, **faults.BODY, **faults.PAGING}
REASONS: Mapping[str, type[ConnectorError]] = {
    "401": AuthRejected,
    "403": AccessDenied,
    "404": NotFound,
    **dict.fromkeys(("500 for ever", "refused for ever", "time-out for ever", "one byte a second"), VendorDown),
    "the name does not resolve": VendorDown,
    **{name: CertificateUnknown for name in faults.TRANSPORT if name.startswith("the certificate")},
}
"""What the operator is told, where already the first question meets it."""


@dataclass(frozen=True, slots=True)
class Place:
    """One value of the answer to one request, which the suite will change. `inside`: its way in `row`, if in one."""

    number: int
    way: Way
    touched: Touched
    exchange: Exchange
    row: Any = None
    inside: Way = ()


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
        """The fault strikes at each kind of question of a clean run."""
        golden, clean = await self.player.clean()
        problems: list[str] = []
        met: set[object] = set()
        for number, exchange in _struck(clean, fault):
            result, stage, healthy = await self._play(fault, number, met)
            believed = [struck for struck in stage.struck if fault.lie and not _has_total(golden, struck)]
            but = [key for struck in believed for key in golden.given_by(struck.key)]
            if fault.recovers and _may_be_repeated(exchange):
                verdict = recovered(healthy, result)
            else:
                verdict = law(golden, result, but=but)
            if number == 1 and name in REASONS:
                verdict += _told(result, REASONS[name])
            problems += at(exchange, verdict + self.player.leaks(result, stage))
        return problems

    async def _play(self, fault: Fault, number: int, met: set[object]) -> tuple[Rehearsal, Stage, Rehearsal]:
        """A run with the fault, and the clean one to compare it with. `met`: the questions struck before."""
        golden, clean = await self.player.clean()
        struck = clean.exchanges[number - 1]
        kind = _shape(struck)
        if kind in met and not struck.document:
            return await self.player.play_near(fault, number)
        met.add(kind)
        return *await self.player.play(fault, number), golden

    async def variant(self, vendor: Callable[[], Vendor]) -> list[str]:
        """The same truth, served otherwise."""
        result, stage = await self.player.play(vendor=vendor)
        return law(await self.player.golden(), result) + self.player.leaks(result, stage)

    async def value_in_rows(self, kind: Kind) -> list[str]:
        """One value of one row becomes odd, for each field that the vendor sends."""
        golden, clean = await self.player.clean()
        problems: list[str] = []
        met: set[object] = set()
        for odd, some in self._oddities(kind, [*_places_in_rows(golden, clean, self.player.world.skips_by)]):
            if len(some) > 1 and await self._at_once(odd, some, met):
                continue
            for place in some:
                result, stage, _ = await self._play(_replacing(odd, place), place.number, met)
                touched = replace(place.touched, kind=kind, after=odd.value)
                verdict = value_law(golden, result, touched) + self.player.leaks(result, stage)
                problems += [f"{touched.field} = {odd.name}: {problem}" for problem in verdict]
        return problems

    def _oddities(self, kind: Kind, places: Sequence[Place]) -> Iterator[tuple[Odd, list[Place]]]:
        """Each odd value of the kind with where it is to stand: some together where, read one by one, the row stays."""
        together: dict[tuple[str, int, int, bool], list[Place]] = {}
        for place in places:
            nobody_is_said = place.touched.field in self.player.world.no_product
            for odd in odd_values(place.touched.before):
                if odd.kind != kind or (nobody_is_said and _says_end(odd)) or takes_away(place.way, odd):
                    continue
                now = _read_with(place, odd)
                is_inert = now is not None and now == place.touched.value
                if now is None or not (is_inert or kind != "word"):
                    yield odd, [place]
                    continue
                group = (odd.name, place.number, id(place.touched.value), is_inert)
                some = together.setdefault(group, [])
                some.append(place)
                if len(some) == (MANY if is_inert and odd.name != "1 MB" else FEW):
                    yield odd, together.pop(group)
        for (name, *_), some in together.items():
            yield next(odd for odd in odd_values(some[0].touched.before) if odd.name == name), some

    async def _at_once(self, odd: Odd, places: Sequence[Place], met: set[object]) -> bool:
        """Whether all is well, and the row is there as before, where the value stands at all of the places. Otherwise
        each is asked by itself: of several nobody could say which one it was."""
        golden, _ = await self.player.clean()
        result, stage, _ = await self._play(_replacing(odd, *places), places[0].number, met)
        key = places[0].touched.key
        part = result.parts.get(key)
        if part is None or not part.complete or part.values.keys() != golden.parts[key].values.keys():
            return False
        touched = [replace(place.touched, kind=odd.kind, may_skip=False) for place in places]
        return not any(value_law(golden, result, each) for each in touched) and not self.player.leaks(result, stage)

    async def value_around_rows(self) -> list[str]:
        """One value outside of the rows becomes odd: a total, a link, the status of an export."""
        _, clean = await self.player.clean()
        problems: list[str] = []
        met: set[object] = set()
        quiet: dict[tuple[int, str], list[Place]] = {}
        for place in _places_around_rows(clean):
            ends = place.touched.field in {*self.player.world.ends, *_links(clean.exchanges[place.number - 1])}
            is_quiet = False
            for odd in odd_values(place.touched.before, often=True):
                if odd.kind == "text" or (ends and _says_end(odd)) or takes_away(place.way, odd):
                    continue
                if is_quiet:
                    quiet.setdefault((place.number, odd.name), []).append(place)
                    continue
                found, same = await self._around(odd, [place], met)
                problems += found
                is_quiet = same and _is_leaf(place.touched.before)
        for (_, name), some in quiet.items():
            odd = next(odd for odd in odd_values(some[0].touched.before, often=True) if odd.name == name)
            if len(some) > 1 and (await self._around(odd, some, met))[1]:
                continue
            for place in some:
                problems += (await self._around(odd, [place], met))[0]
        return problems

    async def _around(self, odd: Odd, places: Sequence[Place], met: set[object]) -> tuple[list[str], bool]:
        """What is wrong where the value stands there, and whether all came as if it did not: who does not look at one
        odd value of a place looks at none, so the others are put to all such places at once."""
        golden, clean = await self.player.clean()
        result, stage, healthy = await self._play(_replacing(odd, *places), places[0].number, met)
        if clean.exchanges[places[0].number - 1].document:
            verdict = document_law(golden, result, replace(places[0].touched, kind=odd.kind, after=odd.value))
        else:
            verdict = law(golden, result)
        verdict += self.player.leaks(result, stage)
        same = not verdict and not recovered(healthy, result) and result.account == golden.account
        return [f"{places[0].touched.field} = {odd.name}: {problem}" for problem in verdict], same

    async def links_lead_elsewhere(self) -> list[str]:
        """A link to another host, by another scheme or to this very page, in the body or in the Link header."""
        golden, clean = await self.player.clean()
        problems: list[str] = []
        met: set[object] = set()
        for number, exchange in enumerate(clean.exchanges, 1):
            for name, fault in _link_faults(exchange):
                result, stage, _ = await self._play(fault, number, met)
                verdict = law(golden, result) + self.player.leaks(result, stage)
                problems += [f"{name}: {problem}" for problem in at(exchange, verdict)]
        return problems

    async def credential_repeated(self) -> list[str]:
        """The vendor quotes the credential in errors, redirects and rows; nothing that leaves the Session says it."""
        _, clean = await self.player.clean()
        problems: list[str] = []
        for secret in self.player.tool().secrets():
            for name, fault in faults.echoing(secret).items():
                met: set[object] = set()
                for number, exchange in _struck(clean, fault):
                    result, stage, _ = await self._play(fault, number, met)
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
    """A question that starts something is not asked twice; a POST that only reads is, where the Tool says so."""
    return exchange.request.repeatable


def _told(result: Rehearsal, expected: type[ConnectorError]) -> list[str]:
    told = any(isinstance(error, expected) for error in result.errors)
    return [] if told else [f"the operator is told {result.errors} instead of {expected.__name__}"]


def _struck(clean: Stage, fault: Fault) -> Iterator[tuple[int, Exchange]]:
    """The first question of each kind that the fault has something to strike in. One kind: what is read of a Family, or
    asked otherwise; the first page, one between or the last one; with rows or without."""
    last = {exchange.key: number for number, exchange in enumerate(clean.exchanges, 1)}
    met: set[object] = set()
    for number, exchange in enumerate(clean.exchanges, 1):
        position = bool(exchange.earlier), last[exchange.key] == number
        kind = (exchange.key[1:], *_way(exchange), *position, bool(exchange.rows))
        if (kind not in met or exchange.list is None) and fault.strike(exchange) is not None:
            met.add(kind)
            yield number, exchange


def _way(exchange: Exchange) -> tuple[str, str, bool]:
    asked = exchange.request
    return asked.method, asked.operation, exchange.document


def _shape(exchange: Exchange) -> object:
    """What makes questions alike, whatever the Family."""
    of = exchange.key[1] if exchange.list is None or exchange.key == VEPS else "a Family"
    return of, *_way(exchange), bool(exchange.earlier)


def _is_leaf(value: object) -> bool:
    return not isinstance(value, list | dict)


def _read_with(place: Place, odd: Odd) -> Any:
    """What the Tool makes of the row with the value in it, by itself; None where it is another row then, or none, and
    where nobody could say. A run is the proof: this only tells which runs can be one."""
    exchange, healthy, touched = place.exchange, place.touched.value, place.touched
    raw = odd.value if isinstance(odd.value, Raw) else None
    if (
        healthy is None
        or isinstance(touched.before, list | dict)
        or is_identity(touched)
        or odd.name == "beyond floats"
    ):
        return None
    changed = put(place.row, place.inside, odd.value if raw is None else json.loads(raw.text, strict=False))
    now = exchange.reads(changed)
    names = exchange.list.id if exchange.list else ""
    told = (read_name(Row(row), names) for row in (place.row, changed))
    is_same = now is not None and key_of(now) == key_of(healthy) and exchange.key_of(changed) == touched.key
    return now if is_same and next(told) == next(told) else None


def _replacing(odd: Odd, *places: Place) -> Fault:
    def strike(exchange: Exchange) -> Answer | None:
        body = exchange.answer.body()
        for place in places:
            body = put(body, place.way, odd.value)
        return replace(exchange.answer, content=encoded(body))

    return Fault(strike)


def _places_in_rows(golden: Rehearsal, clean: Stage, skips_by: frozenset[str]) -> Iterator[Place]:
    """Each field of each list once, in the first row that has it; again in the first row that is no finding, and what
    names the VEP of a row for each VEP, and its Family for each Family of one walk: of one alone nobody could tell that
    it is taken for all that are unknown."""
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
                tells = isinstance(exchange.list, Share) and key != exchange.key_of(put(row, way, None))
                what = (exchange.key[1], name, kind_of(before), value is None, named, key[1] if tells else "")
                if what not in known:
                    known.add(what)
                    touched = Touched(key, value, name, before, "type", _decides(name, skips_by), tells_family=tells)
                    yield Place(number, (*root, position, *way), touched, exchange, row, way)


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
                yield Place(number, way, Touched(exchange.key, None, name, before, "type"), exchange)


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
            place = Place(0, way, Touched(exchange.key, None, field(way), before, "type"), exchange)
            yield f"{field(way)} leads {name}", _replacing(Odd(name, "type", other), place)
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
