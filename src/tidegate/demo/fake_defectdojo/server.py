"""The fake DefectDojo over HTTP on loopback; tests change its world in Python, or let faults strike."""

from email.parser import BytesParser
from email.policy import HTTP
from typing import Any

from tidegate.demo.fake import Fake, Question
from tidegate.demo.fake_defectdojo import api
from tidegate.demo.fake_defectdojo.importing import import_scan
from tidegate.demo.fake_defectdojo.report import Broken, Refused
from tidegate.demo.fake_defectdojo.world import KINDS, TOKEN, Row, World
from tidegate.demo.faults import Shape
from tidegate.demo.wire import Answer, Request, as_json

PREFIX = "/api/v2/"
LARGEST_REPORT = 100 * 1024 * 1024
SHAPES = {
    kind: Shape("results", "id", total="count", text="title" if kind in ("findings", "tests") else "name",
                start="offset", page="limit", first=0)
    for kind in KINDS
}  # fmt: skip


class FakeDefectDojo(Fake[World]):
    """`with FakeDefectDojo("2.50.4") as dojo: dojo.url, dojo.token, dojo.world, dojo.control.strike("reset", times=1)`.

    A fault that breaks off an answer strikes after the work was done, as a time-out of a client does.
    """

    shapes = SHAPES

    def __init__(self, version: str = "3.2.0", *, port: int = 0) -> None:
        self.token = TOKEN
        super().__init__(World(version), port=port)

    def ask(self, request: Request) -> Question | Answer:
        """A question of the API. The order of its refusals is the real one's: path, slash, credential."""
        if not request.path.startswith(PREFIX):
            return _not_there()
        if not request.path.endswith("/"):
            return Answer(301, {"Location": f"http://{{host}}{request.path}/", "Content-Type": "text/html"})
        steps = request.path.removeprefix(PREFIX).strip("/").split("/")
        if steps == ["api-token-auth"]:
            return Question(request, name="log in")
        given = request.header("Authorization") or ""
        if not given.startswith("Token "):
            return as_json({"detail": "Authentication credentials were not provided."}, 403)
        number = self.world.tokens.get(given.removeprefix("Token "))
        if number is None:
            return as_json({"detail": "Invalid token."}, 403)
        lists = steps[0] if len(steps) == 1 and request.method == "GET" and steps[0] in KINDS else ""
        about = next((request.query[name] for name in ("test", "engagement", "product") if name in request.query), "")
        name = f"{request.method} {steps[0]}"
        return Question(request, lists, about, request.query, name, {"steps": steps, "user": number})

    def answer(self, question: Question) -> Answer:
        try:
            return self._answer(question)
        except Refused as refused:
            return as_json(refused.said, refused.status)
        except Broken:
            return as_json({"message": "Internal server error, check logs for details"}, 500)

    def _answer(self, question: Question) -> Answer:
        request = question.request
        if question.name == "log in":
            return self._log_in(request)
        steps, user = question.what["steps"], self.world.rows["users"][question.what["user"]]
        match request.method, steps:
            case "GET", ["oa3", "schema"]:
                info = {"title": "DefectDojo API v2", "version": self.world.version}
                return as_json({"openapi": "3.0.3", "info": info, "paths": {}})
            case "GET", ["user_profile"]:
                return as_json({"user": {**user}, "user_contact_info": None})
            case "POST", ["import-scan" | "reimport-scan" as which]:
                return self._import(request, user, again=which == "reimport-scan")
            case "POST", ["findings", number, "notes"]:
                return as_json(api.noted(self.world, user, number, _told(request)), 201)
            case _, [kind, *_] if kind in api.OF_IMPORTERS and not self.world.has_importers:
                return _not_there()
            case _, [kind, *rest] if kind in KINDS:
                return self._object(question, user, kind, rest)
            case _:
                return _not_there()

    def _object(self, question: Question, user: Row, kind: str, rest: list[str]) -> Answer:
        request, world = question.request, self.world
        writable = kind in api.WRITABLE
        match request.method, rest:
            case "GET", []:
                return as_json(api.listed(world, user, kind, question.variables, f"{self.url}api/v2/{kind}/"))
            case "GET", [number]:
                return as_json(api.shown(world, user, kind, number))
            case "POST", [] if writable:
                return as_json(api.created(world, user, kind, _told(request)), 201)
            case "PATCH", [number] if writable:
                return as_json(api.changed(world, user, kind, number, _told(request)))
            case "DELETE", [number] if writable:
                api.deleted(world, user, kind, number)
                return Answer(204)
            case _, [] | [_]:
                return as_json({"detail": f'Method "{request.method}" not allowed.'}, 405)
            case _:
                return _not_there()

    def _log_in(self, request: Request) -> Answer:
        told = _told(request)
        name, password = told.get("username"), told.get("password")
        if name not in self.world.passwords or self.world.passwords[str(name)] != password:
            return as_json({"non_field_errors": ["Unable to log in with provided credentials."]}, 400)
        user = next(row["id"] for row in self.world.rows["users"].values() if row["username"] == name)
        return as_json({"token": next(token for token, number in self.world.tokens.items() if number == user)})

    def _import(self, request: Request, user: Row, *, again: bool) -> Answer:
        kind = request.header("Content-Type") or ""
        if not kind.startswith("multipart/form-data"):
            return as_json({"detail": f'Unsupported media type "{kind.partition(";")[0]}" in request.'}, 415)
        form, files = _parts(kind, request.content)
        if "file" not in files:
            said = f"Uploading a Report File is required for {form.get('scan_type', '')}"
            return as_json({"non_field_errors": [said]}, 400)
        name, content = files["file"]
        if not name.lower().endswith((".json", ".txt", ".csv", ".xml", ".sarif")):
            return as_json({"file": ["File extension is not allowed."]}, 400)
        if len(content) > LARGEST_REPORT:
            return as_json({"non_field_errors": ["Report file is too large. Maximum supported size is 100 MB"]}, 400)
        return as_json(import_scan(self.world, user, form, content, again=again), 201)


def _parts(kind: str, content: bytes) -> tuple[dict[str, str], dict[str, tuple[str, bytes]]]:
    """The fields of a form, and its files by field: a name and the bytes."""
    form: dict[str, str] = {}
    files: dict[str, tuple[str, bytes]] = {}
    message = BytesParser(policy=HTTP).parsebytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + content)
    for part in message.iter_parts():
        name = str(part.get_param("name", "", "content-disposition"))
        body = part.get_payload(decode=True)
        told = body if isinstance(body, bytes) else b""
        if (filename := part.get_filename()) is not None:
            files[name] = (filename, told)
        else:
            form[name] = told.decode("utf-8", "replace")
    return form, files


def _told(request: Request) -> dict[str, Any]:
    try:
        told = request.json
    except ValueError as error:
        raise Refused(400, {"detail": f"JSON parse error - {error}"}) from error
    if not isinstance(told, dict):
        raise Refused(400, {"non_field_errors": ["Invalid data. Expected a dictionary."]})
    return told


def _not_there() -> Answer:
    return Answer(404, {"Content-Type": "text/html"}, b"<h1>Not Found</h1>")
