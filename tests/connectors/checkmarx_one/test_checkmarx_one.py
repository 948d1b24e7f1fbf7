"""What Checkmarx One makes of the vendor's documented answers; the sources are in its fixtures."""

import copy
import json
from collections.abc import Generator
from datetime import UTC, datetime
from io import BytesIO
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError

from tidegate.connectors.checkmarx_one.connector import CheckmarxOne, CheckmarxOneSettings, family_of, key_of
from tidegate.connectors.checkmarx_one.exchange import TokenExchange
from tidegate.connectors.checkmarx_one.fixtures.world import FILE
from tidegate.connectors.checkmarx_one.package import package_of
from tidegate.connectors.checkmarx_one.paging import Names, Results
from tidegate.connectors.checkmarx_one.scan import ENGINES, Scan, newest, scan_of
from tidegate_sdk import (
    Account,
    Ask,
    AuthRejected,
    Branch,
    Branches,
    ConnectorError,
    Family,
    Finding,
    Header,
    Incomplete,
    NotFound,
    Page,
    Row,
    Severity,
    Skipped,
    TotalMoved,
    VendorChanged,
    Vep,
    Verdict,
)

TOLD = json.loads(FILE.read_text())
WEB = "a1b2c3d4-0001-4000-8000-000000000001"
AT = "https://eu.ast.checkmarx.net/"
SCAN = Scan("s1", "main", "2024", ("SAST", "SCA", "KICS", "containers", "secrets", "scorecard"))
HERE = Vep(id=WEB, name="acme/web", attributes={"main_branch": "main"})


def tool(**settings: Any) -> CheckmarxOne:
    return CheckmarxOne(CheckmarxOneSettings(**{**TOLD["settings"], **settings}))


def answers(name: str) -> list[dict[str, Any]]:
    """The documented rows of a list, in order."""
    return [row for each in TOLD["exchanges"] if name in each["json"] for row in each["json"][name]]


def row(id_: str, **other: Any) -> Row:
    """A documented result by its id; data of it are changed by names that begin with `data_`."""
    found = copy.deepcopy(next(each for each in answers("results") if each["id"] == id_))
    for name, value in other.items():
        holder = found["data"] if name.startswith("data_") else found
        holder[name.removeprefix("data_")] = value
    return Row(found)


def read(id_: str, **other: Any) -> Finding:
    found = tool().result(row(id_, **other), WEB, SCAN)
    assert isinstance(found, Finding)
    return found


FLOW, SIMILAR, ODD = "DAGel891N7XdIZndJNSGRnK62UE=", "4/tlPdgnp5kS5PNqjnoXQagLbQE=", "1ZOFSPJzlZAqW4XH/43v0l2qI7w="
SETTING, OTHER_SETTING = "sZzpSZBOgluFm7HfxuClfXrS4MI=", "yQpSZBOgluFm7HfxuClfXrS4MIx="
PACKAGE, NAMELESS, IMAGE = "CVE-2013-7285", "Cxda14f253-4e52", "CVE-2005-2541"
SECRET, CARD = "bhXbZjjoQZdGAwUhj6MLo9sh4fA=", "n2a8iCzrIgbCe+dGKYk+cAApO0U="


# Goldens: each field argued against the documentation


def test_a_flow_field_by_field():
    """The last step says where; the key is the hash of the result, as a similarity id may name several flows."""
    assert read(FLOW) == Finding(
        key=FLOW,
        title="SQL Injection in src/main/java/org/acme/Users.java",
        severity=Severity.HIGH,
        description="The application's handle method runs SQL_Injection with what a user sent.",
        evidence=(
            "src/main/java/org/acme/Users.java:86 getParameter\nsrc/main/java/org/acme/Users.java:91 executeQuery"
        ),
        url=f"{AT}sast-results/{WEB}/s1?resultId=DAGel891N7XdIZndJNSGRnK62UE%3D",
        vendor_severity="HIGH",
        vendor_status="TO_VERIFY",
        rule="SQL_Injection",
        cwe=(89,),
        path="src/main/java/org/acme/Users.java",
        line=91,
        tags=("Java", "Java_High_Risk"),
        found_at=datetime(2023, 8, 24, 15, 3, 11, tzinfo=UTC),
    )


def test_a_package_field_by_field():
    """Name and version are told apart by the paths that lead to the package; both may hold hyphens and digits."""
    internal = "%2Fvulnerabilities%2FCVE-2013-7285%253AMaven-com.thoughtworks.xstream%253Axstream-1.4.5"
    assert read(PACKAGE) == Finding(
        key="CVE-2013-7285:Maven-com.thoughtworks.xstream:xstream-1.4.5",
        title="CVE-2013-7285 in com.thoughtworks.xstream:xstream 1.4.5",
        severity=Severity.HIGH,
        description="Xstream API versions up to 1.4.6 may run commands of an attacker while they read XML.",
        mitigation="Upgrade xstream.",
        evidence="pom.xml",
        url=f"{AT}results/{WEB}/s1/sca?internalPath={internal}%2FvulnerabilityDetailsGql",
        vendor_severity="HIGH",
        vendor_status="PROPOSED_NOT_EXPLOITABLE",
        cwe=(78,),
        ids=("CVE-2013-7285",),
        cvss_score=9.8,
        component="com.thoughtworks.xstream:xstream",
        version="1.4.5",
        purl="pkg:maven/com.thoughtworks.xstream/xstream@1.4.5",
        fix="com.thoughtworks.xstream:xstream 1.4.17.redhat-00001",
        fixed_version="1.4.17.redhat-00001",
        path="pom.xml",
        references=(
            "https://devhub.checkmarx.com/cve-details/CVE-2013-7285",
            "https://github.com/advisories/GHSA-f554-x222-wgf7",
            "https://x-stream.github.io/CVE-2013-7285.html",
        ),
        tags=("Vulnerability", "Direct Dependency"),
        found_at=datetime(2024, 8, 15, 10, 30, 12, tzinfo=UTC),
    )


def test_a_weakness_that_has_no_cve_keeps_the_name_that_checkmarx_gave_it():
    found = read(NAMELESS)

    assert (found.ids, found.component, found.version) == ((NAMELESS,), "inflight", "1.0.6")
    assert (found.purl, found.cvss_score, found.fix, found.path) == ("pkg:npm/inflight@1.0.6", 3.7, "", "")
    assert read(NAMELESS, vulnerabilityDetails={"cveName": "CVE-2020-1"}).ids == (NAMELESS,)
    assert read(NAMELESS, vulnerabilityDetails={"cveName": "CVE-2020-1234"}).ids == (NAMELESS, "CVE-2020-1234")


def test_a_setting_field_by_field():
    """What KICS calls similar is of one file, setting and query; the file beside it keeps apart what has none."""
    assert read(SETTING) == Finding(
        key="531bf8e9771fc9a38b866afcdc86e10dd80487262d98baf44f82522516f4db9e:/Dockerfile",
        title="Missing User Instruction in Dockerfile",
        severity=Severity.HIGH,
        description="A user should be specified in the dockerfile, otherwise the image will run as root",
        mitigation="The 'Dockerfile' should contain the 'USER' instruction",
        evidence="The 'Dockerfile' does not contain any 'USER' instruction",
        url=f"{AT}results/s1/{WEB}/kics?result-id=sZzpSZBOgluFm7HfxuClfXrS4MI%3D",
        vendor_severity="HIGH",
        vendor_status="CONFIRMED",
        rule="fd54f200-402c-4333-a5a4-36ef6709af2f",
        path="Dockerfile",
        line=7,
        tags=("Dockerfile", "Build Process", "MissingAttribute"),
        found_at=datetime(2023, 4, 25, 9, 32, 8, tzinfo=UTC),
    )


def test_a_file_of_a_setting_is_written_in_two_ways_and_its_query_may_have_a_page():
    found = read(OTHER_SETTING)

    assert (found.path, found.severity) == ("deploy/worker.dockerfile", Severity.INFO)
    assert found.references == ("https://docs.docker.com/reference/dockerfile/#user",)


def test_a_weakness_of_an_image_field_by_field():
    """A score of zero is how Checkmarx writes that there is none."""
    assert read(IMAGE) == Finding(
        key="CVE-2005-2541:tar@1.34+dfsg-1.2:debian:12",
        title="CVE-2005-2541 in tar 1.34+dfsg-1.2 of debian:12",
        severity=Severity.MEDIUM,
        description="Tar does not warn of files that run as their owner.",
        url=f"{AT}container-security-results/{WEB}/s1/results",
        vendor_severity="MEDIUM",
        vendor_status="TO_VERIFY",
        ids=("CVE-2005-2541",),
        component="tar",
        version="1.34+dfsg-1.2",
        image="debian:12",
        path="Dockerfile",
        tags=("Dockerfile",),
        found_at=datetime(2024, 5, 1, 10, 30, 12, tzinfo=UTC),
    )


def test_a_secret_field_by_field():
    """Where it lies; `snippet` holds the secret itself, and is not looked at."""
    found = read(SECRET)

    assert found == Finding(
        key="6deb156f325544aaefecee846b49a948571cecd4445d2b2b391a490641be5845:/src/main/resources/application.properties",
        title="Generic API Key in src/main/resources/application.properties",
        severity=Severity.HIGH,
        description="Generic API Key has detected secret for file application.properties.",
        mitigation="Take the key out of the code and revoke it.\n\nAsk its owner.",
        url=f"{AT}projects/{WEB}/scans?id=s1",
        vendor_severity="HIGH",
        vendor_status="TO_VERIFY",
        rule="Generic API Key",
        path="src/main/resources/application.properties",
        line=14,
        references=("https://docs.acme.example/keys", "https://github.com/acme/web/commit/6ad16b24"),
        tags=("Unknown",),
        found_at=datetime(2023, 7, 6, 10, 28, 49, tzinfo=UTC),
    )
    assert "never0to0be0kept" not in repr(found)
    assert read(SECRET, description="").description == "A key."


def test_the_health_of_a_repository():
    found = read(CARD)

    assert (found.title, found.line) == ("Branch-Protection in Issue Found in your GitHub repository", None)
    assert (found.rule, found.tags, found.mitigation) == ("Branch-Protection", ("Source",), "Protect the branch.")
    assert read(CARD, data_ruleName=None).title == "Repository health in Issue Found in your GitHub repository"


def test_without_a_scan_there_is_no_link():
    found = tool().result(row(FLOW))

    assert isinstance(found, Finding)
    assert found.url is None


# Severities and states: total


@pytest.mark.parametrize("word", ["CRITICAL", "HIGH", "MEDIUM", "LOW", "INFO"])
def test_every_severity(word: str):
    assert read(FLOW, severity=word).severity.value.upper() == word
    assert read(FLOW, severity=word.lower()).severity.value.upper() == word


def test_a_severity_never_seen_before_is_unknown_and_reported():
    assert (read(ODD).severity, read(ODD).unknown_words) == (Severity.UNKNOWN, ("severity: grave",))


@pytest.mark.parametrize(
    ("state", "status", "fixed", "verdict", "shown", "unknown"),
    [
        ("TO_VERIFY", "NEW", False, None, "TO_VERIFY", ()),
        ("CONFIRMED", "RECURRENT", False, None, "CONFIRMED", ()),
        ("URGENT", "RECURRENT", False, None, "URGENT", ()),
        ("PROPOSED_NOT_EXPLOITABLE", "RECURRENT", False, None, "PROPOSED_NOT_EXPLOITABLE", ()),
        ("NOT_EXPLOITABLE", "RECURRENT", False, Verdict.FALSE_POSITIVE, "NOT_EXPLOITABLE", ()),
        ("IGNORED", "RECURRENT", False, Verdict.ACCEPTED, "IGNORED", ()),
        ("TO_VERIFY", "FIXED", True, None, "FIXED", ()),
        ("Under Review", "NEW", False, None, "Under Review", ("state: under review",)),
        ("CONFIRMED", "asleep", False, None, "CONFIRMED", ("status: asleep",)),
    ],
)  # fmt: skip
def test_every_state(state: str, status: str, fixed: bool, verdict: Any, shown: str, unknown: tuple[str, ...]):
    """A proposal is none until somebody takes it; a state of the tenant's own says nothing of what is true."""
    found = read(FLOW, state=state, status=status)

    assert (found.fixed, found.verdict, found.vendor_status, found.unknown_words) == (fixed, verdict, shown, unknown)


OWN = {"accepted_states": ["Risk Accepted", "deferred"], "false_positive_states": ["Mitigated by Design"]}


@pytest.mark.parametrize(
    ("state", "verdict", "unknown"),
    [
        ("risk accepted", Verdict.ACCEPTED, ()), ("Deferred", Verdict.ACCEPTED, ()),
        ("Mitigated By Design", Verdict.FALSE_POSITIVE, ()), ("NOT_EXPLOITABLE", Verdict.FALSE_POSITIVE, ()),
        ("Awaiting Vendor", None, ("state: awaiting vendor",)),
    ],
)  # fmt: skip
def test_a_tenants_own_state_means_what_a_person_said_it_does(state: str, verdict: Any, unknown: tuple[str, ...]):
    """docs.checkmarx.com, Custom States: any name, which results keep even after it was deleted; nothing says what it
    means. None says that a result is fixed. Each engine's results may have one."""
    for id_ in (FLOW, NAMELESS):
        found = tool(**OWN).result(row(id_, state=state, status="RECURRENT"))

        assert isinstance(found, Finding)
        assert (found.fixed, found.verdict, found.unknown_words) == (False, verdict, unknown)
        assert found.vendor_status == state


@pytest.mark.parametrize(
    ("told", "why"),
    [
        ({"accepted_states": ["Not Exploitable"]}, "«not exploitable» means is known"),
        ({"false_positive_states": ["URGENT"]}, "«urgent» means is known"),
        ({"accepted_states": ["Deferred"], "false_positive_states": ["deferred"]}, "«deferred» is named twice"),
    ],
)
def test_what_checkmarxs_own_states_mean_is_not_for_a_person_to_say(told: dict[str, Any], why: str):
    with pytest.raises(ValidationError, match=why):
        tool(**told)


def test_why_somebody_decided_so():
    assert (read(SIMILAR).verdict, read(SIMILAR).vendor_reason) == (
        Verdict.FALSE_POSITIVE,
        "Only administrators reach it.",
    )
    assert read(FLOW, comments={"comments": "Look at it."}).vendor_reason == ""


# Identity


def test_two_flows_that_are_similar_are_two_findings():
    """docs.checkmarx.com, Similarity ID: equivalent although their paths differ. Another key would hide one of them."""
    assert row(FLOW)["similarityId"] == row(SIMILAR)["similarityId"]
    assert key_of(row(FLOW)) != key_of(row(SIMILAR))


@pytest.mark.parametrize("path", ["id", "data.packageIdentifier"])
def test_what_names_a_package_must_be_there(path: str):
    odd = row(NAMELESS)
    holder, _, name = path.rpartition(".")
    (odd[holder] if holder else odd)[name] = ""

    with pytest.raises(VendorChanged):
        key_of(odd)


def test_a_result_of_no_known_engine_is_nobodys():
    assert family_of(row(FLOW, type="SCA-container")) == "SCA"
    with pytest.raises(VendorChanged, match="engine 'quantum'"):
        family_of(row(FLOW, type="quantum"))


@pytest.mark.parametrize(
    ("told", "name", "version", "purl"),
    [
        ("Npm-inflight-1.0.6", "inflight", "1.0.6", "pkg:npm/inflight@1.0.6"),
        ("Npm-@babel/core-7.0.0-rc.1", "@babel/core", "7.0.0-rc.1", "pkg:npm/%40babel/core@7.0.0-rc.1"),
        ("Go-github.com/acme/x-v1.2.3", "github.com/acme/x", "v1.2.3", "pkg:golang/github.com/acme/x@v1.2.3"),
        ("Strange-thing-1", "thing", "1", ""),
        ("nothing to be split", "nothing to be split", "", ""),
    ],
)
def test_a_package_by_its_id_alone(told: str, name: str, version: str, purl: str):
    package = package_of(Row({"data": {"packageIdentifier": told}}))

    assert (package.id, package.name, package.version, package.purl) == (told, name, version, purl)


def test_a_package_whose_id_is_ambiguous_is_told_by_the_way_to_it():
    """`log4js-2-extra` or `log4js` of version `2-extra-1.0.0`: the step of the same id says."""
    told = "Npm-log4js-2-extra-1.0.0"
    steps = [{"id": "Npm-app-1.0.0", "name": "app"}, {"id": told, "name": "log4js-2-extra"}]
    package = package_of(Row({"data": {"packageIdentifier": told, "scaPackageData": {"dependencyPaths": [[], steps]}}}))

    assert (package.name, package.version) == ("log4js-2-extra", "1.0.0")
    assert package_of(Row({"data": {"packageIdentifier": told}})).name == "log4js"


# Which scan says how a Family is


def scan(id_: str, *families: str, unsure: tuple[str, ...] = (), at: str = "") -> Scan:
    return Scan(id_, "main", at or id_, families, frozenset(unsure))


def test_each_family_is_as_the_newest_scan_says_in_which_its_engine_ran():
    """A scan of one engine says nothing of the others: what they found before is not gone."""
    found = newest([scan("1", "SAST", "SCA"), scan("3", "SAST"), scan("2", "KICS", "SCA")])

    told = {family: each.id for family, (each, _) in found.items() if each}
    assert told == {"SAST": "3", "SCA": "2", "KICS": "2"}
    assert found["secrets"][1] == "The engine ran in no completed scan of this branch; 3 were looked at."
    assert newest([])["SAST"] == (None, "No scan of this branch has completed yet.")


def test_a_scan_that_does_not_say_whether_the_engine_ran_hides_the_older_ones():
    found = newest([scan("1", "SAST"), scan("2", "SCA", unsure=("SAST",))])

    assert found["SAST"] == (None, "The scan 2 does not say in known words whether the engine ran.")
    assert found["SCA"][0] is not None


@pytest.mark.parametrize(
    ("other", "ran", "unsure"),
    [
        ({}, {"SAST", "SCA", "containers", "secrets", "scorecard"}, set()),
        ({"engines": ["sast", "apisec"]}, {"SAST"}, set()),
        ({"engines": ["SAST", "quantum"]}, {"SAST"}, {*ENGINES} - {"SAST"}),
        ({"statusDetails": [{"name": "sca", "status": "Failed"}]},
         {"SAST", "containers", "secrets", "scorecard"}, set()),
        ({"statusDetails": [{"name": "sca", "status": "asleep"}]},
         {"SAST", "containers", "secrets", "scorecard"}, {"SCA"}),
        ({"statusDetails": [{"name": "microengines", "status": "?"}]}, {"SAST", "SCA", "containers"},
         {"secrets", "scorecard"}),
        ({"metadata": {"configs": [{"type": "microengines", "value": {"2ms": True}}]}},
         {"SAST", "SCA", "containers", "secrets"}, set()),
        ({"metadata": {"configs": [{"type": "microengines", "value": {"2ms": "maybe"}}]}},
         {"SAST", "SCA", "containers"}, {"secrets", "scorecard"}),
        ({"metadata": None}, {"SAST", "SCA", "containers"}, {"secrets", "scorecard"}),
    ],
)  # fmt: skip
def test_which_engines_ran(other: dict[str, Any], ran: set[str], unsure: set[str]):
    found = scan_of(Row({**answers("scans")[1], **other}))

    assert ({*found.families}, found.unsure) == (ran, unsure)


def test_a_scan_that_has_not_completed_is_not_listed():
    with pytest.raises(VendorChanged, match="'Partial'"):
        scan_of(Row({**answers("scans")[0], "status": "Partial"}))
    with pytest.raises(VendorChanged, match="which engines"):
        scan_of(Row({**answers("scans")[0], "engines": None}))


# Lists


def run(walk: Generator[Any, Any, Any], *bodies: Any) -> tuple[list[Any], Any]:
    """What a walk or a talk yields for these answers, and what it returns; an error is thrown into it."""
    told: list[Any] = []
    left = list(bodies)
    try:
        step = next(walk)
        while True:
            told.append(step)
            if isinstance(step, Family | Skipped):
                step = walk.send(Page())
            elif isinstance(left[0], ConnectorError):
                step = walk.throw(left.pop(0))
            else:
                step = walk.send(left.pop(0))
    except StopIteration as end:
        return told, end.value


def page(*ids: int, total: int = 4) -> Page:
    found = tuple(Row({"id": number}) for number in ids)
    return Page({"totalCount": total}, found, len(found))


def places(told: list[Any]) -> list[Any]:
    return [ask.query["offset"] for ask in told]


def test_results_are_asked_for_by_position():
    told, proof = run(Results(2).walk(Ask("r")), page(1, 2), page(3, 4))

    assert places(told) == [0, 2]
    assert (proof.seen, proof.expected, proof.kind, proof.pages) == (4, 4, "drifting", 2)


def test_where_there_is_nothing_at_a_position_it_is_the_number_of_a_page():
    """ast-cli, internal/wrappers/results-http.go: the vendor's own command line counts pages."""
    told, proof = run(
        Results(2).walk(Ask("r")), page(1, 2, total=5), page(total=5), page(3, 4, total=5), page(5, total=5)
    )

    assert places(told) == [0, 2, 1, 2]
    assert (proof.seen, proof.expected, proof.kind) == (5, 5, "drifting")


def test_a_page_that_is_empty_is_no_end_and_what_overlaps_is_no_page():
    with pytest.raises(Incomplete, match="by number it overlaps"):
        run(Results(2).walk(Ask("r")), page(1, 2), page(), page(2, 3))
    with pytest.raises(Incomplete):
        run(Results(2).walk(Ask("r")), page(1, 2), page(), page())
    with pytest.raises(TotalMoved):
        run(Results(2).walk(Ask("r")), page(1, 2), page(total=3), page(3, total=3))


def named(names: Any) -> Any:
    """An answer for Names, whose reader is given the bytes."""
    return json.dumps(names).encode()


def walk_names(*bodies: Any) -> tuple[list[Any], list[str], Any]:
    walk, told, found = Names(2).walk(Ask("b")), list[Any](), list[str]()
    step = next(walk)
    for body in bodies:
        assert isinstance(step, Ask)
        assert step.reader is not None
        told.append(step.query["offset"])
        came = list(step.reader(BytesIO(body)))
        found += [each["name"] for each in came]
        try:
            step = walk.send(Page(count=len(came)))
        except StopIteration as end:
            return told, found, end.value
    raise AssertionError("It did not end.")


def test_only_an_empty_page_of_names_is_the_end():
    told, found, proof = walk_names(named(["main", "dev"]), named(["x"]), named([]))

    assert (told, found) == ([0, 2, 3], ["main", "dev", "x"])
    assert (proof.seen, proof.kind) == (3, "drifting")
    assert walk_names(named(None))[2].seen == 0


@pytest.mark.parametrize("body", [b"{}", b"<html>", b'"main"', b"[" * 100_000])
def test_what_is_no_list_of_names_is_said(body: bytes):
    with pytest.raises(VendorChanged, match="The names are no"):
        walk_names(body)


def test_the_same_names_again_are_no_second_page():
    with pytest.raises(Incomplete, match="the same names again after 2"):
        walk_names(named(["main", "dev"]), named(["main", "dev"]))


def test_a_project_field_by_field():
    assert tool().project(Row(answers("projects")[1])) == Vep(
        id=WEB,
        name="acme/web",
        url=f"{AT}projects/{WEB}/overview",
        attributes={
            "main_branch": "main",
            "repository": "https://github.com/acme/web",
            "tags": ["team:shop", "pci"],
            "groups": ["platform"],
            "applications": ["app-1"],
            "criticality": 3,
        },
    )
    with pytest.raises(VendorChanged, match="tags"):
        tool().project(Row({"id": WEB, "name": "x", "tags": ["a"]}))


SCANS = Page({"scans": [Row(each) for each in answers("scans")[:2]]})


def test_families_of_one_scan_share_its_walk():
    told, _ = run(tool(branches=[]).families(HERE), SCANS)
    families = [each for each in told if isinstance(each, Family)]

    assert [(each.name, each.branch, each.secret, each.mark[:10]) for each in families] == [
        ("SAST", "", False, "2024-08-15"), ("SCA", "", False, "2024-08-01"), ("KICS", "", False, "2024-08-15"),
        ("containers", "", False, "2024-08-01"), ("secrets", "", True, "2024-08-01"),
        ("scorecard", "", False, "2024-08-01"),
    ]  # fmt: skip
    walks = {each.name: each.list.walk for each in families}  # pyright: ignore[reportAttributeAccessIssue]
    assert walks["SAST"] is walks["KICS"]
    assert walks["SCA"] is walks["scorecard"]
    assert walks["SAST"] is not walks["SCA"]
    assert (walks["SAST"].secret, walks["SCA"].secret) == (False, True)
    assert [each.list.ask.query["scan-id"][-1] for each in families] == ["1", "2", "1", "2", "2", "2"]


def test_scans_are_asked_for_by_branch_and_by_none_where_the_project_names_none():
    told, _ = run(tool(branches=[]).families(HERE), SCANS)
    nameless, _ = run(tool(branches=[]).families(Vep(id=WEB, name="x")), SCANS)

    assert told[0].query == {
        "project-id": WEB, "statuses": "Completed", "sort": "-created_at", "offset": 0, "limit": 50, "branches": "main",
    }  # fmt: skip
    assert "branches" not in nameless[0].query


def test_of_a_project_that_names_no_branch_the_one_scanned_last_is_read():
    other = Row({**answers("scans")[1], "id": "other", "branch": "old", "createdAt": "2020-01-01T00:00:00Z"})
    told, _ = run(tool(branches=[]).families(Vep(id=WEB, name="x")), Page({"scans": [*SCANS.body["scans"][:1], other]}))

    assert [each.name for each in told if isinstance(each, Family)] == ["SAST", "KICS"]


def test_scans_in_another_order_may_lack_the_newest():
    with pytest.raises(VendorChanged, match="newest scan first"):
        run(tool(branches=[]).families(HERE), Page({"scans": [*reversed(SCANS.body["scans"])]}))


def test_scans_of_another_branch_are_not_taken_for_it():
    with pytest.raises(VendorChanged, match="scans of other branches"):
        run(tool(branches=[]).families(HERE), Page({"scans": [Row({**answers("scans")[0], "branch": "dev"})]}))


def test_branches_are_chosen_by_patterns_and_the_main_one_has_no_name():
    listed = (Branch("release/1"), Branch("main", main=True), Branch("x"))
    told, _ = run(tool(branches=["main", "release/*"]).families(HERE), listed, Page({"scans": []}), Page({"scans": []}))

    assert isinstance(told[0], Branches)
    assert {each.branch for each in told if isinstance(each, Skipped)} == {"release/1", ""}
    assert tool().has_branches
    assert told[0].list.read(Row({"name": "main"})) == Branch("main", main=True)
    with pytest.raises(VendorChanged):
        told[0].list.read(Row({"name": ""}))


def test_a_pattern_that_matches_nothing_skips_every_family():
    told, _ = run(tool(branches=["gone/*"]).families(HERE), (Branch("main", main=True),))

    assert [each.family for each in told if isinstance(each, Skipped)] == [*ENGINES]
    assert told[1].because == "No branch of this project matches «gone/*»."


# The login, the account and the form


def exchange() -> TokenExchange:
    login = tool().door().auth
    assert isinstance(login, TokenExchange)
    return login


def test_an_api_key_is_exchanged_at_the_tenants_realm():
    given = TOLD["exchanges"][0]["json"]
    told, grant = run(exchange().talk(), Page(given))

    assert exchange().door().location == "https://eu.iam.checkmarx.net/"
    assert (told[0].path, told[0].method) == ("auth/realms/acme/protocol/openid-connect/token", "POST")
    assert {name: str(value) for name, value in told[0].form.items()} == {
        "grant_type": "refresh_token", "client_id": "ast-app", "refresh_token": "**********",
    }  # fmt: skip
    assert isinstance(grant.auth, Header)
    assert grant.auth.headers() == {"Authorization": f"Bearer {given['access_token']}"}
    assert grant.ends == datetime(2100, 1, 1, tzinfo=UTC)
    assert grant.secrets == (given["access_token"], given["refresh_token"])


def test_what_the_login_refuses_says_what_to_do():
    bad = ConnectorError("POST token answered 400.")
    bad.status = 400
    with pytest.raises(AuthRejected, match="The API key is not accepted") as refused:
        run(exchange().talk(), bad)
    assert "credential" in refused.value.next_step
    with pytest.raises(NotFound, match="no tenant 'acme'") as nowhere:
        run(exchange().talk(), NotFound("POST token answered 404."))
    assert "tenant's name" in nowhere.value.next_step
    for odd in ({"access_token": ""}, {"access_token": 7}, {}):
        with pytest.raises(VendorChanged):
            run(exchange().talk(), Page(odd))


def test_the_account_is_the_tenant_and_its_key_may_end():
    told, account = run(tool().account(), Page({"projects": []}))

    assert (told[0].path, told[0].query["limit"]) == ("api/projects", 1)
    assert account == Account(id=f"{AT}acme", name="acme", credential_ends=datetime(2029, 1, 1, tzinfo=UTC))
    with pytest.raises(VendorChanged):
        run(tool().account(), Page({"error": "x"}))


@pytest.mark.parametrize(
    ("pasted", "called", "logins"),
    [
        ("ast.checkmarx.net", "https://ast.checkmarx.net/", "https://iam.checkmarx.net/"),
        ("https://us.ast.checkmarx.net/projects/x?y=1", "https://us.ast.checkmarx.net/", "https://us.iam.checkmarx.net/"),
        ("eu-2.iam.checkmarx.net/auth/realms/acme", "https://eu-2.ast.checkmarx.net/", "https://eu-2.iam.checkmarx.net/"),
        ("https://deu.ast.checkmarx.net/api/", "https://deu.ast.checkmarx.net/", "https://deu.iam.checkmarx.net/"),
    ],
)  # fmt: skip
def test_what_people_paste_becomes_where_the_paths_begin_and_where_one_logs_in(pasted: str, called: str, logins: str):
    door = tool(url=pasted).door()

    assert (door.location, door.per_second) == (called, 5)
    assert isinstance(door.auth, TokenExchange)
    assert door.auth.logins.location == logins


def test_of_a_host_of_ones_own_the_login_has_to_be_said():
    own = tool(url="cx.acme.example/results/1", logins="sso.acme.example/auth/realms/acme").door()

    assert isinstance(own.auth, TokenExchange)
    assert (own.location, own.auth.logins.location) == ("https://cx.acme.example/", "https://sso.acme.example/")
    with pytest.raises(ValidationError, match="login URL is missing"):
        tool(url="https://cx.acme.example")
    with pytest.raises(ValidationError, match="login URL is missing"):
        tool(url="https://evilast.checkmarx.net.example")


def test_what_a_form_refuses_says_why():
    with pytest.raises(ValidationError, match="the API key has a field of its own"):
        tool(url="https://me:secret@ast.checkmarx.net")
    for missing in ({"key": SecretStr("")}, {"tenant": " "}):
        with pytest.raises(ValidationError):
            tool(**missing)
