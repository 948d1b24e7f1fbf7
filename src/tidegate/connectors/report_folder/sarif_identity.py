"""The identity of a SARIF result: what of it is still the same when lines have moved and texts were edited.

In this order: a fingerprint of the tool; a partial fingerprint with rule and path, as GitHub combines them; rule, path,
logical location and the code itself; and where there is no code either, the message without its numbers. Never a line.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from tidegate_sdk import VendorChanged

from .fields import member, optional
from .identity import canonical, digest, folded, wording

if TYPE_CHECKING:
    from .sarif import Run

_VERSION = re.compile(r"/v(\d{1,9})$")
_SHIFTING = re.compile(r"(?i)column|line_?(?:number|no)|startline|file_?hash|commit|date|time|author|email|run_?id")
"""Partial fingerprints that another commit, or an edit elsewhere in the file, changes."""
_CHANGING = re.compile(r"(?im)^(?:severity|installed version|fixed version|link) *:.*$")
"""Lines of a message that Trivy writes as a table: these change while the finding is the same."""
_VERSIONED = re.compile(r"^(pkg:[^@?#]+)@[^?#]*")
_NONE = frozenset({"", "requires login"})
"""Semgrep writes "requires login" in place of the fingerprint of whoever is not logged in."""


class Place(NamedTuple):
    """Where a result is: its file as the report names it, and the function or module in it."""

    uri: str = ""
    logical: str = ""
    line: int | None = None
    snippet: str = ""


class _Print(NamedTuple):
    version: int
    name: str
    value: str


def base(result: dict[str, Any], rule: str, place: Place) -> str:
    """The name of a result, before exact repeats are told apart. Raises VendorChanged where it cannot be read."""
    if prints := _prints(result, "fingerprints", place):
        best = min(prints, key=lambda each: (-each.version, each.name))
        return digest("fingerprint", rule, best.name, best.value)
    prints = [each for each in _prints(result, "partialFingerprints", place) if not _SHIFTING.search(each.name)]
    primary = [each for each in prints if "primarylocation" in each.name.lower()]
    if primary or prints:
        chosen = [max(primary)] if primary else sorted(prints)
        return digest("partial", rule, place.uri, place.logical, *(part for each in chosen for part in each[1:]))
    if place.snippet:
        return digest("code", rule, place.uri, place.logical, folded(place.snippet))
    return digest("message", rule, place.uri, place.logical, *_message(result))


def _prints(result: dict[str, Any], name: str, place: Place) -> list[_Print]:
    """The usable fingerprints: not empty, and not the very position that they should outlive."""
    found: list[_Print] = []
    for key, raw in (optional(result.get(name), dict, name) or {}).items():
        value = canonical(raw)  # Black Duck nests an object
        if value in _NONE or _is_position(value, place):
            continue
        version = _VERSION.search(key)
        bare = key[: version.start()] + key[version.end() :] if version else key
        found.append(_Print(int(version[1]) if version else 0, bare, value))
    return found


def _is_position(value: str, place: Place) -> bool:
    """Whether it spells out path and line, as some tools do."""
    return bool(place.uri and place.line and place.uri in value and re.search(rf"\b{place.line}\b", value))


def _message(result: dict[str, Any]) -> list[str]:
    """The names a message is about, where the tool tells them from its wording; else the wording."""
    message = optional(result.get("message"), dict, "message") or {}
    arguments = optional(message.get("arguments"), list, "message.arguments")
    if message.get("id") and arguments is not None:
        return [canonical(message["id"]), *(wording(each) for each in arguments if isinstance(each, str))]
    said = message.get("text") or message.get("markdown")
    return [wording(_CHANGING.sub("", optional(said, str, "The text of a message") or ""))]


def place(result: dict[str, Any], run: Run) -> Place:
    """The first location of a result. Raises VendorChanged where it is there and has another form."""
    locations = optional(result.get("locations"), list, "locations") or [{}]
    first = optional(locations[0], dict, "A location") or {}
    physical = optional(first.get("physicalLocation"), dict, "physicalLocation") or {}
    region = optional(physical.get("region"), dict, "region") or {}
    line = region.get("startLine")
    return Place(
        uri(physical.get("artifactLocation"), run),
        _logical(first, run),
        line if isinstance(line, int) else None,
        optional(member(region.get("snippet"), "text"), str, "A snippet") or "",
    )


def _logical(location: dict[str, Any], run: Run) -> str:
    """The full name of the function, type or package; of a package URL the part without version."""
    listed = optional(location.get("logicalLocations"), list, "logicalLocations")
    if not listed:
        return ""
    first = optional(listed[0], dict, "A logical location") or {}
    told = first.get("index")
    index = told if isinstance(told, int) else -1
    if index != -1 and index not in run.logical and run.room.full:
        raise VendorChanged("The report lists more functions than are kept, and this one is not among them.")
    name = first.get("fullyQualifiedName") or run.logical.get(index) or first.get("name")
    return _VERSIONED.sub(r"\1", optional(name, str, "fullyQualifiedName") or "")


def uri(artifact: Any, run: Run) -> str:
    """The path of a file as far as the report names it: below its base, so that another checkout is the same file."""
    artifact = optional(artifact, dict, "artifactLocation") or {}
    index = artifact.get("index")
    if "uri" not in artifact and isinstance(index, int):
        if index not in run.artifacts and run.room.full:
            raise VendorChanged("The report lists more files than are kept, and this one is not among them.")
        artifact = run.artifacts.get(index, {})
    found = optional(artifact.get("uri"), str, "artifactLocation.uri") or ""
    base_id, steps = artifact.get("uriBaseId"), 0
    while isinstance(base_id, str) and steps < 10:
        base = run.bases.get(base_id)
        above = member(base, "uri")
        if isinstance(above, str) and not re.match(r"[A-Za-z][A-Za-z0-9+.-]*:|/", above):
            found = f"{above.rstrip('/')}/{found}"
        base_id, steps = member(base, "uriBaseId"), steps + 1
    return plain(found)


@lru_cache(2**14)
def plain(address: str) -> str:
    """A local path without the spelling of a URI: no scheme, no escapes, no `./`, no drive's leading slash."""
    if re.match(r"(?!file:)[A-Za-z][A-Za-z0-9+.-]+:", address):
        return address
    path = unquote(address.removeprefix("file:"))
    if address.startswith("file:") and path.startswith("//"):
        path = "/" + path[2:].partition("/")[2].lstrip("/")
    path = re.sub(r"^/(?=[A-Za-z]:)", "", path.replace("\\", "/"))
    return re.sub(r"^(?:\./)+", "", path)
