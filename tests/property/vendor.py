"""What Acme tells in one Operation, healthy or with a fault: once for the wire, once for the reference model."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import httpx2

from tests.acme import World, as_json
from tests.property.model import Listed, Row, Told

SEVERITIES = {"info": 0, "low": 1, "apocalyptic": 2, "medium": 3, "high": 4, "critical": 5}
FINDING_FAULTS = (
    "500",
    "cut",
    "short",
    "nothing",
    "nothing at all",
    "unwitnessed",
    "odd",
    "nameless",
    "hidden",
    "twice",
)
LIST_FAULTS = ("500", "cut", "short", "nothing", "odd", "nameless", "hidden", "twice")
FAULTY = "issues"
"""The one Family that faults befall."""

Answer = list[dict[str, Any]]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one list of one Operation: with the findings of a VEP, or (no `vep`) with all VEPs."""

    kind: str = ""
    vep: str | None = None
    login: bool = False


HEALTHY = Fault()


class Wire:
    """Answers as the fault says; counts the readings, because a list may drift between two."""

    def __init__(self, world: World, fault: Fault, *, discover: bool) -> None:
        self.world, self.fault, self.discover = world, fault, discover
        self.readings = 0

    def __call__(self, request: httpx2.Request) -> httpx2.Response | None:
        path, fault = request.url.path, self.fault
        if path == "/account":
            return httpx2.Response(500) if fault.login else None
        if path == "/products" and not self.discover:
            return self.witness()
        listed = None
        if path == "/products" and fault.vep is None:
            listed = list_of_veps(self.world)
        elif path == f"/products/{fault.vep}/findings/{FAULTY}" and fault.vep in self.world.products:
            listed = list_of_findings(self.world, fault.vep)
        if listed is None or not fault.kind or is_off(self.world, fault.vep):
            return None
        if fault.kind == "500":
            return httpx2.Response(500)
        if fault.kind == "cut" or (fault.kind == "short" and self.world.paged == "steady"):
            return httpx2.Response(200, content=b'{"items": [{"id"')
        number = int(request.url.params.get("page", 1))
        self.readings += number == 1
        return self.page(wrong(listed, fault.kind, self.world.paged, self.readings), number, request)

    def witness(self) -> httpx2.Response | None:
        if self.fault.kind == "unwitnessed":
            return httpx2.Response(500)
        return as_json({"items": [], "total": 0, "links": {}}) if self.fault.kind == "nothing at all" else None

    def page(self, listed: Answer, number: int, request: httpx2.Request) -> httpx2.Response:
        total = len(listed) + (self.fault.kind == "short")
        if self.world.paged == "whole":
            return as_json({"items": listed, "total": total})
        size = self.world.per_page
        more = number * size < len(listed)
        link = f"{request.url.path}?page={number + 1}" if more else None
        return as_json({"items": listed[(number - 1) * size : number * size], "total": total, "links": {"next": link}})


def wrong(listed: Answer, kind: str, paged: str, reading: int) -> Answer:
    """The rows as the fault lets them come. It befalls the first: the others show that they stay unharmed."""
    if kind.startswith("nothing") or kind == "unwitnessed":
        return []
    if not listed:
        return listed
    first, others = listed[0], listed[1:]
    match kind:
        case "short":
            return others
        case "odd":
            return [{name: value for name, value in first.items() if name not in ("severity", "name")}, *others]
        case "nameless":
            return [{name: value for name, value in first.items() if name != "id"}, *others]
        case "hidden" if paged == "drifting" and reading == 1:
            return others
        case "twice":
            return [first, *others, first]
        case _:
            return listed


def proves(kind: str, paged: str, listed: Answer) -> bool:
    """Whether an answer with this fault still proves that everything was shown."""
    if kind in ("500", "cut", "short"):
        return False
    return not listed or (kind != "nameless" and (kind != "twice" or paged == "whole"))


def told(world: World, vep: str, fault: Fault) -> dict[str, Told]:
    """What one Sync hears of one VEP, Family by Family."""
    if vep not in world.products:
        return {FAULTY: Told()}
    families: dict[str, Told] = {}
    witness = fault.kind not in ("nothing at all", "unwitnessed")
    for family, rows in world.products[vep].families.items():
        if is_off(world, vep, family) or family in world.products[vep].skipped:
            families[family] = Told(off=True)
        elif family == FAULTY and fault.vep == vep and fault.kind:
            families[family] = told_wrongly(world, vep, fault.kind)
        else:
            healthy = {key: as_row(row) for key, row in rows.items()}
            families[family] = Told(healthy, proof=world.paged, witness=witness)
    return families


def told_wrongly(world: World, vep: str, kind: str) -> Told:
    listed, paged = list_of_findings(world, vep), world.paged
    silent = kind in ("500", "cut") or (kind == "short" and paged == "steady")
    rows, odd = readable([] if silent else wrong(listed, kind, paged, 1), "severity", as_row)
    again, _ = readable(wrong(listed, kind, paged, 2), "severity", as_row)
    proof = paged if proves(kind, paged, listed) else ""
    return Told(rows, odd, proof, again=again, witness=kind not in ("nothing at all", "unwitnessed"))


def listed(world: World, fault: Fault) -> Listed:
    """What one Discover hears."""
    veps, paged, kind = list_of_veps(world), world.paged, fault.kind
    silent = kind in ("500", "cut") or (kind == "short" and paged == "steady")
    rows, odd = readable([] if silent else wrong(veps, kind, paged, 1), "name", as_vep)
    again, _ = readable(wrong(veps, kind, paged, 2), "name", as_vep)
    return Listed(rows, odd, paged if proves(kind, paged, veps) else "", again)


def readable(
    answer: Answer, needed: str, read: Callable[[dict[str, Any]], Any]
) -> tuple[dict[str, Any], frozenset[str]]:
    """Rows by id, and the ids of those that cannot be read."""
    named = [row for row in answer if "id" in row]
    return (
        {row["id"]: read(row) for row in named if needed in row},
        frozenset(row["id"] for row in named if needed not in row),
    )


def as_row(row: dict[str, Any]) -> Row:
    return Row(row["title"], SEVERITIES[row["severity"]], row["status"] == "fixed", row["status"] == "false positive")


def as_vep(row: dict[str, Any]) -> tuple[str, str]:
    return row["name"], row["parent"]


def is_off(world: World, vep: str | None, family: str = FAULTY) -> bool:
    return vep is not None and vep in world.products and family in world.products[vep].off


def list_of_findings(world: World, vep: str) -> Answer:
    return list(world.products[vep].families.get(FAULTY, {}).values())


def list_of_veps(world: World) -> Answer:
    return [{"id": key, "name": product.name, "parent": product.parent} for key, product in world.products.items()]
