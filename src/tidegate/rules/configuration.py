"""A configuration file: what may stand in it, as typed values; configuration_file.py reads it.

What a file does not say is None here, and left as it is where the file is applied. No secret stands in a file: only a
reference that says where it is, for whoever applies the file to look it up on their machine.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, Literal, TypeVar, get_args

from tidegate.rules.access import Role
from tidegate.rules.mapping import MappingRule
from tidegate.rules.names import beginning
from tidegate.rules.schedule import Type

VERSION: Final = "1"

Kind = Literal[
    "product type", "product", "connection", "schedule", "rules", "mapping", "notification", "destination", "user"
]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

Section = Literal["product_types", "products", "connections", "notifications", "destinations", "users"]
SECTIONS: Final[tuple[Section, ...]] = get_args(Section)

Source = Literal["env", "file", "command"]
SOURCES: Final[tuple[Source, ...]] = get_args(Source)

SEVERITIES: Final = ("Info", "Low", "Unknown", "Medium", "High", "Critical")
"""By their rank, as the SDK has them."""

JOINS: Final = ("ask", "same name")
"""When an existing Product of a Destination is joined."""

OF_KIND: Final[dict[str, tuple[str, ...]]] = {
    "off": (),
    "daily": ("at",),
    "weekly": ("weekday", "at"),
    "hours": ("hours",),
    "cron": ("cron",),
}
"""What a schedule of each kind needs."""

MOST_WRITES: Final = 6_000
"""That a Destination may be burdened with in a minute."""

LONGEST_SHOWN: Final = 80

T = TypeVar("T")


@dataclass(frozen=True)
class Problem:
    """One thing that is wrong with a file: where, what, and what to do."""

    line: int
    path: str
    sentence: str
    next_step: str

    def told(self, source: str) -> str:
        """ "tidegate.yaml, line 12, connections[2].schedules.sync.cron: …" """
        where = ", ".join(filter(None, (f"{source}, line {self.line}", self.path)))
        return f"{where}: {self.sentence} {self.next_step}"


class ConfigurationRefused(ValueError):
    """A file that cannot be used, with all that is wrong with it."""

    def __init__(self, problems: list[Problem]) -> None:
        super().__init__(" ".join(problem.sentence for problem in problems[:3]))
        self.problems = problems


@dataclass(frozen=True)
class Reference:
    """Where a secret is: the name of an environment variable, the path of a file, or the words of a command. `path` is
    where the file says so, and the name under which the secret is handed on."""

    source: Source
    place: tuple[str, ...]
    path: str = field(default="", compare=False)
    line: int = field(default=0, compare=False)

    @property
    def told(self) -> str:
        return f"{{{self.source}: {' '.join(self.place)}}}"


# What a file names


@dataclass(frozen=True, kw_only=True)
class ProductType:
    kind: ClassVar[Kind] = "product type"
    name: str
    line: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def told(self) -> str:
        return f"Product Type «{self.name}»"


@dataclass(frozen=True, kw_only=True)
class Product:
    kind: ClassVar[Kind] = "product"
    name: str
    product_type: str | None = None
    tags: tuple[str, ...] | None = None
    line: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def told(self) -> str:
        return f"Product «{self.name}»"


@dataclass(frozen=True, kw_only=True)
class Connection:
    """`product_type` is empty for none."""

    kind: ClassVar[Kind] = "connection"
    label: str
    tool: str
    settings: Mapping[str, Any] | None = None
    secrets: Mapping[str, Reference] | None = None
    minimum_severity: str | None = None
    auto_map: bool | None = None
    join_by_name: bool | None = None
    product_type: str | None = None
    hold_above: int | None = None
    hold_percent: int | None = None
    close_branches_after: int | None = None
    paused: bool | None = None
    line: int = field(default=0, compare=False)
    path: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.label,)

    @property
    def told(self) -> str:
        return f"Connection «{self.label}»"


@dataclass(frozen=True, kw_only=True)
class ConnectionSchedule:
    """When a Connection is discovered, or synced. What is not of its kind is None; so is a zone that is not said."""

    kind: ClassVar[Kind] = "schedule"
    connection: str
    type: Type
    runs: str
    at: str | None = None
    weekday: int | None = None
    hours: int | None = None
    cron: str | None = None
    zone: str | None = None
    spread_minutes: int | None = None
    line: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.connection, self.type)

    @property
    def told(self) -> str:
        return f"schedule of {self.type.capitalize()} of «{self.connection}»"


@dataclass(frozen=True, kw_only=True)
class ConnectionRules:
    """All the rules of a Connection, in their order; without the numbers of Products, which a file does not know."""

    kind: ClassVar[Kind] = "rules"
    connection: str
    rules: tuple[MappingRule, ...]
    line: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.connection,)

    @property
    def told(self) -> str:
        return f"mapping rules of «{self.connection}»"


@dataclass(frozen=True, kw_only=True)
class RecordMapping:
    """What is decided of one Record: the Product it is mapped to, or (`ignored`) that nothing flows from it."""

    kind: ClassVar[Kind] = "mapping"
    connection: str
    vendor_id: str
    product: str = ""
    ignored: bool = False
    because: str | None = None
    line: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.connection, self.vendor_id)

    @property
    def told(self) -> str:
        return f"mapping of «{shown(self.vendor_id)}» of «{self.connection}»"


@dataclass(frozen=True, kw_only=True)
class Notification:
    """A route that news take. No kinds are every kind; an empty `connection` is all of them."""

    kind: ClassVar[Kind] = "notification"
    name: str
    address: Reference | None = None
    kinds: tuple[str, ...] | None = None
    connection: str | None = None
    enabled: bool | None = None
    line: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def told(self) -> str:
        return f"notification «{self.name}»"


@dataclass(frozen=True, order=True)
class Taken:
    """A route to a Destination: what comes from a Connection, what lies in a Product Type, or the rest."""

    scope: Literal["connection", "product type", "the rest"]
    name: str = ""

    def __str__(self) -> str:
        return f"{self.scope} «{self.name}»" if self.name else self.scope


@dataclass(frozen=True, kw_only=True)
class Destination:
    """Where findings are delivered to. `product_type` is the one there; it is empty for none. `takes` is all of it."""

    kind: ClassVar[Kind] = "destination"
    name: str
    settings: Mapping[str, Any] | None = None
    secrets: Mapping[str, Reference] | None = None
    product_type: str | None = None
    engagement_name: str | None = None
    join_products: str | None = None
    writes_per_minute: int | None = None
    enabled: bool | None = None
    takes: tuple[Taken, ...] | None = None
    line: int = field(default=0, compare=False)
    path: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.name,)

    @property
    def told(self) -> str:
        return f"Destination «{self.name}»"


@dataclass(frozen=True, order=True)
class GrantSaid:
    """A role, for everything or for what is named."""

    scope: Literal["everything", "product type", "product", "connection"]
    name: str
    role: Role

    def __str__(self) -> str:
        return f"{self.role} of {self.scope}" + (f" «{self.name}»" if self.name else "")


@dataclass(frozen=True, kw_only=True)
class User:
    """A person or a service account. How they log in is never in a file."""

    kind: ClassVar[Kind] = "user"
    username: str
    account: str | None = None
    email: str | None = None
    grants: tuple[GrantSaid, ...] | None = None
    line: int = field(default=0, compare=False)

    @property
    def key(self) -> tuple[str, ...]:
        return (self.username.casefold(),)

    @property
    def told(self) -> str:
        return f"user «{self.username}»"


Thing = (
    ProductType
    | Product
    | Connection
    | ConnectionSchedule
    | ConnectionRules
    | RecordMapping
    | Notification
    | Destination
    | User
)


@dataclass(frozen=True)
class Configuration:
    """All that a file says, or all that is stored; things in the order in which they are made."""

    things: tuple[Thing, ...] = ()
    manages_all: frozenset[Section] = frozenset()
    """Of these there is nothing beside what the file names."""
    sections: frozenset[Section] = frozenset()
    """The sections that stand in the file."""

    def of(self, kind: type[T]) -> list[T]:
        return [one for one in self.things if isinstance(one, kind)]

    def references(self) -> list[Reference]:
        """Every secret that the file refers to."""
        with_secrets = (*self.of(Connection), *self.of(Destination))
        found = [one for thing in with_secrets for one in (thing.secrets or {}).values()]
        return found + [one.address for one in self.of(Notification) if one.address is not None]


def shown(text: str) -> str:
    """The beginning of a text that others wrote."""
    return beginning(text, LONGEST_SHOWN)
