"""The secrets that are stored where a configuration file refers to some."""

from __future__ import annotations

from dataclasses import dataclass, field

from pydantic import SecretStr

from tidegate import catalog
from tidegate.actions import destination as destinations
from tidegate.config import Settings
from tidegate.delivery.defectdojo import destination as of_destination
from tidegate.delivery.deliver import address_of
from tidegate.guard.keys import KeyProblem
from tidegate.rules.configuration import Connection, Destination, Thing
from tidegate.store import models


@dataclass(frozen=True)
class Found:
    """Secrets by name; not `readable` where no key opens them."""

    values: dict[str, SecretStr] = field(default_factory=dict[str, SecretStr])
    readable: bool = True

    def __contains__(self, name: str) -> bool:
        return name in self.values

    def __getitem__(self, name: str) -> SecretStr:
        return self.values[name]


def secrets_in(one: Thing, id: int, settings: Settings) -> Found:
    """Of whatever has secrets: a Connection, a Destination, or the address of a notification."""
    return secrets_of(one, id) if isinstance(one, Connection | Destination) else _address(id, settings)


def secrets_of(one: Connection | Destination, id: int) -> Found:
    """Of a Connection or a Destination of this number."""
    try:
        if isinstance(one, Connection):
            return Found(catalog.stored_secrets(models.Connection.objects.get(pk=id)))
        return Found(of_destination.stored_secrets(destinations.existing(id)))
    except KeyProblem:
        return Found(readable=False)


def _address(id: int, settings: Settings) -> Found:
    try:
        return Found({"address": address_of(models.Route.objects.get(pk=id), settings)})
    except KeyProblem:
        return Found(readable=False)
