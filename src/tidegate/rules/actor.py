"""Who acts: every writer takes one, and history keeps its name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

ActorKind = Literal["person", "rule", "auto-map", "schedule", "tidegate"]

_NOT_FOR_PEOPLE = frozenset({"auto-map", "schedule", "tidegate"})


@dataclass(frozen=True)
class Actor:
    """`str(actor)` is what is stored. A person cannot take the name of something that is not one."""

    kind: ActorKind
    name: str

    def __post_init__(self) -> None:
        if not self.name.strip():
            raise ValueError("An actor has a name.")
        if self.kind == "person" and (self.name in _NOT_FOR_PEOPLE or self.name.startswith("rule ")):
            raise ValueError(f"«{self.name}» is not the name of a person; choose another.")

    def __str__(self) -> str:
        return f"rule {self.name}" if self.kind == "rule" else self.name

    @property
    def how(self) -> str:
        """How a Record was finalized where this actor decided: by a person, a rule or auto-map."""
        return self.kind


AUTO_MAP = Actor("auto-map", "auto-map")
SCHEDULE = Actor("schedule", "schedule")
TIDEGATE = Actor("tidegate", "tidegate")
