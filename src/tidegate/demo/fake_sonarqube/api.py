"""The fake's web API: what each endpoint answers, as SonarQube's own documentation of it says.

https://github.com/BoxBoxJason/sonarqube-client-go/blob/main/assets/api.enterprise.json holds that documentation; that a
search for a component that is not there finds nothing, without an error, is in SonarQube's IssueQueryFactory.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any

from tidegate.demo.fake_sonarqube.world import RULES, Branch, World
from tidegate.demo.pages import numbered

Query = Mapping[str, str]
Answer = tuple[int, Any]


class Refused(Exception):
    """A status and the vendor's own sentence."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


def answer(world: World, path: str, query: Query) -> Answer:
    """Status and body."""
    endpoint = _ENDPOINTS.get(path)
    if endpoint is None:
        return 404, {"errors": [{"msg": f"Unknown url : {path}"}]}
    try:
        return 200, endpoint(world, query)
    except Refused as refused:
        return refused.status, {"errors": [{"msg": str(refused)}]}


def _user(world: World, query: Query) -> Any:
    del world, query
    return {"isLoggedIn": True, "login": "tidegate", "name": "Tidegate", "permissions": {"global": []}}


def _status(world: World, query: Query) -> Any:
    del world, query
    return {"id": "BF41A1F2-AZWQhLxGkYvQfHq0mFzk", "version": "2026.1.0.119033", "status": "UP"}


def _components(world: World, query: Query) -> Any:
    if query.get("qualifiers") != "TRK":
        raise Refused(400, "The 'qualifiers' parameter is missing")
    found = [
        {"key": project.key, "qualifier": "TRK", "name": project.name, "project": project.key}
        for project in world.projects.values()
        if world.sees(project.key)
    ]
    return _page(world, query, found, "components")


def _rules(world: World, query: Query) -> Any:
    types = query["types"].split(",")
    found = [_rule(key) for key, (kind, _, _) in RULES.items() if kind in types]
    return _page(world, query, found, "rules")


def _rule(key: str) -> dict[str, Any]:
    kind, name, weakness = RULES[key]
    link = f'<a href="https://cwe.mitre.org/data/definitions/{weakness[4:]}">{weakness}</a>'
    sections = [
        {"key": "root_cause", "content": f"<p>{name}.</p>"},
        {"key": "how_to_fix", "content": "<p>Do as it says.</p>"},
        {"key": "resources", "content": f"<ul><li>{link}</li></ul>"},
    ]
    return {"key": key, "name": name, "type": kind, "status": "READY", "descriptionSections": sections}


def _branches(world: World, query: Query) -> Any:
    if not world.sees(query["project"]):
        raise Refused(404, f"Project '{query['project']}' not found")
    branches = world.projects[query["project"]].branches.values()
    return {"branches": [{"name": each.name, "isMain": each.main, "type": "LONG"} for each in branches]}


def _issues(world: World, query: Query) -> Any:
    named = [query["componentKeys"]] if "componentKeys" in query else [*filter(world.sees, world.projects)]
    branches = [branch for key in named if (branch := _branch(world, key, query)) is not None]
    found = [each for branch in branches for each in branch.issues if _asked(each, query)]
    if query.get("s") == "CREATION_DATE":
        found.sort(key=lambda each: each["creationDate"], reverse=query.get("asc") == "false")
    body = _page(world, query, found, "issues")
    if query.get("facets") == "rules":
        counted = Counter(each["rule"] for each in found).most_common(100)
        body["facets"] = [{"property": "rules", "values": [{"val": rule, "count": n} for rule, n in counted]}]
    return body


def _asked(issue: Mapping[str, Any], query: Query) -> bool:
    created = datetime.fromisoformat(issue["creationDate"])
    after, before = query.get("createdAfter"), query.get("createdBefore")
    return (
        issue["type"] in query["types"].split(",")
        and not (query.get("resolved") == "false" and issue.get("resolution"))
        and (after is None or created >= datetime.fromisoformat(after))
        and (before is None or created < datetime.fromisoformat(before))
        and ("rules" not in query or issue["rule"] in query["rules"].split(","))
        and ("severities" not in query or issue["severity"] in query["severities"].split(","))
    )


def _hotspots(world: World, query: Query) -> Any:
    branch = _branch(world, query["projectKey"], query)
    if branch is None:
        raise Refused(404, f"Project '{query['projectKey']}' not found")
    if not world.hotspots_allowed:
        raise Refused(403, "Insufficient privileges")
    found = [
        each
        for each in branch.hotspots
        if each["status"] == query.get("status", each["status"])
        and each["securityCategory"] == query.get("sonarsourceSecurity", each["securityCategory"])
    ]
    return _page(world, query, found, "hotspots")


def _sca_enabled(world: World, query: Query) -> Any:
    del query
    return {"enabled": world.risks_enabled}


def _risks(world: World, query: Query) -> Any:
    branch = _branch(world, query["projectKey"], {"branch": query.get("branchKey", "")})
    if branch is None:
        raise Refused(404, "The component is not found")
    number, size = int(query.get("pageIndex", 1)), int(query.get("pageSize", 50))
    found = numbered(branch.risks, number, size)
    page = {"pageIndex": number, "pageSize": size, "total": len(branch.risks)}
    return {"issuesReleases": found, "branches": [], "countWithoutFilters": len(branch.risks), "page": page}


def _branch(world: World, key: str, query: Query) -> Branch | None:
    """What a search finds: nothing for a project or a branch that is not there, or not for this user."""
    if not world.sees(key):
        return None
    name = query.get("branch") or None
    return world.branch(key, name) if name is None or name in world.projects[key].branches else None


def _page(world: World, query: Query, found: Iterable[dict[str, Any]], name: str) -> dict[str, Any]:
    rows = [*found]
    number, size = int(query.get("p", 1)), int(query.get("ps", 100))
    if size > 500:
        raise Refused(400, f"Parameter 'ps' ({size}) must be less than 500")
    if number * size > world.window:
        raise Refused(400, f"Can return only the first {world.window} results. {number * size}th result asked.")
    total = min(len(rows), world.window) if world.caps_totals else len(rows)
    paging = {"pageIndex": number, "pageSize": size, "total": total}
    return {"paging": paging, name: numbered(rows, number, size)}


_ENDPOINTS: Mapping[str, Callable[[World, Query], Any]] = {
    "/api/users/current": _user,
    "/api/system/status": _status,
    "/api/components/search": _components,
    "/api/rules/search": _rules,
    "/api/project_branches/list": _branches,
    "/api/issues/search": _issues,
    "/api/hotspots/search": _hotspots,
    "/api/v2/sca/feature-enabled": _sca_enabled,
    "/api/v2/sca/issues-releases": _risks,
}
