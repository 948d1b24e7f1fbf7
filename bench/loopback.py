"""Loopback, a vendor of our own for measuring the whole service: a Tool, and a server that answers it over real HTTP.

The Tool comes to the processes of the service as any other package's does: by an entry point (house.py). The server is
one thread with little to do for a question, so that what is measured is Tidegate and not the vendor.
"""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from pydantic import Field, SecretStr

from bench.child import named
from tidegate_sdk import (
    Account,
    Ask,
    Families,
    Family,
    Finding,
    Header,
    Http,
    List,
    NextLink,
    PageNumber,
    Row,
    Settings,
    SharedFamilies,
    SharedFamily,
    Talk,
    Tool,
    Vep,
    Verdict,
    dig,
)
from tidegate_sdk.limits import Limits
from tidegate_sdk.session import Session

TOKEN = "loopback-token"
PER_PAGE = 20
FAMILIES = ("code", "web")


class LoopbackSettings(Settings):
    url: str = Field(title="Location URL")
    token: SecretStr = Field(title="Token")
    paging: str = Field("steady", title="steady or drifting")
    per_second: float = Field(200, title="Questions a second")
    families: int = Field(2, title="How many Families each application has")
    impatient: bool = Field(False, title="Whether waits are short: a soak wants many failures, not long ones")


class Loopback(Tool[LoopbackSettings]):
    slug, name, a_record_is = "loopback", "Loopback", "an application"

    def open(self, **how: Any) -> Session:
        """With the patience that was asked for."""
        impatient = Limits(read=4, page_seconds=6, tries=3, back_off=0.2, longest_back_off=1)
        return super().open(**({"limits": impatient} if self.settings.impatient else {}) | how)

    def door(self) -> Http:
        token = Header("Authorization", self.settings.token, "Bearer {}")
        return Http(self.settings.url, token, per_second=self.settings.per_second)

    def account(self) -> Talk[Account]:
        page = yield Ask("account")
        return Account(id=dig(page.body, "id"), name=dig(page.body, "name"))

    def veps(self) -> List[Vep]:
        return List(Ask("applications"), "items", self._paging(), self._vep, "id")

    def families(self, vep: Vep) -> Families:
        for name in FAMILIES[: self.settings.families]:
            yield Family(name, List(Ask(f"applications/{vep.id}/{name}"), "items", self._paging(), self._finding, "id"))

    def _paging(self) -> NextLink | PageNumber:
        if self.settings.paging == "drifting":
            return PageNumber("total", per=PER_PAGE)
        return NextLink(kind="steady")

    def _vep(self, row: Row) -> Vep:
        return Vep(id=row["id"], name=row["name"])

    def _finding(self, row: Row) -> Finding:
        return Finding(
            key=row["id"],
            title=row["title"],
            severity=self.severity(row["severity"]),
            vendor_severity=row["severity"],
            description=row.get("description", ""),
            path=row.get("file", ""),
            line=row.get("line"),
            rule=row.get("rule", ""),
            cwe=tuple(row.get("cwe", ())),
            url=row.get("link"),
            fixed=row["status"] == "fixed",
            verdict=Verdict.FALSE_POSITIVE if row["status"] == "false positive" else None,
            vendor_status=row["status"],
        )


class Export(Loopback):
    """The same vendor, which exports the findings of all its applications at once."""

    slug, name = "loopback_export", "Loopback export"

    def families(self, vep: Vep) -> Families:
        yield from ()

    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        yield SharedFamily("code", List(Ask("export"), "items", self._paging(), self._finding, "id"), of="app")


@dataclass(frozen=True)
class Answer:
    """What the server says, and how: `cut` breaks the connection in the middle of the body, `never` leaves it open."""

    body: bytes = b"{}"
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    seconds: float = 0.0
    cut: bool = False
    never: bool = False


Answerer = Callable[[str, str, dict[str, str]], Answer]
"""Given the port's own host, the path and the query."""


def as_json(body: Any, seconds: float = 0.0) -> Answer:
    """An answer as it should be."""
    return Answer(json.dumps(body).encode(), seconds=seconds)


def page(listed: Sequence[Any], path: str, query: Mapping[str, str], seconds: float = 0.0) -> Answer:
    """One page of a list, for both shapes of paging."""
    number = int(query.get("page", 1))
    more = number * PER_PAGE < len(listed)
    link = f"{path}?page={number + 1}" if more else None
    part = listed[(number - 1) * PER_PAGE : number * PER_PAGE]
    return as_json({"items": part, "total": len(listed), "links": {"next": link}}, seconds)


class Server:
    """The vendor's server: on one port of several loopback addresses, each a host of its own for the pace."""

    def __init__(self, answer: Answerer, addresses: Sequence[str] = ("127.0.0.1",)) -> None:
        self.answer, self.addresses = answer, addresses
        self.asked = self.posted = 0
        self.port = 0
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="loopback", daemon=True)
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result()

    def url(self, address: str = "127.0.0.1") -> str:
        return f"http://{address}:{self.port}/"

    def close(self) -> None:
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()

    async def _listen(self) -> None:
        first = await self._loop.create_server(lambda: _Line(self), self.addresses[0], 0, backlog=1000)
        self.port = first.sockets[0].getsockname()[1]
        if rest := list(self.addresses[1:]):
            await self._loop.create_server(lambda: _Line(self), rest, self.port, backlog=1000)


class Vendor:
    """A server in a process of its own (child.py): what it costs to answer is not the bench's."""

    def __init__(self, make: str, *given: Any) -> None:
        self._server = Server(named(make)(*given))

    def url(self) -> str:
        return self._server.url()

    def asked(self) -> int:
        """How many questions it has answered."""
        return self._server.asked

    def state(self, name: str) -> Any:
        """Something that the answers keep count of."""
        return getattr(self._server.answer, name)

    def become(self, make: str, *given: Any) -> None:
        """Other answers from now on."""
        self._server.answer = named(make)(*given)


class _Line(asyncio.Protocol):
    """One connection: reads heads of GETs, one after the other."""

    def __init__(self, server: Server) -> None:
        self._server, self._rest = server, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._host = transport, transport.get_extra_info("sockname")[0]

    def data_received(self, data: bytes) -> None:
        self._rest += data
        while b"\r\n\r\n" in self._rest:
            head, _, rest = self._rest.partition(b"\r\n\r\n")
            lines = head.decode("latin-1").split("\r\n")
            headers = dict(line.lower().split(": ", 1) for line in lines[1:])
            length = int(headers.get("content-length", 0))
            if len(rest) < length:
                return
            self._rest = rest[length:]
            if lines[0].startswith("POST"):  # news, as a webhook takes them
                self._server.posted += 1
                self._say(Answer())
                continue
            self._server.asked += 1
            if headers.get("authorization") != f"bearer {TOKEN}":
                self._say(Answer(status=401))
                continue
            address = urlsplit(lines[0].split(" ")[1])
            answer = self._server.answer(self._host, address.path, dict(parse_qsl(address.query)))
            if not answer.never:
                asyncio.get_running_loop().call_later(answer.seconds, self._say, answer)

    def _say(self, answer: Answer) -> None:
        if self._transport.is_closing():
            return
        given = {"Content-Type": "application/json", "Content-Length": str(len(answer.body)), **answer.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in given.items())
        said = f"HTTP/1.1 {answer.status} Said\r\n{head}\r\n".encode() + answer.body
        if answer.cut:
            self._transport.write(said[: len(said) - len(answer.body) // 2 - 1])
            self._transport.close()
        else:
            self._transport.write(said)
