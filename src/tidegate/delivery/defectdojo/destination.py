"""A Destination as it is stored: its settings checked, its secrets opened, the server behind it ready to be asked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from pydantic import SecretStr, ValidationError

from tidegate.catalog import SettingsRefused, Unusable, is_secret, problems_of
from tidegate.config import load_settings
from tidegate.guard.keys import KeyProblem
from tidegate.guard.secrets import unseal
from tidegate.store.models import Destination
from tidegate.store.writers.secret import DESTINATION
from tidegate_sdk.address import AddressPolicy
from tidegate_sdk.proxy import operators_proxy

from .client import Dojo
from .settings import DefectDojoSettings

NAME: Final = "DefectDojo"

SECRETS: Final = frozenset(
    name for name, field in DefectDojoSettings.model_fields.items() if is_secret(field.annotation)
)


def filled(settings: Mapping[str, Any], secrets: Mapping[str, SecretStr]) -> DefectDojoSettings:
    """What was entered, checked. Raises SettingsRefused with a sentence for each field that cannot be used."""
    try:
        return DefectDojoSettings.model_validate({**settings, **secrets})
    except ValidationError as error:
        found = problems_of(NAME, DefectDojoSettings.model_fields, error)
        raise SettingsRefused(NAME, found) from None  # pydantic's own text repeats what was entered


def stored_settings(settings: DefectDojoSettings) -> dict[str, Any]:
    """The settings as they are stored: plain JSON, without secrets."""
    return settings.model_dump(mode="json", exclude=set(SECRETS), exclude_unset=True)


def stored_secrets(destination: Destination) -> dict[str, SecretStr]:
    """Raises KeyProblem."""
    owner, sealed = DESTINATION.format(id=destination.pk), bytes(destination.secrets)
    try:
        return unseal(sealed, owner, load_settings())
    except KeyProblem:
        # Between our reading the row and our reading the key it may have been sealed anew, and the old key retired.
        now = Destination.objects.filter(pk=destination.pk).values_list("secrets", flat=True).first()
        if now is None or bytes(now) == sealed:
            raise
        return unseal(bytes(now), owner, load_settings())


def settings_of(destination: Destination) -> DefectDojoSettings:
    """Raises Unusable where its key is lost, or what is stored cannot be used."""
    edit = f"Correct it with: tidegate destination edit {destination.pk}"
    try:
        return filled(destination.settings, stored_secrets(destination))
    except KeyProblem as problem:
        raise Unusable(f"{destination.name} cannot be used. {problem.cause}", problem.next_step) from problem
    except SettingsRefused as problem:
        raise Unusable(f"{destination.name} cannot be used as it is stored. {problem}", edit) from problem


def dojo(settings: DefectDojoSettings, **how: Any) -> Dojo:
    """The server of some settings, by the ways out that this service allows; takes what Dojo takes."""
    ours = load_settings()
    proxy = operators_proxy(ours.proxy) if ours.proxy else None
    return Dojo(settings, policy=AddressPolicy(ours.private_networks), proxy=proxy, **how)


def dojo_of(destination: Destination, **how: Any) -> Dojo:
    """The server of a Destination, with its budget of writes; takes what Dojo takes. Raises Unusable."""
    return dojo(settings_of(destination), writes_per_minute=destination.writes_per_minute, **how)
