"""What a file is: a report of a producer, or a sentence that says what is wrong with it and what to do."""

import io
import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.connectors.report_folder.reading import FIXTURES, bom, findings, fixture, keys, look, result, rows, sarif
from tidegate.connectors.report_folder import json_values, producer
from tidegate.connectors.report_folder import sarif as sarif_format
from tidegate.connectors.report_folder.identity import Ordinals, digest
from tidegate_sdk import ConnectorError, Incomplete, VendorChanged

GOOD = sorted(path.name for path in FIXTURES.iterdir() if path.suffix in (".json", ".sarif", ".xml"))
XML = b'<bom xmlns="http://cyclonedx.org/schema/bom/1.4">'
BOMB = b'<!DOCTYPE bom [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;">]><bom xmlns="http://cyclonedx.org/schema/bom/1.4">&b;</bom>'


@pytest.mark.parametrize("name", GOOD)
def test_every_fixture_is_a_report(name: str):
    head = look(fixture(name), name)

    assert head["problem"] == ""
    for state in head["states"]:
        rows(fixture(name), state["family"], name)


@pytest.mark.parametrize("name", GOOD)
def test_no_beginning_of_a_report_is_read_whole(name: str):
    whole = fixture(name).rstrip()
    for length in cuts(whole):
        head = look(whole[:length], name)
        for state in head["states"]:
            with pytest.raises(ConnectorError):
                rows(whole[:length], state["family"], name)


@pytest.mark.parametrize("name", GOOD)
def test_no_beginning_of_a_report_is_taken_for_a_whole_one(name: str):
    whole = fixture(name).rstrip()

    assert not look(whole, name)["cut"]
    assert all(look(whole[:length], name)["cut"] or look(whole[:length], name)["problem"] for length in cuts(whole))


def cuts(whole: bytes) -> list[int]:
    """Where to cut: all over it, and everywhere near its end."""
    return [*range(0, len(whole) - 100, 11), *range(len(whole) - 100, len(whole))]


def test_a_report_cut_behind_the_name_of_its_tool_is_the_state_and_incomplete():
    cut = sarif(result(), result("R2"))[:-60]

    assert look(cut)["states"][0]["family"] == "Tool"
    with pytest.raises(Incomplete, match="cut or still being written"):
        rows(cut)


def test_a_report_cut_before_its_tool_is_named_says_so():
    head = look(fixture("rules-behind-results.sarif")[:800], "a.sarif")

    assert "cut or still being written" in head["problem"]


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b"\x7fELF\x02\x01\x00\x00", "neither JSON nor XML"),
        (b"hello", "neither JSON nor XML"),
        (b"\x1f\x8b\x08\x00abc", "compressed (gzip)"),
        (b"PK\x03\x04abc", "compressed (zip)"),
        (b'{"results": [], "metrics": {}}', "no report that is read here"),
        (b"[1, 2]", "no report that is read here"),
        (b'{"runs": []}', "SARIF without a run"),
        (b'{"version": "2.0.0", "runs": [{"tool": {"name": "x"}}]}', "is SARIF 2.0.0"),
        (b'{"version": "2.1.0", "runs": [{"tool": {"driver": {}}, "results": []}]}', "does not name its tool"),
        (b'{"runs": [{"tool": {"driver": {"name": "T"}}, "results": []}, null]}', "does not name its tool"),
        (b"<html><body>Log in</body></html>", "XML, but not CycloneDX"),
        (BOMB, "document type or entities"),
        (b'<?xml version="1.0" encoding="klingon"?><bom/>', "encoding that cannot be read"),
        (XML + b"<b></bom>", "not valid XML"),
        (XML + b"<a>" * 10_000, "nested more than 200 levels"),
        (b'{"a": ' * 10_000 + b"1" + b"}" * 10_000, "nested more than 200 levels"),
        (b'{"findings": [' + b"[" * 10_000 + b"]" * 10_000 + b"]}", "nested more than 200 levels"),
        (b'{"findings": [{"title": "\xff"}]}', "not UTF-8"),
        (b'{"findings": [{"title": nope}]}', "not valid JSON"),
        (b'{"findings": []} and more', "not valid JSON"),
    ],
)
def test_what_is_no_report_is_told_in_a_sentence(data: bytes, sentence: str):
    head = look(data, "file.json")

    assert sentence in head["problem"]
    assert head["problem"].endswith(".")
    assert head["states"] == []


@settings(deadline=None)
@given(st.binary(max_size=300))
def test_no_content_raises_anything(data: bytes):
    look(data)
    look(b'{"runs": [' + data)
    look(b"<bom>" + data)


PLAIN = st.none() | st.booleans() | st.integers() | st.text(max_size=5)
NAMES = st.sampled_from(
    [
        "runs",
        "tool",
        "driver",
        "name",
        "results",
        "ruleId",
        "message",
        "locations",
        "findings",
        "title",
        "metadata",
        "tools",
        "component",
        "components",
        "vulnerabilities",
        "bomFormat",
        "id",
        "affects",
        "ref",
        "ratings",
    ]
)
SHAPES = st.recursive(
    PLAIN, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=4), max_leaves=20
)


@settings(deadline=None, max_examples=60)  # a loaded machine is no failure
@given(SHAPES)
def test_no_shape_raises_anything_but_a_connector_error(value: object):
    for data in (value, {"runs": value}, {"runs": [{"tool": {"driver": {"name": "T"}}, "results": value}]}):
        raw = json.dumps(data).encode()
        for state in look(raw)["states"]:
            try:
                findings(raw, state["family"])
            except (Incomplete, VendorChanged):
                continue


@pytest.mark.parametrize("name", [name for name in GOOD if not name.endswith(".xml")])
def test_a_mark_of_byte_order_and_utf16_change_nothing(name: str):
    data = fixture(name)
    for state in look(data, name)["states"]:
        family = state["family"]
        plain = findings(data, family, name)

        assert findings(b"\xef\xbb\xbf" + data, family, name) == plain
        assert findings(data.decode().encode("utf-16"), family, name) == plain


def test_halves_of_surrogate_pairs_are_replaced_and_pairs_are_kept():
    data = sarif(result(text="SURROGATE")).replace(b"SURROGATE", rb"a \ud800 b \udc00 c \ud83d\ude00 d \\ud800 e")

    assert findings(data)[0].title == "a \ufffd b \ufffd c \U0001f600 d \\ud800 e"


@pytest.mark.parametrize("before", range(65_536 - 24, 65_536 + 2))
def test_escapes_across_two_pieces_of_the_file_are_read_like_any_other(before: int):
    start = b'{"a": "'
    data = start + b"x" * (before - len(start)) + rb"\\\ud83d\ude00\ud800y" + b'"}'

    found = dict(json_values.values(io.BytesIO(data), json_values.tree("a")))

    assert found["a",].lstrip("x") == "\\\U0001f600\ufffdy"


def test_a_value_nested_too_deeply_is_not_built():
    data = io.BytesIO(b'{"a": ' + b"[" * 10_000 + b"]" * 10_000 + b"}")

    with pytest.raises(VendorChanged, match="nested"):
        list(json_values.values(data, json_values.tree("a")))


def test_a_number_beyond_all_bounds_spares_the_rest():
    data = sarif(result(rank=1), result("R2")).replace(b'"rank": 1', b'"rank": 1e400')

    assert len(findings(data)) == 2


def test_a_single_value_of_more_than_16_mb_is_refused():
    assert "16 MB" in look(sarif(result(text="x" * (19 * 2**20))))["problem"]


@pytest.mark.parametrize(
    "large",
    [b"<text>%s</text>", b'<text name="%s"/>', b"<!--%s-->", b"<components><component>%s</component></components>"],
    ids=["text", "attribute", "comment", "component"],
)
def test_a_single_element_of_more_than_16_mb_is_refused(large: bytes):
    data = XML + large % (b"x" * (19 * 2**20)) + b"<vulnerabilities/></bom>"

    assert "16 MB" in look(data)["problem"]


def test_a_long_document_of_small_elements_is_read():
    data = XML + b"<dependencies>" + b'<dependency ref="%s"/>' % (b"x" * 2**20) * 20 + b"</dependencies>"

    assert look(data + b"<vulnerabilities/></bom>")["states"]


def test_a_repeated_name_of_a_list_does_not_hide_a_result():
    run = b'{"tool": {"driver": {"name": "T"}}, "results": [{"ruleId": "A"}], "results": []}'
    data = b'{"version": "2.1.0", "runs": [' + run + b"]}"

    with pytest.raises(Incomplete):
        rows(data)


def test_the_latest_end_among_the_runs_of_a_producer_is_its_time():
    ends = ["2026-05-01T10:00:00Z", "2026-05-01T11:00:00+00:00", "yesterday"]
    head = look(sarif(invocations=[{"endTimeUtc": end} for end in ends]))

    assert head["states"] == [{"family": "Tool", "ends": "2026-05-01T11:00:00+00:00"}]


@pytest.mark.parametrize(
    ("automation", "category"),
    [("nightly/linux/2026-05-01", "nightly/linux"), ("nightly/", "nightly"), ("2026-05-01", ""), ("", ""), (None, "")],
)
def test_the_category_is_what_stands_before_the_last_slash(automation: str | None, category: str):
    assert sarif_format.category(automation) == category


def test_a_family_name_is_clean_and_short_and_still_itself():
    assert producer.family("a/b\n", "c/d") == "a-b/c/d"
    assert len(producer.family("x" * 10_000)) <= 200
    assert producer.family("x" * 10_000) != producer.family("x" * 10_001)


@pytest.mark.parametrize(
    ("name", "called"),
    [
        ("svc/scan.json", "scan"),
        ("scan-2026-05-01.cdx.json", "scan"),
        ("scan_20260501T101500Z.json", "scan"),
        ("scan-1762000000.sarif.json", "scan"),
        ("scan2.json", "scan2"),
        ("2026-05-01.json", "2026-05-01"),
    ],
)
def test_a_date_in_a_file_name_is_no_part_of_what_it_is_called(name: str, called: str):
    assert producer.from_file(name) == called


def test_ordinals_stay_exact_when_the_table_grows():
    ordinals = Ordinals()
    names = [ordinals.name(digest(str(number))) for number in range(10_000)]

    assert len(set(names)) == 10_000
    assert all(ordinals.name(name).endswith("#2") for name in names)


def test_only_what_is_asked_for_is_built():
    data = io.BytesIO(b'{"a": [{"keep": 1, "drop": [1, 2]}, 3], "b": {"c": 1}, "d": [1, 2]}')
    found = dict(json_values.values(data, json_values.tree("a.*", count=("d",)), frozenset({"drop"})))

    assert found == {(): {}, ("a",): [], ("a", 0): {"keep": 1}, ("a", 1): 3, ("d",): 2}


def test_a_cut_document_without_a_tool_is_not_taken_for_another_familys():
    whole = bom({"id": "CVE-2026-1"}, metadata={}, vulnerabilities=[])

    assert look(whole[:-3])["states"] == []
    assert keys(bom()) == []
