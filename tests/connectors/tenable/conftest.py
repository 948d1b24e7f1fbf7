"""The life of the Tool needs a database, and a Tenable to talk to, whose exports nobody waits for."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.database import database, migrated_database
from tidegate.connectors.tenable import connector
from tidegate.demo.fake_tenable import FakeTenable

__all__ = ["database", "migrated_database"]


@pytest.fixture
def tenable(monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeTenable]:
    monkeypatch.setattr(connector, "EXPORT", replace(connector.EXPORT, every=0.001))
    with FakeTenable() as tenable:
        yield tenable
