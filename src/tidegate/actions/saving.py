"""What several kinds of things need when they are stored: secrets sealed, and a name that no other has."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TypeVar

from django.db import IntegrityError, transaction
from pydantic import SecretStr

from tidegate.actions.errors import Refused
from tidegate.config import load_settings
from tidegate.guard.keys import KeyProblem
from tidegate.guard.secrets import seal

T = TypeVar("T")


def sealed_to(values: Mapping[str, SecretStr], owner: int | str) -> bytes:
    """Seals them for whom they belong to. Raises Refused where there is no key that can."""
    try:
        return seal(values, owner, load_settings())
    except KeyProblem as problem:
        raise Refused(problem.cause, problem.next_step) from problem


def unique_name(kind: str, name: str, save: Callable[[], T], *, word: str = "name") -> T:
    """Saves. Raises Refused where another of the kind has the name, also one that was added at the same moment; `word`
    is what a name of the kind is called."""
    try:
        with transaction.atomic():
            return save()
    except IntegrityError as error:
        if f"{kind.lower()}_{word}" not in str(error):
            raise
        why = f"There is a {kind} «{name}» already."
        raise Refused(why, f"Choose another {word}.", {word: why}) from error
