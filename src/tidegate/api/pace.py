"""How often one may ask: a bucket for each who asks, that fills up again; in this process and bounded."""

from __future__ import annotations

import ipaddress
import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

MOST_BUCKETS = 10_000


@dataclass
class Pace:
    """At most `at_once` in one go, and `a_second` for ever. Whoever was not seen longest is forgotten first."""

    at_once: float
    a_second: float
    clock: Callable[[], float] = time.monotonic
    _left: OrderedDict[str, tuple[float, float]] = field(default_factory=OrderedDict[str, tuple[float, float]])
    _lock: Lock = field(default_factory=Lock)

    def wait(self, who: str) -> int:
        """Takes one; 0 where there was one, else the seconds until there will be."""
        now = self.clock()
        with self._lock:
            left, at = self._left.pop(who, (self.at_once, now))
            left = min(self.at_once, left + (now - at) * self.a_second)
            enough = left >= 1
            self._left[who] = (left - 1 if enough else left, now)
            if len(self._left) > MOST_BUCKETS:
                self._left.popitem(last=False)
        return 0 if enough else max(1, math.ceil((1 - left) / self.a_second))


REQUESTS = Pace(at_once=300, a_second=30)
"""Of one token or one person."""
STRANGERS = Pace(at_once=20, a_second=0.2)
"""From one address, with what nobody knows."""


def neighbourhood(address: str) -> str:
    """Who counts as one: an IPv4 address, or the network of an IPv6 one, which its owner may change at will."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv6Address):
        mapped = found.ipv4_mapped
        return str(mapped) if mapped else str(ipaddress.ip_network((int(found) >> 64 << 64, 64)))
    return address
