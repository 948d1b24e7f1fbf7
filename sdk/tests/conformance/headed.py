"""A Tool of Link headers, by keyset and by offset as GitLab has both, and its World."""

from dataclasses import replace
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
    LinkHeader,
    List,
    Row,
    Settings,
    Skip,
    Talk,
    Tool,
    Vep,
    identifier,
)
from tidegate_sdk.conformance import Answer, Exchange, Fault, Request, World

from .numbered import text


class HeadedSettings(Settings):
    url: str = Field(title="Location URL", description="The address of the server.")
    token: SecretStr = Field(title="Token", description="Preferences, Access tokens; the scope read_api.")


class Headed(Tool[HeadedSettings]):
    slug, name, a_record_is = "headed", "Headed", "a project"

    def door(self) -> Http:
        return Http(self.settings.url, Header("PRIVATE-TOKEN", self.settings.token))

    def account(self) -> Talk[Account]:
        page = yield Ask("api/v4/user", bare=True)
        return Account(id=identifier(page.body, "id"))

    def veps(self) -> List[Vep]:
        keyset = {"pagination": "keyset", "order_by": "id", "per_page": 2}
        return List(Ask("api/v4/projects", keyset), "", LinkHeader(), self.project, id="id")

    def families(self, vep: Vep) -> Families:
        ask = Ask(f"api/v4/projects/{vep.id}/vulnerability_findings", {"per_page": 2})
        by = LinkHeader(total_header="X-Total", always=True)
        yield Family("vulnerabilities", List(ask, "", by, self.vulnerability, id="uuid"), off=frozenset({403}))

    def project(self, row: Row) -> Vep:
        return Vep(id=identifier(row, "id"), name=text(row["path_with_namespace"]))

    def vulnerability(self, row: Row) -> Finding | Skip:
        if row["report_type"] == "coverage_fuzzing":
            return Skip("A crash of a fuzzer is no weakness yet.")
        state = text(row["state"])
        return Finding(
            key=identifier(row, "uuid"),
            title=text(row["name"]),
            severity=self.severity(row["severity"]),
            vendor_severity=text(row["severity"]),
            vendor_status=state,
            fixed=state == "resolved",
            unknown_words=() if state in ("detected", "confirmed", "resolved") else (f"state: {state}",),
        )


def vulnerability(key: str, severity: str = "high", state: str = "detected", kind: str = "sast") -> dict[str, Any]:
    name = f"Predictable pseudorandom number generator ({key})"
    return {"uuid": f"uuid-{key}", "name": name, "severity": severity, "state": state, "report_type": kind}


VULNERABILITIES: dict[int, list[Any]] = {
    11: [
        vulnerability("a"),
        vulnerability("b", "dire"),
        vulnerability("c", "low", "resolved"),
        vulnerability("d", kind="coverage_fuzzing"),
        vulnerability("e", "critical"),
    ],
    12: [],
    13: [vulnerability("f")],
}
HOME = "https://headed.test"


class Server:
    """Answers like the documented API: keyset pages have a Link header while there are more, others always."""

    def answer(self, request: Request) -> Answer:
        match request.path.strip("/").split("/")[2:]:
            case ["user"]:
                return Answer({"id": 7})
            case ["projects"]:
                return self.projects(request)
            case ["projects", project, "vulnerability_findings"] if project in map(str, VULNERABILITIES):
                return self.findings(request, VULNERABILITIES[int(project)])
        return Answer({"message": "404 Not Found"}, status=404)

    def projects(self, request: Request) -> Answer:
        after = int(request.query.get("id_after", "0"))
        keys = [key for key in VULNERABILITIES if key > after]
        rows = [{"id": key, "path_with_namespace": f"acme/p{key}"} for key in keys[:2]]
        if len(keys) <= 2:
            return Answer(rows)
        more = f"{HOME}/api/v4/projects?pagination=keyset&order_by=id&per_page=2&id_after={keys[1]}"
        return Answer(rows, headers={"Link": f'<{more}>; rel="next"'})

    def findings(self, request: Request, rows: list[Any]) -> Answer:
        number = int(request.query.get("page", "1"))
        own = f"{HOME}{request.path}?per_page=2&page="
        links = [f'<{own}1>; rel="first"']
        if number * 2 < len(rows):
            links.insert(0, f'<{own}{number + 1}>; rel="next"')
        headers = {"Link": ", ".join(links), "X-Total": str(len(rows))}
        return Answer(rows[number * 2 - 2 : number * 2], headers=headers)


def link_lost(exchange: Exchange) -> Answer | None:
    """Something in between drops the header, where it is always there."""
    headers = {name: value for name, value in exchange.answer.headers.items() if name != "Link"}
    return replace(exchange.answer, headers=headers) if "X-Total" in headers and len(headers) == 1 else None


def link_cut(exchange: Exchange) -> Answer | None:
    headers = dict(exchange.answer.headers)
    link = headers.get("Link", "")
    return replace(exchange.answer, headers={**headers, "Link": link[: len(link) // 3]}) if link else None


def total_lost(exchange: Exchange) -> Answer | None:
    headers = {name: value for name, value in exchange.answer.headers.items() if name != "X-Total"}
    return replace(exchange.answer, headers=headers) if "X-Total" in exchange.answer.headers else None


def next_lost(exchange: Exchange) -> Answer | None:
    """The page says that it is the last one."""
    link = exchange.answer.headers.get("Link", "")
    told = {**exchange.answer.headers, "Link": '<https://headed.test/>; rel="first"'}
    return replace(exchange.answer, headers=told) if 'rel="next"' in link and "X-Total" in told else None


def world(tool: type[Tool[Any]] = Headed) -> World:
    return World(
        tool,
        {"url": f"{HOME}/", "token": "glpat-a1b2c3d4e5f6g7h8"},
        vendor=Server,
        source="https://docs.gitlab.com/api/rest/#pagination",
        faults={
            "the Link header is lost": Fault(link_lost),
            "the Link header is lost for ever": Fault(link_lost, "ever"),
            "the Link header is cut": Fault(link_cut),
            "the total's header is lost": Fault(total_lost),
            "the next link is lost": Fault(next_lost),
        },
        expects={"VEPs": 3, "vulnerabilities": 5},
        skips_by=frozenset({"report_type"}),
    )


WORLD = world()
