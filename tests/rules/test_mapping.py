"""Mapping rules: each promise of records.md *Mapping rules* that is a matter of deciding alone."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tidegate.rules.mapping import MappingRule, RuleRefused, Vep, compiled, decide, filled_in

SHOP = Vep("payments/shop", "acme", "17", {"org": "acme", "team": ["pay", "core"], "private": True, "stars": 3})


def ignores(pattern: str, **more: Any) -> MappingRule:
    return MappingRule(pattern, answer="ignore", **more)


def says(vep: Vep, *rules: MappingRule) -> str | None:
    decided = decide(compiled(rules), vep)
    return None if decided is None else decided.why


def matches(rule: MappingRule, vep: Vep = SHOP) -> bool:
    return says(vep, rule) is not None


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("(abc", "missing ) at character 1: (abc"),
        ("pay(?=x)", "invalid perl operator at character 4: (?="),
        (r"(a)\1", r"invalid escape sequence at character 4: \1"),
        ("a**", "bad repetition operator at character 2: **"),
        ("[z-a]", "invalid character class range at character 2: z-a"),
        ("ä(", "missing ) at character 1: ä("),
        ("((a{100}){100}){100}", "invalid repetition size"),
    ],
)
def test_a_pattern_that_cannot_be_compiled_is_refused_with_where_it_is_wrong(pattern: str, said: str):
    with pytest.raises(RuleRefused) as refused:
        ignores(pattern, syntax="regex")

    assert said in refused.value.sentence


@pytest.mark.parametrize(
    "rule",
    [
        {"pattern": ""},
        {"pattern": "a" * 501},
        {"pattern": "a", "field": "colour"},
        {"pattern": "a", "field": "attribute"},
        {"pattern": "a", "attribute": "org"},
        {"pattern": "a", "answer": "product"},
        {"pattern": "a", "answer": "template"},
        {"pattern": "a", "answer": "template", "template": "Payments"},
        {"pattern": "a", "answer": "template", "template": "{org}/{"},
        {"pattern": "a", "answer": "template", "template": "{}"},
        {"pattern": "a", "answer": "template", "template": "{org}" * 60},
        {"pattern": "a", "tags": ("x",)},
        {"pattern": "a", "answer": "template", "template": "{org}", "tags": ("x",) * 21},
        {"pattern": "a", "answer": "template", "template": "{org}", "because": "no"},
        {"pattern": "a\ud800"},
    ],
)
def test_what_cannot_be_kept_is_refused(rule: dict[str, Any]):
    with pytest.raises(RuleRefused):
        MappingRule(**rule)


def test_patterns_run_in_linear_time():
    """Mapping rules match in linear time, never by backtracking."""
    rules = compiled([ignores("(a+)+$", syntax="regex"), ignores("*a*a*a*a*a*a*a*a*a*a*b")])
    hostile = Vep("a" * 50_000 + "!")

    begin = time.perf_counter()

    assert decide(rules, hostile) is None
    assert time.perf_counter() - begin < 2


def test_the_first_match_wins_and_says_which_rule_it_is():
    """First match wins."""
    rules = (ignores("nothing"), MappingRule("payments/*", answer="product", product_id=1, product="Payments"))

    assert says(SHOP, *rules, ignores("*")) == "rule 2, «payments/*», maps it to «Payments»"
    assert says(SHOP, ignores("*", because="Toys"), *rules) == "rule 1, «*», ignores it: Toys"


def test_case_is_ignored_unless_said():
    assert matches(ignores("PAY*"))
    assert not matches(ignores("PAY*", case_matters=True))
    assert matches(ignores("ÉCOLE", syntax="regex"), Vep("école"))


def test_a_glob_is_the_whole_text_and_a_regular_expression_any_part():
    assert not matches(ignores("payments"))
    assert matches(ignores("payments", syntax="regex"))
    assert matches(ignores("payments?shop"))
    assert matches(ignores("a*c"), Vep("a\nb\nc"))
    assert not matches(ignores("a.c"), Vep("abc"))


def test_a_rule_matches_on_name_attribute_or_parent():
    assert matches(ignores("acme", field="parent"))
    assert matches(ignores("core", field="attribute", attribute="team"))
    assert matches(ignores("true", field="attribute", attribute="private"))
    assert matches(ignores("3", field="attribute", attribute="stars"))
    assert not matches(ignores("*", field="attribute", attribute="nothing"))


def test_a_template_takes_the_attributes_of_the_record():
    rule = MappingRule("*", answer="template", template="{org}/{name}")

    assert says(SHOP, rule) == "rule 1, «*», maps it to «acme/payments/shop»"


def test_a_template_that_cannot_be_filled_passes_the_record_on():
    lacking = MappingRule("*", answer="template", template="{region}/{name}")

    assert says(SHOP, lacking, ignores("*")) == "rule 2, «*», ignores it"
    assert filled_in("{team}", SHOP) is None


def test_a_name_that_would_have_to_be_cut_waits_for_a_person():
    """Two names that are cut could become one Product."""
    decided = decide(compiled([MappingRule("*", answer="template", template="{name}")]), Vep("x" * 300))

    assert decided is not None
    assert decided.kind == "waits"


def test_a_rule_whose_product_was_deleted_waits_for_a_person():
    decided = decide(compiled([MappingRule("*", answer="product", product="Gone"), ignores("*")]), SHOP)

    assert decided is not None
    assert (decided.kind, decided.why) == ("waits", "rule 1, «*», maps it to «Gone», which was deleted")


@settings(deadline=None)
@given(st.text(max_size=40), st.text(st.characters(exclude_categories=["Cs"]), max_size=40))
def test_any_pattern_is_kept_or_refused_and_any_name_can_be_asked(pattern: str, name: str):
    for syntax in ("glob", "regex"):
        try:
            rule = ignores(pattern, syntax=syntax)
        except RuleRefused:
            continue
        matches(rule, Vep(name))


@settings(deadline=None)
@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40))
def test_a_name_without_wildcards_is_a_glob_of_itself_alone(name: str):
    if "*" not in name and "?" not in name:
        assert matches(ignores(name), Vep(name))
        assert not matches(ignores(name), Vep(f"{name}x"))
