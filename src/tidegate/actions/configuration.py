"""What a person may do with a configuration file: plan what it would change, and apply it.

References to secrets are never followed here: whoever has the file looks them up on their machine and hands on what
they found, by the path of the reference. So nobody can have this machine read a file or run a command.

Each change is a transaction of its own with its line in the audit log. Broken off anywhere, applying it again does the
rest; applied twice it changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Final, cast

from pydantic import SecretStr

from tidegate import catalog
from tidegate.actions import configuration_kind as kinds
from tidegate.actions import connection as connections
from tidegate.actions import destination as destinations
from tidegate.actions import product_type as product_types
from tidegate.actions import record as records
from tidegate.actions import route as routes
from tidegate.actions.action import action
from tidegate.actions.configuration_secret import secrets_in, secrets_of
from tidegate.actions.errors import Refused
from tidegate.actions.validation import checked
from tidegate.config import load_settings
from tidegate.delivery.defectdojo import destination as of_destination
from tidegate.ingest.apply import again_after_deadlock
from tidegate.reads.configuration import (
    Applied,
    AppliedChange,
    Planned,
    PlannedChange,
    PlannedField,
    Stored,
    stored_for,
    taken_by,
)
from tidegate.rules.actor import Actor
from tidegate.rules.branch import KEEP
from tidegate.rules.configuration import (
    SEVERITIES,
    Configuration,
    ConfigurationRefused,
    Connection,
    ConnectionRules,
    ConnectionSchedule,
    Destination,
    Notification,
    Problem,
    Product,
    ProductType,
    RecordMapping,
    Taken,
    Thing,
    User,
    shown,
)
from tidegate.rules.configuration_change import Change, Difference, difference, references_of
from tidegate.store import models
from tidegate.store.writers.audit import save_audit_line
from tidegate.store.writers.managed import note_managed

MOST_LISTED: Final = 200
"""So many things that are not managed, or wait, are named; beyond, how many they are."""

Secrets = Mapping[str, SecretStr]


class NotUsable(Refused):
    """A file in which something is wrong; `problems` is all of it."""

    def __init__(self, problems: Sequence[Problem], source: str) -> None:
        more = f" And {len(problems) - 1:,} more." if len(problems) > 1 else ""
        first = problems[0]
        place = f"{source}, line {first.line}{f', {first.path}' if first.path else ''}"
        super().__init__(f"{place}: {first.sentence}{more}", first.next_step)
        self.problems = tuple(problems)


@action("administrator", at_once=False)
def plan(
    actor: Actor,
    document: str,
    *,
    secrets: Secrets | None = None,
    source: str = "the file",
    prune: bool = False,
    renew_secrets: bool = False,
) -> Planned:
    """Says what applying the file would change; changes nothing. `secrets` are those that it refers to, by the path of
    the reference. `prune` deletes what is not named of the kinds that are; `renew_secrets` stores every secret anew.

    Raises Refused where the file cannot be used.
    """
    return _Work(actor, document, secrets or {}, source, prune=prune, renew=renew_secrets).planned()


@action("administrator", at_once=False, begins=True)
def apply(
    actor: Actor,
    document: str,
    *,
    secrets: Secrets | None = None,
    source: str = "the file",
    prune: bool = False,
    renew_secrets: bool = False,
) -> Applied:
    """Carries out what `plan` says, change by change, and goes on where one is refused. What the file names is managed
    by `source` from then on. Raises Refused where the file cannot be used; then nothing is done."""
    return _Work(actor, document, secrets or {}, source, prune=prune, renew=renew_secrets).applied()


@dataclass
class _Done:
    """What became of some changes, and Operations that they asked for."""

    sentences: list[tuple[Change, bool, str]] = field(default_factory=list[tuple[Change, bool, str]])
    operations: list[int] = field(default_factory=list[int])


class _Work:
    """One file, read and compared with what is stored."""

    def __init__(self, actor: Actor, document: str, secrets: Secrets, source: str, *, prune: bool, renew: bool) -> None:
        self.actor = actor
        self.source = source
        self.secrets = secrets
        self.operations: list[int] = []
        self.notes: list[str] = []
        try:
            wanted = checked(document)
        except ConfigurationRefused as refused:
            raise NotUsable(refused.problems, source) from refused
        self.stored: Stored = stored_for(wanted)
        if problems := list(_webhooks(wanted, self.stored)):
            raise NotUsable(problems, source)
        if strays := len(secrets.keys() - {one.path for one in wanted.references()}):
            # Their names are not said: whoever exchanged name and value sent a secret there.
            raise Refused(
                f"{source} does not refer to {strays:,} of the secrets that came with it.",
                "Name each by the path of its reference: connections[0].secrets.api_key",
            )
        held = self._held(wanted)
        self.wanted = self._normalised(wanted)
        self.difference: Difference = difference(
            self.wanted,
            self.stored.configuration,
            anew=self._anew(wanted, held, renew=renew),
            held=held.keys(),
            in_use=self.stored.product_types_in_use,
            prune=prune,
        )
        self._remark()

    # What is asked

    def planned(self) -> Planned:
        return Planned(
            changes=[
                PlannedChange(
                    verb=change.verb,
                    kind=change.thing.kind,
                    what=change.thing.told,
                    line=0 if change.verb == "delete" else change.thing.line,
                    fields=[PlannedField(name=one.name, before=one.before, after=one.after) for one in change.fields],
                )
                for change in self.difference.changes
            ],
            not_managed=_listed(self.difference.not_managed)
            + _first([f"webhook «{name}»" for name in self.stored.webhooks]),
            waiting=_listed(self.difference.waiting),
            notes=self.notes,
        )

    def applied(self) -> Applied:
        done: list[tuple[Change, bool, str]] = []
        for together in _batches(self.difference.changes):
            done += self._tried(together)
        managed = self._note_managed()
        return Applied(
            changes=[
                AppliedChange(verb=one.verb, kind=one.thing.kind, what=one.thing.told, ok=ok, sentence=sentence)
                for one, ok, sentence in done
            ],
            managed=managed,
            waiting=_listed(self.difference.waiting),
            notes=self.notes,
            operations=self.operations,
        )

    # What is stored of secrets

    def _held(self, wanted: Configuration) -> dict[str, SecretStr | None]:
        """What is stored where the file refers to a secret; None where no key opens it."""
        held: dict[str, SecretStr | None] = {}
        settings = load_settings()
        for one in wanted.things:
            references = references_of(one)
            id = self.stored.ids.get((one.kind, one.key)) if references else None
            if id is None:
                continue
            found = secrets_in(one, id, settings)
            for name, reference in references.items():
                if name in found:
                    held[reference.path] = found[name]
                elif not found.readable:
                    held[reference.path] = None
        return held

    def _anew(self, wanted: Configuration, held: Mapping[str, SecretStr | None], *, renew: bool) -> set[str]:
        """The paths of secrets that are stored. Whether one differs from what is stored is only told to whoever sits at
        this machine, and has the keys: from afar it would be a way to guess at it."""
        at_hand = self.actor.through == "command line"
        anew: set[str] = set()
        unseen = 0
        for reference in wanted.references():
            given = self.secrets.get(reference.path)
            if given is None:
                unseen += 1
                continue
            stored = held.get(reference.path)
            if reference.path not in held or stored is None or renew or (at_hand and given != stored):
                anew.add(reference.path)
            elif not at_hand:
                unseen += 1
        if unseen:
            self.notes.append(
                f"{unseen:,} secrets were not compared with what is stored, which stays as it is;"
                " --renew-secrets stores them anew."
            )
        return anew

    def _normalised(self, wanted: Configuration) -> Configuration:
        """Settings as they would be stored, so that `"5"` is what 5 is; those that cannot be are told when applied."""
        return replace(wanted, things=tuple(map(self._as_stored, wanted.things)))

    def _as_stored(self, one: Thing) -> Thing:
        id = self.stored.ids.get((one.kind, one.key))
        if not isinstance(one, Connection | Destination) or id is None or not one.settings:
            return one
        found = models.Connection.objects.get(pk=id) if isinstance(one, Connection) else destinations.existing(id)
        entered = {name: value for name, value in {**found.settings, **one.settings}.items() if value is not None}
        together = {**secrets_of(one, id).values, **self._known(one)}
        try:
            if isinstance(one, Destination):
                as_stored = of_destination.stored_settings(of_destination.filled(entered, together))
            else:
                kind = catalog.tool(one.tool)
                if kind is None or cast("models.Connection", found).tool != one.tool:
                    return one
                as_stored = catalog.stored_settings(catalog.built(kind, entered, together))
        except catalog.SettingsRefused:
            return one
        return replace(one, settings={name: as_stored.get(name) for name in one.settings})

    def _known(self, one: Connection | Destination) -> dict[str, SecretStr]:
        """The secrets of a thing that came with the file."""
        there = (one.secrets or {}).items()
        return {name: self.secrets[reference.path] for name, reference in there if reference.path in self.secrets}

    def _remark(self) -> None:
        """What else a person should know before they say yes."""
        for change in self.difference.changes:
            one, id = change.thing, self.stored.ids.get((change.thing.kind, change.thing.key))
            if isinstance(one, Connection) and id is not None and change.changes("minimum_severity"):
                if change.verb != "change" or one.minimum_severity is None:
                    continue
                effect = connections.threshold_effect(id, SEVERITIES.index(one.minimum_severity))
                if effect.closes:
                    self.notes.append(f"The minimum severity of «{one.label}» closes {effect.closes:,} findings.")
            if isinstance(one, Destination) and change.verb == "delete":
                self.notes.append(f"Deleting «{one.name}» forgets what was delivered there; there it stays.")
            if isinstance(one, Connection) and change.verb == "delete":
                self.notes.append(
                    f"Deleting «{one.label}» deletes its Records and secrets; Products and findings stay."
                )

    # Carrying it out

    def _tried(self, together: Sequence[Change]) -> list[tuple[Change, bool, str]]:
        """Some changes that are made at once; what is refused is said, and others go on."""

        def work() -> _Done:
            done = _Done()
            self._carry_out(together, done)
            for change, ok, sentence in done.sentences:
                if ok:
                    self._write_down(change, sentence)
            return done

        try:
            done: _Done = again_after_deadlock(work)
        except Refused as refused:
            return [(change, False, f"{refused.sentence} {refused.next_step}") for change in together]
        self.operations += done.operations
        return done.sentences

    def _write_down(self, change: Change, sentence: str) -> None:
        """Its line in the audit log: the action around it has one for the whole file."""
        id = kinds.number_of(change.thing)
        facts = {
            "source": self.source,
            "change": change.told,
            "fields": [f"{one.name}: {one.before or '-'} → {one.after or '-'}"[:300] for one in change.fields[:50]],
            "answer": sentence,
        }
        kind = "record" if change.thing.kind == "mapping" else _scope(change.thing)
        save_audit_line(self.actor, "configuration.apply", "done", kind, [] if id is None else [id], facts)

    def _carry_out(self, together: Sequence[Change], done: _Done) -> None:
        change = together[0]
        if change.verb == "delete":
            done.sentences.append((change, True, kinds.delete(self.actor, change.thing)))
            return
        match change.thing:
            case ProductType() as one:
                product_types.add_product_type(self.actor, one.name)
                sentence = "Made."
            case Product() as one:
                sentence = kinds.save_product(self.actor, change, one)
            case Connection() as one:
                sentence = self._connection(change, one, done)
            case ConnectionSchedule() as one:
                sentence = kinds.save_schedule(self.actor, one)
            case ConnectionRules() as one:
                sentence = kinds.save_rules(self.actor, one)
            case RecordMapping():
                done.sentences += self._mappings(together)
                return
            case Notification() as one:
                sentence = self._notification(change, one)
            case Destination() as one:
                sentence = self._destination(change, one)
            case User() as one:
                sentence = kinds.save_user(self.actor, change, one)
        done.sentences.append((change, True, sentence))

    def _given(self, thing: Thing, names: Sequence[str]) -> dict[str, SecretStr]:
        """The secrets of these names, which are there: only such are to be stored."""
        references = references_of(thing)
        return {name: self.secrets[references[name].path] for name in names}

    def _connection(self, change: Change, one: Connection, done: _Done) -> str:
        if change.verb == "create":
            return self._new_connection(change, one, done)
        id = kinds.connection_id(one.label)
        kinds.refuse_another_tool(one)
        edits: dict[str, Any] = {
            name: getattr(one, name)
            for name in (
                "auto_map",
                "join_by_name",
                "product_type",
                "hold_above",
                "hold_percent",
                "close_branches_after",
            )
            if change.changes(name)
        }
        if change.changes("minimum_severity") and one.minimum_severity is not None:
            edits["minimum_severity"] = SEVERITIES.index(one.minimum_severity)
        if change.changes("settings") and one.settings is not None:
            changed = {field.name.partition(".")[2] for field in change.fields if field.name.startswith("settings.")}
            edits["settings"] = {name: value for name, value in one.settings.items() if name in changed}
        if change.secrets:
            edits["secrets"] = self._given(one, change.secrets)
        sentence = "Changed."
        if edits:
            edited = connections.edit_connection(self.actor, id, **edits)
            done.operations += [edited.operation] if edited.operation is not None else []
            sentence += f" {edited.closed:,} findings are below its minimum severity now." if edited.closed else ""
        if change.changes("paused"):
            kinds.set_paused(self.actor, id, self.source, paused=bool(one.paused))
        return sentence

    def _new_connection(self, change: Change, one: Connection, done: _Done) -> str:
        kind = connections.the_tool(one.tool)
        references = one.secrets or {}
        if missing := [reference.path for reference in references.values() if reference.path not in self.secrets]:
            raise Refused(
                f"What {missing[0]} refers to was not given, and {kind.name} is new.",
                "References are looked up by the command line; whoever calls the API sends the secrets along.",
            )
        id = connections.add_connection(
            self.actor,
            one.tool,
            one.label,
            {name: value for name, value in (one.settings or {}).items() if value is not None},
            {name: self.secrets[reference.path] for name, reference in references.items()},
            auto_map=bool(one.auto_map),
            join_by_name=bool(one.join_by_name),
            minimum_severity=0 if one.minimum_severity is None else SEVERITIES.index(one.minimum_severity),
            close_branches_after=one.close_branches_after or KEEP,
            product_type=one.product_type or None,
            discover=not one.paused,
        )
        if one.hold_above is not None or one.hold_percent is not None:
            connections.edit_connection(self.actor, id, hold_above=one.hold_above, hold_percent=one.hold_percent)
        if one.paused:
            kinds.set_paused(self.actor, id, self.source, paused=True)
            return "Made, and paused."
        done.operations.append(models.Operation.objects.filter(connection_id=id, type="discover").latest("pk").pk)
        return "Made; a Discover of it is asked for."

    def _mappings(self, together: Sequence[Change]) -> Iterator[tuple[Change, bool, str]]:
        """Records that become the same: mapped to one Product, or ignored for one reason."""
        one = cast("RecordMapping", together[0].thing)
        ids = {self.stored.ids[change.thing.kind, change.thing.key]: change for change in together}
        if one.ignored:
            outcome = records.ignore_records(self.actor, list(ids), one.because or "")
        else:
            there = models.Product.objects.filter(name=one.product).values_list("pk", flat=True).first()
            target: dict[str, Any] = {"product_id": there} if there else {"new_product": one.product}
            outcome = records.map_records(self.actor, list(ids), **target)
        for item in outcome.items:
            yield ids[item.id], item.ok, item.sentence

    def _notification(self, change: Change, one: Notification) -> str:
        about = None if one.connection is None else kinds.connection_id(one.connection) if one.connection else 0
        if change.verb == "create":
            if one.address is None or one.address.path not in self.secrets:
                raise Refused(
                    f"The address of «{one.name}» was not given, and it is new.",
                    "Say where it is: address: {env: NAME}. References are looked up by the command line only.",
                )
            address = self.secrets[one.address.path]
            id = routes.add_route(self.actor, one.name, address, kinds=one.kinds or (), connection_id=about or None)
            if one.enabled is False:
                routes.edit_route(self.actor, id, on=False)
            return "Made."
        id = models.Route.objects.values_list("pk", flat=True).get(name=one.name)
        routes.edit_route(
            self.actor,
            id,
            address=self._given(one, change.secrets).get("address"),
            kinds=one.kinds if change.changes("kinds") else None,
            connection_id=about if change.changes("connection") else None,
            on=one.enabled if change.changes("enabled") else None,
        )
        return "Changed."

    def _destination(self, change: Change, one: Destination) -> str:
        own: dict[str, Any] = {
            name: value
            for name in ("product_type", "engagement_name", "join_products", "writes_per_minute")
            if change.changes(name) and (value := getattr(one, name)) is not None
        }
        if change.verb == "create":
            if missing := [ref.path for ref in (one.secrets or {}).values() if ref.path not in self.secrets]:
                raise Refused(
                    f"What {missing[0]} refers to was not given, and the Destination is new.",
                    "References are looked up by the command line; whoever calls the API sends the secrets along.",
                )
            settings = {name: value for name, value in (one.settings or {}).items() if value is not None}
            id = destinations.add_destination(self.actor, one.name, settings, self._known(one), **own)
            if one.enabled is False:
                destinations.edit_destination(self.actor, id, on=False)
        else:
            id = kinds.destination_id(one.name)
            changed = {field.name.partition(".")[2] for field in change.fields if field.name.startswith("settings.")}
            if changed:
                own["settings"] = {name: value for name, value in (one.settings or {}).items() if name in changed}
            # A token belongs to its server: with another URL it is entered anew, be it the same.
            secrets = self._known(one) if "url" in changed else self._given(one, change.secrets)
            own |= {"secrets": secrets} if secrets else {}
            own |= {"on": one.enabled} if change.changes("enabled") and one.enabled is not None else {}
            if own:
                destinations.edit_destination(self.actor, id, **own)
        if one.takes is not None and change.changes("takes"):
            self._routes(id, one.takes)
        return "Made." if change.verb == "create" else "Changed."

    def _routes(self, id: int, wanted: Sequence[Taken]) -> None:
        """These routes lead there, and no others. One that leads elsewhere, and is not to any more, comes over at once,
        so that nothing goes nowhere meanwhile."""
        routes = models.DestinationRoute.objects.select_related("connection", "product_type")
        there = {taken_by(row): row for row in routes.exclude(connection__deleted_at__isnull=False)}
        for taken, row in there.items():
            if row.destination_id == id and taken not in wanted:
                destinations.remove_destination_route(self.actor, row.pk)
        for taken in wanted:
            row = there.get(taken)
            if row is not None and row.destination_id == id:
                continue
            if row is not None and self._is_left(row, taken):
                destinations.remove_destination_route(self.actor, row.pk)
            destinations.add_destination_route(self.actor, id, **kinds.taken_as(taken))

    def _is_left(self, row: models.DestinationRoute, taken: Taken) -> bool:
        """Whether the file says of the Destination of a route what it takes, and this not."""
        said = {one.name: one.takes for one in self.wanted.of(Destination)}
        name = destinations.existing(row.destination_id).name
        return said.get(name) is not None and taken not in (said[name] or ())

    def _note_managed(self) -> int:
        """Everything that the file names and that is there is managed by it from now on."""
        after = stored_for(self.wanted)
        things = {
            (kinds.managed_as(one), id)
            for one in self.wanted.things
            if (id := after.ids.get((one.kind, one.key))) is not None
        }
        again_after_deadlock(lambda: note_managed(self.actor, self.source, things))
        return len(things)


def _webhooks(wanted: Configuration, stored: Stored) -> Iterator[Problem]:
    """What the file names and is a webhook: its secret was made by hand, and a file would take the signature away."""
    for one in wanted.of(Notification):
        if one.name in stored.webhooks:
            sentence = f"«{shown(one.name)}» is a webhook, and no file manages what is signed."
            yield Problem(one.line, "notifications", sentence, "Take it out of the file, or give it another name.")


def _listed(things: Sequence[Thing]) -> list[str]:
    return _first([one.told for one in things])


def _first(told: list[str]) -> list[str]:
    more = len(told) - MOST_LISTED
    return told if more <= 0 else [*told[:MOST_LISTED], f"and {more:,} more"]


def _batches(changes: Sequence[Change]) -> Iterator[list[Change]]:
    """Each change alone, but mappings that do the same together."""

    def alike(numbered: tuple[int, Change]) -> object:
        number, one = numbered[0], numbered[1].thing
        if not isinstance(one, RecordMapping):
            return number
        return one.connection, one.product, one.ignored, one.because

    def order(one: Change) -> tuple[str, ...]:
        thing = cast("RecordMapping", one.thing)
        return (thing.connection, thing.product, thing.because or "")

    mappings = sorted((one for one in changes if isinstance(one.thing, RecordMapping)), key=order)
    made = [one for one in changes if not isinstance(one.thing, RecordMapping)]
    later = ("notification", "destination", "user")
    before = [one for one in made if one.verb != "delete" and one.thing.kind not in later]
    after = [one for one in made if one not in before]
    for _, together in groupby(enumerate([*before, *mappings, *after]), key=alike):
        yield [change for _, change in together]


def _scope(one: Thing) -> str:
    words = {"schedule": "connection", "rules": "connection", "notification": "route"}
    return words.get(one.kind, one.kind)
