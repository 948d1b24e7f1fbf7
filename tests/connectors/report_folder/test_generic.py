"""The generic findings JSON that DefectDojo reads."""

from typing import Any

import pytest

from tests.connectors.report_folder.reading import findings, fixture, generic, keys, look, rows, values
from tidegate_sdk import ConnectorError, Finding, Severity, Skip, Verdict


def item(**more: Any) -> dict[str, Any]:
    return {"title": "Bad", "severity": "High", "description": "Words."} | more


def one(**more: Any) -> Finding:
    (found,) = findings(generic(item(**more)))
    return found


def test_every_field_finds_its_place():
    found = findings(fixture("generic.json"))[0]

    assert (found.title, found.severity, found.cwe, found.line) == ("Weak cipher", Severity.HIGH, (327, 326), 42)
    assert found.ids == ("CVE-2026-3001", "GHSA-dddd-eeee-ffff", "OSV-1")
    assert (found.epss, found.known_exploited, found.fixed_version, found.rule) == (0.5, True, "2.1", "T1")
    assert (found.path, found.endpoint) == ("src/tls.c", "https://a.example.org")
    assert "b.example.org:8443" in found.description
    assert (found.references, found.tags) == (("https://example.org/d",), ("tls",))
    assert found.found_at is not None


def test_fields_that_should_be_numbers_and_are_not_stay_empty():
    found = one(cwe="N/A", line="N/A", epss_score="N/A", cvssv3_score="N/A", scanner_confidence="N/A")

    assert (found.cwe, found.line, found.epss, found.cvss_score, found.confidence) == ((), None, None, None, "")


@pytest.mark.parametrize(
    ("said", "fixed", "verdict"),
    [
        ({"active": True}, False, None),
        ({"false_p": True, "active": False}, False, Verdict.FALSE_POSITIVE),
        ({"out_of_scope": True}, False, Verdict.OUT_OF_SCOPE),
        ({"risk_accepted": "true"}, False, Verdict.ACCEPTED),
        ({"active": False, "is_mitigated": True}, True, None),
        ({"active": False}, False, None),
    ],
)
def test_what_the_flags_say(said: dict[str, Any], fixed: bool, verdict: Verdict | None):
    found = one(**said)

    assert (found.fixed, found.verdict) == (fixed, verdict)


def test_a_duplicate_is_no_finding():
    assert [type(value) for value in values(generic(item(duplicate=True)))] == [Skip]


def test_a_severity_never_seen_is_unknown_and_reported():
    """records.md: a severity that cannot be told is *Unknown*: imported and reported."""
    found = one(severity="Blocker")

    assert (found.severity, found.unknown_words) == (Severity.UNKNOWN, ("severity: Blocker",))


@pytest.mark.parametrize(
    ("said", "severity", "words"),
    [
        ({}, Severity.UNKNOWN, ("severity: none",)),
        ({"severity": None}, Severity.UNKNOWN, ("severity: none",)),
        ({"severity": ""}, Severity.UNKNOWN, ("severity: none",)),
        ({"severity": 3}, Severity.UNKNOWN, ("severity: 3",)),
        ({"severity": "Unknown"}, Severity.UNKNOWN, ()),
        ({"cvssv3_score": 9.8}, Severity.CRITICAL, ("severity: none",)),
        ({"severity": "Blocker", "cvssv4_score": 0}, Severity.INFO, ("severity: Blocker",)),
        ({"cvssv3": "CVSS:3.1/AV:N/AC:L/PR:N/UI:N/S:U/C:H/I:N/A:N"}, Severity.HIGH, ("severity: none",)),
        ({"cvssv3": "nonsense"}, Severity.UNKNOWN, ("severity: none",)),
        ({"severity": "Low", "cvssv3_score": 9.8}, Severity.LOW, ()),
    ],
    ids=repr,
)
def test_what_has_no_word_for_its_severity_goes_by_its_cvss_or_is_unknown(
    said: dict[str, Any], severity: Severity, words: tuple[str, ...]
):
    """records.md: no word of the table, no CVSS: *Unknown*."""
    (found,) = findings(generic({"title": "Bad"} | said))

    assert (found.severity, found.unknown_words) == (severity, words)


@pytest.mark.parametrize(
    "odd", [{"severity": "Low"}, 7, None, {"title": 7, "severity": "Low"}, {"title": " "}], ids=repr
)
def test_a_finding_without_title_and_id_has_no_key(odd: Any):
    row, named = rows(generic(odd, item()))

    assert "key" not in row
    assert "key" in named


@pytest.mark.parametrize("items", [[{}], [7, None], [{"component": {}, "vulnerability": {}, "analysis": {}}]], ids=repr)
def test_a_list_of_findings_none_of_which_has_a_title_is_another_format(items: list[Any]):
    head = look(generic(*items))

    assert "has findings, but none with a title" in head["problem"]
    assert head["report"]


def test_an_empty_list_of_findings_is_an_answer():
    assert values(generic()) == []


def test_a_flag_that_is_neither_true_nor_false_is_odd():
    assert isinstance(values(generic(item(false_p="perhaps")))[0], ConnectorError)


def test_the_tools_own_id_outlives_every_edit():
    before, after = item(unique_id_from_tool="7", title="a"), item(unique_id_from_tool=7, title="b", file_path="x")

    assert keys(generic(before)) == keys(generic(after))


def test_lines_versions_severities_and_descriptions_are_no_identity():
    """records.md: an id from what stays when lines move and texts are edited; a description is never part of it."""
    before = item(line=1, component_version="1", severity="Low", description="a", date="2026-05-01")
    after = item(line=2, component_version="2", severity="High", description="b", date="2026-05-02")

    assert keys(generic(before)) == keys(generic(after))


@pytest.mark.parametrize(
    "other", [{"title": "Worse"}, {"file_path": "b"}, {"cve": "CVE-2026-1"}, {"endpoints": ["b"]}], ids=repr
)
def test_another_title_file_or_weakness_is_another_finding(other: dict[str, Any]):
    assert keys(generic(item())) != keys(generic(item(**other)))


def test_the_order_of_endpoints_and_ids_is_no_identity():
    before = item(endpoints=["a", {"host": "b"}], vulnerability_ids=["CVE-2026-1", "CVE-2026-2"])
    after = item(endpoints=[{"host": "b"}, "a"], vulnerability_ids=["CVE-2026-2", "CVE-2026-1"])

    assert keys(generic(before)) == keys(generic(after))


def test_links_are_found_in_whatever_text_the_references_are():
    found = one(references="See [a](https://example.org/a), <https://example.org/b> and https://example.org/c.")

    assert found.references == ("https://example.org/a", "https://example.org/b", "https://example.org/c")


def test_why_the_severity_and_the_way_from_source_to_sink_are_kept():
    found = one(
        severity_justification="Reachable.",
        sast_source_object="query",
        sast_source_file_path="a.py",
        sast_source_line="7",
        sast_sink_object="execute",
        under_review=True,
        endpoints=[{"protocol": "https", "host": "a", "path": "b", "query": "c=d"}],
    )

    assert found.description == "Words.\n\nSeverity: Reachable."
    assert found.evidence == "Source: query a.py:7\n\nSink: execute"
    assert (found.vendor_status, found.endpoint) == ("under_review", "https://a/b?c=d")


def test_repeats_are_told_apart_by_their_order():
    assert len(set(keys(generic(item(), item(), item(unique_id_from_tool="1"), item(unique_id_from_tool="1"))))) == 4


@pytest.mark.parametrize(
    ("head", "family"),
    [
        ({"type": "Tool", "name": "May scan"}, "Tool (generic)"),
        ({"type": "Tool (Generic Findings Import)"}, "Tool (generic)"),
        ({"type": "Generic Findings Import", "name": "May scan"}, "May scan (generic)"),
        ({"type": None, "name": "May scan"}, "May scan (generic)"),
        ({"type": None}, "scan (generic)"),
    ],
)
def test_the_family_is_type_or_name_or_what_the_file_is_called(head: dict[str, Any], family: str):
    (state,) = look(generic(item(), **head), "svc/scan_20260501T1200.json")["states"]

    assert state["family"] == family
