"""What the command line must know to ask a Tidegate elsewhere, as a file: src/tidegate/cli/routes.json.

`./dev docs` writes it from the routes as they are, and a test compares. By operation: how it is asked for, in which
order its function takes what, and where in the answer stands what the function gives.
"""

from __future__ import annotations

import dataclasses
import inspect
from collections.abc import Callable, Iterator, Mapping
from importlib import import_module
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin, get_type_hints

import msgspec
from msgspec import inspect as types
from ninja.signature.utils import get_path_param_names

from tidegate.api.app import api
from tidegate.api.route import ROUTES, Route
from tidegate.reads import mapping, operation, schedule

WHERE: Final[Mapping[str, str]] = {
    "actions.connection.continuable": "connections",
    "actions.connection.draft_connection": "answer",
    "actions.connection.test_connection": "steps",
    "actions.finding.decide_finding": "branches",
    "actions.operation.approve": "settled",
    "actions.operation.keep_open": "settled",
    "actions.operation.request_sync_of_product": "answer",
    "actions.route.add_webhook": "answer",
    "actions.route.test_route": "answer",
    "actions.route.new_signing_secret": "signing_secret",
    "actions.token.revoke_token": "name",
    "actions.trigger.new_trigger_secret": "secret",
    "actions.user.log_out_everywhere": "ended",
}
"""Where it stands when types do not tell; cli/far.py makes what is right out of an *answer* that is another."""

SECRET: Final = ("secret", "signing_secret", "token")
"""The fields that hold what is shown once; they stay hidden until then."""

BESIDE: Final = (mapping.MappingList, operation.SyncedProduct, schedule.SchedulePage)
"""What commands print that no route answers."""

_PLAIN: Final[Mapping[type, str]] = {
    types.AnyType: "any",
    types.NoneType: "none",
    types.BoolType: "bool",
    types.IntType: "int",
    types.FloatType: "float",
    types.StrType: "str",
    types.LiteralType: "str",  # a word that is new there is no reason to understand nothing here
    types.EnumType: "str",
    types.DateTimeType: "datetime",
    types.DateType: "date",
    types.UUIDType: "uuid",
}


def table() -> str:
    """The whole file."""
    shapes: dict[str, Any] = {}
    operations = {route.of: asked(route, shapes) for route in reversed(ROUTES)}  # of several the first
    for struct in BESIDE:
        expression(types.type_info(struct), shapes)
    return f'{{\n"operations": {_line_by_line(operations)},\n"shapes": {_line_by_line(shapes)}\n}}\n'


def _line_by_line(part: Mapping[str, Any]) -> str:
    lines = [f'"{name}": {msgspec.json.encode(one).decode()}' for name, one in sorted(part.items())]
    return "{\n" + ",\n".join(lines) + "\n}"


def asked(route: Route, shapes: dict[str, Any]) -> dict[str, Any]:
    """How one operation is asked for."""
    work = function(route.of)
    gives = get_type_hints(work).get("return")
    in_path = get_path_param_names(route.path)
    said: dict[str, Any] = {
        "method": route.method,
        "path": route.path,
        "takes": list(inspect.signature(work).parameters),
        "in_path": sorted(in_path),
        "sends": sorted(sent(route) - in_path),
        "gives": WHERE.get(route.of) or where(route, gives),
        "none": NoneType in get_args(gives),
    }
    if route.answers is not None:
        said["answer"] = expression(types.type_info(route.answers), shapes, secret=route.secret)
    return said


def function(of: str) -> Callable[..., Any]:
    """The action or read of a name."""
    room, module, name = of.split(".")
    return inspect.unwrap(getattr(import_module(f"tidegate.{room}.{module}"), name))


def sent(route: Route) -> set[str]:
    """What a route takes beside the path."""
    if route.body is not None:
        return set(route.body.model_fields)
    view = next(view for view in _views() if view.route is route)
    return set(inspect.signature(view).parameters) - {"request", "fields"}


def _views() -> Iterator[Any]:
    for _, router in api._routers:
        for path_view in router.path_operations.values():
            yield from (one.view_func for one in path_view.operations if hasattr(one.view_func, "route"))


def where(route: Route, gives: Any) -> str:
    """Where in the answer stands what the function gives: all of it, a field, the address of what was made, nowhere."""
    if route.kinds:
        return "lines" if str in get_args(gives) else "pieces"
    kinds = [kind for kind in _parts(gives) if kind is not NoneType]
    if not kinds or route.answers is None:
        return "nothing"
    if route.answers in kinds:
        return "answer"
    if kinds == [int] and route.status in (201, 202):
        return "location"
    fields = {one.name: one.type for one in msgspec.structs.fields(route.answers)}
    of_kind = [name for name, kind in fields.items() if _bare(kind) in map(_bare, kinds)]
    if len(of_kind) == 1:
        return of_kind[0]
    tells_all = dataclasses.is_dataclass(kinds[0]) and {one.name for one in dataclasses.fields(kinds[0])} <= set(fields)
    return "answer" if tells_all else "nothing"


def _parts(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, UnionType) else (kind,)


def _bare(kind: Any) -> Any:
    """Without what is said about it."""
    return _bare(get_args(kind)[0]) if get_origin(kind) is Annotated else kind


def expression(kind: types.Type, shapes: dict[str, Any], *, secret: bool = False) -> Any:
    """A type in the words of cli/shape.py."""
    if isinstance(kind, types.Metadata):
        return expression(kind.type, shapes)
    if word := _PLAIN.get(type(kind)):
        return word
    if isinstance(kind, types.UnionType):
        parts = [expression(one, shapes) for one in kind.types]
        return ["union", *(one for number, one in enumerate(parts) if one not in parts[:number])]
    if isinstance(kind, types.DictType):
        return ["dict", expression(kind.key_type, shapes), expression(kind.value_type, shapes)]
    if isinstance(kind, types.TupleType):
        return ["tuple", *(expression(one, shapes) for one in kind.item_types)]
    if isinstance(kind, types.CollectionType):
        return ["list", expression(kind.item_type, shapes)]
    if isinstance(kind, types.StructType):
        name = f"{kind.cls.__module__.removeprefix('tidegate.')}.{kind.cls.__name__}"
        if name not in shapes:
            shapes[name] = {}
            # A list of pairs: the order is what --json prints.
            shapes[name] = [
                [one.encode_name, "secret" if secret and one.name in SECRET else expression(one.type, shapes)]
                for one in kind.fields
            ]
        return f"#{name}"
    raise TypeError(f"The command line has no words for {kind}.")
