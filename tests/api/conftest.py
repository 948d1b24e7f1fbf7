"""Clients of the API, each with a token of a role, through the whole ASGI application and its gate."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest
from asgiref.sync import async_to_sync
from django.core.cache import cache

from tests.database import database, migrated_database
from tidegate.actions.token import add_token
from tidegate.actions.user import add_user, take_role
from tidegate.api import pace
from tidegate.config import load_settings
from tidegate.rules.access import ROLES, Grant
from tidegate.rules.actor import at_this_machine
from tidegate.server.asgi import application
from tidegate.server.health import Health
from tidegate.server.people import of_pages

__all__ = ["api", "database", "migrated_database"]

ROOT = at_this_machine("root")


@dataclass
class Answer:
    """What was answered."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        """Which kind of problem it is."""
        assert self.headers["content-type"] == "application/problem+json", self.body
        return self.json["type"].rpartition("#problem-")[2]


class Api:
    """Asks the API; `as_` says who."""

    def __init__(self, answers: Any) -> None:
        self.answers, self.tokens, self.token = answers, dict[str, str](), ""

    def as_(self, name: str, *grants: Grant) -> Api:
        """As somebody with a role (reader, mapper, operator, administrator), without any (stranger), without a token
        (nobody), or as whoever else has these grants."""
        other = Api(self.answers)
        other.tokens = self.tokens
        other.token = "" if name == "nobody" else self._token_of(name, grants)
        return other

    def _token_of(self, name: str, grants: tuple[Grant, ...]) -> str:
        if name not in self.tokens:
            held = [Grant(name)] if name in ROLES and not grants else list(grants)  # pyright: ignore[reportArgumentType]
            user = add_user(ROOT, name, grants=held or [Grant("reader")])
            made = add_token(ROOT, "test", user_id=user, grants=held or [Grant("reader")])
            if not held:
                take_role(ROOT, user, "everything")
            self.tokens[name] = made.token.get_secret_value()
        return self.tokens[name]

    def get(self, path: str, **query: Any) -> Answer:
        return self.ask("GET", path, query)

    def post(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("POST", path, {}, body, headers)

    def patch(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("PATCH", path, {}, body, headers)

    def put(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("PUT", path, {}, body, headers)

    def delete(self, path: str, body: Any = None, **headers: str) -> Answer:
        return self.ask("DELETE", path, {}, body, headers)

    def ask(
        self,
        method: str,
        path: str,
        query: dict[str, Any],
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """`body` is sent as JSON, or as it is where it is bytes. Names of headers: `if_match` is If-Match."""
        sent = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
        given = {"host": "localhost"} | {
            name.replace("_", "-").lower(): value for name, value in (headers or {}).items()
        }
        if self.token:
            given.setdefault("authorization", f"Bearer {self.token}")
        if body is not None:
            given = {"content-type": "application/json", "content-length": str(len(sent))} | given
        full = path if path.startswith(("/api/", "/account/")) else f"/api/v1{path}"
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": full,
            "raw_path": full.encode(),
            "query_string": urlencode(query, doseq=True).encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in given.items()],
            "client": ("127.0.0.1", 40000),
            "server": ("127.0.0.1", 8686),
        }
        return self._answered(scope, sent)

    def _answered(self, scope: dict[str, Any], body: bytes) -> Answer:
        incoming = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if not incoming:
                await asyncio.Event().wait()  # they stay and read
            return incoming.pop()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async_to_sync(self.answers)(scope, receive, send)
        head = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
        return Answer(sent[0]["status"], head, b"".join(one.get("body", b"") for one in sent[1:]))


@pytest.fixture
def api(database: object, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[Api]:
    """The API in front of an empty house."""
    given = load_settings()
    for name, value in of_pages(given).items():
        setattr(settings, name, value)
    cache.clear()
    for one in (pace.REQUESTS, pace.STRANGERS):
        monkeypatch.setattr(one, "at_once", 1e6)
        monkeypatch.setattr(one, "a_second", 1e6)
    health = Health(given)
    yield Api(application(given, ["localhost"], health))
    health.close()
    cache.clear()
