"""Snyk: the issues of each project, whichever of Snyk's products found them, in one walk for each organization."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr, StringConstraints

from tidegate.connectors.snyk.coordinates import coordinates_of
from tidegate.connectors.snyk.location import location, screens
from tidegate.connectors.snyk.paging import PER_PAGE, VERSION, Organization, Pages, Projects
from tidegate_sdk import (
    AccessDenied,
    Account,
    Ask,
    Count,
    Families,
    Finding,
    Header,
    Http,
    HttpSettings,
    List,
    NotFound,
    Row,
    Severity,
    SharedFamilies,
    SharedFamily,
    Skip,
    Skipped,
    Talk,
    Tool,
    VendorChanged,
    Vep,
    identifier,
    state_of,
)
from tidegate_sdk.fields import cwes, links, moment, objects, quoted, score, text, texts
from tidegate_sdk.state import ACCEPTED, FIXED, OPEN

STATUS = {"open": OPEN, "resolved": FIXED}
TYPES: Mapping[str, str] = {
    "package_vulnerability": "package",
    "code": "code",
    "config": "configuration",
    "cloud": "cloud",
    "custom": "custom",
}
"""The kinds of an issue, by what a tag calls them. A licence is another, and no weakness."""
CODE = "sast"
CODE_OFF = "Snyk Code is switched off in this organization."
INACTIVE = "The project is deactivated in Snyk, which tests it no more and takes its issues from the reports."
_ISSUE = re.compile(r"SNYK-[A-Z0-9]+-[A-Z0-9_.-]+")
_UUID = re.compile(r"(?i)[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
"""What Snyk Code calls an issue: no vulnerability that others know."""


class SnykSettings(HttpSettings):
    url: Annotated[str, AfterValidator(location)] = Field(
        title="Location URL",
        description="The address of Snyk in your browser; its region is where your data lies. Any page will do.",
        examples=["https://app.snyk.io", "https://app.eu.snyk.io", "https://app.au.snyk.io"],
    )
    token: SecretStr = Field(
        title="API token",
        min_length=1,
        description="Of a service account whose role may view organizations, projects and project history.",
    )
    organizations: tuple[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)], ...] = Field(
        (),
        title="Organizations",
        description="Slugs, names or ids, also patterns such as team-*; left empty, every one that the token sees.",
        examples=[["acme-apps", "team-*"]],
    )


class Snyk(Tool[SnykSettings]):
    slug = "snyk"
    name = "Snyk"
    a_record_is = "a project"
    severities = {  # noqa: RUF012 - declared as a ClassVar by Tool
        "critical": Severity.CRITICAL,
        "high": Severity.HIGH,
        "medium": Severity.MEDIUM,
        "low": Severity.LOW,
        "info": Severity.INFO,
    }

    def door(self) -> Http:
        """Snyk allows 1,620 requests a minute for a token, which others may use as well."""
        auth = Header("Authorization", self.settings.token, "token {}")
        return self.settings.door(self.settings.url, auth, per_second=20)

    def account(self) -> Talk[Account]:
        """Whom the token belongs to: a service account, or a person."""
        page = yield Ask("rest/self", VERSION, bare=True)
        own = Row(page.body)
        named = text(own.get("data.attributes.name")) or text(own.get("data.attributes.username"))
        return Account(id=identifier(own, "data.id"), name=named)

    def veps(self) -> List[Vep]:
        projects = Projects(self.settings.organizations)
        return List(Ask("rest/orgs", PER_PAGE), "data", projects, lambda row: self.project(row, projects), id=_named)

    def open_findings(self) -> tuple[Count, ...]:
        """By severity, in the row of each project; one that was never tested has none to tell of."""
        return tuple(Count(f"meta.latest_issue_counts.{word}") for word in ("critical", "high", "medium", "low"))

    def project(self, row: Row, projects: Projects) -> Vep:
        """A project: one manifest, image or code base of a target, at one branch of it."""
        key, organization = identifier(row, "id"), identifier(row, "relationships.organization.data.id")
        known = projects.organizations.get(organization) or Organization(organization, "", organization)
        target = row.get("relationships.target.data.attributes.display_name")
        attributes = {
            "org": organization,
            "organization": known.slug,
            "type": text(row["attributes.type"]),
            "status": text(row["attributes.status"]),
            "origin": text(row.get("attributes.origin")),
            "target": text(target),
            "file": text(row.get("attributes.target_file")),
            "branch": text(row.get("attributes.target_reference")),
            "tags": [_tag(each) for each in objects(row.get("attributes.tags"))],
            "criticality": list(texts(row.get("attributes.business_criticality"))),
            "environment": list(texts(row.get("attributes.environment"))),
            "lifecycle": list(texts(row.get("attributes.lifecycle"))),
        }
        name = text(row["attributes.name"]) or key
        url = self._link(known.slug, key)
        return Vep(id=key, name=name, url=url, parent=known.name, attributes=attributes)

    def witness(self, vep: Vep) -> Talk[bool] | None:
        """Whether the project is there and still tested: of one that is deactivated, nothing would mean nothing."""
        return self._is_tested(vep)

    def _is_tested(self, vep: Vep) -> Talk[bool]:
        path = f"rest/orgs/{quoted(str(vep.attributes.get('org')))}/projects/{quoted(vep.id)}"
        try:
            page = yield Ask(path, VERSION, bare=True)
        except NotFound:
            return False
        own = Row(page.body)
        return identifier(own, "data.id") == vep.id and own["data.attributes.status"] != "inactive"

    def families(self, vep: Vep) -> Families:
        yield from ()

    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        """One walk an organization. A project is of one type, so what is switched off is off for whole projects."""
        for org in dict.fromkeys(text(vep.attributes["org"]) for vep in veps):
            here = [vep for vep in veps if vep.attributes["org"] == org]
            off = (yield from self._code_is_off(org)) if any(_is_code(vep) for vep in here) else False
            if off:
                yield Skipped("issues", CODE_OFF, covers=_inside(org, lambda vep: _is_active(vep) and _is_code(vep)))
            if any(not _is_active(vep) for vep in here):
                yield Skipped("issues", INACTIVE, covers=_inside(org, lambda vep: not _is_active(vep)))
            read = partial(_is_read, off=off)
            if any(read(vep) for vep in here):
                ask = Ask(f"rest/orgs/{quoted(org)}/issues", PER_PAGE)
                read_issue = partial(self.issue, organization=text(here[0].attributes["organization"]))
                issues = List(ask, "data", Pages(), read_issue, id=_key)
                yield SharedFamily("issues", issues, of=_home, covers=_inside(org, read), off=frozenset({403}))

    def _code_is_off(self, org: str) -> Talk[bool]:
        """Whether the organization has switched Snyk Code off; a token that may not ask takes it as it comes."""
        try:
            page = yield Ask(f"rest/orgs/{quoted(org)}/settings/sast", VERSION, bare=True)
        except (AccessDenied, NotFound):
            return False
        enabled = Row(page.body)["data.attributes.sast_enabled"]
        if not isinstance(enabled, bool):
            raise VendorChanged("Snyk does not say whether Snyk Code is switched on.")
        return not enabled

    def issue(self, row: Row, organization: str = "") -> Finding | Skip:
        """An issue by its key, by which Snyk knows it again from test to test, within its project.

        `organization` is the slug of the one that it lies in.
        """
        kind = text(row["attributes.type"])
        if kind == "license":
            return Skip("A licence is no weakness.")
        word, where = text(row["attributes.effective_severity_level"]), coordinates_of(row)
        problems = objects(row.get("attributes.problems"))
        names = tuple(identifier(problem, "id") for problem in problems if problem.get("type") == "vulnerability")
        how = state_of("status", row["attributes.status"], STATUS)
        ignored = row["attributes.ignored"]
        vectors, points = _cvss(row)
        return Finding(
            key=_key(row),
            title=_title(text(row["attributes.title"]), str(where.package)),
            severity=self.severity(word),
            description=text(row.get("attributes.description")),
            mitigation="\n\n".join(where.remedies),
            impact=_exploits(row),
            evidence=where.evidence,
            url=self._link(organization, _home(row), _key(row)) if organization else None,
            fixed=how.fixed,
            verdict=ACCEPTED.verdict if ignored is True else None,
            vendor_severity=word,
            vendor_status="ignored" if ignored is True and not how.fixed else how.word,
            vendor_reason=_resolution(row) if how.fixed else "",
            rule=next((identifier(problem, "id") for problem in problems if problem.get("type") == "rule"), ""),
            cwe=cwes([text(each.get("id")) for each in _weaknesses(row)]),
            ids=tuple(dict.fromkeys(name for name in names if not _UUID.fullmatch(name))),
            cvss=vectors,
            cvss_score=points,
            known_exploited=True if "CISA" in texts(row.get("attributes.exploit_details.sources")) else None,
            component=where.package.name or where.resource,
            version=where.package.version,
            purl=where.package.purl(names),
            fix=", ".join(where.fixes),
            path=where.path,
            line=where.line,
            references=_references(row, names),
            tags=(TYPES[kind],) if kind in TYPES else (),
            found_at=moment(row["attributes.created_at"]),
            unknown_words=(
                *self.unknown_severity("effective_severity_level", word),
                *how.unknown,
                *(() if kind in TYPES else (f"type: {kind.lower()[:100] or 'none'}",)),
                *(() if isinstance(ignored, bool) else (f"ignored: {str(ignored).lower()[:100]}",)),
            ),
        )

    def _link(self, organization: str, project: str, issue: str = "") -> str:
        """The screen of a project, or of one of its issues."""
        place = f"org/{quoted(organization)}/project/{quoted(project)}"
        return f"{screens(self.settings.url)}{place}" + (f"#issue-{quoted(issue)}" if issue else "")


def _named(row: Row) -> str:
    return identifier(row, "id")


def _key(row: Row) -> str:
    return identifier(row, "attributes.key")


def _home(row: Row) -> str:
    """What was scanned: a project, or an environment of a cloud, which is none that is listed."""
    return identifier(row, "relationships.scan_item.data.id")


def _inside(org: str, also: Callable[[Vep], bool]) -> Callable[[Vep], bool]:
    """The projects of one organization for which something else is true as well."""
    return lambda vep: vep.attributes.get("org") == org and also(vep)


def _is_active(vep: Vep) -> bool:
    return vep.attributes.get("status") != "inactive"


def _is_code(vep: Vep) -> bool:
    return vep.attributes.get("type") == CODE


def _is_read(vep: Vep, *, off: bool) -> bool:
    return _is_active(vep) and not (off and _is_code(vep))


def _tag(row: Row) -> str:
    return f"{text(row.get('key'))}:{text(row.get('value'))}"


def _title(told: str, package: str) -> str:
    """What is wrong, and where: a project has the same weakness in many packages."""
    return f"{told} in {package}" if package else told


def _weaknesses(row: Row) -> list[Row]:
    return [each for each in objects(row.get("attributes.classes")) if text(each.get("source")).upper() == "CWE"]


def _references(row: Row, names: Sequence[str]) -> tuple[str, ...]:
    """Snyk's own page of the vulnerability, and what problems and classes link to."""
    own = [f"https://security.snyk.io/vuln/{name}" for name in names if _ISSUE.fullmatch(name)]
    told = [*objects(row.get("attributes.problems")), *objects(row.get("attributes.classes"))]
    return links(own, [each.get("url") for each in told])


def _cvss(row: Row) -> tuple[tuple[str, ...], float | None]:
    """A vector for each version of CVSS, Snyk's own before those of others, and the score of the first."""
    told = objects(row.get("attributes.severities"))
    told.sort(key=lambda each: text(each.get("source")).lower() != "snyk")
    vectors: dict[str, str] = {}
    for each in told:
        if vector := text(each.get("vector")):
            vectors.setdefault(text(each.get("version"))[:1], vector)
    return tuple(vectors.values()), next((score(each.get("score")) for each in told), None)


def _exploits(row: Row) -> str:
    """How far exploits of it have come, and who says so."""
    levels = [
        f"{text(each.get('level'))} ({text(each.get('format'))})"
        for each in objects(row.get("attributes.exploit_details.maturity_levels"))
    ]
    sources = texts(row.get("attributes.exploit_details.sources"))
    told = f"Exploit maturity: {', '.join(levels)}." if levels else ""
    return f"{told} Sources: {', '.join(sources)}." if told and sources else told


def _resolution(row: Row) -> str:
    """By what means it was resolved, as far as Snyk says so."""
    told = (text(row.get("attributes.resolution.type")), text(row.get("attributes.resolution.details")))
    return " · ".join(filter(None, told))
