"""What AWS Security Hub makes of the documented answers; the sources are in its fixtures."""

import copy
import io
import json
from collections.abc import Generator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
from pydantic import ValidationError

from tidegate.connectors.aws_security_hub import connector
from tidegate.connectors.aws_security_hub.connector import FixedFirst, SecurityHub, SecurityHubSettings
from tidegate.connectors.aws_security_hub.fixtures.world import VENDOR
from tidegate.connectors.aws_security_hub.location import location
from tidegate.connectors.aws_security_hub.package import package_of
from tidegate.connectors.aws_security_hub.places import REGIONS, Places, hub_of, regions_of
from tidegate.connectors.aws_security_hub.refused import refusal_of
from tidegate_sdk import (
    AccessDenied,
    Ask,
    AuthRejected,
    Busy,
    ConnectorError,
    Finding,
    Page,
    Row,
    Severity,
    SharedFamily,
    Skip,
    Skipped,
    VendorChanged,
    Vep,
    Verdict,
)
from tidegate_sdk.aws import AssumedRole, SigV4

TOLD = json.loads(VENDOR.read_text())
LISTED = [row for each in TOLD["exchanges"] if each["path"] == "/findings" for row in each["json"]["Findings"]]
ROWS = {row["Id"].rpartition("/")[2]: row for row in LISTED}
OURS = Vep(id="111122223333/eu-west-1", name="ours", attributes={"account": "111122223333", "region": "eu-west-1"})
OTHER = Vep(
    id="222233334444/eu-central-1", name="other", attributes={"account": "222233334444", "region": "eu-central-1"}
)
KEYS = {"access_key_id": "AKIA1", "secret_access_key": "a-secret-key"}


def tool(**settings: Any) -> SecurityHub:
    return SecurityHub(SecurityHubSettings(**{**TOLD["settings"], **settings}))


def finding(name: str, **other: Any) -> Finding:
    """The documented finding of that id, with other values."""
    found = tool().finding(Row(copy.deepcopy({**ROWS[name], **other})))
    assert isinstance(found, Finding)
    return found


# Goldens: each field argued against the documentation


def test_a_control_field_by_field():
    """The key is ProductArn and Id, which is how BatchUpdateFindings names a finding. The rule is the control's id; the
    place is the resource that was checked, since a control has neither package nor file."""
    id_ = "arn:aws:securityhub:eu-west-1:111122223333:security-control/S3.8/finding/0002"
    assert finding("0002") == Finding(
        key=f"arn:aws:securityhub:eu-west-1::product/aws/securityhub/{id_}",
        title="S3 general purpose buckets should block public access",
        severity=Severity.HIGH,
        description="This control checks whether the resource is configured as it should be.",
        mitigation=(
            "For information on how to correct this issue, consult the AWS Security Hub CSPM controls documentation."
        ),
        evidence="AwsS3Bucket arn:aws:s3:::invoices (eu-west-1)",
        url=(
            "https://console.aws.amazon.com/securityhub/home?region=eu-west-1#/findings?search=Id%3Darn%3Aaws%3A"
            "securityhub%3Aeu-west-1%3A111122223333%3Asecurity-control%2FS3.8%2Ffinding%2F0002"
        ),
        vendor_severity="HIGH",
        vendor_status="NEW",
        rule="S3.8",
        endpoint="arn:aws:s3:::invoices",
        references=("https://docs.aws.amazon.com/console/securityhub/S3.8/remediation",),
        tags=("Security Hub CSPM", "Software and Configuration Checks/Industry and Regulatory Standards"),
        found_at=datetime(2026, 3, 2, 8, 15, 30, 120_000, UTC),
    )


def test_a_vulnerable_package_field_by_field():
    """Of the scores the newest version counts; both vectors stay. A second package stands in the evidence. Inspector's
    "None Provided" is no advice, and its package manager JAR is Maven's."""
    assert finding("2b") == Finding(
        key=(
            "arn:aws:securityhub:eu-west-1::product/aws/inspector/arn:aws:inspector2:eu-west-1:111122223333:finding/2b"
        ),
        title="CVE-2017-9735 - org.eclipse.jetty:jetty-server",
        severity=Severity.HIGH,
        description="A flaw in the parsing of requests lets a remote attacker exhaust the memory of the server.",
        evidence=(
            "AwsEc2Instance arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60718 (eu-west-1)\n"
            "also in org.eclipse.jetty:jetty-util 8.1.14.v20131031 (opt/app/lib/jetty-util-8.1.14.jar),"
            " fixed in 9.4.6.v20170531"
        ),
        url=(
            "https://console.aws.amazon.com/securityhub/home?region=eu-west-1#/findings?search=Id%3Darn%3Aaws%3A"
            "inspector2%3Aeu-west-1%3A111122223333%3Afinding%2F2b"
        ),
        vendor_severity="HIGH",
        vendor_status="NEW",
        rule="AWSInspector",
        ids=("CVE-2017-9735", "GHSA-wfcc-pff6-rgc5"),
        cvss=("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N", "AV:N/AC:L/Au:N/C:P/I:N/A:N"),
        cvss_score=7.5,
        epss=0.00771,
        component="org.eclipse.jetty:jetty-server",
        version="8.1.14.v20131031",
        purl="pkg:maven/org.eclipse.jetty/jetty-server@8.1.14.v20131031",
        fix="Update jetty-server to 9.4.6.v20170531",
        fixed_version="9.4.6.v20170531",
        path="opt/app/lib/jetty-server-8.1.14.jar",
        endpoint="arn:aws:ec2:eu-west-1:111122223333:instance/i-0a1b2c3d4e5f60718",
        references=("https://bugs.debian.org/864631", "https://nvd.nist.gov/vuln/detail/CVE-2017-9735"),
        tags=("Inspector", "Software and Configuration Checks/Vulnerabilities/CVE"),
        found_at=datetime(2026, 3, 2, 8, 15, 30, 120_000, UTC),
    )


def test_a_package_of_an_image_names_the_image_and_no_purl():
    """Inspector does not say which distribution a package of the OS is from, and a guess would be no identity."""
    found = finding("3c")

    assert (found.image, found.endpoint) == ("shop/web:1.4@sha256:9b2c", "")
    assert (found.component, found.version, found.purl) == ("openssl", "1:3.0.7-27.el9", "")
    assert (found.fixed_version, found.vendor_status) == ("1:3.0.7-28.el9_4", "NOTIFIED")


def test_a_weakness_of_code_names_the_line():
    found = finding("4d")

    assert (found.cwe, found.path, found.line) == ((89,), "app/orders.py", 41)
    assert (found.ids, found.fixed_version) == ((), "")


def test_a_threat_has_its_type_for_a_rule_and_leads_to_the_product_that_saw_it():
    found = finding("6f")

    assert found.rule == "DefenseEvasion:EC2-UnusualDNSResolver"
    assert found.references[0].startswith("https://eu-west-1.console.aws.amazon.com/guardduty/")
    assert "AwsIamAccessKey AWS::IAM::AccessKey:ASIAEXAMPLE" in found.evidence


def test_a_finding_of_a_third_party_has_confidence_and_the_unknown_severity_is_reported():
    found = finding("probe-23-open")

    assert (found.severity, found.confidence, found.rule) == (Severity.UNKNOWN, "85", "probe/open-port")
    assert found.unknown_words == ("Severity.Label: catastrophic",)


def test_it_was_found_when_it_was_first_observed_or_else_when_it_was_written_down():
    early, late = "2026-01-01T08:00:00Z", "2026-02-01T08:00:00Z"

    assert finding("0002", FirstObservedAt=early, CreatedAt=late).found_at == datetime(2026, 1, 1, 8, tzinfo=UTC)
    assert finding("0002", FirstObservedAt=None, CreatedAt=late).found_at == datetime(2026, 2, 1, 8, tzinfo=UTC)


def test_an_image_without_a_repository_is_called_by_its_arn():
    image = {"Type": "AwsEcrContainerImage", "Id": "arn:aws:ecr:eu-west-1:1:repository/shop/sha256:9b2c"}

    assert finding("0002", Resources=[image]).image == image["Id"]


@pytest.mark.parametrize(
    ("grouping", "id_"), [("account and region", "222233334444/us-east-1"), ("account", "222233334444")]
)
def test_a_place_has_the_id_by_which_findings_know_it(grouping: str, id_: str):
    made, row = tool(grouping=grouping), Row(account="222233334444", region="us-east-1", home=True)
    found = made.place(row)
    *_, last = shared(made, [OTHER], HUB, READY)
    named, home = cast("Any", made.veps()).id, cast("Any", last).of

    assert isinstance(found, Vep)
    assert found.id == named(row) == home(Row(AwsAccountId="222233334444", Region="us-east-1")) == id_
    assert isinstance(made.place(Row({**row, "home": False})), Skip if grouping == "account" else Vep)


def test_a_suppressed_one_is_accepted_with_its_note():
    found = finding("0003")

    assert (found.verdict, found.vendor_reason) == (Verdict.ACCEPTED, "The root user is locked away.")
    assert "CONFIG_EVALUATIONS_EMPTY: AWS Config has no evaluation" in found.evidence
    assert finding("0002", Note={"Text": "no verdict"}).vendor_reason == ""


def test_a_sample_finding_is_none():
    row = ROWS["7a"]

    assert isinstance(tool().finding(Row(row)), Skip)
    assert isinstance(tool().finding(Row({**ROWS["6f"], "Sample": False})), Finding)


@pytest.mark.parametrize(
    ("record", "workflow", "check", "fixed", "verdict", "word"),
    [
        ("ACTIVE", "NEW", "FAILED", False, None, "NEW"),
        ("ACTIVE", "NOTIFIED", "NOT_AVAILABLE", False, None, "NOTIFIED"),
        ("ACTIVE", "RESOLVED", "PASSED", True, None, "PASSED"),
        ("ACTIVE", "RESOLVED", "FAILED", False, None, "RESOLVED"),
        ("ACTIVE", "RESOLVED", None, True, None, "RESOLVED"),
        ("ACTIVE", "SUPPRESSED", "FAILED", False, Verdict.ACCEPTED, "SUPPRESSED"),
        ("ARCHIVED", "NEW", "FAILED", True, None, "ARCHIVED"),
        ("ACTIVE", None, None, False, None, ""),
        ("asleep", "NEW", None, False, None, "asleep"),
        ("ACTIVE", "dozing", "FAILED", False, None, "dozing"),
        ("ACTIVE", "NEW", "half", False, None, "half"),
    ],
)
def test_the_state_is_total(record: str, workflow: str | None, check: str | None, fixed: bool, verdict: Any, word: str):
    """A word never seen before counts as open, and is reported."""
    found = finding("0002", RecordState=record, Workflow={"Status": workflow}, Compliance={"Status": check})

    assert (found.fixed, found.verdict, found.vendor_status) == (fixed, verdict, word)
    assert bool(found.unknown_words) == (word.islower() and word != "")


@pytest.mark.parametrize(
    ("severity", "expected", "word"),
    [
        ({"Label": "INFORMATIONAL"}, Severity.INFO, "INFORMATIONAL"),
        ({"Normalized": 0}, Severity.INFO, "INFORMATIONAL"),
        ({"Normalized": 39}, Severity.LOW, "LOW"),
        ({"Normalized": 40.0}, Severity.MEDIUM, "MEDIUM"),
        ({"Normalized": 89}, Severity.HIGH, "HIGH"),
        ({"Normalized": 100}, Severity.CRITICAL, "CRITICAL"),
        ({"Normalized": 101}, Severity.UNKNOWN, ""),
        ({"Normalized": True}, Severity.UNKNOWN, ""),
        ({}, Severity.UNKNOWN, ""),
        (None, Severity.UNKNOWN, ""),
        ({"Label": "grave", "Normalized": 90}, Severity.UNKNOWN, "grave"),
    ],
)
def test_the_severity_is_the_label_or_else_the_number(severity: Any, expected: Severity, word: str):
    found = finding("0002", Severity=severity)

    assert (found.severity, found.vendor_severity) == (expected, word)
    assert bool(found.unknown_words) == (expected is Severity.UNKNOWN)


@pytest.mark.parametrize(
    "row",
    [
        {"Id": None}, {"Id": " "}, {"Title": 7}, {"ProductArn": None}, {"RecordState": "missing"}, {"Resources": {}},
        {"Vulnerabilities": "none"}, {"GeneratorId": 1}, {"Types": "one"},
    ],
)  # fmt: skip
def test_a_row_that_is_not_as_documented_is_set_aside(row: dict[str, Any]):
    told = {name: value for name, value in {**ROWS["2b"], **row}.items() if value != "missing"}

    with pytest.raises(ConnectorError):
        tool().finding(Row(told))


@pytest.mark.parametrize(
    ("manager", "name", "purl"),
    [
        ("NODEPKG", "@babel/core", "pkg:npm/%40babel/core@1.0"),
        ("GOBINARY", "golang.org/x/net", "pkg:golang/golang.org/x/net@1.0"),
        ("PYTHONPKG", "Django", "pkg:pypi/django@1.0"),
        ("OS", "openssl", ""),
        ("JAR", "", ""),
        (None, "a", ""),
    ],
)
def test_a_package_is_named_by_its_manager(manager: str | None, name: str, purl: str):
    package = {"Name": name, "Version": "1.0", "PackageManager": manager}

    assert package_of(Row(Vulnerabilities=[{"Id": "x", "VulnerablePackages": [package]}])).purl == purl


def test_a_published_vector_that_is_none_is_left_out_and_a_score_in_words_counts():
    """DefectDojo's issue_10956.json: `CVSS:9.1/…`, and a score as a text."""
    cvss = [{"Version": "3.1", "BaseScore": "7.5", "BaseVector": "CVSS:9.1/AV:N/AC:L"}]
    found = package_of(Row(Vulnerabilities=[{"Id": "CVE-2024-1234", "Cvss": cvss, "EpssScore": "0.2"}]))

    assert (found.cvss, found.score, found.epss) == ((), 7.5, 0.2)


def test_a_cve_that_stands_in_the_title_alone_is_read():
    """DefectDojo's inspector_ec2_cve_no_vulnerabilities.json."""
    assert finding("2b", Vulnerabilities=[]).ids == ("CVE-2017-9735",)
    assert finding("2b", Vulnerabilities=[], Types=["Effects/Other"]).ids == ()


# What is asked


def drive(generator: Generator[Any, Page, Any], *bodies: Any) -> tuple[list[Any], Any]:
    """The steps of a generator that is answered with these bodies, and what it returns."""
    steps: list[Any] = []
    answers = iter(bodies)
    try:
        step = next(generator)
        while True:
            steps.append(step)
            body = next(answers) if isinstance(step, Ask) else None
            rows = tuple(map(Row, body.get("Findings", []))) if isinstance(body, dict) else ()
            step = generator.send(Page(body, rows, len(rows)))
    except StopIteration as end:
        return steps, end.value


HUB, READY = (
    {"HubArn": "arn:aws:securityhub:eu-west-1:111122223333:hub/default"},
    {"StandardsSubscriptions": [{"a": 1}]},
)


def shared(made: SecurityHub, veps: list[Vep], *bodies: Any) -> list[SharedFamily | Skipped]:
    steps, _ = drive(made.shared(veps), *bodies)
    return [step for step in steps if isinstance(step, (SharedFamily, Skipped))]


def filters(family: SharedFamily) -> list[dict[str, Any]]:
    """What each of the two walks of a Family filters by."""
    steps, proof = drive(family.list.by.walk(family.list.ask), {"Findings": []}, {"Findings": []})
    assert (proof.kind, proof.pages) == ("steady", 2)
    assert all((step.method, step.safe, step.json["MaxResults"]) == ("POST", True, 100) for step in steps)
    return [step.json["Filters"] for step in steps]


def test_three_families_ask_for_what_was_archived_lately_and_for_what_is_active():
    controls, vulnerabilities, findings = shared(tool(), [OURS, OTHER], HUB, READY)

    assert isinstance(controls, SharedFamily)
    archived, active = filters(controls)
    both = [{"Value": name, "Comparison": "EQUALS"} for name in ("Security Hub CSPM", "Security Hub")]
    assert archived["ProductName"] == active["ProductName"] == both
    assert archived["UpdatedAt"] == [{"DateRange": {"Value": 7, "Unit": "DAYS"}}]
    assert active["ComplianceStatus"] == [{"Value": "PASSED", "Comparison": "NOT_EQUALS"}]
    assert [each["Value"] for each in active["AwsAccountId"]] == ["111122223333", "222233334444"]
    assert [each["Value"] for each in active["Region"]] == ["eu-central-1", "eu-west-1"]
    assert isinstance(vulnerabilities, SharedFamily)
    assert "ComplianceStatus" not in filters(vulnerabilities)[1]
    assert isinstance(findings, SharedFamily)
    assert {each["Comparison"] for each in filters(findings)[1]["ProductName"]} == {"NOT_EQUALS"}


def test_more_accounts_than_a_filter_takes_are_not_named():
    """GetFindings: "for each attribute, you can provide up to 20 filter values"."""
    many = [replace_vep(OTHER, f"{number:012d}") for number in range(21)]
    families = shared(tool(), many, HUB)

    assert isinstance(families[0], SharedFamily)
    assert "AwsAccountId" not in filters(families[0])[1]
    assert "Region" in filters(families[0])[1]


def replace_vep(vep: Vep, account: str) -> Vep:
    return Vep(id=f"{account}/eu-central-1", name="", attributes={**vep.attributes, "account": account})


def test_without_a_standard_our_own_controls_are_skipped_and_those_of_others_read():
    """records.md: a Family that is switched off is skipped, never read as all fixed."""
    skipped, controls, *others = shared(tool(), [OURS, OTHER], HUB, {"StandardsSubscriptions": []})

    assert isinstance(skipped, Skipped)
    assert skipped.because == "No standard is enabled in 111122223333 eu-west-1."
    assert (skipped.covers(OURS), skipped.covers(OTHER)) == (True, False)
    assert (controls.covers(OURS), controls.covers(OTHER)) == (False, True)
    assert all(family.covers(OURS) for family in others)
    alone = shared(tool(), [OURS], HUB, {"StandardsSubscriptions": []})
    assert [getattr(each, "name", "skipped") for each in alone] == ["skipped", "vulnerabilities", "findings"]


def test_without_the_right_to_look_our_own_controls_are_skipped():
    generator = tool().shared([OURS])
    next(generator)
    generator.send(Page(HUB))

    step = generator.throw(AccessDenied("no right"))

    assert isinstance(step, Skipped)
    assert "no right" in step.because


def test_an_answer_to_another_question_is_refused():
    """An archived finding among those that were asked for as active: a proxy that caches, say."""
    walk = FixedFirst("controls").walk(Ask("findings", method="POST", json={"Filters": {}}))

    with pytest.raises(VendorChanged, match="not asked for"):
        drive(walk, {"Findings": []}, {"Findings": [{"RecordState": "ARCHIVED"}]})


def test_a_row_of_another_family_is_left_to_it():
    row = Row(ROWS["6f"])

    assert isinstance(tool().finding(row, family="controls"), Skip)
    assert isinstance(tool().finding(row, family="findings"), Finding)
    assert isinstance(tool().finding(Row({**row, "ProductName": None}), family="controls"), Finding)


def places(*bodies: Any) -> list[Ask]:
    steps, _ = drive(Places().walk(Ask("accounts")), *bodies, {})
    return steps


def test_places_are_the_accounts_times_the_linked_regions():
    aggregator = {
        "FindingAggregators": [{"FindingAggregatorArn": "arn:aws:securityhub:eu-west-1:1:finding-aggregator/a"}]
    }
    linked = {
        "FindingAggregationRegion": "eu-west-1",
        "RegionLinkingMode": "SPECIFIED_REGIONS",
        "Regions": ["us-east-1"],
    }
    members = {
        "Members": [{"AccountId": "222233334444"}, {"AccountId": "3", "MemberStatus": "Removed"}],
        "NextToken": "2",
    }

    _, found, first, second, last = places(aggregator, linked, members, {"Members": []})

    assert found.path == "findingAggregator/get/arn%3Aaws%3Asecurityhub%3Aeu-west-1%3A1%3Afinding-aggregator%2Fa"
    assert (first.query, second.query["NextToken"]) == ({"OnlyAssociated": "true", "MaxResults": 50}, "2")
    assert last.reader is not None
    rows = list(last.reader(io.BytesIO(json.dumps(HUB).encode())))
    assert [(row["account"], row["region"], row["home"]) for row in rows] == [
        ("111122223333", "eu-west-1", True),
        ("111122223333", "us-east-1", False),
        ("222233334444", "eu-west-1", True),
        ("222233334444", "us-east-1", False),
    ]
    with pytest.raises(VendorChanged):
        list(last.reader(io.BytesIO(b"nonsense")))


def test_without_an_aggregator_there_is_one_region():
    asked = places({"FindingAggregators": []}, {"Members": []})

    assert [ask.path for ask in asked] == ["findingAggregator/list", "members", "accounts"]


@pytest.mark.parametrize(
    ("mode", "named", "expected"),
    [
        ("ALL_REGIONS", [], {region for region in REGIONS if not region.startswith(("cn-", "us-gov-"))}),
        ("ALL_REGIONS_EXCEPT_SPECIFIED", ["us-east-1"], {region for region in REGIONS
            if not region.startswith(("cn-", "us-gov-"))} - {"us-east-1"}),
        ("SPECIFIED_REGIONS", ["xx-new-1"], {"eu-west-1", "xx-new-1"}),
        ("NO_REGIONS", [], {"eu-west-1"}),
    ],
)  # fmt: skip
def test_every_linking_mode_is_known(mode: str, named: list[str], expected: set[str]):
    linked = {"FindingAggregationRegion": "eu-west-1", "RegionLinkingMode": mode, "Regions": named}

    assert set(regions_of("eu-west-1", Row(linked))) == expected
    assert regions_of("eu-west-1", Row(linked))[0] == "eu-west-1"
    assert regions_of("us-east-2", Row(linked)) == ["us-east-2"]  # a linked region shows itself alone


@pytest.mark.parametrize(
    "linked",
    [
        {"RegionLinkingMode": "SOME"}, {"RegionLinkingMode": "SPECIFIED_REGIONS"}, {"RegionLinkingMode": None},
        {"RegionLinkingMode": "SPECIFIED_REGIONS", "Regions": [""]}, {"FindingAggregationRegion": "elsewhere"},
    ],
)  # fmt: skip
def test_a_linking_that_nobody_knows_is_an_error(linked: dict[str, Any]):
    """A region that is left out would be missing, with all of its findings."""
    with pytest.raises(VendorChanged):
        regions_of("eu-west-1", Row({"FindingAggregationRegion": "eu-west-1", **linked}))


@pytest.mark.parametrize("arn", [None, "", "arn:aws:securityhub:eu-west-1:1:hub/default", "a:b:c:d:e:f", "arn:aws"])
def test_a_hub_that_does_not_say_whose_it_is_is_an_error(arn: Any):
    with pytest.raises(VendorChanged):
        hub_of({"HubArn": arn})


# Settings


@pytest.mark.parametrize(
    ("pasted", "called"),
    [
        ("eu-west-1", "https://securityhub.eu-west-1.amazonaws.com/"),
        ("cn-north-1", "https://securityhub.cn-north-1.amazonaws.com.cn/"),
        ("securityhub.us-east-1.amazonaws.com", "https://securityhub.us-east-1.amazonaws.com/"),
        ("https://eu-west-1.console.aws.amazon.com/securityhub/home?region=eu-west-1#/findings",
         "https://securityhub.eu-west-1.amazonaws.com/"),
        ("https://console.aws.amazon.com/securityhub/home?region=us-east-2#/", "https://securityhub.us-east-2.amazonaws.com/"),
        ("us-gov-west-1.console.amazonaws-us-gov.com/securityhub/home", "https://securityhub.us-gov-west-1.amazonaws.com/"),
        ("http://localhost:5000/", "http://localhost:5000/"),
    ],
)  # fmt: skip
def test_what_people_paste_becomes_the_endpoint(pasted: str, called: str):
    assert location(pasted) == called


@pytest.mark.parametrize(
    "pasted", ["https://console.aws.amazon.com/securityhub/home", "ftp://x", "https://k:s@host/", ""]
)
def test_what_leads_nowhere_is_refused(pasted: str):
    with pytest.raises(ValueError, match=r"\w"):
        location(pasted)


def test_keys_sign_for_the_region_of_the_endpoint():
    settings = SecurityHubSettings(url="eu-west-1", **KEYS)  # type: ignore[arg-type]
    auth = SecurityHub(settings).door().auth

    assert isinstance(auth, SigV4)
    assert (auth.service, auth.region, auth.keys.token) == ("securityhub", "eu-west-1", None)
    assert SecurityHub(settings).door().per_second == 3


def test_a_role_is_assumed_in_the_region_of_the_endpoint_with_what_was_said_of_the_way():
    told = {"url": "cn-north-1", "role": "arn:aws-cn:iam::111122223333:role/t", "verify_tls": False, "proxy": "direct"}
    auth = SecurityHub(SecurityHubSettings(**KEYS, **told)).door().auth  # type: ignore[arg-type]

    assert isinstance(auth, AssumedRole)
    assert auth.sts.location == "https://sts.cn-north-1.amazonaws.com.cn/"
    assert (auth.sts.verify, auth.sts.proxy) == (False, "direct")


@pytest.mark.parametrize(
    "told",
    [
        {"url": "https://hub.example.org"},
        {"url": "https://hub.example.org", "region": "eu-west-1", "role": "arn:aws:iam::111122223333:role/t"},
        {"url": "eu-west-1", "role": "tidegate"},
        {"url": "eu-west-1", "access_key_id": " "},
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_sent(told: dict[str, Any]):
    """Keys are sent to no cloud that the endpoint is not of: STS of one's own is named by a person."""
    with pytest.raises(ValidationError):
        SecurityHubSettings(**{**KEYS, **told})


# Refusals


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"message": "The security token included in the request is invalid."}, AuthRejected),
        ({"message": "The security token included in the request is expired"}, AuthRejected),
        ({"message": "The request signature we calculated does not match the signature you provided."}, AuthRejected),
        ({"message": "Signature expired: 20260101T000000Z is now earlier than …"}, AuthRejected),
        ({"Code": "InvalidClientTokenId", "Message": "The token is invalid"}, AuthRejected),
        (
            {"Message": "Account 1 is not subscribed to AWS Security Hub", "Code": "InvalidAccessException"},
            AccessDenied,
        ),
        ({"message": "Rate exceeded"}, Busy),
        ({"Code": "Throttling", "Message": "slow down"}, Busy),
    ],
)
def test_a_refusal_is_told_by_its_sentence(body: dict[str, str], expected: type[ConnectorError]):
    found = refusal_of(body)

    assert found is not None
    assert type(found) is expected
    assert (body.get("message") or body["Message"]) in found.what


@pytest.mark.parametrize("body", [None, [], {}, {"Findings": []}, {"message": None}, {"message": "something else"}])
def test_any_other_body_is_no_refusal_of_ours(body: Any):
    assert refusal_of(body) is None


def test_a_wrong_clock_is_told_with_what_to_do():
    found = refusal_of({"message": "Signature expired: 20260101T000000Z is now earlier than …"})

    assert found is not None
    assert "clock" in found.next_step


def test_the_families_are_told_apart_by_product():
    assert connector.family_of("Security Hub") == "controls"
    assert connector.family_of("Inspector") == "vulnerabilities"
    assert connector.family_of("anything") == "findings"
