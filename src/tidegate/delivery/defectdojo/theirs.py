"""One Test there as it stands: it is found, looked at and read, and what its people said is decided here.

Nothing there is one transaction, and an answer may be lost after the work was done: what an import left is found out
by reading.
"""

from __future__ import annotations

import re
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
    but,
    changed,
    differs,
    digests,
    merge,
    ours_by_id,
    seen,
    sent,
)  # fmt: skip
from tidegate.store.models import DeliveredProduct, DeliveredTest, Destination, Test
from tidegate.store.writers import delivered as store
from tidegate.store.writers.delivered import Due, Written
from tidegate.store.writers.operation import hold_claim

from .client import Dojo, Row
from .errors import Moved, NotThere, Refused
from .products import Lost, what_is_lost

AT_ONCE: Final = 500
"""Findings that are looked at together; constant memory, whatever a Test holds."""

READ_EVERY: Final = timedelta(days=1)
"""How often all of a Test is read: a severity, a tag or a bulk edit moves nothing that a cheap look could see."""

PATIENCE_SECONDS: Final = 120.0
"""After so long without a sign of it, an import whose answer was lost is believed to be dead."""

LOOK_SECONDS: Final = 5.0
"""Between two looks at an import that is waited for, at most."""

CLOCK_SECONDS: Final = 2.0
"""An answer's Date may be off by so much: it has whole seconds."""

TRIES: Final = 3
_BY_SERVER: Final = re.compile(
    r".+ \(\d+\) (has risk accepted this finding|removed a risk exception from this finding"
    r"|(added|removed) this finding (to|from) the risk acceptance: .*)"
)
"""What the server itself notes where somebody accepts a risk or takes that back (dojo/risk_acceptance/helper.py): the
verdict says it, and it must not come before what a person here wrote."""

_NEVER: Final = datetime(1970, 1, 1, tzinfo=UTC)

T = TypeVar("T")


class Theirs:
    """One Test there. `mode` is deliver, reconcile (reads and compares all, writes nothing) or repair."""

    def __init__(
        self, run: Run, dojo: Dojo, destination: Destination, test: Test, link: DeliveredProduct, mode: str
    ) -> None:
        self.run, self.dojo, self.destination = run, dojo, destination
        self.test, self.link, self.mode = test, link, mode
        self.connection, self.label = test.connection_id or 0, str(test.connection)
        self.row, _ = DeliveredTest.objects.get_or_create(destination=destination, test=test)
        self.people = Actor("person", f"{THEIR_PEOPLE}{destination.name}")
        self.step = uuid4()
        """What people there said is decided here in one step, which can be undone."""
        self.foreign: list[int] = []
        """Findings in it that others wrote."""
        self.differing = 0
        self._me: int | None = None
        self._later = False
        self._newest_before = ""

    @property
    def patience(self) -> float:
        """Seconds that an import without an answer is waited for."""
        return PATIENCE_SECONDS

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
        for some in some_of(rows, AT_ONCE):
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
        """The newest that a person wrote: not the token's own user, and not the server in the name of somebody."""
        me = self._user()
        notes = [
            note
            for note in row.get("notes") or ()
            if note["id"] > after
            and (note.get("author") or {}).get("id") != me
            and not is_by_server(str(note["entry"]))
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

    def _save(self, **facts: Any) -> None:
        store.save_test(self.row, **facts)


def is_by_server(entry: str) -> bool:
    """Whether the server itself wrote this note, in the name of whoever accepted a risk or took that back."""
    return _BY_SERVER.fullmatch(entry) is not None


def _moment(text: object) -> datetime | None:
    """A time as the server writes it; None where there is none."""
    try:
        found = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def some_of(rows: Iterable[T], number: int) -> Iterator[tuple[T, ...]]:
    """So many at a time."""
    walk = iter(rows)
    while some := tuple(islice(walk, number)):
        yield some
