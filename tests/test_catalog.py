"""Which Tools there are, and what a Tool is told."""

from __future__ import annotations

from collections.abc import Iterator
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from pydantic import SecretStr, model_validator

import tests.database  # noqa: F401 - Django is set up before a model is imported
from tests.acme import Acme
from tidegate import catalog
from tidegate.catalog import CatalogBroken, SettingsRefused, UnknownTool
from tidegate_sdk import Settings


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    cached = (catalog.built_in, catalog.added)
    for each in cached:
        each.cache_clear()
    yield
    for each in cached:
        each.cache_clear()


def installed(monkeypatch: pytest.MonkeyPatch, *entries: tuple[str, str]) -> None:
    found = [EntryPoint(name, value, catalog.GROUP) for name, value in entries]
    monkeypatch.setattr(catalog, "entry_points", lambda group: found if group == catalog.GROUP else [])


def test_the_built_in_tools_are_what_they_say():
    for slug in catalog.BUILT_IN:
        tool = catalog.known_tool(slug)

        assert tool.slug == slug
        assert tool.settings_type().model_fields


def test_a_built_in_tool_is_loaded_alone(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalog, "added", lambda: pytest.fail("looked at entry points"))

    assert catalog.tool("burpsuite") is not None


def test_a_tool_of_another_package_is_there(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch, ("acme", "tests.acme:Acme"))

    assert catalog.tool("acme") is Acme
    assert Acme in catalog.tools()


def test_an_unknown_tool_is_none_or_said_with_those_there_are(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch)

    assert catalog.tool("acme") is None
    there = ", ".join(sorted(catalog.BUILT_IN))
    with pytest.raises(UnknownTool, match=rf"There is no Tool «acme»\. There are: {there}\."):
        catalog.known_tool("acme")


@pytest.mark.parametrize(
    ("name", "value", "cause"),
    [
        ("acme", "tests.nowhere:Acme", "cannot be loaded: ModuleNotFoundError"),
        ("acme", "tests.acme:Nothing", "cannot be loaded: AttributeError"),
        ("acme", "tests.acme:row", "not a subclass of tidegate_sdk.Tool"),
        ("acne", "tests.acme:Acme", "calls itself «acme»"),
        ("burpsuite", "tests.acme:Acme", "has the name of another one"),
    ],
)
def test_one_that_cannot_be_loaded_stops_start_up_with_its_name(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, cause: str
):
    """one that fails to import stops start-up, loudly"""
    installed(monkeypatch, (name, value))

    with pytest.raises(CatalogBroken, match=f"«{name}».*{cause}"):
        catalog.tools()


def test_two_of_one_name_are_refused(monkeypatch: pytest.MonkeyPatch):
    installed(monkeypatch, ("acme", "tests.acme:Acme"), ("acme", "tests.acme:Acme"))

    with pytest.raises(CatalogBroken, match="has the name of another one"):
        catalog.tools()


def test_a_built_in_one_that_cannot_be_loaded_says_so_too(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalog, "BUILT_IN", {"burpsuite": "tidegate.nowhere:Burp"})

    with pytest.raises(CatalogBroken, match="«burpsuite» of tidegate cannot be loaded: ModuleNotFoundError"):
        catalog.tools()


def refused(of: type[Any], settings: dict[str, Any], secrets: dict[str, SecretStr]) -> dict[str, str]:
    with pytest.raises(SettingsRefused) as error:
        catalog.built(of, settings, secrets)
    assert error.value.__cause__ is None
    return error.value.problems


def test_each_field_that_cannot_be_used_has_its_sentence():
    burp = catalog.known_tool("burpsuite")

    assert refused(burp, {"verify_tls": "perhaps", "colour": "red"}, {"api_key": SecretStr("")}) == {
        "url": "BurpSuite's Location URL (url) is missing.",
        "verify_tls": "BurpSuite's Verify TLS (verify_tls) cannot be used: input should be a valid boolean, unable to"
        " interpret input.",
        "colour": "BurpSuite has no setting «colour»; it has: url, api_key, certificate, verify_tls,"
        " certificate_pins, client_certificate, client_key, client_key_password, proxy, proxy_password.",
        "api_key": refused(burp, {"url": "https://b.test"}, {"api_key": SecretStr("")})["api_key"],
    }


def test_what_was_entered_is_never_repeated():
    sentences = str(refused(catalog.known_tool("burpsuite"), {"url": 5}, {"api_key": SecretStr("hunter2")}))

    assert "hunter2" not in sentences


def test_a_rule_over_several_fields_has_a_sentence_too():
    class Strict(Settings):
        a: str = ""

        @model_validator(mode="after")
        def check(self) -> Strict:
            raise ValueError("A and B exclude each other.")

    tool = type("Both", (Acme,), {"settings_type": classmethod(lambda cls: Strict)})

    assert refused(tool, {}, {}) == {"": "The settings of Acme Scanner cannot be used: a and B exclude each other."}


def test_secrets_are_told_by_their_type():
    class Many(Settings):
        plain: str = ""
        token: SecretStr = SecretStr("")
        maybe: SecretStr | None = None

    tool = type("Many", (Acme,), {"settings_type": classmethod(lambda cls: Many)})

    assert catalog.secret_names(tool) == {"token", "maybe"}
