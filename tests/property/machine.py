"""Random histories: a vendor that changes and fails, people who decide, Discovers and Syncs; the law after each.

What is stored must be what tests/property/model.py says, and every change must be able to say why.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar
from uuid import UUID

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.acme import Paged, Rows, row, rows
from tests.ingest.scene import ALICE, Scene
from tests.property import stored, vendor
from tests.property.checks import (
    check_history,
    check_journal,
    check_nothing_else_written,
    check_others,
    check_state,
    without_waiting,
)
from tests.property.model import Feed, Finding, Key, Model, Record, Step, branch_of
from tests.property.vendor import (
    BRANCH_FAULTS,
    FINDING_FAULTS,
    HEALTHY,
    LIST_FAULTS,
    SEVERITIES,
    BranchedWorld,
    Fault,
    Wire,
)
from tests.untouched import only_the_preview_is_written
from tidegate.actions import connection as connections
from tidegate.actions import finding as findings
from tidegate.actions import operation as operations
from tidegate.actions import product as products
from tidegate.actions import record as records
from tidegate.actions.engagement import delete_engagement
from tidegate.actions.errors import Refused
from tidegate.actions.step import StepOutcome
from tidegate.actions.test import delete_test
from tidegate.actions.undo import undo_sync
from tidegate.ingest.operation import run_operation
from tidegate.ingest.stage import key_hash
from tidegate.store.models import Connection, Engagement, Operation, Test
from tidegate.store.models import Feed as StoredFeed
from tidegate.store.models import Finding as StoredFinding
from tidegate.store.writers import remap

VEPS = ("a", "b", "c")
KEYS = ("k1", "k2", "k3", "k4")
BULK = tuple(f"m{n}" for n in range(22))
HASHES = {str(UUID(bytes=key_hash(key))): key for key in (*KEYS, *BULK)}
WHOLE_STEPS = remap.AT_ONCE, remap.BATCH
PAGED: tuple[Paged, ...] = ("whole", "steady", "drifting")
PATTERNS = (("*",), ("*",), ("main",), ("main", "d*"), ("o*", "none"), ("none",))
CLOSES_AFTER = 5
"""Days, where findings on a vanished branch close at all."""
IMPORTED = ("leave", "move", "close")
DECISIONS: tuple[tuple[dict[str, Any], dict[str, str | None]], ...] = (
    ({"verdict": "false positive"}, {"verdict": "false positive"}),
    ({"verdict": "accepted"}, {"verdict": "accepted"}),
    ({"verdict": "real"}, {"verdict": "real"}),
    ({"verdict": None}, {"verdict": None}),
    ({"severity": "Critical"}, {"severity": "5"}),
    ({"severity": "Info"}, {"severity": "0"}),
    ({"severity": None}, {"severity": None}),
    ({"note": "Seen.", "tags": ["web"], "verified": True}, {"note": "Seen.", "tags": '["web"]', "verified": "true"}),
)


def one_of(*choices: Any) -> Any:
    return st.sampled_from(choices)


class Histories(RuleBasedStateMachine):
    """One Connection to Acme. `scene` comes from the fixture and serves every history in turn."""

    scene: ClassVar[Scene]
    events: ClassVar[Any]
    """What may happen, by weight."""
    begins_with: ClassVar[dict[str, Any]] = {}
    """Of `begin`, what is not left to chance."""

    def __init__(self) -> None:
        super().__init__()
        stored.forget_everything()
        label = "Acme"
        self.world: BranchedWorld = self.scene.world  # pyright: ignore[reportAttributeAccessIssue]
        self.world.products.clear()
        self.world.exported.clear()
        self.world.patterns = PATTERNS[0]
        self.scene.connection_id = Connection.objects.create(tool="acme", label=label, created_by="alice").pk
        self.model = Model(label, hold_above=20)
        self.named = 0
        self.steps: dict[Step, Any] = {}
        self.last_history = self.last_journal = 0
        self.stored = stored.look(0, 0, HASHES)
        self.last_history = max((line["id"] for line in self.stored.history), default=0)
        self.last_journal = max((line["id"] for line in self.stored.journal), default=0)

    @initialize(
        hold_above=one_of(2, 4, 4, 20),
        exported=one_of(False, False, False, True),
        small_steps=st.booleans(),
        paged=one_of(*PAGED),
        bulk=st.booleans(),
        branched=one_of(False, True, True),
        mapped=st.lists(one_of("", "P1", "P1", "P2", "P2"), min_size=2, max_size=3),
    )
    def begin(self, **how: Any) -> None:
        """Not from nothing: most of what can go wrong needs Records that flow."""
        how |= self.begins_with
        mapped: list[str] = how["mapped"]
        self.world.paged = how["paged"]
        self.world.exported |= {"issues"} if how["exported"] else set()
        self.world.branched = how["branched"]
        if how["small_steps"]:
            # What one transaction does is done as a change, in small steps; the law is the same.
            remap.AT_ONCE, remap.BATCH = 1, 8 if how["bulk"] else 1  # pyright: ignore[reportConstantRedefinition]
        self.model.hold_above, self.model.close_branches_after = how["hold_above"], CLOSES_AFTER * how["branched"]
        connections.edit_connection(
            ALICE,
            self.scene.connection_id,
            hold_above=how["hold_above"],
            close_branches_after=self.model.close_branches_after,
        )
        for vep in VEPS[: len(mapped)]:
            self.world.add(vep, f"Site {vep}", rows(*KEYS[:3], *(BULK if how["bulk"] and vep == "a" else ())))
        self.run_discover(HEALTHY)
        for vep, target in zip(VEPS, mapped, strict=False):
            if target:
                self.run_map([self.model.records[vep]], target, "leave")
        self.run_sync(HEALTHY, None)

    def teardown(self) -> None:
        remap.AT_ONCE, remap.BATCH = WHOLE_STEPS  # pyright: ignore[reportConstantRedefinition]

    @rule(event=st.runner().flatmap(lambda machine: machine.events))
    def happens(self, event: tuple[str, dict[str, Any]]) -> None:
        """One rule for all: Hypothesis switches rules off by the dozen in each history, and most bugs need several."""
        verb, how = event
        getattr(self, verb)(**how)

    # The vendor: nothing of this is known here before it is asked

    def vendor_changes_a_vep(self, vep: str, what: str) -> None:
        product = self.world.products.get(vep)
        if product is None:
            self.world.add(vep, f"Site {vep}", rows(*KEYS[:2]))
        elif what == "rename":
            product.name, product.parent = (
                (f"New {vep}", "EU") if product.name.startswith("Site") else (f"Site {vep}", "")
            )
        elif what == "remove":
            del self.world.products[vep]
        elif what == "off":
            product.off ^= {"issues"}
        elif what == "skip":
            product.skipped = {} if product.skipped else {"issues": "No scan has completed yet."}
        elif what == "vanish":
            product.families.pop("secrets", None)
        else:
            product.families["secrets"] = rows("k1", "k4")

    def vendor_changes_findings(self, vep: str, what: str, keys: set[str], severity: str) -> None:
        if vep not in self.world.products:
            return
        self.change_rows(self.world.issues(vep), what, keys, severity)

    def change_rows(self, there: Rows, what: str, keys: set[str], severity: str) -> None:
        if what == "clear":
            there.clear()
        elif what == "many":
            there |= rows(*BULK)
        elif what == "few":
            for key in BULK[2:]:
                there.pop(key, None)
        for key in sorted(keys):
            if what == "add":
                there[key] = row(key, severity=severity)
            elif what == "remove":
                there.pop(key, None)
            elif key in there and what == "title":
                there[key] = there[key] | {"title": f"{there[key]['title']}!"}
            elif key in there and what == "severity":
                there[key] = there[key] | {"severity": severity}
            elif key in there and what in ("fixed", "false positive"):
                there[key] = there[key] | {"status": "open" if there[key]["status"] == what else what}

    def vendor_changes_a_branch(self, vep: str, branch: str, what: str, keys: set[str]) -> None:
        """It comes, goes and is scanned again, for one Family or two; its findings have the keys of the main one."""
        name, more, product = f"issues@{branch}", f"secrets@{branch}", self.world.products.get(vep)
        if product is None or not self.world.branched:
            return
        if what == "vanish":
            product.families.pop(name, None)
            product.families.pop(more, None)
        elif what == "appear":
            product.families.setdefault(name, rows(*keys))
        elif what == "family":
            product.families |= {} if product.families.pop(more, None) else {more: rows(*keys)}
        elif what == "off":
            product.off ^= {name}
        elif name in product.families:
            self.change_rows(product.families[name], what, keys, "low")

    def vendor_pages_otherwise(self, paged: Paged) -> None:
        self.world.paged = paged

    # Operations

    def discover(self, kind: str, login: bool) -> None:
        self.run_discover(Fault(kind, login=login))

    def sync(self, kind: str, vep: str, login: bool) -> None:
        self.run_sync(Fault(kind, vep, login), None)

    def vendor_changes_a_vep_and_discover(self, vep: str, what: str) -> None:
        """The pair that every absence and every return hangs on."""
        self.vendor_changes_a_vep(vep, what)
        self.run_discover(HEALTHY)

    def vendor_changes_and_sync(
        self, veps: set[str], what: str, keys: set[str], severity: str, kind: str, then: str
    ) -> None:
        """The pair that everything about closing hangs on; and the undo of it, and what comes again after that."""
        for vep in sorted(veps):
            self.vendor_changes_findings(vep, what, keys, severity)
        self.run_sync(Fault(kind, min(veps)), None)
        self.follow(min(veps), then)

    def follow(self, vep: str, then: str) -> None:
        for what_then in filter(None, then.split(", ")):
            if what_then == "sync":
                self.run_sync(HEALTHY, None)
            elif what_then.startswith("undo"):
                self.undo_a_sync(vep, what_then != "undo all", 0)
            else:
                self.settle_what_is_held(-1, what_then == "approve")

    def vendor_changes_a_branch_and_sync(
        self, vep: str, branch: str, what: str, keys: set[str], days: int, kind: str, foreseen: bool, then: str
    ) -> None:
        """What closes on a vanished branch hangs on all of these."""
        self.vendor_changes_a_branch(vep, branch, what, keys)
        self.days_pass(days)
        sync = self.foresee_and_sync if foreseen else self.run_sync
        sync(Fault(kind, vep, of_branches=True), None)
        self.follow(vep, then)

    def days_pass(self, days: int) -> None:
        stored.days_pass(days)
        self.model.today += days

    def choose_branches(self, patterns: tuple[str, ...], sync: bool) -> None:
        """The setting is changed; what no pattern matches any more stays as it is."""
        if not self.world.branched:
            return
        connections.edit_connection(ALICE, self.scene.connection_id, settings={"branches": list(patterns)})
        self.world.patterns = patterns
        self.look()
        if sync:
            self.run_sync(HEALTHY, None)

    def choose_days(self, days: int) -> None:
        connections.edit_connection(ALICE, self.scene.connection_id, close_branches_after=days)
        self.model.close_branches_after = days
        self.look()

    def sync_one_record(self, kind: str, vep: str) -> None:
        if vep in self.model.records:
            self.run_sync(Fault(kind, vep), self.model.records[vep])

    def sync_twice(self) -> None:
        """promises.md 2 beyond what each Sync proves of unchanged rows: the second of two writes no finding at all."""
        self.run_sync(HEALTHY, None)
        before, told = self.model.state()["findings"], {id: found["xmin"] for id, found in self.stored.findings.items()}
        self.run_sync(HEALTHY, None)
        if {place: without_waiting(found) for place, found in before.items()} == {
            place: without_waiting(found) for place, found in self.model.state()["findings"].items()
        }:
            assert {id: found["xmin"] for id, found in self.stored.findings.items()} == told

    def run_discover(self, fault: Fault) -> Any:
        operation = self.run(
            lambda: operations.request_discover(ALICE, self.scene.connection_id),
            Wire(self.world, fault, discover=True),
        )
        if fault.login:
            assert operation.status == "failed"
        else:
            heard = vendor.listed(self.world, fault)
            self.model.discover(operation.pk, heard)
            assert operation.complete == bool(heard.proof)
        self.look(writes_only_changes=True)
        return operation

    def run_sync(self, fault: Fault, only: Record | None) -> Any:
        """Returns the Operation; None where there is none, because the Record lets nothing flow."""
        scope = None if only is None else [self.id_of(only)]
        if only is not None and (only.state != "Good" or only.facts.deleted):
            self.refused(lambda: operations.request_sync(ALICE, self.scene.connection_id, scope))
            return None
        # Mapping asks for a Sync after the time to undo, which this one would join: it reads what it says it reads.
        self.scene.forget_what_waits()
        ask = lambda: operations.request_sync(ALICE, self.scene.connection_id, scope)  # noqa: E731
        operation = self.run(ask, Wire(self.world, fault, discover=False))
        if fault.login:
            assert operation.status == "failed"
        else:
            told = {
                record: vendor.told(self.world, record, fault) for record in sorted(self.model.records, key=self.id)
            }
            law = self.model.sync(operation.pk, told, only)
            assert operation.status in (("partial", "failed") if law.held else ("success", "partial", "failed"))
            proven, stand = stored.proven(operation.pk)
            assert proven == law.proven, f"What was read whole, and where its rows are: {law.proven}, {proven}"
            assert stand, "A proof is not the one that stands now."
        self.look(writes_only_changes=True)
        return operation

    def run(self, ask: Callable[[], int], wire: Wire | None = None) -> Any:
        """Asks for an Operation and is its worker: a listener for each, as whoever waits has it, costs a tenth."""
        self.world.interfere, number = wire, ask()
        try:
            run_operation(number)
        finally:
            self.world.interfere = None
        return Operation.objects.get(pk=number)

    # What would be, and what was

    def preview_a_sync(self, kind: str, vep: str, alone: bool) -> None:
        self.foresee_and_sync(Fault(kind, vep), self.model.records.get(vep) if alone else None)

    def foresee_and_sync(self, fault: Fault, only: Record | None) -> None:
        """A preview says what the Sync right after it does, and does nothing."""
        scope = None if only is None else [self.id_of(only)]
        ask = lambda: operations.request_sync_preview(ALICE, self.scene.connection_id, scope)  # noqa: E731
        if only is not None and (only.state != "Good" or only.facts.deleted):
            self.refused(ask)
            return
        with only_the_preview_is_written():
            foreseen = self.run(ask, Wire(self.world, fault, discover=False))
        self.look()
        done = self.run_sync(fault, only)
        assert (foreseen.status, foreseen.verdict, foreseen.counts) == (done.status, done.verdict, done.counts)
        would, did = stored.would_do(foreseen.pk), stored.did(done.pk)
        assert would == did, f"What it said, what was done: {would}, {did}"

    def preview_a_discover(self, kind: str) -> None:
        fault = Fault(kind)
        ask = lambda: operations.request_discover_preview(ALICE, self.scene.connection_id)  # noqa: E731
        with only_the_preview_is_written():
            foreseen = self.run(ask, Wire(self.world, fault, discover=True))
        self.look()
        done = self.run_discover(fault)
        assert (foreseen.status, foreseen.complete, foreseen.counts) == (done.status, done.complete, done.counts)

    def undo_a_sync(self, vep: str, alone: bool, pick: int) -> None:
        """The latest of a Record, most of the time; an earlier one is refused."""
        record = self.model.records.get(vep)
        syncs = [sync for sync, applied in self.model.syncs.items() if record in applied]
        if record is None or not syncs:
            return
        sync = syncs[-1 - pick % len(syncs)]
        applied = self.model.syncs[sync]
        chosen = [record] if alone else [each for each, left in applied.items() if not left.undone]
        ask = lambda: undo_sync(ALICE, sync, self.ids_of([record]) if alone else None)  # noqa: E731
        if not chosen or not all(self.model.may_undo_sync(sync, each) for each in chosen):
            self.refused(ask)
            self.look()
            return
        undo = self.see_through(ask())
        did = self.model.undo_sync(sync, chosen, undo.pk)
        assert did == {word: undo.counts.get(word, 0) for word in did}
        self.look()

    def see_all_through(self, changes: Iterable[int]) -> None:
        for change in changes:
            self.see_through(change)

    def see_through(self, operation: int) -> Any:
        """A change, to its end."""
        change = self.run(lambda: operation)
        assert change.status == "success", change.why
        return change

    def delete_and_continue_the_connection(self) -> None:
        """Its Records let nothing flow meanwhile; then they, their Tests and decisions are as they were."""
        id = self.scene.connection_id
        connections.delete_connection(ALICE, id, self.model.label)
        self.refused(lambda: operations.request_discover(ALICE, id))
        self.refused(lambda: operations.request_sync(ALICE, id))
        self.look()
        kept: dict[str, Any] = {"auto_map": self.model.auto_map, "minimum_severity": self.model.minimum}
        kept |= {"close_branches_after": self.model.close_branches_after, "continues": id, "discover": False}
        settings = {"branches": list(self.world.patterns)}
        assert connections.add_connection(ALICE, "acme", self.model.label, settings, {}, **kept) == id
        self.look()

    # People decide about Records

    def map(self, veps: set[str], to: str, imported: str) -> None:
        if chosen := self.records_of(veps):
            self.run_map(chosen, to, imported)

    def run_map(self, chosen: list[Record], to: str, imported: str) -> None:
        if to == "new":
            self.named += 1
            to = f"Product {self.named}"
        there = self.stored.products.get(to)
        target: dict[str, Any] = {"product_id": there["id"]} if there else {"new_product": to}
        outcome = records.map_records(ALICE, self.ids_of(chosen), already_imported=imported, **target)  # pyright: ignore[reportArgumentType]
        self.see_all_through(outcome.operations)
        self.decided(outcome, self.model.map(chosen, to, imported))

    def detour(self, vep: str, to: str, key: str, decision: Any, imported: str) -> None:
        """To another Product and back, with what was imported and decided there."""
        record = self.model.records.get(vep)
        home = record.product if record else None
        if record is None or home is None or record.state != "Good" or record.facts.deleted or home.name == to:
            return
        self.run_map([record], to, "leave")
        self.run_sync(HEALTHY, None)
        self.decide(vep, key, 0, decision)
        self.run_map([record], home.name, imported)

    def unmap(self, veps: set[str], what: str) -> None:
        chosen = self.records_of(veps)
        if not chosen:
            return
        ids = self.ids_of(chosen)
        if what == "ignore":
            self.decided(records.ignore_records(ALICE, ids, "Not ours."), self.model.ignore(chosen, "Not ours."))
        elif what == "restore":
            self.decided(records.restore_records(ALICE, ids), self.model.restore(chosen))
        elif what == "delete":
            self.decided(records.delete_records(ALICE, ids), self.model.delete(chosen))
        else:
            outcome = records.restore_records(ALICE, ids[:1], to_earlier=True)
            self.decided(outcome, self.model.restore_to_earlier(chosen[0]))

    def undo(self, vep: str, whole_step: bool) -> None:
        record = self.model.records.get(vep)
        if record is None:
            return
        step = record.last
        if step is None:
            self.refused(lambda: records.undo(ALICE, record_id=self.id_of(record)))
            return
        chosen = list(step.before) if whole_step and step in self.steps else [record]
        if not all(self.model.plays_undo(step, each) for each in chosen):
            return
        how: dict[str, Any] = {"record_id": self.id_of(record)}
        if whole_step and step in self.steps:
            how = {"step": self.steps[step]}
        outcome = records.undo(ALICE, **how)
        self.see_all_through(outcome.operations)
        done = self.model.undo(step, chosen)
        assert {item.id for item in outcome.items if item.ok} == set(self.ids_of(done)), outcome
        self.look()

    def decided(self, outcome: StepOutcome, step: Step | None) -> None:
        assert (outcome.step is None) == (step is None), outcome
        if step is not None:
            self.steps[step] = outcome.step
        self.look()

    def switch_auto_map(self, on: bool, discover: bool) -> None:
        connections.edit_connection(ALICE, self.scene.connection_id, auto_map=on)
        self.model.auto_map = on
        if discover:
            self.run_discover(HEALTHY)

    def change_threshold(self, minimum: int, sync: bool) -> None:
        edited = connections.edit_connection(ALICE, self.scene.connection_id, minimum_severity=minimum)
        self.see_all_through([edited.operation] if edited.operation else [])
        self.model.set_minimum(minimum)
        self.look()
        if sync:
            self.run_sync(HEALTHY, None)

    # People decide about findings

    def decide(
        self, vep: str, key: str, pick: int, decision: tuple[dict[str, Any], dict[str, str | None]], on: str = "issues"
    ) -> None:
        """On all branches, whichever it is said `on`. About what flows, most of the time: only there another event
        meets it again."""
        there = self.findings_where(lambda feed, finding: True)
        if not there:
            return
        record, wanted = self.model.records.get(vep), (on, key)
        flowing = record.facts.feed if record else None
        feed, found = (flowing, wanted) if flowing and wanted in flowing.findings else picked(there, pick)
        findings.decide_finding(ALICE, self.id_of_finding(feed, found), **decision[0])
        self.model.decide(feed, found, decision[1])
        self.look()

    def settle_what_is_held(self, pick: int, approve: bool) -> None:
        if not self.holding():
            return
        operation = picked(self.holding(), pick)
        if approve:
            operations.approve(ALICE, operation)
            self.model.approve(operation)
        else:
            operations.keep_open(ALICE, operation)
            self.model.keep_open(operation)
        self.look()

    def close_what_is_left_behind(self, pick: int) -> None:
        if not self.left_behind():
            return
        feed, key = picked(self.left_behind(), pick)
        findings.close_findings(ALICE, [self.id_of_finding(feed, key)])
        self.model.close_unwatched(feed, key)
        self.look()

    # Where imported data lives

    def delete_target(self, pick: int, level: str, plain_sql: bool) -> None:
        if not self.model.products:
            return
        product = self.model.products[picked(sorted(self.model.products), pick)]
        there = self.stored.products[product.name]
        id = there["id"] if level == "product" else there[level]
        if id is None:
            return
        delete, forget, name = {
            "product": (products.delete_product, self.model.delete_product, product.name),
            "engagement": (delete_engagement, self.model.delete_engagement, "Global Connectors"),
            "test": (delete_test, self.model.delete_test, there["test_name"]),
        }[level]
        if plain_sql:
            stored.delete(level, id)
        else:
            delete(ALICE, id, name)
        forget(product)
        self.look()

    def others_import_the_same_findings(self, pick: int) -> None:
        """Into a Product of ours, in an Engagement that has our name and is not ours."""
        feeds = [feed for feed in self.model.living_feeds() if feed.findings and not feed.test.product.others]
        if not feeds:
            return
        feed = picked(feeds, pick)
        product = feed.test.product
        theirs = Engagement.objects.create(
            product_id=self.stored.products[product.name]["id"], name="Global Connectors"
        )
        test = Test.objects.create(engagement=theirs, name="By hand")
        into = StoredFeed.objects.create(record_id=self.id_of(feed.record), test=test)
        for (family, key), finding in feed.findings.items():
            StoredFinding.objects.create(
                feed=into, family=family.partition("@")[0], branch=branch_of(family), key=key,
                key_hash=UUID(bytes=key_hash(key)), fingerprint=UUID(int=0), fields={}, mapping_version=1,
                severity_vendor=3, severity=3, active=True, created_operation=1, title=finding.title,
            )  # fmt: skip
        product.others = len(feed.findings)
        self.look()

    # What is checked after each

    def look(self, *, writes_only_changes: bool = False) -> None:
        """promises.md 1 to 5 and 8, on what is stored now and on how it came from what was stored before."""
        before, self.stored = self.stored, stored.look(self.last_history, self.last_journal, HASHES)
        check_state(self.model.state(), self.stored.state())
        assert not self.stored.miscounted, "the tally is not what is there"
        assert not self.stored.kept_wrongly, "what lists begin with is not what is there"
        assert not self.stored.unexplained, "closed, and nothing says why"
        check_history(before, self.stored)
        check_journal(before, self.stored)
        check_others(before, self.stored)
        if writes_only_changes:
            check_nothing_else_written(before, self.stored)
        self.last_history = max((line["id"] for line in self.stored.history), default=self.last_history)
        self.last_journal = max((line["id"] for line in self.stored.journal), default=self.last_journal)

    # Names and numbers

    def records_of(self, veps: set[str]) -> list[Record]:
        return [record for key, record in self.model.records.items() if key in veps]

    def id(self, vep: str) -> int:
        return self.stored.records[vep]["id"]

    def id_of(self, record: Record) -> int:
        return self.id(record.key)

    def ids_of(self, chosen: list[Record]) -> list[int]:
        return [self.id_of(record) for record in chosen]

    def id_of_finding(self, feed: Feed, key: Key) -> int:
        place = [feed.record.key, feed.test.product.name, *key]
        return next(id for id, found in self.stored.findings.items() if found["ours"] and found["place"] == place)

    def findings_where(self, holds: Callable[[Feed, Finding], bool]) -> list[tuple[Feed, Key]]:
        feeds = self.model.living_feeds()
        return [(feed, key) for feed in feeds for key, finding in feed.findings.items() if holds(feed, finding)]

    def left_behind(self) -> list[tuple[Feed, Key]]:
        return self.findings_where(lambda feed, finding: finding.open and feed.record.facts.feed is not feed)

    def holding(self) -> list[int]:
        waiting = [feed.findings[key].waits for feed, key in self.findings_where(lambda feed, finding: True)]
        closings = [waits.seen_by for waits in waiting if waits is not None and waits.standing == "held"]
        absences = [record.absence_held_by for record in self.model.records.values()]
        return sorted({operation for operation in (*closings, *absences) if operation})

    def refused(self, ask: Callable[[], object]) -> None:
        try:
            ask()
        except Refused:
            return
        raise AssertionError("That should have been refused.")


def picked(choices: list[Any], pick: int) -> Any:
    return choices[pick % len(choices)]


def event(verb: str, **how: Any) -> Any:
    return st.tuples(st.just(verb), st.fixed_dictionaries(how))


VEP = one_of(*VEPS)
SOME = st.sets(VEP, min_size=1, max_size=2)
PICK = st.integers(0, 99)
VEP_CHANGE = {
    "vep": VEP,
    "what": one_of("rename", *["remove"] * 3, *["family"] * 2, "off", "skip", "vanish"),
}
REGRETS = (
    "undo",
    "undo all",
    "undo, sync",
    "undo all, sync",
    "undo, sync, keep, sync",
    "undo, sync, undo",
    "undo, sync, approve",
    "approve, undo",
    "approve, undo",
)
"""What may follow on a Sync, for it hangs together."""
FINDING_CHANGES = event(
    "vendor_changes_findings",
    vep=VEP,
    what=one_of("add", "remove", "title", "severity", "fixed", "false positive"),
    keys=st.sets(one_of(*KEYS), min_size=1, max_size=3),
    severity=one_of(*SEVERITIES),
)
CHANGED: dict[str, Any] = {
    "veps": st.sets(VEP, min_size=1),
    "what": one_of("remove", "remove", "clear", "few", "many", "add", "add", "severity", "title", "fixed", "fixed"),
    "keys": one_of({"k1"}, {"k2", "k3"}, {"k1", "k2", "k3"}),
    "severity": one_of("high", "low", "apocalyptic"),
    "kind": one_of(*[""] * 12, *FINDING_FAULTS, "hidden", "hidden"),
    "then": one_of(*[""] * 12, *REGRETS),
}
CHANGE_AND_SYNC = event("vendor_changes_and_sync", **CHANGED)
BRANCH_CHANGED: dict[str, Any] = {
    "vep": one_of("a", "a", "b"),
    "branch": one_of("dev", "dev", "old"),
    "what": one_of(
        "vanish", "vanish", "vanish", "appear", "appear", "add", "remove", "fixed", "title", "severity", "family", "off"
    ),
    "keys": one_of({"k1"}, {"k2", "k3"}, {"k1", "k2", "k3"}),
    "days": one_of(0, 0, CLOSES_AFTER - 1, CLOSES_AFTER, CLOSES_AFTER),
    "kind": one_of(*[""] * 14, *BRANCH_FAULTS),
    "foreseen": one_of(*[False] * 7, True),
    "then": one_of(*[""] * 12, *REGRETS),
}
BRANCH_AND_SYNC = event("vendor_changes_a_branch_and_sync", **BRANCH_CHANGED)
CHOOSE_BRANCHES = event("choose_branches", patterns=one_of(*PATTERNS), sync=st.booleans())
DISCOVER = event("discover", kind=one_of("", "", "", *LIST_FAULTS), login=one_of(*[False] * 9, True))
SYNC = event("sync", kind=one_of(*[""] * 6, *FINDING_FAULTS), vep=VEP, login=one_of(*[False] * 19, True))
MAP = event(
    "map", veps=SOME, to=one_of("new", "P1", "P1", "P2", "P2"), imported=one_of("leave", "move", "move", "close")
)
UNMAP = event("unmap", veps=SOME, what=one_of("ignore", "ignore", "restore", "to earlier", "to earlier", "delete"))
UNDO = event("undo", vep=VEP, whole_step=st.booleans())
VEP_AND_DISCOVER = event("vendor_changes_a_vep_and_discover", **VEP_CHANGE)
AUTO_MAP = event("switch_auto_map", on=one_of(True, True, False), discover=st.booleans())
DETOUR = event(
    "detour",
    vep=VEP,
    to=one_of("P1", "P2"),
    key=one_of("k1", "k2"),
    decision=one_of(*DECISIONS),
    imported=one_of(*IMPORTED),
)
PREVIEW = event("preview_a_sync", vep=VEP, kind=one_of("", "", *FINDING_FAULTS), alone=one_of(False, False, True))
UNDO_A_SYNC = event("undo_a_sync", vep=VEP, alone=st.booleans(), pick=one_of(0, 0, 0, 1))
THRESHOLD = event("change_threshold", minimum=one_of(0, 1, 3, 4), sync=st.booleans())
DECIDE = event(
    "decide",
    vep=VEP,
    key=one_of("k1", "k2", "k3"),
    pick=PICK,
    decision=one_of(*DECISIONS),
    on=one_of("issues", "issues", "issues@dev"),
)
EVENTS = (
    event("vendor_changes_a_vep", **VEP_CHANGE),
    *[VEP_AND_DISCOVER] * 3,
    FINDING_CHANGES,
    event("vendor_pages_otherwise", paged=one_of(*PAGED)),
    *[CHANGE_AND_SYNC] * 6,
    *[BRANCH_AND_SYNC] * 4,
    CHOOSE_BRANCHES,
    event("choose_days", days=one_of(0, 1, CLOSES_AFTER, CLOSES_AFTER)),
    DISCOVER,
    SYNC,
    event("sync_one_record", vep=VEP, kind=one_of("", "", *FINDING_FAULTS)),
    event("sync_twice"),
    *[MAP] * 3,
    DETOUR,
    *[UNMAP] * 2,
    *[UNDO_A_SYNC] * 2,
    PREVIEW,
    event("preview_a_discover", kind=one_of("", "", *LIST_FAULTS)),
    *[UNDO] * 2,
    *[AUTO_MAP] * 2,
    *[THRESHOLD] * 2,
    *[DECIDE] * 3,
    *[event("settle_what_is_held", pick=PICK, approve=st.booleans())] * 2,
    event("close_what_is_left_behind", pick=PICK),
    event("delete_target", pick=PICK, level=one_of("product", "engagement", "test"), plain_sql=st.booleans()),
    event("others_import_the_same_findings", pick=PICK),
    event("delete_and_continue_the_connection"),
)


def one_event_of(events: Iterable[Any]) -> Any:
    """By weight: one_of would take what stands there four times for one."""
    return st.sampled_from(tuple(events)).flatmap(lambda chosen: chosen)


Histories.events = one_event_of(EVENTS)
