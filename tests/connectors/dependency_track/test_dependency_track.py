"""What Dependency-Track makes of the vendor's documented answers; the sources are in its fixtures."""

import copy
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tidegate.connectors.dependency_track import state
from tidegate.connectors.dependency_track.attributions import AGAIN, rows_of_findings
from tidegate.connectors.dependency_track.connector import LONGEST, DependencyTrack, DependencyTrackSettings
from tidegate.connectors.dependency_track.fixtures.world import FIVE, FOUR, WORLDS
from tidegate.connectors.dependency_track.paging import Numbered
from tidegate_sdk import (
    Account,
    Ask,
    Family,
    Finding,
    Page,
    Proof,
    Row,
    Severity,
    Skip,
    VendorChanged,
    Vep,
    Verdict,
    Whole,
)
from tidegate_sdk.conformance import Suite
from tidegate_sdk.conformance.answers import FAULTS

TOLD = {"five": json.loads(FIVE.read_text()), "four": json.loads(FOUR.read_text())}
HOME = "https://dtrack.example.test/dtrack/"


def tool(world: str = "five", **settings: Any) -> DependencyTrack:
    return DependencyTrack(DependencyTrackSettings(**{**TOLD[world]["settings"], **settings}))


def rows(path: str, world: str = "five") -> list[Row]:
    """The documented rows of a list, on whichever page they stand."""
    answers = [each["json"] for each in TOLD[world]["exchanges"] if path in each["path"]]
    return [Row(copy.deepcopy(row)) for answer in answers for row in answer]


FINDINGS, OLD, PROJECTS = rows("/finding/"), rows("/finding/", "four"), rows("v1/project")


def finding(number: int = 0, rows: list[Row] = FINDINGS, **other: Any) -> Finding:
    """A documented row, read; `vulnerability__severity="LOW"` puts another value there, None takes it away."""
    row = Row(copy.deepcopy(rows[number]))
    for path, value in other.items():
        holder, _, name = path.partition("__")
        inner = row.setdefault(holder, {})
        inner.pop(name, None) if value is None else inner.update({name: value})
    found = tool().finding(row)
    assert isinstance(found, Finding)
    return found


# Goldens: each field argued against the vendor's source


def test_a_finding_field_by_field():
    """The key is the vendor's own for it: project, component, vulnerability. The time is when an analyzer found it; the
    score that of the newest CVSS that has one; the links are those of the advisory's Markdown."""
    assert finding() == Finding(
        key=(
            "5f7c1b0e-31a2-4c0e-9a53-0d6f2b9c1e01:c0a80101-7d2b-4e11-8f00-000000000001"
            ":7e57ab1e-2f4d-4d0b-b3c1-000000000001"
        ),
        title="CVE-2021-44228 in log4j-core 2.14.1",
        severity=Severity.CRITICAL,
        description=(
            "Remote code injection in Log4j\n\n"
            "JNDI features do not protect against endpoints that an attacker controls."
        ),
        mitigation="Update to 2.17.1 or later.",
        url=(
            f"{HOME}projects/5f7c1b0e-31a2-4c0e-9a53-0d6f2b9c1e01/findings/c0a80101-7d2b-4e11-8f00-000000000001"
            "/7e57ab1e-2f4d-4d0b-b3c1-000000000001"
        ),
        vendor_severity="CRITICAL",
        vendor_status="NOT_SET",
        cwe=(502, 917),
        ids=("CVE-2021-44228", "GHSA-jfh8-c2jp-5v3q"),
        cvss=("CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:C/C:H/I:H/A:H", "(AV:N/AC:M/Au:N/C:C/I:C/A:C)"),
        cvss_score=10.0,
        epss=0.94358,
        known_exploited=True,
        component="org.apache.logging.log4j/log4j-core",
        version="2.14.1",
        purl="pkg:maven/org.apache.logging.log4j/log4j-core@2.14.1?type=jar",
        references=(
            "https://logging.example.test/security.html",
            "https://advisories.example.test/GHSA-jfh8-c2jp-5v3q",
        ),
        tags=("NVD", "INTERNAL_ANALYZER", "REQUIRED"),
        found_at=datetime(2025, 5, 13, 15, 55, 39, 814000, tzinfo=UTC),
    )


def test_the_newest_cvss_counts_and_what_another_analyzer_calls_it_leads_there():
    found = finding(1)

    assert (found.cvss_score, found.cvss[0][:8]) == (8.7, "CVSS:4.0")
    assert found.ids == ("GHSA-7h2j-956f-4vf2", "CVE-2026-25547")
    assert found.references == (
        "https://advisories.example.test/GHSA-7h2j-956f-4vf2",
        "https://ossindex.example.test/vulnerability/CVE-2026-25547",
    )
    assert found.known_exploited is False


def test_what_is_noted_of_an_open_finding_is_no_reason():
    assert (finding(1).vendor_status, finding(1).vendor_reason) == ("IN_TRIAGE", "")


def test_a_component_that_is_not_affected_is_no_finding_and_says_why():
    found = finding(2)

    assert (found.verdict, found.fixed) == (Verdict.FALSE_POSITIVE, False)
    assert (found.vendor_status, found.vendor_reason) == ("NOT_AFFECTED, suppressed", "The applet is not built in.")


def test_what_is_suppressed_without_a_word_is_accepted():
    found = finding(3)

    assert (found.verdict, found.fixed, found.vendor_status) == (Verdict.ACCEPTED, False, "NOT_SET, suppressed")


def test_what_is_resolved_is_fixed_with_its_reason():
    found = finding(4)

    assert (found.fixed, found.verdict, found.vendor_reason) == (True, None, "Backported.")
    assert (found.severity, found.ids) == (Severity.INFO, ("PYSEC-2023-212", "CVE-2023-45803", "GHSA-g4mx-q9vg-27p4"))


def test_an_internal_component_has_no_purl():
    found = finding(5)

    assert (found.component, found.version, found.purl, found.cvss, found.cwe) == ("acme-crypto", "3.1", "", (), ())


def test_a_server_of_version_4_tells_one_weakness_by_itself():
    found = finding(0, OLD)

    assert (found.title, found.ids, found.cwe) == ("533 in timespan 2.3.0", ("533",), (400,))
    assert (found.epss, found.known_exploited, found.mitigation) == (None, None, "No direct patch is available.")
    assert finding(1, OLD).cvss_score == 5.0


def test_long_texts_are_cut():
    found = finding(vulnerability__description="x" * 20_000, vulnerability__recommendation="y" * 20_000)
    reason = finding(2, analysis__detail="z" * 5_000).vendor_reason

    assert len(found.description) < LONGEST + 10
    assert len(found.mitigation) < LONGEST + 10
    assert len(reason) < 1_010


def test_references_may_be_bare_addresses():
    assert finding(vulnerability__references="http://a.test/1\nhttps://b.test/2 javascript:x").references == (
        "http://a.test/1",
        "https://b.test/2",
    )


@pytest.mark.parametrize("told", [None, "2026-04-07 23:55:09.748", True, 10**20, float("1e300"), {}])
def test_a_time_that_is_no_number_of_milliseconds_is_none(told: Any):
    """An export (FPF) writes times without their zone; the API, as its schema says, milliseconds."""
    assert finding(attribution__attributedOn=told).found_at is None


@pytest.mark.parametrize(("told", "epss"), [(0.5, 0.5), ("0.5", 0.5), (1.5, None), ("much", None)])
def test_an_epss_is_between_nothing_and_one(told: Any, epss: float | None):
    assert finding(vulnerability__epssScore=told).epss == epss


def test_a_link_leads_to_the_project_where_the_parts_are_unknown():
    row = Row({**FINDINGS[0], "matrix": "p/1"})

    found = tool().finding(row)

    assert isinstance(found, Finding)
    assert found.url == f"{HOME}projects/p%2F1/findings"


# Severities and states: total


@pytest.mark.parametrize(
    ("word", "counts"),
    [
        ("CRITICAL", Severity.CRITICAL),
        ("HIGH", Severity.HIGH),
        ("MEDIUM", Severity.MEDIUM),
        ("LOW", Severity.LOW),
        ("INFO", Severity.INFO),
        ("UNASSIGNED", Severity.UNKNOWN),
        (None, Severity.UNKNOWN),
    ],
)
def test_every_severity(word: str | None, counts: Severity):
    """A server of version 5 leaves out what nobody assigned."""
    found = finding(vulnerability__severity=word)

    assert (found.severity, found.vendor_severity) == (counts, word or "UNASSIGNED")
    assert found.unknown_words == ()


def test_a_severity_never_seen_before_is_unknown_and_reported():
    found = finding(5)

    assert (found.severity, found.unknown_words) == (Severity.UNKNOWN, ("vulnerability.severity: catastrophic",))


OPEN, FIXED = (False, None), (True, None)
FALSE, ACCEPTED = (False, Verdict.FALSE_POSITIVE), (False, Verdict.ACCEPTED)


@pytest.mark.parametrize(
    ("word", "means", "suppressed"),
    [
        ("NOT_SET", OPEN, ACCEPTED), (None, OPEN, ACCEPTED), ("IN_TRIAGE", OPEN, ACCEPTED),
        ("EXPLOITABLE", OPEN, ACCEPTED), ("FALSE_POSITIVE", FALSE, FALSE), ("NOT_AFFECTED", FALSE, FALSE),
        ("RESOLVED", FIXED, FIXED), ("SLEEPING", OPEN, OPEN),
    ],
)  # fmt: skip
def test_every_state_suppressed_or_not(word: str | None, means: Any, suppressed: Any):
    """A state never seen before is open and reported, whatever stands beside it."""
    for is_suppressed, expected in ((False, means), (True, suppressed), (None, means)):
        how = state.of_finding(Row(analysis={"state": word, "isSuppressed": is_suppressed}))

        assert (how.fixed, how.verdict) == expected
        assert how.unknown == (("analysis.state: sleeping",) if word == "SLEEPING" else ())


def test_a_word_for_whether_it_is_suppressed_is_set_aside():
    with pytest.raises(VendorChanged, match="suppressed"):
        finding(analysis__isSuppressed="perhaps")


def test_a_word_for_whether_it_is_exploited_is_set_aside():
    with pytest.raises(VendorChanged, match="exploited"):
        finding(vulnerability__isKev="yes")


# Projects


def test_a_project_version_field_by_field():
    assert tool().project(PROJECTS[0]) == Vep(
        id="5f7c1b0e-31a2-4c0e-9a53-0d6f2b9c1e01",
        name="acme-shop 1.4.0",
        url=f"{HOME}projects/5f7c1b0e-31a2-4c0e-9a53-0d6f2b9c1e01",
        parent="Acme 2026",
        attributes={
            "project": "acme-shop", "version": "1.4.0", "group": "com.acme", "classifier": "APPLICATION",
            "tags": ["payments", "pci"], "latest": True,
        },
    )  # fmt: skip


def test_a_project_without_a_version_has_its_name_alone():
    found = tool().project(PROJECTS[3])

    assert isinstance(found, Vep)
    assert (found.name, found.parent) == ("acme-wiki", "")


@pytest.mark.parametrize(
    ("versions", "read"),
    [
        ("active", [True, False, False, True]),
        ("latest", [True, False, False, False]),
        ("all", [True, True, False, True]),
    ],
)
def test_which_versions_are_records_is_a_setting(versions: str, read: list[bool]):
    """A collection never is: it has no components of its own."""
    found = [tool(versions=versions).project(row) for row in PROJECTS]

    assert [isinstance(each, Vep) for each in found] == read


def test_what_is_no_record_says_why():
    assert tool().project(PROJECTS[1]) == Skip("Inactive project versions are not read.")
    assert tool().project(PROJECTS[2]) == Skip("A collection has no components of its own; its children have.")
    assert tool(versions="latest").project(PROJECTS[3]) == Skip("Only the latest version of a project is read.")


def test_a_server_that_does_not_say_which_version_is_the_latest_is_not_believed():
    """Before 4.12 none did: each would be left out in silence."""
    row = Row({name: told for name, told in PROJECTS[3].items() if name != "isLatest"})

    with pytest.raises(VendorChanged, match="isLatest"):
        tool(versions="latest").project(row)


def test_a_project_that_does_not_say_whether_it_is_active_is_read():
    row = Row({name: told for name, told in PROJECTS[0].items() if name != "active"})

    assert isinstance(tool().project(row), Vep)


# What is asked


def families(made: DependencyTrack, version: str | None = None) -> tuple[list[Ask], Family]:
    """The questions before the Family, and the Family; `version` answers the one for it."""
    asking, asked = made.families(Vep(id="a/b", name="x")), list[Ask]()
    step = next(asking)
    if isinstance(step, Ask):
        asked.append(step)
        step = asking.send(Page({"version": version}))
    assert isinstance(step, Family)
    return asked, step


def test_a_server_of_version_5_is_read_in_pages_with_an_exact_total_and_all_that_is_suppressed():
    asked, family = families(tool(), "5.0.4")

    assert [each.path for each in asked] == ["api/version"]
    assert family.list.ask == Ask("api/v1/finding/project/a%2Fb", {"suppressed": "true", "totalCount": "EXACT"})
    assert family.list.by == Numbered(500)
    assert family.off == {403}


@pytest.mark.parametrize("version", ["4.14.3", "4.5.0-SNAPSHOT", "3.8.0"])
def test_a_server_before_5_is_streamed_as_it_cuts_no_findings(version: str):
    """DependencyTrack issue 4677: 4,000 findings and more come in one answer."""
    _, family = families(tool(), version)

    assert family.list.by == Whole("X-Total-Count", in_headers=True)
    assert family.list.ask.reader is rows_of_findings


@pytest.mark.parametrize("version", ["10.0.1", "next", ""])
def test_a_version_that_nobody_knows_is_taken_for_a_new_server(version: str):
    assert families(tool(), version)[1].list.by == Numbered(500)


def test_the_version_is_asked_for_once_a_run():
    made = tool()
    families(made, "5.0.4")

    assert families(made)[0] == []


def test_one_page_that_holds_everything_is_whole_and_two_drift():
    def proof(*pages: int) -> Proof:
        walk, total = Numbered(2).walk(Ask("x")), str(sum(pages))
        next(walk)
        for turn, count in enumerate(pages):
            try:
                walk.send(Page([], tuple(Row(id=f"{turn}{n}") for n in range(count)), count, {"X-Total-Count": total}))
            except StopIteration as end:
                return end.value
        raise AssertionError("The walk goes on.")

    assert (proof(2), proof(0), proof(2, 1)) == (
        Proof(2, 2, "whole", 1),
        Proof(0, 0, "whole", 1),
        Proof(3, 3, "drifting", 2),
    )


def test_the_account_is_the_server_and_is_called_after_the_team():
    talking = tool().account()
    assert next(talking) == Ask("api/v1/team/self", bare=True)

    with pytest.raises(StopIteration) as end:
        talking.send(Page({"uuid": "0f0f", "name": "Tidegate", "permissions": []}))

    assert end.value.value == Account(id=HOME, name="Tidegate")


def test_the_api_may_live_elsewhere_than_the_screens():
    """The vendor's own Compose file puts both on ports of their own."""
    made = tool(api="dtrack-api.example.test:8081/api")

    assert made.door().location == "https://dtrack-api.example.test:8081/"
    found = made.finding(FINDINGS[0])
    assert isinstance(found, Finding)
    assert (found.url or "").startswith(HOME)


def test_the_key_has_a_header_of_its_own():
    auth = tool().door().auth

    assert auth is not None
    assert auth.headers() == {"X-Api-Key": TOLD["five"]["settings"]["key"]}  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("pasted", "called"),
    [
        ("dtrack.example.org", "https://dtrack.example.org/"),
        ("https://dtrack.example.org/projects/5f7c/findings", "https://dtrack.example.org/"),
        ("http://dtrack:8080/dtrack/vulnerabilityAudit?x=1", "http://dtrack:8080/dtrack/"),
        ("https://dtrack.example.org/api", "https://dtrack.example.org/"),
    ],
)
def test_what_people_paste_becomes_the_address_that_is_called(pasted: str, called: str):
    assert tool(url=pasted).door().location == called


@pytest.mark.parametrize("settings", [{"url": "ftp://x"}, {"api": "ftp://x"}, {"versions": "some"}, {"key": ""}])
def test_what_cannot_be_used_is_refused(settings: dict[str, Any]):
    with pytest.raises(ValidationError):
        tool(**settings)


# A finding that was attributed more than once


def streamed(*told: dict[str, Any]) -> list[Any]:
    return [*rows_of_findings(io.BytesIO(json.dumps(told).encode()))]


def test_a_finding_that_was_attributed_again_is_told_once():
    """DefectDojo's deptrack_npm_4.14.1.json has one: the same matrix, another time."""
    first, again = OLD[2], OLD[3]

    found = [tool().finding(Row(row)) for row in streamed(first, again, {**again, "attribution": {"attributedOn": 1}})]

    assert isinstance(found[0], Finding)
    assert found[1:] == [Skip("An analyzer found the same once more.")] * 2


@pytest.mark.parametrize("change", [{}, {"attribution": {"attributedOn": 1}, "analysis": {"isSuppressed": True}}])
def test_a_row_that_repeats_another_as_it_is_or_contradicts_it_is_not_marked(change: dict[str, Any]):
    """It may stand where another row was left out, and then the list proves nothing."""
    assert [AGAIN in row for row in streamed(OLD[2], {**OLD[2], **change})] == [False, False]


def test_what_is_no_finding_is_handed_on_as_it_is():
    assert streamed({"matrix": 7}, {"uuid": "x"}, *[]) == [{"matrix": 7}, {"uuid": "x"}]
    assert [*rows_of_findings(io.BytesIO(b"[7, null]"))] == [7, None]


# The Worlds


async def test_every_fault_of_the_suite_has_something_to_strike(tmp_path: Path):
    """A fault that strikes nowhere passes and proves nothing. Totals stand in a header, so the World has its own."""
    idle = set(FAULTS)
    for world in WORLDS:
        _, stage = await Suite(world, tmp_path).player.clean()
        idle &= {name for name, fault in FAULTS.items() if all(fault.strike(each) is None for each in stage.exchanges)}
        assert all(any(fault.strike(each) for each in stage.exchanges) for fault in world.faults.values())

    assert idle == {
        "200 with errors beside the data", "200 with errors and no data", "the list ends early",
        "the total grows", "fewer rows than promised", "the total is less than nothing",
    }  # fmt: skip
