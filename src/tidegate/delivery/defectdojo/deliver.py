"""An Operation of type *deliver*: what one Connection brought goes to one DefectDojo, Test by Test.

Its scope says how: `{"mode": "deliver"}` writes what changed, *reconcile* reads all and says what differs, *repair*
makes equal what differs and makes again what was deleted there, since a person asked for it. A preview asks nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Final

from tidegate.ingest.run import Ending, Run
from tidegate.store.models import DeliveredProduct, DeliveredTest, Destination, Engagement, Test
from tidegate.store.statement import rows_of
from tidegate.store.writers.delivered import due_findings

from .client import Dojo
from .destination import dojo_of
from .errors import DojoError, Down, Moved, NotPermitted, NotThere, TokenRejected, Unknown, Unreachable
from .foreseen import foresee
from .products import Lost, NotDelivered, back, linked
from .test import Delivering, LeftAlone

MODES: Final = ("deliver", "reconcile", "repair")
MOST_TOLD: Final = 3
"""Problems in the sentence that ends the Operation; all of them are in its log."""

_LOST: Final = (
    "The {word} it was delivered into is gone in DefectDojo, or the token's user may not see it any more. Nothing is "
    "made again by itself: restore it there, or have it made anew with a repair."
)
_CAUSES: Final = (
    (TokenRejected, "auth_rejected"),
    (NotPermitted, "access_denied"),
    (NotThere, "not_found"),
    (Unreachable, "address_refused"),
    ((Down, Unknown, Moved), "vendor_down"),
)


def run_deliver(run: Run) -> Ending:
    """Brings it to its end. Where the server is away the next delivery goes on."""
    destination = Destination.objects.get(pk=run.operation.destination_id)
    if destination.off_at is not None:
        return Ending("failed", f"{destination.name} is switched off.", cause="unusable")
    tests = list(tests_for(destination.pk, run.operation.connection_id))
    if run.operation.preview:
        return foresee(run, destination, tests)
    problems: list[str] = []
    with dojo_of(destination, look=run.look, log=run.vendor_log) as dojo:
        try:
            for number, test in enumerate(tests):
                run.check()
                run.show(f"Delivering {test.name} of {test.engagement.product.name}", number, len(tests))
                if problem := _one(run, dojo, destination, test):
                    run.say(problem, "warning")
                    problems.append(problem)
        except DojoError as error:
            run.say(str(error), "error")
            return Ending("failed", str(error), dict(run.counts), cause=cause_of(error))
        finally:
            run.note_vendor(dojo.seconds, {"vendor": dojo.seconds}, {})
            run.say(f"{dojo.requests:,} requests, {dojo.writes:,} of them writes.")
    if refused := run.counts["refused"]:
        problems.insert(0, f"{refused:,} findings were not taken by the server.")
    told = " ".join(problems[:MOST_TOLD])
    if problems[MOST_TOLD:]:
        told += f" And {len(problems) - MOST_TOLD:,} more."
    return Ending("partial" if problems else "success", told, dict(run.counts))


def tests_for(destination: int, connection: int) -> Iterator[Test]:
    """The Tests of a Connection whose findings go to the Destination, by the routes that are in force."""
    ids = [row["test_id"] for row in rows_of("delivered_tests", destination=destination, connection=connection)]
    tests = Test.objects.select_related("connection", "engagement__product__product_type").order_by("pk")
    return tests.filter(pk__in=ids, engagement__kind=Engagement.CONNECTORS).iterator()


def cause_of(error: DojoError) -> str:
    """The word for what an operator can do about it (rules/cause.py)."""
    return next((word for kinds, word in _CAUSES if isinstance(error, kinds)), "vendor_changed")


def _one(run: Run, dojo: Dojo, destination: Destination, test: Test) -> str:
    """Delivers one Test; "" where it is as ours is by then, else what keeps it from being so."""
    name, mode = f"{test.engagement.product.name} › {test.name}", run.operation.scope["mode"]
    there = DeliveredTest.objects.filter(destination=destination, test=test).first()
    if there is None and not (mode != "reconcile" and due_findings(0, test.pk, 0, 1)):
        return ""
    try:
        if there is not None and there.lost_at is not None and not back(dojo, destination, there) and mode == "repair":
            _forget_lost(destination, test, there.lost)
        link = linked(dojo, destination, test.engagement.product, run.operation.actor)
        work = Delivering(run, dojo, destination, test, link, mode)
        work.deliver()
    except (NotDelivered, LeftAlone) as problem:
        return f"{name} is left alone. {problem}"
    except Lost as lost:
        if there is None or there.lost_at is None:
            now = {"lost": str(lost), "lost_at": datetime.now(UTC)}
            DeliveredTest.objects.update_or_create(destination=destination, test=test, defaults=now)
        return f"{name} is not delivered. {_LOST.format(word=str(lost).capitalize())}"
    if work.differing and mode == "reconcile":
        run.counts["differing"] += work.differing
        return f"{name}: {work.differing:,} findings do not stand there as they do here."
    return ""


def _forget_lost(destination: Destination, test: Test, lost: str) -> None:
    """A person says that it is made anew."""
    if lost in ("product", "engagement"):
        link = DeliveredProduct.objects.filter(destination=destination, product=test.engagement.product)
        link.update(their_engagement=None, **({"their_id": None, "name": ""} if lost == "product" else {}))
