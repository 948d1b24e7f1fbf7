"""The fake Semgrep over HTTP on loopback: what each endpoint of its API answers, as Semgrep's own description says.

https://semgrep.dev/api/v1/docs/ is that description; how pages are cut: semgrep.dev/docs/kb/integrations/pagination.
"""

from typing import Any
from urllib.parse import unquote

from tidegate.demo.fake import Fake, Question
from tidegate.demo.fake_semgrep.world import World
from tidegate.demo.faults import Shape
from tidegate.demo.pages import CursorUnknown, following, numbered
from tidegate.demo.wire import Answer, Request, as_json

TOKEN = "5e0dead0face0000000000000000000000000000000000000000000000000001"  # noqa: S105 - a fake's, known to everybody
SLUG, NUMBER = "demo", "20169"
SHAPES = {
    "projects": Shape("projects", "id", text="name", start="page", page="page_size", first=0),
    "sast": Shape("findings", "match_based_id", word="severity", text="rule.message", date="created_at",
                  start="page", page="page_size", first=0),
    "sca": Shape("findings", "match_based_id", word="severity", text="rule.message", date="created_at",
                 start="page", page="page_size", first=0),
    "secrets": Shape("findings", "id", word="severity", text="findingPath", date="createdAt", start="cursor",
                     page="limit", first=None),
}  # fmt: skip


class FakeSemgrep(Fake[World]):
    """`with FakeSemgrep() as semgrep: semgrep.url, semgrep.token, semgrep.world`."""

    shapes = SHAPES

    def __init__(self, token: str = TOKEN, *, port: int = 0) -> None:
        self.token = token
        super().__init__(World(), port=port)

    def ask(self, request: Request) -> Question | Answer:
        if request.header("Authorization") != f"Bearer {self.token}":
            return as_json({"error": "Unauthorized"}, 401)
        words = [unquote(word) for word in request.path.strip("/").split("/")]
        if words[:3] != ["api", "v1", "deployments"]:
            return as_json({"error": "Not Found"}, 404)
        query = request.query
        listed = words[4] if len(words) == 5 else ""
        listed = query.get("issue_type", "sast") if listed == "findings" else listed
        about = query.get("repository_ids", query.get("repo", ""))
        return Question(request, listed, about, query, request.path, words[3:])

    def answer(self, question: Question) -> Answer:
        match question.what:
            case []:
                return as_json({"deployments": [{"id": int(NUMBER), "slug": SLUG, "name": "Demo"}]})
            case [place, "projects"] if place == SLUG:
                return _numbered(question, "projects", [*self.world.projects.values()], 1)
            case [place, "projects", name] if place == SLUG:
                found = next((each for each in self.world.projects.values() if each["name"] == name), None)
                return as_json({"error": "Not Found"}, 404) if found is None else as_json({"project": found})
            case [place, "findings"] if place == SLUG:
                kind, project = question.list, question.request.query.get("repository_ids", "")
                return _numbered(question, "findings", self.world.listed(kind, project), 100)
            case [place, "secrets"] if place == NUMBER:
                return self._secrets(question)
        return as_json({"error": "Not Found"}, 404)

    def _secrets(self, question: Question) -> Answer:
        query = question.variables
        names = {each["name"]: project for project, each in self.world.projects.items()}
        home = names.get(str(query["repo"]), "nobody's") if "repo" in query else ""
        rows = self.world.listed("secrets", home)
        try:
            found, cursor = following(rows, str(query.get("cursor", "")), int(query.get("limit", 100)))
        except CursorUnknown:
            return as_json({"error": "The cursor is not valid."}, 400)
        return as_json({"findings": found, "cursor": cursor or ""})


def _numbered(question: Question, name: str, rows: list[dict[str, Any]], least: int) -> Answer:
    number, size = int(question.variables.get("page", 0)), int(question.variables.get("page_size", 100))
    if not least <= size <= 3000:
        return as_json({"error": "page_size must be from 100 to 3000."}, 400)
    return as_json({name: numbered(rows, number, size, first=0)})
