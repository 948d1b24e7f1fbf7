"""What the fake Snyk knows: organizations, their projects, and what was found there; and the verbs that change it.

Projects and issues are kept as the REST API shows them. Times are fixed, so that a run is the same each time.
"""

import threading
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

FIRST = datetime(2025, 1, 6, 8, tzinfo=UTC)


@dataclass(slots=True)
class Organization:
    """One organization: what it is called, its projects and their issues, by id and by key."""

    id: str
    slug: str
    code_enabled: bool = True
    issues_allowed: bool = True
    projects: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])
    issues: dict[str, dict[str, Any]] = field(default_factory=dict[str, dict[str, Any]])


class World:
    """A region of Snyk, as the token sees it. `page`: the most that a page holds."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.organizations: dict[str, Organization] = {}
        self.visible: set[str] | None = None
        self.page = 100
        self._number = 0

    def add_organization(self, slug: str) -> str:
        """An organization; gives its id."""
        made = f"00000000-0000-4000-8000-{len(self.organizations):012d}"
        self.organizations[made] = Organization(made, slug)
        return made

    def add_project(self, slug: str, name: str, type: str = "npm") -> str:
        """A project of the organization with that slug; gives its id."""
        organization, number = self.organization(slug), self._next()
        made = f"10000000-0000-4000-8000-{number:012d}"
        target = {"id": f"20000000-0000-4000-8000-{number:012d}", "type": "target"}
        organization.projects[made] = {
            "id": made,
            "type": "project",
            "attributes": {
                "name": name, "type": type, "target_file": "package.json", "target_reference": "main",
                "origin": "github", "created": _time(number), "status": "active", "read_only": False, "tags": [],
                "settings": {},
            },
            "relationships": {
                "organization": {"data": {"id": organization.id, "type": "org"}},
                "target": {"data": {**target, "attributes": {"display_name": name.partition(":")[0]}}},
            },
        }  # fmt: skip
        return made

    def delete_project(self, project: str) -> None:
        """It is gone with all that was found in it."""
        organization = self._home(project)
        del organization.projects[project]
        kept = {key: each for key, each in organization.issues.items() if _project_of(each) != project}
        organization.issues = kept

    def rename_project(self, project: str, name: str) -> None:
        self._home(project).projects[project]["attributes"]["name"] = name

    def deactivate(self, project: str) -> None:
        """It is tested no more, and what was found in it is listed nowhere."""
        self._home(project).projects[project]["attributes"]["status"] = "inactive"

    def activate(self, project: str) -> None:
        self._home(project).projects[project]["attributes"]["status"] = "active"

    def allow_code(self, slug: str, *, allowed: bool) -> None:
        """Snyk Code is switched on or off for an organization; switched off, its issues are listed nowhere."""
        self.organization(slug).code_enabled = allowed

    def allow_issues(self, slug: str, *, allowed: bool) -> None:
        """The token's role may view the history of projects there, or not."""
        self.organization(slug).issues_allowed = allowed

    def show_only(self, *slugs: str) -> None:
        """The token sees these organizations and no other."""
        self.visible = set(slugs)

    def raise_issues(self, project: str, count: int = 1, **attributes: Any) -> list[str]:
        """So many new issues of packages, one a minute; gives their keys."""
        return [self._raise(project, attributes) for _ in range(count)]

    def change_issue(self, key: str, **attributes: Any) -> None:
        found = self.found(key)
        found.update(attributes)
        found["updated_at"] = "2025-09-01T08:00:00Z"

    def resolve(self, key: str) -> None:
        """The next test does not find it."""
        how = {"type": "fixed", "resolved_at": "2025-09-01T08:00:00Z"}
        self.change_issue(key, status="resolved", resolution=how)

    def purge(self, key: str) -> None:
        """It is not listed any more."""
        for organization in self.organizations.values():
            organization.issues.pop(key, None)

    def found(self, key: str) -> dict[str, Any]:
        """The attributes of the issue of that key. Raises KeyError."""
        for organization in self.organizations.values():
            if key in organization.issues:
                return organization.issues[key]["attributes"]
        raise KeyError(key)

    def organization(self, slug: str) -> Organization:
        """Raises StopIteration where there is none."""
        return next(each for each in self.organizations.values() if each.slug == slug)

    def sees(self, organization: Organization) -> bool:
        return self.visible is None or organization.slug in self.visible

    def listed(self, organization: Organization) -> list[dict[str, Any]]:
        """The issues that the API lists of an organization."""
        return [each for each in organization.issues.values() if self._is_listed(organization, each)]

    def counted(self, project: dict[str, Any]) -> dict[str, Any]:
        """The project with how many issues its latest test found, by severity."""
        there = self.listed(self._home(project["id"]))
        found = [each["attributes"] for each in there if _project_of(each) == project["id"]]
        words = [each["effective_severity_level"] for each in found if each["status"] == "open"]
        counts = {word: words.count(word) for word in ("critical", "high", "medium", "low")}
        return {**project, "meta": {"latest_issue_counts": {**counts, "updated_at": "2025-09-01T08:00:00.000Z"}}}

    def _is_listed(self, organization: Organization, issue: dict[str, Any]) -> bool:
        project = organization.projects[_project_of(issue)]["attributes"]
        return project["status"] == "active" and (organization.code_enabled or project["type"] != "sast")

    def _raise(self, project: str, attributes: dict[str, Any]) -> str:
        number, organization = self._next(), self._home(project)
        key, package = f"SNYK-JS-PACKAGE{number}-{number:07d}", f"package-{number}"
        dependency = {"package_name": package, "package_version": "1.0.0"}
        organization.issues[key] = {
            "id": f"30000000-0000-4000-8000-{number:012d}",
            "type": "issue",
            "attributes": {
                "key": key, "title": "Prototype Pollution", "type": "package_vulnerability",
                "effective_severity_level": "high", "status": "open", "ignored": False,
                "created_at": _time(number), "updated_at": _time(number),
                "classes": [{"id": "CWE-1321", "source": "CWE", "type": "weakness"}],
                "problems": [{"id": key, "source": "SNYK", "type": "vulnerability"}],
                "coordinates": [{"is_upgradeable": True, "representations": [{"dependency": dependency}]}],
                **attributes,
            },
            "relationships": {
                "organization": {"data": {"id": organization.id, "type": "organization"}},
                "scan_item": {"data": {"id": project, "type": "project"}},
            },
        }  # fmt: skip
        return key

    def _home(self, project: str) -> Organization:
        return next(each for each in self.organizations.values() if project in each.projects)

    def _next(self) -> int:
        self._number += 1
        return self._number


def _project_of(issue: dict[str, Any]) -> str:
    return issue["relationships"]["scan_item"]["data"]["id"]


def _time(number: int) -> str:
    return (FIRST + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
