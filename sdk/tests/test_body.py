"""From bytes to values: what is read, what is mended, and what is refused."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tidegate_sdk import VendorChanged
from tidegate_sdk.body import decode, with_texts

BUSY = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # as a machine may be


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b'{"a": 1}', {"a": 1}),
        (b'\xef\xbb\xbf{"a": 1}', {"a": 1}),
        (b"[]", []),
        (b"null", None),
        (b'{"a": "\\u0000b"}', {"a": "\ufffdb"}),
        (b'{"a\\u0000": ["\\u0000"]}', {"a\ufffd": ["\ufffd"]}),
        (b'{"a": "x\\ud800y"}', {"a": "x\ufffdy"}),
        (b'{"a": "\\ud83d\\ude00"}', {"a": "😀"}),
        (b'{"a": "x\x00y\tz"}', {"a": "x\ufffdy\tz"}),
        (b'"\\\\u0000"', "\\u0000"),
    ],
)
def test_json_is_read_whatever_stands_in_its_texts(data: bytes, value: Any):
    assert decode(data, "GET x") == value


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"hello", "not JSON"),
        (b'{"a": [1, 2', "not JSON"),
        (b'{"a": 1} trailing', "not JSON"),
        (b'{"a": NaN}', "not JSON"),
        (b'{"a": 1e999, "b": "\\ud800"}', "not JSON"),
        (b'{"a": "\xff"}', "not UTF-8"),
        (b'{"\x00a": 1, "b": "\xff"}', "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}', "not UTF-8"),
        ('{"a": 1}'.encode("utf-16"), "not UTF-8"),
        (b"", "empty"),
        (b"\xef\xbb\xbf", "empty"),
        (b"[" * 10_000 + b"]" * 10_000, "nested too deeply"),
        (b'{"a":' * 10_000 + b'"\\ud800"' + b"}" * 10_000, "nested too deeply"),
        (b"[" * 5_000_000, "nested too deeply"),
        (b"<html>", "a login page"),
        (b'\xef\xbb\xbf<?xml version="1.0"?>\n<!DOCTYPE html PUBLIC "x">', "a login page"),
        (b"<!-- a --><!-- b --><body>", "a login page"),
        (b"<!---->" * 1_000, "not JSON"),
        (b"<!--" * 1_000, "not JSON"),
    ],
)
def test_what_is_no_data_is_refused_and_says_why(data: bytes, words: str):
    with pytest.raises(VendorChanged, match=words) as caught:
        decode(data, "GET x")

    assert str(caught.value).startswith("GET x answered with")


def test_texts_are_changed_at_any_depth_without_recursion():
    deep: Any = "x"
    for _ in range(5_000):
        deep = [deep]

    changed = with_texts(deep, str.upper)

    for _ in range(5_000):
        [changed] = changed
    assert changed == "X"


@BUSY
@given(st.binary())
def test_no_bytes_raise_anything_else(data: bytes):
    try:
        decode(data, "GET x")
    except VendorChanged:
        return


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@BUSY
@given(JSON)
def test_texts_left_as_they_are_leave_the_value_as_it_is(value: Any):
    assert with_texts(value, lambda text: text) == value
