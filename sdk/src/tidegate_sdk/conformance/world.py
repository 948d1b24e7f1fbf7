"""A World: a Tool's settings and a vendor that answers, deterministic, without a network.

A Tool's World is a Python module beside the Tool, `<tool>/fixtures/world.py`, with one name, `WORLD` (or `WORLDS`, a
tuple). It imports the Tool and `tidegate_sdk.conformance`, nothing of pytest. Three kinds:

**Recorded**, most Tools: exchanges in a JSON file.

    WORLD = recorded(Acme, Path(__file__).parent / "vendor.json")

    {
      "source": "https://docs.acme.test/api, retrieved 2025-01-01",     where the payloads come from; required
      "settings": {"url": "https://acme.test/", "token": "acme-secret-token"},   as a person would enter them
      "lacks": {"skipped row": "Acme lists nothing but findings."},     excuses of a poor fixture, each with its reason
      "exchanges": [
        {"path": "/api/projects", "query": {"page": "1"}, "json": {...}},
        {"method": "POST", "path": "/graphql/v1", "operation": "GetSites", "variables": {"after": null}, "json": {...}},
        {"method": "POST", "path": "/export", "body": {"kind": "all"}, "json": {...}},
        {"path": "/export/1/status", "answers": [{"json": {"status": "RUNNING"}}, {"json": {"status": "DONE"}}]},
        {"path": "/export/1/file", "file": "export.xml", "headers": {"content-type": "application/xml"}},
        {"path": "/api/projects/2/issues", "status": 403, "json": {"error": "..."}}
      ]
    }

An exchange matches when method and path are the request's, and `query`, `body` and `variables` are contained in it
(query values compare as text; a list matches only as a whole; `operation` is the name in the GraphQL query). Of many
matches the one that demands most wins. An answer is one of `json`, `text`, `file` (relative to the JSON
file), with `status` (200) and `headers`; `answers` come in turn and the last one stays. No match answers 404, and the
suite reports it when it happens in the clean run; two matches of which neither demands all that the other does are a
mistake of the World.

**A fake in Python**, where the vendor has a state: `World(Acme, settings, vendor=AcmeVendor, source="https://…")`. The
callable makes a fresh vendor for each run; a vendor has `answer(request: Request) -> Answer`.

**A folder**: `World(Reports, {"path": "{root}"}, tree=write_reports, source="https://…")`. `write_reports(root: Path)`
writes files into an empty folder, the same each time, with the same modification times; `{root}` in a setting becomes
that folder.

What a World must show, or excuse in `lacks` by these words: "second page" (a list that has two pages, of VEPs and of
each Family that pages), "empty VEP" (a VEP that has no finding), "unknown severity" (a finding whose severity word is
in no table), "skipped row" (a row that is no finding); and of each walk that serves many VEPs "second VEP of a walk"
(rows of two of them on one page) and "row of an unknown VEP" (one that is not in the list of VEPs, as a new one is).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Protocol, cast

from ..ask import List, Row, SharedFamily, read_name
from ..finding import Skip
from ..one_walk import Share
from ..tool import Tool
from .body import Way, at, contained, places, put
from .body import field as name_of


@dataclass(frozen=True, slots=True)
class Request:
    """What the Session sent. `query` holds the last value of a name, `url` all; `json` is None where there is none.
    `repeatable`: the Session may ask it again after a failure, as it does nothing but read."""

    method: str
    url: str
    host: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    content: bytes = b""
    repeatable: bool = False

    @property
    def json(self) -> Any:
        """The body, decoded; None where it is not JSON."""
        try:
            return json.loads(self.content) if self.content else None
        except ValueError:
            return None

    @property
    def operation(self) -> str:
        """The name of a GraphQL query; "" where there is none."""
        found = re.search(r"\b(?:query|mutation)\s+(\w+)", str(at(self.json, "query")))
        return found[1] if found else ""

    @property
    def question(self) -> tuple[str, str, bytes]:
        """What makes two requests the same question."""
        return self.method, self.url, self.content


@dataclass(frozen=True, slots=True)
class Answer:
    """What a vendor says: `json`, or `content` where given.

    `breaks`: the connection is lost after the bytes. `drips`: the first byte comes, and the next one never in time.
    """

    json: Any = None
    content: bytes | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    breaks: Exception | None = None
    drips: bool = False
    _written: list[bytes] = field(default_factory=list[bytes], init=False, repr=False, compare=False)

    @property
    def wire(self) -> bytes:
        """The bytes of the body; JSON is written once, for a vendor says the same thing many times."""
        if self.content is not None:
            return self.content
        if not self._written:
            self._written.append(json.dumps(self.json).encode())
        return self._written[0]

    def body(self) -> Any:
        """A copy of the body that may be changed; None where it is not JSON."""
        try:
            return json.loads(self.wire)
        except ValueError:
            return None


Key = tuple[str, str, str]
"""VEP, Family and Branch; the list of VEPs itself is `VEPS`."""

VEPS: Key = ("", "VEPs", "")


def _as_row(row: Any) -> Any:
    return Row(cast("dict[str, Any]", row)) if isinstance(row, dict) else row


def walk_key(family: SharedFamily) -> Key:
    """The Key of a walk that serves many VEPs, as a list; what it gives has the Keys of its VEPs."""
    return "", family.name, family.branch


class Vendor(Protocol):
    """Something that answers. One is made for each run, so it may count, remember and change."""

    def answer(self, request: Request) -> Answer:
        """The answer to one request; 404 for what it does not know."""
        ...


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request with the answer a healthy vendor gives, as a fault gets to see it.

    `list`: the list that is being read, if the request belongs to one, and `key`: its VEP, Family and Branch.
    `earlier`: the answers to the questions before it in the same list. `totals`: where the World says that the vendor
    declares how many rows there are. `of`: where a row says its VEP, if the list serves many of them. `document`: it
    holds no rows of the list, but what these are told by; it has neither list nor earlier answers then.
    """

    request: Request
    answer: Answer
    list: List[Any] | None = None
    key: Key = ("", "", "")
    earlier: tuple[Answer, ...] = ()
    totals: frozenset[str] = frozenset()
    of: str | Callable[[Row], str] | None = None
    document: bool = False

    @property
    def rows(self) -> tuple[Any, ...]:
        """The rows of the answer, a copy; empty where it holds none."""
        found = at(self.answer.body(), self.list.items) if self.list is not None else None
        return tuple(cast("list[Any]", found)) if isinstance(found, list) else ()

    def with_rows(self, rows: Iterable[Any]) -> Answer:
        """The same answer with other rows."""
        return self.having(self.list.items if self.list else "", [*rows])

    def key_of(self, row: Any) -> Key:
        """VEP, Family and Branch of a row; the VEP, or the Family, is "" where it cannot be read."""
        if isinstance(self.list, Share):
            return (self.key[0], self.list.walk.family_of(_as_row(row)) or "", self.key[2])
        if self.of is None or not isinstance(row, dict):
            return self.key
        return (read_name(Row(cast("dict[str, Any]", row)), self.of) or "", *self.key[1:])

    def reads(self, row: Any) -> Any:
        """What the Tool makes of a row; None where it is no finding."""
        if self.list is None or not isinstance(row, dict):
            return None
        try:
            value = self.list.read(Row(cast("dict[str, Any]", row)))
        except Exception:  # noqa: BLE001 - as in the Session: whatever a connector raises makes the row odd
            return None
        return None if isinstance(value, Skip) else value

    @property
    def total(self) -> str | None:
        """Where the vendor's own count of the list's rows stands in this answer; None where it declares none."""
        own = getattr(self.list.by, "total", None) if self.list is not None else None
        paths = [own, *sorted(self.totals)] if self.list is not None else []
        return next((path for path in paths if isinstance(path, str) and _is_count(self.value(path))), None)

    def way_of_id(self, row: Any) -> Way | None:
        """The place in a row that names it; None where its id is made of several, or of none."""
        if self.list is None or not isinstance(row, dict):
            return None
        name, whole = self.list.id, Row(cast("dict[str, Any]", row))
        if isinstance(name, str):
            way = tuple(name.split("."))
            return None if at(row, way) is None else way
        try:
            told = name(whole)
        except Exception:  # noqa: BLE001 - as in the Session: a row whose id cannot be read has none
            return None
        return next((way for way, value in places(row) if value == told), None)

    def value(self, path: str) -> Any:
        """What stands at a dotted path of the body; None where nothing does."""
        return at(self.answer.body(), path)

    def having(self, path: str | Way, value: Any) -> Answer:
        """The same answer with something else at a path."""
        return replace(self.answer, json=put(self.answer.body(), path, value), content=None)


Strike = Callable[[Exchange], Answer | Exception | None]
"""Makes an answer bad; None where it has nothing to strike there."""


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that goes wrong with one answer.

    `once`: the first time, and a retry finds the vendor healthy. `same`: whenever this very question is asked. `ever`:
    with everything from here on. `recovers`: the read must come to the same findings, complete; else only the law
    holds. `lie`: nobody can tell unless the vendor declares a total. `slow`: the Session is in a hurry, so that nobody
    who runs the suite has to wait for the vendor as long as it would.
    """

    strike: Strike
    lasts: Literal["once", "same", "ever"] = "same"
    recovers: bool = False
    lie: bool = False
    slow: bool = False


@dataclass(frozen=True, slots=True)
class World:
    """A Tool, its settings, and a vendor or a tree of files that its door leads to. See the module for the forms.

    `hosts`: others than the door's own that the Tool declares. `faults`: what can go wrong with this vendor alone (a
    lost chunk, a cap). `variants`: the same truth served otherwise (a lowered page size): the same findings come, or
    the Family is not complete. `drifted`: the World after an edit that moved lines and rewrote texts: same keys.
    `expects`: how many "VEPs" there are, and findings by the name of their Family, counted by hand in the fixture, with
    those of unknown VEPs.
    `skips_by`: dotted paths in a row whose word decides whether it is a finding at all. `ends`: dotted paths in a page
    where null or nothing is the vendor's way to say that the list ends. `totals`: dotted paths in a page where the
    vendor declares how many rows there are, if the paging shape does not tell: who does not look there is found out.
    `documents`: patterns of the paths of questions that are asked within a list and hold none of its rows, but what
    these are told by (the organizations of projects, where both stand at the same place of an answer). A changed word
    there may change many values; it loses none of them, and makes none milder.
    """

    tool: type[Tool[Any]]
    settings: Mapping[str, Any]
    vendor: Callable[[], Vendor] | None = None
    tree: Callable[[Path], None] | None = None
    source: str = ""
    name: str = ""
    lacks: Mapping[str, str] = field(default_factory=dict[str, str])
    hosts: frozenset[str] = frozenset()
    faults: Mapping[str, Fault] = field(default_factory=dict[str, Fault])
    variants: Mapping[str, Callable[[], Vendor]] = field(default_factory=dict[str, Callable[[], Vendor]])
    drifted: World | None = None
    expects: Mapping[str, int] = field(default_factory=dict[str, int])
    skips_by: frozenset[str] = frozenset()
    ends: frozenset[str] = frozenset()
    totals: frozenset[str] = frozenset()
    no_product: frozenset[str] = frozenset()
    documents: frozenset[str] = frozenset()

    def __post_init__(self) -> None:
        if (self.vendor is None) == (self.tree is None):
            raise ValueError("A World has a vendor or a tree of files, and not both.")

    def __str__(self) -> str:
        return self.name or self.tool.slug

    def make_tool(self, root: Path | None = None) -> Tool[Any]:
        """The Tool, configured as a person would have done it."""
        entered = {name: _placed(value, root) for name, value in self.settings.items()}
        return self.tool(self.tool.settings_type()(**entered))


def recorded(tool: type[Tool[Any]], file: Path, **more: Any) -> World:
    """The World that a JSON file of exchanges describes; `more` are further fields of World."""
    text = json.loads(file.read_text(encoding="utf-8"))
    exchanges = text["exchanges"]
    fields = {"source": text["source"], "lacks": text.get("lacks", {}), **more}
    return World(tool, text["settings"], vendor=lambda: Recorded(exchanges, file.parent), **fields)


UNANSWERED = Answer({"error": "the World has no exchange that matches"}, status=404)


class Recorded:
    """A vendor made of exchanges."""

    def __init__(self, exchanges: list[dict[str, Any]], folder: Path) -> None:
        self._prepared, self._places, self._chosen = _prepared(exchanges, folder)
        self._given: dict[int, int] = {}

    @property
    def unasked(self) -> list[str]:
        """Exchanges that nobody asked for: a Tool that leaves them out reads too little."""
        left = [one for number, one in enumerate(self._prepared) if number not in self._given]
        return [f"{one.method} {one.path} {sorted(one.demands)}" for one in left]

    def answer(self, request: Request) -> Answer:
        """The answer of the exchange that demands most of those that match."""
        question = request.method, request.path, tuple(request.query.items()), request.content
        if question not in self._chosen:
            if len(self._chosen) >= _QUESTIONS:
                self._chosen.clear()
            self._chosen[question] = self._choice(request)
        if (best := self._chosen[question]) is None:
            return UNANSWERED
        chosen, turn = self._prepared[best], self._given.get(best, 0)
        self._given[best] = turn + 1
        return chosen.answers[min(turn, len(chosen.answers) - 1)]

    def _choice(self, request: Request) -> int | None:
        """The position of that exchange; None where no one matches."""
        near = self._places.get((request.method, request.path), ())
        asked = _Asked(request)
        matches = [number for number in near if self._prepared[number].matches(asked)]
        if not matches:
            return None
        best = max(matches, key=lambda number: len(self._prepared[number].demands))
        if any(not self._prepared[number].demands <= self._prepared[best].demands for number in matches):
            raise ValueError(f"Two exchanges match {request.method} {request.url}; let one demand what both do.")
        return best


class _Asked:
    """A request as exchanges are compared with it, its body decoded once."""

    def __init__(self, request: Request) -> None:
        self.query = request.query
        self.body = request.json
        self.operation = request.operation if self.body is not None else ""


@dataclass(frozen=True, slots=True)
class _Prepared:
    """An exchange with what it demands of a request at its method and path, and what it says; worked out once for all
    the runs of a World."""

    method: str
    path: str
    operation: str | None
    query: Mapping[str, str]
    body: Any
    variables: Any
    demands: frozenset[str]
    answers: tuple[Answer, ...]

    def matches(self, asked: _Asked) -> bool:
        if self.operation is not None and self.operation != asked.operation:
            return False
        return (
            self.query.items() <= asked.query.items()
            and contained(self.body, asked.body)
            and contained(self.variables, at(asked.body, "variables"))
        )


_Places = Mapping[tuple[str, str], list[int]]
"""The positions of the exchanges at each method and path."""

_Choices = dict[tuple[str, str, tuple[tuple[str, str], ...], bytes], int | None]
"""The exchange that answers a question: the same few are asked in each of thousands of runs."""
_QUESTIONS = 5_000

_PREPARED: dict[int, tuple[list[dict[str, Any]], tuple[_Prepared, ...], _Places, _Choices]] = {}
"""By the identity of the exchanges, which are kept with it, so that no others get the same."""


def _prepared(exchanges: list[dict[str, Any]], folder: Path) -> tuple[tuple[_Prepared, ...], _Places, _Choices]:
    if id(exchanges) not in _PREPARED:
        prepared = tuple(_prepare(exchange, folder) for exchange in exchanges)
        places: dict[tuple[str, str], list[int]] = {}
        for number, one in enumerate(prepared):
            places.setdefault((one.method, one.path), []).append(number)
        _PREPARED[id(exchanges)] = exchanges, prepared, places, {}
    return _PREPARED[id(exchanges)][1:]


def _prepare(exchange: Mapping[str, Any], folder: Path) -> _Prepared:
    return _Prepared(
        exchange.get("method", "GET"),
        exchange["path"],
        exchange.get("operation"),
        {name: str(value) for name, value in exchange.get("query", {}).items()},
        exchange.get("body", {}),
        exchange.get("variables", {}),
        _demands(exchange),
        tuple(_said(answer, folder) for answer in exchange.get("answers") or [exchange]),
    )


def _said(answer: Mapping[str, Any], folder: Path) -> Answer:
    status, headers = answer.get("status", 200), answer.get("headers", {})
    if "file" in answer:
        return Answer(content=(folder / answer["file"]).read_bytes(), status=status, headers=headers)
    if "text" in answer:
        return Answer(content=str(answer["text"]).encode(), status=status, headers=headers)
    return Answer(answer.get("json"), status=status, headers=headers)


def _demands(exchange: Mapping[str, Any]) -> frozenset[str]:
    parts = {part: exchange[part] for part in ("operation", "query", "body", "variables") if part in exchange}
    return frozenset(f"{name_of(way)}={value}" for way, value in places(parts) if not isinstance(value, dict))


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _placed(value: Any, root: Path | None) -> Any:
    return value.replace("{root}", str(root)) if isinstance(value, str) and root is not None else value
