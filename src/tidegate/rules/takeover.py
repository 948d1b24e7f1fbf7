"""What is taken over from a DefectDojo that loses its API importers: which Connections and mappings follow from what it
was told, and what cannot be taken over and why. Its people's decisions are in adoption.py.

Facts of the importers: dojo/tools/api_*/ and dojo/tool_config/ of DefectDojo 3.2.0.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from tidegate.rules.names import LONGEST, beginning, made_clean

# What DefectDojo says


@dataclass(frozen=True)
class ToolConfiguration:
    """One server that an importer asks; its credential is never shown."""

    id: int
    name: str
    url: str
    tool_type: str
    authentication: str
    """"API", "Password", "SSH" or nothing."""
    extras: str


@dataclass(frozen=True)
class TheirProduct:
    """A Product there, and the name of its type."""

    id: int
    name: str
    product_type: str


@dataclass(frozen=True)
class ScanConfiguration:
    """What of a server belongs to a Product; each importer reads the keys in its own way."""

    id: int
    product: int
    tool_configuration: int
    key_1: str
    key_2: str


@dataclass(frozen=True)
class OldTest:
    """A Test that an importer fills."""

    id: int
    product: int
    scan_type: str
    scan_configuration: int | None
    branch: str


@dataclass(frozen=True)
class Theirs:
    """All that a DefectDojo says of its importers."""

    configurations: Sequence[ToolConfiguration]
    scans: Sequence[ScanConfiguration]
    products: Mapping[int, TheirProduct]
    tests: Sequence[OldTest]


# What is proposed


@dataclass(frozen=True)
class ProposedConnection:
    """A Connection for one server, or for one organization of it."""

    tool: str
    label: str
    settings: Mapping[str, Any]
    secret: str
    """The name of the setting that DefectDojo rightly does not show."""
    configurations: tuple[int, ...]
    """The numbers of the tool configurations it stands for."""


@dataclass(frozen=True)
class ProposedRecord:
    """A mapping: what the tool watches under `vendor_id`, or under `name` where no id was told, flows into a Product.

    `connection` is its place in the plan.
    """

    connection: int
    vendor_id: str
    name: str
    product: TheirProduct
    scan: int

    @property
    def told(self) -> str:
        return self.vendor_id or self.name


@dataclass(frozen=True)
class Left:
    """Something that is not taken over, and why."""

    what: str
    why: str


@dataclass(frozen=True)
class Plan:
    """What would be taken over. `notes` are sentences about what becomes otherwise than it was."""

    connections: tuple[ProposedConnection, ...]
    records: tuple[ProposedRecord, ...]
    left: tuple[Left, ...]
    notes: tuple[str, ...]
    tests: tuple[OldTest, ...]
    """Those whose findings belong to the plan."""


@dataclass(frozen=True)
class Importer:
    """One of DefectDojo's importers: the Tool that reads the same here, and what the keys of a Product mean to it."""

    name: str
    tool: str
    scan_type: str
    watches: str
    """What a Product is linked to, with {1} and {2} for the keys."""


IMPORTERS: Final[Mapping[str, Importer]] = {
    "SonarQube": Importer("SonarQube", "sonarqube", "SonarQube API Import", "project «{1}»"),
    "Bugcrowd API": Importer("Bugcrowd", "bugcrowd", "Bugcrowd API Import", "program «{1}», target «{2}»"),
    "Cobalt.io": Importer("Cobalt.io", "cobalt", "Cobalt.io API Import", "asset «{1}»"),
    "Edgescan": Importer("Edgescan", "edgescan", "Edgescan Scan", "assets «{1}»"),
    "BlackDuck API": Importer("Black Duck", "blackduck", "BlackDuck API", "project «{1}», version «{2}»"),
    "Vulners": Importer("Vulners", "vulners", "Vulners", "everything of the account"),
}
"""By the name of their tool type, which DefectDojo looks them up by."""

UNDERSTOOD: Final = frozenset({"sonarqube"})
"""The Tools for which it is known here what an importer's configuration becomes."""

READ_TYPE: Final = "VULNERABILITY"
"""Of the types of issues the one that is read here."""


@dataclass(frozen=True)
class Address:
    """A location as the Tool itself reads it, and whether it is the vendor's cloud, asked by organization."""

    url: str
    is_cloud: bool


AddressOf = Callable[[str], Address]
"""Raises ValueError with a sentence for a location that is none."""


@dataclass
class _Draft:
    """A plan while it is made."""

    connections: dict[tuple[str, str, str], ProposedConnection] = field(
        default_factory=dict[tuple[str, str, str], ProposedConnection]
    )
    records: dict[tuple[int, str, str], ProposedRecord] = field(
        default_factory=dict[tuple[int, str, str], ProposedRecord]
    )
    left: list[Left] = field(default_factory=list[Left])
    notes: dict[str, None] = field(default_factory=dict[str, None])


def proposed(theirs: Theirs, tools: Collection[str], address_of: AddressOf) -> Plan:
    """The plan; `tools` are the slugs of the Tools there are here, `address_of` is SonarQube's. The same facts give the
    same plan."""
    draft = _Draft()
    by_id = {one.id: one for one in theirs.configurations}
    addresses = {
        one.id: address
        for one in theirs.configurations
        if isinstance(address := _usable_address(one, tools, address_of, draft), Address)
    }
    used = {one.tool_configuration for one in theirs.scans}
    for one in theirs.configurations:
        if one.id in addresses.keys() - used:
            draft.left.append(
                Left(f"tool configuration «{shown(one.name)}»", "No Product uses it, so nothing flowed through it.")
            )
    for scan in sorted(theirs.scans, key=lambda one: (one.product, one.id)):
        product, configuration = theirs.products.get(scan.product), by_id.get(scan.tool_configuration)
        if product is None or configuration is None:
            draft.left.append(
                Left(f"API scan configuration {scan.id}", "Its Product or its tool configuration was not shown to us.")
            )
        elif configuration.id in addresses:
            _propose_sonarqube(configuration, addresses[configuration.id], scan, product, draft)
        elif configuration.tool_type in IMPORTERS:
            watched = IMPORTERS[configuration.tool_type].watches.format("", shown(scan.key_1), shown(scan.key_2))
            draft.left.append(
                Left(
                    f"{watched} of «{shown(product.name)}»",
                    f"It hangs on the tool configuration «{shown(configuration.name)}», which is not taken over.",
                )
            )
    tests = tuple(_tests_of(theirs, draft))
    return Plan(
        _with_labels_of_their_own([*draft.connections.values()]),
        tuple(draft.records.values()),
        tuple(draft.left),
        tuple(draft.notes),
        tests,
    )


def _usable_address(
    one: ToolConfiguration, tools: Collection[str], address_of: AddressOf, draft: _Draft
) -> Address | None:
    importer, what = IMPORTERS.get(one.tool_type), f"tool configuration «{shown(one.name)}»"
    if importer is None:
        why = f"DefectDojo imports nothing by a configuration of the type «{shown(one.tool_type)}»."
    elif importer.tool not in tools:
        why = f"Tidegate has no Tool for {importer.name} yet; import its reports, or wait for the Tool."
    elif importer.tool not in UNDERSTOOD:
        why = f"Tidegate connects {importer.name}, but not from what DefectDojo was told: add the Connection by hand."
    elif not one.url.strip():
        why = "It has no URL."
    else:
        try:
            return address_of(one.url)
        except ValueError as error:
            why = f"Its URL cannot be used. {error}"
    draft.left.append(Left(what, why))
    return None


def _propose_sonarqube(
    one: ToolConfiguration, address: Address, scan: ScanConfiguration, product: TheirProduct, draft: _Draft
) -> None:
    """Its URL ended in /api; an organization stood in the extras, or at the Product; so did the types of issues."""
    url, (organization, types) = address.url, _extras(one.extras)
    organization, name = scan.key_2.strip() or organization, shown(one.name)
    watched = f"project «{shown(scan.key_1 or product.name)}» of «{shown(product.name)}»"
    if address.is_cloud and not organization:
        why = "SonarQube Cloud is read by organization, and none was told: neither as service key 2 nor in the extras."
        draft.left.append(Left(watched, why))
        return
    if organization and not address.is_cloud:
        draft.notes[f"The organization «{shown(organization)}» of «{name}» is left out: a server has none."] = None
        organization = ""
    if others := [kind for kind in types if kind != READ_TYPE]:
        said = f"«{name}» also imported {' and '.join(map(shown, others))}; Tidegate reads vulnerabilities, hotspots"
        draft.notes[f"{said} and dependency risks alone. What was imported of the others stays in DefectDojo."] = None
    if one.authentication != "API":
        said = f"«{name}» logged in by {'user and password' if one.authentication == 'Password' else 'nothing usable'};"
        draft.notes[f"{said} the Connection needs a user token of SonarQube."] = None
    key = ("sonarqube", url, organization)
    known = draft.connections.get(key)
    settings = {"url": url, "severity": "standard"} | ({"organization": organization} if organization else {})
    numbers = (one.id,) if known is None else tuple(dict.fromkeys((*known.configurations, one.id)))
    label = known.label if known else made_clean(one.name, "SonarQube")
    if known is not None and one.id not in known.configurations:
        draft.notes[f"«{name}» names the same server as «{known.label}»; one Connection stands for both."] = None
    draft.connections[key] = ProposedConnection("sonarqube", label, settings, "token", numbers)
    place = [*draft.connections].index(key)
    vendor_id = scan.key_1.strip()
    record = ProposedRecord(place, vendor_id, "" if vendor_id else product.name, product, scan.id)
    same = draft.records.setdefault((place, record.vendor_id, record.name), record)
    if same.product.id != product.id:
        why = f"The project flows into «{shown(same.product.name)}» already, and a Record has one Product."
        draft.left.append(Left(watched, why))


def _extras(text: str) -> tuple[str, list[str]]:
    """The organization and the types of issues, as `OrgID=acme|BUG,VULNERABILITY` says them."""
    organization, types = "", list[str]()
    for entry in filter(None, (part.strip() for part in text.split("|"))):
        if "OrgID" in entry:
            organization = entry.replace("OrgID=", "").strip()
        else:
            types = [kind.strip() for kind in entry.split(",") if kind.strip()]
    return organization, types


def _with_labels_of_their_own(found: Sequence[ProposedConnection]) -> tuple[ProposedConnection, ...]:
    taken: set[str] = set()
    named: list[ProposedConnection] = []
    for one in found:
        organization = one.settings.get("organization", "")
        twice = sum(other.label == one.label for other in found) > 1
        wish = f"{one.label[: LONGEST - 60]} ({organization[:40]})" if twice and organization else one.label
        label, number = wish, 2
        while label in taken:
            label, number = f"{wish[: LONGEST - 8]} {number}", number + 1
        taken.add(label)
        named.append(ProposedConnection(one.tool, label, one.settings, one.secret, one.configurations))
    return tuple(named)


def _tests_of(theirs: Theirs, draft: _Draft) -> Iterator[OldTest]:
    """The Tests whose importer and Product are in the plan. What they read of other branches is said."""
    products = {record.product.id for record in draft.records.values()}
    scan_types = {one.scan_type for one in IMPORTERS.values() if one.tool in UNDERSTOOD}
    for test in theirs.tests:
        if test.scan_type not in scan_types or test.product not in products:
            continue
        if test.branch:
            name = shown(theirs.products[test.product].name)
            draft.notes[
                f"A Test of «{name}» read the branch «{shown(test.branch)}»; Tidegate reads the main branch unless you"
                " set Branches at the Connection."
            ] = None
        yield test


# How the plan stands to what is here


@dataclass(frozen=True)
class HereRecord:
    """A Record that is here already."""

    id: int
    vendor_id: str
    name: str
    decision: str
    product: str
    absent: bool


Standing = Literal["unseen", "to map", "mapped", "decided otherwise", "not unique"]


@dataclass(frozen=True)
class RecordStanding:
    """How far one proposed mapping is, and why in a sentence."""

    word: Standing
    record: HereRecord | None
    sentence: str


def standing(wanted: ProposedRecord, here: Iterable[HereRecord], *, discovered: bool) -> RecordStanding:
    """What is to be done about a mapping, by the Records of its Connection. A person's decision here always stays."""
    found = [
        one
        for one in here
        if (one.vendor_id == wanted.vendor_id if wanted.vendor_id else one.name == wanted.name) and not one.absent
    ]
    if not found:
        why = "the tool did not show it: was it deleted, or may the token not see it?" if discovered else "not yet seen"
        return RecordStanding("unseen", None, f"{why[0].upper()}{why[1:].rstrip('.')}{'' if why[-1] == '?' else '.'}")
    if len(found) > 1:
        return RecordStanding("not unique", None, f"{len(found):,} things of the tool have this name: map it by hand.")
    record = found[0]
    product = made_clean(wanted.product.name, f"Product {wanted.product.id}")
    if record.decision == "undecided":
        return RecordStanding("to map", record, f"Would flow into «{product}».")
    if record.decision == "mapped" and record.product == product:
        return RecordStanding("mapped", record, f"Flows into «{product}».")
    said = f"flows into «{record.product}»" if record.decision == "mapped" else "is ignored"
    return RecordStanding("decided otherwise", record, f"Here it {said} by decision; that stays.")


def shown(text: str) -> str:
    """A name of theirs in a sentence of ours: one line, not endless."""
    return beginning(made_clean(text, "?"), 80)
