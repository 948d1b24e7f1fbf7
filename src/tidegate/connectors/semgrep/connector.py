"""Semgrep AppSec Platform: code, supply chain and secrets findings of each project."""

from collections.abc import Generator
from dataclasses import replace
from functools import partial
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr

from tidegate.connectors.semgrep.paging import Cursors, Numbered, Projects, deployment_of
from tidegate_sdk import (
    AccessDenied,
    Account,
    Ask,
    Families,
    Family,
    Finding,
    Header,
    Http,
    HttpSettings,
    List,
    Location,
    NotFound,
    Page,
    Row,
    Severity,
    Skipped,
    Talk,
    Tool,
    Vep,
    identifier,
    state_of,
)
from tidegate_sdk.fields import cut, cwes, line, links, moment, objects, probability, quoted, rows, text, texts
from tidegate_sdk.state import ACCEPTED, FALSE_POSITIVE, FIXED, OPEN, OUT_OF_SCOPE, State

CODE, SUPPLY_CHAIN, SECRETS = "code", "supply chain", "secrets"
ISSUES = {CODE: "sast", SUPPLY_CHAIN: "sca"}
"""What the API calls the Families that it lists together."""
STATUS = {
    "open": OPEN,
    "reviewing": OPEN,
    "fixing": OPEN,
    "provisionally_ignored": OPEN,
    "ignored": ACCEPTED,
    "fixed": FIXED,
}
"""Semgrep's assistant ignores provisionally, and no person did."""
REASON = {
    "acceptable_risk": ACCEPTED,
    "no_time": ACCEPTED,
    "no_triage_reason": ACCEPTED,
    "false_positive": FALSE_POSITIVE,
    "duplicate": OUT_OF_SCOPE,
}
"""Why somebody ignored it."""
OF_SECRETS = {
    "finding_status_open": OPEN,
    "finding_status_provisionally_ignored": OPEN,
    "finding_status_ignored": ACCEPTED,
    "finding_status_fixed": FIXED,
    "finding_status_removed": FIXED,
}
ECOSYSTEMS = {
    "npm": "npm", "pypi": "pypi", "gomod": "golang", "cargo": "cargo", "maven": "maven", "gem": "gem",
    "composer": "composer", "nuget": "nuget", "pub": "pub", "swiftpm": "swift", "hex": "hex",
}  # fmt: skip
"""What a package URL calls them."""
LOCATION = Location(
    "https://semgrep.dev",
    secret="API token",  # noqa: S106 - what it is called
    screens=frozenset({"api", "deployments", "docs", "login", "orgs", "products", "settings"}),
    hosts={"www.semgrep.dev": "semgrep.dev", "docs.semgrep.dev": "semgrep.dev"},
)
LONGEST = 4_000


class SemgrepSettings(HttpSettings):
    url: Annotated[str, AfterValidator(LOCATION)] = Field(
        title="Location URL",
        description="The address of Semgrep AppSec Platform in your browser; any of its pages will do.",
        examples=["https://semgrep.dev", "https://acme.semgrep.dev"],
    )
    token: SecretStr = Field(
        title="API token",
        min_length=1,
        description="Settings > Tokens > API tokens, with the permission Web API; it is of one organization.",
    )


class Semgrep(Tool[SemgrepSettings]):
    slug = "semgrep"
    name = "Semgrep AppSec Platform"
    a_record_is = "a project"
    severities = {  # noqa: RUF012 - declared as a ClassVar by Tool
        "critical": Severity.CRITICAL,
        "high": Severity.HIGH,
        "medium": Severity.MEDIUM,
        "low": Severity.LOW,
        "severity_critical": Severity.CRITICAL,
        "severity_high": Severity.HIGH,
        "severity_medium": Severity.MEDIUM,
        "severity_low": Severity.LOW,
    }

    def __init__(self, settings: SemgrepSettings) -> None:
        super().__init__(settings)
        self.off: dict[tuple[str, str], str] = {}
        """Why a Family is not to be read, by deployment; "" where it is. Asked once."""

    def door(self) -> Http:
        auth = Header("Authorization", self.settings.token, "Bearer {}")
        return self.settings.door(self.settings.url, auth, per_second=5)

    def account(self) -> Talk[Account]:
        """The organization that the token belongs to; Semgrep does not say whose the token is."""
        deployment = deployment_of((yield Ask("api/v1/deployments", bare=True)))
        return Account(id=deployment.id, name=deployment.name)

    def veps(self) -> List[Vep]:
        projects = Projects()
        ask = Ask("api/v1/deployments")
        return List(ask, "projects", projects, lambda row: self.project(row, projects), id=_id)

    def project(self, row: Row, projects: Projects) -> Vep:
        """A project is a repository, or a part of one that is scanned by itself; its id stays when it is renamed."""
        deployment = projects.deployment
        key = identifier(row, "id")
        attributes: dict[str, Any] = {
            "deployment": deployment.slug,
            "deployment_id": deployment.id,
            "branch": text(row.get("primary_branch")) or text(row.get("default_branch")),
            "tags": list(texts(row.get("tags"))),
        }
        url = next(iter(links(row.get("url"))), None)
        return Vep(id=key, name=text(row["name"]) or key, url=url, parent=deployment.name, attributes=attributes)

    def witness(self, vep: Vep) -> Talk[bool] | None:
        return self._is_there(vep)

    def _is_there(self, vep: Vep) -> Talk[bool]:
        path = f"api/v1/deployments/{vep.attributes['deployment']}/projects/{quoted(vep.name)}"
        try:
            page = yield Ask(path, bare=True)
        except NotFound:
            return False
        return identifier(page.body, "project.id") == vep.id

    def families(self, vep: Vep) -> Families:
        """Three lists. One in which nothing is reported of the whole organization may be one that is not enabled."""
        deployment = text(vep.attributes["deployment"])
        for family, kind in ISSUES.items():
            ask = Ask(f"api/v1/deployments/{deployment}/findings", {"issue_type": kind, "dedup": "true"})
            if why := (yield from self._why_off(family, deployment, ask.more(page=0, page_size=100))):
                yield Skipped(family, why)
                continue
            read = partial(self.code if family == CODE else self.supply_chain, deployment=deployment)
            found = List(ask.more(repository_ids=vep.id), "findings", Numbered(), read, id=_match)
            yield Family(family, found, off=frozenset({403}))
        ask = Ask(f"api/v1/deployments/{vep.attributes['deployment_id']}/secrets")
        if why := (yield from self._why_off(SECRETS, deployment, ask.more(limit=1))):
            yield Skipped(SECRETS, why)
        else:
            found = List(ask.more(repo=vep.name), "findings", Cursors(), self.secret, id=_id)
            yield Family(SECRETS, found, off=frozenset({403}), secret=True)

    def _why_off(self, family: str, deployment: str, ask: Ask) -> Generator[Ask, Page, str]:
        """Why a Family cannot be read: it is refused, or there is nothing of it at all, as of what is not enabled."""
        if (family, deployment) not in self.off:
            try:
                page = yield replace(ask, bare=True)
            except AccessDenied as error:
                return f"Not enabled: {error.what}"
            nothing = f"Nothing of {family} is reported in the whole organization; it may not be enabled there."
            self.off[family, deployment] = "" if rows(page.body, "findings") else nothing
        return self.off[family, deployment]

    def code(self, row: Row, deployment: str = "") -> Finding:
        """By the id that Semgrep computes of file, rule, pattern and place among equals; all branches share it."""
        rule, how = _rule(row), _state(row)
        path = text(row.get("location.file_path"))
        return Finding(
            key=_match(row),
            title=rule.rpartition(".")[2] or "Finding",
            description=text(row.get("rule.message")) or text(row.get("rule_message")),
            mitigation=_guidance(row),
            path=path,
            fix=cut(text(row.get("assistant.autofix.fix_code")), LONGEST),
            tags=(*texts(row.get("rule.vulnerability_classes")), *texts(row.get("rule.owasp_names"))),
            **self._common(row, how, f"orgs/{deployment}/findings/{identifier(row, 'id')}" if deployment else ""),
        )

    def supply_chain(self, row: Row, deployment: str = "") -> Finding:
        """A weakness in a package, by the same id."""
        rule, how = _rule(row), _state(row)
        package, version = text(row.get("found_dependency.package")), text(row.get("found_dependency.version"))
        named = text(row.get("vulnerability_identifier"))
        fixes = objects(row.get("fix_recommendations"))
        told = [f"{text(each.get('package'))} {text(each.get('version'))}".strip() for each in fixes]
        same = [text(each.get("version")) for each in fixes if text(each.get("package")) == package]
        malicious = ("malicious",) if row.get("is_malicious") is True else ()
        return Finding(
            key=_match(row),
            title=f"{named or rule.rpartition('.')[2] or 'Weakness'} in {package} {version}".rstrip(),
            description=text(row.get("rule.message")) or text(row.get("rule_message")),
            evidence=_reach(row),
            ids=(named,) if named else (),
            epss=probability(row.get("epss_score.score")),
            component=package,
            version=version,
            purl=_purl(text(row.get("found_dependency.ecosystem")), package, version),
            path=text(row.get("location.file_path")),
            fix=", ".join(told),
            fixed_version=next(iter(same), ""),
            tags=tuple(filter(None, (text(row.get("found_dependency.transitivity")), *malicious))),
            **self._common(row, how, f"orgs/{deployment}/supply-chain" if deployment else ""),
        )

    def secret(self, row: Row) -> Finding:
        """A credential that lies in the code. Semgrep shows where, and never the credential itself."""
        word, how = text(row["severity"]), state_of("status", row["status"], OF_SECRETS)
        place = text(row.get("findingPath"))
        file, _, number = place.rpartition(":")
        valid = text(row.get("validationState"))
        return Finding(
            key=_id(row),
            title=f"{text(row.get('type')) or 'Unknown'} credential in {file or place}",
            severity=self.severity(word),
            fixed=how.fixed,
            verdict=how.verdict,
            vendor_severity=word,
            vendor_status=how.word,
            confidence=text(row.get("confidence")).removeprefix("CONFIDENCE_").lower(),
            rule=text(row.get("ruleHashId")),
            path=file if number.isdecimal() else place,
            line=line(number),
            references=links(row.get("findingPathUrl")),
            tags=tuple(filter(None, (valid.removeprefix("VALIDATION_STATE_").lower().replace("_", " "),))),
            found_at=moment(row.get("createdAt")),
            unknown_words=(*self.unknown_severity("severity", word), *how.unknown),
        )

    def _common(self, row: Row, how: State, screen: str) -> dict[str, Any]:
        """The fields that code and supply chain share."""
        word = text(row["severity"])
        return {
            "severity": self.severity(word),
            "url": f"{self.settings.url}{screen}" if screen else None,
            "fixed": how.fixed,
            "verdict": how.verdict,
            "vendor_severity": word,
            "vendor_status": how.word,
            "vendor_reason": _why(row) if how.verdict else "",
            "confidence": text(row.get("confidence")),
            "rule": _rule(row),
            "cwe": cwes(texts(row.get("rule.cwe_names"))),
            "line": line(row.get("location.line")),
            "references": links(row.get("line_of_code_url")),
            "found_at": moment(row["created_at"]),
            "unknown_words": (*self.unknown_severity("severity", word), *how.unknown),
        }


def _id(row: Row) -> str:
    return identifier(row, "id")


def _match(row: Row) -> str:
    return identifier(row, "match_based_id")


def _rule(row: Row) -> str:
    return text(row.get("rule.name")) or text(row.get("rule_name"))


def _state(row: Row) -> State:
    """The status as the screens show it. What a person ignored is so for a reason, and without a known one it stays
    open; what a comment in the code mutes has none."""
    how = state_of("status", row["status"], STATUS)
    reason = row.get("triage_reason")
    if how.verdict is None or (reason is None and row.get("state") == "muted"):
        return how
    why = state_of("triage_reason", "none" if reason is None else reason, REASON)
    return State(how.word, verdict=why.verdict, unknown=why.unknown)


def _why(row: Row) -> str:
    told = (text(row.get("triage_reason")).replace("_", " "), text(row.get("triage_comment")))
    return cut(" · ".join(filter(None, told)), 1_000)


def _guidance(row: Row) -> str:
    """What the assistant advises."""
    told = (text(row.get("assistant.guidance.summary")), text(row.get("assistant.guidance.instructions")))
    return cut("\n\n".join(filter(None, told)), LONGEST)


def _reach(row: Row) -> str:
    """Whether the code reaches the weakness, under which condition, and where it uses the package."""
    reach = text(row.get("reachability"))
    used, number = text(row.get("usage.location.file_path")), line(row.get("usage.location.line"))
    place = f"{used}:{number}" if number else used
    told = (f"Reachability: {reach}" if reach else "", text(row.get("reachable_condition")), place)
    return "\n".join(filter(None, told))


def _purl(ecosystem: str, package: str, version: str) -> str:
    kind = ECOSYSTEMS.get(ecosystem)
    if not kind or not package:
        return ""
    parts = package.replace(":", "/") if kind == "maven" else package
    path = "/".join(quoted(part) for part in parts.split("/") if part)
    return f"pkg:{kind}/{path}" + (f"@{quoted(version)}" if version else "")
