"""Where an embedded cluster lies and who runs it: decided from what stands on the disk, without touching anything."""

import hashlib
import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from .failure import DatabaseUnavailable

# For root only: the copy of the binaries, and the clusters of homes whose parents the server's user cannot search.
SYSTEM_FOLDER = Path("/var/lib/tidegate")
# For sockets of homes with a long path. Not $TMPDIR: every process that shares a home must come to the same name.
SHORT_FOLDER = Path("/tmp")  # noqa: S108 - the folder made in it is 0700, its owner is checked, no link is followed
SOCKET_NAME = ".s.PGSQL.5432"
# Bytes: Linux gives a socket's path 108, one of them the closing NUL.
LONGEST_SOCKET_PATH = 107
UNPRIVILEGED = "nobody"
# Verified data of another major version, about to become `data`: an upgrade that was killed between two renames.
NEXT = "data.next"


@dataclass(frozen=True)
class Place:
    """One home's cluster: all paths follow from these four facts."""

    home: Path
    cluster: Path  # holds `data` and the socket; home/postgres, or a folder of SYSTEM_FOLDER
    user: int
    group: int

    @property
    def folder(self) -> Path:
        return self.home / "postgres"

    @property
    def data(self) -> Path:
        return self.cluster / "data"

    @property
    def password(self) -> Path:
        return self.folder / "password"

    @property
    def log(self) -> Path:
        return self.folder / "log"

    @property
    def location(self) -> Path:
        """Says where the cluster lies, if that is not beside this file."""
        return self.folder / "location"

    @property
    def socket_folder(self) -> Path:
        beside = self.cluster / "socket"
        # libpq and PostgreSQL read a comma as "and the next one", a leading quote as the start of a quoted name.
        fits = len(os.fsencode(beside / SOCKET_NAME)) <= LONGEST_SOCKET_PATH and not set(str(beside)) & set(",\"'\\")
        return beside if fits else SHORT_FOLDER / f"tidegate-{_short_name(self.home, self.user)}"


def choose_place(home: Path, us: int, system_folder: Path = SYSTEM_FOLDER) -> Place:
    """The place of `home` (existing, resolved) for a process of user id `us`.

    A cluster that exists is never left for a new one: its place and owner win over what would be chosen today.
    Raises DatabaseUnavailable if a cluster was there and is gone, or nobody is there to run it; OSError if unreadable.
    """
    user, group = _server_user(home, us)
    outside = system_folder / _short_name(home)
    cluster = _existing_cluster(home / "postgres", outside)
    if cluster is None:
        reachable = us != 0 or all(can_search(parent.stat(), user, group) for parent in home.parents)
        cluster = home / "postgres" if reachable else outside
    elif us == 0:
        owner = (cluster / ("data" if is_there(cluster / "data") else NEXT)).stat()
        user, group = owner.st_uid, owner.st_gid
    if user == 0:
        raise DatabaseUnavailable(
            f"The database in {cluster} belongs to root, and PostgreSQL refuses to run as root.",
            f"Give it to the user who is to run it: chown -R {UNPRIVILEGED} '{cluster}/data'",
        )
    return Place(home, cluster, user, group)


def cluster_name(data: Path) -> str:
    """What the processes of a cluster are called in a list of processes: tells them from those of any other cluster."""
    return f"tidegate-{_short_name(data)}"


def is_there(path: Path) -> bool:
    """Whether a path exists. Raises OSError where we may not look: there Path.exists() says no from Python 3.14 on."""
    try:
        path.stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    return True


def can_search(folder: os.stat_result, user: int, group: int) -> bool:
    """Whether a plain user of one group may go through a folder to what lies in it."""
    if folder.st_uid == user:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == group:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)


def _server_user(home: Path, us: int) -> tuple[int, int]:
    """User and group id for the server: ourselves; for root the owner of the home, or an existing unprivileged user."""
    if us != 0:
        return us, os.getegid()
    owner = home.stat()
    if owner.st_uid != 0:
        return owner.st_uid, owner.st_gid
    try:
        unprivileged = pwd.getpwnam(UNPRIVILEGED)
    except KeyError:
        raise DatabaseUnavailable(
            f"PostgreSQL refuses to run as root, and this machine has no user {UNPRIVILEGED!r} to run it instead.",
            f"Run Tidegate as a plain user, or give {home} to one.",
        ) from None
    return unprivileged.pw_uid, unprivileged.pw_gid


def _existing_cluster(folder: Path, outside: Path) -> Path | None:
    location = folder / "location"
    if is_there(location):
        recorded = Path(location.read_text(encoding="utf-8").strip())
        if not _holds_data(recorded):
            raise DatabaseUnavailable(
                f"The database of {folder.parent} lay in {recorded} and is gone.",
                f"Put that folder back from a backup; only to begin with an empty database, delete {location}.",
            )
        return recorded
    return next((cluster for cluster in (folder, outside) if _holds_data(cluster)), None)


def _holds_data(cluster: Path) -> bool:
    return is_there(cluster / "data") or is_there(cluster / NEXT)


def _short_name(*parts: object) -> str:
    return hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogateescape")).hexdigest()[:16]
