"""Values of a vendor's row: what is documented is read, another kind sets the row aside, nothing is guessed."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

import pytest

from tidegate_sdk import Finding, Row, Severity, State, VendorChanged, Verdict, state_of
from tidegate_sdk.fields import (
    cut,
    cwes,
    line,
    links,
    links_in,
    mark,
    moment,
    objects,
    probability,
    quoted,
    rows,
    score,
    shown,
    text,
    texts,
    vulnerabilities,
    whole_number,
)
from tidegate_sdk.state import ACCEPTED, FALSE_POSITIVE, FIXED, OPEN, OUT_OF_SCOPE

from .plain import Plain

ODD: list[Any] = [7, 1.5, True, [], {}, ["a", 7]]


@pytest.mark.parametrize("odd", ODD)
def test_what_is_no_text_sets_the_row_aside(odd: Any):
    with pytest.raises(VendorChanged, match="A text is"):
        text(odd)


def test_a_text_may_be_null_and_is_nothing_then():
    assert (text(None), text("a"), texts(None), texts(["a", "b"])) == ("", "a", (), ("a", "b"))


@pytest.mark.parametrize("odd", ["a", 7, {}, ["a", None], [1]])
def test_what_is_no_list_of_texts_sets_the_row_aside(odd: Any):
    with pytest.raises(VendorChanged, match="A list of texts is"):
        texts(odd)


@pytest.mark.parametrize("odd", [None, -1, True, 1.5, "7", [], {}])
def test_what_is_no_count_sets_the_row_aside(odd: Any):
    with pytest.raises(VendorChanged, match="A count is"):
        whole_number(odd)


def test_a_count_is_a_whole_number():
    assert (whole_number(0), whole_number(12)) == (0, 12)


@pytest.mark.parametrize(
    "odd", [None, "", "yesterday", "2025-01-06T08:00:00", 1_714_000_000, [], "2023-02-30T25:61:61Z"]
)
def test_a_time_that_cannot_be_read_or_has_no_zone_is_none(odd: Any):
    assert moment(odd) is None
    with pytest.raises(VendorChanged, match="A time"):
        mark(odd)


def test_a_time_is_aware_and_a_mark_of_it_sorts_as_text():
    assert moment("2025-01-06T08:00:00+0000") == datetime(2025, 1, 6, 8, tzinfo=UTC)
    assert mark("2025-01-06T10:00:00+02:00") == "2025-01-06T08:00:00.000000+00:00" < mark("2025-01-06T08:00:01Z")


@pytest.mark.parametrize("body", [{}, {"a": None}, {"a": {}}, {"a": [7]}, {"a": [{}, None]}, [], None])
def test_rows_must_be_there_and_be_objects(body: Any):
    with pytest.raises(VendorChanged):
        rows(body, "a")


def test_rows_may_be_asked_for_by_dotted_paths():
    [row] = rows({"a": {"b": [{"c": {"d": 1}}]}}, "a.b")

    assert row["c.d"] == 1
    assert (objects(None), objects([{"c": 1}])) == ([], [{"c": 1}])
    with pytest.raises(VendorChanged):
        objects("a")


@pytest.mark.parametrize("odd", [None, 0, -1, True, "x", [], 2**31, float("nan"), 10**400])
def test_what_is_no_line_is_none(odd: Any):
    assert line(odd) is None


def test_a_line_may_be_written_as_a_text():
    assert (line(1), line("81"), line(3.0)) == (1, 81, 3)


def test_an_object_inside_a_row_is_a_row_and_nothing_where_there_is_none():
    row = Row({"a": {"b": {"c": 1}, "d": None}, "e": [{}], "f": None})

    assert (row.inside("a")["b.c"], row.inside("a.b")["c"], row.inside("a").get("d", 7)) == (1, 1, None)
    assert [row.inside(path) for path in ("e", "f", "a.d", "a.b.c", "x.y", "x")] == [{}] * 6


@pytest.mark.parametrize("odd", [None, "", "high", -0.1, 10.1, "1e999", True, [], "nan"])
def test_what_is_no_score_is_none(odd: Any):
    assert score(odd) is None
    assert probability(odd) is None


def test_a_score_is_up_to_ten_and_a_probability_up_to_one():
    assert (score("7.5"), score(10), score(0)) == (7.5, 10, 0)
    assert (probability("0.97"), probability(1), probability(1.01)) == (0.97, 1, None)


def test_weaknesses_are_read_from_names_numbers_and_lists_each_once():
    assert cwes("CWE-79 and cwe_0089", 79, "22", ["CWE-352: CSRF", 7], None) == (79, 89, 22, 352, 7)
    assert cwes(None, "none", "NVD-CWE-noinfo", -1, 0, {}, [None, {}]) == ()


def test_vulnerabilities_are_read_from_texts_as_they_are_published():
    told = "Fixes cve-2021-44228 (CVE-2021-44228) and ghsa-JFH8-c2jp-5v3q."

    assert vulnerabilities(told, ["SNYK-JS-1", "CVE-2020-1"]) == ("CVE-2021-44228", "GHSA-jfh8-c2jp-5v3q")
    assert vulnerabilities(None, 7, "") == ()


def test_only_web_addresses_are_links():
    assert links("https://a.test", ["http://b.test", "https://a.test"], "javascript:alert(1)", None, "https://c d") == (
        "https://a.test",
        "http://b.test",
    )


def test_links_are_read_from_html_and_markdown():
    told = '<a href="https://a.test/?a=1&amp;b=2">a</a> [b](http://b.test/x) <a href="javascript:1">'

    assert links_in(told) == ("https://a.test/?a=1&b=2", "http://b.test/x")


def test_a_text_in_an_address_is_written_as_urllib_writes_it():
    letters = [chr(number) for number in range(0x180)]

    for told in (
        "a",
        "arn:aws:hub:1/x y",
        "100%25",
        "a@b/%2F",
        *(f"a/{letter}b" for letter in letters),
        "".join(letters),
    ):
        assert quoted(told) == quote(told, safe="")


def test_a_long_text_is_cut_and_an_odd_value_shown():
    assert (cut("abc", 3), cut("abcd", 3)) == ("abc", "abc […]")
    assert (shown(None), shown("x" * 99)) == ("null", f"'{'x' * 59}")


TABLE = {"open": OPEN, "gone": FIXED, "false": FALSE_POSITIVE, "accepted": ACCEPTED, "theirs": OUT_OF_SCOPE}


def test_a_state_is_the_vendors_word_with_what_it_means():
    assert state_of("status", " Gone", TABLE) == State(" Gone", fixed=True)
    assert [state_of("status", word, TABLE).verdict for word in TABLE] == [None, None, *Verdict]
    assert not any(state_of("status", word, TABLE).unknown for word in TABLE)


@pytest.mark.parametrize("odd", ["Sleeping", None, 7, "", ["open"], "x" * 999])
def test_a_state_that_nobody_knows_is_open_and_reported(odd: Any):
    found = state_of("status", odd, TABLE)

    assert (found.fixed, found.verdict) == (False, None)
    assert found.unknown == (f"status: {str(odd).lower()[:100]}",)


def test_a_severity_that_is_in_no_table_is_reported():
    tool = Plain("https://a.test/")

    assert tool.unknown_severity("level", "HIGH ") == ()
    assert tool.unknown_severity("level", "Grave") == ("level: grave",)
    assert tool.unknown_severity("level", None) == tool.unknown_severity("level", " ") == ("level: none",)
    assert Finding(key="1", title="t", severity=tool.severity("Grave")).severity is Severity.UNKNOWN
