"""A Tidegate elsewhere, for commands: the whole service behind its gate, on a loopback socket, with real tokens."""

from __future__ import annotations

import json
import re
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import connection

from tidegate.actions.token import add_token
from tidegate.actions.user import add_user
from tidegate.api import pace
from tidegate.config import load_settings
from tidegate.ingest.operation import run_operation
from tidegate.rules.access import Grant
from tidegate.rules.actor import at_this_machine
from tidegate.server.asgi import application
from tidegate.server.health import Health
from tidegate.server.people import of_pages
from tidegate.server.web import Server, configured, listening
from tidegate.store.models import Operation

ROOT = at_this_machine("root")


@contextmanager
def serving(answers: Any, certificate: Path | None = None) -> Iterator[str]:
    """The address at which this ASGI application answers; over TLS with a file that has certificate and key."""
    stop, ready = threading.Event(), threading.Event()
    with listening("127.0.0.1", 0) as listener:
        config = configured(answers)
        config.ssl_certfile = certificate
        server = Server(config, stop, ready.set)
        thread = threading.Thread(target=server.run, args=([listener],))
        thread.start()
        try:
            assert ready.wait(60)
            yield f"http{'s' if certificate else ''}://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            stop.set()
            thread.join(60)


@dataclass
class Script:
    """Answers what stands in it, one after the other, the last again and again; an empty one hangs up."""

    answers: list[bytes]
    asked: list[str] = field(default_factory=list)
    url: str = ""

    def next(self) -> bytes:
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


def said(status: int, body: str, kind: str = "application/json", **headers: str) -> bytes:
    """An answer of HTTP."""
    content = body.encode()
    told = {"Content-Type": kind, "Content-Length": str(len(content)), "Connection": "close"}
    told |= {name.replace("_", "-"): value for name, value in headers.items()}
    lines = [f"HTTP/1.1 {status} x", *(f"{name}: {value}" for name, value in told.items()), "", ""]
    return "\r\n".join(lines).encode() + content


def problem(status: int, detail: str, **headers: str) -> bytes:
    """The same as a problem."""
    return said(status, json.dumps({"detail": detail, "next_step": "Do it."}), "application/problem+json", **headers)


@contextmanager
def scripted(*answers: bytes) -> Iterator[Script]:
    """A server that says what the test says, also what no Tidegate would."""
    script = Script(list(answers))

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            head = b""
            while line := self.rfile.readline().strip():
                head += line + b"\n"
            length = re.search(rb"content-length: (\d+)", head.lower())
            body = self.rfile.read(int(length[1])) if length else b""
            script.asked.append((head + body).decode())
            self.wfile.write(script.next())

    with socketserver.TCPServer(("127.0.0.1", 0), Handler) as server:
        script.url = f"http://127.0.0.1:{server.server_address[1]}"
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield script
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def service(settings: Any) -> Iterator[str]:
    """The address of the whole service. `settings` are Django's, as the fixture gives them."""
    given = load_settings()
    for name, value in of_pages(given).items():
        setattr(settings, name, value)
    cache.clear()
    health = Health(given)
    with serving(application(given, ["127.0.0.1"], health)) as url:
        yield url
    health.close()
    cache.clear()


def token_of(role: str, name: str = "alice") -> str:
    """A token of somebody who has this role for everything."""
    user = add_user(ROOT, name, grants=[Grant(role)])  # pyright: ignore[reportArgumentType]
    return add_token(ROOT, "test", user_id=user, grants=[Grant(role)]).token.get_secret_value()  # pyright: ignore[reportArgumentType]


def patient(monkeypatch: Any) -> None:
    """Nobody asks too often."""
    monkeypatch.setattr(pace, "REQUESTS", pace.Pace(at_once=1e6, a_second=1e6))
    monkeypatch.setattr(pace, "STRANGERS", pace.Pace(at_once=1e6, a_second=1e6))


@contextmanager
def worker() -> Iterator[None]:
    """A worker that lives, and runs what waits."""
    stop = threading.Event()

    def work() -> None:
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")
        while not stop.wait(0.01):
            for waiting in Operation.objects.filter(status="pending").order_by("pk"):
                run_operation(waiting.pk)
        connection.close()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(60)
