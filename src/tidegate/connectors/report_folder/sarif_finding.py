"""A SARIF result, with what it points at resolved, as a Finding."""

from __future__ import annotations

import re
import textwrap
from typing import Any

from tidegate_sdk import Finding, Row, Severity, Skip, VendorChanged, Verdict

from .fields import cwes, each, every, ids, is_link, line, member, moment, number, of_score, package_of, text

LEVELS = {"error": Severity.HIGH, "warning": Severity.MEDIUM, "note": Severity.LOW, "none": Severity.INFO}
_SCORES = {severity.value.lower(): severity for severity in Severity}
_NO_FINDING = {
    "pass": "The tool reports that a check passed.",
    "notApplicable": "The tool reports that a check does not apply.",
    "open": "The tool could not decide whether there is a problem.",
    "review": "The tool asks for a review and does not report a problem.",
    "informational": "The tool reports information, not a problem.",
}
_BASELINE = frozenset({"new", "unchanged", "updated", "absent", "existing"})
_LONGEST_TITLE = 150
_WRAPPED = 60
"""A line this long that ends within a sentence goes on in the next."""
_SENTENCE = re.compile(r"[^.!?]{20,}?[.!?](?=\s)")
_LINK = re.compile(r"\[((?:[^\[\]\\]|\\.)+)\]\(\d{1,9}\)")
"""A link into `relatedLocations` (3.11.6), which says nothing outside the report."""
_ARGUMENT = re.compile(r"\{\{|\}\}|\{(\d{1,4})\}")


def finding(row: Row) -> Finding | Skip:
    """What a row of `sarif.rows` says; a kind other than *fail* is no finding."""
    if problem := row.get("unreadable"):
        raise VendorChanged(problem)
    result, rule, path = row["result"], row["rule"], row["path"]
    kind = result.get("kind", "fail")
    if isinstance(kind, str) and kind in _NO_FINDING:
        return Skip(_NO_FINDING[kind])
    severity, said, unknown = _severity(result, rule)
    verdict, status, reason = _suppression(result)
    message = _message(result, rule, row["strings"])
    table = _table(message)
    location = next(iter(each(result.get("locations"))), {})
    web = "://" in path
    purl = _purl(location)
    package, version = package_of(purl)
    properties, viewer = result.get("properties"), result.get("hostedViewerUri")
    return Finding(
        key=row["key"],
        title=_title(message, table, rule),
        severity=severity,
        description=_description(message, rule),
        mitigation=_mitigation(result, rule),
        evidence=_evidence(result, location),
        url=viewer if is_link(viewer) else None,
        fixed=result.get("baselineState") == "absent",
        verdict=verdict,
        vendor_severity=said,
        vendor_status=status or text(result.get("baselineState"), 50),
        vendor_reason=reason,
        confidence=text(member(properties, "issue_confidence"), 50) or rule.get("precision", ""),
        rule=text(rule["id"], 500),
        cwe=_cwes(row["taxa"], properties, rule),
        ids=rule["ids"] if "ids" in rule else ids(rule["id"]),
        purl=purl,
        component=package or table.get("package", ""),
        version=version or table.get("installed version", ""),
        fixed_version=table.get("fixed version", ""),
        path="" if web else text(path, 2000),
        line=line(member(location, "physicalLocation", "region", "startLine")),
        endpoint=text(path, 2000) if web else text(member(result.get("webRequest"), "target"), 2000),
        references=rule.get("links", ()),
        tags=rule.get("tags", ()),
        found_at=moment(member(result.get("provenance"), "firstDetectionTimeUtc")),
        unknown_words=(*unknown, *_unknown(result)),
    )


def _severity(result: dict[str, Any], rule: dict[str, Any]) -> tuple[Severity, str, list[str]]:
    """GitHub's `security-severity` before the level; the result's level before the rule's; *warning* by default."""
    for score in (member(result, "properties", "security-severity"), rule.get("security")):
        if score in (None, ""):
            continue
        if (found := number(score)) is not None and 0 <= found <= 10:
            if not found and (unscored := _unscored(result, rule)) is not None:
                return unscored
            return of_score(found), str(score), []
        if isinstance(score, str) and score.lower() in _SCORES:  # Semgrep writes words
            return _SCORES[score.lower()], score, []
        return Severity.UNKNOWN, text(str(score), 50), [f"security-severity: {text(str(score), 50)}"]
    if "level" not in result and rule.get("missing"):
        return Severity.UNKNOWN, "", [f"rule: {text(rule['id'], 50)} is not in the report"]
    return _level(result.get("level") or rule.get("level") or "warning")


def _level(level: Any) -> tuple[Severity, str, list[str]]:
    word = text(str(level), 50)
    if (known := LEVELS.get(word.lower())) is not None:
        return known, word, []
    return Severity.UNKNOWN, word, [f"level: {word}"]


def _unscored(result: dict[str, Any], rule: dict[str, Any]) -> tuple[Severity, str, list[str]] | None:
    """What counts in place of a score of zero, which Trivy writes where it has none: a severity UNKNOWN, a level."""
    if "UNKNOWN" in rule.get("tags", ()):
        return Severity.UNKNOWN, "UNKNOWN", []
    level = result.get("level") or rule.get("level")
    return _level(level) if level not in (None, "none") else None


def _suppression(result: dict[str, Any]) -> tuple[Verdict | None, str, str]:
    """Suppressed, if nothing of it is still under review or was rejected (3.27.23): the tool's user accepts it."""
    listed = [one for one in each(result.get("suppressions")) if isinstance(one, dict)]
    if not listed:
        return None, "", ""
    reason = text(next((one.get("justification") for one in listed if one.get("justification")), ""))
    if doubts := [word for word in _suppression_words(result) if word != "accepted"]:
        return None, f"suppression {doubts[0]}", reason
    kinds = sorted({text(one.get("kind"), 50) for one in listed} - {""})
    return Verdict.ACCEPTED, " ".join(["suppressed", *kinds]), reason


def _suppression_words(result: dict[str, Any]) -> list[str]:
    """The status of each suppression; `state` before 2.1.0 was final, *accepted* where there is none."""
    if "suppressions" not in result:
        return []
    listed = [one for one in each(result.get("suppressions")) if isinstance(one, dict)]
    words = [text(str(one.get("status") or one.get("state") or "accepted"), 50) for one in listed]
    kinds = (text(str(one.get("kind") or "external"), 50) for one in listed)
    return words + [kind for kind in kinds if kind not in ("external", "inSource")]


def _unknown(result: dict[str, Any]) -> list[str]:
    """Words of states that the specification does not have: the result counts as open."""
    kind, baseline = result.get("kind", "fail"), result.get("baselineState")
    words = [f"kind: {text(str(kind), 50)}"] if kind != "fail" else []
    if baseline is not None and baseline not in _BASELINE:
        words.append(f"baselineState: {text(str(baseline), 50)}")
    known = ("accepted", "underReview", "rejected")
    return words + [f"suppression: {word}" for word in _suppression_words(result) if word not in known]


def _message(result: dict[str, Any], rule: dict[str, Any], strings: dict[str, Any]) -> str:
    """The message with its arguments in place; its text may stand in the rule or in the tool (3.11.7)."""
    message = result.get("message")
    said = member(message, "text") or member(message, "markdown")
    if not said and isinstance(name := member(message, "id"), str):
        said = member(rule.get("strings"), name, "text") or member(strings, name, "text")
    arguments = list(each(member(message, "arguments")))

    def argument(found: re.Match[str]) -> str:
        if found[1] is None:
            return found[0][0]
        return str(arguments[int(found[1])]) if int(found[1]) < len(arguments) else found[0]

    said = _ARGUMENT.sub(argument, said) if arguments and isinstance(said, str) else said
    told = text(said)
    return _LINK.sub(r"\1", told) if "](" in told else told


def _table(message: str) -> dict[str, str]:
    """The values by label, in lower case, of a message that is no sentence: Trivy writes "Package: …" and so on."""
    if "Severity: " not in message:
        return {}
    cells = (line.partition(":") for line in message.splitlines())
    found = {label.strip().lower(): value.strip() for label, colon, value in cells if colon}
    return found if {"package", "artifact"} & found.keys() else {}


def _title(message: str, table: dict[str, str], rule: dict[str, Any]) -> str:
    """What the message says first, where that is short enough for a list, else what the rule is called."""
    named = next((name for name in (rule.get("title"), rule.get("name")) if name and name != rule["id"]), "")
    named = named.replace("&#39;", "'").replace("&#34;", '"')  # Trivy escapes for a page
    if table:
        return f"{rule['id']} in {table['package']}" if table.get("package") else named or rule["id"] or "(untitled)"
    first = _first(message)
    if first and len(first) <= _LONGEST_TITLE:
        return first
    return named or textwrap.shorten(first, _LONGEST_TITLE, placeholder=" …") or rule["id"] or "(untitled)"


def _first(message: str) -> str:
    """The first line, with those it is wrapped into; of a paragraph that is long the first sentence."""
    lines = message.partition("\n\n")[0].strip().splitlines()
    first = lines[0].strip() if lines else ""
    for more in lines[1:]:
        if not (more[:1].islower() or (len(first) >= _WRAPPED and first[-1:] not in ".!?:")):
            break
        first = f"{first} {more.strip()}"
    sentence = _SENTENCE.match(first) if len(first) > _LONGEST_TITLE else None
    return sentence[0] if sentence else first


def _description(message: str, rule: dict[str, Any]) -> str:
    more = rule.get("description", "")
    return "\n\n".join([part for part in (message, more if more not in message else "") if part])


def _mitigation(result: dict[str, Any], rule: dict[str, Any]) -> str:
    """What the tool proposes for this result, else how the rule says that one gets rid of it."""
    fixes = [text(member(fix, "description", "text")) for fix in each(result.get("fixes"))]
    proposed = "\n".join(dict.fromkeys(fix for fix in fixes if fix))
    advice = rule.get("help", "")
    return proposed or (advice if advice not in (rule.get("title"), rule.get("description")) else "")


def _evidence(result: dict[str, Any], location: Any) -> str:
    """The code, and the way of the data through it where the tool shows one."""
    physical = member(location, "physicalLocation")
    code = member(physical, "region", "snippet", "text") or member(physical, "contextRegion", "snippet", "text")
    request = result.get("webRequest")
    asked = " ".join([text(member(request, part), 2000) for part in ("method", "target")]).strip() if request else ""
    others = [_step(place) for place in [*each(result.get("locations"))][1:]]
    also = "\n".join(["Also at:", *_ends(others)]) if others else ""
    flow = _flow(result) if "codeFlows" in result else ""
    return "\n\n".join([part for part in (text(code, 4000), asked, flow, also) if part])


def _flow(result: dict[str, Any]) -> str:
    """The first and the last steps of the first code flow, a line each."""
    flow = next(iter(each(result.get("codeFlows"))), None)
    thread = next(iter(each(member(flow, "threadFlows"))), None)
    return "\n".join(_ends([_step(member(step, "location")) for step in each(member(thread, "locations"))]))


def _ends(steps: list[str]) -> list[str]:
    """The first and the last of them."""
    return steps if len(steps) <= 10 else [*steps[:5], f"… {len(steps) - 10} more steps …", *steps[-5:]]


def _step(location: Any) -> str:
    physical = member(location, "physicalLocation")
    where = text(member(physical, "artifactLocation", "uri"), 500)
    at = line(member(physical, "region", "startLine"))
    said = text(member(location, "message", "text"), 200)
    return f"{where}{f':{at}' if at else ''} {said}".strip()


def _purl(location: Any) -> str:
    """The package URL that a logical location is called by; "" where none is."""
    for one in each(member(location, "logicalLocations")):
        name = member(one, "fullyQualifiedName")
        if isinstance(name, str) and name.startswith("pkg:"):
            return text(name, 2000)
    return ""


def _cwes(taxa: list[str], properties: Any, rule: dict[str, Any]) -> tuple[int, ...]:
    """From the taxa and properties of the result, then from its rule."""
    named: list[Any] = [*taxa]
    if isinstance(properties, dict):
        named += [*every(properties.get("cwe")), *each(properties.get("tags"))]
    of_rule = rule.get("cwe", ())
    return tuple(dict.fromkeys((*cwes(*named), *of_rule))) if named else of_rule
