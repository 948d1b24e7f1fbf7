"""What is refused before a route sees it, and how: a problem of RFC 9457 under /api/, a sentence where pages are. And
what may be written in several ways."""

from __future__ import annotations

import pytest

from tests import world
from tests.api.conftest import Answer, Api
from tidegate.api.app import api as the_api

LARGEST = 1024 * 1024


def refused(api: Api, what: str, path: str) -> Answer:
    """Something that no route and no page is asked."""
    if what == "host":
        return api.ask("GET", path, {}, headers={"host": "evil.example.org"})
    if what == "too-long":
        return api.get(path, search="x" * 9_000)
    if what == "headers":
        return api.ask("GET", path, {}, headers={"x": "y" * 17_000})
    return api.ask("POST", path, {}, b"{}", headers={"content_length": str(LARGEST * 9)})


REFUSED = [("host", 400), ("too-large", 413), ("too-long", 414), ("headers", 431)]


@pytest.mark.parametrize(("what", "status"), REFUSED)
def test_what_the_gate_refuses_of_the_api_is_a_problem_too(api: Api, what: str, status: int):
    """Issue 6: problems as RFC 9457; 413 where due."""
    answer = refused(api.as_("administrator"), what, "/api/v1/products")

    assert (answer.status, answer.problem) == (status, what)
    assert answer.json["status"] == status
    assert answer.json["detail"]
    assert answer.json["next_step"]


@pytest.mark.parametrize(("what", "status"), REFUSED)
def test_of_a_page_it_stays_a_sentence(api: Api, what: str, status: int):
    answer = refused(api, what, "/account/")

    assert answer.status == status
    assert answer.headers["content-type"] == "text/plain; charset=utf-8"


@pytest.mark.parametrize("method", ["OPTIONS", "TRACE", "PUT", "BREW"])
def test_an_address_says_which_methods_it_takes_whatever_is_tried(api: Api, method: str):
    answer = api.as_("nobody").ask(method, "/products", {})

    assert (answer.status, answer.problem) == (405, "method")
    assert answer.headers["allow"] == "GET, HEAD, POST"


def test_what_only_reads_takes_no_body(api: Api):
    """A filter that is sent in a body and passed over would show more than was meant."""
    answer = api.as_("administrator").ask("GET", "/products", {}, {"search": "shop"})

    assert (answer.status, answer.problem) == (400, "not-readable")


@pytest.mark.parametrize("since", ["0.5", "1764230400", "2026-11-27", "2026-11-27T08:00:00", "yesterday"])
def test_a_time_has_its_offset_and_is_no_number(api: Api, since: str):
    answer = api.as_("administrator").get("/findings", since=since)

    assert (answer.status, answer.problem) == (422, "fields")
    assert answer.json["errors"][0]["pointer"] == "since"


@pytest.mark.parametrize(
    "since", ["0237-07-15T00:01:54+16:00", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59"]
)
def test_a_time_with_an_offset_that_postgresql_has_not_is_a_time(api: Api, since: str):
    asking = api.as_("administrator")

    assert asking.get("/audit", since=since).status == 200
    assert asking.get("/audit/export", until=since).status == 200


def test_a_whole_number_may_be_written_with_a_point(api: Api):
    """JSON Schema knows one kind of number: 1.0 is the integer 1."""
    shop = world.record(world.connection("Burp"), "shop")
    asking = api.as_("administrator")

    written = asking.post("/records/ignore", f'{{"record_ids": [{shop}.0], "because": "a test"}}'.encode())
    broken = asking.post("/records/ignore", f'{{"record_ids": [{shop}.5]}}'.encode())
    inexact = asking.post("/records/ignore", b'{"record_ids": [1e18]}')

    assert written.json["items"][0] | {"sentence": ""} == {"id": shop, "ok": True, "sentence": ""}
    assert (broken.status, inexact.status) == (422, 422)


def test_a_text_that_postgresql_cannot_hold_is_found_nowhere(api: Api):
    of = world.operation(world.connection("Burp"), preview=True)
    asking = api.as_("administrator")

    assert asking.get(f"/operations/{of.pk}/differences", kind="a\0b").json["differences"] == []
    assert asking.get("/connections/continuable", tool="a\0b", account="\0").json["connections"] == []


def test_the_document_tells_the_whole_of_an_answer_and_its_parts_apart():
    """`fields` answers less than the whole; who reads the document knows both."""
    schemas = the_api.document["components"]["schemas"]
    answer = the_api.document["paths"]["/api/v1/products"]["get"]["responses"]["200"]["content"]["application/json"]

    assert [one["$ref"].rpartition("/")[2] for one in answer["schema"]["anyOf"]] == ["ProductPage", "PartOfProductPage"]
    assert schemas["ProductPage"]["required"] == ["products", "next"]
    assert "required" not in schemas["PartOfProductPage"]
    assert schemas["PartOfProductPage"]["properties"]["products"]["items"]["$ref"].endswith("/PartOfProductRow")


def test_no_parameter_of_an_address_is_said_to_be_null():
    told = [
        parameter["schema"]
        for methods in the_api.document["paths"].values()
        for operation in methods.values()
        for parameter in operation.get("parameters", ())
    ]

    assert told
    assert all({"type": "null"} not in one.get("anyOf", ()) for one in told)
