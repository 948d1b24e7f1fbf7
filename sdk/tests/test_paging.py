"""Each shape, driven by hand: what it asks, what it takes for the end, and what it refuses to take for one."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import httpx2
import pytest

from sdk.tests.conftest import Open
from sdk.tests.plain import rows_of, things
from tidegate_sdk import (
    Ask,
    Cursor,
    Export,
    GraphQL,
    Incomplete,
    LinkHeader,
    NextLink,
    Offset,
    Page,
    PageNumber,
    Paging,
    Proof,
    Row,
    SearchAfter,
    TotalMoved,
    VendorChanged,
    Wait,
    Whole,
    graphql,
    identifier,
)

FIRST = Ask("things", {"sort": "id"})
POST = Ask("search", method="POST", json={"size": 2, "filter": {"open": True}})
QUERY = graphql("query Things($after: String) { things(after: $after) { nodes { id } } }", after=None)


def page(*ids: Any, headers: dict[str, str] | None = None, **body: Any) -> Page:
    """An answer with these rows."""
    rows = tuple(Row(id=key, sort=[key]) for key in ids)
    return Page(body, rows, len(rows), headers or {})


def walked(by: Paging, *answers: Page, first: Ask = FIRST) -> tuple[list[Any], Proof]:
    """Every question of a walk that gets these answers, and its proof."""
    walk = by.walk(first)
    asked: list[Any] = [next(walk)]
    for answer in answers:
        try:
            asked.append(walk.send(answer))
        except StopIteration as end:
            assert answer is answers[-1], "The walk ended before the last answer."
            return asked, end.value
    raise AssertionError(f"The walk goes on with {asked[-1]}.")


def goes_on(by: Paging, *answers: Page, first: Ask = FIRST) -> Any:
    """The question that a walk asks after these answers."""
    walk = by.walk(first)
    asked = next(walk)
    for answer in answers:
        asked = walk.send(answer)
    return asked


def queries(asked: list[Any]) -> list[Any]:
    return [{name: value for name, value in ask.query.items() if name != "sort"} for ask in asked]


def bodies(asked: list[Any]) -> list[Any]:
    return [{name: value for name, value in ask.json.items() if name != "filter"} for ask in asked]


def test_one_answer_is_the_whole_list():
    assert walked(Whole(), page(1, 2)) == ([FIRST], Proof(2, None, "whole", 1))


# Numbers and positions


def test_numbered_pages_are_asked_until_the_total_has_come():
    asked, proof = walked(PageNumber("total", per=2), page(1, 2, total=3), page(3, total=3))

    assert asked[0] == FIRST.more(page=1, per_page=2)
    assert queries(asked) == [{"page": 1, "per_page": 2}, {"page": 2, "per_page": 2}]
    assert proof == Proof(3, 3, "drifting", 2)


def test_the_total_may_stand_in_a_header_however_it_is_written():
    by = PageNumber("X-Total-Count", per=2, in_headers=True)
    told = {"x-total-count": "3"}

    _, proof = walked(by, page(1, 2, headers=told), page(3, headers=told))

    assert proof == Proof(3, 3, "drifting", 2)


def test_one_answer_is_whole_where_its_header_says_so():
    by = Whole("X-Total-Count", in_headers=True)

    assert walked(by, page(1, 2, headers={"X-Total-Count": "2"}))[1] == Proof(2, 2, "whole", 1)
    with pytest.raises(Incomplete, match="declares 3 rows and sent 2"):
        walked(by, page(1, 2, headers={"X-Total-Count": "3"}))


@pytest.mark.parametrize("headers", [{}, {"X-Total-Count": ""}, {"X-Total-Count": "-1"}, {"X-Total-Count": "many"}])
def test_a_header_that_is_missing_or_no_count_is_a_changed_vendor(headers: dict[str, str]):
    """A proxy that drops the header must not make the first page the last one."""
    with pytest.raises(VendorChanged, match="X-Total-Count"):
        walked(PageNumber("X-Total-Count", in_headers=True), page(1, headers=headers, **{"X-Total-Count": 1}))


def test_a_total_that_moves_in_a_header_begins_the_list_again():
    first, second = (page(1, 2, headers={"X-Total-Count": total}) for total in ("3", "4"))

    with pytest.raises(TotalMoved, match="3 to 4"):
        walked(PageNumber("X-Total-Count", per=2, in_headers=True), first, second)


def test_offsets_go_on_from_what_came():
    asked, proof = walked(Offset("total", per=2), page(1, 2, total=3), page(3, total=3))

    assert queries(asked) == [{"offset": 0, "limit": 2}, {"offset": 2, "limit": 2}]
    assert proof == Proof(3, 3, "drifting", 2)


def test_offsets_leave_no_gap_where_the_vendor_lowers_the_page_size():
    by = Offset("total", "start", "count", per=100, start=1)

    asked, proof = walked(by, page(1, 2, total=5), page(3, 4, total=5), page(5, total=5))

    assert [query["start"] for query in queries(asked)] == [1, 3, 5]
    assert proof.seen == 5


def test_offsets_never_reach_beyond_the_window_of_the_vendor():
    asked, _ = walked(Offset("total", per=3, window=5), page(1, 2, 3, total=4), page(4, total=4))

    assert queries(asked) == [{"offset": 0, "limit": 3}, {"offset": 3, "limit": 2}]


@pytest.mark.parametrize(("json", "at"), [("", {"from": 0, "size": 2}), ("page", {"size": 2, "page": {"from": 0}})])
def test_offsets_go_into_the_json_body_where_the_vendor_wants_them(json: str, at: Any):
    ask = goes_on(Offset("total", "from", "size", per=2, json=json), first=POST)

    assert bodies([ask])[0] == (at if not json else {"size": 2, "page": {"from": 0, "size": 2}})
    assert ask.json["filter"] == {"open": True}
    assert POST.json == {"size": 2, "filter": {"open": True}}


def test_offsets_go_into_the_variables_of_graphql():
    asked, _ = walked(
        Offset("total", "start", "count", per=2, json="variables"),
        page(1, 2, total=3),
        page(3, total=3),
        first=QUERY,
    )

    variables = [ask.json["variables"] for ask in asked]
    assert variables == [{"after": None, "start": 0, "count": 2}, {"after": None, "start": 2, "count": 2}]
    assert {ask.json["query"] for ask in asked} == {QUERY.json["query"]}


COUNTED = [PageNumber("total", per=2), Offset("total", per=2)]


@pytest.mark.parametrize("by", COUNTED)
def test_an_empty_page_before_the_total_is_no_end(by: Paging):
    with pytest.raises(Incomplete, match="empty"):
        walked(by, page(1, 2, total=3), page(total=3))


@pytest.mark.parametrize("by", COUNTED)
def test_a_list_without_rows_is_whole_where_the_total_says_so(by: Paging):
    assert walked(by, page(total=0))[1] == Proof(0, 0, "drifting", 1)


@pytest.mark.parametrize("by", COUNTED)
def test_a_total_that_moves_begins_the_list_again(by: Paging):
    with pytest.raises(TotalMoved, match="3 to 4"):
        walked(by, page(1, 2, total=3), page(3, total=4))


@pytest.mark.parametrize("by", [PageNumber("total", window=10), Offset("total", window=10)])
@pytest.mark.parametrize("total", [10, 11])
def test_as_many_rows_as_the_vendor_lists_or_more_are_refused_at_once(by: Paging, total: int):
    with pytest.raises(Incomplete, match="lists only 10"):
        walked(by, page(1, 2, total=total))


@pytest.mark.parametrize("by", COUNTED)
def test_the_same_page_again_is_refused_although_the_count_agrees(by: Paging):
    with pytest.raises(Incomplete, match="same page"):
        walked(by, page(1, 2, total=4), page(1, 2, total=4))


def test_pages_that_were_streamed_keep_no_rows_to_be_compared():
    _, proof = walked(PageNumber("total", per=2), *[Page({"total": 4}, (), 2)] * 2)

    assert proof.seen == 4


def test_a_json_body_without_a_place_for_a_value_is_a_mistake_of_the_tool():
    with pytest.raises(ValueError, match="no place"):
        walked(Cursor("next", json="a.token"), page(1, next="x"), first=replace(POST, json={"a": [1]}))


def test_a_row_left_out_of_a_page_is_not_made_up_for_by_one_that_comes_twice():
    with pytest.raises(Incomplete, match="overlap"):
        walked(Offset("total", per=2), page(2, total=4), page(2, 3, total=4))


def test_a_row_that_comes_twice_after_a_full_page_is_left_to_the_second_pass():
    _, proof = walked(Offset("total", per=2), page(1, 2, total=4), page(2, 3, total=4))

    assert proof.kind == "drifting"


# What every shape with a total refuses


TOTALLED: list[tuple[Paging, Ask, dict[str, Any]]] = [
    (Whole("total"), FIRST, {}),
    (PageNumber("total"), FIRST, {}),
    (Offset("total"), FIRST, {}),
    (NextLink("next", total="total"), FIRST, {"next": None}),
    (Cursor("next", query="cursor", total="total"), FIRST, {"next": None}),
    (SearchAfter("id", query="after", total="total"), FIRST, {}),
    (GraphQL("t", total="total"), QUERY, {"t": {"pageInfo": {"hasNextPage": False, "endCursor": None}}}),
]
SHAPES = [type(by).__name__ for by, _, _ in TOTALLED]
BAD_TOTALS = [None, True, 1.5, "many", "", "-1", "1_0", " 1", "1" * 20, [], {}]


@pytest.mark.parametrize(("by", "first", "end"), TOTALLED, ids=SHAPES)
def test_a_total_that_is_missing_or_no_count_is_a_changed_vendor(by: Paging, first: Ask, end: Any):
    for answer in (page(1, **end), *(page(1, total=total, **end) for total in BAD_TOTALS)):
        with pytest.raises(VendorChanged, match="total"):
            walked(by, answer, first=first)


@pytest.mark.parametrize(("by", "first", "end"), TOTALLED, ids=SHAPES)
@pytest.mark.parametrize("total", [2, "2", 2.0])
def test_a_total_may_be_a_text_or_look_like_a_fraction(by: Paging, first: Ask, end: Any, total: Any):
    _, proof = walked(by, page(1, 2, total=total, **end), first=first)

    assert (proof.seen, proof.expected, proof.pages) == (2, 2, 1)


ENDED = [case for case in TOTALLED if not isinstance(case[0], PageNumber | Offset | SearchAfter)]


@pytest.mark.parametrize(("by", "first", "end"), ENDED, ids=[type(by).__name__ for by, _, _ in ENDED])
def test_fewer_rows_than_promised_at_the_end_are_incomplete(by: Paging, first: Ask, end: Any):
    with pytest.raises(Incomplete, match="declares 3 rows and sent 2"):
        walked(by, page(1, 2, total=3, **end), first=first)


@pytest.mark.parametrize("by", [by for by, _, _ in TOTALLED[3:6]], ids=SHAPES[3:6])
def test_more_rows_than_promised_end_a_walk_without_an_end(by: Paging):
    with pytest.raises(Incomplete, match="declares 1 row and sent 2"):
        walked(by, page(1, 2, total=1, next="x"))


# Links in the body


def test_links_are_followed_to_the_page_without_one():
    asked, proof = walked(
        NextLink(), page(1, links={"next": "/things?after=1"}), page(links={"next": "/b"}), page(2, links={})
    )

    assert asked == [FIRST, replace(FIRST, path="/things?after=1", query={}), replace(FIRST, path="/b", query={})]
    assert proof == Proof(2, None, "steady", 3)


@pytest.mark.parametrize(
    ("link", "said", "kind"),
    [
        ("/things?page=2", None, "drifting"),
        ("https://vendor.test/things?limit=2&offset=2", None, "drifting"),
        ("/things?page%5Bnumber%5D=2", None, "drifting"),
        ("/things?page=eyJpZCI6Mn0", None, "steady"),
        ("/things?starting_after=2", None, "steady"),
        ("/things?q=2", "drifting", "drifting"),
        ("/things?start=2", "steady", "steady"),
    ],
)
def test_links_that_count_drift(link: str, said: Any, kind: str):
    _, in_body = walked(NextLink("next", kind=said), page(1, next=link), page(2, next=None))
    _, in_header = walked(LinkHeader(kind=said), page(1, headers={"link": f"<{link}>; rel=next"}), page(2))

    assert (in_body.kind, in_header.kind) == (kind, kind)


def test_a_link_that_is_only_a_query_leads_to_the_same_list():
    ask = goes_on(NextLink("next"), page(1, next="?after=1"), first=Ask("a/things?x=1"))

    assert ask.path == "a/things?after=1"


@pytest.mark.parametrize("link", [True, 7, [], {}, ["/b"]])
def test_a_link_that_is_no_text_is_a_changed_vendor(link: Any):
    with pytest.raises(VendorChanged, match="no link"):
        walked(NextLink("next"), page(1, next=link))


# The Link header


def test_the_link_header_is_followed_to_the_page_without_one():
    header = '<https://vendor.test/x?a=1,2&after=b>; title="a, \\"<c>\\""; rel="prev NEXT", </last>; rel="last"'

    asked, proof = walked(LinkHeader(), page(1, headers={"LINK": header}), page(2, headers={"link": "</1>; rel=first"}))

    assert asked[1] == replace(FIRST, path="https://vendor.test/x?a=1,2&after=b", query={})
    assert proof == Proof(2, None, "steady", 2)


def test_only_a_link_of_this_page_leads_on():
    header = '</other>; rel="next"; anchor="#elsewhere", </x>; rel="prev"; rel="next", </y>; title="next"'

    assert walked(LinkHeader(), page(1, headers={"link": header}))[1].pages == 1


@pytest.mark.parametrize(
    "header", ["/b; rel=next", "</b; rel=next", "</b> rel=next", '</b>; rel="next', '</b>; rel="next" x', "next", "<"]
)
def test_a_link_header_that_cannot_be_read_is_no_end(header: str):
    with pytest.raises(VendorChanged, match="Link header"):
        walked(LinkHeader(), page(1, headers={"link": header}))


def test_two_next_pages_are_one_too_many():
    with pytest.raises(VendorChanged, match="two next pages"):
        walked(LinkHeader(), page(1, headers={"link": "</b>; rel=next, </c>; rel=next"}))


def test_a_link_header_that_is_always_there_is_missed():
    with pytest.raises(VendorChanged, match="no Link header"):
        walked(LinkHeader(always=True), page(1))


def test_the_total_may_stand_in_a_header():
    by, link = LinkHeader(total_header="X-Total"), "</b>; rel=next"

    _, proof = walked(by, page(1, headers={"link": link, "x-total": "2"}), page(2, headers={"x-total": "2"}))

    assert proof == Proof(2, 2, "steady", 2)


@pytest.mark.parametrize(
    ("headers", "error"),
    [({}, VendorChanged), ({"x-total": "many"}, VendorChanged), ({"x-total": "2"}, Incomplete)],
)
def test_a_header_that_is_lost_or_says_more_is_no_end(headers: Any, error: type[Exception]):
    with pytest.raises(error):
        walked(LinkHeader(total_header="X-Total"), page(1, headers=headers))


# Cursors


def test_a_cursor_goes_back_into_the_query_until_there_is_none():
    by = Cursor("meta.next", query="cursor")

    asked, proof = walked(by, page(1, meta={"next": "a"}), page(meta={"next": 7}), page(2, meta={"next": ""}))

    assert queries(asked) == [{}, {"cursor": "a"}, {"cursor": 7}]
    assert proof == Proof(2, None, "steady", 3)


def test_a_cursor_goes_back_into_the_json_body():
    by = Cursor("nextToken", json="page.token", optional=True)

    asked, _ = walked(by, page(1, nextToken="a"), page(2), first=POST)

    assert bodies(asked) == [{"size": 2}, {"size": 2, "page": {"token": "a"}}]
    assert asked[1].method == "POST"


@pytest.mark.parametrize(
    ("by", "body"),
    [
        (Cursor("next", query="c"), {}),
        (Cursor("meta.next", query="c"), {"meta": {}}),
        (Cursor("meta.next", query="c", optional=True), {}),
        (Cursor("meta.next", query="c", optional=True), {"meta": None}),
        *((Cursor("next", query="c"), {"next": token}) for token in (True, False, [], {}, 1.5)),
    ],
)
def test_a_cursor_that_is_missing_or_none_is_no_end(by: Paging, body: Any):
    with pytest.raises(VendorChanged, match=r"meta|next"):
        walked(by, page(1, **body))


def test_a_word_that_there_is_more_decides():
    by = Cursor("next", query="cursor", more="more")

    asked, _ = walked(by, page(1, more=True, next="a"), page(2, more=False, next="b"))

    assert queries(asked) == [{}, {"cursor": "a"}]


@pytest.mark.parametrize("body", [{"more": None}, {"more": 0}, {"more": "no"}, {}, {"more": True, "next": None}])
def test_a_word_that_is_none_or_promises_a_page_without_a_cursor_is_no_end(body: Any):
    with pytest.raises(VendorChanged):
        walked(Cursor("next", query="cursor", more="more"), page(1, **body))


@pytest.mark.parametrize("places", [{}, {"query": "a", "json": "b"}])
@pytest.mark.parametrize("shape", [lambda **at: Cursor("x", **at), lambda **at: SearchAfter("x", total="t", **at)])
def test_what_goes_back_has_one_place(shape: Any, places: Any):
    with pytest.raises(ValueError, match="one of both"):
        shape(**places)


async def test_a_cursor_in_a_circle_is_refused_by_the_session(opened: Open):
    bodies: list[Any] = []

    def reply(request: httpx2.Request) -> httpx2.Response:
        bodies.append(json.loads(request.content))
        token = {None: "a", "a": "b", "b": "a"}[bodies[-1].get("token")]
        rows = [{"id": f"t{len(bodies)}", "name": "Thing"}]
        return httpx2.Response(200, json={"data": rows, "next": token})

    listing = things(ask=replace(POST, json={}), by=Cursor("next", json="token"))
    async with opened("http://vendor.test/", transport=httpx2.MockTransport(reply)) as session:
        reading = session.read(listing)
        await rows_of(reading)

    assert bodies == [{}, {"token": "a"}, {"token": "b"}]
    assert "repeats a page" in reading.outcome.why
    assert not reading.outcome.complete


# Keyset


def test_a_keyset_goes_on_after_the_last_row_to_the_total():
    by = SearchAfter("sort", json="search_after", total="hits.total.value")
    hits = {"total": {"value": 3, "relation": "eq"}}

    asked, proof = walked(by, page("a", "b", hits=hits), page("c", hits=hits), first=POST)

    assert bodies(asked) == [{"size": 2}, {"size": 2, "search_after": ["b"]}]
    assert proof == Proof(3, 3, "steady", 2)


def test_a_keyset_by_the_last_id_ends_at_the_word_that_there_is_no_more():
    by = SearchAfter("id", query="starting_after", more="has_more")

    asked, proof = walked(by, page("a", "b", has_more=True), page(has_more=False))

    assert queries(asked) == [{}, {"starting_after": "b"}]
    assert proof == Proof(2, None, "steady", 2)


def test_a_keyset_without_a_word_on_its_end_is_a_mistake_of_the_tool():
    with pytest.raises(ValueError, match="prove the end"):
        SearchAfter("id", query="after")


@pytest.mark.parametrize(
    "answers",
    [
        [page("a", "b", total=3), page(total=3)],
        [page("a", "b", total=4), page("b", "c", total=4)],
        [page("a", "b", "a", total=5)],
    ],
    ids=["empty", "the last row again", "a row twice"],
)
def test_a_keyset_that_stops_or_repeats_before_its_end_is_incomplete(answers: list[Page]):
    with pytest.raises(Incomplete):
        walked(SearchAfter("id", query="after", total="total"), *answers)


@pytest.mark.parametrize(
    "by",
    [Whole("total.value"), Offset("total.value"), SearchAfter("sort", json="search_after", total="total.value")],
    ids=["Whole", "Offset", "SearchAfter"],
)
def test_a_total_that_is_an_estimate_is_refused(by: Paging):
    with pytest.raises(Incomplete, match="estimates"):
        walked(by, page("a", total={"value": 1, "relation": "gte"}))


@pytest.mark.parametrize("place", [None, "", True, [], {}, [None], ["a", None], ["a", []]])
def test_a_row_that_does_not_say_where_it_stands_ends_a_keyset(place: Any):
    answer = Page({"total": 2}, (Row(sort=place),), 1)

    with pytest.raises(VendorChanged, match="where it stands"):
        walked(SearchAfter("sort", json="after", total="total"), answer)


def test_a_row_that_is_no_object_ends_a_keyset():
    with pytest.raises(VendorChanged, match="where it stands"):
        walked(SearchAfter("id", query="after", total="total"), Page({"total": 3}, (Row(id="a"),), 2))


# GraphQL


def connection(more: Any, cursor: Any, *ids: Any) -> Page:
    return page(*ids, data={"things": {"pageInfo": {"hasNextPage": more, "endCursor": cursor}}})


def test_a_connection_is_walked_by_its_variable():
    asked, proof = walked(GraphQL("data.things"), connection(True, "c1", 1), connection(False, "c2", 2), first=QUERY)

    assert [ask.json["variables"] for ask in asked] == [{"after": None}, {"after": "c1"}]
    assert {(ask.json["query"], ask.graphql) for ask in asked} == {(QUERY.json["query"], True)}
    assert proof == Proof(2, None, "steady", 2)


@pytest.mark.parametrize(
    "answer",
    [connection(None, None, 1), connection("false", None, 1), connection(True, None, 1), connection(True, "", 1),
     page(1, data={"things": {"pageInfo": None}}), page(1, data={"things": None}), page(1, data=None), page(1)],
)  # fmt: skip
def test_a_connection_that_does_not_say_whether_there_is_more_is_no_end(answer: Page):
    with pytest.raises(VendorChanged):
        walked(GraphQL("data.things"), answer, first=QUERY)


def test_a_connection_is_asked_by_graphql_or_not_at_all():
    with pytest.raises(ValueError, match="graphql"):
        walked(GraphQL("data.things"), connection(False, None, 1), first=replace(QUERY, graphql=False))


# Exports


def export(**changes: Any) -> Export:
    shape = Export(
        status=lambda started: Ask(f"export/{identifier(started.body, 'id')}"),
        parts=lambda started, done: [Ask(f"export/{started.body['id']}/{name}") for name in done.body["parts"]],
        state="state",
        working=frozenset({"QUEUED", "RUNNING"}),
        done=frozenset({"DONE"}),
        every=3,
    )
    return replace(shape, **changes)


STARTED = Page({"id": 9})


def looked(state: Any = "DONE", parts: Any = ("a", "b"), **body: Any) -> Page:
    return Page({"state": state, "parts": parts, **body})


def test_an_export_is_started_looked_at_and_fetched():
    asked, proof = walked(
        export(),
        STARTED,
        looked("QUEUED"),
        Page(),
        looked("RUNNING"),
        Page(),
        looked(),
        page(1, 2),
        page(3),
        first=POST,
    )

    look = Ask("export/9", bare=True)
    assert asked == [replace(POST, bare=True), look, Wait(3), look, Wait(3), look, Ask("export/9/a"), Ask("export/9/b")]
    assert proof == Proof(3, None, "steady", 2)


def test_an_export_in_one_file_is_whole():
    _, proof = walked(export(total="rows"), STARTED, looked(parts=["all"], rows=2), page(1, 2))

    assert proof == Proof(2, 2, "whole", 1)


def test_an_export_without_parts_is_empty_where_the_vendor_counts_none():
    assert walked(export(count="n"), STARTED, looked(parts=[], n=0))[1].seen == 0
    with pytest.raises(Incomplete, match="no part"):
        walked(export(), STARTED, looked(parts=[]))


@pytest.mark.parametrize("state", ["ERROR", "CANCELLED", "EXPIRED", "done", "", "never heard of"])
def test_an_export_that_failed_expired_or_ended_in_a_word_nobody_knows_is_incomplete(state: str):
    with pytest.raises(Incomplete, match="ended as"):
        walked(export(), STARTED, looked("RUNNING"), Page(), looked(state))


@pytest.mark.parametrize("state", [None, True, 1, [], {}])
def test_a_state_that_is_no_text_is_a_changed_vendor(state: Any):
    with pytest.raises(VendorChanged, match="no state"):
        walked(export(), STARTED, looked(state))


def test_an_export_that_is_never_done_is_given_up():
    with pytest.raises(Incomplete, match="after 2 looks"):
        walked(export(polls=2), STARTED, looked("RUNNING"), Page(), looked("RUNNING"), Page())


@pytest.mark.parametrize(
    ("changes", "body", "error"),
    [
        ({"count": "n"}, {"n": 3}, Incomplete),
        ({"count": "n"}, {"n": 1}, Incomplete),
        ({"count": "n"}, {"n": None}, VendorChanged),
        ({"count": "n"}, {}, VendorChanged),
        ({"lost": ("failed",)}, {"failed": [2]}, Incomplete),
        ({"lost": ("failed",)}, {"failed": None}, Incomplete),
        ({"lost": ("failed",)}, {}, VendorChanged),
        ({"total": "rows"}, {"rows": 4}, Incomplete),
        ({"total": "rows"}, {"rows": "?"}, VendorChanged),
    ],
)
def test_an_export_that_lost_something_is_not_whole(changes: Any, body: Any, error: type[Exception]):
    with pytest.raises(error):
        walked(export(**changes), STARTED, looked(**body), page(1, 2), page(3))


def test_another_run_of_the_same_export_is_waited_for_and_not_taken_over():
    """It may be somebody's who sees less, so its rows would prove nothing."""
    asked, proof = walked(
        export(busy="other"), Page({"other": 4}), Page(), Page({"other": 4}), Page(), STARTED, looked(), page(1),
        page(2), first=POST,
    )  # fmt: skip

    start = replace(POST, bare=True)
    assert asked[:6] == [start, Wait(3), start, Wait(3), start, Ask("export/9", bare=True)]
    assert proof == Proof(2, None, "steady", 2)


def test_another_run_that_never_ends_is_given_up():
    with pytest.raises(Incomplete, match="still running after 2 tries"):
        walked(export(busy="other", polls=2), *[Page({"other": 4}), Page()] * 2, first=POST)


def test_the_vendors_own_reason_for_a_failure_is_told():
    with pytest.raises(Incomplete, match=r"ended as 'ERROR'\. The vendor says: \"It timed out\.\""):
        walked(export(reason="why"), STARTED, looked("ERROR", why="It timed\nout."))
    with pytest.raises(Incomplete, match=r"is not empty\. The vendor says: \"1 of 2 failed\.\""):
        walked(export(reason="why", lost=("failed",)), STARTED, looked(failed=[2], why="1 of 2 failed."))


@pytest.mark.parametrize(("empty", "whole"), [(0, False), (1, True), (2, False)])
def test_parts_that_hold_nothing_may_be_left_out_and_no_others(empty: int, whole: bool):
    body = {"n": 3, "empty": empty}
    if whole:
        assert walked(export(count="n", empty="empty"), STARTED, looked(**body), page(1), page(2))[1].pages == 2
    else:
        with pytest.raises(Incomplete, match="declares 3 parts and names 2"):
            walked(export(count="n", empty="empty"), STARTED, looked(**body))


async def test_a_part_that_has_expired_makes_the_export_incomplete(opened: Open):
    answers: dict[str, Any] = {
        "/things": {"id": 9},
        "/export/9": {"state": "DONE", "parts": ["a", "b"]},
        "/export/9/a": {"data": [{"id": "t1", "name": "Thing"}]},
    }

    def reply(request: httpx2.Request) -> httpx2.Response:
        body = answers.get(request.url.path)
        return httpx2.Response(410) if body is None else httpx2.Response(200, json=body)

    async with opened("http://vendor.test/", transport=httpx2.MockTransport(reply)) as session:
        reading = session.read(things(by=export()), off=frozenset({410}))
        rows = await rows_of(reading)

    assert len(rows) == 1
    assert not reading.outcome.complete
    assert not reading.outcome.off


# Ids


@pytest.mark.parametrize(
    ("row", "path", "name"),
    [({"a": {"id": " x "}}, "a.id", " x "), ({"id": 0}, "id", "0"), (7, "", "7")],
)
def test_an_id_is_a_text_or_a_whole_number(row: Any, path: str, name: str):
    assert identifier(row, path) == name


@pytest.mark.parametrize("value", [None, "", "  ", "\n", True, False, 1.0, [], {}, ["a"]])
def test_what_is_no_id_names_nothing(value: Any):
    with pytest.raises(VendorChanged, match=r"'a\.id'"):
        identifier(Row(a={"id": value}), "a.id")
    with pytest.raises(VendorChanged):
        identifier(Row(a={}), "a.id")
