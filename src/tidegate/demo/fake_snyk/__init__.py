"""A Snyk that is not one: it answers the vendor's REST API from a world that tests change."""

from tidegate.demo.fake_snyk.server import TOKEN, FakeSnyk
from tidegate.demo.fake_snyk.world import World

__all__ = ["TOKEN", "FakeSnyk", "World"]
