"""The life of the Tool needs a database, and a Dependency-Track to talk to."""

from collections.abc import Iterator

import pytest

from tests.database import database, migrated_database
from tidegate.demo.fake_dependency_track import FakeDependencyTrack

__all__ = ["database", "migrated_database"]


@pytest.fixture
def track() -> Iterator[FakeDependencyTrack]:
    with FakeDependencyTrack() as track:
        yield track
