"""Whatever is asked, and whoever asks: the API answers as its OpenAPI says. schemathesis, all its checks, each role.

Every run says the same (its seed is fixed). TIDEGATE_SCHEMATHESIS=200 makes it long: so many examples of every
operation, in every phase, with another seed for each TIDEGATE_SCHEMATHESIS_SEED.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Mapping, MutableMapping
from dataclasses import dataclass, field
from itertools import count
from typing import Any

import msgspec
import pytest
import schemathesis
from asgiref.sync import sync_to_async
from hypothesis import strategies
from schemathesis.config import SchemathesisConfig
from schemathesis.engine import events, from_schema

from tests.acme import World
from tests.actions.conftest import acme
from tests.actions.ways import side
from tests.api.conftest import Api
from tidegate.api import app
from tidegate.api.answer import check_fields
from tidegate.api.problem import Trouble
from tidegate.api.route import ROUTES
from tidegate.store import models

__all__ = ["acme"]

assert app.api
LONG = int(os.environ.get("TIDEGATE_SCHEMATHESIS", "0"))
SEED = int(os.environ.get("TIDEGATE_SCHEMATHESIS_SEED", "6"))
EVERYBODY = ("administrator", "operator", "mapper", "reader", "stranger", "nobody")

REFUSES_WHAT_FITS: Mapping[str, str] = {
    "2xx": "it is done",
    "401": "who asks as nobody",
    "403": "whose role does not reach that far",
    "404": "a number that nobody has, or that is not shown to who asks",
    "409": "as things are it cannot be done, and no schema knows how things are",
    "412": "If-Match with a version that the thing does not have",
    "414": "each parameter is short enough, and all together are too long",
}
"""How what fits its schema may be answered, and why."""
REFUSES_CURSORS: Mapping[str, str] = {"400": "a cursor belongs to one list and one order, and no schema says to which"}

TOGETHER: Mapping[str, str] = {}
"""Operations that answer 422 to fields that fit one by one, and why."""


def paths_of(struct: Any, above: str = "") -> list[str]:
    """Every field that `fields=` may name there, one level deep."""
    return [f"{above}{one.encode_name}" for one in msgspec.structs.fields(struct)]


for route in ROUTES:
    if route.method == "GET" and route.answers is not None:
        names = strategies.lists(strategies.sampled_from(paths_of(route.answers)), min_size=1, max_size=3)
        schemathesis.openapi.format(f"fields of {route.answers.__name__}", names.map(",".join))
schemathesis.openapi.format("cursor", strategies.just("WyJhIiwxXQ"))


@dataclass
class Asker:
    """Who asks, kept as they are: what they did to themselves is taken back, since else nobody would ask any more.

    And an Idempotency-Key is a new one each time: one that was used for another request is refused, which no schema
    can say. tests/api/test_every_change.py asks with the same.
    """

    answers: Any
    token: str
    asked: Iterator[int] = field(default_factory=count)
    grants: list[dict[str, Any]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.token_row = models.Token.objects.filter(beginning=self.token[:12]).first() if self.token else None
        if self.token:
            self.token_row = models.Token.objects.order_by("-pk").first()
            self.grants = list(
                models.RoleGrant.objects.filter(user_id=self.token_row.user_id).values("user_id", "role", "scope", "created_by")
            ) + list(models.RoleGrant.objects.filter(token_id=self.token_row.pk).values("token_id", "role", "scope", "created_by"))

    async def __call__(self, scope: MutableMapping[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return await self.answers(scope, receive, send)
        scope = {**scope, "headers": [self._fresh(name, value) for name, value in scope["headers"]]}
        await self.answers(scope, receive, send)
        if self.token and scope["method"] not in ("GET", "HEAD") and any(
            part in scope["path"] for part in ("/users", "/tokens", "/configuration")
        ):
            await sync_to_async(self._restore)()

    def _fresh(self, name: bytes, value: bytes) -> tuple[bytes, bytes]:
        if name == b"idempotency-key" and value and len(value) <= 240:
            return name, value + f" {next(self.asked)}".encode()
        return name, value

    def _restore(self) -> None:
        row = self.token_row
        models.Token.objects.filter(pk=row.pk).update(revoked_at=None, revoked_by="")
        models.User.objects.filter(pk=row.user_id).update(is_active=True, left_at=None)
        models.RoleGrant.objects.filter(user_id=row.user_id).delete()
        models.RoleGrant.objects.filter(token_id=row.pk).delete()
        models.RoleGrant.objects.bulk_create([models.RoleGrant(**one) for one in self.grants])


def settings(asking: Api, examples: int, phases: list[str]) -> SchemathesisConfig:
    told: dict[str, Any] = {
        "seed": SEED,
        "base-url": "http://localhost",
        "continue-on-failure": True,
        "dictionaries": {"numbers": {"values": list(range(1, 9))}},
        "generation": {
            "max-examples": examples,
            "database": "none",
            "no-shrink": True,
            "dictionaries": {"integer": {"dictionary": "numbers", "probability": 0.8}},
        },
        "phases": {name: {"enabled": name in phases} for name in ("examples", "coverage", "fuzzing", "stateful")},
        "checks": {"positive_data_acceptance": {"expected-statuses": list(REFUSES_WHAT_FITS)}},
        "operations": [
            {"include-operation-id": [of], "checks": {"positive_data_acceptance": {"expected-statuses": list(REFUSES_WHAT_FITS) + extra}}}
            for of, extra in loose()
        ],
    }
    if asking.token:
        told["headers"] = {"Authorization": f"Bearer {asking.token}"}
    return SchemathesisConfig.from_dict(told)


def loose():
    document = app.api.get_openapi_schema()
    for methods in document["paths"].values():
        for one in methods.values():
            extra = []
            if any(p["name"] == "cursor" for p in one.get("parameters", [])):
                extra.append("400")
            if one["operationId"] in TOGETHER:
                extra.append("422")
            if extra:
                yield one["operationId"], extra


@pytest.mark.timeout(30000)
@pytest.mark.parametrize("role", os.environ.get("ROLES", "administrator").split())
def test_schema(api: Api, acme, role: str):
    import time, collections, io, pathlib
    begun = time.perf_counter()
    side("east"); side("west")
    asking = api.as_(role)
    asker = Asker(api.answers, asking.token)
    N = int(os.environ.get("N", "3"))
    phases = os.environ.get("PHASES", "examples coverage fuzzing stateful").split()
    print("world", time.perf_counter() - begun)
    schema = schemathesis.openapi.from_asgi("/api/v1/openapi.json", asker, config=settings(asking, N, phases), headers={"Host": "localhost"})
    print("loaded", time.perf_counter() - begun)
    counts = collections.Counter()
    failures = {}
    statuses = collections.Counter()
    per = collections.defaultdict(collections.Counter)
    t = time.perf_counter()
    for event in from_schema(schema).execute():
        if isinstance(event, events.PhaseFinished):
            print(event.phase.name, event.status, event.phase.skip_reason, dict(counts), round(time.perf_counter() - t, 1))
        if isinstance(event, (events.NonFatalError, events.FatalError)):
            print("ERROR", event)
            print(getattr(event, "info", None) and event.info.format() if hasattr(event,"info") else "")
        if isinstance(event, events.ScenarioFinished):
            for case_id, interaction in event.recorder.interactions.items():
                counts[event.phase.name] += 1
                if interaction.response: 
                    statuses[interaction.response.status_code] += 1
                    per[event.label][interaction.response.status_code] += 1
            for case_id, checks in event.recorder.checks.items():
                for check in checks:
                    if check.failure_info:
                        f = check.failure_info.failure
                        key = (check.name, f.operation, str(getattr(f, "message", ""))[:120])
                        if key not in failures:
                            failures[key] = (f, event.recorder.interactions.get(case_id), check.failure_info.code_sample, event.recorder.cases.get(case_id))
    print(dict(statuses))
    if os.environ.get("PER"):
        for k, v in per.items(): print(k, dict(v))
    groups = collections.Counter((k[0], type(v[0]).__name__) for k, v in failures.items())
    print(groups)
    out = io.StringIO()
    for key, (f, inter, sample, case) in failures.items():
        print("=" * 100, file=out)
        print(key[0], "|", f.operation, "|", f.title, file=out)
        print(f.message[:1500], file=out)
        print(sample, file=out)
        if inter and inter.response is not None:
            print(inter.response.status_code, inter.response.content[:600], file=out)
    pathlib.Path(f"/tmp/st_{role}.txt").write_text(out.getvalue())
    if failures: pytest.fail(str(len(failures)), pytrace=False)
