"""A Burp Suite DAST that is not one: it speaks the vendor's GraphQL, and is wrong in the vendor's ways on demand."""

from tidegate.demo.fake_burp.server import API_KEY, FakeBurp
from tidegate.demo.fake_burp.world import World

__all__ = ["API_KEY", "FakeBurp", "World"]
