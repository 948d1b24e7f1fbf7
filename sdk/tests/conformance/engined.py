"""Checkmarx One in small: one list of a project's results, each said by an engine that is a Family (ADR 0016)."""

from __future__ import annotations

from typing import Any

from pydantic import Field, SecretStr

from tidegate_sdk import (
    Account,
    Ask,
    Families,
    Family,
    Finding,
    Header,
    Http,
    List,
    Offset,
    OneWalk,
    Row,
    Settings,
    Skip,
    Talk,
    Tool,
    Vep,
    identifier,
)
from tidegate_sdk.conformance import Answer, Request, World

ENGINES = ("sast", "sca")


class EnginedSettings(Settings):
    url: str = Field(title="Location URL", description="Its address.")
    token: SecretStr = Field(title="API token", description="Of anybody.")


class Engined(Tool[EnginedSettings]):
    slug, name, a_record_is = "engined", "Engined", "a project"

    def door(self) -> Http:
        return Http(self.settings.url, Header("Authorization", self.settings.token, "Bearer {}"))

    def account(self) -> Talk[Account]:
        return Account(id=identifier((yield Ask("self", bare=True)).body, "id"))

    def veps(self) -> List[Vep]:
        return List(Ask("projects"), "projects", Offset("totalCount", per=2), self.project, id="id")

    def families(self, vep: Vep) -> Families:
        walk = self.walk(vep)
        for engine in walk.families:
            yield Family(engine, walk.share(engine))

    def walk(self, vep: Vep) -> OneWalk[Finding]:
        results = Ask("results", {"project": vep.id})
        return OneWalk(
            List(results, "results", Offset("totalCount", per=2), self.result, id="id"), self.engine, ENGINES
        )

    def engine(self, row: Row) -> str:
        return row["type"]

    def project(self, row: Row) -> Vep:
        return Vep(id=identifier(row, "id"), name=str(row.get("name") or ""))

    def result(self, row: Row) -> Finding | Skip:
        if row["status"] == "NOISE":
            return Skip("It is noise.")
        return Finding(
            key=identifier(row, "id"),
            title=str(row.get("description") or "A weakness"),
            severity=self.severity(row["severity"]),
            vendor_severity=str(row["severity"]),
            vendor_status=str(row["status"]),
            unknown_words=() if row["status"] in ("NEW", "RECURRENT") else (f"status: {str(row['status'])[:100]}",),
        )


def result(key: str, type_: str, severity: str = "HIGH", status: str = "NEW") -> dict[str, Any]:
    return {"id": key, "type": type_, "severity": severity, "status": status, "description": f"The weakness {key}"}


RESULTS: dict[str, list[dict[str, Any]]] = {
    "p1": [
        result("a", "sast"),
        result("b", "sca", "HARMFUL"),
        result("c", "sast", "LOW"),
        result("d", "sca", status="NOISE"),
    ],
    "p2": [],
    "p3": [result("e", "sca"), result("f", "sca", "MEDIUM", "RECURRENT"), result("g", "sast")],
}


class Server:
    """The list of results cannot be asked for one engine: https://checkmarx.stoplight.io/, Results."""

    def answer(self, request: Request) -> Answer:
        start, size = (int(request.query.get(name, 0)) for name in ("offset", "limit"))
        match request.path.strip("/"):
            case "self":
                return Answer({"id": "u1"})
            case "projects":
                rows = [{"id": key, "name": f"Project {key}"} for key in RESULTS]
                return Answer({"projects": rows[start : start + size], "totalCount": len(rows)})
            case "results" if request.query["project"] in RESULTS:
                rows = RESULTS[request.query["project"]]
                return Answer({"results": rows[start : start + size], "totalCount": len(rows)})
        return Answer({"message": "not found"}, status=404)


def world(tool: type[Tool[Any]] = Engined) -> World:
    return World(
        tool,
        {"url": "https://engined.test/", "token": "eng_a1b2/c3+d4=secret"},
        vendor=Server,
        source="https://checkmarx.stoplight.io/docs/checkmarx-one-api-reference-guide/, Results",
        expects={"VEPs": 3, "sast": 3, "sca": 3},
        skips_by=frozenset({"status"}),
    )


WORLD = world()
