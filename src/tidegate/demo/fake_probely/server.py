"""The fake Probely over HTTP on loopback; tests change its world in Python, or let faults strike its lists."""

from collections.abc import Mapping
from typing import Any

from tidegate.demo.fake import Fake, Question
from tidegate.demo.fake_probely.world import World
from tidegate.demo.faults import Shape
from tidegate.demo.pages import numbered
from tidegate.demo.wire import Answer, Request, as_json

API_KEY = "eyJhbGciOiJIUzI1NiJ9.eyJqdGkiOiJmYWtlIn0.demo0fake0key0of0nobody00000000000001"
_NUMBERED = {"total": "count", "start": "page", "page": "length", "first": 1}
SHAPES = {
    "targets": Shape("results", "id", text="name", **_NUMBERED),
    "findings": Shape("results", "id", word="severity", text="definition.name", date="last_found", **_NUMBERED),
}
LARGEST = 50
"""A larger page is lowered to this."""


class FakeProbely(Fake[World]):
    """`with FakeProbely() as probely: probely.url, probely.world, probely.control.strike("500", "findings")`."""

    shapes = SHAPES

    def __init__(self, api_key: str = API_KEY, *, port: int = 0) -> None:
        self.api_key = api_key
        super().__init__(World(), port=port)

    def ask(self, request: Request) -> Question | Answer:
        if request.header("Authorization") != f"JWT {self.api_key}":
            return as_json({"detail": "Authentication credentials were not provided."}, 401)
        name = request.path.strip("/")
        return Question(request, name if name in SHAPES else "", variables=request.query, name=name)

    def answer(self, question: Question) -> Answer:
        match question.name:
            case "profile":
                return as_json({"id": "jMXUw-BE_2vd", "email": "tidegate@acme.example", "name": "Tidegate"})
            case "targets":
                there = [_target(key, name) for key, name in self.world.targets.items() if self.world.sees(key)]
                return _page(there, question.variables)
            case "findings" if self.world.may_see_findings:
                states = {value for name, value in question.request.queries if name == "state"} or {"notfixed"}
                return _page(self._findings(states), question.variables)
            case "findings":
                return as_json({"detail": "You do not have permission to perform this action."}, 403)
            case _:
                return as_json({"detail": "Not found."}, 404)

    def _findings(self, states: set[str]) -> list[dict[str, Any]]:
        return [
            {**found, "target": _target(target, self.world.targets[target])}
            for (target, _), found in self.world.findings.items()
            if self.world.sees(target) and found["state"] in states
        ]


def _target(key: str, name: str) -> dict[str, Any]:
    """As in every list: with the login that a scan uses."""
    site = {
        "url": f"https://{key.lower()}.example.com/",
        "basic_auth": {"username": "scanner", "password": "hidden-away"},
    }
    return {"id": key, "name": name, "type": "single", "site": site}


def _page(there: list[dict[str, Any]], query: Mapping[str, Any]) -> Answer:
    number, size = int(query.get("page", 1)), min(int(query.get("length", 10)), LARGEST)
    rows = numbered(there, number, size)
    total = -(-len(there) // size)
    return as_json({"count": len(there), "page_total": total, "page": number, "length": size, "results": rows})
