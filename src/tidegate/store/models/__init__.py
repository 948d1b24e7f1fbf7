"""Thin models, a file a noun: fields, constraints, `__str__`. Cascades and triggers live in sql/schema."""

from .audit import AuditLine
from .connection import Connection, Test
from .count import ConnectionTally, OpenDay, ProductTally, RecordTally, Total
from .delivered import DeliveredFinding, DeliveredProduct, DeliveredTest
from .destination import Destination, DestinationRoute
from .feed import Feed, FeedMove, Part, Tally
from .finding import Decision, Finding, FindingWords, Held, Journal, WordsDue
from .managed import Managed
from .mapping import MappingRule, RelinkDismissed
from .notification import Delivery, News, Route
from .operation import Difference, Lease, LogLine, Operation, Quarantine, Result
from .product import Engagement, Product, ProductType
from .record import HeldAbsence, Record, RecordHistory, RecordTold
from .request import AnsweredRequest
from .retention import Mark
from .schedule import HostPace, Schedule
from .user import RoleGrant, Token, User

__all__ = [
    "AnsweredRequest",
    "AuditLine",
    "Connection",
    "ConnectionTally",
    "Decision",
    "DeliveredFinding",
    "DeliveredProduct",
    "DeliveredTest",
    "Delivery",
    "Destination",
    "DestinationRoute",
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
    "Managed",
    "MappingRule",
    "Mark",
    "News",
    "OpenDay",
    "Operation",
    "Part",
    "Product",
    "ProductTally",
    "ProductType",
    "Quarantine",
    "Record",
    "RecordHistory",
    "RecordTally",
    "RecordTold",
    "RelinkDismissed",
    "Result",
    "RoleGrant",
    "Route",
    "Schedule",
    "Tally",
    "Test",
    "Token",
    "Total",
    "User",
    "WordsDue",
]
