"""The fake Tenable over HTTP on loopback; tests change its world in Python, or let faults strike its lists.

It behaves as https://developer.tenable.com/reference says: two exports at a time (429), none twice with the same
filters (409), chunks that may fail or have expired (404).
"""

import re
from collections.abc import Callable, Mapping
from typing import Any

from tidegate.demo.fake import Fake, Question
from tidegate.demo.fake_tenable.world import Job, World
from tidegate.demo.faults import Shape
from tidegate.demo.pages import placed
from tidegate.demo.wire import BODY, Answer, Request, as_json

ACCESS_KEY = "2c935f507d0686382bb383e4daf92eef8b4a349b9b9de2bf85343c0f7e7265db"
SECRET_KEY = "0553ac5757e8e741d6ef034dc06618106e7855887428e662adcde8862d017cf9"  # noqa: S105 - a fake's key, of nobody
_PAGED = {"total": "pagination.total", "start": "offset", "page": "limit", "first": 0}
SHAPES = {
    "networks": Shape("networks", "uuid", text="name", **_PAGED),
    "tags": Shape("values", "uuid", text="value", **_PAGED),
    "scans": Shape("scans", "schedule_uuid", text="name"),
    "vulnerabilities": Shape(BODY, "finding_id", word="severity", text="plugin.name", date="first_found"),
}
_LISTS = {"/networks": "networks", "/tags/values": "tags", "/scans": "scans"}
_JOB = re.compile(r"/vulns/export/([0-9a-f-]+)/(status|chunks/\d+)")


class FakeTenable(Fake[World]):
    """`with FakeTenable() as tenable: tenable.url, tenable.world, tenable.control.strike("500", "vulnerabilities")`."""

    shapes = SHAPES

    def __init__(self, access_key: str = ACCESS_KEY, secret_key: str = SECRET_KEY, *, port: int = 0) -> None:
        self.access_key, self.secret_key = access_key, secret_key
        super().__init__(World(), port=port)

    def ask(self, request: Request) -> Question | Answer:
        """A question; keys that are not these are refused as Tenable does."""
        if request.header("X-ApiKeys") != f"accessKey={self.access_key};secretKey={self.secret_key}":
            return _error(401, "Invalid credentials.")
        listed = _LISTS.get(request.path, "vulnerabilities" if "/chunks/" in request.path else "")
        return Question(request, listed, variables=request.query, name=request.path)

    def answer(self, question: Question) -> Answer:
        request = question.request
        if request.path == "/vulns/export" and request.method == "POST":
            return self._started(request.json)
        if found := _JOB.fullmatch(request.path):
            job = self.world.jobs.get(found[1])
            return _error(404, "Not found.") if job is None else _looked_at(job, found[2])
        told = self._answers.get(request.path)
        return _error(404, "Not found.") if told is None else told(question.variables)

    @property
    def _answers(self) -> Mapping[str, Callable[[Mapping[str, Any]], Answer]]:
        return {
            "/session": self._session,
            "/vulns/export/status": self._exports,
            "/networks": self._networks,
            "/tags/values": self._tags,
            "/scans": self._scans,
        }

    def _session(self, query: Mapping[str, Any]) -> Answer:
        del query
        return as_json({
            "uuid": "a09161a2-3860-4ca8-93c8-b3f7be366e50", "username": "tidegate@acme.example", "permissions": 16,
            "container_uuid": "a0abbae8-512f-4b9d-93f3-74d9809a1004", "container_name": "Acme",
        })  # fmt: skip

    def _exports(self, query: Mapping[str, Any]) -> Answer:
        del query
        if not self.world.may_export:
            return _error(403, "You do not have permission to list vulnerability export jobs.")
        return as_json({"exports": [{"uuid": uuid, "status": job.ended} for uuid, job in self.world.jobs.items()]})

    def _networks(self, query: Mapping[str, Any]) -> Answer:
        if not self.world.may_list_networks:
            return _error(403, "You do not have permission to list networks.")
        there = [{"uuid": uuid, "name": name} for uuid, name in self.world.networks.items()]
        return _page("networks", there, query, 50)

    def _tags(self, query: Mapping[str, Any]) -> Answer:
        wanted = str(query.get("f", "")).removeprefix("category_name:eq:")
        there = [
            {"uuid": uuid, "category_name": category, "value": value, "type": "static"}
            for uuid, (category, value) in self.world.values.items()
            if wanted in ("", category)
        ]
        return _page("values", there, query, 5000)

    def _scans(self, query: Mapping[str, Any]) -> Answer:
        del query
        there = [{"schedule_uuid": uuid, "name": name, "type": "remote"} for uuid, name in self.world.scans.items()]
        return as_json({"scans": there, "folders": [], "timestamp": 1671477512})

    def _started(self, asked: Mapping[str, Any]) -> Answer:
        world, filters = self.world, asked["filters"]
        if not world.may_export:
            return _error(403, "You do not have permission to export vulnerabilities.")
        same = next((job for job in world.running() if job.filters == filters), None)
        if same is not None:
            reason = "The request could not be completed due to a conflict with the ongoing export"
            return as_json({"active_job_id": same.uuid, "failure_reason": reason}, 409)
        if len(world.running()) >= world.at_once:
            return Answer(429, {"Content-Type": "text/html", "Retry-After": "1"}, b"<html>429 Too Many Requests</html>")
        return as_json({"export_uuid": world.start_export(filters, asked["num_assets"]).uuid})


def _looked_at(job: Job, what: str) -> Answer:
    if what == "status":
        job.looks -= job.runs
        return as_json(_status(job))
    number = int(what.removeprefix("chunks/"))
    if job.expired or not 1 <= number <= len(job.chunks) or number in job.failed:
        return _error(404, "The chunk could not be found, or has expired.")
    return as_json(job.chunks[number - 1])


def _status(job: Job) -> dict[str, Any]:
    there = [number for number in range(1, len(job.chunks) + 1) if number not in job.failed]
    reason = f"{len(job.failed)} of {len(job.chunks)} chunks failed to process."
    told = {
        "uuid": job.uuid, "status": "PROCESSING" if job.runs else job.ended, "filters": job.filters,
        "chunks_available": [] if job.runs else there, "chunks_failed": [] if job.runs else [*job.failed],
        "chunks_cancelled": [], "total_chunks": len(job.chunks), "empty_chunks_count": 0,
    }  # fmt: skip
    return {**told, "reason": reason} if job.failed and not job.runs else told


def _page(name: str, there: list[dict[str, Any]], query: Mapping[str, Any], usual: int) -> Answer:
    start, size = int(query.get("offset", 0)), int(query.get("limit", usual))
    pagination = {"total": len(there), "limit": size, "offset": start}
    return as_json({name: placed(there, start, size), "pagination": pagination})


def _error(status: int, said: str) -> Answer:
    return as_json({"statusCode": status, "error": "Error", "message": said}, status)
