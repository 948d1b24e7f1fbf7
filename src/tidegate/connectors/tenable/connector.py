"""Tenable Vulnerability Management: what scans found, in one export for all Records (networks, tags or scans)."""

from collections.abc import Callable, Generator, Sequence
from typing import Annotated, Any, Literal, Self, cast
from urllib.parse import quote

from pydantic import AfterValidator, Field, SecretStr, StringConstraints, model_validator

from tidegate.connectors.tenable.export import EXPORT, start
from tidegate.connectors.tenable.vulnerability import vulnerability
from tidegate_sdk import (
    NO_PRODUCT,
    Account,
    Ask,
    Families,
    Finding,
    Header,
    Http,
    HttpSettings,
    Incomplete,
    List,
    Location,
    Offset,
    Page,
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
    Whole,
    dig,
    identifier,
)
from tidegate_sdk.fields import rows, text, whole_number

FAMILY = "vulnerabilities"
PER = 1_000
SCREENS = frozenset({"tio", "app.html", "vm", "session"})
LOCATION = Location("https://cloud.tenable.com", secret="API key", screens=SCREENS)  # noqa: S106 - its name


class TenableSettings(HttpSettings):
    url: Annotated[str, AfterValidator(LOCATION)] = Field(
        "https://cloud.tenable.com/",
        title="Location URL",
        description="https://cloud.tenable.com, or that of your region or FedRAMP site; any of its pages will do.",
        examples=["https://cloud.tenable.com"],
    )
    access_key: SecretStr = Field(
        title="Access key",
        min_length=1,
        description="Settings > My Account > API Keys, of a user of its own: each user has one pair of keys.",
    )
    secret_key: SecretStr = Field(
        title="Secret key",
        min_length=1,
        description="The other half. The user needs the role Basic, and Can View on the assets that are to be read.",
    )
    group_by: Literal["network", "tag", "scan"] = Field(
        "network",
        title="A Record is",
        description="What hosts are grouped by: their network, a tag (see below), or the scan that last saw a finding.",
    )
    tag_category: Annotated[str, StringConstraints(strip_whitespace=True)] = Field(
        "",
        title="Tag category",
        description="Each of its values becomes a Record, as Location does for Dallas and Berlin; for grouping by tag.",
        examples=["Location"],
    )
    informational: bool = Field(
        False,
        title="Informational too",
        description="Most rows of severity Info are notes of what a scan saw; without them an export is much smaller.",
    )

    @model_validator(mode="after")
    def category_fits(self) -> Self:
        """A tag has a category and a value, and only the values of one category can be Records."""
        if self.group_by == "tag" and not self.tag_category:
            raise ValueError("the tag category is missing, whose values are to be the Records")
        if self.tag_category and self.group_by != "tag":
            raise ValueError("a tag category is for grouping by tag alone")
        return self


class Tenable(Tool[TenableSettings]):
    slug = "tenable"
    name = "Tenable Vulnerability Management"
    a_record_is = "an asset group"
    severities = {  # noqa: RUF012 - declared as a ClassVar by Tool
        "critical": Severity.CRITICAL,
        "high": Severity.HIGH,
        "medium": Severity.MEDIUM,
        "low": Severity.LOW,
        "info": Severity.INFO,
    }

    def door(self) -> Http:
        keys = (self.settings.access_key, self.settings.secret_key)
        return self.settings.door(self.settings.url, Header("X-ApiKeys", keys, "accessKey={};secretKey={}"))

    def account(self) -> Talk[Account]:
        """Whose keys these are; the account is the container, as Tenable calls what one customer has."""
        user = Row((yield Ask("session", bare=True)).body)
        name = text(user.get("username")) or text(user.get("name"))
        container = text(user.get("container_name"))
        return Account(id=identifier(user, "container_uuid"), name=f"{name} of {container}" if container else name)

    def veps(self) -> List[Vep]:
        match self.settings.group_by:
            case "network":
                return List(Ask("networks"), "networks", _paged(), self.network, id=_named_by("uuid"))
            case "tag":
                return List(self._values(), "values", _paged(), self.tag, id=_named_by("uuid"))
            case "scan":
                return List(Ask("scans"), "scans", Whole(), self.scan, id=_named_by("schedule_uuid"))

    def families(self, vep: Vep) -> Families:
        """Nothing by itself: an account runs two exports at once, so each Record cannot have its own."""
        yield from ()

    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        if self.settings.group_by == "tag":
            yield from self._of_tags(veps)
        else:
            owner = of_network if self.settings.group_by == "network" else of_scan
            yield SharedFamily(FAMILY, self._exported(), owner, off=frozenset({403}))

    def network(self, row: Row) -> Vep:
        uuid = identifier(row, "uuid")
        return Vep(
            id=uuid,
            name=text(row["name"]) or uuid,
            url=self._screen(f"settings/sensors/nessus/networks/network-details/{quote(uuid, safe='')}/settings"),
        )

    def tag(self, row: Row) -> Vep | Skip:
        category = identifier(row, "category_name")
        if category.casefold() != self.settings.tag_category.casefold():
            return Skip("A tag of another category.")
        if row.get("uuid") is None and row.get("value") is None:
            return Skip("A tag category without a value.")
        value = text(row["value"])
        return Vep(id=identifier(row, "uuid"), name=value or identifier(row, "uuid"), parent=category)

    def scan(self, row: Row) -> Vep:
        uuid = identifier(row, "schedule_uuid")
        return Vep(id=uuid, name=text(row["name"]) or uuid, attributes={"type": text(row.get("type"))})

    def vulnerability(self, row: Row) -> Finding | Skip:
        """A weakness of one host by Tenable's id for it, which stays as long as asset, plugin, port and protocol do."""
        return vulnerability(self, row)

    def _of_tags(self, veps: Sequence[Vep]) -> SharedFamilies:
        """An export for each value, one after the other. Rows do not tell the tags of their asset, so Tenable must
        choose them; and a host that has two values of the category is in both Records."""
        named = yield from self._named_now()
        for vep in veps:
            if vep.id in named:
                tagged = self._exported(**{f"tag.{named[vep.id][0]}": [named[vep.id][1]]})
                yield SharedFamily(FAMILY, tagged, _always(vep.id), _only(vep.id), off=frozenset({403}))
            elif vep.id != NO_PRODUCT:
                yield Skipped(FAMILY, f"The tag «{vep.name}» is not there any more.", covers=_only(vep.id))

    def _named_now(self) -> Generator[Ask, Page, dict[str, tuple[str, str]]]:
        """Category and value of each tag as they are called now: a filter by an old name finds nothing, in silence."""
        named: dict[str, tuple[str, str]] = {}
        seen, total = 0, 1
        while seen < total:
            page = yield self._values().more(offset=seen, limit=PER)
            values, total = rows(page.body, "values"), whole_number(dig(page.body, "pagination.total"))
            if not values and seen < total:
                raise Incomplete(f"There are {total} tags, and Tenable lists {seen}.")
            tags = [row for row in values if isinstance(self.tag(row), Vep)]
            named |= {identifier(row, "uuid"): (text(row["category_name"]), text(row["value"])) for row in tags}
            seen += len(values)
        return named

    def _values(self) -> Ask:
        return Ask("tags/values", {"f": f"category_name:eq:{self.settings.tag_category}", "sort": "value:asc"})

    def _exported(self, **filters: Any) -> List[Finding]:
        ask = start(filters, informational=self.settings.informational)
        return List(ask, "", EXPORT, self.vulnerability, id=_named_by("finding_id"))

    def _screen(self, path: str) -> str:
        return f"{self.settings.url}tio/app.html#/{path}"


def of_network(row: Row) -> str:
    """The network of the host; Tenable leaves out what is empty."""
    return _home(row["asset"], "network_id")


def of_scan(row: Row) -> str:
    """The scan that saw the finding last; what was imported has none."""
    _home(row["asset"], "uuid")  # or it is no row of an export, and belongs to nobody
    return NO_PRODUCT if row.get("scan") is None else _home(row["scan"], "schedule_uuid")


def _home(holder: Any, name: str) -> str:
    if not isinstance(holder, dict):
        raise VendorChanged(f"What should hold the {name!r} is no object.")
    told: Any = cast("dict[str, Any]", holder).get(name)
    return NO_PRODUCT if told is None else identifier(told)


def _paged() -> Offset:
    return Offset("pagination.total", per=PER)


def _named_by(field: str) -> Callable[[Row], str]:
    return lambda row: identifier(row, field)


def _always(vep: str) -> Callable[[Row], str]:
    return lambda row: vep


def _only(vep: str) -> Callable[[Vep], bool]:
    return lambda other: other.id == vep
