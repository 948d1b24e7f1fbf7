"""`./dev shots`: the pictures of docs/pictures, of twelve pages, light and dark, small and large.

The same data gives the same pictures: a month of a web shop in a home of its own (month.py), and what would be another
word each time (the hour of a log line, the port of a fake) is put right in the browser before the picture is taken.
"""

from __future__ import annotations

import base64
import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.pages.house import House, launched, logged_in, opened_house, settings

PICTURES: Final = Path(__file__).parents[2] / "docs" / "pictures"
SIZES: Final = {320: (640, 2000), 1440: (900, 1500)}
"""Width: the height of the window, and how much of a longer page is shown."""
SCHEMES: Final = ("light", "dark")
QUALITY: Final = 72
MOST_BYTES: Final = 4_000_000
TOLD = "2 March 2026, 08:30 UTC"

STEADY = """(given) => {
  const clock = /^\\d\\d:\\d\\d:\\d\\d$/;
  for (const one of document.querySelectorAll("time")) {
    if (clock.test(one.textContent)) one.textContent = "02:10:05";
    else if (/UTC$/.test(one.textContent)) one.textContent = given.told;
    else if (/^in /.test(one.textContent)) one.textContent = "in 9 hours";
  }
  const words = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const named = (text) => given.names.reduce((said, [from, to]) => said.replaceAll(from, to), text);
  while (words.nextNode()) words.currentNode.nodeValue = named(words.currentNode.nodeValue);
  for (const field of document.querySelectorAll("input:not([type=hidden])")) field.value = named(field.value);
  document.activeElement?.matches("[role=combobox]") || document.activeElement?.blur();
}"""


def shown_connecting(page: Page, story: Any) -> None:
    """The form, filled in and tested."""
    page.fill("#label", "SonarQube – mobile")
    page.fill("[name='set.url']", story.sonar.url)
    page.fill("[name='set.token']", story.sonar.token)
    page.click("button[value=test]")
    page.wait_for_selector("#steps li")


def shown_mapping(page: Page, story: Any) -> None:
    """The Product of a New Record, half typed."""
    for key in "jm":
        page.keyboard.press(key)
    page.keyboard.type("pa")
    page.wait_for_selector("[role=listbox] li.make")


def nothing(page: Page, story: Any) -> None:
    """The page as it opens."""


SHOWN: Final[dict[str, tuple[str, Callable[[Page, Any], None]]]] = {
    "home": ("/", nothing),
    "connectors": ("/connectors/", nothing),
    "connect": ("/connectors/sonarqube/add", shown_connecting),
    "connection": ("/connections/{burp}/", nothing),
    "inbox": ("/inbox/", shown_mapping),
    "record": ("/records/{record}/", nothing),
    "operation": ("/operations/{operation}/", nothing),
    "products": ("/products/", nothing),
    "product": ("/products/{product}/", nothing),
    "findings": ("/findings/", nothing),
    "finding": ("/findings/{finding}/", nothing),
    "people": ("/settings/people/", nothing),
}


def picture_of(name: str, scheme: str, width: int) -> Path:
    """Where the picture of a page lies."""
    return PICTURES / f"{name}-{scheme}-{width}.webp"


def all_pictures() -> set[Path]:
    """Every picture there should be, and no other."""
    return {picture_of(name, scheme, width) for name in SHOWN for scheme in SCHEMES for width in SIZES}


def main(wanted: Sequence[str]) -> int:
    """Takes all pictures anew, or those of the pages named."""
    if unknown := set(wanted) - set(SHOWN):
        print(f"There is no picture of {', '.join(sorted(unknown))}. There is: {', '.join(SHOWN)}", file=sys.stderr)
        return 2
    PICTURES.mkdir(exist_ok=True)
    began = time.monotonic()
    with told_month() as (house, story, places), sync_playwright() as playwright:
        chromium = launched(playwright)
        for width, scheme in ((width, scheme) for width in SIZES for scheme in SCHEMES):
            photographed(chromium, house, story, places, width, scheme, wanted or list(SHOWN))
        chromium.close()
    for old in {*PICTURES.iterdir()} - all_pictures():
        old.unlink()
    size = sum(path.stat().st_size for path in PICTURES.glob("*.webp"))
    print(f"{len(list(PICTURES.glob('*.webp')))} pictures, {size / 1e6:.1f} MB, {time.monotonic() - began:.0f} s")
    return 0 if size <= MOST_BYTES else 1


def photographed(
    chromium: Browser, house: House, story: Any, places: dict[str, int], width: int, scheme: Any, wanted: Sequence[str]
) -> None:
    """One window, and the pictures of all pages in it."""
    if "ana" not in house.sessions:
        house.sessions["ana"] = logged_in(chromium, house, "ana")
    height, most = SIZES[width]
    names = [(story.burp.url, "https://burp.example.com/"), (story.sonar.url, "https://sonar.example.com/")]
    names += [(str(story.folder), "/srv/reports")]
    for name in wanted:
        path, prepare = SHOWN[name]
        # A context each: what one page keeps of what was typed is no matter of the next.
        context = chromium.new_context(
            viewport={"width": width, "height": height}, color_scheme=scheme, reduced_motion="reduce",
            storage_state=house.sessions["ana"],
        )  # fmt: skip
        page = context.new_page()
        answer = page.goto(house.url + path.format(**places), wait_until="load")
        assert answer is not None
        assert answer.ok, f"The page of «{name}» answers {answer.status}."
        page.set_viewport_size({"width": width, "height": most})  # what comes once it is seen, comes now
        expect(page.locator(".wait")).to_have_count(0, timeout=60_000)
        prepare(page, story)
        page.evaluate(STEADY, {"told": TOLD, "names": names})
        whole = min(int(page.evaluate("document.documentElement.scrollHeight")), most)
        page.set_viewport_size({"width": width, "height": max(whole, height)})
        page.evaluate("window.scrollTo(0, 0)")
        asked = {"format": "webp", "quality": QUALITY}
        taken = context.new_cdp_session(page).send("Page.captureScreenshot", asked)
        picture_of(name, scheme, width).write_bytes(base64.b64decode(taken["data"]))
        context.close()


@contextmanager
def told_month() -> Iterator[tuple[House, Any, dict[str, int]]]:
    """A home of its own in which a month was told and a service is up; gone afterwards."""
    spot = Path(tempfile.mkdtemp(prefix="tidegate-shots-"))
    spot.chmod(0o711)
    home = spot / "home"
    os.environ |= {name: value for name, value in settings(home).items() if name.startswith("TIDEGATE_")}
    os.environ["XDG_DATA_HOME"] = str(spot / "data")
    try:
        with told_in(home) as (story, places), opened_house(home) as house:
            for name, role in {"bo": "--role=mapper", "cas": "--role=operator"}.items():
                house.run("user", "add", name, role, "--password", "-", given="a long tide goes out\n")
            yield house, story, places
    finally:
        shutil.rmtree(spot, ignore_errors=True)


@contextmanager
def told_in(home: Path) -> Iterator[tuple[Any, dict[str, int]]]:
    """The story, and where its things stand: {"record": 4, …}."""
    from tidegate.cli.start import ready

    with ready(quiet=True):
        from tests.pages.month import Month, things_of
        from tidegate.demo.fake_burp import FakeBurp
        from tidegate.demo.fake_sonarqube import FakeSonarQube

        with FakeBurp("empty") as burp, FakeSonarQube() as sonar:
            story = Month(burp, sonar, home.parent / "reports")
            story.tell()
            yield story, {**story.ids, **things_of(story)}


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
