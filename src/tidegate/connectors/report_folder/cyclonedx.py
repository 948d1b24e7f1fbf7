"""CycloneDX with vulnerabilities or VEX, as JSON and as XML: one finding for each affected component.

The specification: https://cyclonedx.org/docs/1.6/json/. Components are gathered in a first streamed pass,
since they may stand behind the vulnerabilities that point at them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, BinaryIO, NamedTuple

from packageurl import PackageURL

from tidegate_sdk import Incomplete, VendorChanged

from . import cyclonedx_xml, json_values, producer
from .fields import each, ids, member, optional, text
from .identity import Ordinals, digest

HEAD = ("bomFormat", "specVersion", "metadata.timestamp", "metadata.tools", "metadata.component")
_CONTEXT = json_values.tree(*HEAD, "components.*", "services.*", count=("vulnerabilities",))
_VULNERABILITIES = json_values.tree("vulnerabilities.*")
DROP = frozenset(
    {"hashes", "licenses", "evidence", "pedigree", "externalReferences", "releaseNotes", "modelCard", "data"}
)
_UUID = re.compile(r"(?i)^(?:urn:uuid:)?[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}$")


class Component(NamedTuple):
    """What findings need of a component."""

    purl: str = ""
    group: str = ""
    name: str = ""
    version: str = ""
    kind: str = ""


NOTHING = Component()


@dataclass(slots=True)
class Bom:
    """A document without its vulnerabilities."""

    tools: str = ""
    subject: Component = NOTHING
    components: dict[str, Component] = field(default_factory=dict[str, Component])
    vulnerabilities: int | None = None
    room: json_values.Room = field(default_factory=json_values.Room)

    def family(self, file_name: str) -> str:
        """The tools, else what the file is called; and what they looked at."""
        named = self.subject.name if self.subject.kind != "container" else _untagged(self.subject.name)
        return producer.family(f"{self.tools or producer.from_file(file_name)} (CycloneDX)", named)


def rows(file: BinaryIO, family: str, file_name: str) -> Iterator[dict[str, Any]]:
    """One row for each vulnerability and component; its `key` is missing where no identity can be read."""
    bom = context(file)
    if bom.vulnerabilities is None or bom.family(file_name) != family:
        raise Incomplete(f"It no longer holds vulnerabilities of {family}: it was replaced while it was read.")
    ordinals, seen, unplaced = Ordinals(), 0, 0
    for vulnerability in _vulnerabilities(file):
        seen += 1
        unplaced += not member(vulnerability, "affects")
        yield from _rows(vulnerability, bom, ordinals)
    if seen != bom.vulnerabilities:
        raise Incomplete("It changed while it was read.")
    if 0 < unplaced < seen:
        raise Incomplete(f"{unplaced} of its {seen} vulnerabilities do not say what they affect.")


def context(file: BinaryIO) -> Bom:
    """The first pass: everything but the vulnerabilities, which are counted."""
    return head(_facts(file))


def head(facts: Iterable[tuple[json_values.Path, Any]]) -> Bom:
    """The document that these facts tell of."""
    bom = Bom()
    for path, value in facts:
        match path:
            case ("metadata", "tools"):
                bom.tools = tools(value)
            case ("metadata", "component") if isinstance(value, dict):
                bom.subject = _component(value)
                _add(bom, value)
            case ("components" | "services", int()):
                _add(bom, value)
            case ("vulnerabilities",):
                bom.vulnerabilities = value
            case _:
                pass
    return bom


def _facts(file: BinaryIO) -> Iterator[tuple[json_values.Path, Any]]:
    if cyclonedx_xml.is_xml(file):
        return cyclonedx_xml.facts(file)
    return json_values.values(file, _CONTEXT, DROP)


def _vulnerabilities(file: BinaryIO) -> Iterator[Any]:
    if cyclonedx_xml.is_xml(file):
        yield from cyclonedx_xml.vulnerabilities(file)
        return
    for path, value in json_values.values(file, _VULNERABILITIES, frozenset({"proofOfConcept"})):
        if len(path) == 2:
            yield value


def tools(value: Any) -> str:
    """The names in `metadata.tools`: a list of tools until 1.4, components and services since 1.5."""
    listed = (
        value if isinstance(value, list) else [*each(member(value, "components")), *each(member(value, "services"))]
    )
    return " + ".join(dict.fromkeys(name for name in (text(member(tool, "name"), 100) for tool in listed) if name))


def _add(bom: Bom, value: Any) -> None:
    """Keeps a component and those inside it by their reference."""
    todo = [value]
    while todo:
        found = todo.pop()
        if not isinstance(found, dict):
            continue
        todo += [*each(found.get("components")), *each(found.get("services"))]
        if isinstance(reference := found.get("bom-ref"), str):
            component = _component(found)
            if bom.room.takes((reference, component)):
                bom.components[reference] = component


def _component(value: dict[str, Any]) -> Component:
    purl, group, name, version, kind = (
        text(value.get(part), 2000) for part in ("purl", "group", "name", "version", "type")
    )
    return Component(purl, group, name, version, kind)


def _rows(vulnerability: Any, bom: Bom, ordinals: Ordinals) -> Iterator[dict[str, Any]]:
    """A row for each thing affected, once; one row without a component where nothing is named."""
    try:
        name, targets = _named(vulnerability)
    except VendorChanged as error:
        yield {"format": "cyclonedx", "unreadable": error.what, "vulnerability": vulnerability}
        return
    for reference, versions in targets.items():
        try:
            component = _affected(reference, bom)
        except VendorChanged as error:
            yield {"format": "cyclonedx", "unreadable": error.what, "vulnerability": vulnerability}
            continue
        row = {"format": "cyclonedx", "name": name, "vulnerability": vulnerability, "component": component._asdict()}
        yield row | {"versions": versions, "key": ordinals.name(digest("cyclonedx", name, *_identity(component)))}


def _named(vulnerability: Any) -> tuple[str, dict[str, Any]]:
    """The id, and by reference the versions of what is affected. Raises VendorChanged where one cannot be read."""
    if not isinstance(vulnerability, dict):
        raise VendorChanged("A vulnerability is not an object.")
    name = optional(vulnerability.get("id"), str, "The id of a vulnerability")
    if not name or not name.strip():
        raise VendorChanged("A vulnerability has no id.")
    targets: dict[str, Any] = {}
    for target in optional(vulnerability.get("affects"), list, "affects") or [{"ref": ""}]:
        reference = optional(member(target, "ref"), str, "A reference")
        if reference is None:
            raise VendorChanged("A vulnerability affects something without a reference.")
        targets.setdefault(reference, member(target, "versions"))
    return _lasting(name.strip(), vulnerability), targets


def _lasting(name: str, vulnerability: dict[str, Any]) -> str:
    """The id; for a UUID, which may be made anew with each document, the CVE or GHSA it is cross-referenced with."""
    if not _UUID.match(name):
        return name
    return next(iter(ids(*(member(one, "id") for one in each(vulnerability.get("references"))))), name)


def _affected(reference: str, bom: Bom) -> Component:
    """The component behind a reference: in this document, by a BOM-Link into another, or a package URL itself."""
    for known in (reference, reference.rpartition("#")[2]):
        if known and known in bom.components:
            return bom.components[known]
    link = reference.rpartition("#")[2] if reference.startswith("urn:cdx:") else reference
    if link.startswith("pkg:"):
        return Component(purl=link)
    if bom.room.full:
        raise VendorChanged("The report lists more components than are kept, and this one is not among them.")
    # A reference made anew with each document names nothing where its component is not there.
    return NOTHING if _UUID.match(link) else Component(name=link)


def _identity(component: Component) -> list[str]:
    """The component without its version: an upgrade that stays vulnerable is the same finding."""
    if component.purl:
        try:
            found = PackageURL.from_string(component.purl)
        except ValueError:
            return [component.purl.partition("@")[0]]
        return [found.type, found.namespace or "", found.name, found.subpath or ""]
    if not component.name and not component.group:
        return []
    return [component.group, component.name]


def _untagged(image: str) -> str:
    """The name of an image without digest and tag."""
    name = image.partition("@")[0]
    return name if "/" in name.rpartition(":")[2] else name.rpartition(":")[0] or name
