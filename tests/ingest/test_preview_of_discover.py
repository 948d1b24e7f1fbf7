"""A preview of a Discover says what the real one would do, and leaves everything as it is."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from tests.acme import as_json, rows
from tests.ingest.scene import ALICE, Scene, meanwhile
from tests.untouched import only_the_preview_is_written


def preview(scene: Scene) -> Any:
    from tidegate.actions.operation import preview_discover

    return scene.operation(preview_discover(ALICE, scene.connection_id))


def told(operation: Any) -> dict[str, set[str]]:
    """The titles of what would be done, by kind."""
    from tidegate.store.models import Difference

    found: dict[str, set[str]] = {}
    for kind, title in Difference.objects.filter(operation=operation).values_list("kind", "title"):
        found.setdefault(kind, set()).add(title)
    return found


def difference(operation: Any, kind: str) -> Any:
    from tidegate.store.models import Difference

    return Difference.objects.get(operation=operation, kind=kind)


@pytest.fixture
def eventful(scene: Scene) -> Scene:
    """Something of everything has happened at the vendor since the last Discover; auto-map is on now."""
    from tidegate.actions.record import delete_records

    scene.mapped(shop=rows("a"), api=rows("b"), back=rows(), gone=rows())
    scene.world.add("deleted", "Deleted")
    back = scene.world.products.pop("back")
    scene.discover()
    delete_records(ALICE, [scene.record("deleted").pk])
    scene.sync()
    scene.world.products["back"] = back
    scene.world.products["shop"].name = "Shop 2"
    del scene.world.products["gone"]
    scene.world.add("fresh", "Fresh", parent="Team")
    scene.configure(auto_map=True)
    return scene


def test_a_preview_leaves_everything_as_it_is(eventful: Scene) -> None:
    """records.md, Preview: findings, Records, proofs, journal are untouched; so are accounts, Products, history."""
    eventful.configure(account="")

    with only_the_preview_is_written():
        operation = preview(eventful)

    assert (operation.status, operation.preview, operation.complete) == ("success", True, True)


def test_it_counts_what_the_real_one_then_does(eventful: Scene) -> None:
    """Preview: the same reading, staging and proof as the real one, so the same counts."""
    foreseen = preview(eventful)

    real = eventful.discover()

    assert foreseen.counts == real.counts
    assert foreseen.counts == {
        "seen": 5, "new": 1, "revived": 1, "back": 1, "changed": 1, "renamed": 1, "missing": 1, "auto_mapped": 2,
        "products_made": 2,
    }  # fmt: skip


def test_it_names_each_record_and_what_would_become_of_it(eventful: Scene) -> None:
    """Preview: new, renamed (before and after), missing, back, revived; and what auto-map would map, new ones too."""
    operation = preview(eventful)

    assert told(operation) == {
        "new": {"Fresh"},
        "renamed": {"Shop 2"},
        "missing": {"Product gone"},
        "back": {"Product back"},
        "revived": {"Deleted"},
        "mapped": {"Fresh", "Deleted"},
    }
    renamed, new = difference(operation, "renamed"), difference(operation, "new")
    assert (renamed.before, renamed.after) == ({"name": "Product shop"}, {"name": "Shop 2"})
    assert (renamed.record_id, renamed.key) == (eventful.record("shop").pk, "shop")
    assert (new.record_id, new.key, new.after) == (None, "fresh", {"parent": "Team"})
    assert difference(operation, "missing").before == {"product": "Product gone"}


@pytest.mark.parametrize("joins", [True, False])
def test_what_auto_map_would_map_says_whether_the_product_is_there_already(scene: Scene, joins: bool) -> None:
    """records.md, auto-map on: an existing Product is joined only if the Connection says so; the preview says which."""
    from tests import world

    world.product("Storefront")
    scene.world.add("shop", "Storefront", parent="Web")
    scene.configure(auto_map=True, join_by_name=joins)

    mapped = difference(preview(scene), "mapped")

    name = "Storefront" if joins else "Storefront (Web)"
    assert mapped.after == {"product": name, "made": not joins}
    scene.discover()
    assert world.product_of(scene.record("shop").pk) == name


def test_too_many_absences_at_once_would_be_held(scene: Scene) -> None:
    """records.md: everything gone at once is held; a preview says so and holds nothing."""
    for n in range(3):
        scene.world.add(f"p{n}")
    scene.discover()
    scene.world.products.clear()

    with only_the_preview_is_written():
        operation = preview(scene)

    assert (operation.status, operation.counts["held"]) == ("partial", 3)
    assert told(operation) == {"held": {"Product p0", "Product p1", "Product p2"}}
    assert operation.why == ("This account now sees 0 of 3. Nothing would become Missing: a person would be asked.")


@pytest.mark.parametrize("answer", [httpx2.Response(500), as_json({"items": [], "total": 3})])
def test_what_proves_nothing_makes_nothing_missing_in_a_preview_either(scene: Scene, answer: httpx2.Response) -> None:
    """records.md: Discover cannot prove that it saw everything: nothing becomes Missing."""
    scene.world.add("shop")
    scene.discover()
    scene.world.interfere = lambda request: answer if request.url.path == "/products" else None

    operation = preview(scene)

    assert operation.status in ("failed", "partial")
    assert (operation.complete, told(operation)) == (False, {})
    assert "Nothing would become Missing" in operation.why or operation.status == "failed"


def test_a_drifting_list_is_read_twice_before_one_would_be_missing(scene: Scene) -> None:
    """promises.md, Closing under drifting pages: absent only if a second complete pass misses it too."""
    scene.world.paged = "drifting"
    for n in range(25):
        scene.world.add(f"p{n}")
    scene.discover()
    hidden = scene.world.products.pop("p3")
    del scene.world.products["p4"]
    passes: list[int] = []

    def come_back(request: httpx2.Request) -> None:
        if request.url.path == "/products" and request.url.params.get("page") == "1":
            passes.append(1)
            if len(passes) == 2:
                scene.world.products["p3"] = hidden

    scene.world.interfere = come_back

    with only_the_preview_is_written():
        operation = preview(scene)

    assert len(passes) == 2
    assert told(operation) == {"missing": {"Product p4"}}


def test_of_each_kind_so_many_are_kept_and_all_are_counted(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    """Preview: counts are exact, the list is bounded, or 100,000 new VEPs would be as many rows."""
    from tidegate.store.models import Difference
    from tidegate.store.writers import difference as writer

    monkeypatch.setattr(writer, "KEPT", 3)
    for n in range(5):
        scene.world.add(f"p{n}")
    scene.configure(auto_map=True)

    operation = preview(scene)

    assert (operation.counts["new"], operation.counts["auto_mapped"]) == (5, 5)
    kinds = list(Difference.objects.filter(operation=operation).values_list("kind", flat=True))
    assert (kinds.count("new"), kinds.count("mapped")) == (3, 3)


def test_rows_that_cannot_be_read_are_told_and_not_set_aside(scene: Scene) -> None:
    """A preview touches no quarantine: what the last Discover set aside is still there."""
    scene.world.interfere = lambda request: (
        as_json({"items": [{"id": "odd"}], "total": 1}) if request.url.path == "/products" else None
    )
    scene.discover()

    with only_the_preview_is_written():
        operation = preview(scene)

    assert operation.counts["quarantined"] == 1
    assert "Could not be read" in scene.log(operation)


def test_a_rejected_login_counts_in_a_preview_too(scene: Scene) -> None:
    """One whose login is rejected three times running pauses itself: the vendor counts, whatever we asked for."""
    scene.world.interfere = lambda request: httpx2.Response(401)

    with only_the_preview_is_written("connection"):
        operation = preview(scene)

    assert (operation.status, scene.connection.rejected_logins) == ("failed", 1)


def test_acceptances_that_have_ended_are_left_to_others(scene: Scene) -> None:
    """Preview: findings are untouched, also by what every other Operation does first."""
    from tests import world
    from tidegate.store.models import Decision

    scene.mapped(shop=rows("a"))
    scene.sync()
    finding = scene.findings()["a"]
    accepted = {"feed": finding.feed, "family": "issues", "key_hash": finding.key_hash, "field": "verdict"}
    Decision.objects.create(**accepted, value="accepted", until=world.now(), by="alice")
    type(finding).objects.update(active=False)

    with only_the_preview_is_written():
        preview(scene)


def test_a_connection_that_is_edited_meanwhile_is_previewed_again(scene: Scene) -> None:
    """What was read under other settings promises nothing."""
    scene.world.add("shop")
    meanwhile(scene, lambda: scene.configure(settings={"url": "https://other.test/"}), asked="/products")

    operation = preview(scene)

    assert (operation.status, told(operation)) == ("cancelled", {})


def test_a_preview_that_was_taken_up_again_says_everything_once(scene: Scene) -> None:
    """promises.md: doing a thing twice changes nothing."""
    from tidegate.store.models import Difference
    from tidegate.store.writers.difference import save_differences

    scene.world.add("shop")
    operation = preview(scene)
    row = {"kind": "new", "record_id": None, "key": "shop", "title": "Shop", "before": {}, "after": {}}

    save_differences(operation.pk, [row])

    assert [one.title for one in Difference.objects.filter(operation=operation)] == ["Shop"]
