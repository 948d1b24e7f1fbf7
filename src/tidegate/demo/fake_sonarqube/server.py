"""The fake SonarQube over HTTP on loopback; tests change its world in Python."""

import json
import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tidegate.demo.fake_sonarqube import api
from tidegate.demo.fake_sonarqube.world import World

TOKEN = "squ_demo0fake0token0of0nobody0000000000000001"  # noqa: S105 - a fake's token, known to everybody


class FakeSonarQube:
    """`with FakeSonarQube() as sonar: sonar.url, sonar.token, sonar.world`.

    `asked` is every path with its query that came. `interfere` is called with each of them before it is answered, and
    may give the status to refuse it with.
    """

    def __init__(self, token: str = TOKEN) -> None:
        self.world, self.token = World(), token
        self.asked: list[tuple[str, dict[str, str]]] = []
        self.interfere: Callable[[str, dict[str, str]], int | None] = lambda path, query: None
        self._server = _Server(("127.0.0.1", 0), self)
        self.url = f"http://127.0.0.1:{self._server.server_port}/"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    def answer(self, target: str, authorization: str | None) -> api.Answer:
        """What goes out for one request."""
        parts = urlsplit(target)
        query = dict(parse_qsl(parts.query, keep_blank_values=True))
        if authorization != f"Bearer {self.token}":
            return 401, ""
        self.asked.append((parts.path, query))
        refused = self.interfere(parts.path, query)
        if refused is not None:
            return refused, {"errors": [{"msg": "An error has occurred. Please contact your administrator"}]}
        return api.answer(self.world, parts.path, query)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, address: tuple[str, int], fake: FakeSonarQube) -> None:
        super().__init__(address, _Handler)
        self.fake = fake

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is nobody's error."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; waiting for the first one's ACK costs 40 ms
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def do_GET(self) -> None:
        status, body = self.server.fake.answer(self.path, self.headers.get("Authorization"))
        content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)
