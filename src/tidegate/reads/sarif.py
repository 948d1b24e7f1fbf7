"""A finding as SARIF 2.1.0 says it, so that other tools read what Tidegate knows.

What others ask for beyond the standard is met: GitHub wants a location in every result, a path that is relative, and
`security-severity` at the rule; DefectDojo a rule id and a fingerprint.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import quote

from tidegate_sdk import Severity

SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
VERSION: Final = "2.1.0"
MOST_RULES: Final = 25_000
"""So many rules GitHub reads of a run; a result beyond stands without one."""

_LEVEL: Final = {
    Severity.CRITICAL: "error",
    Severity.HIGH: "error",
    Severity.MEDIUM: "warning",
    Severity.UNKNOWN: "warning",
    Severity.LOW: "note",
    Severity.INFO: "note",
}
_SCORE: Final = {
    Severity.CRITICAL: "9.5",
    Severity.HIGH: "8.0",
    Severity.MEDIUM: "5.5",
    Severity.LOW: "2.0",
    Severity.INFO: "0.0",
}
"""Of no severity that is told by words, a score is more than its middle; Unknown has none."""


class Rules:
    """The rules that the results of one run name, each as bad as its worst finding. Bounded."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[Severity, tuple[int, ...]]] = {}

    def add(self, rule: str, severity: Severity, cwe: Sequence[int]) -> None:
        """A result names this rule."""
        known = self._known.get(rule)
        if known is None and len(self._known) >= MOST_RULES:
            return
        if known is None or severity.rank > known[0].rank:
            self._known[rule] = severity, tuple(cwe) or (known[1] if known else ())

    def objects(self) -> list[dict[str, Any]]:
        """As the driver lists them."""
        return [_rule(name, severity, cwe) for name, (severity, cwe) in self._known.items()]


def _rule(name: str, severity: Severity, cwe: Sequence[int]) -> dict[str, Any]:
    properties: dict[str, Any] = {"tags": ["security", *(f"external/cwe/cwe-{number}" for number in cwe)]}
    if severity in _SCORE:
        properties["security-severity"] = _SCORE[severity]
    return {"id": name, "shortDescription": {"text": name}, "properties": properties}


def rule_id(family: str, fields: Mapping[str, Any]) -> str:
    """By which rule it was found; a tool that has none names the weakness, or at least the kind of finding."""
    return str(fields.get("rule") or next(iter(fields.get("ids") or ()), "") or family)


def result(
    *,
    rule: str,
    title: str,
    severity: Severity,
    open: bool,
    active: bool,
    why: str,
    fingerprint: str,
    fields: Mapping[str, Any],
    properties: Mapping[str, Any],
) -> dict[str, Any]:
    """One result. What is closed is *absent*; what is open and not active is suppressed, with the reason."""
    told: dict[str, Any] = {
        "ruleId": rule,
        "level": _LEVEL[severity],
        "message": {"text": title},
        "locations": [location(fields)],
        "fingerprints": {"tidegate/v1": fingerprint},
        "properties": {"severity": severity.value, **properties},
    }
    if not open:
        told["baselineState"] = "absent"
    elif not active:
        told["suppressions"] = [{"kind": "external", "status": "accepted", "justification": why}]
    if (url := fields.get("url")) and _is_link(url):
        told["hostedViewerUri"] = quote(url, safe=_OF_A_URI)
    return told


_OF_A_URI: Final = ":/?#[]@!$&'()*+,;=%~"


def location(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Where it is: a file and line, an address, or the component that has it."""
    component = " ".join(str(part) for part in (fields.get("component"), fields.get("version")) if part)
    found: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": _uri(fields, component)}}}
    line = fields.get("line")
    if isinstance(line, int) and line > 0 and fields.get("path"):
        found["physicalLocation"]["region"] = {"startLine": line}
    if name := fields.get("purl") or component:
        found["logicalLocations"] = [{"fullyQualifiedName": str(name), "kind": "package"}]
    return found


def _uri(fields: Mapping[str, Any], component: str) -> str:
    """A reference in every case: a path relative, an address as it is, anything else as a name that stands for it."""
    if path := fields.get("path"):
        return quote(str(path).replace("\\", "/").lstrip("/"), safe="/~") or "."
    if endpoint := fields.get("endpoint"):
        text = str(endpoint)
        return quote(text, safe=_OF_A_URI) if _is_link(text) else quote(text.lstrip("/"), safe="/~") or "."
    return quote(str(component or fields.get("image") or "unknown"), safe="/~")


def _is_link(text: str) -> bool:
    return text.lower().startswith(("http://", "https://"))
