"""What the fake Dependency-Track knows: project versions and the findings in them; and the verbs that change it.

Projects and findings are kept as the API shows them. Ids and times are counted, so that a run is the same each time.
"""

import threading
from typing import Any

FIRST = 1_736_150_400_000
"""6 January 2025, 8 o'clock, in milliseconds, as the API writes times."""
MINUTE = 60_000


class World:
    """A server. Before version 5 the findings of a project come in one answer, whatever page is asked for.

    `permissions` are those of the key's team; `visible` the projects it may see (portfolio
    access control), None for all.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.version = "5.0.4"
        self.permissions = {"VIEW_PORTFOLIO", "VIEW_VULNERABILITY"}
        self.visible: set[str] | None = None
        self.projects: dict[str, dict[str, Any]] = {}
        self.findings: dict[str, list[dict[str, Any]]] = {}
        self._number = 0

    @property
    def cuts_findings(self) -> bool:
        return int(self.version.partition(".")[0]) >= 5

    def add_project(self, name: str, version: str = "", parent: str | None = None, **fields: Any) -> str:
        """A version of a project; gives its UUID."""
        key = self._id()
        told: dict[str, Any] = {"version": version} if version else {}
        above = self.projects[parent] if parent else {}
        if above:
            told["parent"] = {part: above[part] for part in ("uuid", "name", "version") if part in above}
        self.projects[key] = {"uuid": key, "name": name, **told, "active": True, "isLatest": False, **fields}
        self.findings[key] = []
        return key

    def delete_project(self, key: str) -> dict[str, Any]:
        """It is gone with its findings; gives what it was, which `put_back` takes."""
        return {"project": self.projects.pop(key), "findings": self.findings.pop(key)}

    def put_back(self, project: dict[str, Any], findings: list[dict[str, Any]]) -> None:
        """What a person deleted, from a backup."""
        self.projects[project["uuid"]], self.findings[project["uuid"]] = project, findings

    def change_project(self, key: str, **fields: Any) -> None:
        self.projects[key].update(fields)

    def show_only(self, *keys: str) -> None:
        """The team of the key may see these projects and no other."""
        self.visible = set(keys)

    def sees(self, key: str) -> bool:
        return key in self.projects and (self.visible is None or key in self.visible)

    def find(self, project: str, count: int = 1, **vulnerability: Any) -> list[str]:
        """An analysis finds so many vulnerable components; gives the `matrix` of each finding."""
        return [self._find(project, vulnerability) for _ in range(count)]

    def analyse(self, matrix: str, **analysis: Any) -> None:
        """An analyst's word: state, isSuppressed, detail."""
        self.finding(matrix)["analysis"].update(analysis)

    def change(self, matrix: str, **vulnerability: Any) -> None:
        """What the database of vulnerabilities tells of it from now on."""
        self.finding(matrix)["vulnerability"].update(vulnerability)

    def fix(self, matrix: str) -> None:
        """The next bill of materials has another version of the component: the finding is gone."""
        for found in self.findings.values():
            found[:] = [each for each in found if each["matrix"] != matrix]

    def finding(self, matrix: str) -> dict[str, Any]:
        return next(each for found in self.findings.values() for each in found if each["matrix"] == matrix)

    def _find(self, project: str, vulnerability: dict[str, Any]) -> str:
        component, known = self._id(), self._id()
        number = self._number
        matrix = f"{project}:{component}:{known}"
        found = {
            "component": {
                "uuid": component, "name": f"package-{number}", "version": "1.0.0", "project": project,
                "purl": f"pkg:npm/package-{number}@1.0.0",
            },
            "vulnerability": {
                "uuid": known, "source": "NVD", "vulnId": f"CVE-2025-{number:05d}", "severity": "HIGH",
                "severityRank": 1, "description": "It can be broken.", "cvssV3BaseScore": 7.5,
                "cwes": [{"cweId": 79, "name": "Cross-site Scripting"}], "aliases": [], **vulnerability,
            },
            "analysis": {"isSuppressed": False},
            "attribution": {"analyzerIdentity": "INTERNAL_ANALYZER", "attributedOn": FIRST + number * MINUTE},
            "matrix": matrix,
        }  # fmt: skip
        self.findings[project].append(found)
        return matrix

    def _id(self) -> str:
        self._number += 1
        return f"d7acc000-0000-4000-8000-{self._number:012d}"
