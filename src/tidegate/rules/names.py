"""Names of Products, Product Types and Connections: trimmed, NFC, 1 to 255 characters, no control characters."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable

LONGEST = 255


class NameRefused(ValueError):
    """A name that cannot be used; the message is a sentence that says why and what is allowed."""


def clean_name(text: str, what: str = "name") -> str:
    """The name as it is stored. Raises NameRefused, with `what` it is the name of."""
    name = trimmed(text)
    if not is_visible(name):
        raise NameRefused(f"The {what} is empty; enter 1 to {LONGEST} characters.")
    if unprintable := next((letter for letter in name if not is_printable(letter)), None):
        raise NameRefused(
            f"The {what} contains a character that cannot be shown (U+{ord(unprintable):04X}); enter it without."
        )
    if len(name) > LONGEST:
        raise NameRefused(f"The {what} has {len(name):,} characters; {LONGEST} are allowed.")
    return name


def clean_text(text: str, what: str, longest: int = 10_000) -> str:
    """A reason or a note as it is stored: lines are kept. Raises NameRefused."""
    kept = trimmed(text.replace("\r\n", "\n"))
    if unprintable := next((letter for letter in kept if letter not in "\n\t" and not is_printable(letter)), None):
        raise NameRefused(
            f"The {what} contains a character that cannot be shown (U+{ord(unprintable):04X}); enter it without."
        )
    if len(kept) > longest:
        raise NameRefused(f"The {what} has {len(kept):,} characters; {longest:,} are allowed.")
    return kept


def made_clean(text: str, otherwise: str) -> str:
    """A name out of a vendor's text, whatever that is: unprintable characters go, the length is cut, never empty."""
    printable = "".join(letter if is_printable(letter) else " " for letter in unicodedata.normalize("NFC", text))
    name = shortened(" ".join(printable.split()), LONGEST)
    return name if is_visible(name) else otherwise


def beginning(text: str, longest: int) -> str:
    """What others wrote, as a sentence or a page shows it: whole, or its first letters and an ellipsis."""
    return text if len(text) <= longest else f"{text[: longest - 1]}…"


def shortened(name: str, longest: int) -> str:
    """The beginning of the name, still trimmed and NFC: a cut in the middle of a sequence could break either."""
    return name if len(name) <= longest else trimmed(name[:longest])


def trimmed(text: str) -> str:
    return unicodedata.normalize("NFC", text).strip()


def is_visible(name: str) -> bool:
    return any(unicodedata.category(letter) not in ("Cf", "Zs") for letter in name)


def is_printable(letter: str) -> bool:
    """Control characters (NUL among them), lone surrogates and line separators are not; spaces and formats are.

    Letters that this Python's Unicode does not know yet are not either, below the pictures: PostgreSQL may know a newer
    one, and how to normalize them.
    """
    category = unicodedata.category(letter)
    return category not in ("Cc", "Cs", "Zl", "Zp") and (category != "Cn" or ord(letter) >= 0x1F000)


def near_twins(name: str, others: Iterable[str]) -> list[str]:
    """Other names that a person would take for this one: the same but for case, compatibility forms and spaces."""
    folded = _folded(name)
    return [other for other in others if other != name and _folded(other) == folded]


def _folded(name: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold()).split())
