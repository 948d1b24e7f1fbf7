"""What Test connection makes of the numbers that vendors tell; the life tests of the Tools look at its sentences."""

from typing import Any

import pytest

from tidegate.ingest.probe import _added_up  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize(
    ("body", "number"),
    [
        ({"found": {"total": 12_480}}, 12_480),
        ({"found": [{"total": 3}, {"total": 0}, {"total": 4}]}, 7),
        ({"found": []}, 0),
        ({"found": [{"total": 3}, {}]}, None),
        ({"found": {"total": -1}}, None),
        ({"found": {"total": True}}, None),
        ({"found": None}, None),
        ([{"found": {"total": 2}}, {"found": {"total": 5}}], 7),
        (None, None),
    ],
)
def test_a_number_is_found_by_its_path_and_those_of_a_list_are_added_up(body: Any, number: int | None):
    """One that is missing is not taken for none: then there is no number at all."""
    assert _added_up(body, "found.total") == number
