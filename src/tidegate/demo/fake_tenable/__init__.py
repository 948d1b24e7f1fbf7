"""A Tenable that is not one: it answers the vendor's API from a world that tests change."""

from tidegate.demo.fake_tenable.server import ACCESS_KEY, SECRET_KEY, FakeTenable
from tidegate.demo.fake_tenable.world import World

__all__ = ["ACCESS_KEY", "SECRET_KEY", "FakeTenable", "World"]
