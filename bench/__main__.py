"""`./dev bench`: each row of the table of speed and size, measured against an embedded PostgreSQL of its own.

Every figure with a bar is a ratio to a limit measured in the same run, or what the system itself counts. Without a
name it is `ingest`; `all` runs them one after the other, and with --write they become docs/reference/speed.md.
"""

from __future__ import annotations

import argparse
import importlib
import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.figure import Figure, say, show


@dataclass(frozen=True)
class Work:
    """One bench: bench/<name>.py has `measure`. Sizes as the report wants them; one size after the other."""

    name: str
    does: str
    findings: tuple[int, ...] = ()
    rounds: int = 3


WORKS = {
    work.name: work
    for work in (
        Work("ingest", "apply of one Record: first, unchanged, 1 % changed and 1 % gone", (100_000, 1_000_000)),
        Work("whole", "one Record from the vendor's bytes to the findings table", (100_000, 1_000_000)),
        Work("tools", "every Tool of the catalog, from its vendor's bytes to the findings table", (10_000,)),
        Work("stock", "10,000 findings in an empty database and beside 2,000,000 others", (2_000_000,), 10),
        Work("flat", "100 unchanged Syncs: dead rows and sizes; what kill -9 leaves", (10_000,), 100),
        Work("discover", "Discover of 100,000 vendor products already known", (100_000,)),
        Work("shared", "one export of all findings, for all Records", (200_000,), 1),
        Work("exports", "100,000 findings out as NDJSON, CSV and SARIF: memory", (100_000,), 1),
        Work("deliveries", "findings into a DefectDojo: created, unchanged, 1 % changed: requests", (10_000,), 1),
        Work("remap", "move and close of 200,000 findings, and their undo", (200_000,), 1),
        Work("start", "`tidegate up` to its first page, and what it needs when idle"),
        Work("growth", "how cost grows with size", (2_000_000,), 1),
        Work("profile", "where the time of an apply goes", (100_000,)),
    )
}
OTHERS = {
    "lists": "pages and lists with 1,000,000 findings stored",
    "api": "the same through the API, each beside its read",
    "screens": "the same as pages, with session and template",
    "scale": "a thousand Connections, one worker and two",
    "soak": "half an hour of misfortune befalls the whole service",
}
"""Benches with a command line of their own: bench/<name>.py has `main`."""
KINDS = {"lists": "list", "api": "api", "screens": "page"}
"""What those that tell many calls are about."""


def main(given: list[str]) -> int:
    """Exit code 0 where every bar is kept, 1 where one is not."""
    name, rest = (given[0], given[1:]) if given and not given[0].startswith("-") else ("ingest", given)
    if given and given[0] in ("-h", "--help"):
        return tell()
    if name in OTHERS:
        return importlib.import_module(f"bench.{name}").main(rest)
    if name == "all":
        return everything(rest)
    if name == "report":
        from bench import report

        return report.main(rest)
    if name not in WORKS:
        print(f"There is no bench {name!r}.", file=sys.stderr)
        return 2 + 0 * tell(sys.stderr)
    return one(WORKS[name], rest)


def tell(where: Any = sys.stdout) -> int:
    does = {work.name: work.does for work in WORKS.values()} | OTHERS
    does |= {"all": "all of them; --write writes docs/reference/speed.md", "report": "writes speed.md from speed.json"}
    print(f"{__doc__}\nUsage: ./dev bench [NAME] [--findings N] [--rounds N] [--json]\n", file=where)
    for name, line in does.items():
        print(f"  {name:<9} {line}", file=where)
    return 0


def one(work: Work, given: list[str]) -> int:
    parser = argparse.ArgumentParser(prog=f"./dev bench {work.name}", description=work.does)
    if work.findings:
        sizes = ", then ".join(f"{number:,}" for number in work.findings)
        parser.add_argument("--findings", type=int, help=f"how many (default: {sizes})")
    if work.findings:
        parser.add_argument("--rounds", type=int, default=work.rounds, help=f"(default: {work.rounds})")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    asked = parser.parse_args(given)
    sizes = (asked.findings,) if work.findings and asked.findings else work.findings
    from bench.house import open_house

    with tempfile.TemporaryDirectory(prefix="tidegate-bench-") as folder, open_house(Path(folder), say) as house:
        measure: Callable[..., list[Figure]] = importlib.import_module(f"bench.{work.name}").measure
        if work.findings:
            figures = [figure for size in sizes for figure in measure(house, size, asked.rounds, say)]
        else:
            figures = measure(house, say)
    return show(figures, asked.json)


def everything(given: list[str]) -> int:
    """Each in a process of its own, so that none finds another's database or memory."""
    parser = argparse.ArgumentParser(prog="./dev bench all")
    parser.add_argument("--findings", type=int, help="smaller sizes: at most so many")
    parser.add_argument("--json", action="store_true", help="print the figures as JSON")
    parser.add_argument("--write", action="store_true", help="write docs/reference/speed.md")
    parser.add_argument("--only", nargs="*", help="some of them; with --write the others stay as they were")
    asked = parser.parse_args(given)
    names = asked.only or [name for name in (*WORKS, *OTHERS) if name != "soak"]
    found: dict[str, list[dict[str, Any]]] = {}
    for name in names:
        say(f"\n── {name}")
        found[name] = run(name, asked.findings)
    if asked.write:
        from bench import report

        report.keep(found)
    figures = [Figure.of(told) for name in names for told in found[name]]
    return show(figures, asked.json)


def run(name: str, findings: int | None) -> list[dict[str, Any]]:
    sizes = [str(findings)] if findings and name in WORKS and WORKS[name].findings else []
    command = [sys.executable, "-m", "bench", name, "--json", *(["--findings", *sizes] if sizes else [])]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=False)
    if done.returncode not in (0, 1) or not done.stdout.strip():
        raise SystemExit(f"The bench {name} did not come to its end.")
    figures = json.loads(done.stdout)
    if name in KINDS:
        return [figure.as_dict() for figure in of_lists(figures, KINDS[name])]
    return figures


def of_lists(calls: list[dict[str, Any]], kind: str) -> list[Figure]:
    """The dearest of each kind of page, out of many calls."""
    slowest = sorted(calls, key=lambda call: -call["p95_ms"])[:8]
    hungriest = max(calls, key=lambda call: call["queries"])
    return [
        Figure("calls that were measured", len(calls)),
        *(Figure.judged(f"{kind} p95", call["p95_ms"], of=call["call"]) for call in slowest),
        Figure.judged(f"{kind} queries", hungriest["queries"], of=hungriest["call"]),
    ]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
