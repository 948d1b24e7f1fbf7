"""A SonarQube that is not one: it answers the vendor's web API from a world that tests change."""

from tidegate.demo.fake_sonarqube.server import TOKEN, FakeSonarQube
from tidegate.demo.fake_sonarqube.world import World

__all__ = ["TOKEN", "FakeSonarQube", "World"]
