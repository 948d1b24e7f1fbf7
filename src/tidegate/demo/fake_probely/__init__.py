"""A Probely that is not one: it answers the vendor's API from a world that tests change."""

from tidegate.demo.fake_probely.server import API_KEY, FakeProbely
from tidegate.demo.fake_probely.world import World

__all__ = ["API_KEY", "FakeProbely", "World"]
