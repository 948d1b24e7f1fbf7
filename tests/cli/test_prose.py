"""Vendors write HTML; people read text."""

from __future__ import annotations

import pytest

from tidegate.cli.prose import prose


@pytest.mark.parametrize(
    ("written", "read"),
    [
        ("Plain text, 1 < 2 and a <x> in it.", "Plain text, 1 < 2 and a <x> in it."),
        ("# Markdown\n\n* stays `as it is`", "# Markdown\n\n* stays `as it is`"),
        ("The payload <b>id17'\"&lt;x&gt;</b> was sent.", "The payload id17'\"<x> was sent."),
        ("<p>One.</p><p>Two,<br>in two lines.</p>", "One.\n\nTwo,\nin two lines."),
        ("Do:<ul><li>this</li><li>and <i>that</i></li></ul>Done.", "Do:\n\n• this\n• and that\n\nDone."),
        ("<p>See <a href='https://example.org/'>the guide</a>.</p>", "See the guide."),
        ("<p>Sent <script>alert(1)</script> there</p>", "Sent <script>alert(1)</script> there"),
        ("<p>never closed <b>and cut of", "<p>never closed <b>and cut of"),
        ("<p>cut</p> in a <b", "cut\n\nin a <b"),
        ("<p></p>", ""),
    ],
)
def test_html_is_read_as_text_and_nothing_else_is_touched(written: str, read: str):
    assert prose(written) == read


def test_a_megabyte_of_brackets_takes_no_time():
    """promises.md, Body: markup in every text, a 1 MB description."""
    assert prose("<" * 1_000_000 + "</p>").startswith("<<<")
    assert prose("<p>" * 300_000 + "x</p>") == "x"
