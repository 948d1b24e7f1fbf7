"""Takes every secret of a Connection out of what leaves its Session."""

from __future__ import annotations

import html
import re
from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any, cast

from .errors import ConnectorError

MASK = "•••"
_SHORTEST = 4  # a shorter secret stands in every text by chance: masking it would shred texts and protect nothing
_UNMISTAKABLE = 16
_LONGEST_ERROR = 1_000
_LATEST = 24
_LETTERS = {"\n": "n", "\r": "r", "\t": "t", "\b": "b", "\f": "f"}
_BASE64 = "[A-Za-z0-9+/_-]"
_PARAMETER = re.compile(r"([?&])([^=&#?]*)=[^&#]*")
_NAMED_LIKE_A_CREDENTIAL = re.compile(
    r"(?i)token|secret|passw|pwd|api[-_]?key|apikey|signature|credential|auth|[-_]sig|\bsig"
)


class Redactor:
    """Replaces secrets, however a vendor or a library may have spelled them, by three dots."""

    def __init__(self, secrets: Iterable[str]) -> None:
        self._own, self._given = tuple(secrets), tuple[str, ...]()
        self._spelled: dict[str, tuple[tuple[str, str], ...]] = {}
        self._look_for(self._own)

    def learn(self, secrets: Iterable[str]) -> None:
        """Looks for these too: tokens that the vendor gave us. They expire, so the latest are enough."""
        self._given = (*self._given, *secrets)[-_LATEST:]
        self._look_for((*self._own, *self._given))

    def _look_for(self, secrets: tuple[str, ...]) -> None:
        # To spell a secret is dear, and most are known already when a token is learned.
        known = self._spelled
        self._spelled = {secret: known.get(secret) or tuple(_spellings(secret)) for secret in secrets}
        certain = [spelled for secret, spelled in self._spelled.items() if len(secret) >= _UNMISTAKABLE]
        self._all = _Finder(self._spelled.values())
        self._certain = self._all if len(certain) == len(self._spelled) else _Finder(certain)

    def text(self, text: str) -> str:
        """The text without secrets."""
        return self._all.masked(text)

    def shortened(self, text: str, length: int) -> str:
        """At most so much of the text, without secrets; masked first, lest half a secret is left by the cut."""
        return _cut(self.text(text), length)

    def is_echoed_in(self, data: bytes) -> bool:
        """Whether a body holds a secret so long that it stands there by no chance."""
        return self._certain.finds_in(data)

    def listener(self) -> Listener:
        """Tells in the end whether is_echoed_in() would be true of a body that comes in pieces."""
        return Listener(self._certain)

    def echo(self, text: str) -> str:
        """A text of such a body without these secrets; a short one may be a word of it, so it stays."""
        return self._certain.masked(text)

    def url(self, url: str) -> str:
        """The URL without secrets and without the values of parameters that are named like credentials."""
        return _PARAMETER.sub(_masked_parameter, self.text(url))

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
        """The same error without secrets and of bounded length; its causes and notes go, they quote what was sent."""
        error.what = self.text(error.what)
        error.what = _cut(error.what, _LONGEST_ERROR)
        error.next_step = self.shortened(error.next_step, _LONGEST_ERROR)
        error.args = (error.what,)
        error.__cause__ = error.__context__ = None
        error.__dict__.pop("__notes__", None)
        return error


class Listener:
    """Hears a body piece by piece; a secret that two pieces share is heard too."""

    def __init__(self, finder: _Finder) -> None:
        self.heard = False
        """Whether a secret was in it."""
        self._finder, self._before = finder, b""

    def hear(self, piece: bytes) -> None:
        """The next piece."""
        if not self.heard and self._finder.longest:
            together = self._before + piece
            self.heard = self._finder.finds_in(together)
            self._before = together[-self._finder.longest :]


class _Finder:
    """Finds every spelling of some secrets, given as what to look for and its pattern."""

    def __init__(self, spelled: Iterable[Iterable[tuple[str, str]]]) -> None:
        spellings = {pattern: needle for each in spelled for needle, pattern in each}
        longest_first = sorted(spellings, key=len, reverse=True)  # lest the tail of a longer one is left over
        self.longest = 8 * len(longest_first[0]) if longest_first else 0
        """No spelling has more bytes: in a pattern a repetition is at most eight times as long as it is written."""
        self._pattern = re.compile("|".join(longest_first))
        self._needles = set(spellings.values())
        self._bytes = [needle.encode() for needle in self._needles]

    def masked(self, text: str) -> str:
        # A look for the needles first is 20 times as fast, and hardly any text holds one.
        return self._pattern.sub(MASK, text) if any(needle in text for needle in self._needles) else text

    def finds_in(self, data: bytes) -> bool:
        return any(needle in data for needle in self._bytes) and bool(
            self._pattern.search(data.decode("utf-8", "replace"))
        )


def _cut(text: str, length: int) -> str:
    return text if len(text) <= length else text[:length] + "…"


def _masked_parameter(found: re.Match[str]) -> str:
    whole, before, name = found.group(0, 1, 2)
    return f"{before}{name}={MASK}" if _NAMED_LIKE_A_CREDENTIAL.search(name) else whole


def _spellings(secret: str) -> Iterator[tuple[str, str]]:
    """What to look for, and its pattern: the secret as it is, quoted for URL, JSON, HTML, Python, in base64 and in hex.

    No spelling touches ASCII letters and digits: the longest run of them is what to look for.
    """
    for text in {secret, secret.strip()}:
        if len(text) >= _SHORTEST:
            needle = max(re.split("[^A-Za-z0-9]", text), key=len)
            yield needle, "".join(_spelled(run) for run in re.findall(r"\\+|[^\\]", text))
            yield from _in_base64(text.encode("utf-8", "surrogatepass"))
            code = text.encode("utf-8", "surrogatepass").hex()
            yield from ((form, form) for form in {code, code.upper()})


@lru_cache(maxsize=512)
def _spelled(run: str) -> str:
    """One character, or a run of backslashes, in every spelling, also where one encloses the other."""
    if run.isascii() and run.isalnum():
        return run
    if run[0] == "\\":
        return rf"(?:\\{{{len(run)},{8 * len(run)}}}|(?i:%(?:25){{0,3}}5c|\\{{1,8}}u005c){{{len(run)}}})"
    code, forms = ord(run), [re.escape(run)]
    forms.append("".join(f"%(?:25){{0,3}}{byte:02x}" for byte in run.encode("utf-8", "surrogatepass")))
    units = run.encode("utf-16-be", "surrogatepass").hex()
    forms.append("".join(rf"\\{{1,8}}u{units[at : at + 4]}" for at in range(0, len(units), 4)))
    forms += [rf"\\{{1,8}}x{code:02x}", rf"\\{{1,8}}u{code:08x}", rf"&(?:amp;)*#(?:0*{code}|x0*{code:x});"]
    if (named := html.escape(run)) != run:
        forms.append(rf"&(?:amp;)*{named[1:]}")
    if run in _LETTERS:
        forms.append(rf"\\{{1,8}}{_LETTERS[run]}")
    if run == " ":
        forms.append(r"\+")
    return rf"(?:\\{{1,8}}{re.escape(run)}|(?i:{'|'.join(forms)}))" if run in "\"'/" else f"(?i:{'|'.join(forms)})"


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
