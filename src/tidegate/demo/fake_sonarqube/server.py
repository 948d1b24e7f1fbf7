"""The fake SonarQube over HTTP on loopback; tests change its world in Python, or let faults strike its lists."""

from tidegate.demo.fake import Fake, Question
from tidegate.demo.fake_sonarqube import api
from tidegate.demo.fake_sonarqube.world import World
from tidegate.demo.faults import Shape
from tidegate.demo.wire import Answer, Request, as_json

TOKEN = "squ_demo0fake0token0of0nobody0000000000000001"  # noqa: S105 - a fake's token, known to everybody
_NUMBERED = {"total": "paging.total", "start": "p", "page": "ps", "first": 1}
SHAPES = {
    "projects": Shape("components", "key", text="name", **_NUMBERED),
    "rules": Shape("rules", "key", text="name", **_NUMBERED),
    "branches": Shape("branches", "name", text="name"),
    "vulnerabilities": Shape("issues", "key", word="severity", text="message", date="creationDate", **_NUMBERED),
    "hotspots": Shape("hotspots", "key", word="vulnerabilityProbability", text="message", date="creationDate",
                      **_NUMBERED),
    "dependency risks": Shape("issuesReleases", "key", "page.total", "severity", "vulnerabilityId", "createdAt",
                              start="pageIndex", page="pageSize", first=1),
}  # fmt: skip
_LISTS = {
    "/api/components/search": "projects",
    "/api/rules/search": "rules",
    "/api/project_branches/list": "branches",
    "/api/issues/search": "vulnerabilities",
    "/api/hotspots/search": "hotspots",
    "/api/v2/sca/issues-releases": "dependency risks",
}


class FakeSonarQube(Fake[World]):
    """`with FakeSonarQube() as sonar: sonar.url, sonar.token, sonar.world, sonar.control.strike("500", "hotspots")`."""

    shapes = SHAPES

    def __init__(self, token: str = TOKEN, *, port: int = 0) -> None:
        self.token = token
        super().__init__(World(), port=port)

    def ask(self, request: Request) -> Question | Answer:
        """A question of the web API; a search for one row asks how many there are, and lists nothing."""
        if request.header("Authorization") != f"Bearer {self.token}":
            return Answer(401, {"Content-Type": "application/json"})
        query = request.query
        project = next((query[name] for name in ("componentKeys", "projectKey", "project") if name in query), "")
        listed = "" if query.get("ps") == "1" else _LISTS.get(request.path, "")
        return Question(request, listed, project, query, request.path)

    def answer(self, question: Question) -> Answer:
        status, body = api.answer(self.world, question.request.path, question.variables)
        return as_json(body, status)
