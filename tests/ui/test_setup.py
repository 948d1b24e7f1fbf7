"""The first administrator: who reads the code may say who it is, once."""

from __future__ import annotations

import stat
from collections.abc import Callable

import pytest

from tests.ui.browser import Browser
from tests.ui.conftest import PASSWORD, added
from tidegate.actions.setup import CODE_FILE, code_to_set_up
from tidegate.config import Settings, load_settings
from tidegate.rules.access import Grant
from tidegate.store.models import AuditLine, RoleGrant, User

SETUP = "/setup"


@pytest.fixture
def given(browsers: object) -> Settings:
    return load_settings()


@pytest.fixture
def code(given: Settings) -> str:
    return str(code_to_set_up(given))


def fields(code: str, **more: str) -> dict[str, str]:
    return {"code": code, "name": "alice", "password": PASSWORD, "again": PASSWORD} | more


@pytest.mark.parametrize("wrong", ["", "x", "AAAAA-AAAAA-AAAAA-AAAAA", "é" * 20, "A" * 1000])
def test_a_wrong_code_makes_nobody_administrator(browser: Browser, code: str, wrong: str):
    """Promise: who first finds a new Tidegate does not own it."""
    page = browser.post(SETUP, **fields(wrong))

    assert page.status == 400
    assert code not in page.text
    assert not User.objects.exists()


def test_without_a_file_or_with_one_that_others_may_read_no_code_is_right(browser: Browser, code: str, given: Settings):
    file = given.home / CODE_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600

    file.chmod(0o644)
    open_to_all = browser.post(SETUP, **fields(code))
    file.unlink()

    assert open_to_all.status == browser.post(SETUP, **fields("")).status == 400
    assert not User.objects.exists()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"password": "short", "again": "short"}, "12 characters"),
        ({"again": "another one"}, "another password"),
        ({"name": "Tidegate"}, "not a person"),
        ({"name": ""}, "required"),
    ],
)
def test_what_cannot_be_used_is_said_and_nothing_is_made(
    browser: Browser, code: str, given: Settings, more: dict[str, str], said: str
):
    page = browser.post(SETUP, **fields(code, **more))

    assert page.status == 400
    assert said in page.words
    assert PASSWORD not in page.text
    assert not User.objects.exists()
    assert code_to_set_up(given) == code


def test_the_right_code_makes_the_first_administrator_and_is_gone(
    browser: Browser, code: str, given: Settings, capfd: pytest.CaptureFixture[str]
):
    page = browser.post(SETUP, **fields(code.lower().replace("-", " ")))

    assert (page.status, page.leads_to) == (302, "/account/login/")
    assert list(RoleGrant.objects.values_list("user__username", "role", "scope")) == [
        ("alice", "administrator", "everything")
    ]
    assert not (given.home / CODE_FILE).exists()
    assert code_to_set_up(given) is None
    assert browser.get(SETUP).status == 404
    assert browser.post("/account/login/", login="alice", password=PASSWORD).leads_to == "/"
    said = repr(list(AuditLine.objects.values())) + "".join(capfd.readouterr())
    assert "add_user" in said
    assert PASSWORD not in said


def test_who_has_the_page_open_comes_too_late(browsers: Callable[..., Browser], code: str, given: Settings):
    first, second = browsers(), browsers()
    second.get(SETUP)
    token = {"csrfmiddlewaretoken": second.cookies["csrftoken"]}
    first.post(SETUP, **fields(code))

    assert second.ask("POST", SETUP, fields(code, name="eve") | token).status == 404
    assert User.objects.count() == 1


def test_an_administrator_of_the_command_line_is_enough(browser: Browser, code: str, given: Settings):
    added("root-of-it", Grant("administrator"))

    assert browser.get(SETUP).status == 404
    assert code_to_set_up(given) is None
    assert browser.get("/").leads_to == "/account/login/?next=/"
