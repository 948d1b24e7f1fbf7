"""A vulnerability of a CycloneDX document at one component, as a Finding."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tidegate_sdk import Finding, Row, Severity, Skip, VendorChanged, Verdict

from .fields import cwes, each, ids, is_link, links, member, number, of_score, package_of, score_of, text

_SEVERITIES = {
    "critical": Severity.CRITICAL,
    "high": Severity.HIGH,
    "medium": Severity.MEDIUM,
    "low": Severity.LOW,
    "info": Severity.INFO,
    "none": Severity.INFO,
}
_OPEN = frozenset({"exploitable", "in_triage"})
_FIXED = frozenset({"resolved", "resolved_with_pedigree"})
_REFUTED = frozenset({"false_positive", "not_affected"})
_METHODS = ("cvssv4", "cvssv31", "cvssv3", "cvssv2")


def finding(row: Row) -> Finding | Skip:
    """What a row of `cyclonedx.rows` says."""
    if problem := row.get("unreadable"):
        raise VendorChanged(problem)
    vulnerability, component = row["vulnerability"], row["component"]
    versions = [member(one, "status") for one in each(row.get("versions"))]
    if versions and all(status == "unaffected" for status in versions):
        return Skip("The report says that the component is not affected.")
    severity, said, rating, unknown = _severity(vulnerability)
    fixed, verdict, state, reason = _analysis(vulnerability, unknown)
    name, described = text(row["name"], 500), text(vulnerability.get("description"))
    package, released = package_of(component["purl"])
    where = component["name"] or package
    source = member(vulnerability, "source", "url")
    return Finding(
        key=row["key"],
        title=f"{name} in {where}" if where else name,
        severity=severity,
        description="\n\n".join(part for part in (described, text(vulnerability.get("detail"))) if part),
        mitigation=text(vulnerability.get("recommendation")),
        url=source if is_link(source) else None,
        fixed=fixed,
        verdict=verdict,
        vendor_severity=said,
        vendor_status=state,
        vendor_reason=reason,
        rule=name,
        cwe=cwes(*each(vulnerability.get("cwes"))),
        ids=ids(name, *(member(one, "id") for one in each(vulnerability.get("references")))) or (name,),
        cvss=_vectors(vulnerability),
        cvss_score=_score(rating),
        component="/".join(part for part in (component["group"], component["name"]) if part) or package,
        version=component["version"] or released,
        purl=component["purl"],
        references=links(*(member(one, "url") for one in each(vulnerability.get("advisories")))),
        found_at=None,
        unknown_words=tuple(unknown),
    )


def _severity(vulnerability: Mapping[str, Any]) -> tuple[Severity, str, Any, list[str]]:
    """From the rating of the source that published the vulnerability, else by the newest method that tells one.

    Trivy lists the ratings of all who rated; the one it shows itself is the source's own.
    """
    own = text(member(vulnerability, "source", "name"))
    ratings = [one for one in each(vulnerability.get("ratings")) if isinstance(one, dict)]
    ratings.sort(key=lambda one: (not own or text(member(one, "source", "name")) != own, _rank(one)))
    unknown = [f"source: {own[:50]}"] if _is_ambiguous(own, ratings) else []
    for rating in ratings:
        word = text(rating.get("severity"), 50)
        if word.lower() in _SEVERITIES:
            return _SEVERITIES[word.lower()], word, rating, unknown
        if word and word.lower() != "unknown":
            unknown.append(f"severity: {word}")
        if (score := _score(rating)) is not None:
            return of_score(score, 2 if _rank(rating) == 3 else 3), word or str(score), rating, unknown
    return Severity.UNKNOWN, "unknown", {}, unknown


def _is_ambiguous(own: str, ratings: list[dict[str, Any]]) -> bool:
    """Whether others rated, and not alike, and the source itself did not: then a person should know of the choice."""
    raters = {text(member(one, "source", "name")) for one in ratings} - {""}
    words = {text(one.get("severity")).lower() for one in ratings} - {""}
    return bool(own and raters) and own not in raters and len(words) > 1


def _rank(rating: Mapping[str, Any]) -> int:
    """The place of its method; a rating without one comes behind the versions of CVSS."""
    method = text(rating.get("method")).lower()
    return _METHODS.index(method) if method in _METHODS else len(_METHODS)


def _score(rating: Mapping[str, Any]) -> float | None:
    """The score of a CVSS rating: as written, else worked out of its vector."""
    if _rank(rating) == len(_METHODS):
        return None
    score = number(rating.get("score"))
    if score is not None and 0 <= score <= 10:
        return score
    return score_of(_vector(rating))


def _vector(rating: Mapping[str, Any]) -> str:
    """The vector with the prefix that many tools leave out."""
    vector, method = text(rating.get("vector"), 300), text(rating.get("method")).lower()
    prefix = {"cvssv4": "CVSS:4.0/", "cvssv31": "CVSS:3.1/", "cvssv3": "CVSS:3.0/"}.get(method, "")
    return vector if not vector or vector.startswith("CVSS:") else prefix + vector.strip("()")


def _vectors(vulnerability: Mapping[str, Any]) -> tuple[str, ...]:
    ratings = (one for one in each(vulnerability.get("ratings")) if isinstance(one, dict))
    return tuple(dict.fromkeys(_vector(one) for one in ratings if _rank(one) < len(_METHODS) and one.get("vector")))


def _analysis(vulnerability: Mapping[str, Any], unknown: list[str]) -> tuple[bool, Verdict | None, str, str]:
    """Fixed, verdict, the vendor's word and its reason; a state never seen before counts as open."""
    analysis = vulnerability.get("analysis")
    state = text(member(analysis, "state"), 50)
    said = member(analysis, "response")
    responses = [text(one, 100) for one in (said if isinstance(said, list) else [said])]
    reason = ", ".join(part for part in (text(member(analysis, "justification"), 200), *responses) if part)
    reason = "\n".join(part for part in (reason, text(member(analysis, "detail"))) if part)
    if state and state not in _OPEN | _FIXED | _REFUTED:
        unknown.append(f"state: {state}")
    return state in _FIXED, Verdict.FALSE_POSITIVE if state in _REFUTED else None, state, reason
