"""What tools wrote, on a page: promises.md, *Vendor text is hostile*."""

from __future__ import annotations

import re

import pytest

from tidegate.ui.markup import markdown, web

HOSTILE = (
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "![seen](https://tracker.example/p.gif)",
    '<a href="javascript:alert(1)">x</a>',
    "[x](javascript:alert(1))",
    "[x](data:text/html;base64,PHNjcmlwdD4=)",
    "[x](vbscript:msgbox)",
    "[x](JaVaScRiPt:alert(1))",
    "[x](java\tscript:alert(1))",
    "<svg><a xlink:href='javascript:alert(1)'><text>x</text></a></svg>",
    "<iframe src=https://evil.example></iframe>",
    "<form action=https://evil.example><input name=password></form>",
    "<style>*{display:none}</style>",
    "<p style='position:fixed' class='problem' id='main' hx-get='/x' data-dialog>x</p>",
    "<base href=https://evil.example/>",
    "<math><mtext></p><mglyph><style><img src=x onerror=alert(1)>",
    "`<b onclick=alert(1)>`",
)
ALIVE = re.compile(
    r"<(?!/?(?:a|p|em|strong|code|pre|ul|ol|li|br|hr|h[1-6]|blockquote|table|thead|tbody|tr|th|td|del|s)\b)\w"
    r"|<[^>]*\s(?:on\w+|style|class|id|src|hx-\w+|data-\w+|name|action)\s*=",
    re.IGNORECASE,
)


@pytest.mark.parametrize("text", HOSTILE)
def test_nothing_that_a_tool_wrote_is_alive(text: str):
    """No script, picture, form, style, nor a name that our own scripts and styles know; every link is to the web."""
    shown = str(markdown(f"before {text} after\n\n{text}"))

    assert not ALIVE.search(shown), shown
    for href in re.findall(r'href="([^"]*)"', shown):
        assert href.startswith(("http://", "https://")), shown


def test_a_link_tells_nothing_and_opens_nothing():
    shown = str(markdown("See [the advisory](https://vendor.example/1) and **mind** it."))

    assert re.search(r'<a [^>]*href="https://vendor.example/1"[^>]*>the advisory</a>', shown)
    assert {"noopener", "noreferrer"} <= set(re.findall(r'rel="([^"]*)"', shown)[0].split())
    assert "<strong>mind</strong>" in shown


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "//evil.example", "/findings/", "", None])
def test_only_the_web_is_linked(url: str | None):
    assert not web(url)
    assert web("https://vendor.example/1")
