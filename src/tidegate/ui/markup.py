"""Text of vendors, as pages may show it: Markdown becomes mark-up of a few tags, and nothing that acts or loads."""

from __future__ import annotations

from typing import Final

import nh3
from markdown_it import MarkdownIt
from markupsafe import Markup

LONGEST: Final = 100_000
TAGS: Final = {
    "a", "b", "blockquote", "br", "code", "dd", "dl", "dt", "em", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p",
    "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
SHEDS: Final = {"script", "style", "iframe", "object", "svg", "math", "noscript", "template"}
_markdown = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table")


def markdown(text: object) -> Markup:
    """The text's Markdown, or simple HTML, with everything left out that is not on the list. Pictures never load: they
    would tell a stranger who reads this, and when."""
    made = _markdown.render(str(text)[:LONGEST])
    clean = nh3.clean(
        made, tags=TAGS, clean_content_tags=SHEDS, attributes={"a": {"href"}}, url_schemes={"http", "https"},
        link_rel="noopener noreferrer nofollow",
    )  # fmt: skip
    return Markup(clean)  # noqa: S704 - nh3 has just cleaned it


def web(url: object) -> str:
    """The address where it leads to the web; else nothing, so that no link runs anything."""
    text = str(url or "")
    return text if text.startswith(("https://", "http://")) else ""


def lines(text: object) -> Markup:
    """The text with its line ends."""
    return Markup("<br>").join(str(text).splitlines())
