"""Probely (Snyk API & Web): the findings of each target, in one walk over the account."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, Any, Final

from pydantic import AfterValidator, Field, SecretStr

from tidegate_sdk import (
    Account,
    Ask,
    Count,
    Families,
    Finding,
    Header,
    Http,
    HttpSettings,
    List,
    Location,
    PageNumber,
    Row,
    Severity,
    SharedFamilies,
    SharedFamily,
    State,
    Talk,
    Tool,
    VendorChanged,
    Vep,
    identifier,
    state_of,
)
from tidegate_sdk.fields import cut, cwes, links, objects, quoted, score, text
from tidegate_sdk.state import ACCEPTED, FALSE_POSITIVE, FIXED, OPEN

LOCATION = Location("https://api.eu.probely.com", secret="API key", screens=frozenset({"targets", "findings"}))  # noqa: S106 - its name
PAGES = PageNumber("count", page="page", size="length", per=50)
SCREENS = "https://plus.probely.app/"
"""Where people look at it, in every region."""
LONGEST = 4_000
"""Characters kept of what the scanner sent and saw."""
STATE: Final[Mapping[str, State]] = {
    "notfixed": OPEN,
    "retesting": OPEN,
    "invalid": FALSE_POSITIVE,
    "accepted": ACCEPTED,
    "fixed": FIXED,
}


class ProbelySettings(HttpSettings):
    url: Annotated[str, AfterValidator(LOCATION)] = Field(
        title="Location URL",
        description="The API of your region: https://api.eu.probely.com, api.us.probely.com or api.au.probely.com.",
        examples=["https://api.eu.probely.com", "https://api.us.probely.com"],
    )
    api_key: SecretStr = Field(
        title="API key",
        min_length=1,
        description="User > API Keys, of the whole account, with a role that may view targets and findings.",
    )


class Probely(Tool[ProbelySettings]):
    slug = "probely"
    name = "Probely (Snyk API & Web)"
    a_record_is = "a target"
    severities = {"30": Severity.HIGH, "20": Severity.MEDIUM, "10": Severity.LOW}  # noqa: RUF012 - declared by Tool

    def door(self) -> Http:
        return self.settings.door(self.settings.url, Header("Authorization", self.settings.api_key, "JWT {}"))

    def account(self) -> Talk[Account]:
        """Whom the key belongs to: an account has no id that its documentation knows."""
        user = Row((yield Ask("profile/", bare=True)).body)
        return Account(id=identifier(user, "id"), name=text(user.get("name")) or text(user.get("email")))

    def veps(self) -> List[Vep]:
        return List(Ask("targets/"), "results", PAGES, self.target, id=_id, secret=True)

    def open_findings(self) -> Sequence[Count]:
        return (Count("count", Ask("findings/", {"state": "notfixed", "length": 1})),)

    def families(self, vep: Vep) -> Families:
        """Nothing by itself: the findings of all targets are one list."""
        yield from ()

    def shared(self, veps: Sequence[Vep]) -> SharedFamilies:
        asked = Ask("findings/", {"state": ["notfixed", "invalid", "accepted", "fixed"], "ordering": "-last_found"})
        # Each row holds its target with the logins that scans use, so none is kept.
        found = List(asked, "results", PAGES, self.finding, id=_id, secret=True)
        yield SharedFamily("findings", found, _target, off=frozenset({403}))

    def target(self, row: Row) -> Vep:
        key = identifier(row, "id")
        address = text(row.get("site.url")) or text(row.get("url"))
        return Vep(
            id=key,
            name=text(row.get("name")) or text(row.get("site.name")) or address or key,
            url=f"{SCREENS}targets/{quoted(key)}",
            attributes={"url": address, "type": text(row.get("type"))},
        )

    def finding(self, row: Row) -> Finding:
        """By its number, which Probely keeps from scan to scan; each target counts by itself."""
        key, target = identifier(row, "id"), _target(row)
        how, word = state_of("state", row["state"], STATE), row["severity"]
        address, vector = text(row["url"]), text(row.get("cvss_vector"))
        return Finding(
            key=key,
            title=text(row["definition.name"]),
            severity=self.severity(word),
            description=_told(row.get("definition.desc"), row.get("extra")),
            mitigation=text(row.get("fix")).strip(),
            evidence=cut("\n\n".join(_evidence(row)), LONGEST),
            url=f"{SCREENS}targets/{quoted(target)}/findings/{quoted(key)}",
            fixed=how.fixed,
            verdict=how.verdict,
            vendor_severity="" if word is None else str(word)[:100],
            vendor_status=how.word,
            vendor_reason=text(row.get("comment")) if how.verdict else "",
            rule=text(row.get("definition.id")),
            cwe=cwes(row.get("definition.cwe_id")),
            cvss=(vector,) if vector else (),
            cvss_score=score(row.get("cvss_score")),
            endpoint=address,
            references=links(address),
            tags=_labels(row.get("labels")),
            unknown_words=(*self.unknown_severity("severity", word), *how.unknown),
        )


def _id(row: Row) -> str:
    return identifier(row, "id")


def _target(row: Row) -> str:
    return identifier(row, "target.id")


def _told(*parts: Any) -> str:
    return "\n\n".join(filter(None, (text(part).strip() for part in parts)))


def _evidence(row: Row) -> Iterator[str]:
    """Where it was put in, what was noticed, and the first exchange."""
    where = (text(row.get("method")).upper(), text(row.get("insertion_point")), text(row.get("parameter")))
    if told := " ".join(filter(None, where)):
        yield told
    if noticed := text(row.get("evidence")).strip():
        yield noticed
    for exchange in objects(row.get("requests"))[:1]:
        yield from filter(None, (text(exchange.get(name)).strip() for name in ("request", "response")))


def _labels(told: Any) -> tuple[str, ...]:
    """The names of labels: objects in what Probely sends, texts in its OpenAPI."""
    if told is None:
        return ()
    if not isinstance(told, list):
        raise VendorChanged("The labels are no list.")
    named = [each if isinstance(each, str) else text(Row(each)["name"]) for each in told]  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
    return tuple(dict.fromkeys(filter(None, named)))
