"""What Test connection makes of the numbers that vendors tell; the life tests of the Tools look at its sentences."""

from typing import Any

import pytest

from tidegate.ingest import probe
from tidegate.ingest.probe import _added_up  # pyright: ignore[reportPrivateUsage]
from tidegate_sdk import Ask, Count, Page


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


class Counting:
    """A Tool, and its Session: the vendor counts to so many at most."""

    def __init__(self, told: int, most: int | None) -> None:
        self.told, self.most = told, most

    def open_findings(self) -> list[Count]:
        return [Count("total", Ask("search"), self.most), Count("total", Ask("hotspots"))]

    async def talk(self, talk: Any) -> Page:
        asked = next(talk)
        return Page({"total": self.told if asked.path == "search" else 5})


@pytest.mark.parametrize(
    ("told", "most", "sentence"),
    [
        (10_000, 10_000, "at least 10,005 open findings"),
        (10_001, 10_000, "at least 10,006 open findings"),
        (9_999, 10_000, "about 10,004 open findings"),
        (10_000, None, "about 10,005 open findings"),
    ],
)
async def test_what_reaches_the_cap_of_a_count_may_be_more(told: int, most: int | None, sentence: str):
    """SonarCloud counts to 10,000: there this number says nothing of how many there are."""
    vendor: Any = Counting(told, most)
    seen = probe._Seen()  # pyright: ignore[reportPrivateUsage]

    counted = await probe._counted(vendor, vendor, seen)  # pyright: ignore[reportPrivateUsage]

    assert probe._about_open(seen, counted) == sentence  # pyright: ignore[reportPrivateUsage]
