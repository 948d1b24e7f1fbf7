"""The demo: from an empty folder to findings in Products, and then what life does to them, each step checked.

Nothing is faked but the vendor: the Burp is ours (demo/fake_burp) and misbehaves on purpose; the reports are written by
bandit and ruff while one watches.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import msgspec
from msgspec import Meta
from pydantic import SecretStr

from tidegate.config import load_settings
from tidegate.demo.fake_burp import FakeBurp
from tidegate.demo.scan import APP, StoryBroken, scan
from tidegate.reads.operation import OperationDetail, OperationRow
from tidegate.reads.product import ProductRow
from tidegate.reads.record import RecordRow, sentence
from tidegate.rules.actor import Actor

BURP, REPORTS = "Burp", "Reports"
LOOPBACK = "http://127.0.0.1:"
SHOP, PORTAL = "Web shop", "Partner portal"

Tell = Callable[[str], None]


class End(msgspec.Struct, frozen=True, kw_only=True):
    """How the demo ended."""

    records: Annotated[list[RecordRow], Meta(description="Every Record.")]
    products: Annotated[list[ProductRow], Meta(description="Every Product.")]
    operations: Annotated[list[OperationRow], Meta(description="Every Operation, the oldest first.")]


@dataclass
class Story:
    """The story, told step by step. Everything goes through actions and reads, as a person's commands do."""

    burp: FakeBurp
    folder: Path
    tell: Tell
    actor: Actor

    def run(self) -> End:
        """All of it; raises StoryBroken at the first claim that did not come true."""
        chapters = (
            self.connect_burp, self.map_records, self.connect_reports, self.bring_findings, self.rename_a_site,
            self.delete_a_site, self.delete_a_product, self.fix_an_issue, self.answer_half_a_page,
        )  # fmt: skip
        for number, chapter in enumerate(chapters, start=1):
            title = (chapter.__doc__ or "").split(".")[0]
            self.tell(f"\n{number}. {title}")
            chapter()
        return end()

    def connect_burp(self) -> None:
        """A Burp with four sites is connected, and Discover asks what it watches."""
        self.tell("   It is a fake on this machine, and speaks the real one's GraphQL.")
        secrets = {"api_key": SecretStr(self.burp.api_key)}
        self.burp_id = self._connect("burpsuite", BURP, {"url": self.burp.url}, secrets)
        self._discovered(self.burp_id)
        new = self._records(BURP)
        self._holds([row.state for row in new] == ["New"] * 4, "four New Records", new)
        for row in new:
            self.tell(f"   · {row.name}: {sentence(row)}")

    def map_records(self) -> None:
        """You decide: two sites become one Product, one its own, one is ignored."""
        from tidegate.actions import record as actions

        number = {row.name: row.id for row in self._records(BURP)}
        together = [number["Storefront"], number["Storefront API"]]
        actions.map_records(self.actor, together, new_product=SHOP, product_type="Demo")
        actions.map_records(self.actor, [number["Partner Portal"]], new_product=PORTAL, product_type="Demo")
        actions.ignore_records(self.actor, [number["Legacy Intranet"]], "It is switched off in spring.")
        self._states(
            {"Storefront": "Good", "Storefront API": "Good", "Partner Portal": "Good", "Legacy Intranet": "Ignored"}
        )
        for row in self._records(BURP):
            self.tell(f"   · {row.name} → {row.product or 'nothing'}: {sentence(row)}")

    def connect_reports(self) -> None:
        """Two scanners write reports into a folder; auto-map gives each thing in it a Product."""
        source, reports = self.folder / "app", self.folder / "reports"
        for folder in (source, reports):
            shutil.rmtree(folder, ignore_errors=True)
        shutil.copytree(APP, source, ignore=shutil.ignore_patterns("__pycache__"))
        scan(source, reports / "Vulnerable shop")
        self.tell(f"   bandit and ruff have really scanned {source}.")
        self.reports_id = self._connect("report_folder", REPORTS, {"path": str(reports)}, {}, auto_map=True)
        self._discovered(self.reports_id)
        mapped = self._records(REPORTS)
        self._holds(
            [row.product for row in mapped] == ["Vulnerable shop"], "one Record with a Product of its own", mapped
        )
        self.tell(f"   · {mapped[0].name} → {mapped[0].product}: {sentence(mapped[0])}")

    def bring_findings(self) -> None:
        """Sync brings the findings."""
        for connection in (self.burp_id, self.reports_id):
            self._synced(connection, "success")
        found = {row.name: row.findings for row in end().products}
        expected = {SHOP: 138, PORTAL: 27}
        self._holds(all(found[name].open == number for name, number in expected.items()), "all of Burp's issues", found)
        self._holds(found["Vulnerable shop"].active > 10, "what both scanners found", found)
        for name, findings in found.items():
            worst = ", ".join(f"{number} {word}" for word, number in findings.by_severity.items())
            self.tell(f"   · {name}: {findings.active} active ({worst}), {findings.inactive} inactive")
        self.tell(
            "   The inactive ones are not hidden: people in Burp called one a false positive and accepted another."
        )

    def rename_a_site(self) -> None:
        """A site is renamed in Burp; the Record follows, its mapping and findings stay."""
        before = self._record("Storefront")
        self.burp.control.rename_site("Storefront", "Online store")
        self._discovered(self.burp_id)
        after = self._record("Online store")
        same = (after.id, after.product, after.findings) == (before.id, before.product, before.findings)
        self._holds(same, "the same Record under the new name", after)
        self.tell(f"   · {before.name} is called {after.name} now, still flows into {after.product}.")

    def delete_a_site(self) -> None:
        """A site is deleted in Burp; its Record is Missing, and nothing of it is closed."""
        before = self._record("Storefront API")
        self.burp.control.delete_site("Storefront API")
        self._discovered(self.burp_id)
        after = self._record("Storefront API")
        self._holds(after.state == "Missing", "a Missing Record", after)
        self._holds(after.findings.open == before.findings.open, "its findings untouched", after)
        self.tell(f"   · {after.name}: {sentence(after)}")
        self.tell(
            f"   · Its {after.findings.open} open findings stay: a site that is gone is not a site that is fixed."
        )

    def delete_a_product(self) -> None:
        """You delete a Product; the Record that wrote to it is Stale, and no Sync makes the Product again."""
        from tidegate.actions import product as actions

        number = next(row.id for row in end().products if row.name == PORTAL)
        actions.delete_product(self.actor, number, PORTAL)
        after = self._record("Partner Portal")
        self._holds(after.state == "Stale", "a Stale Record", after)
        self.tell(f"   · {after.name}: {sentence(after)}")

    def fix_an_issue(self) -> None:
        """An issue is fixed, and Burp's next scan no longer finds it."""
        before = self._record("Online store").findings
        self.burp.control.fix_issue("Online store")
        self._synced(self.burp_id, "success")
        after = self._record("Online store").findings
        self._holds(after.open == before.open - 1, "one finding closed", after)
        self._holds(PORTAL not in {row.name for row in end().products}, "the deleted Product still deleted", after)
        self._tell_closed()

    def answer_half_a_page(self) -> None:
        """Burp answers half a page; nothing is closed, because nothing is proven."""
        before = self._record("Online store")
        self.burp.control.half_a_page("Online store")
        operation = self._synced(self.burp_id, "partial", "failed")
        after = self._record("Online store")
        self._holds(after.findings == before.findings, "every finding as it was", after)
        self._holds(not operation.operation.counts.get("closed"), "no finding closed", operation.operation.counts)
        self.tell(f"   · {after.name}: {after.findings.open} open before, {after.findings.open} open after.")
        self.tell(f"   · {after.badge}: {after.badge_why}")

    # What the chapters share

    def _connect(
        self, tool: str, label: str, settings: dict[str, str], secrets: dict[str, SecretStr], *, auto_map: bool = False
    ) -> int:
        from tidegate.actions.connection import add_connection

        return add_connection(
            self.actor, tool, label, settings, secrets, auto_map=auto_map, join_by_name=False, minimum_severity=0,
            product_type="Demo",
        )  # fmt: skip

    def _discovered(self, connection: int) -> OperationDetail:
        from tidegate.actions.operation import discover

        return self._ended(discover(self.actor, connection), "success")

    def _synced(self, connection: int, *statuses: str) -> OperationDetail:
        from tidegate.actions.operation import sync

        return self._ended(sync(self.actor, connection, None), *statuses)

    def _ended(self, number: int, *statuses: str) -> OperationDetail:
        from tidegate.reads import operation

        found = operation.operation(number)
        if found is None:
            raise StoryBroken(f"Operation {number} is not there.", "This is a bug: please report it.")
        row = found.operation
        self.tell(f"   {row.type.capitalize()} {row.id} of {row.connection}: {found.verdict}")
        self._holds(row.status in statuses, f"an Operation that ends in {' or '.join(statuses)}", row.status)
        return found

    def _tell_closed(self) -> None:
        from tidegate.reads import finding

        closed = finding.findings(status="closed").findings
        self._holds(len(closed) == 1, "exactly one closed finding", len(closed))
        self.tell(f"   · {closed[0].title} at {closed[0].where}: {closed[0].why}")

    def _records(self, connection: str) -> list[RecordRow]:
        return [row for row in end().records if row.connection == connection]

    def _record(self, name: str) -> RecordRow:
        found = [row for row in end().records if row.name == name]
        self._holds(len(found) == 1, f"one Record called {name}", [row.name for row in end().records])
        return found[0]

    def _states(self, expected: dict[str, str]) -> None:
        found = {row.name: row.state for row in self._records(BURP)}
        self._holds(found == expected, f"these states: {expected}", found)

    def _holds(self, true: bool, claim: str, found: object) -> None:
        if not true:
            raise StoryBroken(
                f"The demo was about to show {claim}, and that is not what happened: {found}",
                "This is a bug in Tidegate: please report it with this line.",
            )


def begin_afresh() -> None:
    """Empties the tables of the demo's own database: a fake Burp that begins anew knows nothing of the last story.

    Raises StoryBroken where somebody went on with a home that a demo began in, and connected tools of theirs.
    """
    from django.apps import apps
    from django.db import connection
    from psycopg import sql

    if theirs := _not_of_a_story():
        raise StoryBroken(
            f"{load_settings().home} holds more than a demo: {', '.join(theirs)}. The demo begins afresh, so that"
            " would be lost; nothing was touched.",
            "Set TIDEGATE_HOME to an empty folder for the demo, or delete that one if you need nothing of it.",
        )
    stays = {"audit_line"}  # append-only for everybody, a demo too
    models = apps.get_app_config("store").get_models()
    tables = [sql.Identifier(model._meta.db_table) for model in models if model._meta.db_table not in stays]
    statement: Any = sql.SQL("TRUNCATE {} RESTART IDENTITY CASCADE").format(sql.SQL(", ").join(tables))
    with connection.cursor() as cursor:
        cursor.execute(statement)


def _not_of_a_story() -> list[str]:
    """Connections that no story made, deleted ones too: each story makes the first two, one of them on this machine."""
    from tidegate.store.models import Connection

    made = {(1, BURP), (2, REPORTS)}
    return [
        f"{one.label} ({one.pk})"
        for one in Connection.objects.order_by("pk")
        if (one.pk, one.label) not in made
        or (one.label == BURP and not str(one.settings.get("url", "")).startswith(LOOPBACK))
    ]


def end() -> End:
    """Where everything stands."""
    from tidegate.reads import operation, product, record

    return End(
        records=record.records(limit=1000).records,
        products=product.products(limit=1000).products,
        operations=operation.operations(limit=1000).operations[::-1],
    )
