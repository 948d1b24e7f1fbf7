"""The export of vulnerabilities: started, looked at until it is done, and fetched chunk by chunk."""

from typing import Any, cast

from tidegate_sdk import Ask, Export, Page, VendorChanged, dig, identifier
from tidegate_sdk.array import rows_of_array

PATH = "vulns/export"
ASSETS = 100
"""Hosts in one chunk. Tenable takes 50 to 5,000; a host has some hundred findings of several thousand bytes each."""
SINCE = 1_000_000_000
"""September 2001. Without a time Tenable exports only what was found or fixed within the last 30 days."""
STATES = ("OPEN", "REOPENED", "FIXED")
SEVERITIES = ("low", "medium", "high", "critical")


def start(filters: dict[str, Any], *, informational: bool) -> Ask:
    """The question that starts it. While one runs Tenable refuses another with the same filters by a 409, so it may be
    asked again after a failure: at worst an export runs that nobody fetches."""
    wanted = {"state": [*STATES], "since": SINCE, **filters}
    if not informational:
        wanted["severity"] = [*SEVERITIES]
    body = {"num_assets": ASSETS, "include_software_vulns": True, "filters": wanted}
    return Ask(PATH, method="POST", json=body, safe=True, also=frozenset({409}))


def look(started: Page) -> Ask:
    return Ask(f"{PATH}/{_job(started)}/status")


def chunks(started: Page, finished: Page) -> list[Ask]:
    available: Any = dig(finished.body, "chunks_available")
    if not isinstance(available, list) or any(type(chunk) is not int for chunk in cast("list[Any]", available)):
        raise VendorChanged("The export's list of chunks is none.")
    return [
        Ask(f"{PATH}/{_job(started)}/chunks/{chunk}", reader=rows_of_array) for chunk in cast("list[int]", available)
    ]


def _job(started: Page) -> str:
    """Its id, which becomes part of a path."""
    job = identifier(started.body, "export_uuid")
    if not job.replace("-", "").isalnum():
        raise VendorChanged("The id of the export is none.")
    return job


EXPORT = Export(
    status=look,
    parts=chunks,
    state="status",
    working=frozenset({"QUEUED", "PROCESSING"}),
    done=frozenset({"FINISHED"}),
    count="total_chunks",
    empty="empty_chunks_count",
    lost=("chunks_failed", "chunks_cancelled"),
    reason="reason",
    busy="active_job_id",
    allowed=Ask(f"{PATH}/status", bare=True),
    every=10,
    polls=1_440,
)
