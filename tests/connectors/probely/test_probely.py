"""What Probely makes of the vendor's documented answers; the sources are in its fixtures."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from tests import replay
from tidegate.connectors.probely.connector import LONGEST, Probely, ProbelySettings
from tidegate.connectors.probely.fixtures.world import EDITS, VENDOR, WORLD
from tidegate_sdk import Account, Finding, Page, Row, Severity, VendorChanged, Vep, Verdict
from tidegate_sdk.conformance import Suite
from tidegate_sdk.conformance.answers import FAULTS

TOLD = json.loads(VENDOR.read_text())
PAGES = {
    path: [each["json"] for each in TOLD["exchanges"] if each["path"] == path] for path in ("/targets/", "/findings/")
}
ROWS = [row for page in PAGES["/findings/"] for row in page["results"]]
HOME = "https://plus.probely.app/targets/"


def tool(**settings: Any) -> Probely:
    return Probely(ProbelySettings(**{**TOLD["settings"], **settings}))


def found(number: int = 0, **other: Any) -> Finding:
    return tool().finding(Row({**copy.deepcopy(ROWS[number]), **other}))


def test_a_finding_field_by_field():
    """The key is the number that the target gave it. What mends it and what was sent are Markdown, as Probely says."""
    assert found() == Finding(
        key="79",
        title="SQL Injection",
        severity=Severity.HIGH,
        description="The query is made of what a user sent.\n\nSeen on each try.",
        mitigation="Do it otherwise.",
        evidence=(
            "POST parameter username\n\nA quote made the database complain.\n\n```\nPOST /login.php HTTP/1.1\n```\n\n"
            "```\nHTTP/1.1 500\n```"
        ),
        url=f"{HOME}3r5Sjyg7enXp/findings/79",
        vendor_severity="30",
        vendor_status="notfixed",
        rule="xnV8PJVmSoLS",
        cwe=(89,),
        cvss=("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:N",),
        cvss_score=9.1,
        endpoint="https://shop.example.com/login.php",
        references=("https://shop.example.com/login.php",),
        tags=("urgent",),
    )


def test_an_accepted_risk_keeps_its_comment_as_reason():
    finding = found(1)

    assert (finding.verdict, finding.vendor_reason, finding.severity) == (
        Verdict.ACCEPTED, "Inside only.", Severity.MEDIUM,
    )  # fmt: skip
    assert found(1, state="notfixed").vendor_reason == ""


OPEN, FIXED = (False, None), (True, None)
FALSE, ACCEPTED = (False, Verdict.FALSE_POSITIVE), (False, Verdict.ACCEPTED)


@pytest.mark.parametrize(
    ("state", "means"),
    [("notfixed", OPEN), ("retesting", OPEN), ("invalid", FALSE), ("accepted", ACCEPTED), ("fixed", FIXED),
     ("snoozed", OPEN)],
)  # fmt: skip
def test_every_state(state: str, means: Any):
    """house-style.md: no default for the unknown."""
    finding = found(state=state)

    assert ((finding.fixed, finding.verdict), finding.vendor_status) == (means, state)
    assert finding.unknown_words == (("state: snoozed",) if state == "snoozed" else ())


@pytest.mark.parametrize(
    ("told", "severity"),
    [(10, Severity.LOW), (20, Severity.MEDIUM), (30, Severity.HIGH), (40, Severity.UNKNOWN), (None, Severity.UNKNOWN)],
)
def test_every_severity(told: Any, severity: Severity):
    finding = found(severity=told)

    assert finding.severity == severity
    assert bool(finding.unknown_words) == (severity is Severity.UNKNOWN)
    assert finding.vendor_severity == ("" if told is None else str(told))


@pytest.mark.parametrize("lost", ["id", "target", "state", "severity", "definition", "url"])
def test_what_must_be_there_sets_its_row_aside(lost: str):
    row = {name: value for name, value in ROWS[0].items() if name != lost}

    with pytest.raises(VendorChanged):
        tool().finding(Row(row))


def test_what_may_be_missing():
    needed = ("id", "target", "state", "severity", "url")
    finding = tool().finding(Row({**{name: ROWS[1][name] for name in needed}, "definition": {"name": "A"}}))

    assert (finding.description, finding.evidence, finding.rule, finding.cwe, finding.cvss, finding.tags) == (
        "", "", "", (), (), (),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("labels", "tags"),
    [(["a", "b", "a"], ("a", "b")), ([{"name": "a"}, {"name": ""}], ("a",)), (None, ()), ([], ())],
)
def test_labels_are_objects_or_texts(labels: Any, tags: tuple[str, ...]):
    assert found(labels=labels).tags == tags


@pytest.mark.parametrize("labels", ["a", [7], [{"id": "x"}]])
def test_odd_labels_set_their_row_aside(labels: Any):
    with pytest.raises((VendorChanged, TypeError)):
        found(labels=labels)


def test_only_the_first_exchange_is_kept_and_cut():
    exchange = {"request": "GET /", "response": "x" * 90_000}
    finding = found(requests=[exchange, {"request": "GET /second", "response": ""}])

    assert len(finding.evidence) < LONGEST + 10
    assert "second" not in found(requests=[{"request": "GET /"}, {"request": "GET /second"}]).evidence


def test_a_record_is_a_target_by_its_id():
    first, second = PAGES["/targets/"][0]["results"]

    assert tool().target(Row(first)) == Vep(
        id="3r5Sjyg7enXp",
        name="https://shop.example.com/",
        url=f"{HOME}3r5Sjyg7enXp",
        attributes={"url": "https://shop.example.com/", "type": "single"},
    )
    assert tool().target(Row(second)).name == "Wiki"
    assert tool().target(Row({**first, "site": {"name": "Site"}})).name == "Site"
    assert tool().target(Row({"id": "a"})).name == "a"


def test_what_is_asked_for():
    """Without states Probely lists what is not fixed; its rows hold the logins of scans, so none is kept raw."""
    (family,) = tool().shared([Vep(id="a", name="a")])
    ask: Any = family.list.ask  # type: ignore[union-attr]

    assert (ask.path, ask.query) == (
        "findings/",
        {"state": ["notfixed", "invalid", "accepted", "fixed"], "ordering": "-last_found"},
    )
    assert (family.name, family.off, family.list.secret) == ("findings", {403}, True)  # type: ignore[union-attr]
    assert family.of(Row(ROWS[0])) == "3r5Sjyg7enXp"  # type: ignore[union-attr, operator]
    assert tool().veps().secret
    assert [*tool().families(Vep(id="a", name="a"))] == []


def test_the_account_is_the_user_of_the_key():
    def account(user: Any) -> Account:
        talk = tool().account()
        next(talk)
        with pytest.raises(StopIteration) as end:
            talk.send(Page(user))
        return end.value.value

    assert account(TOLD["exchanges"][0]["json"]) == Account(id="jMXUw-BE_2vd", name="Tidegate")
    assert account({"id": "u", "email": "a@b.example"}) == Account(id="u", name="a@b.example")


def test_the_key_is_a_jwt():
    auth: Any = tool().door().auth

    assert auth.headers() == {"Authorization": f"JWT {TOLD['settings']['api_key']}"}


@pytest.mark.parametrize(
    ("pasted", "called"),
    [
        ("api.us.probely.com", "https://api.us.probely.com/"),
        ("https://api.eu.probely.com/targets/?page=1", "https://api.eu.probely.com/"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080/"),
    ],
)
def test_what_people_paste_becomes_the_address_that_is_called(pasted: str, called: str):
    assert tool(url=pasted).settings.url == called


def test_an_edit_by_a_newer_scanner_keeps_the_keys():
    assert all(before in VENDOR.read_text().replace("\\n", "") for before in EDITS)


async def test_every_fault_of_the_suite_has_something_to_strike(tmp_path: Path):
    """A fault that strikes nowhere passes and proves nothing."""
    _, stage = await Suite(WORLD, tmp_path).player.clean()
    idle = {name for name, fault in FAULTS.items() if all(fault.strike(each) is None for each in stage.exchanges)}

    of_graphql = {"200 with errors beside the data", "200 with errors and no data"}
    assert idle == {*of_graphql, "the list ends early"}  # nothing says that there is another page


def test_a_folder_of_the_tools_name_is_read_by_the_tool(tmp_path: Path, capsys: pytest.CaptureFixture[str]):
    """`./dev replay`; importers' samples (DefectDojo's) leave the target out."""
    folder = tmp_path / "probely"
    folder.mkdir()
    bare = {name: value for name, value in ROWS[0].items() if name != "target"}
    (folder / "findings.json").write_text(json.dumps(PAGES["/findings/"][0]))
    (folder / "targets.json").write_text(json.dumps(PAGES["/targets/"][0]))
    (folder / "bare.json").write_text(json.dumps({"results": [bare]}))
    (folder / "row.json").write_text(json.dumps(bare))
    (folder / "odd.json").write_text('{"results": [{"id": 1}]}')

    assert replay.main([str(tmp_path)]) == 0

    told = {line.split()[0].rpartition("/")[2]: line for line in capsys.readouterr().out.splitlines()}
    assert "findings: 3 findings" in told["findings.json"]
    assert "targets: 2 read" in told["targets.json"]
    assert "findings: 1 findings" in told["bare.json"]
    assert "findings: 1 findings" in told["row.json"]
    assert "1 odd (The answer has no 'state'.)" in told["odd.json"]
