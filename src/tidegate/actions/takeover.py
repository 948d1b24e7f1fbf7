"""Taking over what a DefectDojo's API importers did: Connections, mappings, and what people there decided.

No action of its own: what it does, it does by the actions that a person would take one by one, each with its right and
its line in the audit log. Each step looks first at what is there, so whatever was broken off goes on when it is begun
again, and what is done already changes nothing.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final

from django.utils import timezone
from pydantic import SecretStr

from tidegate import catalog
from tidegate.actions import connection as connections
from tidegate.actions import finding as findings
from tidegate.actions import record as records
from tidegate.actions.action import demand_everywhere
from tidegate.actions.errors import Refused
from tidegate.connectors.sonarqube.location import is_cloud, location
from tidegate.delivery.defectdojo import importers
from tidegate.delivery.defectdojo.client import Dojo
from tidegate.delivery.defectdojo.location import NoLocation, base_url
from tidegate.delivery.defectdojo.settings import DefectDojoSettings
from tidegate.ingest.vendor import way_out
from tidegate.rules.actor import Actor
from tidegate.rules.adoption import Adoption, Key, OurFinding, TheirFinding, adopted
from tidegate.rules.names import made_clean
from tidegate.rules.takeover import (
    Address,
    HereRecord,
    Left,
    Plan,
    ProposedConnection,
    ProposedRecord,
    RecordStanding,
    proposed,
    standing,
)
from tidegate.store.models import Connection, Decision, Finding, Operation, Part, Product, Record
from tidegate.store.writers.product import IMPORTED
from tidegate_sdk import Severity

AT_ONCE: Final = 1_000
"""So many findings are decided about in one transaction."""


@dataclass(frozen=True)
class Here:
    """How far a proposed Connection is. `id` is None where it is not there yet."""

    id: int | None
    label: str
    discovered: bool
    records: tuple[HereRecord, ...]


@dataclass
class Taken:
    """What became of the decisions of people there."""

    decided: int = 0
    """Findings there about which somebody decided something."""
    adopted: int = 0
    unchanged: int = 0
    waiting: int = 0
    """Decided there, of Records whose findings are not here yet."""
    left: list[Left] = field(default_factory=list[Left])


@contextmanager
def takeover(actor: Actor, url: str, token: SecretStr, **way: Any) -> Iterator[Takeover]:
    """What the DefectDojo at this URL says, read once. `way` is what HttpSettings says of the way there.

    Raises Forbidden, Refused for a URL that is none, DojoError where it cannot be read.
    """
    demand_everywhere(actor, "administrator", "take over from a DefectDojo")
    try:
        settings = DefectDojoSettings(url=base_url(url), token=token, **way)
    except NoLocation as problem:
        raise Refused(str(problem), "Give the URL as a browser shows DefectDojo's first page.") from problem
    with Dojo(settings, **way_out()) as dojo:
        yield Takeover(actor, dojo)


class Takeover:
    """One DefectDojo, and how the plan stands to what is here."""

    def __init__(self, actor: Actor, dojo: Dojo) -> None:
        self.actor = actor
        self.version = dojo.version()
        self.url = dojo.url
        self.plan: Plan = proposed(importers.theirs(dojo), [one.slug for one in catalog.tools()], sonarqube)
        self._dojo = dojo
        self._findings: list[TheirFinding] | None = None

    # How it stands

    def here(self, wanted: ProposedConnection) -> Here:
        """The Connection of the same tool, address and organization, whoever made it."""
        for one in Connection.objects.filter(tool=wanted.tool, deleted_at=None, draft_at=None).order_by("pk"):
            if all(one.settings.get(name, "") == wanted.settings.get(name, "") for name in ("url", "organization")):
                discovers = Operation.objects.filter(connection=one, type="discover", status__in=("success", "partial"))
                return Here(one.pk, one.label, discovers.exists(), tuple(_records_of(one.pk)))
        return Here(None, wanted.label, False, ())

    def standings(self) -> list[tuple[ProposedRecord, Here, RecordStanding]]:
        """Each proposed mapping, with its Connection here and how far it is."""
        here = [self.here(one) for one in self.plan.connections]
        return [
            (one, own, standing(one, own.records, discovered=own.discovered))
            for one in self.plan.records
            for own in (here[one.connection],)
        ]

    # What is done

    def try_secret(self, wanted: ProposedConnection, secret: SecretStr) -> str:
        """ "" where the tool lets us in with it; else what it says. Nothing is stored."""
        found = connections.try_settings(self.actor, wanted.tool, wanted.settings, {wanted.secret: secret})
        return next((step.sentence for step in found.steps if not step.ok), "")

    def connect(self, wanted: ProposedConnection, secret: SecretStr) -> int:
        """Makes the Connection, without auto-map, so that nothing is decided but what the plan says; it is not
        discovered yet. Where the label is taken, it says that this one came from DefectDojo."""
        label = wanted.label
        if connections.label_is_taken(label):
            label = f"{label[:230]} (from DefectDojo)"
        return connections.add_connection(
            self.actor, wanted.tool, label, wanted.settings, {wanted.secret: secret}, discover=False
        )

    def map_records(self) -> list[Left]:
        """Maps what is to be mapped; what was refused, with its why."""
        by_product: dict[tuple[str, str], list[tuple[ProposedRecord, HereRecord]]] = {}
        for wanted, _, found in self.standings():
            if found.word == "to map" and found.record is not None:
                by_product.setdefault(target_of(wanted), []).append((wanted, found.record))
        left: list[Left] = []
        for (name, product_type), group in by_product.items():
            there = Product.objects.filter(name=name).values_list("pk", flat=True).first()
            target: dict[str, Any] = (
                {"new_product": name, "product_type": product_type} if there is None else {"product_id": there}
            )
            try:
                outcome = records.map_records(self.actor, [record.id for _, record in group], **target)
            except Refused as refused:
                left += [Left(record.name, f"{refused.sentence} {refused.next_step}") for _, record in group]
                continue
            names = {record.id: record.name for _, record in group}
            left += [Left(names[item.id], item.sentence) for item in outcome.items if not item.ok]
        return left

    def unread(self) -> dict[int, list[int]]:
        """By Connection the mapped Records of the plan that were never read to the end."""
        mapped: dict[int, list[int]] = {}
        for _, own, found in self.standings():
            if found.word == "mapped" and found.record is not None and own.id is not None:
                mapped.setdefault(own.id, []).append(found.record.id)
        read = set(
            Part.objects.filter(
                proven_at__isnull=False, feed__record_id__in=[id for ids in mapped.values() for id in ids]
            )
            .values_list("feed__record_id", flat=True)
            .distinct()
        )
        left = {id: [one for one in ids if one not in read] for id, ids in mapped.items()}
        return {id: ids for id, ids in left.items() if ids}

    # What people decided

    def adopt(
        self, *, carry_out: bool, severities: bool = False, progress: Callable[[int, int], object] = lambda *_: None
    ) -> Taken:
        """Makes decisions there decisions here, finding by finding, or only says how many that would be."""
        taken, todo = Taken(), list[tuple[int, Mapping[str, Any], str]]()
        groups = self._by_product()
        taken.decided = sum(one.is_decided for found in groups.values() for one in found)
        targets = self._targets()
        for product, found in groups.items():
            ours = _findings_of(targets.get(product, ()))
            if ours is None:
                taken.waiting += sum(one.is_decided for one in found)
                continue
            said: Adoption = adopted(found, ours, self.url, timezone.now(), severities=severities)
            taken.left += said.left
            taken.unchanged += said.unchanged
            todo += [(one.finding, one.fields, f"finding {one.theirs}, {one.title}") for one in said.decisions]
        if not carry_out:
            taken.adopted = len(todo)
            return taken
        for place, (fields, group) in enumerate(_alike(todo)):
            progress(place, len(todo))
            self._decide(fields, group, taken)
        return taken

    def _decide(self, fields: Mapping[str, Any], group: Mapping[int, str], taken: Taken) -> None:
        """The same about some findings, here by number with what they are."""
        try:
            if len(group) == 1:
                findings.decide_finding(self.actor, next(iter(group)), **fields)
                taken.adopted += 1
                return
            done = findings.decide_findings(self.actor, list(group), **fields)
        except Refused as refused:
            taken.left += [Left(what, f"{refused.sentence} {refused.next_step}") for what in group.values()]
            return
        taken.adopted += done.changed
        taken.left += [Left(group[one.id], one.sentence) for one in done.refusals]

    def _by_product(self) -> dict[int, list[TheirFinding]]:
        """Their findings, read once."""
        if self._findings is None:
            people = importers.People(self._dojo)
            self._findings = [one for test in self.plan.tests for one in importers.findings(self._dojo, test, people)]
        groups: dict[int, list[TheirFinding]] = {}
        for one in self._findings:
            groups.setdefault(one.product, []).append(one)
        return groups

    def _targets(self) -> dict[int, list[int]]:
        """By Product there the Records here that flow into the same."""
        targets: dict[int, list[int]] = {}
        for wanted, _, found in self.standings():
            if found.word == "mapped" and found.record is not None:
                targets.setdefault(wanted.product.id, []).append(found.record.id)
        return targets


def _alike(todo: Iterable[tuple[int, Mapping[str, Any], str]]) -> list[tuple[Mapping[str, Any], dict[int, str]]]:
    """Findings about which the same is decided, as many as are decided about at once."""
    groups: dict[str, list[tuple[Mapping[str, Any], dict[int, str]]]] = {}
    for finding, fields, what in todo:
        alike = groups.setdefault(repr(sorted(fields.items())), [])
        if not alike or len(alike[-1][1]) >= AT_ONCE:
            alike.append((fields, {}))
        alike[-1][1][finding] = what
    return [one for alike in groups.values() for one in alike]


def sonarqube(url: str) -> Address:
    """As SonarQube's Tool reads it. Raises ValueError."""
    return Address(found := location(url), is_cloud(found))


def target_of(wanted: ProposedRecord) -> tuple[str, str]:
    """The names of the Product here and of its type, as they are stored."""
    product = wanted.product
    return made_clean(product.name, f"Product {product.id}"), made_clean(product.product_type, IMPORTED)


def _records_of(connection: int) -> Iterator[HereRecord]:
    rows = Record.objects.filter(connection_id=connection, deleted_at=None)
    columns = ("pk", "vendor_id", "name", "decision", "feed__test__engagement__product__name", "absent_since")
    for id, vendor_id, name, decision, product, absent in rows.values_list(*columns):
        yield HereRecord(id, vendor_id, name, decision, product or "", absent is not None)


def _findings_of(record_ids: Iterable[int]) -> dict[Key, OurFinding] | None:
    """What flows from these Records now, by family and key; of several Branches the open one. None where nothing was
    ever read."""
    feeds = list(Record.objects.filter(pk__in=list(record_ids)).exclude(feed=None).values_list("feed_id", flat=True))
    if not Part.objects.filter(feed_id__in=feeds, proven_at__isnull=False).exists():
        return None
    decided: dict[tuple[int, str, Any], dict[str, Any]] = {}
    for row in Decision.objects.filter(feed_id__in=feeds).iterator():
        decided.setdefault((row.feed_id, row.family, row.key_hash), {})[row.field] = _decided(row)
    found: dict[Key, OurFinding] = {}
    columns = ("pk", "feed_id", "family", "key", "key_hash", "open", "severity_vendor")
    rows = Finding.objects.filter(feed_id__in=feeds).order_by("pk")
    for id, feed, family, key, key_hash, is_open, severity in rows.values_list(*columns).iterator():
        known = found.get((family, key))
        if known is None or (is_open and not known.open):
            said = decided.get((feed, family, key_hash), {})
            found[family, key] = OurFinding(id, is_open, Severity.of_rank(severity).value, said)
    return found


def _decided(row: Decision) -> Any:
    """As rules/adoption.py compares it."""
    match row.field:
        case "verdict":
            return (row.value, row.until)
        case "severity":
            return Severity.of_rank(int(row.value)).value
        case "verified" | "tags":
            return json.loads(row.value)
        case _:
            return row.value
