"""A Dependency-Track that is not one: it answers the vendor's REST API from a world that tests change."""

from tidegate.demo.fake_dependency_track.server import KEY, FakeDependencyTrack
from tidegate.demo.fake_dependency_track.world import World

__all__ = ["KEY", "FakeDependencyTrack", "World"]
