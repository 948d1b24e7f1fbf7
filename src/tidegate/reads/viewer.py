"""Who looks: every read shows what this viewer may see, and nothing where nobody said who that is.

A face says it once, around everything it asks: `with viewing(actor.access)`. What the reads leave out is not there for
this person: no row, no count, and None where one thing is asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, TypeVar

from django.db.models import Q

from tidegate.rules.access import EVERYWHERE, NO_ACCESS, ROLES, Access, Place, Role

T = TypeVar("T")

_viewer: ContextVar[Access] = ContextVar("viewer", default=NO_ACCESS)


@contextmanager
def viewing(access: Access) -> Iterator[None]:
    """Whatever is read inside is read by somebody with this access."""
    token = _viewer.set(access)
    try:
        yield
    finally:
        _viewer.reset(token)


_look: ContextVar[dict[str, Any] | None] = ContextVar("one look", default=None)


@contextmanager
def one_look() -> Iterator[None]:
    """Inside, what belongs to the viewer is asked for once: nothing changes meanwhile, in a transaction that reads."""
    token = _look.set({})
    try:
        yield
    finally:
        _look.reset(token)


def once(name: str, ask: Callable[[], T]) -> T:
    """What `ask` says; within one look the same as before."""
    known = _look.get()
    if known is None:
        return ask()
    if name not in known:
        known[name] = ask()
    return known[name]


def viewer() -> Access:
    """The access of whoever looks now."""
    return _viewer.get()


def sees_everything() -> bool:
    """Whether nothing has to be left out."""
    return viewer().may("reader")


def sees(place: Place, role: Role = "reader") -> bool:
    """Whether what lies there may be seen, or more."""
    return viewer().may(role, place)


def visible(
    *,
    connection: str | None = None,
    product: str | None = None,
    product_type: str | None = None,
    pk: str = "pk",
    role: Role = "reader",
) -> Q:
    """The rows that may be seen, by the names of their columns that say where they lie; an empty Q where all may. With
    another role, those where that one is held.

    A row in a place that has no column here is seen by who sees everything only.
    """
    columns = {"connection": connection, "product": product, "product type": product_type}
    query = Q()
    if not viewer().sets:
        return Q(**{f"{pk}__in": []})
    for given in viewer().sets:
        grants = [one for one in given if ROLES.index(one.role) >= ROLES.index(role)]
        if any(one.scope == "everything" for one in grants):
            continue
        within = Q(**{f"{pk}__in": []})
        for scope, column in columns.items():
            if column is not None and (ids := [one.id for one in grants if one.scope == scope]):
                within |= Q(**{f"{column}__in": ids})
        query &= within
    return query


class NotShown(Exception):
    """What is of the whole house is shown to nobody else but who holds a role for everything."""

    for_a_person = True

    def __init__(self, what: str, role: Role) -> None:
        self.cause = f"{what} is shown to a {role} of everything only."
        self.next_step = "Ask an administrator."
        super().__init__(f"{self.cause} {self.next_step}")


def needs_everywhere(role: Role) -> bool:
    """Whether the viewer holds this role for everything."""
    return viewer().may(role, EVERYWHERE)


def demand_everywhere(role: Role, what: str) -> None:
    """Raises NotShown unless the viewer holds this role for everything."""
    if not needs_everywhere(role):
        raise NotShown(what, role)
