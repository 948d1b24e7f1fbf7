"""The report of a *Generic Findings Import*: which keys it may have; what is refused, cut, dropped, or ends in a 500.

Facts: dojo/tools/generic/json_parser.py of DefectDojo at 3.2.0, and what running servers of 2.50.4 and 3.2.0 answered.
"""

import json
import re
from collections.abc import Mapping
from typing import Any

from tidegate.demo.fake_defectdojo.world import SEVERITIES, World

REQUIRED = ("title", "severity", "description")
ALLOWED = frozenset({
    *REQUIRED, "date", "cwe", "cve", "epss_score", "epss_percentile", "cvssv3", "cvssv3_score", "cvssv4",
    "cvssv4_score", "mitigation", "impact", "steps_to_reproduce", "severity_justification", "references", "active",
    "verified", "false_p", "out_of_scope", "risk_accepted", "under_review", "is_mitigated", "thread_id", "mitigated",
    "numerical_severity",
    "param", "payload", "line", "file_path", "component_name", "component_version", "static_finding", "dynamic_finding",
    "scanner_confidence", "unique_id_from_tool", "vuln_id_from_tool", "sast_source_object", "sast_sink_object",
    "sast_source_line", "sast_source_file_path", "nb_occurences", "publish_date", "service", "planned_remediation_date",
    "planned_remediation_version", "effort_for_fixing", "tags", "kev_date", "known_exploited", "ransomware_used",
    "fix_available", "endpoints", "files", "vulnerability_ids",
})  # fmt: skip
SINCE_3 = frozenset({"fix_version", "cwes"})
LONGEST: Mapping[str, int] = {
    "component_name": 500, "component_version": 100, "file_path": 4000, "unique_id_from_tool": 500,
    "vuln_id_from_tool": 500, "service": 200, "cvssv4": 255, "effort_for_fixing": 99, "planned_remediation_version": 99,
}  # fmt: skip
NEVER_NULL = (*REQUIRED, "date", "mitigated", "active")
LARGEST_LINE, LONGEST_TITLE, LONGEST_ID = 2**31 - 1, 511, 50
_SMALL = frozenset({"a", "an", "and", "as", "at", "but", "by", "en", "for", "if", "in", "of", "on", "or", "the", "to"})


class Refused(Exception):
    """A status and what the server says with it."""

    def __init__(self, status: int, said: Any) -> None:
        super().__init__(str(said))
        self.status, self.said = status, said


class Broken(Exception):
    """What the server did not expect ends in its 500; what it had done until then stays."""


def parsed(world: World, content: bytes) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The whole report, and its findings as far as the parser looks. Raises Refused, Broken."""
    try:
        told = json.loads(content.decode("utf-8-sig"))
    except ValueError as error:
        raise Refused(400, {"message": f"['{error}']"}) from error
    if not isinstance(told, dict):
        raise Broken
    report: dict[str, Any] = told
    allowed = ALLOWED if world.is_old else ALLOWED | SINCE_3
    findings = [each for each in report.get("findings") or [] if isinstance(each, dict)]
    for each in findings:
        missing = {name for name in REQUIRED if name not in each}
        if missing:
            raise Refused(400, {"message": f'["Required fields are missing: {sorted(missing)}"]'})
        if unknown := [name for name in each if name not in allowed]:
            raise Refused(400, {"message": f'["Not allowed fields are present: {unknown}"]'})
    return report, findings


def finding(world: World, told: Mapping[str, Any]) -> dict[str, Any]:
    """A finding as it would be stored. Raises Refused for a severity that is none, Broken for what cannot be stored."""
    _check(world, told)
    severity = {"informational": "Info", "none": "Info"}.get(told["severity"], told["severity"])
    if severity not in SEVERITIES:
        raise Refused(400, {"message": f'Finding severity "{told["severity"]}" is not supported'})
    row = {
        name: told.get(name)
        for name in (
            "mitigation", "impact", "references", "file_path", "component_name", "component_version", "service",
            "unique_id_from_tool", "vuln_id_from_tool", "cvssv3", "cvssv3_score", "epss_score", "fix_available",
            "known_exploited", "mitigated",
        )
    }  # fmt: skip
    return row | {
        "title": title_of(told["title"]),
        "description": told["description"],
        "severity": severity,
        "numerical_severity": f"S{SEVERITIES.index(severity)}",
        "cwe": _whole(told.get("cwe")) or 0,
        "line": _whole(told.get("line")),
        "date": str(told["date"])[:10] if "date" in told else None,
        "tags": [_tag(world, each) for each in _list(told.get("tags"))],
        "vulnerability_ids": [{"vulnerability_id": each} for each in _vulnerabilities(told)],
        **{
            name: bool(told.get(name))
            for name in ("verified", "false_p", "out_of_scope", "risk_accepted", "is_mitigated")
        },
        "active": bool(told.get("active", True)),
        "static_finding": bool(told.get("static_finding")),
        "dynamic_finding": bool(told.get("dynamic_finding")),
    }


def title_of(told: str) -> str:
    """As it is stored: white space made even, cut, and set in title case."""
    text = re.sub(r"\s+", " ", told).strip()[:LONGEST_TITLE]
    return " ".join(_word(each, first=place == 0) for place, each in enumerate(text.split(" ")))


def _word(word: str, *, first: bool) -> str:
    if word.lower() in _SMALL and not first:
        return word.lower()
    if word.isalpha() and word.islower() and not re.search("[aeiouy]", word):
        return word.upper()  # what has no vowel is taken for an abbreviation
    return word[:1].upper() + word[1:] if word[1:] == word[1:].lower() else word


def _check(world: World, told: Mapping[str, Any]) -> None:
    for name in NEVER_NULL:
        if name in told and told[name] is None:
            raise Broken
    if isinstance(told.get("active"), str):
        raise Refused(400, {"message": "[\"'active' value must be either True or False.\"]"})
    for name, value in told.items():
        if isinstance(value, str) and ("\0" in value or any("\ud800" <= each <= "\udfff" for each in value)):
            raise Broken
        if isinstance(value, str) and len(value) > LONGEST.get(name, len(value)):
            raise Broken
    number = told.get("line")
    if isinstance(number, int) and number > LARGEST_LINE:
        raise Broken
    if any(len(str(each)) > LONGEST_ID for each in _list(told.get("vulnerability_ids"))):
        raise Broken
    if world.is_old:
        both = told.get("cve") and told.get("vulnerability_ids")
        words = [told[name] for name in ("cwe", "line") if isinstance(told.get(name), str)]
        if both or any(not word.isdecimal() for word in words):
            raise Broken


def _vulnerabilities(told: Mapping[str, Any]) -> list[str]:
    """A text where a list should be falls into its letters."""
    named = [told["cve"]] if told.get("cve") else []
    return [*dict.fromkeys([*named, *map(str, told.get("vulnerability_ids") or [])])]


def _list(value: Any) -> list[Any]:
    return [value] if isinstance(value, str) else list(value or [])


def _tag(world: World, told: Any) -> str:
    cleaned = re.sub(r"[\s,'\"]+", "_", str(told))
    return cleaned.lower() if world.is_old else cleaned


def _whole(value: Any) -> int | None:
    try:
        return int(value)
    except (TypeError, ValueError):
        return None
