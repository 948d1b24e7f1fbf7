"""A house of two sides in front of which the API stands, made once for a module; whoever asks, asks through all of it.

A test that changes something takes `undone`: what was done is rolled back again.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from django.core.cache import cache
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from django.db import connection as database_connection
from django.test import override_settings
from pydantic import SecretStr

from tests.acme import Acme, World
from tests.actions.ways import CAROL, Side, side, user
from tests.api.conftest import Answer, Api
from tests.database import empty_all_tables
from tidegate import catalog
from tidegate.api import pace
from tidegate.config import load_settings
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS, ROLES, Grant, Role
from tidegate.rules.mapping import MappingRule
from tidegate.server.asgi import application
from tidegate.server.health import Health
from tidegate.server.people import of_pages

NOBODY_HAS = 987_654_321
RULE_FIELDS = ("pattern", "field", "attribute", "syntax", "case_matters", "product_id", "template", "because")


@dataclass
class House:
    """Two sides, and who asks."""

    api: Api
    own: Side
    other: Side
    world: World

    def as_(self, name: str) -> Api:
        """A role of everything; `ROLE of own`, who holds it for one's own side and sees nothing of the other; or
        whoever else tests/api/conftest.py knows."""
        role, of, _ = name.partition(" of own")
        return self.api.as_(name, *grants_of(self.own, role)) if of else self.api.as_(name)  # pyright: ignore[reportArgumentType]


def grants_of(here: Side, role: Role) -> tuple[Grant, ...]:
    """All that is granted on one side."""
    return (
        Grant(role, "connection", here.connection),
        Grant(role, "product", here.product),
        Grant(role, "product type", here.product_type),
    )


@pytest.fixture(scope="module")
def house(
    migrated_database: object, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Made once; each test leaves it as it was."""
    world = World()
    tool: Any = type("Acme", (Acme,), {"world": world, "__orig_bases__": Acme.__orig_bases__})  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setenv("TIDEGATE_HOME", str(tmp_path_factory.mktemp("home")))
        for name in ("TIDEGATE_SECRET_KEY", "TIDEGATE_SECRET_KEY_COMMAND"):
            patch.delenv(name, raising=False)
        patch.setattr(catalog, "added", lambda: {"acme": tool})
        for one in (pace.REQUESTS, pace.STRANGERS):
            patch.setattr(one, "at_once", 1e6)
            patch.setattr(one, "a_second", 1e6)
        empty_all_tables()
        cache.clear()
        given = load_settings()
        with viewing(FULL_ACCESS), override_settings(**of_pages(given)), one_connection():
            user("eve")
            own, other = side("Own"), side("Foreign")
            user(CAROL)
            health = Health(given)
            made = House(Api(application(given, ["localhost"], health)), own, other, world)
            for role in ROLES:
                made.as_(role)
                made.as_(f"{role} of own")
            yield made
            health.close()
        empty_all_tables()
        cache.clear()
        database_connection.close()


@contextmanager
def one_connection() -> Iterator[None]:
    """Django closes a connection that is in a transaction when a request begins; here it is the test's own."""
    for signal in (request_started, request_finished):
        signal.disconnect(close_old_connections)
    yield
    for signal in (request_started, request_finished):
        signal.connect(close_old_connections)


@pytest.fixture
def undone(house: House, django_db_blocker: Any) -> Iterator[House]:
    """What is done in a test is rolled back."""
    with django_db_blocker.unblock(), transaction.atomic():
        yield house
        transaction.set_rollback(True)


def body_of(value: Any) -> Any:
    """What an action takes as JSON says it."""
    if isinstance(value, SecretStr):
        return value.get_secret_value()
    if isinstance(value, MappingRule):
        facts = {name: getattr(value, name) for name in RULE_FIELDS}
        return {name: kept for name, kept in facts.items() if kept not in ("", None)} | {
            "ignore": value.answer == "ignore"
        }
    if isinstance(value, Grant):
        return {"role": value.role, "scope": value.scope} | ({} if value.id is None else {"id": value.id})
    if isinstance(value, Mapping):
        return {name: body_of(one) for name, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, (list, tuple)):
        return [body_of(one) for one in value]  # pyright: ignore[reportUnknownVariableType]
    return value if value is None or isinstance(value, (str, int, float, bool)) else str(value)


@dataclass(frozen=True)
class Sad:
    """One request that is not done, and what is said. Names in braces stand for numbers of a side: `{own.product}`."""

    why: str
    who: str
    method: str
    path: str
    body: Any = None
    status: int = 422
    problem: str = "fields"
    pointer: str = ""
    says: str = ""
    query: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])

    def ask(self, house: House) -> Answer:
        return house.as_(self.who).ask(
            self.method, filled(self.path, house), dict(self.query), filled(self.body, house), dict(self.headers)
        )

    def check(self, house: House) -> None:
        """Asks, and looks at every part of the answer."""
        answer = self.ask(house)
        said = answer.body.decode()
        assert (answer.status, answer.problem) == (self.status, self.problem), said
        assert answer.json["detail"].strip(), said
        assert answer.json["next_step"].strip(), said
        if self.pointer:
            assert self.pointer in [one["pointer"] for one in answer.json["errors"]], said
        assert self.says in answer.json["detail"], said


def sad(*cases: Sad) -> Any:
    """A test for each."""
    return pytest.mark.parametrize("one", cases, ids=[one.why for one in cases])


def missing(why: str, method: str, path: str, body: Any = None, who: str = "administrator", says: str = "") -> Sad:
    """It is not there, or not for who asks."""
    return Sad(why, who, method, path, body, 404, "not-there", says=says)


def refused(why: str, method: str, path: str, body: Any = None, says: str = "", who: str = "administrator") -> Sad:
    """It cannot be done as things are."""
    return Sad(why, who, method, path, body, 409, "refused", says=says)


def wrong(why: str, method: str, path: str, body: Any, pointer: str) -> Sad:
    """A field cannot be used."""
    return Sad(why, "administrator", method, path, body, pointer=pointer)


def forbidden(why: str, who: str, method: str, path: str, body: Any = None) -> Sad:
    """It may be seen and not done."""
    return Sad(why, who, method, path, body, 403, "forbidden")


def bad_query(why: str, path: str, **query: str) -> Sad:
    """A parameter of a list cannot be used."""
    return Sad(why, "administrator", "GET", path, pointer=next(iter(query)), query=query)


def filled(value: Any, house: House) -> Any:
    """The same with the numbers of this house."""
    if isinstance(value, Mapping):
        return {name: filled(one, house) for name, one in value.items()}  # pyright: ignore[reportUnknownVariableType]
    if isinstance(value, list):
        return [filled(one, house) for one in value]  # pyright: ignore[reportUnknownVariableType]
    if not isinstance(value, str):
        return value
    names = {"nobody": NOBODY_HAS} | {
        f"{of}.{name}": found for of in ("own", "other") for name, found in vars(getattr(house, of)).items()
    }
    if (whole := re.fullmatch(r"\{([\w.]+)\}", value)) is not None and whole[1] in names:
        return names[whole[1]]
    return re.sub(r"\{([\w.]+)\}", lambda found: str(names.get(found[1], found[0])), value)
