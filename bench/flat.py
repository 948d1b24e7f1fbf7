"""`./dev bench flat`: a hundred Syncs without news leave the database as it was; one that is killed leaves nothing.

Nothing is vacuumed by hand. What keeps the history of Operations grows by a few rows each, and retention takes them.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from bench.child import Child
from bench.figure import Figure
from bench.house import House, until

WARM = 10
"""Syncs before the first look: the first ones make room that later ones use again."""

HISTORY = frozenset(
    {"operation", "result", "log_line", "lease", "procrastinate_jobs", "procrastinate_events", "audit", "host_pace"}
)
"""Tables that keep what Operations did; rows of them come with each, and go by retention."""

SIZES = """
    SELECT relname, pg_total_relation_size(relid) / 1024, n_dead_tup
      FROM (SELECT relid, relname, n_dead_tup FROM pg_stat_user_tables
             UNION ALL
            SELECT relid, relname, n_dead_tup FROM pg_stat_sys_tables
             WHERE relname IN ('pg_class', 'pg_attribute', 'pg_type', 'pg_depend', 'pg_index', 'pg_statistic')) AS each
"""


def measure(house: House, findings: int, rounds: int, say: Callable[[str], None]) -> list[Figure]:
    spools = str(house.spools)
    with (
        Child("bench.loopback:Vendor", "bench.pages:Pages", findings, TMPDIR=spools) as vendor,
        Child("bench.worker:Worker", url=house.database.url, TMPDIR=spools) as worker,
    ):
        worker.ask("begin", vendor.ask("url"))
        worker.ask("discover")
        say(f"{WARM} Syncs of {findings:,} findings, then {rounds} more")
        worker.ask("syncs", WARM)
        before = sizes(house)
        began = time.monotonic()
        worker.ask("syncs", rounds)
        took = time.monotonic() - began
        after = sizes(house)
    garbage = left_by_a_killed_one(house, findings, say)
    stock = {name: (kilobytes - before.get(name, (0, 0))[0], dead) for name, (kilobytes, dead) in after.items()}
    quiet = {name: told for name, told in stock.items() if name not in HISTORY}
    grown = {name: kilobytes for name, (kilobytes, _) in quiet.items() if kilobytes}
    dead = max(quiet, key=lambda name: quiet[name][1])
    for name, kilobytes in sorted(grown.items()):
        say(f"{name} grew by {kilobytes} kB")
    return [
        Figure(f"{rounds} unchanged Syncs", took / rounds, "s each", findings=findings),
        Figure.judged("flat size", sum(grown.values()), findings),
        Figure.judged("flat dead", quiet[dead][1], findings, of=dead),
        *(
            Figure(f"history: {name}", stock[name][0] / rounds, "kB a Sync")
            for name in sorted(HISTORY & stock.keys())
            if stock[name][0]
        ),
        Figure.judged("garbage", garbage, findings),
    ]


def sizes(house: House) -> dict[str, tuple[int, int]]:
    """Kilobytes with indexes and TOAST, and dead rows, by table."""
    time.sleep(1.5)  # a backend tells its statistics once a second
    return {str(name): (int(str(size)), int(str(dead))) for name, size, dead in house.ask(SIZES)}


def left_by_a_killed_one(house: House, findings: int, say: Callable[[str], None]) -> int:
    """Kills a worker while it imports; counts files in its folder and temporary tables in the database."""
    folder = house.spools / "killed"
    folder.mkdir()
    say("One that is killed while it imports")
    worker = Child("bench.killed:Importing", url=house.database.url, TMPDIR=str(folder))
    worker.begin("sync", findings)
    tables = "SELECT count(*) FROM pg_class WHERE relpersistence = 't' AND relkind = 'r'"
    seen = until(lambda: house.ask(tables)[0][0] and house.ask("SELECT 1 FROM finding LIMIT 1"), 60, 0.01)
    worker.kill()
    gone = until(lambda: house.ask(tables)[0][0] == 0, 30)
    files = [file for file in Path(folder).rglob("*") if file.is_file()]
    say(f"Killed in the middle: {seen}; temporary tables gone: {gone}; files left: {len(files)}")
    return len(files) + int(str(house.ask(tables)[0][0]))
