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
from tidegate.api.example import example_of, sent_to
from tidegate.api.problem import KIND, TITLES, Problem
from tidegate.api.route import CSV, ROUTES, Route
from tidegate.api.trigger import TAKE_CALL
from tidegate.guard.signing import ID, SIGNATURE, TIMESTAMP
from tidegate.rules.list_file import rows_within

REFERENCE: Final = "#/components/schemas/{name}"
PART: Final = "PartOf"
"""How the shapes begin that answers have where `fields` names some of them."""
PROBLEMS_OF_ALL: Final = (
    "not-readable", "not-logged-in", "forbidden", "not-there", "method", "too-large", "too-long", "fields", "too-many",
    "headers", "broken", "not-now",
)  # fmt: skip
PROBLEMS_OF_CHANGES: Final = ("refused", "content-type")


def document(api: NinjaAPI) -> dict[str, Any]:
    """The whole document, from the code as it runs."""
    made: dict[str, Any] = OpenAPISchema(api, "api/v1/")
    routes = [*ROUTES, TAKE_CALL]
    structs, shapes = _shapes(routes)
    made["components"]["schemas"] |= shapes | _parts(
        (structs[one.answers] for one in routes if _is_sparse(one)), shapes
    )
    made["components"]["responses"] = _problems()
    made["components"]["securitySchemes"] = made["components"].get("securitySchemes", {})
    for methods in made["paths"].values():
        for operation in methods.values():
            operation["responses"] = {str(status): answer for status, answer in operation["responses"].items()}
    for route in routes:
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


def _is_sparse(route: Route) -> bool:
    """Whether `fields` may say which part of the answer is wanted."""
    return route.method == "GET" and route.answers is not None


def _parts(answers: Iterable[dict[str, Any]], shapes: dict[str, Any]) -> dict[str, Any]:
    """The shapes of these answers as `fields` leaves them: what is there is as in the whole, and none of it has to
    be."""
    found, waiting = dict[str, Any](), [name for one in answers for name in _named(one)]
    while waiting:
        if (name := waiting.pop()) not in found:
            found[name] = _part(shapes[name])
            waiting += _named(shapes[name])
    return {f"{PART}{name}": shape for name, shape in sorted(found.items())}


def _named(shape: Any) -> list[str]:
    """The shapes that this one names."""
    if isinstance(shape, list):
        return [name for one in shape for name in _named(one)]
    if not isinstance(shape, dict):
        return []
    here = [shape["$ref"].rpartition("/")[2]] if isinstance(shape.get("$ref"), str) else []
    return here + [name for one in shape.values() for name in _named(one)]


def _part(shape: Any) -> Any:
    if isinstance(shape, list):
        return [_part(one) for one in shape]
    if not isinstance(shape, dict):
        return shape
    if reference := shape.get("$ref"):
        return {**shape, "$ref": REFERENCE.format(name=f"{PART}{reference.rpartition('/')[2]}")}
    return {name: _part(value) for name, value in shape.items() if name not in ("required", "title")}


def _complete(operation: dict[str, Any], route: Route, structs: dict[Any, dict[str, Any]]) -> None:
    is_open = "security" not in operation
    if not is_open:
        operation["x-tidegate-role"] = route.role
    operation["responses"] = {str(route.status): _good(route, structs), **_bad(route)}
    if route.body is not None:
        operation["requestBody"] = _body(route, route.body)
    if is_open:
        operation["requestBody"] = {"required": False, "content": {JSON: {"schema": {}, **_shown(sent_to(route))}}}
    if headers := list(_signatures() if is_open else _headers(route)):
        operation["parameters"] = [*operation.get("parameters", []), *headers]
    for parameter in operation.get("parameters", []):
        parameter["schema"] = _schema_of(parameter)
        if parameter["name"] == "fields":
            parameter["schema"]["format"] = f"fields of {route.answers.__name__}"
            parameter["example"] = msgspec.structs.fields(route.answers)[0].encode_name


def _schema_of(parameter: dict[str, Any]) -> dict[str, Any]:
    """An address cannot say null: what is not wanted is left out of it."""
    schema = {name: value for name, value in parameter["schema"].items() if name != "title"}
    kinds = [kind for kind in schema.get("anyOf", ()) if kind != {"type": "null"}]
    if not kinds:
        return schema
    beside = {name: value for name, value in schema.items() if name != "anyOf" and (name, value) != ("default", None)}
    return {**beside, **kinds[0]} if len(kinds) == 1 else {**beside, "anyOf": kinds}


def _body(route: Route, model: type[BaseModel]) -> dict[str, Any]:
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}", mode="validation")
    # Models within a body stand in it: two bodies may have different ones of the same name.
    schema = _inlined(schema, schema.pop("$defs", {}))
    content: dict[str, Any] = {"schema": schema, **_shown(sent_to(route))}
    return {"required": bool(schema.get("required")), "content": {JSON: content}}


def _shown(example: Any) -> dict[str, Any]:
    return {} if example is None else {"examples": {"example": {"value": example}}}


def _inlined(schema: Any, definitions: dict[str, Any]) -> Any:
    if isinstance(schema, list):
        return [_inlined(one, definitions) for one in schema]
    if not isinstance(schema, dict):
        return schema
    if reference := schema.get("$ref"):
        found = definitions[reference.rpartition("/")[2]]
        return _inlined({**found, **{name: value for name, value in schema.items() if name != "$ref"}}, definitions)
    if "patternProperties" in schema:
        schema = {"additionalProperties": False, **schema}  # pydantic refuses other names too, and does not say so
    return {name: _inlined(value, definitions) for name, value in schema.items()}


def _good(route: Route, structs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    if route.kinds:
        content = {
            kind: {"schema": {"type": _type_of(kind), "description": what}} for kind, what in route.kinds.items()
        }
        content[next(iter(content))] |= _shown(example_of(route).answers)
        return {"description": "The file, as it is made.", "content": content}
    if route.answers is None:
        return {"description": "It is done."}
    content: dict[str, Any] = {"schema": _answer_of(route, structs), **_shown(example_of(route).answers)}
    good: dict[str, Any] = {
        "description": "It is so." if route.method == "GET" else "It is done.",
        "content": {JSON: content},
    }
    if route.method == "GET" and rows_within(route.answers):
        said = "A row a line, the head first; no cell is a formula."
        good["content"][CSV] = {"schema": {"type": "string", "description": said}}
    if route.version:
        good["headers"] = {"ETag": {"description": "The version, for `If-Match`.", "schema": {"type": "string"}}}
    if route.status in (201, 202):
        good.setdefault("headers", {})["Location"] = {
            "description": "Where what was made can be looked at.",
            "schema": {"type": "string"},
        }
    return good


def _type_of(kind: str) -> str:
    """What a file of this media type is, once it is read."""
    return "object" if kind.endswith("+json") else "string"


def _answer_of(route: Route, structs: dict[Any, dict[str, Any]]) -> dict[str, Any]:
    """The whole of it; and where `fields` may be given, or a part."""
    whole = structs[route.answers]
    return {"anyOf": [whole, _part(whole)]} if _is_sparse(route) else whole


def _bad(route: Route) -> dict[str, Any]:
    kinds = [*PROBLEMS_OF_ALL, *(PROBLEMS_OF_CHANGES if route.method != "GET" else ())]
    if route.version and route.method != "GET":
        kinds.append("changed")
    found: dict[str, Any] = {str(TITLES[kind][0]): {"$ref": f"#/components/responses/{kind}"} for kind in kinds}
    name = getattr(route.answers, "__name__", "")
    if name in ("StepAnswer", "BulkDone", "Applied"):
        step = {"schema": {"$ref": f"#/components/schemas/{name}"}}
        found["207"] = {"description": "Some of it is done; see item by item.", "content": {JSON: step}}
        found["409"] = {"description": "Nothing was done.", "content": {JSON: step, KIND: _PROBLEM}}
    return dict(sorted(found.items()))


_PROBLEM: Final = {"schema": {"$ref": "#/components/schemas/Problem"}}


def _problems() -> dict[str, Any]:
    return {
        kind: {"description": f"{title}.", "content": {KIND: _PROBLEM}, **_HEADERS_OF_PROBLEMS.get(kind, {})}
        for kind, (_, title) in TITLES.items()
    }


_HEADERS_OF_PROBLEMS: Final[dict[str, Any]] = {
    "not-logged-in": {"headers": {"WWW-Authenticate": {"description": "How.", "schema": {"type": "string"}}}},
    "method": {"headers": {"Allow": {"description": "What can be done with it.", "schema": {"type": "string"}}}},
    "too-many": {"headers": {"Retry-After": {"description": "Seconds.", "schema": {"type": "integer"}}}},
}


def _signatures() -> Iterable[dict[str, Any]]:
    """Of whoever calls without being logged in; a vendor's own header may stand instead of them."""
    told = {ID: "The call's own id.", TIMESTAMP: "When: seconds since 1970.", SIGNATURE: "`v1,` and the signature."}
    for name, description in told.items():
        schema = {"type": "string"}
        yield {"in": "header", "name": name, "required": False, "description": description, "schema": schema}


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
