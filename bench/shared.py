"""`./dev bench shared`: one walk for all Records, of a vendor that exports everything at once."""

from __future__ import annotations

import json
import os
import tempfile
from collections.abc import Callable

from bench.child import Child
from bench.figure import Figure
from bench.house import House
from bench.loopback import Answer, as_json
from bench.pages import row

PER_PAGE = 1_000
OF_EACH = 20
"""Findings of a product: 200,000 are of 10,000 products."""


class Everything:
    """A vendor with so many products, whose findings come in one export, page by page and in no order of products."""

    def __init__(self, findings: int, products: int) -> None:
        self._products = products
        self._file = tempfile.TemporaryFile(buffering=0)  # noqa: SIM115 - open for as long as this answers
        self._places: list[tuple[int, int]] = []
        at, last = 0, max(0, (findings - 1) // PER_PAGE)
        for number in range(last + 1):
            rows = range(number * PER_PAGE, min((number + 1) * PER_PAGE, findings))
            items = [row(n) | {"app": f"app{n * 7919 % (findings // OF_EACH or 1):05}"} for n in rows]
            following = f"export?page={number + 1}" if number < last else None
            length = self._file.write(json.dumps({"items": items, "links": {"next": following}}).encode())
            self._places.append((at, length))
            at += length
        self.exports = 0

    def __call__(self, _host: str, path: str, query: dict[str, str]) -> Answer:
        asked = path.strip("/")
        number = int(query.get("page", 0))
        if asked == "account":
            return as_json({"id": "the account", "name": "shared"})
        if asked == "exports":
            return as_json(self.exports)
        if asked == "applications":
            first, last = number * PER_PAGE, min((number + 1) * PER_PAGE, self._products)
            items = [{"id": f"app{n:05}", "name": f"Application {n}"} for n in range(first, last)]
            following = f"applications?page={number + 1}" if last < self._products else None
            return as_json({"items": items, "links": {"next": following}})
        self.exports += number == 0
        at, length = self._places[number]
        return Answer(os.pread(self._file.fileno(), length, at))


def measure(house: House, findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """The products that are mapped are found first, by auto-map; then the others, which nobody decides about."""
    spools, products = str(house.spools), findings // OF_EACH
    mapped = products * 3 // 10
    figures: list[Figure] = []
    with (
        Child("bench.loopback:Vendor", "bench.shared:Everything", 0, mapped, TMPDIR=spools) as vendor,
        Child("bench.worker:Worker", url=house.database.url, TMPDIR=spools) as worker,
    ):
        url: str = vendor.ask("url")
        worker.ask("begin", url, True, "loopback_export")
        say(f"{mapped:,} products are mapped")
        worker.ask("discover")
        worker.ask("map_no_more")
        vendor.ask("become", "bench.shared:Everything", findings, products)
        say(f"{products:,} products are known")
        worker.ask("discover")
        peak = 0.0
        for work in ("first", *["unchanged"] * max(1, rounds)):
            say(f"One export of {findings:,} findings: {work}")
            before = vendor.ask("state", "exports")
            seconds, megabytes = worker.ask("sync")
            peak = max(peak, megabytes)
            figures += [
                Figure(f"{work}: one export for {mapped:,} Records", seconds, "s", findings=findings, seconds=seconds),
                Figure.judged("shared asked", vendor.ask("state", "exports") - before, findings, of=work),
            ]
        (stored,) = worker.ask("execute", "SELECT count(*) FROM finding WHERE open")
    return [
        *figures,
        Figure.judged("shared findings", 100 * stored[0] / (mapped * OF_EACH), findings),
        Figure.judged("memory", peak, findings, of="one walk for all"),
    ]
