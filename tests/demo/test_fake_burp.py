"""The fake Burp speaks the vendor's schema, and does what it is told."""

import http.client
import json
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError

import pytest

from tidegate.connectors.burpsuite import queries
from tidegate.demo.fake_burp import API_KEY, FakeBurp
from tidegate.demo.faults import FAULTS


@pytest.fixture
def burp() -> Iterator[FakeBurp]:
    with FakeBurp() as burp:
        yield burp


def post(url: str, body: Any, key: str | None = API_KEY) -> Any:
    headers = {"Content-Type": "application/json", **({"Authorization": key} if key else {})}
    request = urllib.request.Request(url, json.dumps(body).encode(), headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def ask(burp: FakeBurp, query: str, **variables: Any) -> Any:
    return post(f"{burp.url}graphql/v1", {"query": query, "variables": variables})


def tell(burp: FakeBurp, verb: str, **arguments: Any) -> Any:
    return post(burp.control_url + verb, arguments, None)["done"]


def issues(burp: FakeBurp, site: str, start: int = 0, count: int = 1000) -> list[Any]:
    scan = ask(burp, queries.LATEST_SCAN, site=burp.control.site(site).id)["data"]["scans"][0]["id"]
    return ask(burp, queries.ISSUES, scan=scan, start=start, count=count)["data"]["scan"]["issues"]


def refused(call: Any) -> int:
    with pytest.raises(HTTPError) as caught:
        call()
    with caught.value:
        return caught.value.code


# The vendor's side


@pytest.mark.parametrize("key", [None, "wrong", f"Bearer {API_KEY}", f"Token {API_KEY}"])
def test_the_key_is_the_whole_header(burp: FakeBurp, key: str | None):
    assert refused(lambda: post(f"{burp.url}graphql/v1", {"query": queries.SITES}, key)) == 401


def test_another_path_is_a_page(burp: FakeBurp):
    assert refused(lambda: post(f"{burp.url}scans/1", {"query": queries.SITES})) == 404


def test_a_query_without_a_name_is_refused_with_200(burp: FakeBurp):
    assert ask(burp, "{ site_tree { sites { id } } }") == {"errors": [{"message": "Operations must have a name."}]}


@pytest.mark.parametrize(
    "query",
    [
        "query A { site_tree { sites { colour } } }",
        "query A { site_tree { sites } }",
        "query A { scans(site: 1) { id } }",
        "query A { scans(scan_status: [done]) { id } }",
        "query A { scan(id: 1) { issues { path } } }",
        "query A($start: String!) { scan(id: 1) { issues(start: $start, count: 1) { path } } }",
        "query A { scan(id: 1) { issues(start: 0, count: 1) { evidence { request_segments } } } }",
        "query A { ",
        "",
    ],
)
def test_what_the_schema_does_not_have_is_refused_with_200(burp: FakeBurp, query: str):
    answer = ask(burp, query)

    assert answer["errors"][0]["message"]
    assert "data" not in answer


def test_a_missing_variable_is_an_error(burp: FakeBurp):
    assert "$scan" in ask(burp, queries.ISSUES, start=0, count=1)["errors"][0]["message"]


def test_only_what_is_asked_for_comes(burp: FakeBurp):
    answer = ask(burp, "query A { site_tree { sites { name } } }")

    assert answer["data"]["site_tree"]["sites"][0] == {"name": "Storefront"}


def test_ids_are_text(burp: FakeBurp):
    tree = ask(burp, queries.SITES)["data"]["site_tree"]

    assert all(isinstance(site["id"], str) and isinstance(site["parent_id"], str) for site in tree["sites"])


@pytest.mark.parametrize("query", [queries.ACCOUNT, queries.FOLDERS, queries.SITES])
def test_our_queries_are_within_the_documented_schema(burp: FakeBurp, query: str):
    assert "errors" not in ask(burp, query)


def test_pages_are_cut_by_start_and_count(burp: FakeBurp):
    everything = [issue["fingerprint"] for issue in issues(burp, "Storefront")]
    pages = [issues(burp, "Storefront", start, 50) for start in (0, 50, 100, 150)]

    assert [len(page) for page in pages] == [50, 50, 20, 0]
    assert [issue["fingerprint"] for page in pages for issue in page] == everything


def test_a_scan_that_is_not_there_is_null(burp: FakeBurp):
    assert ask(burp, queries.ISSUES, scan="1", start=0, count=1) == {"data": {"scan": None}}


def test_a_serial_number_is_another_in_each_scan_and_a_fingerprint_is_not(burp: FakeBurp):
    query = "query A($scan: ID!) { scan(id: $scan) { issues(start: 0, count: 9) { serial_number fingerprint } } }"
    scans = [burp.control.latest("Storefront").id, burp.control.rescan("Storefront")]
    before, after = (ask(burp, query, scan=scan)["data"]["scan"]["issues"] for scan in scans)

    assert [issue["fingerprint"] for issue in before] == [issue["fingerprint"] for issue in after]
    assert not {issue["serial_number"] for issue in before} & {issue["serial_number"] for issue in after}


def test_the_demo_has_four_sites_and_is_always_the_same(burp: FakeBurp):
    with FakeBurp() as another:
        assert issues(another, "Partner Portal") == issues(burp, "Partner Portal")
    assert [len(issues(burp, site.name)) for site in burp.control.world.sites.values()] == [120, 18, 27, 12]


# The control port


def test_the_world_changes_over_http(burp: FakeBurp):
    tell(burp, "rename_site", site="Storefront", name="Shop")
    tell(burp, "fix_issue", site="Shop", n=2)
    tell(burp, "delete_site", site="Legacy Intranet")
    tell(burp, "mark_false_positive", site="Partner Portal", n=3, note="No.")

    assert [site["name"] for site in ask(burp, queries.SITES)["data"]["site_tree"]["sites"]] == [
        "Shop",
        "Storefront API",
        "Partner Portal",
    ]
    assert len(issues(burp, "Shop")) == 118
    assert sum(issue["confidence"] == "false_positive" for issue in issues(burp, "Partner Portal")) == 3


def test_what_stands_can_be_looked_at(burp: FakeBurp):
    with urllib.request.urlopen(burp.control_url, timeout=60) as response:
        stands = json.load(response)

    assert "Storefront" in stands["sites"].values()
    assert stands["faults"] == [*FAULTS]


@pytest.mark.parametrize(
    ("verb", "arguments"),
    [
        ("_scan", {}),
        ("explode", {}),
        ("world", {}),
        ("rename_site", {}),
        ("rename_site", {"site": "Nowhere", "name": "x"}),
        ("strike", {"fault": "no such fault"}),
    ],
)
def test_a_wrong_order_is_refused(burp: FakeBurp, verb: str, arguments: dict[str, Any]):
    assert refused(lambda: tell(burp, verb, **arguments)) == 400


# Faults


def heard(burp: FakeBurp, query: str, patience: float = 60, **variables: Any) -> object:
    """Whatever a client hears: status and bytes, or how it broke."""
    connection = http.client.HTTPConnection("127.0.0.1", int(burp.url.rstrip("/").rpartition(":")[2]), timeout=patience)
    try:
        body = json.dumps({"query": query, "variables": variables})
        connection.request("POST", "/graphql/v1", body, {"Authorization": API_KEY})
        with connection.getresponse() as response:
            return response.status, response.getheader("Location"), response.read()
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


@pytest.mark.parametrize("fault", [name for name in FAULTS if "date" not in name])
def test_every_fault_strikes_the_list_of_issues_and_is_over_when_calmed(burp: FakeBurp, fault: str):
    scan = burp.control.latest("Storefront").id
    pages = [{"scan": scan, "start": start, "count": 100} for start in (0, 100)]
    healthy = [heard(burp, queries.ISSUES, **page) for page in pages]
    burp.control.strike(fault, "issues")

    patience = 0.5 if fault in ("silence in the body", "one byte a second") else 60
    struck = [heard(burp, queries.ISSUES, patience, **page) for page in pages]

    assert struck != healthy
    burp.control.calm()
    assert [heard(burp, queries.ISSUES, **page) for page in pages] == healthy


def test_a_fault_waits_for_its_list_its_site_and_its_turn(burp: FakeBurp):
    burp.control.strike("500", "scans", "Partner Portal", at=2)
    sites = [burp.control.site(name).id for name in ("Storefront", "Partner Portal")]
    statuses = [heard(burp, queries.LATEST_SCAN, site=site) for site in (*sites, *sites, *sites)]

    assert [status[0] for status in statuses if isinstance(status, tuple)] == [200, 200, 200, 500, 200, 200]


def test_a_closed_port_refuses_and_opens_again_where_it_was(burp: FakeBurp):
    tell(burp, "refuse")
    refusal = heard(burp, queries.SITES)
    tell(burp, "listen")

    assert refusal == "ConnectionRefusedError"
    assert ask(burp, queries.SITES)["data"]["site_tree"]["sites"][0]["name"] == "Storefront"


def test_pages_overlap_by_one_row_on_demand(burp: FakeBurp):
    everything = [issue["fingerprint"] for issue in issues(burp, "Storefront")]
    burp.control.strike("a row twice on two pages", "issues")
    pages = [[issue["fingerprint"] for issue in issues(burp, "Storefront", start, 100)] for start in (0, 100)]

    assert pages == [everything[:100], everything[99:]]


def test_half_a_page_is_one_walk_of_one_scan(burp: FakeBurp):
    burp.control.half_a_page()
    first = [len(issues(burp, "Storefront API", start)) for start in (0, 9)]
    other = len(issues(burp, "Partner Portal"))
    later = len(issues(burp, "Storefront API"))

    assert (first, other, later) == ([9, 0], 27, 18)


# Bulk, and by itself


def test_a_bulk_site_makes_its_issues_when_they_are_read():
    with FakeBurp("empty", bulk={"Big": 1_000_000}) as burp:
        page = issues(burp, "Big", 999_990, 100)

        assert [issue["fingerprint"] for issue in page] == [
            f"bulk-{number:08d}" for number in range(999_990, 1_000_000)
        ]
        assert {issue["severity"] for issue in page} == {"high", "medium", "low", "info"}


def test_shares_of_a_bulk_site_change_and_go():
    with FakeBurp("empty", bulk={"Big": 10_000}) as burp:
        before = {issue["fingerprint"]: issue for issue in issues(burp, "Big", 0, 10_000)}
        tell(burp, "change_bulk", site="Big", changed=0.01, gone=0.01, new=5)
        after = {issue["fingerprint"]: issue for issue in issues(burp, "Big", 0, 20_000)}

    assert len(before.keys() - after.keys()) == 100
    assert len(after.keys() - before.keys()) == 5
    assert sum(after[key] != before[key] for key in before.keys() & after.keys()) == 100


def test_it_runs_by_itself_and_says_where():
    command = [sys.executable, "-m", "tidegate.demo.fake_burp", "--bulk", "Big=10"]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        where = json.loads(process.stdout.readline())
        answer = post(f"{where['url']}graphql/v1", {"query": queries.SITES}, where["api_key"])
        process.terminate()

    assert answer["data"]["site_tree"]["sites"][-1]["name"] == "Big"
    assert process.returncode == 0
