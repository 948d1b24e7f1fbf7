"""Making a cluster and starting a server on it, every file written as the user it belongs to."""

import contextlib
import os
import secrets
import shutil
import stat
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from .binaries import make_system_folder
from .configuration import HOST_BASED_ACCESS, memory_of_machine, settings_text
from .failure import DatabaseUnavailable, cannot_become, from_output
from .place import NEXT, SOCKET_NAME, SYSTEM_FOLDER, Place, can_search, cluster_name, is_there
from .postmaster import remove_stale_pid_files

ROLE = DATABASE = "tidegate"


def prepare_cluster(place: Place, programs: Path, tell: Callable[[str], None]) -> None:
    """Make what is missing of the cluster: folders, password, data. Refuses data of another major version untouched.

    Raises DatabaseUnavailable or OSError. Killed half-way it leaves only what the next call removes or uses.
    """
    _finish_upgrade(place)
    refuse_other_version(place, programs)
    _open_folders(place)
    if not is_there(place.data / "PG_VERSION"):
        _refuse_foreign_data(place)
        tell(f"Making a new database in {place.cluster}.")
        make_data(place, programs)
    elif not is_there(place.password):
        raise password_missing(place)
    if place.cluster != place.folder:
        with acting_as_owner_of(place.folder):
            write_file(place.location, f"{place.cluster}\n")
    make_own_folder(place.socket_folder, place)


def password_missing(place: Place) -> DatabaseUnavailable:
    """Nobody can enter a cluster whose password is gone: that file alone, or the whole home it was in."""
    if place.cluster != place.folder and not is_there(place.location):
        return DatabaseUnavailable(
            f"{place.home} is new, but the database of an earlier folder of that name still lies in {place.cluster}.",
            f"Put that folder back from a backup; or, to begin with an empty database, delete {place.cluster}.",
        )
    return DatabaseUnavailable(
        f"The password of the database, {place.password}, is missing.", "Put that file back from a backup."
    )


def start_postmaster(place: Place, programs: Path, log: int) -> subprocess.Popen[Any]:
    """Start the server; it writes to the open file `log`. It is not ready yet when this returns."""
    with acting_as(place.user, place.group):
        settings = settings_text(cluster_name(place.data), memory_of_machine())
        for name, text in (("postgresql.conf", settings), ("pg_hba.conf", HOST_BASED_ACCESS)):
            if (place.data / name).read_text(encoding="utf-8") != text:
                write_file(place.data / name, text)
        remove_stale_pid_files(place.data, place.socket_folder / SOCKET_NAME)
    command = [programs / "postgres", "-D", place.data, "-k", place.socket_folder]
    user = as_server_user(place)
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, text=False, **user)


def become_able_to_act(place: Place) -> None:
    """Give up root's groups, and try whether we may act as the server's user. Raises DatabaseUnavailable if not."""
    if os.getuid() != 0:
        return
    try:
        os.setgroups([])
        with acting_as(place.user, place.group):
            return
    except OSError:  # not permitted, or no such user in this container
        raise cannot_become(place.user) from None


@contextlib.contextmanager
def acting_as(user: int, group: int) -> Iterator[None]:
    """Touch files with another user's rights. Only root can, and only while the process has a single thread at it."""
    if os.getuid() != 0:
        yield
        return
    os.setegid(group)
    os.seteuid(user)
    try:
        yield
    finally:
        os.seteuid(0)
        os.setegid(0)


def acting_as_owner_of(folder: Path) -> contextlib.AbstractContextManager[None]:
    """Touch files in a folder with its owner's rights: a link laid there then leads no further than its owner may."""
    owner = folder.lstat()
    return acting_as(owner.st_uid, owner.st_gid)


def write_file(path: Path, text: str) -> None:
    """Write a file of mode 0600 whole or not at all, also through a power cut; never through a link."""
    part = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(handle)
        part.rename(path)
    except OSError:
        part.unlink()
        raise
    sync_folder(path.parent)


def refuse_other_version(place: Place, programs: Path) -> None:
    """Raises DatabaseUnavailable for data that these programs cannot read, with what to do."""
    found, ours = version_of_data(place.data), version_of_programs(programs)
    if found in ("", ours):
        return
    cause = f"The database in {place.data} was made by PostgreSQL {found}, and this Tidegate brings PostgreSQL {ours}."
    if is_older(found, ours):
        raise DatabaseUnavailable(
            cause, "Nothing was changed. See what it takes: tidegate upgrade --check. Then run: tidegate upgrade"
        )
    raise DatabaseUnavailable(
        cause,
        f"Start the Tidegate that came with PostgreSQL {found}, or set TIDEGATE_HOME to a new folder and restore a"
        " backup into it; nothing was changed.",
    )


def version_of_data(data: Path) -> str:
    """The major version that made it, as "18"; "" where there is none."""
    version_file = data / "PG_VERSION"
    return version_file.read_text(encoding="ascii").strip() if is_there(version_file) else ""


def version_of_programs(programs: Path) -> str:
    """The major version of these programs."""
    with (programs.parent / "share" / "postgres.bki").open(encoding="ascii") as catalogue:
        return catalogue.readline().removeprefix("# PostgreSQL").strip()


def is_older(found: str, ours: str) -> bool:
    """Whether a major version is before another; before 10 a major version had two numbers."""
    return [int(part) for part in found.split(".")] < [int(part) for part in ours.split(".")]


def _finish_upgrade(place: Place) -> None:
    """The second of an upgrade's two renames, where it was killed between them."""
    if not is_there(place.data) and is_there(place.cluster / NEXT):
        with acting_as_owner_of(place.cluster):
            (place.cluster / NEXT).rename(place.data)
            sync_folder(place.cluster)


def _refuse_foreign_data(place: Place) -> None:
    if is_there(place.data):
        raise DatabaseUnavailable(
            f"{place.data} exists but holds no PostgreSQL database.", "Move it away, then start again."
        )


def _open_folders(place: Place) -> None:
    """Let the server's user through to its data: for root only, and only through folders that are root's own."""
    if os.getuid() != 0:
        return
    if place.cluster != place.folder:
        make_system_folder(SYSTEM_FOLDER)
        place.cluster.mkdir(mode=0o711, exist_ok=True)
    for folder in {place.home, place.folder, place.cluster}:
        found = folder.lstat()
        on_the_way = folder == place.cluster or folder in place.cluster.parents
        if on_the_way and found.st_uid == 0 and not can_search(found, place.user, place.group):
            folder.chmod(stat.S_IMODE(found.st_mode) | 0o011)


def make_data(place: Place, programs: Path) -> None:
    """Make the data beside its place, and give it its name only when it is whole."""
    part = place.cluster / "data.part"
    first_password = place.cluster / ".first-password"
    _remove(part, place)
    try:
        make_own_folder(part, place)
        with acting_as_owner_of(place.folder):
            if not is_there(place.password):
                write_file(place.password, secrets.token_hex(32))
            password = place.password.read_text(encoding="ascii")
        with acting_as_owner_of(place.cluster):
            write_file(first_password, secrets.token_hex(32))
        if os.getuid() == 0:
            os.chown(first_password, place.user, place.group, follow_symlinks=False)
        _initialize(part, place, programs, first_password, password)
        with acting_as_owner_of(place.cluster):
            part.rename(place.data)
            sync_folder(place.cluster)
    finally:
        first_password.unlink(missing_ok=True)
        _remove(part, place)


def _remove(part: Path, place: Place) -> None:
    """Remove what an attempt left, this one or a killed one."""
    with acting_as_owner_of(place.cluster), contextlib.suppress(FileNotFoundError):
        shutil.rmtree(part)


def _initialize(part: Path, place: Place, programs: Path, first_password: Path, password: str) -> None:
    """Run initdb, then make role and database and take the superuser's password away: nobody can log in as it."""
    initdb = [
        *(programs / "initdb", "-D", part, "--username=postgres", f"--pwfile={first_password}"),
        *("--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--locale-provider=builtin"),
        *("--builtin-locale=C.UTF-8", "--no-instructions"),
    ]
    _run(initdb, place, "")
    single_user = [programs / "postgres", "--single", "-D", part, "-c", "log_min_error_statement=panic", "postgres"]
    statements = (
        "ALTER ROLE postgres PASSWORD NULL",
        f"CREATE ROLE {ROLE} LOGIN CREATEDB IN ROLE pg_monitor, pg_checkpoint PASSWORD '{password}'",
        f"CREATE DATABASE {DATABASE} OWNER {ROLE}",
    )
    _run(single_user, place, "\n".join([*statements, ""]))


def _run(command: list[str | Path], place: Place, words: str) -> None:
    """Run one of PostgreSQL's programs as the server's user. Raises DatabaseUnavailable with its last words."""
    ended = subprocess.run(command, input=words.encode(), capture_output=True, check=False, **as_server_user(place))
    said = (ended.stdout + ended.stderr).decode(errors="replace")
    if ended.returncode != 0 or "ERROR:" in said:
        raise from_output(said, place.cluster, place.log)


def as_server_user(place: Place) -> dict[str, Any]:
    """Arguments for a subprocess: the server's user, no group of ours, an empty environment, no folder held."""
    settings: dict[str, Any] = {"cwd": "/", "env": {"LC_ALL": "C", "TZ": "UTC"}, "umask": 0o077}
    if os.getuid() == 0:
        settings |= {"user": place.user, "group": place.group, "extra_groups": []}
    return settings


def make_own_folder(folder: Path, place: Place) -> None:
    """Make a folder that only the server's user can enter. Raises DatabaseUnavailable if another stands there."""
    beside = folder.parent == place.cluster
    maker = acting_as_owner_of(place.cluster) if beside else acting_as(place.user, place.group)
    with maker, contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    found = folder.lstat()
    if os.getuid() == 0 and stat.S_ISDIR(found.st_mode) and found.st_uid == 0:
        os.chown(folder, place.user, place.group, follow_symlinks=False)
        found = folder.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != place.user or found.st_mode & 0o077:
        raise DatabaseUnavailable(
            f"{folder} is not a folder that only user {place.user} can enter, so PostgreSQL is not safe there.",
            "Look who made it and remove it, or set TIDEGATE_HOME to a shorter path.",
        )


def sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
