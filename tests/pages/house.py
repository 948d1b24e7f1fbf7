"""A service that is up and people who may come in; and the Chromium that looks at it."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Playwright

from tests.server.processes import TIDEGATE, Program, free_port

UNPACKED = Path(__file__).parents[2] / ".tidegate" / "chromium" / "root"
PASSWORD = "a long tide comes in"
PEOPLE = {"ana": "--administrator", "rae": "--role=reader", "may": "--role=mapper"}
SECONDS = 240.0


@dataclass
class House:
    """A service that is up, and who may come in: ana is administrator, rae a reader, may a mapper."""

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


@contextmanager
def opened_house(home: Path) -> Iterator[House]:
    """`tidegate up` in a home, with its people."""
    found = House(home, f"http://localhost:{free_port()}")
    for name, role in PEOPLE.items():
        found.run("user", "add", name, role, "--password", "-", given=f"{PASSWORD}\n")
    with Program(TIDEGATE, "up", "--port", found.url.rpartition(":")[2], environment=settings(home)) as up:
        up.until("Tidegate is up", SECONDS)
        yield found
        up.end()


def launched(playwright: Playwright) -> Browser:
    """The machine's Chromium, or the one that ./dev unpacked; a missing one fails."""
    own = shutil.which("chromium")
    program = own or str(UNPACKED / "usr/lib/chromium/chromium")
    return playwright.chromium.launch(
        executable_path=program,
        args=["--no-sandbox", "--disable-dev-shm-usage"],
        env=dict[str, str | float | bool](os.environ if own else beside_unpacked()),
    )


def beside_unpacked() -> Mapping[str, str]:
    """The environment of a Chromium that was unpacked and not installed: its libraries and fonts lie beside it."""
    libraries = [*UNPACKED.glob("usr/lib/*-linux-gnu"), *UNPACKED.glob("lib/*-linux-gnu"), UNPACKED / "usr/lib"]
    fonts = {"XDG_DATA_HOME": str(UNPACKED / "usr/share")}
    return {**os.environ, **fonts, "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries))}


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
