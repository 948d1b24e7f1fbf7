"""What Semgrep makes of the vendor's documented answers; the sources are in its fixtures."""

import copy
import json
from collections.abc import Generator
from datetime import datetime
from typing import Any

import pytest
from pydantic import ValidationError

from tidegate.connectors.semgrep.connector import Semgrep, SemgrepSettings
from tidegate.connectors.semgrep.fixtures.world import FILE
from tidegate.connectors.semgrep.paging import Cursors, Deployment, Numbered, Projects
from tidegate_sdk import (
    AccessDenied,
    Account,
    Ask,
    ConnectorError,
    Family,
    Finding,
    Header,
    Incomplete,
    NotFound,
    Page,
    Proof,
    Row,
    Severity,
    Skipped,
    VendorChanged,
    Vep,
    Verdict,
)

TOLD = json.loads(FILE.read_text())
HERE = Vep(id="136260", name="acme/web", attributes={"deployment": "acme", "deployment_id": "20169"})


def tool(**settings: Any) -> Semgrep:
    return Semgrep(SemgrepSettings(**{**TOLD["settings"], **settings}))


def rows() -> dict[str, Row]:
    """The documented findings, by id."""
    answers = [each["json"].get("findings", []) for each in TOLD["exchanges"]]
    return {str(row["id"]): Row(copy.deepcopy(row)) for answer in answers for row in answer}


def code(number: str = "1001", **other: Any) -> Finding:
    return tool().code(Row({**rows()[number], **other}), "acme")


def package(number: str = "2001", **other: Any) -> Finding:
    return tool().supply_chain(Row({**rows()[number], **other}), "acme")


def secret(number: str = "691234", **other: Any) -> Finding:
    return tool().secret(Row({**rows()[number], **other}))


# Goldens: each field argued against the documentation


def test_a_finding_of_code_field_by_field():
    """The key is `match_based_id`, which is computed of file, rule and pattern: `id` is another on each branch. What a
    deprecated field says (`rule_message`) gives way to the rule's own."""
    assert code() == Finding(
        key="0f8c79a6_0",
        title="plaintext-http-link",
        severity=Severity.HIGH,
        description="This link points to a plaintext HTTP URL.",
        mitigation="Use a template engine.\n\n1. Install one.",
        url="https://semgrep.dev/orgs/acme/findings/1001",
        vendor_severity="high",
        vendor_status="open",
        confidence="medium",
        rule="html.security.plaintext-http-link",
        cwe=(319,),
        fix="cookie.setHttpOnly(true);",
        path="src/app.js",
        line=120,
        references=("https://github.com/acme/web/blob/39f95450/src/app.js#L120",),
        tags=("Mishandled Sensitive Information", "A02:2021 - Cryptographic Failures"),
        found_at=datetime.fromisoformat("2025-11-18T23:28:12.391807+00:00"),
    )


def test_a_weakness_of_a_package_field_by_field():
    """The package that is to be replaced says its fixed version; its probability of being exploited is FIRST's."""
    assert package() == Finding(
        key="9c8d7e6f_0",
        title="CVE-2023-1428 in @grpc/grpc-js 1.8.0",
        severity=Severity.HIGH,
        description="This link points to a plaintext HTTP URL.",
        evidence="Reachability: reachable\nsrc/rpc.js:17",
        url="https://semgrep.dev/orgs/acme/supply-chain",
        vendor_severity="high",
        vendor_status="open",
        confidence="medium",
        rule="ssc-82207871-bbda",
        cwe=(319,),
        ids=("CVE-2023-1428",),
        epss=0.0412,
        component="@grpc/grpc-js",
        version="1.8.0",
        purl="pkg:npm/%40grpc/grpc-js@1.8.0",
        fix="@grpc/grpc-js 1.8.17",
        fixed_version="1.8.17",
        path="package-lock.json",
        line=222,
        references=("https://github.com/acme/web/blob/39f95450/src/app.js#L120",),
        tags=("direct",),
        found_at=datetime.fromisoformat("2025-11-18T23:28:12.391807+00:00"),
    )


def test_malware_is_tagged_and_another_packages_fix_is_no_version_of_this_one():
    found = package("2002")

    assert (found.title, found.tags) == ("MAL-2024-77 in org.acme:evil 1.0", ("transitive", "malicious"))
    assert (found.purl, found.fix, found.fixed_version) == ("pkg:maven/org.acme/evil@1.0", "other 2.0", "")
    assert found.evidence == "Reachability: conditionally_reachable\nYou call it with user input."


def test_a_package_of_no_manager_has_no_url_and_a_weakness_may_have_no_name():
    found = package(found_dependency={"package": "x", "ecosystem": "no_package_manager"}, vulnerability_identifier=None)

    assert (found.purl, found.title, found.ids) == ("", "ssc-82207871-bbda in x", ())


def test_a_secret_field_by_field():
    """Where it lies and whether it works; never what it is."""
    assert secret() == Finding(
        key="691234",
        title="OpenAI credential in src/ai.py",
        severity=Severity.HIGH,
        vendor_severity="SEVERITY_HIGH",
        vendor_status="FINDING_STATUS_OPEN",
        confidence="high",
        rule="lBU41LA",
        path="src/ai.py",
        line=232,
        references=("https://github.com/acme/web/blob/6ad16b24/src/ai.py#L232",),
        tags=("confirmed valid",),
        found_at=datetime.fromisoformat("2025-06-17T17:23:01.901204+00:00"),
    )


def test_a_secret_may_lie_in_a_file_as_a_whole():
    found = secret("691235")

    assert (found.path, found.line, found.title) == ("config.yaml", None, "OpenAI credential in config.yaml")


def test_the_name_of_a_rule_is_its_own_and_not_the_deprecated_one():
    found = code(rule_name="old.name")

    assert (found.rule, found.title) == ("html.security.plaintext-http-link", "plaintext-http-link")


def test_an_old_finding_has_its_rule_and_message_in_deprecated_fields_alone():
    found = code(rule=None)

    assert (found.rule, found.title, found.description, found.cwe) == (
        "html.security.plaintext-http-link",
        "plaintext-http-link",
        "Old message.",
        (),
    )
    assert package(rule=None, rule_message="An old one.").description == "An old one."


# Severities and states: total


@pytest.mark.parametrize("word", ["critical", "high", "medium", "low"])
def test_every_severity(word: str):
    assert code(severity=word).severity.value.lower() == word
    assert secret(severity=f"SEVERITY_{word.upper()}").severity.value.lower() == word


def test_a_severity_never_seen_before_is_unknown_and_reported():
    assert (code("1003").severity, code("1003").unknown_words) == (Severity.UNKNOWN, ("severity: grave",))
    assert secret(severity="SEVERITY_UNSPECIFIED").unknown_words == ("severity: severity_unspecified",)


IGNORED = {"status": "ignored", "triage_state": "ignored"}


@pytest.mark.parametrize(
    ("told", "fixed", "verdict", "unknown"),
    [
        ({"status": "open"}, False, None, ()), ({"status": "reviewing"}, False, None, ()),
        ({"status": "fixing"}, False, None, ()), ({"status": "provisionally_ignored"}, False, None, ()),
        ({"status": "fixed"}, True, None, ()), ({"status": "asleep"}, False, None, ("status: asleep",)),
        ({**IGNORED, "triage_reason": "false_positive"}, False, Verdict.FALSE_POSITIVE, ()),
        ({**IGNORED, "triage_reason": "acceptable_risk"}, False, Verdict.ACCEPTED, ()),
        ({**IGNORED, "triage_reason": "no_time"}, False, Verdict.ACCEPTED, ()),
        ({**IGNORED, "triage_reason": "no_triage_reason"}, False, Verdict.ACCEPTED, ()),
        ({**IGNORED, "triage_reason": "duplicate"}, False, Verdict.OUT_OF_SCOPE, ()),
        ({**IGNORED, "triage_reason": "bored"}, False, None, ("triage_reason: bored",)),
        ({**IGNORED, "triage_reason": None}, False, None, ("triage_reason: none",)),
        ({**IGNORED, "triage_reason": None, "state": "muted"}, False, Verdict.ACCEPTED, ()),
    ],
)  # fmt: skip
def test_every_status_and_reason(told: dict[str, Any], fixed: bool, verdict: Verdict | None, unknown: tuple[str, ...]):
    for found in (code(**told), package(**told)):
        assert (found.fixed, found.verdict, found.unknown_words) == (fixed, verdict, unknown)


def test_what_was_noted_is_the_reason_of_a_verdict_alone():
    assert code("1002").vendor_reason == "false positive · A test page."
    assert code(triage_comment="Look at this.").vendor_reason == ""


@pytest.mark.parametrize(
    ("status", "fixed", "verdict"),
    [
        ("OPEN", False, None), ("PROVISIONALLY_IGNORED", False, None), ("IGNORED", False, Verdict.ACCEPTED),
        ("FIXED", True, None), ("REMOVED", True, None), ("UNKNOWN", False, None),
    ],
)  # fmt: skip
def test_every_status_of_a_secret(status: str, fixed: bool, verdict: Verdict | None):
    found = secret(status=f"FINDING_STATUS_{status}")

    assert (found.fixed, found.verdict) == (fixed, verdict)
    assert found.unknown_words == (("status: finding_status_unknown",) if status == "UNKNOWN" else ())


def test_a_finding_without_the_id_that_matches_it_is_set_aside():
    with pytest.raises(VendorChanged):
        code(match_based_id=None)


# Walks


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
    items: list[Any] = body.get("findings", body.get("projects", [])) or []
    return Page(body, tuple(Row(item) for item in items), len(items))


def found(*ids: str, **more: Any) -> dict[str, Any]:
    return {"findings": [{"id": each} for each in ids], **more}


def test_numbered_pages_end_with_an_empty_one():
    told, proof = run(Numbered(2).walk(Ask("f")), found("a", "b"), found("c"), found())

    assert [dict(ask.query) for ask in told] == [{"page": number, "page_size": 2} for number in range(3)]
    assert proof == Proof(3, None, "drifting", 2)


def test_a_page_that_comes_again_proves_nothing():
    with pytest.raises(Incomplete, match="the same page again, number 1\\."):
        run(Numbered(2).walk(Ask("f")), found("a"), found("a"))


@pytest.mark.parametrize("end", [found("c", cursor=""), found("c"), found("c", cursor=None)])
def test_cursors_end_where_none_is_given(end: Any):
    told, proof = run(Cursors(2).walk(Ask("s")), found("a", "b", cursor="x"), end)

    assert [dict(ask.query) for ask in told] == [{"limit": 2}, {"limit": 2, "cursor": "x"}]
    assert proof == Proof(3, None, "steady", 2)


def test_a_cursor_after_which_nothing_comes_is_the_end():
    assert run(Cursors(2).walk(Ask("s")), found("a", cursor="x"), found(cursor="y"))[1].seen == 1


def test_a_cursor_that_is_none_is_refused():
    with pytest.raises(VendorChanged):
        run(Cursors(2).walk(Ask("s")), found("a", cursor=7))


DEPLOYMENTS = TOLD["exchanges"][0]["json"]


def test_projects_are_those_of_the_tokens_deployment():
    projects = Projects()

    told, proof = run(projects.walk(Ask("api/v1/deployments")), DEPLOYMENTS, {"projects": []})

    assert [(ask.path, ask.bare) for ask in told] == [
        ("api/v1/deployments", True),
        ("api/v1/deployments/acme/projects", False),
    ]
    assert (projects.deployment, proof.seen) == (Deployment("20169", "acme", "Acme"), 0)


@pytest.mark.parametrize("told", [[], [DEPLOYMENTS["deployments"][0]] * 2])
def test_a_token_sees_one_deployment(told: list[Any]):
    with pytest.raises(VendorChanged, match="where Semgrep promises one"):
        run(Projects().walk(Ask("api/v1/deployments")), {"deployments": told})


def test_a_project_field_by_field():
    row = Row(TOLD["exchanges"][1]["json"]["projects"][0])

    assert tool().project(row, Projects(Deployment("20169", "acme", "Acme"))) == Vep(
        id="136260",
        name="acme/web",
        url="https://github.com/acme/web",
        parent="Acme",
        attributes={"deployment": "acme", "deployment_id": "20169", "branch": "refs/heads/main", "tags": ["shop"]},
    )


@pytest.mark.parametrize(
    ("primary", "default", "shown"), [("main", "old", "main"), (None, "old", "old"), (None, None, "")]
)
def test_the_branch_of_a_project_is_the_one_that_was_chosen_or_else_the_repositorys(
    primary: str | None, default: str | None, shown: str
):
    row = Row({**TOLD["exchanges"][1]["json"]["projects"][0], "primary_branch": primary, "default_branch": default})

    assert tool().project(row, Projects()).attributes["branch"] == shown


def test_three_families_are_asked_for_of_one_project():
    some = found("a")

    told, _ = run(tool().families(HERE), some, some, some)
    families = [each for each in told if isinstance(each, Family)]

    assert [(each.name, each.secret) for each in families] == [
        ("code", False),
        ("supply chain", False),
        ("secrets", True),
    ]
    assert [dict(each.list.ask.query) for each in families] == [
        {"issue_type": "sast", "dedup": "true", "repository_ids": "136260"},
        {"issue_type": "sca", "dedup": "true", "repository_ids": "136260"},
        {"repo": "acme/web"},
    ]
    assert all(each.off == frozenset({403}) for each in families)


def test_a_family_of_which_nothing_is_reported_at_all_is_skipped():
    """promises.md: never closed by a switched-off Family; Semgrep answers with nothing for what is not enabled."""
    told, _ = run(tool().families(HERE), found("a"), found(), found())

    assert [(each.family, "not be enabled" in each.because) for each in told if isinstance(each, Skipped)] == [
        ("supply chain", True),
        ("secrets", True),
    ]


def test_a_family_that_the_token_may_not_read_is_skipped_and_the_others_are_read():
    told, _ = run(tool().families(HERE), found("a"), AccessDenied("GET findings answered 403."), found("a"))

    names = [each.name if isinstance(each, Family) else each.because for each in told if not isinstance(each, Ask)]
    assert names == ["code", "Not enabled: GET findings answered 403.", "secrets"]


def test_whether_anything_is_reported_is_asked_once():
    semgrep, some = tool(), found("a")

    first, _ = run(semgrep.families(HERE), some, some, some)
    second, _ = run(semgrep.families(HERE))

    assert (sum(isinstance(each, Ask) for each in first), sum(isinstance(each, Ask) for each in second)) == (3, 0)


@pytest.mark.parametrize(
    ("answer", "says"), [({"project": {"id": 136260}}, True), ({"project": {"id": 7}}, False), (NotFound("no"), False)]
)
def test_a_witness_asks_for_the_project_by_its_name(answer: Any, says: bool):
    talk = tool().witness(HERE)
    assert talk is not None

    told, said = run(talk, answer)

    assert (told[0].path, said) == ("api/v1/deployments/acme/projects/acme%2Fweb", says)


# The account and the form


def test_the_account_is_the_organization_of_the_token():
    assert run(tool().account(), DEPLOYMENTS)[1] == Account(id="20169", name="Acme")


@pytest.mark.parametrize(
    ("pasted", "called"),
    [
        ("semgrep.dev/orgs/acme/findings?x=1", "https://semgrep.dev/"),
        ("https://www.semgrep.dev/login", "https://semgrep.dev/"),
        ("https://acme.semgrep.dev/api/v1", "https://acme.semgrep.dev/"),
    ],
)
def test_what_people_paste_becomes_where_the_paths_begin(pasted: str, called: str):
    assert tool(url=pasted).settings.url == called


def test_the_door_sends_the_token_as_semgrep_wants_it():
    door = tool().door()

    assert (door.location, door.per_second) == ("https://semgrep.dev/", 5)
    assert isinstance(door.auth, Header)
    assert door.auth.headers() == {"Authorization": f"Bearer {TOLD['settings']['token']}"}


def test_what_a_form_refuses_says_why():
    with pytest.raises(ValidationError, match="the API token has a field of its own"):
        tool(url="https://me:secret@semgrep.dev")
    with pytest.raises(ValidationError):
        tool(token="")
