"""What people do during a soak, through the same actions as the command line."""

from __future__ import annotations

import random
from collections import Counter
from typing import Any

from bench.loopback import TOKEN, Server


class People:
    """What people do meanwhile, through the same actions as the command line."""

    def __init__(self, dice: random.Random) -> None:
        from tidegate.rules.actor import at_this_machine

        self.dice, self.me = dice, at_this_machine("alice")
        self.did: Counter[str] = Counter()
        self.refused: Counter[str] = Counter()
        self.doing = "nothing"

    def connect(self, label: str, server: Server, number: int) -> None:
        """A Connection; some map by themselves, some drift, some run every minute, and most hold a collapse."""
        from pydantic import SecretStr

        from tidegate.actions.connection import add_connection, edit_connection
        from tidegate.actions.schedule import set_schedule

        settings = {
            "url": server.url() + f"{label}/",
            "paging": "drifting" if number % 4 == 3 else "steady",
            "per_second": 40,
            "impatient": True,
        }
        token = {"token": SecretStr(TOKEN)}
        added = add_connection(self.me, "loopback", label, settings, token, auto_map=number % 3 != 2, discover=False)
        if number % 2:
            edit_connection(self.me, added, hold_above=32_767)
        for type in ("discover", "sync") if number % 4 == 0 else ():
            set_schedule(self.me, added, type, kind="cron", cron="* * * * *", spread_minutes=0)

    def do_something(self) -> None:
        from tidegate.actions.errors import NotThere, Refused

        deeds = (
            (self.sync, 30),
            (self.discover, 14),
            (self.sync_twice, 5),
            (self.sync_some, 8),
            (self.map, 10),
            (self.ignore, 3),
            (self.restore, 4),
            (self.delete_record, 2),
            (self.undo, 3),
            (self.decide, 12),
            (self.threshold, 3),
            (self.pause, 1),
            (self.resume, 6),
            (self.cancel, 8),
            (self.settle, 3),
            (self.run_again, 4),
            (self.delete_product, 1),
            (self.continue_connection, 1),
        )
        deed = self.dice.choices([deed for deed, _ in deeds], [weight for _, weight in deeds])[0]
        name = self.doing = deed.__name__.replace("_", " ")
        try:
            deed()
            self.did[name] += 1
        except (Refused, NotThere):
            self.refused[name] += 1

    def _connection(self) -> int:
        from tidegate.store.models import Connection

        return self.dice.choice(list(Connection.objects.filter(deleted_at=None).values_list("pk", flat=True)))

    def _records(self, most: int = 3, **only: Any) -> list[int]:
        from tidegate.store.models import Record

        found = list(Record.objects.filter(deleted_at=None, **only).values_list("pk", flat=True))
        return self.dice.sample(found, min(len(found), self.dice.randint(1, most)))

    def sync(self) -> None:
        from tidegate.actions.operation import request_sync

        request_sync(self.me, self._connection())

    def discover(self) -> None:
        from tidegate.actions.operation import request_discover

        request_discover(self.me, self._connection())

    def sync_twice(self) -> None:
        from tidegate.actions.operation import request_sync

        connection = self._connection()
        if request_sync(self.me, connection) != request_sync(self.me, connection):
            self.did["sync twice, not joined: it had begun"] += 1

    def sync_some(self) -> None:
        from tidegate.actions.operation import request_sync

        connection = self._connection()
        request_sync(self.me, connection, self._records(connection_id=connection, decision="mapped", absent_since=None))

    def map(self) -> None:
        from tidegate.actions.record import map_records
        from tidegate.store.models import Product

        records = self._records(2)
        products = list(Product.objects.values_list("pk", flat=True))
        imported: Any = self.dice.choice(("leave", "move", "close"))
        if products and self.dice.random() < 0.7:
            map_records(self.me, records, product_id=self.dice.choice(products), already_imported=imported)
        else:
            name = f"Product {self.dice.randrange(10**6)}"
            map_records(self.me, records, new_product=name, already_imported=imported)

    def ignore(self) -> None:
        from tidegate.actions.record import ignore_records

        ignore_records(self.me, self._records(1), "nobody wants it")

    def restore(self) -> None:
        from tidegate.actions.record import restore_records

        records = self._records(decision="ignored")
        restore_records(self.me, records, to_earlier=self.dice.random() < 0.7)

    def delete_record(self) -> None:
        from tidegate.actions.record import delete_records

        delete_records(self.me, self._records(1))

    def undo(self) -> None:
        from tidegate.actions.record import undo

        undo(self.me, record_id=self._records(1)[0])

    def decide(self) -> None:
        from tidegate.actions.finding import decide_finding
        from tidegate.store.models import Finding

        finding = self.dice.choice(list(Finding.objects.order_by("?").values_list("pk", flat=True)[:1]) or [0])
        what: Any = self.dice.choice(
            (
                {"verdict": "false positive"},
                {"verdict": "accepted"},
                {"verdict": None},
                {"severity": "Low"},
                {"severity": "Critical"},
                {"severity": None},
                {"note": "looked at", "tags": ["soak"]},
                {"verified": True},
            )
        )
        decide_finding(self.me, finding, **what)

    def threshold(self) -> None:
        from tidegate.actions.connection import edit_connection

        edit_connection(self.me, self._connection(), minimum_severity=self.dice.choice((0, 0, 1, 3)))

    def pause(self) -> None:
        from tidegate.actions.connection import pause_connection

        pause_connection(self.me, self._connection(), "for a while")

    def resume(self) -> None:
        from tidegate.actions.connection import resume_connection
        from tidegate.store.models import Connection

        for paused in Connection.objects.filter(deleted_at=None).exclude(paused_at=None).values_list("pk", flat=True):
            resume_connection(self.me, paused)

    def cancel(self) -> None:
        from tidegate.actions.operation import cancel
        from tidegate.store.models import Operation

        open_ones = list(Operation.objects.filter(status__in=["pending", "running"]).values_list("pk", flat=True))
        if open_ones:
            cancel(self.me, self.dice.choice(open_ones))

    def settle(self) -> None:
        from tidegate.actions.operation import approve, keep_open

        for operation in self.holding():
            (approve if self.dice.random() < 0.7 else keep_open)(self.me, operation)

    def holding(self) -> set[int]:
        """The Operations that hold something."""
        from tidegate.store.models import Held, HeldAbsence

        closings = Held.objects.filter(standing=Held.HELD).values_list("latest_operation", flat=True)
        return set(closings) | set(HeldAbsence.objects.values_list("latest_operation_id", flat=True))

    def run_again(self) -> None:
        from tidegate.actions.operation import request_again
        from tidegate.store.models import Operation

        ended = Operation.objects.filter(status__in=["failed", "partial"]).order_by("-pk").values_list("pk", flat=True)
        if recent := list(ended[:5]):
            request_again(self.me, self.dice.choice(recent))

    def delete_product(self) -> None:
        """In SQL, as a person at the database's own prompt may."""
        from django.db import connection

        from tidegate.store.models import Product

        if products := list(Product.objects.values_list("pk", flat=True)):
            with connection.cursor() as cursor:
                cursor.execute("DELETE FROM product WHERE id = %s", [self.dice.choice(products)])

    def continue_connection(self) -> None:
        """Deleted, and made anew as its own continuation."""
        from pydantic import SecretStr

        from tidegate.actions.connection import add_connection, delete_connection
        from tidegate.store.models import Connection

        old = Connection.objects.get(pk=self._connection())
        delete_connection(self.me, old.pk, old.label)
        token = {"token": SecretStr(TOKEN)}
        add_connection(self.me, old.tool, old.label, old.settings, token, auto_map=old.auto_map, continues=old.pk)
