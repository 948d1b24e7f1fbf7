"""Every fault that Tidegate promises to survive (promises.md, *Vendor faults*) is a case of the suite.

*Meaning* is told apart by what is known from before, so most of it is shown where Operations run: tests/ingest, and the
tests of each Tool. Here stands what a Tool alone can get wrong.
"""

from pathlib import Path

import pytest

from tidegate_sdk.conformance import Suite
from tidegate_sdk.conformance.values import KINDS, odd_values

from . import cursored, dropped, engined, exported, headed, linked, numbered, pooled, queried, searched

CERTIFICATE = ("the certificate is of an unknown authority", "the certificate has expired")
RETRY_AFTER = ("429 with seconds", "429 with a date", "429 without a time", "429 with an odd time")
FAULTS = {
    "name does not resolve": ["the name does not resolve"],
    "refused": ["refused once", "refused for ever"],
    "certificate unknown / expired / of another host": [*CERTIFICATE, "the certificate is of another host"],
    "connect time-out": ["connect time-out once", "time-out for ever"],
    "read time-out in the body": ["silence in the body once"],
    "reset in the body": ["reset in the body once", "reset in the body for ever"],
    "one byte a second": ["one byte a second"],
    "Content-Length larger than the body": ["body shorter than announced"],
    "gzip bomb": ["gzip bomb", "gzip that is none"],
    "redirect loop": ["redirect for ever"],
    "redirect to another host": ["redirect to another host"],
    "redirect from https to http": ["redirect to http"],
    "400, 401, 409, 422": ["400", "401", "409", "422"],
    "403 for everything, 403 for one product": ["403 from here on", "403"],
    "404 for one product": ["404", "404 from here on"],
    "410 for an expired cursor or export": ["410"],
    "429 with Retry-After in seconds / as a date / absent / absurd": [*RETRY_AFTER, "429 with an absurd time"],
    "5xx once, 5xx for ever": ["500 once", "502 once", "503 once", "504 once", "500 for ever", "503 for this question"],
    "200 with an HTML login page": ["200 with a login page"],
    "200 with an error object (GraphQL)": ["200 with an error object", "200 with errors beside the data"],
    "204 and 200 with an empty body": ["204", "200 with an empty body"],
    "not JSON, cut JSON": ["not JSON", "cut at a third", "cut before the end", "cut to one byte", "followed by more"],
    "invalid UTF-8, byte-order mark": ["invalid UTF-8", "UTF-16", "byte-order mark"],
    "an id that is missing": ["a row without its id"],
    "an id repeated in a page": ["a row twice", "an id with other content"],
    "an id repeated across pages": ["a row of an earlier page again", "an id of an earlier page with other content"],
    "nesting 10,000 deep": ["nested 10,000 deep"],
    "the same page again": ["the same page again", "the first page again"],
    "a cursor that loops": ["the same page for ever"],
    "fewer rows than promised": ["fewer rows than promised", "every page a row short"],
    "a total that changes": ["the total grows"],
    "rows added and removed so that the total stays": ["rows swapped between pages", "a row in place of another"],
    "a last page missing": ["a page is empty", "the list ends early"],
    "the vendor's own cap reached": ["the vendor's cap"],
    "an empty answer": ["empty from here on", "an empty list", "a page is empty once"],
    "a token that expires half-way": ["401 from here on"],
}
OTHERS = {
    "NUL, lone surrogates, a 1 MB description, markup and script": "in a row: text",
    "missing or null fields, an id that is a number": "in a row: type",
    "a severity never seen before": "in a row: word",
    "dates in odd forms / without zone / in the future": "in a row: date",
    "a page size the vendor silently lowers": "variant: pages of 2",
    "XML entity bombs": "file: entity bomb",
    "gone between the list and its fetch": "file, listed and then gone",
}
WORLDS = [
    sample.WORLD
    for sample in (numbered, searched, linked, headed, cursored, queried, exported, dropped, pooled, engined)
]
CASES = {case for world in WORLDS for case in Suite(world, Path()).cases}


@pytest.mark.parametrize("promise", FAULTS)
def test_a_promised_fault_is_a_case(promise: str):
    assert {f"fault: {name}" for name in FAULTS[promise]} <= CASES


@pytest.mark.parametrize("promise", OTHERS)
def test_a_promised_oddity_is_a_case(promise: str):
    assert OTHERS[promise] in CASES


def test_the_odd_values_are_those_that_are_promised():
    odd = {value.name: value.kind for healthy in ("high", "2024-02-29T12:00:00Z", 7) for value in odd_values(healthy)}

    assert {"NUL", "lone surrogate", "1 MB", "markup", "raw NUL"} <= {name for name in odd if odd[name] == "text"}
    assert {"date in words", "date without zone", "date in the future"} <= {name for name in odd if odd[name] == "date"}
    assert {"null", "missing", "a number for text", "a text"} <= {name for name in odd if odd[name] == "type"}
    assert set(odd.values()) == {*KINDS}
