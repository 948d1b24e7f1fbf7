"""A Checkmarx One that is not one: it answers the vendor's API from a world that tests change."""

from tidegate.demo.fake_checkmarx.server import API_KEY, TENANT, FakeCheckmarx
from tidegate.demo.fake_checkmarx.world import World

__all__ = ["API_KEY", "TENANT", "FakeCheckmarx", "World"]
