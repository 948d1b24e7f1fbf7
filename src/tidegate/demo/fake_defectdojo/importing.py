"""Import and reimport of a report: what is matched, made, closed and taken up again; not one transaction, as there.

Facts: dojo/importers/default_importer.py and default_reimporter.py, and update_finding_status() in
dojo/finding/helper.py, of DefectDojo at 3.2.0; and what running servers of 2.50.4 and 3.2.0 did.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tidegate.demo.fake_defectdojo import report as reports
from tidegate.demo.fake_defectdojo.report import Broken, Refused
from tidegate.demo.fake_defectdojo.world import GENERIC, HASHED, SCAN_TYPES, SEVERITIES, Row, World

NO_SUCH = '{} "{}" does not exist'


@dataclass
class Outcome:
    """What became of the findings of a report."""

    test: Row
    created: list[Row] = field(default_factory=list[Row])
    reactivated: list[Row] = field(default_factory=list[Row])
    untouched: list[Row] = field(default_factory=list[Row])
    closed: list[Row] = field(default_factory=list[Row])


def import_scan(world: World, user: Row, form: Mapping[str, str], content: bytes, *, again: bool) -> Row:
    """The answer to a POST of import-scan, or `again` of reimport-scan. Raises Refused, Broken; what was done before
    that stays."""
    kind = form.get("scan_type", "")
    if kind not in SCAN_TYPES:
        raise Refused(400, {"scan_type": [f'"{kind}" is not a valid choice.']})
    if again and form.get("test"):
        test: Row | None = _known(world, user, "tests", form["test"], "Test")
        engagement = world.rows["engagements"][test["engagement"]] if test else {}
    else:
        engagement = _engagement(world, user, form)
        named = {"title": form.get("test_title") or None, "scan_type": kind}
        test = world.find("tests", engagement=engagement["id"], **named) if again else None
    if kind != GENERIC:
        if world.is_old and test is not None:
            raise Broken  # its parser stumbles over JSON of another kind
        report, findings = {}, list[dict[str, Any]]()
    else:
        report, findings = reports.parsed(world, content)
    if test is None:
        test = _new_test(world, engagement["id"], form, report)
        test.update(_marks(form))  # from the start: that they stand there proves no first import
    elif report.get("type") and not world.is_old and test["test_type_name"] != f"{report['type']} Scan ({GENERIC})":
        raise Refused(400, {"message": '["Test type mismatch: the report is of another type."]'})
    outcome = _apply(world, user, test, form, findings, again=again)
    test.update(_marks(form), percent_complete=100, updated=world.stamp())
    world.add(
        "test_imports", test=test["id"], type="reimport" if again else "import", build_id=form.get("build_id", ""),
        version=form.get("version", ""),
    )  # fmt: skip
    return _answer(world, form, outcome)


def _known(world: World, user: Row, kind: str, number: str, noun: str) -> Row:
    row = world.rows[kind].get(int(number)) if number.isdecimal() else None
    if row is None:
        raise Refused(400, [NO_SUCH.format(noun, number)])
    if not world.may(user, kind, row):
        raise Refused(403, {"detail": "You do not have permission to perform this action."})
    return row


def _engagement(world: World, user: Row, form: Mapping[str, str]) -> Row:
    """By its number, or by names; what is missing is made where `auto_create_context` says so."""
    if form.get("engagement"):
        return _known(world, user, "engagements", form["engagement"], "Engagement")
    create = form.get("auto_create_context", "").lower() == "true"
    name, product_name = form.get("engagement_name"), form.get("product_name")
    if not product_name:
        raise Refused(400, ["product_name parameter missing"])
    if not name:
        raise Refused(400, ["engagement_name parameter missing"])
    product = world.find("products", name=product_name)
    if product is None and not create:
        raise Refused(400, [f'Product "{product_name}" does not exist'])
    if product is None:
        product = _new_product(world, user, product_name, form.get("product_type_name"))
    if not world.may(user, "products", product):
        raise Refused(403, {"detail": "You do not have permission to perform this action."})
    found = world.find("engagements", product=product["id"], name=name)
    if found is None and not create:
        raise Refused(400, [f'Engagement "{name}" does not exist in Product "{product_name}"'])
    return found or world.add("engagements", **new_engagement(world, product["id"], name, "CI/CD", "In Progress"))


def _new_product(world: World, user: Row, name: str, kind: str | None) -> Row:
    if not kind:
        raise Refused(
            400, [f'Product "{name}" does not exist and no product_type_name provided to create the new product in']
        )
    found = world.find("product_types", name=kind)
    if found is None and not user["is_superuser"]:
        raise Refused(403, {"detail": f'No permission to create product_type "{kind}"'})
    found = found or world.add("product_types", name=kind, description="", members=[])
    return world.add("products", **new_product(name, found["id"], description=name, users=[user["id"]]))


def new_product(name: str, prod_type: int, *, description: str, users: list[int]) -> Row:
    """A product with what a new one has."""
    return {
        "name": name, "description": description, "prod_type": prod_type, "tags": [], "authorized_users": users,
        "enable_simple_risk_acceptance": False, "findings_count": 0, "lifecycle": None, "external_audience": False,
    }  # fmt: skip


def new_engagement(world: World, product: int, name: str, kind: str, status: str) -> Row:
    """An engagement with what a new one has."""
    return {
        "name": name, "product": product, "target_start": world.today(), "target_end": world.in_a_year(),
        "engagement_type": kind, "status": status, "active": True, "deduplication_on_engagement": False, "tags": [],
        "version": None, "build_id": None, "description": None,
    }  # fmt: skip


def new_test(world: World, engagement: int, test_type: Row, *, scan_type: str | None, title: str | None) -> Row:
    """A test with what a new one has; from 3.2 on it says how its findings are told apart."""
    told = scan_type == GENERIC
    by_hash = told and world.algorithm == "hash_code"
    identity = {
        "deduplication_algorithm": world.algorithm if told else None, "hash_code_fields": HASHED if by_hash else None,
    }  # fmt: skip
    return {
        "engagement": engagement, "title": title, "test_type": test_type["id"], "test_type_name": test_type["name"],
        "scan_type": scan_type, "target_start": world.stamp(), "target_end": world.stamp(), "percent_complete": 50,
        "version": "", "build_id": "", "branch_tag": "", "commit_hash": "", "tags": [],
        "api_scan_configuration": None, **({} if world.is_old else identity),
    }  # fmt: skip


def _marks(form: Mapping[str, str]) -> Row:
    return {name: form[name] for name in ("version", "build_id", "branch_tag", "commit_hash") if name in form}


def _new_test(world: World, engagement: int, form: Mapping[str, str], report: Mapping[str, Any]) -> Row:
    """A JSON `type` makes a type of test of its own; the older server calls even the plain one so."""
    kind = form["scan_type"]
    own = report.get("type") or (f"{GENERIC}" if world.is_old and kind == GENERIC else None)
    name = f"{own} Scan ({GENERIC})" if own else kind
    test_type = world.find("test_types", name=name) or world.add(
        "test_types", name=name, static_tool=False, dynamic_tool=False, active=True
    )
    title = form.get("test_title") or None
    if title and len(title) > 255:
        raise Broken
    return world.add("tests", **new_test(world, engagement, test_type, scan_type=kind, title=title))


def _apply(
    world: World, user: Row, test: Row, form: Mapping[str, str], told: list[dict[str, Any]], *, again: bool
) -> Outcome:
    """Finding by finding; the newer server checks and sorts all of them before it writes the first."""
    outcome, least = Outcome(test), form.get("minimum_severity") or "Info"
    if least not in SEVERITIES:
        raise Refused(400, {"minimum_severity": [f'"{least}" is not a valid choice.']})
    service = form.get("service") or None
    before = [row for row in world.inside("findings", test["id"]) if (row["service"] or None) == service]
    ordered = told if world.is_old else sorted(told, key=lambda each: str(each.get("title")).lower())
    for each in ordered:
        row = reports.finding(world, each)
        if SEVERITIES.index(row["severity"]) > SEVERITIES.index(least):
            continue
        row["service"] = service or row["service"]
        _settle(row, form)
        found = _match(world, test, row, each["title"]) if again else None
        if found is None:
            outcome.created.append(_store(world, test, row))
        else:
            _meet(world, user, found, row, form, outcome)
    close = form.get("close_old_findings", "true" if again else "false").lower() == "true"
    if close and again:
        kept = {row["id"] for row in (*outcome.created, *outcome.reactivated, *outcome.untouched)}
        for row in before:
            if row["id"] not in kept and not row["is_mitigated"] and row["id"] in world.rows["findings"]:
                _close(world, user, row)
                outcome.closed.append(row)
    elif close:
        for row in [*world.rows["findings"].values()]:
            other = world.rows["tests"][row["test"]]
            same = (other["engagement"], other["test_type"]) == (test["engagement"], test["test_type"])
            if same and other["id"] != test["id"] and row["active"]:
                _close(world, user, row)
                outcome.closed.append(row)
    return outcome


def _settle(row: Row, form: Mapping[str, str]) -> None:
    """Flags of a new finding hold where they agree with `active`; the request's parameters go before the report."""
    for name in ("active", "verified"):
        if name in form:
            row[name] = form[name].lower() == "true"
    if row["active"]:
        row.update(false_p=False, out_of_scope=False, is_mitigated=False, mitigated=None)


def _store(world: World, test: Row, row: Row) -> Row:
    """A new finding. One that stands in the product already is born as its duplicate, inactive."""
    if world.breaks_after == 0:
        world.breaks_after = None
        raise Broken
    world.breaks_after = None if world.breaks_after is None else world.breaks_after - 1
    hashed = world.hash_of(row)
    product = world.rows["engagements"][test["engagement"]]["product"]
    on_engagement = world.rows["engagements"][test["engagement"]]["deduplication_on_engagement"]
    original = next((one for one in world.rows["findings"].values()
                     if _is_twin(world, one, row, hashed, test)
                     and _reach(world, one, product, test, on_engagement=on_engagement)), None)  # fmt: skip
    if row["is_mitigated"] or row["false_p"] or row["out_of_scope"]:
        row.update(is_mitigated=True, mitigated=row["mitigated"] or world.stamp(), active=False)
    if original is not None:
        row.update(active=False, verified=False)
    return world.add(
        "findings", **row | {"date": row["date"] or world.today()}, test=test["id"], hash_code=hashed, notes=[],
        duplicate=original is not None, duplicate_finding=None if original is None else original["id"],
        reporter=1, found_by=[test["test_type"]], mitigated_by=None, under_review=False,
        last_status_update=world.stamp(), accepted_risks=[], endpoints=[],
    )  # fmt: skip


def _is_twin(world: World, one: Row, row: Row, hashed: str, test: Row) -> bool:
    if one["duplicate"]:
        return False
    if world.algorithm == "unique_id_from_tool":
        same_type = world.rows["tests"][one["test"]]["test_type"] == test["test_type"]
        return (
            same_type and bool(row["unique_id_from_tool"]) and one["unique_id_from_tool"] == row["unique_id_from_tool"]
        )
    return one["hash_code"] == hashed


def _reach(world: World, one: Row, product: int, test: Row, *, on_engagement: bool) -> bool:
    engagement = world.rows["engagements"][world.rows["tests"][one["test"]]["engagement"]]
    if on_engagement or engagement["deduplication_on_engagement"]:
        return engagement["id"] == test["engagement"]
    return engagement["product"] == product


def _match(world: World, test: Row, row: Row, title: str) -> Row | None:
    """The first of the test that counts as the same: by the hash, or by the tool's id where the server is told so. The
    older server hashes the title as it was told, and stores it another one where it is long or has tabs."""
    if world.algorithm == "unique_id_from_tool":
        own = row["unique_id_from_tool"]
        return next(
            (one for one in world.inside("findings", test["id"]) if own and one["unique_id_from_tool"] == own), None
        )
    hashed = world.hash_of(row | {"title": title} if world.is_old else row)
    return next((one for one in world.inside("findings", test["id"]) if one["hash_code"] == hashed), None)


def _meet(world: World, user: Row, found: Row, row: Row, form: Mapping[str, str], outcome: Outcome) -> None:
    """A finding of the report that is there already: its title, severity and description stay as they were."""
    if found["false_p"] or found["out_of_scope"] or found["risk_accepted"]:
        outcome.untouched.append(found)
        return
    found["fix_available"] = row["fix_available"] if row["fix_available"] is not None else found["fix_available"]
    found["vulnerability_ids"] = row["vulnerability_ids"] or found["vulnerability_ids"]
    for name in ("component_name", "component_version"):
        found[name] = found[name] or row[name]
    if found["is_mitigated"]:
        if row["is_mitigated"] or form.get("do_not_reactivate", "").lower() == "true":
            outcome.untouched.append(found)
            return
        found.update(is_mitigated=False, mitigated=None, mitigated_by=None, active=not found["duplicate"])
        note(world, user, found, f"Re-activated by {GENERIC} re-upload.")
        outcome.reactivated.append(found)
    elif row["is_mitigated"]:
        found.update(is_mitigated=True, mitigated=row["mitigated"] or world.stamp(), active=False)
        outcome.closed.append(found)
    elif row["risk_accepted"] or row["false_p"] or row["out_of_scope"]:
        found.update({name: row[name] for name in ("risk_accepted", "false_p", "out_of_scope")}, active=False)
        if row["false_p"] or row["out_of_scope"]:
            found.update(is_mitigated=True, mitigated=world.stamp())
    elif not any(found is one for one in outcome.created):
        outcome.untouched.append(found)


def _close(world: World, user: Row, row: Row) -> None:
    """What is missing once loses its risk acceptance too, but for the older server."""
    row.update(active=False, is_mitigated=True, mitigated=world.stamp(), mitigated_by=user["id"])
    row["risk_accepted"] = row["risk_accepted"] and world.is_old
    note(world, user, row, f"Mitigated by {GENERIC} re-upload.")


def note(world: World, user: Row, row: Row, entry: str) -> Row:
    """A note at a finding."""
    made = world.add("notes", entry=entry, author={"id": user["id"], "username": user["username"]}, date=world.stamp(),
                     private=False, edited=False)  # fmt: skip
    row["notes"].append(made)
    return made


def _answer(world: World, form: Mapping[str, str], outcome: Outcome) -> Row:
    """The parameters of the request come back, with the numbers of what they meant and counts by severity."""
    test = outcome.test
    engagement = world.rows["engagements"][test["engagement"]]
    told = {"created": outcome.created, "reactivated": outcome.reactivated, "left untouched": outcome.untouched,
            "closed": outcome.closed}  # fmt: skip
    delta = {name.replace("left untouched", "untouched"): _counted(rows) for name, rows in told.items()}
    return {
        **{name: value for name, value in form.items() if name != "file"},
        "active": False, "verified": False, "test": test["id"], "test_id": test["id"], "scan_type": form["scan_type"],
        "engagement_id": engagement["id"], "product_id": engagement["product"],
        "product_type_id": world.rows["products"][engagement["product"]]["prod_type"],
        "statistics": {"delta": delta, "after": _counted([*world.inside("findings", test["id"])])},
    }  # fmt: skip


def _counted(rows: list[Row]) -> Row:
    counts = {word.lower(): {"total": sum(row["severity"] == word for row in rows)} for word in SEVERITIES}
    return {**counts, "total": {"total": len(rows)}}
