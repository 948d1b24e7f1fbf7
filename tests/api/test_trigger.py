"""Calls from outside over the API: who may not call, what is not understood, and one that is heard."""

from __future__ import annotations

import json
import time
from typing import Any

from pydantic import SecretStr

from tests.api.house import House, Sad, forbidden, house, missing, refused, sad, undone, wrong
from tidegate.guard.signing import signed
from tidegate.store.models import Operation

__all__ = ["house", "undone"]


@sad(
    missing("of the other side", "PUT", "/connections/{other.connection}/trigger", {}, who="administrator of own"),
    forbidden("by an operator", "operator", "PUT", "/connections/{own.connection}/trigger", {}),
    refused("a path that is none", "PUT", "/connections/{own.connection}/trigger", {"key_path": "a..b"}),
    wrong(
        "a path that is too long", "PUT", "/connections/{own.connection}/trigger", {"key_path": "x" * 201}, "#/key_path"
    ),
    refused("to remove what there is not", "DELETE", "/connections/{own.connection}/trigger", says="has no trigger"),
    Sad(
        "a call that nobody signed", "nobody", "POST", "/connections/{own.connection}/trigger", {}, 401, "not-logged-in"
    ),
    Sad(
        "a call of a token", "administrator", "POST", "/connections/{own.connection}/trigger", {}, 401, "not-logged-in"
    ),
    Sad("a call for nothing", "nobody", "POST", "/connections/{nobody}/trigger", {}, 401, "not-logged-in"),
)
def test_what_cannot_be_done_is_told_with_its_why_and_the_next_step(undone: House, one: Sad):
    one.check(undone)


def test_a_signed_call_asks_for_the_sync_of_its_record_and_a_new_secret_ends_the_old_one(undone: House):
    own, asked = undone.own, undone.as_("administrator")
    Operation.objects.filter(status="pending").delete()
    path = f"/connections/{own.connection}/trigger"
    made = asked.put(path, {"key_path": "of.key"})
    secret = SecretStr(made.json["secret"])
    assert (made.status, made.json["connection_id"]) == (200, own.connection)

    def call(body: Any, signs: SecretStr = secret) -> Any:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = signed([signs], "msg_1", int(time.time()), sent)
        return undone.as_("nobody").post(path, sent, **{name.replace("-", "_"): one for name, one in headers.items()})

    heard = call({"of": {"key": "id of Own shop"}})
    unknown = call({"of": {"key": "nothing of the kind"}})
    assert (heard.status, heard.json["record_id"]) == (202, own.shop)
    assert (unknown.status, unknown.json["operation_id"], unknown.json["record_id"]) == (202, None, None)
    sync = Operation.objects.get(pk=heard.json["operation_id"])
    assert (sync.scope["records"], sync.trigger, sync.status) == ([own.shop], "webhook", "pending")

    for not_understood in (b"{", b"[1]", {"of": 1}, b"\xff", b'{"a":' * 5_000):
        answer = call(not_understood)
        assert (answer.status, answer.problem) == (400, "not-readable")
    for number in (-1, 0, 2**63, 2**70, own.missing, undone.other.shop):
        answer = call({"record_id": number})
        assert (answer.status, answer.json["operation_id"]) == (202, None)
        assert "Foreign" not in answer.json["sentence"]

    again = SecretStr(asked.put(path, {}).json["secret"])
    assert (call(b"").status, call(b"", again).status) == (401, 202)
    assert asked.delete(path).status == 204
    assert call(b"", again).status == 401
