"""SonarQube (Server and Cloud): vulnerabilities, security hotspots and dependency risks of each project's branches."""

import re
from collections.abc import Generator
from dataclasses import replace
from functools import partial
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from tidegate.connectors.sonarqube import state
from tidegate.connectors.sonarqube.evidence import flow
from tidegate.connectors.sonarqube.location import is_cloud, location
from tidegate.connectors.sonarqube.rules import Rules
from tidegate.connectors.sonarqube.search import OF_HOTSPOTS, OF_ISSUES, TOTAL, Cut, Search
from tidegate_sdk import (
    AccessDenied,
    Account,
    Ask,
    AuthRejected,
    Branch,
    Branches,
    Count,
    Families,
    Family,
    Finding,
    Header,
    Http,
    HttpSettings,
    List,
    NotFound,
    Page,
    PageNumber,
    Row,
    Severity,
    Skip,
    Skipped,
    Talk,
    Tool,
    VendorChanged,
    VendorDown,
    Vep,
    Whole,
    branches_of,
    chosen,
    identifier,
)
from tidegate_sdk.fields import cwes, moment, objects, quoted, rows, score, text, texts, vulnerabilities

OLDEST = (9, 9)
FAMILIES = ("vulnerabilities", "hotspots", "dependency risks")
QUALITIES = frozenset({"SECURITY", "RELIABILITY", "MAINTAINABILITY"})
ELSEWHERE = "SonarQube Cloud keeps dependency risks at another address (api.sonarcloud.io), which is not read yet."
OFF = "Dependency risks (Advanced Security) are not enabled on this server."


class SonarQubeSettings(HttpSettings):
    url: Annotated[str, AfterValidator(location)] = Field(
        title="Location URL",
        description="The address of SonarQube in your browser, or https://sonarcloud.io; any of its pages will do.",
        examples=["https://sonar.example.org", "https://sonarcloud.io"],
    )
    token: SecretStr = Field(
        title="User token",
        min_length=1,
        description="My Account > Security, of the type User; its user needs Browse on each project, and nothing more.",
    )
    organization: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        "",
        title="Organization",
        description="Its key, as in sonarcloud.io/organizations/KEY; for SonarQube Cloud only.",
    )
    branches: tuple[Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)], ...] = Field(
        (),
        title="Branches",
        description="Names or patterns such as release/*; left empty, the main branch alone is read.",
        examples=[["main", "release/*"]],
    )
    severity: Literal["impact", "standard"] = Field(
        "impact",
        title="Severity",
        description="Which of an issue's two severities counts: impact on security (MQR mode), or standard.",
    )

    @model_validator(mode="after")
    def organization_fits(self) -> Self:
        """A project of the Cloud is found only by its organization; a server has none."""
        if is_cloud(self.url) and not self.organization:
            raise ValueError("the organization's key is missing, by which alone SonarQube Cloud lists projects")
        if self.organization and not is_cloud(self.url):
            raise ValueError("an organization is for SonarQube Cloud alone; a server has none")
        return self


class SonarQube(Tool[SonarQubeSettings]):
    slug = "sonarqube"
    name = "SonarQube"
    a_record_is = "a project"
    has_branches = True
    severities = {  # noqa: RUF012 - declared as a ClassVar by Tool
        "blocker": Severity.CRITICAL,
        "critical": Severity.HIGH,
        "high": Severity.HIGH,
        "major": Severity.MEDIUM,
        "medium": Severity.MEDIUM,
        "minor": Severity.LOW,
        "low": Severity.LOW,
        "info": Severity.INFO,
    }

    def __init__(self, settings: SonarQubeSettings) -> None:
        super().__init__(settings)
        self.rules = Rules()
        self.has_risks: bool | None = None
        """Whether the server has dependency risks; None until it was asked."""
        self.organization = {"organization": settings.organization} if settings.organization else {}

    def door(self) -> Http:
        per_second = 5 if is_cloud(self.settings.url) else 10
        auth = Header("Authorization", self.settings.token, "Bearer {}")
        return self.settings.door(self.settings.url, auth, per_second=per_second)

    def account(self) -> Talk[Account]:
        """Whom the token belongs to; the account is the server, or the organization, since all projects are there."""
        user = yield Ask("api/users/current", bare=True)
        if Row(user.body)["isLoggedIn"] is not True:
            raise AuthRejected("SonarQube takes us for somebody who has not logged in.")
        name = text(Row(user.body).get("name")) or text(Row(user.body).get("login"))
        if self.organization:
            return Account(id=f"{self.settings.url}{self.settings.organization}", name=name)
        status = yield Ask("api/system/status", bare=True)
        return Account(id=_server(Row(status.body)), name=name)

    def veps(self) -> List[Vep]:
        query = self.organization or {"qualifiers": "TRK"}
        pages = PageNumber(TOTAL, page="p", size="ps", per=500, window=10_000)
        return List(Ask("api/components/search", query), "components", pages, self.project, id=_named_by("key"))

    def open_findings(self) -> tuple[Count, ...]:
        """Of the vulnerabilities of all main branches; hotspots and risks are counted only project by project."""
        asked = {"types": "VULNERABILITY", "resolved": "false", "p": 1, "ps": 1, **self.organization}
        return (Count(TOTAL, Ask("api/issues/search", asked), most=10_000 if self.organization else None),)

    def project(self, row: Row) -> Vep:
        key = identifier(row, "key")
        screen = "project/overview" if self.organization else "dashboard"
        return Vep(
            id=key,
            name=text(row["name"]) or key,
            url=self._link(screen, id=key),
            parent=text(row.get("organization")) if self.organization else "",
        )

    def families(self, vep: Vep) -> Families:
        branches = yield from self._branches(vep)
        if not branches:
            told = ", ".join(f"«{pattern}»" for pattern in self.settings.branches)
            for name in FAMILIES:
                yield Skipped(name, f"No branch of this project matches {told}.")
            return
        for branch in branches:
            asked = {"branch": branch, **self.organization} if branch else self.organization
            there = partial(self._is_there, vep, branch) if branch else None
            issues = Ask(
                "api/issues/search",
                {
                    "componentKeys": vep.id,
                    "types": "VULNERABILITY",
                    "additionalFields": "comments,ruleDescriptionContextKey",
                    **asked,
                },
            )
            read_issue, read_hotspot = partial(self.issue, branch=branch), partial(self.hotspot, branch=branch)
            found = List(issues, "issues", self._search(OF_ISSUES, there), read_issue, id=_named_by("key"))
            yield Family("vulnerabilities", found, branch, off=frozenset({403}))
            hotspots = Ask("api/hotspots/search", {"projectKey": vep.id, **asked})
            found = List(hotspots, "hotspots", self._search(OF_HOTSPOTS, there), read_hotspot, id=_named_by("key"))
            yield Family("hotspots", found, branch, off=frozenset({403}))
            if why := (yield from self._why_no_risks()):
                yield Skipped("dependency risks", why, branch)
            else:
                yield self._risks(vep, branch)

    def _risks(self, vep: Vep, branch: str) -> Family:
        ask = Ask("api/v2/sca/issues-releases", {"projectKey": vep.id, **({"branchKey": branch} if branch else {})})
        pages = PageNumber("page.total", page="pageIndex", size="pageSize", per=500)
        read = partial(self.risk, project=vep.id, branch=branch)
        found = List(ask, "issuesReleases", pages, read, id=_named_by("key"))
        return Family("dependency risks", found, branch, off=frozenset({403, 404}))

    def _search(self, cuts: tuple[Cut, ...], witness: Any) -> Search:
        return Search(cuts, self.rules, self.organization, witness)

    def _branches(self, vep: Vep) -> Generator[Branches, Any, list[str]]:
        """The branches to read, the main one by an empty name: it stays the same one when it is called otherwise."""
        if not self.settings.branches:
            return [""]
        listed = yield from branches_of(List(self._branches_of(vep), "branches", Whole(), self.branch, id="name"))
        return [branch.id for branch in chosen(listed, self.settings.branches)]

    def branch(self, row: Row) -> Branch:
        """One branch of a project; pull requests are listed elsewhere."""
        return Branch(row["name"], row["isMain"])

    def _is_there(self, vep: Vep, branch: str) -> Generator[Ask, Page, bool]:
        """Whether the server still lists a branch: a search for one that is gone finds nothing, without an error."""
        page = yield replace(self._branches_of(vep), bare=True)
        return any(row["name"] == branch for row in rows(page.body, "branches"))

    def _branches_of(self, vep: Vep) -> Ask:
        return Ask("api/project_branches/list", {"project": vep.id, **self.organization})

    def _why_no_risks(self) -> Generator[Ask, Page, str]:
        """Why there are no dependency risks to be read; "" where there may be some."""
        if self.organization:
            return ELSEWHERE
        if self.has_risks is None:
            try:
                page = yield Ask("api/v2/sca/feature-enabled", bare=True)
            except (NotFound, AccessDenied) as error:
                return f"{OFF} {error.what}"
            enabled = Row(page.body)["enabled"]
            if not isinstance(enabled, bool):
                raise VendorChanged("The server does not say whether dependency risks are enabled.")
            self.has_risks = enabled
        return "" if self.has_risks else OFF

    def issue(self, row: Row, branch: str = "") -> Finding | Skip:
        """An issue by its key, which SonarQube keeps while lines move, texts are edited and files are renamed."""
        if row["type"] in ("BUG", "CODE_SMELL"):
            return Skip("Only issues of type vulnerability are read.")
        key, project, told = identifier(row, "key"), text(row["project"]), text(row["message"])
        word, unknown = self._graded(row)
        how, rule = state.of_issue(row), self.rules.of(text(row["rule"]))
        return Finding(
            key=key,
            title=told,
            severity=self.severity(word),
            description=rule.description,
            mitigation=rule.fix(text(row.get("ruleDescriptionContextKey"))),
            evidence=flow(row, project),
            url=self._link("project/issues", branch, id=project, open=key),
            fixed=how.fixed,
            verdict=how.verdict,
            vendor_severity=word,
            vendor_status=how.word,
            vendor_reason=_last_comment(row) if how.verdict else "",
            rule=text(row["rule"]),
            cwe=rule.cwe,
            ids=vulnerabilities(told),
            path=_path(row, project),
            line=row.get("line"),
            references=rule.references,
            tags=texts(row.get("tags")),
            found_at=moment(row["creationDate"]),
            unknown_words=(*unknown, *how.unknown),
        )

    def hotspot(self, row: Row, branch: str = "") -> Finding:
        """A hotspot by its key. It is code to be reviewed; until somebody does, it counts as open."""
        key, project, word = identifier(row, "key"), text(row["project"]), text(row["vulnerabilityProbability"])
        how, rule = state.of_hotspot(row), self.rules.of(text(row.get("ruleKey")))
        screen = "project/security_hotspots" if self.organization else "security_hotspots"
        return Finding(
            key=key,
            title=text(row["message"]),
            severity=self.severity(word),
            description=rule.description,
            mitigation=rule.fix(),
            evidence=flow(row, project),
            url=self._link(screen, branch, id=project, hotspots=key),
            fixed=how.fixed,
            verdict=how.verdict,
            vendor_severity=word,
            vendor_status=how.word,
            rule=text(row.get("ruleKey")),
            cwe=rule.cwe,
            path=_path(row, project),
            line=row.get("line"),
            references=rule.references,
            tags=(text(row["securityCategory"]),),
            found_at=moment(row["creationDate"]),
            unknown_words=(*self.unknown_severity("vulnerabilityProbability", word), *how.unknown),
        )

    def risk(self, row: Row, project: str = "", branch: str = "") -> Finding | Skip:
        """A weakness in one version of a package that the project uses, by the key of that pair."""
        if row["type"] == "PROHIBITED_LICENSE":
            return Skip("A licence is no weakness.")
        key, word, how = identifier(row, "key"), text(row["severity"]), state.of_risk(row)
        names, files = text(row.get("vulnerabilityId")), texts(row.get("release.dependencyFilePaths"))
        package, version = text(row["release.packageName"]), text(row.get("release.version"))
        kind = {"VULNERABILITY": "Vulnerability", "MALWARE": "Malware"}.get(row["type"], "Risk")
        unknown = () if row["type"] in ("VULNERABILITY", "MALWARE") else (f"type: {str(row['type']).lower()[:100]}",)
        return Finding(
            key=key,
            title=f"{names or kind} in {package} {version}".rstrip(),
            severity=self.severity(word),
            evidence="\n".join(files[:50]),
            url=self._link(f"dependency-risks/{key}/what", branch, id=project),
            fixed=how.fixed,
            verdict=how.verdict,
            vendor_severity=word,
            vendor_status=how.word,
            cwe=cwes(texts(row.get("cweIds"))),
            ids=(names,) if names else (),
            cvss_score=score(row.get("cvssScore")),
            component=package,
            version=version,
            purl=text(row.get("release.packageUrl")),
            path=files[0] if files else "",
            tags=tuple(filter(None, (kind.lower(), text(row.get("release.scopeSummary")).lower()))),
            found_at=moment(row["createdAt"]),
            unknown_words=(*self.unknown_severity("severity", word), *how.unknown, *unknown),
        )

    def _graded(self, row: Row) -> tuple[str, tuple[str, ...]]:
        """The severity in the chosen mode, and its words that nobody knows. Servers before 10.2 have no impacts."""
        impacts = objects(row.get("impacts"))
        qualities = [text(impact["softwareQuality"]) for impact in impacts]
        odd = tuple(f"softwareQuality: {quality.lower()[:100]}" for quality in qualities if quality not in QUALITIES)
        of_security = next((text(each["severity"]) for each in impacts if each["softwareQuality"] == "SECURITY"), "")
        standard = text(row.get("severity"))
        word = (of_security or standard) if self.settings.severity == "impact" else (standard or of_security)
        return word, (*self.unknown_severity("severity", word), *odd)

    def _link(self, screen: str, branch: str = "", **query: str) -> str:
        asked = {**query, "branch": branch} if branch else query
        told = "&".join([f"{name}={quoted(value)}" for name, value in asked.items()])
        return f"{self.settings.url}{screen}?{told.replace('%20', '+')}"


def _server(status: Row) -> str:
    """The id of a server that is up and new enough; it stays when the server gets another address."""
    if status["status"] != "UP":
        raise VendorDown(f"The server says that it is {str(status['status'])[:40]}.")
    version = identifier(status, "version")
    numbers = tuple(int(number) for number in re.findall(r"\d+", version)[:2])
    if numbers < OLDEST:
        step = "Update SonarQube to 9.9 or later; older servers do not say which rule a hotspot is of."
        raise VendorChanged(f"This is SonarQube {version[:40]}.", step)
    return identifier(status, "id")


def _named_by(field: str) -> Any:
    return lambda row: identifier(row, field)


def _path(row: Row, project: str) -> str:
    """The file within its project; "" for what concerns the project as a whole."""
    component = text(row["component"])
    return component.removeprefix(f"{project}:") if component != project else ""


def _last_comment(row: Row) -> str:
    """What was noted last, and by whom: the reason for a verdict, if anybody gave one."""
    comments = objects(row.get("comments"))
    if not comments:
        return ""
    last = max(comments, key=lambda comment: text(comment["createdAt"]))
    return " · ".join(filter(None, (text(last.get("markdown")), text(last.get("login")))))[:1000]
