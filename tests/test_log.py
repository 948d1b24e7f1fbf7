"""No secret stands in a log line, however it got there (promises.md, invariant 7)."""

from __future__ import annotations

import io
import json
import logging
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tidegate.config import Settings
from tidegate.log import bound, carried, redacted, set_up_log

HUSH = "hush-hush-4711"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    written, handlers, level = io.StringIO(), logging.root.handlers, logging.root.level
    set_up_log(level=logging.DEBUG, as_json=True, stream=written)
    yield written
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def lines(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


@pytest.mark.parametrize(
    "facts",
    [
        {"token": HUSH},
        {"api_key": HUSH},
        {"accessToken": HUSH},
        {"secretAccessKey": HUSH},
        {"password": HUSH},
        {"headers": {"Authorization": f"Bearer {HUSH}"}},
        {"url": f"postgresql://alice:{HUSH}@db/x"},
        {"url": f"postgresql://alice:a@{HUSH}@db/x"},
        {"url": f"https://burp.example/?api_key={HUSH}&page=2"},
        {"body": f'{{"client_secret": "{HUSH}"}}'},
        {"nested": [{"secret": HUSH}, (f"token={HUSH}",)]},
        {"found": f"-----BEGIN RSA PRIVATE KEY-----\n{HUSH}\n-----END RSA PRIVATE KEY-----"},
        {"found": f"-----BEGIN PRIVATE KEY-----\n{HUSH}"},
        {"body": f"{{'clientSecret': '{HUSH}'}}"},
        {"command": f"--page=2 --my-api-key={HUSH} --next"},
        {"text": f"page: token={HUSH}"},
        {"error": ValueError(f"password={HUSH} is wrong")},
    ],
)
def test_facts_lose_their_secrets(log: io.StringIO, facts: dict[str, Any]):
    structlog.get_logger("tidegate").warning("asked the vendor", **facts)

    assert HUSH not in log.getvalue()
    assert json.loads(log.getvalue())["event"] == "asked the vendor"


def test_other_libraries_go_through_the_same_chain(log: io.StringIO):
    logging.getLogger("httpx2").info("GET https://alice:%s@burp.example Authorization: %s", HUSH, HUSH)

    assert HUSH not in log.getvalue()
    assert json.loads(log.getvalue())["level"] == "info"


def test_a_traceback_loses_them_too(log: io.StringIO):
    try:
        raise RuntimeError(f"login with password={HUSH}")
    except RuntimeError:
        structlog.get_logger("tidegate").exception("failed")

    assert HUSH not in log.getvalue()
    assert "RuntimeError" in log.getvalue()


@pytest.mark.parametrize(
    "word", ["token", "a+", "a-", "authorization ", "secret=", "x://", "-----BEGIN PRIVATE KEY-----"]
)
def test_a_megabyte_of_one_word_takes_no_longer_than_other_text(word: str):
    """A vendor's text gets into errors, and errors into the log: no pattern may go over it again and again."""
    text = word * (1_000_000 // len(word))
    began = time.perf_counter()

    redacted(text)

    assert time.perf_counter() - began < 10


def test_what_is_no_secret_stays_readable():
    text = "Sync 12 of https://burp.example/graphql?page=2: 3 tokens of 12 pages, key figures unchanged"

    assert redacted(text) == text


def test_every_line_of_a_run_says_which_operation_and_part(log: io.StringIO):
    """Issue 4, 11: structured logs with the Operation's id, ours and those of libraries, while it runs."""
    set_up_log("worker", level=logging.INFO, as_json=True, stream=log)

    with bound(operation=12, connection="Burp"):
        structlog.get_logger("tidegate").info("reading")
        logging.getLogger("procrastinate.worker").warning("slow")
    structlog.get_logger("tidegate").info("idle")

    assert [(line["part"], line.get("operation"), line.get("connection")) for line in lines(log)] == [
        ("worker", 12, "Burp"),
        ("worker", 12, "Burp"),
        ("worker", None, None),
    ]


def test_another_thread_says_it_only_where_it_was_carried_over(log: io.StringIO):
    """A thread of a run that was begun without it must not speak for another Operation."""
    say = structlog.get_logger("tidegate").info
    with bound(operation=12):
        threads = [threading.Thread(target=work, args=("beat",)) for work in (carried(say), say)]

    for thread in threads:
        thread.start()
        thread.join()

    assert [line.get("operation") for line in lines(log)] == [12, None]


def test_two_runs_at_once_do_not_mix(log: io.StringIO):
    say = structlog.get_logger("tidegate").info
    met = threading.Barrier(2)

    def run(number: int) -> None:
        with bound(operation=number):
            met.wait()
            say("reading", mine=number)

    threads = [threading.Thread(target=run, args=(number,)) for number in (1, 2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert {line["operation"]: line["mine"] for line in lines(log)} == {1: 1, 2: 2}


@pytest.mark.parametrize(
    "hostile", ["a\nlevel=error", "a\rlevel=error", "\x1b[2J\x9b2J", "a\u2028b\u202eb", "\0", 'a" level="error']
)
def test_what_a_vendor_wrote_is_one_line_and_moves_no_cursor(hostile: str):
    written = io.StringIO()
    set_up_log("worker", level=logging.INFO, as_json=False, stream=written)

    structlog.get_logger("tidegate").warning("named", record=hostile)

    [line] = written.getvalue().splitlines()
    assert line.isprintable()
    assert line.split(" level=")[1].startswith("warning ")


@pytest.mark.parametrize(
    ("part", "settings", "said"),
    [
        ("worker", Settings(), ["info", "warning"]),
        ("", Settings(), ["warning"]),
        ("", Settings(log_level="debug"), ["debug", "info", "warning"]),
        ("worker", Settings(log_level="error"), []),
        ("worker", None, ["info", "warning"]),
    ],
)
def test_a_part_of_the_service_says_more_than_a_command(part: str, settings: Settings | None, said: list[str]):
    written = io.StringIO()
    set_up_log(part, settings, as_json=True, stream=written)

    log = structlog.get_logger("tidegate")
    log.debug("1")
    log.info("2")
    log.warning("3")

    assert [line["level"] for line in lines(written)] == said


def test_the_format_is_a_setting(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIDEGATE_LOG_FORMAT", "JSON")
    written = io.StringIO()
    set_up_log("web", Settings(), stream=written)

    structlog.get_logger("tidegate").info("begun")

    assert lines(written)[0]["part"] == "web"


@pytest.mark.parametrize("name", ["apprise", "httpcore.http11", "django.db.backends", "procrastinate.jobs"])
def test_no_library_is_heard_at_its_loudest(log: io.StringIO, name: str):
    """There they write addresses and headers whose secrets no pattern could know."""
    logging.getLogger(name).debug("POST https://chat.example/hooks/%s", HUSH)

    assert log.getvalue() == ""


def test_an_access_log_has_no_query(log: io.StringIO):
    access = logging.getLogger("uvicorn.access")
    access.addHandler(logging.StreamHandler(log))
    set_up_log("web", level=logging.INFO, as_json=True, stream=log)

    access.info('%s - "%s %s HTTP/%s" %d', "127.0.0.1:5", "GET", f"/metrics?odd={HUSH}", "1.1", 200)

    assert HUSH not in log.getvalue()
    assert [line["event"] for line in lines(log)] == ['127.0.0.1:5 - "GET /metrics HTTP/1.1" 200']
