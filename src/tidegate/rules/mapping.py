"""Mapping rules: which Product a VEP belongs to by its name, its parent or an attribute; the first that matches wins.

Patterns run in linear time (RE2), whatever a person types and whatever a vendor calls its things.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import Any, Final, Literal, cast

import re2  # pyright: ignore[reportMissingTypeStubs]

from tidegate.rules.names import LONGEST, made_clean, shortened, trimmed

Field = Literal["name", "parent", "attribute"]
Syntax = Literal["glob", "regex"]
Answer = Literal["product", "template", "ignore"]

FIELDS: Final[tuple[Field, ...]] = ("name", "parent", "attribute")
SYNTAXES: Final[tuple[Syntax, ...]] = ("glob", "regex")
ANSWERS: Final[tuple[Answer, ...]] = ("product", "template", "ignore")

LONGEST_PATTERN: Final = 500
MOST_RULES: Final = 500
"""Rules of one Connection."""
MOST_TAGS: Final = 20
LONGEST_TAG: Final = 100
SHOWN: Final = 80
"""So many letters of a pattern stand in the name of a rule."""
MEMORY: Final = 1 << 20
"""Bytes that one compiled pattern may take."""

_PLACE = re.compile(r"\{([^{}]*)\}")
_OWN: Final = ("name", "parent", "id")


class RuleRefused(ValueError):
    """A rule that cannot be kept: what is wrong with it, and what to do."""

    def __init__(self, sentence: str, next_step: str) -> None:
        super().__init__(f"{sentence} {next_step}")
        self.sentence = sentence
        self.next_step = next_step


@dataclass(frozen=True)
class Vep:
    """What a rule may look at."""

    name: str
    parent: str = ""
    vendor_id: str = ""
    attributes: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class MappingRule:
    """One rule. `product_id` is None where the Product of an answer *product* was deleted; its name is still known."""

    pattern: str
    field: Field = "name"
    attribute: str = ""
    syntax: Syntax = "glob"
    case_matters: bool = False
    answer: Answer = "ignore"
    product_id: int | None = None
    product: str = ""
    template: str = ""
    because: str = ""
    product_type: str = ""
    tags: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        check(self)

    @property
    def matched(self) -> str:
        """What it matches, as its name says it: «payments/*», «org = acme»."""
        told = f"{self.attribute} = {self.pattern}" if self.field == "attribute" else self.pattern
        told = f"parent {told}" if self.field == "parent" else told
        return f"«{shortened(told, SHOWN)}»"

    @property
    def told(self) -> str:
        """What it answers: maps it to «Payments»."""
        if self.answer == "ignore":
            return f"ignores it{f': {self.because}' if self.because else ''}"
        return f"maps it to «{self.product if self.answer == 'product' else self.template}»"


@dataclass(frozen=True)
class Decided:
    """What the rules say of one VEP. `waits`: a rule matches and cannot decide, so a person has to; then no other rule
    and no auto-map decides either."""

    number: int
    rule: MappingRule
    kind: Literal["map", "ignore", "waits"]
    why: str
    """ "rule 2, «payments/*», maps it to «Payments»" """
    product: str = ""
    """The name of the Product."""

    @property
    def by(self) -> str:
        """The name under which the rule acts."""
        return rule_name(self.number, self.rule)


@dataclass(frozen=True)
class Compiled:
    """The rules of a Connection, in their order, ready to decide many VEPs."""

    rules: Sequence[MappingRule]
    matchers: Sequence[Callable[[str], bool]]


def compiled(rules: Sequence[MappingRule]) -> Compiled:
    """Compiles each pattern once."""
    if len(rules) > MOST_RULES:
        raise RuleRefused(f"There are {len(rules):,} rules.", f"A Connection may have {MOST_RULES}.")
    return Compiled(rules, [_matcher(rule) for rule in rules])


def decide(rules: Compiled, vep: Vep) -> Decided | None:
    """What the first rule that matches says; None where none does. A rule whose template names an attribute that the
    VEP does not have is passed over."""
    for number, (rule, matches) in enumerate(zip(rules.rules, rules.matchers, strict=True), start=1):
        if any(matches(text) for text in _texts(rule, vep)) and (said := _said(number, rule, vep)) is not None:
            return said
    return None


def rule_name(number: int, rule: MappingRule) -> str:
    """ "2, «payments/*»" """
    return f"{number}, {rule.matched}"


def _said(number: int, rule: MappingRule, vep: Vep) -> Decided | None:
    name = f"rule {rule_name(number, rule)},"
    if rule.answer == "ignore":
        return Decided(number, rule, "ignore", f"{name} {rule.told}")
    if rule.answer == "product":
        if rule.product_id is None:
            return Decided(number, rule, "waits", f"{name} maps it to «{rule.product}», which was deleted")
        return Decided(number, rule, "map", f"{name} {rule.told}", rule.product)
    filled = filled_in(rule.template, vep)
    if filled is None:
        return None
    product = made_clean(filled, "")
    if not product:
        return None
    if len(trimmed(filled)) > LONGEST:  # cut, two of them could become one
        return Decided(number, rule, "waits", f"{name} makes a name of more than {LONGEST} characters")
    return Decided(number, rule, "map", f"{name} maps it to «{product}»", product)


def filled_in(template: str, vep: Vep) -> str | None:
    """The template with what the VEP has; None where it lacks something."""
    own = {"name": vep.name, "parent": vep.parent, "id": vep.vendor_id}
    filled: list[str] = []
    for number, part in enumerate(_PLACE.split(template)):
        if number % 2 == 0:
            filled.append(part)
            continue
        values = [own[part]] if part in own else _values(vep.attributes.get(part))
        if len(values) != 1 or not values[0].strip():
            return None
        filled.append(values[0])
    return "".join(filled)


def _texts(rule: MappingRule, vep: Vep) -> list[str]:
    if rule.field == "attribute":
        return _values(vep.attributes.get(rule.attribute))
    return [vep.name if rule.field == "name" else vep.parent]


def _values(value: Any) -> list[str]:
    """A value of an attribute as texts; of a list each. What is nested deeper has no text."""
    if isinstance(value, bool):
        return ["true" if value else "false"]
    if isinstance(value, list):
        return list(chain.from_iterable(_values(one) for one in cast("list[Any]", value) if not isinstance(one, list)))
    return [str(value)] if isinstance(value, (str, int, float)) else []


# What can be kept


def check(rule: MappingRule) -> None:
    """Raises RuleRefused where the rule cannot be kept."""
    for value, words, what in (
        (rule.field, FIELDS, "field"),
        (rule.syntax, SYNTAXES, "syntax"),
        (rule.answer, ANSWERS, "answer"),
    ):
        if value not in words:
            raise RuleRefused(f"«{value}» is no {what} of a rule.", f"Choose one of: {', '.join(words)}.")
    if (rule.field == "attribute") != bool(rule.attribute):
        raise RuleRefused("It is not clear what the rule matches on.", "Name an attribute, or match name or parent.")
    if not rule.pattern or len(rule.pattern) > LONGEST_PATTERN:
        raise RuleRefused(
            f"The pattern has {len(rule.pattern):,} characters.", f"Give one of 1 to {LONGEST_PATTERN}; * is anything."
        )
    _check_answer(rule)
    _matcher(rule)


def _check_answer(rule: MappingRule) -> None:
    wanted = {"product": bool(rule.product), "template": bool(rule.template), "ignore": True}
    if not wanted[rule.answer] or (rule.template and rule.answer != "template"):
        raise RuleRefused(
            "It is not clear what the rule answers.", "Name a Product, a template for its name, or say that it ignores."
        )
    if rule.because and rule.answer != "ignore":
        raise RuleRefused("A reason says why something is ignored, and the rule maps.", "Leave the reason out.")
    if (rule.tags or rule.product_type) and rule.answer != "template":
        raise RuleRefused(
            "Product Type and tags are given to Products that a rule makes, and this one makes none.",
            "Leave them out, or give a template for the name.",
        )
    if len(rule.tags) > MOST_TAGS or any(not tag or len(tag) > LONGEST_TAG for tag in rule.tags):
        raise RuleRefused(
            "These tags cannot be kept.", f"Give at most {MOST_TAGS}, each of 1 to {LONGEST_TAG} characters."
        )
    if rule.template:
        _check_template(rule.template)


def _check_template(template: str) -> None:
    if len(template) > LONGEST:
        raise RuleRefused(f"The template has {len(template):,} characters.", f"{LONGEST} are allowed.")
    if any(brace in part for part in _PLACE.split(template)[::2] for brace in "{}"):
        rest = _PLACE.sub(lambda found: "x" * len(found[0]), template)
        at = min(at for brace in "{}" if (at := rest.find(brace)) >= 0)
        raise RuleRefused(
            f"The template has a brace without its other at character {at + 1}: {template}",
            "Write attributes as in {org}/{name}.",
        )
    places = _PLACE.findall(template)
    if not places or not all(places):
        raise RuleRefused(
            f"The template «{template}» names nothing of the Record.",
            f"Write as in {{org}}/{{name}}: {', '.join(_OWN)} and each attribute; else name a Product.",
        )


def _matcher(rule: MappingRule) -> Callable[[str], bool]:
    options = re2.Options()
    options.log_errors = False
    options.max_mem = MEMORY
    options.case_sensitive = rule.case_matters
    pattern = rule.pattern if rule.syntax == "regex" else f"(?s)^(?:{_globbed(rule.pattern)})$"
    try:
        search = cast("Callable[[str], Any]", re2.compile(pattern, options).search)  # pyright: ignore[reportUnknownMemberType]
        search("")  # one that is too large says so only now
    except re2.error as refused:  # pyright: ignore[reportUnknownMemberType, reportUnknownVariableType]
        raise RuleRefused(*_wrong(rule.pattern, cast("Exception", refused))) from refused
    except UnicodeEncodeError as refused:
        raise RuleRefused(
            f"The pattern has a character that is none, at character {refused.start + 1}.", "Enter it without."
        ) from refused
    return lambda text: search(text) is not None


def _globbed(pattern: str) -> str:
    anything = {"*": ".*", "?": "."}
    return "".join(anything.get(letter) or re.escape(letter) for letter in pattern)


def _wrong(pattern: str, error: Exception) -> tuple[str, str]:
    told: Any = error.args[0] if error.args else ""
    text = told.decode("utf-8", "replace") if isinstance(told, bytes) else str(told)
    what, _, piece = text.partition(": ")
    at = pattern.find(piece) if piece else -1
    where = f" at character {at + 1}: {piece}" if at >= 0 else f": {piece}" if piece else ""
    return (
        f"The pattern cannot be read: {what}{where}.",
        "Mend it there. Back-references and look-around are not there: patterns run in linear time.",
    )
