"""One Test there brought to what ours is: what its people said is read first, then what changed here is written.

What is about to be written is noted before, every step finds by itself what is left, and after each failure the server
is read before it is written.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

from django.db import transaction

from tidegate.ingest.apply import again_after_deadlock
from tidegate.rules.delivery import (
    COLUMNS,
    STATUS,
    as_noted,
    as_report,
    but,
    changed,
    digests,
    edit,
    notes_by,
    seen,
    sent,
)  # fmt: skip
from tidegate.store.models import DeliveredFinding
from tidegate.store.writers import delivered as store
from tidegate.store.writers.delivered import Due, Written
from tidegate.store.writers.operation import hold_claim

from .client import Row
from .errors import Down, NotThere, Refused, TooLarge, Unknown
from .pace import BATCH, Size
from .products import Lost
from .theirs import AT_ONCE, TRIES, Theirs, some_of

GENERIC: Final = "Generic Findings Import"

ASKED_AT_ONCE: Final = 100
"""Numbers of findings in one question."""

CHUNK: Final = 50_000
"""Numbers of findings that are held at once."""

MOST_FAILURES: Final = 12
"""Imports of one delivery that may end in a 500 before the server, and not a finding, is to blame."""


class LeftAlone(Exception):
    """Nothing is written into this Test, and why."""


class Delivering(Theirs):
    """The delivery of one Test."""

    batch: Size = BATCH
    _failures = _unheard = 0
    _checked = _wrote = False

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

    # What changed here

    def _write_what_is_due(self) -> None:
        """Rounds, since what people said meanwhile changes ours; the last finds nothing."""
        for _ in range(TRIES):
            after, did = 0, False
            while ids := store.due_findings(self.row.pk, self.test.pk, after, CHUNK):
                did, after = True, ids[-1]
                new: list[Due] = []
                for some in some_of(ids, AT_ONCE):
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
        for some in some_of([due for due in dues if due.ours.id not in same], ASKED_AT_ONCE):
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


def _expected(told: Mapping[str, Any]) -> dict[str, Any]:
    """What people would see of it as it is sent."""
    return seen({**{name: told[name] for name in ("severity", "tags", *STATUS)}, "notes": []})


def _after(row: Row, told: Mapping[str, Any]) -> dict[str, Any]:
    """What people see of it there once this is written: what was seen, but for what is said."""
    now = {**row, **{name: value for name, value in told.items() if name in ("severity", "tags", *STATUS)}}
    return seen(now)
