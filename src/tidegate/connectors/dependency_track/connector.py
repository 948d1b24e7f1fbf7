"""Dependency-Track: the known vulnerabilities in the components of each project version."""

import re
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, SecretStr

from tidegate.connectors.dependency_track import state
from tidegate.connectors.dependency_track.attributions import is_told_again, rows_of_findings
from tidegate.connectors.dependency_track.paging import TOTAL, Numbered
from tidegate_sdk import (
    Account,
    Ask,
    Count,
    Families,
    Family,
    Finding,
    Header,
    Http,
    HttpSettings,
    List,
    Location,
    Row,
    Severity,
    Skip,
    Talk,
    Tool,
    VendorChanged,
    Vep,
    Whole,
    identifier,
)
from tidegate_sdk.fields import cut, cwes, links, links_in, objects, probability, quoted, score, text

SCREENS = frozenset({
    "admin", "api", "change-password", "components", "dashboard", "globalAudit", "licenses", "login", "policy",
    "policyViolationAudit", "projects", "services", "tags", "vulnerabilities", "vulnerabilityAudit",
})  # fmt: skip
"""First words of the paths of Dependency-Track's own screens and API; before them stands where a proxy put it."""
LOCATION = Location("https://dtrack.example.org", secret="API key", screens=SCREENS)  # noqa: S106 - its name
COLLECTIONS = frozenset({
    "AGGREGATE_DIRECT_CHILDREN", "AGGREGATE_DIRECT_CHILDREN_WITH_TAG", "AGGREGATE_LATEST_VERSION_CHILDREN",
})  # fmt: skip
UNASSIGNED = "UNASSIGNED"
"""Servers from 5 on leave a severity out that nobody assigned."""
ALIASES = ("cveId", "ghsaId", "osvId", "snykId", "sonatypeId", "vulnDbId")
LONGEST = 8_000
"""Characters kept of a description, which advisories write at length."""


class DependencyTrackSettings(HttpSettings):
    url: Annotated[str, AfterValidator(LOCATION)] = Field(
        title="Location URL",
        description="The address of Dependency-Track in your browser; any of its pages will do.",
        examples=["https://dtrack.example.org"],
    )
    key: SecretStr = Field(
        title="API key",
        min_length=1,
        description="Administration > Access Management > Teams; the team needs VIEW_PORTFOLIO and VIEW_VULNERABILITY.",
    )
    api: Annotated[str, AfterValidator(lambda told: LOCATION(told) if told.strip() else "")] = Field(
        "",
        title="API server",
        description="Its address, where the screens do not hand /api on to it; otherwise leave it empty.",
        examples=["https://dtrack-api.example.org"],
        json_schema_extra={"seldom": True},
    )
    versions: Literal["active", "latest", "all"] = Field(
        "active",
        title="Project versions",
        description="Which are Records: the active ones, the latest of them alone (4.12 and later), or all.",
    )


class DependencyTrack(Tool[DependencyTrackSettings]):
    slug = "dependency_track"
    name = "Dependency-Track"
    a_record_is = "a project version"
    severities: Mapping[str, Severity] = {
        "critical": Severity.CRITICAL,
        "high": Severity.HIGH,
        "medium": Severity.MEDIUM,
        "low": Severity.LOW,
        "info": Severity.INFO,
        "unassigned": Severity.UNKNOWN,
    }

    def __init__(self, settings: DependencyTrackSettings) -> None:
        super().__init__(settings)
        self.cuts: bool | None = None
        """Whether the server cuts the findings of a project into pages; None until its version was asked for."""

    def door(self) -> Http:
        return self.settings.door(self.settings.api or self.settings.url, Header("X-Api-Key", self.settings.key))

    def account(self) -> Talk[Account]:
        """The team of the key. The account is the server: what its projects are called is the same for every team."""
        page = yield Ask("api/v1/team/self", bare=True)
        return Account(id=self.settings.api or self.settings.url, name=text(Row(page.body)["name"]))

    def veps(self) -> List[Vep]:
        return List(Ask("api/v1/project"), "", Numbered(100), self.project, id=_named_by("uuid"))

    def open_findings(self) -> tuple[Count, ...]:
        """What is suppressed is not among them."""
        return (Count("metrics.vulnerabilities"),)

    def project(self, row: Row) -> Vep | Skip:
        """A version of a project by its UUID, which stays when name or version are edited."""
        key, version = identifier(row, "uuid"), text(row.get("version"))
        name = text(row["name"]) or key
        if row.get("collectionLogic") in COLLECTIONS:
            return Skip("A collection has no components of its own; its children have.")
        if self.settings.versions != "all" and row.get("active") is False:
            return Skip("Inactive project versions are not read.")
        if self.settings.versions == "latest" and row["isLatest"] is not True:
            return Skip("Only the latest version of a project is read.")
        return Vep(
            id=key,
            name=_titled(name, version),
            url=f"{self.settings.url}projects/{quoted(key)}",
            parent=_titled(text(row.get("parent.name")), text(row.get("parent.version"))),
            attributes={
                "project": name,
                "version": version,
                "group": text(row.get("group")),
                "classifier": text(row.get("classifier")),
                "tags": [text(tag["name"]) for tag in objects(row.get("tags"))],
                "latest": row.get("isLatest") is True,
            },
        )

    def families(self, vep: Vep) -> Families:
        """All of them, the suppressed too: left out they would look as if they were fixed.

        Servers before 5 do not cut this list, whatever page is asked for, and 4,000 findings come in one answer.
        """
        if self.cuts is None:
            version = yield Ask("api/version", bare=True)
            self.cuts = _cuts_findings(text(Row(version.body)["version"]))
        ask = Ask(f"api/v1/finding/project/{quoted(vep.id)}", {"suppressed": "true"})
        if self.cuts:
            ask, by = ask.more(totalCount="EXACT"), Numbered(500)
        else:
            ask, by = replace(ask, reader=rows_of_findings), Whole(TOTAL, in_headers=True)
        found = List(ask, "", by, self.finding, id=_named_by("matrix"))
        yield Family("vulnerabilities", found, off=frozenset({403}))

    def finding(self, row: Row) -> Finding | Skip:
        """A vulnerability in a component by its `matrix`, the UUIDs of project, component and vulnerability."""
        if is_told_again(row):
            return Skip("An analyzer found the same once more.")
        key, name = identifier(row, "matrix"), identifier(row, "vulnerability.vulnId")
        told, where = row.inside("vulnerability"), row.inside("component")
        word, how = text(told.get("severity")) or UNASSIGNED, state.of_finding(row)
        component, version = text(row["component.name"]), text(where.get("version"))
        return Finding(
            key=key,
            title=f"{name} in {_titled(component, version)}",
            severity=self.severity(word),
            description=_described(told),
            mitigation=cut(text(told.get("recommendation")), LONGEST),
            url=self._link(key),
            fixed=how.fixed,
            verdict=how.verdict,
            vendor_severity=word,
            vendor_status=how.word,
            vendor_reason=cut(text(row.get("analysis.detail")), 1_000) if how.fixed or how.verdict else "",
            cwe=_weaknesses(told),
            ids=tuple(dict.fromkeys((name, *_aliases(told)))),
            cvss=_vectors(told),
            cvss_score=_scored(told),
            epss=probability(told.get("epssScore")),
            known_exploited=_flag(told.get("isKev")),
            component="/".join(filter(None, (text(where.get("group")), component))),
            version=version,
            purl=text(where.get("purl")),
            references=_references(row),
            tags=_tags(row),
            found_at=_moment(row.get("attribution.attributedOn")),
            unknown_words=(*how.unknown, *self.unknown_severity("vulnerability.severity", word)),
        )

    def _link(self, matrix: str) -> str:
        """The audit view of a project, opened at this finding; by the project alone where the parts are unknown."""
        project, *parts = matrix.split(":")
        way = ["projects", project, "findings", *(parts if len(parts) == 2 else ())]
        return self.settings.url + "/".join(quoted(step) for step in way)


def _named_by(field: str) -> Any:
    return lambda row: identifier(row, field)


def _cuts_findings(version: str) -> bool:
    """By the number before the first dot: 4.14.3, 5.0.0-rc.5. What cannot be read is taken for a new server."""
    found = re.match(r"(\d{1,4})\.", version)
    return found is None or int(found[1]) >= 5


def _titled(name: str, version: str) -> str:
    return f"{name} {version}".strip()


def _described(vulnerability: Row) -> str:
    told = (vulnerability.get("title"), vulnerability.get("description"))
    return cut("\n\n".join(filter(None, map(text, told))), LONGEST)


def _weaknesses(vulnerability: Row) -> tuple[int, ...]:
    """All of them, and on servers before 4.5 the one that is told."""
    told = [each["cweId"] for each in objects(vulnerability.get("cwes"))]
    return cwes(*(told or [vulnerability.get("cweId")]))


def _aliases(vulnerability: Row) -> list[str]:
    """What others call the same vulnerability."""
    told = [text(each.get(name)) for each in objects(vulnerability.get("aliases")) for name in ALIASES]
    return [name for name in told if name]


def _vectors(vulnerability: Row) -> tuple[str, ...]:
    told = [text(vulnerability.get(f"cvssV{version}Vector")) for version in (4, 3, 2)]
    return tuple(filter(None, told))


def _scored(vulnerability: Row) -> float | None:
    """By the newest version of CVSS that has one."""
    for name in ("cvssV4Score", "cvssV3BaseScore", "cvssV2BaseScore"):
        if (found := score(vulnerability.get(name))) is not None:
            return found
    return None


def _references(row: Row) -> tuple[str, ...]:
    """What the advisory leads to, and the page of whoever found the component affected."""
    advisory = text(row.get("vulnerability.references"))
    return links(*(links_in(advisory) or advisory.split()), text(row.get("attribution.referenceUrl")))


def _tags(row: Row) -> tuple[str, ...]:
    told = (row.get("vulnerability.source"), row.get("attribution.analyzerIdentity"), row.get("component.scope"))
    return tuple(filter(None, map(text, told)))


def _flag(told: Any) -> bool | None:
    if told is None or isinstance(told, bool):
        return told
    raise VendorChanged("Whether it is known to be exploited is neither true nor false.")


def _moment(told: Any) -> datetime | None:
    """Milliseconds since 1970, as the API writes times; None for the text of an export, whose zone nobody knows."""
    if isinstance(told, bool) or not isinstance(told, int | float):
        return None
    try:
        return datetime.fromtimestamp(told / 1_000, UTC)
    except (OverflowError, ValueError, OSError):
        return None
