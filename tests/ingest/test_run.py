"""The life of an Operation in its process: it beats, is lost, interrupted, fails of its own; and what a Tool may do."""

from __future__ import annotations

import errno
import io
import os
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx2
import pytest

from tests.acme import Acme, rows
from tests.ingest.scene import ALICE, Scene, meanwhile, on_findings
from tidegate.actions.operation import sync
from tidegate.ingest.heart import HEART
from tidegate.store.models import Lease, LogLine, Operation
from tidegate.store.writers.operation import claim_operation
from tidegate_sdk import NO_PRODUCT, Ask, Family, VendorChanged, Vep


@pytest.fixture
def short_lease(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TIDEGATE_LEASE_SECONDS", "1")


def wait_for(holds: Callable[[], Any]) -> None:
    until = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < until, "it did not come true"
        time.sleep(0.02)


def test_a_running_operation_keeps_its_lease_alive_and_writes_its_log_meanwhile(scene: Scene, short_lease: None):
    scene.mapped(shop=rows("a"))

    def look() -> None:
        first = Lease.objects.get().until
        wait_for(lambda: Lease.objects.get().until > first)
        wait_for(LogLine.objects.filter(operation__type="sync", text__startswith="Logged in").exists)
        assert Lease.objects.get().progress["phase"].startswith("Reading")

    meanwhile(scene, look)

    assert scene.sync().status == "success"
    assert not Lease.objects.exists()


def test_a_run_that_lost_its_lease_notices_between_two_steps(scene: Scene, short_lease: None):
    """records.md: each survives the death of the process that ran it: it is taken up again; the old run applies
    nothing."""
    scene.mapped(shop=rows("a"), api=rows("b"))

    def take_over() -> None:
        running = Operation.objects.get(status="running").pk
        Lease.objects.filter(pk=running).update(until="2020-01-01T00:00:00Z")
        assert claim_operation(running, "another:1", 60) is not None
        (run,) = HEART.running()
        wait_for(lambda: run.interruption)

    meanwhile(scene, take_over, asked="/account")
    operation = scene.sync()

    assert (operation.status, operation.attempt) == ("running", 2)
    assert "is run by another process now" in scene.log(operation)
    assert scene.findings() == {}


def test_ctrl_c_ends_the_operation_as_cancelled(scene: Scene):
    """records.md: each can be cancelled (what is applied stays, what is not is not begun)."""
    scene.mapped(shop=rows("a"), api=rows("b"))
    asked = threading.Event()
    scene.world.interfere = on_findings(lambda request: asked.set())

    def interrupt(phase: str, done: int, total: int | None, beside: str = "") -> None:
        if phase.startswith("Reading"):
            asked.wait(60)
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        sync(ALICE, scene.connection_id, None, interrupt)

    operation = Operation.objects.get(type="sync")
    assert (operation.status, operation.why) == ("cancelled", "Interrupted. What was applied stays.")
    assert not Lease.objects.exists()
    assert scene.sync().status == "success"


def test_a_fault_of_our_own_fails_the_operation_at_once(scene: Scene, monkeypatch: pytest.MonkeyPatch):
    """It must not stay running until its lease ends."""
    scene.mapped(shop=rows("a"))

    def broken(*arguments: object) -> None:
        raise RuntimeError("a bug")

    with monkeypatch.context() as patch:
        patch.setattr("tidegate.ingest.sync._verdict", broken)
        with pytest.raises(RuntimeError):
            scene.sync()

    operation = Operation.objects.get(type="sync")
    assert operation.status == "failed"
    assert "Tidegate itself failed (RuntimeError)" in operation.why
    assert scene.sync().status == "success"


@pytest.mark.parametrize("kind", ["sync", "discover"])
def test_a_full_disk_of_our_own_fails_the_operation_with_a_sentence_and_costs_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, kind: str
):
    """promises.md, Process faults: disk full."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.world.issues("shop").pop("a")

    with monkeypatch.context() as patch:
        patch.setattr("tempfile.TemporaryFile", FullDisk)
        operation = getattr(scene, kind)()

    assert operation.status == "failed"
    assert "No space left on device" in operation.why
    assert "TMPDIR" in operation.why
    assert scene.open() == {"a", "b"}
    assert getattr(scene, kind)().status == "success"


class FullDisk(io.BytesIO):
    """A file on it: it can be opened, and holds nothing but a few bytes."""

    def __init__(self, **options: object) -> None:
        super().__init__()

    def write(self, data: Any) -> int:
        if len(data) > 20:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return super().write(data)

    def fileno(self) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def test_a_tool_that_cannot_name_its_door_fails_the_operation_with_a_sentence(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    scene.mapped(shop=rows("a"))

    def door(self: Acme) -> None:
        raise VendorChanged("There is no such region.")

    monkeypatch.setattr(Acme, "door", door)
    operation = scene.sync()

    assert operation.status == "failed"
    assert "There is no such region." in operation.why


# What a connector may do with Families

Families = Callable[[Acme, Vep], Iterator[Any]]


def asks_in_vain(self: Acme, vep: Vep) -> Iterator[Any]:
    """The latest scan, say; the vendor answers 404."""
    yield Ask("scans/latest")


def asks_in_vain_after_one(self: Acme, vep: Vep) -> Iterator[Any]:
    yield from Real(self, vep)
    yield Ask("scans/latest")


def yields_one_twice(self: Acme, vep: Vep) -> Iterator[Any]:
    for family in [*Real(self, vep), *Real(self, vep)]:
        assert isinstance(family, Family)
        yield family


def yields_none(self: Acme, vep: Vep) -> Iterator[Any]:
    yield from ()


Real: Families = Acme.families  # pyright: ignore[reportAssignmentType]


@pytest.mark.parametrize("families", [asks_in_vain, asks_in_vain_after_one, yields_one_twice])
def test_families_that_cannot_be_told_fail_the_record_and_close_nothing(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, families: Families
):
    """records.md: a sync that did not prove that it saw everything closes nothing."""
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.world.issues("shop").pop("a")
    scene.world.issues("shop").update(rows("new"))

    with monkeypatch.context() as patch:
        patch.setattr(Acme, "families", families)
        operation = scene.sync()

    result = scene.result(operation, "shop")
    assert (operation.status, result.outcome) == ("failed", "failed")
    assert result.why
    assert scene.open() >= {"a", "b"}
    assert scene.sync().status == "success"
    assert scene.open() == {"b", "new"}


def test_a_tool_that_offers_nothing_for_a_record_is_skipped_with_a_sentence(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
):
    """records.md: an empty scope is not an empty answer."""
    scene.mapped(shop=rows("a"))

    monkeypatch.setattr(Acme, "families", yields_none)
    operation = scene.sync()

    assert scene.result(operation, "shop").outcome == "skipped"
    assert "offers nothing to read" in operation.why


def test_findings_without_a_product_are_witnessed_by_the_account_and_never_missing(scene: Scene):
    """records.md, Empty needs a witness: `(no product)` is witnessed by the account's own answer."""
    scene.mapped(**{NO_PRODUCT: rows("a", "b"), "shop": rows("c")})
    scene.sync()
    scene.world.issues(NO_PRODUCT).clear()

    operation = scene.sync()
    products = scene.world.products
    del products[NO_PRODUCT]
    scene.discover()

    assert operation.status == "success"
    assert scene.open() == {"c"}
    assert scene.record(NO_PRODUCT).absent_since is None


def test_when_many_records_fail_three_are_named_and_the_rest_counted(scene: Scene):
    """records.md: the Operation ends *partial* and says which Record, why, and what to do."""
    scene.mapped(**{f"p{n}": rows(f"f{n}") for n in range(5)})
    scene.world.interfere = on_findings(lambda request: httpx2.Response(404))

    operation = scene.sync()

    assert operation.status == "partial"
    assert operation.why.endswith("And 2 more Records.")
