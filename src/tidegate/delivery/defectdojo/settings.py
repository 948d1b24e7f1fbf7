"""What a person says of the way to a DefectDojo: where it is, who we are there, whom to trust."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field, SecretStr

from tidegate.reads.tool import FieldRow, fields_of
from tidegate_sdk import HttpSettings
from tidegate_sdk.auth import Header
from tidegate_sdk.tool import Http

from .location import base_url


class DefectDojoSettings(HttpSettings):
    """URL and token, and what every way over HTTP(S) may have: authorities, pins, a client certificate, a proxy."""

    url: Annotated[str, AfterValidator(base_url)] = Field(
        title="URL",
        description="As a browser shows DefectDojo's first page.",
        examples=["https://defectdojo.example.org"],
    )
    token: SecretStr = Field(
        title="API v2 token",
        description="DefectDojo → your name → API v2 Key. Its user needs to see and write the Products concerned.",
        min_length=1,
    )

    def way(self) -> Http:
        """The door to the server's API."""
        return self.door(self.url, Header("Authorization", self.token, "Token {}"))


def fields() -> list[FieldRow]:
    """What a person enters for a Destination, as of a Tool's settings."""
    return fields_of(DefectDojoSettings)
