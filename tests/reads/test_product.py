"""Product Types, Engagements and Tests as lists and details show them, to whoever may see them."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tests.world import ALICE
from tidegate.actions.record import map_records
from tidegate.reads import engagement, product, product_type
from tidegate.reads import test as ours
from tidegate.reads.viewer import viewing
from tidegate.rules.access import Grant, granted
from tidegate.store import models

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def house() -> dict[str, int]:
    """Burp and ZAP write into Shop (Web); Burp into Bank (Desktop) too, where others have an Engagement."""
    numbers: dict[str, int] = {}
    for tool, name, into, kind in (
        ("Burp", "web", "Shop", "Web"),
        ("ZAP", "api", "Shop", "Web"),
        ("Burp", "app", "Bank", "Desktop"),
    ):
        of = models.Connection.objects.filter(label=tool).first() or world.connection(tool)
        record = world.record(of, name)
        there = models.Product.objects.filter(name=into).first()
        target: dict[str, Any] = {"product_id": there.pk} if there else {"new_product": into, "product_type": kind}
        map_records(ALICE, [record], **target)
        world.synced(record, f"{name}1", f"{name}2")
        numbers |= {tool: of.pk, into: models.Product.objects.get(name=into).pk}
        numbers |= {kind: models.ProductType.objects.get(name=kind).pk}
    bank = models.Product.objects.get(name="Bank")
    theirs = models.Engagement.objects.create(product=bank, name="Pentest")
    models.Test.objects.create(engagement=theirs, name="By hand")
    return numbers


def test_they_are_listed_by_name_with_what_is_in_them(house: dict[str, int]):
    types = [(one.name, one.products) for one in product_type.product_types().product_types]
    engagements = [(one.name, one.product, one.ours, one.tests) for one in engagement.engagements().engagements]
    tests = [(one.name, one.product, one.connection, one.findings.active) for one in ours.tests().tests]

    assert types == [("Desktop", 1), ("Web", 1)]
    assert sorted(engagements) == [
        ("Global Connectors", "Bank", True, 1),
        ("Global Connectors", "Shop", True, 2),
        ("Pentest", "Bank", False, 1),
    ]
    assert sorted(tests, key=str) == [
        ("Burp", "Bank", "Burp", 2),
        ("Burp", "Shop", "Burp", 2),
        ("By hand", "Bank", None, 0),
        ("ZAP", "Shop", "ZAP", 2),
    ]


def test_they_are_filtered_searched_and_paged(house: dict[str, int]):
    shop, burp = house["Shop"], house["Burp"]

    assert [one.product for one in engagement.engagements(product_id=shop).engagements] == ["Shop"]
    assert [one.name for one in engagement.engagements(search="PEN").engagements] == ["Pentest"]
    assert [one.name for one in ours.tests(product_id=shop).tests] == ["Burp", "ZAP"]
    assert {one.product for one in ours.tests(connection_id=burp).tests} == {"Shop", "Bank"}
    assert [one.name for one in product_type.product_types(search="\0we").product_types] == []
    first = ours.tests(limit=3)
    assert [one.name for one in ours.tests(cursor=first.next).tests] == ["ZAP"]


def test_a_detail_names_what_is_in_it(house: dict[str, int]):
    (pentest,) = engagement.named("Pentest")
    detail = engagement.engagement(pentest.id)
    whole = product.product(house["Bank"])

    assert detail is not None
    assert whole is not None
    assert [one.name for one in detail.tests] == ["By hand"]
    assert [(one.engagement, one.name) for one in whole.tests] == [
        ("Global Connectors", "Burp"),
        ("Pentest", "By hand"),
    ]
    assert engagement.engagement(2**80) is ours.test(2**80) is product_type.product_type(2**80) is None


@pytest.mark.parametrize(
    ("scope", "what", "types", "engagements", "tests"),
    [
        ("product type", "Web", ["Web"], ["Shop"], ["Burp", "ZAP"]),
        ("product", "Bank", [], ["Bank", "Bank"], ["Burp", "By hand"]),
        ("connection", "ZAP", [], [], ["ZAP"]),
    ],
)
def test_only_what_lies_where_the_viewer_has_a_role_is_shown(
    house: dict[str, int], scope: Any, what: str, types: list[str], engagements: list[str], tests: list[str]
):
    """promises.md: roles are checked at one place for page, API and CLI alike; another's object answers 404."""
    with viewing(granted([Grant("reader", scope, house[what])])):
        shown_types = [one.name for one in product_type.product_types().product_types]
        shown_engagements = [one.product for one in engagement.engagements().engagements]
        shown_tests = [one.name for one in ours.tests().tests]
        hidden = [one.pk for one in models.Test.objects.all() if ours.test(one.pk) is None]

    assert (shown_types, shown_engagements, shown_tests) == (types, engagements, tests)
    assert len(hidden) == 4 - len(tests)
