"""REST API v2 of the fake: lists, objects, changes and their refusals, in the words of the real one.

Facts: dojo/api_v2/views.py, dojo/finding/api/serializer.py and their neighbours of DefectDojo at 3.2.0, and what
running servers of 2.50.4 and 3.2.0 answered.
"""

from collections.abc import Callable, Iterable, Mapping

from tidegate.demo.fake_defectdojo.importing import new_engagement, new_product, new_test, note
from tidegate.demo.fake_defectdojo.report import Refused
from tidegate.demo.fake_defectdojo.world import INSIDE, SEVERITIES, STATUS_FIELDS, Row, World

WRITABLE = ("product_types", "products", "engagements", "tests", "findings")
NOUNS = {
    "product_types": "Product_Type", "products": "Product", "engagements": "Engagement", "tests": "Test",
    "findings": "Finding", "test_types": "Test_Type", "test_imports": "Test_Import", "users": "Dojo_User",
    "notes": "Notes",
    "tool_types": "Tool_Type", "tool_configurations": "Tool_Configuration",
    "product_api_scan_configurations": "Product_API_Scan_Configuration",
}  # fmt: skip
FILTERS: Mapping[str, tuple[str, ...]] = {
    "product_types": ("id", "name"),
    "products": ("id", "name", "name_exact", "prod_type"),
    "engagements": ("id", "product", "status", "active"),
    "tests": ("id", "engagement", "title", "test_type", "build_id"),
    "test_types": ("id", "name"),
    "test_imports": ("id", "test"),
    "findings": (
        "id", "test", "active", "verified", "duplicate", "false_p", "out_of_scope", "risk_accepted", "is_mitigated",
        "severity", "unique_id_from_tool", "hash_code",
    ),
    "users": ("id", "username"),
    "notes": ("id",),
    "tool_types": ("id", "name"),
    "tool_configurations": ("id", "name", "tool_type", "url"),
    "product_api_scan_configurations": ("id", "product", "tool_configuration"),
}  # fmt: skip
"""A filter of any other name is ignored, and everything is answered."""
FINDINGS_ORDERED_BY = (
    "id", "active", "created", "last_status_update", "last_reviewed", "date", "duplicate", "false_p", "is_mitigated",
    "numerical_severity", "out_of_scope", "severity", "title", "verified",
)  # fmt: skip
"""Of findings: dojo/finding/api/filters.py. There is no time of a change of just any field."""
BY_NAME = ("product_types", "products")
ENGAGEMENT_STATUS = ("Not Started", "Blocked", "Cancelled", "Completed", "In Progress", "On Hold", "Scheduled",
                     "Waiting for Resource")  # fmt: skip
REQUIRED: Mapping[str, tuple[str, ...]] = {
    "product_types": ("name",),
    "products": ("name", "description"),
    "engagements": ("product", "target_start", "target_end"),
    "tests": ("engagement", "test_type", "target_start", "target_end"),
    "findings": ("test", "title", "severity", "description", "active", "verified", "found_by", "numerical_severity"),
}
HIDDEN = ("password", "ssh", "api_key")
"""What a tool configuration holds and never shows."""
OF_IMPORTERS = ("tool_types", "tool_configurations", "product_api_scan_configurations")
"""What goes with the API importers; of these the first two are for superusers."""


def listed(world: World, user: Row, kind: str, query: Mapping[str, str], url: str) -> Row:
    """One page of a list; by name or by number, as that kind is by default."""
    _refuse_strangers(user, kind)
    rows = [row for row in world.rows[kind].values() if world.may(user, kind, row)]
    for name, told in query.items():
        if name in FILTERS[kind]:
            rows = [*_filtered(world, kind, rows, name, told)]
    rows = _ordered(kind, rows, query.get("o", "name" if kind in BY_NAME else "id"))
    limit, offset = _number(query.get("limit"), 25) or 25, _number(query.get("offset"), 0)
    following = f"{url}?limit={limit}&offset={offset + limit}" if offset + limit < len(rows) else None
    earlier = f"{url}?limit={limit}&offset={max(0, offset - limit)}" if offset else None
    shown = [_shown(kind, row) for row in rows[offset : offset + limit]]
    return {"count": len(rows), "next": following, "previous": earlier, "results": shown}


def _filtered(world: World, kind: str, rows: Iterable[Row], name: str, told: str) -> Iterable[Row]:
    if name == INSIDE.get(kind) or (kind, name) == ("test_imports", "test"):
        outer = "product_types" if name == "prod_type" else f"{name}s"
        if _number(told, 0) not in world.rows[outer]:
            raise Refused(400, {name: ["Select a valid choice. That choice is not one of the available choices."]})
        return [row for row in rows if row[name] == int(told)]
    if (kind, name) == ("products", "name"):
        return [row for row in rows if told.lower() in row["name"].lower()]
    if name == "name_exact":
        return [row for row in rows if row["name"].lower() == told.lower()]
    if name == "id":
        return [row for row in rows if str(row["id"]) in told.split(",")]
    wanted = {"true": True, "false": False}.get(told.lower(), told)
    return [row for row in rows if row[name] == wanted or str(row[name]) == told]


def _ordered(kind: str, rows: list[Row], by: str) -> list[Row]:
    name = by.removeprefix("-")
    allowed = FINDINGS_ORDERED_BY if kind == "findings" else ("id", "name", "created", "updated", "title", "date")
    if name not in allowed:
        raise Refused(400, {"o": [f"Select a valid choice. {by} is not one of the available choices."]})
    return sorted(rows, key=lambda row: (str(row.get(name)) if name != "id" else "", row["id"]), reverse=by[0] == "-")


def shown(world: World, user: Row, kind: str, number: str) -> Row:
    """One object; what somebody may not see is not there for them."""
    _refuse_strangers(user, kind)
    return _shown(kind, _one(world, user, kind, number))


def _refuse_strangers(user: Row, kind: str) -> None:
    if kind in OF_IMPORTERS[:2] and not user["is_superuser"]:
        raise Refused(403, {"detail": "You do not have permission to perform this action."})


def _shown(kind: str, row: Row) -> Row:
    return {name: told for name, told in row.items() if kind != "tool_configurations" or name not in HIDDEN}


def _one(world: World, user: Row, kind: str, number: str) -> Row:
    row = world.rows[kind].get(int(number)) if number.isdecimal() else None
    if row is None or not world.may(user, kind, row):
        raise Refused(404, {"detail": f"No {NOUNS[kind]} matches the given query."})
    return row


def created(world: World, user: Row, kind: str, told: Row) -> Row:
    """A new object. Raises Refused with a list of sentences for each field."""
    if kind == "products" and "prod_type" not in told:
        raise Refused(400, {"detail": "Unable to check for permissions: Attribute 'prod_type' is required"})
    outer = INSIDE.get(kind)
    if outer and outer in told:
        holder = "product_types" if outer == "prod_type" else f"{outer}s"
        _one(world, user, holder, str(told[outer]))
    if missing := [name for name in REQUIRED[kind] if told.get(name) is None]:
        raise Refused(400, {name: ["This field is required."] for name in missing})
    _check(world, kind, told)
    make: Callable[[], Row] = {
        "product_types": lambda: {"name": told["name"], "description": told.get("description", ""), "members": []},
        "products": lambda: new_product(
            told["name"], told["prod_type"], description=told["description"], users=[user["id"]]
        ),
        "engagements": lambda: new_engagement(
            world, told["product"], told.get("name") or str(told["target_start"]),
            told.get("engagement_type", "Interactive"), told.get("status", "Not Started"),
        ),
        "tests": lambda: new_test(
            world, told["engagement"], world.rows["test_types"][told["test_type"]], scan_type=None,
            title=told.get("title"),
        ),
        "findings": lambda: _finding(world, told),
    }[kind]  # fmt: skip
    own = make()
    return world.add(kind, **own | {name: value for name, value in told.items() if name in own})


def _finding(world: World, told: Row) -> Row:
    empty: Row = dict.fromkeys((
        "mitigation", "impact", "references", "file_path", "component_name", "component_version", "service", "line",
        "unique_id_from_tool", "vuln_id_from_tool", "cvssv3", "cvssv3_score", "epss_score", "fix_available",
        "mitigated",
        "known_exploited", "mitigated_by", "duplicate_finding",
    ))  # fmt: skip
    flags = dict.fromkeys(("false_p", "out_of_scope", "risk_accepted", "is_mitigated", "duplicate", "under_review",
                           "static_finding", "dynamic_finding"), False)  # fmt: skip
    row = empty | flags | {"cwe": 0, "tags": [], "notes": [], "vulnerability_ids": [], "date": world.today(), **told}
    return row | {"hash_code": world.hash_of(row), "reporter": 1, "last_status_update": world.stamp()}


def changed(world: World, user: Row, kind: str, number: str, told: Row) -> Row:
    """The object with these fields changed; unknown ones are ignored."""
    row = _one(world, user, kind, number)
    _check(world, kind, told, row)
    if kind == "findings":
        _decide(world, user, row, told)
    known = {name: value for name, value in told.items() if name in row and name not in ("id", "created", "hash_code")}
    if kind == "findings" and not known.get("vulnerability_ids", True):
        del known["vulnerability_ids"]  # an empty list is not heard: they cannot be taken away
    if kind == "findings" and "vulnerability_ids" in known:
        ids = [each if isinstance(each, dict) else {"vulnerability_id": each} for each in known["vulnerability_ids"]]
        known["vulnerability_ids"] = ids
    if "severity" in known:
        known["numerical_severity"] = f"S{SEVERITIES.index(known['severity'])}"
    row.update(known, updated=world.stamp())
    return row


def _check(world: World, kind: str, told: Row, row: Row | None = None) -> None:
    longest = {"findings": ("title", 511), "tests": ("title", 255)}.get(kind, ("name", 255))
    name = told.get(longest[0])
    if isinstance(name, str) and len(name) > longest[1]:
        raise Refused(400, {longest[0]: [f"Ensure this field has no more than {longest[1]} characters."]})
    if kind in BY_NAME and name is not None and world.find(kind, name=name) not in (None, row):
        noun = "product_ type" if kind == "product_types" else "product"
        raise Refused(400, {"name": [f"{noun} with this name already exists."]})
    if kind == "engagements":
        _check_engagement(told)
    if kind == "findings" and "severity" in told and told["severity"] not in SEVERITIES:
        raise Refused(400, {"severity": [f"Severity must be one of the following: {list(SEVERITIES)}"]})


def _check_engagement(told: Row) -> None:
    choices = {"status": ENGAGEMENT_STATUS, "engagement_type": ("Interactive", "CI/CD")}
    for name, allowed in choices.items():
        if name in told and told[name] not in allowed:
            raise Refused(400, {name: [f'"{told[name]}" is not a valid choice.']})
    start, end = told.get("target_start"), told.get("target_end")
    if start and end and end < start:
        raise Refused(400, {"non_field_errors": ["Your target start date exceeds your target end date"]})


def _decide(world: World, user: Row, row: Row, told: Row) -> None:
    """What a change of flags brings along, and which do not go together. Raises Refused."""
    active, verified, duplicate, false, accepted = (
        told.get(name, row[name]) for name in ("active", "verified", "duplicate", "false_p", "risk_accepted")
    )
    product = world.product_of("findings", row) or {}
    refusals = (
        ((active or verified) and duplicate, "Duplicate findings cannot be verified or active"),
        (false and verified, "False positive findings cannot be verified."),
        (
            accepted and not row["risk_accepted"] and not product.get("enable_simple_risk_acceptance"),
            "Simple risk acceptance is disabled for this product, use the UI to accept this finding.",
        ),
        (active and accepted, "Active findings cannot be risk accepted."),
    )
    for refused, sentence in refusals:
        if refused:
            raise Refused(400, {"non_field_errors": [sentence]})
    if told.get("active") and not row["active"]:
        row.update(false_p=False, out_of_scope=False, is_mitigated=False, mitigated=None, mitigated_by=None)
    if told.get("is_mitigated") or told.get("false_p") or told.get("out_of_scope"):
        row.update(mitigated=row["mitigated"] or world.stamp(), mitigated_by=user["id"], is_mitigated=True)
    if told.get("false_p") or told.get("out_of_scope"):
        told.update(active=False, verified=False, is_mitigated=True)
    if told.get("is_mitigated") is False:
        row.update(mitigated=None, mitigated_by=None)
    if accepted != row["risk_accepted"]:
        word = "has risk accepted" if accepted else "removed a risk exception from"
        note(world, user, row, f"{user['username']} ({user['id']}) {word} this finding")
    if any(name in told and told[name] != row[name] for name in STATUS_FIELDS):
        row["last_status_update"] = world.stamp()


def deleted(world: World, user: Row, kind: str, number: str) -> None:
    """Gone, with all that lies in it; who is no superuser may not."""
    _one(world, user, kind, number)
    if not user["is_superuser"]:
        raise Refused(403, {"detail": "You do not have permission to perform this action."})
    world.delete(kind, int(number))


def noted(world: World, user: Row, number: str, told: Row) -> Row:
    """A note at a finding, trimmed; the answer does not say its number (dojo/finding/api/views.py, `notes`). Only the
    newer server takes it for a review."""
    entry = str(told.get("entry") or "").strip()
    if not entry:
        raise Refused(400, {"entry": ["This field is required."]})
    row = _one(world, user, "findings", number)
    made = note(world, user, row, entry)
    if not world.is_old:
        row.update(last_reviewed=made["date"], last_reviewed_by=user["id"], updated=world.stamp())
    return {"author": made["author"], "editor": None, "entry": entry, "private": bool(told.get("private"))}


def _number(told: str | None, otherwise: int) -> int:
    return int(told) if told is not None and told.isdecimal() else otherwise
