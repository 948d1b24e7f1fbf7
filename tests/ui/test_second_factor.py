"""Second factors at rest: sealed to their user, sealed anew with a new key, and a sentence where the key is lost."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.sessions.models import Session
from django.db import connection

from tests.ui.authenticator import code_of
from tests.ui.browser import Browser, Page
from tests.ui.conftest import PASSWORD, added, logged_in
from tests.ui.test_log_in import app, asked_again
from tidegate.actions.secret import rotate_secrets
from tidegate.actions.user import reset_second_factor
from tidegate.config import load_settings
from tidegate.guard.keys import KEY_FILE, known_keys
from tidegate.guard.second_factor import open_factor
from tidegate.reads.secret import secrets_status
from tidegate.rules.actor import at_this_machine
from tidegate.server import people
from tidegate.store.models import AuditLine

__all__ = ["app"]

ROOT = at_this_machine("root")
LOGIN, FACTOR, CODES = "/account/login/", "/account/second-factor/authenticate/", "/account/second-factor/codes/"
ACTIVATE = "/account/second-factor/app/activate/"


@pytest.fixture(autouse=True)
def keys_in_the_home(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("TIDEGATE_SECRET_KEY", "TIDEGATE_SECRET_KEY_COMMAND"):
        monkeypatch.delenv(name, raising=False)


def stored() -> dict[str, dict[str, Any]]:
    """What stands in the database, past every model."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT type, data::text FROM mfa_authenticator ORDER BY id")
        return {type: json.loads(data) for type, data in cursor.fetchall()}


def in_the_clear(user_id: int) -> dict[str, str]:
    """Puts them back as an earlier version stored them; what they are."""
    found: dict[str, str] = {}
    for one in Authenticator.objects.filter(user_id=user_id):
        (name,) = {"secret", "seed"} & one.data.keys()
        found[name] = open_factor(one.data[name], user_id, load_settings())
        Authenticator.objects.filter(pk=one.pk).update(data={**one.data, name: found[name]})
    return found


def comes_in(browser: Browser, code: str) -> Page:
    """Name and password, then this code; the page that answers it."""
    assert browser.post(LOGIN, login="alice", password=PASSWORD).leads_to == FACTOR
    return browser.post(FACTOR, code=code)


def next_code(secret: str) -> str:
    """One that was not used yet."""
    return code_of(secret, at=time.time() + 30)


def lose_the_key() -> Path:
    key = load_settings().home / KEY_FILE
    return key.rename(key.with_name("lost.key"))


def test_what_is_stored_is_sealed_and_what_waits_in_the_session_too(browser: Browser, alice: int):
    """Issue 6.7: no secret of an authenticator app, and no seed of recovery codes, stands there in the clear."""
    asked_again(logged_in(browser, "alice"))
    secret = re.findall(r'value="([A-Z2-7]{16,})"', browser.get(ACTIVATE).text)[0]
    waiting = [session.get_decoded() for session in Session.objects.all()]
    browser.ask("POST", ACTIVATE, {"csrfmiddlewaretoken": browser.cookies["csrftoken"], "code": code_of(secret)})

    assert any("mfa.totp.secret" in one for one in waiting)
    assert secret not in str(waiting)
    assert stored()["totp"]["secret"].startswith("dGcx")
    assert stored()["recovery_codes"]["seed"].startswith("dGcx")
    assert secret not in str(stored())
    assert open_factor(stored()["totp"]["secret"], alice, load_settings()) == secret


def test_what_waits_in_a_session_of_an_earlier_version_is_not_believed(browser: Browser, alice: int):
    asked_again(logged_in(browser, "alice"))
    browser.get(ACTIVATE)
    (session,) = [one for one in Session.objects.all() if "mfa.totp.secret" in one.get_decoded()]
    planted = "A" * 32
    data: Any = session.get_decoded() | {"mfa.totp.secret": planted}
    Session.objects.save(session.session_key, data, session.expire_date)

    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    page = browser.ask("POST", ACTIVATE, token | {"code": code_of(planted)})

    assert page.status == 200
    assert "Incorrect code" in page.words
    assert not Authenticator.objects.exists()


def test_what_is_sealed_for_one_person_lets_nobody_else_in(browsers: Callable[..., Browser], app: str):
    """Whoever can write into the database cannot give alice the authenticator app of mallory."""
    mallory = added("mallory")
    sealed = stored()["totp"]
    Authenticator.objects.create(user_id=mallory, type="totp", data=sealed)
    other = browsers()
    other.post(LOGIN, login="mallory", password=PASSWORD)

    page = other.post(FACTOR, code=next_code(app))

    assert page.status == 200
    assert "cannot be checked" in page.words
    assert other.get("/").status == 302
    assert [lost.kind for lost in secrets_status(load_settings()).lost] == ["user"]


def test_a_new_key_seals_second_factors_anew_and_they_go_on(
    browsers: Callable[..., Browser], browser: Browser, app: str, alice: int
):
    """Issue 6.7: `tidegate secrets rotate` knows them; the old key is gone afterwards."""
    (old,) = known_keys(load_settings())
    code = a_recovery_code(browser)

    done = rotate_secrets(ROOT, load_settings())

    assert (done.resealed, done.lost, done.retired) == (2, 0, (old.id.hex(),))
    status = secrets_status(load_settings())
    assert ([key.users for key in status.keys], status.sealed, status.lost) == ([2], 2, [])
    assert comes_in(browsers(), next_code(app)).status == 302
    assert comes_in(browsers(), code).status == 302
    assert comes_in(browsers(), code).status == 200  # which codes were used is known as before


def a_recovery_code(browser: Browser) -> str:
    shown = browser.get(CODES).text
    return re.findall(r"^\s*([0-9]{8})\s*$", shown.replace(">", ">\n").replace("<", "\n<"), re.MULTILINE)[0]


def test_what_was_read_before_a_rotation_opens_after_it(app: str, alice: int):
    read = Authenticator.objects.get(type="totp")
    rotate_secrets(ROOT, load_settings())

    assert read.wrap().validate_code(next_code(app))


def test_second_factors_of_an_earlier_version_are_sealed_when_the_pages_start(
    browsers: Callable[..., Browser], app: str, alice: int
):
    """Landed versions stored them as they are: nobody has to set up anything again."""
    clear = in_the_clear(alice)
    assert clear["secret"] == app == stored()["totp"]["secret"]

    people.prepare(load_settings())

    assert not {app, clear["seed"]} & {
        *map(str, stored()["totp"].values()),
        *map(str, stored()["recovery_codes"].values()),
    }
    assert comes_in(browsers(), next_code(app)).status == 302


def test_a_rotation_seals_what_an_earlier_version_left_in_the_clear(app: str, alice: int):
    in_the_clear(alice)

    assert rotate_secrets(ROOT, load_settings()).lost == 0

    assert all(str(one.get("secret", one.get("seed"))).startswith("dGcx") for one in stored().values())
    assert secrets_status(load_settings()).lost == []


def test_what_is_in_the_clear_lets_nobody_in(browsers: Callable[..., Browser], app: str, alice: int):
    in_the_clear(alice)

    assert "cannot be checked" in comes_in(browsers(), next_code(app)).words


def test_a_lost_key_is_said_at_the_log_in_and_an_administrator_helps(
    browsers: Callable[..., Browser], browser: Browser, app: str, alice: int
):
    """Issue 6.7: lost key, clear error."""
    lose_the_key()

    page = comes_in(browsers(), next_code(app))
    codes = browser.get(CODES)

    assert (page.status, codes.status) == (200, 503)
    for shown in (page, codes):
        assert "the key that sealed it is not here" in shown.words
        assert "tidegate user reset-second-factor NAME" in shown.words
    (lost, *_) = secrets_status(load_settings()).lost
    assert (lost.kind, lost.id) == ("user", alice)
    assert f"tidegate user reset-second-factor {alice}" in lost.next_step

    assert reset_second_factor(ROOT, alice) == 2

    assert logged_in(browsers(), "alice").get("/").status == 200
    line = AuditLine.objects.get(action="user.reset_second_factor")
    assert (line.actor, line.outcome, line.target_ids) == ("root", "done", [alice])


def test_the_key_put_back_lets_in_again(browsers: Callable[..., Browser], app: str):
    lost = lose_the_key()
    assert comes_in(browsers(), next_code(app)).status == 200

    lost.rename(lost.with_name(KEY_FILE))

    assert comes_in(browsers(), next_code(app)).status == 302


def test_where_only_second_factors_are_sealed_no_new_key_hides_that_theirs_is_lost(app: str):
    lose_the_key()

    people.prepare(load_settings())

    assert known_keys(load_settings()) == []


def test_without_a_key_that_can_be_read_no_second_factor_is_set_up(browser: Browser, alice: int):
    asked_again(logged_in(browser, "alice"))
    secret = re.findall(r'value="([A-Z2-7]{16,})"', browser.get(ACTIVATE).text)[0]
    (load_settings().home / KEY_FILE).chmod(0o644)

    token = {"csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    page = browser.ask("POST", ACTIVATE, token | {"code": code_of(secret)})

    assert page.status == 503
    assert "there is no key to seal a second factor with" in page.words
    assert not Authenticator.objects.exists()
