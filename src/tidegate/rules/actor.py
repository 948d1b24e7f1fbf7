"""Who acts: every writer takes one, and history keeps its name."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from tidegate.rules.access import FULL_ACCESS, NO_ACCESS, Access, Grant, granted

ActorKind = Literal["person", "rule", "auto-map", "schedule", "tidegate"]
Through = Literal["command line", "API", "page", "trigger", "itself"]

_NOT_FOR_PEOPLE = frozenset({"auto-map", "schedule", "single sign-on", "tidegate", "trigger"})


@dataclass(frozen=True)
class Actor:
    """`str(actor)` is what is stored. A person cannot take the name of something that is not one.

    `access` is what they may do; whoever makes an Actor says it, since the default is nothing. `through`, `token` and
    `address` are for the audit log: which face, which of their tokens, from where.
    """

    kind: ActorKind
    name: str
    access: Access = field(default=NO_ACCESS, compare=False, repr=False)
    through: Through = field(default="itself", compare=False)
    token: str = field(default="", compare=False)
    address: str = field(default="", compare=False)
    user_id: int | None = field(default=None, compare=False)

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

    @property
    def trigger(self) -> str:
        """What an Operation says of how it was asked for."""
        return {"API": "api", "trigger": "webhook"}.get(self.through, "manual")


def at_this_machine(name: str) -> Actor:
    """Whoever types commands where the database and its keys are: they have both, so they may do everything."""
    return Actor("person", name, FULL_ACCESS, through="command line")


def trigger_of(connection_id: int, address: str = "") -> Actor:
    """Whoever signs with the secret of a Connection's trigger: operates that one, and sees nothing else."""
    access = granted([Grant("operator", "connection", connection_id)])
    return Actor("tidegate", "trigger", access, through="trigger", address=address)


AUTO_MAP = Actor("auto-map", "auto-map", FULL_ACCESS)
SCHEDULE = Actor("schedule", "schedule", FULL_ACCESS)
TIDEGATE = Actor("tidegate", "tidegate", FULL_ACCESS)
SINGLE_SIGN_ON = Actor("tidegate", "single sign-on", FULL_ACCESS, through="page")
"""What the issuer says of somebody's groups, where the operator had it give roles."""
