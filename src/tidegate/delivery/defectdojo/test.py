"""One Test there brought to what ours is: what its people said is read first, then what changed here is written.

Nothing there is one transaction, and an answer may be lost after the work was done. So what is about to be written is
noted before, every step finds by itself what is left, and after each failure the server is read before it is written.
"""

from __future__ import annotations

import json
import time
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import Any, Final, TypeVar
from uuid import uuid4

from django.db import transaction

from tidegate.ingest.apply import again_after_deadlock
from tidegate.ingest.run import Run
from tidegate.rules.actor import Actor
from tidegate.rules.delivery import (
    COLUMNS,
    STATUS,
    THEIR_PEOPLE,
    Merge,
    as_noted,
    as_report,
    but,
    changed,
    differs,
    digests,
    edit,
    merge,
    notes_by,
    ours_by_id,
    seen,
    sent,
)  # fmt: skip
from tidegate.store.models import DeliveredFinding, DeliveredProduct, DeliveredTest, Destination, Test
from tidegate.store.writers import delivered as store
from tidegate.store.writers.delivered import Due, Written
from tidegate.store.writers.operation import hold_claim

from .client import Dojo, Row
from .errors import Down, Moved, NotThere, Refused, TooLarge, Unknown
from .pace import BATCH, Size
from .products import Lost, what_is_lost

GENERIC: Final = "Generic Findings Import"
AT_ONCE: Final = 500
"""Findings that are looked at together; constant memory, whatever a Test holds."""

ASKED_AT_ONCE: Final = 100
"""Of those, numbers in one question."""

CHUNK: Final = 50_000
"""Numbers of findings that are held at once."""

READ_EVERY: Final = timedelta(days=1)
"""How often all of a Test is read: a severity, a tag or a bulk edit moves nothing that a cheap look could see."""

PATIENCE_SECONDS: Final = 120.0
"""After so long without a sign of it, an import whose answer was lost is believed to be dead."""

LOOK_SECONDS: Final = 5.0
CLOCK_SECONDS: Final = 2.0
TRIES: Final = 3
MOST_FAILURES: Final = 12
"""Imports of one delivery that may end in a 500 before the server, and not a finding, is to blame."""

T = TypeVar("T")


class LeftAlone(Exception):
    """Nothing is written into this Test, and why."""


class Delivering:
    """The delivery of one Test. `mode` is deliver, reconcile (reads and compares all, writes nothing) or repair."""

    def __init__(
        self, run: Run, dojo: Dojo, destination: Destination, test: Test, link: DeliveredProduct, mode: str
    ) -> None:
        self.run, self.dojo, self.destination, self.test, self.link, self.mode = (
            run,
            dojo,
            destination,
            test,
            link,
            mode,
        )
        self.connection, self.label = test.connection_id or 0, str(test.connection)
        self.row, _ = DeliveredTest.objects.get_or_create(destination=destination, test=test)
        self.people = Actor("person", f"{THEIR_PEOPLE}{destination.name}")
        self.step = uuid4()
        """What people there said is decided here in one step, which can be undone."""
        self.batch: Size = BATCH
        self.foreign: list[int] = []
        self.differing = 0
        self._me: int | None = None
        self._failures = self._unheard = 0
        self._checked = self._wrote = self._later = False
        self._newest_before = ""

    def deliver(self) -> None:
        """All of it. Raises Lost, LeftAlone, DojoError."""
        if self.mode == "repair":
            self._forgive()
        self._refuse_if_left()
        if self.row.their_id is not None or self.row.pending:
            self._settle(self.patience)
        if self.row.their_id is not None:
            self._look()
            self._rename()
        self._refuse_if_left()
        if self.mode != "reconcile":
            self._write_what_is_due()
        if self._wrote and self.row.their_id is not None:
            self._look_after()

    @property
    def patience(self) -> float:
        """Seconds that an import without an answer is waited for."""
        return PATIENCE_SECONDS

    @property
    def _mine(self) -> str:
        """So begins the `build_id` of an import of ours, also of one that was believed dead and came to its end."""
        return f"tidegate-{self.link.mark.hex[:16]}-"

    # Whether anything may be written there

    def _refuse_if_left(self) -> None:
        if self.row.lost_at is not None:
            raise Lost(self.row.lost)
        if self.mode == "repair":
            return
        if self.foreign and not self.row.left:
            some = ", ".join(str(number) for number in self.foreign[:5])
            self._save(left=f"It holds {len(self.foreign):,} findings that Tidegate did not write ({some}).")
        if self.row.left:
            raise LeftAlone(self.row.left)

    def _forgive(self) -> None:
        """A person says: go on, once. What was deleted there is made again, also where others wrote beside us."""
        with transaction.atomic():
            hold_claim(self.run.claim)
            if self.row.lost_at is not None:
                DeliveredFinding.objects.filter(delivered_test=self.row).delete()
                self._save(their_id=None, pending="", build="", top=0, newest="", number=0, read_at=None)
            store.forget_gone(self.row.pk)
            self._save(left="", lost="", lost_at=None)

    def _check_imports(self) -> None:
        """Before an import: was the last one ours? Once a delivery."""
        if self._checked or self.row.their_id is None or self.mode == "repair":
            return
        build = str(self._test()["build_id"] or "")
        if build != self.row.build and not build.startswith(self._mine):
            self._save(left=f"Somebody else imported into it (build {build[:40] or 'without a name'}).")
            raise LeftAlone(self.row.left)
        self._checked = True

    def _test(self) -> Row:
        try:
            return self.dojo.get(f"tests/{self.row.their_id}/")
        except NotThere:
            self._lose()
            raise

    def _lose(self) -> None:
        lost = what_is_lost(self.dojo, self.link)
        self._save(lost=lost, lost_at=datetime.now(UTC))
        raise Lost(lost)

    # An import of which nobody knows whether it ended

    def _settle(self, patience: float) -> None:
        """Finds out what became of it, and learns the numbers of what it left."""
        if not self.row.pending:
            return
        began, count = time.monotonic(), -1
        sent_at = self.row.pending_at or datetime.now(UTC)
        while True:
            self.run.look()
            if self.row.build == self.row.pending:
                break
            if self.row.their_id is None:
                self._find_test()
            if self.row.their_id is not None:
                row = self._test()
                # The Test of a first import has its name from the start: only all of it says that it ended.
                if row["build_id"] == self.row.pending and row["percent_complete"] == 100:
                    self._save(build=self.row.pending)
                    break
            now = self._count() if self.row.their_id is not None else 0
            waited = max(time.monotonic() - began, (datetime.now(UTC) - sent_at).total_seconds())
            if waited >= patience and (now == count or patience == 0):
                self.run.say("The last import did not come to its end. What it left is read, and the rest is sent.")
                break
            count = now
            self._wait(min(LOOK_SECONDS, patience / 4))
        if self.row.their_id is not None:
            self._read_new()
        self._save(pending="", pending_at=None)

    def _find_test(self) -> None:
        """A first import whose answer was lost left a Test of our title in our Engagement, or nothing."""
        rows = [
            row
            for row in self.dojo.pages("tests/", engagement=self.link.their_engagement)
            if row["title"] == self.row.title
        ]
        taken = set(DeliveredTest.objects.filter(destination=self.destination).values_list("their_id", flat=True))
        if found := [row for row in rows if row["id"] not in taken]:
            self._save(their_id=max(row["id"] for row in found))

    def _wait(self, seconds: float) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            time.sleep(min(left, 0.2))
            self.run.look()

    # What people there said

    def _look(self) -> None:
        """One cheap question: how many findings there are, and when the status of one changed last. What that does not
        show (severities, tags, bulk edits) is read with all of it, once a day."""
        number, newest = self._glance()
        self._newest_before = self.row.newest
        stale = self.row.read_at is None or self.row.read_at < datetime.now(UTC) - READ_EVERY
        if self.mode != "deliver" or stale or number != self.row.number:
            self._read_all()
        elif newest != self.row.newest:
            self._read_newer(self.row.newest)
        if not self._later and (number, newest) != (self.row.number, self.row.newest):
            self._save(newest=newest, number=number)

    def _look_after(self) -> None:
        """After writing: whatever changed there since the look, ours and people's; what is ours is as it was meant."""
        number, newest = self._glance()
        self._read_newer(self._newest_before)
        if not self._later:
            self._save(newest=newest, number=number, read_at=self.row.read_at or datetime.now(UTC))

    def _glance(self) -> tuple[int, str]:
        page = self._asked({"o": "-last_status_update", "limit": 1})
        rows: list[Row] = page["results"]
        return page["count"], str(rows[0].get("last_status_update") or "") if rows else ""

    def _count(self) -> int:
        return self._asked({"limit": 1})["count"]

    def _asked(self, query: Mapping[str, Any]) -> Row:
        try:
            return self.dojo.get("findings/", test=self.row.their_id, **query)
        except (NotThere, Refused) as error:
            # A Test that is gone is no choice of the filter; whoever may not see it is told the same.
            if isinstance(error, NotThere) or "test" in error.fields:
                self._lose()
            raise

    def _read_newer(self, since: str) -> None:
        """Findings whose status changed after that moment."""

        def rows() -> Iterable[Row]:
            for row in self.dojo.pages("findings/", test=self.row.their_id, o="-last_status_update"):
                if (_moment(row.get("last_status_update")) or _NEVER) <= (_moment(since) or _NEVER):
                    return
                yield row

        self._reading(lambda: self._take(rows()))

    def _read_new(self) -> None:
        """Findings with numbers that are not known yet."""

        def rows() -> Iterable[Row]:
            for row in self.dojo.pages("findings/", test=self.row.their_id, o="-id"):
                if row["id"] <= self.row.top:
                    return
                yield row

        greatest = self._reading(lambda: self._take(rows()))
        self._save(top=max([self.row.top, *greatest]))

    def _read_all(self) -> None:
        """All of the Test, compared with ours; what is not there any more was deleted by somebody."""
        self.differing = 0
        read = self._reading(lambda: self._take(self.dojo.pages("findings/", test=self.row.their_id), compare=True))
        with transaction.atomic():
            hold_claim(self.run.claim)
            missing = store.note_missing(self.row.pk, read)
            self._save(read_at=datetime.now(UTC), top=max([self.row.top, *read]))
        self._count_gone(len(missing))
        if self.mode == "repair" and missing:
            store.forget_gone(self.row.pk)

    def _reading(self, work: Callable[[], T]) -> T:
        """A reading of a list; again, where it moved meanwhile."""
        for attempt in range(1, TRIES + 1):
            try:
                return work()
            except Moved:
                if attempt == TRIES:
                    raise
        raise AssertionError

    def _take(self, rows: Iterable[Row], *, compare: bool = False) -> array[int]:
        """Takes in what stands there, so many at a time; the numbers of all that was read."""
        numbers: array[int] = array("q")
        for some in _some(rows, AT_ONCE):
            self.run.check()
            numbers.extend(row["id"] for row in some)
            with self.run.in_database():
                known = store.ours_of(self.row.pk, [row["id"] for row in some])
                found = {row["id"]: known.get(row["id"]) or self._name(row) for row in some}
                dues = self._dues([each for each in found.values() if each is not None])
                pairs: list[tuple[Row, Due]] = []
                for row in some:
                    due = dues.get(found[row["id"]] or 0)
                    if found[row["id"]] is None:
                        self.foreign += [row["id"]] if row["id"] not in self.foreign else []
                    elif due is None:
                        continue  # ours was deleted here, by retention say: it stays as it stands there
                    elif due.their_id in (None, row["id"]):
                        pairs.append((row, due))
                    else:
                        self.run.say(
                            f"Finding {due.ours.id} stands there twice: {due.their_id} and {row['id']}.", "warning"
                        )
                        self.run.counts["twice"] += 1
                again_after_deadlock(lambda pairs=pairs: self._keep(pairs, compare=compare))
        return numbers

    def _name(self, row: Row) -> int | None:
        """Our finding by the name it bears there; None for a finding of others."""
        named = ours_by_id(row.get("unique_id_from_tool"))
        return named[1] if named is not None and named[0] == self.connection else None

    def _dues(self, findings: Sequence[int]) -> dict[int, Due]:
        rows = store.as_delivered(self.row.pk, self.test.pk, self.connection, self.label, findings)
        return {due.ours.id: due for due in rows}

    def _keep(self, pairs: Sequence[tuple[Row, Due]], *, compare: bool) -> None:
        """In one transaction: what is linked by this, what people said, what differs."""
        hold_claim(self.run.claim)
        linked: dict[int, Due] = {}
        looked: dict[int, dict[str, Any]] = {}
        for row, due in pairs:
            told = sent(due.ours)
            if due.seen is None:
                # It was made by us and we forgot (a database from a backup): what stands there is what was written.
                wrong = [*differs(row, told), *(["note"] if told["note"] else [])]
                due = replace(due, seen=seen(row), written=but(digests(told), wrong))  # noqa: PLW2901
            if due.their_id is None:
                linked[due.ours.id] = replace(due, their_id=row["id"])
            said = self._hear(row, due)
            if said is None:
                continue
            if said.lost:
                wrong = [column for name in said.lost for column in COLUMNS[name]]
                linked[due.ours.id] = replace(due, their_id=row["id"], written=but(due.written, wrong))
            if (now := seen(row)) != due.seen:
                looked[due.ours.id] = now
            if compare and (wrong := self._wrong(row, due, told)):
                self.differing += 1
                if self.mode == "repair":
                    linked[due.ours.id] = replace(due, their_id=row["id"], written=but(due.written, wrong))
        if linked:
            store.save_written(self.row.pk, [self._link(due) for due in linked.values()])
        if looked:
            store.save_seen(self.row.pk, looked)

    def _link(self, due: Due) -> Written:
        """Looked at, where it stands there as it stands here; else it is due still."""
        same = not changed(due.written, sent(due.ours))
        return Written(replace(due, version=due.version if same else 0), due.their_id, due.written, due.seen or {})

    def _wrong(self, row: Row, due: Due, told: Mapping[str, Any]) -> list[str]:
        """What does not stand there as it should; but for what people there left so, and ours did not change since."""
        wrong = differs(row, told)
        if due.seen is not None and seen(row)["off"] and not told["is_mitigated"] and told["active"]:
            wrong = [name for name in wrong if name not in STATUS]
        return wrong

    def _hear(self, row: Row, due: Due) -> Merge | None:
        """What people there said of it since it was seen last is decided here, in their name. None where a change is
        at its Record just now: it is heard next time."""
        said = self._said(row, due)
        if said.lost:
            store.keep_lost(self.people, due, said.lost, _moment(row.get("last_status_update")))
            self.run.counts["overruled"] += len(said.lost)
        if said.taken:
            if not store.take_decisions(self.people, due, said.taken, self.step):
                self._later = True
                return None
            self.run.counts["decided"] += 1
        return said

    def _said(self, row: Row, due: Due) -> Merge:
        now, before = seen(row), dict(due.seen or {})
        # What stands there as it was meant was written by us, before the process died.
        before |= {name: value for name, value in (due.meant or {}).items() if now.get(name) == value}
        if now == before:
            return Merge()
        note, noted_at = self._newest_note(row, before["note"]) if now["note"] > before["note"] else ("", None)
        status, reviewed = _moment(row.get("last_status_update")), _moment(row.get("last_reviewed"))
        moments = {"verdict": status, "verified": status, "severity": reviewed, "note": noted_at}
        ahead = self._clock_ahead() if due.ours.decided else timedelta()
        return merge(
            before,
            now,
            due.ours,
            written_at=due.at or _NEVER,
            said_at={name: at - ahead for name, at in moments.items() if at is not None},
            note=note,
        )

    def _clock_ahead(self) -> timedelta:
        """How far its clock is ahead of ours, where that is more than an answer's Date can be off: whole seconds."""
        ahead = self.dojo.server().clock_ahead
        return timedelta(seconds=ahead if abs(ahead) > CLOCK_SECONDS else 0)

    def _newest_note(self, row: Row, after: int) -> tuple[str, datetime | None]:
        """The newest that is not by the token's own user, whose notes the server writes at each import."""
        me = self._user()
        notes = [
            note for note in row.get("notes") or () if note["id"] > after and (note.get("author") or {}).get("id") != me
        ]
        newest = max(notes, key=lambda note: note["id"], default=None)
        if newest is None:
            return "", None
        return str(newest["entry"])[:4_000], _moment(newest.get("date"))

    def _user(self) -> int:
        """The number of the token's own user there."""
        if self._me is None:
            self._me = int(self.dojo.get("user_profile/")["user"]["id"])
        return self._me

    def _count_gone(self, number: int) -> None:
        if number:
            self.run.counts["deleted_there"] += number
            self.run.say(
                f"{number:,} findings were deleted there. They are not made again, unless a person repairs it.",
                "warning",
            )

    # What changed here

    def _write_what_is_due(self) -> None:
        """Rounds, since what people said meanwhile changes ours; the last finds nothing."""
        for _ in range(TRIES):
            after, did = 0, False
            while ids := store.due_findings(self.row.pk, self.test.pk, after, CHUNK):
                did, after = True, ids[-1]
                new: list[Due] = []
                for some in _some(ids, AT_ONCE):
                    self.run.check()
                    with self.run.in_database():
                        dues = [due for due in self._dues(some).values() if not due.gone]
                    self._change([due for due in dues if due.their_id is not None])
                    new += self._to_make([due for due in dues if due.their_id is None])
                    while len(new) >= self.batch.now:
                        new = self._make_some(new)
                while new:
                    new = self._make_some(new)
            if not did:
                return

    def _to_make(self, dues: Sequence[Due]) -> list[Due]:
        """Those that are open here. What was noted to be made, was not, and is closed by now is forgotten."""
        closed = [due.ours.id for due in dues if not due.ours.open]
        if closed:
            DeliveredFinding.objects.filter(delivered_test=self.row, finding_id__in=closed, their_id=None).delete()
        return [due for due in dues if due.ours.open]

    def _change(self, dues: Sequence[Due]) -> None:
        unchanged = [due for due in dues if not changed(due.written, sent(due.ours))]
        self._written([Written(due, due.their_id, due.written, due.seen or {}) for due in unchanged])
        same = {due.ours.id for due in unchanged}
        for some in _some([due for due in dues if due.ours.id not in same], ASKED_AT_ONCE):
            self._change_some(some)

    def _change_some(self, dues: Sequence[Due]) -> None:
        """Read, heard, noted, written, kept: in this order."""
        theirs = ",".join(str(due.their_id) for due in dues)
        query = {"id": theirs, "test": self.row.their_id}
        try:
            rows = self._reading(lambda: {row["id"]: row for row in self.dojo.pages("findings/", **query)})
        except (NotThere, Refused) as error:
            if isinstance(error, NotThere) or "test" in error.fields:
                self._lose()
            raise
        gone = [due.ours.id for due in dues if due.their_id not in rows]
        plain: list[tuple[Due, Row, dict[str, Any]]] = []
        notes: dict[int, str] = {}

        def hear() -> None:
            plain.clear()
            notes.clear()
            hold_claim(self.run.claim)
            store.note_gone(self.row.pk, gone)
            looked = {}
            for due in dues:
                row = rows.get(due.their_id or 0)
                said = self._hear(row, due) if row is not None else None
                if row is None or said is None:
                    continue
                looked[due.ours.id] = seen(row)
                if not said.taken:
                    told = sent(due.ours)
                    names = [*changed(due.written, told), *(each for name in said.lost for each in COLUMNS[name])]
                    plain.append((due, row, edit(row, told, names)))
                    if "note" in names and told["note"]:
                        notes[due.ours.id] = told["note"]
            store.save_seen(self.row.pk, looked)
            store.note_meant(self.row.pk, {due.ours.id: _after(row, told) for due, row, told in plain if told})

        with self.run.in_database():
            again_after_deadlock(hear)
        self._count_gone(len(gone))
        done: list[Written] = []
        try:
            for due, row, told in plain:
                self.run.look()
                if told and (taken := self._patched(due, row, told)) is not True:
                    if taken is None:
                        continue  # nobody knows: it stays due, and is read before it is written again
                    told = {}  # noqa: PLW2901
                if (note := notes.get(due.ours.id)) and not self._noted(due, row, note, alone=not told):
                    continue
                done.append(Written(due, due.their_id, digests(sent(due.ours)), _after(row, told)))
        finally:
            self._written(done)

    def _patched(self, due: Due, row: Row, told: dict[str, Any]) -> bool | None:
        """Whether it was taken; None where nobody knows."""
        if told.get("risk_accepted") and not self.link.simple_acceptance:
            # The server would refuse all of it: only a risk acceptance of its own can say so in this Product.
            told.pop("risk_accepted")
        self._wrote = True
        try:
            self.dojo.patch(f"findings/{due.their_id}/", told)
        except NotThere:
            store.note_gone(self.row.pk, [due.ours.id])
            self._count_gone(1)
            return False
        except Unknown as unknown:
            self._failures += 1
            if self._failures > TRIES:
                raise
            self.run.say(f"{unknown}", "warning")
            return None
        except Refused as refused:
            self.run.counts["refused"] += 1
            self.run.say(f"Finding {due.ours.id} ({due.their_id} there) was not changed. {refused}", "warning")
            return False
        was, now = bool(row["is_mitigated"]), told.get("is_mitigated", row["is_mitigated"])
        self.run.counts["closed" if now and not was else "reopened" if was and not now else "changed"] += 1
        return True

    def _noted(self, due: Due, row: Row, note: str, *, alone: bool) -> bool:
        """Writes a note of ours beside the finding, unless it is there; whether it is there now. `alone`: nothing else
        of the finding was changed."""
        if as_noted(note) in notes_by(row, self._user()):
            return True
        self._wrote = True
        try:
            self.dojo.post(f"findings/{due.their_id}/notes/", {"entry": note, "private": False})
        except Unknown as unknown:
            self._failures += 1
            if self._failures > TRIES:
                raise
            self.run.say(f"{unknown}", "warning")
            return False  # it stays due, and is read before it is written again
        except NotThere:
            store.note_gone(self.row.pk, [due.ours.id])
            self._count_gone(1)
            return True
        except Refused as refused:
            self.run.counts["refused"] += 1
            self.run.say(
                f"The note at finding {due.ours.id} ({due.their_id} there) was not taken. {refused}", "warning"
            )
            return True
        self.run.counts["changed"] += alone
        return True

    def _written(self, written: Sequence[Written]) -> None:
        if not written:
            return

        def keep() -> None:
            hold_claim(self.run.claim)
            store.save_written(self.row.pk, written)

        with self.run.in_database():
            again_after_deadlock(keep)

    # What is new here

    def _make_some(self, dues: Sequence[Due]) -> list[Due]:
        """The first batch of these; what is left of all. The size of the next batch is another by then."""
        size = self.batch.now
        return [*self._make(dues[:size]), *dues[size:]]

    def _make(self, dues: Sequence[Due]) -> list[Due]:
        """Imports these; gives those that are not there afterwards and are worth another try."""
        self._check_imports()
        told = [sent(due.ours) for due in dues]
        build = f"{self._mine}{uuid4().hex}"

        def note() -> None:
            hold_claim(self.run.claim)
            made = [
                Written(
                    replace(due, version=0), None, but(digests(one), ["note"] if one["note"] else []), _expected(one)
                )
                for due, one in zip(dues, told, strict=True)
            ]
            store.save_written(self.row.pk, made)
            self._save(pending=build, pending_at=datetime.now(UTC), title=self.row.title or self._title())

        with self.run.in_database():
            again_after_deadlock(note)
        self._wrote = True
        answered, patience = self._import(build, told)
        self._settle(patience)
        with self.run.in_database():
            now = self._dues([due.ours.id for due in dues])
        left = [due for due in now.values() if due.their_id is None and due.ours.open]
        self.run.counts["created"] += len(dues) - len(left)
        self.run.show(f"Delivering {self.test.name}", self.run.counts["created"], None)
        unheard = not answered and patience > 0
        if unheard:
            self._note_unheard(came=len(left) < len(dues))
        elif left and (answered or (len(dues) == 1 and self._failures)):
            # The server took it for another one, without a word; or it takes all others and not this one.
            for due in left:
                self._set_aside(due)
            return []
        return left

    def _import(self, build: str, told: Sequence[Mapping[str, Any]]) -> tuple[bool, float]:
        """Sends them; whether the server said that it has them, and how long the outcome is to be waited for."""
        new = self.row.their_id is None
        where = (
            {"engagement": self.link.their_engagement, "test_title": self.row.title}
            if new
            else {"test": self.row.their_id}
        )
        form = {
            "scan_type": GENERIC, **where, "close_old_findings": False, "do_not_reactivate": True,
            "minimum_severity": "Info", "build_id": build,
        }  # fmt: skip
        report = json.dumps({"findings": [as_report(one) for one in told]}, ensure_ascii=False).encode()
        began = time.monotonic()
        try:
            answer = self.dojo.upload("import-scan/" if new else "reimport-scan/", form, report)
        except TooLarge:
            self._fail("The report was too large for the server.")
        except Refused as refused:
            if self._is_lost(refused):
                self._lose()
            self._fail(str(refused))
        except Unknown as unknown:
            if unknown.status is None or unknown.status in (502, 503, 504):  # a proxy's word: the server may go on
                self.run.say(f"{unknown} It is waited for.", "warning")
                return False, self.patience
            self._fail(str(unknown))
        else:
            self._failures = self._unheard = 0
            self.batch = self.batch.after(len(told), time.monotonic() - began)
            self._save(their_id=answer["test"], build=build)
            return True, self.patience
        return False, 0

    def _is_lost(self, refused: Refused) -> bool:
        return any("does not exist" in words for words in refused.fields.values())

    def _note_unheard(self, *, came: bool) -> None:
        """An import of which nothing was heard. Where nothing came of it either the next is smaller, as it may have
        taken too long for a proxy; and where nothing comes of any, the server is given up for now."""
        self._unheard = 0 if came else self._unheard + 1
        if self._unheard > TRIES:
            raise Down(f"{self._unheard} imports running were not answered, and nothing of them arrived.")
        if not came:
            self.batch = replace(self.batch, now=max(1, self.batch.now // 4), least=1)

    def _fail(self, why: str) -> None:
        """The batch becomes smaller until it is one finding, which is to blame; or the server is."""
        self._failures += 1
        self.run.say(f"A batch was not taken. {why}", "warning")
        if self._failures > MOST_FAILURES:
            raise Down(f"{self._failures} imports running ended badly. The last: {why}")
        self.batch = replace(self.batch, now=max(1, self.batch.now // 4), least=1)

    def _set_aside(self, due: Due) -> None:
        """One that the server does not take is tried again when it has changed."""
        self.run.counts["refused"] += 1
        self.run.say(f"Finding {due.ours.id} («{due.ours.title[:80]}») is not taken by the server.", "warning")
        told = sent(due.ours)
        self._written([Written(due, None, digests(told), _expected(told))])

    def _title(self) -> str:
        mine = f" (tidegate {self.connection})"
        return self.label[: 255 - len(mine)] + mine

    def _rename(self) -> None:
        """The Test's title follows the Connection's label."""
        title = self._title()
        if self.mode != "reconcile" and self.row.title not in ("", title):
            self.dojo.patch(f"tests/{self.row.their_id}/", {"title": title})
            self._save(title=title)

    def _save(self, **facts: Any) -> None:
        store.save_test(self.row, **facts)


def _expected(told: Mapping[str, Any]) -> dict[str, Any]:
    """What people would see of it as it is sent."""
    return seen({**{name: told[name] for name in ("severity", "tags", *STATUS)}, "notes": []})


def _after(row: Row, told: Mapping[str, Any]) -> dict[str, Any]:
    """What people see of it there once this is written: what was seen, but for what is said."""
    now = {**row, **{name: value for name, value in told.items() if name in ("severity", "tags", *STATUS)}}
    return seen(now)


def _moment(text: object) -> datetime | None:
    """A time as the server writes it; None where there is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _some(rows: Iterable[T], number: int) -> Iterator[tuple[T, ...]]:
    """So many at a time."""
    walk = iter(rows)
    while some := tuple(islice(walk, number)):
        yield some


_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)
