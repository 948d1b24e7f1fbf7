"""A Tool that speaks GraphQL with cursors, after GitHub's connections, and its World."""

from typing import Any

from pydantic import Field, SecretStr

from tidegate_sdk import (
    Account,
    Ask,
    Families,
    Family,
    Finding,
    GraphQL,
    Header,
    Http,
    List,
    Row,
    Settings,
    Skip,
    Skipped,
    Talk,
    Tool,
    Vep,
    Verdict,
    dig,
    graphql,
    identifier,
)
from tidegate_sdk.conformance import Answer, Request, World

from .numbered import text

REPOSITORIES = (
    "query Repositories($after: String) { viewer { repositories(first: 2, after: $after) { nodes { id } } } }"
)
ALERTS = "query Alerts($id: ID!, $after: String) { node(id: $id) { alerts(first: 2, after: $after) { nodes { id } } } }"
SCAN = "query LatestScan($id: ID!) { node(id: $id) { scan { status } } }"


class QueriedSettings(Settings):
    url: str = Field(title="Location URL", description="The address of the server.")
    token: SecretStr = Field(title="Token", description="Settings, Developer settings, with the right to read alerts.")


class Queried(Tool[QueriedSettings]):
    slug, name, a_record_is = "queried", "Queried", "a repository"

    def door(self) -> Http:
        return Http(self.settings.url, Header("Authorization", self.settings.token, "bearer {}"))

    def account(self) -> Talk[Account]:
        page = yield graphql("query Viewer { viewer { id login } }", bare=True)
        return Account(id=text(dig(page.body, "data.viewer.id")))

    def veps(self) -> List[Vep]:
        path = "data.viewer.repositories"
        ask = self.ask(REPOSITORIES, after=None)
        by = GraphQL(path, total=f"{path}.totalCount")
        return List(ask, f"{path}.nodes", by, self.repository, id="id")

    def families(self, vep: Vep) -> Families:
        page = yield self.ask(SCAN, id=vep.id)
        if dig(page.body, "data.node.scan.status") != "COMPLETED":
            yield Skipped("alerts", "No scan has been completed yet.")
            return
        path = "data.node.alerts"
        ask = self.ask(ALERTS, id=vep.id, after=None)
        by = GraphQL(path, total=f"{path}.totalCount")
        yield Family("alerts", List(ask, f"{path}.nodes", by, self.alert, id="id"))

    def ask(self, query: str, **variables: Any) -> Ask:
        return graphql(query, **variables)

    def repository(self, row: Row) -> Vep:
        return Vep(id=identifier(row, "id"), name=text(row["name"]))

    def alert(self, row: Row) -> Finding | Skip:
        state = text(row["state"])
        if state == "DRAFT":
            return Skip("A draft is not published.")
        return Finding(
            key=identifier(row, "id"),
            title=text(row["title"]),
            severity=self.severity(row["severity"]),
            vendor_severity=text(row["severity"]),
            vendor_status=state,
            fixed=state == "FIXED",
            verdict=Verdict.ACCEPTED if state == "DISMISSED" else None,
            unknown_words=() if state in ("OPEN", "FIXED", "DISMISSED") else (f"state: {state}",),
        )


def alert(key: str, severity: str = "HIGH", state: str = "OPEN") -> dict[str, Any]:
    return {"id": key, "title": f"Improper neutralization of input ({key})", "severity": severity, "state": state}


ALERTS_OF: dict[str, list[Any]] = {
    "R1": [
        alert("A1"),
        alert("A2", "UNHEARD"),
        alert("A3", "LOW", "DISMISSED"),
        alert("A4", state="DRAFT"),
        alert("A5", state="FIXED"),
    ],
    "R2": [],
    "R3": [alert("A9", "CRITICAL")],
    "R4": [alert("A0")],
}


class Server:
    """Answers like a GraphQL server; the scan of R4 is still running."""

    def answer(self, request: Request) -> Answer:
        if (request.method, request.path) != ("POST", "/graphql"):
            return Answer({"message": "Not Found"}, status=404)
        variables = request.json["variables"]
        match request.operation:
            case "Viewer":
                return Answer({"data": {"viewer": {"id": "U1", "login": "bot"}}})
            case "Repositories":
                rows = [{"id": key, "name": f"acme/{key.lower()}"} for key in ALERTS_OF]
                return Answer({"data": {"viewer": {"repositories": self.page(rows, variables)}}})
            case "LatestScan" if variables["id"] in ALERTS_OF:
                status = "RUNNING" if variables["id"] == "R4" else "COMPLETED"
                return Answer({"data": {"node": {"scan": {"status": status}}}})
            case "Alerts" if variables["id"] in ALERTS_OF:
                return Answer({"data": {"node": {"alerts": self.page(ALERTS_OF[variables["id"]], variables)}}})
        return Answer({"data": None, "errors": [{"message": "Could not resolve to a node."}]})

    def page(self, rows: list[Any], variables: dict[str, Any]) -> dict[str, Any]:
        try:
            start = int(variables["after"] or 0)
        except (TypeError, ValueError):
            return {"nodes": None, "totalCount": None, "pageInfo": None}
        end = start + 2
        more = {"hasNextPage": end < len(rows), "endCursor": str(end)}
        return {"nodes": rows[start:end], "totalCount": len(rows), "pageInfo": more}


def world(tool: type[Tool[Any]] = Queried) -> World:
    return World(
        tool,
        {"url": "https://queried.test/", "token": "ghp_0123456789secret"},
        vendor=Server,
        source="https://docs.github.com/en/graphql/guides/using-pagination-in-the-graphql-api",
        expects={"VEPs": 4, "alerts": 5},
        skips_by=frozenset({"state"}),
        totals=frozenset({"data.viewer.repositories.totalCount", "data.node.alerts.totalCount"}),
    )


WORLD = world()
