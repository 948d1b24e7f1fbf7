"""What the fake Checkmarx One knows: projects, their scans, what each scan found; and the verbs that change it.

Results are kept as the API shows them. Times are fixed, so that a run is the same each time.
"""

import threading
from datetime import UTC, datetime, timedelta
from typing import Any

ENGINES = ("sast", "sca", "kics")
_BEGAN = datetime(2025, 1, 6, 8, tzinfo=UTC)


class World:
    """A tenant. What is raised lies in a project's newest scan of that branch; a new scan finds it all again."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.projects: dict[str, dict[str, Any]] = {}
        self.scans: list[dict[str, Any]] = []
        self.results: dict[str, list[dict[str, Any]]] = {}
        self.visible: set[str] | None = None
        self.tokens = 0
        self._number = 0

    def add_project(self, name: str, main: str = "main") -> str:
        """A project with one scan of all engines on its main branch; gives its id."""
        project = f"00000000-0000-4000-8000-{self._next():012d}"
        self.projects[project] = {"id": project, "name": name, "mainBranch": main, "tags": {}, "groups": []}
        self.scan(project)
        return project

    def rename_project(self, project: str, name: str) -> None:
        self.projects[project]["name"] = name

    def delete_project(self, project: str) -> None:
        """It is gone with its scans and all that they found."""
        del self.projects[project]
        for scan in [scan for scan in self.scans if scan["projectId"] == project]:
            self.scans.remove(scan)
            del self.results[scan["id"]]

    def scan(self, project: str, *engines: str, branch: str = "") -> str:
        """A scan of these engines, or of all of them; what they found before they find again. Gives its id."""
        ran, branch = engines or ENGINES, branch or self.projects[project]["mainBranch"]
        before = [row for engine in ran for row in self._newest(project, engine, branch)]
        number = self._next()
        scan = f"00000000-0000-4000-9000-{number:012d}"
        at = (_BEGAN + timedelta(minutes=number)).isoformat().replace("+00:00", "Z")
        self.scans.append({
            "id": scan, "projectId": project, "branch": branch, "status": "Completed", "createdAt": at,
            "engines": [*ran], "statusDetails": [{"name": engine, "status": "Completed"} for engine in ran],
        })  # fmt: skip
        self.results[scan] = [dict(row) for row in before]
        return scan

    def delete_branch(self, project: str, branch: str) -> None:
        """Its scans are gone."""
        self.scans = [scan for scan in self.scans if (scan["projectId"], scan["branch"]) != (project, branch)]

    def raise_flow(self, project: str, count: int = 1, *, branch: str = "", **fields: Any) -> list[str]:
        """So many flows that SAST finds; gives their keys."""
        return [self._flow(project, branch, fields) for _ in range(count)]

    def raise_package(self, project: str, *, branch: str = "", **fields: Any) -> str:
        """A weakness in a package, as SCA finds it."""
        number = self._next()
        found = {"id": f"CVE-2025-{number:05d}", "data": {"packageIdentifier": f"Npm-left-pad-1.0.{number}"}}
        self._raise(project, "sca", branch, {**found, **fields})
        return f"{found['id']}:Npm-left-pad-1.0.{number}"

    def raise_setting(self, project: str, *, branch: str = "", **fields: Any) -> str:
        """A setting in a file, as KICS finds it."""
        number = self._next()
        data = {"queryName": "Missing User", "queryId": "q1", "filename": "/Dockerfile", "line": number}
        found = {"id": f"k{number}", "similarityId": f"similar{number:06d}", "data": data}
        self._raise(project, "kics", branch, {**found, **fields})
        return f"{found['similarityId']}:/Dockerfile"

    def change(self, key: str, **fields: Any) -> None:
        for rows in self.results.values():
            for row in rows:
                if key_of(row) == key:
                    row.update(fields)

    def purge(self, key: str) -> None:
        """No scan lists it any more."""
        self.results = {scan: [row for row in rows if key_of(row) != key] for scan, rows in self.results.items()}

    def show_only(self, *projects: str) -> None:
        """The key may see these projects and no other."""
        self.visible = set(projects)

    def sees(self, project: str) -> bool:
        return project in self.projects and (self.visible is None or project in self.visible)

    def branches(self, project: str) -> list[str]:
        """Those that were scanned, the newest first."""
        return list(dict.fromkeys(scan["branch"] for scan in reversed(self.scans) if scan["projectId"] == project))

    def _flow(self, project: str, branch: str, fields: dict[str, Any]) -> str:
        number = self._next()
        node = {"fileName": "/src/app.py", "line": number, "name": "execute"}
        data = {"resultHash": f"hash{number:06d}=", "queryName": "SQL_Injection", "nodes": [node]}
        self._raise(project, "sast", branch, {"id": f"hash{number:06d}=", "data": data, **fields})
        return f"hash{number:06d}="

    def _raise(self, project: str, engine: str, branch: str, fields: dict[str, Any]) -> None:
        branch = branch or self.projects[project]["mainBranch"]
        scan = next(each for each in reversed(self._of(project, branch)) if engine in each["engines"])
        self.results[scan["id"]].append({
            "type": engine, "similarityId": "7", "status": "NEW", "state": "TO_VERIFY", "severity": "HIGH",
            "firstFoundAt": "2025-01-06T08:00:00Z", "description": "Do not.", "comments": {},
            "vulnerabilityDetails": {}, **fields,
        })  # fmt: skip

    def _newest(self, project: str, engine: str, branch: str) -> list[dict[str, Any]]:
        scans = [scan for scan in self._of(project, branch) if engine in scan["engines"]]
        return [row for row in self.results[scans[-1]["id"]] if row["type"] == engine] if scans else []

    def _of(self, project: str, branch: str) -> list[dict[str, Any]]:
        return [scan for scan in self.scans if (scan["projectId"], scan["branch"]) == (project, branch)]

    def _next(self) -> int:
        self._number += 1
        return self._number


def key_of(row: dict[str, Any]) -> str:
    """As Tidegate names a result."""
    data = row["data"]
    if row["type"] == "sast":
        return data["resultHash"]
    return f"{row['id']}:{data['packageIdentifier']}" if row["type"] == "sca" else f"{row['similarityId']}:/Dockerfile"
