"""The fake Checkmarx One over HTTP on loopback: API and logins on one port; tests change its world in Python.

https://docs.checkmarx.com/en/34965-68774-checkmarx-one-authentication-api.html and the pages beside it describe both.
"""

import json
from base64 import urlsafe_b64encode
from typing import Any

from tidegate.demo.fake import Fake, Question
from tidegate.demo.fake_checkmarx.world import World
from tidegate.demo.faults import Shape
from tidegate.demo.pages import placed
from tidegate.demo.wire import Answer, Request, as_json

TENANT = "demo"
API_KEY = "fake0checkmarx0key0of0nobody000000000000000000001"
LARGEST = 100
"""A larger page of results is lowered to this."""
_PLACED: dict[str, Any] = {"start": "offset", "page": "limit", "first": 0}
SHAPES = {
    "projects": Shape("projects", "id", "filteredTotalCount", text="name", **_PLACED),
    "results": Shape("results", "id", "totalCount", "severity", "description", "firstFoundAt", **_PLACED),
}


class FakeCheckmarx(Fake[World]):
    """`with FakeCheckmarx() as checkmarx: checkmarx.url, checkmarx.key, checkmarx.world`.

    Tokens are numbered, and only the newest is good: `world.tokens += 1` lets the one in use expire.
    """

    shapes = SHAPES

    def __init__(self, key: str = API_KEY, *, port: int = 0) -> None:
        self.key = key
        super().__init__(World(), port=port)

    def ask(self, request: Request) -> Question | Answer:
        if request.path == f"/auth/realms/{TENANT}/protocol/openid-connect/token":
            return Question(request, name="token")
        if not request.path.startswith("/api/"):
            return as_json({"error": "Realm does not exist"}, 404)
        if request.header("Authorization") != f"Bearer {_token(self.world.tokens)}":
            return as_json({"message": "token is expired", "code": 401}, 401)
        name = request.path.removeprefix("/api/")
        project = request.query.get("project-id", "") or self._project_of(request.query.get("scan-id", ""))
        return Question(request, name if name in SHAPES else "", project, request.query, name)

    def answer(self, question: Question) -> Answer:
        query, world, project = question.variables, self.world, question.about
        match question.name:
            case "token":
                return self._exchange(question.request.form)
            case "projects":
                there = [each for key, each in world.projects.items() if world.sees(key)]
                return _page("projects", there, query, filteredTotalCount=len(there))
            case "projects/branches" if world.sees(project):
                names = world.branches(project)
                return as_json(placed(names, int(query["offset"]), int(query["limit"])))
            case "scans" if world.sees(project):
                named = query.get("branches")
                mine = [scan for scan in reversed(world.scans) if scan["projectId"] == project]
                return _page("scans", [scan for scan in mine if named in (None, scan["branch"])], query)
            case "results" if query["scan-id"] in world.results and world.sees(project):
                return _page("results", world.results[query["scan-id"]], query, scanID=query["scan-id"])
        return as_json({"message": "Not found", "code": 404}, 404)

    def _exchange(self, form: dict[str, str]) -> Answer:
        if form.get("grant_type") != "refresh_token" or form.get("client_id") != "ast-app":
            return as_json({"error": "unauthorized_client"}, 400)
        if form.get("refresh_token") != self.key:
            return as_json({"error": "invalid_grant", "error_description": "Invalid refresh token"}, 400)
        self.world.tokens += 1
        token = _token(self.world.tokens)
        return as_json({"access_token": token, "expires_in": 1800, "refresh_token": self.key, "token_type": "Bearer"})

    def _project_of(self, scan: str) -> str:
        return next((each["projectId"] for each in self.world.scans if each["id"] == scan), "")


def _page(name: str, there: list[dict[str, Any]], query: Any, **more: Any) -> Answer:
    rows = placed(there, int(query.get("offset", 0)), min(int(query.get("limit", 20)), LARGEST))
    return as_json({name: rows, "totalCount": len(there), **more})


def _token(number: int) -> str:
    claims = urlsafe_b64encode(json.dumps({"exp": 4_102_444_800, "number": number}).encode()).decode().rstrip("=")
    return f"e30.{claims}.fake0signature"
