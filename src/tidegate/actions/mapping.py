"""What a person may do to many mappings at once: bring a file of them in, as one step.

First the file is read and compared, line by line, with what is stored; then, in one transaction, what differs is
decided. A Record that somebody decided in between is left to them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final
from uuid import UUID, uuid4

from tidegate.actions.action import action, demand, demand_everywhere
from tidegate.actions.errors import Refused
from tidegate.actions.record import sync_after_undo_time, why_not_decide
from tidegate.ingest.apply import again_after_deadlock
from tidegate.reads.mapping import MappingRow, mappings_of
from tidegate.reads.viewer import visible
from tidegate.rules.actor import Actor
from tidegate.rules.mapping_file import DECISIONS, FileLine, FileRefused, lines
from tidegate.rules.names import NameRefused, clean_name, clean_text
from tidegate.store.acting import acting
from tidegate.store.models import Connection, Product
from tidegate.store.writers import record as writer
from tidegate.store.writers.product import IMPORTED, keep_products, make_products, product_type_named, products_named
from tidegate.store.writers.record import lock_records

BATCH: Final = 5_000


@dataclass(frozen=True)
class Line:
    """What became of one line that differs from what is stored; `ok` is False where nothing was done."""

    number: int
    record_id: int | None
    ok: bool
    sentence: str


@dataclass(frozen=True)
class MappingsImported:
    """`step` undoes all of it; None where nothing was done. Lines that change nothing are only counted."""

    preview: bool
    step: UUID | None
    lines: tuple[Line, ...]
    unchanged: int


@dataclass(frozen=True)
class Change:
    """What a line asks for."""

    line: int
    record: int
    epoch: int
    decision: str
    product: str = ""
    product_type: str = ""
    reason: str = ""
    before: str = ""
    """The Product it was mapped to."""


@dataclass
class Read:
    """What was read of a file."""

    changes: list[Change] = field(default_factory=list[Change])
    wrong: list[Line] = field(default_factory=list[Line])
    unchanged: int = 0


@action("mapper", at_once=False, begins=True, anywhere=True)
def import_mappings(actor: Actor, file: Iterable[str], *, preview: bool = False) -> MappingsImported:
    """Brings mappings in, as `reads.mapping.mappings_csv` writes them: lines that differ from what is stored are
    decided as one step, others change nothing. What was imported before a remap stays where it is. A `preview` only
    says it.

    Raises Refused where the file as a whole cannot be read; what is wrong with a line is in its answer.
    """
    read = Read()
    try:
        _compare(lines(file), read)
    except FileRefused as refused:
        raise Refused(str(refused), "Nothing was changed. Begin with: tidegate mapping export") from refused
    except UnicodeDecodeError as refused:
        raise Refused("The file is not UTF-8.", "Nothing was changed. Save it as CSV in UTF-8.") from refused
    if preview:
        told = [Line(one.line, one.record, True, _sentence(one, preview=True)) for one in read.changes]
        return MappingsImported(True, None, _sorted(told, read.wrong), read.unchanged)
    if not read.changes:
        return MappingsImported(False, None, _sorted((), read.wrong), read.unchanged)
    return again_after_deadlock(lambda: _carried_out(actor, read))


# Reading and comparing


def _compare(file: Iterator[FileLine], read: Read) -> None:
    connections = dict(Connection.objects.filter(deleted_at=None).values_list("label", "pk"))
    seen = set(Connection.objects.filter(visible(connection="pk"), deleted_at=None).values_list("pk", flat=True))
    said: dict[int, int] = {}
    while batch := list(islice(file, BATCH)):
        keys = [(connections.get(line["connection"] or "", 0), line["vendor_id"] or "") for line in batch]
        asked = [(connection, id) for connection, id in keys if connection and "\0" not in id]
        known = mappings_of(asked)
        named = {name for line in batch if (name := line["product"]) and "\0" not in name}
        types = _types(named)
        for line, key in zip(batch, keys, strict=True):
            row = known.get(key)
            wanted = _wanted(line, row, types) if row else _unknown(line, key[0] in seen)
            if row is not None and not isinstance(wanted, str) and row.id in said:
                wanted = f"Line {said[row.id]} decides the same Record."
            if isinstance(wanted, str):
                read.wrong.append(Line(line.number, row.id if row else None, False, wanted))
            elif wanted is None:
                read.unchanged += 1
            else:
                read.changes.append(wanted)
            if row is not None:
                said.setdefault(row.id, line.number)


def _types(names: set[str]) -> dict[str, str]:
    """The Product Type of each of these Products that is there, and may be seen."""
    seen = Product.objects.filter(visible(product="pk", product_type="product_type_id"), name__in=names)
    return dict(seen.values_list("name", "product_type__name"))


def _unknown(line: FileLine, connection_is_there: bool) -> str:
    """The same words for a Connection that is not there and for one that may not be seen."""
    if line.problem:
        return line.problem
    if not connection_is_there:
        return f"There is no Connection «{(line['connection'] or '')[:80]}»."
    return f"«{line['connection']}» has no Record of the id «{(line['vendor_id'] or '')[:80]}»."


def _wanted(line: FileLine, row: MappingRow, types: Mapping[str, str]) -> Change | str | None:
    """What the line asks for; what is wrong with it; or None where it says what is stored."""
    for column in ("name", "parent"):
        if (said := line[column]) is not None and said != (stored := getattr(row, column)):
            return (
                f"Its {column} is «{said[:80]}» here and «{stored[:80]}» in the tool: is it the right line? Names are"
                " the tool's and are not changed by a file."
            )
    decision = (line["decision"] or "").strip().lower()
    if decision not in DECISIONS:
        return f"«{decision[:80]}» is no decision; write new, mapped or ignored."
    told = {column: _kept(line[column], getattr(row, column)) for column in ("product", "product_type", "reason")}
    if decision == row.decision and all(told[column] == getattr(row, column) for column in told):
        return None
    try:
        return _change(line, row, decision, told, types)
    except NameRefused as refused:
        return str(refused)


def _kept(said: str | None, stored: str) -> str:
    """A column that the file lacks says what is stored."""
    return stored if said is None else said


def _change(
    line: FileLine, row: MappingRow, decision: str, told: Mapping[str, str], types: Mapping[str, str]
) -> Change | str:
    asked = {"line": line.number, "record": row.id, "epoch": row.epoch, "decision": decision, "before": row.product}
    gone = (
        "" if decision == row.decision else row.decision
    )  # what belonged to the decision before may still stand there
    if decision != "ignored" and told["reason"] and (not gone or told["reason"] != row.reason):
        return "It has a reason, and only what is ignored has one."
    if decision != "mapped":
        if told["product"] and (not gone or told["product"] != row.product):
            return f"It names the Product «{told['product'][:80]}», and only what is mapped has one."
        reason = clean_text(told["reason"], "reason") if decision == "ignored" else ""
        return Change(**asked, reason=reason) if decision != row.decision or reason != row.reason else _nothing()
    if not told["product"]:
        return "It is to be mapped, and no Product is named."
    product = clean_name(told["product"], "name of the Product")
    kind = clean_name(told["product_type"], "name of the Product Type") if told["product_type"] else ""
    there = types.get(product) or types.get(told["product"], "")
    moved_along = (
        kind == row.product_type and product != row.product
    )  # the type of the Product before still stands there
    if there and kind and kind != there and not moved_along:
        return f"«{product}» is of the Product Type «{there}»; a mapping does not change that."
    if product == row.product:
        return _nothing()
    return Change(**asked, product=product, product_type="" if there else kind)


def _nothing() -> str:
    return "It differs from what is stored in nothing that can be decided."


# Carrying it out


def _carried_out(actor: Actor, read: Read) -> MappingsImported:
    step = uuid4()
    done: list[Line] = []
    with acting(str(actor), step=step):
        demand(actor, "mapper", "record", [one.record for one in read.changes], "decide about these Records")
        products = _products(actor, read.changes)
        mapped: list[int] = []
        changes = sorted(read.changes, key=lambda one: one.record)  # Records are locked by id
        for start in range(0, len(changes), BATCH):
            done += _decide(actor, changes[start : start + BATCH], products, mapped)
        sync_after_undo_time(actor, mapped)
    wrote = any(line.ok for line in done)
    return MappingsImported(False, step if wrote else None, _sorted(done, read.wrong), read.unchanged)


def _products(actor: Actor, changes: Sequence[Change]) -> dict[str, int]:
    """The Product of each name, made where it is not there, and kept until the end."""
    kinds = {one.product: one.product_type or IMPORTED for one in changes if one.product}
    found = products_named(kinds.keys())
    seen = _types(set(found))
    if seen:
        demand(actor, "mapper", "product", sorted(found[name] for name in seen), "map to these Products")
    if len(seen) < len(kinds):  # whoever may not see a Product hears of it what they hear of none
        demand_everywhere(actor, "mapper", "make Products")
    for kind in sorted({kind for name, kind in kinds.items() if name not in found}):
        missing = sorted(name for name, of in kinds.items() if of == kind and name not in found)
        made = make_products(actor, missing, product_type_named(kind))
        found |= made | products_named(set(missing) - made.keys())
    there = keep_products(found.values())
    return {name: number for name, number in found.items() if number in there}


def _decide(actor: Actor, changes: Sequence[Change], products: Mapping[str, int], mapped: list[int]) -> list[Line]:
    records = lock_records(one.record for one in changes)
    done: list[Line] = []
    free: list[Change] = []
    for one in changes:
        record = records.get(one.record)
        why = why_not_decide(record, {one.record: one.epoch}) if record else "It is no longer there."
        if why is None and one.product and one.product not in products:
            why = f"«{one.product}» was deleted just now."
        if why is None:
            free.append(one)
        done.append(Line(one.line, one.record, why is None, why or _sentence(one, preview=False)))
    by_decision = {word: [one for one in free if one.decision == word] for word in DECISIONS}
    targets = {one.record: products[one.product] for one in by_decision["mapped"]}
    before = {
        id: (product, records[id].product_name or "")
        for id in targets
        if (product := records[id].product_id) is not None
    }
    if targets:
        writer.map_records(actor, targets, before)
        mapped += targets
    if ignored := by_decision["ignored"]:
        writer.ignore_records(actor, [one.record for one in ignored], [one.reason for one in ignored])
    if restored := by_decision["new"]:
        writer.restore_records(actor, [one.record for one in restored])
    return done


def _sentence(one: Change, *, preview: bool) -> str:
    if one.decision == "mapped":
        was = f"; what was imported stays in «{one.before}»" if one.before else ""
        return f"{'Would flow' if preview else 'Flows'} into «{one.product}» from the next Sync on{was}."
    would = "Would be" if preview else "Is"
    return f"{would} ignored." if one.decision == "ignored" else f"{would} New again."


def _sorted(done: Iterable[Line], wrong: Iterable[Line]) -> tuple[Line, ...]:
    return tuple(sorted((*done, *wrong), key=lambda line: line.number))
