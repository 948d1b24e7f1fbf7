"""One Connection whose findings go to a fake DefectDojo, and the verbs that tests of deliveries speak in."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from unittest import mock

from django.db import connection as database
from pydantic import SecretStr

from tests import world
from tidegate.config import load_settings
from tidegate.delivery.defectdojo import deliver as room
from tidegate.delivery.defectdojo import theirs
from tidegate.delivery.defectdojo.client import Dojo
from tidegate.delivery.defectdojo.destination import dojo_of
from tidegate.delivery.defectdojo.wire import NoAnswer
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo
from tidegate.guard.secrets import seal
from tidegate.ingest.operation import run_claimed
from tidegate.jobs.works import know_all_works
from tidegate.store import models
from tidegate.store.statement import rows_of
from tidegate.store.writers.operation import claim_operation, request_deliver
from tidegate.store.writers.secret import DESTINATION
from tidegate_sdk.limits import Limits

PERSONAL = ("severity", "active", "verified", "false_p", "out_of_scope", "risk_accepted", "is_mitigated")


class Killed(BaseException):
    """The process died here."""


class House:
    """What lies on both sides."""

    def __init__(self, fake: FakeDefectDojo) -> None:
        self.fake = fake
        self.connection = world.connection("Burp")
        self.destination = models.Destination.objects.create(
            name="Dojo",
            product_type="Research and Development",
            settings={"url": fake.url},
            secrets=b"",
            created_by="alice",
            writes_per_minute=6_000,
        )
        owner = DESTINATION.format(id=self.destination.pk)
        sealed = seal({"token": SecretStr(fake.token)}, owner, load_settings())
        models.Destination.objects.filter(pk=self.destination.pk).update(secrets=sealed)
        models.DestinationRoute.objects.create(destination=self.destination, created_by="alice")
        self.requests: list[str] = []
        self.dies_at: int | None = None
        self.dies_after = False
        self.loses: set[str] = set()
        """Beginnings of requests whose answer is lost, once each."""
        know_all_works()

    # Ours

    def record(self, name: str = "Shop", product: str | None = None) -> int:
        from tidegate.actions.record import map_records

        record = world.record(self.connection, name)
        there = models.Product.objects.filter(name=product or name).first()
        target: dict[str, Any] = {"product_id": there.pk} if there else {"new_product": product or name}
        assert all(item.ok for item in map_records(world.ALICE, [record], **target).items)
        models.Operation.objects.filter(status="pending").delete()
        return record

    def record_row(self, record: int) -> Any:
        """The Record as its page shows it."""
        from tidegate.reads.record import record as read

        found = read(record)
        assert found is not None
        return found.record

    def findings(self, record: int, number: int, prefix: str = "k", **facts: Any) -> list[int]:
        return world.synced(record, *(f"{prefix}{n}" for n in range(number)), **facts)

    def change(self, finding: int, **facts: Any) -> None:
        """As a Sync writes it."""
        models.Finding.objects.filter(pk=finding).update(**facts)

    def close(self, finding: int) -> None:
        self.change(finding, open=False, active=False, closed_because="gone")

    def decisions(self, finding: int) -> dict[str, tuple[str, str]]:
        row = world.of(finding)
        rows = models.Decision.objects.filter(feed=row.feed, family=row.family, key_hash=row.key_hash)
        return {one.field: (one.value, one.by) for one in rows}

    # The way over

    def deliver(self, mode: str = "deliver", *, preview: bool = False) -> models.Operation:
        """One delivery, run here to its end; Killed goes through."""
        number = request_deliver(self.destination.pk, self.connection.pk, actor="alice", mode=mode, preview=preview)
        return self.go_on(number)

    def go_on(self, number: int) -> models.Operation:
        claim = claim_operation(number, "here", 30)
        assert claim is not None
        self.requests = []
        with self._watched():
            run_claimed(claim)
        return models.Operation.objects.get(pk=number)

    def left_behind(self) -> models.Operation:
        """What a process that died left is taken up again."""
        operation = models.Operation.objects.get(status="running")
        while rows_of("lease_is_alive", operation=operation.pk):  # a last beat may still be on its way
            with database.cursor() as cursor:
                cursor.execute("UPDATE lease SET until = now() - interval '1 minute'")
                cursor.execute("UPDATE operation SET deaths = 0 WHERE id = %s", [operation.pk])
            time.sleep(0.05)
        return self.go_on(operation.pk)

    @contextmanager
    def _watched(self) -> Iterator[None]:
        """Every request is noted, and the one that it dies at dies."""
        limits = Limits(tries=2, back_off=0.01, longest_back_off=0.02)

        def watched(destination: models.Destination, **how: Any) -> Dojo:
            dojo = dojo_of(destination, limits=limits, **how)
            send = dojo._wire.send

            def sent(request: Any, seconds: float) -> Any:
                self.requests.append(f"{request.method} {request.path}")
                if self.dies_at == len(self.requests) and not self.dies_after:
                    raise Killed
                answer = send(request, seconds)
                lost = {one for one in self.loses if self.requests[-1].startswith(one)}
                if lost:
                    self.loses -= lost
                    raise NoAnswer("no answer in time", unsent=False)
                if self.dies_at == len(self.requests):
                    raise Killed
                return answer

            dojo._wire.send = sent  # pyright: ignore[reportAttributeAccessIssue]
            return dojo

        with (
            mock.patch.object(room, "dojo_of", watched),
            mock.patch.object(theirs, "PATIENCE_SECONDS", 0.05),
            mock.patch.object(theirs, "LOOK_SECONDS", 0.01),
        ):
            yield

    # Theirs

    @property
    def theirs(self) -> dict[str, dict[str, Any]]:
        """Their findings by the unique id; none stands there twice."""
        with self.fake.world.lock:
            rows = [dict(row) for row in self.fake.world.rows["findings"].values()]
        found = {row["unique_id_from_tool"]: row for row in rows}
        assert len(found) == len(rows), "a finding stands there twice"
        return found

    def their(self, finding: int) -> dict[str, Any]:
        return self.theirs[f"tidegate:{self.connection.pk}:{finding}"]

    def they_edit(self, finding: int, **fields: Any) -> None:
        with self.fake.world.lock:
            self.fake.world.edit("findings", self.their(finding)["id"], **fields)

    def titles(self) -> set[str]:
        return {row["title"].casefold() for row in self.theirs.values()}

    def assert_equal(self, findings: Sequence[int]) -> None:
        """Theirs are these of ours, each as it is here; each once."""
        theirs = self.theirs
        open_here = {f"tidegate:{self.connection.pk}:{one.pk}": one for one in map(world.of, findings)}
        assert set(theirs) <= set(open_here)
        for name, ours in open_here.items():
            if name not in theirs:
                assert not ours.open, f"{name} is missing there"
                continue
            row = theirs[name]
            assert row["title"].casefold() == ours.title.casefold(), name
            assert row["active"] == ours.active, name
            assert row["is_mitigated"] == (not ours.open or row["false_p"] or row["out_of_scope"]), name
            assert not row["duplicate"], name

    def writes(self) -> list[str]:
        return [one for one in self.requests if not one.startswith("GET ")]
