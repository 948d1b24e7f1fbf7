"""A worker that is there to be killed while it imports (flat.py)."""

from __future__ import annotations

from bench.ingest import Importer


class Importing:
    """Lives in the child."""

    def __init__(self) -> None:
        self._importer = Importer()

    def sync(self, findings: int) -> None:
        """Imports for ever, each time another Record."""
        number = 0
        while True:
            number += 1
            self._importer.new_scene(f"killed {number}")
            self._importer.sync(findings)
