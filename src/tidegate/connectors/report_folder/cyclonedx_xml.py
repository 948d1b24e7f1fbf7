"""CycloneDX written as XML, shaped as its JSON is; also the extension `vulnerability/1.0` from before 1.4."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, BinaryIO
from xml.etree.ElementTree import Element

from .json_values import Path
from .xml_elements import elements, local

_WANTED = frozenset(
    {("metadata", "tools"), ("metadata", "timestamp"), ("metadata", "component"), ("components", "component")}
)
_LISTED = ("vulnerabilities", "vulnerability")
_CONTAINER = ("vulnerabilities",)
_SERVICES = ("services", "service")


def is_xml(file: BinaryIO) -> bool:
    """Whether the file begins like XML, as UTF-8 or as UTF-16."""
    file.seek(0)
    return file.read(64).replace(b"\0", b"").lstrip(b"\xef\xbb\xbf\xff\xfe \t\r\n").startswith(b"<")


def facts(file: BinaryIO) -> Iterator[tuple[Path, Any]]:
    """Paths and values as `json_values.values` gives them; the vulnerabilities as their number, at the end."""
    count, present, index = 0, False, 0
    for place, element in elements(file, _WANTED | {_SERVICES}, frozenset({_LISTED, _CONTAINER})):
        if place == _CONTAINER:
            present = True
        elif place == _LISTED:
            count += 1
        elif place == ("components", "component"):
            inside = sum(1 for _ in _within(element))
            present, count = present or bool(inside), count + inside
            yield ("components", index), _component(element)
            index += 1
        elif place == _SERVICES:
            yield ("services", index), _component(element)
        elif place == ("metadata", "tools"):
            yield place, _tools(element)
        elif place == ("metadata", "component"):
            yield place, _component(element)
        elif place:
            yield place, (element.text or "").strip()
        else:
            yield ("namespace",), str(element.tag)
    yield _CONTAINER, count if present else None


def vulnerabilities(file: BinaryIO) -> Iterator[dict[str, Any]]:
    """Each vulnerability, also those that the old extension puts into a component."""
    for place, element in elements(file, frozenset({_LISTED, ("components", "component")})):
        if place == _LISTED:
            yield _vulnerability(element, "")
        elif place:
            for reference, inner in _within(element):
                yield _vulnerability(inner, reference)


def _within(component: Element) -> Iterator[tuple[str, Element]]:
    """The vulnerabilities inside a component and the components in it, with the reference of theirs."""
    for child in component:
        if local(child) == "vulnerabilities":
            for vulnerability in child:
                yield component.get("bom-ref", ""), vulnerability
        elif local(child) == "components":
            for inner in child:
                yield from _within(inner)


def _tools(element: Element) -> list[dict[str, Any]]:
    """Tools, or since 1.5 the components and services in their place."""
    found: list[dict[str, Any]] = []
    for child in element:
        if local(child) == "tool":
            found.append({"name": _text(child, "name")})
        else:
            found.extend({"name": _text(inner, "name")} for inner in child)
    return found


def _component(element: Element) -> dict[str, Any]:
    found: dict[str, Any] = {name: _text(element, name) for name in ("group", "name", "version", "purl")}
    found |= {"type": element.get("type"), "bom-ref": element.get("bom-ref")}
    found["components"] = [_component(inner) for inner in _all(element, "components")]
    return found


def _vulnerability(element: Element, inside: str) -> dict[str, Any]:
    """The shape of 1.4 and later; what only the extension has is put where 1.4 has it."""
    plain = ("id", "description", "detail", "recommendation", "published", "created")
    found: dict[str, Any] = {name: _text(element, name) for name in plain}
    found["source"] = _source(element)
    found["references"] = [{"id": _text(one, "id")} for one in _all(element, "references")]
    found["ratings"] = [_rating(one) for one in _all(element, "ratings")]
    found["cwes"] = [(one.text or "").strip() for one in _all(element, "cwes")]
    found["advisories"] = [
        {"url": _text(one, "url") or (one.text or "").strip()} for one in _all(element, "advisories")
    ]
    found["recommendation"] = found["recommendation"] or "\n".join(
        (one.text or "").strip() for one in _all(element, "recommendations")
    )
    analysis = _child(element, "analysis")
    if analysis is not None:
        said = [(one.text or "").strip() for one in _all(analysis, "responses")]
        found["analysis"] = {name: _text(analysis, name) for name in ("state", "justification", "detail")}
        found["analysis"] |= {"response": said}
    found["affects"] = [
        {
            "ref": _text(target, "ref"),
            "versions": [
                {name: _text(one, name) for name in ("version", "range", "status")} for one in _all(target, "versions")
            ],
        }
        for target in _all(element, "affects")
    ]
    if not found["affects"] and (reference := element.get("ref") or inside):
        found["affects"] = [{"ref": reference}]
    return found


def _source(element: Element) -> dict[str, Any]:
    source = _child(element, "source")
    if source is None:
        return {}
    return {"name": _text(source, "name") or source.get("name"), "url": _text(source, "url")}


def _rating(element: Element) -> dict[str, Any]:
    found: dict[str, Any] = {name: _text(element, name) for name in ("score", "severity", "method", "vector")}
    score = _child(element, "score")
    if score is not None and len(score):
        found["score"] = _text(score, "base")
    return found | {"source": _source(element)}


def _child(element: Element, name: str) -> Element | None:
    return next((child for child in element if local(child) == name), None)


def _all(element: Element, name: str) -> list[Element]:
    """The items of the list of this name."""
    child = _child(element, name)
    return [] if child is None else list(child)


def _text(element: Element, name: str) -> str | None:
    child = _child(element, name)
    return None if child is None or child.text is None else child.text.strip()
