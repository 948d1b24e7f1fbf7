"""What the fake Semgrep knows: one deployment's projects, and what was found in each; and the verbs that change it.

Findings are kept as the API shows them. Times are fixed, so that a run is the same each time.
"""

import threading
from typing import Any

KINDS = ("sast", "sca", "secrets")


class World:
    """A deployment. `disabled`: products whose findings are listed no more, as where the licence ended."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.projects: dict[str, dict[str, Any]] = {}
        self.findings: dict[str, list[tuple[str, dict[str, Any]]]] = {kind: [] for kind in KINDS}
        self.disabled: set[str] = set()
        self._number = 0

    def add_project(self, name: str) -> str:
        """A project; gives its id."""
        number = str(136_000 + self._next())
        self.projects[number] = {
            "id": int(number), "name": name, "url": f"https://github.com/{name}", "tags": [],
            "primary_branch": "refs/heads/main", "default_branch": "refs/heads/main",
        }  # fmt: skip
        return number

    def delete_project(self, project: str) -> None:
        """It is gone with all that was found in it."""
        del self.projects[project]
        for kind, found in self.findings.items():
            self.findings[kind] = [each for each in found if each[0] != project]

    def rename_project(self, project: str, name: str) -> None:
        self.projects[project]["name"] = name

    def disable(self, kind: str) -> None:
        self.disabled.add(kind)

    def enable(self, kind: str) -> None:
        self.disabled.discard(kind)

    def raise_code(self, project: str, count: int = 1, **fields: Any) -> list[str]:
        """So many new findings of code; gives the ids that match them from scan to scan."""
        return [self._raise(project, "sast", fields) for _ in range(count)]

    def raise_dependency(self, project: str, **fields: Any) -> str:
        dependency = {"package": "grpcio", "version": "1.47.0", "ecosystem": "pypi", "transitivity": "direct"}
        known = {"vulnerability_identifier": "CVE-2023-1428", "found_dependency": dependency}
        return self._raise(project, "sca", {**known, **fields})

    def raise_secret(self, project: str, **fields: Any) -> str:
        number = str(self._next())
        found = {
            "id": number, "type": "OpenAI", "findingPath": f"src/ai.py:{number}", "severity": "SEVERITY_HIGH",
            "status": "FINDING_STATUS_OPEN", "validationState": "VALIDATION_STATE_CONFIRMED_VALID",
            "createdAt": "2025-01-06T08:00:00Z", **fields,
        }  # fmt: skip
        self.findings["secrets"].append((project, found))
        return number

    def change(self, key: str, **fields: Any) -> None:
        self.found(key).update(fields)

    def purge(self, key: str) -> None:
        """It is not listed any more."""
        for kind, found in self.findings.items():
            self.findings[kind] = [each for each in found if _key(each[1]) != key]

    def found(self, key: str) -> dict[str, Any]:
        """Raises StopIteration where there is none."""
        return next(each for found in self.findings.values() for _, each in found if _key(each) == key)

    def listed(self, kind: str, project: str = "") -> list[dict[str, Any]]:
        """The findings of a product, of one project or of all; of one that is not enabled, none."""
        told = [] if kind in self.disabled else self.findings[kind]
        return [each for home, each in told if project in ("", home)]

    def _raise(self, project: str, kind: str, fields: dict[str, Any]) -> str:
        number = self._next()
        found = {
            "id": number, "match_based_id": f"match-{number:06d}_0", "severity": "high", "confidence": "medium",
            "status": "open", "state": "unresolved", "triage_state": "untriaged",
            "created_at": "2025-01-06T08:00:00Z",
            "rule": {"name": "python.lang.security.exec", "message": "Do not.", "cwe_names": ["CWE-94: Code"]},
            "location": {"file_path": "src/app.py", "line": number}, **fields,
        }  # fmt: skip
        self.findings[kind].append((project, found))
        return found["match_based_id"]

    def _next(self) -> int:
        self._number += 1
        return self._number


def _key(found: dict[str, Any]) -> str:
    return found.get("match_based_id", found["id"])
