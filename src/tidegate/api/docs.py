"""The documentation of the API as a page: made from the OpenAPI document, with nothing that runs in the browser."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from tidegate.api.problem import TITLES


def page(request: HttpRequest, document: dict[str, Any]) -> HttpResponse:
    """Every route by its noun, and every kind of problem."""
    nouns: dict[str, list[dict[str, Any]]] = {}
    for operation in _operations(document):
        nouns.setdefault(operation["noun"], []).append(operation)
    problems = [{"kind": kind, "status": status, "title": title} for kind, (status, title) in TITLES.items()]
    told = {"about": document["info"]["description"], "nouns": nouns.items(), "problems": problems}
    return render(request, "api/docs.html", told)


def _operations(document: dict[str, Any]) -> Iterator[dict[str, Any]]:
    schemas = document["components"]["schemas"]
    for address, methods in document["paths"].items():
        for method, one in methods.items():
            yield {
                "noun": one.get("tags", ["other"])[0],
                "id": one["operationId"],
                "method": method.upper(),
                "address": address,
                "summary": one["summary"],
                "description": one.get("description", ""),
                "role": one.get("x-tidegate-role", ""),
                "parameters": [_parameter(parameter) for parameter in one.get("parameters", [])],
                "fields": list(_fields(one)),
                "answers": list(_answers(one, schemas)),
                "examples": list(_examples(one)),
            }


def _parameter(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "name": one["name"],
        "place": one["in"],
        "required": one.get("required", False),
        "kind": _kind(one["schema"]),
        "description": one.get("description", ""),
    }


def _fields(operation: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for content in operation.get("requestBody", {}).get("content", {}).values():
        schema = content["schema"]
        for name, field in schema.get("properties", {}).items():
            yield {
                "name": name,
                "required": name in schema.get("required", ()),
                "kind": _kind(field),
                "description": field.get("description", ""),
            }


def _answers(operation: dict[str, Any], schemas: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for status, answer in operation["responses"].items():
        if not status.startswith("2"):
            continue
        for kind, content in answer.get("content", {}).items():
            schema = content["schema"]
            name = schema.get("anyOf", [schema])[0].get("$ref", "").rpartition("/")[2]  # the whole; then its parts
            properties = schemas.get(name, {}).get("properties", {})
            fields = [
                {"name": field, "kind": _kind(shape), "description": shape.get("description", "")}
                for field, shape in properties.items()
            ]
            yield {"status": status, "kind": kind, "name": name, "fields": fields}


def _examples(operation: dict[str, Any]) -> Iterator[dict[str, str]]:
    places = [("Body", operation.get("requestBody", {}))]
    places += [(f"Answer {status}", one) for status, one in operation["responses"].items() if status.startswith("2")]
    for title, place in places:
        for content in place.get("content", {}).values():
            for example in content.get("examples", {}).values():
                told = example["value"]
                text = told if isinstance(told, str) else msgspec.json.format(msgspec.json.encode(told)).decode()
                yield {"title": title, "text": text}


def _kind(schema: dict[str, Any]) -> str:
    """The type of a field in few words."""
    if "$ref" in schema:
        return schema["$ref"].rpartition("/")[2]
    if "enum" in schema:
        return " | ".join(str(value) for value in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            return " | ".join(dict.fromkeys(_kind(one) for one in schema[several]))
    kind = schema.get("type", "anything")
    if kind == "array":
        return f"list of {_kind(schema.get('items', {}))}"
    return str(schema.get("format", kind))
