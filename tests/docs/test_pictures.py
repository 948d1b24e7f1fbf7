"""The pictures that README and guide show are there, of every page in the list all four, and none that nobody shows."""

from __future__ import annotations

import re
from pathlib import Path

from tests.pages.shots import MOST_BYTES, PICTURES, SHOWN, all_pictures

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs" / "guide").glob("*.md"))]
WEBP = re.compile(r"(?:src|srcset)=\"([^\"]+\.webp)\"|\]\(([^)]+\.webp)\)")


def shown(page: Path) -> list[Path]:
    """The pictures that a page names."""
    named = [one or other for one, other in WEBP.findall(page.read_text(encoding="utf-8"))]
    return [(page.parent / name).resolve() for name in named]


def test_every_page_of_the_list_has_its_four_pictures_and_nothing_else_lies_there():
    """Twelve pages, light and dark, at 320 and 1440."""
    assert len(SHOWN) == 12
    assert {*PICTURES.iterdir()} == all_pictures()
    assert sum(path.stat().st_size for path in all_pictures()) <= MOST_BYTES


def test_every_picture_that_is_shown_is_there_and_is_told_in_words():
    """Promise of issue 7: what README and guide show is there, and says what it shows."""
    seen = {picture for page in PAGES for picture in shown(page)}

    assert seen
    assert [path for path in seen if not path.is_file()] == []
    for page in PAGES:
        assert re.findall(r"<img(?![^>]*alt=\"[^\"]{10,}\")[^>]*>", page.read_text(encoding="utf-8")) == [], page


def test_where_a_light_picture_is_shown_the_dark_one_is_shown_to_whoever_wants_it():
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        for picture in re.findall(r"<picture>.*?</picture>", text, re.DOTALL):
            light, dark = re.search(r"src=\"([^\"]+)\"", picture), re.search(r"srcset=\"([^\"]+)\"", picture)
            assert light is not None, picture
            assert dark is not None, picture
            assert dark[1] == light[1].replace("-light-", "-dark-"), picture
            assert "prefers-color-scheme: dark" in picture
