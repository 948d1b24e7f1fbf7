"""The door to a folder of this machine: never left by links or "..", and nothing opened but regular files."""

from __future__ import annotations

import asyncio
import errno
import os
import stat
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote_to_bytes

from ..ask import Ask, Reader
from ..errors import AccessDenied, ConnectorError, Incomplete, NotFound, VendorChanged, VendorDown
from ..limits import Limits
from ..stopwatch import Stopwatch
from . import Answer, Stream

_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_FILE = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC  # not blocked by a FIFO that nobody writes
_NO_LINK = os.O_NOFOLLOW
_EARLIEST, _LATEST = -62_135_596_800, 253_402_300_799  # the years 1 to 9999 in seconds
_QUOTED = "."  # no entry has this name: in a path it says that the next part is quoted, for names that are not UTF-8


class FolderDoor:
    """Lists folders and opens files below one root."""

    def __init__(self, root: Path, *, limits: Limits, log: Callable[..., object], stopwatch: Stopwatch) -> None:
        self.requests = 0
        self.calls = Counter[str]()
        self._root, self._limits, self._log, self._stopwatch = root, limits, log, stopwatch

    async def ask(self, ask: Ask) -> Answer:
        """A listing, or an open file for the Ask's reader."""
        self.requests += 1
        with self._stopwatch.waiting_for("vendor"):
            if ask.path == "" or ask.path.endswith("/"):
                return Answer(await asyncio.to_thread(self._list, ask.path))
            if ask.reader is None:
                raise VendorChanged(f"{ask.path} is a file and needs a reader.")
            return Answer(stream=await asyncio.to_thread(self._open, ask.path, ask.reader))

    async def aclose(self) -> None:
        """Nothing is open between two questions."""

    def _list(self, path: str) -> list[dict[str, Any]]:
        links = others = 0
        found: list[tuple[bytes, dict[str, Any]]] = []
        with self._folder(parts_of(path)) as folder, _told(path), os.scandir(folder) as entries:
            for entry in entries:
                status = _status(entry.name, folder)
                if status is None:
                    continue  # gone between the listing and the look at it
                if stat.S_ISLNK(status.st_mode):
                    links += 1
                elif stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode):
                    found.append((os.fsencode(entry.name), _row(path, entry.name, status)))
                    if len(found) > self._limits.entries:
                        raise Incomplete(f"The folder {path or '/'} has more than {self._limits.entries:,} entries.")
                else:
                    others += 1
        self._log("folder.listed", folder=path or "/", entries=len(found), links_left_out=links, others_left_out=others)
        return [row for _, row in sorted(found, key=lambda pair: pair[0])]

    def _open(self, path: str, reader: Reader) -> Stream:
        """The file, and beside it a descriptor of its folder for the look afterwards."""
        *parents, name = parts_of(path)
        with self._folder(parents) as folder, _told(path):
            descriptor = os.open(name, _FILE | _NO_LINK, dir_fd=folder)
            try:
                before = os.fstat(descriptor)
                if not stat.S_ISREG(before.st_mode):
                    raise AccessDenied(f"{path} is not a regular file.", _LINK_STEP)
                if before.st_size > self._limits.stream_bytes:
                    raise VendorChanged(f"{path} has more than {self._limits.stream_bytes:,} bytes.")
                beside = os.dup(folder)
            except BaseException:
                os.close(descriptor)
                raise
            file = os.fdopen(descriptor, "rb")

        def check() -> None:
            if (after := _status(name, beside)) is None or _identity(after) != _identity(before):
                raise Incomplete(f"{path} is still being written.", "Nothing was closed. The next run reads it again.")

        def close() -> None:
            if not file.closed:  # a number that is closed twice may be another file's by then
                file.close()
                os.close(beside)

        self._log("folder.opened", file=path, bytes=before.st_size)
        return Stream(lambda: reader(file), close, check)

    @contextmanager
    def _folder(self, parts: list[str]) -> Generator[int]:
        """A descriptor of a folder below the root, reached step by step without following a link."""
        folder = self._open_root()
        try:
            walked = ""
            for part in parts:
                walked += f"{part}/"
                with _told(walked):
                    inner = os.open(part, _DIRECTORY | _NO_LINK, dir_fd=folder)
                os.close(folder)
                folder = inner
            yield folder
        finally:
            os.close(folder)

    def _open_root(self) -> int:
        """The root may be a link itself: a person chose it."""
        try:
            return os.open(self._root, _DIRECTORY)
        except PermissionError:
            raise AccessDenied(f"The folder {self._root} may not be read.", _RIGHT_STEP) from None
        except (OSError, ValueError) as error:
            why = "does not exist" if isinstance(error, FileNotFoundError) else "cannot be opened as a folder"
            raise VendorDown(f"The folder {self._root} {why}.", "Create the folder or edit the Connection.") from None


_LINK_STEP = "Put a regular file there: links, pipes and devices are not followed."
_RIGHT_STEP = "Give the user that runs Tidegate the right to read it."


def parts_of(path: str) -> list[str]:
    """The names on the way, quoted ones as they are on disk; raises AccessDenied where the path leaves the root."""
    parts: list[str] = []
    quoted = False
    for part in path.split("/"):
        if part == _QUOTED:
            quoted = True
        elif part:
            name = os.fsdecode(unquote_to_bytes(part)) if quoted else part
            if name in ("", ".", "..") or "/" in name or "\0" in name:
                raise _leaves(path)
            parts.append(name)
            quoted = False
    if path.startswith("/") or (not parts and path):
        raise _leaves(path)
    return parts


def _leaves(path: str) -> AccessDenied:
    return AccessDenied(f"The path {path!r} leaves the folder of the Connection.", "Name only what lies inside it.")


def _row(folder: str, name: str, status: os.stat_result) -> dict[str, Any]:
    is_folder = stat.S_ISDIR(status.st_mode)
    raw = os.fsencode(name)
    shown = raw.decode("utf-8", "replace")
    usable = name if raw == shown.encode() else f"{_QUOTED}/{quote(raw, safe='')}"
    return {
        "name": shown,
        "path": f"{folder}{usable}/" if is_folder else f"{folder}{usable}",
        "folder": is_folder,
        "size": status.st_size,
        "modified": moment(status.st_mtime).isoformat(),
    }


def moment(seconds: float) -> datetime:
    """A file's time. Some file systems keep years beyond 9999: the last one that can be written stands for them."""
    return datetime.fromtimestamp(min(max(seconds, _EARLIEST), _LATEST), UTC)


def _status(name: str, folder: int) -> os.stat_result | None:
    try:
        return os.stat(name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        return None


def _identity(status: os.stat_result) -> tuple[int, ...]:
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


@contextmanager
def _told(path: str) -> Generator[None]:
    """The system's refusals as errors that name the path."""
    try:
        yield
    except OSError as error:
        raise explained(path, error) from None


def explained(path: str, error: OSError) -> ConnectorError:
    if isinstance(error, FileNotFoundError):
        return NotFound(f"{path} does not exist.", "Run Discover to see what is there now.")
    if isinstance(error, PermissionError):
        return AccessDenied(f"{path} may not be read.", _RIGHT_STEP)
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.ENXIO, errno.EMLINK):
        return AccessDenied(f"{path} is a link or not what its name says.", _LINK_STEP)
    return VendorDown(f"{path} cannot be read: {error.strerror}.", "Look at the disk or the mount behind the folder.")
