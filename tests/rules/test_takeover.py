"""What follows from a DefectDojo's importers and its people's decisions, as pure values.

What the fields mean is what DefectDojo's source says at 3.2.0: dojo/tools/api_sonarqube, api_bugcrowd, api_cobalt,
api_edgescan, api_blackduck and api_vulners, dojo/tool_config/factory.py and dojo/risk_acceptance/models.py.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tidegate.connectors.sonarqube.location import is_cloud, location
from tidegate.rules.adoption import OurFinding, TheirAcceptance, TheirFinding, TheirNote, adopted, note_of
from tidegate.rules.names import clean_text
from tidegate.rules.takeover import (
    IMPORTERS,
    Address,
    HereRecord,
    OldTest,
    Plan,
    ProposedRecord,
    ScanConfiguration,
    TheirProduct,
    Theirs,
    ToolConfiguration,
    proposed,
    standing,
)

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
URL = "https://dojo.example.org"
SHOP, API = TheirProduct(1, "Web shop", "Web"), TheirProduct(2, "Orders API", "Web")
SONAR = ToolConfiguration(1, "Sonar", "https://sonar.example.org/api", "SonarQube", "API", "")
CLOUD = replace(SONAR, url="https://sonarcloud.io/api")


def plan(*configurations: ToolConfiguration, scans: Any = (), tests: Any = (), tools: Any = ("sonarqube",)) -> Plan:
    return proposed(Theirs(configurations, scans, {1: SHOP, 2: API}, tests), tools, sonarqube)


def sonarqube(url: str) -> Address:
    return Address(found := location(url), is_cloud(found))


def scan(key_1: str = "shop", key_2: str = "", *, id: int = 1, product: int = 1, of: int = 1) -> ScanConfiguration:
    return ScanConfiguration(id, product, of, key_1, key_2)


def whys(found: Plan) -> str:
    return " ".join(f"{one.what}: {one.why}" for one in found.left)


def test_a_server_becomes_a_connection_and_a_key_a_mapping():
    found = plan(SONAR, scans=[scan()])

    (connection,), (record,) = found.connections, found.records
    assert (connection.tool, connection.label, connection.secret) == ("sonarqube", "Sonar", "token")
    assert connection.settings == {"url": "https://sonar.example.org/", "severity": "standard"}
    assert (record.vendor_id, record.product, found.left, found.notes) == ("shop", SHOP, (), ())


def test_without_a_key_the_importer_looked_for_the_name_of_the_product():
    (record,) = plan(SONAR, scans=[scan("")]).records
    assert (record.vendor_id, record.name) == ("", "Web shop")


@pytest.mark.parametrize(
    ("extras", "key_2", "organization"),
    [
        ("OrgID=acme", "", "acme"),
        ("BUG,VULNERABILITY|OrgID=acme", "", "acme"),
        ("OrgID=acme|VULNERABILITY", "", "acme"),
        ("OrgID=acme", "other", "other"),
        ("", "acme", "acme"),
    ],
)
def test_an_organization_stands_in_the_extras_or_at_the_product(extras: str, key_2: str, organization: str):
    (connection,) = plan(replace(CLOUD, extras=extras), scans=[scan(key_2=key_2)]).connections
    assert connection.settings["organization"] == organization


def test_two_organizations_of_a_server_are_two_connections_with_labels_of_their_own():
    found = plan(CLOUD, scans=[scan(key_2="a"), scan("api", "b", id=2, product=2)])
    assert [one.label for one in found.connections] == ["Sonar (a)", "Sonar (b)"]
    assert [one.connection for one in found.records] == [0, 1]


def test_two_configurations_of_one_server_are_one_connection():
    other = replace(SONAR, id=2, name="Sonar again", url="https://sonar.example.org")
    found = plan(SONAR, other, scans=[scan(), scan("api", id=2, product=2, of=2)])

    assert [one.configurations for one in found.connections] == [(1, 2)]
    assert "one Connection stands for both" in found.notes[0]


@pytest.mark.parametrize(
    ("configuration", "scans", "why"),
    [
        (replace(SONAR, tool_type="ZAP"), [scan()], "imports nothing by a configuration of the type «ZAP»"),
        (replace(SONAR, url=""), [scan()], "It has no URL."),
        (replace(SONAR, url="ftp://x"), [scan()], "must begin with https://"),
        (replace(SONAR, url="https://u:p@x/"), [scan()], "must not hold a user name"),
        (SONAR, [], "No Product uses it"),
        (CLOUD, [scan()], "read by organization, and none was told"),
        (SONAR, [scan(product=9)], "was not shown to us"),
        (SONAR, [scan(of=9)], "was not shown to us"),
        *((replace(SONAR, tool_type=kind), [scan()], f"no Tool for {one.name} yet")
          for kind, one in IMPORTERS.items() if one.tool != "sonarqube"),
    ],
)  # fmt: skip
def test_what_cannot_be_taken_over_says_why(configuration: ToolConfiguration, scans: Any, why: str):
    found = plan(configuration, scans=scans)

    assert found.records == ()
    assert why in whys(found)
    assert "u:p" not in whys(found)


def test_a_tool_that_is_here_and_not_understood_is_said_to_be_by_hand():
    assert "add the Connection by hand" in whys(
        plan(replace(SONAR, tool_type="Cobalt.io"), scans=[scan()], tools=("sonarqube", "cobalt"))
    )


def test_a_project_of_two_products_goes_to_one():
    found = plan(SONAR, scans=[scan(), scan(id=2, product=2)])

    assert [one.product.id for one in found.records] == [1]
    assert "flows into «Web shop» already" in whys(found)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"extras": "BUG,CODE_SMELL,VULNERABILITY"}, "also imported BUG and CODE_SMELL"),
        ({"authentication": "Password"}, "logged in by user and password"),
        ({"extras": "OrgID=acme"}, "a server has none"),
    ],
)
def test_what_becomes_otherwise_is_noted(change: Any, said: str):
    assert said in " ".join(plan(replace(SONAR, **change), scans=[scan()]).notes)


def test_tests_of_other_importers_or_products_are_left_and_a_branch_is_noted():
    ours = OldTest(1, 1, "SonarQube API Import", 1, "release")
    found = plan(SONAR, scans=[scan()], tests=[ours, replace(ours, id=2, scan_type="Cobalt.io API Import"),
                                               replace(ours, id=3, product=2)])  # fmt: skip
    assert found.tests == (ours,)
    assert "read the branch «release»" in found.notes[0]


RECORD = HereRecord(7, "shop", "Web shop", "undecided", "", absent=False)
WANTED = ProposedRecord(0, "shop", "", SHOP, 1)


@pytest.mark.parametrize(
    ("wanted", "here", "word"),
    [
        (WANTED, [], "unseen"),
        (WANTED, [replace(RECORD, absent=True)], "unseen"),
        (WANTED, [replace(RECORD, vendor_id="SHOP")], "unseen"),
        (WANTED, [RECORD], "to map"),
        (WANTED, [replace(RECORD, decision="mapped", product="Web shop")], "mapped"),
        (WANTED, [replace(RECORD, decision="mapped", product="Other")], "decided otherwise"),
        (WANTED, [replace(RECORD, decision="ignored")], "decided otherwise"),
        (replace(WANTED, vendor_id="", name="Web shop"), [RECORD], "to map"),
        (replace(WANTED, vendor_id="", name="Web shop"), [RECORD, replace(RECORD, id=8)], "not unique"),
    ],
)
def test_how_far_a_mapping_is(wanted: ProposedRecord, here: list[HereRecord], word: str):
    assert standing(wanted, here, discovered=True).word == word


# Decisions

PLAIN = TheirFinding(5, 1, "issue-1", "SQL injection", "High")
FALSE = replace(PLAIN, active=False, mitigated=True, false_positive=True, reviewed_by="alice", reviewed_at=NOW)
OURS = {("vulnerabilities", "issue-1"): OurFinding(70, open=True, severity="High")}


def fields(one: TheirFinding, **more: Any) -> dict[str, Any]:
    return {
        name: told for found in adopted([one], OURS, URL, NOW, **more).decisions for name, told in found.fields.items()
    }


@pytest.mark.parametrize(
    ("one", "wanted"),
    [
        (PLAIN, {}),
        (FALSE, {"verdict": "false positive"}),
        (replace(PLAIN, active=False, out_of_scope=True), {"verdict": "out of scope"}),
        (replace(PLAIN, active=False, accepted=True), {"verdict": "accepted"}),
        (replace(FALSE, accepted=True, out_of_scope=True), {"verdict": "false positive"}),
        (replace(PLAIN, verified=True), {"verified": True}),
        (replace(PLAIN, tags=("b", "a", "b")), {"tags": ["a", "b"]}),
    ],
)
def test_a_decision_there_becomes_one_here(one: TheirFinding, wanted: dict[str, Any]):
    told = fields(one)
    told.pop("note", None)
    assert told == wanted


def test_an_acceptance_keeps_its_end_and_one_that_ended_is_not_taken_over():
    def accepted(*ends: datetime | None) -> TheirFinding:
        how = tuple(TheirAcceptance("Until the rewrite", "Bob", end) for end in ends)
        return replace(PLAIN, active=False, accepted=True, acceptances=how)

    end = NOW + timedelta(days=9)
    assert fields(accepted(end, NOW))["until"] == end
    assert "until" not in fields(accepted(end, None))
    assert "verdict" not in fields(accepted(NOW))
    assert "ended on 2026-11-27" in adopted([accepted(NOW)], OURS, URL, NOW).left[0].why


def test_the_reason_says_who_and_when_and_leaves_out_what_imports_and_private_notes_say():
    notes = (
        TheirNote("carol", NOW, "A constant.\x00"),
        TheirNote("bob", NOW, "Between us.", private=True),
        TheirNote("admin", NOW, "Mitigated by SonarQube API Import re-upload."),
    )
    one = replace(FALSE, notes=notes)

    told = note_of(one, URL)

    assert told.splitlines() == [
        "From DefectDojo, https://dojo.example.org/finding/5",
        "False positive there, reviewed last by alice on 2026-11-27.",
        "2026-11-27, carol: A constant.",
    ]
    assert "1 private note stay" in adopted([one], OURS, URL, NOW).left[0].why
    assert len(note_of(replace(one, notes=(TheirNote("x", NOW, "y" * 20_000),)), URL)) <= 10_000


def test_a_reason_is_said_as_it_is_stored_or_it_would_not_be_known_again():
    told = note_of(replace(FALSE, notes=(TheirNote("zoe", NOW, " cafe\u0301\r\nnoir \n"),)), URL)
    assert told == clean_text(told, "note")
    assert "caf\u00e9" in told


def test_what_is_decided_here_stays_and_the_same_is_left_in_peace():
    own = OURS["vulnerabilities", "issue-1"]

    def with_decided(**decided: Any) -> Any:
        return adopted([FALSE], {("vulnerabilities", "issue-1"): replace(own, decided=decided)}, URL, NOW)

    same = with_decided(verdict=("false positive", None), note=note_of(FALSE, URL))
    other = with_decided(verdict=("real", None))

    assert (same.decisions, same.left, same.unchanged) == ((), (), 1)
    assert list(other.decisions[0].fields) == ["note"]
    assert "decided otherwise already (verdict)" in other.left[0].why


def test_a_hotspot_is_found_by_its_own_key():
    ours = {("hotspots", "h1"): OurFinding(71, open=True, severity="High")}
    assert [one.finding for one in adopted([replace(FALSE, vendor_id="hotspot:h1")], ours, URL, NOW).decisions] == [71]


@pytest.mark.parametrize(
    ("one", "why"),
    [
        (replace(FALSE, vendor_id=""), "no id of the tool"),
        (replace(FALSE, vendor_id="gone"), "does not report it"),
        (replace(PLAIN, active=False), "Inactive there without a verdict"),
        (replace(PLAIN, active=False, mitigated=True, verified=True), "still reports it"),
        (replace(PLAIN, under_review=True), "has no reviews"),
        (replace(PLAIN, severity="Low"), "--severities"),
    ],
)
def test_what_has_no_counterpart_says_why(one: TheirFinding, why: str):
    assert why in " ".join(left.why for left in adopted([one], OURS, URL, NOW).left)


def test_severities_are_taken_over_only_where_somebody_says_so():
    changed = replace(PLAIN, severity="Low")
    assert "severity" not in fields(changed)
    assert fields(changed, severities=True)["severity"] == "Low"
    assert fields(replace(PLAIN, severity="low"), severities=True) == {}


def test_of_copies_the_one_that_was_judged_counts_and_another_judgement_is_said():
    copy = replace(PLAIN, id=6, duplicate=True, active=False)
    later = replace(FALSE, id=4, false_positive=False, out_of_scope=True, reviewed_at=NOW + timedelta(days=1))

    assert [one.theirs for one in adopted([copy, FALSE], OURS, URL, NOW).decisions] == [5]
    found = adopted([FALSE, later], OURS, URL, NOW)
    assert [(one.theirs, one.fields["verdict"]) for one in found.decisions] == [(4, "out of scope")]
    assert "judged differently" in found.left[0].why
