"""`tidegate rule`: say beforehand which Product things belong to, by their names, attributes or parents."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from tidegate.cli.failure import DONE, Failure, usage
from tidegate.cli.house import actions, reads
from tidegate.cli.managed import note_managed
from tidegate.cli.naming import not_there, the_connection, the_product
from tidegate.cli.option import Json, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import facts, heading, note, print_json, say, table

if TYPE_CHECKING:
    from tidegate.reads.rule import RuleList, RuleRow, RulesTried

app = group("Say beforehand which Product things belong to.")

Named = Annotated[str, typer.Argument(metavar="CONNECTION", help="Its label or its number.")]
Which = Annotated[int, typer.Argument(metavar="POSITION", min=1, help="Its place, as `rule list` shows it.")]
Again = Annotated[
    bool, typer.Option("--again", help="Decide anew, at once, what rules decided before; else that stays as it is.")
]
Name = Annotated[str | None, typer.Option("--name", metavar="PATTERN", help="What the name is like.")]
Parent = Annotated[str | None, typer.Option("--parent", metavar="PATTERN", help="What the parent is like.")]
Attribute = Annotated[
    str | None,
    typer.Option("--attribute", metavar="NAME=PATTERN", help="What an attribute is like; of a list any of it."),
]
Regex = Annotated[
    bool | None,
    typer.Option(
        "--regex/--glob", help="A regular expression, found anywhere; else * is anything and ? one character."
    ),
]
Case = Annotated[bool | None, typer.Option("--case/--no-case", help="Capitals and small letters differ.")]
Product = Annotated[
    str | None, typer.Option("--product", "-p", metavar="NAME", help="Map to this Product: its name or number.")
]
Template = Annotated[
    str | None,
    typer.Option(
        "--template",
        metavar="TEXT",
        help="Map to the Product of such a name, as in {org}/{name}; it is made where it is not there.",
    ),
]
Ignore = Annotated[bool, typer.Option("--ignore", help="Ignore what matches.")]
Because = Annotated[str | None, typer.Option("--because", metavar="TEXT", help="Why it is ignored.")]
Type = Annotated[
    str | None, typer.Option("--product-type", metavar="NAME", help="The Product Type of Products that it makes.")
]
Tags = Annotated[
    list[str] | None, typer.Option("--tag", metavar="TAG", help="A tag of Products that it makes; may be repeated.")
]


@app.command("list")
def list_rules(name: Named, json: Json = False) -> None:
    """List the rules of a Connection, in their order: the first that matches wins."""
    with ready(quiet=json):
        found = _rules(the_connection(name).id)
    if json:
        return print_json(found)
    rows = [(str(row.position), row.words, row.problem) for row in found.rules]
    table(("#", "RULE", "PROBLEM"), rows, empty=f"{found.connection} has no rules. Add one: tidegate rule add --help")
    if found.managed_by is not None:
        note(f"They are managed by {found.managed_by}; change them there.")
    return None


@app.command("add")
def add_rule(
    connection: Named,
    name: Name = None,
    parent: Parent = None,
    attribute: Attribute = None,
    regex: Regex = None,
    case: Case = None,
    product: Product = None,
    template: Template = None,
    ignore: Ignore = False,
    because: Because = None,
    product_type: Type = None,
    tags: Tags = None,
    at: Annotated[
        int | None, typer.Option("--at", metavar="POSITION", min=1, help="Its place; without it the last.")
    ] = None,
    again: Again = False,
    json: Json = False,
) -> int:
    """Add a rule. It decides at the next Discover what nobody has decided by then."""
    with ready(quiet=json):
        row = the_connection(connection)
        entered = _matched(name, parent, attribute) | _answered(product, template, because, ignore=ignore)
        _refuse_without_pattern(entered)
        made = actions.rule.new_rule(**entered, **_others(regex, case, product_type, tags))
        saved = actions.rule.add_rule(me(), row.id, made, position=at, again=again)
        return _told(row.id, saved, json=json)


@app.command("edit")
def edit_rule(
    connection: Named,
    position: Which,
    name: Name = None,
    parent: Parent = None,
    attribute: Attribute = None,
    regex: Regex = None,
    case: Case = None,
    product: Product = None,
    template: Template = None,
    ignore: Ignore = False,
    because: Because = None,
    product_type: Type = None,
    tags: Tags = None,
    again: Again = False,
    json: Json = False,
) -> int:
    """Edit a rule. What you do not name stays as it is."""
    with ready(quiet=json):
        row = the_connection(connection)
        kept = _rule_at(row.id, position)
        changes = _matched(name, parent, attribute) | _answered(product, template, because, ignore=ignore)
        changes |= _others(regex, case, product_type, tags)
        if not changes:
            raise usage("Nothing to change was named.", "See what can be: tidegate rule edit --help")
        saved = actions.rule.edit_rule(
            me(), kept.id, actions.rule.new_rule(**_entered(kept, changes) | changes), again=again
        )
        return _told(row.id, saved, json=json)


@app.command("move")
def move_rule(
    connection: Named,
    position: Which,
    to: Annotated[int, typer.Argument(metavar="TO", min=1, help="The place it gets.")],
    again: Again = False,
    json: Json = False,
) -> int:
    """Move a rule to another place: the first that matches wins."""
    with ready(quiet=json):
        row = the_connection(connection)
        return _told(row.id, actions.rule.move_rule(me(), _rule_at(row.id, position).id, to, again=again), json=json)


@app.command("delete")
def delete_rule(connection: Named, position: Which, again: Again = False, json: Json = False) -> int:
    """Delete a rule. What it decided stays as it is, without --again."""
    with ready(quiet=json):
        row = the_connection(connection)
        return _told(row.id, actions.rule.delete_rule(me(), _rule_at(row.id, position).id, again=again), json=json)


@app.command("try")
def try_rules(
    connection: Named,
    name: Name = None,
    parent: Parent = None,
    attribute: Attribute = None,
    regex: Regex = None,
    case: Case = None,
    product: Product = None,
    template: Template = None,
    ignore: Ignore = False,
    at: Annotated[
        int | None, typer.Option("--at", metavar="POSITION", min=1, help="The place of the rule that is tried.")
    ] = None,
    again: Again = False,
    json: Json = False,
) -> None:
    """Try the rules on all Records and show the difference; nothing is saved.

    With the options of `rule add` one more rule is tried, which is not saved either.
    """
    with ready(quiet=json):
        row = the_connection(connection)
        entered = _matched(name, parent, attribute) | _answered(product, template, None, ignore=ignore)
        one_more = None
        if entered:
            _refuse_without_pattern(entered)
            one_more = actions.rule.new_rule(**entered, **_others(regex, case))
        found = reads.rule.try_rules(row.id, one_more=one_more, position=at, again=again)
    if json:
        print_json(found)
    else:
        _told_tried(found)


# What they share


def _refuse_without_pattern(entered: dict[str, Any]) -> None:
    if "pattern" not in entered:
        raise usage("What does the rule match?", "Say --name, --parent or --attribute.")


def _matched(name: str | None, parent: str | None, attribute: str | None) -> dict[str, Any]:
    """What was named to match; nothing where nothing was."""
    named: dict[str, Any] = {}
    if sum(one is not None for one in (name, parent, attribute)) > 1:
        raise usage("A rule matches one thing, and several were named.", "Give one of --name, --parent, --attribute.")
    if name is not None:
        named = {"field": "name", "pattern": name, "attribute": ""}
    if parent is not None:
        named = {"field": "parent", "pattern": parent, "attribute": ""}
    if attribute is not None:
        key, equals, pattern = attribute.partition("=")
        if not key or not equals:
            raise usage(f"«{attribute[:80]}» is no attribute with a pattern.", "Give it as in --attribute 'team=pay*'.")
        named = {"field": "attribute", "attribute": key.strip(), "pattern": pattern.strip()}
    return named


def _answered(product: str | None, template: str | None, because: str | None, *, ignore: bool) -> dict[str, Any]:
    answers: dict[str, Any] = {}
    if product is not None:
        answers["product_id"] = the_product(product).id
    if template is not None:
        answers["template"] = template
    if ignore:
        answers["ignore"] = True
    if len(answers) > 1:
        raise usage("A rule has one answer, and several were named.", "Give one of --product, --template, --ignore.")
    return answers | ({} if because is None else {"because": because})


def _others(
    regex: bool | None, case: bool | None, product_type: str | None = None, tags: list[str] | None = None
) -> dict[str, Any]:
    given = {
        "syntax": None if regex is None else "regex" if regex else "glob",
        "case_matters": case,
        "product_type": product_type,
        "tags": tags or None,
    }
    return {name: value for name, value in given.items() if value is not None}


def _entered(rule: RuleRow, changes: dict[str, Any]) -> dict[str, Any]:
    """The rule as a person would have entered it; with another answer, without what belonged to the one before."""
    kept: dict[str, Any] = {
        "field": rule.field,
        "attribute": rule.attribute,
        "pattern": rule.pattern,
        "syntax": rule.syntax,
        "case_matters": rule.case_matters,
    }
    if changes.keys() & {"product_id", "template", "ignore"}:
        same = "template" in changes and rule.answer == "template"
        return kept | ({"product_type": rule.product_type, "tags": rule.tags} if same else {})
    if rule.answer == "product" and rule.product_id is None:
        raise Failure(f"The Product «{rule.product}» of this rule was deleted.", "Name another answer with the change.")
    return kept | {
        "product_id": rule.product_id,
        "template": rule.template,
        "ignore": rule.answer == "ignore",
        "because": rule.because,
        "product_type": rule.product_type,
        "tags": rule.tags,
    }


def _rule_at(connection_id: int, position: int) -> RuleRow:
    found = _rules(connection_id)
    for row in found.rules:
        if row.position == position:
            return row
    raise Failure(
        f"{found.connection} has no rule {position}; it has {len(found.rules)}.",
        f"See them: tidegate rule list {found.connection_id}",
    )


def _rules(connection_id: int) -> RuleList:
    found = reads.rule.rules(connection_id)
    if found is None:
        raise not_there("Connection", connection_id)
    return found


def _told(connection_id: int, saved: Any, *, json: bool) -> int:
    """The rules as they are now; where many Records are decided anew, how that went."""
    from tidegate.cli.operation import code_of, said_result, seen_through

    found = _rules(connection_id)
    step = None if saved.step is None else str(saved.step)
    ran = None if saved.operation is None else seen_through(saved.operation, quiet=json)
    if json:
        counts = saved.counts if ran is None else ran.operation.counts
        print_json(reads.rule.RulesSaved(rules=found.rules, step=step, counts=counts, operation=saved.operation))
        return DONE if ran is None else code_of(ran)
    table(
        ("#", "RULE", "PROBLEM"),
        [(str(row.position), row.words, row.problem) for row in found.rules],
        empty=f"{found.connection} has no rules any more.",
    )
    code = DONE if ran is None else said_result(ran, json=False)
    if saved.counts:
        say(", ".join(f"{number:,} {word.replace('_', ' ')}" for word, number in saved.counts.items()) + ".")
    if step:
        say(f"Undo this with: tidegate record undo --step {step}")
    elif found.rules:
        note(f"They decide at the next Discover. Try them: tidegate rule try {found.connection_id}")
    note_managed("The list of rules", found.managed_by)
    return code


COUNTED = {
    "decides": "would be decided",
    "decides_again": "would be decided anew",
    "same": "stay as a rule decided them",
    "left_to_people": "are left to people: they, or auto-map, decided",
    "gone": "are no longer in the tool, or are being changed",
    "waits": "wait for a person: a rule matches and cannot decide",
    "no_rule": "no rule matches",
}


def _told_tried(found: RulesTried) -> None:
    say(f"Tried on {found.records:,} Records; nothing was saved.")
    facts([(f"{found.counts[word]:,}", words) for word, words in COUNTED.items() if found.counts.get(word)])
    heading("Rule by rule")
    table(
        ("RULE", "FIRST TO MATCH#", "CHANGES#"),
        [(row.rule or "no rule", f"{row.records:,}", f"{row.changes:,}") for row in found.rules],
        empty="There are no rules.",
    )
    heading("The difference")
    table(
        ("RECORD", "IS", "WOULD BE", "WHY"),
        [(row.record, row.before, row.after, row.why) for row in found.differences],
        empty="Nothing would change.",
    )
    changes = found.counts.get("decides", 0) + found.counts.get("decides_again", 0)
    if changes > len(found.differences):
        note(f"The first {len(found.differences):,} of {changes:,} are listed.")
