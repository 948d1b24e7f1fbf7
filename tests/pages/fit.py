"""Whether what is open fits its window, and keeps nobody out."""

from __future__ import annotations

from typing import Any

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page

CONTRAST = "async () => (await axe.run(document, { runOnly: ['color-contrast'] })).violations"


def fits(page: Page) -> None:
    """What is open is no wider than its window and keeps nobody out, light and dark."""
    page.emulate_media(color_scheme="light", reduced_motion="reduce")
    is_no_wider_than_its_window(page)
    usable(page)
    page.emulate_media(color_scheme="dark", reduced_motion="reduce")
    is_no_wider_than_its_window(page)
    assert violations(page.evaluate(CONTRAST)) == [], f"{page.url}, dark"


def usable(page: Page) -> None:
    """axe finds nothing, in the colours that are shown."""
    assert violations(Axe().run(page).response["violations"]) == [], page.url


def is_no_wider_than_its_window(page: Page) -> None:
    shown = page.viewport_size
    assert shown is not None
    assert page.evaluate("document.documentElement.scrollWidth") <= shown["width"], f"{page.url}: {shown}"


def violations(found: list[dict[str, Any]]) -> list[tuple[str, list[str]]]:
    """Which rules are broken, and where."""
    return [(one["id"], [node["html"][:200] for node in one["nodes"][:3]]) for one in found]
