"""records.md in plain Python: what Records, findings, decisions and held lists are after any history. No SQL, no clock.

Written from the law alone; the machine says what people did and what the vendor told, and compares `state()` with what
PostgreSQL holds. One Connection; a Branch is not played.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from tidegate.rules.auto_map import product_name

UNKNOWN = 2
AUTOMATIC = "auto-map"
Key = tuple[str, str]
"""A Family, and the vendor's id of a finding in it."""


@dataclass(eq=False)
class Product:
    name: str
    engagement: bool = False
    test: Test | None = None
    alive: bool = True
    others: int = 0
    """Findings that others put there; no business of ours."""


@dataclass(eq=False)
class Test:
    product: Product

    @property
    def alive(self) -> bool:
        return self.product.alive and self.product.test is self


@dataclass
class Finding:
    title: str
    severity_vendor: int
    verdict: int = 0
    open: bool = True
    because: str | None = None
    closed_by: int | None = None
    waiting: str | None = None
    waits_for: int | None = None
    """The Operation that saw it gone last."""

    def close(self, because: str, operation: int | None = None) -> None:
        self.open, self.because, self.closed_by = False, because, operation
        self.waiting = self.waits_for = None

    def reopen(self) -> None:
        self.open, self.because, self.closed_by = True, None, None


@dataclass(eq=False)
class Feed:
    """What flows from one Record into one Test."""

    record: Record
    test: Test
    findings: dict[Key, Finding] = field(default_factory=dict[Key, Finding])
    said: dict[Key, dict[str, str]] = field(default_factory=dict[Key, dict[str, str]])
    written_at: int = 0

    @property
    def alive(self) -> bool:
        return self.test.alive

    @property
    def content(self) -> Content:
        return deepcopy((self.findings, self.said))

    def severity(self, key: Key, vendor: int) -> int:
        """In force: a person's before the vendor's."""
        return int(self.said.get(key, {}).get("severity", vendor))

    def active(self, key: Key) -> bool:
        """Open, and neither a person nor (where no person has spoken) the vendor says that it does not count."""
        finding, verdict = self.findings[key], self.said.get(key, {}).get("verdict")
        counts = finding.verdict == 0 if verdict is None else verdict == "real"
        return finding.open and counts

    def open_in(self, family: str) -> set[str]:
        return {key for (of, key), finding in self.findings.items() if of == family and finding.open}


Content = tuple[dict[Key, Finding], dict[Key, dict[str, str]]]


@dataclass(frozen=True)
class Facts:
    """What a decision sets."""

    decision: Literal["undecided", "mapped", "ignored"] = "undecided"
    feed: Feed | None = None
    how: str = ""
    hands_off: bool = False
    because: str = ""
    lost: str = ""
    earlier: Product | None = None
    earlier_name: str = ""
    deleted: bool = False


@dataclass(eq=False)
class Record:
    key: str
    name: str
    parent: str
    facts: Facts = Facts()
    absent: bool = False
    absence_held_by: int | None = None
    last: Step | None = None
    """The last decision about it."""

    @property
    def product(self) -> Product | None:
        return None if self.facts.feed is None else self.facts.feed.test.product

    @property
    def state(self) -> str:
        if self.facts.decision != "mapped":
            return "New" if self.facts.decision == "undecided" else "Ignored"
        if self.absent:
            return "Missing"
        return "Good" if self.facts.feed else "Stale"


@dataclass
class Remapped:
    """What a remap did with what was imported."""

    moved_from: Product | None = None
    closed: list[Key] = field(default_factory=list[Key])
    merged: tuple[Feed, Content, Feed, Content] | None = None
    """Source and destination as they were before."""
    after: tuple[Content, Content] | None = None
    """And as they were after: an undo of more than that is not played."""


@dataclass(eq=False)
class Step:
    """One decision, about one Record or several: one undo."""

    at: int
    before: dict[Record, Facts] = field(default_factory=dict["Record", Facts])
    remapped: dict[Record, Remapped] = field(default_factory=dict["Record", Remapped])
    made: list[Product] = field(default_factory=list[Product])
    is_undo: bool = False
    automatic: bool = False


@dataclass(frozen=True)
class Row:
    """A finding, as the vendor tells it."""

    title: str
    severity: int
    fixed: bool = False
    verdict: int = 0


@dataclass
class Told:
    """What the vendor told of one Family of one VEP in one Operation."""

    rows: Mapping[str, Row] = field(default_factory=dict[str, Row])
    odd: frozenset[str] = frozenset()
    """Ids of rows that could not be read."""
    proof: Literal["", "whole", "steady", "drifting"] = ""
    """Empty where it does not prove that everything was shown."""
    off: bool = False
    again: Mapping[str, Row] | None = None
    """What a second reading shows, where that is something else."""
    witness: bool = True
    """Whether the vendor still names the VEP."""


@dataclass
class Listed:
    """What the vendor told of its VEPs in one Discover: name and parent by id."""

    rows: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    odd: frozenset[str] = frozenset()
    proof: Literal["", "whole", "steady", "drifting"] = ""
    again: Mapping[str, tuple[str, str]] | None = None


@dataclass
class Count:
    """What one Record's read leaves for the verdict."""

    open: int = 0
    gone: list[Finding] = field(default_factory=list[Finding])


class Model:
    """Everything that Tidegate promises to hold, and the verbs that change it."""

    def __init__(self, label: str, hold_above: int) -> None:
        self.label = label
        self.hold_above = hold_above
        self.auto_map = False
        self.minimum = 0
        self.records: dict[str, Record] = {}
        self.products: dict[str, Product] = {}
        self.feeds: list[Feed] = []
        self.now = 0

    # Records

    def discover(self, operation: int, listed: Listed) -> None:
        """What is listed is there; what a complete list does not show is absent, or held where that is too much."""
        self.now += 1
        rows = dict(listed.rows)
        present = [record for record in self.records.values() if not (record.absent or record.facts.deleted)]
        if listed.proof == "drifting" and any(not_in(record, rows, listed.odd) for record in present):
            rows |= listed.again or {}
        for record in self.records.values():
            see_again(record, rows, listed.odd)
        for key, (name, parent) in rows.items():
            if key not in self.records:
                self.records[key] = Record(key, name, parent)
        gone = [record for record in present if not_in(record, rows, listed.odd)]
        if listed.proof and gone:
            self._miss(operation, present, gone)
        if self.auto_map:
            self._auto_map()

    def _miss(self, operation: int, present: list[Record], gone: list[Record]) -> None:
        if len(gone) == len(present) or (len(present) > 10 and len(gone) * 2 > len(present)):
            for record in gone:
                record.absence_held_by = operation
            return
        for record in gone:
            record.absent, record.absence_held_by = True, None

    def _auto_map(self) -> None:
        step = self._step()
        step.automatic = True
        for record in self.records.values():
            facts = record.facts
            waits = record.absent or record.absence_held_by is not None or facts.deleted or facts.hands_off
            if facts.decision != "undecided" or waits:
                continue
            product = alive(facts.earlier)
            if product is None and facts.earlier_name:
                continue
            if product is None:
                product = self._make_product(product_name(record.name, record.parent, self.label, self.products))
                step.made.append(product)
            self._map(step, record, product, how=AUTOMATIC)

    def map(self, records: Iterable[Record], name: str, imported: str = "leave") -> Step | None:
        """To an existing or a new Product; `imported` says what becomes of findings imported so far."""
        free = [record for record in records if not record.facts.deleted]
        if not free:
            return None
        step, made = self._step(), name not in self.products
        product = self._make_product(name) if made else self.products[name]
        step.made += [product] if made else []
        for record in free:
            if record.product is product:
                continue
            before = record.product
            step.before[record] = record.facts
            if record.facts.feed is not None:
                step.remapped[record] = self._remap(record.facts.feed, product, imported)
            self._map(step, record, product)
            if before is not None:
                record.facts = replace(record.facts, earlier=before, earlier_name=before.name)
        return step if step.before else None

    def _map(self, step: Step, record: Record, product: Product, how: str = "person") -> None:
        step.before.setdefault(record, record.facts)
        forget = record.facts.earlier is product
        record.facts = Facts(
            "mapped",
            self._feed(record, product),
            how,
            earlier=None if forget else record.facts.earlier,
            earlier_name="" if forget else record.facts.earlier_name,
        )
        record.last = step

    def _remap(self, source: Feed, product: Product, imported: str) -> Remapped:
        did = Remapped()
        if imported == "close":
            for key, finding in source.findings.items():
                finding.waiting = finding.waits_for = None
                if finding.open:
                    finding.close("person")
                    did.closed.append(key)
        if imported != "move":
            return did
        there = self._find_feed(source.record, product)
        if there is None:
            did.moved_from, source.test = source.test.product, self._test(product)
        else:
            did.merged = (source, source.content, there, there.content)
            merge(source, there)
            did.after = (source.content, there.content)
        return did

    def ignore(self, records: Iterable[Record], because: str) -> Step | None:
        return self._unmap(records, Facts("ignored", how="person", because=because))

    def restore(self, records: Iterable[Record]) -> Step | None:
        return self._unmap([record for record in records if record.facts.decision != "undecided"], Facts())

    def delete(self, records: Iterable[Record]) -> Step | None:
        return self._unmap(records, Facts(deleted=True))

    def _unmap(self, records: Iterable[Record], to: Facts) -> Step | None:
        step = self._step()
        for record in records:
            was = record.facts
            if was.deleted:
                continue
            step.before[record] = was
            earlier = record.product or was.earlier
            name = record.product.name if record.product else was.earlier_name
            hands_off = was.hands_off if to.deleted else was.decision == "mapped" and was.how == AUTOMATIC
            off = hands_off and to.decision == "undecided"
            record.facts = replace(to, earlier=earlier, earlier_name=name, hands_off=off)
            record.last = step
        return step if step.before else None

    def restore_to_earlier(self, record: Record) -> Step | None:
        """None where it may not: mapped and well, deleted, or its earlier Product is not there."""
        product = alive(record.facts.earlier)
        if record.facts.deleted or record.product is not None or product is None:
            return None
        step = self._step()
        self._map(step, record, product)
        return step

    def may_undo(self, step: Step, record: Record) -> bool:
        """Until a Sync wrote under it, it was decided again, or what it would go back to was deleted."""
        was, feed = step.before[record], record.facts.feed
        did = step.remapped.get(record, Remapped())
        if record.last is not step or step.is_undo or (feed is not None and feed.written_at > step.at):
            return False
        return (was.feed is None or was.feed.alive) and (did.moved_from is None or did.moved_from.test is not None)

    def plays_undo(self, step: Step, record: Record) -> bool:
        """Two merged Feeds are taken apart only as long as nobody touched them: else this model does not know."""
        merged, after = step.remapped.get(record, Remapped()).merged, step.remapped.get(record, Remapped()).after
        return merged is None or after is None or after == (merged[0].content, merged[2].content)

    def undo(self, step: Step, records: Iterable[Record]) -> list[Record]:
        """Takes the step back for those of the Records where that may be; these are returned."""
        undoing = [record for record in records if self.may_undo(step, record)]
        self.now += 1
        for record in undoing:
            was = step.before[record]
            put_findings_back(record, step.remapped.get(record, Remapped()), was.feed)
            decides = was.decision != "undecided" or record.facts.decision != "undecided"
            record.facts = replace(was, hands_off=True) if step.automatic else was
            if decides:
                record.last = Step(self.now, is_undo=True, before={record: was})
        for product in step.made if undoing else []:
            if self._is_empty(product):
                self.delete_product(product)
        return undoing

    def _is_empty(self, product: Product) -> bool:
        used = any(record.product is product or record.facts.earlier is product for record in self.records.values())
        findings = any(feed.findings for feed in self.living_feeds() if feed.test.product is product)
        return product.alive and not (used or findings or product.others)

    # Where imported data lives

    def delete_product(self, product: Product) -> None:
        self._lose(product, "product")
        del self.products[product.name]
        product.alive, product.engagement, product.test = False, False, None

    def delete_engagement(self, product: Product) -> None:
        self._lose(product, "engagement")
        product.engagement, product.test = False, None

    def delete_test(self, product: Product) -> None:
        self._lose(product, "test")
        product.test = None

    def _lose(self, product: Product, what: str) -> None:
        for record in self.records.values():
            if record.product is product:
                record.facts = replace(record.facts, feed=None, lost=what, earlier=product, earlier_name=product.name)

    def living_feeds(self) -> list[Feed]:
        self.feeds = [feed for feed in self.feeds if feed.alive]
        return self.feeds

    def _find_feed(self, record: Record, product: Product) -> Feed | None:
        found = [feed for feed in self.living_feeds() if feed.record is record and feed.test.product is product]
        return found[0] if found else None

    def _feed(self, record: Record, product: Product) -> Feed:
        test = self._test(product)
        feed = self._find_feed(record, product) or Feed(record, test)
        if feed not in self.feeds:
            self.feeds.append(feed)
        return feed

    def _test(self, product: Product) -> Test:
        product.engagement = True
        product.test = product.test or Test(product)
        return product.test

    def _make_product(self, name: str) -> Product:
        self.products[name] = Product(name)
        return self.products[name]

    def _step(self) -> Step:
        self.now += 1
        return Step(self.now)

    # Findings

    def sync(self, operation: int, told: Mapping[str, Mapping[str, Told]], only: Record | None = None) -> bool:
        """Each Record is applied by itself; then one verdict over all that are gone. Returns whether any is held."""
        self.now += 1
        counts: list[Count] = []
        for record in [only] if only is not None else list(self.records.values()):
            if record.state != "Good" or record.facts.feed is None or record.facts.deleted:
                continue
            record.facts.feed.written_at = self.now
            count = Count()
            for family, answer in told[record.key].items():
                self._read(record.facts.feed, family, answer, operation, count)
            counts.append(count)
        for count in counts:
            hold = self._holds(count, counts)
            for finding in count.gone:
                if hold:
                    finding.waiting, finding.waits_for = "held", operation
                else:
                    finding.close("gone", operation)
        return any(count.gone and self._holds(count, counts) for count in counts)

    def _read(self, feed: Feed, family: str, told: Told, operation: int, count: Count) -> None:
        kept = {key for key in feed.open_in(family) if feed.findings[family, key].waiting == "kept open"}
        before, rows = feed.open_in(family) - kept, dict(told.rows)
        missed = before - rows.keys() - told.odd if told.proof else set[str]()
        if told.off or (missed and not rows and not told.odd and not told.witness):
            return
        if missed and told.proof == "drifting":
            rows |= told.again or {}
        at_once = {key for key, row in rows.items() if key in before and self._ends(feed, (family, key), row)}
        for key, row in rows.items():
            self._take(feed, (family, key), row, operation)
        for key in (rows.keys() | told.odd) & before | (rows.keys() | told.odd) & kept:
            feed.findings[family, key].waiting = feed.findings[family, key].waits_for = None
        if told.proof:
            count.open += len(before - at_once)
            count.gone += [feed.findings[family, key] for key in sorted(before - rows.keys() - told.odd)]

    def _ends(self, feed: Feed, key: Key, row: Row) -> bool:
        """Whether the vendor's word, or the threshold, closes it at once: that counts for no collapse."""
        return row.fixed or self._below(feed.severity(key, row.severity))

    def _below(self, severity: int) -> bool:
        return severity < self.minimum and severity != UNKNOWN

    def _take(self, feed: Feed, key: Key, row: Row, operation: int) -> None:
        finding, ends = feed.findings.get(key), self._ends(feed, key, row)
        if finding is None:
            if not ends:
                feed.findings[key] = Finding(row.title, row.severity, row.verdict)
            return
        if ends and not finding.open:
            return
        finding.title, finding.severity_vendor, finding.verdict = row.title, row.severity, row.verdict
        if ends:
            finding.close("fixed" if row.fixed else "threshold", operation)
        elif not finding.open:
            finding.reopen()

    def _holds(self, count: Count, counts: Sequence[Count]) -> bool:
        if self._collapses(count.open, len(count.gone)):
            return True
        others = [other for other in counts if not self._collapses(other.open, len(other.gone))]
        return self._collapses(sum(other.open for other in others), sum(len(other.gone) for other in others))

    def _collapses(self, open: int, gone: int) -> bool:
        return open > self.hold_above and gone * 2 > open

    def approve(self, operation: int) -> None:
        """What this Operation saw gone, and is still gone, is believed."""
        for feed in self.living_feeds():
            for finding in feed.findings.values():
                if (finding.waiting, finding.waits_for) == ("held", operation):
                    finding.close("gone", operation)
        for record in self.records.values():
            if record.absence_held_by == operation:
                record.absence_held_by = None
                record.absent = record.absent or not record.facts.deleted

    def keep_open(self, operation: int) -> None:
        """It stays open, and nobody is asked again until the vendor has shown it once more."""
        for feed in self.living_feeds():
            for finding in feed.findings.values():
                if (finding.waiting, finding.waits_for) == ("held", operation):
                    finding.waiting = "kept open"
        for record in self.records.values():
            if record.absence_held_by == operation:
                record.absence_held_by = None

    def decide(self, feed: Feed, key: Key, fields: Mapping[str, str | None]) -> None:
        said = feed.said.setdefault(key, {})
        for name, value in fields.items():
            said.pop(name, None)
            if value is not None:
                said[name] = value
        finding = feed.findings[key]
        if finding.open and self._below(feed.severity(key, finding.severity_vendor)):
            finding.close("threshold")

    def set_minimum(self, minimum: int) -> None:
        """A raised threshold closes at once, where Records write to now."""
        raised, self.minimum = minimum > self.minimum, minimum
        for record in self.records.values() if raised else ():
            feed = record.facts.feed
            for key, finding in feed.findings.items() if feed else ():
                if finding.open and feed and self._below(feed.severity(key, finding.severity_vendor)):
                    finding.close("threshold")

    def close_unwatched(self, feed: Feed, key: Key) -> None:
        feed.findings[key].close("person")

    # What is compared

    def state(self) -> dict[str, dict[Any, Any]]:
        """All of it by names, as tests/property/stored.py reads it from the database."""
        findings: dict[Any, Any] = {}
        decisions: dict[Any, Any] = {}
        for feed in self.living_feeds():
            place = (feed.record.key, feed.test.product.name)
            for key, finding in feed.findings.items():
                findings[*place, *key] = {
                    "open": finding.open,
                    "active": feed.active(key),
                    "closed_because": finding.because,
                    "closed_operation": finding.closed_by,
                    "severity": feed.severity(key, finding.severity_vendor),
                    "severity_vendor": finding.severity_vendor,
                    "vendor_verdict": finding.verdict,
                    "title": finding.title,
                    "waiting": finding.waiting,
                    "waits_for": finding.waits_for,
                }
            decisions |= {
                (*place, *key, name): value for key, said in feed.said.items() for name, value in said.items()
            }
        return {
            "records": {record.key: facts_of(record) for record in self.records.values()},
            "findings": findings,
            "decisions": decisions,
            "products": {
                product.name: (product.engagement, product.test is not None, product.others)
                for product in self.products.values()
            },
        }


def facts_of(record: Record) -> dict[str, Any]:
    facts = record.facts
    return {
        "name": record.name,
        "parent": record.parent,
        "decision": facts.decision,
        "product": record.product.name if record.product else None,
        "finalized_how": facts.how,
        "hands_off": facts.hands_off,
        "ignored_because": facts.because,
        "target_lost": facts.lost,
        "earlier": facts.earlier.name if facts.earlier and facts.earlier.alive else None,
        "earlier_product_name": facts.earlier_name,
        "absent": record.absent,
        "deleted": facts.deleted,
        "absence_held_by": record.absence_held_by,
    }


def alive(product: Product | None) -> Product | None:
    return product if product is not None and product.alive else None


def not_in(record: Record, rows: Mapping[str, Any], odd: frozenset[str]) -> bool:
    return record.key not in rows and record.key not in odd


def see_again(record: Record, rows: Mapping[str, tuple[str, str]], odd: frozenset[str]) -> None:
    """Name and parent follow; absent ones are back; deleted ones are New again. An odd row is only there."""
    if record.key in rows:
        record.name, record.parent = rows[record.key]
        record.facts = replace(record.facts, deleted=False)
    if not not_in(record, rows, odd):
        record.absent, record.absence_held_by = False, None
    if record.facts.deleted:
        record.absence_held_by = None


def merge(source: Feed, destination: Feed) -> None:
    """Findings go over with their decisions; where the same one is there already, that one takes decision and opening
    of the other, which closes as merged."""
    for key, said in source.said.items():
        destination.said.setdefault(key, {}).update(said)
    for key, finding in list(source.findings.items()):
        there = destination.findings.get(key)
        if there is None:
            destination.findings[key] = source.findings.pop(key)
            continue
        there.open, there.because, there.closed_by = finding.open, finding.because, finding.closed_by
        there.waiting, there.waits_for = finding.waiting, finding.waits_for
        finding.waiting = finding.waits_for = None
        if finding.open:
            finding.close("merged")


def put_findings_back(record: Record, did: Remapped, before: Feed | None) -> None:
    """Undoes what a remap did to findings."""
    if did.moved_from is not None and did.moved_from.test is not None and record.facts.feed is not None:
        record.facts.feed.test = did.moved_from.test
    if did.merged is not None:
        source, was_source, destination, was_destination = did.merged
        source.findings, source.said = deepcopy(was_source)
        destination.findings, destination.said = deepcopy(was_destination)
    for key in did.closed:
        if before is not None and before.findings[key].because == "person":
            before.findings[key].reopen()
