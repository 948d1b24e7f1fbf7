"""The service's own settings, read from environment variables that begin with TIDEGATE_.

What a Tool needs to be connected is not here: each Tool declares its own settings.
"""

import json
import re
from pathlib import Path
from typing import Annotated, Literal, TypeVar
from zoneinfo import available_timezones

import platformdirs
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "TIDEGATE_"

T = TypeVar("T", bound=BaseSettings)


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


def _zone(name: str) -> str:
    """The name of a time zone. UTC is always there, and a list of all of them costs time that a start has not."""
    if name != "UTC" and name not in available_timezones():
        raise ValueError("a name that the tz database does not have")
    return name


_HOST = re.compile(r"\.?[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?|\[[0-9a-f:.]+\]")


def _hosts(text: str) -> str:
    """Names of hosts, in lower case, with one comma between two. Raises ValueError for what is none."""
    names = [name.strip().lower() for name in text.split(",") if name.strip()]
    if not all(_HOST.fullmatch(name) for name in names):
        raise ValueError("a name of a host has letters, digits, dots and hyphens, and neither port nor path")
    return ",".join(names)


_PROXY = re.compile(r"https?://(?:[^\s/?#@]*@)?(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?/?")


def _proxy(text: object) -> object:
    """The address of a proxy as it is. Raises ValueError for what is none, without it: it may hold a password."""
    if isinstance(text, str) and not _PROXY.fullmatch(text):
        raise ValueError("an address of a proxy ends with its port")
    return text


_ROLES = ("reader", "mapper", "operator", "administrator")


def _roles(text: str) -> str:
    """Which group gives which role, as JSON. Raises ValueError for what is none."""
    found = json.loads(text) if text else {}
    if not isinstance(found, dict) or not all(group and role in _ROLES for group, role in found.items()):
        raise ValueError(f"the roles are {', '.join(_ROLES)}")
    return text


_ISSUER = re.compile(
    r"(?:https://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])|http://(?:localhost|127\.0\.0\.1|\[::1\]))"
    r"(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?"
)


def _issuer(text: object) -> object:
    """The address of an issuer as it is. Raises ValueError for what is none: who lets people in is asked over TLS."""
    if isinstance(text, str) and not _ISSUER.fullmatch(text):
        raise ValueError("an issuer is named by an https address without user and query")
    return text


def _lower(word: object) -> object:
    return word.lower() if isinstance(word, str) else word


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
        description="the key that encrypts stored secrets, or several with commas between, the newest first; without it"
        " one is made and kept in TIDEGATE_HOME",
    )
    secret_key_command: str | None = Field(
        default=None,
        description="a command that prints that key, or several, a line each, the newest first; run without a shell",
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
    proxy: Annotated[SecretStr | None, BeforeValidator(_proxy)] = Field(
        default=None,
        description="http://user:password@proxy.example.org:3128, the proxy of every outgoing request, of Connections"
        " that name none themselves and of news; HTTPS_PROXY is not read",
    )
    time_zone: Annotated[str, AfterValidator(_zone)] = Field(
        default="UTC",
        description="the name of a time zone, such as Europe/Berlin: schedules of new Connections go by its clocks",
    )
    hosts: Annotated[str, AfterValidator(_hosts)] = Field(
        default="",
        description="the names people reach the page by, besides localhost, with commas between: tidegate.example.com",
    )
    oidc_issuer: Annotated[str | None, BeforeValidator(_issuer)] = Field(
        default=None,
        description="https://login.example.com/realms/all, the issuer by whom people log in with OpenID Connect, just"
        " as it calls itself; http:// only on this machine",
    )
    oidc_client_id: str | None = Field(
        default=None, description="what the issuer of TIDEGATE_OIDC_ISSUER calls this Tidegate, its client ID"
    )
    oidc_client_secret: SecretStr | None = Field(
        default=None, description="the secret that the issuer gave for TIDEGATE_OIDC_CLIENT_ID"
    )
    oidc_name: Annotated[str, Field(min_length=1, max_length=60)] = Field(
        default="single sign-on", description="the name of the issuer on the button, from 1 to 60 characters"
    )
    oidc_username_claim: Annotated[str, Field(min_length=1, max_length=60)] = Field(
        default="preferred_username",
        description="the claim of the issuer's ID token that holds the name of the user, from 1 to 60 characters",
    )
    oidc_new_users: Annotated[Literal["refuse", "allow"], BeforeValidator(_lower)] = Field(
        default="refuse",
        description='"refuse" or "allow": whether whoever the issuer knows and Tidegate does not is made a user, one'
        " without any role",
    )
    oidc_roles_claim: Annotated[str, Field(min_length=1, max_length=60)] = Field(
        default="groups",
        description="the claim of the issuer's ID token that holds the groups of the user, from 1 to 60 characters",
    )
    oidc_roles: Annotated[str, AfterValidator(_roles)] = Field(
        default="",
        description='{"security": "operator"}, which group of the issuer gives which role for everything, as JSON;'
        " empty for none",
    )
    grace_seconds: int = Field(
        default=30,
        ge=1,
        le=3600,
        description="the seconds that a part of the service gets to end in order, a whole number from 1 to 3600",
    )
    log_level: Annotated[Literal["debug", "info", "warning", "error"] | None, BeforeValidator(_lower)] = Field(
        default=None,
        description='"debug", "info", "warning" or "error": what is logged; without it a part of the service logs from'
        ' "info" on, and a single command from "warning" on',
    )
    log_format: Annotated[Literal["logfmt", "json"], BeforeValidator(_lower)] = Field(
        default="logfmt", description='"logfmt" or "json": how a line of the log is written to stderr'
    )
    keep_logs_days: int = Field(
        default=30,
        ge=1,
        le=36500,
        description="the days that lines of Operations' logs and sent news are kept, a whole number from 1 to 36500",
    )
    keep_results_days: int = Field(
        default=90,
        ge=1,
        le=36500,
        description="the days that an Operation's results are kept Record by Record, a whole number from 1 to 36500;"
        " the latest of each Record stays, and what proves why a finding is closed",
    )
    keep_jobs_days: int = Field(
        default=7,
        ge=1,
        le=36500,
        description="the days that finished jobs of the queue are kept, a whole number from 1 to 36500",
    )
    keep_operations_days: int = Field(
        default=365,
        ge=1,
        le=36500,
        description="the days that Operations are kept which nothing names, a whole number from 1 to 36500",
    )
    keep_journal_days: int = Field(
        default=730,
        ge=1,
        le=36500,
        description="the days that changes of findings are kept, a whole number from 1 to 36500; why one is closed and"
        " what can still be undone stays",
    )
    keep_counts_days: int = Field(
        default=1830,
        ge=1,
        le=36500,
        description="the days that open findings are kept by Record and day for charts, a whole number from 1 to 36500",
    )

    @property
    def roles_of_groups(self) -> dict[str, str]:
        """The role that each group of `oidc_roles` gives."""
        return json.loads(self.oidc_roles) if self.oidc_roles else {}

    @property
    def named_hosts(self) -> list[str]:
        """The names of `hosts`, one by one."""
        return self.hosts.split(",") if self.hosts else []


_ADDRESS = re.compile(r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?(?:/[A-Za-z0-9._~/-]*)?")


def _address(text: object) -> object:
    """The address of a Tidegate as it is. Raises ValueError for what is none, without it: it may hold a password."""
    if isinstance(text, str) and not _ADDRESS.fullmatch(text):
        raise ValueError("an address of a Tidegate has neither user nor query")
    return text


class RemoteSettings(BaseSettings):
    """Every setting of a command line that asks a Tidegate elsewhere. What is said of Settings holds here too."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, extra="ignore", frozen=True)

    url: Annotated[SecretStr, BeforeValidator(_address)] = Field(
        description="https://tidegate.example.com, the Tidegate that commands are for, instead of the one of this"
        " machine; without user, password or query",
    )
    token: SecretStr | None = Field(default=None, description="a token of yours for that Tidegate, tg_…")
    ca: Annotated[Path, AfterValidator(_folder)] | None = Field(
        default=None, description="a file with certificates (PEM) that are trusted beside those of the system"
    )
    plain_http: Annotated[Literal["refuse", "allow"], BeforeValidator(_lower)] = Field(
        default="refuse",
        description='"refuse" or "allow": whether the token may travel unencrypted, to http:// other than this machine',
    )


def load_settings() -> Settings:
    """The settings from the environment. Raises ConfigurationError, one sentence long, for the first bad value."""
    settings = _loaded(Settings)
    if (settings.oidc_issuer is None) != (settings.oidc_client_id is None):
        raise ConfigurationError(
            "Of TIDEGATE_OIDC_ISSUER and TIDEGATE_OIDC_CLIENT_ID only one is set", "set both, or neither."
        )
    return settings


def load_remote_settings() -> RemoteSettings:
    """The same for a command line that asks a Tidegate elsewhere."""
    return _loaded(RemoteSettings)


def _loaded(kind: type[T]) -> T:
    try:
        return kind()
    except ValidationError as error:
        # `from None`: pydantic's own text repeats the values it was given.
        raise _configuration_error(kind, error) from None


def _configuration_error(kind: type[BaseSettings], error: ValidationError) -> ConfigurationError:
    problem = error.errors(include_url=False, include_context=False)[0]
    name = str(problem["loc"][0])
    field = kind.model_fields[name]
    given = "" if "SecretStr" in str(field.annotation) else f" is {str(problem['input'])!r}, which"
    return ConfigurationError(
        f"{PREFIX}{name.upper()}{given} is not usable", f"set it to {field.description}, or unset it."
    )
