"""Logging in with a browser, through the whole application: who comes in, who does not, and what ends a session."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.sessions.models import Session

from tests.ui.authenticator import code_of
from tests.ui.browser import Browser
from tests.ui.conftest import PASSWORD, added, logged_in
from tidegate.actions.user import (
    add_user,
    deactivate_user,
    log_out_everywhere,
    reset_second_factor,
    set_password,
)
from tidegate.reads.user import user as read_user
from tidegate.rules.access import Grant
from tidegate.rules.actor import at_this_machine
from tidegate.server.gate import CARRIED
from tidegate.store.models import User

ROOT = at_this_machine("root")
LOGIN = "/account/login/"


def test_a_page_is_shown_to_nobody_who_has_not_logged_in(browser: Browser, alice: int):
    page = browser.get("/")

    assert (page.status, page.leads_to) == (302, "/account/login/?next=/")
    assert "everything" not in browser.get(page.leads_to).words


def test_who_logs_in_sees_the_page_and_their_name(browser: Browser, alice: int):
    page = logged_in(browser, "alice").get("/")

    assert page.status == 200
    assert "alice" in page.words
    assert "Log out" in page.words


def test_the_name_may_be_typed_in_any_case(browser: Browser, alice: int):
    assert browser.post(LOGIN, login="ALICE", password=PASSWORD).leads_to == "/"


@pytest.mark.parametrize(
    ("name", "password"), [("alice", "wrong"), ("nobody", PASSWORD), ("robot", PASSWORD), ("", "")]
)
def test_who_says_something_wrong_is_told_the_same_whatever_was_wrong(
    browser: Browser, alice: int, name: str, password: str
):
    """Promise: nobody learns from the log-in which users there are."""
    add_user(ROOT, "robot", kind="service")

    page = browser.post(LOGIN, login=name, password=password)

    said = "The username and/or password you specified are not correct." if name else "This field is required."
    assert page.status == 200
    assert said in page.words
    assert not (name and name in page.words.replace(said, ""))
    assert browser.get("/").status == 302


def test_guessing_a_password_is_slowed_down_whoever_guesses(browsers: Callable[..., Browser], alice: int):
    """Promise: brute force is limited, by name and by address, and headers do not help."""
    codes = []
    for number in range(12):  # each from another address: the limit of the name holds
        guesser = browsers(address=f"203.0.113.{number}", headers={"x-forwarded-for": f"198.51.100.{number}"})
        codes.append("Too many" in guesser.post(LOGIN, login="alice", password=f"guess {number}").words)

    assert codes == [False] * 10 + [True] * 2
    late = browsers(address="203.0.113.99")
    assert "Too many" in late.post(LOGIN, login="alice", password=PASSWORD).words


def test_guessing_names_is_slowed_down_by_address(browsers: Callable[..., Browser], alice: int):
    guesser = browsers(address="203.0.113.7")
    found = [guesser.post(LOGIN, login=f"user{number}", password="x" * 12) for number in range(31)]

    assert "Too many" in found[-1].words
    assert "Too many" not in found[0].words


def test_a_session_is_another_one_after_the_log_in(browser: Browser, alice: int):
    """Promise: session fixation; a session id from before is worth nothing."""
    planted = "a" * 32
    browser.cookies["sessionid"] = planted
    logged_in(browser, "alice")

    assert browser.cookies["sessionid"] != planted
    assert not Session.objects.filter(session_key=planted).exists()


def test_cookies_are_for_us_alone_and_for_https_where_the_page_was(browsers: Callable[..., Browser], alice: int):
    plain = browsers().get(LOGIN).cookies[0]
    secured = browsers(host="tidegate.example.com", headers={"x-forwarded-proto": "https"}).get(LOGIN).cookies[0]

    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Secure" not in plain
    assert "Secure" in secured


@pytest.mark.parametrize(
    "elsewhere", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "http:evil"]
)
def test_a_log_in_leads_nowhere_else(browser: Browser, alice: int, elsewhere: str):
    """Promise: no open redirect."""
    page = browser.post(LOGIN, login="alice", password=PASSWORD, next=elsewhere)

    assert (page.status, page.leads_to) == (302, "/")


def test_a_log_in_leads_to_the_page_that_was_asked_for(browser: Browser, alice: int):
    assert browser.post(LOGIN, login="alice", password=PASSWORD, next="/account/").leads_to == "/account/"


def test_a_form_of_another_site_is_refused(browser: Browser, alice: int):
    """Promise: CSRF."""
    logged_in(browser, "alice")

    page = browser.ask("POST", "/account/logout/", {})
    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    browser.headers["origin"] = "https://evil.example"
    evil = browser.ask("POST", "/account/logout/", token)
    del browser.headers["origin"]

    assert page.status == 403
    assert "was not sent from a page of Tidegate" in page.words
    assert evil.status == 403
    assert browser.get("/").status == 200
    assert browser.ask("POST", "/account/logout/", token).status == 302  # ours, with its token


def test_a_deactivated_user_is_out_at_once(browser: Browser, alice: int):
    """Promise: access ends the moment an administrator says so."""
    bob = added("bob", Grant("reader"))
    logged_in(browser, "bob")

    deactivate_user(ROOT, bob)

    assert browser.get("/").status == 302
    assert browser.get("/account/").status == 302
    assert "may not come in" in browser.get(browser.post(LOGIN, login="bob", password=PASSWORD).leads_to).words


def test_logging_out_everywhere_ends_every_browser(browsers: Callable[..., Browser], alice: int):
    """Promise: log out everywhere."""
    first, second = logged_in(browsers(), "alice"), logged_in(browsers(), "alice")
    assert len(read_user(alice).sessions * "x") == 2  # pyright: ignore[reportOptionalMemberAccess]

    assert log_out_everywhere(ROOT, alice) == 2

    assert [one.get("/").status for one in (first, second)] == [302, 302]


def test_a_new_password_ends_every_browser(browser: Browser, alice: int):
    from pydantic import SecretStr

    logged_in(browser, "alice")

    set_password(ROOT, alice, SecretStr("another long tide"))

    assert browser.get("/").status == 302
    assert browser.post(LOGIN, login="alice", password="another long tide").leads_to == "/"


def test_one_can_end_all_ones_other_sessions_on_the_page(browsers: Callable[..., Browser], alice: int):
    first, second = logged_in(browsers(), "alice"), logged_in(browsers(), "alice")

    assert "Log out everywhere else" in first.get("/account/sessions/").words
    assert first.post("/account/sessions/").status == 302

    assert (first.get("/").status, second.get("/").status) == (200, 302)


def test_one_changes_ones_own_password_only_with_the_old_one_and_not_to_an_easy_one(browser: Browser, alice: int):
    logged_in(browser, "alice")
    new = "quite another tide"
    change = "/account/password/change/"

    wrong = browser.post(change, oldpassword="wrong", password1=new, password2=new)
    short = browser.post(change, oldpassword=PASSWORD, password1="short", password2="short")
    common = browser.post(change, oldpassword=PASSWORD, password1="password1234", password2="password1234")
    done = browser.post(change, oldpassword=PASSWORD, password1=new, password2=new)

    assert [page.status for page in (wrong, short, common, done)] == [200, 200, 200, 302]
    assert "12 characters" in short.words
    assert browser.get("/").status == 200


def test_who_has_no_role_is_told_so_and_sees_nothing(browser: Browser, alice: int):
    added("carol")

    page = logged_in(browser, "carol").get("/")

    assert page.status == 403
    assert "You have no role yet" in page.words


def test_nobody_can_sign_up_and_no_mail_is_sent(browser: Browser, alice: int):
    for path in ("/account/signup/", "/account/none/account_signup/", "/account/none/account_reset_password/"):
        assert browser.get(path).status == 404
    assert User.objects.count() == 1


def test_a_password_never_stands_on_a_page_nor_in_a_session(browser: Browser, alice: int):
    """Promise: secrets are write-only."""
    page = browser.post(LOGIN, login="alice", password="my-seeded-canary")
    logged_in(browser, "alice")

    assert "my-seeded-canary" not in page.text
    hash = User.objects.get(pk=alice).password
    for path in ("/", "/account/", "/account/sessions/", "/account/second-factor/"):
        assert hash not in browser.get(path).text
    assert all("canary" not in str(session.get_decoded()) for session in Session.objects.all())


# The second factor


def asked_again(browser: Browser) -> Browser:
    """The same browser, after the password was asked for once more."""
    assert browser.post("/account/reauthenticate/", password=PASSWORD).status == 302
    return browser


@pytest.fixture
def app(browser: Browser, alice: int) -> str:
    """The secret of alice's authenticator app, which she has just set up."""
    asked_again(logged_in(browser, "alice"))
    path = "/account/second-factor/app/activate/"
    secret = str(re.findall(r'value="([A-Z2-7]{16,})"', browser.get(path).text)[0])
    # Asked for again, the page would show another secret.
    page = browser.ask("POST", path, {"csrfmiddlewaretoken": browser.cookies["csrftoken"], "code": code_of(secret)})
    assert page.status == 302, page.words
    return secret


def test_the_picture_of_the_secret_is_in_the_page_and_nothing_else_may_be(browser: Browser, alice: int):
    asked = logged_in(browser, "alice").get("/account/second-factor/app/activate/")
    page = asked_again(browser).get("/account/second-factor/app/activate/")

    assert asked.leads_to.startswith("/account/reauthenticate/")  # who finds an open browser needs the password
    assert 'src="data:image/svg' in page.text
    assert "img-src 'self' data:" in page.headers["content-security-policy"]
    assert page.headers["content-security-policy"].replace(" data:", "") == CARRIED["Content-Security-Policy"]


def test_a_password_alone_lets_nobody_in_who_has_an_authenticator_app(
    browsers: Callable[..., Browser], app: str, monkeypatch: Any
):
    """Promise: TOTP works."""
    other = browsers()
    page = other.post(LOGIN, login="alice", password=PASSWORD)

    assert page.leads_to == "/account/second-factor/authenticate/"
    assert other.get("/").status == 302
    assert other.post(page.leads_to, code="000000").status == 200
    assert other.get("/").status == 302
    later = time.time() + 30  # the code that was used a moment ago is not taken again
    assert other.post(page.leads_to, code=code_of(app, at=later)).status == 302
    assert other.get("/").status == 200


def test_a_recovery_code_lets_in_once(browsers: Callable[..., Browser], browser: Browser, app: str):
    shown = browser.get("/account/second-factor/codes/").text
    code = re.findall(r"^\s*([0-9]{8})\s*$", shown.replace(">", ">\n").replace("<", "\n<"), re.MULTILINE)[0]

    def comes_in() -> bool:
        other = browsers()
        other.post("/account/second-factor/authenticate/", code=code) if other.post(
            LOGIN, login="alice", password=PASSWORD
        ) else None
        return other.get("/").status == 200

    assert [comes_in(), comes_in()] == [True, False]


def test_an_administrator_helps_who_lost_their_phone(browsers: Callable[..., Browser], app: str, alice: int):
    assert reset_second_factor(ROOT, alice) == 2

    assert logged_in(browsers(), "alice").get("/").status == 200
