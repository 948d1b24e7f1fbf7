"""No secret stands in a log line, however it got there (promises.md, invariant 7)."""

from __future__ import annotations

import io
import json
import logging
import time
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from tidegate.log import redacted, set_up_log

HUSH = "hush-hush-4711"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    written, handlers, level = io.StringIO(), logging.root.handlers, logging.root.level
    set_up_log(level=logging.DEBUG, as_json=True, stream=written)
    yield written
    logging.root.handlers = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


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
