"""These tests need a database; some go through the whole application."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.core.cache import cache
from pydantic import SecretStr

from tests.database import database, migrated_database
from tests.ui.browser import Browser
from tidegate.actions.user import add_user
from tidegate.config import load_settings
from tidegate.rules.access import Grant
from tidegate.rules.actor import at_this_machine
from tidegate.server.asgi import application
from tidegate.server.health import Health
from tidegate.server.people import of_pages

__all__ = ["alice", "browser", "browsers", "database", "migrated_database"]

PASSWORD = "a long tide comes in"


@pytest.fixture
def browsers(database: object, settings: Any) -> Iterator[Callable[..., Browser]]:
    """Opens browsers before an application whose passwords are hashed quickly."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    given = load_settings()
    for name, value in of_pages(given).items():
        setattr(settings, name, value)
    cache.clear()
    health = Health(given)
    answers = application(given, ["localhost", "tidegate.example.com"], health)
    yield lambda **options: Browser(answers, **options)
    health.close()
    cache.clear()


@pytest.fixture
def browser(browsers: Callable[..., Browser]) -> Browser:
    return browsers()


@pytest.fixture
def alice(browsers: object) -> int:
    """Administrator of everything."""
    return added("alice", Grant("administrator"))


def added(name: str, *grants: Grant, **more: Any) -> int:
    """A person with the password of these tests."""
    return add_user(at_this_machine("root"), name, password=SecretStr(PASSWORD), grants=grants, **more)


def logged_in(browser: Browser, name: str) -> Browser:
    """The same browser, with a session."""
    page = browser.post("/account/login/", login=name, password=PASSWORD)
    assert (page.status, page.leads_to) == (302, "/"), page.words
    return browser
