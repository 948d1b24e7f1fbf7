"""What there is to know of a DefectDojo before anything is delivered: asked, judged, and said with what to do.

Nothing is written there. One question looks like a write and is none: a Product without a name, which the server
refuses, telling by how it refuses whether this user might make one.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final, Literal

from .client import Dojo, Row, Server
from .errors import DojoError, NotPermitted, NotThere, Refused

Level = Literal["good", "warning", "problem"]

GENERIC: Final = "Generic Findings Import"
OLDEST: Final = "2.50"
NEWEST_KNOWN: Final = 3
CLOCKS_DIFFER_SECONDS: Final = 60
MOST_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class Remark:
    """One thing that was looked at: what is so, what follows for deliveries, what a person can do.

    Each is a sentence, the latter two "" where there is nothing to say.
    """

    about: str
    level: Level
    what: str
    follows: str = ""
    do: str = ""

    def __str__(self) -> str:
        return " ".join(part for part in (self.what, self.follows, self.do) if part)


@dataclass(frozen=True, slots=True)
class Preflight:
    """What was found. `server` is None where it did not get so far."""

    remarks: tuple[Remark, ...]
    server: Server | None = None
    user: str = ""

    @property
    def ok(self) -> bool:
        """Whether deliveries can work at all."""
        return all(remark.level != "problem" for remark in self.remarks)

    @property
    def version(self) -> str:
        """The server's; "" where it did not get so far."""
        return self.server.version if self.server else ""


@dataclass(slots=True)
class _Looked:
    """What a pre-flight has found out so far."""

    server: Server | None = None
    user: str = ""
    superuser: bool = False


def preflight(dojo: Dojo, product_type: str, *, warning: str = "") -> Preflight:
    """Looks at everything, until a question finds no answer.

    `product_type` is where new Products are to be made, by its name there; "" for nowhere. `warning` is what is to know
    of the way there: TLS that is not verified.
    """
    found, remarks = _Looked(), list[Remark]()
    if warning:
        remarks.append(Remark("connection", "warning", warning))
    try:
        for remark in _questions(dojo, found, product_type):
            remarks.append(remark)
    except DojoError as error:
        remarks.append(Remark("connection", "problem", error.what, do=error.next_step))
    return Preflight(tuple(remarks), found.server, found.user)


def _questions(dojo: Dojo, found: _Looked, product_type: str) -> Iterator[Remark]:
    profile = dojo.get("user_profile/")
    yield _user(profile, found)
    found.server = dojo.server()
    yield version(found.server)
    yield clock(found.server.clock_ahead)
    yield from _product_type(dojo, product_type)
    yield _visible(dojo, found)
    yield from _settings(dojo, found)
    yield _identity(dojo, found.server)


def version(server: Server) -> Remark:
    """Whether deliveries know this version."""
    says = f"The server is DefectDojo {server.version}."
    if not server.supported:
        return Remark(
            "version", "problem", says, f"Deliveries work from {OLDEST} on.", "Have DefectDojo upgraded first."
        )
    if server.number[0] > NEWEST_KNOWN:
        return Remark(
            "version",
            "warning",
            says,
            "Nobody tried deliveries with it yet.",
            "Look at a preview before the first one.",
        )
    return Remark("version", "good", says)


def clock(ahead: float) -> Remark:
    """Whether its clock and ours tell the same time."""
    seconds = round(abs(ahead))
    if seconds <= CLOCKS_DIFFER_SECONDS:
        return Remark("clock", "good", "Its clock and ours agree.")
    way = "ahead of" if ahead > 0 else "behind"
    return Remark(
        "clock",
        "warning",
        f"Its clock is {seconds:,} seconds {way} ours.",
        "Where people decided differently here and there, the wrong decision may count as the later one.",
        "Have both machines set by a time server.",
    )


def _user(profile: Row, found: _Looked) -> Remark:
    user = profile.get("user")
    told: dict[str, Any] = user if isinstance(user, dict) else {}
    found.user, found.superuser = str(told.get("username", "")), told.get("is_superuser") is True
    if not found.user:
        return Remark("user", "warning", "The server does not say who the token is.")
    if found.superuser:
        return Remark(
            "user",
            "good",
            f"The token is {found.user}'s, a superuser.",
            "It may do more than deliveries need.",
            "A user of Tidegate's own, who may write in the Products concerned, would do.",
        )
    return Remark("user", "good", f"The token is {found.user}'s.")


def _product_type(dojo: Dojo, name: str) -> Iterator[Remark]:
    if not name:
        yield Remark(
            "product type",
            "warning",
            "No product type is named.",
            "No Product can be made there: only those are delivered to that you link by hand.",
            "Name one of DefectDojo's product types.",
        )
        return
    there = list(dojo.pages("product_types/", name=name))  # the server's filter is loose
    row = next((row for row in there if row.get("name") == name), None)
    if row is None:
        near = sorted(str(one.get("name", "")) for one in there)[:MOST_NAMED]
        hint = f"Did you mean: {', '.join(near)}? " if near else ""
        yield Remark(
            "product type",
            "problem",
            f"There is no product type «{name}», or the token's user may not see it.",
            "No Product can be made there.",
            f"{hint}Make it in DefectDojo, or name another one.",
        )
        return
    yield _may_make(dojo, name, row["id"])


def _may_make(dojo: Dojo, name: str, number: Any) -> Remark:
    """Asks to make a Product without a name: a user who may is told that the name is missing."""
    try:
        dojo.post("products/", {"prod_type": number})
    except Refused:
        return Remark("product type", "good", f"New Products can be made in the product type «{name}».")
    except (NotPermitted, NotThere):
        return Remark(
            "product type",
            "problem",
            f"The token's user may not make Products in the product type «{name}».",
            "A Product that is not there yet cannot be delivered to.",
            "Give the user the right to add Products there, or link existing ones by hand.",
        )
    return Remark("product type", "warning", f"The server does not say whether Products can be made in «{name}».")


def _visible(dojo: Dojo, found: _Looked) -> Remark:
    number = dojo.count("products/")
    if number or found.superuser:
        return Remark(
            "products", "good", f"The token's user sees {number:,} {'Product' if number == 1 else 'Products'}."
        )
    return Remark(
        "products",
        "warning",
        "The token's user sees no Product at all.",
        "Existing Products cannot be joined; a missing right looks like a missing Product.",
        "Let the user into the Products that are delivered to.",
    )


def _settings(dojo: Dojo, found: _Looked) -> Iterator[Remark]:
    """What a superuser may read of the settings of the whole server."""
    try:
        told = dojo.get("system_settings/").get("results")
    except DojoError as error:
        if error.status not in (403, 404):
            raise
        told = None
    row = next((one for one in told if isinstance(one, dict)), None) if isinstance(told, list) else None
    if row is None:
        yield Remark(
            "deduplication",
            "good",
            "The server's own settings are shown to superusers only.",
            "Whether it removes duplicates could not be seen.",
            "Have somebody look: System Settings, *Deduplicate findings* and *Delete duplicates*.",
        )
        return
    if row.get("enable_deduplication") is True:
        yield Remark(
            "deduplication",
            "good",
            "It marks duplicates within a Product.",
            "A finding that another Test has already would be born inactive; in Tidegate's Engagement duplicates are"
            " looked for within that Engagement alone.",
        )
    else:
        yield Remark("deduplication", "good", "It does not look for duplicates.")
    if row.get("delete_duplicates") is True:
        yield Remark(
            "deduplication",
            "warning",
            f"It deletes duplicates beyond {row.get('max_dupes', 'a number')}.",
            "A finding that Tidegate delivered may be deleted there as somebody's duplicate.",
            "Switch *Delete duplicates* off, or leave Products with Tidegate to Tidegate.",
        )


def _identity(dojo: Dojo, server: Server) -> Remark:
    """By what the server tells findings of a report apart; it says so of a Test, from 3.2 on."""
    if not server.tells_algorithm:
        return Remark(
            "identity",
            "good",
            f"DefectDojo {server.version} does not say by what it tells findings apart.",
            "It is taken for a hash of title, CWE, line, file and description, as it comes.",
        )
    algorithm, fields = _algorithm(dojo)
    if not algorithm:
        return Remark(
            "identity",
            "good",
            "There is no Test of a report yet, so the server does not say by what it tells findings apart.",
            "The first delivery looks again.",
        )
    if algorithm == "unique_id_from_tool":
        return Remark("identity", "good", "It tells findings apart by the id that Tidegate gives each.")
    if algorithm == "hash_code":
        by = f" of {', '.join(fields)}" if fields else ""
        return Remark(
            "identity",
            "good",
            f"It tells findings apart by a hash{by}.",
            "Two that have all of these in common are one to it; Tidegate finds that out before it sends them.",
        )
    return Remark(
        "identity",
        "warning",
        f"It tells findings apart by «{algorithm[:60]}».",
        "Several ways at once may take two findings for one.",
        f"Leave {GENERIC} at its default, or set it to unique_id_from_tool.",
    )


def _algorithm(dojo: Dojo) -> tuple[str, list[str]]:
    for kind in dojo.pages("test_types/", name=GENERIC):
        if kind.get("name") != GENERIC:
            continue
        for test in dojo.pages("tests/", test_type=kind["id"]):
            told = dojo.get(f"tests/{test['id']}/")
            fields = told.get("hash_code_fields")
            return str(told.get("deduplication_algorithm") or ""), [*map(str, fields)] if isinstance(
                fields, list
            ) else []
    return "", []
