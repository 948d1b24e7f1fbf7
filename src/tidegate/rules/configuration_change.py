"""What lies between two configurations: what a file says, and what is stored; as changes in the order they are made.

What the file does not name is left alone. It is deleted only where the file, or whoever applies it, says that there is
nothing else of its kind; and Products never, since findings lie in them.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, Final, Literal, cast

from tidegate.rules.configuration import (
    KINDS,
    Configuration,
    Connection,
    ConnectionRules,
    ConnectionSchedule,
    Destination,
    GrantSaid,
    Kind,
    Notification,
    Product,
    ProductType,
    RecordMapping,
    Reference,
    Section,
    Taken,
    Thing,
    User,
)
from tidegate.rules.mapping import MappingRule
from tidegate.rules.schedule import WEEKDAYS

Verb = Literal["create", "change", "delete"]

DELETABLE: Final[Mapping[Section, Kind]] = {
    "notifications": "notification",
    "destinations": "destination",
    "users": "user",
    "connections": "connection",
    "product_types": "product type",
}
"""In the order in which they go."""

_MADE_WITH_ANOTHER: Final[frozenset[Kind]] = frozenset({"schedule", "rules", "mapping"})
_NO_FIELDS: Final = frozenset({"line", "path", "name", "label", "tool", "username", "type", "vendor_id"})
_OF_THE_CONNECTION: Final[frozenset[Kind]] = frozenset({"schedule", "rules", "mapping"})


@dataclass(frozen=True)
class FieldChange:
    """One field, before and after, in words."""

    name: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    """One thing that is to be made, changed or deleted. `secrets` are the names of those that are stored anew."""

    verb: Verb
    thing: Thing
    fields: tuple[FieldChange, ...] = ()
    secrets: tuple[str, ...] = ()

    @property
    def told(self) -> str:
        """ "Change the Connection «Burp»" """
        return f"{self.verb.capitalize()} the {self.thing.told}"

    def changes(self, name: str) -> bool:
        """Whether this field is another one afterwards."""
        return self.verb == "create" or any(field.name.partition(".")[0] == name for field in self.fields)


@dataclass(frozen=True)
class Difference:
    """All that is to be done, and what is not: things that the file does not name, and mappings of Records that no
    Discover has found yet."""

    changes: tuple[Change, ...]
    not_managed: tuple[Thing, ...] = ()
    waiting: tuple[RecordMapping, ...] = ()


def difference(
    wanted: Configuration,
    stored: Configuration,
    *,
    anew: Collection[str] = (),
    held: Collection[str] = (),
    in_use: Collection[str] = (),
    prune: bool = False,
) -> Difference:
    """What has to be done so that `stored` is what `wanted` says.

    `anew` are the paths of secrets that are stored anew, `held` the same of those where something is stored already;
    `in_use` the names of Product Types that cannot go.
    """
    there = {(one.kind, one.key): one for one in stored.things}
    changes: list[Change] = []
    waiting: list[RecordMapping] = []
    for one in wanted.things:
        before = there.get((one.kind, one.key))
        if before is None and isinstance(one, RecordMapping):
            waiting.append(one)
            continue
        change = _change(one, before, anew, held)
        if change is not None:
            changes.append(change)
    named = {(one.kind, one.key) for one in wanted.things}
    others = [one for one in stored.things if one.kind in DELETABLE.values() and (one.kind, one.key) not in named]
    going = [
        one
        for section, kind in DELETABLE.items()
        for one in others
        if one.kind == kind
        and (section in wanted.manages_all or (prune and section in wanted.sections))
        and not (isinstance(one, ProductType) and one.name in in_use)
    ]
    changes += [Change("delete", one) for one in going]
    return Difference(tuple(changes), tuple(one for one in others if one not in going), tuple(waiting))


def _change(one: Thing, before: Thing | None, anew: Collection[str], held: Collection[str]) -> Change | None:
    found = [*_fields(one, before), *_secrets(one, anew, held)]
    secrets = tuple(name for name, reference in references_of(one).items() if reference.path in anew)
    if before is None and one.kind not in _MADE_WITH_ANOTHER:
        return Change("create", one, tuple(found), secrets)
    return Change("change", one, tuple(found), secrets) if found else None


def references_of(thing: Thing) -> Mapping[str, Reference]:
    """The secrets that a thing refers to, by their names."""
    if isinstance(thing, Connection | Destination):
        return thing.secrets or {}
    if isinstance(thing, Notification) and thing.address is not None:
        return {"address": thing.address}
    return {}


def _secrets(one: Thing, anew: Collection[str], held: Collection[str]) -> Iterator[FieldChange]:
    for name, reference in references_of(one).items():
        if reference.path in anew:
            before = "a secret is stored" if reference.path in held else ""
            prefix = "secrets." if isinstance(one, Connection | Destination) else ""
            yield FieldChange(f"{prefix}{name}", before, f"from {reference.told}")


def _fields(one: Thing, before: Thing | None) -> Iterator[FieldChange]:
    for name, value in _said(one).items():
        was = None if before is None else getattr(before, name)
        if name == "settings":
            yield from _settings(value, was or {})
        elif name == "rules":
            yield from _rules(value, was or ())
        elif name in ("grants", "takes"):
            yield from _several(name, value, was or ())
        elif value != was:
            yield FieldChange(name, words(name, was), words(name, value))


def _said(one: Thing) -> dict[str, Any]:
    """The fields of a thing that the file says, without those by which it is known and without secrets."""
    skipped = {*_NO_FIELDS, "secrets", "address", *(["connection"] if one.kind in _OF_THE_CONNECTION else [])}
    values = {field.name: getattr(one, field.name) for field in fields(one) if field.name not in skipped}
    return {name: value for name, value in values.items() if value is not None}


def _settings(said: Mapping[str, Any], was: Mapping[str, Any]) -> Iterator[FieldChange]:
    for name, value in said.items():
        if value != was.get(name):
            yield FieldChange(f"settings.{name}", words(name, was.get(name)), words(name, value))


def _rules(said: tuple[MappingRule, ...], was: tuple[MappingRule, ...]) -> Iterator[FieldChange]:
    for number in range(max(len(said), len(was))):
        before, after = (rules[number] if number < len(rules) else None for rules in (was, said))
        if before != after:
            yield FieldChange(f"rules[{number}]", _rule(before), _rule(after))


def _several(name: str, said: Collection[object], was: Collection[object]) -> Iterator[FieldChange]:
    """Of what is a set: what goes, and what comes."""
    for one in was:
        if one not in said:
            yield FieldChange(name, str(one), "")
    for one in said:
        if one not in was:
            yield FieldChange(name, "", str(one))


def _rule(rule: MappingRule | None) -> str:
    if rule is None:
        return ""
    how = ["as a regular expression"] * (rule.syntax == "regex") + ["capitals matter"] * rule.case_matters
    made = [f"in «{rule.product_type}»"] * bool(rule.product_type) + [f"tagged {tag}" for tag in rule.tags]
    return ", ".join([rule.matched, *how, rule.told, *made])


def words(name: str, value: Any) -> str:
    """A value of a field as a person reads it; nothing for what is not there."""
    match value:
        case None:
            return ""
        case bool():
            return "true" if value else "false"
        case int() if name == "weekday":
            return WEEKDAYS[value]
        case list() | tuple():
            return ", ".join(words(name, one) for one in cast("list[Any]", value)) or "none"
        case Mapping():
            return ", ".join(f"{key} {words(str(key), one)}" for key, one in cast("Mapping[Any, Any]", value).items())
        case "":
            return "none"
        case _:
            return str(value)


# The same in the form of a file


def as_fields(configuration: Configuration) -> dict[str, Any]:
    """What a file that says all this holds, as plain values in a stable order."""
    in_order = sorted(configuration.things, key=lambda one: (KINDS.index(one.kind), one.key))
    beside: dict[str, list[Thing]] = {}
    for one in in_order:
        if isinstance(one, (ConnectionSchedule, ConnectionRules, RecordMapping)):
            beside.setdefault(one.connection, []).append(one)
    sections: dict[str, list[dict[str, Any]]] = {
        "product_types": [{"name": one.name} for one in _each(in_order, ProductType)],
        "products": [_written(one, ("name",)) for one in _each(in_order, Product)],
        "connections": [_connection(one, beside.get(one.label, [])) for one in _each(in_order, Connection)],
        "notifications": [_written(one, ("name",)) for one in _each(in_order, Notification)],
        "destinations": [_destination(one) for one in _each(in_order, Destination)],
        "users": [_user(one) for one in _each(in_order, User)],
    }
    return {"version": 1} | {name: section for name, section in sections.items() if section}


def _each(things: Iterable[Thing], kind: type[Any]) -> list[Any]:
    return [one for one in things if isinstance(one, kind)]


def _written(one: Thing, first: tuple[str, ...]) -> dict[str, Any]:
    """The fields of a thing as a file has them."""
    values = {field.name: getattr(one, field.name) for field in fields(one) if field.name not in ("line", "path")}
    written = {name: values.pop(name) for name in first}
    for name, value in values.items():
        if value is None or (value == "" and name in ("product_type", "connection")):
            continue
        written[name] = _plain(value)
    return written


def _plain(value: Any) -> Any:
    if isinstance(value, Reference):
        return {value.source: list(value.place) if value.source == "command" else value.place[0]}
    if isinstance(value, Mapping):
        return {str(name): _plain(one) for name, one in cast("Mapping[Any, Any]", value).items() if one is not None}
    return list(cast("tuple[Any, ...]", value)) if isinstance(value, tuple) else value


def _connection(one: Connection, beside: list[Thing]) -> dict[str, Any]:
    written = {name: value for name, value in _written(one, ("label", "tool")).items() if value != {}}
    schedules = {schedule.type: _schedule(schedule) for schedule in _each(beside, ConnectionSchedule)}
    rules = [_written_rule(rule) for every in _each(beside, ConnectionRules) for rule in every.rules]
    mappings = [_mapping(mapping) for mapping in _each(beside, RecordMapping)]
    lists = {"schedules": schedules, "rules": rules, "mappings": mappings}
    return written | {name: value for name, value in lists.items() if value}


def _schedule(one: ConnectionSchedule) -> dict[str, Any]:
    day = None if one.weekday is None else WEEKDAYS[one.weekday]
    said = {"kind": one.runs, "weekday": day, "at": one.at, "hours": one.hours, "cron": one.cron, "zone": one.zone}
    said["spread_minutes"] = one.spread_minutes
    return {name: value for name, value in said.items() if value is not None}


_DEFAULTS: Final = {"field": "name", "syntax": "glob", "case_matters": False}


def _written_rule(rule: MappingRule) -> dict[str, Any]:
    said: dict[str, Any] = {
        "field": rule.field,
        "attribute": rule.attribute,
        "pattern": rule.pattern,
        "syntax": rule.syntax,
        "case_matters": rule.case_matters,
        "product": rule.product if rule.answer == "product" else "",
        "template": rule.template,
        "ignore": rule.answer == "ignore",
        "because": rule.because,
        "product_type": rule.product_type,
        "tags": list(rule.tags),
    }
    return {name: value for name, value in said.items() if value and value != _DEFAULTS.get(name)}


def _mapping(one: RecordMapping) -> dict[str, Any]:
    if not one.ignored:
        return {"id": one.vendor_id, "product": one.product}
    return {"id": one.vendor_id, "ignore": True, "because": one.because or ""}


def _destination(one: Destination) -> dict[str, Any]:
    written = {name: value for name, value in _written(one, ("name",)).items() if value != {}}
    if one.takes is not None:
        written["takes"] = [_taken(taken) for taken in one.takes]
    return written


def _taken(one: Taken) -> dict[str, Any]:
    return {"the_rest": True} if one.scope == "the rest" else {one.scope.replace(" ", "_"): one.name}


def _user(one: User) -> dict[str, Any]:
    written = _written(one, ("username",))
    if one.grants is not None:
        written["grants"] = [_grant(grant) for grant in one.grants]
    return written


def _grant(one: GrantSaid) -> dict[str, Any]:
    place = {"everything": True} if one.scope == "everything" else {one.scope.replace(" ", "_"): one.name}
    return {"role": one.role, **place}
