"""The life of the Tool needs a database, and a SonarQube to talk to."""

from collections.abc import Iterator

import pytest

from tests.database import database, migrated_database
from tidegate.demo.fake_sonarqube import FakeSonarQube

__all__ = ["database", "migrated_database"]


@pytest.fixture
def sonar() -> Iterator[FakeSonarQube]:
    with FakeSonarQube() as sonar:
        yield sonar
