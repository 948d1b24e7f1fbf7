"""Where each row of the vendor went: promises of issue 5, *Reconciliation*."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from tidegate.rules.equation import Equation, does_not_add_up

NUMBERS = st.integers(0, 10**6)
EQUATIONS = st.builds(
    Equation,
    vendor=NUMBERS, open=NUMBERS, below=NUMBERS, fixed=NUMBERS, repeated=NUMBERS, quarantined=NUMBERS,
    elsewhere=NUMBERS, first_only=NUMBERS,
    skipped=st.dictionaries(st.sampled_from(["a note", "info only"]), st.integers(1, 100)),
)  # fmt: skip


def test_a_row_that_is_nowhere_is_told_with_the_whole_equation():
    lost = Equation(vendor=12, open=8, below=1, skipped={"a note": 2})

    assert lost.missing == 1
    assert does_not_add_up(lost) == (
        "The counts do not add up (12 in the tool ≠ 8 open + 1 below the threshold + 2 skipped (a note)): 1 row is"
        " missing here, so nothing is closed. Please report it."
    )


def test_a_row_too_many_is_told_as_well():
    assert "2 rows are more here than there" in does_not_add_up(Equation(vendor=3, open=5))


def test_what_adds_up_needs_no_words_but_can_be_read():
    whole = Equation(
        vendor=3_612, open=3_400, below=150, fixed=40, skipped={"a note": 12}, repeated=3, quarantined=2, elsewhere=10,
        first_only=5,
    )  # fmt: skip

    assert does_not_add_up(whole) == ""
    assert whole.in_words() == (
        "3,612 in the tool + 5 in the first of two readings only = 3,400 open + 150 below the threshold + 40 fixed,"
        " says the tool + 12 skipped (a note) + 3 repeated + 2 quarantined + 10 of other Records or Families"
    )


@given(EQUATIONS)
def test_what_is_stored_is_the_same_equation_again(equation: Equation):
    assert Equation.of_json(json.loads(json.dumps(equation.as_json()))) == equation
    assert bool(does_not_add_up(equation)) == (equation.missing != 0)
