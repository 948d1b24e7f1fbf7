"""When a list counts as read whole."""

from __future__ import annotations

import pytest

from tidegate_sdk import AccessDenied, Ledger, Proof, VendorDown


def ledger(**facts: object) -> Ledger:
    kept: dict[str, object] = {"seen": 3, "kept": 3, "proof": Proof(3)} | facts
    return Ledger(**kept)  # pyright: ignore[reportArgumentType]


def test_a_walk_that_ended_with_every_row_booked_is_complete():
    outcome = ledger().outcome()

    assert outcome.complete
    assert outcome.why == ""
    assert (outcome.seen, outcome.kept, outcome.proof) == (3, 3, Proof(3))


@pytest.mark.parametrize(
    ("facts", "why"),
    [
        ({"proof": None}, "not read to its end"),
        ({"odd": 1, "kept": 2, "nameless": 1}, "no readable id"),
        ({"odd": 1, "kept": 2, "homeless": 1}, "1 of 3 rows does not say what it belongs to"),
        ({"odd": 2, "kept": 1, "homeless": 2}, "2 of 3 rows do not say what they belong to"),
        ({"proof": Proof(3, 1)}, "declares 1 row, and 3 came"),
        ({"proof": Proof(2)}, "counts 2 rows, and 3 came"),
        ({"proof": Proof(3, 4)}, "declares 4 rows, and 3 came"),
        ({"proof": Proof(3, 2)}, "declares 2 rows, and 3 came"),
        ({"kept": 2}, "2 are accounted for"),
        ({"kept": 4}, "4 are accounted for"),
        ({"odd": 1}, "4 are accounted for"),
        ({"error": VendorDown("It is down.")}, "It is down."),
        ({"not_enabled": "Not enabled: 404."}, "Not enabled"),
    ],
)
def test_anything_missing_is_said_and_proves_nothing(facts: dict[str, object], why: str):
    outcome = ledger(**facts).outcome()

    assert not outcome.complete
    assert why in outcome.why


def test_odd_rows_with_an_id_and_skipped_rows_are_seen():
    books = ledger(kept=1, odd=1)
    books.skipped["a draft"] += 1

    outcome = books.outcome()

    assert outcome.complete
    assert outcome.skipped == {"a draft": 1}


def test_the_first_failure_stays():
    books = ledger()
    first = VendorDown("first")

    books.fail(first)
    books.fail(AccessDenied("second"))

    assert books.outcome().error is first
