"""Search over findings: words and beginnings, ranked; every filter and order; whatever is typed is only words."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.world import ALICE
from tidegate.actions.finding import decide_finding
from tidegate.actions.record import map_records
from tidegate.reads import export, selection
from tidegate.reads.export import exported_findings
from tidegate.reads.finding import findings
from tidegate.reads.page import CursorRefused
from tidegate.reads.selection import query_of
from tidegate.store.models import Finding, Held, Journal, WordsDue
from tidegate.store.writers.words import index_words

pytestmark = pytest.mark.usefixtures("database")
CRITICAL, HIGH, MEDIUM, LOW = 5, 4, 3, 1


@pytest.fixture(autouse=True, params=["rare", "gathered", "inside", "frequent"])
def way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each of these tests holds for words that few findings have, and for those that many have; for few Feeds, and for
    some that hold much."""
    if request.param == "gathered":
        monkeypatch.setattr(selection, "FEW_FEEDS", 0)
        monkeypatch.setattr(selection, "PROBED", 0)
    if request.param in ("inside", "frequent"):
        monkeypatch.setattr(selection, "RARE", 0)
        monkeypatch.setattr(selection, "FEW_FEEDS", 0)
    if request.param == "frequent":
        monkeypatch.setattr(selection, "WITHIN", 0)
    return request.param


def record(name: str, product: str) -> int:
    number = world.record(world.connection(f"Burp of {name}"), name)
    map_records(ALICE, [number], new_product=product)
    return number


@pytest.fixture
def shop() -> int:
    number = record("shop", "Shop")
    given = [
        ("a", "SQL injection in orders", HIGH, {"path": "src/orders/db.py", "cwe": [89], "component": "orders-db"}),
        (
            "b",
            "Injection of templates, not of SQL",
            CRITICAL,
            {"path": "src/mail.py", "cwe": [94], "component": "orders"},
        ),
        ("c", "Weak hash", LOW, {"rule": "sql", "path": "src/injection.py", "ids": ["CVE-2021-44228"], "cwe": [8]}),
        ("d", "Éclair über alles", MEDIUM, {}),
    ]
    for key, title, severity, fields in given:
        world.synced(number, key, title=title, severity_vendor=severity, fields=fields)
    indexed(number)
    return number


def indexed(number: int) -> None:
    WordsDue.objects.create(feed_id=world.read(number).feed_id)
    index_words()


def found(search: str = "", **filters: Any) -> str:
    return "".join(row.key for row in findings(search=search, **filters).findings)


def test_all_words_are_looked_for_the_last_as_a_beginning_and_the_title_counts_most(shop: int):
    """screens.md: search is words and prefixes, ranked."""
    assert found("sql inj") == "abc"  # as it was typed in the title; its words in the title; elsewhere
    assert found("inj sql") == ""
    assert found("injection SQL") == "bac"
    assert found("SQL") == "bac"
    assert found("has") == "c"
    assert found("nothing of this") == ""


def test_ids_paths_and_rules_are_found_as_they_are_written(shop: int):
    assert found("CVE-2021-44228") == found("cve-2021-442") == "c"
    assert found("src/orders/db.py") == "a"
    assert found("CWE-89") == "a"
    assert found("éclair ÜB") == "d"


def test_the_tools_own_id_is_found_and_stands_first():
    number = record("shop", "Shop")
    world.synced(number, "long-id/4711", title="Something")
    world.synced(number, "other", title="About long id 4711")
    indexed(number)

    assert [row.key for row in findings(search="long-id/4711").findings] == ["long-id/4711", "other"]


@pytest.mark.parametrize(
    "typed",
    ["'", "''", "a' | 'b", "sql & !inj", ":*", "\\", "(", "x" * 5000, "\0", "\ud800", "<->", " - ", "a:*b", "%s %(x)s"],
)
def test_what_is_typed_is_never_syntax(shop: int, typed: str):
    findings(search=typed)

    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM finding_words")
        assert cursor.fetchone() == (4,)


def test_a_text_without_words_finds_nothing(shop: int):
    assert query_of("--- !") == ""
    page = findings(search="---")
    assert (page.findings, page.count, page.more) == ([], 0, False)


def exported(**filters: Any) -> str:
    return "".join(json.loads(line)["finding"]["key"] for line in b"".join(exported_findings(**filters)).splitlines())


@pytest.mark.parametrize(("looked_through", "batch"), [(300, 1), (1, 300)])
def test_an_export_has_all_hits_where_a_list_has_the_best(
    shop: int, monkeypatch: pytest.MonkeyPatch, looked_through: int, batch: int
):
    """Issue 6: the export takes the filters of the list, whatever the size of its pieces."""
    monkeypatch.setattr(selection, "HITS", 1)
    monkeypatch.setattr(selection, "LOOKED_THROUGH", looked_through)
    monkeypatch.setattr(export, "BATCH", batch)
    held = Finding.objects.get(key="c")
    Held.objects.create(finding=held, feed=held.feed, since_operation=1, latest_operation=1, standing=Held.HELD)

    assert len(found("sql")) == 1
    assert exported(search="sql") == exported(search=" sql ") == "abc"
    assert exported(search="sql inj", severity="High") == "a"
    assert exported(search="sql", status="held") == "c"
    assert exported(search="sql", record_id=shop, cwe=94) == exported(component="Orders") == exported(cwe=94) == "b"
    assert exported(cwe=1) == exported(component="order") == exported(search="nothing of this") == ""
    assert exported(search="---") == ""
    assert exported(search="  ") == "abcd"


def test_an_export_with_a_rare_word_looks_at_what_has_it_and_not_at_all_there_is(
    shop: int, monkeypatch: pytest.MonkeyPatch, way: str
):
    monkeypatch.setattr(selection, "LOOKED_THROUGH", 1)
    monkeypatch.setattr(export, "BATCH", 1)

    def asked(**filters: Any) -> int:
        with CaptureQueriesContext(connection) as captured:
            exported(**filters)
        return sum(" finding_words" not in query["sql"] for query in captured)

    before = asked(search="weak"), asked(search="weak", record_id=shop)
    world.synced(shop, *(f"more {n}" for n in range(20)))

    more = asked(search="weak") - before[0], asked(search="weak", record_id=shop) - before[1]
    assert more == ((0, 0) if way in ("rare", "gathered") else (20, 20))


def test_search_goes_with_every_filter(shop: int):
    other = record("other", "Other")
    world.synced(other, "e", title="SQL injection elsewhere", severity_vendor=LOW)
    indexed(other)
    product = world.read(shop).feed.test.engagement.product_id

    assert found("sql") == "baec"
    assert found("sql", severity="Low") == "ec"
    assert found("sql", product_id=product) == "bac"
    assert found("sql", record_id=other) == "e"
    assert found("sql", status="active") == "baec"
    assert found("sql", status="closed") == found("sql", status="held") == found("sql", status="unwatched") == ""
    assert found("sql", since=world.now() + timedelta(days=1)) == ""
    assert found("sql", cwe=89) == "a"


def test_search_can_be_sorted_otherwise(shop: int):
    assert found("sql", sort="severity") == "bac"
    assert found("sql", sort="newest") == "cba"
    assert found("sql", sort="oldest") == "abc"


def test_findings_by_weakness_and_component_are_exactly_these(shop: int):
    assert found(cwe=8) == "c"  # not 89
    assert found(cwe=89) == "a"
    assert found(component="orders") == "b"  # not orders-db
    assert found(component="ORDERS-DB") == "a"


def test_closed_findings_are_found_too(shop: int):
    Finding.objects.filter(key="c").update(open=False, active=False, closed_because="gone")

    assert found("weak") == "c"
    assert found("weak", status="closed") == "c"
    assert found("weak", status="open") == ""


def test_what_cannot_be_found_yet_is_said(shop: int):
    """promises.md: search may follow some seconds later and says so."""
    world.synced(shop, "new", title="Brand new")
    WordsDue.objects.create(feed_id=world.read(shop).feed_id, finding_id=Finding.objects.get(key="new").pk)

    page = findings(search="brand")
    assert (page.findings, page.not_searchable) == ([], 1)

    index_words()
    page = findings(search="brand")
    assert ([row.key for row in page.findings], page.not_searchable) == (["new"], 0)


def test_pages_of_hits_go_on_where_the_last_ended_and_hits_are_counted(monkeypatch: pytest.MonkeyPatch):
    number = record("shop", "Shop")
    for n in range(9):
        world.synced(number, f"k{n}", title=f"Weak hash {n}", severity_vendor=n % 6)
    indexed(number)

    paged: list[int] = []
    cursor = None
    while True:
        page = findings(search="weak", cursor=cursor, limit=2)
        paged += [row.id for row in page.findings]
        cursor = page.next
        if not cursor:
            break

    assert (len(paged), len(set(paged))) == (9, 9)
    assert [row.id for row in findings(search="weak").findings] == paged
    assert (page.count, page.more) == (9, False)
    monkeypatch.setattr(selection, "HITS", 4)
    page = findings(search="weak")
    assert (len(page.findings), page.count, page.more) == (4, 4, True)
    with pytest.raises(CursorRefused):
        findings(cursor=findings(search="weak", limit=1).next)


def test_a_severity_that_a_person_decides_ranks_at_once(shop: int):
    decide_finding(ALICE, Finding.objects.get(key="c").pk, severity="Critical")

    assert found("sql", severity="Critical", sort="newest") == "cb"


def test_what_changed_last_stands_first_among_hits_and_in_lists(shop: int):
    Journal.objects.create(finding=Finding.objects.get(key="a"), actor="alice", kind="changed", before={})

    assert found("sql", sort="changed") == "acb"
    assert found(sort="changed") == "adcb"
