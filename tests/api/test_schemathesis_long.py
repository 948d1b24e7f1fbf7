"""Whatever is asked, and whoever asks: the API answers as its OpenAPI says. schemathesis, all its checks, as each role.

Every run asks the same, since its seed is fixed. A long one, with so many examples of every operation in every phase:

    TIDEGATE_SCHEMATHESIS=100 TIDEGATE_SCHEMATHESIS_SEED=7 ./dev test tests/api/test_schemathesis.py --timeout 0
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
from hypothesis import strategies
from schemathesis.config import SchemathesisConfig
from schemathesis.core.failures import Failure
from schemathesis.engine import events, from_schema

from tests.acme import World
from tests.actions.conftest import acme
from tests.actions.ways import side
from tests.api.conftest import Api
from tidegate.api.app import api as the_api
from tidegate.api.route import ROUTES
from tidegate.store import models

__all__ = ["acme"]

LONG: Final = int(os.environ.get("TIDEGATE_SCHEMATHESIS", "0"))
SEED: Final = int(os.environ.get("TIDEGATE_SCHEMATHESIS_SEED", "6"))
PHASES: Final = ("examples", "coverage", "fuzzing", "stateful")
EVERYBODY: Final = ("administrator", "operator", "mapper", "reader", "stranger", "nobody")
ROUTE_OF: Final = {route.of: route for route in ROUTES}

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
    "actions.record.undo": ("422", "exactly one of step and record_id is named"),
    "actions.trigger.take_call": ("400", "what the body must name is said where the trigger was made"),
} | {
    route.of: ("400", "a cursor belongs to one list in one order, and no schema says to which")
    for route in ROUTES
    if "cursor" in str(the_api.document["paths"]["/api/v1" + route.path][route.method.lower()])
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
    """With `fields` an answer may be a part, so its schema demands nothing; without, every field is there."""
    route = ROUTE_OF.get(case.operation.definition.raw.get("operationId", ""))
    if response.status_code != getattr(route, "status", 0) or route is None or route.answers is None or (case.query or {}).get("fields"):
        return
    errors = [error.message for error in whole(route.of).iter_errors(response.json())]
    if errors:
        raise Failure(operation=case.operation.label, title="A part of the answer is missing", message=errors[0])


@cache
def whole(of: str) -> Any:
    """What is right for the whole of an answer."""
    document = the_api.document
    operation = document["paths"]["/api/v1" + ROUTE_OF[of].path][ROUTE_OF[of].method.lower()]
    schema = operation["responses"][str(ROUTE_OF[of].status)]["content"]["application/json"]["schema"]
    return jsonschema_rs.Draft202012Validator(
        {**schema.get("anyOf", [schema])[0], "components": {"schemas": document["components"]["schemas"]}}
    )


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
        grants = models.RoleGrant.objects.all()
        self.grants = [one for one in grants if self.of and self.of.pk == one.token_id or self.of and self.of.user_id == one.user_id]

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        headers = [self._fresh(name, value) for name, value in scope.get("headers", ())]
        await self.answers({**scope, "headers": headers}, receive, send)
        if self.of is not None and scope.get("method", "GET") not in ("GET", "HEAD"):
            if any(noun in scope["path"] for noun in ("/users", "/tokens", "/configuration", "/me")):
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
        mine = models.RoleGrant.objects.filter(user=self.of.user_id) | models.RoleGrant.objects.filter(token=self.of.pk)
        mine.exclude(pk__in=[one.pk for one in self.grants]).delete()
        models.RoleGrant.objects.bulk_create(
            self.grants, update_conflicts=True, unique_fields=["id"], update_fields=["role", "scope"]
        )


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
        "max-time": int(os.environ.get("MT", 100000)),
        "seed": SEED,
        "base-url": "http://localhost",
        "continue-on-failure": True,
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


def ask_everything(answers: Any, token: str, examples: int, phases: tuple[str, ...]) -> Run:
    """Asks for every operation, in whatever way; gives what was wrong, each thing once."""
    formats()
    run = Run()
    config = SchemathesisConfig.from_dict(told(token, examples, phases))
    schema = schemathesis.openapi.from_dict(the_api.document, config=config)
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
                key = (check.name, failure.operation, failure.message[:120])
                run.wrong.setdefault(
                    key, f"{failure.title}\n{failure.message[:1500]}\n{check.failure_info.code_sample[:1500]}\n{said}"
                )


@pytest.mark.parametrize("role", os.environ.get("ROLES", "administrator").split())
@pytest.mark.timeout(30000)
def test_the_api_answers_as_its_openapi_says(api: Api, acme: World, role: str):
    import time, pathlib
    t = time.process_time()
    for name in ("East", "West"):
        side(name)
    asking = api.as_(role)
    print("world", time.process_time() - t)
    run = ask_everything(Asker(api.answers, asking.token), asking.token, int(os.environ.get("N", 2)), tuple(os.environ.get("PHASES", "fuzzing").split()))
    print(role, dict(run.asked), dict(run.statuses), len(run.done), round(time.process_time() - t, 1))
    pathlib.Path(f"/tmp/st_{role}.txt").write_text("\n".join("=" * 80 + f"\n{' | '.join(key)}\n{text}" for key, text in run.wrong.items()))
    print(Counter(key[0] for key in run.wrong))
    if run.wrong: pytest.fail(str(len(run.wrong)), pytrace=False)
