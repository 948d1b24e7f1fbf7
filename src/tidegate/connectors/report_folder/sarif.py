"""SARIF 2.1.0: the results of the runs of one producer, read in two streamed passes.

The specification: https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html. The first pass gathers what results
point at (rules, artifacts; they may stand behind the results), the second reads the results.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO

from tidegate_sdk import Incomplete, VendorChanged

from . import json_values, producer, sarif_identity
from .fields import cwes, each, every, ids, links, member, text
from .identity import Ordinals

HEAD = (
    "version",
    "runs.*.tool.driver.name",
    "runs.*.automationDetails.id",
    "runs.*.invocations.*.endTimeUtc",
)
_CONTEXT = json_values.tree(
    *HEAD,
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
    count=("runs.*.results",),
)
_RESULTS = json_values.tree("runs.*.results.*")
_DROP = frozenset({"graphs", "graphTraversals", "stacks", "attachments", "webResponse", "artifactChanges"})
_RULE_TEXTS = 24 * 2**20
"""What the texts of all rules may take together; the rules behind that keep only what is short."""


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
class Run:
    """What the results of one run point at, and what the run says of itself."""

    driver: Component = field(default_factory=Component)
    extensions: dict[int, Component] = field(default_factory=dict[int, Component])
    category: str = ""
    strings: dict[str, Any] = field(default_factory=dict[str, Any])
    bases: dict[str, Any] = field(default_factory=dict[str, Any])
    artifacts: dict[int, dict[str, Any]] = field(default_factory=dict[int, dict[str, Any]])
    logical: dict[int, str] = field(default_factory=dict[int, str])
    results: int | None = None
    ends: list[Any] = field(default_factory=list[Any])
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
        yield _row(result, runs[path[1]], ordinals)
    if seen != sum(run.results or 0 for run in runs.values()):
        raise Incomplete("It changed while it was read.")
    for run in runs.values():
        if run.doubt:
            raise Incomplete(run.doubt, "Nothing was closed. Have the tool run to its end and write the report again.")


def context(file: BinaryIO) -> dict[int, Run]:
    """The first pass: every run without its results."""
    runs: dict[int, Run] = {}
    budget = _RULE_TEXTS
    for path, value in json_values.values(file, _CONTEXT):
        if len(path) < 2 or not isinstance(path[1], int):
            continue
        run = runs.setdefault(path[1], Run())
        match path[2:]:
            case ("tool", "driver", "rules", int()) if isinstance(value, dict):
                budget = _add_rule(run.driver, value, budget)
            case ("tool", "extensions", int(index), "rules", int()) if isinstance(value, dict):
                budget = _add_rule(run.extensions.setdefault(index, Component()), value, budget)
            case ("tool", "extensions", int(index), "name" | "guid" as name):
                setattr(run.extensions.setdefault(index, Component()), name, text(value, 200))
            case _:
                _note(run, path[2:], value)
    for run in runs.values():
        if run.results is None:
            run.doubt = "A run in it has no list of results: its tool did not finish, or keeps them elsewhere."
    return runs


def _note(run: Run, path: json_values.Path, value: Any) -> None:
    """Takes one fact of a run."""
    match path:
        case ("tool", "driver", "name"):
            run.driver.name = name_of(value)
        case ("automationDetails", "id"):
            run.category = category(value)
        case ("tool", "driver", "globalMessageStrings") if isinstance(value, dict):
            run.strings = value
        case ("originalUriBaseIds",) if isinstance(value, dict):
            run.bases = value
        case ("artifacts", int(index), "location") if isinstance(value, dict):
            run.artifacts[index] = {name: value[name] for name in ("uri", "uriBaseId") if name in value}
        case ("logicalLocations", int(index)):
            run.logical[index] = text(member(value, "fullyQualifiedName") or member(value, "name"), 2000)
        case ("results",):
            run.results = value
        case ("invocations", int(), "endTimeUtc"):
            run.ends.append(value)
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
    said = text(member(notification, "message", "text"), 300).rstrip(".") or "an error without a message"
    return f"The tool reports an error of its own in it: {said}{f' ({place})' if place else ''}."


def category(automation_id: Any) -> str:
    """The category in `automationDetails.id`: what stands before its last slash; the rest names the single run."""
    return name_of(automation_id).rpartition("/")[0].strip("/")


def name_of(value: Any) -> str:
    """A name as it stands, not shortened; "" for what is no text."""
    return value if isinstance(value, str) else ""


def _add_rule(component: Component, rule: dict[str, Any], budget: int) -> int:
    """Keeps what findings need of a rule; returns what is left of the room for texts."""
    tags = [text(tag, 200) for tag in each(member(rule, "properties", "tags"))][:50]
    related = [taxon(member(relation, "target")) for relation in each(rule.get("relationships"))][:50]
    name, title = text(rule.get("name"), 500), text(member(rule, "shortDescription", "text"), 500)
    kept: dict[str, Any] = {
        "id": text(rule.get("id")),
        "guid": text(rule.get("guid"), 50),
        "name": name,
        "title": title,
        "links": links(rule.get("helpUri")),
        "level": member(rule, "defaultConfiguration", "level"),
        "security": member(rule, "properties", "security-severity"),
        "precision": text(member(rule, "properties", "precision"), 50),
        "tags": tuple(tags),
        "cwe": cwes(*every(member(rule, "properties", "cwe")), *related, *tags),
        "ids": ids(rule.get("id"), name, *tags, title),
    }
    if budget > 0:
        strings = rule.get("messageStrings")
        kept["strings"] = strings if isinstance(strings, dict) and len(strings) <= 100 else {}
        kept["description"] = text(member(rule, "fullDescription", "text"), 8000)
        kept["help"] = text(member(rule, "help", "markdown") or member(rule, "help", "text"), 8000)
        budget -= (
            len(kept["description"]) + len(kept["help"]) + sum(len(str(string)) for string in kept["strings"].values())
        )
    component.add(kept)
    return budget - 500


def taxon(reference: Any) -> str:
    """`CWE-79` for a reference into the taxonomy of that name; "" for others."""
    name = text(member(reference, "toolComponent", "name"))
    return f"CWE-{text(member(reference, 'id'), 50).upper().removeprefix('CWE-')}" if name.upper() == "CWE" else ""


def _row(result: Any, run: Run, ordinals: Ordinals) -> dict[str, Any]:
    """One result with all it points at resolved."""
    row: dict[str, Any] = {"format": "sarif", "result": result}
    try:
        rule = rule_of(result, run)
        place = sarif_identity.place(result, run)
        row |= {"rule": rule, "strings": run.strings, "path": place.uri, "logical": place.logical}
        row["key"] = ordinals.name(sarif_identity.base(result, rule["id"], place))
    except VendorChanged as error:
        row["unreadable"] = error.what
    return row


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
    if isinstance(index, int) and 0 <= index < len(component.rules):
        found = component.rules[index]
        return found if name in (None, found["id"]) else found | {"id": name}
    for known in (name, member(reference, "guid"), (name or "").rpartition("/")[0]):
        for holder in (component, run.driver, *run.extensions.values()):
            if isinstance(known, str) and known in holder.places:
                found = holder.rules[holder.places[known]]
                return found if name in (None, found["id"]) else found | {"id": name}
    return {"id": name or "", "missing": bool(reference) or index is not None}


def _component(reference: Any, run: Run) -> Component:
    """The extension that a rule's reference names; the driver where it names none."""
    index, guid, name = (member(reference, part) for part in ("index", "guid", "name"))
    if isinstance(index, int) and index in run.extensions:
        return run.extensions[index]
    for extension in run.extensions.values():
        if (guid and guid == extension.guid) or (name and name == extension.name):
            return extension
    return run.driver
