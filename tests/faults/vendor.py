"""Acme (tests/acme.py) as a service that real processes ask over real HTTP; a test can make it hang, lie or change."""

from __future__ import annotations

import threading
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar

import httpx2

from tests.acme import Acme, World
from tidegate_sdk import Ask, Families, Family, List, Tool, Vep
from tidegate_sdk.session import Session


class AcmeOverHttp(Acme):
    """Acme as a process of its own asks it: through the real doors, with real waits."""

    __orig_bases__ = vars(Acme)["__orig_bases__"]
    world: ClassVar[World] = World(paged="steady")

    def open(self, **how: Any) -> Session:
        return Tool.open(self, **how)

    def families(self, vep: Vep) -> Families:
        yield Family(
            "issues", List(Ask(f"products/{vep.id}/findings/issues"), "items", self.paging(), self.finding, "id")
        )


IN_CATALOG = {"acme": f"{__name__}:{AcmeOverHttp.__name__}"}


class Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Whoever asked was killed; that is what these tests do."""


class Vendor:
    """The server: `world` is what it knows, `asked` the paths it was asked for since the last `forget`."""

    def __init__(self) -> None:
        self.world = World(paged="steady")
        self.before: Callable[[str], httpx2.Response | None] | None = None
        """Told the path before it is answered, in the thread that answers: may wait, or answer itself."""
        self._lock = threading.Lock()
        self._server = Server(("127.0.0.1", 0), self._handler())
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}/"

    @property
    def asked(self) -> list[str]:
        with self._lock:
            return list(self.world.asked)

    def findings_asked(self) -> list[str]:
        """Which Records' findings were asked for, page by page."""
        return [path.split("/")[2] for path in self.asked if "/findings/" in path]

    def forget(self) -> None:
        with self._lock:
            self.world.asked.clear()

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def answer(self, path: str, headers: dict[str, str]) -> httpx2.Response:
        request = httpx2.Request("GET", self.url.rstrip("/") + path, headers=headers)
        with self._lock:
            self.world.asked.append(request.url.path)
        if self.before is not None and (answer := self.before(request.url.path)) is not None:
            return answer
        with self._lock:
            return self.world.answer(request)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        vendor = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                answer = vendor.answer(self.path, dict(self.headers.items()))
                try:
                    self.send_response(answer.status_code)
                    for name, value in answer.headers.items():
                        if name.lower() not in ("content-length", "transfer-encoding"):
                            self.send_header(name, value)
                    self.send_header("Content-Length", str(len(answer.content)))
                    self.end_headers()
                    self.wfile.write(answer.content)
                except OSError:
                    self.close_connection = True  # whoever asked was killed

            def log_message(self, format: str, *args: object) -> None:
                return

        return Handler
