"""What Acme tells in one Operation, healthy or with a fault: once for the wire, once for the reference model."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any

import httpx2
from pydantic import Field

from tests.acme import Acme, AcmeSettings, Product, Rows, World, as_json
from tests.property.model import BranchList, Heard, Listed, Row, Told
from tidegate_sdk import Ask, Branch, Families, Family, List, Skipped, Tool, Vep, branches_of, chosen

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
    "homeless",
    "hidden",
    "leaving",
    "twice",
    "instead",
)
BRANCH_FAULTS = ("500", "nothing", "odd", "nameless", "hidden", "leaving", "twice")
LIST_FAULTS = ("500", "cut", "short", "nothing", "odd", "nameless", "hidden", "twice")
FAULTY = "issues"
"""The one Family that faults befall."""

Answer = list[dict[str, Any]]


@dataclass(frozen=True)
class Fault:
    """What goes wrong with one list of one Operation: with the findings of a VEP, or (no `vep`) with all VEPs.

    Where one export serves all, the export fails, or the rows of this VEP in it do.
    """

    kind: str = ""
    vep: str | None = None
    login: bool = False
    of_branches: bool = False
    """Whether it befalls the list of this VEP's branches."""


HEALTHY = Fault()


@dataclass
class BranchedWorld(World):
    """Where `branched`, Acme has branches: a Family `issues@dev` is what is found on the branch *dev*."""

    branched: bool = False
    patterns: tuple[str, ...] = ("*",)
    """As the Connection's settings have them."""

    def answer(self, request: httpx2.Request) -> httpx2.Response:
        parts = request.url.path.strip("/").split("/")
        if len(parts) == 3 and parts[2] == "branches" and parts[1] in self.products:
            return self.page(list_of_branches(self, parts[1]), dict(request.url.params), request)
        return super().answer(request)


class BranchedSettings(AcmeSettings):
    branches: tuple[str, ...] = Field(("*",), title="Branches")


class Branched(Acme):
    """Acme, asked for its branches first."""

    __orig_bases__ = (Tool[BranchedSettings],)
    has_branches = True
    world: BranchedWorld  # pyright: ignore[reportIncompatibleVariableOverride]
    settings: BranchedSettings

    def families(self, vep: Vep) -> Families:
        product = self.world.products.get(vep.id)
        if not self.world.branched or product is None:
            yield from super().families(vep)
            return
        asked = List(Ask(f"products/{vep.id}/branches"), "items", self.paging(), self.branch, "name")
        wanted = chosen((yield from branches_of(asked)), self.settings.branches)
        if not wanted and FAULTY not in self.world.exported:
            yield Skipped(FAULTY, "No branch matches.")
        for branch in wanted:
            for name, family, _ in on_branch(product, branch.id):
                if name in self.world.exported:
                    continue
                if name in product.skipped:
                    yield Skipped(family, product.skipped[name], branch.id)
                    continue
                listing = List(Ask(f"products/{vep.id}/findings/{name}"), "items", self.paging(), self.finding, "id")
                yield Family(family, listing, branch.id, off=frozenset({403}))

    def branch(self, row: dict[str, Any]) -> Branch:
        return Branch(row["name"], row["main"])


def on_branch(product: Product, branch: str) -> Iterator[tuple[str, str, Rows]]:
    """What a product has on a branch ("" is the main one): the name with its branch, the Family, its rows."""
    for name, there in product.families.items():
        family, _, on = name.partition("@")
        if on == branch:
            yield name, family, there


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
        elif fault.of_branches:
            asked = path == f"/products/{fault.vep}/branches" and fault.vep in self.world.products
            listed = list_of_branches(self.world, fault.vep or "") if asked else None
        elif path == f"/exports/{FAULTY}" and fault.vep in self.world.products:
            listed = list_of_exported(self.world)
        elif path == f"/products/{fault.vep}/findings/{FAULTY}" and fault.vep in self.world.products:
            listed = list_of_findings(self.world, fault.vep)
        if listed is None or not fault.kind or fault.login:
            return None
        if is_off(self.world, fault.vep) and not fault.of_branches:
            return None
        if fault.kind == "500":
            return httpx2.Response(500)
        if fault.kind == "cut" or (fault.kind == "short" and self.world.paged == "steady"):
            return httpx2.Response(200, content=b'{"items": [{"id"')
        number = int(request.url.params.get("page", 1))
        self.readings += number == 1
        return self.page(wrong(listed, fault, self.world.paged, self.readings), number, request)

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


def wrong(listed: Answer, fault: Fault, paged: str, reading: int) -> Answer:
    """The rows that come. It befalls the first (of the VEP); the others show that they stay unharmed."""
    if fault.kind.startswith("nothing") or fault.kind == "unwitnessed":
        return []
    at = befallen(listed, fault)
    if at is None:
        return listed
    row, others = listed[at], [*listed[:at], *listed[at + 1 :]]
    match fault.kind:
        case "short":
            return others
        case "odd":
            return [without(row, "severity", "name" if "id" in row else "main"), *others]
        case "nameless":
            return [without(row, "id" if "id" in row else "name"), *others]
        case "homeless":
            return [without(row, "product"), *others]
        case "hidden" if paged == "drifting" and reading == 1:
            return others
        case "leaving" if paged == "drifting" and reading == 2:
            return others
        case "twice":
            return [row, *others, row]
        case "instead":
            return [*others[:-1], row, row]
        case _:
            return listed


def befallen(listed: Answer, fault: Fault) -> int | None:
    """Where the row is that a fault befalls."""
    there = [number for number, row in enumerate(listed) if row.get("product") in (None, fault.vep)]
    return there[0] if there else None


def without(row: dict[str, Any], *names: str) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name not in names}


def proves(listed: Answer, fault: Fault, paged: str, vep: str | None = None) -> bool:
    """Whether an answer with this fault still proves that everything of this VEP was shown.

    What stands where another row should have been may hide a row of any VEP, where the answer comes in pages.
    """
    if fault.kind in ("500", "cut", "short"):
        return False
    if befallen(listed, fault) is None:
        return True
    if fault.kind == "homeless":
        return "product" not in listed[0]
    if fault.kind == "nameless":
        return vep != fault.vep
    return paged == "whole" or fault.kind not in ("twice", "instead")


def told(world: BranchedWorld, vep: str, fault: Fault) -> Heard:
    """What one Sync hears of one VEP, Family by Family."""
    families: dict[str, Told] = {}
    of_findings = HEALTHY if fault.of_branches else fault
    if FAULTY in world.exported:
        families[FAULTY] = told_by_export(world, vep, of_findings)
    if vep not in world.products:
        return Heard(families or {FAULTY: Told()})
    product, branches = world.products[vep], told_of_branches(world, vep, fault)
    if branches is not None and branches.failed:
        return Heard(families, failed=not families)
    for branch in [""] if branches is None else branches.chosen:
        for name, _, rows in on_branch(product, branch):
            if name in world.exported:
                continue
            if is_off(world, vep, name) or name in product.skipped:
                families[name] = Told(off=True)
            elif name == FAULTY and of_findings.vep == vep and of_findings.kind:
                families[name] = told_wrongly(world, vep, of_findings)
            else:
                healthy = {key: as_row(row) for key, row in rows.items()}
                families[name] = Told(healthy, proof=world.paged, witness=witnesses(of_findings))
    return Heard(families, branches)


def told_of_branches(world: BranchedWorld, vep: str, fault: Fault) -> BranchList | None:
    """The list of branches of one VEP; None where it is not asked for."""
    if not world.branched:
        return None
    rows = list_of_branches(world, vep)
    fault = fault if fault.of_branches and fault.vep == vep else HEALTHY
    if fault.kind == "500":
        return BranchList(failed=True)
    first, second = (wrong(rows, fault, world.paged, turn) if fault.kind else rows for turn in (1, 2))
    named = [row for row in first if {"name", "main"} <= row.keys()]
    patterns = [Branch(row["name"], row["main"]) for row in named]
    proves = fault.kind not in ("nothing", "nameless") and (world.paged == "whole" or fault.kind != "twice")
    return BranchList(
        chosen=list(dict.fromkeys(branch.id for branch in chosen(patterns, world.patterns))),
        names=frozenset(row["name"] for row in first if "name" in row),
        again=frozenset(row["name"] for row in second if "name" in row) if world.paged == "drifting" else frozenset(),
        complete=proves,
    )


def told_wrongly(world: World, vep: str, fault: Fault) -> Told:
    listed, paged = list_of_findings(world, vep), world.paged
    proof = paged if proves(listed, fault, paged, vep) else ""
    first, second = (read_findings(came(listed, fault, paged, turn), proof) for turn in (1, 2))
    return replace(first, again=second, witness=witnesses(fault))


def told_by_export(world: World, vep: str, fault: Fault) -> Told:
    """The share of one VEP in what one export says of all."""
    named, fault = witnesses(fault) and vep in world.products, fault if fault.vep in world.products else HEALTHY
    listed, paged = list_of_exported(world), world.paged
    proof = paged if proves(listed, fault, paged, vep) else ""
    readings: list[Told] = []
    for turn in (1, 2):
        rows = came(listed, fault, paged, turn)
        own = [row for row in rows if row.get("product") == vep]
        readings.append(replace(read_findings(own, proof), elsewhere=len(rows) - len(own), shared=True))
    return replace(readings[0], again=readings[1], witness=named)


def came(listed: Answer, fault: Fault, paged: str, turn: int) -> Answer:
    """What comes of a list in one reading, and can be read."""
    silent = fault.kind in ("500", "cut") or (fault.kind == "short" and paged == "steady")
    return [] if silent else wrong(listed, fault, paged, turn)


def read_findings(answer: Answer, proof: Any) -> Told:
    rows, odd = readable(answer, "severity", as_row)
    named = [row for row in answer if "id" in row]
    repeated, nameless = len(named) - len(rows) - len(odd), len(answer) - len(named)
    return Told(rows, odd, proof, repeated=repeated, nameless=nameless)


def witnesses(fault: Fault) -> bool:
    return fault.kind not in ("nothing at all", "unwitnessed")


def listed(world: World, fault: Fault) -> Listed:
    """What one Discover hears."""
    veps, paged = list_of_veps(world), world.paged
    rows, odd = readable(came(veps, fault, paged, 1), "name", as_vep)
    again, _ = readable(came(veps, fault, paged, 2), "name", as_vep)
    return Listed(rows, odd, paged if proves(veps, fault, paged) else "", again)


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
    """Of an export nobody has only a part switched off."""
    return vep in world.products and family in world.products[vep].off and family not in world.exported


def list_of_findings(world: World, vep: str) -> Answer:
    return list(world.products[vep].families.get(FAULTY, {}).values())


def list_of_branches(world: World, vep: str) -> Answer:
    """The main one last: what befalls a list befalls the first of it."""
    others = dict.fromkeys(name.partition("@")[2] for name in world.products[vep].families if "@" in name)
    return [{"name": name, "main": False} for name in others] + [{"name": "main", "main": True}]


def list_of_exported(world: World) -> Answer:
    """Of all VEPs, also of those that no Record asks for."""
    veps = world.products.items()
    return [{"product": key} | row for key, product in veps for row in product.families.get(FAULTY, {}).values()]


def list_of_veps(world: World) -> Answer:
    return [{"id": key, "name": product.name, "parent": product.parent} for key, product in world.products.items()]
