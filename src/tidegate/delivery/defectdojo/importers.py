"""What a DefectDojo says of its API importers and of the findings they left, read for a takeover; nothing is written.

Facts: the serializers of dojo/tool_config, dojo/product, dojo/test, dojo/finding and dojo/notes of DefectDojo 3.2.0.
Credentials of tool configurations are write-only there, and the importers go with version 3.5.0.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, cast

from tidegate.rules.adoption import TheirAcceptance, TheirFinding, TheirNote
from tidegate.rules.takeover import IMPORTERS, OldTest, ScanConfiguration, TheirProduct, Theirs, ToolConfiguration

from .client import Dojo
from .errors import NotPermitted, NotThere, Unreadable
from .theirs import is_by_server

Row = Mapping[str, Any]


class NoImporters(Unreadable):
    """The server has no tool configurations any more."""

    next_step = "Restore a backup of before the update beside it, and name that one; or connect the tools by hand."


def theirs(dojo: Dojo) -> Theirs:
    """All that it says of its importers. Raises NoImporters where it is too new, and any other DojoError."""
    dojo.server()  # so that what is no DefectDojo at all is not taken for a new one
    try:
        kinds = {_number(row, "id"): _text(row, "name") for row in dojo.pages("tool_types/")}
        configurations = [_configuration(row, kinds) for row in dojo.pages("tool_configurations/")]
        scans = [_scan(row) for row in dojo.pages("product_api_scan_configurations/")]
    except (NotThere, Unreadable) as error:
        if error.status != 404:
            raise
        what = f"DefectDojo {dojo.version()} has no tool configurations any more: 3.5.0 took its API importers away."
        raise NoImporters(what, status=404) from None
    types = {_number(row, "id"): _text(row, "name") for row in dojo.pages("product_types/")}
    numbers = {scan.product for scan in scans}
    products = {
        number: TheirProduct(number, _text(row, "name"), types.get(_number(row, "prod_type"), ""))
        for row in dojo.pages("products/")
        if (number := _number(row, "id")) in numbers
    }
    return Theirs(configurations, scans, products, [*_tests(dojo, numbers)])


def _configuration(row: Row, kinds: Mapping[int, str]) -> ToolConfiguration:
    return ToolConfiguration(
        id=_number(row, "id"),
        name=_text(row, "name"),
        url=_text(row, "url"),
        tool_type=kinds.get(_number(row, "tool_type"), ""),
        authentication=_text(row, "authentication_type"),
        extras=_text(row, "extras"),
    )


def _scan(row: Row) -> ScanConfiguration:
    return ScanConfiguration(
        _number(row, "id"),
        _number(row, "product"),
        _number(row, "tool_configuration"),
        _text(row, "service_key_1"),
        _text(row, "service_key_2"),
    )


def _tests(dojo: Dojo, products: set[int]) -> Iterator[OldTest]:
    """The Tests of importers in these Products. A filter by name is loose there, so the name is compared here."""
    scan_types = {one.scan_type for one in IMPORTERS.values()}
    kinds = {
        _number(row, "id"): name for row in dojo.pages("test_types/") if (name := _text(row, "name")) in scan_types
    }
    product_of: dict[int, int] = {}
    for kind, name in kinds.items():
        for row in dojo.pages("tests/", test_type=kind):
            engagement = _number(row, "engagement")
            if engagement not in product_of:
                product_of[engagement] = _number(dojo.get(f"engagements/{engagement}/"), "product")
            if product_of[engagement] in products:
                scan, branch = row.get("api_scan_configuration"), _text(row, "branch_tag")
                yield OldTest(
                    _number(row, "id"), product_of[engagement], name, scan if isinstance(scan, int) else None, branch
                )


class People:
    """Names of users by their numbers, each asked for once."""

    def __init__(self, dojo: Dojo) -> None:
        self._dojo = dojo
        self._names: dict[int, str] = {}

    def name(self, number: Any) -> str:
        """ "" for nobody; its number for a user that the token may not see."""
        if not isinstance(number, int):
            return ""
        if number not in self._names:
            try:
                self._names[number] = _text(self._dojo.get(f"users/{number}/"), "username")
            except (NotPermitted, NotThere):
                self._names[number] = f"user {number}"
        return self._names[number]


def findings(dojo: Dojo, test: OldTest, people: People) -> Iterator[TheirFinding]:
    """The findings of a Test, with what people decided about them."""
    for row in dojo.pages("findings/", test=test.id):
        yield TheirFinding(
            id=_number(row, "id"),
            product=test.product,
            vendor_id=_text(row, "unique_id_from_tool"),
            title=_text(row, "title"),
            severity=_text(row, "severity"),
            active=row.get("active") is True,
            verified=row.get("verified") is True,
            false_positive=row.get("false_p") is True,
            out_of_scope=row.get("out_of_scope") is True,
            accepted=row.get("risk_accepted") is True,
            mitigated=row.get("is_mitigated") is True,
            duplicate=row.get("duplicate") is True,
            under_review=row.get("under_review") is True,
            reviewed_by=people.name(row.get("last_reviewed_by")),
            reviewed_at=_moment(row, "last_reviewed"),
            notes=tuple(_note(each) for each in _rows(row, "notes") if not is_by_server(_text(each, "entry"))),
            acceptances=tuple(_acceptance(each) for each in _rows(row, "accepted_risks")),
            tags=tuple(tag for tag in cast("list[Any]", row.get("tags") or []) if isinstance(tag, str)),
        )


def _note(row: Row) -> TheirNote:
    author = row.get("author")
    name = _text(cast("Row", author), "username") if isinstance(author, Mapping) else ""
    return TheirNote(name, _moment(row, "date"), _text(row, "entry"), row.get("private") is True)


def _acceptance(row: Row) -> TheirAcceptance:
    return TheirAcceptance(
        _text(row, "name"), _text(row, "accepted_by"), _moment(row, "expiration_date"), _text(row, "decision_details")
    )


def _rows(row: Row, name: str) -> list[Row]:
    told = row.get(name)
    return [each for each in cast("list[Any]", told) if isinstance(each, Mapping)] if isinstance(told, list) else []


def _number(row: Row, name: str) -> int:
    told = row.get(name)
    if not isinstance(told, int) or isinstance(told, bool):
        raise Unreadable(f"DefectDojo shows something without its {name}.")
    return told


def _text(row: Row, name: str) -> str:
    told = row.get(name)
    return told if isinstance(told, str) else ""


def _moment(row: Row, name: str) -> datetime | None:
    try:
        at = datetime.fromisoformat(_text(row, name))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)
