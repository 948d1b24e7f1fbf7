"""What speaks for two Records being the same thing."""

from __future__ import annotations

from tidegate.rules.suggest import Look, Missing, Overlap, likeness

TEAM = {"team": "pay", "language": "go"}


def test_what_has_only_its_team_in_common_is_not_suggested():
    """Many things of one team have the same attributes and parent."""
    assert likeness(Look(1, "shop", "acme", TEAM), Look(2, "billing", "acme", TEAM)) is None


def test_the_same_name_is_enough_and_attributes_and_parent_speak_for_it():
    found = likeness(Look(1, "Shop API", "acme", TEAM), Look(2, "shop-api", "acme", TEAM))

    assert found is not None
    assert (found.missing, found.new, found.score) == (1, 2, 6)
    assert found.evidence == (
        "The name is the same but for case and punctuation: «Shop API», «shop-api».",
        "All 2 attributes are the same.",
        "Both lie in «acme».",
    )


def test_a_near_name_needs_something_beside_it():
    assert likeness(Look(1, "payments"), Look(2, "payments-service")) is None
    assert likeness(Look(1, "payments", "acme"), Look(2, "payments-service", "acme")) is not None


def test_findings_of_both_are_evidence_and_none_is_not():
    """overlap of findings counts only where there are findings of both."""
    pair = Look(1, "shop"), Look(2, "storefront")

    assert likeness(*pair) is None
    assert likeness(*pair, Overlap(10, 4)) is None
    assert likeness(*pair, Overlap(0, 0)) is None
    found = likeness(*pair, Overlap(10, 5))
    assert found is not None
    assert found.evidence == ("5 of 10 findings of the new one are findings of the other too.",)


def test_only_what_shares_a_word_or_all_attributes_is_compared():
    index = Missing([Look(1, "acme/shop"), Look(2, "billing", "", TEAM), Look(3, "wiki")])

    assert [old.id for old, _ in index.like(Look(9, "Shopfront", "", TEAM))] == [1, 2]


def test_a_word_that_all_have_tells_nothing():
    index = Missing([Look(n, f"service {n}") for n in range(30)])

    assert [old.id for old, _ in index.like(Look(99, "service 7"))] == [7]
