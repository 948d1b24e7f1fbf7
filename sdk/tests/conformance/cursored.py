"""A Tool of cursors, in the JSON body as AWS Inspector's ListFindings has them and in the query, and its World."""

from typing import Any

from pydantic import Field, SecretStr

from tidegate_sdk import (
    Account,
    Ask,
    Cursor,
    Families,
    Family,
    Finding,
    Header,
    Http,
    List,
    Row,
    Settings,
    Skip,
    Talk,
    Tool,
    Vep,
    identifier,
)
from tidegate_sdk.conformance import Answer, Request, World

from .numbered import text


class CursoredSettings(Settings):
    url: str = Field(title="Location URL", description="The address of your region.")
    token: SecretStr = Field(title="Token", description="Settings, API access; read only.")


class Cursored(Tool[CursoredSettings]):
    slug, name, a_record_is = "cursored", "Cursored", "an account"

    def door(self) -> Http:
        return Http(self.settings.url, Header("Authorization", self.settings.token, "Bearer {}"))

    def account(self) -> Talk[Account]:
        page = yield Ask("me", bare=True)
        return Account(id=identifier(page.body, "id"))

    def veps(self) -> List[Vep]:
        by = Cursor("meta.next", query="cursor", more="meta.has_more", total="meta.count")
        return List(Ask("accounts", {"limit": 2}), "accounts", by, self.member, id="accountId")

    def families(self, vep: Vep) -> Families:
        wanted = {"filterCriteria": {"awsAccountId": vep.id}, "maxResults": 2}
        ask = Ask("findings/list", method="POST", json=wanted, safe=True)
        by = Cursor("nextToken", json="nextToken", optional=True)
        yield Family("findings", List(ask, "findings", by, self.finding, id="findingArn"))

    def member(self, row: Row) -> Vep:
        return Vep(id=identifier(row, "accountId"), name=text(row["name"]))

    def finding(self, row: Row) -> Finding | Skip:
        if row["type"] == "NETWORK_REACHABILITY":
            return Skip("An open port is no weakness.")
        state = text(row["status"])
        return Finding(
            key=identifier(row, "findingArn"),
            title=text(row["title"]),
            severity=self.severity(row["severity"]),
            vendor_severity=text(row["severity"]),
            vendor_status=state,
            fixed=state == "CLOSED",
            unknown_words=() if state in ("ACTIVE", "SUPPRESSED", "CLOSED") else (f"status: {state}",),
        )


def finding(key: str, severity: str = "HIGH", status: str = "ACTIVE", kind: str = "PACKAGE") -> dict[str, Any]:
    title = f"CVE-2024-0001 in openssl ({key})"
    return {"findingArn": f"arn:{key}", "title": title, "severity": severity, "status": status, "type": kind}


FINDINGS: dict[str, list[list[Any]]] = {
    "111": [
        [finding("a"), finding("b", "UNTRIAGED")],
        [],  # AWS: a page may be empty and still have a token
        [finding("c", "LOW", "CLOSED"), finding("d", kind="NETWORK_REACHABILITY")],
        [finding("e", "CRITICAL")],
    ],
    "222": [[]],
    "333": [[finding("f")]],
}


class Server:
    """Answers like the documented API: the token of the last page is left out."""

    def answer(self, request: Request) -> Answer:
        match request.method, request.path:
            case "GET", "/me":
                return Answer({"id": "u1"})
            case "GET", "/accounts":
                return self.accounts(request.query.get("cursor", "c0"))
            case "POST", "/findings/list" if pages := FINDINGS.get(request.json["filterCriteria"]["awsAccountId"]):
                return self.findings(pages, request.json.get("nextToken", "t0"))
        return Answer({"message": "ResourceNotFoundException"}, status=404)

    def accounts(self, cursor: str) -> Answer:
        rows = [{"accountId": key, "name": f"Account {key}"} for key in FINDINGS]
        if cursor not in ("c0", "c2"):
            return Answer({"message": "the cursor is not valid"}, status=400)
        start = int(cursor[1:])
        more = start + 2 < len(rows)
        meta = {"next": f"c{start + 2}" if more else None, "has_more": more, "count": len(rows)}
        return Answer({"accounts": rows[start : start + 2], "meta": meta})

    def findings(self, pages: list[list[Any]], token: Any) -> Answer:
        known = {f"t{number}": number for number in range(len(pages))}
        if token not in known:
            return Answer({"message": "ValidationException"}, status=400)
        number = known[token]
        following = {"nextToken": f"t{number + 1}"} if number + 1 < len(pages) else {}
        return Answer({"findings": pages[number], **following})


def world(tool: type[Tool[Any]] = Cursored) -> World:
    return World(
        tool,
        {"url": "https://cursored.test/", "token": "cur_a1b2/c3+d4=secret"},
        vendor=Server,
        source="https://docs.aws.amazon.com/inspector/v2/APIReference/API_ListFindings.html",
        expects={"VEPs": 3, "findings": 5},
        skips_by=frozenset({"type"}),
    )


WORLD = world()
