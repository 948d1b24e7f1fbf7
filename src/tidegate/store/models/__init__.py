"""Thin models, a file a noun: fields, constraints, `__str__`. Cascades and triggers live in sql/schema."""

from .connection import Connection, Test
from .count import ConnectionTally, OpenDay, Total
from .feed import Feed, FeedMove, Part, Tally
from .finding import Decision, Finding, FindingWords, Held, Journal, WordsDue
from .mapping import MappingRule, RelinkDismissed
from .notification import Delivery, News, Route
from .operation import Difference, Lease, LogLine, Operation, Quarantine, Result
from .product import Engagement, Product, ProductType
from .record import HeldAbsence, Record, RecordHistory
from .retention import Mark
from .schedule import HostPace, Schedule

__all__ = [
    "Connection",
    "ConnectionTally",
    "Decision",
    "Delivery",
    "Difference",
    "Engagement",
    "Feed",
    "FeedMove",
    "Finding",
    "FindingWords",
    "Held",
    "HeldAbsence",
    "HostPace",
    "Journal",
    "Lease",
    "LogLine",
    "MappingRule",
    "Mark",
    "News",
    "OpenDay",
    "Operation",
    "Part",
    "Product",
    "ProductType",
    "Quarantine",
    "Record",
    "RecordHistory",
    "RelinkDismissed",
    "Result",
    "Route",
    "Schedule",
    "Tally",
    "Test",
    "Total",
    "WordsDue",
]
