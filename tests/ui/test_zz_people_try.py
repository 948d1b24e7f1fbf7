from __future__ import annotations
import threading
from playwright.sync_api import sync_playwright
import os
from tests.ui.conftest import PASSWORD
from tidegate.config import load_settings
from tidegate.server.web import Server, configured, listening

def test_try(browser, alice):
    os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
    listener = listening("127.0.0.1", 0)
    port = listener.getsockname()[1]
    stop, ready = threading.Event(), threading.Event()
    thread = threading.Thread(target=lambda: Server(configured(browser.application), stop, ready.set).run([listener]))
    thread.start(); ready.wait(20)
    try:
        with sync_playwright() as p:
            chromium = p.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
            context = chromium.new_context()
            page = context.new_page()
            said = []
            page.on("console", lambda m: said.append(m.text))
            page.on("pageerror", lambda m: said.append(str(m)))
            cdp = context.new_cdp_session(page)
            cdp.send("WebAuthn.enable")
            cdp.send("WebAuthn.addVirtualAuthenticator", {"options": {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "isUserVerified": True, "automaticPresenceSimulation": True}})
            base = f"http://localhost:{port}"
            page.goto(base + "/account/login/")
            page.fill("[name=login]", "alice"); page.fill("[name=password]", PASSWORD)
            page.click("button:has-text('Log in'):not([data-passkey])")
            page.wait_for_url(base + "/")
            page.goto(base + "/account/second-factor/passkeys/add/")
            page.fill("[name=password]", PASSWORD); page.click("button:has-text('Confirm')")
            page.wait_for_selector("[data-passkey=create]")
            page.fill("[name=name]", "Laptop"); page.check("[name=passwordless]")
            page.click("[data-passkey=create]")
            page.wait_for_url("**/codes/")
            page.goto(base + "/account/second-factor/passkeys/")
            print(page.inner_text("main"))
            page.goto(base + "/account/second-factor/passkeys/again/"); print(page.url)
            context.clear_cookies()
            page.goto(base + "/account/login/")
            page.fill("[name=login]", "alice"); page.fill("[name=password]", PASSWORD)
            page.click("button:has-text('Log in'):not([data-passkey])")
            page.wait_for_url("**/authenticate/"); print(page.inner_text("main"))
            page.click("[data-passkey=get]"); page.wait_for_url(base + "/"); print("second factor ok")
            context.clear_cookies()
            page.goto(base + "/account/login/"); print(page.inner_text("main"))
            page.screenshot(path="/tmp/hp_login.png")
            page.click("[data-passkey=get]"); page.wait_for_url(base + "/"); print("alone ok")
            print(said)
            chromium.close()
    finally:
        stop.set(); thread.join(10)
