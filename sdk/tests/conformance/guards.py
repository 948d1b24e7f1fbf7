"""What guards the SDK, each with the World and the case that must go red when it is taken away.

Three faults have two guards each. An empty body and a login page are told apart for the sake of the operator where JSON
is read: nothing and HTML are no JSON, so without these words the answer is refused none the less; a reader of its own
may take both for a table without rows, so what is streamed to one is guarded here. A redirect to http is refused for
its scheme, and once more since it leads to another origin: both are taken away at once.
"""

import inspect
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from types import CodeType, FunctionType, ModuleType
from typing import Any, BinaryIO, TypeGuard

from tidegate_sdk import (
    Families,
    Finding,
    List,
    Row,
    SharedFamilies,
    SharedFamily,
    Skip,
    Vep,
    ask,
    body,
    ledger,
    listing,
    one_walk,
    paging,
    redaction,
    refusal,
    shared,
    tool,
)
from tidegate_sdk.conformance import World
from tidegate_sdk.doors import http, origin

from . import cursored, engined, exported, headed, linked, numbered, pooled, queried, searched
from .mutants import UntilNoCursor, changed, declared


@dataclass(frozen=True)
class Guard:
    """One piece of source, and what stands there when the guard is gone."""

    name: str
    module: ModuleType
    source: str
    instead: str
    world: World
    case: str

    def __str__(self) -> str:
        return self.name


@contextmanager
def removed(guard: Guard) -> Iterator[None]:
    """The module works without the guard: its functions get the code of the changed source, in place."""
    source = inspect.getsource(guard.module)
    if source.count(guard.source) != 1:
        raise LookupError(f"{guard.module.__name__} has no single {guard.source!r} any more.")
    bare = dict(vars(guard.module))
    changed_source = source.replace(guard.source, guard.instead)
    exec(compile(changed_source, str(guard.module.__file__), "exec"), bare)
    codes = dict(_functions(guard.module, bare))
    before: list[tuple[FunctionType, CodeType]] = [(function, function.__code__) for function in codes]
    changed = {name: value for name, value in bare.items() if _is_constant(value) and value != vars(guard.module)[name]}
    constants = {name: vars(guard.module)[name] for name in changed}
    try:
        for function, code in codes.items():
            function.__code__ = code
        vars(guard.module).update(changed)
        yield
    finally:
        vars(guard.module).update(constants)
        for function, code in before:
            function.__code__ = code


def _functions(module: ModuleType, bare: dict[str, Any]) -> Iterator[tuple[FunctionType, CodeType]]:
    """Each function of the module with its code in the changed source."""
    for name, value in list(vars(module).items()):
        if getattr(value, "__module__", None) != module.__name__:
            continue
        inner = [(value, bare[name])]
        if inspect.isclass(value):
            inner = [(member, vars(bare[name])[key]) for key, member in vars(value).items() if key in vars(bare[name])]
        for ours, theirs in (map(_function, pair) for pair in inner):
            if isinstance(ours, FunctionType) and ours.__code__.co_freevars == theirs.__code__.co_freevars:
                yield ours, theirs.__code__


def _function(member: Any) -> Any:
    """What runs: the function of a property or below a decorator."""
    return inspect.unwrap(getattr(member, "fget", member))


def _is_constant(value: Any) -> bool:
    return isinstance(value, int | float | str | set | frozenset | range)


class TrustsTheCursor(queried.Queried):
    """Right but for having no count of its own: only the Session tells an error beside the data."""

    def veps(self) -> List[Vep]:
        return replace(super().veps(), by=UntilNoCursor("data.viewer.repositories"))


class TellsTheRow(numbered.Numbered):
    """Quotes the vendor's text as the reason of a skipped row."""

    def issue(self, row: Row) -> Finding | Skip:
        return super().issue(row) if "message" in row else Skip(f"No message: {row.get('text')}")


class TellsTheSharedRow(pooled.Pooled):
    """Quotes the vendor's text as the reason of a skipped row of a shared walk."""

    def issue(self, row: Row) -> Finding | Skip:
        return super().issue(row) if "title" in row else Skip(f"No title: {row.get('text')}")

    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        for step in super().shared(veps):
            yield replace(step, of=lambda row: row.get("project_id") or "p0") if is_of_issues(step) else step


def is_of_issues(step: object) -> TypeGuard[SharedFamily]:
    return isinstance(step, SharedFamily) and step.name == "issues"


class AsksNothingOfAName(numbered.Numbered):
    """Takes an empty text for a name: the Session refuses it."""

    def issue(self, row: Row) -> Finding | Skip:
        return changed(super().issue(Row({**row, "key": "x"})), key=numbered.text(row["key"]))


class ReadsATable(exported.Exported):
    """Reads chunks as a table: a line without rows is a heading, and nothing has no rows."""

    def families(self, vep: Vep) -> Families:
        for family in declared(super().families(vep)):
            by = exported.export(f"{vep.id}/vulns/export")
            read = replace(by, parts=lambda *pages, by=by: [replace(ask, reader=table) for ask in by.parts(*pages)])
            yield replace(family, list=replace(family.list, by=read))


def table(file: BinaryIO) -> Iterator[Any]:
    for line in file:
        yield from json.loads(line) if line.startswith(b"[") else ()


def short(world: World) -> World:
    """With a credential so short that it may be a word of a row: it is not masked in answers, only in what leaves."""
    return replace(world, settings={**world.settings, "token": "squ_a1b2/c3+d4"})


ECHO = "the vendor repeats the credential"
AWAY = "links lead elsewhere"

GUARDS = [
    Guard(
        "rows without id prove nothing",
        ledger,
        "if self.nameless:",
        "if False:",
        numbered.WORLD,
        "fault: a row is null",
    ),
    Guard(
        "seen is what was declared",
        ledger,
        "if proof.expected is not None and proof.expected != came:",
        "if False:",
        numbered.WORLD,
        "fault: the total is less than nothing",
    ),
    Guard(
        "a row that surprises is odd",
        listing,
        "except Exception as error:  # noqa",
        "except OSError as error:  # noqa",
        numbered.WORLD,
        "in a row: type",
    ),
    Guard(
        "a row is an object",
        listing,
        'raise TypeError("not an object")',
        "return item",
        numbered.WORLD,
        "fault: a row is null",
    ),
    Guard(
        "rows are a list",
        listing,
        "if not isinstance(found, list):\n",
        "if not (found := found or []):\n        return []\n    if False:\n",
        numbered.WORLD,
        "around the rows",
    ),
    Guard("no page twice", listing, "if not ask.bare and digest in self._digests:", "if False:", linked.WORLD, AWAY),
    Guard(
        "a failure ends the list",
        listing,
        "except ConnectorError as error:\n            self._fail(",
        "except BrokenPipeError as error:\n            self._fail(",
        numbered.WORLD,
        "fault: 404",
    ),
    Guard(
        "odd rows are scrubbed",
        listing,
        "redact(_raw(item), _LONGEST_RAW)",
        "_raw(item)",
        short(numbered.world()),
        ECHO,
    ),
    Guard(
        "reasons of skipped rows are scrubbed",
        listing,
        "self._line.redactor.text(value.because)",
        "value.because",
        short(numbered.world(TellsTheRow)),
        ECHO,
    ),
    Guard(
        "reasons of skipped rows of shared walks are scrubbed",
        shared,
        "because = self._line.redactor.text(skip.because)",
        "because = skip.because",
        short(pooled.world(TellsTheSharedRow)),
        ECHO,
    ),
    Guard(
        "rows without a VEP prove nothing",
        ledger,
        "if self.homeless:",
        "if False:",
        pooled.WORLD,
        "fault: a row is null",
    ),
    Guard(
        "a row of a shared walk has a VEP",
        shared,
        "if home is None:",
        "if False:",
        pooled.WORLD,
        "in a row: type",
    ),
    Guard(
        "a blank is no VEP",
        ask,
        "return told if told.strip() else None",
        "return told",
        pooled.WORLD,
        "in a row: type",
    ),
    Guard(
        "true is no VEP",
        ask,
        "isinstance(told, int) and not isinstance(told, bool)",
        "isinstance(told, int)",
        pooled.WORLD,
        "in a row: type",
    ),
    Guard("errors are scrubbed", redaction, "error.what = self.text(error.what)", "pass", numbered.WORLD, ECHO),
    Guard("links stay at home", origin, "if _place(url) != self._place:", "if False:", linked.WORLD, AWAY),
    Guard(
        "redirects stay at home",
        origin,
        "if not self.is_home(target):",
        "if False:",
        numbered.WORLD,
        "fault: redirect to another host",
    ),
    Guard(
        "a server error is passing",
        http,
        "_REPEATED = {429, 500, 502, 503, 504}",
        "_REPEATED = {429}",
        numbered.WORLD,
        "fault: 502 once",
    ),
    Guard(
        "a busy vendor is asked again",
        http,
        "_REPEATED = {429, 500, 502, 503, 504}",
        "_REPEATED = {500, 502, 503, 504}",
        numbered.WORLD,
        "fault: 429 with seconds",
    ),
    Guard(
        "a broken connection is passing",
        http,
        "return _Again(reason, unsent=unsent)",
        "return VendorDown(reason)",
        numbered.WORLD,
        "fault: reset once",
    ),
    Guard(
        "GraphQL errors are errors",
        http,
        "if ask.graphql and (error",
        "if False and (error",
        queried.world(TrustsTheCursor),
        "fault: 200 with errors beside the data",
    ),
    Guard(
        "only an answer is read",
        http,
        "if status not in _ANSWERED and status not in ask.also:",
        "if False:",
        exported.WORLD,
        "fault: 404",
    ),
    Guard(
        "depth is bounded",
        body,
        "value = _json.decode(data)\n    except RecursionError:",
        "value = _json.decode(data)\n    except BrokenPipeError:",
        numbered.WORLD,
        "fault: nested 10,000 deep",
    ),
    Guard(
        "texts are Unicode",
        body,
        r'_UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)',
        "text",
        numbered.WORLD,
        "in a row: text",
    ),
    Guard(
        "lenient where only a text is odd",
        body,
        "value = _decode_leniently(data, where, str(error))",
        "raise VendorChanged(where) from error",
        numbered.WORLD,
        "in a row: text",
    ),
    Guard(
        "a link is text",
        paging,
        "if not isinstance(link, str):",
        "if not isinstance(link, str):\n            return None\n        if False:",
        linked.WORLD,
        "around the rows",
    ),
    Guard(
        "links have a place",
        paging,
        'if not isinstance(dig(body, path.rpartition(".")[0]), Mapping):',
        'if not isinstance(dig(body, path.rpartition(".")[0], {}), Mapping):\n        return None\n    if False:',
        linked.WORLD,
        "around the rows",
    ),
    Guard(
        "an empty page is no end",
        paging,
        'raise Incomplete(f"A page is empty after {seen} of',
        'return Proof(seen, kind="drifting") or Incomplete(f"A page is empty after {seen} of',
        numbered.WORLD,
        "fault: a page is empty",
    ),
    Guard(
        "the same page is no next page",
        paging,
        "if page.rows and page.rows == before.rows:",
        "if False:",
        searched.WORLD,
        "fault: the same page for ever",
    ),
    Guard(
        "a row left out is not made up for",
        paging,
        "if before.count < self.per and any(row in before.rows for row in page.rows):",
        "if False:",
        searched.WORLD,
        "fault: the first row missing",
    ),
    Guard(
        "a keyset repeats nothing",
        paging,
        "if last in places or len({repr(place) for place in places}) < len(places):",
        "if False:",
        searched.WORLD,
        "fault: a row twice",
    ),
    Guard(
        "a cursor is a text or a number",
        paging,
        "if isinstance(token, bool) or not isinstance(token, str | int):",
        "if isinstance(token, bool) or not isinstance(token, str | int):\n            return None\n        if False:",
        cursored.WORLD,
        "around the rows",
    ),
    Guard(
        "a Link header that cannot be read is no end",
        paging,
        'raise VendorChanged("The Link header cannot be read.")',
        "break",
        headed.WORLD,
        "fault: the Link header is cut",
    ),
    Guard(
        "every part of an export is there",
        paging,
        "if len(parts) not in (declared, declared - empty):",
        "if False:",
        exported.WORLD,
        "fault: a chunk missing",
    ),
    Guard(
        "only a state that means done is the end of an export",
        paging,
        'raise Incomplete(f"The export ended as {state[:60]!r}.{self._why(page)}")',
        "return page",
        exported.WORLD,
        "fault: the export failed",
    ),
    Guard(
        "a page is bounded",
        http,
        "size += len(piece)\n                    if size > cap:\n                        if answered:",
        "size += len(piece)\n                    if False:\n                        if answered:",
        exported.WORLD,
        "fault: gzip bomb",
    ),
    Guard(
        "what the vendor echoes is scrubbed",
        http,
        "if self._redactor.is_echoed_in(data):",
        "if False:",
        numbered.WORLD,
        ECHO,
    ),
    Guard(
        "a value is fit to be kept",
        listing,
        "        check_fit(value)\n",
        "        pass\n",
        numbered.world(AsksNothingOfAName),
        "in a row: type",
    ),
    Guard("who must log in is told so", refusal, "if status == 401:", "if False:", numbered.WORLD, "fault: 401"),
    Guard(
        "an unknown severity is Unknown", tool, "Severity.UNKNOWN)", "Severity.INFO)", linked.WORLD, "in a row: word"
    ),
    Guard(
        "a POST that only reads is asked again",
        http,
        "return ask.safe or ask.graphql or",
        "return ask.graphql or",
        cursored.WORLD,
        "fault: 502 once",
    ),
    Guard(
        "a wait has a bound",
        http,
        "if failed.after is not None and failed.after > limits.longest_wait:",
        "if False:",
        numbered.WORLD,
        "fault: 429 with an absurd time",
    ),
    Guard(
        "a redirect does not lead away from TLS",
        origin,
        """        if url.scheme == "https" and target.scheme != "https":
            raise AddressRefused(f"{name(ask)} is redirected from https to {_shown(target)}.", _DOWNGRADE)
        if not self.is_home(target):
""",
        "        if url.host != target.host:\n",
        numbered.WORLD,
        "fault: redirect to http",
    ),
    Guard(
        "nothing is no table",
        http,
        "            if not size:\n",
        "            if False:\n",
        exported.world(ReadsATable),
        "fault: 200 with an empty body",
    ),
    Guard(
        "a login page is no table",
        http,
        "if bodies.is_web_page(start):",
        "if False:",
        exported.world(ReadsATable),
        "fault: 200 with a login page",
    ),
    Guard(
        "redirects have a bound",
        http,
        "for _ in range(self._limits.redirects + 1):",
        "for _ in range(10**6):",
        numbered.WORLD,
        "fault: redirect for ever",
    ),
    Guard(
        "an answer that broke off is none",
        http,
        "            if answered:\n                raise\n",
        "            pass\n",
        numbered.WORLD,
        "fault: reset in the body once",
    ),
    Guard(
        "who is too slow is said to be down",
        http,
        'raise VendorDown(f"{name(ask)}: the answer did not end',
        'raise VendorChanged(f"{name(ask)}: the answer did not end',
        numbered.WORLD,
        "fault: one byte a second",
    ),
    Guard(
        "a certificate is told as such",
        http,
        "if through and (permanent :=",
        "if False and (permanent :=",
        numbered.WORLD,
        "fault: the certificate has expired",
    ),
    Guard("who may not is told so", refusal, "if status == 403:", "if False:", numbered.WORLD, "fault: 403"),
    Guard("what is gone is told so", refusal, "if status == 404:", "if False:", numbered.WORLD, "fault: 404"),
    Guard(
        "text is UTF-8",
        body,
        'except UnicodeDecodeError:\n        raise VendorChanged(f"{where} answered with text that is not UTF-8.")'
        " from None\n    except msgspec.DecodeError",
        "except BrokenPipeError:\n        raise\n    except msgspec.DecodeError",
        numbered.WORLD,
        "fault: invalid UTF-8",
    ),
    Guard(
        "a row without a Family proves nothing",
        one_walk,
        "        self._ledger.homeless += 1\n",
        "        pass\n",
        engined.WORLD,
        "in a row: type",
    ),
    Guard(
        "each Family is given its own rows",
        one_walk,
        "elif family == self._family:",
        "elif True:",
        engined.WORLD,
        "a clean run is complete",
    ),
    Guard(
        "a walk is given to each Family once",
        one_walk,
        "if tape is None or family in tape.taken:",
        "if tape is None:",
        engined.WORLD,
        "fault: rows swapped between pages",
    ),
]
