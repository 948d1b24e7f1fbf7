"""What a person may decide about many Records at once: those of some numbers, or all that a filter finds.

What becomes of each is found by one statement, for a preview and for the deed alike. A deed by a filter says what it
expects, the token of its preview or how many, and is refused where these are others by then. It is one step.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Literal
from uuid import UUID, uuid4

from django.utils import timezone

from tidegate.actions import record as singly
from tidegate.actions.action import action, demand_everywhere
from tidegate.actions.errors import Refused
from tidegate.actions.step import BulkDone, BulkPreview, Refusal, Share, wanted
from tidegate.reads import record as reads
from tidegate.reads.managed import number_managed
from tidegate.reads.viewer import viewing, visible
from tidegate.rules.access import Place, Role
from tidegate.rules.actor import Actor
from tidegate.rules.auto_map import UNNAMED
from tidegate.rules.bulk import FATES, RecordFilter, fits, token
from tidegate.rules.names import clean_name, clean_text, made_clean
from tidegate.rules.record import may_sync, why_changing
from tidegate.store.acting import acting
from tidegate.store.models import Product, ProductType, Record
from tidegate.store.writers import record as writer
from tidegate.store.writers.bulk import Group, sort_records
from tidegate.store.writers.operation import request_operation
from tidegate.store.writers.product import IMPORTED, keep_products, make_products, product_type_named, products_named
from tidegate.store.writers.remap import findings_in

Deed = Literal["map", "map each", "ignore", "restore", "restore to earlier", "delete"]
DEEDS: Final = ("map", "map each", "ignore", "restore", "restore to earlier", "delete")
SYNC: Final = "sync"

MOST: Final = 100_000
"""So many are decided about at once."""

SHOWN: Final = 5
"""So many names stand for a group."""

TOLD: Final = 100
"""So many that were left alone are told one by one."""


@action("mapper", record="record_ids", chosen="matching")
def decide_records(
    actor: Actor,
    deed: Deed,
    record_ids: Sequence[int] = (),
    *,
    matching: RecordFilter | None = None,
    expected: str = "",
    product_id: int | None = None,
    new_product: str | None = None,
    product_type: str | None = None,
    join: bool = True,
    because: str = "",
    already_imported: singly.Imported = "leave",
) -> BulkDone:
    """Maps Records to one Product, existing or new; maps each to the Product of its own name (an existing one where it
    may `join`); ignores, restores or deletes them. What cannot be decided is left alone and told.

    Raises NotThere; Refused where nothing is found, others are than were `expected`, or a name cannot be used.
    """
    asked = Asked(deed, product_id, new_product, product_type, join, because, already_imported)
    check(asked, DEEDS)
    step = uuid4()
    with acting(str(actor), step=step):
        plan = planned(actor, asked, held("mapper", record_ids, matching, expected))
        operations = carry_out(actor, step, asked, plan)
    return plan.done(step if plan.changing else None, operations)


@action("operator", record="record_ids", chosen="matching")
def sync_records(
    actor: Actor, record_ids: Sequence[int] = (), *, matching: RecordFilter | None = None, expected: str = ""
) -> BulkDone:
    """Asks for a Sync of Records: one Operation a Connection. What is not Good, or paused, is left alone and told.

    Raises NotThere; Refused where nothing is found, or others are than were `expected`.
    """
    with acting(str(actor)):
        plan = planned(actor, Asked(SYNC), held("operator", record_ids, matching, expected))
        by_connection: dict[int, list[int]] = {}
        rows = Record.objects.filter(pk__in=plan.ids("sync")).order_by("connection_id", "pk")
        for record, connection in rows.values_list("pk", "connection_id"):
            by_connection.setdefault(connection, []).append(record)
        operations = [
            request_operation(SYNC, connection, actor=str(actor), trigger=actor.trigger, records=records)
            for connection, records in by_connection.items()
        ]
    return plan.done(None, operations)


def preview_records(
    actor: Actor,
    deed: Deed | Literal["sync"],
    record_ids: Sequence[int] = (),
    *,
    matching: RecordFilter | None = None,
    product_id: int | None = None,
    new_product: str | None = None,
    product_type: str | None = None,
    join: bool = True,
    because: str = "",
) -> BulkPreview:
    """Says what would become of these Records, and writes nothing. Raises what the deed itself would raise."""
    asked = Asked(deed, product_id, new_product, product_type, join, because)
    check(asked, (*DEEDS, SYNC))
    with viewing(actor.access):
        return planned(actor, asked, chosen(asked.role, record_ids, matching), making=False).preview()


# What the actions share


@dataclass(frozen=True)
class Asked:
    """A deed, as it was asked for."""

    deed: str
    product_id: int | None = None
    new_product: str | None = None
    product_type: str | None = None
    join: bool = True
    because: str = ""
    already_imported: singly.Imported = "leave"

    @property
    def role(self) -> Role:
        return "operator" if self.deed == SYNC else "mapper"


@dataclass(frozen=True)
class Chosen:
    """The Records that are meant; `mine` are those with which the asker may do it, None where that is all."""

    ids: list[int]
    mine: list[int] | None
    token: str


@dataclass
class Plan:
    """What becomes of each."""

    chosen: Chosen
    role: Role
    groups: dict[str, Group]
    product: Product | None = None
    """The Product that all are mapped to; without a number where it is to be made."""
    targets: dict[int, int] = field(default_factory=dict[int, int])
    """The existing Products that some are mapped to."""
    fresh: dict[int, str] = field(default_factory=dict[int, str])
    """The names of new Products that some are mapped to."""
    remapped: list[int] = field(default_factory=list[int])
    """Those that flow elsewhere now."""

    def ids(self, *fates: str) -> list[int]:
        return sorted(id for fate in fates if fate in self.groups for id in self.groups[fate].ids)

    @property
    def changing(self) -> int:
        return number_of(self.groups, "changes")

    @property
    def new_products(self) -> int:
        """How many are to be made for those that change."""
        one_for_all = self.product is not None and self.product.pk is None and self.changing
        return len(set(self.fresh.values())) + bool(one_for_all)

    def preview(self) -> BulkPreview:
        feeds = Record.objects.filter(pk__in=self.remapped, feed__isnull=False).values_list("feed_id", flat=True)
        return BulkPreview(
            number=len(self.chosen.ids),
            expected=self.chosen.token,
            changes=self.changing,
            refused=number_of(self.groups, "refused"),
            new_products=self.new_products,
            imported=sum(findings_in(feeds).values()) if self.remapped else 0,
            managed=0 if self.role == "operator" else number_managed("mapping", self.ids(*changing(self.groups))),
            shares=self.shares(),
        )

    def done(self, step: UUID | None, operations: Iterable[int]) -> BulkDone:
        return BulkDone(
            step=step,
            number=len(self.chosen.ids),
            changed=self.changing,
            refused=number_of(self.groups, "refused"),
            new_products=self.new_products,
            shares=self.shares(),
            refusals=self.refusals(),
            operations=list(operations),
        )

    def shares(self) -> list[Share]:
        return shares_of(self.groups, names_of, self.sentence)

    def sentence(self, fate: str) -> str:
        return FATES[fate].sentence.format(product=self.product.name if self.product else "", role=self.role)

    def refusals(self) -> list[Refusal]:
        """The first of them, each with its why."""
        fates = {id: fate for fate, group in self.groups.items() if FATES[fate].kind == "refused" for id in group.ids}
        told = sorted(fates)[:TOLD]
        rows = {record.pk: record for record in reads.living().filter(pk__in=told)} if told else {}
        return [Refusal(id=id, name=rows[id].name, sentence=self.why(fates[id], rows[id])) for id in told if id in rows]

    def why(self, fate: str, record: Any) -> str:
        if fate == "changing" and record.changing_operation_id is not None:
            return f"{why_changing(record.changing_operation_id)}."
        if fate == "not good" and (why := may_sync(reads.facts(record), timezone.now())):
            return why
        return self.sentence(fate)


def changing(groups: Mapping[str, Group]) -> list[str]:
    """The fates by which something changes."""
    return [fate for fate in groups if FATES[fate].kind == "changes"]


def number_of(groups: Mapping[str, Group], kind: str) -> int:
    """Of how many the fate is of this kind."""
    return sum(group.number for fate, group in groups.items() if FATES[fate].kind == kind)


def shares_of(
    groups: Mapping[str, Group], names: Callable[[list[int]], dict[int, str]], sentence: Callable[[str], str]
) -> list[Share]:
    """The groups as they are told: first what changes, last what is refused."""
    first = {fate: group.ids[:SHOWN] for fate, group in groups.items()}
    known = names(list(chain(*first.values())))
    kinds = ("changes", "stays", "refused")
    return [
        Share(
            fate=fate,
            kind=FATES[fate].kind,
            sentence=sentence(fate),
            number=group.number,
            examples=[known[id] for id in first[fate] if id in known],
        )
        for fate, group in sorted(groups.items(), key=lambda item: (kinds.index(FATES[item[0]].kind), item[0]))
    ]


def names_of(ids: list[int]) -> dict[int, str]:
    return dict(Record.objects.filter(pk__in=ids).values_list("pk", "name"))


def refuse_unexpected(found: Chosen, what: str, expected: str, *, by_filter: bool) -> None:
    """Raises Refused where others are meant than somebody expects, or none."""
    if by_filter and not expected:
        raise Refused(f"It is not said how many {what}s are meant.", "Say what you expect, as a preview tells it.")
    if expected and not fits(expected, found.token):
        raise Refused(
            f"Others are meant than were expected: there are {len(found.ids):,} now, or one was decided since.",
            "Nothing was changed. Look at the preview again.",
        )
    if not found.ids:
        raise Refused(f"No {what} is so.", f"See what there is: tidegate {what.lower()} list")


def check(asked: Asked, deeds: Sequence[str]) -> None:
    """Raises Refused, or NameRefused, for what is not clear or cannot be used, before anything is looked for."""
    if asked.deed not in deeds:
        raise Refused(f"«{asked.deed}» is nothing that can be done.", f"Choose one of: {', '.join(deeds)}.")
    one_of_two = (asked.product_id is None) == (asked.new_product is None)
    if asked.deed == "map" and one_of_two:
        raise Refused("It is not clear which Product is meant.", "Name an existing Product or a new one, not both.")
    if asked.deed != "map" and not (asked.product_id is None and asked.new_product is None):
        raise Refused("Only who maps to one Product names it.", "Leave the Product out.")
    if asked.already_imported not in singly.IMPORTED_CHOICES:
        raise Refused(
            f"«{asked.already_imported}» is no choice.", f"Choose one of: {', '.join(singly.IMPORTED_CHOICES)}."
        )
    clean_text(asked.because, "reason")


def chosen(role: Role, record_ids: Sequence[int], matching: RecordFilter | None) -> Chosen:
    """The Records that are meant, of those that may be seen."""
    if bool(record_ids) == (matching is not None):
        raise Refused("It is not clear which Records are meant.", "Name them, or say a filter; not both.")
    if matching is None:
        there = wanted(record_ids, "Record", lambda ids: reads.living().filter(pk__in=ids).values_list("pk", flat=True))
        found, allowed = (reads.living().filter(pk__in=there) for _ in range(2))
        allowed = allowed.filter(reads.visible_records(role))
    else:
        found, allowed = reads.matching(**matching), reads.matching(**matching, role=role)
    rows: list[tuple[int, int]] = list(found.order_by("pk").values_list("pk", "epoch")[: MOST + 1])
    if len(rows) > MOST:
        raise Refused(f"These are more than {MOST:,} Records.", "Narrow the filter: Connection by Connection, say.")
    everywhere = not reads.visible_records(role)
    mine = None if everywhere else list(allowed.values_list("pk", flat=True))
    return Chosen([id for id, _ in rows], mine, token(rows))


def held(role: Role, record_ids: Sequence[int], matching: RecordFilter | None, expected: str) -> Chosen:
    """The same, locked, and they are what somebody expects. Raises Refused where not."""
    found = chosen(role, record_ids, matching)
    refuse_unexpected(found, "Record", expected, by_filter=matching is not None)
    writer.hold_records(found.ids)
    if chosen(role, record_ids, matching).token != found.token:  # somebody was faster, while the locks were waited for
        raise Refused("Somebody decided about one of these Records at this moment.", "Nothing was changed. Look again.")
    return found


def planned(actor: Actor, asked: Asked, found: Chosen, *, making: bool = True) -> Plan:
    """What becomes of each of them. Only for a preview may the Product, or its type, not be there yet (`making`)."""
    plan = Plan(found, asked.role, {})
    if asked.deed == "map":
        plan.product = existing_or_new(actor, asked)
    products: list[int] | None = None
    if asked.deed in ("map each", "restore to earlier"):
        within = visible(product="pk", product_type="product_type_id", role="mapper")
        products = list(Product.objects.filter(within).values_list("pk", flat=True)) if within else None
    plan.groups = sort_records(
        found.ids, asked.deed, mine=found.mine, products=products, because=clean_text(asked.because, "reason"),
        product=plan.product.pk if plan.product else None,
    )  # fmt: skip
    plan.remapped = plan.ids("remap")
    if asked.deed == "map each":
        each_to_its_name(plan, asked.join, products)
    if plan.new_products and not making:
        kind_of_new(actor, asked, making=False)
    return plan


def existing_or_new(actor: Actor, asked: Asked) -> Product:
    """The one Product that all are mapped to; one to be made has no number yet."""
    if asked.product_id is not None:
        return singly.existing_product(actor, asked.product_id)
    name = clean_name(asked.new_product or "", "name of the Product")
    if products_named({name}):
        raise Refused(
            f"There is a Product «{name}» already.", f"Map to it: --product {name!r}, or choose another name."
        )
    return Product(name=name)


def each_to_its_name(plan: Plan, join: bool, products: Sequence[int] | None) -> None:
    """Puts those that are mapped to a Product of their own name into groups of their own: it is there and joined, it is
    made, or the name is taken."""
    ids, mine = plan.ids("map", "remap"), None if products is None else set(products)
    plan.groups = {fate: group for fate, group in plan.groups.items() if fate not in ("map", "remap")}
    product = "feed__test__engagement__product_id"
    rows = list(Record.objects.filter(pk__in=ids).order_by("pk").values_list("pk", "name", product))
    names = {id: made_clean(name, UNNAMED) for id, name, _ in rows}
    there = products_named(set(names.values()))
    sorted_out: dict[str, list[int]] = {}
    new_names: set[str] = set()
    for id, _, flows_into in rows:
        found = there.get(names[id])
        if found is None:
            fate = "make" if join or names[id] not in new_names else "taken"
            new_names.add(names[id])
        elif found == flows_into:
            fate = "flows"
        else:
            fate = "join" if join and (mine is None or found in mine) else "taken"
        sorted_out.setdefault(fate, []).append(id)
        if fate == "make":
            plan.fresh[id] = names[id]
        elif fate == "join" and found is not None:
            plan.targets[id] = found
    plan.groups |= {fate: Group(len(members), members) for fate, members in sorted_out.items()}
    plan.remapped = [id for id in plan.remapped if id in plan.fresh or id in plan.targets]


def kind_of_new(actor: Actor, asked: Asked, *, making: bool = True) -> int | None:
    """The Product Type of new Products, made where it is not there. Raises Forbidden where they may not be made."""
    name = clean_name(asked.product_type or IMPORTED, "name of the Product Type")
    kind = (
        product_type_named(name)
        if making
        else ProductType.objects.filter(name=name).values_list("pk", flat=True).first()
    )
    if kind is None or not actor.access.may("mapper", Place(product_type_id=kind)):
        demand_everywhere(actor, "mapper", "make Products there")
    return kind


def carry_out(actor: Actor, step: UUID, asked: Asked, plan: Plan) -> tuple[int, ...]:
    """Writes what was planned; returns the Operations that carry the rest out."""
    if not plan.changing:
        return ()
    match asked.deed:
        case "map" | "map each":
            return map_planned(actor, step, asked, plan)
        case "restore to earlier":
            map_to_earlier(actor, plan.ids("earlier"))
        case "ignore":
            writer.ignore_records(actor, plan.ids("ignore"), clean_text(asked.because, "reason"))
        case "restore":
            writer.restore_records(actor, plan.ids("restore"))
        case "delete":
            writer.delete_records(actor, plan.ids("delete"))
        case _:
            raise AssertionError(asked.deed)
    return ()


def map_planned(actor: Actor, step: UUID, asked: Asked, plan: Plan) -> tuple[int, ...]:
    if asked.deed == "map" and asked.new_product is not None:
        product = singly.made_product(actor, asked.new_product, asked.product_type)
        targets = to_one(plan, product.pk)
    elif plan.product is not None:
        targets = to_one(plan, plan.product.pk)
    else:
        targets = plan.targets | make_each(actor, asked, plan)
    flowing = list(writer.deciding(plan.remapped).values())
    changes = singly.remap(actor, step, targets, flowing, asked.already_imported)
    singly.sync_after_undo_time(actor, [id for id in targets if id not in changes])
    return singly.numbers(changes)


def to_one(plan: Plan, product_id: int) -> dict[int, int]:
    return dict.fromkeys(plan.ids("map", "remap"), product_id)


def make_each(actor: Actor, asked: Asked, plan: Plan) -> dict[int, int]:
    """Makes the Products that are new, and keeps those that are joined; by Record which it is."""
    kept = keep_products(plan.targets.values())
    names = sorted(set(plan.fresh.values()))
    kind = kind_of_new(actor, asked) if names else None
    made = {} if kind is None else make_products(actor, names, kind)
    if len(made) < len(names) or len(kept) < len(set(plan.targets.values())):
        raise Refused("A Product of one of these names came or went at this moment.", "Nothing was changed. Try again.")
    return {id: made[name] for id, name in plan.fresh.items()}


def map_to_earlier(actor: Actor, record_ids: Sequence[int]) -> None:
    rows = Record.objects.filter(pk__in=record_ids, earlier_product__isnull=False)
    targets = dict(rows.values_list("pk", "earlier_product_id"))
    if len(keep_products(targets.values())) < len(set(targets.values())):
        raise Refused("The earlier Product of one of these was deleted at this moment.", "Nothing was changed.")
    writer.map_records(actor, targets)
    singly.sync_after_undo_time(actor, list(targets))
