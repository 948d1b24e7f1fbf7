"""A folder of reports: what is listed, what is opened, and what never is."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

import pytest

from sdk.tests.conftest import PATIENT, Open
from sdk.tests.plain import Log, body_of, rows_of, whole
from tidegate_sdk import AccessDenied, Ask, ConnectorError, Folder, Incomplete, NotFound, VendorChanged, VendorDown, Vep
from tidegate_sdk.doors.folder import explained, moment


def lines(file: BinaryIO) -> Iterator[dict[str, Any]]:
    for line in file:
        yield {"id": line.decode().strip(), "name": "x"}


def report(path: str, reader: Any = lines) -> Any:
    return whole(ask=Ask(path, reader=reader), items="")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "reports"
    (root / "team" / "deep").mkdir(parents=True)
    (root / "b.json").write_bytes(b"one\ntwo\n")
    (root / "a.json").write_bytes(b"")
    (root / ".hidden").write_bytes(b"x")
    (root / "c.json.part").write_bytes(b"x")
    (root / "team" / "d.json").write_bytes(b"three\n")
    (tmp_path / "outside.json").write_bytes(b"secret\n")
    return root


async def test_a_listing_names_everything_sorted(root: Path, opened: Open):
    os.utime(root / "b.json", (0, 1_700_000_000))

    async with opened(Folder(root)) as session:
        rows = await session.talk(body_of(""))
        inside = await session.talk(body_of("team/"))

    assert [row["name"] for row in rows] == [".hidden", "a.json", "b.json", "c.json.part", "team"]
    assert rows[2] == {
        "name": "b.json",
        "path": "b.json",
        "folder": False,
        "size": 8,
        "modified": datetime.fromtimestamp(1_700_000_000, UTC).isoformat(),
    }
    assert rows[4]["folder"] is True
    assert [(row["path"], row["folder"]) for row in inside] == [("team/d.json", False), ("team/deep/", True)]


async def test_a_listing_is_a_list_like_any_other(root: Path, opened: Open):
    def read(row: Any) -> Vep:
        return Vep(id=row["path"], name=row["name"])

    async with opened(Folder(root)) as session:
        reading = session.read(whole(ask=Ask("team/"), items="", read=read, id="path"))
        values = await rows_of(reading)

    assert [vep.id for vep in values] == ["team/d.json", "team/deep/"]
    assert reading.outcome.complete
    assert session.requests == 1


@pytest.mark.parametrize(("path", "rows"), [("b.json", ["one", "two"]), ("team/d.json", ["three"]), ("a.json", [])])
async def test_a_file_is_read_by_its_reader(root: Path, opened: Open, path: str, rows: list[str]):
    async with opened(Folder(root)) as session:
        reading = session.read(report(path))
        values = await rows_of(reading)

    assert [vep.id for vep in values] == rows
    assert reading.outcome.complete


async def test_a_file_without_a_reader_is_told(root: Path, opened: Open):
    async with opened(Folder(root)) as session:
        with pytest.raises(VendorChanged, match="needs a reader"):
            await session.talk(body_of("b.json"))


@pytest.mark.parametrize(
    "path",
    ["../outside.json", "team/../../outside.json", "/etc/passwd", "//etc/passwd", "./%2e%2e/outside.json",
     "./..%2foutside.json", "b\0.json", "./b%00", "../", "/", "./%2e/b.json", "team/../b.json"],
)  # fmt: skip
async def test_no_path_leaves_the_root(root: Path, opened: Open, path: str):
    async with opened(Folder(root)) as session:
        with pytest.raises(AccessDenied, match="leaves the folder"):
            await session.talk(body_of(path, reader=lines))


async def test_links_are_neither_listed_nor_followed(root: Path, opened: Open, log: Log):
    (root / "link.json").symlink_to("../outside.json")
    (root / "inner.json").symlink_to("b.json")
    (root / "up").symlink_to("..")

    async with opened(Folder(root)) as session:
        names = [row["name"] for row in await session.talk(body_of(""))]
        for path in ("link.json", "inner.json", "up/outside.json", "up/"):
            with pytest.raises(AccessDenied, match="is a link or not"):
                await session.talk(body_of(path, reader=lines))

    assert not {"link.json", "inner.json", "up"} & set(names)
    assert log[0]["links_left_out"] == 3


async def test_the_root_itself_may_be_a_link(root: Path, opened: Open, tmp_path: Path):
    (tmp_path / "current").symlink_to(root)

    async with opened(Folder(tmp_path / "current")) as session:
        assert len(await session.talk(body_of(""))) == 5


async def test_pipes_and_sockets_are_neither_listed_nor_opened(root: Path, opened: Open, log: Log, monkeypatch: Any):
    os.mkfifo(root / "pipe.json")
    monkeypatch.chdir(root)
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind("socket.json")

        async with opened(Folder(root)) as session:
            names = [row["name"] for row in await session.talk(body_of(""))]
            with pytest.raises(AccessDenied, match="not a regular file"):
                await session.talk(body_of("pipe.json", reader=lines))
            with pytest.raises(AccessDenied):
                await session.talk(body_of("socket.json", reader=lines))

    assert not {"pipe.json", "socket.json"} & set(names)
    assert log[0]["others_left_out"] == 2


async def test_a_folder_is_no_file_and_a_file_no_folder(root: Path, opened: Open):
    async with opened(Folder(root)) as session:
        with pytest.raises(AccessDenied, match="not a regular file"):
            await session.talk(body_of("team", reader=lines))
        with pytest.raises(AccessDenied, match="not what its name says"):
            await session.talk(body_of("b.json/"))


def _grow(path: Path) -> None:
    with path.open("ab") as file:
        file.write(b"more\n")


def _touch(path: Path) -> None:
    os.utime(path, (5, 5))


def _replace(path: Path) -> None:
    status = path.stat()
    (path.parent / "new").write_bytes(path.read_bytes())
    os.utime(path.parent / "new", ns=(status.st_atime_ns, status.st_mtime_ns))
    (path.parent / "new").rename(path)


@pytest.mark.parametrize("change", [_grow, _touch, _replace, Path.unlink])
@pytest.mark.parametrize("late", [False, True])
async def test_a_file_that_changes_while_it_is_read_proves_nothing(root: Path, opened: Open, change: Any, late: bool):
    def reader(file: BinaryIO) -> Iterator[dict[str, Any]]:
        rows = list(lines(file))
        yield rows[0]
        if not late:
            change(root / "b.json")
        yield rows[1]
        if late:
            change(root / "b.json")

    async with opened(Folder(root)) as session:
        reading = session.read(report("b.json", reader))
        await rows_of(reading)

    assert isinstance(reading.outcome.error, Incomplete)
    assert "b.json is still being written" in reading.outcome.why


async def test_a_file_too_large_is_not_opened(root: Path, opened: Open):
    os.truncate(root / "a.json", 2**30 + 1)

    async with opened(Folder(root)) as session:
        with pytest.raises(VendorChanged, match="more than 1,073,741,824 bytes"):
            await session.talk(body_of("a.json", reader=lines))


async def test_a_folder_too_large_is_not_listed(root: Path, opened: Open):
    async with opened(Folder(root), limits=replace(PATIENT, entries=4)) as session:
        with pytest.raises(Incomplete, match="more than 4 entries"):
            await session.talk(body_of(""))


@pytest.mark.parametrize("path", ["gone.json", "gone/x.json", "gone/", "team/gone/"])
async def test_what_is_not_there_is_not_found(root: Path, opened: Open, path: str):
    async with opened(Folder(root)) as session:
        with pytest.raises(NotFound, match="gone"):
            await session.talk(body_of(path, reader=lines))


async def test_a_root_that_is_not_there_is_told(root: Path, opened: Open):
    for bad, why in ((root / "gone", "does not exist"), (root / "b.json", "cannot be opened as a folder")):
        async with opened(Folder(bad)) as session:
            with pytest.raises(VendorDown, match=f"{bad} {why}.*Create the folder or edit the Connection"):
                await session.talk(body_of(""))


@pytest.mark.parametrize(("seconds", "year"), [(2**62, "9999"), (-(2**62), "0001"), (0, "1970")])
def test_a_time_that_no_calendar_holds_is_the_nearest_one(seconds: float, year: str):
    assert moment(seconds).isoformat().startswith(year)


@pytest.mark.parametrize(
    ("error", "kind"),
    [(PermissionError(13, "x"), AccessDenied), (FileNotFoundError(2, "x"), NotFound), (OSError(5, "I/O"), VendorDown)],
)
def test_the_systems_refusals_name_the_path(error: OSError, kind: type[ConnectorError]):
    told = explained("x.json", error)

    assert type(told) is kind
    assert "x.json" in str(told)


async def test_a_name_that_is_not_utf_8_is_shown_and_can_be_asked_for(root: Path, opened: Open):
    (root / os.fsdecode(b"caf\xe9")).mkdir()
    (root / os.fsdecode(b"caf\xe9") / os.fsdecode(b"r\xff%41.json")).write_bytes(b"row\n")
    (root / "100%41.json").write_bytes(b"plain\n")

    async with opened(Folder(root)) as session:
        folder = next(row for row in await session.talk(body_of("")) if row["name"].startswith("caf"))
        [file] = await session.talk(body_of(folder["path"]))
        values = await rows_of(session.read(report(file["path"])))
        plain = await rows_of(session.read(report("100%41.json")))

    assert folder["name"] == "caf\ufffd"
    assert file["name"] == "r\ufffd%41.json"
    assert file["path"].isascii()
    assert [vep.id for vep in values] == ["row"]
    assert [vep.id for vep in plain] == ["plain"]


async def test_no_descriptor_is_left_open(root: Path, opened: Open):
    async with opened(Folder(root)) as session:
        await session.talk(body_of(""))
        before = len(list(Path("/proc/self/fd").iterdir()))
        for path in ("b.json", "team/d.json", "gone/x", "team", "../x"):
            await rows_of(session.read(report(path)))
        await session.talk(body_of("team/"))
        reading = session.read(report("b.json"))
        await anext(aiter(reading))
        await reading.aclose()

        assert len(list(Path("/proc/self/fd").iterdir())) == before
