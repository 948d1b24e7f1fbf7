"""What BurpSuite makes of the vendor's documented answers; the sources are in its fixtures/vendor.json."""

import copy
import json
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from tidegate.connectors.burpsuite import fixtures, queries
from tidegate.connectors.burpsuite.connector import BurpSuite, BurpSuiteSettings
from tidegate.connectors.burpsuite.evidence import ALL, plain
from tidegate.connectors.burpsuite.fixtures.world import WORLD
from tidegate.connectors.burpsuite.paging import ScanIssues
from tidegate_sdk import (
    Ask,
    Family,
    Finding,
    Header,
    Incomplete,
    Page,
    Proof,
    Row,
    Severity,
    Skipped,
    Vep,
    Verdict,
    graphql,
)
from tidegate_sdk.conformance import Suite
from tidegate_sdk.conformance.answers import FAULTS
from tidegate_sdk.errors import VendorChanged

VENDOR = json.loads((Path(fixtures.__file__).parent / "vendor.json").read_text(encoding="utf-8"))
BURP = BurpSuite(BurpSuiteSettings(**VENDOR["settings"]))
SITE = Vep(id="81", name="Global")


def answer(operation: str, **variables: Any) -> Any:
    """The documented answer to one question."""
    return copy.deepcopy(
        next(
            each["json"]
            for each in VENDOR["exchanges"]
            if each["operation"] == operation and variables.items() <= each["variables"].items()
        )
    )


def issues(scan: str, start: int) -> list[Row]:
    return [Row(row) for row in answer("TidegateIssues", scan=scan, start=start)["data"]["scan"]["issues"]]


def issue(**other: Any) -> Finding:
    """The documentation's own issue, with some fields replaced."""
    return BURP.issue(Row({**issues("21110", 0)[0], **other}))


def sites() -> dict[str, Vep]:
    listing = BURP.veps()
    walk = listing.by.walk(listing.ask)
    next(walk)
    walk.send(Page(answer("TidegateFolders")))
    rows = answer("TidegateSites")["data"]["site_tree"]["sites"]
    return {row["id"]: listing.read(Row(row)) for row in rows}  # type: ignore[misc]


def walk(pages: list[Any], total: int | list[int] | None = None, by: ScanIssues | None = None) -> Proof:
    """The proof of a walk through these pages of rows."""
    totals = total if isinstance(total, list) else [total if total is not None else sum(map(len, pages))] * len(pages)
    walking = (by or ScanIssues()).walk(graphql(queries.ISSUES, path=queries.PATH, scan="1"))
    next(walking)
    try:
        for rows, counted in zip([*pages, []], [*totals, totals[-1]], strict=True):
            body = {"data": {"scan": {"issue_counts": {"total": counted}, "issues": rows}}}
            walking.send(Page(body, tuple(Row(row) for row in rows), len(rows)))
    except StopIteration as end:
        return end.value
    raise AssertionError("The walk did not end.")


def some(count: int, start: int = 0, **more: Any) -> list[dict[str, Any]]:
    return [
        {"fingerprint": str(start + place), "confidence": "firm", "accepted_risk": False, **more}
        for place in range(count)
    ]


# Sites


def test_a_record_is_a_site_by_its_id_in_the_site_tree():
    """records.md: the most stable id the vendor has; never the name while an id exists."""
    found = sites()

    assert {vep.id: vep.name for vep in found.values()} == {
        "81": "Global", "82": "Northern US", "38": "Southern US", "39": "UK",
    }  # fmt: skip


def test_the_folder_path_is_an_attribute_without_the_root():
    found = sites()

    assert [found[id].attributes["folder"] for id in ("81", "82", "39")] == ["", "US Sites", "Europe Sites/UK Sites"]
    assert found["39"].parent == "UK Sites"


def test_start_urls_are_attributes_and_an_api_site_has_none():
    found = sites()

    assert found["81"].attributes["start_urls"] == ["http://vulnerable-website.com/"]
    assert found["38"].attributes["start_urls"] == []


@pytest.mark.parametrize(("told", "ephemeral"), [(True, True), (False, False), (None, False)])
def test_whether_a_site_is_ephemeral(told: bool | None, ephemeral: bool):
    row = Row(id="1", name="CI", parent_id="0", scope_v2=None, ephemeral=told)

    assert BURP.site(row, {}).attributes["ephemeral"] is ephemeral


def test_folders_that_the_user_may_not_see_are_left_out_of_the_path():
    row = Row(id="1", name="Hidden away", parent_id="77", scope_v2=None, ephemeral=None)

    assert BURP.site(row, {}).attributes["folder"] == ""


def test_folders_in_a_circle_end():
    folders = {"1": Row(id="1", name="A", parent_id="2"), "2": Row(id="2", name="B", parent_id="1")}
    row = Row(id="9", name="Site", parent_id="1", scope_v2=None, ephemeral=None)

    assert BURP.site(row, folders).attributes["folder"] == "B/A"


def test_a_site_without_a_name_is_called_by_its_id():
    assert BURP.site(Row(id="9", name=None, parent_id="0", scope_v2=None, ephemeral=None), {}).name == "Site 9"


# Scans


def families(page: Any) -> list[Family | Skipped]:
    asking = BURP.families(SITE)
    ask = next(asking)
    assert isinstance(ask, Ask)
    assert ask.json["variables"] == {"site": "81"}
    found: list[Any] = [asking.send(Page(page))]
    found += [*asking]
    return found


def test_only_completed_scans_are_asked_for_and_the_one_that_ended_last():
    assert "scan_status: [succeeded]" in queries.LATEST_SCAN
    assert "sort_column: end, sort_order: desc" in queries.LATEST_SCAN
    assert "limit: 1" in queries.LATEST_SCAN


def test_the_latest_completed_scan_is_the_family():
    (family,) = families(answer("TidegateLatestScan", site="81"))

    assert isinstance(family, Family)
    assert family.name == "issues"
    assert family.list.ask.json["variables"] == {"scan": "21110"}


def test_a_site_that_was_never_scanned_is_skipped_with_a_reason():
    assert families(answer("TidegateLatestScan", site="38")) == [
        Skipped("issues", "No scan of this site has completed yet.")
    ]


def test_a_scan_that_is_not_completed_is_not_believed():
    with pytest.raises(VendorChanged, match="running"):
        families({"data": {"scans": [{"id": "1", "status": "running", "end_time": "2021-11-08T15:04:09.013Z"}]}})


def test_the_mark_sorts_as_time_whatever_the_fraction():
    """Burp leaves the fraction out where it is zero, and as text `12.5Z` stands before `12Z`."""
    ends = ["2021-11-08T15:04:12Z", "2021-11-08T15:04:12.5Z", "2021-11-08T16:04:12.001+01:00"]
    marks = [families({"data": {"scans": [{"id": "1", "status": "succeeded", "end_time": end}]}})[0] for end in ends]

    assert marks[0].mark < marks[2].mark < marks[1].mark  # type: ignore[union-attr]


# Paging


def test_the_issues_are_read_to_an_empty_page():
    assert walk([some(100), some(20, 100)]) == Proof(120, 120, "drifting", 2)


def test_one_page_with_everything_holds_the_whole_list():
    assert walk([some(5)]) == Proof(5, 5, "whole", 1)


def test_no_issues_are_a_whole_list_too():
    assert walk([[]], 0) == Proof(0, 0, "whole", 1)


def test_a_server_that_sends_smaller_pages_is_followed():
    asked: list[int] = []
    walking = ScanIssues().walk(graphql(queries.ISSUES, path=queries.PATH, scan="1"))
    step = next(walking)
    for rows in (some(7), some(7, 7), some(1, 14)):
        assert isinstance(step, Ask)
        asked.append(step.json["variables"]["start"])
        body = {"data": {"scan": {"issue_counts": {"total": 15}, "issues": rows}}}
        step = walking.send(Page(body, tuple(Row(row) for row in rows), len(rows)))

    assert asked == [0, 7, 14]
    assert isinstance(step, Ask)
    assert step.json["variables"]["start"] == 15


def test_fewer_issues_than_counted_prove_nothing():
    with pytest.raises(Incomplete, match="counts 6 issues and listed 5"):
        walk([some(5)], 6)


def test_more_issues_than_counted_prove_nothing():
    with pytest.raises(Incomplete, match="counts 4 issues and listed 5"):
        walk([some(5)], 4)


def test_marked_issues_may_be_left_out_of_the_count():
    """Whether `issue_counts` counts false positives is not documented; both are understood."""
    rows = [*some(5), *some(1, 5, confidence="false_positive"), *some(1, 6, accepted_risk=True)]

    assert walk([rows], 7).expected == 7
    assert walk([rows], 5) == Proof(7, None, "whole", 1)


def test_false_positives_alone_may_be_left_out_of_the_count():
    """`CountsByConfidence` has a place for an accepted risk and none for a false positive."""
    rows = [*some(5), *some(1, 5, confidence="false_positive"), *some(1, 6, accepted_risk=True)]

    assert walk([rows], 6) == Proof(7, None, "whole", 1)


def test_marked_issues_do_not_make_room_for_lost_ones():
    """Eight were counted without the three false positives; one of the eight did not come."""
    rows = [*some(7), *some(3, 7, confidence="false_positive")]

    with pytest.raises(Incomplete, match="counts 8 issues and listed 10"):
        walk([rows], 8)


def test_the_count_ends_no_walk_early():
    """100 issues of which 10 are marked, counted as 90: what comes after the first full page is read as well."""
    first, second = [*some(90), *some(10, 90, confidence="false_positive")], some(3, 100, confidence="false_positive")

    assert walk([first, second], 90).seen == 103


def test_a_total_that_moves_proves_nothing():
    with pytest.raises(Incomplete, match="moved from 103 to 104"):
        walk([some(100), some(3, 100)], [103, 104])


def test_the_same_page_again_proves_nothing():
    with pytest.raises(Incomplete, match="same page again"):
        walk([some(100), some(100)], 200)


@pytest.mark.parametrize("total", [None, "5", True, -1, 1.5])
def test_a_count_that_is_none_is_news(total: Any):
    with pytest.raises(VendorChanged):
        walk([some(5)], [total])


# Issues


def test_an_issue_is_itself_by_its_fingerprint():
    """records.md: an id that the vendor makes anew with each scan is not an id; the serial number is not even asked."""
    assert issue().key == "f0a1c2d3e4f5061728394a5b6c7d8e9f"
    assert "serial_number" not in queries.ISSUES


def test_two_issues_of_one_type_on_one_path_are_two():
    first = issues("21110", 0)[0]
    second = Row({**first, "fingerprint": "another", "description_html": "Another parameter."})

    assert BURP.issue(first).key != BURP.issue(second).key
    assert (BURP.issue(first).rule, BURP.issue(first).path) == (BURP.issue(second).rule, BURP.issue(second).path)


def test_an_issue_with_null_wherever_null_may_stand_is_read():
    """As in DefectDojo's published samples null_data.json, null_title.json and null_request_segments.json."""
    kind = dict.fromkeys(issues("21110", 0)[0]["issue_type"], None) | {"type_index": "16777472"}
    evidence = [{"request_segments": None}, {"response_segments": None}, {"title": None, "description_html": None}]
    found = issue(issue_type=kind, description_html=None, remediation_html=None, evidence=evidence, change_history=None)

    assert found.title == "Issue of type 16777472"
    assert (found.description, found.mitigation, found.evidence) == ("", "", "")
    assert (found.cwe, found.references, found.unknown_words) == ((), (), ())


@pytest.mark.parametrize("fingerprint", [None, "", " ", 7, True, []])
def test_an_issue_without_a_fingerprint_has_no_id(fingerprint: Any):
    """records.md: without a readable id its Family of that VEP closes nothing; so an issue without one has none."""
    (family,) = families(answer("TidegateLatestScan", site="81"))
    row = Row({**issues("21110", 0)[0], "fingerprint": fingerprint})

    with pytest.raises(VendorChanged):
        BURP.issue(row)
    with pytest.raises(VendorChanged):
        family.list.id(row)  # type: ignore[union-attr, operator]


def test_an_issue_of_a_scan_older_than_fingerprints_says_what_to_do():
    with pytest.raises(VendorChanged, match="scan the site again"):
        issue(fingerprint=None)


def test_an_issue_is_read_into_our_words():
    found = issue()

    assert found.title == "External service interaction (HTTP)"
    assert found.severity is Severity.HIGH
    assert found.confidence == "certain"
    assert found.rule == "3146256"
    assert found.cwe == (918, 406)
    assert found.path == "/http-collaborator"
    assert found.endpoint == "http://vulnerable-website.com"
    assert found.references == (
        "https://portswigger.net/blog/introducing-burp-collaborator",
        "https://portswigger.net/burp/application-security-testing/oast",
    )
    assert found.unknown_words == ()


def test_what_is_said_of_this_issue_comes_before_what_is_said_of_its_type():
    found = issue(remediation_html="Do not.")

    assert found.description.index("It is possible to induce") < found.description.index("<p>External service")
    assert found.mitigation.startswith("Do not.\n\n<p>You should review")


def test_nothing_of_a_finding_changes_because_a_new_scan_ran():
    """A link to `/scans/<id>` would rewrite every finding with each scan."""
    (before,) = families(answer("TidegateLatestScan", site="81"))
    (after,) = families(
        {"data": {"scans": [{"id": "21111", "status": "succeeded", "end_time": "2021-11-09T00:00:00Z"}]}}
    )
    row = issues("21110", 0)[0]

    assert before.list.read(row) == after.list.read(row)  # type: ignore[union-attr]


def test_a_severity_never_seen_is_unknown_and_reported():
    """records.md: a severity that cannot be told is *Unknown*: imported and reported."""
    found = BURP.issue(issues("21028", 0)[0])

    assert found.severity is Severity.UNKNOWN
    assert found.vendor_severity == "critical"
    assert found.unknown_words == ("severity: critical",)


def test_a_confidence_never_seen_is_open_and_reported():
    """records.md: a vendor state never seen before counts as open and is reported."""
    found = issue(confidence="doubtful")

    assert found.verdict is None
    assert found.unknown_words == ("confidence: doubtful",)


def test_a_false_positive_is_one_with_the_latest_reason():
    found = BURP.issue(issues("21110", 0)[1])

    assert found.verdict is Verdict.FALSE_POSITIVE
    assert found.vendor_reason == "The query is parameterised. · wiener"
    assert found.vendor_status == "false positive"
    assert found.confidence == ""


def test_an_accepted_risk_is_accepted_with_its_reason():
    found = BURP.issue(issues("21110", 0)[2])

    assert found.verdict is Verdict.ACCEPTED
    assert found.vendor_reason == "Internal certificate. · carlos"


def test_accepted_is_true_and_nothing_else():
    assert issue(accepted_risk="yes").verdict is None
    assert issue(accepted_risk="yes").unknown_words == ("accepted_risk: yes",)


def test_an_issue_type_without_a_name_has_a_title():
    assert BURP.issue(issues("21110", 3)[0]).title == "Issue of type 16777984"


def test_an_issue_without_a_type_has_a_title():
    assert BURP.issue(issues("21028", 0)[1]).title == "Issue of type unknown"


@pytest.mark.parametrize(
    "field", ["severity", "confidence", "accepted_risk", "evidence", "change_history", "issue_type"]
)
def test_a_field_that_is_missing_is_news(field: str):
    row = issues("21110", 0)[0]
    del row[field]

    with pytest.raises(VendorChanged, match=field):
        BURP.issue(row)


# Evidence


def test_evidence_is_plain_text_in_the_vendors_order():
    found = issue().evidence

    assert found.startswith("Request\nGET /http-collaborator?q=http%3a%2f%2f929xszo277xq82vclxu5rykbr2xvlmca2ytlj98")
    assert "Response\nHTTP/1.1 200 OK\n" in found
    assert "<html><h1>HTTP Collaborator Evidence</h1>" in found
    assert "[4096 bytes left out by Burp]" in found
    assert "Collaborator HTTP interaction\nThe Collaborator server received an HTTP request." in found
    assert "Collaborator HTTP interaction: request\nGET /?foo HTTP/1.1" in found
    assert "Unsafe API call\nBurp Infiltrator detected" in found


@pytest.mark.parametrize(
    "evidence",
    [None, [], [None], [{}], [{"request_segments": None}], [{"request_segments": [None, {"data_html": None}]}]],
)
def test_evidence_that_is_null_somewhere_is_left_out(evidence: Any):
    assert plain(evidence).strip() in ("", "Request")


def test_long_evidence_is_cut_and_says_so():
    message = [{"data_html": "x" * 1_000_000}]
    found = plain([{"request_segments": message}, {"response_segments": message}, {"request_segments": message}])

    assert len(found) < ALL + 100
    assert found.count("[998100 more characters]") == 2
    assert found.endswith("[further evidence left out]")


def test_many_short_pieces_of_evidence_are_bounded_too():
    assert len(plain([{"request_segments": [{"data_html": "GET / HTTP/1.1"}]}] * 1000)) < ALL + 1000


# Account, refusals, settings


def test_the_account_is_the_server():
    talk = BURP.account()
    next(talk)
    with pytest.raises(StopIteration) as end:
        talk.send(Page(answer("TidegateAccount")))

    assert end.value.value.id == "https://burp.example.test:8443/"


def test_a_server_without_fingerprints_is_told_so_at_once():
    """graphql-java's words for a field that the schema does not have."""
    message = "Validation error (FieldUndefined@[scans/issues/fingerprint]) : Field 'fingerprint' is undefined"
    refused = BURP.refusal({"errors": [{"message": message}]})

    assert "fingerprint" in queries.ACCOUNT
    assert isinstance(refused, VendorChanged)
    assert refused.next_step == "Update Burp Suite DAST; older servers are not supported."


@pytest.mark.parametrize("body", [None, [], {}, {"data": {}}, {"errors": []}, {"errors": [{"message": "other"}]}])
def test_other_answers_are_left_to_the_session(body: Any):
    assert BURP.refusal(body) is None


def test_every_query_has_a_name_of_its_own():
    """Burp refuses a query without a name."""
    asked = [queries.ACCOUNT, queries.FOLDERS, queries.SITES, queries.LATEST_SCAN, queries.ISSUES]
    names = [text.split()[1].partition("(")[0] for text in asked]

    assert all(text.split()[0] == "query" for text in asked)
    assert all(name.startswith("Tidegate") for name in names)
    assert len(set(names)) == 5


def test_the_key_is_sent_without_a_scheme_word():
    auth = BURP.door().auth

    assert isinstance(auth, Header)
    assert auth.headers() == {"Authorization": "burp-secret-key-7dQ2"}


@pytest.mark.parametrize(
    ("pasted", "called"),
    [
        ("https://burp.example.org:8443", "https://burp.example.org:8443/"),
        ("https://burp.example.org:8443/", "https://burp.example.org:8443/"),
        ("https://burp.example.org/scans/21110#issues", "https://burp.example.org/"),
        ("https://burp.example.org/sites/81/dashboard?tab=1", "https://burp.example.org/"),
        ("https://burp.example.org/graphql/v1", "https://burp.example.org/"),
        ("https://burp.example.org:8443/api/", "https://burp.example.org:8443/"),
        ("https://tools.example.org/burp/graphql/v1", "https://tools.example.org/burp/"),
        ("burp", "https://burp/"),
        ("burp:8443", "https://burp:8443/"),
        ("  burp.example.org \n", "https://burp.example.org/"),
        ("http://10.0.0.7:8080", "http://10.0.0.7:8080/"),
        ("HTTPS://Burp.Example.org", "https://burp.example.org/"),
        ("https://[fd00::7]:8443/home", "https://[fd00::7]:8443/"),
        ("https://burp.example.org:443/", "https://burp.example.org/"),
        ("http://burp.example.org:80", "http://burp.example.org/"),
        ("http://burp.example.org:443", "http://burp.example.org:443/"),
    ],
)
def test_the_location_takes_what_people_paste(pasted: str, called: str):
    assert BurpSuiteSettings(url=pasted, api_key="k").url == called  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("pasted", "told"),
    [
        ("", "needs a host"),
        ("https://", "needs a host"),
        ("ftp://burp", "must begin with https"),
        ("https://amy:pw@burp", "must not hold a user name"),
        ("https://burp:99999", "no address: Port"),
        ("https://burp:port", "no address: Port"),
        ("my burp", "needs a host"),
        ("https://[burp", "no address: Invalid"),
        ("<https://burp.example.org>", "holds <, which no host's name does"),
        ("https://burp\\@elsewhere", "must not hold a user name"),
        ("https://burp\\elsewhere", r"holds \\, which no host's name does"),
    ],
)
def test_a_location_that_is_none_is_refused_with_a_sentence(pasted: str, told: str):
    with pytest.raises(ValidationError, match=told):
        BurpSuiteSettings(url=pasted, api_key="k")  # type: ignore[arg-type]


def test_an_empty_key_is_refused():
    with pytest.raises(ValidationError):
        BurpSuiteSettings(url="burp", api_key="")  # type: ignore[arg-type]


async def test_every_fault_of_the_suite_strikes_burp_but_those_it_has_no_place_for(tmp_path: Path):
    """A fault that strikes nowhere passes and proves nothing."""
    _, stage = await Suite(WORLD, tmp_path).player.clean()

    idle = {name for name, fault in FAULTS.items() if all(fault.strike(asked) is None for asked in stage.exchanges)}

    assert idle == {"the list ends early"}  # no word of Burp's says that another page comes
