"""Logging in by OpenID Connect, through the whole application and before a real issuer on loopback."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from allauth.socialaccount.models import SocialAccount
from django.contrib.sessions.models import Session

from tests.ui.browser import Browser, Page
from tests.ui.conftest import PASSWORD, added
from tests.ui.issuer import CLIENT, SECRET, Issuer, open_issuer
from tidegate.actions.user import add_user, deactivate_user
from tidegate.config import ConfigurationError, load_settings
from tidegate.reads.user import user as read_user
from tidegate.rules.access import Grant
from tidegate.rules.actor import at_this_machine
from tidegate.store.models import AuditLine, User

ROOT = at_this_machine("root")
LOGIN, BEGIN, BACK = "/account/login/", "/account/sign-on/", "/account/sign-on/back/"


@pytest.fixture
def issuer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Issuer]:
    with open_issuer() as opened:
        monkeypatch.setenv("TIDEGATE_OIDC_ISSUER", opened.url)
        monkeypatch.setenv("TIDEGATE_OIDC_CLIENT_ID", CLIENT)
        monkeypatch.setenv("TIDEGATE_OIDC_CLIENT_SECRET", SECRET)
        monkeypatch.setenv("TIDEGATE_OIDC_NAME", "Acme's house")
        yield opened


@pytest.fixture
def bob(browsers: object) -> int:
    """Somebody whom an administrator made to come in this way."""
    return add_user(ROOT, "bob", grants=[Grant("reader")])


def begun(browser: Browser, **fields: str) -> Page:
    """What the button of the log-in leads to."""
    hidden = dict(re.findall(r'name="(csrfmiddlewaretoken)" value="([^"]*)"', browser.get(LOGIN).text))
    return browser.ask("POST", BEGIN, hidden | fields)


def way_in(page: Page) -> str:
    assert page.status == 200, page.words
    return html.unescape(re.findall(r'href="(http[^"]+)"', page.text)[0])


def came_back(browser: Browser, issuer: Issuer, **fields: str) -> Page:
    """Begins, logs in there, and is sent back."""
    return browser.get(issuer.log_in(way_in(begun(browser, **fields))))


def refusals() -> list[str]:
    return [line.facts["answer"] for line in AuditLine.objects.filter(action="session.sign_on", outcome="forbidden")]


def test_who_was_made_to_come_in_this_way_comes_in(issuer: Issuer, browser: Browser, bob: int):
    """Promise: log-in by OpenID Connect, with PKCE (the issuer of these tests insists)."""
    page = came_back(browser, issuer)

    assert (page.status, page.leads_to) == (302, "/")
    assert "bob" in browser.get("/").words
    line = AuditLine.objects.get(action="session.sign_on")
    assert (line.actor, line.outcome, line.target_ids, line.address) == ("bob", "done", [bob], "127.0.0.1")
    assert line.facts["arguments"] == {"issuer": issuer.url, "subject": "subject-1", "name": "bob"}


def test_the_subject_is_who_somebody_is_whatever_they_are_called_later(
    issuer: Issuer, browsers: Callable[..., Browser], bob: int
):
    """Promise: linked by issuer and subject; a name that changes, or that somebody else takes, moves nobody."""
    came_back(browsers(), issuer)
    issuer.name = "robert"
    assert came_back(browsers(), issuer).leads_to == "/"

    issuer.subject, issuer.name = "subject-2", "bob"
    page = came_back(browsers(), issuer)

    assert page.status == 403
    assert "There is a user «bob» already" in page.words
    assert SocialAccount.objects.count() == 1


def test_the_same_subject_of_another_issuer_is_somebody_else(
    issuer: Issuer, browsers: Callable[..., Browser], bob: int, monkeypatch: pytest.MonkeyPatch
):
    came_back(browsers(), issuer)
    with open_issuer() as other:
        monkeypatch.setenv("TIDEGATE_OIDC_ISSUER", other.url)
        assert came_back(browsers(), other).status == 403


def test_who_has_a_password_is_not_taken_over(issuer: Issuer, browser: Browser, alice: int):
    """Promise: an issuer that calls somebody alice gets nobody's account who comes in otherwise."""
    issuer.name = "alice"
    page = came_back(browser, issuer)

    assert page.status == 403
    assert "comes in another way" in page.words
    assert browser.get("/").status == 302
    assert not SocialAccount.objects.exists()


LIES: dict[str, tuple[Callable[[Issuer], object], str]] = {
    "another key": (lambda one: vars(one).update(signed_by=1), "signature of the ID token is not the issuer's"),
    "a shared secret": (lambda one: vars(one).update(algorithm="HS256"), "in a way that proves nothing"),
    "no signature": (lambda one: vars(one).update(algorithm="none"), "in a way that proves nothing"),
    "another audience": (lambda one: one.claims.update(aud="others"), "for somebody else"),
    "several audiences": (lambda one: one.claims.update(aud=[CLIENT, "others"]), "for somebody else"),
    "another party": (lambda one: one.claims.update(azp="others"), "for somebody else"),
    "another issuer": (lambda one: one.claims.update(iss="https://evil.example"), "of another issuer"),
    "expired": (lambda one: one.claims.update(exp=int(time.time()) - 3600), "has expired"),
    "another nonce": (lambda one: one.claims.update(nonce="x"), "belongs to another log-in"),
    "nobody": (lambda one: one.claims.update(sub=""), "names nobody"),
    "no name": (lambda one: one.claims.update(preferred_username=None), "has no preferred_username"),
}


@pytest.mark.parametrize("lie", LIES)
def test_an_id_token_that_proves_nothing_lets_nobody_in(issuer: Issuer, browser: Browser, bob: int, lie: str):
    """Promise: signature, issuer, audience, expiry and nonce are verified."""
    tell, sentence = LIES[lie]
    tell(issuer)

    page = came_back(browser, issuer)

    assert page.status == 403
    assert sentence in page.words
    assert browser.get("/").status == 302
    assert len(refusals()) == 1
    assert sentence in refusals()[0]


def test_a_state_that_is_not_of_this_browser_lets_nobody_in(issuer: Issuer, browsers: Callable[..., Browser], bob: int):
    """Promise: log-in CSRF; nobody is logged in by an address that somebody else made."""
    back = issuer.log_in(way_in(begun(browsers())))
    victim = browsers()

    assert victim.get(back).status == 400
    assert victim.get(f"{BACK}?code=x").status == 400
    assert "was not begun in this browser" in victim.get(f"{BACK}?code=x&state=y").words
    assert victim.get("/").status == 302


def test_an_address_that_led_in_once_leads_in_no_more(issuer: Issuer, browser: Browser, bob: int):
    """Promise: a code is not replayed."""
    back = issuer.log_in(way_in(begun(browser)))
    assert browser.get(back).status == 302
    assert browser.get(back).status == 400


def test_a_code_that_was_used_is_refused_by_the_issuer(issuer: Issuer, browser: Browser, bob: int):
    back = issuer.log_in(way_in(begun(browser)))
    issuer.codes.clear()
    page = browser.get(back)

    assert page.status == 403
    assert "it answered 400" in page.words


def test_a_code_of_another_issuer_is_not_handed_on(issuer: Issuer, browser: Browser, bob: int):
    """Promise: mix-up; RFC 9207."""
    back = issuer.log_in(way_in(begun(browser))).replace("iss=http", "iss=https")

    assert browser.get(back).status == 403
    assert len(issuer.codes) == 1


def test_another_site_cannot_begin_a_log_in(issuer: Issuer, browser: Browser, bob: int):
    assert browser.get(BEGIN).status == 405
    assert browser.ask("POST", BEGIN, {}).status == 403


def test_who_is_unknown_is_refused_or_made_as_the_operator_says(
    issuer: Issuer, browser: Browser, alice: int, monkeypatch: pytest.MonkeyPatch
):
    issuer.name = "carol"
    page = came_back(browser, issuer)
    assert page.status == 403
    assert "There is no user «carol» here" in page.words
    assert not User.objects.filter(username="carol").exists()

    monkeypatch.setenv("TIDEGATE_OIDC_NEW_USERS", "allow")
    assert came_back(browser, issuer).status == 302
    assert "You have no role yet" in browser.get("/").words


@pytest.mark.parametrize("name", ["bob ", "schedule", "a\u202eb", "x" * 300, "b\0b"])
def test_a_name_that_nobody_may_have_is_refused(
    issuer: Issuer, browser: Browser, bob: int, name: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TIDEGATE_OIDC_NEW_USERS", "allow")
    issuer.name = name

    assert came_back(browser, issuer).status == 403
    assert User.objects.count() == 1
    assert len(refusals()) == 1


GROUPS = '{"/security": "operator", "tidegate, admins=1": "administrator", "all": "reader"}'


def held(user_id: int) -> list[tuple[str, str, bool]]:
    found = read_user(user_id)
    assert found is not None
    return [(grant.role, grant.scope, grant.by_group) for grant in found.grants]


def test_groups_at_the_issuer_give_the_role_that_the_operator_says_anew_at_each_log_in(
    issuer: Issuer, browsers: Callable[..., Browser], alice: int, monkeypatch: pytest.MonkeyPatch
):
    """Issue 6.5: the highest of their groups; a group that nobody named gives nothing; who leaves all has nothing."""
    bob = add_user(ROOT, "bob")
    monkeypatch.setenv("TIDEGATE_OIDC_ROLES", GROUPS)
    said: list[list[tuple[str, str, bool]]] = []
    for groups in (["all", "/security", 7, None], ["tidegate, admins=1"], "all", ["administrator", "/Security"], {}):
        issuer.claims["groups"] = groups
        assert came_back(browsers(), issuer).status == 302
        said.append(held(bob))

    assert said == [
        [("operator", "everything", True)], [("administrator", "everything", True)], [("reader", "everything", True)],
        [], [],
    ]  # fmt: skip
    lines = AuditLine.objects.filter(actor="single sign-on").order_by("id").values_list("action", "target_ids")
    assert list(lines) == [("user.grant_role", [bob])] * 3 + [("user.take_role", [bob])]


def test_what_a_person_gave_no_group_changes(
    issuer: Issuer, browser: Browser, bob: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TIDEGATE_OIDC_ROLES", GROUPS)
    issuer.claims["groups"] = ["tidegate, admins=1"]

    came_back(browser, issuer)

    assert held(bob) == [("reader", "everything", False)]


def test_groups_are_nothing_where_the_operator_named_none(issuer: Issuer, browser: Browser, alice: int):
    bob = add_user(ROOT, "bob")
    issuer.claims["groups"] = ["administrator", "all"]

    came_back(browser, issuer)

    assert held(bob) == []


def test_another_claim_may_hold_the_groups_and_none_may_be_there(
    issuer: Issuer, browsers: Callable[..., Browser], alice: int, monkeypatch: pytest.MonkeyPatch
):
    bob = add_user(ROOT, "bob")
    monkeypatch.setenv("TIDEGATE_OIDC_ROLES", GROUPS)
    monkeypatch.setenv("TIDEGATE_OIDC_ROLES_CLAIM", "roles")
    issuer.claims |= {"groups": ["/security"], "roles": ["all"]}
    came_back(browsers(), issuer)
    assert held(bob) == [("reader", "everything", True)]

    del issuer.claims["roles"]
    came_back(browsers(), issuer)

    assert held(bob) == []


def test_a_group_gives_no_role_to_who_does_not_come_in(
    issuer: Issuer, browser: Browser, alice: int, monkeypatch: pytest.MonkeyPatch
):
    bob = add_user(ROOT, "bob")
    deactivate_user(ROOT, bob)
    monkeypatch.setenv("TIDEGATE_OIDC_ROLES", GROUPS)
    issuer.claims["groups"] = ["tidegate, admins=1"]

    assert came_back(browser, issuer).status == 403

    assert held(bob) == []


def test_the_last_administrator_stays_whatever_groups_say(
    issuer: Issuer, browsers: Callable[..., Browser], monkeypatch: pytest.MonkeyPatch
):
    bob = add_user(ROOT, "bob")
    monkeypatch.setenv("TIDEGATE_OIDC_ROLES", GROUPS)
    issuer.claims["groups"] = ["tidegate, admins=1"]
    came_back(browsers(), issuer)
    issuer.claims["groups"] = []

    assert came_back(browsers(), issuer).status == 302

    assert held(bob) == [("administrator", "everything", True)]


@pytest.mark.parametrize("text", ["x", "[]", '{"a": "boss"}', '{"": "reader"}', '{"a": 1}', '{"a": ["reader"]}'])
def test_roles_of_groups_that_are_none_are_refused(monkeypatch: pytest.MonkeyPatch, text: str):
    monkeypatch.setenv("TIDEGATE_OIDC_ROLES", text)

    with pytest.raises(ConfigurationError, match="TIDEGATE_OIDC_ROLES"):
        load_settings()


def test_a_mail_address_that_nobody_verified_links_nobody(issuer: Issuer, browser: Browser, alice: int):
    """Whoever writes another's address into their account at the issuer gets nothing by it: only the name counts."""
    carol = add_user(ROOT, "carol", email="carol@example.com")
    issuer.name = "mallory"
    issuer.claims |= {"email": "carol@example.com", "email_verified": False}

    assert came_back(browser, issuer).status == 403

    assert not SocialAccount.objects.filter(user_id=carol).exists()


def test_who_left_does_not_come_in_again(issuer: Issuer, browsers: Callable[..., Browser], alice: int, bob: int):
    """Promise: access ends the moment an administrator says so."""
    inside = browsers()
    came_back(inside, issuer)
    deactivate_user(ROOT, bob)

    page = came_back(browsers(), issuer)

    assert (page.status, inside.get("/").status) == (403, 302)
    assert "bob may not come in" in page.words


def test_a_service_account_does_not_come_in(issuer: Issuer, browser: Browser, alice: int):
    add_user(ROOT, "robot", kind="service")
    issuer.name = "robot"

    assert "robot may not come in" in came_back(browser, issuer).words


@pytest.mark.parametrize("elsewhere", ["https://evil.example/", "//evil.example"])
def test_a_log_in_leads_to_our_own_pages_only(
    issuer: Issuer, browsers: Callable[..., Browser], bob: int, elsewhere: str
):
    """Promise: no open redirect."""
    assert came_back(browsers(), issuer, next=elsewhere).leads_to == "/"
    assert came_back(browsers(), issuer, next="/account/").leads_to == "/account/"


def test_a_session_is_another_one_after_the_log_in(issuer: Issuer, browser: Browser, bob: int):
    """Promise: session fixation."""
    back = issuer.log_in(way_in(begun(browser)))
    before = browser.cookies["sessionid"]
    browser.get(back)

    assert browser.cookies["sessionid"] != before
    assert not Session.objects.filter(session_key=before).exists()


def test_who_cancels_there_is_back_at_the_log_in(issuer: Issuer, browser: Browser, bob: int):
    state = re.findall(r"state=([^&]+)", way_in(begun(browser)))[0]

    assert browser.get(f"{BACK}?error=access_denied&state={state}").leads_to == "/account/cancelled/"
    assert "You did not log in" in browser.get("/account/cancelled/").words


def test_an_issuer_that_is_away_is_told(issuer: Issuer, browser: Browser, bob: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIDEGATE_OIDC_ISSUER", "http://127.0.0.1:9/realm")
    page = begun(browser)

    assert page.status == 502
    assert "The issuer cannot be reached." in page.words


def test_an_issuer_that_is_slow_is_told(issuer: Issuer, browser: Browser, bob: int, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("tidegate.guard.issuer.SECONDS", 0.2)
    issuer.after = 0.6
    page = begun(browser)

    assert page.status == 502
    assert "did not answer" in page.words


@pytest.mark.parametrize(
    ("says", "sentence"),
    [
        ({"issuer": "https://evil.example"}, "calls itself otherwise"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "no authorization_endpoint"),
        ({"token_endpoint": "http://evil.example/token"}, "no token_endpoint"),
        ({"jwks_uri": 7}, "no jwks_uri"),
    ],
)
def test_an_issuer_that_says_something_else_of_itself_is_not_believed(
    issuer: Issuer, browser: Browser, bob: int, says: dict[str, Any], sentence: str
):
    issuer.says = says
    assert sentence in begun(browser).words


def test_the_issuer_leads_us_to_no_place_that_is_never_called(issuer: Issuer, browser: Browser, bob: int):
    """Promise: SSRF; a redirect is not followed, and clouds' metadata is never asked."""
    back = issuer.log_in(way_in(begun(browser)))
    issuer.says = {"token_endpoint": "https://169.254.169.254/token"}
    assert "metadata service" in browser.get(back).words

    issuer.redirects_to = "http://169.254.169.254/"
    assert "it answered 302" in begun(browser).words


def test_private_networks_are_not_called_where_the_operator_says_so(
    issuer: Issuer, browser: Browser, bob: int, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("TIDEGATE_PRIVATE_NETWORKS", "refuse")

    assert "private address" in begun(browser).words
    assert issuer.asked == []


def test_without_settings_there_is_neither_button_nor_way(browser: Browser, alice: int):
    assert "sign-on" not in browser.get(LOGIN).text
    assert begun(browser).status == 404
    assert browser.get(f"{BACK}?code=x&state=y").status == 404


def test_the_button_names_the_issuer_and_nothing_runs_on_the_page_that_leads_on(
    issuer: Issuer, browser: Browser, bob: int
):
    assert "Log in with Acme's house" in browser.get(LOGIN).words
    page = begun(browser)
    assert 'http-equiv="refresh"' in page.text
    assert page.text.count("<script") == page.text.count('<script src="/static/')
    assert "form-action 'self'" in page.headers["content-security-policy"]


def test_the_secret_is_nowhere(
    issuer: Issuer, browser: Browser, bob: int, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
):
    """Promise: secrets are write-only; the issuer's answers quote the secret, and nobody repeats them."""
    first = begun(browser)
    back = issuer.log_in(way_in(first))
    issuer.codes.clear()
    pages = [first, browser.get(back), came_back(browser, issuer), browser.get("/account/")]

    told = [page.text for page in pages] + [str(line.facts) for line in AuditLine.objects.all()]
    told += [str(session.get_decoded()) for session in Session.objects.all()]
    told += [*capfd.readouterr(), caplog.text, repr(load_settings())]
    assert all("seeded-canary" not in text for text in told)


@pytest.mark.parametrize(
    "address",
    ["http://login.example.com", "https://me:secret@login.example.com", "https://x.example/?a=1", "file:///x"],
)
def test_an_issuer_is_asked_over_tls(address: str, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIDEGATE_OIDC_ISSUER", address)
    monkeypatch.setenv("TIDEGATE_OIDC_CLIENT_ID", CLIENT)

    with pytest.raises(ConfigurationError, match="TIDEGATE_OIDC_ISSUER"):
        load_settings()


def test_half_of_the_settings_is_refused(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("TIDEGATE_OIDC_ISSUER", "https://login.example.com")

    with pytest.raises(ConfigurationError, match="only one is set"):
        load_settings()


def test_a_password_still_works_beside_it(issuer: Issuer, browser: Browser, alice: int):
    assert added("dora") > 0
    assert browser.post(LOGIN, login="alice", password=PASSWORD).leads_to == "/"
