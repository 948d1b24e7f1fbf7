"""A month in the life of a web shop, told in half a minute: what the pictures of docs/pictures show.

Everything is done by actions against the fakes, as people and the scheduler do it; only that a day has passed is told
to the database directly.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import connection as database
from django.db.models import DateField, DateTimeField
from psycopg import sql
from pydantic import SecretStr

from tidegate.actions import bulk
from tidegate.actions import finding as findings
from tidegate.actions import operation as operations
from tidegate.actions import product as products
from tidegate.actions import record as records
from tidegate.actions.connection import add_connection
from tidegate.demo.fake_burp import FakeBurp
from tidegate.demo.fake_sonarqube import FakeSonarQube
from tidegate.reads.product import products as read_products
from tidegate.reads.record import records as read_records
from tidegate.rules.actor import at_this_machine
from tidegate.store import models
from tidegate.store.writers.open_day import note_open

ANA = at_this_machine("ana")
DAYS = 30
STAYS_WHEN = {"audit_line"}
"""Append-only, so their times stay what they are."""
SITES = {
    "webshop-eu.example.com": ("Europe", 75),
    "webshop-us.example.com": ("Americas", 68),
    "checkout.example.com": ("Europe", 40),
    "partners.example.com": ("Production", 27),
    "status.example.com": ("Production", 12),
}
LATER = {"pay.example.com": "Europe", "pay-sandbox.example.com": "Staging", "gift-cards.example.com": "Europe"}
PROJECTS = {"webshop": 14, "checkout": 5, "payments": 9, "warehouse": 3}
LIBRARIES = (
    ("libtide 2.1.0", "Out-of-bounds read when a header is parsed", "High"),
    ("libtide 2.1.0", "A crafted archive is unpacked outside of its folder", "Critical"),
    ("keelson 0.9.4", "Regular expression that takes exponential time", "Medium"),
    ("moorings 4.0.2", "Session fixation after a failed log-in", "High"),
    ("sextant 1.3.3", "Log lines may be forged", "Low"),
    ("sextant 1.3.3", "Temporary file with a name that can be guessed", "Medium"),
)
NO_PROOF, NO_LOGIN = "half a page", "wrong token"
AILING = {("burp", 9): NO_PROOF, ("sonar", 17): NO_LOGIN, ("burp", 22): NO_LOGIN, ("sonar", 26): NO_LOGIN}


@dataclass
class Month:
    """The month, day by day."""

    burp: FakeBurp
    sonar: FakeSonarQube
    folder: Path
    now: int = 0
    ids: dict[str, int] = field(default_factory=dict)

    def tell(self) -> None:
        """All of it; what is left is how things stand on its last morning."""
        self.connect()
        for self.now in range(DAYS):
            for happens in self.happenings().get(self.now, ()):
                happens()
            for name in self.ids:
                self.run(name)
            note_open(datetime.now(UTC).date())
            if self.now < DAYS - 1:
                time_passes(timedelta(days=1))
        self.a_person_decides()
        even_times()
        time_passes(timedelta(hours=3, minutes=20))
        models.Schedule.objects.update(next_at=datetime.now(UTC) + timedelta(hours=9, minutes=30), retry_at=None)

    def happenings(self) -> dict[int, tuple[Callable[[], Any], ...]]:
        """What happens on which day."""
        world, code = self.burp.control, self.sonar.world
        return {
            0: (self.map,),
            4: (lambda: code.raise_issues("webshop", 3), lambda: world.fix_issue("webshop-eu.example.com", 4)),
            8: (lambda: world.add_issue("webshop-us.example.com", 6), lambda: code.raise_issues("payments", 4)),
            13: (lambda: world.add_issue("webshop-eu.example.com", 9), lambda: code.raise_hotspot("checkout")),
            18: (lambda: code.raise_issues("checkout", 2, severity="MAJOR"), lambda: self.report("warehouse", 4)),
            21: (lambda: world.fix_issue("webshop-eu.example.com", 11),),
            24: (self.lose_a_product, lambda: world.delete_site("partners.example.com")),
            27: (lambda: world.fix_issue("webshop-us.example.com", 5), self.grow),
            29: (lambda: world.fix_issue("checkout.example.com", 31), lambda: code.raise_issues("webshop", 2)),
        }

    def connect(self) -> None:
        """Three tools, and what they watch from the first day on."""
        world, code = self.burp.control, self.sonar.world
        for folder in ("Production", "Staging"):
            world.add_folder(folder)
        for folder in ("Europe", "Americas"):
            world.add_folder(folder, "Production")
        for name, (folder, issues) in SITES.items():
            world.add_site(name, folder, issues)
        for key, issues in PROJECTS.items():
            code.add_project(key)
            code.raise_issues(key, issues)
            code.raise_issues(
                key, issues, severity="MAJOR", impacts=[{"softwareQuality": "SECURITY", "severity": "LOW"}]
            )
        for name in ("warehouse", "webshop"):
            self.report(name, 6 if name == "webshop" else 3)
        self.add("burp", "burpsuite", "BurpSuite – Production", {"url": self.burp.url}, api_key=self.burp.api_key)
        self.add("sonar", "sonarqube", "SonarQube – build", {"url": self.sonar.url}, token=self.sonar.token)
        self.add("images", "report_folder", "Container images", {"path": str(self.folder)})

    def add(self, name: str, tool: str, label: str, settings: dict[str, str], **secrets: str) -> None:
        self.ids[name] = add_connection(
            ANA, tool, label, settings, {key: SecretStr(value) for key, value in secrets.items()}, auto_map=False,
            join_by_name=False, minimum_severity=0, product_type="Retail",
        )  # fmt: skip

    def map(self) -> None:
        """What the tools have is mapped; one thing is ignored."""
        for number in self.ids.values():
            operations.discover(ANA, number)
        where = {
            "Webshop": ("webshop-eu.example.com", "webshop-us.example.com", "webshop", "webshop image"),
            "Checkout": ("checkout.example.com", "checkout"),
            "Partner portal": ("partners.example.com",),
            "Status page": ("status.example.com",),
            "Payments": ("payments",),
            "Warehouse": ("warehouse", "warehouse image"),
        }
        for product, names in where.items():
            kind = "B2B" if product == "Partner portal" else "Retail"
            ids = [row.id for row in read_records(limit=200).records if row.name in names]
            bulk.decide_records(ANA, "map", ids, new_product=product, product_type=kind)

    def lose_a_product(self) -> None:
        """Somebody deletes a Product that a Record writes into."""
        number = next(row.id for row in read_products(limit=200).products if row.name == "Status page")
        products.delete_product(ANA, number, "Status page")

    def grow(self) -> None:
        """New things appear in the tools; nobody has decided about them yet, but about one."""
        for name, folder in LATER.items():
            self.burp.control.add_site(name, folder, 8)
        for key in ("Payments", "gift-cards", "loyalty", "returns"):
            self.sonar.world.add_project(key)
        operations.discover(ANA, self.ids["burp"])
        one = next(row.id for row in read_records(limit=200).records if row.name == "pay-sandbox.example.com")
        records.ignore_records(ANA, [one], "Nothing of it reaches a customer.")

    def report(self, name: str, count: int) -> None:
        """A scanner of images writes its newest report."""
        found = [
            {"title": title, "severity": severity, "component_name": library.split()[0],
             "component_version": library.split()[1], "file_path": f"usr/lib/{library.split()[0]}.so",
             "unique_id_from_tool": f"{name}-{place}", "description": f"{title}, in `{library}`.",
             "mitigation": "Take the next release."}
            for place, (library, title, severity) in enumerate(LIBRARIES[:count])
        ]  # fmt: skip
        place = self.folder / f"{name} image"
        place.mkdir(parents=True, exist_ok=True)
        (place / "report.json").write_text(json.dumps({"type": "Image scan", "findings": found}), encoding="utf-8")

    def run(self, name: str) -> None:
        """What the scheduler does on a day: not on Sundays, and now and then something is in the way."""
        if self.now % 7 == 6:
            return
        ailing = AILING.get((name, self.now))
        right = self.burp.api_key, self.sonar.token
        if ailing == NO_PROOF:
            self.burp.control.half_a_page("webshop-eu.example.com")
        if ailing == NO_LOGIN:
            self.burp.api_key = self.sonar.token = "another one"
        operations.discover(ANA, self.ids[name])
        operations.sync(ANA, self.ids[name])
        self.burp.api_key, self.sonar.token = right
        self.burp.control.calm()

    def a_person_decides(self) -> None:
        """Ana knows better about two findings."""
        found = models.Finding.objects.filter(title__startswith="File path traversal", open=True).order_by("id")
        ids = list(found.values_list("id", flat=True)[:2])
        until = datetime(2099, 12, 31, 12, tzinfo=UTC)
        findings.decide_findings(
            ANA, ids[:1], verdict="accepted", until=until, note="The gate in front of it filters that."
        )
        findings.decide_findings(ANA, ids[1:], verdict="false positive", note="The page is static.")


def time_passes(by: timedelta) -> None:
    """Everything that is noted happened so much earlier."""
    with database.cursor() as cursor:
        for model in apps.get_app_config("store").get_models():
            table = sql.Identifier(model._meta.db_table)
            if model._meta.db_table in STAYS_WHEN:
                continue
            # What follows is nobody's deed: no trigger notes it.
            triggers: Any = sql.SQL("ALTER TABLE {} {} TRIGGER USER")
            cursor.execute(triggers.format(table, sql.SQL("DISABLE")))
            for one in model._meta.fields:
                if isinstance(one, DateTimeField):
                    move(cursor, table, one.column, by)
                elif isinstance(one, DateField) and by.days:
                    # Days are unique: far away first, so that none meets another on its way.
                    move(cursor, table, one.column, timedelta(days=100_000))
                    move(cursor, table, one.column, timedelta(days=by.days - 100_000))
            cursor.execute(triggers.format(table, sql.SQL("ENABLE")))


def move(cursor: Any, table: sql.Identifier, column: str, by: timedelta) -> None:
    """The times of a column, so much earlier. A day minus a span would be a time, hence the cast."""
    statement: Any = sql.SQL("UPDATE {table} SET {column} = ({column} - %s)::{kind} WHERE {column} IS NOT NULL")
    kind = sql.SQL("date") if column == "day" else sql.SQL("timestamptz")
    cursor.execute(statement.format(table=table, column=sql.Identifier(column), kind=kind), [by])


def even_times() -> None:
    """How long things took is another number each time; in the pictures it is one that does not change."""
    with database.cursor() as cursor:
        cursor.execute("""
            UPDATE operation
               SET trigger = 'scheduled', actor = 'scheduler',
                   started_at = requested_at + interval '2 s', worker = 'worker 1',
                   ended_at = requested_at + CASE type WHEN 'sync' THEN interval '75 s' ELSE interval '6 s' END,
                   seconds = CASE WHEN seconds = '{}' THEN seconds
                             ELSE '{"queue": 2.0, "vendor": 58.4, "rate": 4.1, "database": 6.3, "work": 4.2}' END
             WHERE ended_at IS NOT NULL
        """)


def things_of(month: Month) -> dict[str, int]:
    """What the pictures of one thing show: the Record and the Operation that wait for a person, and so on."""
    record = next(row for row in read_records(limit=200).records if row.name == "webshop-eu.example.com")
    held = models.Operation.objects.filter(connection_id=month.ids["burp"], type="sync").order_by("-id")[0]
    decided = models.Finding.objects.filter(title__startswith="File path traversal", open=True).order_by("id")
    assert record.product_id is not None
    return {
        "record": record.id, "operation": held.pk, "product": record.product_id,
        "finding": decided.values_list("id", flat=True)[0],
    }  # fmt: skip
