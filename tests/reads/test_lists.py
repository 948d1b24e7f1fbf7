"""Lists: every order and filter, pages that skip nothing and show nothing twice, and never more than twelve queries."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.world import ALICE
from tidegate.actions.connection import delete_connection
from tidegate.actions.record import ignore_records, map_records
from tidegate.reads import connection as connections
from tidegate.reads import finding, operation, product, record, selection
from tidegate.reads.finding import findings
from tidegate.reads.page import CursorRefused
from tidegate.store.models import Connection, ConnectionTally, Finding, Held, Journal, Part, Record, WordsDue
from tidegate.store.writers.tally import add_up_tallies
from tidegate.store.writers.words import index_words

pytestmark = pytest.mark.usefixtures("database")
SORTS: Any = ("severity", "newest", "oldest", "changed")


@pytest.fixture(params=["few feeds", "some feeds", "many feeds"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Lists of few Feeds look into each, lists of many walk along, those between walk a little first: what they show is
    the same."""
    if request.param == "many feeds":
        monkeypatch.setattr(selection, "FEEDS", 0)
    if request.param == "some feeds":
        monkeypatch.setattr(selection, "FEW_FEEDS", 0)
        monkeypatch.setattr(selection, "WALKED", 6)  # fills some pages, and not others
    return request.param


@pytest.fixture
def house() -> dict[str, Any]:
    """Three Records of two Connections in two Products, with 30 findings of all severities and fates."""
    records = {}
    for tool, name, into in (
        ("burpsuite", "web", "Shop"),
        ("burpsuite", "api", "Shop"),
        ("report_folder", "app", "Bank"),
    ):
        of = Connection.objects.filter(tool=tool).first() or world.connection(f"My {tool}", tool=tool)
        records[name] = world.record(of, name, parent=f"group of {name}")
        known = {row.name: row.id for row in product.products().products}
        target: dict[str, Any] = {"product_id": known[into]} if into in known else {"new_product": into}
        map_records(ALICE, [records[name]], **target)
        for n in range(10):
            closed = {"open": False, "closed_because": "gone", "closed_operation": 1} if n == 7 else {}
            judged = {"vendor_verdict": 1} if n == 8 else {}
            world.finding(
                world.read(records[name]).feed_id or 0, f"{name}{n}", severity_vendor=n % 6, **closed, **judged
            )
        world.synced(records[name])
    Held.objects.create(
        finding=Finding.objects.get(key="web1"), feed_id=Finding.objects.get(key="web1").feed_id,
        since_operation=1, latest_operation=1, standing=Held.HELD,
    )  # fmt: skip
    for key in ("app2", "web3", "app2"):
        Journal.objects.create(finding=Finding.objects.get(key=key), actor="alice", kind="changed", before={})
    WordsDue.objects.bulk_create(
        WordsDue(feed_id=feed) for feed in set(Finding.objects.values_list("feed_id", flat=True))
    )
    index_words()
    return records


def walked(limit: int = 7, **filters: Any) -> list[str]:
    """All pages of a list, one after the other."""
    keys, cursor = [], None
    while True:
        page = findings(cursor=cursor, limit=limit, **filters)
        keys += [row.key for row in page.findings]
        cursor = page.next
        if not cursor:
            return keys


FILTERS: dict[str, tuple[dict[str, Any], Callable[[Any], bool]]] = {
    "all": ({}, lambda one: True),
    "severity": ({"severity": "Critical"}, lambda one: one.severity == 5),
    "active": ({"status": "active"}, lambda one: one.active),
    "inactive": ({"status": "inactive"}, lambda one: not one.active),
    "open": ({"status": "open"}, lambda one: one.open),
    "closed": ({"status": "closed"}, lambda one: not one.open),
    "held": ({"status": "held"}, lambda one: one.key == "web1"),
    "kept open": ({"status": "kept open"}, lambda one: False),
    "unwatched": ({"status": "unwatched"}, lambda one: False),
    "tool": ({"tool": "burpsuite"}, lambda one: one.key[:3] in ("web", "api")),
    "closed of a tool": ({"tool": "report_folder", "status": "closed"}, lambda one: one.key == "app7"),
    "none": ({"tool": "nothing"}, lambda one: False),
}


@pytest.mark.parametrize("sort", SORTS)
def test_every_filter_in_every_order_page_by_page(house: dict[str, Any], way: str, sort: Any):
    """screens.md: findings sort by severity, age or last change."""
    lines = {line.finding_id: line.pk for line in Journal.objects.order_by("id")}
    orders: dict[str, Callable[[Any], Any]] = {
        "severity": lambda one: (-one.severity, -one.pk),
        "newest": lambda one: -one.pk,
        "oldest": lambda one: one.pk,
        "changed": lambda one: (-lines.get(one.pk, 0), -one.pk),
    }

    everything = sorted(Finding.objects.all(), key=orders[sort])
    for name, (filters, wanted) in FILTERS.items():
        expected = [one.key for one in filter(wanted, everything)]
        assert walked(sort=sort, **filters) == expected, name
        page = findings(sort=sort, **filters)
        assert (page.count, page.more) == (len(expected), False), name


def test_a_product_a_connection_and_a_record_have_what_lies_in_them(house: dict[str, Any], way: str):
    shop = next(row.id for row in product.products().products if row.name == "Shop")
    burp = Connection.objects.get(tool="burpsuite").pk

    for sort in SORTS:
        assert set(walked(sort=sort, product_id=shop)) == set(walked(sort=sort, connection_id=burp))
        assert {key[:3] for key in walked(sort=sort, product_id=shop)} == {"web", "api"}
        assert len(walked(sort=sort, product_id=shop)) == 20
        assert {key[:3] for key in walked(sort=sort, record_id=house["api"], product_id=shop)} == {"api"}
        assert walked(sort=sort, record_id=house["app"], product_id=shop) == []


def test_findings_by_age(house: dict[str, Any], way: str):
    long_ago = world.now() - timedelta(days=30)
    for n, one in enumerate(Finding.objects.order_by("id")[:5]):
        Finding.objects.filter(pk=one.pk).update(created_at=long_ago + timedelta(minutes=n))
    between = long_ago + timedelta(days=1)

    for sort in SORTS:
        assert set(walked(sort=sort, until=between)) == {"web0", "web1", "web2", "web3", "web4"}
        assert len(walked(sort=sort, since=between)) == 25
        assert walked(sort=sort, since=between, until=between) == []
        assert len(walked(sort=sort, since=between, tool="burpsuite")) == 15


@pytest.mark.parametrize("why", ["ignored", "absent", "skipped", "deleted"])
def test_what_no_sync_looks_at_is_listed_and_counted_whatever_the_reason(house: dict[str, Any], way: str, why: str):
    number = house["web"]
    if why == "ignored":
        ignore_records(ALICE, [number])
    elif why == "absent":
        Record.objects.filter(pk=number).update(absent_since=world.now())
    elif why == "skipped":
        Part.objects.filter(feed__record=number).update(last_outcome="skipped")
    else:
        delete_connection(ALICE, world.read(number).connection.pk, "My burpsuite")
    names = {"web"} | ({"api"} if why == "deleted" else set())

    for sort in SORTS:
        keys = walked(status="unwatched", sort=sort)
        assert (len(keys), {key[:3] for key in keys}) == (9 * len(names), names)
    shop = next(row for row in product.products().products if row.name == "Shop")
    assert shop.findings.unwatched == 9 * len(names)
    assert len(walked(status="unwatched", product_id=shop.id)) == 9 * len(names)
    if why != "deleted":
        assert connections.connections(tool="burpsuite").connections[0].findings.unwatched == 9


@pytest.mark.parametrize("sort", SORTS)
def test_a_page_goes_on_where_it_was_whatever_is_written_meanwhile(house: dict[str, Any], way: str, sort: Any):
    """No finding that stays as it is is skipped or shown twice."""
    page = findings(sort=sort, limit=5)
    shown = [row.key for row in page.findings]
    changed = Finding.objects.exclude(key__in=shown).first()
    assert changed
    Finding.objects.filter(key=shown[-1]).delete()  # plain SQL of somebody; the cursor needs no row
    Finding.objects.filter(pk=changed.pk).update(severity=5)
    Journal.objects.create(finding=changed, actor="alice", kind="changed", before={})
    world.synced(house["web"], "fresh", severity_vendor=5)

    rest: list[str] = []
    cursor = page.next
    while cursor:
        page = findings(sort=sort, limit=5, cursor=cursor)
        rest += [row.key for row in page.findings]
        cursor = page.next

    untouched = {one.key for one in Finding.objects.all()} - {changed.key, "fresh", *shown}
    assert untouched <= set(rest)
    assert len(rest) == len(set(rest))
    assert not set(rest) & set(shown)


def test_what_is_left_behind_whole_and_what_is_skipped_stand_in_one_list(house: dict[str, Any], way: str):
    ignore_records(ALICE, [house["web"]])
    Part.objects.filter(feed__record=house["api"]).update(last_outcome="skipped")

    for sort in SORTS:
        keys = walked(status="unwatched", sort=sort)
        assert (len(keys), {key[:3] for key in keys}) == (18, {"web", "api"}), sort


@pytest.mark.parametrize("status", [None, "active", "closed", "unwatched"])
def test_what_changed_last_is_the_same_asked_of_each_or_read_from_the_journal(
    house: dict[str, Any], monkeypatch: pytest.MonkeyPatch, status: Any
):
    """promises.md: any list within 50 ms, of few findings and of many; the same findings in the same order."""
    ignore_records(ALICE, [house["web"]])
    of_few = walked(sort="changed", tool="burpsuite", status=status, limit=4)
    monkeypatch.setattr(selection, "COUNTED", 1)

    assert walked(sort="changed", tool="burpsuite", status=status, limit=4) == of_few
    assert len(of_few) == {None: 20, "active": 16, "closed": 2, "unwatched": 9}[status]


@pytest.mark.parametrize("status", [None, "active", "closed", "unwatched"])
def test_the_oldest_of_some_tests_are_the_same_gathered_or_met_on_the_way(
    house: dict[str, Any], monkeypatch: pytest.MonkeyPatch, status: Any
):
    """promises.md: any list within 50 ms, whoever imported before; the same findings in the same order."""
    monkeypatch.setattr(selection, "FEEDS", 0)
    monkeypatch.setattr(selection, "MOST", 2)
    gathered = (
        walked(product_id=1, status=status, sort="oldest"),
        walked(tool="burpsuite", status=status, sort="oldest"),
    )
    monkeypatch.setattr(selection, "MOST", 0)

    assert gathered == (
        walked(product_id=1, status=status, sort="oldest"), walked(tool="burpsuite", status=status, sort="oldest"),
    )  # fmt: skip
    assert status == "unwatched" or gathered[1]


def test_the_cursor_of_another_list_is_refused(house: dict[str, Any]):
    with pytest.raises(CursorRefused):
        findings(sort="newest", cursor=findings(sort="severity", limit=2).next)
    with pytest.raises(CursorRefused):
        findings(cursor="none of ours")


def test_counts_are_exact_up_to_a_number_and_then_at_least_that(house: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(selection, "COUNTED", 12)

    assert (findings().count, findings().more) == (12, True)
    assert (findings(severity="Critical").count, findings(severity="Critical").more) == (3, False)


def connection_counts() -> list[tuple[int, int, int, dict[str, int]]]:
    rows = [row.findings for row in connections.connections().connections]
    return [(row.active, row.inactive, row.open, row.by_severity) for row in rows]


def test_a_connections_totals_are_what_came_through_it_added_up_or_not(house: dict[str, Any]):
    before = connection_counts()
    assert [row[:3] for row in before] == [(16, 4, 18), (8, 2, 9)]

    add_up_tallies()

    assert connection_counts() == before
    assert ConnectionTally.objects.count() == len(
        set(ConnectionTally.objects.values_list("connection", "severity", "open", "active"))
    )
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM product WHERE name = 'Shop'")
    assert [row[:3] for row in connection_counts()] == [(0, 0, 0), (8, 2, 9)]


RECORD_ORDERS: dict[Any, list[str]] = {
    "name": ["api", "app", "new", "web"], "newest": ["new", "app", "api", "web"],
    "vendor id": ["api", "app", "new", "web"],
    "parent": ["new", "api", "app", "web"], "product": ["new", "app", "web", "api"],
    "state": ["new", "web", "api", "app"],
}  # fmt: skip


def test_records_sort_by_any_column_page_by_page(house: dict[str, Any]):
    """screens.md: tables of Records sort by any column."""
    world.record(Connection.objects.get(tool="burpsuite"), "new")

    for sort, expected in RECORD_ORDERS.items():
        assert record_names(sort=sort) == expected, sort


def record_names(**asked: Any) -> list[str]:
    """Of a list of Records all its pages, one Record each."""
    names, cursor = list[str](), None
    while len(names) < 9:
        page = record.records(**asked, cursor=cursor, limit=1)
        names += [row.name for row in page.records]
        if not (cursor := page.next):
            break
    return names


def test_records_are_searched_in_every_column(house: dict[str, Any]):
    def named(search: str, **filters: Any) -> list[str]:
        return [row.name for row in record.records(search=search, **filters).records]

    assert named("WEB") == named("id of web") == named("web group") == ["web"]
    assert named("bank") == ["app"]
    assert named("shop group") == ["api", "web"]
    assert named("%") == []
    tomorrow = world.now() + timedelta(days=1)
    assert (named("", seen_since=tomorrow), named("web", seen_until=tomorrow)) == ([], ["web"])


def test_a_search_for_records_knows_their_latest_words_whether_few_or_many_have_them(
    house: dict[str, Any], monkeypatch: pytest.MonkeyPatch
):
    """What many have is met along the list, what few have is gathered: the same either way."""
    Record.objects.filter(name="web").update(name="Über-Web", vendor_id="ÄÖ:1")
    asked: dict[str, list[str]] = {
        "über": ["Über-Web"],
        "äö:1": ["Über-Web"],
        "id of web": [],
        "shop GROUP": ["api", "Über-Web"],
    }

    for near in (record.NEAR, 1, 0):
        monkeypatch.setattr(record, "NEAR", near)
        for search, expected in asked.items():
            assert record_names(search=search) == expected, (near, search)
            assert record_names(search=search, sort="newest") == expected, search


READS: dict[str, Callable[[dict[str, Any]], object]] = {
    **{f"findings {sort} {status}": lambda house, sort=sort, status=status: findings(sort=sort, status=status)
       for sort in SORTS for status in (None, "active", "closed", "held", "unwatched")},
    "everything asked for": lambda house: findings(
        product_id=1, product_type="Unassigned", connection_id=1, record_id=house["web"], tool="burpsuite",
        severity="High",
        status="unwatched", since=world.now(), until=world.now(), cwe=79, component="x",
        search="weakness web", sort="changed",
    ),
    "search": lambda house: findings(search="weakn"),
    "search in a Product": lambda house: findings(search="weakn", product_id=1),
    "search held": lambda house: findings(search="weakn", product_id=1, status="held"),
    "by age in a Tool": lambda house: findings(tool="burpsuite", since=world.now() - timedelta(1), until=world.now()),
    "one finding": lambda house: finding.finding(Finding.objects.values_list("pk", flat=True)[0]),
    "records": lambda house: record.records(),
    "records searched": lambda house: record.records(search="a b", sort="product"),
    "one record": lambda house: record.record(house["web"]),
    "operations": lambda house: operation.operations(held=True),
    "one operation": lambda house: operation.operation(1),
    "products": lambda house: product.products(search="s", connection_id=1),
    "one product": lambda house: product.product(1),
    "connections": lambda house: connections.connections(health="on time"),
    "one connection": lambda house: connections.connection(1),
}  # fmt: skip


@pytest.mark.usefixtures("way")
def test_no_page_does_more_than_twelve_queries(house: dict[str, Any], monkeypatch: pytest.MonkeyPatch):
    """promises.md: no page does more than 12 queries, however many rows it shows."""
    monkeypatch.setattr(selection, "RARE", 0)  # the longest way
    counted: dict[str, int] = {}

    for name, call in READS.items():
        with CaptureQueriesContext(connection) as asked:
            call(house)
        counted[name] = len(asked)

    assert {name: number for name, number in counted.items() if number > 12} == {}
