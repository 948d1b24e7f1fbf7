"""Sends messages through a process of its own: so that a send that hangs can be ended, whatever hangs in it."""

from __future__ import annotations

import json
import os
import selectors
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Final, Self

from pydantic import SecretStr

from tidegate.rules.news import Words

SEND_SECONDS: Final = 60.0
"""How long one message may take, with everything: connecting, TLS, logging in, several pieces of a long text."""

DESCRIBE_SECONDS: Final = 20.0
STOP_SECONDS: Final = 5.0
"""How long whoever stops the service waits for a message on its way, which would else go out a second time."""

_LOOK_SECONDS: Final = 0.2
_TRUST: Final = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE")


@dataclass(frozen=True)
class Outcome:
    """How an errand went; `why` is a sentence without secrets, "" where it went well."""

    ok: bool
    why: str = ""
    gone: bool = False
    """Whoever was there wants no more of it, ever."""
    wait: float = 0
    """It asked to be left alone for so many seconds."""


@dataclass(frozen=True)
class Described:
    """What may be shown of an address."""

    service: str
    shown: str
    warning: str


class AddressRefused(Exception):
    """The address cannot be used; the message is a sentence and repeats no secret."""


class Courier:
    """Runs errands, one after the other, in a child process that is begun when needed and ended on leaving."""

    def __init__(
        self, private_networks: str, proxy: SecretStr | None = None, *, stop: threading.Event | None = None
    ) -> None:
        self._private_networks, self._proxy = private_networks, proxy
        self._stop = stop
        self._child: subprocess.Popen[str] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.rest()

    def send(self, address: SecretStr, words: Words, seconds: float = SEND_SECONDS) -> Outcome:
        """Sends one message, and says how that went. Never raises for what the other side does."""
        answer = self._ask({"do": "send", "address": address, "title": words.title, "body": words.body}, seconds)
        if answer is None:
            return Outcome(False, f"It took longer than {seconds:.0f} seconds, so the send was ended.")
        return Outcome(bool(answer["ok"]), str(answer["why"]))

    def post(
        self, address: SecretStr, body: bytes, headers: Mapping[str, str], seconds: float = SEND_SECONDS
    ) -> Outcome:
        """Sends one body to a webhook, and says how that went. Never raises for what the other side does."""
        errand = {"do": "post", "address": address, "body": body.decode(), "headers": dict(headers)}
        answer = self._ask(errand, seconds)
        if answer is None:
            return Outcome(False, f"It took longer than {seconds:.0f} seconds, so the send was ended.")
        gone, wait = bool(answer.get("gone")), float(answer.get("wait", 0))
        return Outcome(bool(answer["ok"]), str(answer["why"]), gone, wait)

    def describe(self, address: SecretStr) -> Described:
        """What of an address may be shown. Nothing is sent. Raises AddressRefused where it cannot be used."""
        answer = self._ask({"do": "describe", "address": address}, DESCRIBE_SECONDS)
        if answer is None:
            raise AddressRefused("The address could not be looked at in time.")
        if not answer["ok"]:
            raise AddressRefused(str(answer["why"]))
        return Described(str(answer["service"]), str(answer["shown"]), str(answer["warning"]))

    def rest(self) -> None:
        """Ends the child: it holds 60 MB that nobody needs while there is no news."""
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                _close(pipe)

    def _ask(self, errand: dict[str, Any], seconds: float) -> dict[str, Any] | None:
        """The child's answer; None where it did not answer in time, and then there is no child any more."""
        child = self._running()
        asked = {
            **errand,
            "address": errand["address"].get_secret_value(),
            "private_networks": self._private_networks,
            "proxy": self._proxy.get_secret_value() if self._proxy else "",
        }
        assert child.stdin is not None  # noqa: S101 - it was begun with pipes
        try:
            child.stdin.write(json.dumps(asked) + "\n")
            child.stdin.flush()
        except BrokenPipeError:
            self.rest()
            return {"ok": False, "why": "The process that sends has ended unexpectedly."}
        return self._answer(child, seconds)

    def _answer(self, child: subprocess.Popen[str], seconds: float) -> dict[str, Any] | None:
        until, stopping = time.monotonic() + seconds, False
        assert child.stdout is not None  # noqa: S101 - it was begun with pipes
        with selectors.DefaultSelector() as waiting:
            waiting.register(child.stdout, selectors.EVENT_READ)
            while not waiting.select(_LOOK_SECONDS):
                if self._stop is not None and self._stop.is_set():
                    until = min(until, time.monotonic() + STOP_SECONDS) if not stopping else until
                    stopping = True
                if time.monotonic() >= until:
                    self.rest()
                    return None
        line = child.stdout.readline()
        if not line:
            self.rest()
            return {"ok": False, "why": "The process that sends has ended unexpectedly."}
        return json.loads(line)

    def _running(self) -> subprocess.Popen[str]:
        if self._child is None or self._child.poll() is not None:
            self.rest()
            self._child = subprocess.Popen(
                [sys.executable, "-I", "-m", "tidegate.delivery.errand"],
                stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                env=_environment(), cwd="/", text=True, encoding="utf-8", start_new_session=True,
            )  # fmt: skip
        return self._child


def _environment() -> dict[str, str]:
    """Nothing of ours but whom to trust: no home (apprise, requests and netrc look there), no proxies of the
    environment (the one that was named goes with each errand), no settings."""
    trust = {name: os.environ[name] for name in _TRUST if os.environ.get(name)}
    authorities = trust.get("SSL_CERT_FILE") or ssl.get_default_verify_paths().cafile
    if authorities and "REQUESTS_CA_BUNDLE" not in trust:
        trust["REQUESTS_CA_BUNDLE"] = authorities
    return {"HOME": "/nonexistent", "LANG": "C.UTF-8", "PATH": os.defpath, "PYTHONDONTWRITEBYTECODE": "1", **trust}


def _close(pipe: Any) -> None:
    try:
        pipe.close()
    except BrokenPipeError:
        return  # what it still wanted to write has no reader any more
