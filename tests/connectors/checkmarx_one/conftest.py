"""The life of the Tool needs a database, and a Checkmarx One to talk to."""

from collections.abc import Iterator

import pytest

from tests.database import database, migrated_database
from tidegate.demo.fake_checkmarx import FakeCheckmarx

__all__ = ["database", "migrated_database"]


@pytest.fixture
def checkmarx() -> Iterator[FakeCheckmarx]:
    with FakeCheckmarx() as checkmarx:
        yield checkmarx
