"""Configuration as code over the API: who may, what is never told or looked up, and what is left to do afterwards."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api.conftest import Api
from tidegate.api.app import api as the_api
from tidegate.catalog import stored_secrets
from tidegate.rules.access import Grant
from tidegate.store import models

KEY = "connections[0].secrets.api_key"
CANARY = "canary-api-key-in-a-vault"
DOCUMENT = """\
version: 1
product_types: [{name: Web}]
connections:
  - label: Burp
    tool: burpsuite
    settings: {url: https://burp.example.org}
    secrets: {api_key: {env: BURP_KEY}}
"""
WHOLE: dict[str, Any] = {"document": DOCUMENT, "secrets": {KEY: CANARY}, "source": "tidegate.yaml"}
PATHS = ("/configuration/plan", "/configuration/apply")


def test_only_an_administrator_of_everything_plans_applies_and_exports(api: Api):
    api.as_("administrator").post("/configuration/apply", WHOLE)
    burp = models.Connection.objects.get(label="Burp").pk

    for somebody in (
        api.as_("reader"),
        api.as_("operator"),
        api.as_("stranger"),
        api.as_("of burp", Grant("administrator", "connection", burp)),
    ):
        refused = [somebody.post(path, WHOLE) for path in PATHS] + [somebody.get("/configuration/export")]
        assert [(one.status, one.problem) for one in refused] == [(403, "forbidden")] * 3
        assert not any(b"Burp" in one.body for one in refused)
        assert somebody.post("/configuration/validate", {"document": DOCUMENT}).json["ok"] is True
    done = models.AuditLine.objects.filter(outcome="done", action__startswith="configuration.")
    assert done.exists()
    assert not done.exclude(actor="administrator").exists()


def test_what_is_planned_is_applied_and_then_nothing_is_left(api: Api):
    administrator = api.as_("administrator")

    planned = administrator.post("/configuration/plan", WHOLE)
    assert not models.Connection.objects.exists()
    applied = administrator.post("/configuration/apply", WHOLE)
    again = administrator.post("/configuration/apply", WHOLE)

    assert [(one["verb"], one["what"], one["line"]) for one in planned.json["changes"]] == [
        ("create", "Product Type «Web»", 2),
        ("create", "Connection «Burp»", 4),
    ]
    assert (applied.status, applied.json["managed"], len(applied.json["operations"])) == (200, 2, 1)
    assert (again.status, again.json["changes"]) == (200, [])
    exported = administrator.get("/configuration/export").json["document"]
    assert "label: Burp" in exported
    assert administrator.post("/configuration/plan", {"document": exported}).json["changes"] == []
    shown = administrator.get("/product-types").json["product_types"]
    assert [one["managed_by"] for one in shown if one["name"] == "Web"] == ["tidegate.yaml"]


def test_no_secret_comes_back_and_none_stands_in_the_audit_log(api: Api):
    """promises.md, Secrets: write-only through API; never in an answer, an error or the audit log."""
    administrator = api.as_("administrator")
    wrong = [
        {**WHOLE, "secrets": {KEY: [CANARY]}},
        {**WHOLE, "secrets": {KEY: CANARY, "x": ""}},
        {**WHOLE, "source": CANARY, "prune": "perhaps"},
        {**WHOLE, "document": DOCUMENT.replace("{env: BURP_KEY}", CANARY)},
    ]

    answers = [administrator.post(path, body) for path in PATHS for body in (WHOLE, *wrong)]
    answers.append(administrator.get("/configuration/export"))

    assert [one.status for one in answers] == [200, 422, 422, 422, 409] * 2 + [200]
    assert not any(CANARY.encode() in one.body for one in answers)
    assert "canary" not in str(list(models.AuditLine.objects.values_list("facts", flat=True)))
    assert stored_secrets(models.Connection.objects.get(label="Burp"))["api_key"].get_secret_value() == CANARY


@pytest.mark.parametrize("reference", ["{env: BURP_KEY}", "{file: FILE}", "{command: [touch, MARK]}"])
def test_what_a_file_refers_to_is_never_looked_up_here(
    api: Api, reference: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """promises.md, Secrets: a file that is sent reads no variable and no file of this machine, and runs no command."""
    monkeypatch.setenv("BURP_KEY", CANARY)
    (tmp_path / "secret").write_text(CANARY)
    said = reference.replace("FILE", str(tmp_path / "secret")).replace("MARK", str(tmp_path / "mark"))
    body = {"document": DOCUMENT.replace("{env: BURP_KEY}", said)}
    document = the_api.document

    answers = [api.as_("administrator").post(path, body) for path in PATHS]

    assert [one.status for one in answers] == [200, 207]  # the Product Type is made
    assert {"200", "207", "409"} <= document["paths"]["/api/v1/configuration/apply"]["post"]["responses"].keys()
    assert "refers to was not given" in answers[1].json["changes"][1]["sentence"]
    assert not any(CANARY.encode() in one.body for one in answers)
    assert not (tmp_path / "mark").exists()
    assert not models.Connection.objects.exists()


def test_a_guess_is_answered_as_the_secret_is(api: Api):
    """promises.md, Secrets: nobody learns from afar whether a guess is the secret that is stored."""
    administrator = api.as_("administrator")
    administrator.post("/configuration/apply", WHOLE)
    guess = {**WHOLE, "secrets": {KEY: "a guess"}}

    for path in PATHS:
        assert administrator.post(path, WHOLE).json == administrator.post(path, guess).json
    assert stored_secrets(models.Connection.objects.get(label="Burp"))["api_key"].get_secret_value() == CANARY


def test_what_is_wrong_is_said_and_nothing_is_done(api: Api):
    administrator = api.as_("administrator")
    wrong = DOCUMENT + "    hold_above: many\n"

    problems = administrator.post("/configuration/validate", {"document": wrong}).json["problems"]
    refused = administrator.post("/configuration/apply", {**WHOLE, "document": wrong})
    none = administrator.post(
        "/configuration/apply", {"document": DOCUMENT.replace("product_types: [{name: Web}]\n", "")}
    )

    assert [(one["line"], one["path"]) for one in problems] == [(8, "connections[0].hold_above")]
    assert (refused.status, refused.problem) == (409, "refused")
    assert "line 8, connections[0].hold_above" in refused.json["detail"]
    assert (none.status, [one["ok"] for one in none.json["changes"]]) == (409, [False])
    assert administrator.get("/configuration/export", mappings="some").status == 422
    assert administrator.post("/configuration/plan", {**WHOLE, "source": "a\nb"}).status == 422
    assert not models.ProductType.objects.filter(name="Web").exists()
