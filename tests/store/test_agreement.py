"""Where SQL does for many rows what a rule says of one, the rule is the reference model; both get the same to do."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import product
from typing import Any

import httpx2
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import world
from tests.acme import World
from tests.ingest.scene import Scene
from tests.world import ALICE
from tidegate.actions import finding as findings
from tidegate.actions import record as records
from tidegate.rules.discover import Known, Sighting, after_discover
from tidegate.rules.finding import PersonsVerdict, is_active, is_below, severity_in_force
from tidegate.store.models import Connection, Decision, HeldAbsence, Record

SAID = [
    (None, None),
    ("false positive", None),
    ("accepted", None),
    ("accepted", timedelta(days=-1)),
    ("accepted", timedelta(days=1)),
    ("out of scope", None),
    ("real", None),
]
SEVERITIES = [(3, None), (1, None), (2, None), (3, 0), (1, 5), (1, 2)]
PER_PAGE = 4


@pytest.mark.usefixtures("database")
def test_what_is_in_force_after_a_decision_is_what_the_rules_say():
    """Active is derived; a person's word beats the vendor's; the threshold looks at the severity in force."""
    shop = world.record(world.connection(minimum_severity=3))
    records.map_records(ALICE, [shop], new_product="Shop")
    now = world.now()
    cases = list(product((True, False), (0, 1), SAID, SEVERITIES))
    for number, (open, vendor, (word, ends), (severity, persons)) in enumerate(cases):
        closed = None if open else "gone"
        (finding,) = world.synced(
            shop, str(number), open=open, closed_because=closed, vendor_verdict=vendor, severity_vendor=severity
        )
        key = {"feed_id": world.of(finding).feed_id, "family": "dast", "key_hash": world.of(finding).key_hash}
        until = None if ends is None else now + ends
        if word is not None:
            Decision.objects.create(**key, field="verdict", value=word, until=until, by="alice")
        if persons is not None:
            Decision.objects.create(**key, field="severity", value=str(persons), by="alice")

        findings.decide_finding(ALICE, finding, note="look again")

        said = None if word is None else PersonsVerdict(word, until)
        in_force = severity_in_force(severity, persons)
        stays = open and not is_below(in_force, 3)
        found = world.of(finding)
        assert (found.severity, found.open, found.active) == (
            in_force,
            stays,
            is_active(open=stays, person=said, vendor_verdict=vendor, now=now),
        ), cases[number]


IDS = st.sampled_from([f"v{number}" for number in range(14)])
KNOWN = st.dictionaries(IDS, st.builds(Known, st.sampled_from("AB"), absent=st.booleans(), deleted=st.booleans()))
SEEN = st.dictionaries(IDS, st.builds(Sighting, st.sampled_from("AB")))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(known=KNOWN, there=SEEN, complete=st.booleans())
def test_a_discover_does_what_the_rules_say(
    acme_discover: Callable[[dict[str, Known], World], tuple[Connection, Any]],
    known: dict[str, Known],
    there: dict[str, Sighting],
    complete: bool,
):
    """New, renamed, back, revived, Missing, held; nothing Missing where it cannot prove that it saw everything."""
    vendor = World(paged="steady", per_page=PER_PAGE)
    for id, sighting in there.items():
        vendor.add(id, sighting.name)
    if not complete:
        vendor.interfere = cut_off
        there = dict(list(there.items())[:PER_PAGE])
        complete = len(vendor.products) <= PER_PAGE

    connection, operation = acme_discover(known, vendor)

    said = after_discover(known, there, complete=complete)
    rows = {row.vendor_id: row for row in Record.objects.filter(connection=connection)}
    held = HeldAbsence.objects.filter(connection=connection).values_list("record__vendor_id", flat=True)
    assert rows.keys() - known.keys() == said.new
    assert {id for id in rows.keys() & known.keys() if rows[id].name != known[id].name} == said.changed
    assert {id for id in known if known[id].absent and rows[id].absent_since is None} == said.back
    assert {id for id in known if known[id].deleted and rows[id].deleted_at is None} == said.revived
    assert {id for id in known if not known[id].absent and rows[id].absent_since is not None} == said.gone
    assert set(held) == said.held
    assert operation.status == ("partial" if said.held or not complete else "success")


def cut_off(request: httpx2.Request) -> httpx2.Response | None:
    """The vendor answers the first page alone."""
    return httpx2.Response(500) if "page" in request.url.params else None


@pytest.fixture
def acme_discover(
    database: object, monkeypatch: pytest.MonkeyPatch
) -> Callable[[dict[str, Known], World], tuple[Connection, Any]]:
    """Runs a Discover of a new Connection that knows these Records, against this world."""
    from tests.acme import Acme
    from tidegate import catalog

    def discover(known: dict[str, Known], vendor: World) -> tuple[Connection, Any]:
        tool: Any = type("Acme", (Acme,), {"world": vendor, "__orig_bases__": Acme.__orig_bases__})  # pyright: ignore[reportAttributeAccessIssue]
        monkeypatch.setattr(catalog, "build", lambda connection: tool(tool.settings_type()()))
        connection = world.connection(f"Acme {Connection.objects.count()}", tool="acme")
        before = world.operation(connection, "discover")
        for id, record in known.items():
            absent = {"absent_since": world.now(), "absent_operation": before} if record.absent else {}
            deleted = {"deleted_at": world.now()} if record.deleted else {}
            world.record(connection, record.name, vendor_id=id, **absent, **deleted)
        return connection, Scene(vendor, connection.pk).discover()

    return discover
