"""What the fake SonarQube knows: projects, their branches, and what was found there; and the verbs that change it.

Issues and hotspots are kept as the web API shows them. Times are fixed, so that a run is the same each time.
"""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

FIRST = datetime(2025, 1, 6, 8, tzinfo=UTC)
RULES: dict[str, tuple[str, str, str]] = {
    "javasecurity:S3649": ("VULNERABILITY", "Database queries should not be vulnerable to injection attacks", "CWE-89"),
    "python:S5659": ("VULNERABILITY", "JWT should be signed and verified", "CWE-347"),
    "java:S2068": ("SECURITY_HOTSPOT", "Credentials should not be hard-coded", "CWE-798"),
}
"""Type, name and weakness of each rule of the server."""


@dataclass(slots=True)
class Branch:
    """One branch of a project, as of its last analysis."""

    name: str
    main: bool = False
    issues: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    hotspots: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    risks: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])


@dataclass(slots=True)
class Project:
    """One project."""

    key: str
    name: str
    branches: dict[str, Branch]


class World:
    """A server. `window` is how far a search lists, `caps_totals` that its totals end there too, as the Cloud's do."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.projects: dict[str, Project] = {}
        self.visible: set[str] | None = None
        self.risks_enabled = True
        self.hotspots_allowed = True
        self.window, self.caps_totals = 10_000, False
        self._number = 0

    def add_project(self, key: str, name: str = "", *, branches: tuple[str, ...] = ("main",)) -> None:
        """A project whose first branch is the main one."""
        made = {name: Branch(name, main=place == 0) for place, name in enumerate(branches)}
        self.projects[key] = Project(key, name or key, made)

    def delete_project(self, key: str) -> None:
        del self.projects[key]

    def delete_branch(self, key: str, branch: str) -> None:
        del self.projects[key].branches[branch]

    def rename_project(self, key: str, name: str) -> None:
        self.projects[key].name = name

    def show_only(self, *keys: str) -> None:
        """The token's user may browse these projects and no other."""
        self.visible = set(keys)

    def branch(self, key: str, name: str | None = None) -> Branch:
        """A branch of a project, the main one without a name. Raises KeyError where there is none."""
        branches = self.projects[key].branches
        return branches[name] if name else next(branch for branch in branches.values() if branch.main)

    def sees(self, key: str) -> bool:
        return key in self.projects and (self.visible is None or key in self.visible)

    def raise_issues(self, key: str, count: int = 1, branch: str | None = None, **fields: Any) -> list[str]:
        """So many new vulnerabilities, one a minute; gives their keys."""
        return [self._raise(key, branch, fields) for _ in range(count)]

    def change_issue(self, issue: str, **fields: Any) -> None:
        found = self.found(issue)
        found.update(fields)
        found["updateDate"] = "2025-09-01T08:00:00+0000"

    def fix(self, issue: str) -> None:
        """The next analysis does not find it: the server closes it, and shows it as fixed for a month."""
        self.change_issue(issue, status="CLOSED", resolution="FIXED", issueStatus="FIXED")
        self.found(issue).pop("line", None)

    def purge(self, issue: str) -> None:
        """It is not shown any more: closed issues are deleted after a month."""
        for branch in self._branches():
            branch.issues = [each for each in branch.issues if each["key"] != issue]
            branch.hotspots = [each for each in branch.hotspots if each["key"] != issue]
            branch.risks = [each for each in branch.risks if each["key"] != issue]

    def raise_hotspot(self, key: str, branch: str | None = None, **fields: Any) -> str:
        number = self._next()
        found = {
            "key": f"hotspot-{number:06d}", "component": f"{key}:src/db.java", "project": key,
            "securityCategory": "auth", "vulnerabilityProbability": "HIGH", "status": "TO_REVIEW", "line": number,
            "message": "Revoke and change this password, as it is compromised.", "author": "dev",
            "creationDate": _time(number), "updateDate": _time(number), "flows": [], "ruleKey": "java:S2068", **fields,
        }  # fmt: skip
        self.branch(key, branch).hotspots.append(found)
        return found["key"]

    def add_risk(self, key: str, branch: str | None = None, **fields: Any) -> str:
        number = self._next()
        package = f"package-{number}"
        release = {
            "packageUrl": f"pkg:npm/{package}@1.0.0", "packageManager": "npm", "packageName": package,
            "version": "1.0.0", "scopeSummary": "runtime", "dependencyFilePaths": ["package-lock.json"],
        }  # fmt: skip
        found = {
            "key": f"risk-{number:06d}", "severity": "HIGH", "release": release, "type": "VULNERABILITY",
            "quality": "SECURITY", "status": "OPEN", "createdAt": "2025-01-15T10:30:00Z",
            "vulnerabilityId": f"CVE-2025-{number:05d}", "cweIds": ["CWE-79"], "cvssScore": "7.5", **fields,
        }  # fmt: skip
        self.branch(key, branch).risks.append(found)
        return found["key"]

    def found(self, key: str) -> dict[str, Any]:
        """The issue, hotspot or risk of that key."""
        for branch in self._branches():
            for each in (*branch.issues, *branch.hotspots, *branch.risks):
                if each["key"] == key:
                    return each
        raise KeyError(key)

    def _raise(self, key: str, branch: str | None, fields: dict[str, Any]) -> str:
        number = self._next()
        found = {
            "key": f"issue-{number:06d}", "rule": "javasecurity:S3649", "component": f"{key}:src/orders.java",
            "project": key, "line": number, "status": "OPEN", "issueStatus": "OPEN", "severity": "CRITICAL",
            "message": "Change this code to not construct SQL queries directly from user-controlled data.",
            "creationDate": _time(number), "updateDate": _time(number), "type": "VULNERABILITY", "tags": ["cwe"],
            "impacts": [{"softwareQuality": "SECURITY", "severity": "HIGH"}], "comments": [], "flows": [], **fields,
        }  # fmt: skip
        self.branch(key, branch).issues.append(found)
        return found["key"]

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _branches(self) -> list[Branch]:
        return [branch for project in self.projects.values() for branch in project.branches.values()]


def _time(number: int) -> str:
    return (FIRST + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S+0000")
