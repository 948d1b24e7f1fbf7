"""Webhooks: each piece of news as signed JSON, tried again, sent again, and switched off where nobody wants it."""

from __future__ import annotations

import hashlib
import hmac
import json
import subprocess
import time
from base64 import b64decode, b64encode
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme
from django.db import connection as database_connection
from django.db import transaction
from django.db.models import F
from pydantic import SecretStr

from tests import world
from tests.delivery.webhook import Request, Webhook
from tidegate.actions.errors import Forbidden, NotThere, Refused
from tidegate.actions.route import add_webhook, edit_route, new_signing_secret, replay_news
from tidegate.actions.route import test_route as send_a_test
from tidegate.config import load_settings
from tidegate.delivery.courier import Courier
from tidegate.delivery.deliver import deliver_once
from tidegate.rules.access import Grant, granted
from tidegate.rules.actor import Actor
from tidegate.rules.news import next_try
from tidegate.store.models import AuditLine, Connection, Delivery, News, Route
from tidegate.store.writers.notification import save_news

ALICE = world.ALICE
CANARY = "c4nary-path"


@pytest.fixture
def acme(database: object) -> Connection:
    return world.connection("Acme")


@pytest.fixture
def deliver(database: object, courier: Courier) -> Callable[[], None]:
    def run() -> None:
        while deliver_once(courier, load_settings()):
            pass

    return run


def hooked(to: Webhook | str, name: str = "Script", **facts: Any) -> str:
    """A webhook; returns its secret."""
    url = to if isinstance(to, str) else f"http://{to.host}/{CANARY}"
    return add_webhook(ALICE, name, SecretStr(url), **facts).signing_secret.get_secret_value()


def tell(of: Connection, kind: str = "needs_you", **facts: Any) -> None:
    with transaction.atomic():
        save_news(kind, of.pk, facts={"key": f"{News.objects.count()}", "cause": "auth_rejected", **facts})


def later(**by: float) -> None:
    Delivery.objects.filter(next_at__isnull=False).update(next_at=F("next_at") - timedelta(**by))
    News.objects.update(at=F("at") - timedelta(**by))


def verified(request: Request, secret: str) -> bool:
    """As a receiver does who read the specification and nothing of ours."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    id, timestamp = headers["webhook-id"], headers["webhook-timestamp"]
    assert "." not in id
    assert abs(time.time() - int(timestamp)) < 60
    key = b64decode(secret.removeprefix("whsec_"))
    digest = hmac.new(key, f"{id}.{timestamp}.".encode() + request.body, hashlib.sha256).digest()
    return f"v1,{b64encode(digest).decode()}" in headers["webhook-signature"].split(" ")


def verified_by_openssl(request: Request, secret: str) -> bool:
    """And as one who has no Python."""
    headers = {name.lower(): value for name, value in request.headers.items()}
    key = b64decode(secret.removeprefix("whsec_")).hex()
    said = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + request.body
    words = ["openssl", "dgst", "-sha256", "-mac", "HMAC", "-macopt", f"hexkey:{key}", "-binary"]
    digest = subprocess.run(words, input=said, capture_output=True, check=True).stdout
    return headers["webhook-signature"] == f"v1,{b64encode(digest).decode()}"


# They arrive


def test_each_piece_of_news_is_signed_json_of_its_own(acme: Connection, webhook: Webhook, deliver: Any):
    """Webhooks out are signed as Standard Webhooks 1.0 says."""
    secret = hooked(webhook)
    tell(acme, why="The login was rejected.", paused=False)
    tell(acme, "held", findings=3, names=["<shop>"])
    deliver()

    first, second = webhook.taken
    assert verified(first, secret)
    assert verified_by_openssl(second, secret)
    assert first.headers["content-type"] == "application/json"
    assert first.headers["webhook-id"] != second.headers["webhook-id"]
    assert first.json == {
        "version": 1,
        "type": "news.needs_you",
        "timestamp": first.json["timestamp"],
        "data": {
            "news_id": News.objects.order_by("pk")[0].pk,
            "connection": {"id": acme.pk, "label": "Acme"},
            "operation_id": None,
            "title": "Acme needs you: its login is rejected",
            "text": first.json["data"]["text"],
            "facts": {"cause": "auth_rejected", "why": "The login was rejected.", "paused": False},
        },
    }
    assert first.json["timestamp"].endswith("Z")
    assert second.json["data"]["facts"] == {"findings": 3, "names": ["<shop>"]}
    assert all(one.sent_at for one in Delivery.objects.all())


def test_a_body_that_was_changed_does_not_verify(acme: Connection, webhook: Webhook, deliver: Any):
    secret = hooked(webhook)
    tell(acme)
    deliver()

    (request,) = webhook.taken
    assert not verified(Request(request.path, request.headers, request.body + b" "), secret)
    assert not verified(request, "whsec_" + b64encode(bytes(32)).decode())


def test_a_test_is_signed_as_well(database: object, webhook: Webhook):
    secret = hooked(webhook)

    assert send_a_test(ALICE, Route.objects.get().pk).ok

    (request,) = webhook.taken
    assert verified(request, secret)
    assert (request.json["type"], request.json["data"]["route"]) == ("test", "Script")


def test_for_a_day_a_new_secret_signs_beside_the_old_one(acme: Connection, webhook: Webhook, deliver: Any):
    """Who receives may take the new secret in their own time, and loses nothing."""
    old = hooked(webhook)
    new = new_signing_secret(ALICE, Route.objects.get().pk).get_secret_value()
    tell(acme)
    deliver()
    assert new != old
    assert verified(webhook.taken[0], old)
    assert verified(webhook.taken[0], new)

    third = new_signing_secret(ALICE, Route.objects.get().pk, keep_former=False).get_secret_value()
    tell(acme)
    deliver()
    assert verified(webhook.taken[1], third)
    assert not verified(webhook.taken[1], new)


def test_the_secret_may_be_ones_own(acme: Connection, webhook: Webhook, deliver: Any):
    own = "whsec_" + b64encode(b"0123456789abcdef01234567").decode()
    assert hooked(webhook, signing_secret=SecretStr(own)) == own
    tell(acme)
    deliver()

    assert verified(webhook.taken[0], own)
    for unusable in ("", "hunter2", "whsec_", "whsec_c2hvcnQ=", "whsec_" + "!" * 44):
        with pytest.raises(Refused, match="whsec_") as refused:
            hooked(webhook, "Other", signing_secret=SecretStr(unusable))
        assert "hunter2" not in str(refused.value)


# They do not arrive


@pytest.mark.parametrize("status", [301, 307, 400, 404, 500])
def test_only_2xx_is_success_and_a_redirect_is_not_followed(
    acme: Connection, webhook: Webhook, deliver: Any, status: int
):
    """A redirect would lead the news, and the signature, to whom nobody named."""
    hooked(webhook)
    webhook.answer, webhook.location = (lambda request: status), f"http://{webhook.host}/elsewhere"
    tell(acme)
    deliver()

    assert [request.path for request in webhook.taken] == [f"/{CANARY}"]
    assert str(status) in Route.objects.get().last_error
    assert CANARY not in Route.objects.get().last_error
    assert Delivery.objects.get().next_at is not None


def test_each_try_has_the_same_id_and_a_time_of_its_own(acme: Connection, webhook: Webhook, deliver: Any):
    """A receiver that got it twice knows it by its webhook-id."""
    secret = hooked(webhook)
    webhook.answer = lambda request: 500 if len(webhook.taken) < 2 else 204
    tell(acme)
    deliver()
    for _ in range(2):
        Delivery.objects.filter(next_at__isnull=False).update(next_at=world.now())
        deliver()

    assert len(webhook.taken) == 3
    assert len({request.headers["webhook-id"] for request in webhook.taken}) == 1
    assert all(verified(request, secret) for request in webhook.taken)
    assert Delivery.objects.get().sent_at is not None


def test_410_switches_it_off_and_gives_up_what_waits(acme: Connection, webhook: Webhook, deliver: Any):
    """Who says Gone is left alone for ever; and that it was Tidegate who switched it off can be read."""
    hooked(webhook)
    webhook.answer = lambda request: 410
    for _ in range(3):
        tell(acme)
    deliver()
    tell(acme)
    deliver()

    assert len(webhook.taken) == 1
    route = Route.objects.get()
    assert route.off_at is not None
    assert "410" in route.last_error
    assert not Delivery.objects.filter(next_at__isnull=False).exists()
    line = AuditLine.objects.get(action="route.edit_route")
    assert (line.actor, line.target_ids) == ("tidegate", [route.pk])

    webhook.answer = lambda request: 200
    edit_route(ALICE, route.pk, on=True)
    tell(acme)
    deliver()
    assert len(webhook.taken) == 2


def test_who_asks_for_time_gets_it(acme: Connection, webhook: Webhook, deliver: Any):
    assert next_try(1, timedelta(0), 600) == timedelta(seconds=600)
    assert next_try(1, timedelta(0), 1) == timedelta(minutes=1)
    assert next_try(1, timedelta(hours=23), 10**9) == timedelta(hours=1)

    hooked(webhook)
    webhook.answer, webhook.retry_after = (lambda request: 429), "3000"
    tell(acme)
    deliver()

    assert Delivery.objects.get().next_at > world.now() + timedelta(seconds=2900)  # pyright: ignore[reportOptionalOperand]


def test_a_webhook_that_fails_has_the_others_of_its_news_wait(acme: Connection, webhook: Webhook, deliver: Any):
    """A route that fails keeps nobody else from theirs: a hundred news to a dead place are one try a minute."""
    hooked(webhook)
    webhook.answer = lambda request: 500
    for _ in range(5):
        tell(acme)
    deliver()

    assert len(webhook.taken) == 1
    assert Delivery.objects.filter(next_at__isnull=False).count() == 5


def test_an_endless_answer_is_not_read(acme: Connection, webhook: Webhook, deliver: Any):
    """Response bodies are never stored, nor waited for."""
    hooked(webhook)
    webhook.endless = True
    tell(acme)
    begun = time.monotonic()
    deliver()

    assert Delivery.objects.get().sent_at is not None
    assert time.monotonic() - begun < 60


def test_nothing_goes_where_clouds_keep_credentials_or_past_the_setting(acme: Connection, webhook: Webhook):
    """Outgoing requests: link-local and metadata are refused in every spelling, private networks by one setting."""
    body, headers = b"{}", {"webhook-id": "x"}
    with Courier("allow") as courier:
        for host in ("169.254.169.254", "2852039166", "0xa9fea9fe", "[::ffff:a9fe:a9fe]", "metadata.google.internal"):
            outcome = courier.post(SecretStr(f"http://{host}/latest"), body, headers)
            assert (outcome.ok, outcome.why.endswith("News are not sent there.")) == (False, True), (host, outcome.why)
    with Courier("refuse") as courier:
        outcome = courier.post(SecretStr(f"http://{webhook.host}/"), body, headers)
    assert outcome.why == "127.0.0.1 is a private address. News are not sent there."
    assert webhook.taken == []


def test_webhooks_take_the_proxy_of_the_service_and_no_other(webhook: Webhook, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    with Courier("refuse", SecretStr(f"http://user:hunter2@{webhook.host}")) as courier:
        assert courier.post(SecretStr("http://hooks.invalid/path"), b"{}", {}).ok
        refused = [courier.post(SecretStr(f"http://{host}/"), b"{}", {}) for host in ("169.254.169.254", "10.0.0.1")]

    assert [request.path for request in webhook.taken] == ["http://hooks.invalid/path"]
    assert "Proxy-Authorization" in webhook.taken[0].headers
    assert not any(outcome.ok for outcome in refused)


def test_certificates_are_verified_and_an_authority_of_ones_own_is_trusted(
    webhook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    authority = trustme.CA()
    webhook.speak_tls(authority)
    url = SecretStr(f"https://{webhook.host}/")
    with Courier("allow") as courier:
        assert courier.post(url, b"{}", {}).why == "Its certificate is not trusted."
    assert webhook.taken == []

    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    monkeypatch.delenv("REQUESTS_CA_BUNDLE", raising=False)
    with Courier("allow") as courier:
        assert courier.post(url, b"{}", {}).ok


@pytest.mark.parametrize(
    "url",
    ["", "ftp://example.org/x", "https://", "https://user:hunter2@example.org/", "https://example.org/#x", "/hook",
     "https://example.org/ x", "https://example.org/\r\nHost: x", "https://example.org:0/", "https://example.org:99999/",
     "https://[::1", "https://ex\u00e4mple.org/", "https://example.org/" + "x" * 2_000],
)  # fmt: skip
def test_what_is_no_url_of_a_webhook_is_refused(database: object, url: str):
    with pytest.raises(Refused) as refused:
        hooked(url)
    assert "hunter2" not in str(refused.value)
    assert Route.objects.count() == 0


# Again


def test_news_are_sent_again_with_the_same_id(acme: Connection, webhook: Webhook, deliver: Any):
    """Webhooks out are replayable: what a receiver lost it gets again, and knows it by its webhook-id."""
    secret = hooked(webhook)
    tell(acme)
    deliver()
    later(days=5)
    News.objects.update(at=F("at") + timedelta(days=5))  # the id is made of the time, which does not change

    done = replay_news(ALICE, News.objects.get().pk)
    deliver()

    assert (done.news, done.messages) == (1, 1)
    first, second = webhook.taken
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert first.body == second.body
    assert verified(second, secret)


def test_what_is_sent_again_is_tried_again_however_old_it_is(acme: Connection, webhook: Webhook, deliver: Any):
    hooked(webhook)
    tell(acme)
    deliver()
    News.objects.update(at=F("at") - timedelta(days=9))
    webhook.answer = lambda request: 500
    replay_news(ALICE, News.objects.get().pk)
    deliver()

    delivery = Delivery.objects.get()
    assert (delivery.attempts, delivery.sent_at, delivery.next_at is not None) == (1, None, True)


def test_a_new_receiver_gets_what_was_before_on_its_own_route_alone(acme: Connection, webhook: Webhook, deliver: Any):
    other = world.connection("Other")
    hooked(webhook, "all")
    tell(acme)
    tell(other)
    tell(acme, "overdue")
    deliver()
    webhook.taken.clear()
    hooked(f"http://{webhook.host}/new", "new", connection_id=acme.pk, kinds=["held"])

    done = replay_news(ALICE, since=world.now() - timedelta(days=1), route_id=Route.objects.get(name="new").pk)
    deliver()

    assert (done.news, done.messages) == (3, 2)
    assert [(one.path, one.json["data"]["connection"]["label"]) for one in webhook.taken] == [("/new", "Acme")] * 2


def test_what_cannot_be_sent_again_is_said(acme: Connection, webhook: Webhook):
    hooked(webhook, kinds=["held"])
    tell(acme)
    number = News.objects.get().pk
    for wrong in (-1, 0, 2**70, number + 1):
        with pytest.raises(NotThere, match=r"There are no such news|There is no news"):
            replay_news(ALICE, wrong)
    with pytest.raises(NotThere, match="There is no route"):
        replay_news(ALICE, number, route_id=9)
    with pytest.raises(Refused, match="one or the other"):
        replay_news(ALICE)
    with pytest.raises(Refused, match="No route is for"):
        replay_news(ALICE, number)
    edit_route(ALICE, Route.objects.get().pk, on=False)
    with pytest.raises(Refused, match="is switched off"):
        replay_news(ALICE, number, route_id=Route.objects.get().pk)


def test_news_of_a_connection_that_one_does_not_operate_are_not_sent(acme: Connection, webhook: Webhook):
    """Roles are asked where the thing lies."""
    other = world.connection("Other")
    hooked(webhook)
    tell(acme)
    tell(other)
    mine, theirs = News.objects.order_by("pk").values_list("pk", flat=True)
    bob = Actor("person", "bob", granted([Grant("operator", "connection", acme.pk), Grant("reader", "connection", 99)]))
    reader = Actor("person", "eve", granted([Grant("reader", "connection", acme.pk)]))

    assert replay_news(bob, mine).messages == 1
    with pytest.raises(NotThere):
        replay_news(bob, theirs)
    with pytest.raises(NotThere):
        replay_news(bob, mine, route_id=Route.objects.get().pk)  # one for all Connections; bob does not see it
    assert replay_news(bob, since=world.now() - timedelta(days=1)).news == 1
    with pytest.raises(Forbidden):
        replay_news(reader, mine)


# Secrets


def test_neither_secret_nor_url_stands_anywhere(acme: Connection, webhook: Webhook, deliver: Any, capfd: Any):
    """No secret appears in a log line, an error, or the database in the clear."""
    secret = hooked(webhook)
    webhook.answer = lambda request: 401
    tell(acme)
    deliver()

    with database_connection.cursor() as cursor:
        cursor.execute("SELECT route::text, delivery::text FROM route LEFT JOIN delivery ON route_id = route.id")
        stored = str(cursor.fetchall())
        cursor.execute("SELECT audit_line::text FROM audit_line")
        stored += str(cursor.fetchall())
    said = "".join(capfd.readouterr()) + stored + repr(Route.objects.get())
    assert "401" in said
    for hidden in (secret, secret.removeprefix("whsec_"), CANARY):
        assert hidden not in said
        assert hidden.encode().hex() not in said
    assert json.dumps(secret) not in said
