"""What Tenable makes of the vendor's documented answers; the sources are in its fixtures."""

import copy
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tidegate.connectors.tenable.connector import Tenable, TenableSettings, of_network, of_scan
from tidegate.connectors.tenable.export import EXPORT
from tidegate.connectors.tenable.fixtures.world import EDITS, NETWORK, SCAN, TAG, WORLDS
from tidegate.connectors.tenable.vulnerability import LONGEST
from tidegate_sdk import (
    NO_PRODUCT,
    Account,
    Ask,
    Finding,
    Incomplete,
    Page,
    Row,
    Severity,
    Skip,
    Skipped,
    VendorChanged,
    Vep,
    Verdict,
    Wait,
)
from tidegate_sdk.array import rows_of_array
from tidegate_sdk.conformance import Suite
from tidegate_sdk.conformance.answers import FAULTS

TOLD = {file.stem: json.loads(file.read_text()) for file in (NETWORK, TAG, SCAN)}
CHUNKS = [each["json"] for each in TOLD["network"]["exchanges"] if "/chunks/" in each["path"]]
ROWS = [row for chunk in CHUNKS for row in chunk]
HOME = "https://cloud.tenable.com/tio/app.html#/"
KEY, ASSET = "02716af9-1adb-4057-b4d5-000000000001", "53ed0fa2-ccd5-4d2e-92ee-000000000001"


def tool(world: str = "network", **settings: Any) -> Tenable:
    return Tenable(TenableSettings(**{**TOLD[world]["settings"], **settings}))


def changed(row: dict[str, Any], **other: Any) -> Row:
    """A copy of a row with other values at dotted paths (`__` for a dot); ... takes one away."""
    made = copy.deepcopy(row)
    for path, value in other.items():
        *way, last = path.split("__")
        holder = made
        for step in way:
            holder = holder.setdefault(step, {})
        if value is ...:
            holder.pop(last, None)
        else:
            holder[last] = value
    return Row(made)


def found(number: int = 0, **other: Any) -> Finding:
    finding = tool().vulnerability(changed(ROWS[number], **other))
    assert isinstance(finding, Finding)
    return finding


# Goldens: each field argued against the documentation


def test_a_vulnerability_field_by_field():
    """The key is Tenable's own. CVSS newest first, with the version that the vectors lack; EPSS is a percentage there.
    A CPE is no PURL. `vpr_v2` says that it is not in CISA's catalog, and no reference says otherwise."""
    assert found() == Finding(
        key=KEY,
        title="Security Updates for Acme Office Server 2016 < 16.0.5266 (January 2022)",
        severity=Severity.HIGH,
        description=(
            "A server on this host lacks a security update.\n\nThe server of Acme Office on this host lacks an update."
            " An attacker who has an account can run code of their own."
        ),
        mitigation="Install the update 5002113.\n\nTurn the service off until then.",
        evidence=(
            "Product : Acme Office Server 2016\n  - C:\\Program Files\\Acme\\calc.dll has not been patched.\n"
            "    Remote version : 16.0.4342.1000\n    Should be      : 16.0.5266.1000"
        ),
        url=f"{HOME}findings/host-vulnerabilities/details/{KEY}/asset/{ASSET}/asset-affected",
        vendor_severity="high",
        vendor_status="OPEN",
        confidence="potential (Component)",
        rule="156641",
        cwe=(502,),
        ids=("CVE-2022-21837", "CVE-2022-21840", "CVE-2022-21842"),
        cvss=(
            "CVSS:4.0/AV:N/AC:L/AT:P/PR:H/UI:N/VC:N/VI:N/VA:H/SC:N/SI:N/SA:H",
            "CVSS:3.0/AV:N/AC:L/PR:N/UI:R/S:U/C:H/I:H/A:H",
            "AV:N/AC:L/Au:S/C:C/I:C/A:C",
        ),
        cvss_score=6.9,
        epss=0.10647,
        known_exploited=False,
        component="Office Server",
        version="16.0.4342.1000",
        fixed_version="16.0.5266.1000",
        path="C:\\Program Files\\Acme\\calc.dll",
        endpoint="files.target.example.com:445",
        references=("https://support.acme.example/help/5002113",),
        tags=("Windows : Acme Bulletins", "VPR 6.7", "tcp", "cifs", "exploit available"),
        found_at=datetime(2022, 11, 8, 19, 18, 10, 472000, UTC),
    )


def test_an_accepted_risk_of_a_package():
    """A package manager's software has a PURL, and so has what mends it. Port 0 is the host itself."""
    assert found(1) == Finding(
        key="02716af9-1adb-4057-b4d5-000000000002",
        title="Acme Linux : kernel (ACSA-2023:1470)",
        severity=Severity.UNKNOWN,
        description="This host runs something that is too old.\n\nSomething on this host has a known weakness.",
        mitigation="Update it.",
        url=f"{HOME}findings/host-vulnerabilities/details/02716af9-1adb-4057-b4d5-000000000002/asset/"
        "53ed0fa2-ccd5-4d2e-92ee-000000000002/asset-affected",
        verdict=Verdict.ACCEPTED,
        vendor_severity="moderate",
        vendor_status="REOPENED",
        vendor_reason="Switched off in June.",
        confidence="confirmed",
        rule="96982",
        component="kernel",
        version="3.10.0-1160.76.1.el7",
        purl="pkg:rpm/acme/kernel@3.10.0-1160.76.1.el7",
        fixed_version="3.10.0-1160.102.1.el7",
        endpoint="host",
        tags=("General",),
        found_at=datetime(2022, 11, 8, 6, 12, 27, 940000, UTC),
        unknown_words=("severity: moderate",),
    )


def test_a_recast_finding_that_was_fixed():
    """`severity` is the new one; `severity_default_id` tells what it was."""
    finding = found(4)

    assert (finding.severity, finding.vendor_severity, finding.fixed, finding.verdict) == (
        Severity.LOW, "low", True, None,
    )  # fmt: skip
    assert finding.tags == ("General", "udp", "recast from high")
    assert (finding.vendor_reason, finding.vendor_status, finding.endpoint) == ("Inside only.", "FIXED", "host:53")
    assert finding.unknown_words == ()


@pytest.mark.parametrize(
    ("before", "tag"),
    [*enumerate(("info", "low", "medium", "high", "critical")), (5, None), (-1, None), (True, None), ("3", None)],
)
def test_a_recast_finding_tells_what_it_was(before: Any, tag: str | None):
    tags = found(4, severity_default_id=before).tags

    assert [each for each in tags if each.startswith("recast")] == ([f"recast from {tag}"] if tag else [])
    assert "recast from high" not in found(4, severity_modification_type="NONE").tags


def test_a_host_without_an_id_that_lasts_is_no_finding():
    assert tool().vulnerability(Row(ROWS[2])) == Skip("A host that Tenable does not track has another id in each scan.")
    assert isinstance(tool().vulnerability(changed(ROWS[0], asset__tracked=...)), Finding)


def test_an_edit_by_a_newer_plugin_keeps_the_key():
    assert all(before in NETWORK.read_text() for before in EDITS)


# Words


OPEN, FIXED, ACCEPTED = (False, None), (True, None), (False, Verdict.ACCEPTED)


@pytest.mark.parametrize(
    ("state", "modified", "means", "unknown"),
    [
        ("OPEN", "NONE", OPEN, ()), ("REOPENED", "NONE", OPEN, ()), ("FIXED", "NONE", FIXED, ()),
        ("open", "none", OPEN, ()), ("fixed", "accepted", (True, Verdict.ACCEPTED), ()),
        ("OPEN", "ACCEPTED", ACCEPTED, ()), ("OPEN", "RECASTED", OPEN, ()), ("OPEN", ..., OPEN, ()),
        ("SLEEPING", "NONE", OPEN, ("state: sleeping",)),
        ("OPEN", "MUTED", OPEN, ("severity_modification_type: muted",)),
    ],
)  # fmt: skip
def test_every_state_and_every_modification(state: str, modified: Any, means: Any, unknown: tuple[str, ...]):
    """house-style.md: no default for the unknown."""
    finding = found(state=state, severity_modification_type=modified)

    assert (finding.fixed, finding.verdict) == means
    assert (finding.vendor_status, finding.unknown_words) == (state, unknown)


@pytest.mark.parametrize(
    ("word", "severity"),
    [("critical", Severity.CRITICAL), ("high", Severity.HIGH), ("Medium", Severity.MEDIUM), ("low", Severity.LOW),
     ("info", Severity.INFO), ("none", Severity.UNKNOWN), (None, Severity.UNKNOWN)],
)  # fmt: skip
def test_every_severity(word: Any, severity: Severity):
    finding = found(severity=word)

    assert finding.severity == severity
    assert bool(finding.unknown_words) == (severity is Severity.UNKNOWN)


# Fields that may be missing, or told otherwise


@pytest.mark.parametrize(
    ("other", "endpoint"),
    [
        ({"port__port": 0}, "files.target.example.com"),
        ({"port__port": "445"}, "files.target.example.com:445"),
        ({"port": ...}, "files.target.example.com"),
        ({"asset__fqdn": ...}, "files:445"),
        ({"asset__fqdn": None, "asset__hostname": "", "asset__ipv4": "192.0.2.1"}, "192.0.2.1:445"),
        ({"asset__fqdn": ..., "asset__hostname": ..., "asset__ipv6": "2001:db8::1"}, "[2001:db8::1]:445"),
        ({"asset__fqdn": ..., "asset__hostname": ..., "asset__netbios_name": "FILES"}, "FILES:445"),
        ({"asset__fqdn": ..., "asset__hostname": ...}, ""),
    ],
)
def test_the_endpoint_is_the_best_name_of_the_host_and_its_port(other: Any, endpoint: str):
    assert found(**other).endpoint == endpoint


def test_a_host_as_a_whole_has_neither_protocol_nor_service():
    assert found(port__port=0).tags == ("Windows : Acme Bulletins", "VPR 6.7", "exploit available")


@pytest.mark.parametrize(
    ("other", "exploited"),
    [
        ({"plugin__vpr_v2": ...}, None),
        ({"plugin__vpr__on_cisa_kev": True}, True),
        ({"plugin__vpr_v2__on_cisa_kev": True}, True),
        ({"plugin__vpr__on_cisa_kev": "yes", "plugin__vpr_v2": ...}, None),
        ({"plugin__xrefs": [{"type": "CISA-KNOWN-EXPLOITED", "id": "2022/05/03"}]}, True),
    ],
)
def test_cisas_catalog_is_told_by_the_rating_or_by_a_reference(other: Any, exploited: bool | None):
    """VPR v2 moved into `vpr` in July 2026."""
    assert found(**other).known_exploited is exploited


@pytest.mark.parametrize(
    ("other", "score", "first"),
    [
        ({"plugin__cvss4_base_score": ..., "plugin__cvss4_vector": ...}, 8.8, "CVSS:3.0/AV:N/AC:L/PR:N"),
        ({"plugin__cvss4_base_score": 0.0}, 0.0, "CVSS:4.0/AV:N"),
        ({"plugin__cvss4_vector__raw": "CVSS:4.0/AV:L"}, 6.9, "CVSS:4.0/AV:L"),
        ({f"plugin__cvss{n}_{what}": ... for n in (4, 3) for what in ("base_score", "vector")}, 9.0, "AV:N/AC:L/Au:S"),
    ],
)
def test_the_newest_cvss_counts(other: Any, score: float, first: str):
    finding = found(**other)

    assert finding.cvss_score == score
    assert finding.cvss[0].startswith(first)


@pytest.mark.parametrize(("told", "epss"), [(0, 0.0), (100, 1.0), (101, None), (-1, None), ("7", None), (True, None)])
def test_epss_is_counted_from_0_to_100(told: Any, epss: float | None):
    assert found(plugin__epss_score=told).epss == epss


def test_the_surest_package_is_taken():
    potential, sure = {"product": "a", "potential": True}, {"product": "b", "potential": False}

    assert found(software_vulns=[potential, sure]).component == "b"
    assert found(software_vulns=[potential]).confidence == "potential"
    assert found(software_vulns=...).component == ""


@pytest.mark.parametrize(
    ("value", "version"),
    [("2.4.59", "2.4.59"), ("pkg:rpm/a/b@1%3A2?arch=x", "1:2"), ("pkg:rpm/a/b", "")],
)
def test_what_mends_it_is_a_version_or_a_purl(value: str, version: str):
    package = {"product": "a", "fixes": [{"fix_type": "x", "value": value}]}

    assert found(software_vulns=[package]).fixed_version == version


def test_a_long_output_is_cut_and_a_link_must_be_one_of_the_web():
    finding = found(output="x" * 90_000, plugin__see_also=["javascript:alert(1)", "https://a.example/"])

    assert len(finding.evidence) < LONGEST + 10
    assert finding.references == ("https://a.example/",)


@pytest.mark.parametrize(
    "lost", ["finding_id", "severity", "state", "plugin__id", "plugin__name", "asset__uuid", "first_found"]
)
def test_what_must_be_there_sets_its_row_aside(lost: str):
    with pytest.raises(VendorChanged):
        tool().vulnerability(changed(ROWS[0], **{lost: ...}))


# Groups, and whom a row belongs to


def test_a_record_is_a_network_a_tag_or_a_scan():
    networks = TOLD["network"]["exchanges"][1]["json"]["networks"]
    tags = TOLD["tag"]["exchanges"][1]["json"]["values"]
    scans = TOLD["scan"]["exchanges"][1]["json"]["scans"]

    assert tool().network(Row(networks[1])) == Vep(
        id="42475f11-5e6b-4d6a-a53d-63fe494961df",
        name="Headquarters",
        url=f"{HOME}settings/sensors/nessus/networks/network-details/42475f11-5e6b-4d6a-a53d-63fe494961df/settings",
    )
    assert tool("tag").tag(Row(tags[0])) == Vep(
        id="173c3f3c-cb25-4f35-97e8-26b83f50c38d", name="Berlin", parent="Location"
    )
    assert tool("scan").scan(Row(scans[1])) == Vep(
        id="461e4ebc-b309-face-6fa1-afa4ba163cb6d84b9dc0a0dc5020", name="Daily", attributes={"type": "agent"}
    )
    assert tool("tag").veps().ask.query["f"] == "category_name:eq:Location"


def test_of_tags_only_values_of_the_category_are_records():
    row = TOLD["tag"]["exchanges"][1]["json"]["values"][0]

    assert isinstance(tool("tag").tag(changed(row, category_name="Owner")), Skip)
    assert isinstance(tool("tag").tag(changed(row, uuid=..., value=...)), Skip)
    assert isinstance(tool("tag", tag_category="location").tag(Row(row)), Vep)


def test_a_tag_needs_an_id_and_without_a_value_is_called_by_it():
    row = TOLD["tag"]["exchanges"][1]["json"]["values"][0]
    nameless = tool("tag").tag(changed(row, value=""))

    assert isinstance(nameless, Vep)
    assert nameless.name == nameless.id == row["uuid"]
    for odd in ({"uuid": ...}, {"value": ...}):
        with pytest.raises(VendorChanged):
            tool("tag").tag(changed(row, **odd))


def test_a_row_without_network_or_scan_belongs_to_no_product():
    """Export chunks leave out what is empty."""
    assert of_network(Row(ROWS[6])) == NO_PRODUCT
    assert of_network(Row(ROWS[1])) == "42475f11-5e6b-4d6a-a53d-63fe494961df"
    assert of_scan(changed(ROWS[0], scan=...)) == NO_PRODUCT
    assert of_scan(changed(ROWS[0], scan__schedule_uuid=...)) == NO_PRODUCT
    assert of_scan(Row(ROWS[0])) == "461e4ebc-b309-face-6fa1-afa4ba163cb6d84b9dc0a0dc5020"


@pytest.mark.parametrize("row", [{}, {"asset": 7}, {"asset": None}])
def test_a_row_of_nothing_belongs_to_nobody(row: dict[str, Any]):
    with pytest.raises(VendorChanged):
        of_network(Row(row))
    with pytest.raises(VendorChanged):
        of_scan(Row({**row, "scan": 7}))


# The export


def test_what_is_asked_for():
    """Without a time Tenable exports thirty days; without states only what is open."""
    (family,) = families(tool("scan"))
    ask = family.list.ask

    assert (ask.path, ask.method, ask.safe, ask.also) == ("vulns/export", "POST", True, {409})
    assert ask.json == {
        "num_assets": 100,
        "include_software_vulns": True,
        "filters": {
            "state": ["OPEN", "REOPENED", "FIXED"],
            "since": 1_000_000_000,
            "severity": ["low", "medium", "high", "critical"],
        },
    }
    assert (family.name, family.off, family.of) == ("vulnerabilities", {403}, of_scan)
    assert "severity" not in next(iter(families(tool()))).list.ask.json["filters"]


def families(made: Tenable, *answers: Any, veps: tuple[str, ...] = ("a",)) -> list[Any]:
    """What shared() yields but its questions, which are answered in turn."""
    talking, waiting, seen = made.shared([Vep(id=each, name=each) for each in veps]), list(answers), list[Any]()
    step = next(talking, None)
    while step is not None:
        is_question = isinstance(step, Ask)
        if not is_question:
            seen.append(step)
        try:
            step = talking.send(Page(waiting.pop(0)) if is_question else Page())
        except StopIteration:
            break
    return seen


def values(*rows: tuple[str, str], total: int | None = None) -> dict[str, Any]:
    there = [{"uuid": uuid, "value": value, "category_name": "Location"} for uuid, value in rows]
    return {"values": there, "pagination": {"total": len(rows) if total is None else total}}


def test_each_tag_has_an_export_of_its_own_by_its_name_of_now():
    told = [values(("a", "Potsdam"), total=2), values(("b", "Oslo"), total=2)]
    first, second, third = families(tool("tag"), *told, veps=("a", "b", "c", NO_PRODUCT))

    assert [each.list.ask.json["filters"]["tag.Location"] for each in (first, second)] == [["Potsdam"], ["Oslo"]]
    assert [each.of(Row()) for each in (first, second)] == ["a", "b"]
    assert [first.covers(Vep(id=name, name="")) for name in ("a", "b")] == [True, False]
    assert first.off == {403}
    assert isinstance(third, Skipped)
    assert third.covers(Vep(id="c", name=""))
    assert not third.covers(Vep(id="a", name=""))


def test_a_list_of_tags_that_ends_early_is_not_believed():
    with pytest.raises(Incomplete):
        families(tool("tag"), values(("a", "Berlin"), total=2), values(total=2))


def walked(*answers: Any) -> list[Any]:
    """What the walk of an export asks for."""
    walk, waiting, seen = EXPORT.walk(families(tool("scan"))[0].list.ask), list(answers), list[Any]()
    step: Any = next(walk)
    while waiting:
        seen.append(step)
        try:
            step = walk.send(Page() if isinstance(step, Wait) else Page(waiting.pop(0)))
        except StopIteration:
            break
    return seen


def test_an_export_is_looked_at_every_ten_seconds_for_four_hours():
    status = {"status": "FINISHED", "chunks_available": [2, 1], "chunks_failed": [], "chunks_cancelled": []}
    done = {**status, "total_chunks": 3, "empty_chunks_count": 1}

    asked = walked(
        {"active_job_id": "j"}, {"export_uuid": "e-1"}, {"status": "QUEUED"}, {"status": "PROCESSING"}, done, []
    )

    assert [each.seconds if isinstance(each, Wait) else each.path for each in asked] == [
        "vulns/export", 10, "vulns/export", "vulns/export/e-1/status", 10, "vulns/export/e-1/status", 10,
        "vulns/export/e-1/status", "vulns/export/e-1/chunks/2",
    ]  # fmt: skip
    assert asked[-1].reader is rows_of_array
    assert EXPORT.every * EXPORT.polls == 4 * 3600


# Login and form


def test_the_account_is_the_container():
    session = TOLD["network"]["exchanges"][0]["json"]

    assert account(session) == Account(id="a0abbae8-512f-4b9d-93f3-74d9809a1004", name="tidegate@acme.example of Acme")
    assert account({**session, "username": "", "container_name": None}).name == "Tidegate"
    with pytest.raises(VendorChanged):
        account({"username": "x"})


def account(session: Any) -> Account:
    talk = tool().account()
    next(talk)
    try:
        talk.send(Page(session))
    except StopIteration as end:
        return end.value
    raise AssertionError("The talk did not end.")


def test_both_keys_go_into_one_header():
    keys = TOLD["network"]["settings"]
    auth: Any = tool().door().auth

    assert auth.headers() == {"X-ApiKeys": f"accessKey={keys['access_key']};secretKey={keys['secret_key']}"}


@pytest.mark.parametrize(
    ("pasted", "called"),
    [
        ("cloud.tenable.com", "https://cloud.tenable.com/"),
        ("https://cloud.tenable.com/tio/app.html#/findings/host-vulnerabilities", "https://cloud.tenable.com/"),
        ("https://cloud.tenable.com/vm/#/explore/findings", "https://cloud.tenable.com/"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080/"),
    ],
)
def test_what_people_paste_becomes_the_address_that_is_called(pasted: str, called: str):
    assert tool(url=pasted).settings.url == called


def test_without_an_address_it_is_the_cloud():
    assert TenableSettings(access_key="a", secret_key="b").url == "https://cloud.tenable.com/"  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("group", "category", "said"),
    [("tag", "", "tag category is missing"), ("network", "Location", "for grouping by tag alone")],
)
def test_a_tag_category_fits_the_grouping(group: str, category: str, said: str):
    with pytest.raises(ValidationError, match=said):
        tool(group_by=group, tag_category=category)


# The Worlds


async def test_every_fault_of_the_suite_has_something_to_strike(tmp_path: Path):
    """A fault that strikes nowhere passes and proves nothing."""
    idle = set(FAULTS)
    for world in WORLDS:
        _, stage = await Suite(world, tmp_path).player.clean()
        idle &= {name for name, fault in FAULTS.items() if all(fault.strike(each) is None for each in stage.exchanges)}

    of_graphql = {"200 with errors beside the data", "200 with errors and no data"}
    assert idle == {*of_graphql, "the list ends early"}  # nothing says that there is another page


async def test_every_fault_of_an_export_has_something_to_strike(tmp_path: Path):
    world = WORLDS[0]
    _, stage = await Suite(world, tmp_path).player.clean()

    assert [name for name, fault in world.faults.items() if not any(map(fault.strike, stage.exchanges))] == []
