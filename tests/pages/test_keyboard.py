"""Every room's whole journey by keyboard alone, on a small dark screen and on a large light one."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import expect

from tests.pages.conftest import Seen
from tests.pages.hand import Hand, new_record, unmapped
from tidegate.demo.fake_burp import API_KEY

WINDOWS = {
    "small": {"width": 320, "height": 640, "scheme": "dark"},
    "large": {"width": 1440, "height": 900, "scheme": "light"},
}

Opened = Callable[..., Seen]


@pytest.fixture(params=WINDOWS)
def window(request: pytest.FixtureRequest, opened: Opened) -> Callable[[str], tuple[Seen, Hand]]:
    """Opens a page in a window, with a hand on its keyboard. Promise: all of it works by keyboard, at 320 × 640 and at
    1440 × 900; `outline: none` was seen to fail."""

    def shown(path: str) -> tuple[Seen, Hand]:
        seen = opened(**WINDOWS[request.param])
        return seen, Hand(seen.go(path))

    return shown


Window = Callable[[str], tuple[Seen, Hand]]


def test_from_home_to_what_needs_a_person_and_back(window: Window):
    """And the hand stays where it is while the page looks again by itself, every ten seconds."""
    seen, hand = window("/inbox/")
    new_record(seen)
    seen.go("/")
    hand.press("Tab")
    hand.holds("To the content")
    hand.press("Enter")
    hand.to("Map them")
    again = "htmx.ajax('GET', '/', {source: '#home', target: '#home', swap: 'outerHTML'})"
    seen.page.evaluate(again)
    hand.holds("Map them")
    hand.press("Enter")

    expect(seen.page.get_by_role("heading", name="Inbox")).to_be_visible()
    seen.page.go_back()
    expect(seen.page).to_have_url(seen.house.url + "/#main")
    hand.enter("Operations")
    expect(seen.page.get_by_role("heading", name="Operations").first).to_be_visible()


def test_a_connection_is_filled_in_tested_and_left(window: Window):
    seen, hand = window("/connections/1/edit")
    url = seen.page.get_by_label("Location URL").input_value()
    seen.go("/connectors/")
    hand.enter("Add BurpSuite")
    seen.page.wait_for_url("**/connectors/burpsuite/add")
    for label, text in {"Label": "Burp by keyboard", "Location URL": url, "API key": API_KEY}.items():
        hand.to(label)
        hand.type(text)
    hand.enter("Test connection")

    expect(seen.page.locator("#steps li").first).to_be_visible()
    assert seen.page.locator("#steps .state.bad").count() == 0, seen.page.inner_text("#steps")
    assert seen.page.get_by_label("Label").input_value() == "Burp by keyboard"
    hand.enter("Leave it")
    expect(seen.page.get_by_role("heading", name="Connectors", exact=True)).to_be_visible()


def test_a_connection_is_looked_through_edited_and_synced(window: Window):
    """Search, a row, its dialog and out of it, then Sync."""
    seen, hand = window("/connections/2/")
    page = seen.page
    hand.press("/")
    hand.holds("Search mapped Records")
    hand.type("vulnerable")
    expect(page).to_have_url(re.compile("m.search=vulnerable"))
    page.wait_for_load_state("networkidle")
    hand.to("Vulnerable shop")
    hand.press("m")
    dialog = page.get_by_role("dialog")
    expect(dialog.get_by_role("combobox")).to_be_focused()
    hand.press("Escape", *(["Escape"] if dialog.is_visible() else []))
    expect(dialog).to_have_count(0)
    hand.holds("Edit Vulnerable shop")
    hand.to("Sync", "Shift+Tab")
    hand.press("Enter")

    expect(page.locator("#notes")).to_contain_text("Sync is asked for")


def test_a_new_record_is_mapped_undone_and_ignored(window: Window):
    seen, hand = window("/inbox/")
    new_record(seen)
    page = seen.go("/inbox/")
    before = unmapped(page).count()
    hand.press("j", "m")
    hand.type("vulnerable")
    expect(page.get_by_role("option").first).to_contain_text("Vulnerable shop")
    hand.press("Enter")
    expect(page.locator("#notes")).to_contain_text("flows into «Vulnerable shop»")
    hand.press("Escape")
    page.evaluate("document.activeElement.blur()")
    hand.press("u")
    expect(page.locator("#notes")).to_contain_text("Undone for 1 Record")
    expect(unmapped(page)).to_have_count(before)
    hand.press("j", "i")

    expect(page.locator("#notes")).to_contain_text("ignored")
    new_record(seen)


def test_a_record_is_read_and_its_sync_looked_at_first(window: Window):
    seen, hand = window("/products/")
    hand.press("/")
    hand.type("vulnerable")
    expect(seen.page).to_have_url(re.compile("search=vulnerable"))
    hand.enter("Vulnerable shop")
    seen.page.wait_for_url(re.compile(r"/products/\d+/"))
    hand.enter("Vulnerable shop")
    seen.page.wait_for_url(re.compile(r"/records/\d+/"))
    hand.enter("Preview Sync")

    expect(seen.page.get_by_role("heading", name=re.compile(r"Preview of sync \d+"))).to_be_visible()
    expect(seen.page.get_by_role("button", name="Run again")).to_be_visible(timeout=60_000)


def test_an_operation_is_found_its_log_searched_and_it_runs_again(window: Window):
    seen, hand = window("/operations/")
    seen.house.run("discover", "Burp")  # the newest is of a Connection that is still there, whatever was tried before
    seen.go("/operations/")
    hand.enter("Discover")
    expect(seen.page).to_have_url(re.compile("type=discover"))
    hand.press("j", "Enter")
    seen.page.wait_for_url(re.compile(r"/operations/\d+/"))
    hand.press("/")
    hand.holds("Search the log")
    hand.type("nothing of the kind")
    expect(seen.page.get_by_text("No line has these words.")).to_be_visible()
    hand.holds("Search the log")
    hand.press("Control+A", "Delete")
    expect(seen.page.locator("ol.log li").first).to_be_visible()
    hand.to("Run", "Shift+Tab")
    hand.press("Enter")

    expect(seen.page.locator("#notes")).to_contain_text("It runs again")


def test_a_finding_is_found_read_and_decided_about(window: Window):
    seen, hand = window("/findings/")
    hand.press("/")
    hand.type("disclosed")
    expect(seen.page).to_have_url(re.compile("search=disclosed"))
    seen.page.wait_for_load_state("networkidle")
    seen.page.evaluate("document.activeElement.blur()")
    hand.press("j", "Enter")
    seen.page.wait_for_url(re.compile(r"/findings/\d+/"))
    hand.to("Decision")
    hand.type("Out")
    hand.to("Reason")
    hand.type("Everybody may know it.")
    hand.enter("Decide")

    expect(seen.page.locator("#notes")).to_contain_text("1 finding")
    assert "out of scope" in seen.page.get_by_role("region", name="The tool says, we say").inner_text().lower()


def test_a_token_is_made_and_revoked(window: Window):
    seen, hand = window("/settings/")
    hand.enter("Tokens")
    seen.page.wait_for_url("**/settings/tokens/")
    name = f"by keyboard {seen.page.viewport_size}"
    hand.to("What it is for")
    hand.type(name)
    hand.press("Enter")
    expect(seen.page.get_by_role("row", name=name)).to_be_visible()
    hand.to(f"Revoke {name}")
    hand.press("Enter")

    expect(seen.page.locator("#notes")).to_contain_text("revoked")
