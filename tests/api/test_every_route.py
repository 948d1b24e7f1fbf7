"""Every route, as everybody: nobody without a token comes in, reads answer, and no role gets a surprise."""

from __future__ import annotations

import json
import re

import pytest

from tests import world
from tests.api.conftest import Api
from tidegate.api import app
from tidegate.api.route import ROUTES, Route

assert app.api
QUERY = {
    "actions.connection.continuable": {"tool": "burpsuite"},
    "actions.connection.threshold_effect": {"minimum_severity": "High"},
    **{route.of: {"text": "nobody"} for route in ROUTES if route.of.endswith(".named")},
}
READS = [one for one in ROUTES if one.method == "GET"]


def filled(route: Route) -> str:
    """The path with numbers that are there, or could be."""
    return re.sub(r"\{(\w+)\}", lambda name: "burpsuite" if name[1] in ("slug", "tool") else "1", route.path)


@pytest.mark.parametrize("route", ROUTES, ids=lambda one: one.of)
def test_nobody_without_a_token_is_answered(api: Api, route: Route):
    answer = api.as_("nobody").ask(route.method, filled(route), {}, None if route.method == "GET" else {})

    assert (answer.status, answer.problem) == (401, "not-logged-in")
    assert answer.headers["www-authenticate"].startswith("Bearer")


def test_every_shape_has_a_name_of_its_own():
    """Two of one name are told apart by the modules they stand in, and that is nothing for people."""
    names = app.api.document["components"]["schemas"]
    named = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(app.api.document)))

    assert [name for name in names if "." in name or "_" in name] == []
    assert named - names.keys() == set()


@pytest.mark.parametrize("route", READS, ids=lambda one: one.of)
def test_a_read_answers_an_administrator_and_tells_a_stranger_nothing(api: Api, route: Route):
    world.record(world.connection("Burp"), "shop")

    query = QUERY.get(route.of, {})
    answer = api.as_("administrator").get(filled(route), **query)
    of_a_stranger = api.as_("stranger").get(filled(route), **query)

    assert answer.status in (200, 404), answer.body
    assert of_a_stranger.status in (200, 403, 404), of_a_stranger.body
    assert b"shop" not in of_a_stranger.body
    assert b"Burp" not in of_a_stranger.body.replace(b"BurpSuite", b"").replace(b"Burp Suite", b"")
