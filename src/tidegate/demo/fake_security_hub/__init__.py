"""An AWS Security Hub that is not one: it checks signatures, and answers from a world that tests change."""

from tidegate.demo.fake_security_hub.server import ACCESS, ROLE, SECRET, FakeSecurityHub
from tidegate.demo.fake_security_hub.world import HOME, World

__all__ = ["ACCESS", "HOME", "ROLE", "SECRET", "FakeSecurityHub", "World"]
