"""What goes over the wire of a fake vendor, and its port on loopback, which may close and open again.

The port sends its bytes in the manner that an Answer wants: whole, broken off, one a second.
"""

import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Literal
from urllib.parse import parse_qsl, urlsplit

Manner = Literal["whole", "reset", "break off", "stall", "drip", "say more"]
"""How the bytes go out: all; none and the connection is reset; half and reset; half and then silence; one a second;
all, with a Content-Length larger than that."""

BODY = "."
"""As a path in an Answer: the whole body, where it is a list itself."""
HEADER = "header:"
"""Before the name of a header, as a path in an Answer: `header:X-Total-Count`."""


@dataclass(frozen=True)
class Request:
    """What came: `target` is the path with its query."""

    method: str
    target: str
    headers: Mapping[str, str]
    content: bytes = b""

    @cached_property
    def path(self) -> str:
        return urlsplit(self.target).path

    @cached_property
    def queries(self) -> list[tuple[str, str]]:
        """Every parameter of the query, in order, also those that are said again."""
        return parse_qsl(urlsplit(self.target).query, keep_blank_values=True)

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters by name, the last of each."""
        return dict(self.queries)

    @cached_property
    def json(self) -> Any:
        """The body, decoded. Raises ValueError where it is not JSON."""
        return json.loads(self.content)

    @cached_property
    def form(self) -> dict[str, str]:
        """The body as a form's fields: what is sent for a token."""
        return dict(parse_qsl(self.content.decode("utf-8", "replace"), keep_blank_values=True))

    def header(self, name: str) -> str | None:
        """A header, whatever the case of its name."""
        return next((value for told, value in self.headers.items() if told.lower() == name.lower()), None)


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes out: a status, headers and a body."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=lambda: {"Content-Type": "application/json"})
    body: bytes = b""
    manner: Manner = "whole"

    def having(self, path: str, change: Callable[[Any], Any]) -> "Answer":
        """The same with the value at a dotted path changed, or at BODY or HEADER; itself where there is none."""
        if path.startswith(HEADER):
            name = path.removeprefix(HEADER)
            changed = {name: str(change(int(self.headers[name])))} if name in self.headers else {}
            return replace(self, headers={**self.headers, **changed})
        if not path or not self.body:
            return self
        tree = json.loads(self.body)
        if path == BODY:
            return replace(self, body=json.dumps(change(tree)).encode()) if isinstance(tree, list) else self
        holder, steps = tree, path.split(".")
        for step in steps[:-1]:
            holder = holder.get(step) if isinstance(holder, dict) else None
        if not isinstance(holder, dict) or steps[-1] not in holder:
            return self
        holder[steps[-1]] = change(holder[steps[-1]])
        return replace(self, body=json.dumps(tree).encode())


def as_json(body: Any, status: int = 200, **headers: str) -> Answer:
    """An answer of JSON; underscores in the names of headers are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(status, {"Content-Type": "application/json", **named}, json.dumps(body).encode())


class Port:
    """One port of a fake, which may close and open again: the number stays. `reply` answers each request.

    `closing`: what stalls and drips ends then.
    """

    def __init__(
        self,
        reply: Callable[[Request], Answer],
        number: int = 0,
        *,
        tls: ssl.SSLContext | None = None,
        closing: threading.Event | None = None,
    ) -> None:
        self.number = number
        self._make = lambda at: _Server(at, reply, closing or threading.Event(), tls)
        self._server: _Server | None = None
        self._thread: threading.Thread | None = None

    def bind(self) -> None:
        """Takes the port; a number of 0 becomes that of a free one."""
        if self._server is None:
            self._server = self._make(self.number)
            self.number = self._server.server_port

    def open(self) -> None:
        self.bind()
        if self._thread is None and self._server is not None:
            self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ends every connection too."""
        if self._server is not None:
            if self._thread is not None:
                self._server.shutdown()
                self._thread.join()
            self._server.server_close()
        self._server = self._thread = None


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self, number: int, reply: Callable[[Request], Answer], closing: threading.Event, tls: ssl.SSLContext | None
    ) -> None:
        super().__init__(("127.0.0.1", number), _Handler)
        self.reply, self.closing, self._tls = reply, closing, tls
        self._open: set[socket.socket] = set()

    def get_request(self) -> tuple[Any, Any]:
        connection, address = super().get_request()
        if self._tls is not None:
            connection = self._tls.wrap_socket(connection, server_side=True, do_handshake_on_connect=False)
        self._open.add(connection)
        return connection, address

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def server_close(self) -> None:
        for connection in tuple(self._open):
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                continue
        super().server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is what faults are for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # head and body are two writes; waiting for the first one's ACK costs 40 ms
    server: _Server  # pyright: ignore[reportIncompatibleVariableOverride]

    def log_message(self, format: str, *args: Any) -> None:
        """Says nothing."""

    def _answer(self) -> None:
        content = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self._send(self.server.reply(Request(self.command, self.path, dict(self.headers), content)))

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = _answer  # noqa: N815 - http.server's names

    def _send(self, answer: Answer) -> None:
        if answer.manner == "reset":
            self._reset()
            return
        length = len(answer.body) + (100 if answer.manner == "say more" else 0)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value.format(host=self.headers.get("Host", "")) if name == "Location" else value)
        if answer.status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        self._send_body(answer)

    def _send_body(self, answer: Answer) -> None:
        half = len(answer.body) // 2
        match answer.manner:
            case "break off":
                self.wfile.write(answer.body[:half])
                self._reset()
            case "stall":
                self.wfile.write(answer.body[:half])
                self.server.closing.wait()
                self.close_connection = True
            case "drip":
                for place in range(len(answer.body)):
                    self.wfile.write(answer.body[place : place + 1])
                    if self.server.closing.wait(1):
                        break
                self.close_connection = True
            case _:
                self.wfile.write(answer.body)
                self.close_connection |= answer.manner == "say more"

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()
