"""The kit that fake vendors are made of: every fault strikes a list however it is paged, and the ports obey."""

import http.client
import json
import threading
import urllib.request
from collections.abc import Iterator
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from tidegate.demo.fake import Fake, Question
from tidegate.demo.faults import FAULTS, Shape
from tidegate.demo.pages import CursorUnknown, cursor_at, following, numbered, placed
from tidegate.demo.wire import BODY, HEADER, Answer, Request, as_json

TOKEN = "kit-token"
ROW = {"word": "attributes.severity", "text": "attributes.title", "date": "attributes.created"}
SHAPES = {
    "numbered": Shape("page.items", "id", "page.total", start="number", page="size", first=1, **ROW),
    "placed": Shape(BODY, "id", f"{HEADER}X-Total", start="start", page="size", **ROW),
    "cursor": Shape("data", "id", "meta.count", start="after", page="size", first=None, **ROW),
}
NOT_BY = {
    "numbered": {"a row twice on two pages"},
    "cursor": {"a row twice on two pages"},
    "placed": set[str](),
}
"""What no page of this shape can show."""
EACH_PAGE_ALIKE = {"a smaller page than asked for", "last page missing"}


class World:
    """Rows, as many as somebody puts there."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.rows = [row(number) for number in range(12)]

    def fix(self, number: int) -> int:
        self.rows = [each for each in self.rows if each["id"] != f"r{number}"]
        return len(self.rows)


def row(number: int) -> dict[str, Any]:
    told = {"severity": "high", "title": f"Hole {number}", "created": "2025-01-06T08:00:00Z"}
    return {"id": f"r{number}", "attributes": told}


class FakeKit(Fake[World]):
    """Lists the same rows in each shape."""

    shapes = SHAPES

    def ask(self, request: Request) -> Question | Answer:
        if request.header("authorization") != TOKEN:
            return as_json({"message": "no"}, 401)
        return Question(request, request.path.strip("/"), request.query.get("of", ""), request.query)

    def answer(self, question: Question) -> Answer:
        asked, rows = question.variables, self.world.rows
        size = int(asked["size"])
        if question.list == "numbered":
            return as_json({"page": {"items": numbered(rows, int(asked["number"]), size), "total": len(rows)}})
        if question.list == "placed":
            return as_json(placed(rows, int(asked["start"]), size), X_Total=str(len(rows)))
        found, cursor = following(rows, asked.get("after"), size)
        return as_json({"data": found, "meta": {"count": len(rows), "next": cursor}})


@pytest.fixture
def fake() -> Iterator[FakeKit]:
    with FakeKit(World(), control_port=0) as fake:
        yield fake


def pages_of(shape: str) -> list[dict[str, Any]]:
    places = {"numbered": ("number", [1, 2]), "placed": ("start", [0, 5]), "cursor": ("after", ["", cursor_at(5)])}
    name, starts = places[shape]
    return [{name: start, "size": 5} for start in starts]


def heard(fake: FakeKit, shape: str, patience: float = 60, **query: Any) -> object:
    """Whatever a client hears: status and bytes, or how it broke."""
    connection = http.client.HTTPConnection("127.0.0.1", fake.vendor.number, timeout=patience)
    try:
        connection.request("GET", f"/{shape}?{urlencode(query)}", headers={"Authorization": TOKEN})
        with connection.getresponse() as response:
            headers = {name: value for name, value in response.getheaders() if name != "Date"}
            return response.status, headers, response.read()
    except (OSError, http.client.HTTPException) as error:
        return type(error).__name__
    finally:
        connection.close()


def tell(fake: FakeKit, verb: str, **arguments: Any) -> Any:
    with urllib.request.urlopen(fake.control_url + verb, json.dumps(arguments).encode(), timeout=60) as response:
        return json.load(response)["done"]


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("fault", [name for name in FAULTS if "date" not in name or name == "odd date"])
def test_every_fault_strikes_however_the_list_is_paged_and_is_over_when_calmed(fake: FakeKit, fault: str, shape: str):
    pages = pages_of(shape)
    if fault in EACH_PAGE_ALIKE:
        pages = [{**page, "size": 20} for page in pages]
    healthy = [heard(fake, shape, **page) for page in pages]
    fake.control.strike(fault, shape)

    patience = 0.2 if fault in ("silence in the body", "one byte a second") else 60
    struck = [heard(fake, shape, patience, **page) for page in pages]

    assert (struck != healthy) is (fault not in NOT_BY[shape])
    fake.control.calm()
    assert [heard(fake, shape, **page) for page in pages] == healthy


@pytest.mark.parametrize("shape", SHAPES)
def test_a_walk_that_begins_anew_has_got_over_its_fault(fake: FakeKit, shape: str):
    first, second = pages_of(shape)
    fake.control.strike("half a page", shape)

    walks = [[heard(fake, shape, **first), heard(fake, shape, **second)] for _ in range(2)]

    assert walks[0] != walks[1]
    assert walks[1] == [heard(fake, shape, **first), heard(fake, shape, **second)]


def test_a_fault_waits_for_its_list_for_whom_it_is_about_and_for_its_turn(fake: FakeKit):
    fake.control.strike("403", "placed", "b", at=2)

    told = [heard(fake, "placed", start=0, size=5, of=of) for of in ("a", "b", "a", "b", "b")]

    assert [each[0] for each in told if isinstance(each, tuple)] == [200, 200, 200, 403, 200]


def test_who_does_not_log_in_is_refused_and_not_counted(fake: FakeKit):
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(f"{fake.url}placed?start=0&size=5", timeout=60)
    refused.value.close()

    assert refused.value.code == 401
    assert fake.asked == []


def test_a_test_may_interfere_before_the_answer(fake: FakeKit):
    def interfere(question: Question) -> Answer | int | None:
        fake.world.fix(0)
        return {"a": 418, "b": as_json([], 203)}.get(question.about)

    fake.interfere = interfere

    told = [heard(fake, "placed", start=0, size=1, of=of) for of in ("a", "b", "c")]

    assert [each[0] for each in told if isinstance(each, tuple)] == [418, 203, 200]
    assert b"r1" in str(told[2]).encode()
    assert [question.about for question in fake.asked] == ["a", "b", "c"]


def test_the_world_is_told_what_to_do_through_the_control_port(fake: FakeKit):
    assert tell(fake, "fix", number=3) == 11
    assert tell(fake, "strike", fault="500", list="placed") is None
    with urllib.request.urlopen(fake.control_url, timeout=60) as response:
        assert json.load(response)["faults"] == [*FAULTS]
    assert fake.control.rows == fake.world.rows


def test_a_closed_port_refuses_and_opens_again_where_it_was(fake: FakeKit):
    fake.control.refuse()
    refusal = heard(fake, "placed", start=0, size=5)
    fake.control.listen()

    assert refusal == "ConnectionRefusedError"
    assert heard(fake, "placed", start=0, size=5) != refusal


def test_pages_hold_every_row_once():
    rows = [*range(12)]
    cursors: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        found, cursor = following(rows, cursor, 5)
        cursors += found

    assert cursors == rows
    assert [each for number in (1, 2, 3, 4) for each in numbered(rows, number, 5)] == rows
    assert [each for start in (0, 5, 10, 15) for each in placed(rows, start, 5)] == rows
    assert (placed(rows, -3, 2), placed(rows, 0, -1)) == ([0, 1], [])


@pytest.mark.parametrize("cursor", ["x", "%%%", "YXQ6", "YXQ6LTE", "\xff", "Zm9vOjE"])
def test_a_cursor_that_was_never_given_is_refused(cursor: str):
    with pytest.raises(CursorUnknown):
        following([1], cursor, 5)
