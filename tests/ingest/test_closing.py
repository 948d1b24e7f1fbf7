"""What may close a finding, and all that may not: proofs, second looks, witnesses, holds."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest

from tests.acme import as_json, many, rows
from tests.ingest.scene import ALICE, Scene, on_findings

FAULTS: dict[str, Callable[[httpx2.Request], httpx2.Response]] = {
    "500 for ever": lambda request: httpx2.Response(500),
    "401": lambda request: httpx2.Response(401),
    "404": lambda request: httpx2.Response(404),
    "400": lambda request: httpx2.Response(400),
    "login page": lambda request: httpx2.Response(200, html="<html>sign in</html>"),
    "empty body": lambda request: httpx2.Response(200, content=b""),
    "cut body": lambda request: httpx2.Response(200, content=b'{"items": [{"id": "a"'),
    "not a list": lambda request: as_json({"items": None, "total": 0}),
    "another form": lambda request: as_json({"error": "try later"}),
    "fewer rows than promised": lambda request: as_json({"items": list(rows("a").values()), "total": 4}),
    "null": lambda request: httpx2.Response(200, content=b"null"),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_an_answer_that_proves_nothing_closes_nothing(scene: Scene, fault: str) -> None:
    """promises.md 1: never closed by an error or a partial answer; the next healthy sync brings the true state.
    records.md: a sync that did not prove that it saw everything closes nothing."""
    scene.mapped(shop=rows("a", "b", "c", "d"))
    scene.sync()
    scene.world.issues("shop").pop("d")
    scene.world.interfere = on_findings(FAULTS[fault])

    operation = scene.sync()

    assert operation.status in ("partial", "failed")
    assert "Product shop" in operation.why
    assert scene.open() == {"a", "b", "c", "d"}
    assert scene.waiting("pending") == set()
    assert scene.result(operation, "shop").outcome in ("incomplete", "failed")
    scene.world.interfere = None
    assert scene.sync().status == "success"
    assert scene.open() == {"a", "b", "c"}


def test_one_record_that_fails_does_not_stop_the_others(scene: Scene) -> None:
    """records.md: a Record that fails does not stop the others; the Operation says which, why, and what to do."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    scene.world.interfere = lambda request: httpx2.Response(404) if "/shop/" in request.url.path else None

    operation = scene.sync()

    assert operation.status == "partial"
    assert "Product shop" in operation.why
    assert "Product api" not in operation.why
    assert scene.open() == {"b"}


def test_a_family_that_is_switched_off_is_skipped_while_others_are_applied(scene: Scene) -> None:
    """records.md: a Family that is switched off, or that the token may not read, is skipped; the others are applied."""
    scene.mapped(shop=rows("a", "b"))
    scene.world.products["shop"].families["secrets"] = rows("s1", "s2")
    scene.sync()
    scene.world.products["shop"].off.add("secrets")
    scene.world.issues("shop").pop("a")

    operation = scene.sync()

    assert scene.open() == {"b", "s1", "s2"}
    assert operation.status == "partial"
    assert scene.result(operation, "shop", "secrets").outcome == "skipped"
    assert scene.part("shop", "secrets").last_outcome == "skipped"
    assert scene.part("shop", "secrets").proven_operation_id != operation.pk


def test_a_family_that_was_never_enabled_is_no_warning(scene: Scene) -> None:
    """records.md: one never enabled is a grey word, no badge."""
    scene.world.add("shop", findings=rows("a"), off={"secrets"}).families["secrets"] = {}
    scene.discover()
    scene.map("shop", "Shop")

    operation = scene.sync()

    assert operation.status == "success"
    assert scene.result(operation, "shop", "secrets").outcome == "off"


def test_a_family_the_tool_no_longer_yields_keeps_its_findings(scene: Scene) -> None:
    """records.md: a Family that the Tool no longer yields is skipped: its findings stay as they are."""
    scene.mapped(shop=rows("a"))
    scene.world.products["shop"].families["secrets"] = rows("s1")
    scene.sync()
    del scene.world.products["shop"].families["secrets"]

    operation = scene.sync()

    assert scene.open() == {"a", "s1"}
    assert scene.result(operation, "shop", "secrets").outcome == "skipped"
    assert operation.status == "partial"


def test_a_connector_that_skips_a_family_says_why(scene: Scene) -> None:
    """records.md: a Family that the Tool no longer yields is *skipped*, and says why."""
    scene.mapped(shop=rows("a"))
    scene.sync()
    scene.world.products["shop"].skipped["issues"] = "No scan has completed yet."

    operation = scene.sync()

    assert scene.open() == {"a"}
    assert "No scan has completed yet." in operation.why


def test_an_older_state_than_the_one_applied_is_skipped(scene: Scene) -> None:
    """tools.md, report folder: never older than the last one applied."""
    scene.mapped(shop=rows("a", "b"))
    scene.world.products["shop"].marks["issues"] = "2026-05-02"
    scene.sync()
    scene.world.products["shop"].marks["issues"] = "2026-05-01"
    scene.world.issues("shop").pop("a")

    operation = scene.sync()

    assert scene.open() == {"a", "b"}
    assert "older" in scene.result(operation, "shop", "issues").why


def test_nothing_at_all_is_believed_only_with_a_witness(scene: Scene) -> None:
    """records.md: no rows for a VEP that has open findings is believed only if the vendor still names the VEP."""
    scene.mapped(shop=rows("a", "b"), api=rows("c"))
    scene.sync()
    scene.world.issues("shop").clear()

    operation = scene.sync()

    assert operation.status == "success"
    assert scene.open() == {"c"}


def test_nothing_at_all_without_a_witness_is_skipped(scene: Scene) -> None:
    """records.md: otherwise the Family is skipped."""
    scene.mapped(shop=rows("a", "b"), api=rows("c"))
    scene.sync()
    scene.world.interfere = lambda request: (
        as_json({"items": [], "total": 0})
        if "/findings/" in request.url.path or request.url.path == "/products"
        else None
    )

    operation = scene.sync()

    assert scene.open() == {"a", "b", "c"}
    assert operation.status == "partial"
    assert "no longer names it" in operation.why


def test_a_drifting_list_closes_only_what_two_passes_miss(scene: Scene) -> None:
    """promises.md, closing under drifting pages: a finding missing from a drifting source closes only if a second
    complete pass misses it too."""
    scene.world.paged = "drifting"
    scene.mapped(shop=many(25))
    scene.sync()
    scene.world.issues("shop").pop("f3")
    hidden = scene.world.issues("shop").pop("f7")
    passes: list[int] = []

    def come_back(request: httpx2.Request) -> None:
        if request.url.params.get("page") == "1":
            passes.append(1)
            if len(passes) == 2:
                scene.world.issues("shop")["f7"] = hidden

    scene.world.interfere = on_findings(come_back)
    scene.sync()

    assert len(passes) == 2
    assert scene.open() == set(many(25)) - {"f3"}
    assert [line.kind for line in scene.journal("f7")] == []


def test_a_drifting_list_that_misses_nothing_is_read_once(scene: Scene) -> None:
    """promises.md: only if something is gone a second pass goes into the same spool."""
    scene.world.paged = "drifting"
    scene.mapped(shop=many(25))
    scene.sync()
    scene.world.asked.clear()

    scene.sync()

    assert len([path for path in scene.world.asked if "/findings/" in path]) == 3


def test_the_same_page_again_hides_nothing(scene: Scene) -> None:
    """promises.md, Paging: the same page again, with a total that agrees, for ever."""
    scene.world.paged = "drifting"
    scene.mapped(shop=many(20))
    scene.sync()

    def again(request: httpx2.Request) -> httpx2.Response:
        first = list(scene.world.issues("shop").values())[:10]
        return as_json({"items": first, "total": 20})

    scene.world.interfere = on_findings(again)
    operation = scene.sync()

    assert scene.open() == set(many(20))
    assert operation.status == "partial"


def test_a_cursor_that_shows_rows_twice_closes_nothing(scene: Scene) -> None:
    scene.world.paged = "steady"
    scene.mapped(shop=many(20))
    scene.sync()

    def again(request: httpx2.Request) -> httpx2.Response:
        first = list(scene.world.issues("shop").values())[:10]
        link = None if "page" in request.url.params else f"{request.url.path}?page=2"
        return as_json({"items": first, "total": 20, "links": {"next": link}})

    scene.world.interfere = on_findings(again)
    operation = scene.sync()

    assert scene.open() == set(many(20))
    assert operation.status == "partial"


def test_a_total_that_moves_begins_the_reading_again_once(scene: Scene) -> None:
    """promises.md: a total that moves begins the pass again, once."""
    scene.world.paged = "drifting"
    scene.mapped(shop=many(25))
    scene.sync()
    moved: list[int] = []

    def move(request: httpx2.Request) -> None:
        if request.url.params.get("page") == "2" and not moved:
            moved.append(1)
            scene.world.issues("shop").update(rows("new"))

    scene.world.interfere = on_findings(move)
    operation = scene.sync()

    assert operation.status == "success"
    assert scene.open() == set(many(25)) | {"new"}


def collapse(scene: Scene, number: int = 30, left: int = 5) -> Any:
    scene.mapped(shop=many(number))
    scene.sync()
    kept = dict(list(scene.world.issues("shop").items())[:left])
    scene.world.products["shop"].families["issues"] = kept
    return scene.sync()


def test_a_sudden_collapse_is_held_with_its_list(scene: Scene) -> None:
    """records.md: when more than half of more than twenty open findings would close at once, they are held."""
    operation = collapse(scene)

    assert operation.status == "partial"
    assert operation.counts["held"] == 25
    assert len(scene.open()) == 30
    assert scene.waiting() == set(many(30)) - set(many(5))
    assert "approve" in operation.why


@pytest.mark.parametrize(("number", "left", "held"), [(20, 0, False), (21, 10, True), (21, 11, False), (40, 20, False)])
def test_the_limits_of_a_collapse(scene: Scene, number: int, left: int, held: bool) -> None:
    """records.md: more than half of more than twenty."""
    operation = collapse(scene, number, left)

    assert bool(scene.waiting()) is held
    assert operation.status == ("partial" if held else "success")


def test_many_small_records_that_collapse_together_are_held(scene: Scene) -> None:
    """records.md: or of all other Records read completely in this Operation together."""
    scene.mapped(**{f"p{n}": rows(*(f"p{n}-{m}" for m in range(8))) for n in range(4)})
    scene.sync()
    for product in scene.world.products.values():
        product.families["issues"] = dict(list(product.families["issues"].items())[:1])

    operation = scene.sync()

    assert operation.status == "partial"
    assert len(scene.open()) == 32
    assert len(scene.waiting()) == 28


def test_approve_closes_what_the_person_saw_and_is_still_gone(scene: Scene) -> None:
    """records.md: Approve closes what the person saw and is still gone."""
    from tidegate.actions.operation import approve

    operation = collapse(scene)

    closed = approve(ALICE, operation.pk)

    assert closed == 25
    assert scene.open() == set(many(5))
    assert scene.waiting() == set()
    line = scene.journal("f20")[-1]
    assert (line.kind, line.actor, line.operation) == ("closed", "alice", operation.pk)


def test_keep_open_does_not_ask_again_until_the_vendor_has_shown_them_once_more(scene: Scene) -> None:
    """records.md: Keep open leaves these open and does not ask again until the vendor has shown them once more."""
    from tidegate.actions.operation import keep_open

    operation = collapse(scene)
    everything = many(30)

    assert keep_open(ALICE, operation.pk) == 25
    again = scene.sync()

    assert again.status == "success"
    assert again.counts["kept_open"] == 25
    assert len(scene.open()) == 30
    scene.world.products["shop"].families["issues"] = everything
    scene.sync()
    assert scene.waiting("kept open") == set()
    scene.world.products["shop"].families["issues"] = dict(list(everything.items())[:5])
    assert scene.sync().counts["held"] == 25


def test_each_complete_read_replaces_the_held_list(scene: Scene) -> None:
    """records.md: found again → off, newly gone → on; when it no longer exceeds the limit it is applied and ends."""
    collapse(scene)
    scene.world.products["shop"].families["issues"] = dict(list(many(30).items())[:8])
    assert scene.sync().counts["held"] == 22
    scene.world.products["shop"].families["issues"] = dict(list(many(30).items())[:20])

    operation = scene.sync()

    assert operation.status == "success"
    assert scene.open() == set(many(20))
    assert scene.waiting() == set()


def test_what_is_held_never_grows_old_into_being_applied(scene: Scene) -> None:
    """records.md: it never grows old into being applied."""
    collapse(scene)

    for _ in range(3):
        scene.sync()

    assert len(scene.open()) == 30
    assert len(scene.waiting()) == 25


def test_an_odd_item_with_an_id_stays_as_it_is_and_the_others_may_close(scene: Scene) -> None:
    """records.md: one odd item is set aside; if its id can be read it counts as seen, the others may close."""
    from tidegate.store.models import Quarantine

    scene.mapped(shop=rows("a", "b", "c"))
    scene.sync()
    del scene.world.issues("shop")["a"]["severity"]
    scene.world.issues("shop").pop("b")

    operation = scene.sync()

    assert scene.open() == {"a", "c"}
    assert operation.counts["quarantined"] == 1
    odd = Quarantine.objects.get()
    assert (odd.vendor_key, odd.family) == ("a", "issues")
    assert "Weakness a" in odd.raw


def test_an_odd_item_without_an_id_closes_nothing_of_its_family(scene: Scene) -> None:
    """records.md: without a readable id its Family of that VEP closes nothing."""
    scene.mapped(shop=rows("a", "b", "c"))
    scene.sync()
    del scene.world.issues("shop")["a"]["id"]
    scene.world.issues("shop").pop("b")

    operation = scene.sync()

    assert scene.open() == {"a", "b", "c"}
    assert operation.status == "partial"


def test_a_licence_note_is_skipped_with_its_reason_and_closes_its_finding(scene: Scene) -> None:
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.world.issues("shop")["a"]["licence"] = True

    operation = scene.sync()

    assert scene.open() == {"b"}
    assert operation.counts["skipped"] == 1


def test_a_state_from_the_future_does_not_block_the_later_ones(scene: Scene) -> None:
    """promises.md, Body: dates in the future."""
    scene.mapped(shop=rows("a", "b"))
    scene.world.products["shop"].marks["issues"] = "2999-01-01T00:00:00.000000Z"
    scene.sync()
    tomorrow = datetime.now(UTC) + timedelta(days=1)
    scene.world.products["shop"].marks["issues"] = tomorrow.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    scene.world.issues("shop").pop("a")

    scene.sync()

    assert scene.open() == {"b"}


def test_what_only_the_vendors_word_and_a_threshold_close_is_left_out_of_a_collapse(scene: Scene) -> None:
    """records.md, Sync: what is fixed or below the threshold does not count for a collapse, on neither side of it."""
    scene.mapped(shop=many(60))
    scene.sync()
    findings = scene.world.issues("shop")
    for number in range(30):
        findings[f"f{number}"]["status"] = "fixed"
    for number in range(30, 50):
        del findings[f"f{number}"]

    operation = scene.sync()

    assert operation.counts["held"] == 20
    assert operation.counts["closed"] == 30
