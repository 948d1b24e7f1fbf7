"""The page a third party reads first: its Tool runs, prints what the page says, and conforms. The guide beside it."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import httpx2
import pytest

import tidegate_sdk
from sdk.tests.conformance import linked, pooled
from sdk.tests.conftest import PATIENT
from tidegate_sdk.conformance import Answer, Request, Suite, World

SDK = Path(__file__).parents[1]
README = (SDK / "README.md").read_text()
GUIDE = (SDK.parent / "docs/guide/write-a-tool.md").read_text()
SETTINGS = {"url": "https://acme.test/", "token": "acme-0123-secret-token"}


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)


def acme() -> dict[str, Any]:
    """The names of the page's first two blocks."""
    names: dict[str, Any] = {"__name__": "readme"}
    for block in blocks(README, "python")[:2]:
        exec(compile(block, "sdk/README.md", "exec", dont_inherit=True), names)
    return names


def finding(key: str, **more: Any) -> dict[str, Any]:
    row = {"id": key, "kind": "issue", "title": f"A hole by the name of {key}", "severity": "High", "state": "open"}
    return {**row, "description": "It is open to everybody.", "location": {"file": f"src/{key}.py"}, **more}


FINDINGS = {
    "a-1": [finding("f-1"), finding("f-2", severity="grave"), finding("f-3", kind="note")],
    "a-2": [finding("f-4"), finding("f-5", state="fixed")],
    "a-3": [],
}
APPLICATIONS = [{"id": key, "name": name} for key, name in zip(FINDINGS, ("Shop", "Wiki", "Blog"), strict=True)]


class Vendor:
    """Acme as its documentation would have it."""

    def answer(self, request: Request) -> Answer:
        if request.path == "/api/me":
            return Answer({"id": "u-1", "login": "bot"})
        if request.path == "/api/applications":
            return self.page(APPLICATIONS, request)
        if found := re.fullmatch(r"/api/applications/(a-\d)/findings", request.path):
            return self.page(FINDINGS[found[1]], request)
        return Answer({"message": "no such thing"}, status=404)

    def page(self, rows: list[Any], request: Request) -> Answer:
        size = min(int(request.query["per_page"]), 2)
        start = (int(request.query["page"]) - 1) * size
        return Answer({"items": rows[start : start + size], "total": len(rows)})


async def test_the_tool_of_the_readme_prints_what_the_readme_says(capsys: pytest.CaptureFixture[str]):
    names = acme()

    def reply(request: httpx2.Request) -> httpx2.Response:
        answers: dict[str, Any] = {
            "/api/applications": {"items": APPLICATIONS, "total": 3},
            "/api/applications/a-1/findings": {"items": FINDINGS["a-1"], "total": 3},
            "/api/applications/a-2/findings": {"items": FINDINGS["a-2"][:1], "total": 2},
        }
        body = answers.get(request.url.path)
        if request.url.params.get("page") != "1":
            body = {"items": [], "total": 2}
        return httpx2.Response(404) if body is None else httpx2.Response(200, json=body)

    tool = names["Acme"](names["AcmeSettings"].model_validate(SETTINGS))
    async with tool.open(limits=PATIENT, transport=httpx2.MockTransport(reply)) as session:
        await names["tell"](session)

    assert capsys.readouterr().out == blocks(README, "text")[0]


def test_the_settings_of_the_readme_say_where_to_find_each_value():
    fields = acme()["AcmeSettings"].model_fields

    assert all(field.title and field.description for field in fields.values())


async def test_the_tool_of_the_readme_conforms(tmp_path: Path):
    world = World(
        acme()["Acme"],
        SETTINGS,
        vendor=Vendor,
        source="https://acme.test/api",
        expects={"VEPs": 3, "code": 4},
        skips_by=frozenset({"kind"}),
    )
    suite = Suite(world, tmp_path / "world")

    problems = {case: found for case in suite.cases if (found := await suite.problems(case))}

    assert problems == {}


def test_the_entry_point_of_readme_and_guide_is_the_one_the_catalog_reads():
    [readme], [guide] = blocks(README, "toml"), blocks(GUIDE, "toml")

    assert tomllib.loads(readme) == tomllib.loads(guide)
    assert tomllib.loads(readme)["project"]["entry-points"] == {"tidegate.tools": {"acme": "acme.connector:Acme"}}


def test_the_tool_of_the_guide_is_cut_from_a_tool_that_conforms():
    sample = (SDK / "tests/conformance/linked.py").read_text()

    parts = [part.strip("\n") for part in re.split(r"\n(?=    def |\nclass )", blocks(GUIDE, "python")[0])]

    assert len(parts) > 4
    assert [part for part in parts if part not in sample] == []


def test_the_shared_walks_of_the_guide_are_cut_from_a_tool_that_conforms():
    sample = (SDK / "tests/conformance/pooled.py").read_text()

    parts = [part.strip("\n") for part in re.split(r"\n(?=    def |\ndef )", blocks(GUIDE, "python")[1])]

    assert len(parts) == 4
    assert [part for part in parts if part not in sample] == []


def test_the_cases_that_the_guide_explains_exist(tmp_path: Path):
    cases = {**Suite(linked.WORLD, tmp_path / "world").cases, **Suite(pooled.WORLD, tmp_path / "world").cases}
    explained = re.findall(r"^\| ([a-z][^`|]*) \|", GUIDE.partition("| red case |")[2], re.MULTILINE)

    assert len(explained) > 5
    assert [case for case in explained if not case.startswith("fault: ") and case not in cases] == []
    assert 80 < len(Suite(linked.WORLD, tmp_path / "world").cases) < 130  # "about a hundred"


def test_the_fields_of_a_world_that_the_guide_names_exist():
    named = re.findall(r"^\| `([a-z]\w+)` \|", GUIDE, re.MULTILINE)

    assert named
    assert set(named) <= set(World.__dataclass_fields__)


@pytest.mark.parametrize("text", [README, GUIDE], ids=["readme", "guide"])
def test_the_table_of_shapes_names_every_one_with_the_kind_of_its_proof(text: str):
    rows = dict(re.findall(r"^\| `([A-Z]\w+)` \|.*\| ([^|]+) \|$", text, re.MULTILINE))

    shapes = {name for name in tidegate_sdk.__all__ if getattr(getattr(tidegate_sdk, name), "__module__", "") == PAGING}
    assert set(rows) == shapes - {"steady_total"}
    assert {name: kind.partition(";")[0] for name, kind in rows.items()} == KINDS


PAGING = "tidegate_sdk.paging"
KINDS = {
    "Whole": "whole",
    **dict.fromkeys(("PageNumber", "Offset"), "drifting"),
    **dict.fromkeys(("NextLink", "LinkHeader", "Cursor", "SearchAfter", "GraphQL", "Export"), "steady"),
}


CLASSES = [name for name in tidegate_sdk.__all__ if isinstance(getattr(tidegate_sdk, name), type)]


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_class_says_what_it_is_for(name: str):
    own = vars(getattr(tidegate_sdk, name)).get("__doc__") or ""

    assert own
    assert not own.startswith(f"{name}(")  # what dataclass writes where nobody did
