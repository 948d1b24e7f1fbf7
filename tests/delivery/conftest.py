"""These tests need a database, a courier, and places that really take messages, on loopback."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.database import database, migrated_database
from tests.delivery.mailbox import Mailbox
from tests.delivery.webhook import Webhook
from tests.ingest.scene import scene, world
from tidegate.delivery.courier import Courier

__all__ = ["courier", "database", "mailbox", "migrated_database", "scene", "webhook", "world"]


@pytest.fixture(scope="module")
def courier() -> Iterator[Courier]:
    """One child for a module: it takes half a second to begin."""
    with Courier("allow") as courier:
        yield courier


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture
def mailbox() -> Iterator[Mailbox]:
    with Mailbox() as mailbox:
        yield mailbox
