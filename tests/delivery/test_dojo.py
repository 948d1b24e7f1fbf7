"""The way to a DefectDojo: reads are repeated, writes never are, lists prove themselves, and no secret leaves."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from tidegate.delivery.defectdojo.client import Dojo, DojoError, Down, Moved, Unknown, Unreachable, Unreadable
from tidegate.delivery.defectdojo.errors import NotPermitted, NotThere, Refused, TokenRejected, TooLarge, refusal
from tidegate.delivery.defectdojo.location import NoLocation, base_url
from tidegate.delivery.defectdojo.pace import BATCH, Budget, Size
from tidegate.delivery.defectdojo.settings import DefectDojoSettings
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo
from tidegate.demo.fake_defectdojo.world import GENERIC
from tidegate.demo.wire import Answer, as_json
from tidegate_sdk.address import AddressPolicy
from tidegate_sdk.limits import Limits

Made = Callable[..., Dojo]


@pytest.fixture(params=["3.2.0", "2.50.4"])
def fake(request: pytest.FixtureRequest) -> Iterator[FakeDefectDojo]:
    with FakeDefectDojo(request.param) as fake:
        yield fake


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def to(slept: list[float]) -> Iterator[Made]:
    """A client that sleeps on its own clock only; `to(url, token, **how)`."""
    opened: list[Dojo] = []

    def made(url: str, token: str = "t0ken" * 8, **how: Any) -> Dojo:
        settings = DefectDojoSettings.model_validate({"url": url, "token": SecretStr(token)})
        opened.append(Dojo(settings, **{"sleep": slept.append, "writes_per_minute": 6_000, **how}))
        return opened[-1]

    yield made
    for one in opened:
        one.close()


def a_test(dojo: Dojo, findings: int) -> int:
    """A Test with so many findings, through the import endpoint."""
    product = dojo.post("products/", {"name": "Shop", "description": "x", "prod_type": 1})
    dates = {"target_start": "2026-01-01", "target_end": "2027-01-01"}
    engagement = dojo.post("engagements/", {"product": product["id"], "name": "Global Connectors", **dates})
    rows = [{"title": f"T {n}", "severity": "High", "description": "d"} for n in range(findings)]
    form = {"engagement": engagement["id"], "scan_type": GENERIC, "close_old_findings": False, "active": True}
    return dojo.upload("import-scan/", form, json.dumps({"findings": rows}).encode())["test"]


def asked(fake: FakeDefectDojo, method: str) -> int:
    return sum(question.request.method == method for question in fake.asked)


def first(times: int, answer: Answer) -> Callable[[Any], Answer | None]:
    """Refuses so many questions so."""
    left = [answer] * times
    return lambda question: left.pop() if left else None


def test_what_it_is_is_detected(fake: FakeDefectDojo, to: Made):
    server = to(fake.url, fake.token).server()

    new = fake.world.version.startswith("3")
    assert server.version == fake.world.version
    assert (server.has_roles, server.has_locations, server.tells_algorithm) == (not new, new, new)
    assert server.supported
    assert abs(server.clock_ahead) < 60


def test_a_list_is_read_to_its_end_in_pages_that_grow(fake: FakeDefectDojo, to: Made):
    dojo = to(fake.url, fake.token)
    dojo.page_size = Size(now=10, least=5, most=40)
    test = a_test(dojo, 101)

    rows = [row["id"] for row in dojo.pages("findings/", test=test, active=True)]

    assert len(rows) == 101
    assert rows == sorted(rows)
    assert dojo.page_size.now > 10
    assert dojo.count("findings/", test=test) == 101


def test_a_list_that_moves_proves_nothing(fake: FakeDefectDojo, to: Made):
    dojo = to(fake.url, fake.token)
    dojo.page_size = Size(now=10, least=5, most=10)
    rows = dojo.pages("findings/", test=a_test(dojo, 25))
    one = next(rows)["id"]
    fake.world.delete("findings", one)

    with pytest.raises(Moved):
        list(rows)


def test_a_filter_that_the_server_does_not_know_is_noticed(fake: FakeDefectDojo, to: Made):
    """It answers everything: whoever believed that would close, or adopt, what is not ours."""
    dojo = to(fake.url, fake.token)
    a_test(dojo, 1)

    with pytest.raises(Unreadable, match="does not obey the filter percent_complete"):
        list(dojo.pages("tests/", percent_complete=7))


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_a_read_is_asked_again_after_as_long_as_was_said(
    fake: FakeDefectDojo, to: Made, slept: list[float], status: int
):
    dojo = to(fake.url, fake.token)
    fake.interfere = first(2, Answer(status, {"Retry-After": "100"}))

    assert dojo.get("product_types/1/")["id"] == 1

    assert sum(slept) > 100  # time that passes by itself counts too
    assert asked(fake, "GET") == 3


def test_a_server_that_stays_away_is_down(fake: FakeDefectDojo, to: Made, slept: list[float]):
    fake.interfere = lambda question: 503

    with pytest.raises(Down, match="answers 503, 4 times running"):
        to(fake.url, fake.token, limits=Limits(tries=4)).get("product_types/1/")

    assert len({round(one, 6) for one in slept}) > 1  # with jitter
    fake.interfere = lambda question: Answer(503, {"Retry-After": "90000"})
    with pytest.raises(Down, match="90,000 seconds") as caught:
        to(fake.url, fake.token).get("product_types/1/")
    assert caught.value.after == 90_000


@pytest.mark.parametrize("status", [500, 502, 503, 504])
def test_a_write_that_failed_is_never_repeated(fake: FakeDefectDojo, to: Made, status: int):
    """Half of it may be done: whoever wrote reads the state back first."""
    fake.interfere = lambda question: status

    with pytest.raises(Unknown):
        to(fake.url, fake.token).patch("product_types/1/", {"name": "Other"})

    assert asked(fake, "PATCH") == 1


def test_a_write_whose_answer_is_lost_is_unknown_and_was_done(fake: FakeDefectDojo, to: Made):
    dojo = to(fake.url, fake.token)
    test = a_test(dojo, 1)
    (row,) = dojo.pages("findings/", test=test)
    fake.control.strike("reset", times=1)

    with pytest.raises(Unknown):
        dojo.patch(f"findings/{row['id']}/", {"severity": "Low"})

    assert asked(fake, "PATCH") == 1
    assert dojo.get(f"findings/{row['id']}/")["severity"] == "Low"


def test_a_write_that_was_put_off_or_never_sent_is_sent_again(fake: FakeDefectDojo, to: Made):
    dojo = to(fake.url, fake.token)
    fake.interfere = first(1, Answer(429, {"Retry-After": "1"}))
    assert dojo.patch("product_types/1/", {"name": "Other"})["name"] == "Other"
    assert asked(fake, "PATCH") == 2

    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        with pytest.raises(Down, match="refused"):
            to(f"http://127.0.0.1:{nobody.getsockname()[1]}").patch("product_types/1/", {"name": "Other"})


def test_writes_keep_to_their_budget(fake: FakeDefectDojo, to: Made, slept: list[float]):
    dojo = to(fake.url, fake.token, writes_per_minute=1)

    for n in range(6):
        dojo.post("product_types/", {"name": f"T {n}"})

    assert sum(slept) > 200  # of the 300 seconds some may have passed by themselves
    assert dojo.writes == 6


def test_no_secret_leaves_and_nothing_is_sent_elsewhere(fake: FakeDefectDojo, to: Made):
    log: list[Any] = []
    dojo = to(fake.url, fake.token, log=lambda event, **facts: log.append((event, facts)))
    fake.interfere = lambda question: as_json({"name": [f"Token {fake.token} is bad"], fake.token: ["x"]}, 400)

    with pytest.raises(Refused) as caught:
        dojo.get("product_types/", name=fake.token)

    told = f"{caught.value!r} {caught.value} {caught.value.fields} {log} {dojo_settings(fake)!r}"
    assert fake.token not in told
    assert "is bad" in told
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    before = len(fake.asked)
    fake.interfere = lambda question: Answer(302, {"Location": f"{fake.url}api/v2/users/"})
    with pytest.raises(Unreadable, match="redirected"):
        dojo.get("product_types/1/")
    assert len(fake.asked) == before + 1


def dojo_settings(fake: FakeDefectDojo) -> DefectDojoSettings:
    return DefectDojoSettings.model_validate({"url": fake.url, "token": SecretStr(fake.token)})


def test_what_is_no_answer_of_the_api_is_told_at_once(fake: FakeDefectDojo, to: Made):
    dojo = to(fake.url, fake.token, limits=Limits(page_bytes=1_000))
    page = Answer(200, {"Content-Type": "text/html"}, b"<!doctype html><html>Log in</html>")
    for answer, why in ((page, "web page"), (as_json([1]), "object"), (as_json({"a": "x" * 2_000}), "more than")):
        fake.interfere = lambda question, answer=answer: answer
        with pytest.raises(Unreadable, match=why):
            dojo.get("product_types/1/")


def test_an_address_that_is_not_called_is_not_called(fake: FakeDefectDojo, to: Made):
    with pytest.raises(Unreachable, match="private address"):
        to(fake.url, fake.token, policy=AddressPolicy("refuse")).get("product_types/1/")

    assert fake.asked == []


def test_whoever_waits_may_be_called_away(fake: FakeDefectDojo, to: Made):
    class Away(Exception):
        pass

    asked, answered = threading.Event(), threading.Event()

    def look() -> None:
        if asked.is_set():
            raise Away

    def hang(question: Any) -> None:
        asked.set()
        answered.wait(60)

    fake.interfere = hang
    try:
        with pytest.raises(Away):
            to(fake.url, fake.token, look=look).get("product_types/1/")
    finally:
        answered.set()


FIELD = {"name": ["product with this name already exists."], "message": "{'name': 'exists'}", "pro": ["Buy"]}


@pytest.mark.parametrize(
    ("status", "body", "kind", "word"),
    [
        (403, {"detail": "Invalid token."}, TokenRejected, "Invalid token"),
        (403, {"detail": "Authentication credentials were not provided."}, TokenRejected, "credentials"),
        (403, {"detail": "You do not have permission to perform this action."}, NotPermitted, "permission"),
        (404, {"detail": "No Test matches the given query."}, NotThere, "No Test"),
        (404, None, Unreadable, "no such path"),
        (400, FIELD, Refused, "name: product with this name already exists."),
        (400, ['Product "x" does not exist'], Refused, 'Product "x"'),
        (400, {"non_field_errors": ["Report file is too large. Maximum supported size is 100 MB"]}, TooLarge, "100 MB"),
        (409, {"message": "a unique field value already exists"}, Refused, "unique"),
        (413, None, TooLarge, "413"),
        (415, {"detail": "Unsupported media type"}, Unreadable, "media"),
    ],
)
def test_a_refusal_says_what_to_do(status: int, body: Any, kind: type[DojoError], word: str):
    """The forms of answers are those that servers of 2.50.4 and 3.2.0 gave."""
    error = refusal("POST /api/v2/x/", status, body)

    assert type(error) is kind
    assert word in error.what
    assert "Buy" not in error.what
    assert error.next_step.endswith(".")


def test_a_size_follows_the_time_it_takes():
    size = BATCH
    for _ in range(10):
        size = size.after(size.now, size.now / 100)  # a hundred a second, so a thousand in ten
    assert size.now == BATCH.most

    slow = size.after(size.now, 50)
    assert slow.now == size.most // 5
    assert slow.after(3, 0.001).now == slow.now  # a short last one says little
    assert slow.after_failure().now == slow.now // 4
    assert slow.after(slow.now, 9_999).now == slow.least


@pytest.mark.parametrize("per_minute", [1, 30, 120, 6_000])
def test_a_budget_is_kept_in_every_minute(per_minute: int):
    now = 0.0
    budget, sent = Budget(per_minute, lambda: now), list[float]()
    for n in range(3 * per_minute + 10):
        now += budget.take()
        sent.append(now)
        now += 20 if n == per_minute else 0  # a pause must not save up more than a little

    most = max(sum(at <= one < at + 60 for one in sent) for at in sent[:: max(1, per_minute // 50)])
    assert most <= per_minute * 13 / 12 + 1


@pytest.mark.parametrize(
    ("text", "url"),
    [
        (" https://Dojo.example.org/ ", "https://dojo.example.org"),
        ("https://dojo.example.org/api/v2/", "https://dojo.example.org"),
        ("http://[::1]:8080/dojo/api/v2", "http://[::1]:8080/dojo"),
    ],
)
def test_a_url_is_taken_as_a_browser_shows_it(text: str, url: str):
    assert base_url(text) == url


@pytest.mark.parametrize(
    "text",
    ["", "canary", "ftp://x", "https://u:p@x", "https://x?a=1", "https://x#a", "https://x:99999", "https://x/a b"],
)
def test_what_is_no_url_of_a_server_is_refused_without_being_repeated(text: str):
    with pytest.raises(NoLocation) as caught:
        base_url(text)

    assert not text or text not in str(caught.value)
