"""Every route has an example of what it takes and what it answers, and each is as the route is today.

They were recorded: `./dev test tests/api/record_examples.py` does it again.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
from django.test import RequestFactory

from tidegate.api import app, docs
from tidegate.api import example as the_module
from tidegate.api.example import example_of, examples, sent_to
from tidegate.api.route import ROUTES, Route
from tidegate.api.table import SECRET
from tidegate.api.trigger import TAKE_CALL
from tidegate.rules.list_file import rows_within

assert app.api
FILE = Path(the_module.__file__).parent / "examples.json"
EVERY = [*ROUTES, TAKE_CALL]
every_route = pytest.mark.parametrize("route", EVERY, ids=lambda one: one.of)

LEADS_AWAY = re.compile(r"\b[a-z]+://[^\s\"']+|\b[\w.-]+\.(?:com|org|net|io|test|local)\b|\d+\.\d+\.\d+\.\d+")
FIT = re.compile(r"(?:[a-z]+://)?(?:[\w.@-]*[.@])?example\.com(?:[:/].*)?")
NO_SECRETS = {
    "what the tool gave you",
    "a long sentence of theirs",
    "json://hooks.example.com/team",
    "https://hooks.example.com/tidegate",
    "whsec_YW4gZXhhbXBsZSwgbm90IGEgc2VjcmV0",
}


@every_route
def test_its_answer_is_one_of_today(route: Route):
    """Each field is there, of its type, and no other; a list has a row."""
    given = example_of(route).answers

    if route.answers is None:
        assert bool(given) == bool(route.kinds)
        return
    assert msgspec.to_builtins(msgspec.convert(given, route.answers), order="deterministic") == given
    rows = rows_within(route.answers)
    assert rows is None or given[rows[0]], "a list without a row teaches nobody"


@every_route
def test_its_body_is_one_of_today(route: Route):
    given = sent_to(route)

    if route.body is None:
        assert route is TAKE_CALL or given is None
        return
    assert given
    route.body.model_validate_json(msgspec.json.encode(given))


@every_route
def test_it_stands_in_the_document(route: Route):
    operation = app.api.document["paths"]["/api/v1" + route.path][route.method.lower()]

    def shown(part: Any) -> Iterator[Any]:
        for content in part.get("content", {}).values():
            yield from (one["value"] for one in content.get("examples", {}).values())

    sent, answered = sent_to(route), example_of(route).answers
    assert list(shown(operation.get("requestBody", {}))) == ([] if sent is None else [sent])
    assert list(shown(operation["responses"][str(route.status)])) == ([] if answered is None else [answered])


def test_they_stand_on_the_page_of_the_api_as_a_person_reads_them():
    page = html.unescape(docs.page(RequestFactory().get("/api/v1/docs"), app.api.document).content.decode())
    line = example_of(next(route for route in EVERY if route.of == "reads.export.exported_findings")).answers

    assert line in page, "a file stands there line by line"
    assert '"deed": "ignore",\n  "matching": {' in page
    answered = sum(example_of(route).answers is not None for route in EVERY)
    assert page.count("<pre>") == answered + sum(sent_to(route) is not None for route in EVERY)


def test_none_is_of_a_route_that_is_gone_or_says_twice_what_stands_at_the_route():
    assert set(examples()) <= {route.of for route in EVERY}
    assert [route.of for route in EVERY if route.sends is not None and example_of(route).sends is not None] == []


def test_none_leads_anywhere():
    """No host stands in them but example.com."""
    told = [text for one in EVERY for text in texts([sent_to(one), example_of(one).answers])]

    assert {found for text in told for found in LEADS_AWAY.findall(text) if not FIT.fullmatch(found)} == set()


@pytest.mark.parametrize("route", [one for one in EVERY if one.secret], ids=lambda one: one.of)
def test_what_is_shown_once_is_shown_by_none(route: Route):
    answered = example_of(route).answers

    assert {answered[name] for name in SECRET if answered.get(name)} == {"shown once"}


def test_what_is_sent_as_a_secret_is_none():
    sent = {
        text
        for route in EVERY
        for name, field in (route.body.model_fields if route.body else {}).items()
        if "SecretStr" in repr(field.annotation)
        for text in texts((sent_to(route) or {}).get(name))
    }

    assert sent
    assert sent <= NO_SECRETS


def texts(value: Any) -> Iterator[str]:
    """All texts within."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (dict, list)):
        yield from (text for one in (value.values() if isinstance(value, dict) else value) for text in texts(one))  # pyright: ignore[reportUnknownVariableType]
