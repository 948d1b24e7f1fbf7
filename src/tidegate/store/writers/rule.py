"""Mapping rules kept, and what they say of Records carried out; the caller has the transaction open.

Records come in batches, by id, each locked before it is looked at, so a hundred thousand take the memory of one batch.
All that the rules of one Discover do is one step, and in history each Record names the rule that decided it.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID

from django.db.models import Q
from django.db.models.functions import Now

from tidegate.rules.actor import Actor
from tidegate.rules.mapping import Compiled, Decided, MappingRule, Vep, compiled, decide
from tidegate.rules.version import version_of_facts
from tidegate.store import models
from tidegate.store.models import Connection
from tidegate.store.statement import rows_of
from tidegate.store.writers.product import keep_products, make_products, product_type_named, products_named
from tidegate.store.writers.record import (
    acting_for_now,
    ignore_records,
    map_records,
    product_type_of,
    restore_records,
)

BATCH: Final = 5_000


def rules_of(connection_id: int) -> list[MappingRule]:
    """The rules of a Connection, in their order."""
    return [rule_of(row) for row in stored_rules(connection_id)]


def stored_rules(connection_id: int) -> Iterable[models.MappingRule]:
    return models.MappingRule.objects.filter(connection_id=connection_id).order_by("position")


def rule_of(row: models.MappingRule) -> MappingRule:
    """The rule in a row of the table, whose constraints hold its words."""
    words: Any = {"field": row.field, "syntax": row.syntax, "answer": row.answer}
    return MappingRule(
        pattern=row.pattern,
        attribute=row.attribute,
        case_matters=row.case_matters,
        product_id=row.product_id,
        product=row.product_name,
        template=row.template,
        because=row.because,
        product_type=row.product_type,
        tags=tuple(row.tags),
        **words,
    )


def facts_of(rule: MappingRule) -> dict[str, Any]:
    """A rule as its row holds it."""
    return {
        "field": rule.field,
        "attribute": rule.attribute,
        "pattern": rule.pattern,
        "syntax": rule.syntax,
        "case_matters": rule.case_matters,
        "answer": rule.answer,
        "product_id": rule.product_id,
        "product_name": rule.product,
        "template": rule.template,
        "because": rule.because,
        "product_type": rule.product_type,
        "tags": list(rule.tags),
    }


def save_rules(actor: Actor, connection_id: int, rules: Sequence[tuple[int | None, MappingRule]]) -> list[int]:
    """These are the rules of the locked Connection from now on, in this order, those with a number under that number;
    others go. Only what differs is written. Returns their numbers."""
    before = {row.pk: row for row in stored_rules(connection_id)}
    kept = {number for number, _ in rules if number is not None}
    models.MappingRule.objects.filter(connection_id=connection_id).exclude(pk__in=kept).delete()
    numbers: list[int] = []
    for position, (number, rule) in enumerate(rules, start=1):
        facts = {"position": position, **facts_of(rule)}
        changed = {"changed_at": Now(), "changed_by": str(actor)}
        if number is None:
            made = models.MappingRule.objects.create(connection_id=connection_id, **facts, changed_by=str(actor))
            numbers.append(made.pk)
            continue
        if facts_of(rule_of(before[number])) != facts_of(rule):
            models.MappingRule.objects.filter(pk=number).update(**facts, **changed)
        elif before[number].position != position:
            models.MappingRule.objects.filter(pk=number).update(position=position)
        numbers.append(number)
    return numbers


# What they say, carried out


@dataclass
class Applied:
    """What rules did, counted, and the Records that wait for a person: a rule matches them and cannot decide."""

    counts: Counter[str] = field(default_factory=Counter[str])
    waiting: list[int] = field(default_factory=list[int])
    mapped: list[int] = field(default_factory=list[int])


def apply_rules(connection_id: int, operation_id: int | None, step: UUID, *, again: bool = False) -> Applied:
    """Lets the rules of a Connection decide its undecided Records, and with `again` anew those that rules decided."""
    applied = Applied()
    rules = rules_of(connection_id)
    if not rules and not again:
        return applied
    connection, ready = Connection.objects.get(pk=connection_id), compiled(rules)
    for rows in batches(connection_id, again=again):
        apply_to(rows, ready, connection, operation_id, step, applied)
    return applied


def batches(connection_id: int, *, again: bool) -> Iterator[list[dict[str, Any]]]:
    after = 0
    while rows := next_batch(connection_id, after, again=again, batch=BATCH):
        yield rows
        after = rows[-1]["id"]


def next_batch(connection_id: int, after: int, *, again: bool, batch: int) -> list[dict[str, Any]]:
    """The next Records that rules may decide, locked."""
    return rows_of("records_for_rules", connection=connection_id, after=after, batch=batch, again=again)


def records_for_rules(connection_id: int) -> int:
    """How many Records rules may decide, where they decide anew: about, since nobody holds them."""
    there = models.Record.objects.filter(connection_id=connection_id, deleted_at=None, absent_since=None)
    there = there.filter(hands_off=False, changing_operation=None)
    return there.filter(Q(decision="undecided") | Q(finalized_how="rule")).count()


def version_of_rules(rules: Iterable[MappingRule]) -> str:
    """Changes whenever what these rules decide could."""
    return version_of_facts([facts_of(rule) for rule in rules])


def apply_to(
    rows: Sequence[dict[str, Any]],
    rules: Compiled,
    connection: Connection,
    operation_id: int | None,
    step: UUID,
    applied: Applied,
) -> None:
    """One batch: each rule writes once for all that it decides."""
    said: dict[int, tuple[Decided, list[dict[str, Any]]]] = {}
    loose: list[int] = []
    for row in rows:
        vep = Vep(row["name"], row["parent"], row["vendor_id"], json.loads(row["attributes"]))
        decided = decide(rules, vep)
        if decided is None:
            loose += [row["id"]] if row["decision"] != "undecided" else []
        elif decided.kind == "waits":
            applied.waiting.append(row["id"])
        else:
            said.setdefault(decided.number, (decided, []))[1].append({**row, "wanted": decided.product})
    for decided, matched in said.values():
        actor = Actor("rule", decided.by)
        with acting_for_now(actor, operation_id, step):
            (_ignore if decided.kind == "ignore" else _map)(actor, decided.rule, matched, connection, applied)
    if loose:
        actor = Actor("rule", "none matches any more")
        with acting_for_now(actor, operation_id, step):
            restore_records(actor, loose)
        applied.counts["let_go_by_rules"] += len(loose)


def _ignore(
    actor: Actor, rule: MappingRule, matched: Sequence[dict[str, Any]], connection: Connection, applied: Applied
) -> None:
    changing = [row["id"] for row in matched if row["decision"] != "ignored" or row["ignored_because"] != rule.because]
    if changing:
        ignore_records(actor, changing, rule.because)
        applied.counts["ignored_by_rules"] += len(changing)


def _map(
    actor: Actor, rule: MappingRule, matched: Sequence[dict[str, Any]], connection: Connection, applied: Applied
) -> None:
    targets = _targets(actor, rule, matched, connection, applied)
    changing = {row["id"]: row for row in matched if targets.get(row["id"]) not in (None, row["product_id"])}
    applied.waiting += [row["id"] for row in matched if row["id"] not in targets]
    if not changing:
        return
    before = {
        record: (row["product_id"], row["product_name"])
        for record, row in changing.items()
        if row["product_id"] is not None
    }
    map_records(actor, {record: targets[record] for record in changing}, before)
    applied.counts["mapped_by_rules"] += len(changing)
    applied.mapped += changing


def _targets(
    actor: Actor, rule: MappingRule, matched: Sequence[dict[str, Any]], connection: Connection, applied: Applied
) -> dict[int, int]:
    """The Product of each Record, kept from being deleted; made where the rule names one that is not there."""
    if rule.answer == "product":
        there = keep_products([rule.product_id or 0])
        return {row["id"]: rule.product_id for row in matched if rule.product_id in there and rule.product_id}
    wanted = {row["wanted"] for row in matched}
    products = products_named(wanted)
    while missing := sorted(wanted - products.keys()):
        kind = product_type_named(rule.product_type) if rule.product_type else product_type_of(connection)
        made = make_products(actor, missing, kind, rule.tags)
        applied.counts["products_made"] += len(made)
        products |= made | products_named(set(missing) - made.keys())  # somebody else may have made it meanwhile
    there = keep_products(products.values())
    return {row["id"]: products[row["wanted"]] for row in matched if products[row["wanted"]] in there}
