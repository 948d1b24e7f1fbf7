"""A great many issues for the bench, none of them held: a page of them is written when it is asked for."""

import json
from array import array
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

NUMBER, REVISION = "@number@", "@revision@"
"""Stand where an issue differs from the others; the page's text is made by replacing them."""


@dataclass(slots=True)
class BulkIssues:
    """The issues of one scan by their numbers, and the revision of those that were changed."""

    numbers: "array[int]"  # the class takes no parameter at run time before Python 3.12
    revisions: dict[int, int] = field(default_factory=dict[int, int])

    @classmethod
    def first(cls, count: int) -> "BulkIssues":
        return cls(array("q", range(count)))

    def __len__(self) -> int:
        return len(self.numbers)

    def changed(self, share: float) -> "BulkIssues":
        """Every so many-th one with another text."""
        step = max(round(1 / share), 1)
        more = {number: self.revisions.get(number, 0) + 1 for number in self.numbers[::step]}
        return BulkIssues(self.numbers, {**self.revisions, **more})

    def without(self, share: float, new: int = 0) -> "BulkIssues":
        """Without every so many-th one, and with so many new ones."""
        step = round(1 / share) if share else 0
        gone = set(self.numbers[step // 2 :: step]) if step else set[int]()
        top = max(self.numbers, default=-1) + 1
        kept: Iterable[int] = (number for number in self.numbers if number not in gone)
        return BulkIssues(array("q", [*kept, *range(top, top + new)]), self.revisions)

    def page(self, templates: list[str], start: int, count: int) -> str:
        """So many issues as JSON, from what one of each severity looks like."""
        return ",".join(
            templates[number % 4].replace(NUMBER, f"{number:08d}").replace(REVISION, str(self.revisions.get(number, 0)))
            for number in self.numbers[max(start, 0) : max(start, 0) + count]
        )


@cache
def samples(scan: str, origin: str) -> tuple[dict[str, Any], ...]:
    """One issue of each severity with marks where the number and the revision go; about 1 KB each as a finding."""
    return tuple(_sample(scan, origin, severity) for severity in ("high", "medium", "low", "info"))


def _sample(scan: str, origin: str, severity: str) -> dict[str, Any]:
    segment = {"__typename": "DataSegment", "data_html": f"GET /p/{NUMBER}?q=1 HTTP/1.1\r\nHost: bulk.test\r\n\r\n"}
    return {
        "serial_number": f"{scan}{NUMBER}",
        "fingerprint": f"bulk-{NUMBER}",
        "issue_type": {
            "type_index": "2097920",
            "name": "Cross-site scripting (reflected)",
            "description_html": "<p>Reflected cross-site scripting arises when data is copied from a request.</p>" * 3,
            "remediation_html": "<p>Validate input as strictly as possible, and encode output.</p>",
            "references_html": None,
            "vulnerability_classifications_html": '<ul><li><a href="#">CWE-79: Cross-site Scripting</a></li></ul>',
        },
        "severity": severity,
        "original_severity": severity,
        "confidence": "certain",
        "original_confidence": "certain",
        "accepted_risk": False,
        "path": f"/p/{NUMBER}",
        "origin": origin,
        "novelty": "repeat",
        "description_html": f"The payload was submitted in parameter q of page {NUMBER}, revision {REVISION}.",
        "remediation_html": None,
        "evidence": [{"__typename": "Request", "request_index": 0, "request_count": 1, "request_segments": [segment]}],
        "change_history": [],
    }


@dataclass(frozen=True, slots=True)
class BulkAnswer:
    """An answer about a bulk scan as the query selected it: what stands around the rows, and a row of each severity."""

    before: str
    rows: list[str]
    after: str

    @classmethod
    def around(cls, body: dict[str, Any]) -> "BulkAnswer":
        """From an answer whose rows are the samples."""
        rows = [json.dumps(row) for row in body["data"]["scan"]["issues"]]
        body["data"]["scan"]["issues"] = "@rows@"
        before, _, after = json.dumps(body).partition('"@rows@"')
        return cls(before, rows, after)

    def page(self, issues: BulkIssues, start: int, count: int) -> bytes:
        return f"{self.before}[{issues.page(self.rows, start, count)}]{self.after}".encode()


def bulk(issues: object) -> BulkIssues:
    """The issues of a bulk site; a ValueError for another one's."""
    if not isinstance(issues, BulkIssues):
        raise ValueError("This is no bulk site.")
    return issues
