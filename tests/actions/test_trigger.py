"""Calls from outside: signed ones ask for one Sync, others learn nothing."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from base64 import b64decode, b64encode

import pytest
from pydantic import SecretStr

from tests import world
from tidegate.actions.errors import Forbidden, Refused
from tidegate.actions.trigger import NotSigned, new_trigger_secret, remove_trigger, take_call
from tidegate.rules.access import Grant, granted
from tidegate.rules.actor import Actor
from tidegate.rules.call import Unreadable
from tidegate.store.models import AuditLine, Connection, Operation

ALICE = world.ALICE


def standard(secret: SecretStr, body: bytes = b"", at: float | None = None, id: str = "msg_1") -> dict[str, str]:
    timestamp = str(int(time.time() if at is None else at))
    key = b64decode(secret.get_secret_value().removeprefix("whsec_"))
    digest = hmac.new(key, f"{id}.{timestamp}.".encode() + body, hashlib.sha256).digest()
    signature = f"v1,{b64encode(digest).decode()}"
    return {"webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature}


def plain(secret: SecretStr, body: bytes, name: str, before: str = "") -> dict[str, str]:
    return {name: before + hmac.new(secret.get_secret_value().encode(), body, hashlib.sha256).hexdigest()}


@pytest.fixture
def acme(database: object) -> Connection:
    return world.connection("Acme")


def test_ten_calls_in_a_minute_are_one_sync(acme: Connection):
    """Issue 6, 1: a trigger in per Connection, signed and debounced."""
    secret = new_trigger_secret(ALICE, acme.pk)

    calls = [take_call(acme.pk, standard(secret, id=f"msg_{n}"), b"") for n in range(10)]

    assert {call.operation_id for call in calls} == {Operation.objects.get().pk}
    sync = Operation.objects.get()
    assert (sync.type, sync.actor, sync.trigger, sync.scope) == ("sync", "trigger", "webhook", {})
    assert sync.not_before is not None
    assert 50 < (sync.not_before - world.now()).total_seconds() <= 60


def test_an_unsigned_call_learns_nothing_and_does_nothing(acme: Connection):
    """Wrong signature: the same, whether the Connection is there, has a trigger, or is deleted."""
    bare, secret = world.connection("Bare"), new_trigger_secret(ALICE, acme.pk)
    gone = world.connection("Gone")
    other = new_trigger_secret(ALICE, gone.pk)
    Connection.objects.filter(pk=gone.pk).update(deleted_at=world.now())
    good, now = standard(secret), time.time()
    for number, headers in (
        (acme.pk, {}),
        (acme.pk, standard(other)),
        (acme.pk, standard(secret, b"x")),
        (acme.pk, standard(secret, at=now - 301)),
        (acme.pk, standard(secret, at=now + 400)),  # far off: a slow machine is not there in 300 s
        (acme.pk, good | {"webhook-timestamp": "1"}),
        (acme.pk, good | {"webhook-signature": "v1,"}),
        (acme.pk, plain(secret, b"", "x-hub-signature", "sha1=")),
        (acme.pk, plain(secret, b"x", "x-hub-signature-256", "sha256=")),
        (acme.pk, {"x-hub-signature-256": "sha256="}),
        (bare.pk, good),
        (gone.pk, standard(other)),
        (2**70, good),
        (-1, good),
    ):
        with pytest.raises(NotSigned):
            take_call(number, headers, b"")
    assert Operation.objects.count() == 0


@pytest.mark.parametrize(
    ("header", "before", "more", "body"),
    [
        ("x-sonar-webhook-hmac-sha256", "", {"x-sonarqube-project": "shop"}, {"project": {"key": "shop"}}),
        ("x-hub-signature-256", "sha256=", {"x-github-event": "push"}, {"repository": {"full_name": "shop"}}),
        ("x-hub-signature", "sha256=", {"x-snyk-event": "project_snapshot/v0"}, {"project": {"id": "shop"}}),
    ],
)
def test_what_vendors_sign_and_name_is_understood(acme: Connection, header: str, before: str, more: dict, body: dict):
    record = world.record(acme, "Shop", vendor_id="shop")
    secret, content = new_trigger_secret(ALICE, acme.pk), json.dumps(body).encode()

    called = take_call(acme.pk, plain(secret, content, header, before) | more, content)

    assert (called.record_id, called.operation_id) == (record, None)  # it is not mapped: accepted, with its why
    assert "Shop cannot sync." in called.sentence


def test_a_body_names_the_record_in_our_words_or_at_a_declared_path(acme: Connection):
    record = world.record(acme, "Shop", vendor_id="shop")
    secret = new_trigger_secret(ALICE, acme.pk, key_path="data.items.0.id")
    for body in ({"record_id": record}, {"vendor_id": "shop"}, {"data": {"items": [{"id": "shop"}]}}):
        content = json.dumps(body).encode()
        assert take_call(acme.pk, standard(secret, content), content).record_id == record
    for content in (b"{", b"[1]", b"[" * 100_000, b"{}", b"\xff"):
        with pytest.raises(Unreadable):
            take_call(acme.pk, standard(secret, content), content)
    unknown = b'{"vendor_id": "nobody"}'
    assert take_call(acme.pk, standard(secret, unknown), unknown).operation_id is None
    assert take_call(acme.pk, standard(secret), b"").record_id is None


def test_a_record_of_another_connection_is_not_reached(acme: Connection):
    """Who has one Connection's secret operates that one alone."""
    theirs = world.record(world.connection("Other"), "Theirs")
    secret, content = new_trigger_secret(ALICE, acme.pk), json.dumps({"record_id": theirs}).encode()

    called = take_call(acme.pk, standard(secret, content), content)

    assert (called.operation_id, "There is no Record" in called.sentence) == (None, True)


def test_a_secret_ends_with_its_successor_and_with_the_trigger(acme: Connection):
    first = new_trigger_secret(ALICE, acme.pk)
    second = new_trigger_secret(ALICE, acme.pk)
    with pytest.raises(NotSigned):
        take_call(acme.pk, standard(first), b"")
    remove_trigger(ALICE, acme.pk)
    with pytest.raises(NotSigned):
        take_call(acme.pk, standard(second), b"")
    with pytest.raises(Refused, match="has no trigger"):
        remove_trigger(ALICE, acme.pk)
    stored = str(list(AuditLine.objects.values_list("facts", flat=True)))
    assert first.get_secret_value() not in stored


def test_only_administrators_make_a_trigger(acme: Connection):
    operator = Actor("person", "bob", granted([Grant("operator", "connection", acme.pk)]))
    with pytest.raises(Forbidden):
        new_trigger_secret(operator, acme.pk)
    with pytest.raises(Refused, match="A path has names"):
        new_trigger_secret(ALICE, acme.pk, key_path="a..b")
