"""Every action × every role × own, other's and none: generated from the code, and a new action without a line fails."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from typing import Any

import pytest
from django.db import connection as database_connection
from django.db import transaction

from tests.acme import Acme, World
from tests.actions.ways import CANARY, CAROL, WAYS, Side, Way, side, user
from tests.database import empty_all_tables
from tidegate import actions, catalog
from tidegate.actions.action import ACTIONS, Action
from tidegate.actions.errors import Forbidden, NotThere, Refused
from tidegate.reads.place import places, records_of_step
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS, ROLES, Grant, Role, granted
from tidegate.rules.actor import Actor
from tidegate.server.postgres import Database
from tidegate.store.models import AuditLine

MODULES = [importlib.import_module(f"tidegate.actions.{one.name}") for one in pkgutil.iter_modules(actions.__path__)]

ASKED_WITHIN = {
    "action.demand": "what an action asks for beyond its own line",
    "action.demand_everywhere": "the same, for everything",
    "account.changing_oneself": "a person about themselves: no role is asked for, and the page proved who they are",
    "session.logged_out": "the same",
    "product.may_move": "a question of edit_product",
    "secret.the_newest": "a part of rotate_secrets",
    "change.change_again": "a part of request_again",
    "undo.undo_again": "a part of request_again",
}
COMPOSED = {
    "bulk.preview_records": "asks what decide_records and sync_records would do; tells only what may be seen",
    "finding.preview_findings": "the same for decide_findings and close_findings",
    "operation.discover": "asks by request_discover, and runs what it asked for",
    "operation.sync": "asks by request_sync",
    "operation.preview_discover": "asks by request_discover_preview",
    "operation.preview_sync": "asks by request_sync_preview",
    "takeover.takeover": "asks for an administrator of everything, and does each step by its own action",
}
"""What takes an actor and is no action: what it is made of asks."""

NOBODY_HAS = 987_654_321


@pytest.fixture(scope="module")
def two(migrated_database: Database, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two sides, made once; each test leaves them as they were."""
    tool: Any = type("Acme", (Acme,), {"world": World(), "__orig_bases__": Acme.__orig_bases__})  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setenv("TIDEGATE_HOME", str(tmp_path_factory.mktemp("home")))
        for name in ("TIDEGATE_SECRET_KEY", "TIDEGATE_SECRET_KEY_COMMAND"):
            patch.delenv(name, raising=False)
        patch.setattr(catalog, "added", lambda: {"acme": tool})
        empty_all_tables()
        with viewing(FULL_ACCESS):
            user("eve")
            yield SimpleNamespace(own=side("Own"), other=side("Foreign"), carol=user(CAROL))
        empty_all_tables()
        database_connection.close()


@contextmanager
def left_as_it_was(way: Way) -> Iterator[None]:
    """What is done inside is rolled back again, but for what commits by itself."""
    with nullcontext() if way.commits else transaction.atomic():
        yield
        if not way.commits:
            transaction.set_rollback(True)


def the_action(name: str) -> Action:
    return ACTIONS[name.partition(",")[0]]


def called(name: str, actor: Actor, arguments: dict[str, Any]) -> Any:
    noun, _, function = name.partition(",")[0].partition(".")
    return getattr(importlib.import_module(f"tidegate.actions.{noun}"), function)(actor, **arguments)


def somebody(two: Any, name: str, *grants: Grant) -> Actor:
    """Carol, who comes by the API."""
    token = "" if WAYS[name].by_hand else "ci token"
    return Actor("person", CAROL, granted(grants), through="API", token=token, address="192.0.2.7", user_id=two.carol)


# Where the thing lies, and what is granted there


def targets(one: Action, arguments: dict[str, Any]) -> tuple[str, list[Any]]:
    for kind, names in one.targets.items():
        values = [arguments.get(name) for name in names.split()]
        ids = [id for value in values if value is not None for id in (value if isinstance(value, list) else [value])]
        if ids:
            return kind, ids
    return "", []


def own_grants(
    way: Way, one: Action, arguments: dict[str, Any], here: Side, role: Role
) -> dict[str, tuple[Grant, ...]]:
    """By scope the grants with which somebody holds this role for the place where the thing lies, and no further."""
    kind, ids = targets(one, arguments)
    if not kind or kind in ("user", "token"):
        lies = {"connection": here.connection, "product": here.product, "product type": here.product_type}
        some = lies if one.anywhere else {"connection": here.connection}
        return {scope: (Grant(role, scope, id), *beside(way, scope, here, role)) for scope, id in some.items()}  # pyright: ignore[reportArgumentType]
    if kind == "step":
        kind, ids = "record", [id for step in ids for id in records_of_step(step)]
    there = list(places(kind, ids).values())
    found: dict[str, tuple[Grant, ...]] = {}
    for scope, attribute in (
        ("connection", "connection_id"),
        ("product", "product_id"),
        ("product type", "product_type_id"),
    ):
        lies = {getattr(place, attribute) for place in there}
        if len(lies) == 1 and None not in lies:
            found[scope] = (Grant(role, scope, lies.pop()), *beside(way, scope, here, role))  # pyright: ignore[reportArgumentType]
    return found


def beside(way: Way, scope: Any, here: Side, role: Role) -> tuple[Grant, ...]:
    if scope not in way.also:
        return ()
    kind, _, what = way.also[scope].partition(":")
    return (Grant(role, kind, getattr(here, what)),)  # pyright: ignore[reportArgumentType]


def places_of(here: Side, role: Role) -> tuple[Grant, ...]:
    """All that is granted on one side."""
    return (
        Grant(role, "connection", here.connection),
        Grant(role, "product", here.product),
        Grant(role, "product type", here.product_type),
    )


# What happened


def everything_stored() -> dict[str, Any]:
    """How many rows each table has and what they are, but for the audit log."""
    with database_connection.cursor() as cursor:
        cursor.execute("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
        tables = sorted(name for (name,) in cursor.fetchall() if name != "audit_line")
        cursor.execute(
            " UNION ALL ".join(
                f"SELECT '{name}', count(*), coalesce(sum(hashtextextended(t::text, 0)), 0) FROM \"{name}\" t"
                for name in tables
            )
        )
        return {name: (rows, sum) for name, rows, sum in cursor.fetchall()}


def attempt(name: str, actor: Actor, here: Side) -> tuple[str, list[AuditLine], str, list[Any]]:
    """What somebody hears, and what the audit log says of it; all of it is rolled back again."""
    sentence = ""
    with left_as_it_was(WAYS[name]):
        arguments = WAYS[name].arguments(here)
        before = everything_stored()
        last = AuditLine.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        try:
            called(name, actor, arguments)
            heard = "does it"
        except Forbidden as forbidden:
            heard, sentence = "Forbidden", str(forbidden)
        except NotThere as missing:
            heard, sentence = "NotThere", str(missing)
        except Refused as refused:
            heard, sentence = "refuses", str(refused)
        after = everything_stored()
        if heard == "does it" and WAYS[name].others == "does nothing" and after == before:
            heard = "does nothing"
        if heard in ("Forbidden", "NotThere") and after != before:
            changed = sorted(table for table in after if after[table] != before.get(table))
            heard = f"{heard}, and changed {changed}"
        lines = list(AuditLine.objects.filter(pk__gt=last))
    return heard, lines, sentence, targets(the_action(name), arguments)[1]


def with_numbers_nobody_has(name: str, actor: Actor, here: Side) -> str:
    """What the same person hears of numbers that are not there."""
    with transaction.atomic():
        arguments = WAYS[name].arguments(here)
        for names in the_action(name).targets.values():
            for parameter in names.split():
                value = arguments.get(parameter)
                if isinstance(value, list):
                    arguments[parameter] = [NOBODY_HAS] * len(value)  # pyright: ignore[reportUnknownArgumentType]
                elif isinstance(value, int):
                    arguments[parameter] = NOBODY_HAS
        try:
            called(name, actor, arguments)
        except NotThere as missing:
            transaction.set_rollback(True)
            return str(missing)
    raise AssertionError("A number that nobody has was not NotThere.")


def without_numbers(sentence: str) -> str:
    return re.sub(r"[0-9a-f]{8}-[0-9a-f-]+|\d+(, \d+)*", "N", sentence)


# The matrix


def test_every_action_has_its_line_in_the_table():
    """A new action without a line fails."""
    assert {name.partition(",")[0] for name in WAYS} == set(ACTIONS)


def test_every_function_that_takes_an_actor_is_an_action():
    """The actions are the one door: whatever a face can call with an actor asks for its role and is written down."""
    public = {
        f"{module.__name__.rpartition('.')[2]}.{name}"
        for module in MODULES
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__
        and not name.startswith("_")
        and next(iter(inspect.signature(function).parameters), "") == "actor"
    }
    shared = {name for name in public if is_shared(name)}

    assert public - set(ACTIONS) - shared == set(COMPOSED) | set(ASKED_WITHIN)


def is_shared(name: str) -> bool:
    """Whether it stands below the line *What the actions share* of its module, which no face calls."""
    noun, _, function = name.partition(".")
    above, found, _ = inspect.getsource(importlib.import_module(f"tidegate.actions.{noun}")).partition(
        "\n# What the actions share"
    )
    return bool(found) and f"\ndef {function}(" not in above


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", sorted(WAYS))
def test_who_may(name: str, role: Role, two: Any):
    """promises.md, Users: roles are checked at one place; another's object answers 404; every change is audited."""
    way, one, own = WAYS[name], the_action(name), two.own
    enough = ROLES.index(role) >= ROLES.index(one.role)
    with left_as_it_was(way):
        arguments = way.arguments(own)
        by_scope = own_grants(way, one, arguments, own, role)
        kind, _ = targets(one, arguments)
    works = "refuses" if way.refuses else "does it"
    of_the_house = (not kind or kind in ("user", "token")) and not one.anywhere
    expected: dict[str, str] = {"everything": works if enough else "Forbidden"}
    actors = {"everything": somebody(two, name, Grant(role))}
    for scope, grants in by_scope.items():
        may = enough and not of_the_house and scope not in way.not_by
        denied = "NotThere" if of_the_house and kind else "Forbidden"
        expected[f"own {scope}"], actors[f"own {scope}"] = works if may else denied, somebody(two, name, *grants)
    no_number = of_the_house and not kind
    hidden = "Forbidden" if no_number or (one.anywhere and not enough) else way.others or "NotThere"
    expected["other's"], actors["other's"] = hidden, somebody(two, name, *places_of(two.other, role))
    hidden = "NotThere" if kind and not one.anywhere else "Forbidden"
    expected["none"], actors["none"] = hidden, somebody(two, name)
    expected = {reach: way.particular(role, reach) or usual for reach, usual in expected.items()}

    heard = {reach: attempt(name, actor, own) for reach, actor in actors.items()}

    assert {reach: found[0] for reach, found in heard.items()} == expected
    for reach, (found, lines, sentence, ids) in heard.items():
        looked_at(one, actors[reach], found, lines, kind, ids)
        if way.refuses and found == "refuses":
            assert way.refuses in sentence
        if found == "NotThere" and f"no {kind} " in sentence.lower() and kind != "step":
            missing = with_numbers_nobody_has(name, actors[reach], own)
            assert without_numbers(sentence) == without_numbers(missing)
            assert "Own" not in sentence


def looked_at(one: Action, actor: Actor, found: str, lines: list[AuditLine], kind: str, ids: list[Any]) -> None:
    """One line of what was done or forbidden; none of what was not there or refused for its own reason."""
    outcome = {"does it": "done", "does nothing": "done", "Forbidden": "forbidden"}.get(found)
    assert [line.outcome for line in lines if line.outcome != "begun"] == ([outcome] if outcome else [])
    assert outcome == "done" or not any(line.outcome == "begun" for line in lines)
    for line in lines:
        assert (line.actor, line.user_id, line.through, line.token, line.address) == (
            actor.name, actor.user_id, "API", actor.token, "192.0.2.7",
        )  # fmt: skip
        assert line.action == one.name
        if kind and kind != "step" and not isinstance(ids[0], str):
            assert (line.target, line.target_ids) == (kind, ids)
        assert CANARY not in str(line.facts)
