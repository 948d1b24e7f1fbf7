"""Burp's HTML, read for its words without the markup."""

import html
import re


def plain_words(markup: str) -> str:
    """The text without its markup, a line a paragraph."""
    broken = re.sub(r"(?i)<br\s*/?>|</(?:p|div|li|pre)>", "\n", markup)
    return html.unescape(re.sub(r"<[^<>]*>", "", broken)).strip()
