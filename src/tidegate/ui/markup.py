"""Text of vendors, as pages may show it: Markdown becomes mark-up of a few tags, and nothing that acts or loads."""

from __future__ import annotations

from typing import Final

import nh3
from django import template
from django.utils.safestring import SafeString, mark_safe
from markdown_it import MarkdownIt

register = template.Library()

LONGEST: Final = 100_000
TAGS: Final = {
    "a", "b", "blockquote", "br", "code", "dd", "dl", "dt", "em", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p",
    "pre", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip
SHEDS: Final = {"script", "style", "iframe", "object", "svg", "math", "noscript", "template"}
_markdown = MarkdownIt("commonmark", {"html": True, "linkify": False}).enable("table")


@register.filter
def markdown(text: object) -> SafeString:
    """The text's Markdown, or simple HTML, with everything left out that is not on the list. Pictures never load: they
    would tell a stranger who reads this, and when."""
    made = _markdown.render(str(text)[:LONGEST])
    clean = nh3.clean(
        made, tags=TAGS, clean_content_tags=SHEDS, attributes={"a": {"href"}}, url_schemes={"http", "https"},
        link_rel="noopener noreferrer nofollow",
    )  # fmt: skip
    return mark_safe(clean)  # noqa: S308 - nh3 has just cleaned it


@register.filter
def web(url: object) -> str:
    """The address where it leads to the web; else nothing, so that no link runs anything."""
    text = str(url or "")
    return text if text.startswith(("https://", "http://")) else ""
