"""SARIF 2.1.0: what its results become, and what makes a result the same one in the next report."""

import io
from collections.abc import Callable
from typing import Any

import pytest

from tests.connectors.report_folder.reading import findings, fixture, keys, look, result, rows, sarif, values
from tidegate.connectors.report_folder import json_values
from tidegate.connectors.report_folder import sarif as sarif_format
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
    """records.md: a severity that cannot be told is *Unknown*: imported and reported."""
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
        ({"ruleIndex": -1}, Severity.MEDIUM),
        ({"level": "none", "properties": {"security-severity": "0.0"}}, Severity.INFO),
        ({"level": "error", "properties": {"security-severity": "0.0"}}, Severity.HIGH),
    ],
)
def test_severity_comes_from_the_security_score_and_else_from_the_level(said: dict[str, Any], severity: Severity):
    assert one(result(**said)).severity is severity


def test_a_score_of_zero_under_the_tag_unknown_is_unknown():
    rule = {"id": "R1", "properties": {"security-severity": "0.0", "tags": ["vulnerability", "UNKNOWN"]}}

    assert one(result(level="note"), driver={"name": "Trivy", "rules": [rule]}).severity is Severity.UNKNOWN


@pytest.mark.parametrize(
    ("pointing", "title"),
    [
        ({"ruleId": "A", "ruleIndex": 0}, "Rule A"),
        ({"ruleId": "A/sub", "ruleIndex": 0}, "Rule A"),
        ({"ruleId": "B", "ruleIndex": 0}, "Rule B"),
        ({"ruleId": "C", "ruleIndex": 0}, "Rule A"),
        ({"ruleId": "B", "ruleIndex": -1}, "Rule B"),
    ],
)
def test_an_index_that_contradicts_the_id_gives_way_to_it(pointing: dict[str, Any], title: str):
    rules = [{"id": name, "shortDescription": {"text": f"Rule {name}"}} for name in ("A", "B")]

    assert one({"message": {"text": ""}} | pointing, driver={"name": "Tool", "rules": rules}).title == title


@pytest.mark.parametrize(
    "target",
    [
        {"id": "79", "toolComponent": {"name": "CWE"}},
        {"id": "CWE-79"},
        {"id": "79", "toolComponent": {"name": "cwe_top_25"}},
        {"id": "79", "toolComponent": {"index": 1}},
        {"index": 1, "toolComponent": {"guid": "g"}},
        {"guid": "entry", "toolComponent": {"index": 1}},
    ],
    ids=repr,
)
def test_the_cwe_is_found_by_name_index_and_guid_also_where_the_taxonomy_stands_behind(target: dict[str, Any]):
    taxonomies = [{"name": "OWASP", "taxa": [{"id": "A1"}]}, {"name": "CWE", "guid": "g", "taxa": []}]
    taxonomies[1]["taxa"] = [{"id": "22"}, {"id": "79", "guid": "entry"}]
    driver = {"name": "Tool", "rules": [{"id": "R1", "relationships": [{"target": target}]}]}

    by_rule = one(result(), driver=driver, taxonomies=taxonomies)
    by_result = one(result(taxa=[target]), taxonomies=taxonomies)

    assert (by_rule.cwe, by_result.cwe) == ((79,), (79,))


@pytest.mark.parametrize(
    "target", [{"id": "A1", "toolComponent": {"index": 0}}, {"id": "7"}, {"index": 9}, {}, None, 7]
)
def test_an_entry_of_another_taxonomy_is_no_cwe(target: Any):
    taxonomies = [{"name": "OWASP", "taxa": [{"id": "1"}]}]

    assert one(result(taxa=[target]), taxonomies=taxonomies).cwe == ()


@pytest.mark.parametrize("kind", ["pass", "notApplicable", "open", "review", "informational"])
def test_only_a_failure_is_a_finding(kind: str):
    (value,) = values(sarif(result(kind=kind)))

    assert isinstance(value, Skip)


def test_a_kind_never_seen_counts_as_a_finding_and_is_reported():
    """records.md: a vendor state never seen before counts as open and is reported."""
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


LONG = "word " * 40


@pytest.mark.parametrize(
    ("message", "title"),
    [
        ("Bad.", "Bad."),
        ("Bad thing\nMore of it.", "Bad thing"),
        ("Input is used to build\na query.", "Input is used to build a query."),
        ("Input of whoever calls this function is used in order to build a\nSQL query.\n\nMore.", None),
        (f"The name of a file is built from input. {LONG}", "The name of a file is built from input."),
        (f"The name of a file is built from input. If the\n{LONG}", "The name of a file is built from input."),
        (f"No sentence {LONG}", "The rule"),
        ("See [the input](1) and [b](2).", "See the input and b."),
        ("See [the docs](https://example.org).", "See [the docs](https://example.org)."),
    ],
)
def test_the_title_is_what_the_message_says_first(message: str, title: str | None):
    driver = {"name": "Tool", "rules": [{"id": "R1", "shortDescription": {"text": "The rule"}}]}
    whole = message.partition("\n\n")[0].replace("\n", " ")

    assert one(result(text=message), driver=driver).title == (title or whole)


def test_a_long_message_of_a_rule_that_has_only_an_id_is_shortened():
    driver = {"name": "Tool", "rules": [{"id": "CVE-2026-1000", "name": "CVE-2026-1000"}]}

    title = one(result("CVE-2026-1000", text=f"CVE-2026-1000 - {LONG}"), driver=driver).title

    assert title.startswith("CVE-2026-1000 - word word")
    assert title.endswith("word …")
    assert len(title) <= 150


def trivy(installed: str = "1.0", fixed: str = "", severity: str = "HIGH", package: str = "curl") -> bytes:
    lines = (f"Package: {package}", f"Installed Version: {installed}", "Vulnerability CVE-2026-1000")
    more = (f"Severity: {severity}", f"Fixed Version: {fixed}", "Link: [CVE-2026-1000](https://example.org)")
    rule = {"id": "CVE-2026-1000", "name": "OsPackageVulnerability", "shortDescription": {"text": "curl: overflow"}}
    return sarif(
        result("CVE-2026-1000", "library/alpine", text="\n".join((*lines, *more))),
        driver={"name": "T", "rules": [rule]},
    )


def test_a_message_that_is_a_table_gives_title_package_and_versions():
    (found,) = findings(trivy(fixed="1.1"))

    assert found.title == "CVE-2026-1000 in curl"
    assert (found.component, found.version, found.fixed_version) == ("curl", "1.0", "1.1")


def test_a_table_without_a_package_is_called_like_its_rule():
    text = "Artifact: Dockerfile\nType: dockerfile\nVulnerability DS002\nSeverity: HIGH\nMessage: Add USER"
    rule = {
        "id": "DS002",
        "name": "Misconfiguration",
        "shortDescription": {"text": "User should not be &#39;root&#39;"},
    }

    found = one(result("DS002", text=text), driver={"name": "Trivy", "rules": [rule]})

    assert found.title == "User should not be 'root'"


def test_a_new_version_a_fix_and_another_severity_leave_a_finding_of_a_table_itself():
    """records.md: the connector builds an id from what stays."""
    assert keys(trivy()) == keys(trivy(installed="1.0-r1", fixed="2.0", severity="LOW"))
    assert keys(trivy()) != keys(trivy(package="libcurl"))


def test_a_help_that_is_a_link_is_a_reference_and_no_mitigation():
    driver = {"name": "Tool", "rules": [{"id": "R1", "help": {"text": "https://example.org/R1"}}]}
    found = one(result(), driver=driver)

    assert (found.mitigation, found.references) == ("", ("https://example.org/R1",))


def test_a_package_url_in_a_logical_location_is_read_with_its_scope():
    place = {"logicalLocations": [{"fullyQualifiedName": "pkg:npm/%40scope/a@1.2?x=y"}]}
    found = one({"ruleId": "R1", "message": {"text": "x"}, "locations": [place]})

    assert (found.component, found.version) == ("@scope/a", "1.2")


def test_a_description_of_a_megabyte_is_shortened():
    assert len(one(result(text="x" * 2**20)).description) <= 20_000


def test_nul_in_a_text_is_replaced():
    assert findings(fixture(BEHIND))[2].description.startswith("Broken\ufffd text")


# Identity


def test_lines_that_move_leave_a_finding_itself():
    """records.md: where the vendor has no id, the connector builds one from what stays when lines move."""
    assert keys(sarif(result(line=5, code="eval(x)"))) == keys(sarif(result(line=50, code="eval(x)")))
    assert keys(sarif(result(line=5))) == keys(sarif(result(line=50)))


def test_a_message_that_names_its_line_leaves_a_finding_itself():
    assert keys(sarif(result(text="Line 5 is bad."))) == keys(sarif(result(text="Line 17 is bad.")))


def test_an_edited_message_leaves_a_finding_with_code_itself():
    """records.md: … and texts are edited."""
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


def several(*places: tuple[str, int, str], **more: Any) -> dict[str, Any]:
    """A result at several places."""
    listed = [result(uri=uri, line=line, code=code)["locations"][0] for uri, line, code in places]
    return result() | {"locations": listed} | more


def test_each_place_of_a_result_without_a_fingerprint_is_a_finding():
    found = findings(sarif(several(("a.py", 1, "x()"), ("a.py", 5, "x()"), ("b.py", 2, "y()"))))

    assert [(each.path, each.line, each.evidence) for each in found] == [
        ("a.py", 1, "x()"),
        ("a.py", 5, "x()"),
        ("b.py", 2, "y()"),
    ]
    assert keys(sarif(several(("b.py", 7, "y()"), ("a.py", 1, "x()"))))[0] == found[2].key


def test_places_that_only_their_line_tells_apart_are_one_finding():
    found = findings(sarif(several(("a.py", 1, ""), ("a.py", 5, ""), ("b.py", 2, "")), several(("a.py", 9, ""))))

    assert [(each.path, each.line) for each in found] == [("a.py", 1), ("b.py", 2), ("a.py", 9)]


def test_a_result_with_a_fingerprint_is_one_finding_that_names_its_other_places():
    places = (("a.py", 1, "x()"), ("b.py", 2, "y()"))
    by_print = one(several(*places, fingerprints={"id/v1": "abc"}))
    by_partial = one(several(*places, partialFingerprints={"primaryLocationLineHash": "abc"}))

    assert by_print.evidence == by_partial.evidence == "x()\n\nAlso at:\nb.py:2"


def test_an_odd_place_spares_the_others():
    first, second = rows(sarif(result() | {"locations": [7, result()["locations"][0]]}))

    assert "key" not in first
    assert "key" in second


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


def test_an_error_of_the_tool_is_told_in_one_line():
    said = {"level": "error", "message": {"text": "Rule disabled;\nrun continues."}}

    with pytest.raises(Incomplete, match="Rule disabled; run continues"):
        rows(sarif(result(), invocations=[{"toolExecutionNotifications": [said]}]))


@pytest.fixture
def crowded(monkeypatch: pytest.MonkeyPatch):
    """Room for little of what a report names."""
    monkeypatch.setattr(json_values.Room.__init__, "__defaults__", (30_000,))


@pytest.mark.usefixtures("crowded")
@pytest.mark.parametrize(
    ("at", "listed"),
    [
        (lambda index: {"physicalLocation": {"artifactLocation": {"index": index}}}, "artifacts"),
        (lambda index: {"logicalLocations": [{"index": index}]}, "logicalLocations"),
    ],
    ids=["files", "functions"],
)
def test_what_is_listed_behind_more_than_is_kept_is_not_taken_for_nothing(at: Callable[[int], Any], listed: str):
    names: Any = {listed: [{"name": f"{number}.py", "location": {"uri": f"{number}.py"}} for number in range(1_000)]}
    data = sarif(*[result() | {"locations": [at(index)]} for index in (0, 999)], **names)
    kept, missing = rows(data)

    assert (kept["path"] or kept["logical"], "key" in kept) == ("0.py", True)
    assert "key" not in missing


@pytest.mark.usefixtures("crowded")
def test_a_rule_behind_more_than_are_kept_leaves_the_severity_unknown_and_without_its_id_there_is_no_key():
    rules = [{"id": f"R{number}", "defaultConfiguration": {"level": "note"}} for number in range(100)]
    driver = {"name": "T", "rules": rules}
    found = findings(sarif(result("R0", ruleIndex=0), result("R99", ruleIndex=99), driver=driver))

    assert [each.severity for each in found] == [Severity.LOW, Severity.UNKNOWN]
    assert "key" not in rows(sarif({"ruleIndex": 99, "message": {"text": "x"}}, driver=driver))[0]


@pytest.mark.usefixtures("crowded")
@pytest.mark.parametrize(
    "run",
    [
        {"tool": {"driver": {"name": "T" * 40_000}}},
        {"automationDetails": {"id": "c" * 40_000 + "/1"}},
        {"originalUriBaseIds": {"ROOT": {"uri": "u" * 40_000}}},
    ],
    ids=lambda run: next(iter(run)),
)
def test_names_that_do_not_fit_are_a_sentence(run: dict[str, Any]):
    with pytest.raises(ConnectorError, match="than fit into memory"):
        list(sarif_format.rows(io.BytesIO(sarif(result(), **run)), "Tool"))


@pytest.mark.usefixtures("crowded")
def test_runs_that_do_not_fit_are_a_sentence():
    data = sarif(result()).replace(b'"runs": [', b'"runs": [' + b"{}, " * 100)

    with pytest.raises(ConnectorError, match="than fit into memory"):
        list(sarif_format.rows(io.BytesIO(data), "Tool"))


def test_a_report_of_nothing_but_runs_is_refused_before_it_fills_the_memory():
    head = look(b'{"version": "2.1.0", "runs": [' + b"{}," * 500_000 + b"{}]}")

    assert "than fit into memory" in head["problem"]


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
