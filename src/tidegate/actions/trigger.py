"""Calls from outside, a tool's or a pipeline's: "this was scanned just now". Who signs with the Connection's secret may
ask for its Sync, and for nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import msgspec
import structlog
from pydantic import SecretStr

from tidegate.actions.action import action
from tidegate.actions.connection import locked
from tidegate.actions.errors import Refused
from tidegate.actions.operation import request_sync
from tidegate.actions.saving import sealed_to
from tidegate.actions.step import LARGEST_ID
from tidegate.config import load_settings
from tidegate.guard.keys import KeyProblem
from tidegate.guard.secrets import unseal
from tidegate.guard.signing import is_signed, new_secret
from tidegate.reads.page import storable
from tidegate.reads.record import living
from tidegate.reads.viewer import viewing
from tidegate.rules.actor import Actor, trigger_of
from tidegate.rules.call import Unreadable, Wanted, clean_path, wanted
from tidegate.store.acting import acting
from tidegate.store.clock import database_now
from tidegate.store.models import Connection
from tidegate.store.writers.connection import change_connection
from tidegate.store.writers.secret import TRIGGER

log = structlog.get_logger("tidegate.trigger")

_NOBODYS = new_secret()
"""What a signature is compared with where there is no trigger, so that it takes as long."""


class NotSigned(Exception):
    """The signature is missing, wrong or old, or there is no such trigger: whoever calls is not told which."""


@dataclass(frozen=True)
class Called:
    """What became of a call that was signed well."""

    operation_id: int | None
    """The Sync that was asked for, or that waits already; None where nothing is to be synced."""
    record_id: int | None
    sentence: str


@action("administrator", connection="connection_id")
def new_trigger_secret(actor: Actor, connection_id: int, *, key_path: str = "") -> SecretStr:
    """Lets who signs with a new secret ask for a Sync of the Connection; returns it, this once. One before it ends.

    `key_path` says where in the body the tool's own key of the thing stands, as `project.key`.
    """
    try:
        path = clean_path(key_path)
    except ValueError as error:
        raise Refused(str(error), "Leave it out for SonarQube, GitHub and Snyk: theirs are known.") from error
    secret = new_secret()
    with acting(str(actor)):
        locked(connection_id)
        held = sealed_to({"secret": secret, "path": SecretStr(path)}, _owner(connection_id))
        change_connection(connection_id, {"trigger_secret": held})
    return secret


@action("administrator", connection="connection_id")
def remove_trigger(actor: Actor, connection_id: int) -> None:
    """Nobody can ask from outside for a Sync of the Connection any more. Refused where nobody could."""
    with acting(str(actor)):
        if locked(connection_id).trigger_secret is None:
            raise Refused(f"Connection {connection_id} has no trigger.", "There is nothing to do.")
        change_connection(connection_id, {"trigger_secret": None})


def take_call(connection_id: int, headers: Mapping[str, str], body: bytes, address: str = "") -> Called:
    """Asks for the Sync that a signed call is about, a minute from now; calls until then are the same one.

    `headers` have names in lower case. Raises NotSigned, and Unreadable for a body that is signed and understood by
    nobody.
    """
    path = _verified(connection_id, headers, body)
    asked = wanted(_json(body), headers, path)
    if asked.trial:
        return Called(None, None, "Tidegate hears you. Nothing was scanned, so nothing is synced.")
    actor = trigger_of(connection_id, address)
    with viewing(actor.access):
        return _called(actor, connection_id, asked)


def _called(actor: Actor, connection_id: int, asked: Wanted) -> Called:
    record_id = asked.record_id
    if asked.key is not None:
        record_id = _record(connection_id, storable(asked.key))
        if record_id is None:
            return Called(None, None, "No Record of this Connection is called so. A Discover brings what is new.")
    try:
        operation = request_sync(actor, connection_id, None if record_id is None else [record_id])
    except Refused as refused:
        return Called(None, record_id, refused.sentence)
    return Called(operation, record_id, f"Operation {operation} syncs it within a minute or two.")


def _record(connection_id: int, key: str) -> int | None:
    """The Record of this key of the tool's; else the only one of this name."""
    there = living().filter(connection_id=connection_id)
    for found in (there.filter(vendor_id=key), there.filter(name=key)):
        numbers = list(found.values_list("pk", flat=True)[:2])
        if len(numbers) == 1:
            return numbers[0]
    return None


def _verified(connection_id: int, headers: Mapping[str, str], body: bytes) -> str:
    """The path of the key in the body, of who signed it well. Raises NotSigned."""
    secret, path = _held(connection_id)
    now = database_now().timestamp()
    if not is_signed(secret or _NOBODYS, headers, body, now) or secret is None:
        raise NotSigned
    return path


def _held(connection_id: int) -> tuple[SecretStr | None, str]:
    number = connection_id if 0 < connection_id <= LARGEST_ID else 0
    for _ in range(2):  # between the row and the key it may have been sealed anew, and the old key retired
        found = Connection.objects.filter(pk=number, deleted_at=None).values_list("trigger_secret", flat=True).first()
        if found is None:
            return None, ""
        try:
            held = unseal(bytes(found), _owner(number), load_settings())
        except KeyProblem as problem:
            log.warning("a trigger's secret cannot be opened", connection=number, why=problem.cause)
            continue
        return held["secret"], held["path"].get_secret_value()
    return None, ""


def _owner(connection_id: int) -> str:
    return TRIGGER.format(id=connection_id)


def _json(body: bytes) -> object:
    if not body.strip():
        return None
    try:
        return msgspec.json.decode(body)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        raise Unreadable("The body is not JSON.") from None
