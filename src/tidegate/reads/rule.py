"""Mapping rules of a Connection, and what a set of them would decide, tried on all its Records before it is saved."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta

from tidegate.reads.managed import managed_by
from tidegate.reads.version import version_of_rule
from tidegate.reads.viewer import sees, visible
from tidegate.rules.access import Place
from tidegate.rules.mapping import Compiled, Decided, MappingRule, Vep, compiled, decide, rule_name
from tidegate.store import models
from tidegate.store.writers.rule import rule_of, rules_of, stored_rules

BATCH: Final = 5_000
LISTED: Final = 1_000
"""Differences that are listed; all are counted."""


class RuleRow(msgspec.Struct, frozen=True, kw_only=True):
    """One rule."""

    id: Annotated[int, Meta(description="Its number.")]
    position: Annotated[int, Meta(description="Its place: the first that matches wins.")]
    field: Annotated[str, Meta(description="What it looks at: `name`, `parent` or `attribute`.")]
    attribute: Annotated[str, Meta(description="Which attribute; empty where none.")]
    pattern: Annotated[str, Meta(description="What it must be like.")]
    syntax: Annotated[str, Meta(description="`glob` or `regex`.")]
    case_matters: Annotated[bool, Meta(description="Small letters and capitals differ.")]
    answer: Annotated[str, Meta(description="`product`, `template` or `ignore`.")]
    product_id: Annotated[int | None, Meta(description="The Product; null where none is named, or it was deleted.")]
    product: Annotated[str, Meta(description="The name of that Product; empty where none is named.")]
    template: Annotated[str, Meta(description="What the Product is called, as in `{org}/{name}`; else empty.")]
    because: Annotated[str, Meta(description="Why it ignores; else empty.")]
    product_type: Annotated[str, Meta(description="The Product Type of Products it makes; empty: the Connection's.")]
    tags: Annotated[list[str], Meta(description="The tags of Products it makes.")]
    words: Annotated[str, Meta(description="All that as a person would say it.")]
    problem: Annotated[str, Meta(description="Why it cannot decide as it is; empty where it can.")]
    version: Annotated[str, Meta(description="Changes with it: what `If-Match` names when it is edited by the API.")]
    changed_at: Annotated[datetime, Meta(description="When it was last changed.")]
    changed_by: Annotated[str, Meta(description="Who changed it.")]


class RuleList(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of one Connection, in their order."""

    connection_id: Annotated[int, Meta(description="The Connection's number.")]
    connection: Annotated[str, Meta(description="The Connection's label.")]
    rules: Annotated[list[RuleRow], Meta(description="The rules; the first that matches wins.")]
    managed_by: Annotated[str | None, Meta(description="The configuration file that manages them, or null.")]


class RulesSaved(msgspec.Struct, frozen=True, kw_only=True):
    """The answer to a change of mapping rules."""

    rules: Annotated[list[RuleRow], Meta(description="The rules as they are now, in their order.")]
    step: Annotated[
        str | None, Meta(description="What `record undo --step` takes back of --again; null where nothing.")
    ]
    counts: Annotated[dict[str, int], Meta(description="What --again did at once, counted.")]
    operation: Annotated[int | None, Meta(description="The change that does it, where Records are many; or null.")]


class RuleCount(msgspec.Struct, frozen=True, kw_only=True):
    """How much one rule would decide."""

    rule: Annotated[str, Meta(description="Its place and what it matches; empty: none matches.")]
    records: Annotated[int, Meta(description="Records that it is the first to match.")]
    changes: Annotated[int, Meta(description="Of these, Records that would be decided otherwise than they are.")]


class RuleDifference(msgspec.Struct, frozen=True, kw_only=True):
    """One Record that would be decided otherwise than it is."""

    record_id: Annotated[int, Meta(description="The Record's number.")]
    record: Annotated[str, Meta(description="The Record's name.")]
    before: Annotated[str, Meta(description="What it is, in words.")]
    after: Annotated[str, Meta(description="What it would be, in words.")]
    why: Annotated[str, Meta(description="Which rule says so.")]


class RulesTried(msgspec.Struct, frozen=True, kw_only=True):
    """What a set of rules would do to the Records of a Connection."""

    connection_id: Annotated[int, Meta(description="The Connection's number.")]
    records: Annotated[int, Meta(description="Records that were looked at: all.")]
    counts: Annotated[
        dict[str, int],
        Meta(
            description="`decides` and `decides_again` are the difference; `same`, `left_to_people` (a person or"
            " auto-map decided, or it is hands off), `gone`, `waits` and `no_rule` stay as they are."
        ),
    ]
    rules: Annotated[list[RuleCount], Meta(description="Rule by rule.")]
    differences: Annotated[list[RuleDifference], Meta(description=f"The first {LISTED:,} of the difference.")]


def rules(connection_id: int) -> RuleList | None:
    """The rules of a Connection; None where there is none of this number."""
    there = models.Connection.objects.filter(visible(connection="pk"), pk=connection_id, deleted_at=None)
    connection = there.first()
    if connection is None:
        return None
    return RuleList(
        connection_id=connection.pk,
        connection=connection.label,
        rules=[_row(row) for row in stored_rules(connection_id)],
        managed_by=managed_by("rules", [connection_id]).get(connection_id),
    )


def stored(rule_id: int) -> tuple[int, MappingRule] | None:
    """The Connection of one rule, and the rule."""
    there = models.MappingRule.objects.filter(visible(connection="connection_id"), connection__deleted_at=None)
    found = there.filter(pk=rule_id).first()
    return None if found is None else (found.connection_id, rule_of(found))


def stored_of(connection_id: int) -> list[MappingRule]:
    """The rules of a Connection as they are tried and saved."""
    return rules_of(connection_id) if sees(Place(connection_id=connection_id)) else []


def try_rules(
    connection_id: int,
    tried: Sequence[MappingRule] | None = None,
    *,
    one_more: MappingRule | None = None,
    position: int | None = None,
    again: bool = False,
) -> RulesTried:
    """What these rules, or those that are stored, would decide of all Records: nothing is written. `one_more` stands
    among them at its position, or as the last. `again` as when they are saved: what rules decided before is decided
    anew."""
    wanted = list(stored_of(connection_id) if tried is None else tried)
    if one_more is not None:
        wanted.insert(len(wanted) if position is None else position - 1, one_more)
    ready = compiled(wanted)
    counts: Counter[str] = Counter()
    matched: Counter[int] = Counter()
    changing: Counter[int] = Counter()
    differences: list[RuleDifference] = []
    for row in _records(connection_id):
        vep = Vep(row["name"], row["parent"], row["vendor_id"], row["attributes"])
        decided = decide(ready, vep)
        number = 0 if decided is None else decided.number
        kind = _kind(row, decided, again=again)
        counts[kind] += 1
        matched[number] += 1
        if kind in ("decides", "decides_again"):
            changing[number] += 1
            if len(differences) < LISTED:
                differences.append(_difference(row, decided))
    return RulesTried(
        connection_id=connection_id,
        records=matched.total(),
        counts=dict(counts),
        rules=list(_by_rule(ready, matched, changing)),
        differences=differences,
    )


def _records(connection_id: int) -> Iterator[dict[str, Any]]:
    """All Records, batch by batch, by id."""
    there = models.Record.objects.filter(visible(connection="connection_id"), deleted_at=None)
    there = there.filter(connection_id=connection_id).order_by("pk")
    product = "feed__test__engagement__product"
    facts = ("pk", "name", "parent", "vendor_id", "attributes", "decision", "finalized_how", "hands_off")
    facts += ("absent_since", "changing_operation_id", "ignored_because", f"{product}_id", f"{product}__name")
    after = 0
    while rows := list(there.filter(pk__gt=after).values(*facts)[:BATCH]):
        for row in rows:
            yield row | {"product_id": row[f"{product}_id"], "product": row[f"{product}__name"]}
        after = rows[-1]["pk"]


def _kind(row: dict[str, Any], decided: Decided | None, *, again: bool) -> str:
    """What the rules would do to one Record, as store/writers/rule.py does it."""
    if row["hands_off"] or row["finalized_how"] in ("person", "auto-map"):
        return "left_to_people"
    if row["absent_since"] is not None or row["changing_operation_id"] is not None:
        return "gone"
    by_rule = row["decision"] != "undecided"
    if decided is None:
        return "decides_again" if by_rule and again else "no_rule"
    if decided.kind == "waits":
        return "waits"
    if by_rule and (not again or _is_already(row, decided)):
        return "same"
    return "decides_again" if by_rule else "decides"


def _is_already(row: dict[str, Any], decided: Decided) -> bool:
    if decided.kind == "ignore":
        return row["decision"] == "ignored" and row["ignored_because"] == decided.rule.because
    if decided.rule.answer == "product":
        return row["product_id"] == decided.rule.product_id
    return row["product"] == decided.product


def _difference(row: dict[str, Any], decided: Decided | None) -> RuleDifference:
    was = {"undecided": "New", "ignored": "Ignored", "mapped": f"Mapped to «{row['product'] or 'what was deleted'}»"}
    if decided is None:
        after, why = "New", "no rule matches it any more"
    else:
        after = f"Mapped to «{decided.product}»" if decided.kind == "map" else "Ignored"
        why = decided.why
    return RuleDifference(
        record_id=row["pk"], record=row["name"], before=was[row["decision"]], after=after, why=f"{_capital(why)}."
    )


def _by_rule(ready: Compiled, matched: Counter[int], changing: Counter[int]) -> Iterator[RuleCount]:
    for number, rule in enumerate(ready.rules, start=1):
        yield RuleCount(rule=rule_name(number, rule), records=matched[number], changes=changing[number])
    if matched[0]:
        yield RuleCount(rule="", records=matched[0], changes=changing[0])


def _row(row: models.MappingRule) -> RuleRow:
    rule = rule_of(row)
    lost = rule.answer == "product" and rule.product_id is None
    how = ["as a regular expression"] * (rule.syntax == "regex") + ["capitals matter"] * rule.case_matters
    return RuleRow(
        id=row.pk,
        position=row.position,
        field=row.field,
        attribute=row.attribute,
        pattern=row.pattern,
        syntax=row.syntax,
        case_matters=row.case_matters,
        answer=row.answer,
        product_id=row.product_id,
        product=row.product_name,
        template=row.template,
        because=row.because,
        product_type=row.product_type,
        tags=row.tags,
        words=f"{', '.join([rule.matched, *how])}{',' if how else ''} {rule.told}.",
        problem=f"«{rule.product}» was deleted: what matches waits for a person." if lost else "",
        version=version_of_rule(row),
        changed_at=row.changed_at,
        changed_by=row.changed_by,
    )


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
