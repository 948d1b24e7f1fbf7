"""Who has a role for one Product learns of no other by name, wherever a Record or a finding was before: every read."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from pydantic import SecretStr

from tests import world
from tests.acme import Acme, World
from tests.database import empty_all_tables
from tests.reads.test_viewer import ASKED, EVERY, shown
from tests.world import ALICE
from tidegate import catalog
from tidegate.actions import connection as connections
from tidegate.actions import destination as destinations
from tidegate.actions import record as records
from tidegate.actions import route as routes
from tidegate.actions import rule as rules
from tidegate.actions import token as tokens
from tidegate.actions import user as users
from tidegate.reads import finding, operation, preview, progress, record, status
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS, Access, Grant, granted
from tidegate.server.postgres import Database
from tidegate.store import models

CANARY = "C4nary"
PASSWORD = SecretStr("long enough to be one")


@pytest.fixture(scope="module")
def there(
    migrated_database: Database, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Any]:
    """One Connection whose Records flow into two Products, and went from one to the other; made once."""
    tool: Any = type("Acme", (Acme,), {"world": World(), "__orig_bases__": Acme.__orig_bases__})  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setenv("TIDEGATE_HOME", str(tmp_path_factory.mktemp("home")))
        for name in ("TIDEGATE_SECRET_KEY", "TIDEGATE_SECRET_KEY_COMMAND"):
            patch.delenv(name, raising=False)
        patch.setattr(catalog, "added", lambda: {"acme": tool})
        empty_all_tables()
        with viewing(FULL_ACCESS):
            yield furnished()
        empty_all_tables()


def furnished() -> SimpleNamespace:
    """Whatever of the Product *Own* came from, or went to, the other one, is here once."""
    of = connections.add_connection(
        ALICE, "acme", "Scanner", {}, {"token": SecretStr("acme-secret-token")}, discover=False
    )
    scanner = models.Connection.objects.get(pk=of)
    own, canary = world.product("Own", "Own type"), world.product(f"{CANARY} product", f"{CANARY} type")
    lost = world.product(f"{CANARY} lost", f"{CANARY} type")
    names = ("moved", "left", "merged", "closed", "back", "flip", "other", "gone", "like gone", "plain", "orphan")
    by_name = {name: world.record(scanner, name, parent="folder") for name in names}
    of_name = by_name.__getitem__

    def mapped(name: str, product: int, imported: Any = "leave") -> None:
        records.map_records(ALICE, [of_name(name)], product_id=product, already_imported=imported)

    for name in ("moved", "left", "closed", "other", "gone"):
        mapped(name, canary)
        world.synced(of_name(name), f"{name} 1", f"{name} 2")
    mapped("moved", own, "move")
    mapped("left", own, "leave")
    world.synced(of_name("left"), "left 3")
    mapped("closed", own, "close")
    world.synced(of_name("closed"), "closed 1")
    mapped("merged", own)
    world.synced(of_name("merged"), "merged 1", "merged 2")
    mapped("merged", canary)
    world.synced(of_name("merged"), "merged 1", "merged 3")
    mapped("merged", own, "move")
    mapped("back", own)
    world.synced(of_name("back"), "back 1")
    mapped("back", canary, "move")
    records.undo(ALICE, record_id=of_name("back"))
    mapped("flip", canary)
    records.ignore_records(ALICE, [of_name("flip")], "a reason")
    mapped("flip", own)
    mapped("plain", own)
    mapped("orphan", lost)
    models.Product.objects.filter(pk=lost).delete()
    mapped("orphan", own)
    models.Record.objects.filter(pk=of_name("gone")).update(absent_since=world.now())
    return SimpleNamespace(connection=of, own=own, canary=canary, records=by_name, **beside(scanner, by_name, canary))


def beside(scanner: models.Connection, by_name: dict[str, int], canary: int) -> dict[str, Any]:
    """Operations, rules and people that tell of both."""
    of_both = {"records": [by_name["plain"], by_name["other"]]}
    sync = world.operation(
        scanner, "sync", "partial", ended_at=world.now(), counts={"seen": 99, "created": 77}, why=f"{CANARY} message",
        scope=of_both,
    )  # fmt: skip
    for name, seen in (("plain", 5), ("other", 94)):
        models.Result.objects.create(
            operation=sync, record_id=by_name[name], family="", outcome="failed", why=f"{name} message",
            counts={"seen": seen}, feed_id=world.read(by_name[name]).feed_id,
        )  # fmt: skip
        models.LogLine.objects.create(
            operation=sync, n=seen, at=world.now(), level="info", text=f"{name} line", facts={"record": by_name[name]}
        )
    models.LogLine.objects.create(operation=sync, n=1, at=world.now(), level="info", text=f"{CANARY} line", facts={})
    foreseen = world.operation(scanner, "sync", preview=True, ended_at=world.now(), counts={"created": 3},
                               why=f"{CANARY} message", scope={"records": [by_name["plain"]]})  # fmt: skip
    for name in ("plain", "other"):
        models.Result.objects.create(
            operation=foreseen, record_id=by_name[name], family="", outcome="complete", counts={"created": 1}
        )
        models.Difference.objects.create(
            operation=foreseen, kind="created", record_id=by_name[name], title=f"{name} difference", before={}, after={}
        )
    waits = models.Operation.objects.get(status="pending")  # asked for when Records were mapped, of both
    others = world.operation(scanner, "sync", ended_at=world.now(), scope={"records": [by_name["other"]]})
    discover = world.operation(scanner, "discover", ended_at=world.now(), why=f"{CANARY} message")
    change = world.operation(
        scanner, "change", ended_at=world.now(), why=f"«{CANARY} product»",
        scope={"change": "move", "records": [by_name["moved"]]},
    )  # fmt: skip
    saved = rules.add_rule(ALICE, scanner.pk, rules.new_rule("*", product_id=canary))
    reads = [Grant("reader", "product", canary)]
    eve = users.add_user(ALICE, "eve", grants=reads, password=PASSWORD)
    return {
        "sync": sync.pk, "preview": foreseen.pk, "waits": waits.pk, "others": others.pk, "discover": discover.pk,
        "change": change.pk, "rule": saved.rules[0], "user": eve,
        "token": tokens.add_token(ALICE, f"{CANARY} token", user_id=eve, grants=reads).id,
        "destination": destinations.add_destination(
            ALICE, f"{CANARY} destination", {"url": "http://127.0.0.1:1"}, {"token": SecretStr("x")}
        ),
        "route": routes.add_route(ALICE, "Route", SecretStr("json://127.0.0.1:1/x"), connection_id=scanner.pk),
    }  # fmt: skip


def things(there: Any) -> Iterator[Any]:
    """Whatever a viewer could ask about, once each: as the table of reads names it."""
    findings = list(models.Finding.objects.order_by("pk").values_list("pk", flat=True))
    tests = models.Test.objects.order_by("pk").values_list("pk", "engagement_id", "engagement__product_id")
    targets = [(test, engagement, product) for test, engagement, product in tests]
    operations = [there.sync, there.preview, there.others, there.discover, there.change]  # all of them have ended
    shops = list(there.records.values())
    for number in range(max(len(findings), len(shops), len(operations))):
        test, engagement, product = targets[number % len(targets)]
        yield SimpleNamespace(
            name=(CANARY, "Own")[number % 2], connection=there.connection, rule=there.rule, route=there.route,
            destination=there.destination, user=there.user, token=there.token, preview=there.preview,
            finding=findings[number % len(findings)], shop=shops[number % len(shops)],
            sync=operations[number % len(operations)], held=operations[number % len(operations)],
            missing=there.records["gone"], new=there.records["like gone"], test=test, engagement=engagement,
            product=product, product_type=models.Product.objects.get(pk=product).product_type_id,
        )  # fmt: skip


def viewers(there: Any) -> dict[str, Access]:
    of_type = models.Product.objects.get(pk=there.own).product_type_id
    everything, product = Grant("administrator"), Grant("administrator", "product", there.own)
    return {
        "product": granted([product]),
        "product type": granted([Grant("administrator", "product type", of_type)]),
        "a token for the Product": granted([everything]).limited_to([product]),
        "a token of who has the Connection": granted(
            [Grant("administrator", "connection", there.connection), product]
        ).limited_to([product]),
    }


@pytest.mark.parametrize("name", sorted(ASKED))
def test_no_read_tells_the_name_of_another_product(name: str, there: Any):
    """promises.md, Users: another's object is not there; not in what is told of the past either."""
    asked = list(things(there))
    for who, access in viewers(there).items():
        for thing in asked[:1] if ASKED[name] is EVERY or who.startswith("a token for") else asked:
            text = ""
            with suppress(FileNotFoundError):
                text = shown(name, thing, access)[1]

            assert CANARY not in text, f"{who}: {text}"


def told(there: Any, name: str, access: Access) -> list[str]:
    return [shown(name, thing, access)[1] for thing in things(there)]


@pytest.mark.parametrize(
    "name", ["record.record", "finding.finding", "story.story", "rule.try_rules", "record.records"]
)
def test_who_sees_everything_is_told_it(name: str, there: Any):
    """The world above has what the test looks for."""
    assert any(CANARY in text for text in told(there, name, FULL_ACCESS))


def test_who_sees_the_connection_is_told_where_its_records_went(there: Any):
    of_connection = granted([Grant("reader", "connection", there.connection)])

    for name in ("record.record", "finding.finding", "story.story"):
        assert any(CANARY in text for text in told(there, name, of_connection)), name


def test_the_story_says_another_product_where_its_name_is_not_theirs(there: Any):
    moved = models.Finding.objects.get(key="moved 1").pk

    with viewing(viewers(there)["product"]):
        found = finding.finding(moved)

    assert found is not None
    (event,) = [event for event in found.story if event.kind == "moved"]
    assert event.what == "Moved by alice from another Product to «Own», with its history and decisions."
    assert event.before == {"product": "another Product"}
    assert event.after == {"product": "Own"}


def test_the_history_of_a_record_says_another_product(there: Any):
    with viewing(viewers(there)["product"]):
        found = record.record(there.records["left"])

    assert found is not None
    assert "Mapped to another Product." in [change.what for change in found.history]
    assert "Mapped to «Own»; was another Product." in [change.what for change in found.history]


def test_findings_of_a_record_are_counted_where_they_may_be_seen(there: Any):
    """What the Record left in another Product is not of this viewer's."""
    with viewing(viewers(there)["product"]):
        found = record.record(there.records["left"])
    whole = record.record(there.records["left"])

    assert found is not None
    assert whole is not None
    assert (found.record.findings.open, whole.record.findings.open) == (1, 3)


def test_findings_that_wait_for_their_words_are_counted_where_they_may_be_seen(there: Any):
    """The number says nothing of others' findings."""
    models.WordsDue.objects.all().delete()
    for feed in models.Feed.objects.all():
        models.WordsDue.objects.create(feed_id=feed.pk)
    with viewing(viewers(there)["product"]):
        theirs = finding.findings(search="anything")

    assert finding.findings(search="anything").not_searchable == models.Finding.objects.count()
    own = models.Finding.objects.filter(feed__test__engagement__product_id=there.own)
    assert theirs.not_searchable == own.count()


# Operations about some Records


def test_an_operation_is_seen_by_who_sees_a_record_of_it_as_far_as_that_goes(there: Any):
    plain = there.records["plain"]
    with viewing(viewers(there)["product"]):
        found = operation.operation(there.sync)
        log = operation.log(there.sync)
        listed = [one.id for one in operation.operations().operations]

    assert found is not None
    assert [result.record_id for result in found.results] == [plain]
    assert found.operation.records == [plain]
    assert found.operation.counts == {"records": 1, "seen": 5}
    assert found.operation.why == "plain: plain message"
    assert [line.text for line in log.lines] == ["plain line"]
    assert [line.text for line in found.log] == ["plain line"]
    assert {there.sync, there.preview, there.waits, there.change} <= set(listed)
    assert not {there.others, there.discover} & set(listed)


def test_an_operation_of_other_records_only_is_not_there(there: Any):
    with viewing(viewers(there)["product"]):
        for hidden in (there.others, there.discover):
            assert operation.operation(hidden) is None
            assert operation.log(hidden).lines == []
            assert progress.progress(hidden) is None
            assert preview.differences(hidden) is None


def test_a_preview_is_told_as_far_as_ones_own_records(there: Any):
    with viewing(viewers(there)["product"]):
        found = preview.differences(there.preview)
        counted = preview.preview_counts(there.preview)

    assert found is not None
    assert [one.title for one in found.differences] == ["plain difference"]
    assert (found.counted, found.kept) == (1, 1)
    assert [one.record_id for one in counted] == [there.records["plain"]]


def test_how_far_others_are_is_not_told(there: Any):
    models.Lease.objects.update_or_create(
        operation_id=there.waits,
        defaults={
            "attempt": 1, "worker": "a worker", "until": world.now(),
            "progress": {"phase": "Reading", "done": 41, "total": 4_242, "seen": 4_242},
        },
    )  # fmt: skip
    models.Operation.objects.filter(pk=there.waits).update(status="running")

    with viewing(viewers(there)["product"]):
        row = progress.progress(there.waits)
        now = status.status(world.now())

    assert row is not None
    assert (row.status, row.phase, row.done, row.total, row.seen) == ("running", "Reading", 0, None, 0)
    assert "4242" not in msgspec.json.encode(now.running).decode()
