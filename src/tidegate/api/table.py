"""What the command line must know to ask a Tidegate elsewhere, as a file: src/tidegate/cli/routes.json.

`./dev docs` writes it from the routes as they are, and a test compares. By operation: how it is asked for, in which
order its function takes what, and where in the answer stands what the function gives.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Sequence
from importlib import import_module
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect as types
from ninja.signature.utils import get_path_param_names

from tidegate.actions.step import StepOutcome
from tidegate.api.app import api
from tidegate.api.route import ROUTES, Route

_PLAIN: Final[dict[type, str]] = {
    types.AnyType: "any",
    types.NoneType: "none",
    types.BoolType: "bool",
    types.IntType: "int",
    types.FloatType: "float",
    types.StrType: "str",
    types.DateTimeType: "datetime",
    types.DateType: "date",
    types.UUIDType: "uuid",
}


def table() -> str:
    """The whole file."""
    shapes: dict[str, Any] = {}
    operations = {route.of: operation(route, shapes) for route in reversed(ROUTES)}  # of several the first
    made = {"operations": dict(sorted(operations.items())), "shapes": dict(sorted(shapes.items()))}
    return msgspec.json.format(msgspec.json.encode(made), indent=1).decode() + "\n"


def operation(route: Route, shapes: dict[str, Any]) -> dict[str, Any]:
    """One operation."""
    work = function(route.of)
    hints = get_type_hints(work)
    gives = hints.get("return")
    names = [name for name in inspect.signature(work).parameters if name != "actor"]
    in_path = get_path_param_names(route.path)
    said: dict[str, Any] = {
        "method": route.method,
        "path": "/" + route.path.lstrip("/"),
        "takes": names,
        "in_path": sorted(in_path),
        "sends": sorted(sent(route) - in_path),
        "gives": where(route, gives),
    }
    if NoneType in get_args(gives):
        said["none"] = True
    if route.kinds:
        said["streams"] = sorted(route.kinds)
    if route.answers is not None:
        said["answer"] = expression(types.type_info(route.answers), shapes)
    return said


def function(of: str) -> Callable[..., Any]:
    """The action or read of a name."""
    room, module, name = of.split(".")
    found = getattr(import_module(f"tidegate.{room}.{module}"), name)
    return inspect.unwrap(found)


def sent(route: Route) -> set[str]:
    """What a route takes beside the path."""
    if route.body is not None:
        return set(route.body.model_fields)
    for view in _views():
        if view.route is route:
            return set(view.__signature__.parameters) - {"request", "fields"}
    return set()


def _views() -> Iterable[Any]:
    for _, router in api._routers:
        for path_view in router.path_operations.values():
            for one in path_view.operations:
                if hasattr(one.view_func, "route"):
                    yield one.view_func


def where(route: Route, gives: Any) -> str:
    """Where in the answer stands what the function gives: all of it, a field, the address of what was made, nowhere."""
    if gives in (None, NoneType):
        return "nothing"
    if route.kinds and route.answers is None:
        return "stream"
    kinds = [kind for kind in _parts(gives) if kind is not NoneType]
    if route.answers in kinds or gives is StepOutcome:
        return "answer"
    if kinds == [int] and route.status in (201, 202):
        return "location"
    fields = {} if route.answers is None else {one.name: one.type for one in msgspec.structs.fields(route.answers)}
    of_kind = [name for name, kind in fields.items() if _bare(kind) in map(_bare, kinds)]
    if len(of_kind) == 1:
        return of_kind[0]
    return "answer"


def _parts(kind: Any) -> Sequence[Any]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _bare(kind: Any) -> Any:
    """Without what is said about it, and any sequence as a list."""
    if get_origin(kind) is Annotated:
        return _bare(get_args(kind)[0])
    if get_origin(kind) is not None and get_args(kind) and hasattr(get_origin(kind), "__iter__"):
        return (get_origin(kind) is dict, tuple(_bare(part) for part in get_args(kind)))
    return kind


def expression(kind: types.Type, shapes: dict[str, Any]) -> Any:
    """A type in the words of cli/shape.py."""
    if isinstance(kind, types.Metadata):
        return expression(kind.type, shapes)
    if word := _PLAIN.get(type(kind)):
        return word
    if isinstance(kind, types.LiteralType):
        return ["words", *kind.values]
    if isinstance(kind, types.EnumType):
        return ["words", *(one.value for one in kind.cls)]
    if isinstance(kind, types.UnionType):
        return ["union", *(expression(one, shapes) for one in kind.types)]
    if isinstance(kind, types.DictType):
        return ["dict", expression(kind.key_type, shapes), expression(kind.value_type, shapes)]
    if isinstance(kind, types.TupleType):
        return ["tuple", *(expression(one, shapes) for one in kind.item_types)]
    if isinstance(kind, types.CollectionType):
        return ["list", expression(kind.item_type, shapes)]
    if isinstance(kind, (types.StructType, types.DataclassType)):
        name = f"{kind.cls.__module__.removeprefix('tidegate.')}.{kind.cls.__name__}"
        if name not in shapes:
            shapes[name] = {}
            shapes[name] = {one.encode_name: expression(one.type, shapes) for one in kind.fields}
        return f"#{name}"
    raise TypeError(f"The command line has no words for {kind}.")
