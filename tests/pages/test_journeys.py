"""What people do, as they do it: by mouse and by keyboard, against a worker that works and a tool that answers."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.pages.conftest import Seen
from tests.pages.fit import fits
from tests.pages.hand import new_record
from tidegate.demo.fake_burp import API_KEY


def focused(seen: Seen) -> str:
    """What holds the keyboard, by its name."""
    return seen.page.evaluate("document.activeElement.getAttribute('aria-label') || document.activeElement.innerText")


def test_a_new_record_is_mapped_by_keyboard_alone_and_undone(opened: Callable[..., Seen]):
    """screens.md: type-ahead over Products, Enter commits; then Undo instead of a question."""
    seen = opened()
    new_record(seen)
    page = seen.go("/inbox/")
    before = page.locator("#unmapped tbody tr").count()

    page.keyboard.press("j")
    page.keyboard.press("m")
    page.keyboard.type("web")
    expect(page.locator("#unmapped [role=option]").nth(0)).to_contain_text("Web shop")
    assert page.inner_text("#unmapped [role=listbox] li.make") == "Create “web”"
    page.keyboard.press("Enter")
    expect(page.locator("#notes")).to_contain_text("flows into «Web shop»")
    assert page.url.endswith("/inbox/")
    page.click("#notes >> text=Undo")

    expect(page.locator("#notes")).to_contain_text("Undone for 1 Record")
    expect(page.locator("#unmapped tbody tr")).to_have_count(before)


def test_enter_takes_what_was_typed_and_never_what_an_older_answer_offered(opened: Callable[..., Seen]):
    """Whoever types faster than the server answers maps to what they typed."""
    seen = opened()
    new_record(seen)
    page = seen.go("/inbox/")
    page.focus("#unmapped [role=combobox]")
    offered = page.locator("#unmapped [role=option]").nth(0)
    expect(offered).to_be_visible()
    expect(offered).not_to_contain_text("Web shop")

    page.keyboard.insert_text("web")
    page.keyboard.press("Enter")

    expect(page.locator("#notes")).to_contain_text("flows into «Web shop»")
    page.click("#notes >> text=Undo")


def test_many_are_looked_at_before_they_are_deleted(opened: Callable[..., Seen]):
    seen = opened()
    page = seen.go("/connections/1/")
    before = page.locator("#mapped tbody tr").count()

    page.check("#mapped thead input")
    assert page.inner_text("#pick-mapped [data-count]") == f"{before} selected"
    page.click("#pick-mapped button[value=delete]")

    assert "Nothing was changed yet." in page.inner_text("main")
    page.click("text=Leave it")
    expect(page.locator("#mapped tbody tr")).to_have_count(before)


def test_the_dialog_takes_the_focus_and_gives_it_back(opened: Callable[..., Seen]):
    seen = opened()
    page = seen.go("/connections/1/")
    opener = page.locator("#mapped a[data-dialog] >> nth=0")
    name = opener.get_attribute("aria-label")

    opener.click()
    expect(page.locator("dialog[open] input[role=combobox]")).to_be_focused()
    for _ in range(12):
        page.keyboard.press("Tab")
        assert page.evaluate("document.body === document.activeElement || !!document.activeElement.closest('dialog')")
    page.click("dialog[open] [data-close]")

    assert page.locator("dialog[open]").count() == 0
    assert focused(seen) == name


def test_what_is_wrong_stands_beside_its_field_and_nothing_typed_is_lost(opened: Callable[..., Seen]):
    """Promises: errors beside their field, focus goes to the first, secrets never come back."""
    seen = opened()
    seen.expected = {422}
    page = seen.go("/connectors/burpsuite/add")
    page.fill("#label", "Burp by hand")
    page.fill("[name='set.url']", "no address")
    page.fill("[name='set.api_key']", "a-secret-nobody-sees")

    page.click("button[value=create]")

    assert page.locator("[name='set.url'][aria-invalid=true]").count() == 1
    assert page.evaluate("document.activeElement.name") == "set.url"
    assert page.input_value("#label") == "Burp by hand"
    assert page.input_value("[name='set.api_key']") == ""
    assert "a-secret-nobody-sees" not in page.content()


def test_a_connection_is_tested_looked_at_and_created(opened: Callable[..., Seen]):
    """The wizard against the fake Burp: stepwise test, preview of Discover, and nothing exists before Create."""
    seen = opened()
    page = seen.go("/connections/1/edit")
    url = page.input_value("[name='set.url']")
    page = seen.go("/connectors/burpsuite/add")
    page.fill("#label", "Burp again")
    page.fill("[name='set.url']", url)
    page.fill("[name='set.api_key']", API_KEY)
    page.click("button[value=test]")
    page.wait_for_selector("#steps li")
    expect(page.locator("#steps .state.bad")).to_have_count(0)
    page.click("button[value=preview]")
    page.wait_for_selector("text=Create the Connection", timeout=60_000)
    expect(page.locator("#draft tbody tr")).to_have_count(3)
    fits(page)
    assert "Burp again" not in seen.house.run("connection", "list")
    page.click("text=Create the Connection")

    expect(page.locator("h1")).to_have_text("Burp again")
    expect(page.locator("#notes")).to_contain_text("It is connected")


def test_a_sync_is_asked_for_watched_and_told(opened: Callable[..., Seen]):
    """A button, a worker, a bar, a verdict; the page changes in place."""
    seen = opened()
    page = seen.go("/connections/2/")
    page.click("#mapped >> text=Sync")
    expect(page.locator("#notes")).to_contain_text("Sync is asked for")

    seen.go("/operations/?type=sync")
    page.click("#operations tbody tr >> nth=0 >> a >> nth=0")
    page.wait_for_selector("text=It went well", timeout=60_000)

    assert re.search(r"Sync \d+", page.inner_text("h1"))
    assert page.locator("text=Run again").count() == 1
    expect(page.locator(".proof").first).to_have_text(re.compile("[1-9]"))  # how many were seen, which is the proof


def test_a_finding_is_accepted_with_its_reason_and_the_story_says_so(opened: Callable[..., Seen]):
    seen = opened()
    page = seen.go("/findings/?search=traversal")
    page.click("#findings tbody th a >> nth=0")

    page.select_option("#verdict", "accepted")
    page.fill("#until", "2099-12-31")
    page.fill("#note", "The gate in front of it filters that.")
    page.click("button[value=decide]")

    expect(page.locator("#notes")).to_contain_text("1 finding")
    assert "accepted" in page.inner_text("section[aria-label='The tool says, we say']")
    assert "ana" in page.inner_text("section[aria-label='Its story']")


def test_findings_are_decided_together_and_undone_by_one_click(opened: Callable[..., Seen]):
    seen = opened()
    page = seen.go("/findings/?severity=Low")
    before = page.inner_text("#findings tbody")
    page.check("#findings thead input")
    page.select_option("#pick-findings select[name=verdict]", "false positive")

    page.click("#pick-findings button[value=decide]")
    expect(page.locator("#notes")).to_contain_text("findings")
    expect(page.locator("#findings tbody")).not_to_have_text(before)
    page.click("#notes >> text=Undo")

    expect(page.locator("#notes")).to_contain_text("Undone")
    assert page.inner_text("#findings tbody") == before


def test_a_list_is_searched_while_one_types_and_has_an_address(opened: Callable[..., Seen]):
    """Promise: everything on a page has a URL; the back button works."""
    seen = opened()
    page = seen.go("/findings/")
    page.fill("[data-search]", "sql injection")
    expect(page).to_have_url(re.compile(r"/findings/\?search=sql(\+|%20)injection$"))
    page.wait_for_function(
        "[...document.querySelectorAll('#findings tbody th a')].every((a) => /SQL/.test(a.innerText))"
    )
    assert page.evaluate("document.activeElement.matches('[data-search]')")

    page.reload()
    assert page.input_value("[data-search]") == "sql injection"
    page.go_back()
    expect(page).to_have_url(re.compile("/findings/$"))


def test_a_session_that_ended_in_the_middle_costs_a_log_in_and_nothing_typed(opened: Callable[..., Seen]):
    seen = opened()
    page = seen.go("/connectors/burpsuite/add")
    page.fill("#label", "Typed before the session ended")
    page.dispatch_event("#label", "input")
    seen.context.clear_cookies(name="sessionid")
    page.click("button[value=create]")
    page.wait_for_selector("input[name=login]")
    page.fill("input[name=login]", "ana")
    page.fill("input[name=password]", "a long tide comes in")
    page.click("main button[type=submit]")
    page.wait_for_url("**/connectors/burpsuite/add")

    assert page.input_value("#label") == "Typed before the session ended"


def test_somebody_decided_meanwhile_and_both_see_it(opened: Callable[..., Seen]):
    """Two people before the same Record: the second sees what the first did, and nothing is lost."""
    first, second = opened(), opened()
    new_record(first)
    one, two = first.go("/inbox/"), second.go("/inbox/")
    one.click("#unmapped tbody button[value=ignore]")
    expect(one.locator("#notes")).to_contain_text("ignored")
    two.click("#unmapped tbody button[value=ignore]")
    expect(two.locator("#notes")).to_contain_text("ignored already")
