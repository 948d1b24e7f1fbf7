"""Which Tools there are: built in, and the entry points `tidegate.tools`. One that cannot be loaded stops start-up."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache
from importlib import import_module
from importlib.metadata import entry_points
from typing import TYPE_CHECKING, Any, get_args

from pydantic import SecretStr, ValidationError

from tidegate.config import Settings, load_settings
from tidegate.guard.keys import KeyProblem
from tidegate.guard.secrets import unseal
from tidegate_sdk import Tool

if TYPE_CHECKING:
    from tidegate.store.models import Connection  # only a name here: `tool list` needs neither Django nor a database

BUILT_IN = {
    "aws_security_hub": "tidegate.connectors.aws_security_hub.connector:SecurityHub",
    "burpsuite": "tidegate.connectors.burpsuite.connector:BurpSuite",
    "checkmarx_one": "tidegate.connectors.checkmarx_one.connector:CheckmarxOne",
    "dependency_track": "tidegate.connectors.dependency_track.connector:DependencyTrack",
    "probely": "tidegate.connectors.probely.connector:Probely",
    "report_bucket": "tidegate.connectors.report_folder.bucket:ReportBucket",
    "report_folder": "tidegate.connectors.report_folder.connector:ReportFolder",
    "semgrep": "tidegate.connectors.semgrep.connector:Semgrep",
    "snyk": "tidegate.connectors.snyk.connector:Snyk",
    "sonarqube": "tidegate.connectors.sonarqube.connector:SonarQube",
    "tenable": "tidegate.connectors.tenable.connector:Tenable",
}
GROUP = "tidegate.tools"

ToolClass = type[Tool[Any]]


class CatalogBroken(Exception):
    """A Tool cannot be loaded; the message names it, the cause and what to do."""


class UnknownTool(Exception):
    """There is no Tool of this name; the message lists those there are."""


class Unusable(Exception):
    """A Connection cannot be used as it is stored: its key is lost, its settings are corrupt, its Tool is gone."""

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(f"{cause} {next_step}")
        self.cause = cause
        self.next_step = next_step


class SettingsRefused(Exception):
    """What was entered for a Tool, or is stored for a Connection, cannot be used. `problems`: a sentence by field."""

    def __init__(self, tool: str, problems: Mapping[str, str]) -> None:
        super().__init__(" ".join(problems.values()))
        self.tool = tool
        self.problems = dict(problems)


def tool(slug: str) -> ToolClass | None:
    """The Tool of this slug, None where there is none. A built-in one is loaded alone. Raises CatalogBroken."""
    return built_in(slug) if slug in BUILT_IN else added().get(slug)


def tools() -> list[ToolClass]:
    """Every Tool, by name. Raises CatalogBroken if one cannot be loaded."""
    return sorted([*map(built_in, BUILT_IN), *added().values()], key=lambda found: found.name.casefold())


def known_tool(slug: str) -> ToolClass:
    """The Tool of this slug. Raises UnknownTool, CatalogBroken."""
    found = tool(slug)
    if found is None:
        there = ", ".join(sorted(each.slug for each in tools()))
        raise UnknownTool(f"There is no Tool «{slug}». There are: {there}.")
    return found


@cache
def built_in(slug: str) -> ToolClass:
    module, _, name = BUILT_IN[slug].partition(":")
    return checked(slug, loaded(slug, "tidegate", lambda: getattr(import_module(module), name)), "tidegate")


@cache
def added() -> dict[str, ToolClass]:
    """The Tools of other packages that are installed beside Tidegate."""
    found: dict[str, ToolClass] = {}
    for entry in entry_points(group=GROUP):
        package = entry.dist.name if entry.dist else "an unknown package"
        if entry.name in BUILT_IN or entry.name in found:
            raise CatalogBroken(
                f"The Tool «{entry.name}» of {package} has the name of another one. Uninstall {package}, or rename it."
            )
        found[entry.name] = checked(entry.name, loaded(entry.name, package, entry.load), package)
    return found


def loaded(slug: str, package: str, load: Callable[[], Any]) -> Any:
    try:
        return load()
    except Exception as error:
        cause = f"The Tool «{slug}» of {package} cannot be loaded: {type(error).__name__}: {error}."
        raise CatalogBroken(f"{cause} Install {package} anew, or uninstall what brings this Tool.") from error


def checked(slug: str, found: Any, package: str) -> ToolClass:
    """The class, if it keeps the least of the contract; conformance is tested elsewhere."""
    if not isinstance(found, type) or not issubclass(found, Tool):
        raise CatalogBroken(f"The Tool «{slug}» of {package} is {found!r}, not a subclass of tidegate_sdk.Tool.")
    if getattr(found, "slug", None) != slug:
        raise CatalogBroken(
            f"The Tool «{slug}» of {package} calls itself «{getattr(found, 'slug', None)}»; both names must be one."
        )
    return found


# What a Tool is told: its settings, and what of them is secret


def secret_names(of: ToolClass) -> set[str]:
    """The settings that are secrets: entered, stored and shown apart from the others."""
    fields = of.settings_type().model_fields
    return {name for name, field in fields.items() if is_secret(field.annotation)}


def is_secret(annotation: Any) -> bool:
    return annotation is SecretStr or any(is_secret(argument) for argument in get_args(annotation))


def built(of: ToolClass, settings: Mapping[str, Any], secrets: Mapping[str, SecretStr]) -> Tool[Any]:
    """The Tool with what was entered. Raises SettingsRefused with a sentence for each field that cannot be used."""
    try:
        return of(of.settings_type().model_validate({**settings, **secrets}))
    except ValidationError as error:
        raise SettingsRefused(of.name, problems(of, error)) from None  # pydantic's own text repeats what was entered


def problems(of: ToolClass, error: ValidationError) -> dict[str, str]:
    return problems_of(of.name, of.settings_type().model_fields, error)


def problems_of(of: str, fields: Mapping[str, Any], error: ValidationError) -> dict[str, str]:
    """A sentence by field; `of` is what the settings are for."""
    found: dict[str, str] = {}
    for problem in error.errors(include_url=False, include_context=False, include_input=False):
        name = str(problem["loc"][0]) if problem["loc"] else ""
        if problem["type"] == "extra_forbidden":
            found[name] = f"{of} has no setting «{name}»; it has: {', '.join(fields)}."
        elif name in fields:
            title = fields[name].title or name
            reason = "is missing" if problem["type"] == "missing" else f"cannot be used: {lowered(problem['msg'])}"
            found.setdefault(name, f"{of}'s {title} ({name}) {reason}.")
        else:
            found.setdefault(name, f"The settings of {of} cannot be used: {lowered(problem['msg'])}.")
    return found


def lowered(message: str) -> str:
    message = message.removeprefix("Value error, ").rstrip(".")
    return message[:1].lower() + message[1:]


def stored_settings(filled: Tool[Any]) -> dict[str, Any]:
    """The settings as they are stored: plain JSON, without secrets."""
    return filled.settings.model_dump(mode="json", exclude=secret_names(type(filled)), exclude_unset=True)


def build(connection: Connection, settings: Settings | None = None) -> Tool[Any]:
    """The Tool of a Connection, ready to be opened. Raises Unusable, CatalogBroken."""
    edit = f"Correct it with: tidegate connection edit {connection.pk}"
    try:
        return built(known_tool(connection.tool), connection.settings, stored_secrets(connection, settings))
    except KeyProblem as problem:
        raise Unusable(f"{connection.label} cannot be used. {problem.cause}", problem.next_step) from problem
    except SettingsRefused as problem:
        raise Unusable(f"{connection.label} cannot be used as it is stored. {problem}", edit) from problem
    except UnknownTool as problem:
        raise Unusable(
            f"{connection.label} cannot be used. {problem}", f"Install «{connection.tool}» again, or delete it."
        ) from problem


def stored_secrets(connection: Connection, settings: Settings | None = None) -> dict[str, SecretStr]:
    """The secrets of a Connection. Raises KeyProblem."""
    if connection.secrets is None:
        return {}
    settings = settings or load_settings()
    try:
        return unseal(connection.secrets, connection.pk, settings)
    except KeyProblem:
        # Between our reading the row and our reading the key it may have been sealed anew, and the old key retired.
        now = type(connection).objects.filter(pk=connection.pk).values_list("secrets", flat=True).first()
        if now is None or bytes(now) == bytes(connection.secrets):
            raise
        return unseal(now, connection.pk, settings)
