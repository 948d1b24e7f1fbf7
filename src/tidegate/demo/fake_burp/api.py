"""The fake's GraphQL: queries are parsed and checked against the vendor's schema, and answered from the World."""

import json
from collections.abc import Mapping
from functools import lru_cache
from importlib.resources import files
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    parse,
    validate,
)

from tidegate.demo.fake_burp.bulk import BulkAnswer, BulkIssues, bulk, samples
from tidegate.demo.fake_burp.issue import Issue
from tidegate.demo.fake_burp.world import BEGIN, Scan, World

SCHEMA = build_schema((files("tidegate.demo.fake_burp") / "schema.graphql").read_text(encoding="utf-8"))


class Question:
    """A parsed query: its name, what it asks for at the top, and its variables."""

    def __init__(self, document: DocumentNode, variables: Mapping[str, Any]) -> None:
        self.document, self.variables = document, variables
        self.operation = next(part for part in document.definitions if isinstance(part, OperationDefinitionNode))
        self.name = self.operation.name.value if self.operation.name else ""

    @property
    def root(self) -> str:
        """ "issues", "scans", "sites", "folders" or another field: the list this is about, for faults to aim at."""
        paths = [path for path in _paths(self.operation.selection_set.selections) if path in _ROOTS]
        return _ROOTS[paths[0]] if len(paths) == 1 else ""


_ROOTS = {"scan.issues": "issues", "scans": "scans", "site_tree.sites": "sites", "site_tree.folders": "folders"}


def ask(payload: Any) -> Question | list[dict[str, Any]]:
    """The question in the body of a request, or the errors Burp would answer."""
    if not isinstance(payload, dict) or not isinstance(payload.get("query"), str):
        return [{"message": "The request has no query."}]
    try:
        document, errors = _checked(payload["query"])
    except GraphQLError as error:
        return [{"message": error.message}]
    if errors:
        return [dict(error.formatted) for error in errors]
    question = Question(document, payload.get("variables") or {})
    return question if question.name else [{"message": "Operations must have a name."}]


def answer(world: World, question: Question, variables: Mapping[str, Any]) -> bytes:
    """The body of the answer."""
    with world.lock:
        scan = world.scans.get(str(variables.get("scan")))
        bulk_is_asked = question.root == "issues" and scan is not None and isinstance(scan.issues, BulkIssues)
        if bulk_is_asked and scan is not None and world.sees(scan.site):
            return _bulk_page(world, question, scan, variables)
        return json.dumps(_executed(world, question, variables)).encode()


def _executed(world: World, question: Question, variables: Mapping[str, Any]) -> dict[str, Any]:
    done = execute_sync(SCHEMA, question.document, _root(world), variable_values=dict(variables))
    return {"data": done.data, **({"errors": [error.formatted for error in done.errors]} if done.errors else {})}


def _bulk_page(world: World, question: Question, scan: Scan, variables: Mapping[str, Any]) -> bytes:
    """The query is executed once a scan, on one issue of each severity; 100,000 by graphql-core take half a minute."""
    key = (id(question.document), scan.id)
    if key not in world.bulk_answers:
        world.bulk_answers[key] = BulkAnswer.around(_executed(world, question, {**variables, "start": 0, "count": 4}))
    return world.bulk_answers[key].page(bulk(scan.issues), int(variables["start"]), int(variables["count"]))


@lru_cache(64)
def _checked(query: str) -> tuple[DocumentNode, list[GraphQLError]]:
    document = parse(query)
    return document, validate(SCHEMA, document)


def _paths(selections: Any, above: str = "") -> list[str]:
    found: list[str] = []
    for field in selections:
        if isinstance(field, FieldNode):
            path = f"{above}{field.name.value}"
            found += [path, *(_paths(field.selection_set.selections, f"{path}.") if field.selection_set else [])]
    return found


def _root(world: World) -> dict[str, Any]:
    def scans(info: object, **asked: Any) -> list[dict[str, Any]]:
        del info
        return [_scan(world, scan) for scan in _listed(world, asked)]

    def scan(info: object, id: str) -> dict[str, Any] | None:
        del info
        found = world.scans.get(id)
        return _scan(world, found) if found and world.sees(found.site) else None

    def site_tree(info: object) -> dict[str, Any]:
        del info
        sites = [_site(world, site) for site in world.sites if world.sees(site)]
        folders = [{"id": f.id, "name": f.name, "parent_id": f.parent} for f in world.folders.values()]
        return {"sites": sites, "folders": folders, "cids_sites": []}

    def issue(info: object, scan_id: str, serial_number: str) -> dict[str, Any] | None:
        del info
        found = world.scans.get(scan_id)
        shown = [each.shown(scan_id) for each in found.issues] if found and isinstance(found.issues, list) else []
        return next((each for each in shown if each["serial_number"] == serial_number), None)

    return {
        "scans": scans,
        "scan": scan,
        "site_tree": site_tree,
        "site": lambda info, id: _site(world, id) if world.sees(id) else None,
        "folder": lambda info, id: None,
        "issue": issue,
    }


def _site(world: World, id: str) -> dict[str, Any]:
    site = world.sites[id]
    scope = {"start_urls": [f"{site.origin}/"], "in_scope_url_prefixes": [], "out_of_scope_url_prefixes": []}
    return {"id": id, "name": site.name, "parent_id": site.parent, "ephemeral": site.ephemeral, "scope_v2": scope}


def _listed(world: World, asked: Mapping[str, Any]) -> list[Scan]:
    found = [scan for scan in world.scans.values() if world.sees(scan.site)]
    if asked.get("site_id") is not None:
        found = [scan for scan in found if scan.site == asked["site_id"]]
    if asked.get("scan_status"):
        found = [scan for scan in found if scan.status in asked["scan_status"]]
    column = {"end": lambda scan: scan.end or BEGIN, "id": lambda scan: int(scan.id)}.get(
        asked.get("sort_column") or "start", lambda scan: scan.start
    )
    found.sort(key=column, reverse=asked.get("sort_order") == "desc")
    offset = asked.get("offset") or 0
    return found[offset : offset + asked["limit"] if asked.get("limit") is not None else None]


def _scan(world: World, scan: Scan) -> dict[str, Any]:
    site = world.sites[scan.site]

    def issues(info: object, start: int, count: int, severities: list[str] | None = None, **asked: Any) -> list[Any]:
        del info
        if isinstance(scan.issues, BulkIssues):
            return list(samples(scan.id, site.origin))
        shown = [issue.shown(scan.id) for issue in scan.issues[max(start, 0) : max(start, 0) + max(count, 0)]]
        return [issue for issue in shown if not severities or issue["severity"] in severities]

    return {
        "id": scan.id,
        "site_id": site.id,
        "site_name": site.name,
        "status": scan.status,
        "start_time": _time(scan.start),
        "end_time": _time(scan.end) if scan.end else None,
        "issue_counts": lambda info: _counts(world, scan.issues),
        "issues": issues,
    }


def _counts(world: World, issues: list[Issue] | BulkIssues) -> dict[str, Any]:
    if isinstance(issues, BulkIssues):
        return {"total": len(issues)}
    counted = [issue for issue in issues if world.counts_marked or issue.confidence != "false_positive"]
    found: dict[str, Any] = {"total": len(counted)}
    for severity in ("high", "medium", "low", "info"):
        of = [issue for issue in counted if (issue.severity or issue.kind.severity) == severity]
        levels = {level: sum((issue.confidence or issue.kind.confidence) == level for issue in of) for level in _LEVELS}
        found[severity] = {"total": len(of), **levels}
    return found


_LEVELS = ("certain", "firm", "tentative")


def _time(moment: Any) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
