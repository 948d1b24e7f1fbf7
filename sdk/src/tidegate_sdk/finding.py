"""What a connector gives back: plain frozen values, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec


class Severity(StrEnum):
    """How bad it is. *Unknown* is a word the vendor never said before: imported, shown before Low, never filtered."""

    CRITICAL = "Critical"
    HIGH = "High"
    MEDIUM = "Medium"
    UNKNOWN = "Unknown"
    LOW = "Low"
    INFO = "Info"

    @property
    def rank(self) -> int:
        """5 for Critical down to 0 for Info; what the database stores and sorts by."""
        return _RANKS[self]

    @classmethod
    def of_rank(cls, rank: int) -> Severity:
        """The severity with this rank; raises KeyError for another number."""
        return _BY_RANK[rank]


_RANKS = {severity: rank for rank, severity in enumerate(reversed(Severity))}
_BY_RANK = {rank: severity for severity, rank in _RANKS.items()}


class Verdict(StrEnum):
    """What the vendor's own users decided about a finding; kept beside what people decide in Tidegate."""

    FALSE_POSITIVE = "false positive"
    ACCEPTED = "accepted"
    OUT_OF_SCOPE = "out of scope"


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One weakness of one vendor-equivalent product, in the words all Tools share.

    `key` is the vendor's id for it, stable over scans, text edits and shifted lines; within one Family and Branch it
    names the finding for ever. Times are aware. Texts are what the vendor sent: hostile until a face escapes them.
    """

    key: str
    title: str
    severity: Severity
    description: str = ""
    mitigation: str = ""
    impact: str = ""
    evidence: str = ""  # request, response, code: plain text, shortened by the connector
    url: str | None = None  # the finding in the vendor's own screens
    fixed: bool = False  # the vendor's word that it is gone; closes at once
    verdict: Verdict | None = None
    vendor_severity: str = ""  # the vendor's own word
    vendor_status: str = ""  # the vendor's own word
    vendor_reason: str = ""  # why the vendor's user decided so
    confidence: str = ""
    rule: str = ""
    cwe: tuple[int, ...] = ()
    ids: tuple[str, ...] = ()  # CVE, GHSA and the like
    cvss: tuple[str, ...] = ()  # vectors, versions 2 to 4
    cvss_score: float | None = None
    epss: float | None = None  # 0 to 1
    known_exploited: bool | None = None
    component: str = ""
    version: str = ""
    purl: str = ""
    fix: str = ""
    fixed_version: str = ""
    path: str = ""
    line: int | None = None
    endpoint: str = ""  # URL or host[:port]
    image: str = ""
    references: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    found_at: datetime | None = None  # first seen by the vendor
    unknown_words: tuple[str, ...] = ()  # "status: sleeping": words the connector does not know; reported


NO_PRODUCT = "(no product)"
"""The id of the VEP that is the home of findings without a product: made when one is seen, never Missing."""


class Vep(msgspec.Struct, frozen=True, kw_only=True):
    """A vendor-equivalent product: the vendor's thing nearest to a Product.

    `id` is the most stable id the vendor has, compared as bytes; the name only where there is no id. `attributes` are
    plain JSON values that rules and pages may look at; `parent` is the folder, group or organization it lies in.
    """

    id: str
    name: str
    url: str | None = None
    parent: str = ""
    attributes: Mapping[str, Any] = msgspec.field(default_factory=dict[str, Any])


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """Whom the vendor takes us for. `id` decides whether a new Connection continues a deleted one.

    `credential_ends` is when the vendor says that the credential expires, an aware time; people are warned before.
    """

    id: str
    name: str = ""
    credential_ends: datetime | None = None

    def __post_init__(self) -> None:
        """Raises ValueError for a time without a zone: nobody could say when that is."""
        if self.credential_ends is not None and self.credential_ends.utcoffset() is None:
            raise ValueError("credential_ends is a time without a zone")


class Skip(msgspec.Struct, frozen=True):
    """A row that is no finding, and why; counted and shown. The reason is one of a few fixed sentences."""

    because: str
