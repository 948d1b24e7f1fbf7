"""Every list of the API under whatever a client may send: no filter, sort, search, cursor or field is a surprise, and
pages show each row exactly once, also while rows change. Which lists there are is read from the code."""

from __future__ import annotations

import csv
import json
import re
from base64 import urlsafe_b64encode
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.db import transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import world
from tests.api.conftest import Answer
from tests.api.house import House, house, undone
from tests.world import ALICE
from tidegate.actions.record import map_records
from tidegate.api import app
from tidegate.api.route import ROUTES, Route
from tidegate.rules.mapping_file import guarded
from tidegate.store import models
from tidegate.store.writers.words import index_words

__all__ = ["house", "undone"]

READS = [one for one in ROUTES if one.method == "GET"]
DOCUMENT = app.api.get_openapi_schema()
FEW = settings(
    deadline=None,
    max_examples=25,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
"""The same every time: CI is no place to hunt. Whoever hunts raises the number and takes `derandomize` away."""


# Which lists there are, and what each takes


def parameters(route: Route) -> dict[str, Any]:
    """Of the query, as the OpenAPI document tells them."""
    told = DOCUMENT["paths"][f"/api/v1{route.path}"]["get"].get("parameters", [])
    return {one["name"]: one["schema"] for one in told if one["in"] == "query"}


PAGED = [one for one in READS if {"cursor", "after"} & set(parameters(one))]
ALL = pytest.mark.parametrize("route", READS, ids=lambda one: one.of)
EACH_PAGED = pytest.mark.parametrize("route", PAGED, ids=lambda one: one.of)


@dataclass(frozen=True)
class Numbers:
    """Of what is asked for in paths."""

    operation: int
    finding: int


@pytest.fixture(scope="module")
def stock(house: House, django_db_blocker: Any) -> Numbers:
    """Enough of everything for some pages, with names and times that are equal, nearly so, or odd."""
    names = ("a", "A", "a ", "ä", "b%", "b_", "B\\", "'; --", "z" * 400, "z" * 400 + "1", "\U0001f30a", "é", "E")
    with django_db_blocker.unblock():
        own = models.Connection.objects.get(pk=house.own.connection)
        for n, name in enumerate(names):
            world.connection(f"{name[:200]} {n}", tool="acme")
            models.ProductType.objects.create(name=f"{name[:200]} type {n}")
            models.User.objects.create(username=f"{name[:100]}{n}", created_by="alice", email="a@example.org")
        records = [world.record(own, name, parent="same", vendor_id=f"v{n}") for n, name in enumerate(names)]
        map_records(ALICE, records[:4], new_product="Paged", product_type="Own type")
        map_records(ALICE, records[4:7], product_id=house.own.product)
        for n, record in enumerate(records[:7]):
            world.synced(record, *(f"{n} {m}" for m in range(4)), severity_vendor=n % 3, title=f"weakness {n % 2}")
        findings = list(models.Finding.objects.order_by("pk"))
        for one in findings[::3]:
            models.Journal.objects.create(finding=one, actor="alice", kind="changed", before={"severity": 1})
        for n in range(7):
            models.Journal.objects.create(finding=findings[0], actor="alice", kind="changed", before={"title": f"{n}"})
        index_words()
        for status in ("success", "failed", "partial", "cancelled") * 3:
            world.operation(own, "discover" if status == "failed" else "sync", status, preview=status == "partial")
        preview = world.operation(own, preview=True)
        for n in range(9):
            models.LogLine.objects.create(operation=preview, n=n + 1, level=("debug", "error")[n % 2], text=f"line {n}")
            models.Difference.objects.create(
                operation=preview, kind=("closed", "created")[n % 2], key=f"{n}", title=f"{n}", record_id=records[0]
            )
            models.News.objects.create(kind="new_records", connection=own, operation=preview, facts={})
            models.AuditLine.objects.create(actor="alice", through="API", action="a.b", outcome="done", facts={})
        return Numbers(preview.pk, findings[0].pk)


def path_of(route: Route, stock: Numbers, house: House) -> str:
    """The route's, for something that is there."""
    numbers = {"operation_id": stock.operation, "finding_id": stock.finding, "slug": "burpsuite", "text": "a"}
    return re.sub(r"\{(\w+)\}", lambda found: str(numbers.get(found[1], house.own.connection)), route.path)


# What no filter, sort, search, cursor or field may do

INTERVALS = ("0001-01-01T00:00:00Z", "9999-12-31T23:59:59.999999Z", "0001-01-01T00:00:00+23:59", "2026-01-01T00:00:00",
             "9999-12-31T23:59:59-23:59", "2026-02-30", "infinity", "-1", "0", "1e400", "99999999999", "2026-01-01",
             "-99999999999999", "nan", "2026-01-01T00:00:00+25:00")  # fmt: skip
SYNTAX = ("", " ", "\0", "%", "_", "\\", "'", '"', "';DROP TABLE finding;--", "a:*&|!", "((((", "<->", "a\\", "a'b'c",
          "\ud800", "\ufffe", "\u202e", "a" * 400, "weakness", "v1", "1", "\x1b[2J", "${x}", "{0}", "%s", "%(x)s",
          "é" * 90, "\r\nX: y", "🌊", "-" * 200, "* * *", ":", "e\u0301")  # fmt: skip
NUMBERS = ("0", "-1", "1", "2", "3", "9223372036854775807", "9223372036854775808", "1e3", "1.0", "0x1", "１", "", " 1",
           "NaN", "true", "9" * 400)  # fmt: skip

text = st.sampled_from(SYNTAX) | st.text(st.characters(), max_size=40)
bits = (
    st.integers() | st.text(st.characters(), max_size=8) | st.booleans() | st.none() | st.floats() | st.lists(st.none())
)
names_of_cursors = st.sampled_from(["severity", "newest", "oldest", "changed", "among rank", "among severity"])


def as_cursor(values: Any) -> str:
    return urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


cursors = (
    st.lists(bits, max_size=4).map(as_cursor)
    | st.tuples(names_of_cursors, st.integers(), st.integers(-9, 9), st.integers()).map(as_cursor)
    | st.tuples(names_of_cursors, st.integers(-9, 9), st.integers()).map(as_cursor)
    | st.tuples(st.text(st.characters(), max_size=4), st.integers()).map(as_cursor)
    | st.integers().map(lambda number: as_cursor([number]))
    | bits.map(as_cursor)
    | text
    | st.just(as_cursor(json.loads("[" * 300 + "]" * 300)))
)


def hostile(name: str, schema: dict[str, Any]) -> st.SearchStrategy[str]:
    """Values of a parameter: those that are meant, and all others."""
    if name == "cursor":
        return cursors
    if name == "fields":
        return st.sampled_from(["next", "id", "a.b", ",", ".", "a..b", "next,next", "x" * 1900, "."]) | text
    if "enum" in schema:
        return st.sampled_from(schema["enum"]) | text
    if schema.get("format") == "date-time":
        return st.sampled_from(INTERVALS) | st.datetimes().map(datetime.isoformat) | text
    if schema.get("type") == "boolean":
        return st.sampled_from(["true", "false", "1", "0", "maybe", ""])
    if schema.get("type") == "integer":
        return st.sampled_from(NUMBERS) | st.integers().map(str)
    return text


def queries(route: Route, make: Callable[[str, dict[str, Any]], st.SearchStrategy[Any]]) -> st.SearchStrategy[Any]:
    """Some parameters, or all, or none."""
    return st.fixed_dictionaries({}, optional={name: make(name, schema) for name, schema in parameters(route).items()})


def sent(query: dict[str, str]) -> dict[str, Any]:
    """As bytes, since what is no UTF-8 can be sent too."""
    return {name: value.encode("utf-8", "surrogatepass") for name, value in query.items()}


def is_told(answer: Answer) -> None:
    """A list, or a problem that says what is wrong and what to do; never that something broke."""
    assert answer.status in (200, 400, 404, 414, 422), answer.body
    if answer.status == 200:
        return
    assert answer.headers["content-type"] == "application/problem+json"
    said = answer.json
    assert set(said) == {"type", "title", "status", "detail", "next_step", "errors"}
    assert said["status"] == answer.status
    assert all((said["title"], said["detail"], said["next_step"]))
    assert answer.status != 422 or said["errors"]


@ALL
def test_nothing_that_is_sent_is_a_surprise(house: House, stock: Numbers, django_db_blocker: Any, route: Route):
    """promises.md, Input: search and sort cannot reach SQL."""
    asked, path = house.as_("administrator"), path_of(route, stock, house)

    @FEW
    @given(query=queries(route, hostile))
    def asks(query: dict[str, str]) -> None:
        answer = asked.get(path, **sent(query))
        is_told(answer)
        if answer.status == 200 and answer.headers["content-type"] == "application/json":
            json.loads(answer.body)

    with django_db_blocker.unblock():
        asks()


@ALL
def test_text_that_no_column_holds_is_no_surprise(house: House, stock: Numbers, django_db_blocker: Any, route: Route):
    """Each parameter that is text, with NUL and with what is no UTF-8, so that chance need not meet it."""
    path, asked = path_of(route, stock, house), house.as_("administrator")
    texts = [
        name for name, schema in parameters(route).items() if "string" in (schema.get("type"), schema.get("format"))
    ]
    with django_db_blocker.unblock():
        for name in texts:
            for value in (b"\0", b"a\0 b", b"\xed\xa0\x80", b"\xff"):
                is_told(asked.get(path, **{name: value}))


# Pages


def meant(name: str, schema: dict[str, Any]) -> st.SearchStrategy[Any]:
    """Values of a filter that may find something."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if schema.get("format") == "date-time":
        return st.sampled_from([(datetime.now(UTC) + timedelta(days=days)).isoformat() for days in (-1, 1)])
    if schema.get("type") == "boolean":
        return st.sampled_from(["true", "false"])
    if schema.get("type") == "integer":
        return st.integers(1, 3)
    words = {"product_type": ["Own type"], "tool": ["acme"], "kind": ["closed", "new_records"], "by": ["alice"]}
    return st.sampled_from(words.get(name, ["a", "z", "weakness", "own", "1"]))


NOT_A_FILTER = ("cursor", "limit", "fields", "after", "format")


def filters(route: Route) -> st.SearchStrategy[dict[str, Any]]:
    """One, two or none: more of them find nothing."""
    possible = {name: schema for name, schema in parameters(route).items() if name not in NOT_A_FILTER}
    if not possible:
        return st.just({})
    chosen = st.lists(st.sampled_from(sorted(possible)), unique=True, max_size=2)
    return chosen.flatmap(lambda names: st.fixed_dictionaries({name: meant(name, possible[name]) for name in names}))


def rows_of(answer: Answer) -> list[str]:
    """Which rows a page shows, by what tells one from another."""
    assert answer.status == 200, answer.body
    (rows,) = [value for value in answer.json.values() if isinstance(value, list)]
    return [str(row.get("id") or row.get("connection_id") or row.get("n") or json.dumps(row)) for row in rows]


def pages(house: House, path: str, query: dict[str, Any], limit: int) -> Iterator[list[str]]:
    """Page by page, as a script follows them."""
    asked, on = house.as_("administrator"), dict[str, Any]()
    for _ in range(300):
        answer = asked.get(path, **query, **on, limit=limit)
        rows = rows_of(answer)
        assert len(rows) <= limit or path.endswith(
            "/story"
        )  # its limit counts lines of the journal, between which others are told
        yield rows
        if answer.json["next"] is None:
            return
        on = {"after": answer.json["next"]} if path.endswith("/log") else {"cursor": answer.json["next"]}
    raise AssertionError("the pages have no end")


@EACH_PAGED
def test_pages_show_every_row_once_in_the_order_of_the_whole(undone: House, stock: Numbers, route: Route):
    path = path_of(route, stock, undone)

    @FEW
    @given(query=filters(route), limit=st.integers(1, 7))
    def asks(query: dict[str, Any], limit: int) -> None:
        whole = rows_of(undone.as_("administrator").get(path, **query, limit=1000))
        told = [row for page in pages(undone, path, query, limit) for row in page]
        assert told == whole

    asks()


@EACH_PAGED
def test_a_list_is_a_file_of_the_same_rows(
    house: House, stock: Numbers, django_db_blocker: Any, monkeypatch: pytest.MonkeyPatch, route: Route
):
    """What the pages offer as a file scripts have too: every page of it, with the same filters, and no more of each row
    than is asked for."""
    path, asked = path_of(route, stock, house), house.as_("administrator")
    monkeypatch.setattr("tidegate.rules.list_file.BATCH", 3)

    with django_db_blocker.unblock():
        whole = asked.get(path, limit=1000).json
        (name,) = [name for name, value in whole.items() if isinstance(value, list)]
        first = next(iter(whole[name][0]))
        file = asked.get(path, format="csv")
        narrow = asked.get(path, format="csv", fields=f"{name}.{first}")

    assert file.headers["content-type"] == "text/csv"
    rows = list(csv.DictReader(StringIO(file.body.decode(), newline="")))
    assert [row[first] for row in rows] == [in_a_cell(row[first]) for row in whole[name]]
    assert list(csv.reader(StringIO(narrow.body.decode(), newline=""))) == [[first], *([row[first]] for row in rows)]


def in_a_cell(value: Any) -> str:
    """As a file says it; a time as JSON says it, but for its zone."""
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "" if value is None else str(value)
    return f"{text[:-1]}+00:00" if re.fullmatch(r"\d{4}-\d\d-\d\dT.*Z", text) else guarded(text)


def test_of_a_list_no_cell_is_a_formula_and_filters_hold(house: House, django_db_blocker: Any):
    """promises.md, Attack: CSV is guarded against formulas. What is refused is a problem and no file."""
    asked = house.as_("administrator")
    with django_db_blocker.unblock():
        made = world.record(models.Connection.objects.get(pk=house.own.connection), '=HYPERLINK("http://evil")')

        file = asked.get("/records", format="csv", search="hyperlink", fields="records.name")
        models.Record.objects.filter(pk=made).delete()
        nowhere, no_list = asked.get("/records", format="csv", cursor="x"), asked.get("/me", format="csv")

    assert file.body.decode().splitlines() == ["name", '"\'=HYPERLINK(""http://evil"")"']
    assert (nowhere.problem, no_list.problem) == ("cursor", "fields")


@contextmanager
def only_for_now() -> Iterator[None]:
    """What one example changes, the next one does not meet."""
    with transaction.atomic():
        yield
        transaction.set_rollback(True)


def renamed(model: Any, field: str) -> Callable[[int, str], None]:
    return lambda number, word: model.objects.filter(pk=number).update(**{field: word})


def decided(number: int, word: str) -> None:
    """A finding is what it was no longer, and something new was found."""
    found = models.Finding.objects.get(pk=number)
    models.Finding.objects.filter(pk=number).update(severity=(found.severity + 2) % 6)
    models.Journal.objects.create(finding=found, actor="alice", kind="changed", before={})
    world.finding(found.feed_id, f"fresh {word} {number}")


def remembered(number: int, word: str) -> None:
    open_again = {"decision": "undecided", "feed": None, "finalized_at": None, "finalized_by": "", "finalized_how": ""}
    models.Record.objects.filter(pk=number).update(name=word, **open_again)
    world.record(models.Record.objects.get(pk=number).connection, f"fresh {word} {number}")


def another(model: Any) -> Callable[[int, str], None]:
    """One more of them comes; those that are there stay as they are."""

    def made(number: int, word: str) -> None:
        found = model.objects.get(pk=number)
        found.pk, found._state.adding = None, True
        if model is models.Operation:
            found.status = "success"
        if model is models.Token:
            found.hash = f"{word}{number}".encode()
        found.save()

    return made


CHANGES: dict[str, Callable[[int, str], None]] = {
    "reads.connection.connections": renamed(models.Connection, "label"),
    "reads.schedule.schedules": renamed(models.Connection, "label"),
    "reads.product_type.product_types": renamed(models.ProductType, "name"),
    "reads.product.products": renamed(models.Product, "name"),
    "reads.engagement.engagements": renamed(models.Engagement, "name"),
    "reads.test.tests": renamed(models.Test, "name"),
    "reads.user.users": renamed(models.User, "username"),
    "reads.record.records": remembered,
    "reads.finding.findings": decided,
    "reads.operation.operations": another(models.Operation),
    "reads.token.tokens": another(models.Token),
    "reads.route.news": another(models.News),
}
"""What happens to a row meanwhile. The audit log, a story, a log and what a preview found only grow, or stay."""

GROW = {"reads.audit.audit_lines", "reads.story.story", "reads.operation.log", "reads.preview.differences"}


def test_every_list_is_changed_while_it_is_read():
    assert {one.of for one in PAGED} == GROW | set(CHANGES)


@pytest.mark.parametrize("route", [one for one in PAGED if one.of in CHANGES], ids=lambda one: one.of)
def test_what_did_not_change_is_shown_once_whatever_else_does(undone: House, stock: Numbers, route: Route):
    """issue 6: cursor paging that does not skip under change."""
    path = path_of(route, stock, undone)
    at_times = st.lists(
        st.tuples(st.integers(0, 6), st.integers(0, 40), st.sampled_from("amz")), min_size=1, max_size=4
    )

    @FEW
    @given(query=filters(route), limit=st.integers(1, 6), happens=at_times)
    def asks(query: dict[str, Any], limit: int, happens: list[tuple[int, int, str]]) -> None:
        with only_for_now():
            before = rows_of(undone.as_("administrator").get(path, **query, limit=1000))
            touched, told = set[str](), list[str]()
            for number, page in enumerate(pages(undone, path, query, limit)):
                told += page
                for _, which, word in [one for one in happens if one[0] == number and before]:
                    row = before[which % len(before)]
                    if row not in touched:
                        CHANGES[route.of](int(row), f"{word} {row}")
                        touched.add(row)
            after = rows_of(undone.as_("administrator").get(path, **query, limit=1000))
            times = Counter(told)
            stayed = [row for row in before if row in after and row not in touched]
            assert {row: times[row] for row in stayed} == dict.fromkeys(stayed, 1)

    asks()
