"""These tests need a database; some need a vendor."""

from __future__ import annotations

from typing import Any

import pytest

from tests.acme import Acme, World
from tests.database import database, migrated_database
from tidegate import catalog

__all__ = ["acme", "database", "migrated_database"]


@pytest.fixture
def acme(monkeypatch: pytest.MonkeyPatch) -> World:
    """Acme Scanner is installed, and its world is this one."""
    world = World()
    tool: Any = type("Acme", (Acme,), {"world": world, "__orig_bases__": Acme.__orig_bases__})  # pyright: ignore[reportAttributeAccessIssue]
    monkeypatch.setattr(catalog, "added", lambda: {"acme": tool})
    return world
