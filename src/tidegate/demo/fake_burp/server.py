"""The fake Burp over HTTP: the vendor's port, and a control port through which its world and its faults are changed."""

import inspect
import json
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from tidegate.demo.fake_burp import api
from tidegate.demo.fake_burp.world import World, demo_world
from tidegate.demo.faults import FAULTS, Answer, Fault, Shape

API_KEY = "demo-burp-api-key-2f1c"  # a fake's key, known to everybody
SHAPES = {
    "issues": Shape("data.scan.issues", "fingerprint", "data.scan.issue_counts.total", "severity", "description_html",
                    start="start", page="count"),
    "sites": Shape("data.site_tree.sites", text="name"),
    "folders": Shape("data.site_tree.folders", text="name"),
    "scans": Shape("data.scans", word="status", date="end_time"),
}  # fmt: skip


@dataclass(slots=True)
class Strike:
    """A fault that waits for its question: about that list, of that site, the so many-th from now on."""

    name: str
    fault: Fault
    list: str
    site: str
    wait: int
    times: int | None
    scan: str = ""

    def hits(self, question: api.Question, variables: Mapping[str, Any], site: str) -> bool:
        """Whether it strikes here, counted; a walk that begins anew has got over its fault."""
        if (self.list and self.list != question.root) or (self.site and self.site != site):
            return False
        if self.fault.lasts == "walk" and self.times is not None:
            return self._hits_walk(str(variables.get("scan") or question.root), variables)
        self.wait -= 1
        if self.wait > 0 or self.times == 0:
            return False
        if self.times is not None and self.fault.lasts == "answer":
            self.times -= 1
        return True

    def _hits_walk(self, scan: str, variables: Mapping[str, Any]) -> bool:
        begins = not variables.get("start")
        if not self.scan and self.times and begins:
            self.wait -= 1
            self.scan = scan if self.wait <= 0 else ""
            return bool(self.scan)
        if scan == self.scan and begins:
            self.times = 0
            self.scan = ""
        return bool(self.scan) and scan == self.scan


@dataclass(frozen=True, slots=True)
class Asked:
    """One question that came, for tests to look at."""

    name: str
    list: str
    variables: Mapping[str, Any]
    headers: Mapping[str, str]


@dataclass(slots=True)
class Desk:
    """What both ports share: the world, the faults that wait, and what was asked."""

    world: World
    api_key: str
    strikes: list[Strike] = field(default_factory=list[Strike])
    asked: list[Asked] = field(default_factory=list[Asked])
    closing: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def reply(self, path: str, headers: Mapping[str, str], content: bytes) -> Answer:
        """The answer to one request, with the fault that strikes it."""
        if path.partition("?")[0] != "/graphql/v1":
            return Answer(404, {"Content-Type": "text/html"}, b"<!doctype html><html><body>Burp Suite</body></html>")
        if headers.get("Authorization") != self.api_key:
            return Answer(401, body=b'{"error": "Unauthorized"}')
        try:
            question = api.ask(json.loads(content))
        except ValueError:
            return Answer(400, body=b'{"error": "The body is not JSON."}')
        if isinstance(question, list):
            return Answer(body=json.dumps({"errors": question}).encode())
        with self.lock:
            self.asked.append(Asked(question.name, question.root, question.variables, dict(headers)))
            site = self._site(question.variables)
            struck = [strike.fault for strike in self.strikes if strike.hits(question, question.variables, site)]
        variables, shape = dict(question.variables), SHAPES.get(question.root, Shape())
        for fault in struck:
            variables = {name: value for name, value in fault.ask(variables, shape).items() if name in variables}
        answer = Answer(body=api.answer(self.world, question, variables))
        for fault in struck:
            answer = fault.change(answer, shape, question.variables)
        return answer

    def _site(self, variables: Mapping[str, Any]) -> str:
        scan = self.world.scans.get(str(variables.get("scan")))
        return scan.site if scan else str(variables.get("site") or "")


class Control:
    """Everything that can be done to the fake, in Python or as POST /<name> with its arguments as JSON."""

    def __init__(self, desk: Desk, port: "Port") -> None:
        self._desk, self._port = desk, port

    @property
    def world(self) -> World:
        return self._desk.world

    def strike(self, fault: str, list: str = "", site: str = "", at: int = 1, times: int | None = 1) -> None:
        """A fault by its name in demo/faults.py. `list`: issues, scans, sites, folders, or any; `site`: of that site
        only; `at`: the so many-th such question from now on; `times`: None is for ever."""
        lasting = times if FAULTS[fault].lasts != "for ever" else None
        strike = Strike(fault, FAULTS[fault], list, self.world.site(site).id if site else "", at, lasting)
        with self._desk.lock:
            self._desk.strikes.append(strike)

    def calm(self) -> None:
        """No fault waits any more."""
        with self._desk.lock:
            self._desk.strikes.clear()

    def refuse(self) -> None:
        """Nobody listens on the vendor's port any more: connections are refused until `listen`."""
        self._port.close()

    def listen(self) -> None:
        """The vendor's port is open again, the same one."""
        self._port.open()

    def half_a_page(self, site: str = "") -> None:
        """The next list of issues ends after half of its first page, although its total says more."""
        self.strike("half a page", "issues", site)

    def do(self, verb: str, arguments: Mapping[str, Any]) -> Any:
        """One verb by name: this class's own, or one of the World's."""
        if verb.startswith("_") or verb in ("do", "world"):
            raise KeyError(verb)
        holder = self if hasattr(type(self), verb) else self.world
        method = getattr(holder, verb, None)
        if not inspect.ismethod(method):
            raise KeyError(verb)
        with self.world.lock:
            return method(**arguments)

    def __getattr__(self, verb: str) -> Any:
        return getattr(self._desk.world, verb)


class Port:
    """One port of the fake, which may close and open again: the number stays."""

    def __init__(self, number: int, make: "Callable[[int], _Server]") -> None:
        self.number, self._make = number, make
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
            self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Ends every connection too."""
        if self._server is not None:
            if self._thread is not None:
                self._server.shutdown()
                self._thread.join()
            self._server.server_close()
        self._server = self._thread = None


class FakeBurp:
    """A Burp Suite DAST on loopback: `with FakeBurp() as burp: burp.url, burp.api_key, burp.control`.

    `seed`: "demo" is four sites of a shop, "empty" none. `bulk`: further sites with so many synthetic issues each.
    """

    def __init__(
        self,
        seed: str = "demo",
        *,
        bulk: Mapping[str, int] | None = None,
        port: int = 0,
        control_port: int = 0,
        api_key: str = API_KEY,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        world = {"demo": demo_world, "empty": World}[seed]()
        for name, issues in (bulk or {}).items():
            world.add_bulk_site(name, issues)
        self.api_key = api_key
        self._desk = Desk(world, api_key)
        self._vendor = Port(port, lambda at: _Server(("127.0.0.1", at), _Vendor, self._desk, self.control, tls))
        self.control = Control(self._desk, self._vendor)
        self._controls = Port(control_port, lambda at: _Server(("127.0.0.1", at), _Controls, self._desk, self.control))
        self._vendor.bind()
        self._controls.bind()
        self.url = f"{'https' if tls else 'http'}://{'localhost' if tls else '127.0.0.1'}:{self._vendor.number}/"
        self.control_url = f"http://127.0.0.1:{self._controls.number}/"

    @property
    def asked(self) -> list[Asked]:
        """Every question that was put to it, in order."""
        return self._desk.asked

    def start(self) -> Self:
        self._vendor.open()
        self._controls.open()
        return self

    def stop(self) -> None:
        """Closes both ports and every connection."""
        self._desk.closing.set()
        self._controls.close()
        self._vendor.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(
        self,
        address: tuple[str, int],
        handler: type[BaseHTTPRequestHandler],
        desk: Desk,
        control: Control,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        super().__init__(address, handler)
        self.desk, self.control, self._tls = desk, control, tls
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

    def _content(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length") or 0))

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
                self.server.desk.closing.wait()
                self.close_connection = True
            case "drip":
                for place in range(len(answer.body)):
                    self.wfile.write(answer.body[place : place + 1])
                    if self.server.desk.closing.wait(1):
                        break
                self.close_connection = True
            case _:
                self.wfile.write(answer.body)
                self.close_connection |= answer.manner == "say more"

    def _reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()


class _Vendor(_Handler):
    def do_POST(self) -> None:
        self._send(self.server.desk.reply(self.path, self.headers, self._content()))  # pyright: ignore[reportArgumentType]

    def do_GET(self) -> None:
        self._send(Answer(405, body=b'{"error": "POST only"}'))


class _Controls(_Handler):
    def do_POST(self) -> None:
        try:
            arguments = json.loads(self._content() or b"{}")
            done = self.server.control.do(self.path.strip("/"), arguments)
            answer = Answer(body=json.dumps({"done": done}).encode())
        except (KeyError, TypeError, ValueError, StopIteration) as error:
            answer = Answer(400, body=json.dumps({"error": f"{type(error).__name__}: {error}"}).encode())
        self._send(answer)

    def do_GET(self) -> None:
        """What stands: the sites and their scans, and the names of the faults."""
        world = self.server.control.world
        with world.lock:
            sites = {site.id: site.name for site in world.sites.values()}
            scans = {scan.id: [scan.site, scan.status, len(scan.issues)] for scan in world.scans.values()}
        self._send(Answer(body=json.dumps({"sites": sites, "scans": scans, "faults": [*FAULTS]}).encode()))
