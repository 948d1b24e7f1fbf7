"""Home: is everything flowing, what needs a person, and what is not looked at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from django.http import HttpRequest, HttpResponse

from tidegate.reads.connection import ConnectionRow
from tidegate.reads.home import coverage, days_of
from tidegate.reads.status import status as read_status
from tidegate.rules.access import Place, Role
from tidegate.rules.actor import Actor
from tidegate.ui.page import page, show


@page
def status(request: HttpRequest, actor: Actor, /) -> HttpResponse:
    """What flows, what runs, what needs a person; for who is logged in, as far as they may see it."""
    found = read_status(datetime.now(UTC))
    records = Counter[str]()
    for row in found.connections:
        records.update({state.lower(): number for state, number in row.records.items()})
    strips = days_of([row.id for row in found.connections], found.at)
    context = {
        "status": found, "now": found.at, "records": records,
        "rows": [(row, strips[row.id]) for row in found.connections],
        "coverage": coverage() if found.connections else None, "waiting_records": records["new"],
        "overdue": sum(row.health.state == "overdue" for row in found.connections),
        "late": sum(row.health.state == "late" for row in found.connections),
        "may_add": actor.access.may("administrator"), "runs": _where(actor, found.connections, "operator"),
        "sets_up": _where(actor, found.connections, "administrator"),
    }  # fmt: skip
    return show(request, "status/page.html", context, parts={"home": "status/flow.html"})


def _where(actor: Actor, connections: Sequence[ConnectionRow], role: Role) -> set[int]:
    """The Connections on which this role is held."""
    return {row.id for row in connections if actor.access.may(role, Place(connection_id=row.id))}
