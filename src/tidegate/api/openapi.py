"""The OpenAPI document: what ninja knows of the routes, and beside it the shapes of answers, problems and headers."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any, Final

import msgspec
from ninja import NinjaAPI
from ninja.openapi.schema import OpenAPISchema
from pydantic import BaseModel

from tidegate.api.again import HEADER, LONGEST_KEY
from tidegate.api.answer import JSON
from tidegate.api.problem import KIND, TITLES, Problem
from tidegate.api.route import ROUTES, Route

REFERENCE: Final = "#/components/schemas/{name}"
PROBLEMS_OF_ALL: Final = ("not-readable", "not-logged-in", "forbidden", "not-there", "method", "too-long", "fields")
PROBLEMS_OF_CHANGES: Final = ("refused", "too-large", "content-type")


def document(api: NinjaAPI) -> dict[str, Any]:
    """The whole document, from the code as it runs."""
    made: dict[str, Any] = OpenAPISchema(api, "api/v1/")
    structs, shapes = _shapes(ROUTES)
    made["components"]["schemas"] |= shapes
    made["components"]["responses"] = _problems()
    made["components"]["securitySchemes"] = made["components"].get("securitySchemes", {})
    for methods in made["paths"].values():
        for operation in methods.values():
            operation["responses"] = {str(status): answer for status, answer in operation["responses"].items()}
    for route in ROUTES:
        operation = made["paths"][_address(route.path)][route.method.lower()]
        _complete(operation, route, structs)
    return made


def _address(path: str) -> str:
    return "/api/v1" + re.sub(r"{[^}:]+:", "{", path)


def _shapes(routes: Iterable[Route]) -> tuple[dict[Any, dict[str, Any]], dict[str, Any]]:
    """The schema of each answer's Struct, and the schemas that these name."""
    wanted = list(dict.fromkeys([Problem, *(route.answers for route in routes if route.answers is not None)]))
    schemas, shapes = msgspec.json.schema_components(wanted, ref_template=REFERENCE)
    return dict(zip(wanted, schemas, strict=True)), {name: _said(shape) for name, shape in shapes.items()}


def _said(shape: dict[str, Any]) -> dict[str, Any]:
    """An answer names every field; nothing is left out because it is as usual."""
    if "properties" in shape:
        shape["required"] = list(shape["properties"])
    return shape


def _complete(operation: dict[str, Any], route: Route, structs: dict[Any, dict[str, Any]]) -> None:
    operation["x-tidegate-role"] = route.role
    operation["responses"] = {str(route.status): _good(route, structs), **_bad(route)}
    if route.body is not None:
        operation["requestBody"] = _body(route, route.body)
    if headers := list(_headers(route)):
        operation["parameters"] = [*operation.get("parameters", []), *headers]
    for parameter in operation.get("parameters", []):
        parameter["schema"].pop("title", None)


def _body(route: Route, model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="validation")
    # Models within a body stand in it: two bodies may have different ones of the same name.
    schema = _inlined(schema, schema.pop("$defs", {}))
    content: dict[str, Any] = {"schema": schema}
    if route.sends is not None:
        content["examples"] = {"example": {"value": route.sends}}
    return {"required": bool(schema.get("required")), "content": {JSON: content}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        found = definitions[reference.rpartition("/")[2]]
        return _inlined({**found, **{name: value for name, value in schema.items() if name != "$ref"}}, definitions)
    return {name: _inlined(value, definitions) for name, value in schema.items()}


def _good(route: Route, structs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    if route.kinds:
        content = {kind: {"schema": {"type": "string", "description": what}} for kind, what in route.kinds.items()}
        return {"description": "The file, as it is made.", "content": content}
    if route.answers is None:
        return {"description": "It is done."}
    content: dict[str, Any] = {"schema": _answer_of(route, structs)}
    if route.example is not None:
        content["examples"] = {"example": {"value": route.example}}
    good: dict[str, Any] = {
        "description": "It is so." if route.method == "GET" else "It is done.",
        "content": {JSON: content},
    }
    if route.version:
        good["headers"] = {"ETag": {"description": "The version, for `If-Match`.", "schema": {"type": "string"}}}
    if route.status in (201, 202):
        good.setdefault("headers", {})["Location"] = {
            "description": "Where what was made can be looked at.",
            "schema": {"type": "string"},
        }
    return good


def _answer_of(route: Route, structs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    """With `fields` any part of it may be missing, so a read's answer is described and not demanded."""
    return structs[route.answers]


def _bad(route: Route) -> dict[str, Any]:
    kinds = [*PROBLEMS_OF_ALL, *(PROBLEMS_OF_CHANGES if route.method != "GET" else ()), "too-many"]
    if route.version and route.method != "GET":
        kinds.append("changed")
    found: dict[str, Any] = {str(TITLES[kind][0]): {"$ref": f"#/components/responses/{kind}"} for kind in kinds}
    if getattr(route.answers, "__name__", "") == "StepAnswer":
        step = {"schema": {"$ref": "#/components/schemas/StepAnswer"}}
        found["207"] = {"description": "Some of it is done; see item by item.", "content": {JSON: step}}
        found["409"] = {"description": "Nothing was done.", "content": {JSON: step, KIND: _PROBLEM}}
    found["default"] = {"$ref": "#/components/responses/broken"}
    return dict(sorted(found.items()))


_PROBLEM: Final = {"schema": {"$ref": "#/components/schemas/Problem"}}


def _problems() -> dict[str, Any]:
    return {kind: {"description": f"{title}.", "content": {KIND: _PROBLEM}} for kind, (_, title) in TITLES.items()}


def _headers(route: Route) -> Iterable[dict[str, Any]]:
    if route.method == "POST":
        yield {
            "in": "header",
            "name": HEADER,
            "required": False,
            "description": "A word of yours, for a day: asked again with it, the same is answered and not done again.",
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
        }
    if route.version and route.method != "GET":
        yield {
            "in": "header",
            "name": "If-Match",
            "required": False,
            "description": "The ETag that you looked at: nothing is done where it was changed since.",
            "schema": {"type": "string"},
        }
