"""A person's browser, in front of the real ASGI application: cookies, forms, redirects, nothing that runs."""

from __future__ import annotations

import asyncio
import html
import re
from dataclasses import dataclass, field
from http.cookies import SimpleCookie
from typing import Any
from urllib.parse import urlencode, urlsplit

from asgiref.sync import async_to_sync

HIDDEN = re.compile(r'<input type="hidden" name="([^"]+)"(?: value="([^"]*)")?')


@dataclass
class Page:
    """What was answered."""

    status: int
    headers: dict[str, str]
    cookies: list[str]
    body: bytes
    path: str

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def words(self) -> str:
        """What a person reads of it."""
        return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", self.text)).split())

    @property
    def leads_to(self) -> str:
        return self.headers["location"]


@dataclass
class Browser:
    """Asks as a browser does, from this address."""

    application: Any
    host: str = "localhost"
    address: str = "127.0.0.1"
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> Page:
        return self.ask("GET", path)

    def post(self, path: str, **fields: str) -> Page:
        """A form of ours, with what is hidden in it."""
        page = self.get(path)
        hidden = {name: html.unescape(value) for name, value in HIDDEN.findall(page.text)}
        return self.ask("POST", path, hidden | fields)

    def ask(self, method: str, target: str, fields: dict[str, str] | None = None) -> Page:
        parts = urlsplit(target)
        body = urlencode(fields).encode() if fields is not None else b""
        headers = {"host": self.host, "user-agent": "Firefox"} | self.headers
        if fields is not None:
            headers |= {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
            headers = {"origin": f"http://{self.host}"} | headers
        if self.cookies:
            headers["cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        scope = {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": method,
            "scheme": "http",
            "path": parts.path,
            "raw_path": parts.path.encode(),
            "query_string": parts.query.encode(),
            "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
            "client": (self.address, 40000),
            "server": ("127.0.0.1", 8686),
        }
        return self._answered(scope, body, parts.path)

    def _answered(self, scope: dict[str, Any], body: bytes, path: str) -> Page:
        incoming = [{"type": "http.request", "body": body, "more_body": False}]
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            if not incoming:
                await asyncio.Event().wait()  # they stay and read
            return incoming.pop()

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        async_to_sync(self.application)(scope, receive, send)
        head = [(name.decode(), value.decode()) for name, value in sent[0]["headers"]]
        set_cookies = [value for name, value in head if name == "set-cookie"]
        for text in set_cookies:
            for name, morsel in SimpleCookie(text).items():
                if morsel["max-age"] == 0 or morsel.value == "":
                    self.cookies.pop(name, None)
                else:
                    self.cookies[name] = morsel.value
        return Page(
            sent[0]["status"], dict(head), set_cookies, b"".join(one.get("body", b"") for one in sent[1:]), path
        )
