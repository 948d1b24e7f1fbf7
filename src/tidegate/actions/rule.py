"""What a person may do to the mapping rules of a Connection: add, edit, move, delete, or save all of them at once.

They decide undecided Records at the next Discover. What rules decided before changes only if the person asks for it
(`again`): then at once, as one step. A Product that a template names is joined where it is there: naming it is what the
rule is for. Product Type and tags are for Products that a rule makes; one that is there keeps its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import UUID, uuid4

from tidegate.actions.action import action, demand, demand_everywhere
from tidegate.actions.connection import locked
from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.record import UNDO_SECONDS, sync_after_undo_time
from tidegate.actions.step import LARGEST_ID, not_there
from tidegate.actions.version import demand_expected
from tidegate.ingest.decide import DECIDE
from tidegate.reads.viewer import visible
from tidegate.rules.access import Place
from tidegate.rules.actor import Actor
from tidegate.rules.mapping import LONGEST_PATTERN, MOST_RULES, Answer, Field, MappingRule, RuleRefused, Syntax
from tidegate.rules.names import clean_name, clean_text
from tidegate.store import models
from tidegate.store.acting import acting
from tidegate.store.writers import rule as writer
from tidegate.store.writers.operation import request_change


@dataclass(frozen=True)
class RulesSaved:
    """The numbers of the rules in their order, and of what `again` changed the step that undoes it, counted; or the
    change that does it, where the Records are many: a worker takes it, or whoever sees it through."""

    rules: tuple[int, ...]
    step: UUID | None = None
    counts: dict[str, int] = field(default_factory=dict[str, int])
    operation: int | None = None


AT_ONCE: Final = 5_000
"""So many Records are decided anew within the request: some of these take a second or two."""


def new_rule(
    pattern: str,
    *,
    field: Field = "name",
    attribute: str = "",
    syntax: Syntax = "glob",
    case_matters: bool = False,
    product_id: int | None = None,
    template: str = "",
    because: str = "",
    ignore: bool = False,
    product_type: str = "",
    tags: Sequence[str] = (),
) -> MappingRule:
    """A rule out of what a person entered: to try it, or to save it. Exactly one of `product_id`, `template` and
    `ignore` is its answer.

    Raises Refused for what cannot be kept, NotThere for an unknown Product.
    """
    answers: dict[Answer, bool] = {"product": product_id is not None, "template": bool(template), "ignore": ignore}
    named: list[Answer] = [answer for answer, given in answers.items() if given]
    if len(named) != 1:
        raise Refused(
            "It is not clear what the rule answers.",
            "Name one: a Product, a template for the name of one, or that it ignores.",
        )
    try:
        return MappingRule(
            pattern=clean_text(pattern, "pattern", LONGEST_PATTERN),
            field=field,
            attribute=attribute,
            syntax=syntax,
            case_matters=case_matters,
            answer=named[0],
            product_id=product_id,
            product="" if product_id is None else _product_named(product_id),
            template=clean_name(template, "template") if template else "",
            because=clean_text(because, "reason"),
            product_type=clean_name(product_type, "name of the Product Type") if product_type else "",
            tags=tuple(clean_name(tag, "tag") for tag in tags),
        )
    except RuleRefused as refused:
        raise Refused(refused.sentence, refused.next_step) from refused
    except ValueError as refused:  # of a name
        raise Refused(str(refused), "Nothing was changed; enter another.") from refused


@action("mapper", connection="connection_id")
def add_rule(
    actor: Actor, connection_id: int, rule: MappingRule, *, position: int | None = None, again: bool = False
) -> RulesSaved:
    """Adds a rule, last or at this position. Raises NotThere for an unknown Connection."""
    with acting(str(actor)):
        locked(connection_id)
        rules = _stored(connection_id)
        rules.insert(len(rules) if position is None else _place(position, len(rules) + 1), (None, rule))
        return _save(actor, connection_id, rules, again=again)


@action("mapper", rule="rule_id")
def edit_rule(actor: Actor, rule_id: int, rule: MappingRule, *, again: bool = False) -> RulesSaved:
    """Puts another rule in the place of this one. Raises NotThere for an unknown rule."""
    with acting(str(actor)):
        connection_id = _connection_of(rule_id)
        rules = [(number, rule if number == rule_id else kept) for number, kept in _stored(connection_id)]
        return _save(actor, connection_id, rules, again=again)


@action("mapper", rule="rule_id")
def move_rule(actor: Actor, rule_id: int, position: int, *, again: bool = False) -> RulesSaved:
    """Moves a rule to this position; the first that matches wins."""
    with acting(str(actor)):
        connection_id = _connection_of(rule_id)
        rules = _stored(connection_id)
        moved = next(one for one in rules if one[0] == rule_id)
        rules.remove(moved)
        rules.insert(_place(position, len(rules) + 1), moved)
        return _save(actor, connection_id, rules, again=again)


@action("mapper", rule="rule_id")
def delete_rule(actor: Actor, rule_id: int, *, again: bool = False) -> RulesSaved:
    """Deletes a rule; what it decided stays, unless asked for."""
    with acting(str(actor)):
        connection_id = _connection_of(rule_id)
        rules = [one for one in _stored(connection_id) if one[0] != rule_id]
        return _save(actor, connection_id, rules, again=again)


@action("mapper", connection="connection_id")
def save_rules(actor: Actor, connection_id: int, rules: Sequence[MappingRule], *, again: bool = False) -> RulesSaved:
    """These are the rules of the Connection from now on, in this order, in place of those it has."""
    with acting(str(actor)):
        locked(connection_id)
        demand_expected("rules", connection_id)
        numbers: dict[MappingRule, list[int]] = {}
        for number, rule in _stored(connection_id):
            numbers.setdefault(rule, []).append(number or 0)
        kept = [(numbers[rule].pop(0) if numbers.get(rule) else None, rule) for rule in rules]
        return _save(actor, connection_id, kept, again=again)


# What the actions share


def _save(
    actor: Actor, connection_id: int, rules: Sequence[tuple[int | None, MappingRule]], *, again: bool
) -> RulesSaved:
    _refuse_what_reaches_further(actor, connection_id, rules)
    if len(rules) > MOST_RULES:
        raise Refused(f"A Connection may have {MOST_RULES} rules, and this would be one more.", "Nothing was changed.")
    numbers = writer.save_rules(actor, connection_id, rules)
    if not again:
        return RulesSaved(tuple(numbers))
    step = uuid4()
    if (records := writer.records_for_rules(connection_id)) > AT_ONCE:
        return RulesSaved(tuple(numbers), step, operation=_asked_for(actor, connection_id, records, step))
    applied = writer.apply_rules(connection_id, None, step, again=True)
    sync_after_undo_time(actor, applied.mapped)
    counts = {word: number for word, number in applied.counts.items() if number}
    return RulesSaved(tuple(numbers), step if counts else None, counts)


def _asked_for(actor: Actor, connection_id: int, records: int, step: UUID) -> int:
    """The change that lets the rules decide, as they are now."""
    version = writer.version_of_rules(writer.rules_of(connection_id))
    scope = {"change": DECIDE, "version": version, "looked_at": records, "flows_after": UNDO_SECONDS}
    return request_change(connection_id, scope, actor=str(actor), step=step)


def _refuse_what_reaches_further(
    actor: Actor, connection_id: int, rules: Sequence[tuple[int | None, MappingRule]]
) -> None:
    """A template reaches every Product, by its name: it takes a mapper of everything, or who sets the Connection up,
    since auto-map reaches as far. A rule that stands already was theirs to answer for who made it."""
    if actor.access.may("mapper") or actor.access.may("administrator", Place(connection_id=connection_id)):
        return
    kept = {rule for _, rule in _stored(connection_id)}
    for rule in {rule for _, rule in rules} - kept:
        if rule.answer == "product" and rule.product_id is not None:
            demand(actor, "mapper", "product", [rule.product_id], "map to this Product")
        elif rule.answer == "template":
            demand_everywhere(actor, "mapper", "map to Products by name")


def _stored(connection_id: int) -> list[tuple[int | None, MappingRule]]:
    return [(row.pk, writer.rule_of(row)) for row in writer.stored_rules(connection_id)]


def _connection_of(rule_id: int) -> int:
    """The Connection of the rule, locked: whoever changes its rules comes one after the other."""
    rules: Any = models.MappingRule.objects.filter(pk=rule_id) if 0 < rule_id <= LARGEST_ID else ()
    for rule in rules:
        locked(rule.connection_id)
        if models.MappingRule.objects.filter(pk=rule_id).exists():
            demand_expected("rule", rule_id)
            return rule.connection_id
    raise NotThere(f"There is no rule {rule_id}.", "See what there is: tidegate rule list CONNECTION")


def _place(position: int, places: int) -> int:
    if not 1 <= position <= places:
        raise Refused(f"There is no position {position}.", f"Say one of 1 to {places}.")
    return position - 1


def _product_named(product_id: int) -> str:
    seen = models.Product.objects.filter(visible(product="pk", product_type="product_type_id"))
    found = seen.filter(pk=product_id).first() if 0 < product_id <= LARGEST_ID else None
    if found is None:
        raise not_there("Product", [product_id])
    return found.name
