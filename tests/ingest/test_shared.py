"""One walk for all Records: what an export brings is read once, and each Record gets its own. architecture.md."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, cast

import httpx2
import pytest

from tests.acme import Acme, as_json, row, rows
from tests.ingest.scene import ALICE, Scene, meanwhile
from tests.ingest.test_equation import equation
from tidegate.actions.operation import preview_sync
from tidegate.actions.record import delete_records, ignore_records
from tidegate.rules.equation import Equation
from tidegate.store.models import Finding, Quarantine, Record
from tidegate_sdk import NO_PRODUCT, Ask, SharedFamily, Skipped


@pytest.fixture
def exporting(scene: Scene) -> Scene:
    scene.world.exported = {"issues"}
    return scene


def exports(scene: Scene) -> int:
    return scene.world.asked.count("/exports/issues")


def on_exports(answer: Any) -> Any:
    return lambda request: answer(request) if "/exports/" in request.url.path else None


def test_one_export_serves_every_record_and_no_other_is_asked(exporting: Scene) -> None:
    exporting.mapped(shop=rows("a", "b"), club=rows("a", "c"))
    exporting.world.add("bank", findings=rows("d"))

    operation = exporting.sync()

    assert (exports(exporting), exporting.open("shop"), exporting.open("club")) == (1, {"a", "b"}, {"a", "c"})
    assert [path for path in exporting.world.asked if "/findings/" in path] == []
    assert (operation.status, operation.counts["created"], operation.counts["seen"]) == ("success", 4, 4)


def test_what_is_unchanged_changed_gone_and_back_is_so_for_each_record_alone(exporting: Scene) -> None:
    exporting.mapped(shop=rows("a", "b", "c"), club=rows("a", "b", "c"))
    exporting.sync()
    exporting.world.issues("shop").pop("a")
    exporting.world.issues("club")["b"] = row("b", title="Worse")

    operation = exporting.sync()

    assert (exporting.open("shop"), exporting.open("club")) == ({"b", "c"}, {"a", "b", "c"})
    assert exporting.findings("club")["b"].title == "Worse"
    assert exporting.findings("shop")["b"].title == "Weakness b"
    counts = operation.counts
    assert (counts["closed"], counts["updated"], counts["unchanged"]) == (1, 1, 4)


def test_the_equation_of_each_record_says_what_was_elsewhere(exporting: Scene) -> None:
    exporting.mapped(
        shop=rows("a", "b") | {"note": row("note", licence="GPL"), "odd": row("odd", title=None)}, club=rows("c")
    )
    exporting.world.add("bank", findings=rows("d", "e"))

    operation = exporting.sync()

    assert equation(exporting, operation) == Equation(
        vendor=7, open=2, skipped={"a licence note": 1}, quarantined=1, elsewhere=3
    )
    assert equation(exporting, operation, "club") == Equation(vendor=7, open=1, elsewhere=6)
    proof = exporting.part("club").proof
    assert (proof["seen"], proof["declared"]) == (7, 7)


def test_an_export_that_fails_closes_nothing_of_any_record(exporting: Scene) -> None:
    exporting.mapped(shop=rows("a"), club=rows("b"))
    exporting.sync()
    exporting.world.interfere = on_exports(lambda request: httpx2.Response(500))

    operation = exporting.sync()

    assert exporting.open() == {"a", "b"}
    assert operation.status == "partial"
    assert exporting.result(operation, "shop", "issues").outcome == "incomplete"


def test_an_export_that_is_off_skips_the_family_of_all(exporting: Scene) -> None:
    exporting.mapped(shop=rows("a"), club=rows("b"))
    exporting.sync()
    exporting.world.interfere = on_exports(lambda request: httpx2.Response(403))

    operation = exporting.sync()

    assert exporting.open() == {"a", "b"}
    assert exporting.result(operation, "club", "issues").outcome == "skipped"


def test_a_row_that_does_not_say_whose_it_is_closes_nothing_of_the_walk(exporting: Scene) -> None:
    """records.md: without a readable VEP, in a walk that serves many Records, nothing of that walk closes."""
    exporting.mapped(shop=rows("a", "b"), club=rows("c"))
    exporting.sync()
    listed = [row("a", product="shop"), row("c", product="club"), row("x")]
    exporting.world.interfere = on_exports(lambda request: as_json({"items": listed, "total": 3}))

    exporting.sync()

    assert exporting.open() == {"a", "b", "c"}


def of_no_product(exporting: Scene) -> list[tuple[str, str]]:
    found = Record.objects.filter(connection_id=exporting.connection_id, vendor_id=NO_PRODUCT, deleted_at=None)
    return [(one.name, one.decision) for one in found]


def test_a_finding_of_no_product_that_only_the_walk_shows_gets_a_record(exporting: Scene) -> None:
    """tools.md: a Record `(no product)` is made when one is seen, never Missing. A preview makes none; what a person
    decided of it stays, and one that was deleted is back."""
    exporting.mapped(shop=rows("a"))
    exporting.sync()
    assert of_no_product(exporting) == []
    listed = [row("a", product="shop"), row("x", product=NO_PRODUCT)]
    exporting.world.interfere = on_exports(lambda request: as_json({"items": listed, "total": 2}))

    preview_sync(ALICE, exporting.connection_id)
    assert of_no_product(exporting) == []

    exporting.sync()
    exporting.sync()
    assert of_no_product(exporting) == [(NO_PRODUCT, "undecided")]
    exporting.discover()
    assert exporting.record(NO_PRODUCT).absent_since is None

    exporting.map(NO_PRODUCT, "Rest")
    exporting.sync()
    assert exporting.open(NO_PRODUCT) == {"x"}

    delete_records(ALICE, [exporting.record(NO_PRODUCT).pk])
    exporting.sync()
    assert of_no_product(exporting) == [(NO_PRODUCT, "undecided")]


def test_an_odd_row_without_an_id_closes_nothing_of_its_own_record_only(exporting: Scene) -> None:
    exporting.mapped(shop=rows("a", "b"), club=rows("c", "d"))
    exporting.sync()
    listed = [row("a", product="shop"), {"product": "shop", "title": None}, row("c", product="club")]
    exporting.world.interfere = on_exports(lambda request: as_json({"items": listed, "total": 3}))

    operation = exporting.sync()

    assert exporting.open("shop") == {"a", "b"}
    assert exporting.open("club") == {"c"}
    assert "could not be read and have no readable id" in exporting.result(operation, "shop", "issues").why
    (odd,) = Quarantine.objects.all()
    assert odd.record_id == exporting.record("shop").pk


def test_a_record_that_the_export_does_not_name_needs_a_witness(exporting: Scene) -> None:
    """records.md, *Empty needs a witness*: here the list of products, read once for all."""
    exporting.mapped(shop=rows("a"), club=rows("b"), bank=rows("c"))
    exporting.sync()
    exporting.world.issues("shop").clear()
    listed = [row("c", product="bank")]
    exporting.world.interfere = on_exports(lambda request: as_json({"items": listed, "total": 1}))
    exporting.world.products.pop("club")

    operation = exporting.sync()

    assert exporting.open() == {"b", "c"}
    assert exporting.result(operation, "shop", "issues").outcome == "complete"
    assert "no longer names it" in exporting.result(operation, "club", "issues").why


def test_a_drifting_export_is_read_twice_once_for_all(exporting: Scene) -> None:
    exporting.world.paged, exporting.world.per_page = "drifting", 100
    exporting.mapped(shop=rows("a", "b"), club=rows("c", "d"), bank=rows("e"))
    exporting.sync()
    exporting.world.asked.clear()
    for name, key in (("shop", "a"), ("club", "c")):
        exporting.world.issues(name).pop(key)
    hidden = iter([True])

    def drift(request: httpx2.Request) -> None:
        """The first reading misses a row that is there; the second shows it."""
        there = exporting.world.issues("shop")
        if next(hidden, False):
            there.pop("b")
        else:
            there["b"] = row("b")

    exporting.world.interfere = on_exports(drift)
    operation = exporting.sync()

    assert exports(exporting) == 2
    assert (exporting.open("shop"), exporting.open("club"), exporting.open("bank")) == ({"b"}, {"d"}, {"e"})
    assert operation.status == "success"
    assert equation(exporting, operation) == Equation(vendor=3, open=1, elsewhere=2)


@pytest.mark.parametrize("twice", ["club", "bank"], ids=["of a mapped Record", "of nobody"])
def test_a_row_that_comes_twice_may_hide_one_of_any_record(exporting: Scene, twice: str) -> None:
    """promises.md, *Paging*: whosever row is repeated, another may be missing."""
    exporting.world.paged = "steady"
    exporting.mapped(shop=rows("a", "b"), club=rows("c"))
    exporting.sync()
    listed = [row("a", product="shop"), row("c", product="club"), row("x", product=twice), row("x", product=twice)]
    exporting.world.interfere = on_exports(lambda request: as_json({"items": listed, "links": {"next": None}}))

    operation = exporting.sync()

    assert exporting.open("shop") == {"a", "b"}
    assert "came more than once" in exporting.result(operation, "shop", "issues").why


def test_rows_of_a_record_in_a_walk_that_does_not_serve_it_close_nothing_of_it(
    exporting: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporting.world.exported = {"issues"}
    exporting.mapped(shop=rows("a", "b"), club=rows("c", "d"))
    exporting.sync()
    healthy = Acme.shared

    def by_product(self: Any, veps: Any) -> Any:
        whole = cast("SharedFamily", next(healthy(self, veps)))
        for name in ("shop", "club"):
            paths = {"shop": whole.list, "club": replace(whole.list, ask=Ask("products/club/findings/issues"))}
            yield replace(whole, list=paths[name], covers=lambda vep, name=name: vep.id == name, of=of_row)

    def of_row(row: Any) -> str:
        return row.get("product") or "club"

    monkeypatch.setattr(Acme, "shared", by_product)
    exporting.world.issues("club").pop("d")

    operation = exporting.sync()

    assert exporting.open() == {"a", "b", "c", "d"}
    assert "that does not serve it" in exporting.result(operation, "club", "issues").why
    assert exporting.result(operation, "shop", "issues").outcome == "complete"


def test_a_family_named_by_the_walk_and_by_the_record_is_not_believed(
    exporting: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporting.mapped(shop=rows("a"))
    exporting.sync()
    exporting.world.issues("shop").clear()
    healthy = Acme.families

    def twice(self: Any, vep: Any) -> Any:
        exporting.world.exported, kept = set(), exporting.world.exported
        yield from healthy(self, vep)
        exporting.world.exported = kept

    monkeypatch.setattr(Acme, "families", twice)

    operation = exporting.sync()

    assert exporting.open("shop") == {"a"}
    assert "twice" in exporting.result(operation, "shop").why


def test_families_of_both_kinds_flow_into_one_record(exporting: Scene) -> None:
    exporting.world.add("shop", findings=rows("a", "b"))
    exporting.world.products["shop"].families["secrets"] = rows("a", "s")
    exporting.discover()
    exporting.map("shop", "Shop")
    exporting.sync()
    exporting.world.issues("shop")["a"] = row("a", title="Issue")
    exporting.world.products["shop"].families["secrets"]["s"] = row("s", title="Secret")

    operation = exporting.sync()

    titles = {(found.family, found.key): found.title for found in Finding.objects.all()}
    assert titles["issues", "a"] == "Issue"
    assert titles["secrets", "s"] == "Secret"
    assert titles["secrets", "a"] == "Weakness a"
    assert operation.counts["updated"] == 2


def test_a_state_that_is_older_than_the_one_applied_is_nobodys(exporting: Scene) -> None:
    exporting.world.export_mark = "2026-05-03T12:00:00.000000Z"
    exporting.mapped(shop=rows("a"))
    exporting.sync()
    exporting.world.export_mark = "2026-05-02T12:00:00.000000Z"
    exporting.world.issues("shop").pop("a")
    exporting.world.issues("shop")["b"] = row("b")

    operation = exporting.sync()

    assert exporting.open("shop") == {"a"}
    assert "is older than" in exporting.result(operation, "shop", "issues").why


def test_one_record_alone_takes_only_its_own(exporting: Scene) -> None:
    exporting.mapped(shop=rows("a"), club=rows("b"))

    exporting.sync("club")

    assert exporting.open() == {"b"}


def test_a_record_that_is_ignored_meanwhile_takes_nothing(exporting: Scene) -> None:
    exporting.mapped(shop=rows("a"), club=rows("b"))
    meanwhile(exporting, lambda: ignore_records(ALICE, [exporting.record("shop").pk]), asked="/exports/")

    operation = exporting.sync()

    assert exporting.open() == {"b"}
    assert exporting.result(operation, "shop").outcome == "dropped"


def test_a_sync_that_was_handed_back_reads_the_export_again_and_does_only_what_is_left(exporting: Scene) -> None:
    exporting.mapped(shop=rows("a"), club=rows("b"))
    first = exporting.sync()
    exporting.world.issues("shop")["z"] = row("z")

    second = exporting.sync()

    assert (first.counts["created"], second.counts["created"], second.counts["unchanged"]) == (2, 1, 2)


def test_a_walk_that_cannot_be_read_now_is_skipped_for_every_record_with_its_reason(
    exporting: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    exporting.mapped(shop=rows("a"), club=rows("b"))
    exporting.sync()
    exporting.world.issues("shop").clear()

    def off(self: Any, veps: Any) -> Any:
        yield Skipped("issues", "No export was made yet.")

    monkeypatch.setattr(Acme, "shared", off)

    operation = exporting.sync()

    assert exporting.open() == {"a", "b"}
    results = [exporting.result(operation, name, "issues") for name in ("shop", "club")]
    assert {(result.outcome, result.why) for result in results} == {("skipped", "No export was made yet.")}


def test_a_total_that_moves_begins_the_walk_again_once(exporting: Scene) -> None:
    """promises.md, *Closing under drifting pages*."""
    exporting.world.paged, exporting.world.per_page = "drifting", 2
    exporting.mapped(shop=rows("a", "b"), club=rows("c"))
    exporting.sync()
    moved = iter([True])

    def grow(request: httpx2.Request) -> None:
        if request.url.params.get("page") == "2" and next(moved, False):
            exporting.world.issues("club")["d"] = row("d")

    exporting.world.interfere = on_exports(grow)

    operation = exporting.sync()

    assert (exporting.open("shop"), exporting.open("club")) == ({"a", "b"}, {"c", "d"})
    assert operation.status == "success"
    assert exporting.result(operation, "club", "issues").outcome == "complete"
