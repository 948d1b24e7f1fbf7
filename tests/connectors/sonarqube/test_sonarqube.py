"""What SonarQube makes of the vendor's documented answers; the sources are in its fixtures."""

import copy
import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tidegate.connectors.sonarqube import state
from tidegate.connectors.sonarqube.connector import SonarQube, SonarQubeSettings
from tidegate.connectors.sonarqube.evidence import LOCATIONS, flow
from tidegate.connectors.sonarqube.fixtures.world import CLOUD, SERVER, WORLDS
from tidegate.connectors.sonarqube.location import location
from tidegate.connectors.sonarqube.rules import LONGEST, rule_of
from tidegate_sdk import (
    AccessDenied,
    Account,
    Ask,
    AuthRejected,
    Branches,
    ConnectorError,
    Family,
    Finding,
    Header,
    NotFound,
    Page,
    Row,
    Severity,
    Skip,
    Skipped,
    VendorChanged,
    VendorDown,
    Vep,
    Verdict,
)
from tidegate_sdk.conformance import Suite
from tidegate_sdk.conformance.answers import FAULTS
from tidegate_sdk.fields import cwes, links_in

TOLD = {"server": json.loads(SERVER.read_text()), "cloud": json.loads(CLOUD.read_text())}
SQL = "Change this code to not construct SQL queries directly from user-controlled data."
HOME = "https://sonar.example.test/sonar/"


def tool(world: str = "server", **settings: Any) -> SonarQube:
    """SonarQube as in a World, knowing the rules that the World's server tells."""
    made = SonarQube(SonarQubeSettings(**{**TOLD[world]["settings"], **settings}))
    rules = next(each["json"]["rules"] for each in TOLD[world]["exchanges"] if each["path"].endswith("rules/search"))
    made.rules.by_key = {rule["key"]: rule_of(Row(rule)) for rule in rules}
    return made


def rows(path: str, items: str, world: str = "server") -> dict[str, Row]:
    """The documented rows of a list, by key, on whichever page they stand."""
    answers = [each["json"] for each in TOLD[world]["exchanges"] if each["path"].endswith(path)]
    return {row["key"]: Row(copy.deepcopy(row)) for answer in answers for row in answer[items]}


ISSUES, HOTSPOTS = [*rows("issues/search", "issues").values()], [*rows("hotspots/search", "hotspots").values()]
RISKS = [*rows("sca/issues-releases", "issuesReleases").values()]


def issue(number: int = 0, **other: Any) -> Finding:
    found = tool().issue(Row({**ISSUES[number], **other}))
    assert isinstance(found, Finding)
    return found


def hotspot(**other: Any) -> Finding:
    return tool().hotspot(Row({**HOTSPOTS[0], **other}))


def risk(number: int = 0, **other: Any) -> Finding:
    found = tool().risk(Row({**RISKS[number], **other}), "com.acme:shop")
    assert isinstance(found, Finding)
    return found


# Goldens: each field argued against the documentation


def test_a_vulnerability_field_by_field():
    """The key is SonarQube's own, kept over scans. The context of the rule's remediation is the issue's (Spring), its
    severity that of the impact on security. The path is the component without its project's key."""
    assert issue() == Finding(
        key="01fc972e-2a3c-433e-bcae-0bd7f88f5123",
        title=SQL,
        severity=Severity.CRITICAL,
        description=(
            "<p>Database injections occur in an application when it retrieves data from a user.</p>\n\n"
            "<p>An attacker can change the meaning of the query.</p>"
        ),
        mitigation="<p>Bind the values with a JdbcTemplate.</p>",
        evidence=(
            "Flow 1\n"
            "src/main/java/com/acme/Orders.java:81 Sink: this invocation is not safe; a malicious value can be used as"
            " argument\n"
            "src/main/java/com/acme/Web.java:12 Source: a user can craft an HTTP request with malicious content"
        ),
        url=f"{HOME}project/issues?id=com.acme%3Ashop&open=01fc972e-2a3c-433e-bcae-0bd7f88f5123",
        vendor_severity="BLOCKER",
        vendor_status="OPEN",
        rule="javasecurity:S3649",
        cwe=(89, 20),
        path="src/main/java/com/acme/Orders.java",
        line=81,
        references=(
            "https://owasp.org/Top10/A03_2021-Injection/",
            "https://cwe.mitre.org/data/definitions/89",
            "https://cwe.mitre.org/data/definitions/20",
        ),
        tags=("cwe", "owasp-a3"),
        found_at=datetime.fromisoformat("2025-05-13T17:55:39+02:00"),
    )


def test_a_false_positive_comes_with_its_last_comment():
    found = issue(1)

    assert (found.verdict, found.fixed) == (Verdict.FALSE_POSITIVE, False)
    assert (found.vendor_status, found.vendor_reason) == ("FALSE_POSITIVE", "Verified by the gateway. · amy")


def test_what_was_noted_of_an_open_issue_is_no_reason():
    assert ISSUES[0]["comments"]
    assert issue().vendor_reason == ""


def test_a_long_reason_is_cut():
    comments = [{"login": "amy", "markdown": "x" * 5_000, "createdAt": "2025-07-02T09:00:00+0200"}]

    assert len(issue(1, comments=comments).vendor_reason) == 1_000


def test_an_issue_that_the_server_calls_fixed_is_fixed():
    found = issue(4)

    assert (found.fixed, found.vendor_status, found.line) == (True, "FIXED", None)


def test_an_issue_of_another_tool_concerns_the_whole_project_and_names_its_vulnerabilities():
    """Its rule is no rule of the server, so nothing is said of it."""
    found = issue(7)

    assert (found.path, found.line, found.ids) == ("", None, ("CVE-2023-52428", "GHSA-gvpg-vgmx-xg6w"))
    assert (found.rule, found.description, found.cwe) == (
        "external_depcheck:UsingComponentWithKnownVulnerability",
        "",
        (),
    )


def test_a_rule_may_have_one_description_in_markdown():
    """As SonarQube 2025 sends them: DefectDojo's rule_md_desc_only.json."""
    found = issue(1)

    assert found.description.startswith("If a token is not verified, anybody can write one.")
    assert (found.cwe, found.references) == ((347,), ("https://cwe.mitre.org/data/definitions/347",))


def test_a_bug_or_a_code_smell_is_skipped():
    assert tool().issue(ISSUES[6]) == Skip("Only issues of type vulnerability are read.")


def test_a_hotspot_field_by_field():
    """Its severity is the probability that it is a vulnerability; its category, which the screens group by, a tag."""
    assert hotspot() == Finding(
        key="AXJMFm6ERa2AinNL_0fP",
        title="Revoke and change this password, as it is compromised.",
        severity=Severity.HIGH,
        description=(
            "<p>It is easy to extract strings from a binary.</p>\n\n"
            "<h2>Ask Yourself Whether</h2><ul><li> The credential is used in production. </li></ul>"
        ),
        mitigation="<p>Store it in a vault.</p>",
        evidence="Flow 1\nsrc/main/java/com/acme/Db.java:42 Password\nsrc/main/java/com/acme/Db.java:60 Used here",
        url=f"{HOME}security_hotspots?id=com.acme%3Ashop&hotspots=AXJMFm6ERa2AinNL_0fP",
        vendor_severity="HIGH",
        vendor_status="TO_REVIEW",
        rule="java:S2068",
        cwe=(798, 259),
        path="src/main/java/com/acme/Db.java",
        line=42,
        references=("https://cwe.mitre.org/data/definitions/798", "https://cwe.mitre.org/data/definitions/259"),
        tags=("auth",),
        found_at=datetime.fromisoformat("2025-05-13T17:55:39+02:00"),
    )


def test_a_hotspot_of_an_old_server_does_not_say_its_rule():
    row = Row({name: value for name, value in HOTSPOTS[0].items() if name != "ruleKey"})

    found = tool().hotspot(row)

    assert (found.rule, found.description, found.cwe) == ("", "", ())


def test_a_dependency_risk_field_by_field():
    assert risk() == Finding(
        key="f2c3a1d0-0001-4000-8000-000000000001",
        title="CVE-2021-23337 in lodash 4.17.20",
        severity=Severity.HIGH,
        evidence="package-lock.json\nweb/package-lock.json",
        url=f"{HOME}dependency-risks/f2c3a1d0-0001-4000-8000-000000000001/what?id=com.acme%3Ashop",
        vendor_severity="HIGH",
        vendor_status="OPEN",
        cwe=(94, 77),
        ids=("CVE-2021-23337",),
        cvss_score=7.2,
        component="lodash",
        version="4.17.20",
        purl="pkg:npm/lodash@4.17.20",
        path="package-lock.json",
        tags=("vulnerability", "runtime"),
        found_at=datetime.fromisoformat("2025-01-15T10:30:00+00:00"),
    )


def test_malware_is_a_risk_and_a_licence_is_none():
    assert risk(2).title == "Malware in ev3nt-stream 3.3.6"
    assert (risk(2).severity, risk(2).verdict) == (Severity.CRITICAL, None)
    assert tool().risk(RISKS[1]) == Skip("A licence is no weakness.")


def test_a_risk_may_stand_in_no_file_that_is_known():
    found = risk(release={"packageName": "lodash"})

    assert (found.path, found.evidence, found.version, found.purl) == ("", "", "", "")
    assert found.title == "CVE-2021-23337 in lodash"


def test_a_kind_of_risk_never_seen_before_is_reported():
    found = risk(4)

    assert (found.title, found.unknown_words) == ("Risk in lodahs 1.0.0", ("type: typosquatting",))


@pytest.mark.parametrize(("told", "score"), [("7.5", 7.5), ("10", 10.0), ("11", None), ("high", None), (7.5, 7.5)])
def test_a_score_is_between_nothing_and_ten(told: Any, score: float | None):
    assert risk(cvssScore=told).cvss_score == score


# Severities and states: total


@pytest.mark.parametrize(
    ("impact", "standard", "counts"),
    [
        ("BLOCKER", "BLOCKER", Severity.CRITICAL),
        ("HIGH", "CRITICAL", Severity.HIGH),
        ("MEDIUM", "MAJOR", Severity.MEDIUM),
        ("LOW", "MINOR", Severity.LOW),
        ("INFO", "INFO", Severity.INFO),
    ],
)
def test_both_modes_have_their_severities(impact: str, standard: str, counts: Severity):
    impacts = [
        {"softwareQuality": "RELIABILITY", "severity": "INFO"},
        {"softwareQuality": "SECURITY", "severity": impact},
    ]
    row = Row({**ISSUES[0], "impacts": impacts, "severity": standard})
    other = Row({**ISSUES[0], "impacts": [{"softwareQuality": "SECURITY", "severity": "INFO"}], "severity": standard})

    in_mqr_mode, in_standard_mode = tool().issue(row), tool(severity="standard").issue(other)

    assert isinstance(in_mqr_mode, Finding)
    assert isinstance(in_standard_mode, Finding)
    assert (in_mqr_mode.severity, in_mqr_mode.vendor_severity) == (counts, impact)
    assert (in_standard_mode.severity, in_standard_mode.vendor_severity) == (counts, standard)


def test_a_server_before_impacts_has_the_standard_severity_alone():
    found = issue(3)

    assert (found.severity, found.vendor_severity, found.vendor_status) == (Severity.MEDIUM, "MAJOR", "REOPENED")


def test_a_severity_never_seen_before_is_unknown_and_reported():
    found = issue(5)

    assert (found.severity, found.unknown_words) == (Severity.UNKNOWN, ("severity: catastrophic",))


def test_a_quality_never_seen_before_is_reported():
    found = issue(impacts=[{"softwareQuality": "PRIVACY", "severity": "LOW"}])

    assert (found.vendor_severity, found.unknown_words) == ("BLOCKER", ("softwareQuality: privacy",))


OPEN, FIXED = (False, None), (True, None)
FALSE, ACCEPTED = (False, Verdict.FALSE_POSITIVE), (False, Verdict.ACCEPTED)


def meant(found: state.State | Finding) -> tuple[bool, Verdict | None]:
    return found.fixed, found.verdict


@pytest.mark.parametrize(
    ("word", "means"),
    [
        ("OPEN", OPEN), ("CONFIRMED", OPEN), ("IN_SANDBOX", OPEN), ("FALSE_POSITIVE", FALSE), ("ACCEPTED", ACCEPTED),
        ("FIXED", FIXED), ("SLEEPING", OPEN),
    ],
)  # fmt: skip
def test_every_status_of_an_issue(word: str, means: Any):
    assert meant(issue(issueStatus=word)) == means
    assert issue(issueStatus=word).unknown_words == (("issueStatus: sleeping",) if word == "SLEEPING" else ())


@pytest.mark.parametrize(
    ("status", "resolution", "means"),
    [
        ("OPEN", None, OPEN), ("CONFIRMED", None, OPEN), ("REOPENED", None, OPEN), ("CLOSED", None, FIXED),
        ("RESOLVED", "FALSE-POSITIVE", FALSE), ("RESOLVED", "WONTFIX", ACCEPTED), ("RESOLVED", "FIXED", FIXED),
        ("CLOSED", "FIXED", FIXED), ("CLOSED", "REMOVED", FIXED), ("RESOLVED", None, OPEN), ("RESOLVED", "BORED", OPEN),
        ("IN_SANDBOX", None, OPEN),
    ],
)  # fmt: skip
def test_every_status_and_resolution_of_servers_before_10_4(status: str, resolution: str | None, means: Any):
    found = state.of_issue(Row(status=status, resolution=resolution))

    assert meant(found) == means
    assert bool(found.unknown) == ((status, resolution) in (("RESOLVED", None), ("RESOLVED", "BORED")))


def test_a_state_never_seen_before_is_open_and_reported():
    """house-style.md: no default for the unknown."""
    assert state.of_issue(Row(status="RESOLVED", resolution="BORED")).unknown == ("resolution: bored",)
    assert state.of_hotspot(Row(status="REVIEWED", resolution="EXCEPTION")).unknown == ("resolution: exception",)
    assert state.of_hotspot(Row(status="IN_REVIEW")).unknown == ("status: in_review",)
    assert hotspot(status="IN_REVIEW").unknown_words == ("status: in_review",)
    assert risk(status="SNOOZED").unknown_words == ("status: snoozed",)
    assert state.of_risk(Row(status="SNOOZED")) == state.State("SNOOZED", unknown=("status: snoozed",))


@pytest.mark.parametrize(
    ("number", "means"),
    [(0, OPEN), (1, FALSE), (2, ACCEPTED), (3, FIXED)],
    ids=["to review", "safe", "acknowledged", "fixed"],
)
def test_every_review_of_a_hotspot(number: int, means: Any):
    found = tool().hotspot(HOTSPOTS[number])

    assert meant(found) == means
    assert found.vendor_status == ("TO_REVIEW", "SAFE", "ACKNOWLEDGED", "FIXED")[number]
    assert found.unknown_words == ()


def test_a_word_that_belongs_to_a_reviewed_hotspot_means_nothing_before_the_review():
    assert meant(hotspot(status="FIXED")) == OPEN
    assert meant(hotspot(status="TO_REVIEW", resolution="SAFE")) == OPEN


@pytest.mark.parametrize(
    ("word", "means"),
    [
        ("OPEN", OPEN), ("CONFIRM", OPEN), ("CONFIRMED", OPEN), ("ACCEPT", ACCEPTED), ("ACCEPTED", ACCEPTED),
        ("SAFE", FALSE), ("FIXED", FIXED),
    ],
)  # fmt: skip
def test_every_status_of_a_risk(word: str, means: Any):
    assert (meant(risk(status=word)), risk(status=word).vendor_status) == (means, word)
    assert risk(status=word).unknown_words == ()


def test_an_odd_probability_of_a_hotspot_and_an_odd_severity_of_a_risk_are_reported():
    assert hotspot(vulnerabilityProbability="ODD").unknown_words == ("vulnerabilityProbability: odd",)
    assert risk(severity="ODD").unknown_words == ("severity: odd",)


# Projects, branches, Families


def asked(made: SonarQube, *answers: Any, vep: str = "com.acme:shop") -> list[Any]:
    """What families() yields; the answers are given in turn, an exception is thrown."""
    talking, found, waiting = made.families(Vep(id=vep, name=vep)), list[Any](), list(answers)
    step = next(talking, None)
    while step is not None:
        found.append(step)
        try:
            if not isinstance(step, Ask | Branches):
                step = talking.send(Page())
                continue
            told = waiting.pop(0)
            if isinstance(step, Branches):
                found[-1:] = [step.list.ask]
                branches: Any = tuple(made.branch(Row(row)) for row in told["branches"])
                step = talking.send(branches)
                continue
            step = talking.throw(told) if isinstance(told, Exception) else talking.send(Page(told))
        except StopIteration:
            break
    return found


def families(found: list[Any]) -> list[tuple[str, str, str]]:
    return [
        (each.name, each.branch, "read") if isinstance(each, Family) else (each.family, each.branch, each.because)
        for each in found
        if isinstance(each, (Family, Skipped))
    ]


def test_a_record_is_a_project_by_its_key():
    made = tool()
    (row,) = rows("components/search", "components").values()

    assert made.project(row) == Vep(id="com.acme:shop", name="Shop", url=f"{HOME}dashboard?id=com.acme%3Ashop")


def test_a_project_of_the_cloud_lies_in_its_organization():
    row = rows("components/search", "components", "cloud")["acme_shop"]

    assert tool("cloud").project(row) == Vep(
        id="acme_shop", name="shop", url="https://sonarcloud.io/project/overview?id=acme_shop", parent="acme"
    )
    assert tool("cloud").veps().ask.query == {"organization": "acme"}
    assert tool().veps().ask.query == {"qualifiers": "TRK"}


def test_without_patterns_the_main_branch_is_read_and_no_branch_named():
    found = asked(tool(), {"enabled": True})
    queries = [each.list.ask.query for each in found if isinstance(each, Family)]

    assert families(found) == [(name, "", "read") for name in ("vulnerabilities", "hotspots", "dependency risks")]
    assert queries == [
        {
            "componentKeys": "com.acme:shop",
            "types": "VULNERABILITY",
            "additionalFields": "comments,ruleDescriptionContextKey",
        },
        {"projectKey": "com.acme:shop"},
        {"projectKey": "com.acme:shop"},
    ]


def test_what_the_token_may_not_read_is_skipped_and_a_list_of_projects_has_its_window():
    """records.md: a Family that the token may not read is *skipped*. A list cut at 10,000 is not complete."""
    found = [each for each in asked(tool(), {"enabled": True}) if isinstance(each, Family)]

    assert [each.off for each in found] == [{403}, {403}, {403, 404}]
    assert tool().veps().by.window == 10_000  # type: ignore[attr-defined]


def test_only_a_branch_by_name_has_to_be_there_still():
    """A project that is gone is found out by the list of projects."""
    found = asked(tool(branches=["*"]), BRANCHES, {"enabled": True})
    searches = [each for each in found if isinstance(each, Family) and each.name != "dependency risks"]

    assert [(each.branch, each.list.by.witness is not None) for each in searches] == [  # type: ignore[attr-defined]
        ("", False), ("", False), ("release/1", True), ("release/1", True),
    ]  # fmt: skip


BRANCHES = {"branches": [{"name": "main", "isMain": True}, {"name": "release/1", "isMain": False}]}


def test_a_pattern_chooses_branches_and_the_main_one_keeps_its_empty_name():
    """Renamed, the main branch stays the same one: its findings are not imported anew."""
    found = asked(tool(branches=["ma*", "release/*"]), BRANCHES, {"enabled": True})
    named = [each for each in found if isinstance(each, Family)]

    assert [each.branch for each in named] == [""] * 3 + ["release/1"] * 3
    assert [each.list.ask.query.get("branch", each.list.ask.query.get("branchKey")) for each in named] == [
        *([None] * 3), *(["release/1"] * 3),
    ]  # fmt: skip
    assert [each.path for each in found if isinstance(each, Ask)] == [
        "api/project_branches/list",
        "api/v2/sca/feature-enabled",
    ]


def test_links_into_a_branch_name_it():
    row = ISSUES[0]

    found = tool().issue(row, "release/1")

    assert isinstance(found, Finding)
    assert found.url == f"{HOME}project/issues?id=com.acme%3Ashop&open={row['key']}&branch=release%2F1"


def test_patterns_that_match_nothing_skip_every_family():
    found = families(asked(tool(branches=["hotfix/*", "x"]), BRANCHES))

    assert [name for name, _, _ in found] == ["vulnerabilities", "hotspots", "dependency risks"]
    assert {why for _, _, why in found} == {"No branch of this project matches «hotfix/*», «x»."}


def test_dependency_risks_that_are_off_are_skipped_and_asked_for_once():
    made = tool()
    first, second = asked(made, {"enabled": False}), asked(made)

    assert families(first)[2] == families(second)[2]
    assert "not enabled" in families(first)[2][2]


def test_a_server_that_does_not_say_whether_they_are_on_is_not_believed():
    with pytest.raises(VendorChanged):
        asked(tool(), {"enabled": "yes"})


@pytest.mark.parametrize("kind", [NotFound, AccessDenied])
def test_a_server_that_does_not_know_dependency_risks_is_asked_again(kind: type[ConnectorError]):
    """A refusal may pass: only the server's own word is remembered."""
    made = tool()
    first = asked(made, kind("GET api/v2/sca/feature-enabled answered 404."))

    assert "answered 404" in families(first)[2][2]
    assert families(asked(made, {"enabled": True}))[2][2] == "read"


def test_the_cloud_keeps_its_dependency_risks_elsewhere():
    found = families(asked(tool("cloud", branches=()), vep="acme_shop"))

    assert "api.sonarcloud.io" in found[2][2]


# Login


def account(made: SonarQube, *answers: Any) -> Account:
    talking = made.account()
    next(talking)
    try:
        for told in answers:
            talking.send(Page(told))
    except StopIteration as end:
        return end.value
    raise AssertionError("The talk did not end.")


USER, UP = {"isLoggedIn": True, "login": "bot", "name": ""}, {"id": "BF41-1", "version": "2026.1.0", "status": "UP"}


def test_the_account_is_the_server_by_its_own_id_and_the_organization_in_the_cloud():
    assert account(tool(), USER, UP) == Account(id="BF41-1", name="bot")
    assert account(tool("cloud"), {**USER, "name": "Amy"}) == Account(id="https://sonarcloud.io/acme", name="Amy")


def test_somebody_who_has_not_logged_in_is_told():
    """An anonymous user is answered with 200 too."""
    with pytest.raises(AuthRejected):
        account(tool(), {"isLoggedIn": False})


@pytest.mark.parametrize("status", ["STARTING", "DB_MIGRATION_NEEDED", "DOWN"])
def test_a_server_that_is_not_up_is_told(status: str):
    with pytest.raises(VendorDown, match=status):
        account(tool(), USER, {**UP, "status": status})


@pytest.mark.parametrize("version", ["8.9.10.61524", "9.8", "7", "odd"])
def test_a_server_that_is_too_old_is_told_before_the_first_sync(version: str):
    with pytest.raises(VendorChanged, match="Update SonarQube"):
        account(tool(), USER, {**UP, "version": version})


@pytest.mark.parametrize("version", ["9.9.0.65466", "10.0", "25.1.0.102122", "2025.4"])
def test_a_server_from_9_9_on_will_do(version: str):
    assert account(tool(), USER, {**UP, "version": version}).id == "BF41-1"


# The form


@pytest.mark.parametrize(
    ("pasted", "called"),
    [
        ("https://sonar.example.org", "https://sonar.example.org/"),
        ("sonar.example.org:9000/dashboard?id=shop", "https://sonar.example.org:9000/"),
        ("http://sonar/", "http://sonar/"),
        ("https://sonar.example.org/sonarqube/project/issues?id=shop&open=1", "https://sonar.example.org/sonarqube/"),
        ("https://sonar.example.org/api/", "https://sonar.example.org/"),
        ("https://SONARCLOUD.io/organizations/acme/projects", "https://sonarcloud.io/"),
        ("https://www.sonarcloud.io/", "https://sonarcloud.io/"),
        ("https://sonar.example.org:443/", "https://sonar.example.org/"),
        ("http://[::1]:9000/sessions/new", "http://[::1]:9000/"),
    ],
)
def test_what_people_paste_becomes_the_address_that_is_called(pasted: str, called: str):
    assert location(pasted) == called


@pytest.mark.parametrize(
    "pasted", ["", "ftp://sonar", "https://", "https://a:b@sonar", "https://so nar/", "http://a:b:c/", "https://a*b"]
)
def test_what_is_no_address_is_refused(pasted: str):
    with pytest.raises(ValueError, match="location"):
        location(pasted)


@pytest.mark.parametrize(
    ("url", "organization", "said"),
    [
        ("https://sonarcloud.io", "", "organization's key is missing"),
        ("https://sonar.example.org", "acme", "a server has none"),
    ],
)
def test_the_organization_fits_the_address(url: str, organization: str, said: str):
    with pytest.raises(ValidationError, match=said):
        SonarQubeSettings(url=url, organization=organization, token="squ_1")  # type: ignore[arg-type]


def test_the_cloud_is_asked_more_slowly():
    assert (tool().door().per_second, tool("cloud").door().per_second) == (10, 5)


def test_the_token_is_a_bearer():
    """The scheme that SonarSource recommends for both."""
    auth = tool().door().auth

    assert isinstance(auth, Header)
    assert auth.headers() == {"Authorization": f"Bearer {TOLD['server']['settings']['token']}"}


# Rules and flows


def test_a_remediation_falls_back_to_the_one_for_all_and_then_to_the_first():
    sections = [
        {"key": "how_to_fix", "content": "A", "context": {"key": "a", "displayName": "A"}},
        {"key": "how_to_fix", "content": "for all"},
    ]

    assert [rule_of(Row(descriptionSections=sections)).fix(context) for context in ("a", "b", "")] == [
        "A",
        "for all",
        "for all",
    ]
    assert rule_of(Row(descriptionSections=sections[:1])).fix("b") == "A"
    assert rule_of(Row(htmlDesc="<p>CWE-1</p>", mdDesc="x")).description == "<p>CWE-1</p>"


def test_a_long_rule_is_cut_and_still_names_all_its_weaknesses():
    rule = rule_of(Row(htmlDesc="x" * 9_000 + "CWE-79"))

    assert (len(rule.description), rule.cwe) == (LONGEST + 4, (79,))


def test_weaknesses_and_links_are_found_once():
    told = (
        'CWE-79, CWE-79 <a href="https://a.test/?a=1&amp;b=2">a</a> [b](http://b.test/x) [c](javascript:x) '
        '<a href="mailto:a@b.test">d</a>'
    )

    assert (cwes(told), links_in(told)) == ((79,), ("https://a.test/?a=1&b=2", "http://b.test/x"))


def test_flows_are_bounded():
    location = {"component": "p:a.py", "textRange": {"startLine": 1}, "msg": "m" * 30}
    many = Row(flows=[{"locations": [location] * 50}] * 50)
    long = Row(flows=[{"locations": [{**location, "msg": "m" * 9_000}]}])

    assert len(flow(many, "p").splitlines()) == LOCATIONS + 1
    assert flow(many, "p").endswith("[further locations left out]")
    assert len(flow(long, "p")) < 4_100
    assert flow(Row(flows=[{"locations": [{"component": "p:a.py"}]}]), "p") == "a.py"
    assert flow(Row(), "p") == ""


# The Worlds


async def test_every_fault_of_the_suite_has_something_to_strike(tmp_path: Path):
    """A fault that strikes nowhere passes and proves nothing."""
    idle = set(FAULTS)
    for world in WORLDS:
        _, stage = await Suite(world, tmp_path).player.clean()
        idle &= {name for name, fault in FAULTS.items() if all(fault.strike(each) is None for each in stage.exchanges)}

    assert idle == {"200 with errors beside the data", "200 with errors and no data"}  # of GraphQL
