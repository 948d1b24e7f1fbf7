"""The audit log over the API: all of it for administrators of everything, nothing of it for anybody else."""

from __future__ import annotations

import csv
import io
import json

import pytest

from tests import world
from tests.api.conftest import Api
from tidegate.rules.access import Grant
from tidegate.store.models import AuditLine


def test_a_change_through_the_api_says_which_token_and_which_address(api: Api):
    """promises.md, Users: every change is in the audit log."""
    burp = world.connection("Burp")

    assert api.as_("operator").post(f"/connections/{burp.pk}/pause", {"because": "a reason"}).status == 200

    answer = api.as_("administrator").get("/audit", action="connection.pause_connection")
    (line,) = answer.json["lines"]
    assert (line["actor"], line["through"], line["token"], line["address"]) == ("operator", "API", "test", "127.0.0.1")
    assert (line["outcome"], line["target"], line["target_ids"]) == ("done", "connection", [burp.pk])


def test_what_was_forbidden_has_its_line(api: Api):
    burp = world.connection("Burp")

    assert api.as_("reader").post(f"/connections/{burp.pk}/pause", {}).status == 403

    (line,) = AuditLine.objects.filter(actor="reader", action="connection.pause_connection")
    assert (line.outcome, line.target_ids) == ("forbidden", [burp.pk])


@pytest.mark.parametrize("path", ["/audit", "/audit/export"])
def test_nobody_but_an_administrator_of_everything_sees_it(api: Api, path: str):
    burp = world.connection("Burp")
    of_one = api.as_("somebody", Grant("administrator", "connection", burp.pk))

    for one in (api.as_("operator"), api.as_("stranger"), of_one):
        answer = one.get(path)
        assert (answer.status, answer.problem) == (403, "forbidden")
        assert b"token.add_token" not in answer.body
    assert api.as_("administrator").get(path).status == 200


def test_an_export_is_all_of_it_the_oldest_first(api: Api):
    asked = api.as_("administrator")
    for n in range(3):
        AuditLine.objects.create(actor=f"a{n}", through="API", action="a.b", outcome="done", facts={"n": n})

    answer = asked.get("/audit/export", action="a.b")

    assert answer.headers["content-type"] == "application/x-ndjson"
    assert [json.loads(line)["actor"] for line in answer.body.splitlines()] == ["a0", "a1", "a2"]


def test_no_cell_of_the_csv_is_a_formula(api: Api):
    """promises.md, Input: CSV guarded against formulas."""
    asked = api.as_("administrator")
    AuditLine.objects.create(actor="=1+1", through="API", action="a.b", outcome="done", facts={})

    answer = asked.get("/audit/export", format="csv", action="a.b")
    head, row = csv.reader(io.StringIO(answer.body.decode(), newline=""))

    assert dict(zip(head, row, strict=True))["actor"] == "'=1+1"


@pytest.mark.parametrize("cursor", ["nonsense", "WyJcdWQ4MDAiXQ", "WzFd" * 100])
def test_a_cursor_that_is_none_is_told_so(api: Api, cursor: str):
    assert api.as_("administrator").get("/audit", cursor=cursor).status == 400
