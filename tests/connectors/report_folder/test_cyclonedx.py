"""CycloneDX with vulnerabilities and VEX, as JSON and as XML."""

from typing import Any

import pytest

from tests.connectors.report_folder.reading import bom, findings, fixture, keys, look, rows, values
from tidegate.connectors.report_folder import json_values
from tidegate_sdk import ConnectorError, Finding, Incomplete, Severity, Skip, Verdict

ONE, TWO = "0a6ed783-9138-4492-8d51-a4d02937ca69", "3e671687-395b-41f5-a30f-a58921a69b79"


def vulnerability(**more: Any) -> dict[str, Any]:
    return {"id": "CVE-2026-1", "ratings": [{"severity": "high"}], "affects": [{"ref": "a"}]} | more


def component(version: str = "1", ref: str = "a", **more: Any) -> dict[str, Any]:
    return {"type": "library", "bom-ref": ref, "name": "lib", "version": version} | more


def one(**more: Any) -> Finding:
    (found,) = findings(bom(vulnerability(**more), components=[component()]))
    return found


def test_each_affected_component_is_a_finding_once():
    first, inner, *_ = findings(fixture("vex-1.6.json"))

    assert (first.title, first.component, first.version) == ("CVE-2026-0001 in a", "org.example/a", "1.0")
    assert (first.purl, first.cwe, first.ids) == (
        "pkg:maven/org.example/a@1.0?type=jar",
        (79, 89),
        ("CVE-2026-0001", "GHSA-aaaa-bbbb-cccc"),
    )
    assert (first.mitigation, first.references) == ("Upgrade to 2.", ("https://example.org/a",))
    assert (inner.component, inner.version) == ("inner", "3")


def test_a_component_that_is_named_as_not_affected_is_no_finding():
    assert isinstance(values(fixture("vex-1.6.json"))[-1], Skip)


def test_a_link_into_another_document_and_a_bare_package_url_name_their_component():
    found = {each.rule: each for each in findings(fixture("vex-1.6.json"))}

    assert found["CVE-2026-0002"].component == "org.example/a"
    assert found["CVE-2026-0003"].purl == "pkg:npm/%40scope/tool@1.0.0"
    assert found["CVE-2026-0003"].title == "CVE-2026-0003 in @scope/tool"
    assert (found["CVE-2026-0003"].component, found["CVE-2026-0003"].version) == ("@scope/tool", "1.0.0")


def test_the_distribution_of_a_package_is_no_part_of_its_name():
    found = one(affects=[{"ref": "pkg:deb/debian/tar@1.30%2Bdfsg-6?arch=amd64"}])

    assert (found.title, found.component, found.version) == ("CVE-2026-1 in tar", "tar", "1.30+dfsg-6")


def test_the_rating_of_the_source_itself_counts_first():
    assert findings(fixture("vex-1.6.json"))[0].severity is Severity.LOW


@pytest.mark.parametrize(
    ("ratings", "severity"),
    [
        ([{"severity": "low", "method": "OWASP"}, {"severity": "critical", "method": "CVSSv3"}], Severity.CRITICAL),
        ([{"severity": "low", "method": "CVSSv2"}, {"severity": "high", "method": "CVSSv31"}], Severity.HIGH),
        ([{"severity": "low", "method": "CVSSv31"}, {"severity": "high", "method": "CVSSv4"}], Severity.HIGH),
        ([{"severity": "critical"}, {"score": 5, "method": "CVSSv31"}], Severity.MEDIUM),
        ([{"score": 9.5, "method": "CVSSv2"}], Severity.HIGH),
        ([{"method": "CVSSv3", "vector": "AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H"}], Severity.CRITICAL),
        ([{"method": "CVSSv2", "vector": "(AV:N/AC:L/Au:N/C:P/I:N/A:N)"}], Severity.MEDIUM),
        (
            [{"method": "CVSSv4", "vector": "CVSS:4.0/AV:N/AC:L/AT:N/PR:N/UI:N/VC:H/VI:H/VA:H/SC:N/SI:N/SA:N"}],
            Severity.CRITICAL,
        ),
        ([{"method": "CVSSv3", "vector": "nonsense"}], Severity.UNKNOWN),
        ([{"severity": "none"}], Severity.INFO),
        ([{"severity": "unknown"}], Severity.UNKNOWN),
        ([], Severity.UNKNOWN),
    ],
)
def test_severity_comes_from_the_best_rating_that_tells_one(ratings: list[Any], severity: Severity):
    found = one(ratings=ratings)

    assert found.severity is severity
    assert found.unknown_words == ()


def test_a_source_that_rated_nothing_itself_where_others_disagree_is_reported():
    others = [{"source": {"name": name}, "severity": word} for name, word in (("a", "low"), ("b", "high"))]

    assert one(source={"name": "c"}, ratings=others).unknown_words == ("source: c",)
    assert one(source={"name": "a"}, ratings=others).unknown_words == ()
    assert one(source={"name": "c"}, ratings=others[:1]).unknown_words == ()


def test_a_severity_never_seen_is_reported_and_leaves_the_rest():
    """records.md: a severity that cannot be told is *Unknown*, and reported."""
    found = one(ratings=[{"severity": "grave"}])

    assert (found.severity, found.unknown_words, found.title) == (
        Severity.UNKNOWN,
        ("severity: grave",),
        "CVE-2026-1 in lib",
    )


@pytest.mark.parametrize(
    ("state", "fixed", "verdict", "words"),
    [
        ("exploitable", False, None, ()),
        ("in_triage", False, None, ()),
        ("resolved", True, None, ()),
        ("resolved_with_pedigree", True, None, ()),
        ("false_positive", False, Verdict.FALSE_POSITIVE, ()),
        ("not_affected", False, Verdict.FALSE_POSITIVE, ()),
        ("sleeping", False, None, ("state: sleeping",)),
    ],
)
def test_what_the_analysis_says(state: str, fixed: bool, verdict: Verdict | None, words: tuple[str, ...]):
    found = one(analysis={"state": state, "justification": "code_not_reachable"})

    assert (found.fixed, found.verdict, found.unknown_words) == (fixed, verdict, words)
    assert (found.vendor_status, found.vendor_reason) == (state, "code_not_reachable")


def test_the_old_extension_is_read_inside_and_outside_of_components():
    inside, outside = sorted(findings(fixture("extension-1.2.xml")), key=lambda each: each.rule)

    assert (inside.rule, inside.component) == ("CVE-2026-1000", "g/one")
    assert (outside.severity, outside.cwe, outside.mitigation) == (Severity.CRITICAL, (502,), "Upgrade")
    assert outside.references == ("https://example.org/b",)
    assert outside.cvss == ("CVSS:3.0/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:H/A:H",)


def test_xml_says_the_same_as_json():
    (found,) = findings(fixture("vulnerabilities-1.5.xml"))

    assert (found.component, found.version, found.severity) == ("lib", "2", Severity.MEDIUM)
    assert (found.vendor_status, found.vendor_reason) == ("in_triage", "update")


def test_an_upgrade_that_stays_vulnerable_is_the_same_finding():
    def at(version: str) -> bytes:
        purl = f"pkg:deb/debian/lib@{version}?arch=amd64&package-id={version}"
        return bom(vulnerability(affects=[{"ref": purl}]), components=[component(version, purl, purl=purl)])

    assert keys(at("1")) == keys(at("2"))


def test_another_vulnerability_or_component_is_another_finding():
    before = keys(bom(vulnerability(), components=[component()]))

    assert before != keys(bom(vulnerability(id="CVE-2026-2"), components=[component()]))
    assert before != keys(bom(vulnerability(), components=[component(name="other")]))


def test_a_reference_made_anew_with_each_document_is_no_identity():
    """records.md: an id that the vendor makes anew with each scan is not an id."""
    before, after = (findings(bom(vulnerability(affects=[{"ref": uuid}])))[0] for uuid in (ONE, TWO))

    assert before.key == after.key
    assert (before.title, before.component) == ("CVE-2026-1", "")


def test_a_vulnerability_named_by_a_uuid_is_called_and_known_by_its_cve():
    before, after = (
        findings(bom(vulnerability(id=uuid, references=[{"id": "CVE-2026-7000"}]), components=[component()]))[0]
        for uuid in (ONE, f"urn:uuid:{TWO}")
    )

    assert before.key == after.key
    assert (before.title, before.rule, before.ids) == ("CVE-2026-7000 in lib", "CVE-2026-7000", ("CVE-2026-7000",))
    assert one(id=ONE).title == f"{ONE} in lib"


def test_a_component_behind_more_than_are_kept_is_not_taken_for_none(monkeypatch: pytest.MonkeyPatch):
    parts = [component(ref="a"), *(component(ref=f"part-{number}") for number in range(100)), component(ref="z")]
    data = bom(vulnerability(), vulnerability(affects=[{"ref": "z"}, {"ref": "pkg:npm/b@1"}]), components=parts)
    monkeypatch.setattr(json_values.Room.__init__, "__defaults__", (20_000,))

    kept, missing, named = rows(data)

    assert "key" in kept
    assert "key" not in missing
    assert "key" in named


def test_two_versions_of_one_package_in_one_document_are_two_findings():
    parts = [component("1", "a", purl="pkg:npm/lib@1"), component("2", "b", purl="pkg:npm/lib@2")]
    found = keys(bom(vulnerability(affects=[{"ref": "a"}, {"ref": "b"}]), components=parts))

    assert len(set(found)) == 2


@pytest.mark.parametrize(
    "odd",
    [{"id": None}, {"id": " "}, {"id": 7}, {"affects": "a"}, {"affects": [{}]}, {"affects": [{"ref": 7}]}],
    ids=repr,
)
def test_a_vulnerability_whose_identity_cannot_be_read_has_no_key_and_spares_the_others(odd: dict[str, Any]):
    first, second = rows(bom(vulnerability(**odd), vulnerability()))

    assert "key" not in first
    assert "key" in second
    assert isinstance(values(bom(vulnerability(**odd)))[0], ConnectorError)


def test_where_only_some_vulnerabilities_say_what_they_affect_nothing_is_proven():
    nowhere = {"id": "CVE-2026-9", "ratings": [{"severity": "low"}]}

    assert len(findings(bom(nowhere))) == 1
    with pytest.raises(Incomplete, match="do not say what they affect"):
        rows(bom(nowhere, vulnerability()))


@pytest.mark.parametrize("name", ["bom.json", "bom.xml"])
def test_a_bill_of_materials_without_vulnerabilities_says_so(name: str):
    plain = {
        "bom.json": b'{"bomFormat": "CycloneDX", "specVersion": "1.5", "components": []}',
        "bom.xml": b'<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><components/></bom>',
    }

    assert "bill of materials without vulnerabilities" in look(plain[name], name)["problem"]


@pytest.mark.parametrize(
    "data",
    [
        b'{"bomFormat": "CycloneDX", "specVersion": "1.5", "vulnerabilities": []}',
        b'<bom xmlns="http://cyclonedx.org/schema/bom/1.4"><vulnerabilities/></bom>',
    ],
)
def test_an_empty_list_of_vulnerabilities_is_an_answer(data: bytes):
    assert values(data, name="scan.json") == []


@pytest.mark.parametrize(
    ("metadata", "family"),
    [
        ({"tools": [{"name": "grype"}]}, "grype (CycloneDX)"),
        ({"tools": {"components": [{"name": "trivy"}]}}, "trivy (CycloneDX)"),
        (
            {"tools": [{"name": "trivy"}], "component": {"type": "container", "name": "shop:1.2"}},
            "trivy (CycloneDX)/shop",
        ),
        (
            {"tools": [{"name": "trivy"}], "component": {"type": "container", "name": "r:5000/shop"}},
            "trivy (CycloneDX)/r:5000/shop",
        ),
        ({}, "image (CycloneDX)"),
    ],
)
def test_the_family_is_the_tool_and_what_it_looked_at(metadata: dict[str, Any], family: str):
    (state,) = look(bom(metadata=metadata), "svc/image-2026-05-01.cdx.json")["states"]

    assert state["family"] == family
