"""All that is configured, as a configuration file says it: for an export, and to be compared with a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Annotated, Any, Final, Literal, cast

import msgspec
import yaml  # pyright: ignore[reportMissingModuleSource]
from msgspec import Meta

from tidegate import catalog
from tidegate.config import load_settings
from tidegate.guard.keys import KeyProblem
from tidegate.guard.secrets import unseal
from tidegate.reads.grant import grants_of_users
from tidegate.reads.viewer import needs_everywhere
from tidegate.rules.configuration import (
    OF_KIND,
    SEVERITIES,
    Configuration,
    Connection,
    ConnectionRules,
    ConnectionSchedule,
    Destination,
    GrantSaid,
    Notification,
    Product,
    ProductType,
    RecordMapping,
    Reference,
    Taken,
    Thing,
    User,
)
from tidegate.rules.configuration_change import as_fields
from tidegate.rules.health import paused_itself
from tidegate.rules.mapping import MappingRule
from tidegate.store import models
from tidegate.store.writers.rule import rule_of
from tidegate.store.writers.secret import DESTINATION

Mappings = Literal["people", "all", "none"]
MAPPINGS: Final[tuple[Mappings, ...]] = ("people", "all", "none")

BATCH: Final = 5_000
_PRODUCT: Final = "feed__test__engagement__product__name"

HEAD: Final = """\
# What is configured in this Tidegate, as `tidegate plan` and `tidegate apply` read it.
# No secret stands here: say where each is to be found, by {env: NAME}, {file: /path} or {command: [program, argument]}.
"""


class Exported(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `export`."""

    document: Annotated[str, Meta(description="The text of a configuration file.")]


class PlannedField(msgspec.Struct, frozen=True, kw_only=True):
    """One field that becomes another."""

    name: Annotated[str, Meta(description="The field.")]
    before: Annotated[str, Meta(description="What it is, in words; empty for nothing.")]
    after: Annotated[str, Meta(description="What it is to be, in words; empty for nothing.")]


class PlannedChange(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is to be made, changed or deleted."""

    verb: Annotated[Literal["create", "change", "delete"], Meta(description="`create`, `change` or `delete`.")]
    kind: Annotated[str, Meta(description="The kind of thing.")]
    what: Annotated[str, Meta(description="The thing, by name.")]
    line: Annotated[int, Meta(description="The line of the file that says so; 0 for a deletion.")]
    fields: Annotated[list[PlannedField], Meta(description="Field by field.")]


class Planned(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `plan`."""

    changes: Annotated[list[PlannedChange], Meta(description="The difference, in the order in which it is made.")]
    not_managed: Annotated[list[str], Meta(description="What is stored and the file does not name: it is left alone.")]
    waiting: Annotated[list[str], Meta(description="Mappings of Records that no Discover has found yet.")]
    notes: Annotated[list[str], Meta(description="What else there is to know.")]


class AppliedChange(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one change."""

    verb: Annotated[Literal["create", "change", "delete"], Meta(description="`create`, `change` or `delete`.")]
    kind: Annotated[str, Meta(description="The kind of thing.")]
    what: Annotated[str, Meta(description="The thing, by name.")]
    ok: Annotated[bool, Meta(description="It was done.")]
    sentence: Annotated[str, Meta(description="What was done, or why not.")]


class Applied(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to `apply`."""

    changes: Annotated[list[AppliedChange], Meta(description="Change by change.")]
    managed: Annotated[int, Meta(description="How many things the file manages now.")]
    waiting: Annotated[list[str], Meta(description="Mappings of Records that no Discover has found yet.")]
    notes: Annotated[list[str], Meta(description="What else there is to know.")]
    operations: Annotated[list[int], Meta(description="Discovers that were asked for, of new Connections.")]


Ids = Mapping[tuple[str, tuple[str, ...]], int]


@dataclass(frozen=True)
class Stored:
    """What is stored, and the number of each thing by its kind and key."""

    configuration: Configuration
    ids: Ids
    product_types_in_use: frozenset[str]
    webhooks: tuple[str, ...]
    """Their names: what is signed is made by hand, and no file manages it."""


def export(mappings: Mappings = "people") -> Exported | None:
    """Everything as the text of a file, with `mappings` that people decided, all, or none; None for whoever is not
    administrator of everything. Products are named where something in the file names them."""
    if not needs_everywhere("administrator"):
        return None
    rows = {} if mappings == "none" else _every_mapping(people_only=mappings == "people")
    found = _stored(rows, products=None)
    text = yaml.dump(
        as_fields(found.configuration),
        Dumper=_Dumper,
        sort_keys=False,
        allow_unicode=True,
        width=120,
        default_flow_style=False,
    )
    return Exported(document=HEAD + "".join(map(_left_out, found.webhooks)) + text)


def stored_for(wanted: Configuration) -> Stored:
    """What is stored of all that a file could name: of mappings and Products those that this one names."""
    asked: dict[str, list[str]] = {}
    for one in wanted.of(RecordMapping):
        asked.setdefault(one.connection, []).append(one.vendor_id)
    rows: dict[int, RecordMapping] = {}
    for label, vendor_ids in asked.items():
        for start in range(0, len(vendor_ids), BATCH):
            there = _records().filter(connection__label=label, vendor_id__in=vendor_ids[start : start + BATCH])
            rows |= _mappings(there)
    return _stored(rows, products={one.name for one in wanted.of(Product)})


def _left_out(webhook: str) -> str:
    """A comment, of one line whatever the name is."""
    name = "".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in webhook)
    return f"# Not managed: the webhook «{name}».\n"


_FAST: Final[Any] = getattr(yaml, "CSafeDumper", yaml.SafeDumper)


class _Dumper(_FAST):
    """Writes out what is said twice: anchors are not read back."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _stored(mappings: Mapping[int, RecordMapping], products: Collection[str] | None) -> Stored:
    """`products` are the names of those that are wanted; None: those that something else names."""
    connections = list(models.Connection.objects.filter(deleted_at=None).select_related("product_type").order_by("pk"))
    variables = _Variables()
    found: list[tuple[Thing, int]] = [(_connection(one, variables), one.pk) for one in connections]
    labels = {one.pk: one.label for one in connections}
    found += _schedules(labels)
    rules = _rules(labels)
    found += rules
    found += [(mapping, id) for id, mapping in mappings.items()]
    found += _notifications(variables)
    destinations = _destinations(variables)
    found += destinations
    users = _users()
    found += users
    if products is None:
        named = {rule.product for one, _ in rules for rule in cast("ConnectionRules", one).rules if rule.product}
        named |= {mapping.product for mapping in mappings.values() if mapping.product}
        named |= {g.name for one, _ in users for g in cast("User", one).grants or () if g.scope == "product"}
        products = named
    found += _products(products)
    types = dict(models.ProductType.objects.order_by("name").values_list("pk", "name"))
    found += [(ProductType(name=name), id) for id, name in types.items()]
    webhooks = models.Route.objects.exclude(signing_secret=None)
    used = set(models.Product.objects.values_list("product_type_id", flat=True).distinct())
    used |= {one.product_type_id for one in connections if one.product_type_id is not None}
    named_types = {taken.name for one, _ in destinations for taken in cast("Destination", one).takes or ()}
    used |= {id for id, name in types.items() if name in named_types}
    return Stored(
        Configuration(tuple(thing for thing, _ in found)),
        {(thing.kind, thing.key): id for thing, id in found},
        frozenset(types[id] for id in used if id in types),
        tuple(webhooks.order_by("name").values_list("name", flat=True)),
    )


class _Variables:
    """Names of environment variables that stand for stored secrets, no two the same."""

    def __init__(self) -> None:
        self.taken: set[str] = set()

    def __call__(self, *parts: str) -> Reference:
        words = "".join(letter if letter.isascii() and letter.isalnum() else "_" for letter in "_".join(parts)).upper()
        name = number = f"TIDEGATE_SECRET_{'_'.join(filter(None, words.split('_')))}"
        count = 1
        while number in self.taken:
            count += 1
            number = f"{name}_{count}"
        self.taken.add(number)
        return Reference("env", (number,))


def _connection(one: Any, variables: _Variables) -> Connection:
    return Connection(
        label=one.label,
        tool=one.tool,
        settings=_without_secrets(one),
        secrets={name: variables(one.label, name) for name in secrets_held(one)},
        minimum_severity=SEVERITIES[one.minimum_severity],
        auto_map=one.auto_map,
        join_by_name=one.join_by_name,
        product_type=one.product_type.name if one.product_type else "",
        hold_above=one.hold_above,
        hold_percent=one.hold_percent,
        close_branches_after=one.close_branches_after,
        paused=one.paused_at is not None and not paused_itself(one.paused_because),
    )


def _without_secrets(one: Any) -> dict[str, Any]:
    kind = catalog.tool(one.tool)
    secret = catalog.secret_names(kind) if kind else set[str]()
    return {name: value for name, value in one.settings.items() if name not in secret}


def secrets_held(one: Any) -> list[str]:
    """The names of the secrets that are stored for a Connection; of those that no key opens, all that are needed."""
    try:
        return sorted(catalog.stored_secrets(one))
    except KeyProblem:
        kind = catalog.tool(one.tool)
        fields = kind.settings_type().model_fields if kind else {}
        return sorted(name for name in (catalog.secret_names(kind) if kind else ()) if fields[name].is_required())


def _schedules(labels: Mapping[int, str]) -> list[tuple[Thing, int]]:
    rows = models.Schedule.objects.filter(connection_id__in=list(labels)).order_by("connection_id", "type")
    return [(_schedule(labels[row.connection_id], row), row.connection_id) for row in rows]


def _schedule(label: str, row: Any) -> ConnectionSchedule:
    own = {name: getattr(row, name) for name in OF_KIND.get(row.kind, ())}
    return ConnectionSchedule(
        connection=label, type=row.type, runs=row.kind, zone=row.zone, spread_minutes=row.spread_minutes, **own
    )


def _rules(labels: Mapping[int, str]) -> list[tuple[Thing, int]]:
    by_connection: dict[int, list[Any]] = {id: [] for id in labels}
    for row in models.MappingRule.objects.filter(connection_id__in=list(labels)).order_by("connection_id", "position"):
        by_connection[row.connection_id].append(row)
    return [
        (ConnectionRules(connection=labels[id], rules=tuple(_rule(row) for row in rows)), id)
        for id, rows in by_connection.items()
    ]


def _rule(row: Any) -> MappingRule:
    """As a file says it: a Product by its name alone."""
    return replace(rule_of(row), product_id=None)


def _records() -> Any:
    return models.Record.objects.filter(deleted_at=None, connection__deleted_at=None)


def _every_mapping(*, people_only: bool) -> dict[int, RecordMapping]:
    query = _records().exclude(decision="undecided").order_by("pk")
    if people_only:
        query = query.filter(finalized_how="person")
    query = query.exclude(decision="mapped", feed=None)
    found: dict[int, RecordMapping] = {}
    after = 0
    while rows := _mappings(query.filter(pk__gt=after)[:BATCH]):
        found |= {id: one for id, one in rows.items() if one.product or one.ignored}
        after = max(rows)
    return found


def _mappings(records: Any) -> dict[int, RecordMapping]:
    """By the number of the Record; one that is undecided, or whose Product was deleted, has neither answer."""
    columns = ("pk", "connection__label", "vendor_id", "decision", "ignored_because", _PRODUCT)
    rows: Iterator[Any] = records.values(*columns)
    return {
        row["pk"]: RecordMapping(
            connection=row["connection__label"],
            vendor_id=row["vendor_id"],
            product=(row[_PRODUCT] or "") if row["decision"] == "mapped" else "",
            ignored=row["decision"] == "ignored",
            because=row["ignored_because"] if row["decision"] == "ignored" else None,
        )
        for row in rows
    }


def _notifications(variables: _Variables) -> list[tuple[Thing, int]]:
    rows = models.Route.objects.filter(signing_secret=None).select_related("connection").order_by("name", "pk")
    return [
        (
            Notification(
                name=row.name,
                address=variables(row.name, "address"),
                kinds=tuple(row.kinds),
                connection=row.connection.label if row.connection else "",
                enabled=row.off_at is None,
            ),
            row.pk,
        )
        for row in rows
    ]


def _destinations(variables: _Variables) -> list[tuple[Thing, int]]:
    takes: dict[int, list[Taken]] = {}
    routes = models.DestinationRoute.objects.select_related("connection", "product_type")
    for one in routes.exclude(connection__deleted_at__isnull=False):
        takes.setdefault(one.destination_id, []).append(taken_by(one))
    return [
        (
            Destination(
                name=row.name,
                settings=dict(row.settings),
                secrets={name: variables(row.name, name) for name in _secrets_of_destination(row)},
                product_type=row.product_type,
                engagement_name=row.engagement_name,
                join_products=row.join_products,
                writes_per_minute=row.writes_per_minute,
                enabled=row.off_at is None,
                takes=tuple(sorted(takes.get(row.pk, []))),
            ),
            row.pk,
        )
        for row in models.Destination.objects.order_by("name", "pk")
    ]


def taken_by(one: models.DestinationRoute) -> Taken:
    """What a route takes, by its name."""
    if one.connection_id:
        return Taken("connection", one.connection.label)
    return Taken("product type", one.product_type.name) if one.product_type_id else Taken("the rest")


def _secrets_of_destination(one: models.Destination) -> list[str]:
    """The names of the secrets that are stored for it; where no key opens them, of the one that it always needs."""
    try:
        return sorted(unseal(bytes(one.secrets), DESTINATION.format(id=one.pk), load_settings()))
    except KeyProblem:
        return ["token"]


def _users() -> list[tuple[Thing, int]]:
    """Roles that a group at the issuer gives are in no file: each log-in gives them anew."""
    rows = list(models.User.objects.filter(is_active=True).order_by("username"))
    grants = grants_of_users([row.pk for row in rows])
    return [
        (
            User(
                username=row.username,
                account=row.kind,
                email=row.email,
                grants=tuple(
                    sorted(
                        GrantSaid(one.scope, one.name, one.role)  # pyright: ignore[reportArgumentType] - the words of the table
                        for one in grants.get(row.pk, [])
                        if not one.by_group
                    )
                ),
            ),
            row.pk,
        )
        for row in rows
    ]


def _products(names: Iterable[str]) -> list[tuple[Thing, int]]:
    rows = models.Product.objects.filter(name__in=list(names)).select_related("product_type").order_by("name")
    return [
        (Product(name=row.name, product_type=row.product_type.name, tags=tuple(sorted(row.tags))), row.pk)
        for row in rows
    ]
