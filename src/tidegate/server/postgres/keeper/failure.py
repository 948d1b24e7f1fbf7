"""What can keep the database away, said by what the operator must do."""

import errno
import os
from pathlib import Path

DISK_FULL = ("No space left on device", "Disk quota exceeded")
NOT_ALLOWED = ("Permission denied", "Operation not permitted", "Read-only file system")

# A start needs a journal file of 16 MB and some room beside it. With less left, lack of space is the likely cause.
ROOM_TO_START = 32 * 1024 * 1024


class DatabaseUnavailable(Exception):
    """There is no database to work with. The message says what happened, to which thing, and what to do next.

    `for_a_person` is False where trying again may help by itself: a server that is being started, a network.
    """

    def __init__(self, cause: str, next_step: str, *, for_a_person: bool = True) -> None:
        super().__init__(f"{cause} {next_step}")
        self.cause = cause
        self.next_step = next_step
        self.for_a_person = for_a_person


def from_system(error: OSError, folder: Path) -> DatabaseUnavailable:
    """What a refused system call, made for the cluster in `folder`, means for the operator."""
    where = Path(os.fsdecode(error.filename)) if isinstance(error.filename, str | bytes) else folder
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return disk_full(folder)
    if error.errno == errno.ELOOP:
        return not_allowed(where, "it is a link, and no link is followed there")
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return not_allowed(where)
    return DatabaseUnavailable(
        f"Tidegate cannot use {where} for its database: {error.strerror or error}.",
        "Set TIDEGATE_HOME to a folder that can hold it, then start again.",
    )


def from_output(text: str, folder: Path, log: Path) -> DatabaseUnavailable:
    """What the last words of initdb or PostgreSQL, running in `folder`, mean for the operator."""
    if any(words in text for words in DISK_FULL):
        return disk_full(folder)
    lines = [line for line in text.splitlines() if any(word in line for word in ("FATAL", "PANIC", "error:"))]
    last = lines[-1].strip() if lines else "it gave no reason"
    if any(words in last for words in NOT_ALLOWED):
        return not_allowed(folder, last)
    if _room(folder) < ROOM_TO_START:
        return disk_full(folder)
    return DatabaseUnavailable(
        f"PostgreSQL in {folder} did not start: {last}.", f"Read {log}, remove the cause, then start again."
    )


def disk_full(folder: Path) -> DatabaseUnavailable:
    """The disk has no room, or so little that PostgreSQL cannot start."""
    return DatabaseUnavailable(
        f"The disk that holds {folder} is full, so PostgreSQL cannot start.",
        "Free some space there, or set TIDEGATE_HOME to a folder on a larger disk, then start again; nothing was lost.",
    )


def not_allowed(where: Path, detail: str = "permission denied") -> DatabaseUnavailable:
    """A folder or file belongs to somebody else, or is read-only."""
    return DatabaseUnavailable(
        f"Tidegate, running as user {os.geteuid()}, may not use {where}: {detail}.",
        "Run it as the user who owns that folder, give the folder to this user, or set TIDEGATE_HOME to another one.",
    )


def cannot_become(user: int) -> DatabaseUnavailable:
    """Root in a container that was started without the rights of root."""
    return DatabaseUnavailable(
        f"PostgreSQL refuses to run as root, and this process may not become user {user} to run it.",
        "Run Tidegate as a plain user, or allow it the capabilities SETUID and SETGID.",
    )


def _room(folder: Path) -> int:
    """Bytes that a plain user may still write where `folder` lies."""
    disk = os.statvfs(folder)
    return disk.f_bavail * disk.f_frsize
