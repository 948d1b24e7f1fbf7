"""promises.md, Attack: vendor text is hostile. One world of it, through every way out: answers, exports, tables,
messages, problems. Whatever it says, it stays text: no answer breaks, no cell calculates, no header is added."""

from __future__ import annotations

import csv
import io
import json
import unicodedata
from typing import Any

import pytest
from pydantic import SecretStr

from tests import world as made
from tests.acme import World, row
from tests.api.conftest import Answer, Api
from tests.cli.conftest import Person, tidegate
from tests.delivery.webhook import Webhook
from tests.ingest.scene import Scene, scene, world
from tests.world import ALICE
from tidegate.actions.route import add_webhook
from tidegate.config import load_settings
from tidegate.delivery.courier import Courier
from tidegate.delivery.deliver import deliver_once
from tidegate.rules.mapping_file import unguarded
from tidegate.store import models

__all__ = ["scene", "tidegate", "world"]

HOSTILE = {
    "markup": "<script>alert(1)</script><img src=x onerror=alert(1)>&amp;\"'",
    "escapes": "\x1b[2J\x1b]0;owned\x07\x9b31mred",
    "direction": "invoice\u202egnp.exe\u2066\u200f",
    "nothing": "a\0b",
    "half a letter": "half \ud800 a letter",
    "a formula": "=cmd|'/C calc'!A1",
    "another": "@SUM(1+1)*cmd|' /C calc'!A0",
    "a number": "+1-1",
    "a formula behind a blank": " \t=1+1",
    "a wide formula": "＝1+1",
    "a header": "x\r\nSet-Cookie: owned=1\r\n\r\n<html>",
    "a line": 'a","b\n"c\u2028d\u2029e',
    "an apostrophe": "'=1",
    "a link": "javascript:alert(1)//[x](javascript:alert(1))",
    "a template": "{{7*7}} ${7*7} %s %(x)s {0} {name}",
    "much": "L" * 1_000_000,
}
FORMULAS = frozenset("=+-@\t\r＝＋－＠")
BIDI = ("RLO", "LRO", "RLE", "LRE", "PDF", "LRI", "RLI", "FSI", "PDI")


@pytest.fixture
def told(api: Api, scene: Scene, world: World) -> Api:
    """Names, titles, descriptions, paths and links of a vendor that means harm, discovered, mapped and synced."""
    for number, text in enumerate(HOSTILE.values()):
        finding = row(f"{text[:500]} {number}", title=text, description=text, severity="critical")
        world.add(f"v{number}", text[:2_000], {"f": finding})
    scene.discover()
    for number in range(len(HOSTILE)):
        scene.map(f"v{number}", f"Product {number}")
    scene.sync()
    assert models.Finding.objects.count() == len(HOSTILE)
    for one in models.Finding.objects.all():
        text = one.title[:3_000]
        one.fields |= {"path": text, "url": text, "component": text, "endpoint": text, "rule": text, "ids": [text]}
        one.save()
    return api


def sync() -> int:
    """Its number."""
    return models.Operation.objects.filter(type="sync").latest("pk").pk


def is_clean(answer: Answer) -> None:
    """UTF-8 that ends where it should, under headers that nobody else wrote."""
    assert answer.status == 200, answer.body[:500]
    answer.body.decode()
    assert "set-cookie" not in answer.headers
    for name, value in answer.headers.items():
        assert name.isascii()
        assert value.isprintable()
        assert "owned" not in name + value


def test_every_answer_is_json_that_says_what_is_stored(told: Api):
    asked = told.as_("administrator")
    record, finding = models.Record.objects.first(), models.Finding.objects.first()
    assert record is not None
    assert finding is not None
    for path in (
        "/records", f"/records/{record.pk}", "/findings", f"/findings/{finding.pk}", f"/findings/{finding.pk}/story",
        "/operations", f"/operations/{sync()}", f"/operations/{sync()}/log", "/products", "/tests", "/suggestions",
        "/audit", "/configuration/export", "/connections", "/status", "/news",
    ):  # fmt: skip
        answer = asked.get(path, **({"limit": 100} if path in ("/records", "/findings") else {}))
        is_clean(answer)
        assert answer.headers["content-type"] == "application/json"
        assert answer.headers["x-content-type-options"] == "nosniff"
        json.loads(answer.body)
    titles = {one["title"] for one in asked.get("/findings", limit=100).json["findings"]}
    assert titles == set(models.Finding.objects.values_list("title", flat=True))
    assert HOSTILE["markup"] in titles


def test_no_cell_of_a_csv_is_a_formula_and_none_begins_another(told: Api):
    """promises.md, Vendor text is hostile: CSV export guarded against formulas."""
    models.AuditLine.objects.create(actor="=1+1", through="API", action="=a|b", outcome="done", facts={"=1": "\t"})
    csv.field_size_limit(2_000_000)
    for path, least in (("/findings/export", len(HOSTILE)), ("/mappings", len(HOSTILE)), ("/audit/export", 1)):
        query = {} if path == "/mappings" else {"format": "csv"}
        answer = told.as_("administrator").get(path, **query)
        is_clean(answer)
        head, *lines = csv.reader(io.StringIO(answer.body.decode(), newline=""), strict=True)
        assert len(lines) >= least
        for cells in lines:
            assert len(cells) == len(head)
            assert not [cell for cell in cells if cell.lstrip()[:1] in FORMULAS and cell.strip()]
        if path == "/findings/export":
            said = {unguarded(dict(zip(head, cells, strict=True))["title"]) for cells in lines}
            assert said == set(models.Finding.objects.values_list("title", flat=True))


def test_other_exports_are_whole_and_lead_nowhere(told: Api):
    """promises.md, Vendor text is hostile: links only http(s)."""
    asked = told.as_("administrator")
    for path in ("/findings/export", "/audit/export"):
        answer = asked.get(path)
        is_clean(answer)
        assert all(isinstance(json.loads(line), dict) for line in answer.body.split(b"\n") if line)
    answer = asked.get("/findings/export", format="sarif")
    is_clean(answer)
    (run,) = answer.json["runs"]
    assert len(run["results"]) == len(HOSTILE)
    for result in run["results"]:
        uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
        assert uri.isascii()
        assert uri.isprintable()
        assert not uri.lower().startswith(("javascript:", "//", "data:"))
        assert "hostedViewerUri" not in result


COMMANDS = ("record list", "finding list", "finding show 1", "record show 1", "operation list", "operation show SYNC",
            "operation log SYNC", "product list", "audit list")  # fmt: skip


def test_no_terminal_obeys_it(told: Api, tidegate: Person):
    for command in COMMANDS:
        words = command.replace("SYNC", str(sync())).split()
        ran, as_json = tidegate(*words), tidegate(*words, "--json")
        assert ran.code in (0, 3), ran.err
        obeyed = {letter for letter in ran.out + ran.err if unicodedata.category(letter) == "Cc"} - {"\n"}
        assert not obeyed
        assert not [letter for letter in ran.out + ran.err if unicodedata.bidirectional(letter) in BIDI]
        json.loads(as_json.out)
        assert "\x1b" not in as_json.out


def test_messages_that_are_sent_are_json_and_bring_no_header(told: Api, scene: Scene, world: World):
    with Webhook() as hook, Courier("allow") as courier:
        add_webhook(ALICE, "Team", SecretStr(f"http://{hook.host}/x"))
        sync = made.operation(scene.connection, status="failed", why=HOSTILE["a header"].replace("\0", ""))
        for kind in ("new_records", "needs_you", "records", "recovered", "held", "overdue"):
            facts = {"why": HOSTILE["a header"], "names": [HOSTILE["markup"]],
                     "sentence": HOSTILE["escapes"]}  # fmt: skip
            models.News.objects.create(kind=kind, connection=scene.connection, operation=sync, facts=facts)
        while deliver_once(courier, load_settings()):
            pass
    assert hook.taken
    for request in hook.taken:
        assert isinstance(request.json, dict)
        assert not [name for name in request.headers if "cookie" in name.lower()]
        assert all(value.isprintable() for value in request.headers.values())


SENT: list[tuple[str, str, Any]] = [
    ("POST", "/connections", {"tool": "{}", "label": "{}"}),
    ("POST", "/connections", {"tool": "burpsuite", "label": "{}"}),
    ("POST", "/connections", {"tool": "burpsuite", "label": "x", "settings": {"{}": 1}}),
    ("POST", "/connections", {"tool": "burpsuite", "label": "x", "secrets": {"{}": "x"}}),
    ("POST", "/products", {"name": "{}", "{}": 1}),
    ("POST", "/products", {"name": "{}", "tags": ["{}"]}),
    ("POST", "/records/map", {"record_ids": [1], "new_product": "{}"}),
    ("POST", "/records/ignore", {"record_ids": [1], "because": "{}"}),
    ("POST", "/users", {"name": "{}", "email": "{}"}),
    ("POST", "/routes", {"name": "{}", "address": "json://127.0.0.1:1", "kinds": ["{}"]}),
    ("POST", "/configuration/validate", {"document": "version: 1\n{}: 1\n"}),
    ("POST", "/mappings/import", {"file": "{}"}),
    ("GET", "/findings?{}", None),
]


@pytest.mark.parametrize(("method", "path", "body"), SENT, ids=[f"{one[0]} {one[1]} {n}" for n, one in enumerate(SENT)])
def test_a_problem_repeats_what_was_sent_as_text_or_not_at_all(api: Api, method: str, path: str, body: Any):
    """promises.md, Vendor text is hostile: what a client sends is no friendlier."""
    made.record(made.connection("Burp"))
    asked = api.as_("administrator")
    for text in (whole[:5_000] for whole in HOSTILE.values()):
        if method == "GET":
            answer = asked.get(path.partition("?")[0], product_type=text.encode("utf-8", "replace")[:400])
        else:
            sent = json.dumps(body).replace("{}", json.dumps(text)[1:-1]).encode()
            answer = asked.ask(method, path, {}, sent)
        assert answer.status < 500, answer.body
        answer.body.decode()
        assert all(value.isprintable() for value in answer.headers.values())
        assert "set-cookie" not in answer.headers
        if answer.status >= 300:
            assert answer.json["status"] == answer.status
            assert len(answer.body) < 25_000, "it repeats more than anybody reads"
