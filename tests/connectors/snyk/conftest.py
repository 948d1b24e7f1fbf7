"""The life of the Tool needs a database, and a Snyk to talk to."""

from collections.abc import Iterator

import pytest

from tests.database import database, migrated_database
from tidegate.demo.fake_snyk import FakeSnyk

__all__ = ["database", "migrated_database"]


@pytest.fixture
def snyk() -> Iterator[FakeSnyk]:
    with FakeSnyk() as snyk:
        yield snyk
