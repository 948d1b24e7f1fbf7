"""What a run may have become under a fault: the same findings, or not complete. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import msgspec

from ..finding import Finding, Severity, Vep
from .rehearsal import Part, Rehearsal
from .values import WORD, Kind
from .world import Key

_TOLD_OF_NOTHING = ("", "None", "null", "True", "true", "[]", "{}")
"""What `str` and the like make of a value that is no id: every row without one would get the same name."""
_WEB = re.compile(r"(?i)https?://")


@dataclass(frozen=True, slots=True)
class Touched:
    """The value of a row that a fault changed: which list, which finding, and what stood there before."""

    key: Key
    value: Any
    """The Finding or Vep that the healthy row gives; None for a row that is none."""
    field: str
    before: Any
    kind: Kind
    may_skip: bool = False
    after: Any = None
    """What stands there instead."""
    tells_family: bool = False
    """Whether it is what says to which of several Families of one walk the row belongs."""


def law(golden: Rehearsal, result: Rehearsal, *, adds: Iterable[Key] = (), but: Iterable[Key] = ()) -> list[str]:
    """Where the run is complete and yet different, or did what no run may do.

    `adds`: lists that may hold more than before; `but`: lists that are not judged.
    """
    problems = [f"it crashed: {result.crash}"] if result.crash else []
    without, wider = set(but), set(adds)
    for key, healthy in golden.parts.items():
        part = result.parts.get(key)
        if part is not None and part.complete and key not in without:
            problems += [f"{_name(key)} {problem}" for problem in _differences(healthy, part, key in wider)]
    for vep, healthy_list in golden.branches.items():
        listed = result.branches.get(vep)
        if listed is None or not listed.complete:
            continue
        lost = healthy_list.names - listed.names - {""}  # the one without a name never vanishes
        if len(lost) > len(listed.names - healthy_list.names):  # another name is another branch
            problems.append(f"the branches of {vep} are complete, and lack {sorted(lost)}")
    return [*problems, *_unfit(golden, result)]


def recovered(golden: Rehearsal, result: Rehearsal) -> list[str]:
    """Where the run did not come to the golden findings although the vendor was soon healthy again."""
    missing = [key for key in golden.parts if key not in result.parts]
    halted = [f"{_name(key)} {part.outcome.why}" for key, part in result.parts.items() if not part.complete]
    problems = [f"{_name(key)} was not read" for key in missing]
    problems += [line for line in halted if not _was_halted(golden, line)]
    return problems + law(golden, result)


def value_law(golden: Rehearsal, result: Rehearsal, touched: Touched) -> list[str]:
    """The law for one changed value: nothing changes but the finding it stands in."""
    problems = law(golden, result, but=[touched.key])
    healthy, part = golden.parts[touched.key], result.parts.get(touched.key)
    if part is None or result.crash:
        return problems
    if not part.complete:
        return problems + ([] if _may_halt(touched) else [f"the whole list is not complete: {part.outcome.why}"])
    own = key_of(touched.value)
    others = {key: value for key, value in healthy.values.items() if key != own}
    problems += [f"loses {key}" for key in others if key not in part.values]
    problems += [f"changes {key} too" for key, value in others.items() if part.values.get(key, value) != value]
    if touched.value is not None and own not in part.values and (homes := _other_homes(golden, result, touched)):
        return problems + [problem for home in homes for problem in _of_another_home(home, touched)]
    if touched.value is not None:
        problems += _of_touched(healthy, part, touched)
    return problems


def document_law(golden: Rehearsal, result: Rehearsal, touched: Touched) -> list[str]:
    """The law for one changed value of a document that many findings share: none is lost, none becomes milder."""
    problems = [f"it crashed: {result.crash}"] if result.crash else []
    for key, healthy in golden.parts.items():
        part = result.parts.get(key)
        if part is None or not part.complete:
            continue
        lost = healthy.values.keys() - part.values.keys() - part.set_aside
        gained = part.values.keys() - healthy.values.keys()
        if len(lost) > len(gained) and not touched.may_skip:
            problems.append(f"{_name(key)} loses {sorted(lost)}")
        for name in healthy.values.keys() & part.values.keys():
            problems += _of_finding(healthy.values[name], part.values[name], touched)
        problems += [f"the key of {name} hangs on its text" for name in lost if _is_text(healthy.values[name], touched)]
    return [*problems, *_unfit(golden, result)]


def _differences(healthy: Part[Any], part: Part[Any], adds: bool) -> list[str]:
    problems = [f"loses {key}" for key in healthy.values if key not in part.values.keys() | part.set_aside]
    changed = [key for key, value in part.values.items() if healthy.values.get(key, value) != value]
    problems += [f"changes {key}" for key in changed]
    problems += [f"invents {key}" for key in part.values if key not in healthy.values and not adds]
    return [f"is complete, and {problem}" for problem in problems]


def _was_halted(golden: Rehearsal, line: str) -> bool:
    return any(line.startswith(_name(key)) for key, part in golden.parts.items() if not part.complete)


def _may_halt(touched: Touched) -> bool:
    """A Family that nobody knows may be any of those of the walk: to take it for another would close the finding."""
    return touched.kind == "type" or touched.tells_family or is_identity(touched)


def _of_touched(healthy: Part[Any], part: Part[Any], touched: Touched) -> list[str]:
    own = key_of(touched.value)
    if own in part.values:
        return _of_finding(touched.value, part.values[own], touched)
    if own in part.set_aside:
        return [] if _may_halt(touched) else [f"sets {own} aside for its {touched.field}"]
    if part.outcome.skipped != healthy.outcome.skipped and not touched.may_skip:
        return [f"skips {own} for its {touched.field}"]
    if gained := part.values.keys() - healthy.values.keys():
        return _of_another_key(own, gained, touched)
    return [] if touched.may_skip else [f"loses {own} for its {touched.field}"]


def _other_homes(golden: Rehearsal, result: Rehearsal, touched: Touched) -> list[str]:
    """Unknown VEPs under which the finding came instead: it may have been its VEP's id that was changed. A known one
    has it too much, and the law says so."""
    own, family = key_of(touched.value), touched.key[1:]
    new = {key: part for key, part in result.families.items() if key[1:] == family and key not in golden.parts}
    return [key[0] for key, part in new.items() if own in part.values.keys() | part.set_aside]


def _of_another_home(home: str, touched: Touched) -> list[str]:
    """Another id is another VEP; nothing, and a word that nobody knows, is no reason to take one."""
    after = touched.after
    names = isinstance(after, str | int) and not isinstance(after, bool) and str(after).strip()
    if touched.kind in ("text", "date") or (names and str(after) in home):
        return []
    return [f"{touched.field} names no VEP, and {key_of(touched.value)} comes under {home!a}"]


def _of_another_key(own: str, gained: Iterable[str], touched: Touched) -> list[str]:
    """Another id is another finding; a text that was edited is not, and what is no id has no name."""
    if _is_text(touched.value, touched):
        return [f"the key of {own} hangs on its text"]
    before = str(touched.before)
    unnamed = {own.replace(before, told) for told in _TOLD_OF_NOTHING} if is_identity(touched) else set[str]()
    is_taken = touched.kind == "type" and not unnamed.isdisjoint(gained)
    return [f"{touched.field} holds no name, and {own} gets one made of that"] if is_taken else []


def _of_finding(before: Any, now: Any, touched: Touched) -> list[str]:
    """A changed value makes no finding milder or closed in silence."""
    if not isinstance(before, Finding):
        return []
    problems: list[str] = []
    if now.fixed and not before.fixed:
        problems.append(f"{touched.field} makes {before.key} fixed")
    if now.verdict is not None and now.verdict != before.verdict:
        problems.append(f"{touched.field} gives {before.key} the verdict {now.verdict}")
    if touched.kind == "word":
        return problems + _of_word(before, now, touched.field)
    if now.severity is Severity.INFO and before.severity is not Severity.INFO:
        problems.append(f"{touched.field} makes {before.key} Info")
    return problems


def _of_word(before: Finding, now: Finding, name: str) -> list[str]:
    """An unknown word is Unknown, unless a CVSS says how bad it is; and it is reported."""
    problems: list[str] = []
    reported = any(WORD in told.lower() for told in now.unknown_words)
    is_its_word = WORD in now.vendor_severity.lower()
    scored = bool(now.cvss) or now.cvss_score is not None
    if now.severity is Severity.UNKNOWN:
        if before.severity is not Severity.UNKNOWN and not reported and not is_its_word:
            problems.append(f"{name} of {before.key} holds an unknown severity that is not reported")
    elif (is_its_word and not scored) or (now.severity != before.severity and not reported):
        problems.append(f"{name} turns {before.key} from {before.severity} into {now.severity}")
    if now.vendor_status != before.vendor_status and not reported:
        problems.append(f"{name} of {before.key} holds an unknown status that is not reported")
    return problems


def is_identity(touched: Touched) -> bool:
    """Whether what stood there is, or is a part of, what the finding is known by."""
    told = str(touched.before)
    return bool(told) and told in key_of(touched.value)


def _is_text(value: Any, touched: Touched) -> bool:
    """Whether the changed value is a text or a line of the finding that may be edited, and no name of a thing."""
    if not isinstance(value, Finding) or isinstance(touched.before, bool):
        return False
    if isinstance(touched.before, int):
        return touched.before == value.line
    told = str(touched.before or "")
    texts = (value.title, value.description, value.mitigation, value.impact)
    names = (value.rule, value.path, value.component, value.version, value.purl, value.endpoint, value.image)
    whole = [*names, *value.ids, *value.tags]
    return len(told) > 8 and any(told in text for text in texts) and not any(told in name for name in whole)


def _unfit(golden: Rehearsal, result: Rehearsal) -> list[str]:
    """Values that cannot be kept: no Unicode, a number for a text, an empty key, a time without zone, a script for a
    link. Those of the clean run are judged with it."""
    problems: list[str] = []
    for key, part in result.parts.items():
        judged = golden.parts[key].values if result is not golden and key in golden.parts else {}
        for name, value in part.values.items():
            if name in judged and judged[name] == value:
                continue
            kind: type[Finding | Vep] = Finding if isinstance(value, Finding) else Vep
            try:
                msgspec.json.decode(msgspec.json.encode(value), type=kind)
            except (UnicodeError, ValueError, TypeError, OverflowError) as error:
                problems.append(f"{_name(key)} {name!a} cannot be kept: {error}")
            if not key_of(value).strip():
                problems.append(f"{_name(key)} a value without a key")
            if isinstance(value, Finding) and value.found_at is not None and value.found_at.tzinfo is None:
                problems.append(f"{_name(key)} {name!a} has a time without zone")
            problems += [
                f"{_name(key)} {name!a} links to {link[:60]!a}" for link in _links(value) if not _WEB.match(link)
            ]
    return problems


def _links(value: Any) -> list[str]:
    """What a page will offer to be clicked."""
    links = [value.url, *getattr(value, "references", ())]
    return [link for link in links if isinstance(link, str)]


def key_of(value: Any) -> str:
    """What a Finding, or a VEP, is known by."""
    return str(getattr(value, "key", getattr(value, "id", "")))


def _name(key: Key) -> str:
    return "/".join(part for part in key if part) + ":"
