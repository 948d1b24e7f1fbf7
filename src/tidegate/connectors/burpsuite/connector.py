"""BurpSuite (Enterprise / DAST): the issues of each site's latest completed scan, over its GraphQL API."""

from collections.abc import Callable, Mapping
from typing import Annotated, Any

from pydantic import AfterValidator, Field, SecretStr

from tidegate.connectors.burpsuite import queries
from tidegate.connectors.burpsuite.evidence import plain
from tidegate.connectors.burpsuite.identity import identifier
from tidegate.connectors.burpsuite.location import location
from tidegate.connectors.burpsuite.paging import ScanIssues, SiteTree
from tidegate.connectors.burpsuite.verdict import STATUS, reason_of, verdict_of
from tidegate_sdk import (
    Account,
    ConnectorError,
    Families,
    Family,
    Finding,
    Header,
    Http,
    HttpSettings,
    List,
    Row,
    Severity,
    Skipped,
    Talk,
    Tool,
    VendorChanged,
    Vep,
    Verdict,
    dig,
    graphql,
)
from tidegate_sdk.fields import cwes, links_in, mark, rows, text

ROOT = "0"
CONFIDENCES = frozenset({"tentative", "firm", "certain", "false_positive"})


class BurpSuiteSettings(HttpSettings):
    url: Annotated[str, AfterValidator(location)] = Field(
        title="Location URL",
        description="The address of Burp Suite DAST in your browser; any of its pages will do.",
        examples=["https://burp.example.org:8443"],
    )
    api_key: SecretStr = Field(
        title="API key",
        min_length=1,
        description="Of a user with the login type API key and the role Scan viewer: Team > All users > New user.",
    )


class BurpSuite(Tool[BurpSuiteSettings]):
    slug = "burpsuite"
    name = "BurpSuite"
    a_record_is = "a site"
    severities = {  # noqa: RUF012 - declared as a ClassVar by Tool
        "high": Severity.HIGH,
        "medium": Severity.MEDIUM,
        "low": Severity.LOW,
        "info": Severity.INFO,
    }

    def door(self) -> Http:
        return self.settings.door(self.settings.url, Header("Authorization", self.settings.api_key))

    def refusal(self, body: Any) -> ConnectorError | None:
        errors = body.get("errors") if isinstance(body, Mapping) else None
        if errors and "fingerprint" in str(errors):
            return VendorChanged(*queries.NO_FINGERPRINTS)
        return None

    def account(self) -> Talk[Account]:
        page = yield graphql(queries.ACCOUNT, path=queries.PATH, bare=True)
        dig(page.body, "data.site_tree.folders")
        return Account(id=self.settings.url, name=self.settings.url)

    def veps(self) -> List[Vep]:
        tree = SiteTree()
        ask = graphql(queries.SITES, path=queries.PATH)
        return List(ask, "data.site_tree.sites", tree, lambda row: self.site(row, tree.folders), id=_named_by("id"))

    def site(self, row: Row, folders: Mapping[str, Row]) -> Vep:
        """A site, with the folders above it as far as the API user may see them."""
        above = _folders_above(row["parent_id"], folders)
        attributes = {
            "folder": "/".join(above),
            "start_urls": (row["scope_v2"] or {}).get("start_urls") or [],
            "ephemeral": row["ephemeral"] is True,
        }
        name = text(row["name"]) or f"Site {row['id']}"
        parent = above[-1] if above else ""
        return Vep(id=identifier(row["id"]), name=name, url=self.settings.url, parent=parent, attributes=attributes)

    def families(self, vep: Vep) -> Families:
        page = yield graphql(queries.LATEST_SCAN, path=queries.PATH, bare=True, site=vep.id)
        scans = rows(page.body, "data.scans")
        if not scans:
            yield Skipped("issues", "No scan of this site has completed yet.")
            return
        if scans[0]["status"] != "succeeded":
            raise VendorChanged(f"Burp was asked for completed scans and sent one that is {scans[0]['status']!r}.")
        ask = graphql(queries.ISSUES, path=queries.PATH, scan=identifier(scans[0]["id"]))
        issues = List(ask, "data.scan.issues", ScanIssues(), self.issue, id=_named_by("fingerprint"))
        yield Family("issues", issues, mark=mark(scans[0]["end_time"]))

    def issue(self, row: Row) -> Finding:
        """An issue by its fingerprint, which Burp keeps over scans; the serial number is another with each scan."""
        kind = Row(row["issue_type"] or {})
        rule = identifier(kind["type_index"]) if kind else ""
        verdict = verdict_of(row)
        return Finding(
            key=_fingerprint(row),
            title=text(kind.get("name")) or f"Issue of type {rule or 'unknown'}",
            severity=self.severity(row["severity"]),
            description=_joined(row["description_html"], kind.get("description_html")),
            mitigation=_joined(row["remediation_html"], kind.get("remediation_html")),
            evidence=plain(row["evidence"]),
            verdict=verdict,
            vendor_severity=str(row["severity"]),
            vendor_status=STATUS[verdict],
            vendor_reason=reason_of(row, verdict),
            confidence="" if verdict is Verdict.FALSE_POSITIVE else str(row["confidence"]),
            rule=rule,
            cwe=cwes(text(kind.get("vulnerability_classifications_html"))),
            path=text(row["path"]),
            endpoint=text(row["origin"]),
            references=links_in(text(kind.get("references_html"))),
            unknown_words=self._unknown_words(row),
        )

    def _unknown_words(self, row: Row) -> tuple[str, ...]:
        if (
            row["severity"] in self.severities
            and row["confidence"] in CONFIDENCES
            and row["accepted_risk"] in (True, False)
        ):
            return ()
        known = {"severity": self.severities, "confidence": CONFIDENCES, "accepted_risk": ("true", "false")}
        words = {name: str(row[name]).strip().lower() for name in known}
        return tuple(f"{name}: {word[:100]}" for name, word in words.items() if word not in known[name])


def _joined(*texts: Any) -> str:
    return "\n\n".join(filter(None, map(text, texts)))


def _fingerprint(row: Row) -> str:
    """What names an issue; null in scans from before the server knew fingerprints."""
    if row["fingerprint"] is None:
        raise VendorChanged("The issue has no fingerprint, as in scans of older servers; scan the site again.")
    return identifier(row["fingerprint"])


def _named_by(field: str) -> Callable[[Row], str]:
    return lambda row: identifier(row[field])


def _folders_above(folder: str, folders: Mapping[str, Row]) -> list[str]:
    """The names of the folders above a site, from the top; without the root, which holds everything."""
    names: list[str] = []
    passed = {ROOT}
    while folder in folders and folder not in passed:
        passed.add(folder)
        names.insert(0, text(folders[folder]["name"]))
        folder = identifier(folders[folder]["parent_id"])
    return names
