"""One Connection to Acme in a real database, and the verbs that tests speak in."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import httpx2
import pytest

from tests.acme import Acme, World
from tidegate.rules.actor import at_this_machine

ALICE = at_this_machine("alice")


class Scene:
    """A Connection, its vendor's world, and what a person or the schedule does with it."""

    def __init__(self, world: World, connection_id: int) -> None:
        self.world = world
        self.connection_id = connection_id

    @property
    def connection(self) -> Any:
        from tidegate.store.models import Connection

        return Connection.objects.get(pk=self.connection_id)

    def configure(self, **changes: Any) -> None:
        from tidegate.store.models import Connection

        Connection.objects.filter(pk=self.connection_id).update(**changes)

    def discover(self) -> Any:
        from tidegate.actions.operation import discover

        return self.operation(discover(ALICE, self.connection_id))

    def sync(self, *keys: str) -> Any:
        from tidegate.actions.operation import sync

        records = [self.record(key).pk for key in keys] or None
        return self.operation(sync(ALICE, self.connection_id, records))

    def operation(self, number: int) -> Any:
        from tidegate.store.models import Operation

        return Operation.objects.get(pk=number)

    def record(self, key: str) -> Any:
        from tidegate.store.models import Record

        return Record.objects.get(connection_id=self.connection_id, vendor_id=key)

    def map(self, key: str, product: str, already_imported: Any = "leave") -> None:
        from tidegate.actions.record import map_records
        from tidegate.store.models import Product

        there = Product.objects.filter(name=product).first()
        target: dict[str, Any] = {"product_id": there.pk} if there else {"new_product": product}
        outcome = map_records(ALICE, [self.record(key).pk], already_imported=already_imported, **target)
        assert all(item.ok for item in outcome.items), outcome
        self.forget_what_waits()

    def forget_what_waits(self) -> None:
        """Mapping asks for a Sync after the time to undo; most tests ask for theirs themselves."""
        from tidegate.store.models import Operation

        Operation.objects.filter(status="pending").delete()

    def mapped(self, **products: dict[str, dict[str, Any]]) -> None:
        """Products of the vendor with these findings, discovered and each mapped to a Product of its name."""
        for key, findings in products.items():
            self.world.add(key, f"Product {key}", findings)
        self.discover()
        for key in products:
            self.map(key, f"Product {key}")

    def findings(self, key: str | None = None) -> dict[str, Any]:
        """Findings by the vendor's key, of one Record or of all."""
        from tidegate.store.models import Finding

        findings = Finding.objects.select_related("feed__record").order_by("pk")
        if key is not None:
            findings = findings.filter(feed__record__vendor_id=key)
        return {finding.key: finding for finding in findings}

    def open(self, key: str | None = None) -> set[str]:
        return {name for name, finding in self.findings(key).items() if finding.open}

    def waiting(self, standing: str = "held") -> set[str]:
        from tidegate.store.models import Held

        return set(Held.objects.filter(standing=standing).values_list("finding__key", flat=True))

    def journal(self, key: str) -> list[Any]:
        from tidegate.store.models import Journal

        return list(Journal.objects.filter(finding__key=key).order_by("pk"))

    def result(self, operation: Any, key: str, family: str = "") -> Any:
        from tidegate.store.models import Result

        return Result.objects.get(operation=operation, record=self.record(key), family=family)

    def part(self, key: str, family: str = "issues") -> Any:
        from tidegate.store.models import Part

        return Part.objects.get(feed__record__vendor_id=key, family=family)

    def log(self, operation: Any) -> str:
        from tidegate.store.models import LogLine

        return "\n".join(LogLine.objects.filter(operation=operation).order_by("n").values_list("text", flat=True))


def on_findings(answer: Callable[[httpx2.Request], httpx2.Response | None]) -> Any:
    """Interferes only with requests for findings."""
    return lambda request: answer(request) if "/findings/" in request.url.path else None


def in_another_thread(work: Callable[[], Any]) -> None:
    """As another process would do it: with a database connection of its own."""
    from django.db import connections

    failed: list[BaseException] = []

    def run() -> None:
        try:
            work()
        except BaseException as error:  # noqa: BLE001 - handed to the thread that waits
            failed.append(error)
        finally:
            connections.close_all()

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    if failed:
        raise failed[0]


def meanwhile(scene: Scene, change: Callable[[], Any], *, asked: str = "/findings/") -> None:
    """The change happens, as in another process, when the vendor is first asked for such a thing."""

    def once(request: httpx2.Request) -> None:
        if asked in request.url.path:
            scene.world.interfere = None
            in_another_thread(change)

    scene.world.interfere = once


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def scene(database: object, world: World, monkeypatch: pytest.MonkeyPatch) -> Scene:
    from tidegate import catalog
    from tidegate.store.models import Connection

    tool = type("Acme", (Acme,), {"world": world, "__orig_bases__": vars(Acme)["__orig_bases__"]})
    build: Callable[..., Any] = lambda connection: tool(tool.settings_type()(**connection.settings))  # noqa: E731
    monkeypatch.setattr(catalog, "build", build)
    monkeypatch.setattr(catalog, "known_tool", lambda slug: tool)
    connection = Connection.objects.create(tool="acme", label="Acme", created_by="alice")
    return Scene(world, connection.pk)
