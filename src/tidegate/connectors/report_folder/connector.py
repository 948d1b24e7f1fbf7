"""Report folder: SARIF, CycloneDX and generic JSON reports, dropped by any tool into the folders below one root."""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, TypeVar
from urllib.parse import quote

from pydantic import Field, field_validator

from tidegate_sdk import (
    NO_PRODUCT,
    AccessDenied,
    Account,
    Ask,
    Families,
    Family,
    Finding,
    Folder,
    Incomplete,
    List,
    NotFound,
    Page,
    Row,
    Settings,
    Skip,
    Skipped,
    Talk,
    Tool,
    VendorChanged,
    Vep,
    Wait,
    Whole,
)

from . import cyclonedx, cyclonedx_finding, generic, report, sarif, sarif_finding
from .fields import moment, shown

S = TypeVar("S", bound=Settings)
_DEPTH = 8
_REPORTS = (".json", ".sarif", ".xml", ".vex", ".cdx")
_UNFINISHED = (".part", ".partial", ".tmp", ".temp", ".crdownload", ".swp", ".lock", "~")
_NEVER = (".md", ".txt", ".log", ".html", ".htm", ".css", ".js", ".csv", ".pdf", ".png", ".svg", ".py")
READERS: dict[str, Callable[[Row], Finding | Skip]] = {
    "sarif": sarif_finding.finding,
    "cyclonedx": cyclonedx_finding.finding,
    "generic": generic.finding,
}


class ReportFolderSettings(Settings):
    path: str = Field(
        title="Folder",
        description="An absolute path on the machine Tidegate runs on, readable by its user. Each folder directly "
        "below it is a Record; reports may lie anywhere inside. Reports lying directly in it are (no product).",
        min_length=1,
        max_length=4000,
    )

    @field_validator("path")
    @classmethod
    def _absolute(cls, value: str) -> str:
        if "\0" in value or not Path(value).is_absolute():
            raise ValueError("Enter an absolute path, for example /srv/reports.")
        return value


@dataclass(frozen=True, slots=True)
class State:
    """What one report says of one producer, and as of when."""

    family: str
    file: str
    format: str
    as_of: datetime
    own: datetime | None = None
    cut: bool = False
    """It ends too early, so it proves nothing, and its family is a guess that a whole report must confirm."""


class Reports(Tool[S]):
    """Reports below a root; where the root is, the two kinds of it say."""

    a_record_is = "a folder"

    def veps(self) -> List[Vep]:
        return List(Ask(), "", Whole(), _Folders(), id=_vep_id)

    def families(self, vep: Vep) -> Families:
        states: list[State] = []
        files = yield from (_files("", 1) if vep.id == NO_PRODUCT else _files(f"{vep.id}/", _DEPTH))
        for file in files:
            name = shown(file["path"])
            try:
                page = yield Ask(file["path"], reader=partial(report.look, name=file["path"]))
            except (AccessDenied, Incomplete, NotFound, VendorChanged) as error:  # this file alone; the others count
                yield Skipped(name, shown(str(error)))
                continue
            row = page.rows[0]
            if row["problem"] and (row["report"] or _is_called_report(file["name"])):
                yield Skipped(name, f"{name} {row['problem']}")
            states.extend(_states(row, file))
        chosen = newest(states)
        for file in sorted({state.file for state in states if state.cut} - {state.file for state in chosen}):
            yield Skipped(shown(file), f"{shown(file)} is cut or still being written. The next run reads it again.")
        for state in chosen:
            yield self._family(state)

    def _family(self, state: State) -> Family:
        ask = Ask(state.file, reader=partial(rows, state=state))
        mark = state.as_of.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
        return Family(state.family, List(ask, "", Whole(), self.finding, id="key"), mark=mark)

    def finding(self, row: Row) -> Finding | Skip:
        """One row of any of the formats."""
        return READERS[row["format"]](row)


class ReportFolder(Reports[ReportFolderSettings]):
    slug, name = "report_folder", "Report folder"

    def door(self) -> Folder:
        return Folder(Path(self.settings.path))

    def account(self) -> Talk[Account]:
        yield Ask()
        return Account(id=self.settings.path, name=self.settings.path)


def newest(states: Iterable[State]) -> list[State]:
    """For each family the report as of the latest time; of two as new as each other the later name.

    A cut report is the newest of a family that a whole one names: nothing closes then, and the older does not count.
    """
    best: dict[str, State] = {}
    states = list(states)
    named = {state.family for state in states if not state.cut}
    for state in states:
        if state.family not in named:
            continue
        rival = best.get(state.family)
        if rival is None or _order(state) > _order(rival):
            best[state.family] = state
    return [best[family] for family in sorted(best)]


def _order(state: State) -> tuple[datetime, datetime, str]:
    return state.as_of, state.own or state.as_of, state.file


def as_of(own: datetime | None, modified: datetime) -> datetime:
    """The report's own end, but never later than its file: a wrong clock must not make a report the newest for ever."""
    return modified if own is None else min(own, modified)


class _Folders:
    """Reads the root's listing: a Vep for each folder, and one for all files together."""

    def __init__(self) -> None:
        self._root_seen = False

    def __call__(self, row: Row) -> Vep | Skip:
        if row["folder"]:
            if row["name"].startswith("."):
                return Skip("A hidden folder.")
            return Vep(id=_vep_id(row), name=row["name"])
        if not (_may_be_report(row["name"]) and _is_called_report(row["name"])):
            return Skip("A file that is no report.")
        if self._root_seen:
            return Skip("One more report in the root.")
        self._root_seen = True
        return Vep(id=NO_PRODUCT, name=NO_PRODUCT)


def _vep_id(row: Row) -> str:
    """The path; quoted as the door quotes odd names where a folder is called like the home of what has no product."""
    if not row["folder"]:
        return NO_PRODUCT
    path: str = row["path"].rstrip("/")
    return f"./{quote(path, safe='')}" if path == NO_PRODUCT else path


def _files(folder: str, depth: int) -> Generator[Ask | Wait | Family | Skipped, Page, list[dict[str, Any]]]:
    """Every file that may be a report, in the folder and those below it, by path; folders too deep down are told."""
    found: list[dict[str, Any]] = []
    deeper: list[str] = []
    todo = [(folder, depth)]
    while todo:
        path, left = todo.pop()
        page = yield Ask(path)
        for row in page.body:
            if not row["folder"] and _may_be_report(row["name"]):
                found.append(row)
            elif row["folder"] and not row["name"].startswith("."):
                if left > 1:
                    todo.append((row["path"], left - 1))
                elif folder:
                    deeper.append(shown(row["path"]))
    if deeper:
        more = f" and {len(deeper) - 1:,} more" if len(deeper) > 1 else ""
        yield Skipped(min(deeper), f"{min(deeper)}{more}: more than eight folders deep, where nothing is read.")
    return sorted(found, key=lambda file: file["path"])


def _may_be_report(name: str) -> bool:
    """Not hidden, not half-written, and not of a kind that is something else: the content decides the rest."""
    return not name.startswith(".") and not name.lower().endswith((*_UNFINISHED, *_NEVER))


def _is_called_report(name: str) -> bool:
    """Whether its name promises a report, so that one who finds none in it says so."""
    return name.lower().endswith(_REPORTS)


def _states(row: Row, file: dict[str, Any]) -> Iterator[State]:
    modified = moment(file["modified"])
    if modified is None:
        raise VendorChanged(f"The listing has no time for {shown(file['path'])}.")
    for state in row["states"]:
        own = moment(state["ends"])
        yield State(state["family"], file["path"], row["format"], as_of(own, modified.astimezone(UTC)), own, row["cut"])


def rows(file: BinaryIO, state: State) -> Iterator[dict[str, Any]]:
    """The report's rows, by its format; a failure names the file."""
    try:
        if state.format == "sarif":
            yield from sarif.rows(file, state.family)
        elif state.format == "cyclonedx":
            yield from cyclonedx.rows(file, state.family, state.file)
        else:
            yield from generic.rows(file, state.family, state.file)
    except VendorChanged as error:
        raise VendorChanged(f"{shown(state.file)} cannot be read. {error.what}", error.next_step) from None
    except Incomplete as error:
        raise Incomplete(f"{shown(state.file)} does not count as whole. {error.what}", error.next_step) from None
