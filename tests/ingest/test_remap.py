"""Remaps, their undo and thresholds about many findings: changes that come to the same as one transaction would."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import pairwise
from itertools import product as every
from typing import Any

import pytest

from tests import world
from tests.acme import many, rows
from tests.database import empty_all_tables
from tests.ingest.scene import Scene, in_another_thread, meanwhile
from tests.world import ALICE, BOB
from tidegate.actions import connection as connections
from tidegate.actions import finding as findings
from tidegate.actions import operation as operations
from tidegate.actions import product as products
from tidegate.actions import record as records
from tidegate.actions.errors import Refused
from tidegate.actions.step import StepOutcome
from tidegate.ingest import remap as changes
from tidegate.ingest.operation import run_operation
from tidegate.store.models import Decision, Feed, Finding, Held, Journal, Operation, Part, Product, Record
from tidegate.store.writers import remap

pytestmark = pytest.mark.usefixtures("database")

KEYS = tuple(f"k{number}" for number in range(7))
OTHERWISE = ("at", "closed_at", "created_at", "until", "step")
"""What is another one each time."""


@pytest.fixture
def in_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two findings are many already, and each step takes about two."""
    monkeypatch.setattr(remap, "AT_ONCE", 1)
    monkeypatch.setattr(remap, "BATCH", 2)


def comparable(row: Any) -> Any:
    if isinstance(row, dict):
        return {name: comparable(value) for name, value in row.items() if name not in OTHERWISE}
    if isinstance(row, list):
        return sorted((comparable(one) for one in row), key=repr)
    return row


def contents() -> dict[str, list[str]]:
    """All that a remap may touch, but for times, and in which step and Operation."""
    tables: dict[str, Any] = {
        "findings": Finding.objects.values(),
        "decisions": Decision.objects.values("feed", "family", "key_hash", "field", "value", "by"),
        "proofs": Part.objects.values("feed", "family", "branch", "proven_operation", "last_outcome"),
        "held": Held.objects.values(),
        "journal": Journal.objects.values("finding", "actor", "kind", "before"),
        "records": Record.objects.values("id", "decision", "feed", "earlier_product", "changing_operation"),
    }
    return {name: sorted(repr(comparable(row)) for row in found) for name, found in tables.items()}


def two_feeds(seed: int) -> int:
    """A Record with findings left in Shop, that flows into Other: most are in both, each in some state of its own."""
    chance = random.Random(seed)
    shop = world.record(world.connection())
    for name in ("Shop", "Other"):
        records.map_records(ALICE, [shop], new_product=name)
        for branch, key in every(("", "dev"), KEYS):
            if chance.random() < 0.75:
                one_finding(shop, chance, branch=branch, key=key)
        world.synced(shop, f"only in {name}")
    return shop


def one_finding(record: int, chance: random.Random, **what: Any) -> None:
    states: list[dict[str, Any]] = [{}, {}, {}, {"open": False, "closed_because": "gone", "closed_operation": 1}]
    state = {**chance.choice(states), "vendor_verdict": chance.choice([0, 0, 1])}
    id = world.finding(world.read(record).feed_id or 0, **what, **state)
    if chance.random() < 0.4:
        choices: list[dict[str, Any]] = [
            {"verdict": "accepted"},
            {"severity": "Low"},
            {"note": f"seen {chance.random()}"},
        ]
        said = chance.choice(choices)
        findings.decide_finding(ALICE, id, **said)
    if world.of(id).open and chance.random() < 0.3:
        standing = chance.choice(["held", "kept open", "pending"])
        held = {"since_operation": 1, "latest_operation": 1, "standing": standing, "undone": chance.random() < 0.5}
        Held.objects.create(finding_id=id, feed_id=world.of(id).feed_id, **held)


def map_to(record: int, name: str, already_imported: Any) -> StepOutcome:
    id = Product.objects.get(name=name).pk
    return records.map_records(ALICE, [record], product_id=id, already_imported=already_imported)


def carry_out(outcome: StepOutcome) -> list[Operation]:
    for number in outcome.operations:
        run_operation(number)
    return list(Operation.objects.filter(pk__in=outcome.operations))


def there_and_back(seed: int, already_imported: str) -> list[dict[str, list[str]]]:
    """What is there after a remap, after people decided about what moved, and after its undo."""
    empty_all_tables()
    shop = two_feeds(seed)
    outcome = map_to(shop, "Shop", already_imported)
    carry_out(outcome)
    after = [contents()]
    assert world.tallies() == world.true_tallies()
    for key in KEYS[:3]:
        if found := Finding.objects.filter(feed_id=world.read(shop).feed_id, key=key).order_by("pk").first():
            findings.decide_finding(BOB, found.pk, note="later")
    undone = records.undo(BOB, step=outcome.step)
    assert undone.items[0].ok
    carry_out(undone)
    assert world.tallies() == world.true_tallies()
    return [*after, contents()]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("already_imported", ["move", "close"])
def test_in_steps_it_comes_to_the_same(request: pytest.FixtureRequest, already_imported: str, seed: int):
    """records.md: on move, Feed and findings go over with history and decisions, and all of it can be undone. In steps
    it comes to what one transaction leaves."""
    whole = there_and_back(seed, already_imported)
    assert not Operation.objects.filter(type="change").exists()
    request.getfixturevalue("in_steps")

    stepwise = there_and_back(seed, already_imported)

    assert Operation.objects.filter(type="change", status="success").count() == 2
    for number, (one, other) in enumerate(zip(whole, stepwise, strict=True)):
        for table in one:
            assert one[table] == other[table], f"{table} after step {number}"


def test_the_decision_is_there_at_once_and_its_findings_follow(in_steps: None):
    """Issue 5, 8: the Record's decision is written at once; the change moves its findings, says so, and journals."""
    shop = two_feeds(1)
    before = Finding.objects.filter(feed_id=world.read(shop).feed_id).count()

    outcome = map_to(shop, "Shop", "move")

    (number,) = outcome.operations
    assert world.product_of(shop) == "Shop"
    assert outcome.items[0].sentence.endswith(f"moves along from «Other», in Operation {number}.")
    assert Finding.objects.filter(feed__record_id=shop).exclude(feed_id=world.read(shop).feed_id).count() == before
    shown: list[tuple[str, int, int | None]] = []
    run_operation(number, lambda phase, done, total, beside="": shown.append((phase, done, total)))
    (change,) = carry_out(outcome)
    assert change.status == "success"
    assert sum(change.counts.values()) == before
    assert {(phase, total) for phase, _, total in shown} == {("Moving findings", before)}
    assert [done for _, done, _ in shown] == sorted(done for _, done, _ in shown)
    assert set(Journal.objects.filter(kind="moved").values_list("operation", flat=True)) == {number}


def test_nobody_decides_about_a_record_whose_findings_are_on_their_way(in_steps: None):
    """Issue 5, 8: a change is fenced per Record: nobody decides about it, nor about its findings, until that ended."""
    shop = two_feeds(1)
    outcome = map_to(shop, "Shop", "move")
    (number,) = outcome.operations
    why = f"Operation {number} is changing its findings; watch it: tidegate operation watch {number}"

    for decide in (
        lambda: map_to(shop, "Other", "leave"),
        lambda: records.ignore_records(ALICE, [shop]),
        lambda: records.restore_records(ALICE, [shop]),
        lambda: records.restore_records(ALICE, [shop], to_earlier=True),
        lambda: records.delete_records(ALICE, [shop]),
        lambda: records.undo(ALICE, step=outcome.step),
        lambda: records.undo(ALICE, record_id=shop),
    ):
        assert decide().items == ((shop, False, f"{why}."),)
    for id in Finding.objects.values_list("pk", flat=True):
        with pytest.raises(Refused) as refused:
            findings.decide_finding(ALICE, id, note="meanwhile")
        assert why in refused.value.next_step
    with pytest.raises(Refused, match="is changing its findings"):
        operations.request_sync(ALICE, world.read(shop).connection_id, [shop])

    carry_out(outcome)

    findings.decide_finding(ALICE, Finding.objects.earliest("pk").pk, note="now")
    assert records.undo(ALICE, step=outcome.step).items[0].ok


def cancelled_in_the_middle(outcome: StepOutcome) -> Operation:
    (number,) = outcome.operations

    def progress(phase: str, done: int, total: int | None, beside: str = "") -> None:
        if done >= 3:
            operations.cancel(BOB, number)

    run_operation(number, progress)
    return Operation.objects.get(pk=number)


def test_a_move_that_was_cancelled_says_how_far_it_came_and_goes_on(in_steps: None):
    """Issue 5, 8: what was moved stays moved; `operation again` asks for the rest, and then it is as if nobody had
    cancelled."""
    shop = two_feeds(2)
    outcome = map_to(shop, "Shop", "move")
    carry_out(outcome)
    wanted = contents()
    empty_all_tables()
    shop = two_feeds(2)

    outcome = map_to(shop, "Shop", "move")
    change = cancelled_in_the_middle(outcome)

    done, total = sum(change.counts.values()), change.scope["findings"]
    assert 3 <= done < total
    assert change.status == "cancelled"
    assert change.why == (
        f"Cancelled by bob. {done} of {total} findings went over; the others are as they were, in «Other»."
        f" Go on with: tidegate operation again {change.pk}"
    )
    assert world.read(shop).changing_operation_id is None
    again = operations.request_again(ALICE, change.pk)
    assert Operation.objects.get(pk=again).scope["findings"] == total - done
    run_operation(again)
    assert contents() == wanted
    with pytest.raises(Refused, match="Nothing of Operation"):
        operations.request_again(ALICE, change.pk)


@pytest.mark.parametrize("already_imported", ["move", "close"])
def test_what_was_cancelled_can_be_undone_all_the_same(in_steps: None, already_imported: str):
    """Issue 5, 8: a change that is cancelled leaves a state that a person can go on from: also back."""
    shop = two_feeds(3)
    before = contents()
    outcome = map_to(shop, "Shop", already_imported)
    cancelled_in_the_middle(outcome)

    carry_out(records.undo(BOB, step=outcome.step))

    after = contents()
    assert {name: after[name] for name in ("proofs", "records")} == {
        name: before[name] for name in ("proofs", "records")
    }
    assert not Finding.objects.filter(closed_because__in=["merged", "person"]).exists()
    assert [where(row) for row in after["findings"]] == [where(row) for row in before["findings"]]


def where(row: str) -> str:
    return row.partition("'feed_id': ")[2].partition(",")[0]


def test_an_undo_that_was_cancelled_goes_on_too(in_steps: None):
    shop = two_feeds(4)
    outcome = map_to(shop, "Shop", "move")
    carry_out(outcome)
    undone = records.undo(BOB, step=outcome.step)
    change = cancelled_in_the_middle(undone)
    assert "went back; the others are where the remap had brought them, in «Shop»" in change.why

    run_operation(operations.request_again(BOB, change.pk))

    stepwise = contents()
    empty_all_tables()
    shop = two_feeds(4)
    outcome = map_to(shop, "Shop", "move")
    carry_out(outcome)
    carry_out(records.undo(BOB, step=outcome.step))
    assert contents() == stepwise


def test_nothing_goes_on_about_what_was_decided_again(in_steps: None):
    shop = two_feeds(2)
    change = cancelled_in_the_middle(map_to(shop, "Shop", "close"))
    records.ignore_records(BOB, [shop])

    with pytest.raises(Refused, match="was decided again since"):
        operations.request_again(ALICE, change.pk)


def test_one_cancelled_before_it_began_has_come_to_none(in_steps: None):
    shop = two_feeds(2)
    (number,) = map_to(shop, "Shop", "move").operations

    operations.cancel(BOB, number)

    change = Operation.objects.get(pk=number)
    assert change.why.startswith(
        f"Cancelled by bob. 0 of {change.scope['findings']} findings went over; the others are"
    )
    assert world.read(shop).changing_operation_id is None


def test_a_product_that_is_deleted_meanwhile_ends_it_with_that_reason(in_steps: None):
    shop = two_feeds(2)
    outcome = map_to(shop, "Shop", "move")
    products.delete_product(ALICE, Product.objects.get(name="Shop").pk, "Shop")

    (change,) = carry_out(outcome)

    assert change.status == "partial"
    assert change.why == "shop.example.org: the product it writes to was deleted meanwhile."
    assert (world.read(shop).changing_operation_id, world.read(shop).target_lost) == (None, "product")
    assert {name for (name,) in Feed.objects.values_list("test__engagement__product__name")} == {"Other"}


def test_the_sync_that_mapping_asks_for_comes_after_the_change(in_steps: None):
    """records.md: a Sync of it is queued after the time to undo: which begins when its findings are there."""
    shop = two_feeds(2)
    Operation.objects.filter(type="sync", status="pending").delete()

    outcome = map_to(shop, "Shop", "move")
    assert not Operation.objects.filter(type="sync", status="pending").exists()
    (change,) = carry_out(outcome)

    sync = Operation.objects.get(type="sync", status="pending")
    assert sync.scope == {"records": [shop]}
    assert change.ended_at is not None
    assert sync.not_before is not None
    assert (sync.not_before - change.ended_at).total_seconds() == pytest.approx(records.UNDO_SECONDS, abs=5)


def test_a_bulk_over_two_connections_is_one_step_and_a_change_each(in_steps: None):
    ids = [world.record(world.connection(label)) for label in ("A", "B")]
    records.map_records(ALICE, ids, new_product="Shop")
    for id in ids:
        world.synced(id, "k1", "k2")

    outcome = records.map_records(ALICE, ids, new_product="Other", already_imported="close")

    assert [change.status for change in carry_out(outcome)] == ["success", "success"]
    assert not Finding.objects.filter(open=True).exists()
    carry_out(records.undo(ALICE, step=outcome.step))
    assert Finding.objects.filter(open=True, active=True).count() == 4


def test_a_record_that_is_done_is_everybodys_while_the_change_goes_on(in_steps: None):
    burp = world.connection()
    ids = [world.record(burp, name) for name in ("a", "b")]
    records.map_records(ALICE, ids, new_product="Shop")
    for id in ids:
        world.synced(id, "k1", "k2", "k3")
    (number,) = records.map_records(ALICE, ids, new_product="Other", already_imported="close").operations
    held_by: list[list[int | None]] = []

    def progress(phase: str, done: int, total: int | None, beside: str = "") -> None:
        held_by.append([world.read(id).changing_operation_id for id in ids])

    run_operation(number, progress)

    assert held_by[0] == [number, number]
    assert held_by[-1] == [None, number]


def in_two_places() -> tuple[int, dict[str, int]]:
    """A Record that was mapped to Shop and is mapped to Other, and a finding of it in each, on another Branch."""
    shop = world.record(world.connection())
    at: dict[str, int] = {}
    for name, branch in (("Shop", "dev"), ("Other", "")):
        records.map_records(ALICE, [shop], new_product=name)
        at[name] = world.finding(world.read(shop).feed_id or 0, key="k", branch=branch)
    return shop, at


@pytest.mark.parametrize("said_in", ["Shop", "Other"])
def test_what_was_decided_in_one_feed_holds_on_branches_that_only_the_other_has(said_in: str):
    """records.md: a person's decision holds for all Branches of the same finding, also where a move brings them."""
    shop, at = in_two_places()
    findings.decide_finding(ALICE, at[said_in], verdict="false positive", severity="Low")

    map_to(shop, "Shop", "move")

    assert [(world.of(id).active, world.of(id).severity) for id in at.values()] == [(False, 1), (False, 1)]
    assert world.tallies() == world.true_tallies()
    assert all(Journal.objects.filter(finding=id, kind="decided").count() == 1 for id in at.values())


@pytest.mark.parametrize("said_in", ["Shop", "Other"])
def test_an_undone_move_leaves_what_was_decided_before_it_where_it_was_said(said_in: str):
    """records.md: an undo puts back what was; what is decided since stays, and goes along."""
    shop, at = in_two_places()
    feeds = {name: world.of(id).feed_id for name, id in at.items()}
    findings.decide_finding(ALICE, at[said_in], verdict="false positive", severity="Low")
    decided = sorted(Decision.objects.values_list("feed_id", "field", "value", "by"))

    records.undo(ALICE, step=map_to(shop, "Shop", "move").step)

    assert {name: world.of(id).feed_id for name, id in at.items()} == feeds
    assert {name: world.of(id).active for name, id in at.items()} == {name: name != said_in for name in at}
    assert sorted(Decision.objects.values_list("feed_id", "field", "value", "by")) == decided
    assert world.tallies() == world.true_tallies()


def test_a_closing_that_waits_goes_to_the_one_it_is_merged_into():
    """records.md: the one at the destination takes what waited for the other, and nothing waits for what is closed."""
    shop = world.record(world.connection())
    at: dict[str, int] = {}
    for name in ("Shop", "Other"):
        records.map_records(ALICE, [shop], new_product=name)
        at[name] = world.synced(shop, "k")[0]
        held = {"since_operation": 1, "latest_operation": 1, "undone": name == "Other", "because": "fixed"}
        Held.objects.create(finding_id=at[name], feed_id=world.of(at[name]).feed_id, standing="held", **held)

    map_to(shop, "Shop", "move")

    (waits,) = Held.objects.values("finding", "feed", "undone", "because")
    assert waits == {"finding": at["Shop"], "feed": world.of(at["Shop"]).feed_id, "undone": True, "because": "fixed"}


def test_marks_are_forgotten_when_findings_are_on_their_way(in_steps: None):
    """Whoever reads next must not believe that nothing changed since: half of it may have gone over by then."""
    shop = two_feeds(2)
    Part.objects.update(mark="2026")

    change = cancelled_in_the_middle(map_to(shop, "Shop", "move"))

    assert change.status == "cancelled"
    assert set(Part.objects.values_list("mark", flat=True)) == {""}


# Thresholds


def raised(in_force: int) -> tuple[int, connections.Edited, list[int]]:
    burp = world.connection()
    ids = [world.record(burp, name) for name in ("a", "b")]
    records.map_records(ALICE, ids, new_product="Shop")
    low = [
        id for record in ids for id in world.synced(record, *(f"low {record} {n}" for n in range(4)), severity_vendor=1)
    ]
    for record in ids:
        world.synced(record, f"high {record}", severity_vendor=4)
        world.synced(record, f"unknown {record}", severity_vendor=2)
    return burp.pk, connections.edit_connection(ALICE, burp.pk, minimum_severity=in_force), low


def test_a_raised_threshold_closes_many_as_a_change(in_steps: None):
    """records.md: raising it closes (not deletes), with that reason; Unknown is never filtered by a threshold."""
    _, edited, low = raised(3)

    assert edited.closed == 8
    assert edited.operation is not None
    assert Finding.objects.filter(open=False).count() == 0
    run_operation(edited.operation)

    change = Operation.objects.get(pk=edited.operation)
    assert (change.status, change.counts) == ("success", {"closed": 8})
    closed = Finding.objects.filter(open=False)
    assert set(closed.values_list("pk", "closed_because")) == {(id, "threshold") for id in low}
    assert {world.journal(id)[-1] for id in low} == {("closed", "alice")}
    assert world.tallies() == world.true_tallies()


def test_only_what_is_below_the_threshold_in_force_by_then_closes(in_steps: None):
    """Issue 5, 8: a threshold that was changed again meanwhile counts."""
    burp, edited, _ = raised(3)
    assert edited.operation is not None
    connections.edit_connection(BOB, burp, minimum_severity=0)

    run_operation(edited.operation)

    assert Finding.objects.filter(open=False).count() == 0
    with pytest.raises(Refused, match="left to do"):
        operations.request_again(ALICE, edited.operation)


def test_a_threshold_that_was_cancelled_goes_on_where_it_was(in_steps: None):
    _, edited, low = raised(3)
    assert edited.operation is not None
    change = cancelled_in_the_middle(StepOutcome(None, (), (edited.operation,)))
    assert "of 8 findings are closed; the others are open still." in change.why

    run_operation(operations.request_again(ALICE, change.pk))

    assert set(Finding.objects.filter(open=False).values_list("pk", flat=True)) == set(low)


# Syncs meanwhile


def test_a_sync_that_was_reading_writes_nothing_while_the_change_has_the_record(scene: Scene, in_steps: None):
    """records.md: the applying transaction looks again, and applies only what is still asked for."""
    scene.mapped(shop=many(6))
    scene.sync()
    scene.map("shop", "Other")
    scene.sync()
    target = Product.objects.get(name="Product shop").pk
    asked: list[StepOutcome] = []

    def remapped() -> None:
        ids = [scene.record("shop").pk]
        asked.append(records.map_records(ALICE, ids, product_id=target, already_imported="move"))

    meanwhile(scene, remapped)
    scene.world.products["shop"].families["issues"] = rows("new")

    sync = scene.sync()

    assert scene.result(sync, "shop").outcome == "dropped"
    assert "on their way in Operation" in scene.result(sync, "shop").why
    assert "new" not in scene.findings("shop")
    carry_out(asked[0])
    scene.sync()
    assert scene.open("shop") == {"new"}


def test_two_at_once_take_turns(in_steps: None):
    """A batch locks the Record as any decision does: one that comes meanwhile waits, and is told of the change."""
    shop = two_feeds(2)
    outcome = map_to(shop, "Shop", "move")
    (number,) = outcome.operations
    told: list[Sequence[Any]] = []

    def progress(phase: str, done: int, total: int | None, beside: str = "") -> None:
        if not told:
            in_another_thread(lambda: told.append(records.ignore_records(BOB, [shop]).items))

    run_operation(number, progress)

    assert not told[0][0].ok
    assert Operation.objects.get(pk=number).status == "success"


def test_ranges_hold_every_key_once():
    for findings_there in (0, 1, 4_999, 5_000, 5_001, 200_000):
        spans = remap.spans(findings_there)
        assert len(spans) == max(1, -(-findings_there // remap.BATCH))
        assert (spans[0].low.int, spans[-1].high.int) == (0, 2**128 - 1)
        assert all(one.high.int + 1 == other.low.int for one, other in pairwise(spans))


def test_each_kind_is_known_by_its_name():
    from tidegate.ingest.change import CHANGES

    kinds: dict[str, Callable[..., Any]] = {
        changes.MOVE: changes.run_move, changes.CLOSE: changes.run_close,
        changes.PUT_BACK: changes.run_put_back, changes.THRESHOLD: changes.run_threshold,
    }  # fmt: skip
    assert kinds.items() <= CHANGES.items()
