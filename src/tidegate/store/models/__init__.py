"""Thin models, a file a noun: fields, constraints, `__str__`. Cascades and triggers live in sql/schema."""

from .connection import Connection, Test
from .count import OpenDay, Total
from .feed import Feed, Part, Tally
from .finding import Decision, Finding, FindingWords, Held, Journal, WordsDue
from .notification import Delivery, News, Route
from .operation import Difference, Lease, LogLine, Operation, Quarantine, Result
from .product import Engagement, Product, ProductType
from .record import HeldAbsence, Record, RecordHistory
from .schedule import HostPace, Schedule

__all__ = [
    "Connection",
    "Decision",
    "Delivery",
    "Difference",
    "Engagement",
    "Feed",
    "Finding",
    "FindingWords",
    "Held",
    "HeldAbsence",
    "HostPace",
    "Journal",
    "Lease",
    "LogLine",
    "News",
    "OpenDay",
    "Operation",
    "Part",
    "Product",
    "ProductType",
    "Quarantine",
    "Record",
    "RecordHistory",
    "Result",
    "Route",
    "Schedule",
    "Tally",
    "Test",
    "Total",
    "WordsDue",
]
