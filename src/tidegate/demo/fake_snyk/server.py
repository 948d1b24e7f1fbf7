"""The fake Snyk over HTTP on loopback: what each endpoint of its REST API answers, as Snyk's own description says.

https://github.com/snyk/user-docs/blob/main/docs/.gitbook/assets/rest-spec.json holds it; real answers, with
links that are relative to the host, are among DefectDojo's samples (unittests/scans/snyk_issue_api).
"""

import re
from typing import Any
from urllib.parse import urlencode

from tidegate.demo.fake import Fake, Question
from tidegate.demo.fake_snyk.world import Organization, World
from tidegate.demo.faults import Shape
from tidegate.demo.pages import CursorUnknown, following
from tidegate.demo.wire import Answer, Request, as_json

TOKEN = "00000000-dead-4ace-8bad-000000000001"  # noqa: S105 - a fake's token, known to everybody
DATED = re.compile(r"\d{4}-\d\d-\d\d(?:~(?:experimental|beta))?")
SHAPES = {
    "organizations": Shape("data", "id", text="attributes.name", start="starting_after", page="limit", first=None),
    "projects": Shape("data", "id", text="attributes.name", start="starting_after", page="limit", first=None),
    "issues": Shape("data", "attributes.key", word="attributes.effective_severity_level", text="attributes.title",
                    date="attributes.created_at", start="starting_after", page="limit", first=None),
}  # fmt: skip
_LISTS = {"orgs": "organizations", "projects": "projects", "issues": "issues"}


class FakeSnyk(Fake[World]):
    """`with FakeSnyk() as snyk: snyk.url, snyk.token, snyk.world, snyk.control.strike("500", "issues")`."""

    shapes = SHAPES

    def __init__(self, token: str = TOKEN, *, port: int = 0) -> None:
        self.token = token
        super().__init__(World(), port=port)

    def ask(self, request: Request) -> Question | Answer:
        """A question of the REST API. A token of another region, or of nobody, is 401; without a version all is 400."""
        if request.header("Authorization") != f"token {self.token}":
            return _refused(401, "Unauthorized")
        if not DATED.fullmatch(request.query.get("version", "")):
            return _refused(400, "The version query parameter is required and must be a date.")
        words = request.path.strip("/").split("/")
        if words[:1] != ["rest"]:
            return _refused(404, "Not Found")
        place = "/".join(words[1:] if len(words) == 2 else words[3:])
        about = words[2] if len(words) > 2 else ""
        return Question(request, _LISTS.get(place, ""), about, request.query, request.path, words[1:])

    def answer(self, question: Question) -> Answer:
        match question.what:
            case ["self"]:
                attributes = {"name": "tidegate", "default_org_context": None}
                return _one({"id": "55a348e2-c3ad-4bbc-b40e-9b232d1f4121", "type": "service_account"}, attributes)
            case ["orgs"]:
                there = [each for each in self.world.organizations.values() if self.world.sees(each)]
                return self._page(question, [_organization(each) for each in there])
            case ["orgs", organization, *rest]:
                found = self.world.organizations.get(organization)
                if found is not None and self.world.sees(found):
                    return self._of(question, found, rest)
        return _refused(404, "Not Found")

    def _of(self, question: Question, organization: Organization, rest: list[str]) -> Answer:
        match rest:
            case ["projects"]:
                counted = question.variables.get("meta.latest_issue_counts") == "true"
                rows = [self.world.counted(each) if counted else each for each in organization.projects.values()]
                return self._page(question, rows)
            case ["projects", project] if project in organization.projects:
                return as_json({"jsonapi": {"version": "1.0"}, "data": organization.projects[project], "links": {}})
            case ["settings", "sast"]:
                attributes = {"sast_enabled": organization.code_enabled, "autofix_enabled": False}
                return _one({"id": organization.id, "type": "sast_settings"}, attributes)
            case ["issues"] if not organization.issues_allowed:
                return _refused(403, "Permission denied for this resource")
            case ["issues"]:
                return self._page(question, self.world.listed(organization))
        return _refused(404, "Not Found")

    def _page(self, question: Question, rows: list[dict[str, Any]]) -> Answer:
        query = {name: str(value) for name, value in question.variables.items()}
        told = query.get("limit", "10")
        if not told.isdecimal() or int(told) % 10 or not 10 <= int(told) <= 100:
            return _refused(400, "limit must be a multiple of 10, from 10 to 100.")
        try:
            found, cursor = following(rows, query.get("starting_after"), min(int(told), self.world.page))
        except CursorUnknown:
            return _refused(400, "The cursor is not valid.")
        path = question.request.path
        links = {"self": f"{path}?{urlencode(query)}"}
        if cursor:
            links["next"] = f"{path}?{urlencode({**query, 'starting_after': cursor})}"
        return as_json({"jsonapi": {"version": "1.0"}, "data": found, "links": links})


def _organization(organization: Organization) -> dict[str, Any]:
    attributes = {"name": organization.slug.title(), "slug": organization.slug, "is_personal": False}
    return {"id": organization.id, "type": "org", "attributes": attributes}


def _one(named: dict[str, str], attributes: dict[str, Any]) -> Answer:
    return as_json({"jsonapi": {"version": "1.0"}, "data": {**named, "attributes": attributes}, "links": {}})


def _refused(status: int, said: str) -> Answer:
    return as_json({"jsonapi": {"version": "1.0"}, "errors": [{"status": str(status), "detail": said}]}, status)
