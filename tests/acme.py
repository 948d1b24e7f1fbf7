"""Acme Scanner, a vendor of our own making for tests of ingest: a world in memory, answered through the real Session.

It stands for the shapes vendors have (one whole answer, cursor pages, page numbers); the real Tools have their own
tests against what their vendors document.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, Literal

import httpx2
from pydantic import Field, SecretStr

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
    Skip,
    Skipped,
    Talk,
    Tool,
    Vep,
    Verdict,
    Whole,
    dig,
)
from tidegate_sdk.session import Session

Paged = Literal["whole", "steady", "drifting"]
Rows = dict[str, dict[str, Any]]


def row(key: str, **changes: Any) -> dict[str, Any]:
    """A finding as Acme tells it."""
    return {"id": key, "title": f"Weakness {key}", "severity": "high", "status": "open"} | changes


def rows(*keys: str, **changes: Any) -> Rows:
    """Several of them, by key."""
    return {key: row(key, **changes) for key in keys}


def many(number: int, prefix: str = "f", **changes: Any) -> Rows:
    """`number` of them."""
    return rows(*(f"{prefix}{n}" for n in range(number)), **changes)


@dataclass
class Product:
    name: str
    families: dict[str, Rows] = field(default_factory=dict[str, Rows])
    parent: str = ""
    off: set[str] = field(default_factory=set[str])
    skipped: dict[str, str] = field(default_factory=dict[str, str])
    marks: dict[str, str] = field(default_factory=dict[str, str])


@dataclass
class World:
    """What Acme knows. `interfere` may answer a request itself (a fault) or change the world just before it."""

    products: dict[str, Product] = field(default_factory=dict[str, Product])
    account: str = "acme-1"
    paged: Paged = "whole"
    per_page: int = 10
    asked: list[str] = field(default_factory=list[str])
    interfere: Callable[[httpx2.Request], httpx2.Response | None] | None = None
    mapping_version: int = 1
    exported: set[str] = field(default_factory=set[str])
    """Families that one export gives for all products at once."""
    export_mark: str = ""

    def add(self, key: str, name: str | None = None, findings: Rows | None = None, **more: Any) -> Product:
        self.products[key] = Product(name or f"Product {key}", {"issues": findings or {}}, **more)
        return self.products[key]

    def issues(self, key: str) -> Rows:
        return self.products[key].families["issues"]

    async def handle(self, request: httpx2.Request) -> httpx2.Response:
        self.asked.append(request.url.path)
        if self.interfere is not None and (answer := self.interfere(request)) is not None:
            return answer
        if request.headers.get("authorization") != "Bearer acme-secret-token":
            return httpx2.Response(401)
        return self.answer(request)

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        parts = request.url.path.strip("/").split("/")
        query = dict(request.url.params)
        if parts == ["account"]:
            return as_json({"id": self.account, "name": "Acme user"})
        if parts == ["products"]:
            listed = [
                {"id": key, "name": product.name, "parent": product.parent} for key, product in self.products.items()
            ]
            return self.page(listed, query, request)
        if len(parts) == 2 and parts[0] == "exports":
            exported = [
                {"product": key} | row
                for key, product in self.products.items()
                for row in product.families.get(parts[1], {}).values()
            ]
            return self.page(exported, query, request)
        if len(parts) == 4 and parts[1] in self.products:
            product = self.products[parts[1]]
            if parts[3] in product.off:
                return httpx2.Response(403)
            return self.page(list(product.families.get(parts[3], {}).values()), query, request)
        return httpx2.Response(404)

    def page(self, listed: list[dict[str, Any]], query: dict[str, str], request: httpx2.Request) -> httpx2.Response:
        if self.paged == "whole":
            return as_json({"items": listed, "total": len(listed)})
        number = int(query.get("page", 1))
        part = listed[(number - 1) * self.per_page : number * self.per_page]
        more = number * self.per_page < len(listed)
        link = f"{request.url.path}?page={number + 1}" if more else None
        return as_json({"items": part, "total": len(listed), "links": {"next": link}})


def as_json(body: Any) -> httpx2.Response:
    return httpx2.Response(200, content=json.dumps(body).encode())


class Transport(httpx2.AsyncBaseTransport):
    def __init__(self, world: World) -> None:
        self.world = world

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        return await self.world.handle(request)


async def no_sleep(seconds: float) -> None:
    """Vendors' waits take no time in tests."""


class AcmeSettings(Settings):
    url: str = Field("https://acme.test/", title="Location URL")
    token: SecretStr = Field(SecretStr("acme-secret-token"), title="Token")


class Acme(Tool[AcmeSettings]):
    slug, name, a_record_is = "acme", "Acme Scanner", "an application"
    world: ClassVar[World]

    @property
    def mapping_version(self) -> int:  # type: ignore[override]
        return self.world.mapping_version

    def open(self, **how: Any) -> Session:
        return super().open(**{"transport": Transport(self.world), "sleep": no_sleep} | how)

    def door(self) -> Http:
        return Http(self.settings.url, Header("Authorization", self.settings.token, "Bearer {}"), per_second=0)

    def account(self) -> Talk[Account]:
        page = yield Ask("account")
        return Account(id=dig(page.body, "id"), name=dig(page.body, "name"))

    def paging(self) -> Whole | NextLink | PageNumber:
        match self.world.paged:
            case "whole":
                return Whole("total")
            case "steady":
                return NextLink(kind="steady")  # its links are numbered, and stand for cursors here
            case "drifting":
                return PageNumber("total")

    def veps(self) -> List[Vep]:
        return List(Ask("products"), "items", self.paging(), self.product, "id")

    def product(self, row: Row) -> Vep:
        return Vep(id=row["id"], name=row["name"], parent=row["parent"], attributes={"parent": row["parent"]})

    def families(self, vep: Vep) -> Families:
        product = self.world.products.get(vep.id)
        for name in product.families if product else ["issues"]:
            if name in self.world.exported:
                continue
            if product and name in product.skipped:
                yield Skipped(name, product.skipped[name])
                continue
            listing = List(Ask(f"products/{vep.id}/findings/{name}"), "items", self.paging(), self.finding, "id")
            yield Family(name, listing, off=frozenset({403}), mark=product.marks.get(name, "") if product else "")

    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        for name in sorted(self.world.exported):
            listing = List(Ask(f"exports/{name}"), "items", self.paging(), self.finding, "id")
            yield SharedFamily(name, listing, of="product", off=frozenset({403}), mark=self.world.export_mark)

    def finding(self, row: Row) -> Finding | Skip:
        if row.get("licence"):
            return Skip("a licence note")
        return Finding(
            key=row["id"],
            title=row["title"],
            severity=self.severity(row["severity"]),
            vendor_severity=row["severity"],
            description=row.get("description", ""),
            fixed=row["status"] == "fixed",
            verdict=Verdict.FALSE_POSITIVE if row["status"] == "false positive" else None,
            vendor_status=row["status"],
        )
