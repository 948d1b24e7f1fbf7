"""Passkeys, through the whole application and with real keys: beside the password, instead of it, and what is none."""

from __future__ import annotations

import html
import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.core.cache import cache

from tests.ui.authenticator import Device
from tests.ui.browser import Browser, Page
from tests.ui.conftest import PASSWORD, added, logged_in
from tests.ui.test_log_in import asked_again
from tidegate.actions.user import deactivate_user, reset_second_factor
from tidegate.reads.user import user as read_user
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS
from tidegate.rules.actor import at_this_machine
from tidegate.store.models import AuditLine

ROOT = at_this_machine("root")
LOGIN, FACTOR, ALONE = "/account/login/", "/account/second-factor/authenticate/", "/account/login/passkey/"
LIST, ADD = "/account/second-factor/passkeys/", "/account/second-factor/passkeys/add/"


def asked_of(page: Page) -> dict[str, Any]:
    """What the page would have the browser ask the device."""
    return json.loads(re.findall(r'<script id="passkey-options"[^>]*>(.*?)</script>', page.text)[0])


def sent(browser: Browser, path: str, **fields: str) -> Page:
    """As a form of the page that is open: asked for again, it would ask for something else."""
    return browser.ask("POST", path, {"csrfmiddlewaretoken": browser.cookies["csrftoken"]} | fields)


def with_passkey(browser: Browser, device: Device, *, alone: bool = False, name: str = "My stick") -> Page:
    """The device's passkey is the person's who is logged in; the page that answers."""
    options = asked_of(asked_again(browser).get(ADD))["creation_options"]
    fields = {"name": name, "credential": device.made(options, alone=alone)}
    return sent(browser, ADD, **fields, **({"passwordless": "on"} if alone else {}))


@pytest.fixture
def device(browser: Browser, alice: int) -> Device:
    """What alice logs in with besides her password."""
    made = Device()
    assert with_passkey(logged_in(browser, "alice"), made).status == 302
    return made


def asked_after_password(browser: Browser) -> dict[str, Any]:
    assert browser.post(LOGIN, login="alice", password=PASSWORD).leads_to == FACTOR
    return asked_of(browser.get(FACTOR))["request_options"]


def asked_instead(browser: Browser) -> dict[str, Any]:
    browser.get(LOGIN)
    browser.headers["accept"] = "application/json"
    page = browser.get(ALONE)
    del browser.headers["accept"]
    return json.loads(page.text)["request_options"]


def actions() -> list[tuple[str, str, str]]:
    return [(line.actor, line.action, line.outcome) for line in AuditLine.objects.order_by("id")]


def test_a_passkey_lets_in_whom_the_password_alone_does_not(
    browsers: Callable[..., Browser], device: Device, alice: int
):
    """Issue 6.5: passkeys as far as allauth brings them."""
    other = browsers()
    options = asked_after_password(other)
    assert other.get("/").status == 302

    page = sent(other, FACTOR, credential=device.answer(options))

    assert (page.status, page.leads_to) == (302, "/")
    assert other.get("/").status == 200
    line = AuditLine.objects.filter(action="session.log_in").latest("id")
    assert line.facts == {"arguments": {"by": ["password", "passkey"]}}
    with viewing(FULL_ACCESS):
        found = read_user(alice)
    assert found is not None
    assert found.second_factors == ["passkey"]


def test_a_passkey_lets_in_without_name_and_password(browsers: Callable[..., Browser], browser: Browser, alice: int):
    device, other = Device(), browsers()
    with_passkey(logged_in(browser, "alice"), device, alone=True)

    page = sent(other, ALONE, credential=device.answer(asked_instead(other)))

    assert (page.status, page.leads_to) == (302, "/")
    assert "alice" in other.get("/").words
    line = AuditLine.objects.filter(action="session.log_in").latest("id")
    assert (line.actor, line.facts) == ("alice", {"arguments": {"by": ["passkey"]}})


WRONG: dict[str, Callable[[Device], object]] = {
    "another key": lambda one: vars(one).update(key=Device().key),
    "another passkey": lambda one: vars(one).update(id=b"another" * 4),
    "another page": lambda one: vars(one).update(origin="https://evil.example"),
    "a page without https": lambda one: vars(one).update(origin="http://tidegate.example.com"),
    "for another name": lambda one: vars(one).update(rp="evil.example"),
}


@pytest.mark.parametrize("lie", WRONG)
def test_what_is_not_theirs_lets_nobody_in(browsers: Callable[..., Browser], device: Device, alice: int, lie: str):
    """Promise: phishing gets nothing; the key, the page and the name must be the ones."""
    other = browsers()
    options = asked_after_password(other)
    WRONG[lie](device)

    page = sent(other, FACTOR, credential=device.answer(options))

    assert page.status == 200
    assert other.get("/").status == 302
    refused = AuditLine.objects.get(action="session.second_factor")
    assert (refused.outcome, refused.target_ids) == ("forbidden", [alice])


def test_an_answer_is_worth_something_once_and_to_the_browser_that_asked(
    browsers: Callable[..., Browser], device: Device
):
    first, second = browsers(), browsers()
    answer = device.answer(asked_after_password(first))
    asked_after_password(second)

    assert sent(second, FACTOR, credential=answer).status == 200
    assert sent(first, FACTOR, credential=answer).status == 302
    third = browsers()
    asked_after_password(third)
    assert sent(third, FACTOR, credential=answer).status == 200


def test_without_a_password_the_device_must_have_asked_who_it_is(
    browsers: Callable[..., Browser], browser: Browser, alice: int
):
    device, other = Device(), browsers()
    with_passkey(logged_in(browser, "alice"), device, alone=True)
    device.verifies = False

    sent(other, ALONE, credential=device.answer(asked_instead(other)))

    assert other.get("/").status == 302
    refused = AuditLine.objects.filter(action="session.log_in", outcome="forbidden").get()
    assert (refused.target_ids, refused.facts) == ([], {"answer": "The passkey is wrong."})


def test_who_left_does_not_come_in_by_passkey(browsers: Callable[..., Browser], browser: Browser, alice: int):
    bob, device, other = added("bob"), Device(), browsers()
    with_passkey(logged_in(browser, "bob"), device, alone=True)
    deactivate_user(ROOT, bob)

    sent(other, ALONE, credential=device.answer(asked_instead(other)))

    assert other.get("/").status == 302
    assert AuditLine.objects.filter(action="session.log_in", outcome="forbidden").get().target_ids == [bob]


HOSTILE = [
    *("", "null", "1", "9" * 5000, "[]", "{}", '"x"', "{", "[" * 5000, '{"id": null}', '{"response": []}'),
    '{"response": {"userHandle": 1}}',
    '{"id":"AA","rawId":"AA","type":"public-key","response":{}}',
    *(
        f'{{"id":"AA","rawId":"AA","type":"public-key","clientExtensionResults":{{}},"response":{{"clientDataJSON":"{said}",'
        f'"authenticatorData":"AA","signature":"AA","userHandle":"{user}","attestationObject":"oA"}}}}'
        for said, user in (("AA", "AA"), ("e30", "////"), ("W10", "MQ"), ("bnVsbA", ""))
    ),
]


def test_what_no_browser_sends_is_refused_and_breaks_nothing(
    browsers: Callable[..., Browser], browser: Browser, device: Device
):
    other, third = browsers(), browsers()
    asked_after_password(other)
    asked_instead(third)
    browser.get(ADD)

    for text in HOSTILE:
        cache.clear()  # how often is limited, and that is not asked here
        assert sent(other, FACTOR, credential=text).status == 200, text
        assert sent(third, ALONE, credential=text).status == 302, text
        assert sent(browser, ADD, credential=text).status == 200, text
        assert sent(browser, f"{LIST}again/", credential=text).status == 302, text

    assert [one.get("/").status for one in (other, third)] == [302, 302]
    assert Authenticator.objects.filter(type="webauthn").count() == 1


def test_adding_and_removing_stand_in_the_audit_log(browser: Browser, device: Device, alice: int):
    """Issue 6.6."""
    assert actions()[-2:] == [
        ("alice", "account.add_second_factor", "done"),
        ("alice", "account.make_recovery_codes", "done"),
    ]
    page = browser.get(LIST)
    (remove,) = re.findall(r'href="(/account/second-factor/passkeys/\d+/remove/)"', page.text)
    assert "My stick" in page.words

    assert browser.post(remove).status == 302

    assert actions()[-2:] == [("alice", "account.remove_second_factor", "done")] * 2
    assert not Authenticator.objects.exists()


def test_nobody_removes_anothers(browsers: Callable[..., Browser], device: Device):
    added("bob")
    bob = asked_again(logged_in(browsers(), "bob"))
    bob.get("/account/")
    theirs = Authenticator.objects.get(type="webauthn").pk

    assert sent(bob, f"{LIST}{theirs}/remove/").status == 404

    assert Authenticator.objects.filter(pk=theirs).exists()


def test_who_finds_an_open_browser_needs_the_password_to_add_one(browser: Browser, alice: int):
    logged_in(browser, "alice")

    assert browser.get(ADD).leads_to.startswith("/account/reauthenticate/")


def test_a_passkey_that_is_there_lets_change_what_matters(browsers: Callable[..., Browser], device: Device):
    other = browsers()
    sent(other, FACTOR, credential=device.answer(asked_after_password(other)))
    options = asked_of(other.get(f"{LIST}again/"))["request_options"]

    assert sent(other, f"{LIST}again/", credential=device.answer(options)).status == 302

    assert other.get(ADD).status == 200


def test_an_administrator_takes_away_what_was_lost(browsers: Callable[..., Browser], device: Device, alice: int):
    assert reset_second_factor(ROOT, alice) == 2

    assert logged_in(browsers(), "alice").get("/").status == 200


def test_a_name_of_ones_own_is_shown_as_it_was_typed_and_has_an_end(browser: Browser, alice: int):
    logged_in(browser, "alice")
    name = "<script>alert(1)</script>"

    assert with_passkey(browser, Device(), name="x" * 61).status == 200
    assert with_passkey(browser, Device(), name=name).status == 302

    page = browser.get(LIST)
    assert name not in page.text
    assert html.escape(name) in page.text


def test_only_a_file_of_ours_runs_on_these_pages(browsers: Callable[..., Browser], browser: Browser, device: Device):
    """Promise: a strict Content-Security-Policy; no script stands in a page."""
    other = browsers()
    asked_after_password(other)

    for page in (browsers().get(LOGIN), other.get(FACTOR), browser.get(ADD), browser.get(f"{LIST}again/")):
        policy = page.headers["content-security-policy"]
        assert "script-src 'self';" in f"{policy};"
        assert "connect-src 'self';" in f"{policy};"
        assert "unsafe" not in policy
        scripts = re.findall(r"<script([^>]*)>(.*?)</script>", page.text, re.DOTALL)
        assert all("application/json" in head or not body.strip() for head, body in scripts)
        assert 'src="/static/passkey.js"' in page.text
        assert not re.search(r"<[^>]+\son\w+=", page.text)
        assert browser.get("/static/passkey.js").status == 200
