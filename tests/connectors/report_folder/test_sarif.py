"""SARIF 2.1.0: what its results become, and what makes a result the same one in the next report."""

from typing import Any

import pytest

from tests.connectors.report_folder.reading import findings, fixture, keys, result, rows, sarif, values
from tidegate_sdk import ConnectorError, Finding, Incomplete, Severity, Skip, Verdict

BEHIND = "rules-behind-results.sarif"


def one(*results: dict[str, Any], **run: Any) -> Finding:
    (found,) = findings(sarif(*results, **run))
    return found


def test_rules_artifacts_and_bases_that_stand_behind_the_results_are_found():
    shell, named, gone = findings(fixture(BEHIND))

    assert (shell.path, shell.line, shell.rule, shell.severity) == ("app/run it.py", 12, "PY100", Severity.CRITICAL)
    assert (shell.title, shell.description) == (
        "Shell command built from input",
        "Shell command built from input\n\nInput reaches a shell.",
    )
    assert (shell.mitigation, shell.cwe, shell.references) == ("Pass a list.", (78,), ("https://example.org/PY100",))
    assert (shell.vendor_severity, shell.confidence, shell.evidence) == ("9.1", "high", "os.system(command)")
    assert (named.title, named.path, named.severity) == ("{literal} name token", "src/app/login.py", Severity.LOW)
    assert named.cwe == (259,)
    assert (gone.rule, gone.cwe, gone.fixed) == ("PY300/sub", (22,), True)


def test_a_level_never_seen_is_unknown_and_reported_and_changes_nothing_else():
    strange, usual = findings(sarif(result(level="catastrophic"), result(level="error")))

    assert (strange.severity, strange.unknown_words) == (Severity.UNKNOWN, ("level: catastrophic",))
    assert strange.title == usual.title


@pytest.mark.parametrize(
    ("said", "severity"),
    [
        ({"level": "error"}, Severity.HIGH),
        ({"level": "warning"}, Severity.MEDIUM),
        ({"level": "note"}, Severity.LOW),
        ({"level": "none"}, Severity.INFO),
        ({}, Severity.MEDIUM),
        ({"level": "note", "properties": {"security-severity": "9.0"}}, Severity.CRITICAL),
        ({"level": "note", "properties": {"security-severity": 7.5}}, Severity.HIGH),
        ({"level": "note", "properties": {"security-severity": "4"}}, Severity.MEDIUM),
        ({"level": "error", "properties": {"security-severity": "0.1"}}, Severity.LOW),
        ({"level": "error", "properties": {"security-severity": ""}}, Severity.HIGH),
        ({"level": "error", "properties": {"security-severity": "N/A"}}, Severity.UNKNOWN),
        ({"level": "error", "properties": {"security-severity": "CRITICAL"}}, Severity.CRITICAL),
        ({"ruleIndex": 7}, Severity.UNKNOWN),
    ],
)
def test_severity_comes_from_the_security_score_and_else_from_the_level(said: dict[str, Any], severity: Severity):
    assert one(result(**said)).severity is severity


@pytest.mark.parametrize("kind", ["pass", "notApplicable", "open", "review", "informational"])
def test_only_a_failure_is_a_finding(kind: str):
    (value,) = values(sarif(result(kind=kind)))

    assert isinstance(value, Skip)


def test_a_kind_never_seen_counts_as_a_finding_and_is_reported():
    assert one(result(kind="alarm")).unknown_words == ("kind: alarm",)


@pytest.mark.parametrize(
    ("suppressions", "verdict"),
    [
        ([], None),
        ([{"kind": "inSource"}], Verdict.ACCEPTED),
        ([{"kind": "external", "status": "accepted"}], Verdict.ACCEPTED),
        ([{"kind": "external", "state": "accepted"}], Verdict.ACCEPTED),
        ([{"kind": "external", "status": "underReview"}], None),
        ([{"kind": "external", "status": "rejected"}], None),
        ([{"kind": "inSource"}, {"kind": "external", "status": "rejected"}], None),
    ],
)
def test_a_suppression_is_an_acceptance_unless_it_is_doubted(suppressions: list[Any], verdict: Verdict | None):
    assert one(result(suppressions=suppressions)).verdict is verdict


def test_a_status_of_a_suppression_never_seen_leaves_the_finding_active_and_is_reported():
    found = one(result(suppressions=[{"status": "maybe", "justification": "Hm."}]))

    assert (found.verdict, found.vendor_reason, found.unknown_words) == (None, "Hm.", ("suppression: maybe",))


def test_the_reason_of_a_suppression_is_kept():
    assert findings(fixture(BEHIND))[1].vendor_reason == "Only in tests."


def test_the_way_of_the_data_is_shown_by_its_ends():
    steps = [{"location": {"physicalLocation": {"artifactLocation": {"uri": f"{n}.py"}}}} for n in range(30)]
    found = one(result(codeFlows=[{"threadFlows": [{"locations": steps}]}]))

    assert found.evidence.splitlines()[0] == "0.py"
    assert found.evidence.splitlines()[-1] == "29.py"
    assert "20 more steps" in found.evidence


def test_a_web_address_is_an_endpoint_and_no_path():
    found = one(result(uri="https://shop.example.org/cart"))

    assert (found.path, found.endpoint) == ("", "https://shop.example.org/cart")


def test_a_hosted_viewer_is_only_a_link_when_it_is_one():
    assert one(result(hostedViewerUri="https://example.org/1")).url == "https://example.org/1"
    assert one(result(hostedViewerUri="javascript:alert(1)")).url is None


def test_ids_and_package_are_read_from_rule_and_logical_location():
    place = {"logicalLocations": [{"fullyQualifiedName": "pkg:npm/lodash@4.17.1?x=y"}]}
    found = one({"ruleId": "CVE-2026-1234", "message": {"text": "x"}, "locations": [place]})

    assert (found.ids, found.component, found.version) == (("CVE-2026-1234",), "lodash", "4.17.1")


def test_a_description_of_a_megabyte_is_shortened():
    assert len(one(result(text="x" * 2**20)).description) <= 20_000


def test_nul_in_a_text_is_replaced():
    assert findings(fixture(BEHIND))[2].description.startswith("Broken\ufffd text")


# Identity


def test_lines_that_move_leave_a_finding_itself():
    assert keys(sarif(result(line=5, code="eval(x)"))) == keys(sarif(result(line=50, code="eval(x)")))
    assert keys(sarif(result(line=5))) == keys(sarif(result(line=50)))


def test_a_message_that_names_its_line_leaves_a_finding_itself():
    assert keys(sarif(result(text="Line 5 is bad."))) == keys(sarif(result(text="Line 17 is bad.")))


def test_an_edited_message_leaves_a_finding_with_code_itself():
    before, after = result(code="eval(x)", text="Bad."), result(code="eval(x)", text="Use of eval is bad.")

    assert keys(sarif(before)) == keys(sarif(after))


def test_an_edited_message_of_another_finding_changes_nothing():
    before = keys(sarif(result("R1", text="one"), result("R2", text="two")))
    after = keys(sarif(result("R1", text="one"), result("R2", text="changed")))

    assert before[0] == after[0]


def test_indentation_is_no_identity():
    assert keys(sarif(result(code="eval(x)"))) == keys(sarif(result(code="\t  eval(x)\n")))


@pytest.mark.parametrize(
    "other", [{"rule": "R2"}, {"uri": "b.py"}, {"code": "eval(y)"}], ids=["another rule", "another file", "other code"]
)
def test_another_rule_file_or_code_is_another_finding(other: Any):
    assert keys(sarif(result(code="eval(x)"))) != keys(sarif(result(**({"code": "eval(x)"} | other))))


def test_another_function_is_another_finding():
    def within(name: str) -> bytes:
        place = {
            "physicalLocation": {"artifactLocation": {"uri": "a"}},
            "logicalLocations": [{"fullyQualifiedName": name}],
        }
        return sarif(result() | {"locations": [place]})

    assert keys(within("f")) != keys(within("g"))


def test_another_version_of_a_package_is_the_same_finding():
    def package(version: str) -> bytes:
        return sarif(result() | {"locations": [{"logicalLocations": [{"fullyQualifiedName": f"pkg:npm/a@{version}"}]}]})

    assert keys(package("1")) == keys(package("2"))


def test_exact_repeats_are_told_apart_by_their_order():
    first, second, third = keys(sarif(*[result(line=line, code="eval(x)") for line in (1, 2, 3)]))

    assert (second, third) == (f"{first}#2", f"{first}#3")


def test_a_fingerprint_outlives_a_move_to_another_file_and_an_edit_of_the_code():
    before = sarif(result(uri="a.py", code="eval(x)", fingerprints={"id/v1": "abc"}))
    after = sarif(result(uri="b.py", code="eval( x )", line=9, fingerprints={"id/v1": "abc"}))

    assert keys(before) == keys(after)


def test_of_several_fingerprints_the_highest_version_counts():
    before = sarif(result(fingerprints={"id/v2": "old", "id/v10": "new"}))
    after = sarif(result(fingerprints={"id/v10": "new", "id/v2": "another"}))

    assert keys(before) == keys(after)


def test_a_nested_fingerprint_is_read_as_it_is():
    one, two = ({"row": {"value": "a", "more": 1}}, {"row": {"more": 1, "value": "a"}})

    assert keys(sarif(result(fingerprints=one))) == keys(sarif(result(fingerprints=two)))
    assert keys(sarif(result(fingerprints=one))) != keys(sarif(result(fingerprints={"row": {"value": "b"}})))


def test_a_placeholder_for_a_fingerprint_is_none():
    hidden = {"matchBasedId/v1": "requires login"}
    found = keys(sarif(result(code="a()", fingerprints=hidden), result(code="b()", fingerprints=hidden)))

    assert found == keys(sarif(result(code="a()"), result(code="b()")))


def test_a_fingerprint_that_spells_out_the_line_is_none():
    before = sarif(result(line=5, code="x()", fingerprints={"id": "R1:a.py:5"}))
    after = sarif(result(line=6, code="x()", fingerprints={"id": "R1:a.py:6"}))

    assert keys(before) == keys(after)


def test_a_partial_fingerprint_counts_with_rule_and_path():
    prints = {"primaryLocationLineHash": "39fa2ee980eb94b0:1", "primaryLocationStartColumnFingerprint": "4"}
    moved = prints | {"primaryLocationStartColumnFingerprint": "8"}
    before = keys(sarif(result(line=1, text="one", partialFingerprints=prints)))

    assert before == keys(sarif(result(line=9, text="two", partialFingerprints=moved)))
    assert before != keys(sarif(result("R2", partialFingerprints=prints)))
    assert before != keys(sarif(result(uri="b.py", partialFingerprints=prints)))


def test_a_partial_fingerprint_of_commit_or_file_is_none():
    before = sarif(result(code="x()", partialFingerprints={"commitSha": "1", "scanFileHash": "2"}))
    after = sarif(result(code="x()", partialFingerprints={"commitSha": "3", "scanFileHash": "4"}))

    assert keys(before) == keys(after)


def test_arguments_of_a_message_are_identity_and_its_wording_is_not():
    def said(template: str, argument: str) -> bytes:
        driver = {"name": "Tool", "rules": [{"id": "R1", "messageStrings": {"m": {"text": template}}}]}
        return sarif(result(message={"id": "m", "arguments": [argument]}), driver=driver)

    assert keys(said("Old {0}", "a")) == keys(said("New {0}", "a"))
    assert keys(said("Old {0}", "a")) != keys(said("Old {0}", "b"))


def test_another_checkout_is_the_same_file():
    def built(root: str) -> bytes:
        place = {"physicalLocation": {"artifactLocation": {"uri": "a.py", "uriBaseId": "ROOT"}}}
        return sarif(result() | {"locations": [place]}, originalUriBaseIds={"ROOT": {"uri": f"file:///builds/{root}/"}})

    assert keys(built("1")) == keys(built("2"))


@pytest.mark.parametrize(
    ("uri", "path"),
    [
        ("file:///srv/a%20b.py", "/srv/a b.py"),
        ("file:///C:/code/a.c", "C:/code/a.c"),
        ("./a.py", "a.py"),
        ("src\\a.py", "src/a.py"),
        ("file:////src/a.js", "/src/a.js"),
    ],
)
def test_a_local_uri_is_shown_as_a_path(uri: str, path: str):
    assert one(result(uri=uri)).path == path


# What is odd, and what is no proof


@pytest.mark.parametrize(
    "odd",
    [
        {"ruleId": 7},
        {"locations": "a.py"},
        {"locations": [7]},
        {"message": "Bad"},
        {"fingerprints": ["a"]},
        {"locations": [{"physicalLocation": {"artifactLocation": {"uri": 7}}}]},
    ],
    ids=repr,
)
def test_a_result_whose_identity_cannot_be_read_has_no_key_and_spares_the_others(odd: dict[str, Any]):
    data = sarif(result() | odd, result("R2"))
    first, second = rows(data)

    assert "key" not in first
    assert "key" in second
    assert isinstance(values(data)[0], ConnectorError)
    assert isinstance(values(data)[1], Finding)


def test_a_result_that_is_no_object_has_no_key():
    assert "key" not in rows(sarif(7))[0]


@pytest.mark.parametrize(
    "run",
    [
        {"invocations": [{"executionSuccessful": False}]},
        {"invocations": [{"toolExecutionNotifications": [{"level": "error", "message": {"text": "Out of memory"}}]}]},
        {"results": None},
    ],
    ids=["failed", "error of the tool", "no results"],
)
def test_a_run_that_does_not_claim_to_be_whole_is_no_proof(run: dict[str, Any]):
    with pytest.raises(Incomplete):
        rows(sarif(result(), **run))


def test_a_warning_of_the_tool_leaves_the_run_a_proof():
    warned = {"toolExecutionNotifications": [{"level": "warning", "message": {"text": "Partly parsed"}}]}

    assert len(rows(sarif(result(), invocations=[warned]))) == 1


def test_runs_of_one_producer_are_one_state_and_repeats_across_them_differ():
    data = fixture("several-runs.sarif")

    assert len({finding.key for finding in findings(data, "Alpha")}) == 3
    assert findings(data, "Beta/web") == []


def test_a_report_that_was_replaced_by_another_tools_is_no_proof():
    with pytest.raises(Incomplete, match="replaced"):
        rows(sarif(result(), tool="Other"), family="Tool")
