"""An HTTP server on loopback that takes messages, keeps their bytes, and answers as a test wants."""

from __future__ import annotations

import json
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import trustme


@dataclass(frozen=True)
class Request:
    """What came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Webhook:
    """`answer` gives the status of each request; it may wait for `gate`."""

    def __init__(self) -> None:
        self.taken: list[Request] = []
        self.answer: Callable[[Request], int] = lambda request: 200
        self.location = ""
        self.retry_after = ""
        self.endless = False
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    @property
    def host(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def messages(self) -> list[str]:
        return [request.json["message"] for request in self.taken]

    @property
    def titles(self) -> list[str]:
        return [request.json["title"] for request in self.taken]

    def speak_tls(self, authority: trustme.CA) -> None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert("127.0.0.1").configure_cert(context)
        self._server.socket = context.wrap_socket(self._server.socket, server_side=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        webhook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                request = Request(self.path, dict(self.headers), body)
                status = webhook.answer(request)
                webhook.taken.append(request)
                try:
                    self.send_response(status)
                    if webhook.location:
                        self.send_header("Location", webhook.location)
                    if webhook.retry_after:
                        self.send_header("Retry-After", webhook.retry_after)
                    if webhook.endless:
                        self.end_headers()
                        while True:
                            self.wfile.write(b"more and more " * 1_000)
                    self.send_header("Content-Length", "2")
                    self.end_headers()
                    self.wfile.write(b"ok")
                except (BrokenPipeError, ConnectionResetError):
                    return  # the sender was ended meanwhile

            def log_message(self, format: str, *args: Any) -> None:
                """Says nothing."""

        return Handler
