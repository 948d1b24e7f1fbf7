"""Who may do what where: roles, what they are granted for, and how both are asked."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["reader", "mapper", "operator", "administrator"]

ROLES: Final[tuple[Role, ...]] = ("reader", "mapper", "operator", "administrator")
"""Each may do what those before it may."""

ROLE_IN_WORDS: Final[dict[Role, str]] = {
    "reader": "sees",
    "mapper": "also decides about Records and findings, and makes mapping rules",
    "operator": "also runs: Discover, Sync, undo, what is held, schedules, pausing",
    "administrator": "also sets up: Connections, Products, news; and everywhere: people, tokens, keys, the audit log",
}


def highest(roles: Iterable[str]) -> Role | None:
    """The one that may most; None of none."""
    held = set(roles)
    return next((role for role in reversed(ROLES) if role in held), None)


ScopeKind = Literal["everything", "product type", "product", "connection"]

SCOPES: Final[tuple[ScopeKind, ...]] = ("everything", "product type", "product", "connection")


@dataclass(frozen=True)
class Place:
    """Where a thing lies. A Record lies in its Connection and in the Product it is mapped to; what lies nowhere is of
    the whole house."""

    connection_id: int | None = None
    product_id: int | None = None
    product_type_id: int | None = None


EVERYWHERE: Final = Place()


@dataclass(frozen=True)
class Grant:
    """A role, for everything or for what lies in one Product Type, Product or Connection (`id`)."""

    role: Role
    scope: ScopeKind = "everything"
    id: int | None = None

    def __post_init__(self) -> None:
        if self.role not in ROLES or self.scope not in SCOPES or (self.scope == "everything") != (self.id is None):
            raise ValueError(f"{self.role} for {self.scope} {self.id} is no grant.")

    def reaches(self, place: Place) -> bool:
        """Whether what lies there is granted."""
        if self.scope == "everything":
            return True
        there = {
            "product type": place.product_type_id,
            "product": place.product_id,
            "connection": place.connection_id,
        }
        return there[self.scope] == self.id


@dataclass(frozen=True)
class Access:
    """What somebody may do: the least of what each set of grants gives.

    A person brings one set. A token of theirs brings a second, so it never gives more than its owner has, also where
    the owner loses a role later. No sets give nothing.
    """

    sets: tuple[frozenset[Grant], ...] = ()

    def role_at(self, place: Place) -> Role | None:
        """The role there; None where not even that it exists may be known."""
        best = [
            max((ROLES.index(one.role) for one in grants if one.reaches(place)), default=-1) for grants in self.sets
        ]
        least = min(best, default=-1)
        return None if least < 0 else ROLES[least]

    def may(self, role: Role, place: Place = EVERYWHERE) -> bool:
        """Whether this role is held there."""
        held = self.role_at(place)
        return held is not None and ROLES.index(held) >= ROLES.index(role)

    def may_somewhere(self, role: Role) -> bool:
        """Whether this role is held anywhere at all."""
        return bool(self.sets) and all(
            any(ROLES.index(one.role) >= ROLES.index(role) for one in grants) for grants in self.sets
        )

    def limited_to(self, grants: Iterable[Grant]) -> Access:
        """The same, and no more than these grants give."""
        return Access((*self.sets, frozenset(grants)))


NO_ACCESS: Final = Access()
FULL_ACCESS: Final = Access((frozenset({Grant("administrator")}),))
"""Whoever can reach the database and its keys from this machine's shell, and Tidegate's own parts."""


def granted(grants: Iterable[Grant]) -> Access:
    """The access of a person with these grants."""
    return Access((frozenset(grants),))
