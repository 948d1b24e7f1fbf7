"""`./dev bench exports`: all findings as NDJSON, CSV and SARIF: the memory that takes stays as it is, however many."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any, Final

from bench.child import MEGABYTE, Child, forget_peak, peak_megabytes
from bench.figure import Figure
from bench.house import House

SMALL: Final = 10_000
"""What the memory of a larger export is compared with."""

FORMS: Final = ("ndjson", "csv", "sarif")


class Exporter:
    """Lives in the child: reads an export to its end, and keeps nothing of it."""

    def export(self, form: Any) -> tuple[int, float, float]:
        """Bytes, seconds of this process's own work, and megabytes at most."""
        from tidegate.reads.export import exported_findings
        from tidegate.reads.viewer import viewing
        from tidegate.rules.access import FULL_ACCESS

        gc.collect()
        forget_peak()
        began = time.process_time()
        with viewing(FULL_ACCESS):
            size = sum(map(len, exported_findings(format=form)))
        return size, time.process_time() - began, peak_megabytes()


def measure(house: House, findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    """Each size in an exporter of its own; the best of the rounds counts, of memory the worst."""
    figures: list[Figure] = []
    peaks: dict[tuple[str, int], float] = {}
    for size in (min(SMALL, findings), findings):
        with Child("bench.ingest:Importer", url=house.database.url, TMPDIR=str(house.spools)) as importer:
            importer.ask("forget_everything")
            importer.ask("new_scene")
            importer.ask("sync", size)
        with Child("bench.exports:Exporter", url=house.database.url) as exporter:
            for form in FORMS:
                say(f"{size:,} findings as {form}")
                told = [exporter.ask("export", form) for _ in range(rounds)]
                peaks[form, size] = max(peak for _, _, peak in told)
                seconds = min(seconds for _, seconds, _ in told)
                figures.append(Figure(f"{form}: own work", told[0][0] / MEGABYTE / seconds, "MB/s", "", size, seconds))
    for form in FORMS:
        ratio = peaks[form, findings] / peaks[form, min(SMALL, findings)]
        figures.append(Figure.judged("export memory", peaks[form, findings], findings, of=form))
        figures.append(Figure.judged("export flat", ratio, findings, of=f"{form} against {SMALL:,}"))
    return figures
