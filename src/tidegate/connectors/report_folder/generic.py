"""The generic findings JSON that DefectDojo reads: `{"name", "type", "findings": [{"title", "severity", …}]}`.

Its fields: https://docs.defectdojo.com/supported_tools/parsers/generic_findings_import/
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from tidegate_sdk import Finding, Incomplete, Row, Severity, Skip, VendorChanged, Verdict

from . import json_values, producer
from .fields import (
    cwes,
    each,
    every,
    ids,
    line,
    links,
    member,
    moment,
    number,
    of_score,
    optional,
    score_of,
    text,
)
from .identity import Ordinals, canonical, digest, folded

HEAD = ("name", "type")
NAMES = ("findings.*.title", "findings.*.unique_id_from_tool")
"""What a finding is known by; a list without any of them is of another format that says "findings" too."""
_WANTED = json_values.tree(*HEAD, "findings.*")
_DROP = frozenset({"files"})
_LINK = re.compile(r"https?://[^\s<>\"')\]]+")
_SUFFIX = "(Generic Findings Import)"
_SEVERITIES = {severity.value.lower(): severity for severity in Severity} | {
    "informational": Severity.INFO,
    "none": Severity.INFO,
}


def family(name: Any, kind: Any, file_name: str) -> str:
    """The type, which DefectDojo makes a test type of; else the name, else what the file is called."""
    kind = text(kind).removesuffix(_SUFFIX).strip()
    tool = kind if kind != _SUFFIX.strip("()") else ""
    return producer.family(f"{tool or text(name) or producer.from_file(file_name)} (generic)")


def rows(file: BinaryIO, wanted: str, file_name: str) -> Iterator[dict[str, Any]]:
    """One row for each finding; its `key` is missing where no identity can be read."""
    ordinals = Ordinals()
    head: dict[str, Any] = {}
    for path, value in json_values.values(file, _WANTED, _DROP):
        if len(path) == 2:
            yield _row(value, ordinals)
        elif path:
            head[str(path[0])] = value
    if "findings" not in head or family(head.get("name"), head.get("type"), file_name) != wanted:
        raise Incomplete(f"It no longer holds findings of {wanted}: it was replaced while it was read.")


def _row(value: Any, ordinals: Ordinals) -> dict[str, Any]:
    row: dict[str, Any] = {"format": "generic", "finding": value}
    try:
        row["key"] = ordinals.name(_base(value))
    except VendorChanged as error:
        row["unreadable"] = error.what
    return row


def _base(value: Any) -> str:
    """The tool's own id, else what of the finding stays when lines move, versions rise and texts are edited."""
    if not isinstance(value, dict):
        raise VendorChanged("A finding is not an object.")
    own = value.get("unique_id_from_tool")
    if isinstance(own, (str, int)) and not isinstance(own, bool) and str(own).strip():
        return digest("id", str(own).strip())
    title = optional(value.get("title"), str, "title")
    if not title or not title.strip():
        raise VendorChanged("A finding has neither a title nor a unique_id_from_tool.")
    names = ("vuln_id_from_tool", "cve", "file_path", "component_name", "param", "service")
    lists = ("vulnerability_ids", "endpoints")  # sets, in truth: another order is no other finding
    listed = (canonical(sorted(map(canonical, every(value.get(name))))) for name in lists)
    return digest("parts", folded(title), *(canonical(value.get(name)) for name in names), *listed)


def finding(row: Row) -> Finding | Skip:
    """What a row says. Raises VendorChanged where the title is missing or a flag is neither true nor false."""
    if problem := row.get("unreadable"):
        raise VendorChanged(problem)
    value = Row(row["finding"])
    if _flag(value, "duplicate"):
        return Skip("The report marks it as a duplicate.")
    vectors = [vector for version in ("cvssv4", "cvssv3") if (vector := text(value.get(version), 300))]
    score = _score(value, vectors)
    severity, word, unknown = _severity(value, score)
    verdict, status = _verdict(value)
    endpoints = [_endpoint(one) for one in each(value.get("endpoints"))]
    listed = value.get("vulnerability_ids")
    named = [value.get("cve"), *(listed if isinstance(listed, list) else [listed])]
    return Finding(
        key=row["key"],
        title=text(value["title"], 2000) or "(untitled)",
        severity=severity,
        description=_description(value, endpoints),
        mitigation=text(value.get("mitigation")),
        impact=text(value.get("impact")),
        evidence=_evidence(value),
        fixed=_flag(value, "is_mitigated") or False,
        verdict=verdict,
        vendor_severity=word,
        vendor_status=status,
        confidence=_confidence(value),
        rule=_plain(value.get("vuln_id_from_tool")),
        cwe=cwes(value.get("cwe"), *each(value.get("cwes"))),
        ids=tuple(dict.fromkeys((*ids(*named), *(text(one, 200) for one in named if text(one) and not ids(one))))),
        cvss=tuple(vector for vector in vectors if vector.startswith("CVSS:")),
        cvss_score=score,
        epss=_within(value.get("epss_score"), 1),
        known_exploited=_flag(value, "known_exploited"),
        component=text(value.get("component_name"), 2000),
        version=_plain(value.get("component_version")),
        fixed_version=_plain(value.get("fix_version")),
        path=text(value.get("file_path"), 2000),
        line=line(value.get("line")),
        endpoint=next(iter(endpoints), ""),
        references=links(*(found.rstrip(".,;:") for found in _LINK.findall(text(value.get("references"))))),
        tags=tuple(text(tag, 200) for tag in each(value.get("tags")) if text(tag)),
        found_at=moment(value.get("date")),
        unknown_words=unknown,
    )


def _severity(value: Row, score: float | None) -> tuple[Severity, str, tuple[str, ...]]:
    """The word; what has no word of the table goes by its CVSS, and without that is *Unknown*."""
    said = value.get("severity")
    word = text(said if isinstance(said, str) or said is None else canonical(said), 50)
    if word.lower() in _SEVERITIES:
        return _SEVERITIES[word.lower()], word, ()
    unknown = (f"severity: {word or 'none'}",)
    return (of_score(score), word or str(score), unknown) if score is not None else (Severity.UNKNOWN, word, unknown)


def _score(value: Row, vectors: list[str]) -> float | None:
    """The score of the newest CVSS there is one of: as written, else worked out of its vector."""
    told = (_within(value.get(name), 10) for name in ("cvssv4_score", "cvssv3_score"))
    return next((score for score in (*told, *map(score_of, vectors)) if score is not None), None)


def _verdict(value: Row) -> tuple[Verdict | None, str]:
    """The strongest of the flags. Inactive without a reason is no verdict: the finding counts as open."""
    for flag, verdict in (
        ("false_p", Verdict.FALSE_POSITIVE),
        ("out_of_scope", Verdict.OUT_OF_SCOPE),
        ("risk_accepted", Verdict.ACCEPTED),
    ):
        if _flag(value, flag):
            return verdict, flag
    if _flag(value, "is_mitigated"):
        return None, "is_mitigated"
    if _flag(value, "active") is False:
        return None, "inactive"
    if _flag(value, "under_review"):
        return None, "under_review"
    return None, "verified" if _flag(value, "verified") else ""


def _flag(value: Row, name: str) -> bool | None:
    """True or false, also in quotes; None where it is not there."""
    said = value.get(name)
    if said is None or isinstance(said, bool):
        return said
    word = str(said).strip().lower()
    if word not in ("true", "false"):
        raise VendorChanged(f"{name} is neither true nor false.")
    return word == "true"


def _description(value: Row, endpoints: list[str]) -> str:
    more = "\n".join(["Endpoints:", *endpoints]) if len(endpoints) > 1 else ""
    why = text(value.get("severity_justification"), 4000)
    parts = (text(value.get("description")), text(more), why and f"Severity: {why}")
    return "\n\n".join(part for part in parts if part)


def _evidence(value: Row) -> str:
    """How to see it: the steps, the input, and the way from source to sink."""
    parts = [text(value.get(name), 4000) for name in ("steps_to_reproduce", "param", "payload")]
    at = line(value.get("sast_source_line"))
    place = text(value.get("sast_source_file_path"), 2000) + (f":{at}" if at else "")
    source = " ".join(part for part in (_plain(value.get("sast_source_object")), place) if part)
    sink = _plain(value.get("sast_sink_object"))
    parts += [source and f"Source: {source}", sink and f"Sink: {sink}"]
    return "\n\n".join(part for part in parts if part)


def _endpoint(value: Any) -> str:
    """An endpoint as text, from a text or from DefectDojo's object of its parts."""
    if not isinstance(value, dict):
        return text(value, 2000)
    scheme, host, port, path = (_plain(member(value, name)) for name in ("protocol", "host", "port", "path"))
    address = host + (f":{port}" if port else "") + (f"/{path.lstrip('/')}" if path else "")
    if query := _plain(value.get("query")):
        address += f"?{query.lstrip('?')}"
    return f"{scheme}://{address}" if scheme else address


def _plain(value: Any) -> str:
    return str(value) if isinstance(value, (int, float)) and not isinstance(value, bool) else text(value, 500)


def _confidence(value: Row) -> str:
    return _plain(value.get("scanner_confidence")) if number(value.get("scanner_confidence")) is not None else ""


def _within(value: Any, most: float) -> float | None:
    found = number(value)
    return found if found is not None and 0 <= found <= most else None
