"""Takes every secret of a Connection out of what leaves its Session."""

from __future__ import annotations

import html
import json
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast
from urllib.parse import quote, quote_plus

from .errors import ConnectorError

MASK = "•••"
_SHORTEST = 4  # a shorter secret stands in every text by chance: masking it would shred texts and protect nothing
_UNMISTAKABLE = 16
_BASE64 = "[A-Za-z0-9+/_-]"
_CREDENTIAL_IN_QUERY = re.compile(
    r"(?i)([?&][^=&#]*(?:token|secret|passw|pwd|api[-_]?key|apikey|signature|credential|auth|[-_]sig|\bsig)[^=&#]*=)[^&#]*"
)


class Redactor:
    """Replaces secrets, however a vendor or a library may have spelled them, by three dots."""

    def __init__(self, secrets: Iterable[str]) -> None:
        secrets = tuple(secrets)
        unmistakable = [secret for secret in secrets if len(secret) >= _UNMISTAKABLE]
        self._all, self._certain = _Finder(secrets), _Finder(unmistakable)
        self._echoes = [secret.encode("utf-8", "replace") for secret in unmistakable]

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._all.masked(text)

    def shortened(self, text: str, length: int) -> str:
        """At most so much of the text, without secrets, and without the first half of one that is cut in two."""
        if len(text) <= length:
            return self.text(text)
        start = self.text(text[: length + self._all.longest])
        return start[: min(length, len(start) - self._all.longest)] + "…"

    def is_echoed_in(self, data: bytes) -> bool:
        """Whether a body holds a secret so long that it stands there by no chance."""
        return any(secret in data for secret in self._echoes)

    def echo(self, text: str) -> str:
        """A text of such a body without these secrets; a short one may be a word of it, so it stays."""
        return self._certain.masked(text)

    def url(self, url: str) -> str:
        """The URL without secrets and without the values of parameters that are named like credentials."""
        return _CREDENTIAL_IN_QUERY.sub(rf"\g<1>{MASK}", self.text(url))

    def fact(self, fact: Any) -> Any:
        """A fact of the log without secrets, whatever it is made of."""
        if fact is None or isinstance(fact, (bool, int, float)):
            return fact
        if isinstance(fact, Mapping):
            pairs = cast(Mapping[Any, Any], fact).items()
            return {self.text(str(name)): self.fact(value) for name, value in pairs}
        if isinstance(fact, (list, tuple, set, frozenset)):
            return [self.fact(value) for value in cast(Iterable[Any], fact)]
        return self.text(str(fact))

    def error(self, error: ConnectorError) -> ConnectorError:
        """The same error without secrets; its causes go too, they quote what was sent."""
        error.what = self.text(error.what)
        error.next_step = self.text(error.next_step)
        error.args = (error.what,)
        error.__cause__ = error.__context__ = None
        return error


class _Finder:
    """Finds every spelling of some secrets."""

    def __init__(self, secrets: Iterable[str]) -> None:
        spellings = {pattern: needle for secret in secrets for needle, pattern in _spellings(secret)}
        longest_first = sorted(spellings, key=len, reverse=True)  # lest the tail of a longer one is left over
        self.longest = len(longest_first[0]) if longest_first else 0
        self._pattern = re.compile("|".join(longest_first))
        self._needles = set(spellings.values())

    def masked(self, text: str) -> str:
        # A look for the needles first is 20 times as fast, and hardly any text holds one.
        return self._pattern.sub(MASK, text) if any(needle in text for needle in self._needles) else text


def _spellings(secret: str) -> Iterator[tuple[str, str]]:
    """What to look for, and its pattern: the secret as it is, quoted for URL, JSON, HTML, Python, and in base64."""
    for text in {secret, secret.strip()}:
        if len(text) >= _SHORTEST:
            yield from ((spelling, re.escape(spelling)) for spelling in _escaped(text))
            yield from _in_base64(text.encode("utf-8", "surrogatepass"))


def _escaped(text: str) -> set[str]:
    plain = {text, repr(text)[1:-1], html.escape(text), html.escape(text, quote=False)}
    plain |= {json.dumps(text, ensure_ascii=ascii_only)[1:-1] for ascii_only in (True, False)}
    plain |= {json.dumps(escaped)[1:-1] for escaped in set(plain)} | {escaped.replace("/", "\\/") for escaped in plain}
    raw = text.encode("utf-8", "surrogatepass")
    quoted = {quote(raw), quote(raw, safe=""), quote_plus(raw)}
    return plain | quoted | {_lower_hex(escaped) for escaped in quoted}


def _lower_hex(quoted: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda found: found[0].lower(), quoted)


def _in_base64(secret: bytes) -> Iterator[tuple[str, str]]:
    """The secret inside a longer base64 text begins at one of three offsets in a group of three bytes.

    The characters that it shares with its neighbours are masked with it: they carry some of its bits.
    """
    for offset in range(3):
        encoded = b64encode(bytes(offset) + secret).decode()
        core = encoded[(0, 2, 3)[offset] : (offset + len(secret)) * 8 // 6]
        if len(core) >= _SHORTEST:
            needle = max(re.split("[+/]", core), key=len)
            either = re.escape(core).replace(r"\+", "(?:[+-]|%2[Bb])").replace("/", "(?:[/_]|%2[Ff])")
            before = f"{_BASE64}?" if offset else ""
            yield needle, f"{before}{either}{_BASE64}?(?:=|%3[Dd]){{0,2}}"
