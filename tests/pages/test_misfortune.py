"""What happens beside a page: somebody else, another tab, a lost connection, a reload, the way back."""

from __future__ import annotations

import re
from collections.abc import Callable
from contextlib import suppress

from playwright.sync_api import Error, Page, Route, expect

from tests.pages.conftest import Seen
from tests.pages.hand import new_record, unmapped

Opened = Callable[..., Seen]


def test_a_form_that_is_sent_without_a_connection_goes_by_itself_once_there_is_one(opened: Opened):
    """Promises: nothing typed is lost, a sentence says so, it goes on by itself. Seen to fail without js/line.js."""
    seen = opened()
    page = seen.go("/findings/1/")
    page.get_by_label("Reason").fill("Typed on a train.")
    seen.lose_the_line()
    expect(page.get_by_role("status")).to_contain_text("There is no connection to Tidegate.")
    page.get_by_role("button", name="Decide").click()
    assert page.get_by_label("Reason").input_value() == "Typed on a train."
    seen.context.set_offline(False)

    expect(page.locator("#notes")).to_contain_text("1 finding")
    expect(page.get_by_role("main")).to_contain_text("Typed on a train.")
    expect(page.locator("#line")).to_have_count(0)


def test_a_search_and_a_type_ahead_go_on_where_the_connection_comes_back(opened: Opened):
    seen = opened()
    page = seen.go("/findings/")
    seen.lose_the_line()
    page.get_by_role("searchbox", name="Words").fill("disclosed")
    expect(page.get_by_role("status").first).to_contain_text("goes on by itself")
    page.wait_for_timeout(400)
    seen.context.set_offline(False)
    expect(page).to_have_url(re.compile("search=disclosed"))
    expect(page.locator("#findings tbody th").first).to_contain_text("disclosed")

    new_record(seen)
    page = seen.go("/inbox/")
    seen.lose_the_line()
    box = unmapped(page).first.get_by_role("combobox")
    box.click()
    page.keyboard.type("vulnerable")
    page.wait_for_timeout(200)
    seen.context.set_offline(False)
    expect(page.get_by_role("option").first).to_contain_text("Vulnerable shop")


def test_a_list_that_comes_late_takes_neither_letters_nor_the_hand(opened: Opened):
    """Whoever types on while a searched list is under way keeps every letter, in the same field of the same row."""
    seen = opened()
    new_record(seen)
    page = seen.go("/inbox/")
    name = unmapped(page).first.get_by_role("rowheader").inner_text().split()[0]
    late = Late(page)
    words = page.get_by_role("searchbox").first
    words.press_sequentially(name[:2])
    late.comes()
    words.press_sequentially(name[2:4])
    late.goes()
    expect(page).to_have_url(re.compile(f"search={name[:4]}$"))
    expect(words).to_be_focused()
    expect(words).to_have_value(name[:4])
    late.held = True
    words.press_sequentially(name[4])
    late.comes()
    box = unmapped(page).first.get_by_role("combobox")
    box.click()
    page.keyboard.type("vulnerable")
    late.goes()

    expect(page).to_have_url(re.compile(f"search={name[:5]}$"))
    expect(box).to_be_focused()
    expect(box).to_have_value("vulnerable")
    expect(page.get_by_role("option").first).to_contain_text("Vulnerable shop")


class Late:
    """Holds what a search of the inbox asks for, as long as it is `held`."""

    def __init__(self, page: Page) -> None:
        self.page, self.held, self.waiting = page, True, list[Route]()
        page.route(re.compile(r"/inbox/\?.*search="), self.asked)

    def asked(self, route: Route) -> None:
        if self.held:
            self.waiting.append(route)
        else:
            route.continue_()

    def comes(self) -> None:
        """Waits until something is asked for."""
        for _ in range(300):
            if self.waiting:
                return
            self.page.wait_for_timeout(100)
        raise AssertionError("nothing was asked for")

    def goes(self) -> None:
        """All of it is answered; what the page gave up meanwhile is gone."""
        self.held = False
        while self.waiting:
            with suppress(Error):
                self.waiting.pop(0).continue_()


def test_the_address_survives_a_reload_and_the_way_back(opened: Opened):
    """Promise: everything on a page has a URL."""
    seen = opened()
    page = seen.go("/findings/")
    page.get_by_role("link", name="High", exact=True).click()
    page.get_by_role("link", name="Active", exact=True).click()
    expect(page).to_have_url(re.compile("severity=High.*status=active|status=active.*severity=High"))
    title = page.locator("#findings tbody th").first.inner_text()
    page.reload()
    assert page.locator("#findings tbody th").first.inner_text() == title
    page.locator("#findings tbody th a").first.click()
    page.wait_for_url(re.compile(r"/findings/\d+/"))

    page.go_back()
    assert page.locator("#findings tbody th").first.inner_text() == title
    page.go_back()
    expect(page).to_have_url(re.compile(r"severity=High$"))
    page.go_back()
    expect(page).to_have_url(re.compile(r"/findings/$"))


def test_a_second_tab_is_told_what_the_first_decided(opened: Opened):
    """The form of a Record stands open in one tab while it is ignored in another: whoever is second is told."""
    seen = opened()
    new_record(seen)
    page = seen.go("/inbox/")
    name = unmapped(page).first.get_by_role("rowheader").inner_text().splitlines()[0]
    address = unmapped(page).first.get_by_role("link", name=name).get_attribute("href")
    other = seen.context.new_page()
    other.goto(f"{seen.house.url}{address}edit")
    unmapped(page).first.get_by_role("button", name=f"Ignore {name}").click()
    expect(page.locator("#notes")).to_contain_text("ignored")
    other.get_by_role("button", name="Ignore").click()

    expect(other.locator("#notes")).to_contain_text("ignored already")
    new_record(seen)


def test_two_people_edit_the_same_record_and_the_last_word_is_named(opened: Opened):
    """A second person, with another login, who edits the same Record is told that the first has decided."""
    ana, other = opened("ana"), opened("may", width=320, height=640, scheme="dark")
    new_record(ana)
    page = ana.go("/inbox/")
    name = unmapped(page).first.get_by_role("rowheader").inner_text().splitlines()[0]
    address = unmapped(page).first.get_by_role("link", name=name).get_attribute("href") or ""
    first, second = ana.go(f"{address}edit"), other.go(f"{address}edit")
    for window in (first, second):
        window.get_by_role("combobox", name="Product").click()
        window.keyboard.type("vulnerable")
        expect(window.get_by_role("option").first).to_contain_text("Vulnerable shop")
        window.keyboard.press("Enter")
    first.get_by_role("button", name="Map", exact=True).click()
    expect(first.locator("#notes")).to_contain_text("flows into «Vulnerable shop»")
    second.get_by_role("button", name="Map", exact=True).click()

    expect(second.locator("#notes")).to_contain_text("already")
    first.get_by_role("button", name="Undo").click()
    expect(first.locator("#notes")).to_contain_text("Undone for 1 Record")
