"""How a route is written: which action or read it is for, what it takes and what it answers.

    routes = Routes("connection")

    @routes.act("POST", "/connections/{connection_id}/pause", actions.pause_connection, answers=reads.ConnectionDetail)
    def pause(actor: Actor, connection_id: Id, because: Reason = "") -> reads.ConnectionDetail: …

The parameters of the function are the route's: those of the path, for a read the query's, for an action the fields of
the JSON body. Its name, role and documentation come from the action or read.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, wraps
from itertools import chain
from typing import Annotated, Any, Final, Literal, TypeVar, cast, get_args, get_origin, get_type_hints

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from msgspec import Struct
from ninja import Path, Query, Router
from ninja.signature.utils import get_path_param_names
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic.fields import FieldInfo

from tidegate.actions.action import ACTIONS
from tidegate.actions.version import expecting
from tidegate.api.again import once
from tidegate.api.answer import JSON, Answered, check_fields, encoded, etag_of, fields_within, streamed
from tidegate.api.problem import FieldError, Trouble, errors_of_body, trouble_of_fields
from tidegate.reads.version import OF_A_CONNECTION, version_of
from tidegate.reads.viewer import viewing
from tidegate.rules.access import Role
from tidegate.rules.actor import Actor
from tidegate.rules.list_file import lines, rows_within

F = TypeVar("F", bound=Callable[..., Any])
Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]

FIELDS: Final = Annotated[
    str | None,
    Field(max_length=2000, description="Only these fields of the answer, as `a,b.c`."),
]
FORMAT: Final = Annotated[
    Literal["json", "csv"],
    Field(description="`csv` is all of the list from the cursor on, as a file: its limit is not asked for."),
]
CSV: Final = "text/csv"
STRICT: Final = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)


@dataclass(frozen=True)
class Route:
    """One route, as OpenAPI, the remote command line and the parity of faces know it."""

    method: Method
    path: str
    of: str
    """`actions.connection.pause_connection`: the action or read it is for."""
    role: Role
    answers: Any
    """The Struct of the answer; None where it has no body or is streamed."""
    status: int = 200
    version: str = ""
    """The kind of thing whose ETag a read tells and a change may demand."""
    secret: bool = False
    """The answer holds a secret that is shown once: it is not kept for an Idempotency-Key."""
    kinds: Mapping[str, str] = field(default_factory=dict[str, str])
    """Media types of a stream, and what each is."""
    sends: Any = None
    """An example of the body, where one that was recorded (example.py) would teach less."""
    body: type[BaseModel] | None = None


ROUTES: Final[list[Route]] = []
"""Every route there is, in the order of the code."""


class Routes:
    """The routes about one noun."""

    def __init__(self, noun: str) -> None:
        self.router = Router(tags=[noun])

    def read(
        self,
        path: str,
        of: Callable[..., Any],
        answers: Any = None,
        *,
        role: Role = "reader",
        version: str = "",
        kinds: Mapping[str, str] | None = None,
    ) -> Callable[[F], F]:
        """GET: what a read shows. The viewer is set; None has to become NotThere (`there`)."""
        return self._add("GET", path, of, answers, role=role, version=version, kinds=kinds or {})

    def act(
        self,
        method: Method,
        path: str,
        of: Callable[..., Any],
        answers: Any = None,
        *,
        status: int | None = None,
        version: str = "",
        secret: bool = False,
        role: Role | None = None,
        kinds: Mapping[str, str] | None = None,
        sends: Any = None,
    ) -> Callable[[F], F]:
        """What changes something, or asks somebody: the parameters stand in the body."""
        named = name_of(of).removeprefix("actions.")
        needed = role or (ACTIONS[named].role if named in ACTIONS else "reader")
        return self._add(
            method, path, of, answers, role=needed, status=status or (200 if answers is not None else 204),
            version=version, secret=secret, kinds=kinds or {}, sends=sends,
        )  # fmt: skip

    def _add(self, method: Method, path: str, of: Callable[..., Any], answers: Any, **more: Any) -> Callable[[F], F]:
        def decorate(handler: F) -> F:
            body = None if method == "GET" else body_of(handler, path, of)
            route = Route(method, path, name_of(of), answers=answers, body=body, **more)
            ROUTES.append(route)
            view = view_of(route, handler)
            self.router.api_operation(
                [method],
                path,
                operation_id=route.of,
                summary=first_line(of),
                description=inspect.cleandoc(of.__doc__ or ""),
                url_name=route.of,
            )(view)
            return handler

        return decorate


def name_of(of: Callable[..., Any]) -> str:
    """`actions.connection.pause_connection`."""
    return f"{of.__module__.removeprefix('tidegate.')}.{of.__name__}"


def first_line(of: Callable[..., Any]) -> str:
    """The first sentence of what it says about itself."""
    text = " ".join(inspect.cleandoc(of.__doc__ or of.__name__).split("\n\n")[0].split())
    return text.split(". ")[0].split("; ")[0].rstrip(".:")


def parameters(handler: Callable[..., Any]) -> dict[str, inspect.Parameter]:
    """What the handler takes of the request, with types that are types."""
    hints = get_type_hints(handler, include_extras=True)
    return {
        name: one.replace(annotation=hints.get(name, str))
        for name, one in inspect.signature(handler).parameters.items()
        if name not in ("actor", "request")
    }


def body_of(handler: Callable[..., Any], path: str, of: Callable[..., Any]) -> type[BaseModel] | None:
    """The model of a body: what the handler takes beside the path. None where that is nothing."""
    in_path = get_path_param_names(path)
    fields: dict[str, Any] = {
        name: (one.annotation, ... if one.default is inspect.Parameter.empty else one.default)
        for name, one in parameters(handler).items()
        if name not in in_path
    }
    named = "".join(part.title() for part in name_of(of).split(".")[1:] for part in part.split("_"))
    return create_model(f"{named}Body", __config__=STRICT, **fields) if fields else None


def view_of(route: Route, handler: Callable[..., Any]) -> Callable[..., HttpResponseBase]:
    """The handler as ninja wants it: a request in, an answer out."""
    taken = parameters(handler)
    in_path = get_path_param_names(route.path)
    takes_actor = "actor" in inspect.signature(handler).parameters
    query = (
        {} if route.body is not None or route.method != "GET" else {n: p for n, p in taken.items() if n not in in_path}
    )
    sparse = route.method == "GET" and route.answers is not None
    if sparse:
        query["fields"] = inspect.Parameter("fields", inspect.Parameter.KEYWORD_ONLY, default=None, annotation=FIELDS)
    listed = sparse and rows_within(route.answers) is not None
    if listed:
        query["format"] = inspect.Parameter("format", inspect.Parameter.KEYWORD_ONLY, default="json", annotation=FORMAT)
    known = frozenset(query)

    @wraps(handler)
    def view(request: HttpRequest, **values: Any) -> HttpResponseBase:
        actor: Actor = request.auth  # pyright: ignore[reportAttributeAccessIssue] - set by ninja
        _refuse_unknown(request, known)
        fields = values.pop("fields", None) if sparse else None
        as_csv = listed and values.pop("format", "json") == "csv"  # an export has a `format` of its own
        if fields:
            check_fields(fields, route.answers)
        if route.method == "GET":
            _refuse_body(request)
        else:
            values |= read_body(request, route.body)
        if takes_actor:
            values["actor"] = actor
        if as_csv:
            with viewing(actor.access):
                return _file(route, handler, values, fields, actor)

        def answer() -> HttpResponseBase:
            with viewing(actor.access), expecting(*_expected(request, route, values)):
                number = _number_of(route, values)
                seen = None if number is None or route.method != "GET" else version_of(route.version, number)
                answered = _answer(route, handler(**values), fields)
                if number is not None and answered.status_code < 300:
                    version = seen if route.method == "GET" else version_of(route.version, number)
                    if version is not None:
                        answered["ETag"] = etag_of(version)
                return answered

        if route.method == "GET":
            return answer()
        return once(request, actor, answer, secret=route.secret)

    ordered = [inspect.Parameter("request", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=HttpRequest)]
    ordered += [_told(Path, one) for name, one in taken.items() if name in in_path]
    ordered += [_told(Query, one) for one in query.values()]
    view.__signature__ = inspect.Signature(ordered)  # pyright: ignore[reportAttributeAccessIssue]
    view.route = route  # pyright: ignore[reportAttributeAccessIssue]
    view.__doc__ = None
    return view


def _told(where: Any, one: inspect.Parameter) -> inspect.Parameter:
    """The parameter as ninja wants it, with what is said about it."""
    default = ... if one.default is inspect.Parameter.empty else one.default
    extras = get_args(one.annotation)[1:] if get_origin(one.annotation) is Annotated else ()
    told = next((extra for extra in extras if isinstance(extra, FieldInfo)), None)
    source = where(default, description=told.description if told else None)
    return inspect.Parameter(one.name, inspect.Parameter.KEYWORD_ONLY, default=source, annotation=one.annotation)


def _answer(route: Route, given: Any, fields: str | None) -> HttpResponseBase:
    if isinstance(given, HttpResponseBase):
        return given
    answered = given if isinstance(given, Answered) else Answered(given)
    status = answered.status or route.status
    content = b"" if answered.body is None else encoded(answered.body, fields)
    answer = HttpResponse(content, status=status, content_type=JSON, headers=dict(answered.headers))
    if answered.body is None:
        del answer["Content-Type"]
    if answered.location:
        answer["Location"] = f"/api/v1{answered.location}"
    return answer


def _file(route: Route, handler: Callable[..., Any], values: dict[str, Any], fields: str | None, actor: Actor) -> Any:
    """All of a list, page by page: what the pages offer as a file, for scripts. The first page is asked for before
    anything is sent, so that what is refused is refused with its problem."""
    name, row = cast("tuple[str, type[Struct]]", rows_within(route.answers))
    place = next((one for one in ("cursor", "after") if one in values), "")  # where a page begins
    begins, limited = values.pop(place, None), values.pop("limit", None) is not None

    def ask(cursor: Any, limit: int) -> tuple[Sequence[Any], Any]:
        page = handler(**values, **({place: cursor} if place else {}), **({"limit": limit} if limited else {}))
        page = page.body if isinstance(page, Answered) else page
        return getattr(page, name), getattr(page, "next", None) if place else None

    only = fields_within(fields, name) if fields else ()
    pieces = lines(row, ask, only, begins)
    return streamed(chain([next(pieces)], pieces), CSV, f"{route.path.rpartition('/')[2] or name}.csv", actor.access)


def _number_of(route: Route, values: Mapping[str, Any]) -> int | None:
    of = "connection" if route.version in OF_A_CONNECTION else route.version.replace(" ", "_")
    return values.get(f"{of}_id") if route.version else None


def _expected(request: HttpRequest, route: Route, values: Mapping[str, Any]) -> tuple[str, int, frozenset[str] | None]:
    """The versions that the thing may have for this change to be wanted; None where any will do."""
    number = _number_of(route, values)
    told = request.headers.get("If-Match", "").strip()
    if not told or told == "*" or route.method == "GET":
        return "", 0, None
    if number is None:
        raise trouble_of_fields([FieldError(place="header", pointer="If-Match", sentence="This has no version.")])
    return route.version, number, frozenset(one.strip().strip('"') for one in told.split(","))


def _refuse_unknown(request: HttpRequest, known: frozenset[str]) -> None:
    """A filter that is spelled wrongly would show, or change, more than was meant."""
    if unknown := sorted(request.GET.keys() - known):
        said = f"It takes: {', '.join(sorted(known))}." if known else "It takes none."
        raise trouble_of_fields(
            [
                FieldError(place="query", pointer=name[:200], sentence=f"There is no such parameter. {said}")
                for name in unknown[:20]
            ]
        )


def _refuse_body(request: HttpRequest) -> None:
    """What stands in a body would be passed over in silence; whoever sent it meant something by it."""
    if request.body:
        raise Trouble("not-readable", "What only reads takes no body.", "Put what you ask for into the address.")


def read_body(request: HttpRequest, model: type[BaseModel] | None) -> dict[str, Any]:
    """The fields of the body, each of its type."""
    content = request.body
    if content and (kind := request.content_type or "") != JSON:
        raise Trouble(
            "content-type",
            f"The body is of the kind «{kind[:100]}».",
            "Send JSON, with Content-Type: application/json.",
        )
    if model is None:
        model = NOTHING
    try:
        found = _validated(content or b"{}", model)
    except ValidationError as refused:
        if refused.errors(include_url=False, include_input=False)[0]["type"] == "json_invalid":
            raise Trouble("not-readable", "The body is not JSON in UTF-8.", "Send one JSON object.") from None
        raise trouble_of_fields(errors_of_body(refused, json.loads(content or b"{}"), sayable_in(model))) from None
    return {name: getattr(found, name) for name in type(found).model_fields}


@cache
def sayable_in(model: type[BaseModel]) -> frozenset[str] | None:
    """The names of fields in a body that takes secrets: whoever exchanged name and value sent one as a name. None where
    it takes none, so that any name may be said."""
    names, secret = set[str](), False
    waiting: list[Any] = [model.model_json_schema()]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            secret = secret or one.get("format") == "password"
            names |= set(one["properties"]) if isinstance(one.get("properties"), dict) else set()
            waiting += one.values()
        elif isinstance(one, list):
            waiting += one
    return frozenset(names) if secret else None


def _validated(content: bytes, model: type[BaseModel]) -> BaseModel:
    """The body as its model. 7.0 is the integer 7, as JSON Schema says: some languages write every number so."""
    try:
        return model.model_validate_json(content)
    except ValidationError as refused:
        if all(one["type"] != "int_type" for one in refused.errors(include_url=False, include_input=False)):
            raise
    return model.model_validate_json(json.dumps(json.loads(content, parse_float=_whole)))


def _whole(text: str) -> int | float:
    number = float(text)
    return int(number) if number.is_integer() and abs(number) < LARGEST_EXACT else number


LARGEST_EXACT: Final = 2**53
"""Up to here a float tells one integer from the next."""

NOTHING: Final = create_model("Nothing", __config__=STRICT)
