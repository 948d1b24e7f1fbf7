"""Which version of a thing somebody looked at: a short name for its facts as they are stored."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import cast


def version_of_facts(facts: Sequence[object]) -> str:
    """Equal for equal facts. Nothing of them can be read from it: secrets are among them only as they are sealed."""
    digest = hashlib.sha256()
    for fact in facts:
        value = bytes(cast("bytes", fact)) if isinstance(fact, (bytes, memoryview)) else repr(_ordered(fact)).encode()
        digest.update(len(value).to_bytes(8, "big") + value)
    return digest.hexdigest()[:24]


def _ordered(fact: object) -> object:
    if isinstance(fact, dict):
        return sorted((str(name), _ordered(value)) for name, value in fact.items())  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return fact
