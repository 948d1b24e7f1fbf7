"""A Tool of next links, after Snyk's REST API, and its World of recorded exchanges."""

from pathlib import Path
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
    NextLink,
    Row,
    Settings,
    Skip,
    Talk,
    Tool,
    Vep,
    identifier,
)
from tidegate_sdk.conformance import World, recorded

from .numbered import text


class LinkedSettings(Settings):
    url: str = Field(title="Location URL", description="The address of your region.")
    org: str = Field(title="Organization", description="Settings, General, Organization ID.")
    token: SecretStr = Field(title="API token", description="Of a service account with the Org Viewer role.")


class Linked(Tool[LinkedSettings]):
    slug, name, a_record_is = "linked", "Linked", "a project"

    def door(self) -> Http:
        return Http(self.settings.url, Header("Authorization", self.settings.token, "token {}"))

    def account(self) -> Talk[Account]:
        page = yield Ask("rest/self", {"version": "2024-10-15"}, bare=True)
        return Account(id=page.body["data"]["id"], name=page.body["data"]["attributes"]["username"])

    def veps(self) -> List[Vep]:
        return List(self.ask("projects"), "data", NextLink(), self.project, id="id")

    def families(self, vep: Vep) -> Families:
        ask = self.ask("issues").more(**{"scan_item.id": vep.id})
        yield Family("issues", List(ask, "data", NextLink(), self.issue, id="id"))

    def ask(self, what: str) -> Ask:
        return Ask(f"rest/orgs/{self.settings.org}/{what}", {"version": "2024-10-15", "limit": 2})

    def project(self, row: Row) -> Vep:
        return Vep(id=identifier(row, "id"), name=text(row["attributes.name"]))

    def issue(self, row: Row) -> Finding | Skip:
        if row["attributes.type"] == "license":
            return Skip("A license issue is no weakness.")
        status = text(row["attributes.status"])
        return Finding(
            key=identifier(row, "id"),
            title=text(row["attributes.title"]),
            severity=self.severity(row["attributes.effective_severity_level"]),
            vendor_severity=text(row["attributes.effective_severity_level"]),
            vendor_status=status,
            fixed=status == "resolved",
            ids=tuple(text(problem["id"]) for problem in row["attributes.problems"]),
            unknown_words=() if status in ("open", "resolved") else (f"status: {status}",),
        )


def world(tool: type[Tool[Any]] = Linked) -> World:
    return recorded(tool, Path(__file__).parent / "linked.json", skips_by=frozenset({"attributes.type"}))


WORLD = world()
