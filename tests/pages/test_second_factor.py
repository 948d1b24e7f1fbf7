"""Second factors in a real browser: an authenticator app by its picture, passkeys of a device that Chromium plays."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect

from tests.pages.conftest import Seen
from tests.pages.fit import usable
from tests.pages.house import PASSWORD, House
from tests.ui.authenticator import code_of

APP = "/account/second-factor/app/activate/"
PASSKEYS, ADD = "/account/second-factor/passkeys/", "/account/second-factor/passkeys/add/"
DEVICE = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


@pytest.fixture
def newcomer(house: House, opened: Callable[..., Seen], request: pytest.FixtureRequest) -> Seen:
    """Somebody without a second factor, logged in: each test has its own."""
    name = request.node.name.removeprefix("test_")[:30]
    house.run("user", "add", name, "--role=reader", "--password", "-", given=f"{PASSWORD}\n")
    return opened(name)


def go(seen: Seen, path: str) -> Page:
    """Opens it, with the password once more where it is asked for."""
    page = seen.go(path)
    if "/reauthenticate/" in page.url:
        page.fill("input[name=password]", PASSWORD)
        page.click("main button[type=submit] >> nth=0")
        page.wait_for_url(f"**{path}")
    return page


def leave(seen: Seen) -> Page:
    seen.context.clear_cookies()
    return seen.go("/account/login/")


def enter(page: Page, name: str) -> None:
    page.fill("input[name=login]", name)
    page.fill("input[name=password]", PASSWORD)
    page.click("main button[type=submit]")
    page.wait_for_url("**/account/second-factor/authenticate/")


def device_of(seen: Seen) -> tuple[CDPSession, str]:
    """A device that keeps passkeys and says yes, as Chromium's WebAuthn domain plays it."""
    told = seen.context.new_cdp_session(seen.page)
    told.send("WebAuthn.enable")
    made: dict[str, Any] = told.send("WebAuthn.addVirtualAuthenticator", {"options": DEVICE})
    return told, made["authenticatorId"]


def passkeys_on(told: CDPSession, device: str) -> list[dict[str, Any]]:
    return told.send("WebAuthn.getCredentials", {"authenticatorId": device})["credentials"]


def test_app(newcomer: Seen, request: pytest.FixtureRequest):
    """The picture of the secret is shown, scripts of ours run beside it, and nothing of the policy is broken."""
    page = go(newcomer, APP)

    assert page.evaluate("document.querySelector('img.qr').naturalWidth") > 0
    assert page.evaluate("typeof window.htmx") == "object", "a script of ours was refused"
    usable(page)
    secret = str(page.input_value("#authenticator_secret"))
    page.fill("input[name=code]", code_of(secret))
    page.click("main button[type=submit]")
    page.wait_for_url("**/account/second-factor/**")
    assert APP not in page.url
    usable(page)

    page = leave(newcomer)
    enter(page, "app")
    page.fill("input[name=code]", "000000")
    page.click("main button[type=submit] >> nth=0")
    expect(page.locator("main .errorlist")).to_be_visible()
    usable(page)


def test_passkey(newcomer: Seen):
    """Issue 6.5: made, used beside the password and instead of it, refused by its owner, and taken away again."""
    told, device = device_of(newcomer)
    page = go(newcomer, ADD)
    usable(page)
    page.fill("input[name=name]", "Laptop")
    page.check("input[name=passwordless]")
    page.click("text=Make it")
    page.wait_for_url(re.compile("/account/second-factor/(passkeys|codes)/$"))
    (kept,) = passkeys_on(told, device)
    assert (kept["rpId"], kept["isResidentCredential"]) == ("localhost", True)
    page = go(newcomer, PASSKEYS)
    expect(page.locator("main li")).to_contain_text("Laptop")
    expect(page.locator("main li")).to_contain_text("logs in without a password")

    page = leave(newcomer)
    page.click("text=Log in with a passkey")
    page.wait_for_url(newcomer.house.url + "/")
    page = leave(newcomer)
    enter(page, "passkey")
    page.click("text=Use a passkey")
    page.wait_for_url(newcomer.house.url + "/")
    assert passkeys_on(told, device)[0]["signCount"] > kept["signCount"]

    page = leave(newcomer)
    told.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": False})
    page.click("text=Log in with a passkey")
    expect(page.locator("[data-passkey-said]")).to_contain_text("No passkey was chosen")
    assert page.url.endswith("/account/login/")

    told.send("WebAuthn.setUserVerified", {"authenticatorId": device, "isUserVerified": True})
    page.click("text=Log in with a passkey")
    page.wait_for_url(newcomer.house.url + "/")
    page = go(newcomer, PASSKEYS)
    page = go(newcomer, page.get_attribute("main li a", "href") or "")
    usable(page)
    page.click("main button[type=submit]")
    page.wait_for_url(f"**{PASSKEYS}")
    expect(page.locator("main li")).to_contain_text("You have none.")
    usable(page)
    page = leave(newcomer)
    newcomer.expected = {400}
    page.click("text=Log in with a passkey")
    page.wait_for_load_state()
    assert "/account/login/" in page.url
