"""A Tool of walks that serve many VEPs: an account's export, after Tenable's, and the issues of an organization, after
Snyk's. And its World."""

from collections.abc import Callable, Sequence
from typing import Any

from pydantic import Field, SecretStr

from tidegate_sdk import (
    NO_PRODUCT,
    Account,
    Ask,
    Families,
    Finding,
    Header,
    Http,
    List,
    PageNumber,
    Row,
    Settings,
    SharedFamilies,
    SharedFamily,
    Skip,
    Talk,
    Tool,
    Vep,
    Whole,
    identifier,
)
from tidegate_sdk.conformance import Answer, Fault, Request, World

from .exported import chunk_lost, chunk_missing, export, export_failed
from .numbered import text

PAGES = PageNumber(total="meta.total", page="page", size="limit", per=3)


class PooledSettings(Settings):
    url: str = Field(title="Location URL", description="The address of your region.")
    token: SecretStr = Field(title="API token", description="Of a service account with the Group Viewer role.")


class Pooled(Tool[PooledSettings]):
    slug, name, a_record_is = "pooled", "Pooled", "a project"

    def door(self) -> Http:
        return Http(self.settings.url, Header("Authorization", self.settings.token, "token {}"))

    def account(self) -> Talk[Account]:
        return Account(id=identifier((yield Ask("self", bare=True)).body, "id"))

    def veps(self) -> List[Vep]:
        return List(Ask("projects"), "data", Whole(), self.project, id="id")

    def families(self, vep: Vep) -> Families:
        yield from ()

    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        start = Ask("vulns/export", method="POST", json={"num_assets": 50})
        exported = List(start, "", export("vulns/export"), self.vulnerability, id="finding_id")
        yield SharedFamily("vulnerabilities", exported, of=owner)
        for org in sorted({vep.attributes["org"] for vep in veps if vep.id != NO_PRODUCT}):
            issues = List(Ask(f"orgs/{org}/issues"), "data", PAGES, self.issue, id="id")
            yield SharedFamily("issues", issues, of="project_id", covers=inside(org), off=frozenset({403}))

    def project(self, row: Row) -> Vep:
        return Vep(id=identifier(row, "id"), name=text(row["name"]), attributes={"org": identifier(row, "org")})

    def vulnerability(self, row: Row) -> Finding | Skip:
        if row["severity"] == "info":
            return Skip("A note is no weakness.")
        return self.finding(row, "finding_id", row["plugin.name"])

    def issue(self, row: Row) -> Finding | Skip:
        if row["type"] == "license":
            return Skip("A license issue is no weakness.")
        return self.finding(row, "id", row["title"])

    def finding(self, row: Row, key: str, title: Any) -> Finding:
        state = text(row["state"])
        return Finding(
            key=identifier(row, key),
            title=text(title),
            severity=self.severity(row["severity"]),
            vendor_severity=text(row["severity"]),
            vendor_status=state,
            fixed=state == "FIXED",
            unknown_words=() if state in ("OPEN", "FIXED") else (f"state: {state}",),
        )


def owner(row: Row) -> str:
    """The project of an asset; the vendor says null for one that nobody has put into any."""
    return NO_PRODUCT if row["asset.project_id"] is None else identifier(row, "asset.project_id")


def inside(org: str) -> Callable[[Vep], bool]:
    """A function of its own, since one that is written in a loop would look at the last organization."""
    return lambda vep: vep.attributes.get("org") == org


def vulnerability(key: str, project: Any, severity: str = "high", state: str = "OPEN") -> dict[str, Any]:
    plugin = {"name": f"OpenSSH server allows weak ciphers ({key})"}
    return {
        "finding_id": key,
        "severity": severity,
        "state": state,
        "plugin": plugin,
        "asset": {"project_id": project, "hostname": "h1"},
    }


def issue(key: str, project: Any, severity: str = "high", kind: str = "vuln") -> dict[str, Any]:
    title = f"Prototype pollution in the package {key}"
    return {"id": key, "project_id": project, "title": title, "severity": severity, "state": "OPEN", "type": kind}


PROJECTS = [{"id": f"p{number}", "name": f"Application {number}", "org": f"o{number // 2}"} for number in range(4)]
CHUNKS: list[list[Any]] = [
    [vulnerability("a", "p0"), vulnerability("b", "p2", "disastrous"), vulnerability("c", "p0", "low", "FIXED")],
    [vulnerability("d", "p2", "info"), vulnerability("e", "p1"), vulnerability("f", None), vulnerability("g", "p9")],
]
ISSUES = {
    "o0": [
        issue("i0", "p0"),
        issue("i1", "p1", "grim"),
        issue("i2", "p0", "low", "license"),
        issue("i4", "p1", "low"),
        issue("i5", "p8"),
    ],
    "o1": [issue("j0", "p2"), issue("j1", "p2", "medium")],
}


class Server:
    """Answers like the documented APIs; an export is processed for one poll. `most`: the page size it lowers to."""

    def __init__(self, most: int = 100) -> None:
        self.most = most
        self.polls = 0

    def answer(self, request: Request) -> Answer:
        match request.path.strip("/").split("/"):
            case ["self"]:
                return Answer({"id": "u1"})
            case ["projects"]:
                return Answer({"data": PROJECTS})
            case ["orgs", org, "issues"] if org in ISSUES:
                return self.page(ISSUES[org], request)
            case ["vulns", "export"] if request.method == "POST":
                self.polls = 0
                return Answer({"export_uuid": "u-1"})
            case ["vulns", "export", "u-1", "status"]:
                return Answer(self.status())
            case ["vulns", "export", "u-1", "chunks", number] if number in ("1", "2"):
                return Answer(CHUNKS[int(number) - 1])
        return Answer({"error": "not found"}, status=404)

    def page(self, rows: list[Any], request: Request) -> Answer:
        size = min(int(request.query["limit"]), self.most)
        start = (int(request.query["page"]) - 1) * size
        return Answer({"meta": {"total": len(rows)}, "data": rows[start : start + size]})

    def status(self) -> dict[str, Any]:
        self.polls += 1
        done = self.polls > 1
        told = {"status": "FINISHED" if done else "PROCESSING", "total_chunks": len(CHUNKS) if done else 0}
        return {**told, "chunks_available": [1, 2] if done else [], "chunks_failed": [], "chunks_cancelled": []}


def world(tool: type[Tool[Any]] = Pooled) -> World:
    return World(
        tool,
        {"url": "https://pooled.test/", "token": "tok_a1b2/c3+d4=secret"},
        vendor=Server,
        source="https://developer.tenable.com/reference/exports-vulns-request-export",
        faults={
            "a chunk lost": Fault(chunk_lost, "ever"),
            "a chunk missing": Fault(chunk_missing, "ever"),
            "the export failed": Fault(export_failed, "ever"),
        },
        variants={f"pages of {most}": lambda most=most: Server(most) for most in (1, 2)},
        expects={"VEPs": 4, "vulnerabilities": 6, "issues": 6},
        skips_by=frozenset({"severity", "type"}),
        no_product=frozenset({"asset.project_id"}),
    )


WORLD = world()
