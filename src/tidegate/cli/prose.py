"""What a vendor wrote about a finding, for a terminal: HTML becomes text, and everything else stays as it is."""

from __future__ import annotations

import re
from html.parser import HTMLParser

_IS_HTML = re.compile(r"</(?:p|li|ul|ol|b|i|a|em|strong|code|pre|div|h[1-6]|table)>|<br\s*/?>", re.IGNORECASE)
_PARAGRAPHS = frozenset(
    {"p", "ul", "ol", "pre", "div", "table", "tr", "h1", "h2", "h3", "h4", "h5", "h6", "blockquote"}
)
_WITHIN_A_LINE = frozenset(("b", "i", "a", "em", "strong", "code", "span", "u", "tt", "sub", "sup", "td", "th", "font"))
_SPACES = re.compile(r"[ \t]*\n[ \t]*")


def prose(text: str) -> str:
    """The words of a vendor's HTML, a paragraph a block and an item a line. A tag nobody knows is part of a payload,
    and is shown as it stands."""
    if not _IS_HTML.search(text):
        return text
    reader = _Words()
    reader.feed(text)
    reader.close()
    return re.sub(r"\n{3,}", "\n\n", _SPACES.sub("\n", "".join(reader.words))).strip()


class _Words(HTMLParser):
    """Collects the text between tags that people know."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        if tag in _PARAGRAPHS:
            self.words.append("\n\n")
        elif tag in ("br", "li"):
            self.words.append("\n• " if tag == "li" else "\n")
        elif tag not in _WITHIN_A_LINE:
            self.words.append(self.get_starttag_text() or "")

    def handle_startendtag(self, tag: str, attrs: object) -> None:
        self.handle_starttag(tag, attrs)

    def handle_endtag(self, tag: str) -> None:
        if tag in _PARAGRAPHS:
            self.words.append("\n\n")
        elif tag not in (*_WITHIN_A_LINE, "li", "br"):
            self.words.append(f"</{tag}>")
