"""The fake Dependency-Track over HTTP on loopback: what each endpoint answers, as the vendor's own source says.

https://github.com/DependencyTrack/dependency-track: FindingResource, ProjectResource, TeamResource, and Pagination for
pages that are asked for by number or not at all. Refusals are plain text there.
"""

from collections.abc import Callable, Mapping
from typing import Any

from tidegate.demo.fake import Fake, Question
from tidegate.demo.fake_dependency_track.world import World
from tidegate.demo.faults import Shape
from tidegate.demo.pages import numbered
from tidegate.demo.wire import BODY, HEADER, Answer, Request, as_json

KEY = "odt_demo0fake0key0of0nobody00000000000000000001"
TEAM = "d7acc000-1111-4000-8000-000000000001"
TOTAL = "X-Total-Count"
_NUMBERED = {"total": HEADER + TOTAL, "start": "pageNumber", "page": "pageSize", "first": 1}
SHAPES = {
    "projects": Shape(BODY, "uuid", text="name", **_NUMBERED),
    "vulnerabilities": Shape(BODY, "matrix", word="vulnerability.severity", text="vulnerability.description",
                             date="attribution.attributedOn", **_NUMBERED),
}  # fmt: skip
_FINDINGS = "/api/v1/finding/project/"


class FakeDependencyTrack(Fake[World]):
    """`with FakeDependencyTrack() as track: track.url, track.key, track.world, track.control.strike("500")`."""

    shapes = SHAPES

    def __init__(self, key: str = KEY, *, port: int = 0) -> None:
        self.key = key
        super().__init__(World(), port=port)

    def ask(self, request: Request) -> Question | Answer:
        """A question of the API; only the version is told to everybody."""
        if request.path != "/api/version" and request.header("X-Api-Key") != self.key:
            return _plain(401, "")
        if request.path.startswith(_FINDINGS):
            return Question(request, "vulnerabilities", request.path.removeprefix(_FINDINGS), request.query, "findings")
        listed = "projects" if request.path == "/api/v1/project" else ""
        return Question(request, listed, "", request.query, request.path)

    def answer(self, question: Question) -> Answer:
        endpoint = _ENDPOINTS.get(question.name)
        return _plain(404, "") if endpoint is None else endpoint(self.world, question)


def _version(world: World, question: Question) -> Answer:
    del question
    return as_json({"application": "Dependency-Track", "version": world.version, "framework": {"name": "Alpine"}})


def _team(world: World, question: Question) -> Answer:
    del question
    permissions = [{"name": name, "description": name} for name in sorted(world.permissions)]
    return as_json({"uuid": TEAM, "name": "Tidegate", "permissions": permissions})


def _projects(world: World, question: Question) -> Answer:
    if "VIEW_PORTFOLIO" not in world.permissions:
        return _plain(403, "")
    return _page([project for key, project in world.projects.items() if world.sees(key)], question.variables)


def _findings(world: World, question: Question) -> Answer:
    if "VIEW_VULNERABILITY" not in world.permissions:
        return _plain(403, "")
    if question.about not in world.projects:
        return _plain(404, "The project could not be found.")
    if not world.sees(question.about):
        return _plain(403, "Access to the specified project is forbidden")
    asked, found = question.variables, world.findings[question.about]
    if asked.get("suppressed") != "true":
        found = [each for each in found if not each["analysis"]["isSuppressed"]]
    return _page(found, asked if world.cuts_findings else {"pageNumber": 1, "pageSize": len(found)})


def _page(rows: list[dict[str, Any]], asked: Mapping[str, Any]) -> Answer:
    """100 rows where nobody says how many."""
    found = numbered(rows, int(asked.get("pageNumber", 1)), int(asked.get("pageSize", 100)))
    return as_json(found, X_Total_Count=str(len(rows)))


def _plain(status: int, said: str) -> Answer:
    return Answer(status, {"Content-Type": "text/plain"}, said.encode())


_ENDPOINTS: Mapping[str, Callable[[World, Question], Answer]] = {
    "/api/version": _version,
    "/api/v1/team/self": _team,
    "/api/v1/project": _projects,
    "findings": _findings,
}
