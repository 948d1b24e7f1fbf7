"""The web application: the pages, their style sheets, and what watches and load balancers ask."""

from __future__ import annotations

import gzip
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from importlib import import_module
from pathlib import Path

import django_htmx
import msgspec
from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.db import Error as DatabaseError
from django.db import connections

import tidegate.ui
from tidegate.config import Settings
from tidegate.server.gate import Application, Receive, Scope, Send, answer, gate
from tidegate.server.health import UNREACHABLE, Health

UI = Path(str(tidegate.ui.__file__)).parent
HTMX = Path(str(django_htmx.__file__)).parent / "static" / "django_htmx" / "htmx-2.min.js"
SECONDS_A_FILE_IS_KEPT = 300
SMALLEST_COMPRESSED = 1024


def application(settings: Settings, hosts: list[str], health: Health) -> Application:
    """Everything this service answers, behind the gate."""
    pages = get_asgi_application()
    files = own_files()

    async def alive(scope: Scope, _: Receive, send: Send) -> None:
        await answer(scope, send, 200, "This process lives.")

    async def ready(scope: Scope, _: Receive, send: Send) -> None:
        found = await health.readiness()
        body = msgspec.json.format(msgspec.json.encode(found)) + b"\n"
        await answer(scope, send, 200 if found.ready else 503, body, kind="application/json")

    async def metrics(scope: Scope, _: Receive, send: Send) -> None:
        try:
            body, kind = await sync_to_async(exposed)()
        except DatabaseError:
            await answer(scope, send, 503, UNREACHABLE)
        else:
            await answer(scope, send, 200, body, kind=kind)

    by_itself = {"/healthz": alive, "/readyz": ready, "/metrics": metrics}

    async def inner(scope: Scope, receive: Receive, send: Send) -> None:
        path = scope["path"]
        if path in by_itself:
            await by_itself[path](scope, receive, send)
        elif path in files:
            await files[path].sent(scope, send)
        else:
            await pages(scope, receive, send)

    return gate(inner, hosts, frozenset(by_itself))


def exposed() -> tuple[bytes, str]:
    """The metrics, and which format they are in; asked for late, since they take memory that most never need."""
    try:
        return import_module("tidegate.reads.metrics").exposition()
    finally:
        connections.close_all()


@dataclass(frozen=True)
class OwnFile:
    """A style sheet, script or picture of ours: small, so it stays in memory, also compressed."""

    body: bytes
    kind: str

    @cached_property
    def compressed(self) -> bytes | None:
        """With gzip; None where that would not pay."""
        return gzip.compress(self.body, mtime=0) if len(self.body) >= SMALLEST_COMPRESSED else None

    @cached_property
    def tag(self) -> bytes:
        """What tells whether it changed."""
        return b'"' + sha256(self.body).hexdigest()[:20].encode() + b'"'

    async def sent(self, scope: Scope, send: Send) -> None:
        """Answers GET and HEAD with it, or says that it is as it was."""
        asked = dict(scope["headers"])
        packed = self.compressed if b"gzip" in asked.get(b"accept-encoding", b"") else None
        body = self.body if packed is None else packed
        same = asked.get(b"if-none-match") == self.tag
        headers = [
            (b"content-type", self.kind.encode()), (b"etag", self.tag), (b"vary", b"accept-encoding"),
            (b"cache-control", b"max-age=%d, public" % SECONDS_A_FILE_IS_KEPT),
        ]  # fmt: skip
        if not same:
            headers += [(b"content-length", str(len(body)).encode())]
            headers += [(b"content-encoding", b"gzip")] if packed is not None else []
        await send({"type": "http.response.start", "status": 304 if same else 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if same or scope["method"] == "HEAD" else body})


def own_files() -> dict[str, OwnFile]:
    """Everything under /static/, by path. The style sheets are one file each, and travel as one."""
    sheets = [UI / "css" / name for name in ("tokens.css", "base.css", "layout.css")]
    sheets += sorted((UI / "css" / "parts").glob("*.css"))
    script, sheet = 'text/javascript; charset="utf-8"', 'text/css; charset="utf-8"'
    return {
        "/static/style.css": OwnFile(b"\n".join(one.read_bytes() for one in sheets), sheet),
        "/static/htmx.js": OwnFile(HTMX.read_bytes(), script),
        **{f"/static/{one.name}": OwnFile(one.read_bytes(), script) for one in sorted((UI / "js").glob("*.js"))},
        **{
            f"/static/{one.name}": OwnFile(one.read_bytes(), "image/svg+xml") for one in (UI / "pictures").glob("*.svg")
        },
    }
