"""Every read × who looks: generated from the code, and a new read without a line fails."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from types import GeneratorType
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from tests import world
from tests.acme import Acme, World
from tests.actions.ways import Side, side
from tests.database import empty_all_tables
from tests.world import ALICE
from tidegate import catalog, reads
from tidegate.actions import schedule as schedules
from tidegate.actions import token as tokens
from tidegate.actions import user as users
from tidegate.config import load_settings
from tidegate.reads.page import CursorRefused, decoded, encoded
from tidegate.reads.viewer import NotShown, viewing
from tidegate.rules.access import FULL_ACCESS, NO_ACCESS, Access, Grant, granted
from tidegate.server.postgres import Database
from tidegate.store import models

NOW = datetime.now(UTC)

UNBOUND = {
    "configuration.secrets_held": "names of fields of a Connection that is at hand",
    "configuration.stored_for": "what a plan is compared with: its action takes an administrator of everything",
    "configuration.taken_by": "of a route that is at hand",
    "count.counted_by_connection": "of Connections that are at hand",
    "count.findings_by_product": "of Products that are at hand",
    "count.feeds_seen": "a condition",
    "count.findings_by_test": "of Tests that are at hand",
    "count.findings_of": "of numbers that are at hand",
    "doctor.failing_routes": "for the doctor and the metrics, whom whoever runs the machine asks",
    "doctor.house": "numbers of the whole house, and nobody's name",
    "doctor.orphaned_spools": "files of this machine",
    "doctor.zones_of": "the time zones of this machine",
    "finding.rows": "of findings that were selected for this viewer",
    "finding.wanted_of": "puts what is asked for into the words of a selection",
    "grant.given_for_everything": "for a log-in: of the user whom it proved",
    "grant.grants_by_people": "of a user that is at hand",
    "grant.grants_of": "of a user or token that is at hand",
    "grant.grants_of_tokens": "of tokens that are at hand",
    "grant.grants_of_users": "of users that are at hand",
    "grant.told": "of grants that are at hand",
    "grant.place_of_grant": "where a grant lies, for actions that ask whether it may be given",
    "health.health_of": "of Connections that are at hand, and for the metrics",
    "health.in_state": "numbers that the list of Connections cuts with what the viewer sees",
    "health.overdue": "for the scheduler, which tells everybody whom a route is for",
    "health.secrets_ending": "the same",
    "home.days_of": "of Connections that are at hand; only Operations that the viewer sees are in it",
    "history.changes": "of a Record that is at hand",
    "lost.lost_away": "of Records that are at hand; the Destination is named to who sees everything",
    "managed.file_of": "a column of a query",
    "managed.managed_by": "of things that are at hand",
    "managed.number_managed": "of things that are at hand",
    "managed.schedules_managed_by": "of Connections that are at hand",
    "me.me": "oneself: who came in and what they may do, by their own number",
    "metrics.exposition": "for who scrapes the whole house, with a password of its own",
    "metrics.forget": "shows nothing",
    "operation.verdict": "a sentence about what is at hand",
    "page.behind": "what of a query that is at hand follows a cursor",
    "page.cut": "one page of a query that is at hand",
    "page.decoded": "reads a cursor",
    "page.encoded": "writes a cursor",
    "page.number": "reads a number",
    "page.storable": "mends a text",
    "elsewhere.quoted": "a name that is at hand",
    "place.among": "of things that are at hand",
    "place.held_for_operation": "of an Operation that is at hand",
    "place.places_before_step": "where things lie: what the viewer is asked with",
    "place.places_of_operation": "the same",
    "place.places": "where things lie: what the viewer is asked with",
    "place.records_of_step": "the same",
    "record.equation_in_words": "a sentence about what is at hand",
    "record.facts": "of a Record that is at hand",
    "record.in_state": "a condition",
    "record.matching": "what the viewer may see, as a query: the list asks it, and so do actions about many at once",
    "record.living": "what the viewer may see, as a query: asked by the others here",
    "record.sentence": "a sentence about what is at hand",
    "record.visible_records": "a condition: asked by the others here",
    "sarif.location": "writes what is at hand",
    "sarif.result": "writes what is at hand",
    "sarif.rule_id": "writes what is at hand",
    "selection.query_of": "puts words into a query",
    "selection.unindexed": "how many findings that the viewer sees wait for their words",
    "share.own_records": "numbers of Records that the viewer sees: asked by the others here",
    "share.seen_whole": "a condition",
    "share.visible_operations": "what the viewer may see, as a query: asked by the others here",
    "progress.told_by_its_worker": "a column of a query",
    "progress.shown": "cuts what is at hand to what the viewer sees",
    "service.answered_within": "shows nothing",
    "service.secrets_are_stored": "yes or no, for the doctor",
    "service.service": "numbers of the whole house, and nobody's name",
    "story.latest": "of a finding that is at hand",
    "story.present": "of a finding that is at hand",
    "story.said_in_words": "a word",
    "story.told": "of a finding that is at hand",
    "story.visible_findings": "a condition: asked by the others here",
    "story.with_end": "a word",
    "tool.fields_of": "of settings that are at hand",
    "tool.fields": "of the Tools that are installed, which everybody sees",
    "tool.tool": "the same",
    "tool.tools": "the same",
    "user.person_coming_in": "for who comes in: what they may see is asked by it",
    "user.user_of_session": "the same",
    "user.access_of": "for who comes in: what they may see is asked by it",
    "user.has_administrator": "yes or no, for the first who comes in",
    "version.version_of": "a hash, which is told with what the viewer is shown",
    "version.version_of_rule": "of a rule that is at hand",
    "viewer.demand_everywhere": "who looks, itself",
    "viewer.needs_everywhere": "the same",
    "viewer.once": "the same",
    "viewer.one_look": "the same",
    "viewer.sees": "the same",
    "viewer.sees_everything": "the same",
    "viewer.viewer": "the same",
    "viewer.viewing": "the same",
    "viewer.visible": "the same",
}
"""What is no read of its own, and why nobody is asked there."""


@dataclass(frozen=True)
class There:
    """A side, and what a viewer may look at besides."""

    of: Side
    preview: int
    user: int
    token: int

    def __getattr__(self, name: str) -> Any:
        return getattr(self.of, name)


@dataclass(frozen=True)
class Asked:
    """How a read is asked about one side."""

    ask: Callable[..., Any]
    names: bool = True
    """Its answer names what it is about; else it is numbers, of which a foreign answer has none."""
    house: bool = False
    """It is of the whole house, or of people: shown to administrators of everything."""


def list_of(function: str) -> Asked:
    """A list of everything, without a filter."""
    return Asked(lambda there, read: read())


def of(what: str, **more: Any) -> Asked:
    """Something about the thing of the side's own number."""
    return Asked(lambda there, read: read(getattr(there, what)), **more)


def called(what: str) -> Asked:
    """What somebody may mean by a name of that side's."""
    return Asked(lambda there, read: read(f"{there.name} {what}"))


EVERY = list_of("")
ASKED: dict[str, Asked] = {
    "audit.audit_export": Asked(lambda there, read: read(), house=True),
    "audit.audit_lines": Asked(lambda there, read: read(), house=True),
    "chart.open_by_day": Asked(
        lambda there, read: read(since=date(2020, 1, 1), until=date(2020, 1, 2), record_id=there.shop), names=False
    ),
    "configuration.export": Asked(lambda there, read: read("all"), house=True),
    "connection.connection": of("connection"),
    "connection.connections": EVERY,
    "connection.is_draft": Asked(lambda there, read: read(str(there.connection)), names=False),
    "connection.named": called("scanner"),
    "connection.warnings": Asked(lambda there, read: read()),
    "destination.destination": of("destination", house=True),
    "destination.destinations": Asked(lambda there, read: read(), house=True),
    "destination.named": Asked(lambda there, read: read(f"{there.name} destination"), house=True),
    "engagement.engagement": of("engagement"),
    "engagement.engagements": EVERY,
    "engagement.named": Asked(lambda there, read: read(str(there.engagement))),
    "export.exported_findings": Asked(lambda there, read: read(connection_id=there.connection)),
    "find.anything": Asked(lambda there, read: read(there.name)),
    "finding.finding": of("finding"),
    "finding.findings": EVERY,
    "finding.numbers_of": Asked(lambda there, read: read(100, record_id=there.shop), names=False),
    "home.coverage": EVERY,
    "mapping.mappings": EVERY,
    "mapping.mappings_csv": EVERY,
    "mapping.mappings_of": Asked(
        lambda there, read: list(read([(there.connection, f"id of {there.name} shop")]).values())
    ),
    "operation.held_by": of("held"),
    "operation.log": of("sync"),
    "operation.at_once": Asked(lambda there, read: [*read(20).running, *read(20).held], names=False),
    "operation.operation": of("sync"),
    "operation.operations": EVERY,
    "preview.differences": of("preview"),
    "preview.preview_counts": of("preview"),
    "product.named": called("product"),
    "product.of_names": Asked(lambda there, read: list(read([f"{there.name} product"]).values())),
    "product.product": of("product"),
    "product.with_numbers": Asked(lambda there, read: read([there.product])),
    "product.products": EVERY,
    "product_type.named": called("type"),
    "product_type.product_type": of("product_type"),
    "product_type.product_types": EVERY,
    "progress.follow": of("sync", names=False),
    "progress.progress": of("sync", names=False),
    "progress.progress_of": Asked(lambda there, read: list(read([there.sync]).values()), names=False),
    "record.flowing_into": of("product"),
    "record.named": called("shop"),
    "record.named_like": Asked(lambda there, read: read(there.name)),
    "record.record": of("shop"),
    "record.records": EVERY,
    "record.records_of": Asked(lambda there, read: read([({}, "name", None, 50)])),
    "retention.retained": Asked(lambda there, read: read(), names=False, house=True),
    "route.named": called("route"),
    "route.news": EVERY,
    "route.route": of("route"),
    "route.routes": EVERY,
    "rule.rules": of("connection"),
    "rule.stored": of("rule"),
    "rule.stored_of": of("connection"),
    "rule.try_rules": of("connection"),
    "schedule.schedules": EVERY,
    "schedule.schedules_of": of("connection"),
    "secret.secrets_status": Asked(lambda there, read: read(load_settings()), names=False, house=True),
    "selection.select": Asked(lambda there, read: read(all_findings(), None, 50), names=False),
    "selection.walk": Asked(lambda there, read: read(all_findings(), 50), names=False),
    "status.status": Asked(lambda there, read: read(NOW)),
    "story.story": of("finding", names=False),
    "suggestion.suggested": Asked(lambda there, read: read(there.missing, there.new)),
    "suggestion.suggestions": EVERY,
    "test.named": Asked(lambda there, read: read(str(there.test))),
    "test.test": of("test"),
    "test.tests": EVERY,
    "test.tests_in": Asked(lambda there, read: read(product_id=there.product)),
    "token.token": Asked(lambda there, read: read(there.token, me=0), house=True),
    "token.tokens": Asked(lambda there, read: read(me=0), house=True),
    "user.named": Asked(lambda there, read: read(f"{there.name}-eve", me=0), house=True),
    "user.user": Asked(lambda there, read: read(there.user, me=0), house=True),
    "user.users": Asked(lambda there, read: read(me=0), house=True),
}
READS = {
    f"{found.name}.{name}": function
    for found in pkgutil.iter_modules(reads.__path__)
    for module in [importlib.import_module(f"tidegate.reads.{found.name}")]
    for name, function in inspect.getmembers(module, inspect.isfunction)
    if inspect.unwrap(function).__module__ == module.__name__ and not name.startswith("_")
}


def all_findings() -> Any:
    return importlib.import_module("tidegate.reads.selection").Wanted()


@pytest.fixture(scope="module")
def two(migrated_database: Database, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Two sides, made once: nothing here changes them."""
    tool: Any = type("Acme", (Acme,), {"world": World(), "__orig_bases__": Acme.__orig_bases__})  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setenv("TIDEGATE_HOME", str(tmp_path_factory.mktemp("home")))
        for name in ("TIDEGATE_SECRET_KEY", "TIDEGATE_SECRET_KEY_COMMAND"):
            patch.delenv(name, raising=False)
        patch.setattr(catalog, "added", lambda: {"acme": tool})
        empty_all_tables()
        with viewing(FULL_ACCESS):
            yield {name: furnished(name) for name in ("Own", "Foreign")}
        empty_all_tables()


def furnished(name: str) -> There:
    """A side with a line, or a row, wherever a read could find one."""
    there = side(name)
    connection = models.Connection.objects.get(pk=there.connection)
    models.Connection.objects.filter(pk=there.connection).update(
        secret_ends_at=NOW + timedelta(days=2), secret_ends_told_by="person"
    )
    looks = models.Record.objects.get(pk=there.missing)  # the new one looks like it
    models.Record.objects.filter(pk=there.new).update(name=looks.name, parent=looks.parent)
    schedules.set_schedule(ALICE, there.connection, "sync", kind="hours", hours=4)
    models.LogLine.objects.create(operation_id=there.sync, n=1, at=NOW, level="info", text=f"{name} line", facts={})
    models.News.objects.create(
        kind="needs_you", connection=connection, operation_id=there.sync, facts={"why": f"{name} news"}
    )
    preview = world.operation(connection, preview=True, ended_at=NOW, counts={"created": 1})
    models.Result.objects.create(
        operation=preview, record_id=there.shop, family="", outcome="complete", counts={"created": 1}
    )
    models.Difference.objects.create(
        operation=preview, kind="created", record_id=there.shop, title=f"{name} difference", before={}, after={}
    )
    grants = [Grant("reader", "product", there.product)]
    eve = users.add_user(ALICE, f"{name}-eve", grants=grants, password=SecretStr("long enough to be one"))
    made = tokens.add_token(ALICE, f"{name} token", user_id=eve, grants=grants)
    return There(there, preview.pk, eve, made.id)


def viewers(own: There) -> dict[str, Access]:
    return {
        f"own {scope}": granted([Grant("administrator", scope, id)])  # pyright: ignore[reportArgumentType]
        for scope, id in (("connection", own.connection), ("product", own.product), ("product type", own.product_type))
    }


def shown(name: str, there: There, access: Access) -> tuple[Any, str]:
    """The answer, and all that stands in it."""
    with viewing(access):
        try:
            answer = ASKED[name].ask(there, READS[name])
            answer = list(answer) if isinstance(answer, GeneratorType) or hasattr(answer, "__next__") else answer
        except NotShown:
            return None, ""
    pieces = isinstance(answer, list) and answer and isinstance(answer[0], bytes)
    return answer, b"".join(answer).decode() if pieces else msgspec.json.encode(answer, enc_hook=str).decode()


def test_every_read_has_its_line_in_the_table():
    """A new read without a line fails."""
    assert set(ASKED) | set(UNBOUND) == set(READS)
    assert not set(ASKED) & set(UNBOUND)


@pytest.mark.parametrize("name", sorted(ASKED))
def test_who_sees_what(name: str, two: dict[str, There]):
    """promises.md, Users: another's object is not there, in no list, no count and no search."""
    own, other, asked = two["Own"], two["Foreign"], ASKED[name]
    detail = "None" in str(inspect.signature(READS[name]).return_annotation)

    everything, text = shown(name, other, FULL_ACCESS)
    assert everything is not None
    assert "Foreign" in text or not asked.names

    seen = {reach: shown(name, own, access)[1] for reach, access in viewers(own).items()}
    for reach, access in viewers(own).items():
        answer, of_other = shown(name, other, access)
        assert "Foreign" not in of_other + seen[reach], reach
        assert not detail or answer is None, reach
    assert asked.house or not asked.names or any("Own" in text for text in seen.values())
    for there in (own, other):
        answer, text = shown(name, there, NO_ACCESS)
        assert "Foreign" not in text
        assert "Own" not in text
        assert not detail or answer is None


@pytest.mark.parametrize("name", ["selection.select", "selection.walk", "chart.open_by_day", "progress.follow"])
def test_numbers_are_of_ones_own(name: str, two: dict[str, There]):
    """What names nothing has as little of the others' in it as where the others were not there."""
    for reach, access in viewers(two["Own"]).items():
        of_other = shown(name, two["Foreign"], access)[1]
        assert f'"operation":{two["Foreign"].sync}' not in of_other, reach
        if name.startswith("selection"):
            assert shown(name, two["Own"], access)[0] in ([[two["Own"].finding]], the_page_of(two["Own"].finding))


def the_page_of(finding: int) -> Any:
    return importlib.import_module("tidegate.reads.selection").Selected(ids=[finding], next=None, count=1, more=False)


@pytest.mark.parametrize("text", ["\ud800", "a\0b", "\udfff tail"])
def test_a_cursor_with_what_no_column_holds_is_refused(text: str):
    with pytest.raises(CursorRefused):
        decoded(encoded([text, 1]), [str, int])
