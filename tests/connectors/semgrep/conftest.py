"""The life of the Tool needs a database, and a Semgrep to talk to."""

from collections.abc import Iterator

import pytest

from tests.database import database, migrated_database
from tidegate.demo.fake_semgrep import FakeSemgrep

__all__ = ["database", "migrated_database"]


@pytest.fixture
def semgrep() -> Iterator[FakeSemgrep]:
    with FakeSemgrep() as semgrep:
        yield semgrep
