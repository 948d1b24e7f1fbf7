"""Every page, small and large, light and dark: nothing goes wrong in it, and anybody can use it."""

from __future__ import annotations

import gzip
from collections.abc import Callable

import pytest

from tests.pages.conftest import House, Seen
from tests.pages.fit import fits

PAGES = {
    "home": "/",
    "connectors": "/connectors/",
    "form": "/connectors/burpsuite/add",
    "connection": "/connections/1/",
    "edit connection": "/connections/1/edit",
    "delete connection": "/connections/1/delete",
    "inbox": "/inbox/",
    "ignored": "/inbox/?state=ignored",
    "record": "/records/1/",
    "edit record": "/records/1/edit",
    "operations": "/operations/",
    "no such operation": "/operations/?status=cancelled",
    "operation": "/operations/1/",
    "products": "/products/",
    "product": "/products/1/",
    "findings": "/findings/",
    "no such finding": "/findings/?search=nothinglikethis",
    "finding": "/findings/1/",
    "suggestions": "/inbox/suggestions/",
    "rules": "/connections/1/rules",
    "found": "/find/?search=shop",
    "nothing found": "/find/?search=nothinglikethis",
    "all parts": "/styleguide",
    "settings": "/settings/",
    "people": "/settings/people/",
    "tokens": "/settings/tokens/",
    "notifications": "/settings/notifications/",
    "delivery": "/settings/delivery/",
    "keys": "/settings/keys/",
    "audit": "/settings/audit/",
    "you": "/account/",
    "password": "/account/password/change/",
    "sessions": "/account/sessions/",
    "second factor": "/account/second-factor/",
}
SHIFT = """new Promise((done) => {
  let sum = 0;
  new PerformanceObserver((list) => { for (const one of list.getEntries()) sum += one.value; })
    .observe({ type: "layout-shift", buffered: true });
  setTimeout(() => done(sum), 100);
})"""


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_a_page_fits_its_window_and_everybody(opened: Callable[..., Seen], path: str):
    """Promises: no violation by axe, no console error, no request elsewhere, no sideways scroll at 320, no layout shift
    above 0.1; each seen to fail once. Dark is the same page in other colours, so there axe looks at these alone."""
    for width, height in ((320, 640), (1440, 900)):
        seen = opened(width=width, height=height)
        seen.page.emulate_media(color_scheme="light", reduced_motion="reduce")
        page = seen.go(path)

        told = f"{path} at {width}"
        assert page.evaluate(SHIFT) <= 0.1, told
        assert {url.split("/")[2] for url in seen.asked} == {seen.house.url.split("/")[2]}, told
        fits(page)


def test_the_first_page_is_small_and_asks_for_little(opened: Callable[..., Seen]):
    """Promise: at most 100 KB compressed, in at most 15 requests."""
    seen = opened()
    sizes: list[int] = []
    seen.page.on("response", lambda answer: sizes.append(len(gzip.compress(answer.body()))))

    seen.go("/")
    seen.page.wait_for_timeout(300)

    assert len(seen.asked) <= 15
    assert sum(sizes) <= 100_000


@pytest.mark.parametrize("path", PAGES.values(), ids=PAGES.keys())
def test_whoever_only_reads_sees_every_page_or_why_not(opened: Callable[..., Seen], path: str):
    seen = opened("rae")
    seen.expected = {403}

    page = seen.go(path)

    assert page.title().endswith("Tidegate")
    assert page.locator("main button[type=submit]:visible").filter(has_text="Map").count() == 0


def test_a_page_that_is_not_there_says_so(opened: Callable[..., Seen]):
    seen = opened(width=320, height=640)
    seen.expected = {404}

    assert "There is no Record 4711" in seen.go("/records/4711/").inner_text("main")
    fits(seen.page)
    assert "no page of this address" in seen.go("/nowhere/").inner_text("main")
    fits(seen.page)


def test_whoever_is_not_logged_in_finds_a_door_that_fits(opened: Callable[..., Seen]):
    seen = opened(width=320, height=640)
    seen.context.clear_cookies()

    page = seen.go("/records/1/")

    assert "/account/login/" in page.url
    fits(page)


def test_every_page_of_the_list_is_there(house: House):
    assert house.run("operation", "list")
