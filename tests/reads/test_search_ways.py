"""Which way a search takes, and that none of them loses a hit: what costs is measured by bench/lists.py."""

from __future__ import annotations

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tests import world
from tests.world import ALICE
from tidegate.actions.record import map_records
from tidegate.reads import selection
from tidegate.reads.finding import findings
from tidegate.store.models import WordsDue
from tidegate.store.writers.words import index_words

pytestmark = pytest.mark.usefixtures("database")


def shop(name: str, *, common: int, others: int = 0) -> int:
    """A Record with findings of a weakness, then with as many of another."""
    number = world.record(world.connection(f"Burp of {name}"), name)
    map_records(ALICE, [number], new_product=name)
    for cwe, many in ((79, common), (89, others)):
        for n in range(many):
            world.synced(number, f"{name} {cwe} {n:02}", title="Shared words", fields={"cwe": [cwe]})
    WordsDue.objects.create(feed_id=world.read(number).feed_id)
    index_words()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE finding_words")
    return number


def gathered_by(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many findings each look gathers, from now on."""
    asked: list[int] = []
    rows_of = selection.rows_of

    def counted(name: str, **given: object) -> list[dict[str, object]]:
        rows = rows_of(name, **given)
        if name == "finding_ids_among":
            asked.append(rows[0]["met"])
        return rows

    monkeypatch.setattr(selection, "rows_of", counted)
    return asked


@pytest.mark.parametrize(("others", "gathered"), [(0, [3]), (12, [0, 40])])
def test_of_a_word_that_many_have_the_newest_hits_are_gathered_and_all_where_they_do_not_lie_there(
    monkeypatch: pytest.MonkeyPatch, others: int, gathered: list[int]
):
    monkeypatch.setattr(selection, "HITS", 2)
    shop("shop", common=40, others=others)
    asked = gathered_by(monkeypatch)

    page = findings(cwe=79, sort="newest")

    assert [row.key for row in page.findings] == ["shop 79 39", "shop 79 38"]
    assert (page.count, page.more) == (2, True)
    assert asked == gathered


def test_how_many_have_a_beginning_the_newest_findings_tell_where_the_planner_does_not(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(selection, "HITS", 2)
    monkeypatch.setattr(selection, "PROBED", 10)
    monkeypatch.setattr(selection, "FREQUENT", 1.0)
    monkeypatch.setattr(selection, "_estimated", lambda query: 1)
    shop("shop", common=40)
    asked = gathered_by(monkeypatch)

    page = findings(search="share", sort="newest")

    assert [row.key for row in page.findings] == ["shop 79 39", "shop 79 38"]
    assert (page.count, page.more) == (2, True)
    assert asked == [4]


def test_of_some_feeds_all_findings_are_looked_at_and_not_the_newest_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(selection, "FEW_FEEDS", 0)
    monkeypatch.setattr(selection, "LOOKED_AT", 2)
    monkeypatch.setattr(selection, "HITS", 30)
    product = world.read(shop("shop", common=3, others=20)).feed.test.engagement.product_id
    shop("mail", common=3)

    page = findings(search="cwe79", product_id=product, sort="newest")

    assert [row.key for row in page.findings] == ["shop 79 02", "shop 79 01", "shop 79 00"]
    assert (page.count, page.more) == (3, False)


@pytest.mark.parametrize("guess", [0.0, 1.0])
def test_of_many_feeds_hits_elsewhere_are_left_out_however_frequent_the_word_is(
    monkeypatch: pytest.MonkeyPatch, guess: float
):
    monkeypatch.setattr(selection, "FEEDS", 0)
    monkeypatch.setattr(selection, "FREQUENT_BESIDE", guess)
    monkeypatch.setattr(selection, "HITS", 3)
    product = world.read(shop("shop", common=5)).feed.test.engagement.product_id
    shop("mail", common=5)

    page = findings(search="shared wor", product_id=product, sort="newest")

    # Of a frequent word twice so many of the newest hits are looked at, and one more: five of the seven lie elsewhere.
    assert [row.key for row in page.findings] == [f"shop 79 0{n}" for n in ((4, 3) if guess == 0 else (4, 3, 2))]
    assert page.more


def test_where_few_feeds_hold_too_much_rare_words_are_gathered_and_not_looked_for_in_all_findings(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(selection, "FEW_FEEDS", 0)
    monkeypatch.setattr(selection, "WITHIN", 1)
    monkeypatch.setattr(selection, "FREQUENT_BESIDE", 1)
    product = world.read(shop("shop", common=5)).feed.test.engagement.product_id

    with CaptureQueriesContext(connection) as asked:
        page = findings(search="shared wor", product_id=product)

    assert (len(page.findings), page.count, page.more) == (5, 5, False)
    walks = [query["sql"] for query in asked.captured_queries if "from the newest down" in query["sql"]]
    assert ["LIMIT 3000 OFFSET 0" in walk for walk in walks] == [True]  # the guess, and no walk along all
