"""The pre-flight of a DefectDojo: what is looked at, what is said of it, and that nothing is written."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from pydantic import SecretStr

from tidegate.delivery.defectdojo.client import Dojo
from tidegate.delivery.defectdojo.preflight import Preflight, Remark, clock, preflight
from tidegate.delivery.defectdojo.settings import DefectDojoSettings
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo
from tidegate.demo.wire import as_json

TYPE = "Research and Development"
READER = "reader0token" * 3


def looked(fake: FakeDefectDojo, product_type: str = TYPE, token: str = "") -> Preflight:
    with Dojo(
        DefectDojoSettings.model_validate({"url": fake.url, "token": SecretStr(token or fake.token)}),
        sleep=lambda _: None,
    ) as dojo:
        return preflight(dojo, product_type)


def about(found: Preflight, what: str) -> list[Remark]:
    return [remark for remark in found.remarks if remark.about == what]


@pytest.mark.parametrize("version", ["3.2.0", "2.50.4"])
def test_all_is_well_and_nothing_was_written(version: str):
    with FakeDefectDojo(version) as fake:
        before = copy.deepcopy(fake.world.rows)

        found = looked(fake)

        assert found.ok
        assert (found.version, found.user) == (version, "admin")
        assert {remark.level for remark in found.remarks} == {"good"}
        assert fake.world.rows == before


@pytest.mark.parametrize(("version", "level"), [("2.49.3", "problem"), ("4.0.0", "warning")])
def test_versions_that_nobody_tried_are_told(version: str, level: str):
    with FakeDefectDojo(version) as fake:
        (remark,) = about(looked(fake), "version")

    assert remark.level == level
    assert version in remark.what
    assert remark.do


def test_a_rejected_token_is_one_sentence_and_what_to_do():
    with FakeDefectDojo() as fake:
        found = looked(fake, token="wrong" * 8)

    (remark,) = found.remarks
    assert not found.ok
    assert "Invalid token" in remark.what
    assert "Enter another API v2 token" in remark.do


@pytest.mark.parametrize(
    ("name", "level", "word"),
    [
        ("", "warning", "No product type is named"),
        ("research and development", "problem", "There is no product type «"),
    ],
)
def test_where_products_are_made_is_compared_letter_by_letter(name: str, level: str, word: str):
    """The server's own filters are loose: a product type of nearly this name is another one."""
    with FakeDefectDojo() as fake:
        near = as_json({"count": 1, "next": None, "previous": None, "results": [{"id": 1, "name": TYPE}]})
        fake.interfere = lambda question: near if question.name == "GET product_types" else None

        (remark,) = about(looked(fake, name), "product type")

    assert remark.level == level
    assert word in remark.what


@pytest.mark.parametrize(("status", "word"), [(403, "may not make Products"), (404, "may not make Products")])
def test_a_user_who_may_not_make_products_is_told_before_the_first_delivery(status: int, word: str):
    with FakeDefectDojo() as fake:
        said = as_json({"detail": "You do not have permission to perform this action."}, status)
        fake.interfere = lambda question: said if question.name == "POST products" else None

        (remark,) = about(looked(fake), "product type")

    assert remark.level == "problem"
    assert word in remark.what


def test_a_user_who_sees_nothing_is_told_that_a_missing_right_looks_like_absence():
    with FakeDefectDojo() as fake:
        fake.world.add_user("reader", READER)

        found = looked(fake, token=READER)

    assert not found.ok
    assert "may not see it" in about(found, "product type")[0].what
    assert about(found, "products")[0].level == "warning"


@pytest.mark.parametrize(
    ("settings", "levels", "word"),
    [
        ({"enable_deduplication": False, "delete_duplicates": False}, ["good"], "does not look for duplicates"),
        ({"enable_deduplication": True, "delete_duplicates": False}, ["good"], "born inactive"),
        ({"enable_deduplication": True, "delete_duplicates": True, "max_dupes": 3}, ["good", "warning"], "beyond 3"),
    ],
)
def test_settings_that_would_fight_us_are_told(settings: dict[str, Any], levels: list[str], word: str):
    """Facts: dojo/system_settings/models.py and api/views.py of DefectDojo at 3.2: a list for superusers alone."""
    with FakeDefectDojo() as fake:
        page = as_json({"count": 1, "next": None, "previous": None, "results": [{"id": 1, **settings}]})
        fake.interfere = lambda question: page if question.name == "GET system_settings" else None

        found = about(looked(fake), "deduplication")

    assert [remark.level for remark in found] == levels
    assert any(word in str(remark) for remark in found)


@pytest.mark.parametrize(
    ("algorithm", "level", "word"),
    [
        ("hash_code", "good", "a hash of title"),
        ("unique_id_from_tool", "good", "by the id that Tidegate gives"),
        ("unique_id_from_tool_or_hash_code", "warning", "two findings for one"),
    ],
)
def test_by_what_findings_are_told_apart_is_asked_of_a_test(algorithm: Any, level: str, word: str):
    with FakeDefectDojo() as fake:
        fake.world.algorithm = "hash_code" if algorithm.endswith("hash_code") else algorithm
        kind = fake.world.find("test_types", name="Generic Findings Import")
        assert kind is not None
        row = {"id": 9, "test_type": kind["id"], "deduplication_algorithm": algorithm, "hash_code_fields": ["title"]}

        def show(question: Any) -> Any:
            if question.name != "GET tests":
                return None
            page = {"count": 1, "next": None, "previous": None, "results": [row]}
            return as_json(page if question.request.path.endswith("/tests/") else row)

        fake.interfere = show
        (remark,) = about(looked(fake), "identity")

    assert remark.level == level
    assert word in str(remark)


@pytest.mark.parametrize(
    ("ahead", "level", "way"), [(0.9, "good", ""), (3_700, "warning", "ahead of"), (-61, "warning", "behind")]
)
def test_clocks_that_differ_are_told_with_what_follows(ahead: float, level: str, way: str):
    remark = clock(ahead)

    assert remark.level == level
    assert way in remark.what
    assert bool(remark.follows) == (level == "warning")
