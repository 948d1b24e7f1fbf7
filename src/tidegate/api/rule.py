"""Routes: mapping rules of a Connection, and what they would decide."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from tidegate.actions import rule as actions
from tidegate.api.answer import Answered, there
from tidegate.api.route import Routes
from tidegate.api.words import LARGEST_ID, Id
from tidegate.reads import rule as reads
from tidegate.rules.actor import Actor
from tidegate.rules.mapping import MappingRule

routes = Routes("rule")

Again = Annotated[bool, Field(description="Also decide anew what rules decided before: at once, as one step.")]
Position = Annotated[int, Field(ge=1, le=100_000, description="Its place: the first that matches wins.")]
Text = Annotated[str, Field(max_length=2000)]


class Rule(BaseModel):
    """One mapping rule. Exactly one of `product_id`, `template` and `ignore` is its answer."""

    model_config = ConfigDict(strict=True, extra="forbid", hide_input_in_errors=True)

    pattern: Annotated[str, Field(max_length=10_000, description="What the field must be like.")]
    field: Literal["name", "parent", "attribute"] = "name"
    attribute: Annotated[str, Field(max_length=500, description="Which attribute, where `field` says so.")] = ""
    syntax: Literal["glob", "regex"] = "glob"
    case_matters: bool = False
    product_id: Annotated[int | None, Field(ge=1, le=LARGEST_ID, description="Map to this Product.")] = None
    template: Annotated[
        str, Field(max_length=2000, description="Map to the Product of this name, as {parent}/{name}.")
    ] = ""
    because: Annotated[str, Field(max_length=2000, description="Why it ignores.")] = ""
    ignore: bool = False
    product_type: Annotated[str, Field(max_length=1000, description="The Product Type of Products it makes.")] = ""
    tags: Annotated[list[Text], Field(max_length=100, description="The tags of Products it makes.")] = []

    def as_rule(self) -> MappingRule:
        """As the actions take it. Raises Refused, NotThere."""
        return actions.new_rule(**{name: getattr(self, name) for name in type(self).model_fields})


Rules = Annotated[list[Rule], Field(max_length=1000, description="All rules, in their order.")]


@routes.read("/connections/{connection_id}/rules", reads.rules, answers=reads.RuleList, version="rules")
def rules(connection_id: Id) -> reads.RuleList:
    return there(reads.rules(connection_id), "Connection", connection_id)


@routes.act(
    "POST", "/connections/{connection_id}/rules", actions.add_rule, answers=reads.RulesSaved, status=201,
    sends={"rule": {"pattern": "shop-*", "template": "{parent}/{name}"}},
)  # fmt: skip
def add_rule(
    actor: Actor, connection_id: Id, rule: Rule, position: Position | None = None, again: Again = False
) -> Answered:
    done = actions.add_rule(actor, connection_id, rule.as_rule(), position=position, again=again)
    return Answered(_saved(connection_id, done), location=f"/connections/{connection_id}/rules")


@routes.act("PUT", "/connections/{connection_id}/rules", actions.save_rules, answers=reads.RulesSaved, version="rules")
def save_rules(actor: Actor, connection_id: Id, rules: Rules, again: Again = False) -> reads.RulesSaved:
    return _saved(
        connection_id, actions.save_rules(actor, connection_id, [one.as_rule() for one in rules], again=again)
    )


@routes.act("POST", "/connections/{connection_id}/rules/try", reads.try_rules, answers=reads.RulesTried)
def try_rules(
    connection_id: Id,
    tried: Rules | None = None,
    one_more: Rule | None = None,
    position: Position | None = None,
    again: Again = False,
) -> reads.RulesTried:
    there(reads.rules(connection_id), "Connection", connection_id)
    return reads.try_rules(
        connection_id,
        None if tried is None else [one.as_rule() for one in tried],
        one_more=None if one_more is None else one_more.as_rule(),
        position=position,
        again=again,
    )


@routes.act("PUT", "/rules/{rule_id}", actions.edit_rule, answers=reads.RulesSaved, version="rule")
def edit_rule(actor: Actor, rule_id: Id, rule: Rule, again: Again = False) -> reads.RulesSaved:
    return _saved(_connection_of(rule_id), actions.edit_rule(actor, rule_id, rule.as_rule(), again=again))


@routes.act("POST", "/rules/{rule_id}/move", actions.move_rule, answers=reads.RulesSaved)
def move_rule(actor: Actor, rule_id: Id, position: Position, again: Again = False) -> reads.RulesSaved:
    return _saved(_connection_of(rule_id), actions.move_rule(actor, rule_id, position, again=again))


@routes.act("DELETE", "/rules/{rule_id}", actions.delete_rule, answers=reads.RulesSaved)
def delete_rule(actor: Actor, rule_id: Id, again: Again = False) -> reads.RulesSaved:
    return _saved(_connection_of(rule_id), actions.delete_rule(actor, rule_id, again=again))


def _connection_of(rule_id: int) -> int:
    return there(reads.stored(rule_id), "rule", rule_id)[0]


def _saved(connection_id: int, done: actions.RulesSaved) -> reads.RulesSaved:
    stored = there(reads.rules(connection_id), "Connection", connection_id)
    step = None if done.step is None else str(done.step)
    return reads.RulesSaved(rules=stored.rules, step=step, counts=dict(done.counts), operation=done.operation)
