"""Checkmarx One: what the engines of the newest scans found in each project, on the branches that are wanted."""

from collections.abc import Generator, Mapping
from functools import partial
from itertools import pairwise
from typing import Annotated, Any, Self
from urllib.parse import urlencode

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from tidegate.connectors.checkmarx_one.exchange import TokenExchange
from tidegate.connectors.checkmarx_one.location import location, login_location, logins_of
from tidegate.connectors.checkmarx_one.package import package_of
from tidegate.connectors.checkmarx_one.paging import Names, Results
from tidegate.connectors.checkmarx_one.scan import (
    CONTAINERS,
    ENGINES,
    KICS,
    SAST,
    SCA,
    SCORECARD,
    SECRETS,
    Scan,
    newest,
    scan_of,
)
from tidegate_sdk import (
    Account,
    Ask,
    Branch,
    Families,
    Family,
    Finding,
    Http,
    HttpSettings,
    List,
    Offset,
    OneWalk,
    Page,
    Row,
    Severity,
    Skip,
    Skipped,
    Talk,
    Tool,
    VendorChanged,
    Vep,
    branches_of,
    chosen,
    identifier,
    jwt_end,
    state_of,
)
from tidegate_sdk.auth import reveal
from tidegate_sdk.fields import (
    cut,
    cwes,
    line,
    links,
    moment,
    objects,
    quoted,
    rows,
    score,
    text,
    texts,
    vulnerabilities,
)
from tidegate_sdk.state import ACCEPTED, FALSE_POSITIVE, FIXED, OPEN, State

TYPES: Mapping[str, str] = {
    "sast": SAST,
    "sca": SCA,
    "sca-container": SCA,
    "kics": KICS,
    "containers": CONTAINERS,
    "sscs-secret-detection": SECRETS,
    "sscs-scorecard": SCORECARD,
}
"""Which Family a result belongs to; what SCA finds in an image is SCA's."""
STATES = {
    "to_verify": OPEN,
    "confirmed": OPEN,
    "urgent": OPEN,
    "proposed_not_exploitable": OPEN,
    "not_exploitable": FALSE_POSITIVE,
    "ignored": ACCEPTED,
}
"""Those that every tenant has. What a tenant's own say is for a person to tell: they are open by themselves."""
STATUS = {"new": OPEN, "recurrent": OPEN, "fixed": FIXED}
LOOK_BACK = 50
"""Completed scans of a branch among which the newest of each engine is looked for."""
LONGEST = 4_000
STEPS = 50
Name = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class CheckmarxOneSettings(HttpSettings):
    url: Annotated[str, AfterValidator(location)] = Field(
        title="Location URL",
        description="The address of Checkmarx One in your browser; its region is where your data lies.",
        examples=["https://ast.checkmarx.net", "https://eu.ast.checkmarx.net", "https://anz.ast.checkmarx.net"],
    )
    tenant: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        title="Tenant",
        description="The name of your tenant account, as you enter it to log in.",
    )
    key: SecretStr = Field(
        title="API key",
        min_length=1,
        description="Settings > Identity and Access Management > API Keys; of a user with the role ast-viewer.",
    )
    branches: tuple[Name, ...] = Field(
        (),
        title="Branches",
        description=(
            "Names or patterns such as release/*; left empty, the project's main branch alone is read, and where it "
            "names none, the one that was scanned last."
        ),
        examples=[["main", "release/*"]],
    )
    accepted_states: tuple[Name, ...] = Field(
        (),
        title="States that accept the risk",
        description="Of your tenant's own result states, those in which somebody accepted the risk; the rest is open.",
        examples=[["Risk Accepted"]],
        json_schema_extra={"seldom": True},
    )
    false_positive_states: tuple[Name, ...] = Field(
        (),
        title="States of false positives",
        description="Of your tenant's own result states, those in which somebody found that nothing is wrong.",
        examples=[["Mitigated by Design"]],
        json_schema_extra={"seldom": True},
    )
    logins: Annotated[str, AfterValidator(login_location)] = Field(
        "",
        title="Login URL",
        description="Where your tenant logs in, if Checkmarx gave you a host of your own; otherwise leave it empty.",
        examples=["https://iam.acme.example.org"],
        json_schema_extra={"seldom": True},
    )

    @model_validator(mode="after")
    def states_mean_one_thing(self) -> Self:
        """What the states mean that every tenant has is known, and a tenant's own one says one thing."""
        known = {name.replace("_", " ") for name in STATES}
        accepted, false = (
            [name.lower() for name in told] for told in (self.accepted_states, self.false_positive_states)
        )
        if odd := [name for name in (*accepted, *false) if name.replace("_", " ") in known]:
            raise ValueError(f"what the state «{odd[0]}» means is known; name only those of your tenant's own")
        if both := [name for name in accepted if name in false]:
            raise ValueError(f"the state «{both[0]}» is named twice, and it cannot mean both")
        return self

    @model_validator(mode="after")
    def logins_are_known(self) -> Self:
        """Checkmarx's own hosts come in pairs; of others nobody knows where their logins are."""
        if not self.logins and not logins_of(self.url):
            raise ValueError("the login URL is missing: of a host of your own nobody can tell where one logs in")
        return self


class CheckmarxOne(Tool[CheckmarxOneSettings]):
    slug = "checkmarx_one"
    name = "Checkmarx One"
    a_record_is = "a project"
    has_branches = True
    severities: Mapping[str, Severity] = {
        "critical": Severity.CRITICAL,
        "high": Severity.HIGH,
        "medium": Severity.MEDIUM,
        "low": Severity.LOW,
        "info": Severity.INFO,
    }

    def __init__(self, settings: CheckmarxOneSettings) -> None:
        super().__init__(settings)
        accepted = {name.lower(): ACCEPTED for name in settings.accepted_states}
        self.states = {
            **STATES,
            **accepted,
            **{name.lower(): FALSE_POSITIVE for name in settings.false_positive_states},
        }

    def door(self) -> Http:
        """No rate is published; five a second ask for less than the vendor's own screens do."""
        there = self.settings.login_door(self.settings.logins or logins_of(self.settings.url))
        login = TokenExchange(there, self.settings.tenant, self.settings.key)
        return self.settings.door(self.settings.url, login, per_second=5)

    def account(self) -> Talk[Account]:
        """The tenant: whoever's key it is, projects are the same ones. One project is asked for, to see that we may."""
        page = yield Ask("api/projects", {"offset": 0, "limit": 1}, bare=True)
        rows(page.body, "projects")
        ends = jwt_end(reveal(self.settings.key))
        return Account(id=f"{self.settings.url}{self.settings.tenant}", name=self.settings.tenant, credential_ends=ends)

    def veps(self) -> List[Vep]:
        pages = Offset("filteredTotalCount", per=100)
        return List(Ask("api/projects"), "projects", pages, self.project, id=_named_by("id"))

    def project(self, row: Row) -> Vep:
        """A project by its id, which stays when it is renamed."""
        key = identifier(row, "id")
        attributes = {
            "main_branch": text(row.get("mainBranch")),
            "repository": text(row.get("repoUrl")),
            "tags": _tags_of(row.get("tags")),
            "groups": list(texts(row.get("groups"))),
            "applications": list(texts(row.get("applicationIds"))),
            "criticality": row.get("criticality"),
        }
        url = f"{self.settings.url}projects/{quoted(key)}/overview"
        return Vep(id=key, name=text(row["name"]) or key, url=url, attributes=attributes)

    def families(self, vep: Vep) -> Families:
        branches = yield from self._branches(vep)
        if not branches:
            told = ", ".join(f"«{pattern}»" for pattern in self.settings.branches)
            for family in ENGINES:
                yield Skipped(family, f"No branch of this project matches {told}.")
            return
        for branch in branches:
            scans = yield from self._scans(vep, branch)
            walks = {scan.id: self._walk(vep, scan) for scan in scans}
            for family, (scan, why) in newest(scans).items():
                if scan is None:
                    yield Skipped(family, why, branch.id)
                    continue
                secret, found = family == SECRETS, walks[scan.id].share(family)
                yield Family(family, found, branch.id, off=frozenset({403}), mark=scan.mark, secret=secret)

    def _branches(self, vep: Vep) -> Generator[Any, Any, list[Branch]]:
        """The branches to read, the main one by an empty name: it stays the same one when it is called otherwise."""
        main = text(vep.attributes.get("main_branch"))
        if not self.settings.branches:
            return [Branch(main, main=True)]
        ask = Ask("api/projects/branches", {"project-id": vep.id})
        listed = yield from branches_of(List(ask, "", Names(), partial(_branch, main=main), id="name"))
        return chosen(listed, self.settings.branches)

    def _scans(self, vep: Vep, branch: Branch) -> Generator[Ask, Page, list[Scan]]:
        """The newest completed scans of a branch; of the branch that was scanned last, where it has no name."""
        query = {"project-id": vep.id, "statuses": "Completed", "sort": "-created_at", "offset": 0, "limit": LOOK_BACK}
        named = {"branches": branch.name} if branch.name else {}
        page = yield Ask("api/scans", {**query, **named}, bare=True)
        scans = [scan_of(row) for row in rows(page.body, "scans")]
        if branch.name and any(scan.branch != branch.name for scan in scans):
            raise VendorChanged(f"Checkmarx One lists scans of other branches where those of {branch.name!r} are due.")
        if any(later.mark > scan.mark for scan, later in pairwise(scans)):
            raise VendorChanged("Checkmarx One does not list the newest scan first, as it is asked to.")
        return [scan for scan in scans if scan.branch == scans[0].branch]

    def _walk(self, vep: Vep, scan: Scan) -> OneWalk[Finding]:
        """The results of a scan, of all engines that ran; in an order that no triage changes."""
        ask = Ask("api/results", {"scan-id": scan.id, "sort": "+firstfoundat"})
        read = partial(self.result, project=vep.id, scan=scan)
        return OneWalk(
            List(ask, "results", Results(), read, id=key_of),
            family_of,
            scan.families,
            secret=SECRETS in scan.families,
        )

    def result(self, row: Row, project: str = "", scan: Scan | None = None) -> Finding | Skip:
        """A result of any engine; `project` and `scan` are where it lies."""
        read = {
            SAST: self.sast,
            SCA: self.sca,
            KICS: self.kics,
            CONTAINERS: self.container,
            SECRETS: self.secret,
            SCORECARD: self.scorecard,
        }[family_of(row)]
        return read(row, self._common(row), f"{project}/{scan.id}" if scan else "")

    def sast(self, row: Row, common: Mapping[str, Any], at: str) -> Finding:
        """A flow through the code, of which the last step says where."""
        nodes = objects(row.get("data.nodes"))
        query = text(row["data.queryName"])
        path, number = _place(nodes[-1]) if nodes else ("", None)
        screen = f"sast-results/{at}?{urlencode({'resultId': identifier(row, 'data.resultHash')})}"
        return Finding(
            **common,
            title=_worded(query) + (f" in {path}" if path else ""),
            evidence="\n".join(map(_step, nodes[:STEPS])),
            url=self._link(screen, at),
            rule=query,
            path=path,
            line=number,
            tags=_told(row, "data.languageName", "data.group"),
        )

    def sca(self, row: Row, common: Mapping[str, Any], at: str) -> Finding:
        """A weakness in a package that the project uses."""
        package, name = package_of(row), identifier(row, "id")
        places = texts(row.get("data.scaPackageData.locations"))
        better = row.get("data.recommendedVersion")
        version = better if isinstance(better, str) else ""
        there = f"/vulnerabilities/{quoted(f'{name}:{package.id}')}/vulnerabilityDetailsGql"
        own = text(row.get("data.scaPackageData.fixLink"))
        screen = f"results/{at}/sca?{urlencode({'internalPath': there})}"
        return Finding(
            **common,
            title=f"{name} in {package.name} {package.version}".rstrip(),
            mitigation=text(row.get("data.recommendations")),
            evidence="\n".join(places[:STEPS]),
            url=self._link(screen, at),
            ids=_names(row),
            component=package.name,
            version=package.version,
            purl=package.purl,
            fix=f"{package.name} {version}" if version else "",
            fixed_version=version,
            path=_from_root(places[0]) if places else "",
            references=links(own, [each.get("url") for each in objects(row.get("data.packageData"))]),
            tags=_told(row, "scaType", "data.scaPackageData.typeOfDependency"),
        )

    def kics(self, row: Row, common: Mapping[str, Any], at: str) -> Finding:
        """Something that a file of infrastructure sets, or leaves out."""
        query, path = text(row["data.queryName"]), _from_root(_file(row))
        project, _, scan = at.partition("/")
        screen = f"results/{scan}/{project}/kics?{urlencode({'result-id': identifier(row, 'id')})}"
        expected = text(row.get("data.expectedValue"))
        return Finding(
            **common,
            title=f"{query} in {path}",
            mitigation=expected,
            evidence=text(row.get("data.value")),
            url=self._link(screen, at),
            rule=text(row.get("data.queryId")),
            path=path,
            line=line(row.get("data.line")),
            references=links(row.get("data.queryUrl")),
            tags=_told(row, "data.platform", "data.group", "data.issueType"),
        )

    def container(self, row: Row, common: Mapping[str, Any], at: str) -> Finding:
        """A weakness in a package of an image."""
        package, name, image = package_of(row), identifier(row, "id"), _image(row)
        return Finding(
            **common,
            title=f"{name} in {package.name} {package.version} of {image}",
            url=self._link(f"container-security-results/{at}/results", at),
            ids=_names(row),
            component=package.name,
            version=package.version,
            image=image,
            path=_from_root(text(row.get("data.imageFilePath"))),
            tags=_told(row, "data.imageOrigin"),
        )

    def secret(self, row: Row, common: Mapping[str, Any], at: str) -> Finding:
        """A credential that lies in the code: where, and of which kind; what it is, is not looked at."""
        return self._of_repository(row, common, at, "Secret", "data.validity")

    def scorecard(self, row: Row, common: Mapping[str, Any], at: str) -> Finding:
        """Something about the repository itself."""
        return self._of_repository(row, common, at, "Repository health", "data.slsaStep")

    def _of_repository(self, row: Row, common: Mapping[str, Any], at: str, kind: str, tag: str) -> Finding:
        rule, path = text(row.get("data.ruleName")), _from_root(_file(row))
        project, _, scan = at.partition("/")
        told = (text(row.get("data.remediation")), text(row.get("data.remediationAdditional")))
        return Finding(
            **common,
            title=f"{rule or kind} in {path}",
            mitigation=cut("\n\n".join(filter(None, told)), LONGEST),
            url=self._link(f"projects/{project}/scans?{urlencode({'id': scan})}", at),
            rule=rule,
            path=path,
            line=line(row.get("data.line")),
            references=links(row.get("data.remediationLink"), row.get("data.commitUrl")),
            tags=_told(row, tag),
        )

    def _common(self, row: Row) -> dict[str, Any]:
        """The fields that all engines share."""
        word, how = text(row["severity"]), self._state(row)
        return {
            "key": key_of(row),
            "severity": self.severity(word),
            "description": text(row.get("description")) or text(row.get("data.ruleDescription")),
            "fixed": how.fixed,
            "verdict": how.verdict,
            "vendor_severity": word,
            "vendor_status": how.word,
            "vendor_reason": cut(_comment(row), 1_000) if how.verdict else "",
            "cwe": cwes(row.get("vulnerabilityDetails.cweId")),
            "cvss_score": _score(row),
            "found_at": moment(row.get("firstFoundAt")),
            "unknown_words": (*self.unknown_severity("severity", word), *how.unknown),
        }

    def _state(self, row: Row) -> State:
        """People decide on the state, scans on the status. A state that nobody told of is open, and reported."""
        how, seen = state_of("state", row["state"], self.states), state_of("status", row["status"], STATUS)
        word = seen.word if seen.fixed else how.word
        return State(word, seen.fixed, how.verdict, (*how.unknown, *seen.unknown))

    def _link(self, screen: str, at: str) -> str | None:
        return f"{self.settings.url}{screen}" if at else None


def family_of(row: Row) -> str:
    """The Family that a result belongs to; raises VendorChanged for one of an engine that nobody knows."""
    kind = text(row["type"])
    if (family := TYPES.get(kind.lower())) is None:
        raise VendorChanged(f"It is of the engine {kind[:100]!r}, which is none that is known.")
    return family


def key_of(row: Row) -> str:
    """What names a result from scan to scan. Several flows may be similar to Checkmarx, so one of SAST has its hash."""
    family = family_of(row)
    if family == SAST:
        return identifier(row, "data.resultHash")
    if family in (SCA, CONTAINERS):
        of_image = f":{_image(row)}" if family == CONTAINERS else ""
        return f"{identifier(row, 'id')}:{package_of(row).id}{of_image}"
    return f"{identifier(row, 'similarityId')}:{_file(row)}"


def _named_by(field: str) -> Any:
    return lambda row: identifier(row, field)


def _branch(row: Row, main: str) -> Branch:
    name = text(identifier(row, "name"))
    return Branch(name, main=name == main)


def _comment(row: Row) -> str:
    told = row.get("comments")
    return text(Row(told).get("comments")) if isinstance(told, dict) else ""


def _score(row: Row) -> float | None:
    """Zero is written where there is none; the rest passed through a float of 32 bits."""
    found = score(row.get("vulnerabilityDetails.cvssScore"))
    return round(found, 1) if found else None


def _names(row: Row) -> tuple[str, ...]:
    """The result's own name, which is a CVE or one that Checkmarx gave, and the CVE beside it."""
    own = identifier(row, "id")
    return tuple(dict.fromkeys((*(vulnerabilities(own) or (own,)), *vulnerabilities(row.get(_CVE)))))


_CVE = "vulnerabilityDetails.cveName"


def _file(row: Row) -> str:
    """Its name is written in two ways."""
    return identifier(row, "data.fileName" if row.get("data.filename") is None else "data.filename")


def _image(row: Row) -> str:
    return f"{identifier(row, 'data.imageName')}:{identifier(row, 'data.imageTag')}"


def _from_root(path: str) -> str:
    return path.lstrip("/")


def _place(node: Row) -> tuple[str, int | None]:
    return _from_root(text(node.get("fileName"))), line(node.get("line"))


def _step(node: Row) -> str:
    path, number = _place(node)
    return f"{path}:{number or '?'} {text(node.get('name'))}".rstrip()


def _worded(query: str) -> str:
    return query.replace("_", " ")


def _told(row: Row, *paths: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(filter(None, (text(row.get(path)) for path in paths))))


def _tags_of(told: Any) -> list[str]:
    """Tags are names with a value that is mostly empty."""
    if told is None:
        return []
    if not isinstance(told, dict):
        raise VendorChanged("The tags of a project are no names with values.")
    return [f"{name}:{value}" if value else name for name, value in Row(told).items()]
