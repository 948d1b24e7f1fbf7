"""The service's own settings, read from environment variables that begin with TIDEGATE_.

What a Tool needs to be connected is not here: each Tool declares its own settings.
"""

from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "TIDEGATE_"


class ConfigurationError(Exception):
    """A setting cannot be used. The message says which one, why, and what to do; it never repeats a secret."""

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(f"{cause}; {next_step}")
        self.cause = cause
        self.next_step = next_step


def _folder(home: Path) -> Path:
    """The folder as an absolute path, `~` expanded. Raises ValueError for what is none, or cannot be handed on."""
    if not str(home).isprintable():
        raise ValueError("a path with line breaks or control characters cannot be handed to PostgreSQL")
    try:
        return home.expanduser().absolute()
    except RuntimeError as error:
        raise ValueError("a path that begins with ~name names a user this machine does not have") from error


class Settings(BaseSettings):
    """Every setting of the service. A field's description completes "must be …": errors and documentation use it."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    home: Annotated[Path, AfterValidator(_folder)] = Field(
        default_factory=lambda: platformdirs.user_data_path("tidegate"),
        description="the folder for everything Tidegate stores, as a path without control characters",
    )
    database_url: SecretStr | None = Field(
        default=None,
        description="postgresql://user:password@host:5432/name; without one Tidegate runs its own",
    )
    secret_key: SecretStr | None = Field(
        default=None,
        description="the key that encrypts stored secrets; without it one is made and kept in TIDEGATE_HOME",
    )
    lease_seconds: int = Field(
        default=30,
        ge=1,
        le=3600,
        description="the seconds after which a silent worker loses its Operation, a whole number from 1 to 3600",
    )
    private_networks: Literal["allow", "refuse"] = Field(
        default="allow", description='"allow" or "refuse": whether Tools may live in private networks'
    )


def load_settings() -> Settings:
    """The settings from the environment. Raises ConfigurationError, one sentence long, for the first bad value."""
    try:
        return Settings()
    except ValidationError as error:
        # `from None`: pydantic's own text repeats the values it was given.
        raise _configuration_error(error) from None


def _configuration_error(error: ValidationError) -> ConfigurationError:
    problem = error.errors(include_url=False, include_context=False)[0]
    name = str(problem["loc"][0])
    field = Settings.model_fields[name]
    given = "" if "SecretStr" in str(field.annotation) else f" is {str(problem['input'])!r}, which"
    return ConfigurationError(
        f"{PREFIX}{name.upper()}{given} is not usable", f"set it to {field.description}, or unset it."
    )
