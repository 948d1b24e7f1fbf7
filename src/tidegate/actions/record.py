"""What a person may decide about Records: map, ignore, restore, delete, and undo as one step."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final, Literal
from uuid import UUID, uuid4

from django.utils import timezone

from tidegate.actions.action import action, demand, demand_everywhere
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.step import Item, StepOutcome, wanted
from tidegate.reads.viewer import visible
from tidegate.rules.access import Place
from tidegate.rules.actor import Actor
from tidegate.rules.names import clean_name, clean_text, near_twins
from tidegate.rules.record import ago, why_changing
from tidegate.rules.undo import undo_step
from tidegate.store.acting import acting
from tidegate.store.models import Product, Record, RecordHistory
from tidegate.store.writers import record as writer
from tidegate.store.writers import remap as findings
from tidegate.store.writers.operation import request_operation
from tidegate.store.writers.product import IMPORTED, keep_products, make_products, product_type_named
from tidegate.store.writers.record import Deciding, lock_records
from tidegate.store.writers.relink import gave_ids
from tidegate.store.writers.remap import Going
from tidegate.store.writers.undo import last_decision, records_of_step, undo_records

Imported = Literal["leave", "move", "close"]

UNDO_SECONDS: Final = 300
"""The time to undo a mapping before its first Sync begins by itself."""

IMPORTED_CHOICES = {
    "leave": "what was imported stays in «{}»",
    "move": "what was imported moved along from «{}»",
    "close": "what was imported into «{}» is closed",
}
IN_A_CHANGE = {
    "move": "what was imported moves along from «{}», in Operation {}",
    "close": "what was imported into «{}» is being closed, by Operation {}",
}


@action("mapper", record="record_ids")
def map_records(
    actor: Actor,
    record_ids: Sequence[int],
    *,
    product_id: int | None = None,
    new_product: str | None = None,
    product_type: str | None = None,
    already_imported: Imported = "leave",
    epochs: Mapping[int, int] | None = None,
) -> StepOutcome:
    """Maps Records to one Product, existing or new. `already_imported` says what becomes, on a remap, of findings
    imported so far. `epochs` are what the person saw: a Record that somebody decided since is left to them.

    Raises NotThere for an unknown Record or Product, Refused for a name that is taken or cannot be used.
    """
    if (product_id is None) == (new_product is None):
        raise Refused("It is not clear which Product is meant.", "Name an existing Product or a new one, not both.")
    if already_imported not in IMPORTED_CHOICES:
        raise Refused(f"«{already_imported}» is no choice.", f"Choose one of: {', '.join(IMPORTED_CHOICES)}.")
    step = uuid4()
    with acting(str(actor), step=step):
        records = locked(record_ids)
        refusals = {id: why for id, record in records.items() if (why := why_not_decide(record, epochs or {}))}
        free = [record for id, record in records.items() if id not in refusals]
        if not free:
            return StepOutcome(None, answers(records, refusals, {}))
        product = (
            existing_product(actor, product_id)
            if product_id is not None
            else made_product(actor, new_product or "", product_type)
        )
        changing = [record for record in free if record.product_id != product.pk]
        targets = to_one(changing, product.pk)
        changes = remap(actor, step, targets, changing, already_imported)
        sync_after_undo_time(actor, [record.id for record in changing if record.id not in changes])
    done = {record.id: mapped_sentence(record, product.name, already_imported, changes) for record in free}
    if new_product is not None and (twins := near_twins(product.name, names_like(product.name))):
        done = {id: f"{sentence} Mind that there is also «{twins[0]}»." for id, sentence in done.items()}
    return StepOutcome(step if changing else None, answers(records, refusals, done), numbers(changes))


@action("mapper", record="record_ids")
def ignore_records(
    actor: Actor, record_ids: Sequence[int], because: str = "", *, epochs: Mapping[int, int] | None = None
) -> StepOutcome:
    """No data from these; the mapping is taken away and remembered, imported findings stay."""
    reason = clean_text(because, "reason")
    return decide(
        actor,
        record_ids,
        epochs,
        lambda ids: writer.ignore_records(actor, ids, reason),
        lambda record: f"Is ignored; it flowed into «{record.product_name}»." if record.product_name else "Is ignored.",
    )


@action("mapper", record="record_ids")
def restore_records(
    actor: Actor, record_ids: Sequence[int], *, to_earlier: bool = False, epochs: Mapping[int, int] | None = None
) -> StepOutcome:
    """Back to New, or (`to_earlier`) at once back to the Product it was mapped to before."""
    if to_earlier:
        return restore_to_earlier(actor, record_ids, epochs)
    return decide(
        actor,
        record_ids,
        epochs,
        lambda ids: writer.restore_records(actor, ids),
        restored_sentence,
        unless=lambda record: "Is New already." if record.decision == "undecided" else None,
    )


@action("mapper", record="record_ids")
def delete_records(actor: Actor, record_ids: Sequence[int], *, epochs: Mapping[int, int] | None = None) -> StepOutcome:
    """Gone from the lists; imported findings stay. A Discover that still sees the VEP brings it back as New."""
    return decide(
        actor,
        record_ids,
        epochs,
        lambda ids: writer.delete_records(actor, ids),
        lambda record: "Is deleted; Discover brings it back if it is still in the tool.",
    )


@action("mapper", record="record_id", step="step")
def undo(actor: Actor, *, step: UUID | None = None, record_id: int | None = None) -> StepOutcome:
    """Takes back a whole step, or the last decision on one Record: until a Sync wrote under it or it was decided again.

    Raises NotThere where there is nothing to undo. An undo is not undone itself: decide anew.
    """
    if (step is None) == (record_id is None):
        raise Refused("It is not clear what to undo.", "Name a Record or a step, not both.")
    step, records = (step, records_of_step(step)) if step is not None else last_step(actor, record_id or 0)
    if not records:
        raise NotThere(f"There is no step {step}.", "The history of a Record says its steps: tidegate record show")
    with acting(str(actor), step=undo_step(step)):
        writer.hold_records(records)
        there = dict(Record.objects.filter(pk__in=records).order_by("pk").values_list("pk", "changing_operation_id"))
        whys = {id: why_changing(by) for id, by in there.items() if by is not None}
        theirs = made_by(actor, step)
        undone = undo_records(step, [id for id in records if id not in whys])
        if not theirs:
            demand(actor, "mapper", "product", products_of(undone.answers), "bring them back into this Product")
        changes = put_back(actor, step, undone.back)
    told = {id: None if (why := undone.answers.get(id)) is None else f"Cannot be undone: {why}." for id in there}
    told |= {id: f"{why}." for id, why in whys.items()}
    items = [Item(id, told[id] is None, told[id] or undone_sentence(actor, changes.get(id))) for id in there]
    return StepOutcome(None, tuple(items), numbers(changes))


# What the actions share


def locked(record_ids: Sequence[int]) -> dict[int, Deciding]:
    """The Records, locked. Raises NotThere if one does not exist, or its Connection was deleted."""
    records: dict[int, Deciding] = {}

    def there(ids: list[int]) -> list[int]:
        records.update(lock_records(ids))
        return [id for id, record in records.items() if not record.connection_deleted]

    wanted(record_ids, "Record", there)
    return records


def why_not_decide(record: Deciding, epochs: Mapping[int, int]) -> str | None:
    """Why a person cannot decide this Record now; None where they can."""
    if record.deleted_at is not None:
        return "It was deleted; Discover brings it back if it is still in the tool."
    if record.changing_operation_id is not None:
        return f"{why_changing(record.changing_operation_id)}."
    if record.id in epochs and epochs[record.id] != record.epoch:
        last = last_decision(record.id)
        by = f" by {last.actor} {ago(last.at, timezone.now())}" if last else ""
        return f"It was decided{by}, after you looked at it. Look at it again, then decide."
    return None


def decide(
    actor: Actor,
    record_ids: Sequence[int],
    epochs: Mapping[int, int] | None,
    write: Callable[[list[int]], None],
    told: Callable[[Deciding], str],
    unless: Callable[[Deciding], str | None] = lambda record: None,
) -> StepOutcome:
    """Locks, refuses what cannot be decided now, writes the rest as one step."""
    step = uuid4()
    with acting(str(actor), step=step):
        records = locked(record_ids)
        refusals = {id: why for id, record in records.items() if (why := why_not_decide(record, epochs or {}))}
        free = {id: record for id, record in records.items() if id not in refusals}
        done = {id: unless(record) or "" for id, record in free.items()}
        changing = [id for id in free if not done[id]]
        if changing:
            write(changing)
    done |= {id: told(free[id]) for id in changing}
    return StepOutcome(step if changing else None, answers(records, refusals, done))


def made_by(actor: Actor, step: UUID) -> bool:
    """Whether the step was all theirs: whoever may do something may take it back."""
    return not RecordHistory.objects.filter(step=step).exclude(actor=str(actor)).exists()


def products_of(record_ids: Iterable[int]) -> list[int]:
    """The Products that these Records flow into."""
    flowing = Record.objects.filter(pk__in=list(record_ids), feed__isnull=False)
    return sorted(set(flowing.values_list("feed__test__engagement__product_id", flat=True)))


def answers(records: Mapping[int, Deciding], refusals: Mapping[int, str], done: Mapping[int, str]) -> tuple[Item, ...]:
    return tuple(Item(id, id not in refusals, refusals.get(id) or done[id]) for id in records)


def existing_product(actor: Actor, product_id: int) -> Product:
    demand(actor, "mapper", "product", [product_id], "map to this Product")
    if not keep_products([product_id]):
        raise NotThere(f"There is no Product {product_id}.", "See what there is: tidegate product list")
    return Product.objects.get(pk=product_id)


def made_product(actor: Actor, name: str, product_type: str | None) -> Product:
    """A new Product. Raises Refused where one of that name is there."""
    name = clean_name(name, "name of the Product")
    kind = product_type_named(product_type or IMPORTED)
    if not actor.access.may("mapper", Place(product_type_id=kind)):
        demand_everywhere(actor, "mapper", "make Products there")
    made = make_products(actor, [name], kind)
    if name not in made:
        raise Refused(
            f"There is a Product «{name}» already.", f"Map to it: --product {name!r}, or choose another name."
        )
    return Product(pk=made[name], name=name)


def names_like(name: str) -> list[str]:
    """Of the Products that may be seen."""
    seen = visible(product="pk", product_type="product_type_id")
    return list(Product.objects.filter(seen, name__iexact=name).values_list("name", flat=True))


def to_one(records: Sequence[Deciding], product_id: int) -> dict[int, int]:
    return {record.id: product_id for record in records}


def remap(
    actor: Actor,
    step: UUID,
    targets: Mapping[int, int],
    records: Sequence[Deciding],
    already_imported: Imported,
) -> dict[int, int]:
    """Maps locked Records, each to its Product, and does with findings what was chosen; `records` are those of them
    that flow somewhere now, or more. Where findings are many, a change does that: by Record the Operation that has its
    findings now."""
    if not targets:
        return {}
    feeds = {record.id: record.feed_id for record in records if record.feed_id is not None}
    goings: list[Going] = []
    if already_imported == "move":
        goings = findings.move_feeds({record: targets[record] for record in feeds}, feeds)
    elif already_imported == "close":
        goings = [Going(record, feed) for record, feed in feeds.items()]
    before = {
        record.id: (record.product_id, record.product_name or "") for record in records if record.product_id is not None
    }
    writer.map_records(actor, targets, before)
    closes = already_imported == "close"
    there = findings.findings_in([going.source for going in goings], open_only=closes)
    goings = [going for going in goings if going.source in there]
    if sum(there.values()) > findings.AT_ONCE:
        many = {going.record: there[going.source] for going in goings}
        change = "close" if closes else "move"
        asked = findings.request_remap(change, goings, many, actor=actor, step=step, sync_after=UNDO_SECONDS)
        return {record: operation for operation, records in asked.items() for record in records}
    if closes:
        findings.close_findings_of(str(actor), str(step), [going.source for going in goings])
        return {}
    for going in goings:
        findings.merge(str(actor), str(step), going)
        findings.exchange_proofs(going)
    return {}


def put_back(actor: Actor, step: UUID, goings: Sequence[Going]) -> dict[int, int]:
    """Undoes what a step did to findings; what was a change is undone by one: by Record its Operation."""
    by_change = findings.changes_of(step)
    many = [going for going in goings if going.record in by_change]
    touched = findings.feeds_of_step(str(step)) if goings else set[int]()
    for going in goings:
        if going.record not in by_change and touched & {going.source, going.destination}:
            did = findings.put_back(str(actor), str(step), going)
            if did["moved_back"] or did["unmerged"]:
                findings.exchange_proofs(going)
    if not many:
        return {}
    many = [findings.going_back(going, step, by_change[going.record]) for going in many]
    sizes = {going.record: findings.to_put_back(going, by_change[going.record]) for going in many}
    asked = findings.request_remap("put back", many, sizes, actor=actor, step=undo_step(step), of=step)
    return {record: operation for operation, records in asked.items() for record in records}


def numbers(changes: Mapping[int, int]) -> tuple[int, ...]:
    return tuple(sorted(set(changes.values())))


def sync_after_undo_time(actor: Actor, record_ids: Sequence[int]) -> None:
    """Their findings flow by themselves, once there was time to undo: it can be until a Sync wrote under it."""
    flowing = Record.objects.filter(pk__in=record_ids, absent_since=None, connection__paused_at=None)
    records: dict[int, list[int]] = {}
    for record, connection in flowing.order_by("connection_id", "pk").values_list("pk", "connection_id"):
        records.setdefault(connection, []).append(record)
    for connection, ids in records.items():
        request_operation("sync", connection, actor=str(actor), trigger=actor.trigger, records=ids, delay=UNDO_SECONDS)


def mapped_sentence(record: Deciding, product: str, already_imported: Imported, changes: Mapping[int, int]) -> str:
    if record.product_name == product:
        return f"Flows into «{product}» already."
    if record.product_name is None:
        return f"Flows into «{product}» from the next Sync on."
    if record.id in changes:
        left = IN_A_CHANGE[already_imported].format(record.product_name, changes[record.id])
    else:
        left = IMPORTED_CHOICES[already_imported].format(record.product_name)
    return f"Flows into «{product}» from the next Sync on; {left}."


def undone_sentence(actor: Actor, change: int | None) -> str:
    if change is None:
        return f"Is as it was before {actor} undid it."
    return f"Flows as it did before {actor} undid it; Operation {change} puts its findings back."


def restored_sentence(record: Deciding) -> str:
    if record.earlier_product_id is not None and record.decision == "ignored":
        return f"Is New again. It was mapped to «{record.earlier_product_name}»: restore it there with --to-earlier."
    return "Is New again."


def restore_to_earlier(actor: Actor, record_ids: Sequence[int], epochs: Mapping[int, int] | None) -> StepOutcome:
    step = uuid4()
    with acting(str(actor), step=step):
        records = locked(record_ids)
        refusals = {
            id: why
            for id, record in records.items()
            if (why := why_not_decide(record, epochs or {}) or why_not_to_earlier(record))
        }
        free = {id: record for id, record in records.items() if id not in refusals}
        targets = {
            id: record.earlier_product_id for id, record in free.items() if record.earlier_product_id is not None
        }
        demand(actor, "mapper", "product", sorted(set(targets.values())), "map to the earlier Product again")
        keep_products(set(targets.values()))
        if targets:
            writer.map_records(actor, targets)
            sync_after_undo_time(actor, list(targets))
    done = {id: f"Flows into «{record.earlier_product_name}» again." for id, record in free.items()}
    return StepOutcome(step if targets else None, answers(records, refusals, done))


def why_not_to_earlier(record: Deciding) -> str | None:
    if record.decision == "mapped" and not record.target_lost:
        return f"It is mapped to «{record.product_name}» now; map it where it should go."
    if record.earlier_product_id is not None:
        return None
    if record.earlier_product_name:
        return f"Its earlier Product «{record.earlier_product_name}» was deleted; map it to another."
    return "It was never mapped before; map it to a Product."


def last_step(actor: Actor, record_id: int) -> tuple[UUID, list[int]]:
    """The step of the last decision on the Record, and for whom it is undone: for this one alone, but that two which
    exchanged their ids go back together."""
    records = locked([record_id])
    last = last_decision(record_id)
    if last is None:
        raise NotThere(f"{records[record_id].name} was not decided yet.", "There is nothing to undo.")
    if last.step is None:
        sentence = f"The last decision on {records[record_id].name}, by {last.actor}, was no step of Tidegate."
        raise Refused(sentence, "Decide anew.")
    if not gave_ids(record_id, last.step):
        return last.step, [record_id]
    both = records_of_step(last.step)
    demand(actor, "mapper", "record", both, "undo")
    return last.step, both
