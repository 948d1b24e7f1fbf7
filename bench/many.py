"""Vendors with many findings, for every Tool of the catalog: what its World answers, with each row many times.

A World is a few findings, each as the vendor documents it. Of every row that is one, copies are made that differ in the
place by which the Tool tells them apart; which place that is, the Tool's own reading function says. The pages hold all
copies: they are fewer than the vendor's own and larger, but for searches with a window: see searched.py. Where files
are read instead, one SARIF report holds as many.
"""

from __future__ import annotations

import asyncio
import json
import re
import struct
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from bench.pages import row as finding
from bench.searched import Searches, is_search
from tidegate.catalog import known_tool
from tidegate_sdk import Bucket, Folder, Skip
from tidegate_sdk.conformance import Answer, Exchange, World
from tidegate_sdk.conformance.body import Way, at, places, put
from tidegate_sdk.conformance.player import Player
from tidegate_sdk.conformance.world import UNANSWERED, VEPS, Request, Vendor

LARGEST = 12 * 10**6
"""Bytes of a page; the Session takes 16 MB."""
MARK = re.compile("-zq[0-9]{6}")
"""What a copy's name ends with: a question about a copy is answered as one about the row it is a copy of."""
STEP = 1_000_003
"""By how much the numbers differ that name copies."""
REPORT = "nightly/shop/report.sarif"


def world_of(slug: str) -> World:
    """The first World of a Tool."""
    package = known_tool(slug).__module__.rpartition(".")[0]
    worlds = import_module(f"{package}.fixtures.world")
    there: tuple[World, ...] = worlds.WORLDS if hasattr(worlds, "WORLDS") else (worlds.WORLD,)
    return next(world for world in there if world.tool.slug == slug)


class Many:
    """Lives in a process of its own: the vendor of one Tool, with about so many findings."""

    def __init__(self, slug: str, findings: int, folder: str) -> None:
        self.world = world_of(slug)
        self._vendor = self._log = None
        self._lock = threading.Lock()
        self.settings: dict[str, Any] = dict(self.world.settings)
        self.findings = findings
        self._copies: Copies | None = None
        door = self.world.make_tool(Path(folder)).door()
        if isinstance(door, Folder):
            (Path(folder) / "shop").mkdir()
            (Path(folder) / "shop" / "report.sarif").write_bytes(sarif(findings))
            self.settings |= {"path": folder}
        elif isinstance(door, Bucket):
            self._report = sarif(findings)
        else:
            self._report = b""
            self._copies = Copies(self.world, findings)
            self.findings = self._copies.findings
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), type("Desk", (_Desk,), {"vendor": self}))
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        self.anew("")

    def entered(self) -> dict[str, Any]:
        """The Tool's settings, its secrets among them."""
        return self.settings

    def count(self) -> int:
        """How many findings there are, those of VEPs that nobody lists left out."""
        return self.findings

    def port(self) -> int:
        return self._server.server_address[1]

    def anew(self, log: str) -> None:
        """The vendor as it was at first; what it says from now on is kept in that file, if one is named."""
        with self._lock:
            self._vendor = self._copies.vendor() if self._copies else None
            if self._log:
                self._log.close()
            self._log = Path(log).open("wb") if log else None  # noqa: SIM115 - open until the next one

    def answer(self, request: Request) -> Answer:
        with self._lock:
            answer = self._said(request)
            if self._log and answer.status < 300:
                said = answer.wire
                self._log.write(struct.pack(">Q", len(said)) + said)
            return answer

    def _said(self, request: Request) -> Answer:
        if self._report and request.path.endswith(f"/{REPORT}"):
            return Answer(content=self._report)
        if self._report:
            return Answer(content=listing(request.query["prefix"], len(self._report)))
        assert self._vendor
        return self._vendor.answer(request)


def bodies(log: Path) -> Iterator[bytes]:
    """What a vendor said, one answer after the other."""
    with log.open("rb") as file:
        while head := file.read(8):
            yield file.read(struct.unpack(">Q", head)[0])


# Rows, each many times


class Copies:
    """What is said instead of each answer that holds findings, how many these are then, and how often each is there."""

    def __init__(self, world: World, findings: int) -> None:
        with tempfile.TemporaryDirectory() as folder:
            golden, clean = asyncio.run(Player(world, Path(folder) / "world").clean())
        known = golden.veps.values if golden.veps else {}
        there = sum(len(part.values) for key, part in golden.families.items() if key[0] in known)
        lists = [exchange for exchange in clean.exchanges if exchange.list is not None and exchange.key != VEPS]
        longest = max(len(exchange.answer.wire) for exchange in lists)
        filled = {exchange.key for exchange in lists if any(exchange.reads(row) for row in exchange.rows)}
        self.world, self.times = world, max(1, min(-(-findings // there), LARGEST // longest))
        self.findings = there * self.times
        pages = [exchange for exchange in lists if exchange.key in filled and is_page(exchange)]
        self.searches = Searches(pages, self._rows) if world.tool.slug == "sonarqube" else None
        alike = [page for page in pages if not (self.searches and is_search(page.request.path))]
        self.said = {page.answer.wire: self._said(page) for page in alike}

    def vendor(self) -> Vendor:
        """A fresh one, for one run."""
        assert self.world.vendor
        copied = Copied(self, self.world.vendor())
        return self.searches.over(copied) if self.searches else copied

    def _rows(self, page: Exchange) -> Iterator[tuple[int, Any]]:
        """All rows that are there instead of those of the page, each with its number among the copies of one."""
        return (told for row in page.rows for told in enumerate(copied(self.world, page, row, self.times)))

    def _said(self, page: Exchange) -> Answer:
        answer = page.with_rows(row for _, row in self._rows(page))
        if (path := page.total) is not None:
            answer = replace(answer, json=put(answer.json, path, page.value(path) * self.times))
        headers = {
            name: str(int(value) * self.times) if "total" in name.lower() and value.isdecimal() else value
            for name, value in answer.headers.items()
        }
        return Answer(
            content=answer.wire, status=answer.status, headers={"content-type": "application/json", **headers}
        )


class Copied:
    """A World's vendor who has each row many times."""

    def __init__(self, copies: Copies, vendor: Vendor) -> None:
        self._copies, self._vendor = copies, vendor

    def answer(self, request: Request) -> Answer:
        url, content = MARK.sub("", request.url), MARK.sub("", request.content.decode()).encode()
        parts = urlsplit(url)
        plain = replace(request, url=url, path=unquote(parts.path), query=dict(parse_qsl(parts.query)), content=content)
        answer = self._vendor.answer(plain)
        if answer is UNANSWERED:  # a position counts the copies before it too
            answer = self._vendor.answer(without_copies(plain, self._copies.times))
        return self._copies.said.get(answer.wire, answer)


def is_page(exchange: Exchange) -> bool:
    """Whether the answer has a place for rows of its list: what a walk asks besides has none."""
    return exchange.list is not None and isinstance(exchange.value(exchange.list.items), list)


def without_copies(request: Request, times: int) -> Request:
    """The question with positions of the World in it, where it holds some of ours."""
    body: Any = request.json
    for way, value in list(places(body)):
        if isinstance(value, int) and value and value % times == 0:
            body = put(body, way, value // times)
    query = {
        name: str(int(value) // times) if value.isdecimal() and int(value) % times == 0 else value
        for name, value in request.query.items()
    }
    return replace(request, query=query, content=b"" if body is None else json.dumps(body).encode())


def copied(world: World, exchange: Exchange, row: Any, times: int) -> Iterator[Any]:
    """The row, and copies that the Tool tells apart; of a row that is no finding the row again."""
    yield row
    way = told_apart_by(exchange, row)
    if way is None and exchange.reads(row) is not None:
        raise RuntimeError(f"{world}: nothing was found by which copies of a row could be told apart: {row}")
    text = json.dumps(row)
    for number in range(1, times):
        again = json.loads(text)
        if way is not None:
            at(again, way[:-1])[way[-1]] = named(at(row, way), number)
        yield again


def told_apart_by(exchange: Exchange, row: Any) -> Way | None:
    """The place in a row that makes it another finding of the same VEP: best what names it, else whatever does."""
    own = exchange.reads(row)
    if own is None or not hasattr(own, "key"):
        return exchange.way_of_id(row)
    ways = [way for way in (exchange.way_of_id(row),) if way is not None]
    ways += sorted((way for way, _ in places(row)), key=lambda way: str(at(row, way)) not in own.key)
    return next((way for way in ways if _makes_others(exchange, row, own.key, way)), None)


def _makes_others(exchange: Exchange, row: Any, own: str, way: Way) -> bool:
    keys = {own}
    for number in (1, 2, 999_999):
        other = put(row, way, named(at(row, way), number))
        read, home = exchange.reads(other), exchange.key_of(other)
        if read is None or isinstance(read, Skip) or home != exchange.key_of(row):
            return False
        keys.add(read.key)
    return len(keys) == 4


def named(before: Any, number: int) -> Any:
    """Another name of the same kind."""
    if isinstance(before, bool) or not isinstance(before, str | int):
        return before
    return before + STEP * number if isinstance(before, int) else f"{before}-zq{number:06}"


# Reports


def sarif(findings: int) -> bytes:
    """A report of so many results, of about the size of the findings in pages.py."""
    results: list[dict[str, Any]] = []
    for number in range(findings):
        told = finding(number)
        place = {"artifactLocation": {"uri": told["file"]}, "region": {"startLine": told["line"]}}
        results.append(
            {
                "ruleId": told["rule"],
                "level": ("note", "warning", "error")[number % 3],
                "message": {"text": f"{told['title']}\n{told['description']}"},
                "locations": [{"physicalLocation": place}],
                "partialFingerprints": {"primaryLocationLineHash": f"{number:016x}:1"},
            }
        )
    driver = {"name": "Bench", "rules": [{"id": f"python:S{number}"} for number in range(300)]}
    return json.dumps({"version": "2.1.0", "runs": [{"tool": {"driver": driver}, "results": results}]}).encode()


def listing(prefix: str, size: int) -> bytes:
    """ListObjectsV2 of a bucket with one object."""
    rest = REPORT.removeprefix(prefix)
    below = f"<CommonPrefixes><Prefix>{prefix}{rest.partition('/')[0]}/</Prefix></CommonPrefixes>"
    facts = f"<LastModified>2026-05-02T05:26:40.000Z</LastModified><ETag>1</ETag><Size>{size}</Size>"
    entry = f"<Contents><Key>{REPORT}</Key>{facts}<StorageClass>STANDARD</StorageClass></Contents>"
    head = f"<Name>acme</Name><Prefix>{prefix}</Prefix><IsTruncated>false</IsTruncated>"
    told = below if "/" in rest else entry
    return f'<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">{head}{told}</ListBucketResult>'.encode()


class _Desk(BaseHTTPRequestHandler):
    """Takes questions to any host: whose they are stands in their Host."""

    vendor: Many
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    wbufsize = -1

    def do_GET(self) -> None:
        host = self.headers.get("host", "")
        parts = urlsplit(self.path)
        content = self.rfile.read(int(self.headers.get("content-length") or 0))
        url, query = f"https://{host}{self.path}", dict(parse_qsl(parts.query))
        headers = {name.lower(): value for name, value in self.headers.items()}
        asked = Request(self.command, url, host.partition(":")[0], unquote(parts.path), query, headers, content)
        answer = self.vendor.answer(asked)
        said = answer.wire
        self.send_response(answer.status)
        told = {"content-type": "application/json", **{name.lower(): v for name, v in answer.headers.items()}}
        for name, value in {**told, "content-length": str(len(said))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(said)

    do_POST = do_GET  # noqa: N815 - http.server's name

    def log_message(self, format: str, *args: object) -> None:
        """Nothing."""
