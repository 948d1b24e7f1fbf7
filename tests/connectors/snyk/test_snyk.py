"""What Snyk makes of the vendor's documented answers; the sources are in its fixtures."""

import copy
import json
from collections.abc import Generator
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from tidegate.connectors.snyk.connector import CODE_OFF, INACTIVE, Snyk, SnykSettings
from tidegate.connectors.snyk.coordinates import PLACES, Package, coordinates_of
from tidegate.connectors.snyk.fixtures.world import FILE
from tidegate.connectors.snyk.location import location, screens
from tidegate.connectors.snyk.paging import Organization, Pages, Projects, following
from tidegate_sdk import (
    AccessDenied,
    Account,
    Ask,
    ConnectorError,
    Finding,
    Header,
    Incomplete,
    NotFound,
    Page,
    Proof,
    Row,
    Severity,
    SharedFamily,
    Skip,
    Skipped,
    VendorChanged,
    Vep,
    Verdict,
)

TOLD = json.loads(FILE.read_text())
ACME, LABS = "3de2b524-eae7-4f3f-ba5f-1a07e1df44c2", "7c1d9a50-0d6e-4c8b-9f0e-5b7a2f3c4d5e"
WEB, CODE, LEGACY = (f"92867a20-30b8-44fd-a59f-da71d59b58f{number}" for number in (1, 2, 5))
HOME = f"https://app.eu.snyk.io/org/acme-apps/project/{WEB}"


def tool(**settings: Any) -> Snyk:
    return Snyk(SnykSettings(**{**TOLD["settings"], **settings}))


def rows(kind: str) -> list[Row]:
    """The documented rows of a kind, in the order of the pages."""
    answers = [each["json"]["data"] for each in TOLD["exchanges"]]
    return [
        Row(copy.deepcopy(row)) for rows in answers if isinstance(rows, list) for row in rows if row["type"] == kind
    ]


ISSUES = {row["attributes.key"]: row for row in rows("issue")}
LODASH, CSRF, BINUTILS = (
    "SNYK-JS-LODASH-567746",
    "9a29d87f-aa94-47eb-b46f-375b293a8631",
    "SNYK-DEBIAN11-BINUTILS-5853674",
)
ROOT = "ff35a5c4d1cb4a1fd29c38b70f8ab89d1efea9d75aabf3a202d94f4776714b61"


def issue(key: str = LODASH, **attributes: Any) -> Finding:
    row = copy.deepcopy(ISSUES[key])
    row["attributes"].update(attributes)
    found = tool().issue(row, "acme-apps")
    assert isinstance(found, Finding)
    return found


# Goldens: each field argued against the documentation


def test_a_weakness_of_a_package_field_by_field():
    """The key is what identifies an issue from test to test. Of the packages that have it the first by name stands for
    all, of CVSS Snyk's own vector for each version; NVD's is another opinion. CISA is who lists what is exploited."""
    assert issue() == Finding(
        key=LODASH,
        title="Prototype Pollution in @acme/lodash-fork 4.17.11",
        severity=Severity.HIGH,
        impact="Exploit maturity: Proof of Concept (CVSSv3), Attacked (CVSSv4). Sources: CISA, PoC in GitHub, Snyk.",
        evidence="@acme/lodash-fork 4.17.11 (no-info)\nlodash 4.17.15 (function)",
        url=f"{HOME}#issue-{LODASH}",
        vendor_severity="high",
        vendor_status="open",
        cwe=(1321,),
        ids=(LODASH, "CVE-2020-8203", "GHSA-p6mc-m468-83gw"),
        cvss=(
            "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:N/I:L/A:H/E:P",
            "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:N/VI:L/VA:H/SC:N/SI:N/SA:N/E:P",
        ),
        cvss_score=8.2,
        known_exploited=True,
        component="@acme/lodash-fork",
        version="4.17.11",
        purl="pkg:npm/%40acme/lodash-fork@4.17.11",
        fix="upgrade, pin the version, fix by Snyk",
        references=(
            f"https://security.snyk.io/vuln/{LODASH}",
            "https://nvd.nist.gov/vuln/detail/CVE-2020-8203",
            "https://owasp.org/Top10/A06_2021-Vulnerable_and_Outdated_Components/",
        ),
        tags=("package",),
        found_at=datetime.fromisoformat("2025-09-01T18:25:22.457+00:00"),
    )


def test_a_flaw_of_code_field_by_field():
    """It is ignored, which Snyk says of people's decisions and of nothing else. Its id is one of the project's own."""
    assert issue(CSRF) == Finding(
        key=CSRF,
        title="Cross-Site Request Forgery (CSRF)",
        severity=Severity.MEDIUM,
        description="CSRF protection is disabled for the Express app.",
        evidence="src/server/app.js:65",
        url=f"https://app.eu.snyk.io/org/acme-apps/project/{CODE}#issue-{CSRF}",
        verdict=Verdict.ACCEPTED,
        vendor_severity="medium",
        vendor_status="ignored",
        cwe=(352,),
        path="src/server/app.js",
        line=65,
        tags=("code",),
        found_at=datetime.fromisoformat("2025-09-03T18:25:22.457+00:00"),
    )


def test_a_configuration_field_by_field():
    """What a rule says of its result is no remedy; each way to mend it is named where it has a name."""
    assert issue(ROOT) == Finding(
        key=ROOT,
        title="Container is running with writable root filesystem",
        severity=Severity.LOW,
        mitigation=(
            "Set readOnlyRootFilesystem to true.\n\nkubernetes: Add it to the securityContext of each container."
        ),
        evidence="kubernetes_pod web\n[DocId: 0] > spec > containers[web] > securityContext > readOnlyRootFilesystem",
        url=f"https://app.eu.snyk.io/org/acme-apps/project/{WEB[:-1]}4#issue-{ROOT}",
        vendor_severity="low",
        vendor_status="open",
        rule="SNYK-CC-K8S-8",
        component="kubernetes_pod web",
        references=("https://security.snyk.io/rules/cloud/SNYK-CC-K8S-8",),
        tags=("configuration",),
        found_at=datetime.fromisoformat("2025-09-05T18:25:22.457+00:00"),
    )


def test_an_issue_that_is_resolved_is_fixed_and_says_how():
    found = issue("npm:hoek:20180212")

    assert (found.fixed, found.vendor_status, found.vendor_reason) == (True, "resolved", "fixed · rule_passed")
    assert (found.purl, found.references[0]) == (
        "pkg:npm/hoek@2.16.3",
        "https://nvd.nist.gov/vuln/detail/CVE-2018-3728",
    )


def test_what_was_ignored_before_it_was_resolved_is_both():
    found = issue(CSRF, status="resolved")

    assert (found.fixed, found.verdict, found.vendor_status) == (True, Verdict.ACCEPTED, "resolved")


def test_a_licence_is_no_weakness():
    assert tool().issue(ISSUES["snyk:lic:npm:goof:GPL-2.0"]) == Skip("A licence is no weakness.")


def test_a_package_of_a_distribution_has_no_package_url():
    """It would need the release, which Snyk tells in a part of its id alone."""
    found = issue(BINUTILS)

    assert (found.component, found.version, found.purl) == ("binutils", "2.35.2-2", "")
    assert found.evidence.count("\n") == 2


def test_the_order_of_packages_changes_nothing():
    """Nothing says that Snyk keeps it; a finding would change with each test."""
    told = ISSUES[LODASH]["attributes.coordinates"]

    assert issue(coordinates=told[::-1]).component == issue().component
    assert issue(coordinates=told[::-1]).evidence == issue().evidence


def test_a_place_may_have_no_line():
    """Snyk writes 0 for a file as a whole."""
    found = issue("a8edd3ae-722f-4668-81da-478b46fdf961")

    assert (found.path, found.line, found.cwe) == ("src/db.js", None, (259, 798))
    assert found.evidence == "src/db.js\ntest/db.js"


def test_an_issue_may_stand_nowhere():
    found = issue("c61f2932-a901-565e-9e06-e4e59e8582b7")

    assert (found.component, found.path, found.evidence, found.fix, found.tags) == ("", "", "", "", ("custom",))


def test_many_places_are_bounded():
    places = [{"representations": [{"sourceLocation": {"file": f"src/{number}.js"}}]} for number in range(100)]
    lines = issue(coordinates=places).evidence.splitlines()

    assert (len(lines), lines[-1]) == (PLACES + 1, "[further places left out]")


@pytest.mark.parametrize(
    ("problem", "name", "purl"),
    [
        (
            "SNYK-JAVA-ORGAPACHELOGGING-1",
            "org.apache.logging:log4j-core",
            "pkg:maven/org.apache.logging/log4j-core@1.0",
        ),
        ("SNYK-GOLANG-GITHUBCOM-1", "github.com/gin-gonic/gin", "pkg:golang/github.com/gin-gonic/gin@1.0"),
        ("SNYK-PYTHON-PILLOW-1", "pillow", "pkg:pypi/pillow@1.0"),
        ("SNYK-DOTNET-NEWTONSOFT-1", "Newtonsoft.Json", "pkg:nuget/Newtonsoft.Json@1.0"),
        ("SNYK-RUBY-RACK-1", "rack", "pkg:gem/rack@1.0"),
        ("SNYK-PHP-SYMFONY-1", "symfony/http", "pkg:composer/symfony/http@1.0"),
        ("npm:ms:20151024", "ms", "pkg:npm/ms@1.0"),
        ("SNYK-ALPINE318-OPENSSL-1", "openssl", ""),
        ("SNYK-KLINGON-QAPLA-1", "qapla", ""),
        ("CVE-2020-8203", "lodash", ""),
    ],
)
def test_package_urls_by_the_ecosystem_in_snyks_own_id(problem: str, name: str, purl: str):
    assert Package(name, "1.0").purl(("CVE-1", problem)) == purl


def test_a_package_without_a_version_has_a_url_without_one():
    assert Package("ms", "").purl(("npm:ms:20151024",)) == "pkg:npm/ms"


def test_fixes_are_told_for_every_coordinate():
    found = issue("SNYK-JS-MINIMIST-559764")

    assert found.fix == "patch, fix upstream, fix by hand"


def test_other_sources_count_where_snyk_gives_no_vector_of_its_own():
    others = [each for each in ISSUES[LODASH]["attributes.severities"] if each["source"] != "Snyk"]
    found = issue(severities=others)

    assert (found.cvss, found.cvss_score) == (("CVSS:3.1/AV:N/AC:H/PR:N/UI:N/S:U/C:N/I:H/A:H",), 7.4)


def test_what_nobody_exploits_is_not_said_to_be_harmless():
    assert issue(exploit_details=None).known_exploited is None
    assert issue(exploit_details={"sources": ["Snyk"], "maturity_levels": []}).known_exploited is None
    assert issue(exploit_details={"sources": ["Snyk"], "maturity_levels": []}).impact == ""


def test_coordinates_that_are_none_set_the_issue_aside():
    with pytest.raises(VendorChanged):
        coordinates_of(Row(attributes={"coordinates": "here"}))


# Severities and states: total


@pytest.mark.parametrize("word", ["critical", "high", "medium", "low", "info"])
def test_every_severity(word: str):
    found = issue(effective_severity_level=word)

    assert (found.severity.value.lower(), found.vendor_severity, found.unknown_words) == (word, word, ())


def test_a_severity_never_seen_before_is_unknown_and_reported():
    found = issue("SNYK-JS-MINIMIST-559764")

    assert (found.severity, found.unknown_words) == (Severity.UNKNOWN, ("effective_severity_level: grave",))


@pytest.mark.parametrize(
    ("status", "ignored", "means"),
    [
        ("open", False, ("open", False, None)), ("open", True, ("ignored", False, Verdict.ACCEPTED)),
        ("resolved", False, ("resolved", True, None)), ("asleep", False, ("asleep", False, None)),
    ],
)  # fmt: skip
def test_every_status(status: str, ignored: bool, means: Any):
    found = issue(status=status, ignored=ignored)

    assert (found.vendor_status, found.fixed, found.verdict) == means
    assert found.unknown_words == (("status: asleep",) if status == "asleep" else ())


def test_a_flag_that_is_none_ignores_nothing_and_is_reported():
    found = issue(ignored="yes")

    assert (found.verdict, found.vendor_status, found.unknown_words) == (None, "open", ("ignored: yes",))


def test_a_type_never_seen_before_is_kept_and_reported():
    found = issue(type="ai_model")

    assert (found.tags, found.unknown_words) == ((), ("type: ai_model",))


@pytest.mark.parametrize(
    ("type", "tag"),
    [("package_vulnerability", "package"), ("code", "code"), ("config", "configuration"), ("cloud", "cloud")],
)
def test_every_type(type: str, tag: str):
    assert (issue(type=type).tags, issue(type=type).unknown_words) == ((tag,), ())


@pytest.mark.parametrize(
    ("resource", "shown"),
    [
        ({"native_id": "arn:aws:s3:::logs", "name": "logs"}, "aws_s3_bucket arn:aws:s3:::logs"),
        ({"name": "logs"}, "aws_s3_bucket logs"),
    ],
)
def test_a_resource_of_a_cloud_is_called_as_the_cloud_calls_it(resource: dict[str, str], shown: str):
    place = {"cloud_resource": {"resource": {"resource_type": "aws_s3_bucket", **resource}}}

    assert issue(coordinates=[{"representations": [place]}]).component == shown


# Projects and organizations


def projects(*patterns: str) -> Projects:
    known = Projects(patterns)
    known.organizations[ACME] = Organization(ACME, "Acme Apps", "acme-apps")
    return known


def test_a_project_field_by_field():
    row = next(row for row in rows("project") if row["id"] == WEB)

    assert tool().project(row, projects()) == Vep(
        id=WEB,
        name="acme/web:package.json",
        url=HOME,
        parent="Acme Apps",
        attributes={
            "org": ACME,
            "organization": "acme-apps",
            "type": "npm",
            "status": "active",
            "origin": "github",
            "target": "acme/web",
            "file": "package.json",
            "branch": "main",
            "tags": ["team:shop"],
            "criticality": ["high"],
            "environment": ["frontend"],
            "lifecycle": ["production"],
        },
    )


def test_each_project_tells_how_many_issues_its_latest_test_found():
    """The spec, LatestIssueCounts: no severity but these four. One that was never tested has none to tell of."""
    paths = [count.path for count in tool().open_findings()]
    told = {row["id"][-2:]: [row.get(path) for path in paths] for row in rows("project")}

    assert all(count.ask is None for count in tool().open_findings())
    assert (told["f1"], told["f3"], told["f5"]) == ([0, 2, 1, 0], [1, 0, 4, 12], [None] * 4)


def test_a_project_without_a_name_is_called_by_its_id():
    row = next(row for row in rows("project") if row["id"] == WEB)
    row["attributes"].update(name="")

    assert tool().project(row, projects()).name == WEB


def run(talk: Generator[Any, Page, Any], *answers: Any) -> tuple[list[Any], Any]:
    """What a generator yields, given these answers (a body, or an error), and what it returns."""
    told, given = [next(talk)], iter(answers)
    try:
        while True:
            if not isinstance(told[-1], Ask):
                told.append(talk.send(Page()))
                continue
            answer = next(given)
            told.append(talk.throw(answer) if isinstance(answer, ConnectorError) else talk.send(page(answer)))
    except StopIteration as end:
        return told, end.value


def page(body: Any) -> Page:
    items = body["data"] if isinstance(body, dict) and isinstance(body.get("data"), list) else []
    return Page(body, tuple(Row(item) for item in items), len(items))


def listed(*data: Any, following: Any = None) -> dict[str, Any]:
    return {"data": [*data], "links": {"next": following} if following else {}}


ORGANIZATIONS = rows("org")


def test_projects_are_asked_for_organization_by_organization():
    first, second = ORGANIZATIONS
    walk = Projects().walk(Ask("rest/orgs"))

    told, proof = run(
        walk,
        listed(first, following="/rest/orgs?starting_after=v1.a"),
        listed(second),
        listed({"id": "p1"}, following={"href": f"/orgs/{ACME}/projects?starting_after=v1.b"}),
        listed({"id": "p2"}),
        listed(),
    )

    assert [ask.path for ask in told] == [
        "rest/orgs",
        "/rest/orgs?starting_after=v1.a",
        f"rest/orgs/{ACME}/projects",
        f"/rest/orgs/{ACME}/projects?starting_after=v1.b",
        f"rest/orgs/{LABS}/projects",
    ]
    assert [ask.bare for ask in told] == [True, True, False, False, False]
    assert proof == Proof(2, None, "steady", 3)


@pytest.mark.parametrize("pattern", ["acme-apps", "*APPS", "Acme Apps", ACME])
def test_an_organization_is_named_by_its_slug_its_name_or_its_id(pattern: str):
    told, _ = run(Projects((pattern,)).walk(Ask("rest/orgs")), listed(*ORGANIZATIONS), listed())

    assert [ask.path for ask in told[1:]] == [f"rest/orgs/{ACME}/projects"]


def test_a_pattern_that_names_none_proves_nothing():
    with pytest.raises(Incomplete, match="Of the 2 organizations that the token sees none is called «x», «y»"):
        run(Projects(("x", "y")).walk(Ask("rest/orgs")), listed(*ORGANIZATIONS))


def test_no_organization_at_all_is_no_project_at_all():
    _, proof = run(Projects().walk(Ask("rest/orgs")), listed())

    assert proof == Proof(0, None, "steady", 1)


def test_organizations_in_a_circle_end():
    around = listed(ORGANIZATIONS[0], following="/rest/orgs?starting_after=v1.a")

    with pytest.raises(Incomplete, match="Snyk repeats a page"):
        run(Projects().walk(Ask("rest/orgs")), around, around)


def test_what_was_known_of_organizations_is_forgotten_with_the_next_walk():
    known = projects()

    run(known.walk(Ask("rest/orgs")), listed(ORGANIZATIONS[1]), listed())

    assert [*known.organizations] == [LABS]


@pytest.mark.parametrize("links", [None, [], "next"])
def test_an_answer_without_links_proves_nothing(links: Any):
    """A short page is not the last one: that no other follows is said by links that name none."""
    with pytest.raises(VendorChanged):
        run(Pages().walk(Ask("rest/orgs/o/issues")), {"data": [], "links": links})


@pytest.mark.parametrize("link", [7, {"meta": {}}, {"href": ""}, ["/rest"]])
def test_a_link_that_is_none_is_refused(link: Any):
    with pytest.raises(VendorChanged):
        following(page({"data": [], "links": {"next": link}}), Ask("rest/orgs"))


# One walk for each organization


def vep(id: str, type: str = "npm", org: str = ACME, status: str = "active") -> Vep:
    return Vep(id=id, name=id, attributes={"org": org, "organization": "acme-apps", "type": type, "status": status})


SETTINGS = {"data": {"attributes": {"sast_enabled": True}}}
OFF = {"data": {"attributes": {"sast_enabled": False}}}


def named(told: list[Any], *veps: Vep) -> list[tuple[str, list[str]]]:
    """Of each Family why it is skipped, or what it asks, and whom it covers."""
    families = [each for each in told if not isinstance(each, Ask)]
    return [
        (
            each.because if isinstance(each, Skipped) else each.list.ask.path,
            [vep.id for vep in veps if each.covers(vep)],
        )
        for each in families
    ]


def test_one_walk_serves_the_projects_of_an_organization_and_no_other():
    veps = [vep("a"), vep("b", org=LABS), vep("c")]

    told, _ = run(tool().shared(veps))

    assert named(told, *veps) == [(f"rest/orgs/{ACME}/issues", ["a", "c"]), (f"rest/orgs/{LABS}/issues", ["b"])]
    assert told[0].list.ask.query == {"version": "2024-10-15", "limit": 100}
    assert all(isinstance(each, SharedFamily) and each.off == frozenset({403}) for each in told)


def test_where_snyk_code_is_switched_off_its_projects_are_skipped():
    veps = [vep("a"), vep("b", "sast"), vep("c", "sast", status="inactive")]

    told, _ = run(tool().shared(veps), OFF)

    assert told[0] == Ask(f"rest/orgs/{ACME}/settings/sast", {"version": "2024-10-15"}, bare=True)
    assert named(told, *veps) == [(CODE_OFF, ["b"]), (INACTIVE, ["c"]), (f"rest/orgs/{ACME}/issues", ["a"])]


def test_where_it_is_on_or_may_not_be_asked_they_are_read():
    veps = [vep("a"), vep("b", "sast")]
    walk = [(f"rest/orgs/{ACME}/issues", ["a", "b"])]

    assert named(run(tool().shared(veps), SETTINGS)[0], *veps) == walk
    assert named(run(tool().shared(veps), AccessDenied("no"))[0], *veps) == walk
    assert named(run(tool().shared(veps), NotFound("no"))[0], *veps) == walk


def test_a_setting_that_says_nothing_ends_the_walk():
    with pytest.raises(VendorChanged):
        run(tool().shared([vep("b", "sast")]), {"data": {"attributes": {"sast_enabled": "maybe"}}})


def test_nothing_is_asked_where_nothing_is_to_be_read():
    veps = [vep("a", status="inactive"), vep("b", "sast", org=LABS)]

    told, _ = run(tool().shared(veps), OFF)

    assert named(told, *veps) == [(INACTIVE, ["a"]), (CODE_OFF, ["b"])]


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        ({"data": {"id": "a", "attributes": {"status": "active"}}}, True),
        ({"data": {"id": "a", "attributes": {"status": "inactive"}}}, False),
        ({"data": {"id": "b", "attributes": {"status": "active"}}}, False),
        (NotFound("no"), False),
    ],
)
def test_a_witness_says_whether_the_project_is_still_tested(answer: Any, says: bool):
    talk = tool().witness(vep("a"))
    assert talk is not None

    told, said = run(talk, answer)

    assert (told[0].path, said) == (f"rest/orgs/{ACME}/projects/a", says)


# The account and the form


@pytest.mark.parametrize(("attributes", "name"), [({"name": "tidegate"}, "tidegate"), ({"username": "amy"}, "amy")])
def test_the_account_is_whom_the_token_belongs_to(attributes: dict[str, str], name: str):
    _, account = run(tool().account(), {"data": {"id": "u1", "attributes": attributes}})

    assert account == Account(id="u1", name=name)


@pytest.mark.parametrize(
    ("pasted", "called", "shown"),
    [
        ("snyk.io", "https://api.snyk.io/", "https://app.snyk.io/"),
        ("https://app.snyk.io/org/acme/projects?x=1#y", "https://api.snyk.io/", "https://app.snyk.io/"),
        ("app.eu.snyk.io", "https://api.eu.snyk.io/", "https://app.eu.snyk.io/"),
        ("http://api.au.snyk.io/rest/", "https://api.au.snyk.io/", "https://app.au.snyk.io/"),
        ("https://api.us.snyk.io/v1", "https://api.us.snyk.io/", "https://app.us.snyk.io/"),
        ("https://app.snykgov.io", "https://api.snykgov.io/", "https://app.snykgov.io/"),
        ("https://app.acme.snyk.io/login", "https://api.acme.snyk.io/", "https://app.acme.snyk.io/"),
        ("http://127.0.0.1:8080/rest/self", "http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
        ("https://gate.test/snyk/rest/orgs", "https://gate.test/snyk/", "https://gate.test/snyk/"),
        ("https://app.snyk.io.evil.test/", "https://app.snyk.io.evil.test/", "https://app.snyk.io.evil.test/"),
    ],
)
def test_what_people_paste_becomes_the_api_of_their_region(pasted: str, called: str, shown: str):
    assert (location(pasted), screens(location(pasted))) == (called, shown)


def test_the_door_sends_the_token_as_snyk_wants_it():
    door = tool().door()

    assert (door.location, door.per_second) == ("https://api.eu.snyk.io/", 20)
    assert isinstance(door.auth, Header)
    assert door.auth.headers() == {"Authorization": f"token {TOLD['settings']['token']}"}


def test_what_a_form_refuses_says_why():
    with pytest.raises(ValidationError, match="the API token has a field of its own"):
        tool(url="https://me:secret@app.snyk.io")
    with pytest.raises(ValidationError):
        tool(token="")
    with pytest.raises(ValidationError):
        tool(organizations=[" "])
