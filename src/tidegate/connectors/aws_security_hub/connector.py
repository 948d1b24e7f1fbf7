"""AWS Security Hub: the controls, vulnerabilities and findings of each account in each region that is linked."""

from collections.abc import Generator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Annotated, Any, Literal, Self
from urllib.parse import quote, urlsplit

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from tidegate.connectors.aws_security_hub.location import console, location
from tidegate.connectors.aws_security_hub.package import evidence_of, image_of, package_of
from tidegate.connectors.aws_security_hub.places import Hub, Places, hub_of
from tidegate.connectors.aws_security_hub.refused import refusal_of
from tidegate.connectors.aws_security_hub.state import of_finding
from tidegate_sdk import (
    AccessDenied,
    Account,
    Ask,
    ConnectorError,
    Count,
    Cursor,
    Families,
    Finding,
    Http,
    HttpSettings,
    List,
    Page,
    Proof,
    Row,
    Severity,
    SharedFamilies,
    SharedFamily,
    Skip,
    Skipped,
    Talk,
    Tool,
    VendorChanged,
    Vep,
    Walk,
    identifier,
)
from tidegate_sdk.aws import AssumedRole, Keys, SigV4, host_of, is_of_aws, region_of
from tidegate_sdk.fields import cut, links, moment, objects, quoted, rows, text, texts

CONTROLS, INSPECTOR = ("Security Hub CSPM", "Security Hub"), ("Inspector",)
"""The products as findings name them; the first one was renamed in 2025."""
FAMILIES: Mapping[str, tuple[str, ...]] = {"controls": CONTROLS, "vulnerabilities": INSPECTOR, "findings": ()}
"""What is read together, by the products it is of; the last one is of all others."""
_FAMILY_OF = {product: family for family, products in FAMILIES.items() for product in products}
PER_PAGE, VALUES = 100, 20
BY_SEVERITY = "arn:aws:securityhub:::insight/securityhub/default/29"
"""An insight that AWS itself keeps in every hub: "Severity by counts of findings"."""
ARCHIVED_DAYS = 7
"""How far back the archived are read as fixed; an older one is missing from a complete list, which closes it too."""

Word = Annotated[str, StringConstraints(strip_whitespace=True)]


class SecurityHubSettings(HttpSettings):
    url: Annotated[str, AfterValidator(location)] = Field(
        title="Endpoint URL",
        description="Of Security Hub in your home region; a region, or an address of the console, will do.",
        examples=["https://securityhub.eu-west-1.amazonaws.com", "eu-west-1"],
    )
    access_key_id: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)] = Field(
        title="Access key ID",
        description="Of a user with the rights that the guide lists, or who may assume the role below.",
        examples=["AKIAIOSFODNN7EXAMPLE"],
    )
    secret_access_key: SecretStr = Field(
        title="Secret access key", min_length=1, description="IAM > Users > Security credentials; shown once there."
    )
    session_token: SecretStr | None = Field(
        None, title="Session token", description="Only for temporary keys (ASIA…), which end within hours."
    )
    role: Annotated[str, StringConstraints(strip_whitespace=True, pattern=r"^(arn:[\w-]+:iam::\d{12}:role/\S+)?$")] = (
        Field("", title="Role to assume", description="Its ARN, where the user itself may do no more than assume it.")
    )
    external_id: SecretStr | None = Field(
        None, title="External ID", description="If the trust policy of the role asks for one."
    )
    grouping: Literal["account and region", "account"] = Field(
        "account and region",
        title="A Record is",
        description="Each account in each linked region, or each account with all of its regions.",
    )
    region: Word = Field(
        "",
        title="Region",
        description="Only where the endpoint is an address of your own, which does not name it.",
        json_schema_extra={"seldom": True},
    )
    sts_url: Annotated[str, AfterValidator(lambda told: told and location(told))] = Field(
        "",
        title="STS endpoint URL",
        description="Only where the role is to be assumed elsewhere than at Amazon's own endpoint in the region.",
        json_schema_extra={"seldom": True},
    )

    @property
    def home(self) -> str:
        """The region that is asked."""
        return self.region or region_of(urlsplit(self.url).hostname or "")

    @property
    def sts(self) -> str:
        """Where the role is assumed; never at Amazon for an endpoint that is not Amazon's."""
        return self.sts_url or (f"https://{host_of('sts', self.home)}/" if is_of_aws(self.url) else "")

    @model_validator(mode="after")
    def region_is_known(self) -> Self:
        """A signature names the region; keys of one cloud are not sent to another."""
        if not self.home:
            raise ValueError("the endpoint does not name its region, so enter the region too")
        if self.role and not self.sts:
            raise ValueError("the endpoint is not Amazon's own, so enter the STS endpoint where the role is assumed")
        return self


class SecurityHub(Tool[SecurityHubSettings]):
    slug = "aws_security_hub"
    name = "AWS Security Hub"
    a_record_is = "an AWS account"
    severities = {  # noqa: RUF012 - declared as a ClassVar by Tool
        "critical": Severity.CRITICAL,
        "high": Severity.HIGH,
        "medium": Severity.MEDIUM,
        "low": Severity.LOW,
        "informational": Severity.INFO,
    }

    def __init__(self, settings: SecurityHubSettings) -> None:
        super().__init__(settings)
        self.hub: Hub | None = None

    def door(self) -> Http:
        """GetFindings takes three questions a second, and six at once."""
        told = self.settings
        keys = Keys(told.access_key_id, told.secret_access_key, told.session_token)
        if not told.role:
            return told.door(told.url, SigV4(keys, "securityhub", told.home), per_second=3)
        sts = told.login_door(told.sts, SigV4(keys, "sts", told.home))
        login = AssumedRole(sts, told.role, "securityhub", told.home, told.external_id)
        return told.door(told.url, login, per_second=3)

    def refusal(self, body: Any) -> ConnectorError | None:
        return refusal_of(body)

    def account(self) -> Talk[Account]:
        hub = yield from self._hub()
        return Account(id=hub.arn, name=f"AWS account {hub.account} in {hub.region}")

    def veps(self) -> List[Vep]:
        # No path of an answer: the rows are made of several.
        return List(Ask("accounts"), "places", Places(), self.place, id=self._place_of)

    def open_findings(self) -> tuple[Count, ...]:
        """Of all accounts and linked regions, by severity: active, and nobody has resolved or suppressed them."""
        return (Count("InsightResults.ResultValues.Count", Ask(f"insights/results/{quote(BY_SEVERITY, safe='/')}")),)

    def place(self, row: Row) -> Vep | Skip:
        account, region = identifier(row, "account"), identifier(row, "region")
        if self._by_account:
            if row["home"] is not True:
                return Skip("One more region of an account.")
            return Vep(id=account, name=account, url=console(region, "findings"), attributes={"account": account})
        return Vep(
            id=f"{account}/{region}",
            name=f"{account} {region}",
            url=console(region, "findings"),
            parent=account,
            attributes={"account": account, "region": region},
        )

    def _place_of(self, row: Row) -> str:
        account = identifier(row, "account")
        return account if self._by_account else f"{account}/{identifier(row, 'region')}"

    def families(self, vep: Vep) -> Families:
        """GetFindings gives those of all accounts together."""
        yield from ()

    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        wanted = frozenset(vep.id for vep in veps)
        unchecked, why = yield from self._unchecked(wanted)
        if unchecked:
            yield Skipped("controls", why, covers=lambda vep: vep.id == unchecked)
        for family in FAMILIES:
            without = unchecked if family == "controls" else ""
            served = wanted - {without}
            if served:
                yield self._family(family, served, _scope(vep for vep in veps if vep.id in served))

    def _family(self, family: str, served: frozenset[str], scope: Mapping[str, Any]) -> SharedFamily:
        ask = Ask("findings", method="POST", json={"MaxResults": PER_PAGE, "Filters": scope}, safe=True)
        found = List(ask, "Findings", FixedFirst(family), partial(self.finding, family=family), id=_key)
        return SharedFamily(family, found, of=self._home, covers=lambda vep: vep.id in served)

    def _unchecked(self, wanted: frozenset[str]) -> Generator[Ask, Page, tuple[str, str]]:
        """Our own account and region, if no standard is enabled there, and why: of the others nobody can tell."""
        if self._by_account:
            return "", ""
        hub = yield from self._hub()
        ours = f"{hub.account}/{hub.region}"
        if ours not in wanted:
            return "", ""
        try:
            page = yield Ask("standards/get", method="POST", json={"MaxResults": 1}, bare=True, safe=True)
        except AccessDenied as error:
            return ours, f"Nobody can tell whether a standard is enabled. {error}"
        enabled = rows(page.body, "StandardsSubscriptions")
        return ("", "") if enabled else (ours, f"No standard is enabled in {hub.account} {hub.region}.")

    def _hub(self) -> Generator[Ask, Page, Hub]:
        """Whom the keys belong to; asked once a run, for that does not change."""
        if self.hub is None:
            page = yield Ask("accounts", bare=True)
            self.hub = hub_of(page.body)
        return self.hub

    def _home(self, row: Row) -> str:
        account = identifier(row, "AwsAccountId")
        return account if self._by_account else f"{account}/{identifier(row, 'Region')}"

    @property
    def _by_account(self) -> bool:
        return self.settings.grouping == "account"

    def finding(self, row: Row, family: str = "") -> Finding | Skip:
        """A finding by its product and the product's own id, which is how Security Hub itself tells them apart."""
        if row.get("Sample") is True:
            return Skip("A sample finding, made to try something out.")
        product = text(row.get("ProductName"))
        if family and product and family_of(product) != family:
            return Skip("It is of another Family of its account.")
        label = row.get("Severity.Label")
        word = text(_label(row) if label is None else label)
        package, how, resources = package_of(row), of_finding(row), objects(row.get("Resources"))
        image = image_of(resources)
        advice, link = text(row.get("Remediation.Recommendation.Text")), row.get("Remediation.Recommendation.Url")
        return Finding(
            key=_key(row),
            title=text(row["Title"]),
            severity=self.severity(word),
            description=text(row["Description"]),
            mitigation="" if advice == "None Provided" else advice,
            evidence=evidence_of(row, resources, package),
            url=_screen(row),
            fixed=how.fixed,
            verdict=how.verdict,
            vendor_severity=word,
            vendor_status=how.word,
            vendor_reason=text(row.get("Note.Text")) if how.verdict else "",
            confidence=_number(row.get("Confidence")),
            rule=_rule(row),
            cwe=package.cwe,
            ids=package.ids,
            cvss=package.cvss,
            cvss_score=package.score,
            epss=package.epss,
            component=package.name,
            version=package.version,
            purl=package.purl,
            fix=package.fix,
            fixed_version=package.fixed_version,
            path=package.path,
            line=package.line,
            endpoint="" if image or not resources else text(resources[0].get("Id")),
            image=image,
            references=tuple(dict.fromkeys((*links(link, row.get("SourceUrl")), *package.references))),
            tags=tuple(dict.fromkeys(filter(None, (product, *texts(row.get("Types")))))),
            found_at=moment(row.get("FirstObservedAt")) or moment(row["CreatedAt"]),
            unknown_words=(*self.unknown_severity("Severity.Label", word), *how.unknown),
        )


@dataclass(frozen=True, slots=True)
class FixedFirst:
    """Two walks of GetFindings: what was archived lately, then what is active. Passed checks are not asked for.

    In this order one that is archived meanwhile is missing from both, and gone; in the other it would come twice, and
    differ.
    """

    family: str

    def walk(self, first: Ask) -> Walk:
        seen = pages = 0
        for lot, odd in ((self.archived, ""), (self.active, "ARCHIVED")):
            asked = {**first.json, "Filters": {**first.json["Filters"], **lot}}
            walk = Cursor("NextToken", json="NextToken", optional=True).walk(replace(first, json=asked))
            proof = yield from _without(walk, odd)
            seen, pages = seen + proof.seen, pages + proof.pages
        return Proof(seen, None, "steady", pages)

    @property
    def archived(self) -> Mapping[str, Any]:
        lately = {"DateRange": {"Value": ARCHIVED_DAYS, "Unit": "DAYS"}}
        return {"ProductName": self.products, "RecordState": [_equals("ARCHIVED")], "UpdatedAt": [lately]}

    @property
    def active(self) -> Mapping[str, Any]:
        open_ones = {"ComplianceStatus": [_not("PASSED")]} if self.family == "controls" else {}
        return {"ProductName": self.products, "RecordState": [_equals("ACTIVE")], **open_ones}

    @property
    def products(self) -> list[Mapping[str, str]]:
        ours = FAMILIES[self.family]
        return [_equals(name) for name in ours] or [_not(name) for names in FAMILIES.values() for name in names]


def _without(walk: Walk, odd: str) -> Walk:
    """The walk, as long as no row has a record state that was not asked for: that answers another question."""
    ask = next(walk)
    while True:
        page = yield ask
        if odd and any(row.get("RecordState") == odd for row in page.rows):
            raise VendorChanged("GetFindings answers with findings that were not asked for.")
        try:
            ask = walk.send(page)
        except StopIteration as end:
            return end.value


def family_of(product: str) -> str:
    """The Family of a product's findings."""
    return _FAMILY_OF.get(product, "findings")


def _scope(veps: Any) -> Mapping[str, Any]:
    """Filters for these accounts and regions, where one question can name them all."""
    told = [vep.attributes for vep in veps]
    named = {
        "AwsAccountId": sorted({each["account"] for each in told if "account" in each}),
        "Region": sorted({each["region"] for each in told if "region" in each}),
    }
    return {name: [_equals(value) for value in values] for name, values in named.items() if 0 < len(values) <= VALUES}


def _equals(value: str) -> Mapping[str, str]:
    return {"Value": value, "Comparison": "EQUALS"}


def _not(value: str) -> Mapping[str, str]:
    return {"Value": value, "Comparison": "NOT_EQUALS"}


def _key(row: Row) -> str:
    return f"{identifier(row, 'ProductArn')}/{identifier(row, 'Id')}"


def _rule(row: Row) -> str:
    """The control, or what generated the finding; of GuardDuty the type, since its generator is the account's own."""
    generator = text(row["GeneratorId"])
    kind = next(iter(texts(row.get("Types"))), "") if ":detector/" in generator else ""
    return text(row.get("Compliance.SecurityControlId")) or cut(kind.rpartition("/")[2] or generator, 500)


def _label(row: Row) -> str:
    """The severity where only its number is told, by Security Hub's own table."""
    number = row.get("Severity.Normalized")
    if isinstance(number, bool) or not isinstance(number, int | float) or not 0 <= number <= 100:
        return ""
    table = ((90, "CRITICAL"), (70, "HIGH"), (40, "MEDIUM"), (1, "LOW"), (0, "INFORMATIONAL"))
    return next(label for least, label in table if number >= least)


def _number(value: Any) -> str:
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else ""


def _screen(row: Row) -> str | None:
    """The finding in Security Hub's console."""
    region = text(row.get("Region"))
    return console(region, f"findings?search=Id%3D{quoted(identifier(row, 'Id'))}") if region else None
