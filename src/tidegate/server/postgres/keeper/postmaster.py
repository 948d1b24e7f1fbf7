"""The main process of a running server: is it alive, how far is it, end it. The truth is its pid file and /proc."""

import os
import select
import signal
from collections.abc import Iterator
from pathlib import Path

from .place import cluster_name

PROCESSES = Path("/proc")


def living_postmaster(data: Path) -> int | None:
    """The process id of the server that runs on this data folder; None if there is none, whatever the pid file says."""
    lines = _pid_file(data)
    if not lines or not lines[0].lstrip("-").isdigit():
        return None
    process = abs(int(lines[0]))  # negative: a single-user server
    return process if works_in(process, data) else None


def status(data: Path) -> str:
    """What the living server says of itself: "starting", "ready", "stopping"; "absent" without one."""
    if living_postmaster(data) is None:
        return "absent"
    lines = _pid_file(data)
    return lines[7].strip() if len(lines) > 7 else "starting"


def works_in(process: int, data: Path) -> bool:
    """Whether a process is a server process of this data folder: each of them has it as its working folder."""
    try:
        return (PROCESSES / str(process) / "cwd").samefile(data)
    except (FileNotFoundError, ProcessLookupError):
        return False
    except PermissionError:
        # Root in a container has no CAP_SYS_PTRACE. What a process is called may be read all the same.
        return _is_called_for(process, data)


def remove_stale_pid_files(data: Path, socket: Path) -> None:
    """Remove what a killed server left, which names a process id that may be somebody else's by now.

    PostgreSQL would refuse to start for that other process. With any server process of this folder alive nothing is
    touched. The caller holds the keeper's lock, so nobody starts a server meanwhile.
    """
    if any(works_in(process, data) for process in _all_processes()):
        return
    for file in (data / "postmaster.pid", socket.with_name(f"{socket.name}.lock"), socket):
        file.unlink(missing_ok=True)


def end_leftover_backends(data: Path) -> None:
    """Ask the processes that a killed server left behind to end; PostgreSQL does not start while one is alive."""
    for process in _all_processes():
        if works_in(process, data):
            _signal(process, data, signal.SIGTERM)


def stop_postmaster(data: Path) -> None:
    """Shut the server down, if one is alive: sessions are cut, a checkpoint is written; returns once it has ended."""
    process = living_postmaster(data)
    if process is not None:
        _signal(process, data, signal.SIGINT, wait=True)


def _signal(process: int, data: Path, number: signal.Signals, wait: bool = False) -> None:
    try:
        handle = os.pidfd_open(process)
    except ProcessLookupError:
        return
    try:
        # Looked at again now that the handle pins it: a process id can be given to somebody else in between.
        if works_in(process, data):
            signal.pidfd_send_signal(handle, number)
            if wait:
                select.select([handle], [], [])
    except ProcessLookupError:
        return
    finally:
        os.close(handle)


def _pid_file(data: Path) -> list[str]:
    try:
        return (data / "postmaster.pid").read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except FileNotFoundError:
        return []


def _all_processes() -> Iterator[int]:
    return (int(entry.name) for entry in PROCESSES.iterdir() if entry.name.isdigit())


def _is_called_for(process: int, data: Path) -> bool:
    try:
        words = (PROCESSES / str(process) / "cmdline").read_bytes().split(b"\0")
    except (FileNotFoundError, ProcessLookupError):
        return False
    if words[0].endswith(b"/postgres"):
        return os.fsencode(data) in words
    return words[0].startswith(f"postgres: {cluster_name(data)}: ".encode())
