"""The service as benches run it: a home and a database of its own, real processes, and what the kernel says of them."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import psycopg

from tidegate.config import Settings
from tidegate.server.part import LIFELINE
from tidegate.server.postgres import Database
from tidegate.server.start import started

CHECKOUT = Path(__file__).parents[1]
TICKS = os.sysconf("SC_CLK_TCK")
TOOLS = """[tidegate.tools]
loopback = bench.loopback:Loopback
loopback_export = bench.loopback:Export
"""


class Process:
    """One process of the service, by a name of ours."""

    def __init__(self, house: House, name: str, *words: str, **settings: str) -> None:
        self.name, self.words = name, words
        self.log: Path = house.folder / f"{name}.log"
        self._house, self._settings = house, settings
        self.start()

    def start(self) -> None:
        """Starts it, or the next one of its name. It ends when we do, however that is."""
        line = self._house.lifeline
        with self.log.open("ab") as said:
            self.process = subprocess.Popen(
                [sys.executable, "-P", "-m", "tidegate.cli", *self.words],
                env=self._house.environment | {"PGAPPNAME": self.name, LIFELINE: str(line)} | self._settings,
                pass_fds=[line],
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=subprocess.STDOUT,
                cwd=self._house.folder,
                start_new_session=True,
            )
        self.born = time.monotonic()

    @property
    def pid(self) -> int:
        return self.process.pid

    @property
    def lives(self) -> bool:
        return self.process.poll() is None

    def signal(self, number: signal.Signals) -> None:
        if self.lives:
            self.process.send_signal(number)

    def end(self, seconds: float) -> int | None:
        """Asks it to end; its code, or None where it had to be killed."""
        self.signal(signal.SIGCONT)
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            return None


class House:
    """A home in `folder` with the embedded database open, and an environment for processes that share it."""

    def __init__(self, folder: Path, database: Database) -> None:
        self.folder, self.database = folder, database
        self.lifeline, self._ours = os.pipe()
        self.spools = folder / "tmp"
        self.spools.mkdir()
        self.environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("TIDEGATE_", "NOTIFY_", "PG"))
        } | {
            "TIDEGATE_HOME": os.environ["TIDEGATE_HOME"],
            "TIDEGATE_DATABASE_URL": database.url,
            "TMPDIR": str(self.spools),
            "PYTHONPATH": str(folder / "packages"),
            "LOGNAME": "alice",
        }

    def rss(self, pid: int) -> int:
        """Its resident memory in bytes; 0 where it is gone."""
        return int(_status(pid).get("VmRSS", "0 kB").split()[0]) * 1024

    def threads(self, pid: int) -> int:
        return int(_status(pid).get("Threads", "0"))

    def cpu(self, pid: int) -> float:
        """The seconds of a processor that it has used, its ended children's too."""
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()
        return sum(map(int, fields[11:15])) / TICKS

    def cpu_of_database(self) -> float:
        """The same of PostgreSQL with all its processes, those that have ended included."""
        assert self.database.place
        postmaster = int((self.database.place.data / "postmaster.pid").read_text().split()[0])
        children = Path(f"/proc/{postmaster}/task/{postmaster}/children").read_text().split()
        total = self.cpu(postmaster)
        for child in children:
            with contextlib.suppress(OSError):
                total += self.cpu(int(child))
        return total

    def descriptors(self, pid: int) -> list[str]:
        """What it has open."""
        found: list[str] = []
        with contextlib.suppress(OSError):
            for descriptor in os.scandir(f"/proc/{pid}/fd"):
                with contextlib.suppress(OSError):
                    found.append(os.readlink(descriptor.path))  # noqa: PTH115 - a Path for each of thousands
        return found

    def spools_of(self, pid: int) -> int:
        """How many temporary files it has open, named or not."""
        return sum(name.startswith(f"{self.spools}/") for name in self.descriptors(pid))

    def everyone(self) -> dict[int, str]:
        """Every process that lives in this house, whoever started it: its number and its command line."""
        found: dict[int, str] = {}
        mark = f"TMPDIR={self.spools}".encode()
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                with contextlib.suppress(OSError):
                    if mark in Path(entry.path, "environ").read_bytes().split(b"\0"):
                        line = Path(entry.path, "cmdline").read_bytes().replace(b"\0", b" ")
                        found[int(entry.name)] = line.decode(errors="replace")
        return found

    def ask(self, statement: str, *parameters: object) -> list[tuple[object, ...]]:
        """One statement at a prompt of our own, so that whatever befalls other connections does not befall it."""
        with psycopg.connect(self.database.url, autocommit=True, application_name="house") as somebody:
            cursor = somebody.execute(statement.encode(), parameters or None)
            return cursor.fetchall() if cursor.description else []

    def connections(self) -> dict[str, int]:
        """Who has how many connections to the database, but for this question's own."""
        counted = self.ask(
            "SELECT application_name, count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND backend_type = 'client backend' GROUP BY 1 ORDER BY 1"
        )
        return {str(name): int(str(number)) for name, number in counted}


@contextlib.contextmanager
def open_house(folder: Path, say: Callable[[str], None]) -> Iterator[House]:
    """Makes the database, and the package by which the processes find the Tool."""
    folder.chmod(0o755)  # where root runs this, another user runs PostgreSQL, and must get in
    _make_package(folder / "packages")
    os.environ["TIDEGATE_HOME"] = str(folder / "home")
    os.environ["PGAPPNAME"] = "bench"
    os.environ.pop("TIDEGATE_DATABASE_URL", None)
    sys.path.insert(0, str(folder / "packages"))
    with started(Settings(), say) as database, database.kept_up(say):
        yield House(folder, database)


def until(answer: Callable[[], object], seconds: float, pause: float = 0.1) -> bool:
    """Asks again and again until the answer is true; False where it never was."""
    end = time.monotonic() + seconds
    while not answer():
        if time.monotonic() > end:
            return False
        time.sleep(pause)
    return True


def load() -> str:
    """How busy the machine is, whoever makes it so."""
    return f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"


def _make_package(place: Path) -> None:
    """Metadata of a package that brings the Tool, all that the catalog looks at; and Tidegate as it is now: what is
    edited while this runs for long does not come in with a process that is started again."""
    for source in ("src/tidegate", "sdk/src/tidegate_sdk", "bench"):
        copy = place / Path(source).name
        shutil.copytree(CHECKOUT / source, copy, ignore=shutil.ignore_patterns("__pycache__"))
    metadata = place / "tidegate_loopback-1.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: tidegate-loopback\nVersion: 1\n")
    (metadata / "entry_points.txt").write_text(TOOLS)


def _status(pid: int) -> Mapping[str, str]:
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}
