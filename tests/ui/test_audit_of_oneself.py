"""What people do about themselves on their pages stands in the audit log; and who logged in, or could not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.db import DatabaseError

from tests.ui.browser import Browser
from tests.ui.conftest import PASSWORD, added, logged_in
from tests.ui.test_log_in import app, asked_again
from tests.ui.test_second_factor import CODES, FACTOR, LOGIN, next_code
from tidegate.actions import account
from tidegate.actions.user import add_user, deactivate_user
from tidegate.rules.actor import at_this_machine
from tidegate.store.models import AuditLine, User

__all__ = ["app"]

ROOT = at_this_machine("root")
NEW = "quite another tide"


def lines(beginning: str) -> list[tuple[str, str, str, dict[str, Any]]]:
    """Who, what, how it ended, and what more is said."""
    found = AuditLine.objects.filter(action__startswith=beginning).order_by("id")
    return [(line.actor, line.action, line.outcome, line.facts) for line in found]


def test_a_log_in_stands_there_with_what_proved_it(browser: Browser, alice: int):
    """Issue 6.6: every change by anyone."""
    logged_in(browser, "alice")

    (line,) = AuditLine.objects.filter(action="session.log_in")
    assert (line.actor, line.user_id, line.through, line.address) == ("alice", alice, "page", "127.0.0.1")
    assert (line.outcome, line.target, line.target_ids) == ("done", "user", [alice])
    assert line.facts == {"arguments": {"by": ["password"]}}


@pytest.mark.parametrize(("name", "known"), [("alice", True), ("ALICE", True), ("nobody-of-that-name", False)])
def test_a_log_in_that_failed_stands_there_and_a_name_only_where_there_is_one(
    browser: Browser, alice: int, name: str, known: bool
):
    """What was typed for a name may be a password."""
    browser.post(LOGIN, login=name, password="wrong-and-secret")

    (line,) = AuditLine.objects.filter(action="session.log_in")
    assert (line.actor, line.user_id, line.through, line.address) == ("tidegate", None, "page", "127.0.0.1")
    assert (line.outcome, line.target_ids) == ("forbidden", [alice] if known else [])
    assert line.facts == {"answer": "Name or password is wrong."}
    assert "nobody-of-that-name" not in str(vars(line))


def test_who_may_not_come_in_and_knows_the_password_stands_there(browser: Browser, alice: int):
    bob = added("bob")
    deactivate_user(ROOT, bob)

    browser.post(LOGIN, login="bob", password=PASSWORD)

    (line,) = AuditLine.objects.filter(action="session.log_in")
    assert (line.outcome, line.target_ids, line.facts) == ("forbidden", [bob], {"answer": "bob may not come in."})


def test_guessing_stands_there_only_as_often_as_it_is_answered(browsers: Callable[..., Browser], alice: int):
    """Nobody fills the audit log: what is slowed down is not written down."""
    for number in range(14):
        browsers(address=f"203.0.113.{number}").post(LOGIN, login="alice", password=f"guess {number}")

    assert AuditLine.objects.filter(action="session.log_in").count() == 10


def test_logging_out_stands_there(browser: Browser, alice: int):
    logged_in(browser, "alice").post("/account/logout/")

    assert lines("session.log_out") == [("alice", "session.log_out", "done", {})]


def test_ending_ones_other_sessions_stands_there_with_their_number(browsers: Callable[..., Browser], alice: int):
    first, *_ = [logged_in(browsers(), "alice") for _ in range(3)]
    first.get("/account/sessions/")
    assert lines("account.") == []

    first.post("/account/sessions/")

    assert lines("account.") == [("alice", "account.end_sessions", "done", {"answer": 2})]


def test_changing_ones_password_stands_there_and_trying_does_not(browser: Browser, alice: int):
    logged_in(browser, "alice")
    change = "/account/password/change/"
    browser.post(change, oldpassword="wrong", password1=NEW, password2=NEW)
    assert lines("account.") == []

    browser.post(change, oldpassword=PASSWORD, password1=NEW, password2=NEW)

    assert lines("account.") == [("alice", "account.change_password", "done", {})]
    assert NEW not in str(list(AuditLine.objects.values()))


def test_who_has_no_role_may_still_change_their_password(browser: Browser, alice: int):
    carol = added("carol")
    logged_in(browser, "carol")

    assert browser.post("/account/password/change/", oldpassword=PASSWORD, password1=NEW, password2=NEW).status == 302

    (line,) = AuditLine.objects.filter(action="account.change_password")
    assert (line.actor, line.target_ids) == ("carol", [carol])


def test_setting_up_an_authenticator_app_stands_there_and_so_do_its_codes(app: str):
    assert lines("account.") == [
        ("alice", "account.add_second_factor", "done", {"arguments": {"kind": "app"}}),
        ("alice", "account.make_recovery_codes", "done", {}),
    ]
    assert app not in str(list(AuditLine.objects.values()))


def test_new_recovery_codes_stand_there_once(browser: Browser, app: str):
    browser.get(CODES)
    before = len(lines("account."))

    assert browser.post("/account/second-factor/codes/generate/").status == 302

    assert lines("account.")[before:] == [("alice", "account.make_recovery_codes", "done", {})]


def test_taking_a_second_factor_away_stands_there_with_the_codes_that_went_along(browser: Browser, app: str):
    before = len(lines("account."))

    assert browser.post("/account/second-factor/app/deactivate/").status == 302

    assert not Authenticator.objects.exists()
    assert lines("account.")[before:] == [
        ("alice", "account.remove_second_factor", "done", {"arguments": {"kind": "app"}}),
        ("alice", "account.remove_second_factor", "done", {"arguments": {"kind": "recovery codes"}}),
    ]


def test_a_wrong_second_factor_stands_there_and_then_what_let_in(
    browsers: Callable[..., Browser], app: str, alice: int
):
    other = browsers(address="203.0.113.9")
    other.post(LOGIN, login="alice", password=PASSWORD)
    before = len(lines("session."))
    other.post(FACTOR, code="000000")
    other.post(FACTOR, code=next_code(app))

    assert lines("session.")[before:] == [
        ("tidegate", "session.second_factor", "forbidden", {"answer": "The second factor is wrong."}),
        ("alice", "session.log_in", "done", {"arguments": {"by": ["password", "app"]}}),
    ]
    wrong = AuditLine.objects.get(action="session.second_factor")
    assert (wrong.target_ids, wrong.address) == ([alice], "203.0.113.9")


def test_a_change_whose_line_cannot_be_written_is_not_made(
    browser: Browser, app: str, alice: int, monkeypatch: pytest.MonkeyPatch
):
    """Promise: nothing is changed that does not stand in the audit log."""

    def full(*_: object) -> None:
        raise DatabaseError("the disk is full")

    logged_in_before = User.objects.get(pk=alice).password
    asked_again(browser) if not Authenticator.objects.exists() else None
    monkeypatch.setattr(account, "save_audit_line", full)

    password = browser.post("/account/password/change/", oldpassword=PASSWORD, password1=NEW, password2=NEW)
    factor = browser.post("/account/second-factor/app/deactivate/")

    assert (password.status, factor.status) == (503, 503)
    assert User.objects.get(pk=alice).password == logged_in_before
    assert Authenticator.objects.count() == 2


def test_a_log_in_whose_line_cannot_be_written_lets_nobody_in(
    browser: Browser, alice: int, monkeypatch: pytest.MonkeyPatch
):
    from tidegate.actions import session

    def full(*_: object) -> None:
        raise DatabaseError("the disk is full")

    monkeypatch.setattr(session, "save_audit_line", full)

    assert browser.post(LOGIN, login="alice", password=PASSWORD).status == 503
    assert browser.get("/").status == 302


def test_a_service_account_that_somebody_tries_stands_there(browser: Browser, alice: int):
    robot = add_user(ROOT, "robot", kind="service")

    browser.post(LOGIN, login="robot", password=PASSWORD)

    assert AuditLine.objects.get(action="session.log_in").target_ids == [robot]
