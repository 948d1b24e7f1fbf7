"""What stands on every page and beside every list, by mouse and by keyboard: find anything, columns, files; and what
comes after the page itself."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import expect

from tests.pages.conftest import Seen


def test_anything_is_found_by_keyboard_from_any_page(opened: Callable[..., Seen]):
    """screens.md: one field, one key; Enter leads there, and back leads back."""
    seen = opened()
    page = seen.go("/settings/")

    page.keyboard.press("f")
    page.keyboard.type("web sh")
    expect(page.locator(".find [role=option]").nth(0)).to_contain_text("Web shop")
    page.keyboard.press("Enter")

    expect(page).to_have_url(re.compile(r"/products/\d+/$"))
    page.go_back()
    expect(page).to_have_url(re.compile("/settings/$"))


def test_columns_are_chosen_and_stand_in_the_address(opened: Callable[..., Seen]):
    seen = opened()
    page = seen.go("/findings/?severity=High")

    page.click("#findings .columns-of summary")
    page.check("#findings .columns-of >> text=Last seen")
    page.click("#findings .columns-of >> text=Show these")

    expect(page.locator("#findings thead")).to_contain_text("Last seen")
    assert "columns=seen" in page.url
    assert "severity=High" in page.url


def test_a_list_is_saved_as_a_file(opened: Callable[..., Seen]):
    seen = opened()
    page = seen.go("/findings/?severity=High")

    with page.expect_download() as saved:
        page.click("#findings >> text=CSV")

    lines = saved.value.path().read_text(encoding="utf-8").splitlines()
    assert saved.value.suggested_filename == "findings.csv"
    assert lines[0].startswith("id,severity,title")
    assert {line.split(",")[1] for line in lines[1:]} == {"High"}


def test_a_filter_that_is_chosen_is_there_at_once(opened: Callable[..., Seen]):
    seen = opened()
    page = seen.go("/findings/")

    page.select_option("#findings select[name=tool]", "burpsuite")

    expect(page).to_have_url(re.compile("tool=burpsuite"))


def test_operations_come_after_the_page_and_move_nothing(opened: Callable[..., Seen]):
    """Whoever came to map does not wait for them; without any script a link leads there."""
    seen = opened()
    page = seen.go("/connections/1/")

    expect(page.locator("#operations tbody tr").nth(0)).to_be_visible()
    assert page.locator("#operations .wait").count() == 0


def test_who_wants_little_motion_has_none(opened: Callable[..., Seen]):
    seen = opened()
    page = seen.page
    page.emulate_media(reduced_motion="reduce")
    seen.go("/styleguide")

    durations = page.evaluate(
        "[...document.querySelectorAll('main *')].map((one) => getComputedStyle(one))"
        ".flatMap((style) => [style.animationDuration, style.transitionDuration]).map(parseFloat)"
    )
    assert max(durations) <= 0.001
