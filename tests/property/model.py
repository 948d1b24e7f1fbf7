"""records.md in plain Python: what Records, findings, decisions and held lists are after any history. No SQL, no clock.

Written from the law alone; the machine says what people did and what the vendor told, and compares `state()` with what
PostgreSQL holds. One Connection. What is found on a Branch stands under the Family's name with it: `issues@dev`.
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
"""A Family (`@` and the Branch, where it is not the main one), and the vendor's id of a finding in it."""


def on_all_branches(key: Key) -> Key:
    """By what a person's decision is kept."""
    return key[0].partition("@")[0], key[1]


def branch_of(part: str) -> str:
    return part.partition("@")[2]


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


@dataclass(frozen=True)
class Line:
    """What the last Sync that changed a finding did, and what the finding was before."""

    by: int
    did: Literal["changed", "closed", "reopened"]
    told: tuple[str, int, int]
    because: str | None
    closed_by: int | None


@dataclass(frozen=True)
class Waits:
    """A closing that waits: *held* for a person, *kept open* by one, or *remembered*, because one undid it before."""

    standing: Literal["held", "kept open", "remembered"]
    because: str = "gone"
    seen_by: int = 0
    """The Operation that saw it last."""
    since: int = 0
    undone: bool = False


@dataclass
class Finding:
    title: str
    severity_vendor: int
    verdict: int = 0
    created_by: int = 0
    open: bool = True
    because: str | None = None
    closed_by: int | None = None
    waits: Waits | None = None
    line: Line | None = None
    put_back: bool = False
    """An undo brought back what it said before: the next Sync writes it, whatever that shows."""

    @property
    def told(self) -> tuple[str, int, int]:
        return self.title, self.severity_vendor, self.verdict

    @told.setter
    def told(self, said: tuple[str, int, int]) -> None:
        self.title, self.severity_vendor, self.verdict = said

    @property
    def kept_open(self) -> bool:
        return self.waits is not None and self.waits.standing == "kept open"

    @property
    def undone(self) -> bool:
        """Whether a person undid its last closing, and the vendor has not shown it since."""
        return self.waits is not None and self.waits.undone

    def close(self, because: str, operation: int | None = None) -> None:
        self.open, self.because, self.closed_by, self.waits = False, because, operation, None

    def reopen(self) -> None:
        self.open, self.because, self.closed_by = True, None, None

    def hold(self, because: str, operation: int) -> None:
        waited = self.waits is not None and self.waits.standing != "remembered"
        since = self.waits.since if self.waits and waited else operation
        self.waits = Waits("held", because, operation, since, self.undone)

    def write_down(self, operation: int, did: Literal["changed", "closed", "reopened"]) -> None:
        """Before a Sync changes it."""
        self.line = Line(operation, did, self.told, self.because, self.closed_by)


@dataclass(eq=False)
class Feed:
    """What flows from one Record into one Test."""

    record: Record
    test: Test
    findings: dict[Key, Finding] = field(default_factory=dict[Key, Finding])
    said: dict[Key, dict[str, str]] = field(default_factory=dict[Key, dict[str, str]])
    there: dict[str, int] = field(default_factory=dict[str, int])
    """The day when what was read of a Branch had it last in the tool's list."""
    written_at: int = 0

    @property
    def alive(self) -> bool:
        return self.test.alive

    @property
    def content(self) -> Content:
        return deepcopy((self.findings, self.said, self.there))

    def severity(self, key: Key, vendor: int) -> int:
        """In force: a person's before the vendor's."""
        return int(self.said.get(on_all_branches(key), {}).get("severity", vendor))

    def active(self, key: Key) -> bool:
        """Open, and neither a person nor (where no person has spoken) the vendor says that it does not count."""
        finding, verdict = self.findings[key], self.said.get(on_all_branches(key), {}).get("verdict")
        counts = finding.verdict == 0 if verdict is None else verdict == "real"
        return finding.open and counts

    def open_in(self, family: str) -> set[str]:
        return {key for (of, key), finding in self.findings.items() if of == family and finding.open}


Content = tuple[dict[Key, Finding], dict[Key, dict[str, str]], dict[str, int]]


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
    applied: Applied | None = None
    """The last Sync that wrote under it."""

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


@dataclass(eq=False)
class Applied:
    """A Sync that was applied to one Record."""

    sync: int
    feed: Feed
    undone: bool = False


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

    @property
    def told(self) -> tuple[str, int, int]:
        return self.title, self.severity, self.verdict


@dataclass
class Told:
    """What the vendor told of one Family of one VEP in one Operation."""

    rows: Mapping[str, Row] = field(default_factory=dict[str, Row])
    odd: frozenset[str] = frozenset()
    """Ids of rows that could not be read."""
    proof: Literal["", "whole", "steady", "drifting"] = ""
    """Empty where it does not prove that everything was shown."""
    off: bool = False
    again: Told | None = None
    """What a second reading shows, where that is something else."""
    witness: bool = True
    """Whether the vendor still names the VEP."""
    nameless: int = 0
    repeated: int = 0
    elsewhere: int = 0
    """Rows of other VEPs in the same list."""
    shared: bool = False
    """Whether one list is read for all Records: then it is read a second time for all that are still to come."""

    @property
    def total(self) -> int:
        """By the vendor's own count."""
        return len(self.rows) + len(self.odd) + self.nameless + self.repeated + self.elsewhere


@dataclass
class BranchList:
    """What the vendor told of the branches of one VEP in one Operation."""

    chosen: list[str] = field(default_factory=list[str])
    """Those that the patterns of the Connection match; "" is the main one."""
    names: frozenset[str] = frozenset()
    again: frozenset[str] = frozenset()
    """What a second list shows, where a first one is not enough."""
    complete: bool = False
    failed: bool = False


@dataclass
class Heard:
    """What the vendor told of one VEP in one Sync, by Family and Branch."""

    parts: dict[str, Told]
    branches: BranchList | None = None
    failed: bool = False
    """Whether nothing could be read of it."""


@dataclass
class Listed:
    """What the vendor told of its VEPs in one Discover: name and parent by id."""

    rows: Mapping[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    odd: frozenset[str] = frozenset()
    proof: Literal["", "whole", "steady", "drifting"] = ""
    again: Mapping[str, tuple[str, str]] | None = None


Equation = dict[str, int]
"""Where each row of the vendor is, by its place; nothing is left out."""


@dataclass
class Count:
    """What one Record's read leaves for the verdict."""

    open: int = 0
    gone: list[tuple[Finding, str]] = field(default_factory=list[tuple["Finding", str]])
    """With why: its Branch, or no more than that it is not shown."""
    held_again: bool = False


@dataclass
class Synced:
    """What a Sync must say of itself."""

    held: bool
    proven: dict[tuple[str, str], Equation]
    """By Record and Family what was read whole, and where its rows are."""


class Model:
    """Everything that Tidegate promises to hold, and the verbs that change it."""

    def __init__(self, label: str, hold_above: int) -> None:
        self.label = label
        self.hold_above = hold_above
        self.auto_map = False
        self.minimum = 0
        self.today = 0
        self.close_branches_after = 0
        """Days; 0 for never."""
        self.records: dict[str, Record] = {}
        self.products: dict[str, Product] = {}
        self.feeds: list[Feed] = []
        self.syncs: dict[int, dict[Record, Applied]] = {}
        """What each Sync was applied to."""
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
            product = alive(facts.earlier) or self._product_that_holds(record)
            if product is None and facts.earlier_name:
                continue
            if product is None:
                product = self._make_product(product_name(record.name, record.parent, self.label, self.products))
                step.made.append(product)
            self._map(step, record, product, how=AUTOMATIC)

    def _product_that_holds(self, record: Record) -> Product | None:
        """Where its newest findings are already; what others imported is none of its."""
        holding = [feed.test.product for feed in self.living_feeds() if feed.record is record and feed.findings]
        return holding[-1] if holding else None

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
                finding.waits = None
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

    def sync(self, operation: int, told: Mapping[str, Heard], only: Record | None = None) -> Synced:
        """Each Record is applied by itself, in the order of `told`; then one verdict over all that are gone."""
        self.now += 1
        counts: list[Count] = []
        proven: dict[tuple[str, str], Equation] = {}
        read_again: set[str] = set()
        for record in [only] if only is not None else [self.records[key] for key in told]:
            feed = record.facts.feed
            heard = told[record.key]
            if record.state != "Good" or feed is None or record.facts.deleted or heard.failed:
                continue
            feed.written_at = self.now
            record.applied = self.syncs.setdefault(operation, {})[record] = Applied(operation, feed)
            count = Count()
            for family, answer in heard.parts.items():
                equation = self._read(feed, family, answer, operation, count, read_again)
                if equation is not None:
                    proven[record.key, family] = equation
            if heard.branches is not None:
                self._look_for_vanished(feed, heard.parts, heard.branches, operation, count)
            counts.append(count)
        for count in counts:
            hold = self._holds(count, counts)
            for finding, because in count.gone:
                if hold:
                    finding.hold(because, operation)
                else:
                    finding.write_down(operation, "closed")
                    finding.close(because, operation)
        held = any(count.held_again or (count.gone and self._holds(count, counts)) for count in counts)
        return Synced(held, proven)

    def _look_for_vanished(
        self, feed: Feed, read: Mapping[str, Told], listed: BranchList, operation: int, count: Count
    ) -> None:
        """What is on a branch that is in no complete list closes, so many days after it was last in one, if people want
        that; it goes the way of what is gone."""
        names = listed.names
        if any(self._due(feed, part, names, listed) for part in feed.there if part not in read):
            names |= listed.again
        for part in feed.there:
            if part not in read and self._due(feed, part, names, listed):
                self._miss_findings(feed, part, feed.open_in(part), operation, count, because="branch")
        for part in {*feed.there, *(part for part in read if branch_of(part))}:
            if branch_of(part) in names:
                feed.there[part] = self.today

    def _due(self, feed: Feed, part: str, names: frozenset[str], listed: BranchList) -> bool:
        last_there = max(day for other, day in feed.there.items() if branch_of(other) == branch_of(part))
        long_gone = self.today - last_there >= self.close_branches_after > 0
        counts = any(not feed.findings[part, key].kept_open for key in feed.open_in(part))
        return listed.complete and branch_of(part) not in names and long_gone and counts

    def _miss_findings(
        self, feed: Feed, part: str, keys: set[str], operation: int, count: Count, because: str = "gone"
    ) -> None:
        """What is gone, and counted as what was there; a closing that a person undid is asked about at once."""
        missing = [feed.findings[part, key] for key in sorted(keys) if not feed.findings[part, key].kept_open]
        for finding in missing:
            if finding.undone:
                finding.hold(because, operation)
                count.held_again = True
            else:
                count.gone.append((finding, because))
                if because == "branch":
                    count.open += 1

    def _read(
        self, feed: Feed, family: str, told: Told, operation: int, count: Count, read_again: set[str]
    ) -> Equation | None:
        """Applies what was told of one Family; gives where its rows are, if that was all there is."""
        kept = {key for key in feed.open_in(family) if feed.findings[family, key].kept_open}
        before, rows, odd, last = feed.open_in(family) - kept, dict(told.rows), told.odd, told
        missed = before - rows.keys() - odd if told.proof else set[str]()
        if told.off or (missed and not rows and not odd and not told.witness):
            return None
        if told.proof == "drifting" and (missed or family in read_again):
            read_again |= {family} if told.shared else set()
            last = told.again or told
            rows, odd = {**rows, **last.rows}, odd | last.odd
        first_only = len(rows) + len(odd) - len(last.rows) - len(last.odd)
        at_once = {key for key, row in rows.items() if key in before and self._ends(feed, (family, key), row)}
        where = {"first_only": first_only, "elsewhere": last.elsewhere, "repeated": last.repeated}
        where |= {"vendor": last.total, "quarantined": len(odd) + last.nameless, "open": 0, "fixed": 0, "below": 0}
        for key, row in rows.items():
            self._take(feed, (family, key), row, operation, count)
            below = self._below(feed.severity((family, key), row.severity))
            where["fixed" if row.fixed else "below" if below else "open"] += 1
        for key in odd & (before | kept):
            feed.findings[family, key].waits = None
        if not told.proof:
            return None
        gone = before - rows.keys() - odd
        asked_again = sum(feed.findings[family, key].undone for key in gone)
        count.open += len(before - at_once) - asked_again
        self._miss_findings(feed, family, gone, operation, count)
        return {name: number for name, number in where.items() if number or name in ("vendor", "open")}

    def _ends(self, feed: Feed, key: Key, row: Row) -> bool:
        """Whether the vendor's word, or the threshold, closes it at once: that counts for no collapse."""
        return row.fixed or self._below(feed.severity(key, row.severity))

    def _below(self, severity: int) -> bool:
        return severity < self.minimum and severity != UNKNOWN

    def _take(self, feed: Feed, key: Key, row: Row, operation: int, count: Count) -> None:
        finding, ends = feed.findings.get(key), self._ends(feed, key, row)
        if finding is None:
            if not ends:
                feed.findings[key] = Finding(row.title, row.severity, row.verdict, created_by=operation)
            return
        if ends and not finding.open:
            return
        because = "fixed" if row.fixed else "threshold"
        if ends and finding.undone:
            # A closing that a person undid is not believed again, but asked about; once they said keep, it is kept.
            if not (finding.kept_open and finding.waits and finding.waits.because == because):
                finding.hold(because, operation)
                count.held_again = True
            return
        if ends or not finding.open or finding.told != row.told or finding.put_back:
            finding.write_down(operation, "closed" if ends else "changed" if finding.open else "reopened")
        finding.told, finding.put_back, finding.waits = row.told, False, None
        if ends:
            finding.close(because, operation)
        elif not finding.open:
            finding.reopen()

    def _holds(self, count: Count, counts: Sequence[Count]) -> bool:
        if self._collapses(count.open, len(count.gone)):
            return True
        others = [other for other in counts if not self._collapses(other.open, len(other.gone))]
        return self._collapses(sum(other.open for other in others), sum(len(other.gone) for other in others))

    def _collapses(self, open: int, gone: int) -> bool:
        return open > self.hold_above and gone * 2 > open

    # Undo of a Sync

    def may_undo_sync(self, operation: int, record: Record) -> bool:
        """While it is the latest that wrote under the Record, and the Record still writes there."""
        applied = record.applied
        if applied is None or applied.sync != operation or applied.undone:
            return False
        return applied.feed.alive and record.facts.feed is applied.feed and not record.facts.deleted

    def undo_sync(self, operation: int, records: Iterable[Record], undo: int) -> dict[str, int]:
        """What it created becomes inactive, what it changed, closed and reopened is as before; what people decided
        since stays. Returns how many closed, opened and closed again."""
        self.now += 1
        did = {"inactive": 0, "open_again": 0, "closed_again": 0}
        for record in records:
            if record.applied is None:
                continue
            record.applied.undone, feed = True, record.applied.feed
            for key, finding in feed.findings.items():
                waits = finding.waits
                if waits and (waits.standing, waits.since) == ("held", operation):
                    # It began to wait then, so it waits no longer; what a person undid before is remembered on.
                    finding.waits = replace(waits, standing="remembered") if waits.undone else None
                if finding.created_by == operation and finding.open:
                    finding.close("undone", undo)
                    did["inactive"] += 1
                if finding.line is not None and finding.line.by == operation:
                    word = self._take_back(feed, key, finding.line, undo)
                    did |= {word: did[word] + 1} if word else {}
        return did

    def _take_back(self, feed: Feed, key: Key, line: Line, undo: int) -> str:
        finding = feed.findings[key]
        closed_by_it = line.did == "closed" and not finding.open and finding.closed_by == line.by
        because = finding.because
        finding.told = line.told
        finding.put_back = finding.put_back or line.did != "closed" or because not in ("gone", "branch")
        if line.did == "reopened":
            if not finding.open:
                return ""
            finding.close(line.because or "", line.closed_by)
            return "closed_again"
        if not (finding.open or closed_by_it):
            return ""
        if self._below(feed.severity(key, finding.severity_vendor)):
            # A threshold that was raised since is a decision, too.
            finding.close("threshold", undo)
            return ""
        if not closed_by_it:
            return ""
        finding.reopen()
        finding.waits = Waits("remembered", because or "", line.by, line.by, undone=True)
        return "open_again"

    # What is held

    def approve(self, operation: int) -> None:
        """What this Operation saw gone, and is still gone, is believed."""
        for finding in self._held_by(operation):
            finding.close(finding.waits.because if finding.waits else "", operation)
        for record in self.records.values():
            if record.absence_held_by == operation:
                record.absence_held_by = None
                record.absent = record.absent or not record.facts.deleted

    def keep_open(self, operation: int) -> None:
        """It stays open, and nobody is asked again until the vendor has shown it once more."""
        for finding in self._held_by(operation):
            finding.waits = replace(finding.waits, standing="kept open") if finding.waits else None
        for record in self.records.values():
            if record.absence_held_by == operation:
                record.absence_held_by = None

    def _held_by(self, operation: int) -> list[Finding]:
        there = [finding for feed in self.living_feeds() for finding in feed.findings.values()]
        return [one for one in there if one.waits and (one.waits.standing, one.waits.seen_by) == ("held", operation)]

    # Decisions on findings

    def decide(self, feed: Feed, key: Key, fields: Mapping[str, str | None]) -> None:
        said = feed.said.setdefault(on_all_branches(key), {})
        for name, value in fields.items():
            said.pop(name, None)
            if value is not None:
                said[name] = value
        for there, finding in feed.findings.items():
            same = on_all_branches(there) == on_all_branches(key)
            if same and finding.open and self._below(feed.severity(there, finding.severity_vendor)):
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
        unseen: dict[Any, int] = {}
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
                    **waiting_of(finding),
                }
            unseen |= {(*place, part): self.today - day for part, day in feed.there.items()}
            decisions |= {
                (*place, *key, name): value for key, said in feed.said.items() for name, value in said.items()
            }
        return {
            "records": {record.key: facts_of(record) for record in self.records.values()},
            "findings": findings,
            "decisions": decisions,
            "unseen": unseen,
            "products": {
                product.name: (product.engagement, product.test is not None, product.others)
                for product in self.products.values()
            },
        }


def waiting_of(finding: Finding) -> dict[str, Any]:
    waits = finding.waits
    if waits is None:
        return {"waiting": None, "waits_for": None, "would_be": None, "undone": None}
    asked = None if waits.standing == "remembered" else waits.seen_by  # nobody is asked yet
    return {"waiting": waits.standing, "waits_for": asked, "would_be": waits.because, "undone": waits.undone}


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
    for key, finding in list(source.findings.items()):
        about = on_all_branches(key)
        if about in source.said:
            destination.said.setdefault(about, {}).update(source.said[about])
        there = destination.findings.get(key)
        if there is None:
            destination.findings[key] = source.findings.pop(key)
            continue
        there.open, there.because, there.closed_by = finding.open, finding.because, finding.closed_by
        there.waits, finding.waits = finding.waits, None
        if finding.open:
            finding.close("merged")
    exchange_days(source, destination)


def exchange_days(source: Feed, destination: Feed) -> None:
    """With the findings goes when their Branch was last there."""
    stayed = {part for part, _ in source.findings}
    for part in {*source.there, *destination.there}:
        was, there = source.there.get(part), destination.there.get(part)
        if was is None or (there is None and part in stayed):
            continue
        destination.there[part] = was
        if there is None:
            del source.there[part]
        else:
            source.there[part] = there


def put_findings_back(record: Record, did: Remapped, before: Feed | None) -> None:
    """Undoes what a remap did to findings."""
    if did.moved_from is not None and did.moved_from.test is not None and record.facts.feed is not None:
        record.facts.feed.test = did.moved_from.test
    if did.merged is not None:
        source, was_source, destination, was_destination = did.merged
        source.findings, source.said, source.there = deepcopy(was_source)
        destination.findings, destination.said, destination.there = deepcopy(was_destination)
    for key in did.closed:
        if before is not None and before.findings[key].because == "person":
            before.findings[key].reopen()
