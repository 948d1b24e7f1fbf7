"""`./dev bench`: runs the benchmarks against an embedded PostgreSQL of their own and prints each against its bar.

`./dev bench scale` measures a thousand Connections with one worker and with two (bench/scale.py), `./dev bench soak`
lets half an hour of misfortune befall the whole service (bench/soak.py).
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile

from rich.console import Console
from rich.table import Table


def main(given: list[str]) -> int:
    """Exit code 0 where every bar is kept, 1 where one is not."""
    match given:
        case ["scale", *rest]:
            from bench import scale

            return scale.main(rest)
        case ["soak", *rest]:
            from bench import soak

            return soak.main(rest)
        case _:
            return ingest(given)


def ingest(given: list[str]) -> int:
    """The cost of each finding (bench/ingest.py)."""
    parser = argparse.ArgumentParser(
        prog="./dev bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--findings", type=int, default=100_000, help="of one Record (default: 100,000)")
    parser.add_argument("--rounds", type=int, default=3, help="the best of so many counts (default: 3)")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    options = parser.parse_args(given)
    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as home:
        os.environ["TIDEGATE_HOME"] = home
        os.environ.pop("TIDEGATE_DATABASE_URL", None)
        from tidegate.config import Settings
        from tidegate.server.start import started

        with started(Settings(), lambda text: print(text, file=sys.stderr)):
            from bench.ingest import measure

            rows = measure(options.findings, options.rounds, lambda text: print(text, file=sys.stderr))
    if options.json:
        print(json.dumps([row.as_dict() for row in rows], indent=2))
    else:
        table = Table("work", "seconds", "findings/s", "ratio", "bar", "kept")
        for row in rows:
            table.add_row(*row.as_cells())
        Console().print(table)
    return 0 if all(row.kept for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
