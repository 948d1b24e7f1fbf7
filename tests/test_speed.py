"""docs/reference/speed.md: every row of the table of speed and size, held to the bars of the code."""

from __future__ import annotations

import asyncio
import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlencode

import pytest

from bench import report
from bench.figure import BARS, ROWS, Figure
from bench.many import Copies, world_of
from tidegate.catalog import BUILT_IN
from tidegate.connectors.sonarqube.rules import Rules
from tidegate.connectors.sonarqube.search import OF_HOTSPOTS, OF_ISSUES, Search
from tidegate_sdk import Ask, Page, Row
from tidegate_sdk.conformance import Request
from tidegate_sdk.conformance.player import Player
from tidegate_sdk.conformance.world import Vendor

MACHINE = {"processor": "Some", "cores": "2"}


def measured(*figures: Figure, growth: tuple[Figure, ...] = ()) -> dict[str, object]:
    works = {"ingest": figures, "growth": growth}
    told = {name: {"on": "2026-05-03", "figures": [f.as_dict() for f in its]} for name, its in works.items()}
    return {"machine": MACHINE, "works": told}


def test_every_row_has_its_heading_and_says_where_nothing_was_measured():
    page = report.page(measured())

    for row in ROWS:
        assert f"## {row[0].upper()}{row[1:]}\n\nNot measured yet." in page


def test_every_row_is_held_to_a_bar_or_asked_for_by_the_issue_alone():
    assert set(ROWS) - {bar.row for bar in BARS.values()} <= {"move or close 200,000 findings as a change"}
    assert {bar.row for bar in BARS.values()} <= set(ROWS)


def test_a_bar_that_is_missed_is_to_be_seen():
    page = report.page(measured(Figure.judged("unchanged", 0.9), Figure.judged("changed", 1.4)))

    assert "1 of 2 bars are missed." in page
    assert "| 1.40 × unchanged | ≤ 1.3 | **no** |" in page
    assert "| 0.90 × bare COPY | ≤ 1 | yes |" in page


def test_what_was_measured_survives_being_kept():
    figure = Figure.judged("buffers", 1.1, 10_000, 0.5)

    assert Figure.of(json.loads(json.dumps(figure.as_dict()))) == figure


def test_the_page_and_its_picture_are_of_the_kept_figures_and_of_the_bars_of_now():
    """Whoever changes a bar, a row or a word writes the page anew: ./dev bench report."""
    kept = json.loads(report.KEPT.read_text("utf-8"))

    assert report.PAGE.read_text("utf-8") == report.page(kept)
    assert report.PICTURE.read_text("utf-8") == report.picture(report.figures_of(kept, "growth"))


def test_the_picture_says_its_numbers_in_words_too():
    sizes = (10_000, 100_000, 1_000_000)
    growth = tuple(
        Figure(word, 5.0 + at, "µs a finding", findings=size) for at, word in enumerate(report.LINES) for size in sizes
    )
    drawn = ET.fromstring(report.picture(growth))

    said = drawn.findtext("{http://www.w3.org/2000/svg}desc") or ""
    assert "first import 5 at 10,000 and 5 at 1,000,000" in said
    assert "prefers-color-scheme:dark" in (drawn.findtext("{http://www.w3.org/2000/svg}style") or "")


@pytest.mark.parametrize("slug", sorted(slug for slug in BUILT_IN if not slug.startswith("report_")))
def test_the_bench_of_all_tools_has_many_findings_of_each(slug: str, tmp_path: Path):
    """Also of one that joins the catalog later: its copies are told apart, and read to their proven end."""
    world = world_of(slug)
    before = asyncio.run(Player(world, tmp_path / "world").golden())
    many = Copies(world, 5 * sum(len(part.values) for part in before.families.values()))

    after = asyncio.run(Player(replace(world, vendor=many.vendor), tmp_path / "world").golden())

    assert many.times >= 5
    for key, part in before.families.items():
        assert after.families[key].complete == part.complete
        assert len(after.families[key].values) == many.times * len(part.values)


SEARCHES = {
    "issues": (OF_ISSUES, {"componentKeys": "com.acme:shop", "types": "VULNERABILITY"}),
    "hotspots": (OF_HOTSPOTS, {"projectKey": "com.acme:shop"}),
}


@pytest.mark.parametrize("named", SEARCHES)
def test_more_than_a_window_of_sonarqube_is_searched_piece_by_piece(named: str):
    """Each piece has rows and a total of its own; the window is 60 rows here, of 100 copies of each row."""
    many = Copies(world_of("sonarqube"), 1_600)
    assert many.searches
    many.searches.world.window = 60
    branch = many.searches.world.branch("com.acme:shop")
    there = {"issues": branch.issues, "hotspots": branch.hotspots}[named]

    keys = searched(many.vendor(), named)

    assert len(keys) == len({*keys}) == {"issues": 700, "hotspots": 400}[named]
    assert {*keys} == {row["key"] for row in there if row.get("type") != "CODE_SMELL"}


def searched(vendor: Vendor, named: str) -> list[str]:
    """The keys of the rows that a walk of small pages finds."""
    cuts, query = SEARCHES[named]
    walk = Search(cuts, Rules(known=True), window=60, per=20).walk(Ask(f"api/{named}/search", query))
    keys: list[str] = []
    step = next(walk)
    while True:
        assert isinstance(step, Ask)
        asked = {name: str(value) for name, value in step.query.items()}
        body = vendor.answer(Request("GET", f"?{urlencode(asked)}", "", f"/{step.path}", asked, {})).body()
        rows = () if step.bare else tuple(Row(row) for row in body[named])
        keys += [row["key"] for row in rows]
        try:
            step = walk.send(Page(body, rows, len(rows)))
        except StopIteration:
            return keys
