"""What the fake Burp knows: folders, sites, scans and their issues, and every way in which that may change."""

import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any

from tidegate.demo.fake_burp.bulk import BulkAnswer, BulkIssues, bulk
from tidegate.demo.fake_burp.issue import Issue

BEGIN = datetime(2025, 11, 3, 8, 0, tzinfo=UTC)
ROOT = "0"


@dataclass(slots=True)
class Folder:
    id: str
    name: str
    parent: str | None


@dataclass(slots=True)
class Site:
    id: str
    name: str
    parent: str
    origin: str
    ephemeral: bool = False


@dataclass(slots=True)
class Scan:
    """`issues` of a scan that has not succeeded are what it had found until then."""

    id: str
    site: str
    status: str
    start: datetime
    end: datetime | None
    issues: list[Issue] | BulkIssues = field(default_factory=list[Issue])


class World:
    """Sites are named by id or by name. Every change of issues comes with a new completed scan, as in Burp."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.folders = {ROOT: Folder(ROOT, "All Sites", None)}
        self.sites: dict[str, Site] = {}
        self.scans: dict[str, Scan] = {}
        self.seen_by_user: set[str] | None = None
        self.counts_marked = True
        self.bulk_answers: dict[tuple[int, str], BulkAnswer] = {}
        self._next_id, self._next_scan, self._next_number = 1, 21001, 0

    def add_folder(self, name: str, parent: str | None = None) -> str:
        folder = Folder(self._new_id(), name, self._folder(parent))
        self.folders[folder.id] = folder
        return folder.id

    def add_site(
        self, name: str, folder: str | None = None, issues: int | None = None, id: str | None = None, **more: Any
    ) -> str:
        """A site; with a number of issues also its first completed scan. `id`: one that Burp used before."""
        slug = "".join(letter if letter.isalnum() else "-" for letter in name.lower())
        site = Site(id or self._new_id(), name, self._folder(folder), f"https://{slug}.example.test", **more)
        self.sites[site.id] = site
        if issues is not None:
            self._scan(site, "succeeded", [self._new_issue(site) for _ in range(issues)])
        return site.id

    def add_bulk_site(self, name: str, issues: int) -> str:
        """A site with so many synthetic issues, made when they are read."""
        site = self.sites[self.add_site(name)]
        self._scan(site, "succeeded", BulkIssues.first(issues))
        return site.id

    def rename_site(self, site: str, name: str) -> None:
        self.site(site).name = name

    def move_site(self, site: str, folder: str) -> None:
        self.site(site).parent = self._folder(folder)

    def delete_site(self, site: str) -> None:
        gone = self.site(site).id
        del self.sites[gone]
        self.scans = {scan.id: scan for scan in self.scans.values() if scan.site != gone}

    def show_only(self, *sites: str) -> None:
        """The API user loses its rights on all other sites; without a name, on every one."""
        self.seen_by_user = {self.site(site).id for site in sites}

    def show_all(self) -> None:
        self.seen_by_user = None

    def run_scan(self, site: str, status: str = "running") -> str:
        """A newer scan that has found half of everything so far: running, queued, paused, failed or cancelled."""
        known = self.known_issues(site)
        half = known[: len(known) // 2] if isinstance(known, list) else BulkIssues(known.numbers[: len(known) // 2])
        return self._scan(self.site(site), status, half).id

    def rescan(self, site: str) -> str:
        """A newer completed scan that finds the same."""
        return self._found(site, lambda known: known)

    def delete_scan(self, scan: str) -> None:
        del self.scans[scan]

    def add_issue(self, site: str, n: int = 1) -> str:
        found = self.site(site)
        return self._found(site, lambda known: [*known, *(self._new_issue(found) for _ in range(n))])

    def fix_issue(self, site: str, n: int = 1) -> str:
        """A new completed scan without the first `n`."""
        return self._found(site, lambda known: known[n:])

    def change_issue(self, site: str, n: int = 1, **facts: Any) -> str:
        """A new completed scan where the first `n` have other facts: severity, confidence, note."""
        return self._found(
            site,
            lambda known: [replace(issue, **(facts or {"note": "Seen again."})) for issue in known[:n]] + known[n:],
        )

    def mark_false_positive(self, site: str, n: int = 1, note: str = "Not reachable.", username: str = "amy") -> None:
        """Somebody marks the first `n` in Burp; no new scan comes with that."""
        change = {"__typename": "FalsePositiveIssueChange", "false_positive": True}
        self._mark(site, n, change, note, username, confidence="false_positive")

    def accept_risk(self, site: str, n: int = 1, note: str = "Behind the VPN.", username: str = "amy") -> None:
        change = {"__typename": "AcceptedRiskIssueChange", "accepted_risk": True}
        self._mark(site, n, change, note, username, accepted_risk=True)

    def change_bulk(self, site: str, changed: float = 0, gone: float = 0, new: int = 0) -> str:
        """A new completed scan of a bulk site: shares changed and gone, and a number of new ones."""
        found = bulk(self.latest(site).issues)
        found = found.changed(changed) if changed else found
        return self._scan(self.site(site), "succeeded", found.without(gone, new)).id

    def site(self, named: str) -> Site:
        """The site of that id, or the only one of that name."""
        if named in self.sites:
            return self.sites[named]
        found = [site for site in self.sites.values() if site.name == named]
        if len(found) != 1:
            raise KeyError(f"{len(found)} sites are called {named!r}.")
        return found[0]

    def latest(self, site: str) -> Scan:
        """The completed scan of the site that ended last."""
        found = self.site(site).id
        done = [scan for scan in self.scans.values() if scan.site == found and scan.status == "succeeded"]
        return max(done, key=lambda scan: scan.end or BEGIN)

    def known_issues(self, site: str) -> list[Issue] | BulkIssues:
        """What the latest completed scan found; nothing before the first one."""
        found = self.site(site).id
        scanned = any(scan.site == found and scan.status == "succeeded" for scan in self.scans.values())
        return self.latest(site).issues if scanned else []

    def sees(self, site: str) -> bool:
        """Whether the API user may see the site."""
        return site in self.sites and (self.seen_by_user is None or site in self.seen_by_user)

    def _found(self, site: str, change: Callable[[Any], Any]) -> str:
        return self._scan(self.site(site), "succeeded", change(self.known_issues(site))).id

    def _scan(self, site: Site, status: str, issues: list[Issue] | BulkIssues) -> Scan:
        start = BEGIN + timedelta(hours=self._next_scan - 21001)
        ended = status in ("succeeded", "failed", "cancelled")
        end = start + timedelta(minutes=28, milliseconds=823) if ended else None
        scan = Scan(str(self._next_scan), site.id, status, start, end, issues)
        self._next_scan += 1
        self.scans[scan.id] = scan
        return scan

    def _mark(self, site: str, n: int, change: dict[str, Any], note: str, username: str, **facts: Any) -> None:
        scan = self.latest(site)
        if isinstance(scan.issues, BulkIssues):
            raise ValueError("Nothing is marked on a bulk site.")
        entry = {"timestamp": "2025-11-04T09:30:00Z", "username": username, "note": note, "issue_change": change}
        scan.issues = [
            replace(issue, changes=(*issue.changes, entry), **facts) if place < n else issue
            for place, issue in enumerate(scan.issues)
        ]

    def _new_issue(self, site: Site) -> Issue:
        self._next_number += 1
        return Issue(site.id, self._next_number, site.origin)

    def _new_id(self) -> str:
        taken = {*self.folders, *self.sites}
        while str(self._next_id) in taken:
            self._next_id += 1
        self._next_id += 1
        return str(self._next_id - 1)

    def _folder(self, named: str | None) -> str:
        if named is None:
            return ROOT
        if named in self.folders:
            return named
        return next(folder.id for folder in self.folders.values() if folder.name == named)


def demo_world() -> World:
    """Four sites of a shop: one rich enough to be held when it collapses, one with a scan still running."""
    world = World()
    retail, partners = world.add_folder("Retail"), world.add_folder("Partners")
    public = world.add_folder("Public", retail)
    world.add_site("Storefront", public, 120)
    world.add_site("Storefront API", retail, 18)
    world.add_site("Partner Portal", partners, 27)
    world.add_site("Legacy Intranet", None, 12)
    world.mark_false_positive("Storefront API", 1, "The header is set by the proxy.")
    world.accept_risk("Partner Portal", 1, "Accepted until the move in spring.")
    world.run_scan("Partner Portal", "running")
    world.run_scan("Legacy Intranet", "failed")
    return world
