"""The life of the Tool needs a database, and a Security Hub to talk to."""

from collections.abc import Iterator

import pytest

from tests.database import database, migrated_database
from tidegate.demo.fake_security_hub import FakeSecurityHub

__all__ = ["database", "migrated_database"]


@pytest.fixture
def hub() -> Iterator[FakeSecurityHub]:
    with FakeSecurityHub() as hub:
        yield hub
