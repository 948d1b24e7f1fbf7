"""What is told of a Tool before it is connected: what it needs, and what it can be trusted with."""

from tests.acme import Acme
from tidegate.catalog import BUILT_IN
from tidegate.reads import tool as reads


def test_each_built_in_tool_says_how_it_was_tried_and_how_its_lists_are_proven():
    """Issue 8, point 7: quality tier, Families, proof grade, faults passed, endpoints called."""
    rows = {row.slug: row for row in reads.tools() if row.slug in BUILT_IN}

    assert rows.keys() == BUILT_IN.keys()
    assert {row.tier for row in rows.values()} <= {"live", "replayed", "by the book"}
    assert all(row.cases > 40 and len(row.lists) > 1 for row in rows.values())
    assert {each.kind for row in rows.values() for each in row.lists} <= {"whole", "steady", "drifting"}
    assert [slug for slug, row in rows.items() if not row.endpoints] == ["report_folder"]
    assert (rows["burpsuite"].lists[1].name, rows["burpsuite"].lists[1].counted) == ("issues", True)


def test_of_a_tool_of_another_package_nothing_is_claimed():
    row = reads._row(Acme)  # pyright: ignore[reportPrivateUsage]

    assert (row.tier, row.cases, row.lists, row.endpoints) == ("", 0, [], [])
