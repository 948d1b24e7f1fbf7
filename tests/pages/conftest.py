"""A real Chromium in front of a real `tidegate up`: the demo's story with its fake Burp, a worker and a scheduler."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, sync_playwright

from tests.server.processes import TIDEGATE, Program, free_port
from tests.spot import folder_for_a_home

UNPACKED = Path(__file__).parents[2] / ".tidegate" / "chromium" / "root"
PASSWORD = "a long tide comes in"
PEOPLE = {"ana": "--administrator", "rae": "--role=reader"}
SECONDS = 90.0


@dataclass
class House:
    """A service that is up, and who may come in: ana is administrator, rae a reader."""

    home: Path
    url: str
    sessions: dict[str, Any] = field(default_factory=dict)

    def run(self, *words: str, given: str = "") -> str:
        """The answer of a `tidegate` command in this house."""
        done = subprocess.run(
            [TIDEGATE, *words], input=given, env=settings(self.home), capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout


def settings(home: Path) -> dict[str, str]:
    """The environment of whoever works in the house."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("TIDEGATE_")}
    return {**clean, "TIDEGATE_HOME": str(home), "TIDEGATE_PRIVATE_NETWORKS": "allow"}


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The demo, told and still up, and `tidegate up` in its home."""
    home = folder_for_a_home() / "home"
    environment = settings(home)
    port = free_port()
    with Program(TIDEGATE, "demo", environment=environment) as demo:
        demo.until("Everything is still up", SECONDS)
        found = House(home, f"http://localhost:{port}")
        for name, role in PEOPLE.items():
            found.run("user", "add", name, role, "--password", "-", given=f"{PASSWORD}\n")
        with Program(TIDEGATE, "up", "--port", str(port), environment=environment) as up:
            up.until("Tidegate is up", SECONDS)
            yield found
            up.end()
        demo.end()
    shutil.rmtree(home.parent, ignore_errors=True)


# By module: while it lives an event loop counts as running in this thread, and no other test may meet that.
@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as found:
        yield found


@pytest.fixture(scope="module")
def chromium(playwright: Playwright) -> Iterator[Browser]:
    """The machine's Chromium, or the one that ./dev unpacked; a missing one fails."""
    own, environment = shutil.which("chromium"), dict[str, str | float | bool](os.environ)
    if own is None:
        libraries = [UNPACKED / "usr/lib/x86_64-linux-gnu", UNPACKED / "lib/x86_64-linux-gnu", UNPACKED / "usr/lib"]
        environment["LD_LIBRARY_PATH"] = os.pathsep.join(map(str, libraries))
    program = own or str(UNPACKED / "usr/lib/chromium/chromium")
    browser = playwright.chromium.launch(
        executable_path=program, args=["--no-sandbox", "--disable-dev-shm-usage"], env=environment
    )
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

    def go(self, path: str) -> Page:
        """Opens a page of the house, and waits until it is there."""
        self.asked.clear()
        self.page.goto(self.house.url + path, wait_until="load")
        return self.page

    @property
    def told(self) -> str:
        """What the page says was just done."""
        return self.page.inner_text("#notes")


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
        seen.page.set_default_timeout(15_000)
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
    """A line in the console is wrong; that a request was refused is told by the answer itself."""
    if said.type in ("error", "warning") and "Failed to load resource" not in said.text:
        seen.wrong.append(f"console: {said.text}")


def answered(seen: Seen, answer: Any) -> None:
    if answer.status >= 400 and answer.status not in seen.expected:
        seen.wrong.append(f"{answer.status}: {answer.url}")


def logged_in(chromium: Browser, house: House, name: str) -> Any:
    """The cookies of a person who logged in by the page."""
    context = chromium.new_context()
    page = context.new_page()
    page.goto(house.url + "/account/login/")
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url(house.url + "/")
    state = context.storage_state()
    context.close()
    return state
