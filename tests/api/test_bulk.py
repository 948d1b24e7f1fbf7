"""Many at once over the API: by numbers or by a filter, previewed, as they are expected, answered in short."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from tests import world
from tests.api.conftest import Api
from tidegate.actions import record as records


@pytest.fixture
def house(api: Api) -> Api:
    burp = world.connection("Burp")
    for name in ("a shop", "b shop", "c other"):
        world.record(burp, name)
    return api


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"deed": "explode", "matching": {}}, "#/deed"),
        ({"matching": {}}, "#/deed"),
        ({"deed": "ignore", "matching": {"colour": "red"}}, "#/matching/colour"),
        ({"deed": "ignore", "matching": {"state": "nice"}}, "#/matching/state"),
        ({"deed": "ignore", "matching": {"seen_since": 7}}, "#/matching/seen_since"),
        ({"deed": "ignore", "record_ids": [0]}, "#/record_ids/0"),
        ({"deed": "ignore", "matching": {}, "expected": "all"}, "#/expected"),
    ],
)
def test_a_body_that_is_wrong_says_where(house: Api, body: dict[str, Any], pointer: str):
    answer = house.as_("mapper").post("/records/decide", body)

    assert (answer.status, answer.problem) == (422, "fields")
    assert pointer in [one["pointer"] for one in answer.json["errors"]]


def test_what_is_not_expected_is_409_and_changes_nothing(house: Api):
    mapper = house.as_("mapper")

    for body in ({"matching": {}}, {"matching": {}, "expected": "2"}, {"record_ids": [1], "matching": {}}, {}):
        answer = mapper.post("/records/decide", {"deed": "ignore"} | body)
        assert (answer.status, answer.problem) == (409, "refused"), body
    assert {row["state"] for row in mapper.get("/records").json["records"]} == {"New"}


def test_who_may_not_is_403_and_a_stranger_finds_nothing(house: Api):
    body = {"deed": "ignore", "matching": {}, "expected": "3"}

    assert house.as_("reader").post("/records/decide", body).status == 403
    assert house.as_("stranger").post("/records/decide", body).status == 403
    assert house.as_("mapper").post("/records/sync", {"matching": {}, "expected": "3"}).status == 403
    seen = house.as_("stranger").post("/records/preview", {"deed": "ignore", "matching": {}})
    assert (seen.status, seen.json["number"]) == (200, 0)
    assert house.as_("stranger").post("/records/preview", {"deed": "ignore", "record_ids": [1]}).status == 404


def test_a_filter_is_previewed_and_done_as_one_step(house: Api):
    mapper, body = house.as_("mapper"), {"deed": "map each", "matching": {"search": "shop", "gone": False}}
    seen = mapper.post("/records/preview", body)

    done = mapper.post("/records/decide", body | {"expected": seen.json["expected"], "product_type": "Web"})

    assert (seen.status, seen.json["changes"], seen.json["new_products"]) == (200, 2, 2)
    assert (done.status, done.json["changed"], done.json["refusals"]) == (200, 2, [])
    assert done.json["shares"][0]["examples"] == ["a shop", "b shop"]
    assert mapper.post("/records/undo", {"step": done.json["step"]}).status == 200
    assert {row["state"] for row in mapper.get("/records").json["records"]} == {"New"}


def test_partly_is_207_and_not_at_all_is_409_with_each_reason(house: Api):
    operator = house.as_("operator")
    operator.post("/records/map", {"record_ids": [1], "new_product": "Shop"})

    some = operator.post("/records/sync", {"matching": {}, "expected": "3"})
    none = operator.post("/records/decide", {"deed": "restore to earlier", "record_ids": [2]})

    assert (some.status, some.json["changed"], some.json["refused"]) == (207, 1, 2)
    assert len(some.json["operations"]) == 1
    assert (none.status, none.json["refusals"][0]["name"]) == (409, "b shop")


@pytest.fixture
def found(api: Api) -> Api:
    record = world.record(world.connection("Burp"), "shop")
    records.map_records(world.ALICE, [record], new_product="Shop")
    world.synced(record, "k1", "k2", "k3")
    return api


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"verdict": "real", "matching": {"colour": "red"}}, "#/matching/colour"),
        ({"verdict": "real", "matching": {"severity": "Dreadful"}}, "#/matching/severity"),
        ({"verdict": "nonsense", "matching": {}}, "#/verdict"),
        ({"verdict": "accepted", "until": "tomorrow", "matching": {}}, "#/until"),
        ({"verdict": "real", "finding_ids": [1], "expected": "x"}, "#/expected"),
    ],
)
def test_a_decision_that_is_wrong_says_where(found: Api, body: dict[str, Any], pointer: str):
    answer = found.as_("mapper").post("/findings/decide", body)

    assert (answer.status, answer.problem) == (422, "fields")
    assert pointer in [one["pointer"] for one in answer.json["errors"]]


def test_many_findings_are_decided_by_who_may_as_they_were_expected(found: Api):
    mapper, body = found.as_("mapper"), {"matching": {"status": "active"}}
    said = body | {"verdict": "accepted", "until": "2999-01-01T00:00:00Z", "tags": ["later"]}

    seen = mapper.post("/findings/preview", body | {"deed": "decide"}).json
    assert found.as_("reader").post("/findings/decide", said | {"expected": seen["expected"]}).status == 403
    assert mapper.post("/findings/decide", said | {"expected": "2"}).status == 409
    done = mapper.post("/findings/decide", said | {"expected": seen["expected"]})

    assert (done.status, done.json["changed"]) == (200, 3)
    assert UUID(done.json["step"])  # by it all of it is undone
    assert mapper.get("/findings", status="active").json["findings"] == []
    back = mapper.post("/findings/decide", {"finding_ids": [1], "verdict": "none", "tags": []})
    assert (back.status, mapper.get("/findings", status="active").json["count"]) == (200, 1)


def test_what_nothing_watches_is_closed_over_the_api(found: Api):
    mapper = found.as_("mapper")

    watched = mapper.post("/findings/close", {"finding_ids": [1]})
    mapper.post("/records/ignore", {"record_ids": [1]})
    closed = mapper.post("/findings/close", {"matching": {"status": "unwatched"}, "expected": "3"})

    assert (watched.status, watched.json["refusals"][0]["id"]) == (409, 1)
    assert (closed.status, closed.json["changed"]) == (200, 3)
