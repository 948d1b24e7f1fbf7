"""The life of the Tool needs a database, and a Probely to talk to."""

from collections.abc import Iterator

import pytest

from tests.database import database, migrated_database
from tidegate.demo.fake_probely import FakeProbely

__all__ = ["database", "migrated_database"]


@pytest.fixture
def probely() -> Iterator[FakeProbely]:
    with FakeProbely() as probely:
        yield probely
