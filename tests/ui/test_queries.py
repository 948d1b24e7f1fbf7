"""No page asks the database more than twelve questions: every address of the router, whoever looks."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import URLPattern, reverse

from tests.actions.ways import Side
from tests.database import migrated_database
from tests.ui.rooms import comes_in, here
from tidegate.rules.access import Grant, Role
from tidegate.store import models
from tidegate.ui.urls import urlpatterns

__all__ = ["here", "migrated_database"]

House = tuple[Client, Side, Side]

MOST = 12
OUTSIDE = ("BEGIN", "SET TRANSACTION", "COMMIT", "ROLLBACK", "SAVEPOINT", "RELEASE")
"""What opens and closes a transaction asks for no data."""
PAGES: list[URLPattern] = [one for one in urlpatterns if not str(one.pattern).startswith("account/none/")]


def addresses(one: URLPattern, there: Side) -> list[str]:
    """Where the page is to be looked at, as its address names things."""
    preview = models.Operation.objects.filter(connection_id=there.connection, preview=True).latest("pk").pk
    running = models.Operation.objects.filter(connection_id=there.connection, status="running").latest("pk").pk
    named: dict[str, list[Any]] = {
        "connection_id": [there.connection], "record_id": [there.shop, there.missing], "product_id": [there.product],
        "operation_id": [there.sync, there.held, preview, running], "finding_id": [there.finding],
        "slug": ["acme", "burpsuite"], "rule_id": [there.rule], "route_id": [there.route], "user_id": [1],
        "token_id": [1], "missing_id": [there.missing], "new_id": [there.new], "pk": [1], "noun": ["records"],
        "destination_id": [there.destination],
        "step": ["5c4b2dd4-4ac4-4a7c-9a5e-1e6f4c1c0d4e"],
    }  # fmt: skip
    asked = list(one.pattern.converters)
    most = max([len(named[name]) for name in asked], default=1)
    given = [{name: named[name][min(n, len(named[name]) - 1)] for name in asked} for n in range(most)]
    return [reverse(str(one.name), kwargs=kwargs) for kwargs in given]


def questions(client: Client, path: str, **headers: str) -> list[str]:
    with CaptureQueriesContext(connection) as asked:
        answer = client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
    assert answer.status_code in (200, 302, 403, 404, 405), f"{path}: {answer.status_code}"
    told = [query["sql"] for query in asked.captured_queries]
    return [sql for sql in told if not sql.startswith(OUTSIDE)]


def grants_of(role: Role, there: Side, *, bounded: bool) -> list[Grant]:
    """The role for everything, or for one Product, one Product Type and one Connection: what costs a read the most."""
    if not bounded:
        return [Grant(role)]
    return [
        Grant(role, "product", there.product), Grant("reader", "product type", there.product_type),
        Grant("reader", "connection", there.connection),
    ]  # fmt: skip


@pytest.mark.parametrize("bounded", [False, True], ids=["everything", "bounded"])
@pytest.mark.parametrize("role", ["reader", "mapper", "operator"])
def test_whoever_looks_asks_twelve_questions_at_most(here: House, role: Role, bounded: bool):
    """The same for each role, for all of the house and within some of it: what one may not see costs none."""
    _, there, _ = here
    client = comes_in(f"{role} of {'some' if bounded else 'all'}", *grants_of(role, there, bounded=bounded))
    client.get("/")
    asked = {path: questions(client, path) for one in PAGES for path in addresses(one, there)}

    assert {path: len(sqls) for path, sqls in asked.items() if len(sqls) > MOST} == {}


@pytest.mark.parametrize("one", PAGES, ids=lambda one: str(one.name))
def test_a_page_asks_twelve_questions_at_most(here: House, one: URLPattern):
    """promises.md: no page does more than 12 queries; asserted for each."""
    client, there, _ = here
    client.get("/")  # what an earlier test left to be told is told, which the session has to write down
    for path in addresses(one, there):
        asked = questions(client, path)
        assert len(asked) <= MOST, "\n".join([f"{path} asks {len(asked)}", *(sql[:300] for sql in asked)])


def test_a_search_a_part_of_a_page_and_a_second_page_ask_no_more(here: House):
    client, there, _ = here
    of = f"/connections/{there.connection}/"
    asked = {
        "a search": questions(client, "/findings/?search=weakness"),
        "anything": questions(client, "/find/?search=Own+shop"),
        "its choices": questions(client, "/find/options?search=1"),
        "Records by words": questions(client, "/inbox/?search=own+new"),
        "Operations of a Connection": questions(client, of, HX_Target="operations"),
        "its mapped Records": questions(client, f"{of}?m.search=shop", HX_Target="mapped"),
        "Products by words": questions(client, "/records/products?search=second"),
        "suggestions of one": questions(
            client, f"/inbox/suggestions/?connection_id={there.connection}", HX_Target="suggestions"
        ),
    }

    assert {name: len(sqls) for name, sqls in asked.items() if len(sqls) > MOST} == {}
