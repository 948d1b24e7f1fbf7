"""The words of findings are made some time after the apply, bit by bit, by any number at once; hostile text is text."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, connections, transaction

from tests import world
from tests.world import ALICE
from tidegate.actions.record import map_records
from tidegate.store.models import Finding, FindingWords, WordsDue
from tidegate.store.writers import words
from tidegate.store.writers.words import index_words

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def feed() -> int:
    number = world.record(world.connection())
    map_records(ALICE, [number], new_product="Shop")
    return world.read(number).feed_id or 0


def words_of(finding: int) -> set[str]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tsvector_to_array(words) FROM finding_words WHERE finding_id = %s", [finding])
        row = cursor.fetchone()
        return set(row[0]) if row else set()


def test_a_finding_has_the_words_people_search_for_and_not_its_prose(feed: int):
    fields = {
        "rule": "python:S2077", "cwe": [89], "ids": ["CVE-2021-44228"], "component": "Log4J-core", "version": "2.14.1",
        "path": "src/orders/handler_10.py", "endpoint": "https://shop.example.org/api", "description": "prose",
    }  # fmt: skip
    number = world.finding(feed, "KEY-1", title="SQL injection: «Ünïcode»", fields=fields)
    WordsDue.objects.create(feed_id=feed, finding_id=number)

    assert index_words() == 1

    assert words_of(number) >= {
        "sql", "injection", "key", "1", "python", "s2077", "cwe89", "cwe", "89", "cve", "2021", "44228", "log4j",
        "core",
        "2", "14", "src", "orders", "handler", "10", "py", "shop", "example",
    }  # fmt: skip
    assert "prose" not in words_of(number)
    assert not WordsDue.objects.exists()


@pytest.mark.parametrize(
    "title",
    [
        "",
        " ",
        "'':*&|!()\\",
        "\\'",
        "x" * 100_000,
        "ё" * 5000,
        "a b " * 50_000,
        "\u3000\u00a0",
        "\x01\x7f",
        "1e5 -3 0x1F",
        "𝔘" * 600,
    ],
)
def test_no_title_keeps_others_from_being_found(feed: int, title: str):
    odd, other = world.finding(feed, "odd", title=title), world.finding(feed, "other", title="Weak hash")
    WordsDue.objects.create(feed_id=feed, operation_id=1)

    assert index_words() == 2

    assert {"weak", "hash"} <= words_of(other)
    assert FindingWords.objects.filter(pk=odd).exists()


def test_fields_of_another_shape_are_words_too(feed: int):
    number = world.finding(feed, fields={"cwe": "CWE-79", "ids": {"a": 1}, "path": ["x"], "rule": None, "tags": 7})
    WordsDue.objects.create(feed_id=feed)

    index_words()

    assert {"a", "x", "7"} <= words_of(number)


def test_an_operation_gets_the_words_of_what_it_created_and_nothing_else(feed: int):
    mine, other = world.finding(feed, "a", created_operation=7), world.finding(feed, "b", created_operation=8)
    WordsDue.objects.create(feed_id=feed, operation_id=7)

    assert index_words() == 1

    assert words_of(mine)
    assert not words_of(other)


def test_what_is_too_much_for_once_goes_on_where_it_was(feed: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(words, "BATCH", 2)
    monkeypatch.setattr(words, "LOOK_AHEAD", 3)
    numbers = [world.finding(feed, f"k{n}") for n in range(7)]
    WordsDue.objects.create(feed_id=feed)
    WordsDue.objects.create(feed_id=feed, operation_id=1)

    first = index_words(seconds=0)

    assert 0 < first < len(numbers)
    assert WordsDue.objects.count() == 2
    assert FindingWords.objects.count() == first
    rest = index_words()
    assert not WordsDue.objects.exists()
    assert first + rest == 2 * len(numbers)
    assert set(FindingWords.objects.values_list("pk", flat=True)) == set(numbers)


def test_a_changed_title_is_found_by_its_new_words(feed: int):
    number = world.finding(feed, title="Old words")
    WordsDue.objects.create(feed_id=feed, operation_id=1)
    index_words()
    Finding.objects.filter(pk=number).update(title="New name")
    WordsDue.objects.create(feed_id=feed, finding_id=number)

    index_words()

    assert {"new", "name"} <= words_of(number)
    assert not {"old"} & words_of(number)


def test_what_went_meanwhile_is_no_matter(feed: int):
    WordsDue.objects.create(feed_id=feed, finding_id=999)
    WordsDue.objects.create(feed_id=999, operation_id=1)

    index_words()

    assert not WordsDue.objects.exists()
    assert not FindingWords.objects.exists()


def test_what_somebody_else_is_at_is_left_to_them(feed: int):
    """Two at once do not wait for each other, and nothing is lost."""
    theirs, ours = world.finding(feed, "a"), world.finding(feed, "b")
    WordsDue.objects.create(feed_id=feed, finding_id=theirs)
    taken, done = threading.Event(), threading.Event()

    def somebody_else() -> None:
        with transaction.atomic():
            list(WordsDue.objects.select_for_update().all())
            taken.set()
            done.wait(60)
        connections.close_all()

    other = threading.Thread(target=somebody_else)
    other.start()
    assert taken.wait(60)
    WordsDue.objects.create(feed_id=feed, finding_id=ours)

    assert index_words() == 1

    done.set()
    other.join(60)
    assert (bool(words_of(ours)), bool(words_of(theirs))) == (True, False)
    assert index_words() == 1
    assert words_of(theirs)


def test_it_is_refused_inside_a_transaction():
    with transaction.atomic(), pytest.raises(RuntimeError):
        index_words()


def test_words_go_with_their_feed(feed: int):
    number = world.finding(feed)
    WordsDue.objects.create(feed_id=feed)
    index_words()
    assert words_of(number)

    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM test")

    assert not FindingWords.objects.exists()
