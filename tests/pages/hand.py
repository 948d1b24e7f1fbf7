"""A hand on the keyboard: it goes to things by Tab and by their names, and its strokes are counted."""

from __future__ import annotations

import re

from playwright.sync_api import Locator, Page, expect

from tests.pages.conftest import Seen

FARTHEST = 150
NAMED = """() => {
  const one = document.activeElement;
  if (!one || one === document.body) return "";
  const own = one.getAttribute("aria-label") || one.labels?.[0]?.innerText || one.innerText || one.name || "";
  return own.trim().replace(/\\s+/g, " ");
}"""
OUTLINED = """() => {
  const one = document.activeElement;
  return [one, one.closest(".search")].some((it) => it && getComputedStyle(it).outlineStyle !== "none");
}"""


class Hand:
    """Never touches a mouse."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.strokes = 0

    def press(self, *keys: str) -> None:
        """One key after the other, as Playwright names them."""
        for key in keys:
            self.page.keyboard.press(key)
            self.strokes += 1

    def type(self, text: str) -> None:
        """Letter by letter."""
        self.page.keyboard.type(text)
        self.strokes += len(text)

    @property
    def on(self) -> str:
        """The name of what holds the keyboard."""
        return self.page.evaluate(NAMED)

    def holds(self, name: str) -> None:
        """Waits until that is what holds the keyboard: a page that is put in place gives it back a moment later."""
        for _ in range(100):
            if self.on == name:
                return
            self.page.wait_for_timeout(100)
        assert self.on == name

    def to(self, name: str, key: str = "Tab") -> None:
        """Tab by Tab until something is held whose name begins so; its outline can be seen."""
        passed: list[str] = []
        while not self.on.startswith(name):
            assert len(passed) < FARTHEST, f"No Tab leads to {name!r}; it passed {passed}"
            self.press(key)
            passed.append(self.on)
        assert self.page.evaluate(OUTLINED), f"{name!r} holds the keyboard, and nobody sees it"

    def enter(self, name: str) -> None:
        """Goes there and presses Enter."""
        self.to(name)
        self.press("Enter")


def unmapped(page: Page) -> Locator:
    """The rows of New or Ignored Records."""
    return page.get_by_role("region", name="Unmapped Records").locator("tbody tr")


def new_record(seen: Seen) -> None:
    """The Record that the demo ignored is New again."""
    page = seen.go("/inbox/?state=ignored")
    again = unmapped(page).get_by_role("button", name=re.compile("^Back to New"))
    if again.count():
        again.first.click()
        expect(page.locator("#notes")).to_contain_text("New again")
