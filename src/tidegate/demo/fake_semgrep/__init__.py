"""A Semgrep AppSec Platform that is not one: it answers the vendor's API from a world that tests change."""

from tidegate.demo.fake_semgrep.server import TOKEN, FakeSemgrep
from tidegate.demo.fake_semgrep.world import World

__all__ = ["TOKEN", "FakeSemgrep", "World"]
