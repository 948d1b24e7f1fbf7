"""Whatever is asked, and whoever asks: the API answers as its OpenAPI says. schemathesis, all its checks, as each role.

Every run asks the same, since its seed is fixed. A long one, with so many examples of every operation in every phase:

    TIDEGATE_SCHEMATHESIS=100 TIDEGATE_SCHEMATHESIS_SEED=7 ./dev test tests/api/test_schemathesis.py --timeout 0

Seen with zero failures, 4 examples a phase and seed 21, all four phases: 8,866 requests as reader, 8,894 as mapper,
8,961 as operator, 10,758 as administrator; 2 examples and seed 41, the first two phases: 6,860 as stranger, 7,871 as
nobody.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from functools import cache
from itertools import count
from typing import Any, Final

import jsonschema_rs
import msgspec
import pytest
import schemathesis
from asgiref.sync import sync_to_async
from django.db.models import Q
from hypothesis import strategies
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import events, from_schema

from tests.acme import World
from tests.actions.conftest import acme
from tests.actions.ways import side
from tests.api.conftest import Api
from tidegate.api.app import api as the_api
from tidegate.api.route import ROUTES, Route
from tidegate.reads import product as products
from tidegate.reads.product import ProductPage
from tidegate.store import models

__all__ = ["acme"]

LONG: Final = int(os.environ.get("TIDEGATE_SCHEMATHESIS", "0"))
SEED: Final = int(os.environ.get("TIDEGATE_SCHEMATHESIS_SEED", "6"))
PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")
EVERYBODY: Final = ("administrator", "operator", "mapper", "reader", "stranger", "nobody")
ROUTE_OF: Final = {route.of: route for route in ROUTES}


def operation_of(route: Route) -> dict[str, Any]:
    """What the document says of it."""
    return the_api.document["paths"]["/api/v1" + route.path][route.method.lower()]


OF_ONESELF: Final = ("/users", "/tokens", "/configuration", "/me")
"""Where somebody may change who they are."""

FITS: Final[Mapping[str, str]] = {
    "2xx": "it is done",
    "401": "nobody asks",
    "403": "the role does not reach that far",
    "404": "nobody has that number, or it is not shown to who asks",
    "409": "as things are it cannot be done, and no schema knows how things are",
    "412": "If-Match named a version that the thing does not have",
    "414": "each parameter is short enough, and all of them together are too long",
}
"""How what fits its schema may be answered, and why. schemathesis' own list has 429 and every 5xx, which are none of
these here."""
FITS_NOT: Final = ("400", "401", "403", "404", "405", "409", "412", "413", "414", "415", "422")
"""How what does not fit is refused; schemathesis' own list has every 5xx too, and knows neither 412, 413 nor 414."""
FITS_AND_REFUSED: Final[Mapping[str, tuple[str, str]]] = {
    "actions.finding.undo": ("422", "exactly one of step and finding_id is named"),
    "actions.record.undo": ("422", "exactly one of step and record_id is named"),
    "actions.trigger.take_call": ("400", "what the body must name is said where the trigger was made"),
} | {
    route.of: ("400", "a cursor belongs to one list in one order, and no schema says to which")
    for route in ROUTES
    for parameter in operation_of(route).get("parameters", ())
    if parameter["name"] == "cursor"
}
"""Operations that may refuse what fits its schema in another way, and why."""


def formats() -> None:
    """Texts that are only right where something says what stands in them."""
    for route in ROUTES:
        if route.method == "GET" and route.answers is not None:
            names = [one.encode_name for one in msgspec.structs.fields(route.answers)]
            some = strategies.lists(strategies.sampled_from(names), min_size=1, max_size=3, unique=True)
            schemathesis.openapi.format(f"fields of {route.answers.__name__}", some.map(",".join))


@schemathesis.check
def the_answer_is_whole(_: Any, response: Any, case: Any) -> None:
    """With `fields` an answer may be a part, so its schema demands nothing; without, every field is there. A list as a
    file of CSV has no schema."""
    route = ROUTE_OF.get(case.operation.definition.raw.get("operationId", ""))
    if (
        response.status_code != getattr(route, "status", 0)
        or route is None
        or route.answers is None
        or (case.query or {}).get("fields")
        or (case.query or {}).get("format") == "csv"
    ):
        return
    errors = [error.message for error in whole(route.of).iter_errors(response.json())]
    if errors:
        raise Failure(operation=case.operation.label, title="A part of the answer is missing", message=errors[0])


@cache
def whole(of: str) -> Any:
    """What is right for the whole of an answer."""
    answer = operation_of(ROUTE_OF[of])["responses"][str(ROUTE_OF[of].status)]
    schema = answer["content"]["application/json"]["schema"]
    beside = {"components": {"schemas": the_api.document["components"]["schemas"]}}
    return jsonschema_rs.Draft202012Validator(schema.get("anyOf", [schema])[0] | beside)


@dataclass
class Asker:
    """The API in front of somebody who stays who they are: what they did to their own user and token is taken back,
    since else nobody would be asking any more.

    And an Idempotency-Key is a new one each time. One that was used for another request is refused, which no schema
    can say; tests/api/test_every_change.py asks with the same.
    """

    answers: Any
    token: str
    asked: Iterator[int] = field(default_factory=count)

    def __post_init__(self) -> None:
        self.of = models.Token.objects.select_related("user").latest("pk") if self.token else None
        self.grants = list(self._mine()) if self.of else []

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        headers = [self._fresh(name, value) for name, value in scope.get("headers", ())]
        await self.answers({**scope, "headers": headers}, receive, send)
        changed = scope.get("method", "GET") not in ("GET", "HEAD")
        if self.of is not None and changed and any(noun in scope["path"] for noun in OF_ONESELF):
            await sync_to_async(self._stay)()

    def _fresh(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name != b"idempotency-key" or not 0 < len(value) <= 255:
            return name, value
        number = f"{next(self.asked)}".encode()
        return name, value[: 255 - len(number)] + number

    def _stay(self) -> None:
        assert self.of is not None
        models.Token.objects.filter(pk=self.of.pk).update(revoked_at=None, revoked_by="")
        models.User.objects.filter(pk=self.of.user_id).update(is_active=True, left_at=None)
        self._mine().exclude(pk__in=[one.pk for one in self.grants]).delete()
        models.RoleGrant.objects.bulk_create(
            self.grants, update_conflicts=True, unique_fields=["id"], update_fields=["role", "scope"]
        )

    def _mine(self) -> Any:
        assert self.of is not None
        return models.RoleGrant.objects.filter(Q(user=self.of.user_id) | Q(token=self.of.pk))


def told(token: str, examples: int, phases: tuple[str, ...]) -> dict[str, Any]:
    """The settings of a run, as schemathesis.toml would say them."""
    operations = [
        {
            "include-operation-id": of,
            "checks": {"positive_data_acceptance": {"expected-statuses": [*FITS, also]}},
        }
        for of, (also, _) in FITS_AND_REFUSED.items()
    ]
    return {
        "seed": SEED,
        "base-url": "http://localhost",
        "continue-on-failure": True,
        "request-timeout": 120,  # schemathesis gives up after ten seconds, which a busy machine needs for itself
        "headers": {"Authorization": f"Bearer {token}"} if token else {},
        "dictionaries": {"numbers": {"values": list(range(1, 9))}},  # in a young house most of them are there
        "generation": {
            "max-examples": examples,
            "database": "none",
            "no-shrink": not LONG,
            "dictionaries": {"integer": {"dictionary": "numbers", "probability": 0.8}},
        },
        "phases": {name: {"enabled": name in phases} for name in PHASES},
        "checks": {
            "positive_data_acceptance": {"expected-statuses": list(FITS)},
            "negative_data_rejection": {"expected-statuses": list(FITS_NOT)},
        },
        "operations": operations,
    }


@dataclass
class Run:
    """What came of it."""

    asked: Counter[str] = field(default_factory=Counter)
    """Requests, by phase."""
    statuses: Counter[int] = field(default_factory=Counter)
    done: set[str] = field(default_factory=set)
    """Operations that were carried out at least once."""
    wrong: dict[tuple[str, str, str], str] = field(default_factory=dict)


def ask(answers: Any, token: str, only: str = "") -> Run:
    """Asks for every operation, or only one, in whatever way; gives what was wrong, each thing once."""
    formats()
    run = Run()
    phases = PHASES if LONG else ("fuzzing",)
    config = SchemathesisConfig.from_dict(told(token, LONG or (2 if only else 1), phases))
    schema = schemathesis.openapi.from_dict(the_api.document, config=config)
    if only:
        schema = schema.include(operation_id=only)
    schema.app = answers
    for event in from_schema(schema).execute():
        if isinstance(event, events.FatalError):
            raise event.exception
        if isinstance(event, events.NonFatalError):
            run.wrong["error", event.label, str(event.value)[:200]] = event.info.format()
        if isinstance(event, events.ScenarioFinished):
            note(run, event)
    return run


def note(run: Run, event: events.ScenarioFinished) -> None:
    for number, asked in event.recorder.interactions.items():
        run.asked[event.phase.value] += 1
        if asked.response is not None:
            run.statuses[asked.response.status_code] += 1
            if asked.response.status_code < 300:
                run.done.add(event.recorder.cases[number].value.operation.label)
    for number, checks in event.recorder.checks.items():
        for check in checks:
            if check.failure_info is not None:
                failure = check.failure_info.failure
                asked = event.recorder.interactions.get(number)
                said = "" if asked is None or asked.response is None else asked.response.content[:700]
                key = (check.name, failure.operation or "", failure.message[:120])
                run.wrong.setdefault(
                    key, f"{failure.title}\n{failure.message[:1500]}\n{check.failure_info.code_sample[:1500]}\n{said}"
                )


@pytest.mark.timeout(0 if LONG else 900)
@pytest.mark.parametrize("role", EVERYBODY)
def test_the_api_answers_as_its_openapi_says(api: Api, acme: World, role: str):
    """Issue 6: schemathesis over the whole API, all checks, as each role, zero failures."""
    for name in ("East", "West"):
        side(name)
    token = api.as_(role).token

    run = ask(Asker(api.answers, token), token)

    if LONG:
        print(f"{role}: {run.asked.total():,} asked {dict(run.asked)}, answered {dict(sorted(run.statuses.items()))}")
    assert not run.wrong, "\n\n".join(f"{' | '.join(key)}\n{said}" for key, said in run.wrong.items())
    assert run.asked.total() > 120
    if role == "nobody":
        assert run.done == set()
    if role == "administrator":
        assert len(run.done) > len(ROUTES) // 3, "most of it was refused, which proves little"


def test_a_route_that_breaks_its_word_is_found(api: Api, monkeypatch: pytest.MonkeyPatch):
    """The suite can fail: a field of another type is one of its failures."""
    wrong = ProductPage(products=[{"id": "x"}], next=None)  # pyright: ignore[reportArgumentType]
    monkeypatch.setattr(products, "products", lambda **_: wrong)
    token = api.as_("administrator").token

    run = ask(Asker(api.answers, token), token, only="reads.product.products")

    assert "response_schema_conformance" in {name for name, *_ in run.wrong}
