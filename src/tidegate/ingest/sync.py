"""Sync: brings the findings of every mapped, Good Record into its Product, and closes only what is proven gone."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass
from itertools import islice
from typing import Any, Final, cast

from django.db import connection as database
from django.db.models import QuerySet

from tidegate.rules.cause import cause_of, worst_cause
from tidegate.rules.hold import HoldPolicy, RecordCount, verdict
from tidegate.store.acting import say_who_acts
from tidegate.store.models import Connection, Held, Part, Record, Result
from tidegate.store.sql import sql
from tidegate.store.statement import run as statement
from tidegate.store.writers.operation import hold_claim, save_verdict
from tidegate.store.writers.record import home_of_no_product
from tidegate_sdk import NO_PRODUCT, ConnectorError, Tool, Vep

from . import apply
from .login import log_in
from .read import PartRead, RecordRead, read_part, read_record
from .record import Reading, apply_record, apply_record_finally, save_failure
from .run import Ending, Run
from .stage import Share, Spool
from .vendor import Vendor, visiting
from .walk import FIRST_SHARED, Walks
from .witness import Witness

LOOKED_UP_AT_ONCE: Final = 200
AT_ONCE: Final = 4
"""Records read from the vendor at the same time; each is applied by itself, in turn."""


@dataclass
class Begun:
    """A Record that is being read."""

    record: Record
    spool: Spool
    marks: dict[tuple[str, str], str]
    """Of the states last applied, by Family and Branch."""
    future: Future[RecordRead]


def run_sync(run: Run, connection: Connection, tool: Tool[Any]) -> Ending:
    """Reads and applies what is left of the Operation's scope; then the verdict on what is gone, carried out."""
    if run.operation.verdict is None:
        with visiting(run, tool) as vendor:
            log_in(run, vendor, connection)
            _read_and_apply(run, vendor, connection)
        run.check()
        with run.in_database():
            save_verdict(run.claim, _verdict(run, connection))
    _carry_out(run)
    return _ending(run)


def _rows(spools: list[Spool]) -> int:
    return sum(sum(list(spool.rows.values())) for spool in spools)


def vep_of(record: Record) -> Vep:
    """The VEP as the last Discover saw it."""
    return Vep(
        id=record.vendor_id, name=record.name, url=record.url, parent=record.parent, attributes=record.attributes
    )


def _read_and_apply(run: Run, vendor: Vendor, connection: Connection) -> None:
    apply.prepare_staging()
    left = _records_left(run)
    looking = Looking(vendor, Witness(vendor), _walks(vendor, left))
    records, done = _one_by_one(left), 0
    reading: deque[Begun] = deque()
    try:
        looking.read_walks(run)
        while True:
            run.check()
            reading.extend(_begin(vendor, record) for record in islice(records, AT_ONCE - len(reading)))
            if not reading:
                break
            spools = [begun.spool for begun in reading]
            run.show(f"Reading {reading[0].record.name}", done, len(left), lambda spools=spools: _rows(spools))
            _finish(run, connection, reading.popleft(), looking)
            done += 1
        run.show("All Records are read", done, len(left))
    finally:
        for begun in reading:
            begun.future.cancel()
            begun.spool.close()
        if looking.walks is not None:
            looking.walks.close()


def _records_left(run: Run) -> list[int]:
    """The mapped, Good Records of the scope that this Operation has no result for yet, by id."""
    records = Record.objects.filter(
        connection_id=run.operation.connection_id,
        decision="mapped",
        feed__isnull=False,
        absent_since__isnull=True,
        deleted_at__isnull=True,
    )
    if "records" in run.operation.scope:
        records = records.filter(pk__in=run.operation.scope["records"])
    read = Result.objects.filter(operation_id=run.claim.operation, family="").values("record_id")
    return list(records.exclude(pk__in=read).order_by("pk").values_list("pk", flat=True))


def _one_by_one(records: Sequence[int]) -> Iterator[Record]:
    """The Records of these ids; looked up some at a time, so that memory stays constant."""
    for start in range(0, len(records), LOOKED_UP_AT_ONCE):
        some = records[start : start + LOOKED_UP_AT_ONCE]
        found = Record.objects.in_bulk(some)
        yield from (found[record] for record in some)


def _walks(vendor: Vendor, left: Sequence[int]) -> Walks | None:
    """One walk for all Records that are left, where the Tool may have such; None where it has none."""
    kind, by_default = cast("Any", type(vendor.tool)), cast("Any", Tool)
    if kind.shared is by_default.shared:
        return None
    records: dict[str, int] = {}
    veps: list[Vep] = []
    for record in Record.objects.filter(pk__in=left).order_by("pk").iterator():
        records[record.vendor_id] = record.pk
        veps.append(vep_of(record))
    return Walks(records, veps, vendor.tool.mapping_version)


def _begin(vendor: Vendor, record: Record) -> Begun:
    applied = Part.objects.filter(feed_id=record.feed_id).exclude(mark="")
    marks = {(part.family, part.branch): part.mark for part in applied}
    spool = Spool()
    work = read_record(vendor.session, vep_of(record), spool, mapping_version=vendor.tool.mapping_version, marks=marks)
    return Begun(record, spool, marks, vendor.submit(work))


@dataclass
class Looking:
    """How this Operation looks at its vendor: the Session, the witness, and the walks that serve many Records."""

    vendor: Vendor
    witness: Witness
    walks: Walks | None

    def read_walks(self, run: Run) -> None:
        """Reads what serves many Records, before the first of them."""
        walks = self.walks
        if walks is None:
            return
        run.show("Reading for all Records at once", 0, None, walks.spool.rows.total)
        self.vendor.call(walks.read(self.vendor.session))
        with run.in_database():
            walks.note_repeats(apply.stage_walk(walks.spool))
            if walks.saw_no_product and not run.operation.preview:
                apply.again_after_deadlock(lambda: _make_home(run))

    def add_share(self, begun: Begun, read: RecordRead) -> None:
        """Adds to what was read of a Record its share of the walks."""
        if self.walks is not None:
            self.walks.add_share(read, begun.record.pk, begun.marks)

    def share_of(self, begun: Begun) -> Share | None:
        """What the walks brought for a Record by now."""
        walks, record = self.walks, begun.record.pk
        return Share(record, walks.spool, walks.came(record)) if walks is not None and walks.walks else None

    def list_branches_again(self, read: RecordRead) -> None:
        """A branch that numbered pages lack is gone only if a second list lacks it too."""
        if read.listed is not None:
            read.note_branches(self.vendor.call(self.vendor.session.branches(read.listed.asked)))

    def look_again(self, run: Run, begun: Begun, part: PartRead) -> None:
        """Nothing at all needs a witness; drifting pages and repeated rows are read a second time."""
        if part.outcome is not None and part.outcome.seen == 0:
            try:
                named = self.witness.still_names(vep_of(begun.record))
            except ConnectorError as error:
                part.skip(f"The tool answered with nothing, and could not be asked whether it still knows it. {error}")
                return
            if not named:
                part.skip("The tool answered with nothing and no longer names it, so nothing is closed. Run Discover.")
                return
        if not part.drifting and part.proves:
            return
        if self.walks is None or part.number < FIRST_SHARED:
            version = self.vendor.tool.mapping_version
            self.vendor.call(read_part(self.vendor.session, part, begun.spool, mapping_version=version))
            return
        run.show("Reading for all Records a second time", 0, None)
        self.vendor.call(self.walks.read_again(self.vendor.session, part.number))
        with run.in_database():
            self.walks.note_repeats(apply.stage_walk(self.walks.spool))
        self.walks.fill(part, begun.record.pk)


def _make_home(run: Run) -> None:
    """What a walk alone shows to belong to no product gets a Record, for a person, a rule or auto-map to decide about:
    the list of VEPs names none."""
    hold_claim(run.claim)
    say_who_acts(apply.ACTOR, operation=run.claim.operation)
    if record := home_of_no_product(run.operation.connection_id, run.claim.operation, NO_PRODUCT):
        run.say(f"Findings belong to no product: the Record {NO_PRODUCT} is there for them now.", record=record)


def _finish(run: Run, connection: Connection, begun: Begun, looking: Looking) -> None:
    """Applies one Record, after a second look at the vendor where something would close on a doubtful answer."""
    with begun.spool:
        read = looking.vendor.result(begun.future)
        looking.add_share(begun, read)
        if read.error is not None and not read.parts:
            run.say(f"{begun.record.name}: {read.error}", "error", record=begun.record.pk)
            run.causes.add(cause_of(read.error))
            with run.in_database():
                save_failure(run, begun.record, str(read.error))
            return
        reading = Reading(begun.record, begun.spool, read, looking.vendor.tool.mapping_version, looking.share_of(begun))
        with run.in_database():
            doubtful = apply_record(run, connection, reading)
        if doubtful:
            run.say(f"{begun.record.name}: looking again before anything is closed.", record=begun.record.pk)
            if any(part.vanished for part in doubtful):
                looking.list_branches_again(read)
            for part in doubtful:
                if not part.vanished:
                    looking.look_again(run, begun, part)
            reading.share = looking.share_of(begun)
            with run.in_database():
                apply_record_finally(run, connection, reading)


def _verdict(run: Run, connection: Connection) -> dict[int, str]:
    """What becomes of the findings that are gone, from the counts that each apply left."""
    results = Result.objects.filter(operation_id=run.claim.operation, family="")
    results = results.exclude(outcome__in=["failed", "dropped"])
    counts = [RecordCount(result.record_id, result.open_before, result.gone) for result in results]
    rulings = verdict(counts, HoldPolicy(connection.hold_above, connection.hold_percent))
    lost = {count.record_id for count in counts if count.gone}
    return {record: ruling for record, ruling in rulings.items() if record in lost}


def _carry_out(run: Run) -> None:
    run.operation.refresh_from_db()
    rulings: dict[str, str] = run.operation.verdict or {}
    for number, (record, ruling) in enumerate(sorted(rulings.items(), key=lambda item: int(item[0]))):
        run.check()
        run.show("Closing what is gone", number, len(rulings))
        with run.in_database():
            apply.again_after_deadlock(lambda record=int(record), ruling=ruling: _carry_out_one(run, record, ruling))


def _carry_out_one(run: Run, record_id: int, ruling: str) -> None:
    """Closes or holds what waits in the Feed that the Record still writes to. Doing it twice changes nothing."""
    hold_claim(run.claim)
    record = Record.objects.select_for_update().get(pk=record_id)
    result = Result.objects.select_for_update().get(operation_id=run.claim.operation, record_id=record_id, family="")
    if run.operation.preview:
        _foresee_verdict(run, result, ruling)
        return
    waiting = Held.objects.filter(feed_id=record.feed_id, latest_operation=run.claim.operation)
    say_who_acts(apply.ACTOR, operation=run.claim.operation)
    parameters = {"feed": record.feed_id, "operation": run.claim.operation, "actor": apply.ACTOR}
    with database.cursor() as cursor:
        if ruling == "close":
            cursor.execute(sql("close_pending"), parameters)
            result.counts["closed"] = result.counts.get("closed", 0) + cursor.rowcount
        else:
            cursor.execute(sql("hold_pending"), parameters)
            result.counts["held"] = waiting.filter(standing=Held.HELD).count()
            run.say(
                f"{record.name}: {result.counts['held']:,} of {result.open_before:,} open findings are gone at once;"
                f" they are held until a person decides.",
                "warning",
                record=record_id,
            )
    result.counts = {word: number for word, number in result.counts.items() if number}
    result.save(update_fields=["counts"])


def _foresee_verdict(run: Run, result: Result, ruling: str) -> None:
    """What is gone would be closed, or held."""
    word = "closed" if ruling == "close" else "held"
    if word == "held":
        statement("foresee_held", operation=run.claim.operation, record=result.record_id)
    families = Result.objects.filter(operation_id=run.claim.operation, record_id=result.record_id).exclude(family="")
    result.counts[word] = sum(family.counts.get(word, 0) for family in families) + result.gone
    result.save(update_fields=["counts"])


def applied_counts(operation: int) -> Counter[str]:
    """What an Operation has done so far, from the results of its Records; also where it did not come to its end."""
    return _counted(_results_of(operation))


def _counted(results: Iterable[Result]) -> Counter[str]:
    counts: Counter[str] = Counter()
    for result in results:
        counts.update(result.counts)
        counts["records"] += 1
    return counts


def _results_of(operation: int) -> QuerySet[Result]:
    return Result.objects.filter(operation_id=operation, family="")


def _ending(run: Run) -> Ending:
    """The Operation's status and its sentence, from the results of its Records."""
    results = list(_results_of(run.claim.operation).select_related("record"))
    counts = _counted(results)
    bad = [result for result in results if result.outcome in ("failed", "incomplete", "skipped")]
    held = [result for result in results if result.counts.get("held")]
    if results and all(result.outcome == "failed" for result in results):
        return Ending("failed", _told(bad), dict(counts), cause=worst_cause(run.causes))
    if bad or held:
        told = " ".join(filter(None, [_told(bad), _held(held)]))
        return Ending("partial", told, dict(counts), cause=worst_cause(run.causes))
    if not results:
        return Ending("success", "No Record was to be read: none is mapped and Good.", dict(counts))
    if dropped := [result for result in results if result.outcome == "dropped"]:
        return Ending("success", _told(dropped), dict(counts))
    if not counts["seen"]:
        return Ending(
            "success", "Nothing at all was visible. Check what the account may see in the tool.", dict(counts)
        )
    return Ending("success", "", dict(counts))


def _told(bad: list[Result]) -> str:
    told = [f"{result.record.name}: {result.why}" for result in bad[:3]]
    if len(bad) > len(told):
        told.append(f"And {len(bad) - len(told)} more Records.")
    return " ".join(told)


def _held(held: list[Result]) -> str:
    number = sum(result.counts["held"] for result in held)
    names = ", ".join(result.record.name for result in held[:3])
    return f"{number:,} closings are held ({names}): approve them, or keep the findings open." if held else ""
