"""What Test connection makes of the numbers that vendors tell; the life tests of the Tools look at its sentences."""

from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest

from tidegate.ingest import probe
from tidegate.ingest.probe import _added_up  # pyright: ignore[reportPrivateUsage]
from tidegate.ingest.read import KEPT_ODD, count_unknown
from tidegate_sdk import AccessDenied, Ask, ConnectorError, Count, Finding, Page, Severity, Skipped, VendorDown, Vep


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


class Showing:
    """A Session whose Tool declares these Families; what is asked for some of them fails with this."""

    def __init__(self, families: list[Any], failing: dict[str, ConnectorError]) -> None:
        self.declared, self.failing = families, failing

    async def shared(self, sample: Any) -> AsyncIterator[Any]:
        yield Asked("licences")

    async def families(self, vep: Any) -> AsyncIterator[Any]:
        for family in self.declared:
            yield family

    async def talk(self, talk: str) -> None:
        if talk in self.failing:
            raise self.failing[talk]


class Asked:
    """A Family whose first page is asked by its name."""

    off = (402,)

    def __init__(self, name: str, list: str | None = "") -> None:
        self.name, self.list = name, name if list == "" else list


@pytest.fixture
def asked_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "_first_page", lambda list: list)


@pytest.mark.usefixtures("asked_by_name")
async def test_each_family_is_told_as_it_is_once_whatever_the_first_vendors_product_says():
    """What can be read of one can be read; a stumble is no missing right; what needs no question is readable."""
    skipped = [Skipped("code", "It is off."), Skipped("iac", "No plan.")]
    families = [Asked("code"), Asked("secrets"), Asked("images"), Asked("files", list=None), *skipped]
    failing: dict[str, ConnectorError] = {
        "secrets": AccessDenied("Not for you."), "images": VendorDown("Later."), "licences": AccessDenied("Not here."),
    }  # fmt: skip
    session: Any = Showing(families, failing)

    found = await probe._readable(session, [Vep(id="1", name="Shop")])  # pyright: ignore[reportPrivateUsage]

    assert found.words == ["licences not allowed", "secrets not allowed", "iac skipped"]
    families.append(Asked("secrets", list="another way to them"))
    found = await probe._readable(session, [Vep(id="1", name="Shop")])  # pyright: ignore[reportPrivateUsage]
    assert found.words == ["licences not allowed", "iac skipped"]


async def test_a_count_that_cannot_be_read_is_no_count():
    class Failing(Counting):
        async def talk(self, talk: Any) -> Page:
            raise VendorDown("Later.")

    vendor: Any = Failing(3, None)

    assert await probe._counted(vendor, vendor, probe._Seen()) is None  # pyright: ignore[reportPrivateUsage]


def unknown(word: str) -> Finding:
    return Finding(key="1", title="A weakness", severity=Severity.UNKNOWN, unknown_words=(word,))


def test_words_that_nobody_knows_are_counted_and_only_so_many_different_ones():
    counted = Counter[str]()
    for number in range(KEPT_ODD + 5):
        count_unknown(counted, unknown(f"status: {number}"))
    count_unknown(counted, unknown("status: 1"))

    assert len(counted) == KEPT_ODD
    assert counted["status: 1"] == 2
