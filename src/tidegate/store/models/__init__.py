"""Thin models, a file a noun: fields, constraints, `__str__`. Cascades and triggers live in sql/schema."""

from .connection import Connection, Test
from .feed import Feed, Part, Tally
from .finding import Decision, Finding, Held, Journal
from .operation import Lease, LogLine, Operation, Quarantine, Result
from .product import Engagement, Product, ProductType
from .record import HeldAbsence, Record, RecordHistory

__all__ = [
    "Connection",
    "Decision",
    "Engagement",
    "Feed",
    "Finding",
    "Held",
    "HeldAbsence",
    "Journal",
    "Lease",
    "LogLine",
    "Operation",
    "Part",
    "Product",
    "ProductType",
    "Quarantine",
    "Record",
    "RecordHistory",
    "Result",
    "Tally",
    "Test",
]
