"""A worker for benches: it discovers and syncs for real, in a process of its own, and tells what that cost."""

from __future__ import annotations

import gc
import time

from django.db import connection
from pydantic import SecretStr

from bench.child import forget_peak, peak_megabytes
from bench.findings import forget_everything
from bench.loopback import TOKEN
from tidegate.actions.connection import add_connection
from tidegate.actions.operation import request_discover, request_sync
from tidegate.ingest.operation import run_operation
from tidegate.rules.actor import at_this_machine
from tidegate.store.models import Connection, Operation

ME = at_this_machine("bench")


class Worker:
    """Lives in the child."""

    def __init__(self) -> None:
        self.connection = 0

    def begin(self, url: str, auto_map: bool = True, tool: str = "loopback") -> int:
        """An empty database, and one Connection to the vendor."""
        forget_everything()
        given = {"url": url, "families": 1, "per_second": 0}
        token = {"token": SecretStr(TOKEN)}
        self.connection = add_connection(ME, tool, "bench", given, token, auto_map=auto_map, discover=False)
        return self.connection

    def map_no_more(self) -> None:
        """What is found from now on waits for a decision."""
        Connection.objects.filter(pk=self.connection).update(auto_map=False)

    def discover(self) -> tuple[float, float]:
        """Seconds, and megabytes at most."""
        return self._measured("discover")

    def sync(self) -> tuple[float, float]:
        return self._measured("sync")

    def syncs(self, times: int) -> None:
        """So many, one after the other."""
        for _ in range(times):
            self._measured("sync")

    def counts(self) -> dict[str, int]:
        """Of the latest Operation."""
        return Operation.objects.latest("pk").counts

    def execute(self, statement: str) -> list[tuple[object, ...]]:
        with connection.cursor() as cursor:
            cursor.execute(statement)
            return cursor.fetchall() if cursor.description else []

    def _measured(self, what: str) -> tuple[float, float]:
        gc.collect()
        forget_peak()
        began = time.perf_counter()
        number = (request_discover if what == "discover" else request_sync)(ME, self.connection)
        run_operation(number)  # as a worker does: words are indexed elsewhere, later
        took = time.perf_counter() - began
        self._check(Operation.objects.get(pk=number))
        return took, peak_megabytes()

    def _check(self, operation: Operation) -> None:
        if operation.status != "success":
            raise RuntimeError(f"The {operation.type} ended as {operation.status}: {operation.why}")
