"""Names of people and service accounts: what history calls them, so no two look alike and none is a machine's."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Final

from tidegate.rules.actor import Actor
from tidegate.rules.names import NameRefused, clean_name, near_twins

LONGEST_USERNAME: Final = 150
ALPHABETS: Final = frozenset({"LATIN", "CYRILLIC", "GREEK", "COPTIC", "ARMENIAN", "CHEROKEE"})
"""Some letters of these look alike: an а of one among letters of another is there to deceive."""


def clean_username(text: str, others: Iterable[str] = ()) -> str:
    """The name as it is stored. Raises NameRefused, also where one of the others is nearly the same."""
    name = clean_name(text, "name of the user")
    if len(name) > LONGEST_USERNAME:
        raise NameRefused(f"The name of the user has {len(name):,} characters; {LONGEST_USERNAME} are allowed.")
    if any(unicodedata.category(letter) == "Cf" for letter in name):
        raise NameRefused("The name of the user contains a character that nobody sees; enter it without.")
    if len(mixed := _alphabets(name)) > 1:
        raise NameRefused(f"The name of the user mixes letters of {' and '.join(mixed)}, of which some look alike.")
    others = list(others)
    if name in others:
        raise NameRefused(f"There is a user «{name}» already.")
    if twins := near_twins(name, others):
        raise NameRefused(f"There is a user «{twins[0]}» already, and «{name}» looks the same.")
    try:
        Actor("person", name)
        Actor("person", " ".join(name.casefold().split()))
    except ValueError as error:
        raise NameRefused(f"«{name}» is what Tidegate calls a part of its own, not a person.") from error
    return name


def _alphabets(name: str) -> list[str]:
    """Which of the alphabets its letters are from."""
    named = {unicodedata.name(letter, "").partition(" ")[0] for letter in name if letter.isalpha()}
    return [alphabet.title() for alphabet in sorted(named & ALPHABETS)]
