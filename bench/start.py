"""`./dev bench start`: how soon `tidegate up` shows its first page, and what it needs when idle."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

from bench.figure import Figure
from bench.house import House, until

ROUNDS = 3
IDLE_SECONDS = 20


def measure(house: House, say: Callable[[str], None]) -> list[Figure]:
    """The best start of three, each with the database already made; the one before them makes it."""
    folder = house.folder / "start"
    folder.mkdir(mode=0o755)
    best = float("inf")
    with up(house, folder) as seconds:
        say(f"The first start, which makes the database: {seconds:.1f} s")
    for number in range(ROUNDS):
        with up(house, folder) as seconds:
            best = min(best, seconds)
            say(f"Start {number + 1} of {ROUNDS}: {seconds:.2f} s")
            if number == ROUNDS - 1:
                time.sleep(IDLE_SECONDS)
                shares = pss(folder)
    for name, megabytes in shares:
        say(f"{megabytes:6.1f} MB  {name}")
    return [
        Figure.judged("start", best),
        Figure("Python processes", len(shares)),
        Figure.judged("idle", sum(megabytes for _, megabytes in shares)),
    ]


@contextlib.contextmanager
def up(house: House, folder: Path) -> Iterator[float]:
    """The whole service in a home of its own; gives the seconds from its start to its first page."""
    port = free_port()
    environment = house.environment | {"TIDEGATE_HOME": str(folder / "home")}
    del environment["TIDEGATE_DATABASE_URL"]
    with (folder / "up.log").open("ab") as log:
        began = time.monotonic()
        process = subprocess.Popen(
            [sys.executable, "-P", "-m", "tidegate.cli", "up", "--port", str(port)],
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=folder,
        )
    try:
        if not until(lambda: answers(f"http://127.0.0.1:{port}/"), 60, 0.02):
            raise RuntimeError(f"No page within a minute: {(folder / 'up.log').read_text()[-2000:]}")
        yield time.monotonic() - began
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
        until(lambda: not pss(folder), 30)  # the database ends after whoever used it last


def answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return answer.status == 200 and b"<html" in answer.read().lower()
    except (urllib.error.URLError, OSError):
        return False


def free_port() -> int:
    with socket.socket() as somebody:
        somebody.bind(("127.0.0.1", 0))
        return somebody.getsockname()[1]


def pss(folder: Path) -> list[tuple[str, float]]:
    """The Python processes that live in this folder: what each is, and its share of memory in megabytes."""
    found: list[tuple[str, float]] = []
    mark = f"{folder}/home".encode()
    for entry in os.scandir("/proc"):
        if not entry.name.isdigit():
            continue
        with contextlib.suppress(OSError):
            place = Path(entry.path)
            words = (place / "cmdline").read_bytes()
            if mark not in words and mark not in (place / "environ").read_bytes():
                continue
            if "python" not in (place / "exe").readlink().name:
                continue
            rollup = (place / "smaps_rollup").read_text().splitlines()
            kilobytes = next(int(line.split()[1]) for line in rollup if line.startswith("Pss:"))
            name = b" ".join(words.split(b"\0")[1:6]).decode(errors="replace").replace(str(folder), "…")
            found.append((name.strip(), kilobytes * 1024 / 10**6))
    return found
