"""Burp's HTML, read for what it names: links, weaknesses, and its words without the markup."""

import html
import re


def cwes(classifications_html: str) -> tuple[int, ...]:
    """The numbers of the weaknesses named in a text, each once."""
    return tuple(dict.fromkeys(int(number) for number in re.findall(r"CWE-(\d{1,6})", classifications_html)))


def hrefs(links_html: str) -> tuple[str, ...]:
    """The web addresses a list of links leads to, each once."""
    found = (html.unescape(link) for link in re.findall(r"""href\s*=\s*["']([^"']+)["']""", links_html))
    return tuple(dict.fromkeys(link for link in found if link.startswith(("https://", "http://"))))


def plain_words(markup: str) -> str:
    """The text without its markup, a line a paragraph."""
    broken = re.sub(r"(?i)<br\s*/?>|</(?:p|div|li|pre)>", "\n", markup)
    return html.unescape(re.sub(r"<[^<>]*>", "", broken)).strip()
