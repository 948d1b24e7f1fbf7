"""A Tool of numbered pages with a total, after SonarQube's api/issues/search, and its World."""

from datetime import UTC, datetime
from typing import Any, ClassVar

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
    PageNumber,
    Row,
    Settings,
    Severity,
    Skip,
    Talk,
    Tool,
    Vep,
    Verdict,
    identifier,
)
from tidegate_sdk.conformance import Answer, Exchange, Fault, Request, World

PAGES = PageNumber(total="paging.total", page="p", size="ps", per=3)
OPEN = {"OPEN", "CONFIRMED", "REOPENED"}
SEEN = "2024-02-29T12:00:00+0000"
VERDICTS = {"FALSE-POSITIVE": Verdict.FALSE_POSITIVE, "WONTFIX": Verdict.ACCEPTED}


class NumberedSettings(Settings):
    url: str = Field(title="Location URL", description="The address of the server.")
    token: SecretStr = Field(title="Token", description="My account, Security, Generate tokens.")


class Numbered(Tool[NumberedSettings]):
    slug, name, a_record_is = "numbered", "Numbered", "a project"
    severities: ClassVar[dict[str, Severity]] = {
        "blocker": Severity.CRITICAL,
        "critical": Severity.HIGH,
        "major": Severity.MEDIUM,
        "minor": Severity.LOW,
        "info": Severity.INFO,
    }

    def door(self) -> Http:
        return Http(self.settings.url, Header("Authorization", self.settings.token, "Bearer {}"))

    def account(self) -> Talk[Account]:
        page = yield Ask("api/users/current", bare=True)
        return Account(id=page.body["login"])

    def veps(self) -> List[Vep]:
        return List(Ask("api/projects/search"), "components", PAGES, self.project, id="key")

    def families(self, vep: Vep) -> Families:
        ask = Ask("api/issues/search", {"componentKeys": vep.id})
        yield Family("issues", List(ask, "issues", PAGES, self.issue, id="key"), off=frozenset({403}))

    def project(self, row: Row) -> Vep:
        return Vep(id=identifier(row, "key"), name=text(row["name"]))

    def issue(self, row: Row) -> Finding | Skip:
        if row["type"] == "CODE_SMELL":
            return Skip("A code smell is no weakness.")
        status, resolution = row["status"], row.get("resolution")
        unknown = [f"status: {status}"] if status not in OPEN | {"RESOLVED", "CLOSED"} else []
        if resolution is not None and resolution not in VERDICTS and resolution != "FIXED":
            unknown.append(f"resolution: {resolution}")
        return Finding(
            key=identifier(row, "key"),
            title=text(row["message"]),
            url=web(row.get("link")),
            severity=self.severity(row["severity"]),
            vendor_severity=text(row["severity"]),
            vendor_status=text(status),
            fixed=resolution == "FIXED",
            verdict=VERDICTS.get(resolution) if isinstance(resolution, str) else None,
            rule=text(row["rule"]),
            path=text(row.get("component")).partition(":")[2],
            found_at=moment(row.get("creationDate")),
            line=row.get("line") if type(row.get("line")) is int else None,
            unknown_words=tuple(unknown),
        )


def text(value: Any) -> str:
    """A text or a number as text; anything else makes the row odd."""
    if value is None:
        return ""
    if isinstance(value, bool) or not isinstance(value, str | int):
        raise TypeError("neither text nor number")
    return str(value)


def web(value: Any) -> str | None:
    """A link that a page may offer; None for what is none."""
    return value if isinstance(value, str) and value.startswith(("https://", "http://")) else None


def moment(value: Any) -> datetime | None:
    """An aware time; None for what is none."""
    try:
        time = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return time if time.tzinfo else time.replace(tzinfo=UTC)


def issue(key: str, severity: str = "CRITICAL", **more: Any) -> dict[str, Any]:
    told = f"Make sure that this pseudorandom generator is safe here ({key})."
    row = {"key": key, "message": told, "severity": severity, "component": f"p0:src/{key}.py", "line": 3}
    row["link"] = f"https://numbered.test/project/issues?open={key}"
    return {**row, "rule": "python:S3649", "type": "VULNERABILITY", "status": "OPEN", "creationDate": SEEN, **more}


ISSUES = {
    "p0": [
        issue("i0"),
        issue("i1", "MAJOR", line=7),
        issue("i2", "SEVERE"),
        issue("i3", type="CODE_SMELL"),
        issue("i4", "MINOR", status="RESOLVED", resolution="FALSE-POSITIVE"),
        issue("i5", "INFO", status="RESOLVED", resolution="FIXED"),
        issue("i6", "BLOCKER"),
    ],
    "p1": [],
    "p2": [issue("j0", "MAJOR")],
    "p3": [issue("k0"), issue("k1")],
}
PROJECTS = [{"key": key, "name": f"Application {key}"} for key in ISSUES]


class Server:
    """Answers like the documented API; `most` is the page size it silently lowers a larger one to."""

    def __init__(self, most: int = 500) -> None:
        self.most = most

    def answer(self, request: Request) -> Answer:
        if request.path == "/api/users/current":
            return Answer({"login": "bot"})
        if request.path == "/api/projects/search":
            return self.page("components", PROJECTS, request)
        if request.path == "/api/issues/search" and request.query.get("componentKeys") in ISSUES:
            return self.page("issues", ISSUES[request.query["componentKeys"]], request)
        return Answer({"errors": [{"msg": f"Unknown url : {request.path}"}]}, status=404)

    def page(self, name: str, rows: list[Any], request: Request) -> Answer:
        size = min(int(request.query["ps"]), self.most)
        start = (int(request.query["p"]) - 1) * size
        paging = {"pageIndex": int(request.query["p"]), "pageSize": size, "total": len(rows)}
        return Answer({"paging": paging, name: rows[start : start + size]})


def capped(exchange: Exchange) -> Answer | None:
    """The server lists no more than so many, and the total is that of the cap: it cannot be told from the truth."""
    return exchange.having("paging.total", 10_000) if exchange.value("paging.total") else None


def world(tool: type[Tool[Any]] = Numbered, vendor: type[Server] = Server) -> World:
    return World(
        tool,
        {"url": "https://numbered.test/", "token": "squ_a1b2/c3+d4=secret"},
        vendor=vendor,
        source="https://next.sonarqube.com/sonarqube/web_api/api/issues/search",
        faults={"the vendor's cap": Fault(capped, "ever")},
        variants={f"pages of {most}": lambda most=most: Server(most) for most in (1, 2)},
        expects={"VEPs": 4, "issues": 9},
        skips_by=frozenset({"type"}),
        totals=frozenset({"paging.total"}),
    )


WORLD = world()
