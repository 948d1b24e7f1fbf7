"""The suite that every Tool passes, and the Worlds it runs in."""

from .suite import Suite
from .world import Answer, Exchange, Fault, Recorded, Request, Vendor, World, recorded

__all__ = ["Answer", "Exchange", "Fault", "Recorded", "Request", "Suite", "Vendor", "World", "recorded"]
