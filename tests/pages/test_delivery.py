"""Settings, Delivery: a DefectDojo is looked at, added, edited and let go again, as a person does it."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.pages.conftest import Seen
from tests.pages.fit import fits
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo

PATH = "/settings/delivery/"


@pytest.fixture
def dojo() -> Iterator[FakeDefectDojo]:
    with FakeDefectDojo() as found:
        yield found


def fits_small_and_large(page: Page) -> None:
    for width, height in ((320, 640), (1440, 900)):
        page.set_viewport_size({"width": width, "height": height})
        fits(page)


def test_a_destination_from_its_first_look_to_its_end(opened: Callable[..., Seen], dojo: FakeDefectDojo):
    """Issue 7.8: axe finds nothing on any of its pages, and what was typed before a refusal is there after it."""
    seen = opened()
    page = seen.go(PATH)
    page.fill("input[name=name]", "Dojo")
    page.fill("input[name='set.url']", dojo.url)
    page.fill("input[name='set.token']", dojo.token)
    page.fill("input[name=product_type]", "Research and Development")
    page.click("text=Test it")
    expect(page.locator("main")).to_contain_text("Deliveries can work")
    fits_small_and_large(page)

    seen.expected = {422}
    page.fill("input[name='set.url']", "ftp://dojo.example.org")
    page.click("text=Add it")
    expect(page.locator("[role=alert]").first).to_be_visible()
    assert page.input_value("input[name=name]") == "Dojo"
    assert dojo.token not in page.content()
    fits_small_and_large(page)

    page.fill("input[name='set.url']", dojo.url)
    page.fill("input[name='set.token']", dojo.token)
    page.click("text=Add it")
    expect(page.get_by_role("row", name="Dojo")).to_be_visible()
    page.get_by_role("row", name="Dojo").get_by_role("button", name="Take").click()
    expect(page.get_by_role("row", name="Dojo")).to_contain_text("the rest")
    fits_small_and_large(page)

    page.get_by_role("row", name="Dojo").get_by_role("link", name="Edit").click()
    page.wait_for_url("**/edit")
    fits_small_and_large(page)
    page.fill("input[name=name]", "Renamed")
    page.click("main button[type=submit].first")
    expect(page.get_by_role("row", name="Renamed")).to_be_visible()

    page.get_by_role("row", name="Renamed").get_by_role("link", name="Edit").click()
    page.get_by_role("link", name="Delete").click()
    page.fill("input[name=typed_name]", "Dojo")
    page.click("text=Delete it")
    expect(page.locator("[role=alert]").first).to_be_visible()
    fits_small_and_large(page)
    page.fill("input[name=typed_name]", "Renamed")
    page.click("text=Delete it")
    expect(page.locator("main")).to_contain_text("Nothing is delivered anywhere")
