"""What Burp shows as proof of an issue, as bounded plain text: the messages it sent and got, and what else it saw."""

import html
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from tidegate.connectors.burpsuite.markup import plain_words

MESSAGE = 1_900
"""Characters kept of one request, response or description."""
ALL = 4_000
"""Characters kept of them together."""


def plain(evidence: Any) -> str:
    """The evidence of one issue in the vendor's order; null and empty parts are left out."""
    said: list[str] = []
    room = ALL
    for heading, text in _pieces(evidence or ()):
        piece = f"{heading}\n{_cut(text, MESSAGE)}"
        if len(piece) > room:
            said.append("[further evidence left out]")
            break
        said.append(piece)
        room -= len(piece)
    return "\n\n".join(said)


def _pieces(evidence: Iterable[dict[str, Any] | None]) -> Iterator[tuple[str, str]]:
    for part in evidence:
        for name, text in (part or {}).items():
            if text and (read := _READ.get(name)):
                heading, words = read
                title = str((part or {}).get("title") or "Evidence")[:80]
                yield heading.format(title=title), words(text)


def _message(segments: Iterable[dict[str, Any] | None]) -> str:
    return "".join([_segment(segment) for segment in segments if segment])


def _segment(segment: dict[str, Any]) -> str:
    if (length := segment.get("snip_length")) is not None:
        return f"\n[{length} bytes left out by Burp]\n"
    return html.unescape(segment.get("data_html") or segment.get("highlight_html") or "").replace("\r\n", "\n")


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else f"{text[:limit]}\n[{len(text) - limit} more characters]"


_READ: Mapping[str, tuple[str, Callable[[Any], str]]] = {
    "request_segments": ("Request", _message),
    "response_segments": ("Response", _message),
    "description_html": ("{title}", plain_words),
    "request": ("{title}: request", _message),
    "response": ("{title}: response", _message),
}
