"""The web application: the pages, their style sheets, and what watches and load balancers ask."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import msgspec
from asgiref.sync import sync_to_async
from django.core.asgi import get_asgi_application
from django.db import Error as DatabaseError
from django.db import connections
from whitenoise import WhiteNoise
from whitenoise.responders import StaticFile

import tidegate.ui
from tidegate.config import Settings
from tidegate.server.gate import Application, Receive, Scope, Send, answer, gate
from tidegate.server.health import UNREACHABLE, Health

STYLES = Path(str(tidegate.ui.__file__)).with_name("css")
SECONDS_A_STYLE_IS_KEPT = 300


def application(settings: Settings, hosts: list[str], health: Health) -> Application:
    """Everything this service answers, behind the gate."""
    pages = get_asgi_application()
    styles = WhiteNoise(None, max_age=SECONDS_A_STYLE_IS_KEPT, allow_all_origins=False)
    styles.add_files(str(STYLES), prefix="/static/")

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
        elif path in styles.files:
            await style(styles.files[path], scope, send)
        else:
            await pages(scope, receive, send)

    return gate(inner, hosts, frozenset(by_itself))


def exposed() -> tuple[bytes, str]:
    """The metrics, and which format they are in; asked for late, since they take memory that most never need."""
    try:
        return import_module("tidegate.reads.metrics").exposition()
    finally:
        connections.close_all()


async def style(file: StaticFile, scope: Scope, send: Send) -> None:
    """A file of ours, by whitenoise's answer: small, so it is sent in one piece."""
    asked = {
        f"HTTP_{name.decode('latin-1').upper().replace('-', '_')}": v.decode("latin-1") for name, v in scope["headers"]
    }
    found = file.get_response(scope["method"], asked)
    try:
        body = found.file.read() if found.file else b""
    finally:
        if found.file:
            found.file.close()
    headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in found.headers]
    await send({"type": "http.response.start", "status": int(found.status), "headers": headers})
    await send({"type": "http.response.body", "body": body})
