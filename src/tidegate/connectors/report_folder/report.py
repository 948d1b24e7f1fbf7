"""What a file of the folder is: the format, who wrote it, when; or the sentence that says why it is no report."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO

from tidegate_sdk import Incomplete, VendorChanged

from . import cyclonedx, cyclonedx_xml, generic, json_values, producer, sarif
from .fields import moment, text

_HEAD = json_values.tree(*sarif.HEAD, *cyclonedx.HEAD, *generic.HEAD, *generic.NAMES) | {"vulnerabilities": {}}
_PACKED = {b"\x1f\x8b": "gzip", b"PK\x03\x04": "zip", b"BZh": "bzip2", b"\xfd7zXZ": "xz", b"\x28\xb5\x2f\xfd": "zstd"}
_MARKS = b"\xef\xbb\xbf\xff\xfe"
_FORMATS = "SARIF 2.1.0, CycloneDX with vulnerabilities, or the generic findings JSON of DefectDojo"
_CUT = "is cut or still being written, and what is there does not name its tool. The next run reads it again"
_REPLACE = "Write the report again, as"


def look(file: BinaryIO, name: str) -> Iterator[dict[str, Any]]:
    """One row: `states`, each with a family and the end time the report gives itself; or `problem`, with `report`
    false where the file was never meant to be one. Raises nothing for what is in the file: a folder holds anything.

    `cut`: the report ends too early, so its families may lack what stood behind the cut, a category say.
    """
    try:
        yield {"report": True, "problem": "", "format": "", "states": [], "cut": False} | _look(file, name)
    except Incomplete:
        yield _problem(_CUT)
    except VendorChanged as error:
        yield _problem(f"cannot be read. {error.what} {_REPLACE} {_FORMATS}", report=_has_begun(file))


def _look(file: BinaryIO, name: str) -> dict[str, Any]:
    file.seek(0)
    start = file.read(512)
    begin = start.replace(b"\0", b"").lstrip(_MARKS + b" \t\r\n")[:1]
    if not start.strip():
        return _problem("is empty, or not written yet. The next run reads it again")
    for magic, kind in _PACKED.items():
        if start.startswith(magic):
            return _problem(f"is compressed ({kind}). Unpack it in the folder")
    if begin == b"<":
        return _look_at_xml(file, name)
    if begin in (b"{", b"["):
        return _look_at_json(file, name)
    return _problem(f"is neither JSON nor XML. {_REPLACE} {_FORMATS}", report=False)


def _has_begun(file: BinaryIO) -> bool:
    """Whether the file begins as a report would, so that a damaged one is spoken of whatever its name is."""
    file.seek(0)
    return any(
        word in file.read(4096).replace(b"\0", b"") for word in (b'"runs"', b"CycloneDX", b"cyclonedx", b"sarif")
    )


def _look_at_json(file: BinaryIO, name: str) -> dict[str, Any]:
    """Reads on to the end, or to the cut: what names the tool may stand behind the findings."""
    facts: dict[json_values.Path, Any] = {}
    room = json_values.Room()
    listed = named = 0
    cut = False
    try:
        for path, value in json_values.values(file, _HEAD, cyclonedx.DROP):
            if path[:1] == ("findings",) and len(path) > 1:
                listed += len(path) == 2
                named += len(path) == 3 and bool(value)
            else:
                room.need((path, value))
                facts[path] = value
    except Incomplete:
        cut = True
    if isinstance(facts.get(("runs",)), list):
        return _sarif(facts, cut)
    if facts.get(("bomFormat",)) == "CycloneDX" or {("specVersion",), ("vulnerabilities",)} <= facts.keys():
        return _cyclonedx(facts, name, cut)
    if isinstance(facts.get(("findings",)), list):
        if cut and ("type",) not in facts:
            return _problem(_CUT)
        if listed and not named and not cut:
            return _problem(f"has findings, but none with a title. {_REPLACE} {_FORMATS}")
        family = generic.family(facts.get(("name",)), facts.get(("type",)), name)
        return {"format": "generic", "states": [{"family": family, "ends": None}], "cut": cut}
    if cut:
        return _problem(_CUT)
    return _problem(f"is JSON, but no report that is read here. {_REPLACE} {_FORMATS}", report=False)


def _sarif(facts: dict[json_values.Path, Any], cut: bool) -> dict[str, Any]:
    """A state for each producer among the runs; the latest end of its runs is the state's."""
    version = facts.get(("version",))
    if version is not None and not text(version).startswith("2.1"):
        return _problem(f"is SARIF {text(str(version), 20)}. Have the tool write SARIF 2.1.0")
    indexes = sorted({path[1] for path in facts if len(path) > 1 and path[0] == "runs" and isinstance(path[1], int)})
    ends: dict[str, list[str]] = {}
    for index in indexes:
        tool = sarif.name_of(facts.get(("runs", index, "tool", "driver", "name")))
        if tool:
            category = sarif.category(facts.get(("runs", index, "automationDetails", "id")))
            own = [
                value for path, value in facts.items() if path[:3] == ("runs", index, "invocations") and len(path) == 5
            ]
            ends.setdefault(producer.family(tool, category), []).extend(value for value in own if moment(value))
        elif not cut:
            return _problem(
                "has a run that does not name its tool (runs[].tool.driver.name). Have the tool write its name"
            )
    if not ends:
        return _problem(_CUT if cut else "is SARIF without a run, so it says nothing. Remove it or have the tool run")
    latest = [{"family": family, "ends": max(times, key=_when, default=None)} for family, times in ends.items()]
    return {"format": "sarif", "states": latest, "cut": cut}


def _when(value: str) -> Any:
    return moment(value)


def _cyclonedx(facts: dict[json_values.Path, Any], name: str, cut: bool) -> dict[str, Any]:
    if not isinstance(facts.get(("vulnerabilities",)), list):
        return _problem(_CUT if cut else _NO_VULNERABILITIES)
    bom = cyclonedx.head((path, value) for path, value in facts.items())
    if cut and not bom.tools:
        return _problem(_CUT)
    own = facts.get(("metadata", "timestamp"))
    state = {"family": bom.family(name), "ends": own if moment(own) else None}
    return {"format": "cyclonedx", "states": [state], "cut": cut}


_NO_VULNERABILITIES = (
    "is a bill of materials without vulnerabilities, so it says nothing of findings. "
    "Have a scanner (grype, trivy, Dependency-Track) write its results as CycloneDX"
)


def _look_at_xml(file: BinaryIO, name: str) -> dict[str, Any]:
    facts: dict[json_values.Path, Any] = {}
    cut = False
    try:
        for path, value in cyclonedx_xml.facts(file):
            if path == ("namespace",) and "cyclonedx.org/schema/bom/" not in value:
                return _problem(f"is XML, but not CycloneDX. {_REPLACE} {_FORMATS}", report=False)
            if path[0] not in ("components", "services"):
                facts[path] = value
    except Incomplete:
        cut = True
    if not cut and facts[("vulnerabilities",)] is not None:
        facts["vulnerabilities",] = []
    return _cyclonedx(facts, name, cut)


def _problem(sentence: str, report: bool = True) -> dict[str, Any]:
    return {"report": report, "problem": f"{sentence}.", "format": "", "states": [], "cut": False}
