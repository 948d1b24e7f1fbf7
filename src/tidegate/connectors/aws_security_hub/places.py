"""Where findings come from: each account that Security Hub looks after, in each region that is linked to this one."""

from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any, BinaryIO
from urllib.parse import quote

import msgspec

from tidegate_sdk import Ask, Page, Proof, Row, VendorChanged, Walk, dig, identifier
from tidegate_sdk.aws import partition_of, region_of
from tidegate_sdk.fields import rows, text, texts

NOT_THERE = frozenset({"created", "invited", "removed", "resigned", "deleted", "accountsuspended"})
"""What a member is that sends nothing. A word that nobody knows counts as one that does."""
PER_PAGE = 50
REGIONS = (
    "af-south-1", "ap-east-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1",
    "ap-south-2", "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-5",
    "ap-southeast-6", "ap-southeast-7", "ca-central-1", "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1",
    "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2", "eu-west-3", "il-central-1", "me-central-1", "me-south-1",
    "mx-central-1", "sa-east-1", "us-east-1", "us-east-2", "us-west-1", "us-west-2",
    "cn-north-1", "cn-northwest-1", "us-gov-east-1", "us-gov-west-1",
)  # fmt: skip
"""All regions of November 2026 by botocore's endpoints.json: an aggregator that links all of them names none."""


@dataclass(frozen=True, slots=True)
class Hub:
    """Whom the access key belongs to, and where it asks."""

    arn: str
    account: str
    region: str


def hub_of(body: Any) -> Hub:
    """`arn:aws:securityhub:eu-west-1:111122223333:hub/default`"""
    arn = identifier(body, "HubArn")
    parts = arn.split(":")
    if len(parts) != 6 or not all(parts) or parts[0] != "arn" or not _is_account(parts[4]):
        raise VendorChanged(f"The HubArn is no ARN of a hub: {arn[:100]}.")
    return Hub(arn, parts[4], parts[3])


class Places:
    """Walks the linked regions and the member accounts, then asks who we are: that answer gives the rows.

    A row is an account in a region, `{"account", "region", "home"}`: AWS lists both, and never the pairs.
    """

    def walk(self, first: Ask) -> Walk:
        linked = yield from _linked()
        members, pages = yield from _members()
        read = partial(_pairs, members=members, linked=linked)
        page = yield Ask(first.path, reader=read)
        return Proof(page.count, None, "steady", pages)


def _linked() -> Generator[Ask, Page, Row | None]:
    """The aggregator; None where findings of one region alone are shown. There is at most one."""
    page = yield Ask("findingAggregator/list", bare=True)
    found = rows(page.body, "FindingAggregators")
    if not found:
        return None
    name = quote(identifier(found[0], "FindingAggregatorArn"), safe="")
    page = yield Ask(f"findingAggregator/get/{name}", bare=True)
    return Row(page.body)


def _members() -> Generator[Ask, Page, tuple[list[str], int]]:
    """The member accounts that send findings here, and how many pages they were told on."""
    found: list[str] = []
    token, pages = "", 0
    while True:
        more = {"NextToken": token} if token else {}
        page = yield Ask("members", {"OnlyAssociated": "true", "MaxResults": PER_PAGE, **more}, bare=True)
        found += [_account(row) for row in rows(page.body, "Members") if _is_there(row)]
        token, pages = text(dig(page.body, "NextToken", None)), pages + 1
        if not token:
            return found, pages


def _account(row: Row) -> str:
    account = identifier(row, "AccountId")
    if not _is_account(account):
        raise VendorChanged(f"A member's AccountId is none: {account[:50]}.")
    return account


def _is_account(told: str) -> bool:
    return len(told) == 12 and told.isdecimal()


def _is_there(row: Row) -> bool:
    return text(row.get("MemberStatus")).strip().lower() not in NOT_THERE


def _pairs(file: BinaryIO, members: list[str], linked: Row | None) -> Iterator[dict[str, Any]]:
    """Each account in each region, from the answer that says who we are."""
    try:
        hub = hub_of(msgspec.json.decode(file.read(2**16)))
    except (ValueError, RecursionError):
        raise VendorChanged("GET /accounts answered with something that is not JSON.") from None
    regions = regions_of(hub.region, linked)
    for account in dict.fromkeys((hub.account, *members)):
        for region in regions:
            yield {"account": account, "region": region, "home": region == hub.region}


def regions_of(home: str, linked: Row | None) -> list[str]:
    """The regions whose findings are shown in this one; it comes first."""
    if linked is None or _region(linked["FindingAggregationRegion"]) != home:
        return [home]  # only the home region of the aggregator shows what is linked to it
    mode = text(linked["RegionLinkingMode"])
    named = [_region(told) for told in texts(linked.get("Regions"))]
    if not named and mode in ("SPECIFIED_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED"):
        raise VendorChanged("The linked regions are not told.")
    others: Iterable[str]
    if mode == "SPECIFIED_REGIONS":
        others = named
    elif mode in ("ALL_REGIONS", "ALL_REGIONS_EXCEPT_SPECIFIED"):
        partition = partition_of(home)
        left_out = () if mode == "ALL_REGIONS" else named  # it may still hold what an earlier choice left out
        others = (each for each in REGIONS if partition_of(each) == partition and each not in left_out)
    elif mode == "NO_REGIONS":
        others = ()
    else:
        raise VendorChanged(f"The linked regions are told in a way that nobody knows: {mode[:50]}.")
    return list(dict.fromkeys((home, *others)))


def _region(told: Any) -> str:
    name = text(told)
    if not name or region_of(name) != name:
        raise VendorChanged(f"A region has no name: {name[:50]}.")
    return name
