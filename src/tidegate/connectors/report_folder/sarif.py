"""SARIF 2.1.0: the results of the runs of one producer, read in two streamed passes.

The specification: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. The first pass gathers what results
point at (rules, artifacts; they may stand behind the results), the second reads the results.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from tidegate_sdk import Incomplete, VendorChanged

from . import json_values, producer, sarif_identity
from .fields import cwes, each, every, ids, is_link, links, member, text
from .identity import Ordinals, folded

HEAD = (
    "version",
    "runs.*.tool.driver.name",
    "runs.*.automationDetails.id",
    "runs.*.invocations.*.endTimeUtc",
)
_CONTEXT = json_values.tree(
    "runs.*.tool.driver.name",
    "runs.*.automationDetails.id",
    "runs.*.tool.driver.rules.*",
    "runs.*.tool.driver.globalMessageStrings",
    "runs.*.tool.extensions.*.name",
    "runs.*.tool.extensions.*.guid",
    "runs.*.tool.extensions.*.rules.*",
    "runs.*.invocations.*.executionSuccessful",
    "runs.*.invocations.*.toolExecutionNotifications.*",
    "runs.*.invocations.*.toolConfigurationNotifications.*",
    "runs.*.originalUriBaseIds",
    "runs.*.artifacts.*.location",
    "runs.*.logicalLocations.*",
    "runs.*.taxonomies.*.name",
    "runs.*.taxonomies.*.guid",
    "runs.*.taxonomies.*.taxa.*.id",
    "runs.*.taxonomies.*.taxa.*.guid",
    count=("runs.*.results",),
)
_RESULTS = json_values.tree("runs.*.results.*")
_DROP = frozenset({"graphs", "graphTraversals", "stacks", "attachments", "webResponse", "artifactChanges"})
_CWE_ID = re.compile(r"(?i)CWE-\d+")
_RULE_TEXTS = 24 * 2**20
"""What the texts of all rules may take together; the rules behind that keep only what is short."""
_EMPTY_RUN = " " * 2_000
"""As heavy as a run without anything in it."""


@dataclass(slots=True)
class Component:
    """The driver of a run's tool, or one of its extensions: a holder of rules."""

    name: str = ""
    guid: str = ""
    rules: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    places: dict[str, int] = field(default_factory=dict[str, int])

    def add(self, rule: dict[str, Any]) -> None:
        for name in (rule["id"], rule["guid"]):
            if name:
                self.places.setdefault(name, len(self.rules))
        self.rules.append(rule)


@dataclass(slots=True)
class Taxonomy:
    """A classification that rules and results may point into by index or guid alone: CWE, say."""

    name: str = ""
    guid: str = ""
    ids: dict[int, str] = field(default_factory=dict[int, str])
    guids: dict[str, int] = field(default_factory=dict[str, int])


@dataclass(slots=True)
class Run:
    """What the results of one run point at, and what the run says of itself."""

    driver: Component = field(default_factory=Component)
    extensions: dict[int, Component] = field(default_factory=dict[int, Component])
    category: str = ""
    strings: dict[str, Any] = field(default_factory=dict[str, Any])
    bases: dict[str, Any] = field(default_factory=dict[str, Any])
    artifacts: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    logical: dict[int, str] = field(default_factory=dict[int, str])
    taxonomies: dict[int, Taxonomy] = field(default_factory=dict[int, Taxonomy])
    room: json_values.Room = field(default_factory=json_values.Room)
    """What the runs of a report may keep together."""
    results: int | None = None
    doubt: str = ""
    """Why the run is no proof that it reports everything; "" if it is one."""

    @property
    def family(self) -> str:
        return producer.family(self.driver.name, self.category)


def rows(file: BinaryIO, family: str) -> Iterator[dict[str, Any]]:
    """One row for each result of the family's runs; its `key` is missing where no identity can be read.

    Raises Incomplete after the last row where the report does not claim to be whole.
    """
    runs = {index: run for index, run in context(file).items() if run.family == family}
    if not runs:
        raise Incomplete(f"It no longer holds a run of {family}: it was replaced while it was read.")
    ordinals, seen = Ordinals(), 0
    for path, result in json_values.values(file, _RESULTS, _DROP):
        if len(path) != 4 or path[1] not in runs:
            continue
        seen += 1
        yield from _rows(result, runs[path[1]], ordinals)
    if seen != sum(run.results or 0 for run in runs.values()):
        raise Incomplete("It changed while it was read.")
    for run in runs.values():
        if run.doubt:
            raise Incomplete(run.doubt, "Nothing was closed. Have the tool run to its end and write the report again.")


def context(file: BinaryIO) -> dict[int, Run]:
    """The first pass: every run without its results."""
    runs: dict[int, Run] = {}
    budget, room = _RULE_TEXTS, json_values.Room()
    for path, value in json_values.values(file, _CONTEXT):
        if len(path) < 2 or not isinstance(path[1], int):
            continue
        if path[1] not in runs:
            room.need(_EMPTY_RUN)
            runs[path[1]] = Run(room=room)
        run = runs[path[1]]
        match path[2:]:
            case ("tool", "driver", "rules", int()) if isinstance(value, dict):
                budget = _add_rule(run.driver, value, budget, room)
            case ("tool", "extensions", int(index), "rules", int()) if isinstance(value, dict):
                budget = _add_rule(run.extensions.setdefault(index, Component()), value, budget, room)
            case ("tool", "extensions", int(index), "name" | "guid" as name):
                room.need(text(value, 200))
                setattr(run.extensions.setdefault(index, Component()), name, text(value, 200))
            case ("taxonomies", int(index), *rest) if len(rest) in (1, 3) and room.takes(text(value, 200)):
                _classify(run.taxonomies.setdefault(index, Taxonomy()), rest, text(value, 200))
            case _:
                _note(run, path[2:], value)
    for run in runs.values():
        if run.results is None:
            run.doubt = "A run in it has no list of results: its tool did not finish, or keeps them elsewhere."
        for component in (run.driver, *run.extensions.values()):
            for rule in component.rules:
                rule["cwe"] = cwes(*rule["cwe"], *(taxon(reference, run) for reference in rule.pop("related")))
    return runs


def _classify(taxonomy: Taxonomy, place: list[Any], value: str) -> None:
    """Takes a name of a classification or of one of its entries."""
    match place:
        case ["name"]:
            taxonomy.name = value
        case ["guid"]:
            taxonomy.guid = value
        case ["taxa", int(index), "id"]:
            taxonomy.ids[index] = value
        case ["taxa", int(index), "guid"]:
            taxonomy.guids[value] = index
        case _:
            pass


def _note(run: Run, path: json_values.Path, value: Any) -> None:
    """Takes one fact of a run."""
    match path:
        case ("tool", "driver", "name"):
            run.room.need(value)
            run.driver.name = name_of(value)
        case ("automationDetails", "id"):
            run.room.need(value)
            run.category = category(value)
        case ("tool", "driver", "globalMessageStrings") if isinstance(value, dict):
            if run.room.takes(value):
                run.strings = value
        case ("originalUriBaseIds",) if isinstance(value, dict):
            run.room.need(value)
            run.bases = value
        case ("artifacts", int(index), "location") if isinstance(value, dict):
            kept = {name: value[name] for name in ("uri", "uriBaseId") if name in value}
            if run.room.takes(kept):
                run.artifacts[index] = kept
        case ("logicalLocations", int(index)):
            name = text(member(value, "fullyQualifiedName") or member(value, "name"), 2000)
            if run.room.takes(name):
                run.logical[index] = name
        case ("results",):
            run.results = value
        case ("invocations", int(), "executionSuccessful") if value is False:
            run.doubt = f"{run.driver.name or 'The tool'} says in it that its run did not succeed."
        case ("invocations", int(), _, int()) if member(value, "level") == "error" and not run.doubt:
            run.doubt = _complaint(value)
        case _:
            pass


def _complaint(notification: dict[str, Any]) -> str:
    """An error the tool met: by the specification (3.58.6) its results are then "incorrect or incomplete"."""
    place = text(
        member(next(iter(each(notification.get("locations"))), None), "physicalLocation", "artifactLocation", "uri")
    )
    said = folded(text(member(notification, "message", "text"), 300)).rstrip(".") or "an error without a message"
    return f"The tool reports an error of its own in it: {said}{f' ({place})' if place else ''}."


def category(automation_id: Any) -> str:
    """The category in `automationDetails.id`: what stands before its last slash; the rest names the single run."""
    return name_of(automation_id).rpartition("/")[0].strip("/")


def name_of(value: Any) -> str:
    """A name as it stands, not shortened; "" for what is no text."""
    return value if isinstance(value, str) else ""


def _add_rule(component: Component, rule: dict[str, Any], budget: int, room: json_values.Room) -> int:
    """Keeps what findings need of a rule; returns what is left of the budget for texts.

    Once the room is full no rule is kept, so that the index of those before stays right.
    """
    tags = [text(tag, 200) for tag in each(member(rule, "properties", "tags"))][:50]
    related = [_pointer(member(relation, "target")) for relation in [*each(rule.get("relationships"))][:50]]
    name, title = text(rule.get("name"), 500), text(member(rule, "shortDescription", "text"), 500)
    advice = text(member(rule, "help", "markdown") or member(rule, "help", "text"), 8000)
    kept: dict[str, Any] = {
        "id": text(rule.get("id")),
        "guid": text(rule.get("guid"), 50),
        "name": name,
        "title": title,
        "links": links(rule.get("helpUri"), advice),
        "level": member(rule, "defaultConfiguration", "level"),
        "security": member(rule, "properties", "security-severity"),
        "precision": text(member(rule, "properties", "precision"), 50),
        "tags": tuple(tags),
        "cwe": cwes(*every(member(rule, "properties", "cwe")), *tags),
        "related": [pointer for pointer in related if pointer],
        "ids": ids(rule.get("id"), name, *tags, title),
    }
    if room.full or not room.takes(kept):
        return budget
    if budget > 0:
        strings = rule.get("messageStrings")
        kept["strings"] = strings if isinstance(strings, dict) and len(strings) <= 100 else {}
        kept["description"] = text(member(rule, "fullDescription", "text"), 8000)
        kept["help"] = "" if is_link(advice) else advice
        budget -= (
            len(kept["description"]) + len(kept["help"]) + sum(len(str(string)) for string in kept["strings"].values())
        )
    component.add(kept)
    return budget - 500


def _pointer(reference: Any) -> dict[str, Any]:
    """What a reference into a taxonomy says that is short; the taxonomy itself may stand behind it."""
    found = {name: part for name in ("id", "guid", "index") if (part := _short(member(reference, name))) is not None}
    component = {
        name: part
        for name in ("name", "guid", "index")
        if (part := _short(member(reference, "toolComponent", name))) is not None
    }
    return found | {"toolComponent": component} if found else {}


def _short(value: Any) -> Any:
    return text(value, 200) if isinstance(value, str) else value if isinstance(value, int) else None


def taxon(reference: Any, run: Run) -> str:
    """`CWE-79` for a reference into the CWE, by name, index or guid (3.54); "" for other taxonomies."""
    component = member(reference, "toolComponent")
    held = [
        taxonomy
        for index, taxonomy in run.taxonomies.items()
        if index == member(component, "index") or (taxonomy.guid and taxonomy.guid == member(component, "guid"))
    ]
    taxonomy = held[0] if held else Taxonomy()
    number = member(reference, "index")
    if not isinstance(number, int):
        number = taxonomy.guids.get(text(member(reference, "guid")), -1)
    name = text(member(reference, "id"), 50) or taxonomy.ids.get(number, "")
    if _CWE_ID.fullmatch(name):
        return name
    is_cwe = "CWE" in re.split(r"[\W_]+", (text(member(component, "name")) or taxonomy.name).upper())
    return f"CWE-{name}" if is_cwe and name.isdecimal() else ""


def _rows(result: Any, run: Run, ordinals: Ordinals) -> Iterator[dict[str, Any]]:
    """One result with all it points at resolved: a row for each place, if more than its line tells it from others."""
    without_code: set[str] = set()
    for one in _places(result):
        row: dict[str, Any] = {"format": "sarif", "result": one}
        try:
            rule = rule_of(one, run)
            place = sarif_identity.place(one, run)
            base = sarif_identity.base(one, rule["id"], place)
            if base in without_code:
                continue
            if not place.snippet:
                without_code.add(base)
            taxa = [name for reference in [*each(one.get("taxa"))][:50] if (name := taxon(reference, run))]
            row |= {"rule": rule, "strings": run.strings, "path": place.uri, "logical": place.logical, "taxa": taxa}
            row["key"] = ordinals.name(base)
        except VendorChanged as error:
            row["unreadable"] = error.what
        yield row


def _places(result: Any) -> Iterator[Any]:
    """The result once for each place: mobsfscan and others list in one result all places where a rule is broken.

    By 3.27.12 such places must be corrected together, but no report tells the two apart. What has a fingerprint is one
    thing to its tool.
    """
    places = member(result, "locations")
    printed = member(result, "fingerprints") or member(result, "partialFingerprints")
    if printed or not isinstance(places, list) or len(places) < 2:
        yield result
        return
    for place in places:
        yield result | {"locations": [place]}


def rule_of(result: Any, run: Run) -> dict[str, Any]:
    """The rule a result points at by index, guid or id (3.27.5–3.27.7), or its bare id."""
    if not isinstance(result, dict):
        raise VendorChanged("A result is not an object.")
    reference = result.get("rule") if isinstance(result.get("rule"), dict) else {}
    component = _component(member(reference, "toolComponent"), run)
    name = result.get("ruleId", member(reference, "id"))
    if name is not None and not isinstance(name, str):
        raise VendorChanged("The ruleId of a result is not a text.")
    index = result.get("ruleIndex", member(reference, "index"))
    index = None if index == -1 else index  # the default, which means "none"
    if isinstance(index, int) and 0 <= index < len(component.rules):
        found = component.rules[index]
        if name in (None, found["id"]):
            return found
        if name.startswith(f"{found['id']}/") or name not in component.places:
            return found | {"id": name}
    for known in (name, member(reference, "guid"), (name or "").rpartition("/")[0]):
        for holder in (component, run.driver, *run.extensions.values()):
            if isinstance(known, str) and known in holder.places:
                found = holder.rules[holder.places[known]]
                return found if name in (None, found["id"]) else found | {"id": name}
    if name is None and run.room.full:
        raise VendorChanged("The report lists more rules than are kept, and this one is not among them.")
    return {"id": name or "", "missing": bool(reference) or index is not None}


def _component(reference: Any, run: Run) -> Component:
    """The extension that a rule's reference names; the driver where it names none."""
    if not run.extensions:
        return run.driver
    index, guid, name = (member(reference, part) for part in ("index", "guid", "name"))
    if isinstance(index, int) and index in run.extensions:
        return run.extensions[index]
    for extension in run.extensions.values():
        if (guid and guid == extension.guid) or (name and name == extension.name):
            return extension
    return run.driver
