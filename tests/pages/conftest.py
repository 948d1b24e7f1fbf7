"""A real Chromium in front of a real `tidegate up`: the demo's story with its fake Burp, a worker and a scheduler."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright

from tests.pages.house import SECONDS, House, launched, logged_in, opened_house, settings
from tests.server.processes import TIDEGATE, Program
from tests.spot import folder_for_a_home

expect.set_options(timeout=60_000)  # a busy machine is slow, which is no fault of the page


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The demo, told and still up, and `tidegate up` in its home."""
    home = folder_for_a_home() / "home"
    with Program(TIDEGATE, "demo", environment=settings(home)) as demo:
        demo.until("Everything is still up", SECONDS)
        with opened_house(home) as found:
            yield found
        demo.end()
    shutil.rmtree(home.parent, ignore_errors=True)


# By module: while it lives an event loop counts as running in this thread, and no other test may meet that.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    browser = launched(playwright)
    yield browser
    browser.close()


@dataclass
class Seen:
    """A page as a person has it open, and everything that went wrong in it."""

    page: Page
    context: BrowserContext
    house: House
    wrong: list[str] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    expected: set[int] = field(default_factory=set)
    offline: bool = False

    def go(self, path: str) -> Page:
        """Opens a page of the house, and waits until it is there."""
        self.asked.clear()
        self.page.goto(self.house.url + path, wait_until="load")
        return self.page

    def lose_the_line(self) -> None:
        """No connection any more. That requests fail then is no fault of the page."""
        self.offline = True
        self.context.set_offline(True)


@pytest.fixture
def opened(chromium: Browser, house: House) -> Iterator[Callable[..., Seen]]:
    """Opens a window: `opened("ana", width=320, scheme="dark")`. At the end nothing may have gone wrong in any."""
    windows: list[Seen] = []

    def open_window(name: str = "ana", width: int = 1440, height: int = 900, scheme: str = "light") -> Seen:
        shown: dict[str, Any] = {"viewport": {"width": width, "height": height}, "color_scheme": scheme}
        if name not in house.sessions:
            house.sessions[name] = logged_in(chromium, house, name)
        context = chromium.new_context(**shown, storage_state=house.sessions[name])
        seen = Seen(context.new_page(), context, house)
        seen.page.set_default_timeout(60_000)
        seen.page.on("pageerror", lambda error: seen.wrong.append(f"script: {error}"))
        seen.page.on("console", lambda said: heard(seen, said))
        seen.page.on("request", lambda request: seen.asked.append(request.url))
        seen.page.on("response", lambda answer: answered(seen, answer))
        windows.append(seen)
        return seen

    yield open_window
    wrong = [problem for window in windows for problem in window.wrong]
    for window in windows:
        window.context.close()
    assert wrong == []


def heard(seen: Seen, said: Any) -> None:
    """A line in the console is wrong; that a request was refused is told by the answer, and that one was given up
    for a newer one is as it should be."""
    known = ("Failed to load resource", "htmx:sendAbort", "htmx:afterRequest", *(["htmx:"] if seen.offline else []))
    if said.type in ("error", "warning") and not any(words in said.text for words in known):
        seen.wrong.append(f"console: {said.text}")


def answered(seen: Seen, answer: Any) -> None:
    if answer.status >= 400 and answer.status not in seen.expected:
        seen.wrong.append(f"{answer.status}: {answer.url}")
