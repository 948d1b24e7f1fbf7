"""One walk that serves many VEPs, while it is read: a list whose rows say where they belong."""

from __future__ import annotations

from typing import Any

from .ask import SharedFamily, read_name
from .errors import VendorChanged
from .finding import Finding, Skip
from .line import Line
from .listing import Walked
from .reading import Housed


class SharedListing(Walked[Finding, Housed]):
    """The SharedReading that a Session hands out. Nothing of it grows with the number of VEPs."""

    def __init__(self, line: Line, family: SharedFamily) -> None:
        super().__init__(line, family.list, off=family.off, keep_raw=not family.secret)
        self._of = family.of

    def _sort(self, items: list[Any]) -> list[Housed]:
        ledger, of = self._ledger, self._of
        ledger.seen += len(items)
        batch: list[Housed] = []
        for item in items:
            home = read_name(item, of)
            try:
                value = self._value(item)
                if home is None:
                    raise VendorChanged("It does not say what it belongs to.")
            except Exception as error:  # noqa: BLE001 - as in a Listing
                batch.append((home, self._odd(item, error)))
                ledger.homeless += home is None
                continue
            if isinstance(value, Skip):
                value = self._scrubbed(value)
                ledger.skipped[value.because] += 1
            else:
                ledger.kept += 1
            batch.append((home, value))
        return batch

    def _scrubbed(self, skip: Skip) -> Skip:
        because = self._line.redactor.text(skip.because)
        return skip if because == skip.because else Skip(because)
