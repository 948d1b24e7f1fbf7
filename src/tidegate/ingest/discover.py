"""Discover: one Record for each vendor-equivalent product; what is gone is absent only if everything was seen."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final
from uuid import uuid4

from django.db import connection as database
from django.db import transaction

from tidegate.rules.cause import cause_of
from tidegate.rules.discover import absences_are_held
from tidegate.rules.preview import would
from tidegate.store.acting import say_who_acts
from tidegate.store.models import Connection, HeldAbsence, Quarantine
from tidegate.store.sql import sql
from tidegate.store.statement import rows_of
from tidegate.store.writers.connection import lock_connection
from tidegate.store.writers.difference import records_discovered, save_differences
from tidegate.store.writers.operation import hold_claim, save_quarantine
from tidegate.store.writers.record import auto_map_records
from tidegate.store.writers.rule import apply_rules
from tidegate_sdk import NO_PRODUCT, Odd, Outcome, Tool, TotalMoved

from . import apply
from .login import log_in
from .read import KEPT_ODD
from .run import Ending, Run
from .stage import VepSpool
from .vendor import Vendor, visiting

TOLD_ODD: Final = 10
"""Rows that could not be read and that the log of a preview tells: it sets none aside."""


@dataclass
class VepsRead:
    """What was read of the list of VEPs: `turn` counts the readings, the rows of a later one win."""

    spool: VepSpool
    outcome: Outcome
    odd: list[Odd]
    turn: int = 1
    again: bool = False
    """Read because the first answer was doubtful; one that began anew because a total moved is still the first."""
    proves: bool = True

    @property
    def complete(self) -> bool:
        """Whether a VEP that is missing from this read is gone."""
        return self.outcome.complete and self.proves

    @property
    def doubtful(self) -> bool:
        """Whether the list must be read a second time before anything of it becomes absent."""
        drifting = self.outcome.proof is not None and self.outcome.proof.kind == "drifting"
        return self.outcome.complete and not self.again and (drifting or not self.proves)


def run_discover(run: Run, connection: Connection, tool: Tool[Any]) -> Ending:
    """Reads the list of VEPs and brings the Records up to it; then mapping rules, and after them auto-map, decide about
    undecided ones. A preview says what that would do, and leaves everything as it is."""
    apply.prepare_staging()
    with visiting(run, tool) as vendor:
        log_in(run, vendor, connection)
        with closing(VepSpool()) as spool:
            read = _read(run, vendor, spool)
            run.check()
            with run.in_database():
                ending = _bring_up(run, connection, read)
            if ending is None:
                run.say("Reading the list a second time before anything becomes Missing.")
                again = _read(run, vendor, spool, read)
                with run.in_database():
                    ending = _bring_up(run, connection, again)
    if ending is None:
        raise RuntimeError("A second reading is never doubtful, and this one was.")
    return ending


def _read(run: Run, vendor: Vendor, spool: VepSpool, before: VepsRead | None = None) -> VepsRead:
    turn = 1 if before is None else before.turn + 1
    read = vendor.call(_read_once(run, vendor, spool, turn))
    if isinstance(read.outcome.error, TotalMoved):
        read = vendor.call(_read_once(run, vendor, spool, turn + 1))
    read.again = before is not None
    return read


async def _read_once(run: Run, vendor: Vendor, spool: VepSpool, turn: int) -> VepsRead:
    odd: list[Odd] = []
    reading = vendor.session.read(vendor.tool.veps())
    async for batch in reading:
        for row in batch:
            if not isinstance(row, Odd):
                spool.add(turn, row)
                continue
            if row.id is not None:
                spool.add_odd(turn, row.id)
            if len(odd) < KEPT_ODD:
                odd.append(row)
        run.show("Reading the list", spool.rows, None)
    return VepsRead(spool, reading.outcome, odd, turn)


def _bring_up(run: Run, connection: Connection, read: VepsRead) -> Ending | None:
    """Applies what was read. A preview does the very same, keeps apart what that changed, and takes it back: so it
    cannot promise what the real one would not do."""
    if not run.operation.preview:
        return apply.again_after_deadlock(lambda: _apply(run, connection, read))

    def foresee() -> tuple[Ending | None, list[dict[str, Any]]]:
        ending = _apply(run, connection, read)
        differences = [] if ending is None else records_discovered(run.claim.operation, connection.pk)
        transaction.set_rollback(True)
        return ending, differences

    def keep() -> None:
        hold_claim(run.claim)
        save_differences(run.claim.operation, differences)

    ending, differences = apply.again_after_deadlock(foresee)
    if ending is not None:
        apply.again_after_deadlock(keep)
    return ending


def _apply(run: Run, connection: Connection, read: VepsRead) -> Ending | None:
    """One transaction. None, and nothing written, where the list must be read again before something is absent."""
    hold_claim(run.claim)
    if changed := _what_changed(connection):
        return Ending("cancelled", f"Nothing was applied: {changed}")
    parameters = {"connection": connection.pk, "operation": run.claim.operation, "no_product": NO_PRODUCT}
    cursor = database.cursor()
    _stage(read)
    changes = rows_of("discover_changes", **parameters)[0]
    present: int = changes["present"]
    gone: int = changes["gone"]
    if gone and read.doubtful:
        return None
    say_who_acts(apply.ACTOR, operation=run.claim.operation)
    cursor.execute(sql("lock_records"), parameters)
    counts = Counter(
        seen=int(changes["seen"]), quarantined=read.outcome.odd, skipped=sum(read.outcome.skipped.values())
    )
    cursor.execute(sql("add_records"), parameters)
    counts["new"] = cursor.rowcount
    _refresh(run, parameters, counts)
    _miss(parameters, read, present, gone, counts)
    _set_aside(run, connection, read)
    ruled = apply_rules(connection.pk, run.claim.operation, uuid4())
    counts.update(ruled.counts)
    counts["left_by_rules"] = len(ruled.waiting)
    counts.update(auto_map_records(connection.pk, run.claim.operation, ruled.waiting))
    return _ending(run, read, present, counts)


def _what_changed(before: Connection) -> str:
    """Why the list is no longer asked for; "" where it still is. Holds the Connection as it is until the end."""
    now = lock_connection(before.pk)
    if now is None or (now.deleted_at is not None and now.draft_at is None):
        return "the Connection was deleted while its list was read."
    if now.settings != before.settings:
        return "the settings of the Connection were changed while its list was read. Run Discover again."
    return ""


def _stage(read: VepsRead) -> None:
    cursor = database.connection.cursor()
    with cursor.copy(sql("stage_veps")) as copy:
        for chunk in read.spool.index():
            copy.write(chunk)
    cursor.execute("ANALYZE staged_vep")
    cursor.execute(sql("vep_repeats"), {"turn": read.turn})
    repeated, differ = cursor.fetchone()
    proof = read.outcome.proof
    harmless = proof is not None and (proof.kind == "whole" or (proof.kind == "drifting" and proof.expected is None))
    read.proves = not repeated or (harmless and not differ)
    if repeated or read.turn > 1:
        cursor.execute(sql("unrepeat_veps"))


def _refresh(run: Run, parameters: dict[str, Any], counts: Counter[str]) -> None:
    """Names and attributes follow, absent and deleted ones come back; the first renamings are told in the log."""
    with database.cursor() as cursor:
        cursor.execute(sql("refresh_records"), parameters)
        for revived, back, renamed, record, before, name in cursor.fetchall():
            counts["revived"] += revived
            counts["back"] += back
            counts["changed"] += not (revived or back)
            counts["renamed"] += renamed
            if renamed and counts["renamed"] <= KEPT_ODD:
                verb = "would be called {}" if run.operation.preview else "is called {} now"
                run.say(f"{before} {verb.format(name)}.", record=record)


def _miss(parameters: dict[str, Any], read: VepsRead, present: int, gone: int, counts: Counter[str]) -> None:
    """What a complete Discover no longer saw becomes absent, or is held where that is too much at once."""
    with database.cursor() as cursor:
        cursor.execute(sql("let_go_of_absences"), parameters)
        if not (read.complete and gone):
            return
        if absences_are_held(present, gone):
            cursor.execute(sql("hold_absences"), parameters)
            counts["held"] = cursor.rowcount
        else:
            cursor.execute(sql("miss_records"), parameters)
            counts["missing"] = cursor.rowcount
            HeldAbsence.objects.filter(connection_id=parameters["connection"]).delete()


def _set_aside(run: Run, connection: Connection, read: VepsRead) -> None:
    if run.operation.preview:
        for odd in read.odd[:TOLD_ODD]:
            run.say(f"Could not be read: {odd.reason}", "warning", key=odd.id)
        return
    Quarantine.objects.filter(connection_id=connection.pk, record__isnull=True).delete()
    save_quarantine(
        run.claim.operation, connection.pk, None, [("", "", odd.id, odd.reason, odd.raw) for odd in read.odd]
    )


def _ending(run: Run, read: VepsRead, present: int, counts: Counter[str]) -> Ending:
    told = ", ".join(f"{number:,} {word.replace('_', ' ')}" for word, number in counts.items() if number)
    preview = run.operation.preview
    run.say(would("discover", counts) if preview else f"Discover: {told or 'nothing there'}.")
    nothing_missing = "Nothing would become Missing" if preview else "Nothing became Missing"
    numbers = {word: number for word, number in counts.items() if number or word == "seen"}
    if not read.complete:
        why = read.outcome.why or "Rows came more than once, so others may be missing."
        status = "failed" if read.outcome.error is not None and not counts["seen"] else "partial"
        cause = "incomplete" if read.outcome.error is None else cause_of(read.outcome.error)
        return Ending(status, f"{why} {nothing_missing}.", numbers, cause=cause)
    if counts["held"]:
        asked = "a person would be asked" if preview else "approve or keep"
        why = f"This account now sees {counts['seen']:,} of {present:,}. {nothing_missing}: {asked}."
        return Ending("partial", why, numbers, complete=True)
    if not counts["seen"]:
        nothing = "Nothing at all was visible. Check what the account may see in the tool."
        return Ending("success", nothing, numbers, complete=True)
    return Ending("success", "", numbers, complete=True)
