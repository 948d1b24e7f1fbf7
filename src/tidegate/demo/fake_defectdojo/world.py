"""What a DefectDojo holds, as its API shows it, and who may do what there.

Facts: dojo/models.py and dojo/finding/models.py of https://github.com/DefectDojo/django-DefectDojo at 3.2.0, and what
running servers of 2.50.4 and 3.2.0 answered.
"""

import hashlib
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

Row = dict[str, Any]
Algorithm = Literal["hash_code", "unique_id_from_tool"]

TOKEN = "fake0defectdojo0token0of0nobody000000001"  # noqa: S105 - a fake's token, known to everybody
GENERIC = "Generic Findings Import"
SCAN_TYPES = (GENERIC, "SARIF", "SonarQube Scan", "Trivy Scan")
SEVERITIES = ("Critical", "High", "Medium", "Low", "Info")
HASHED = ["title", "cwe", "line", "file_path", "description"]
KINDS = (
    "product_types", "products", "engagements", "test_types", "tests", "findings", "test_imports", "users", "notes",
    "tool_types", "tool_configurations", "product_api_scan_configurations",
)  # fmt: skip
STATUS_FIELDS = frozenset(
    {"active", "verified", "false_p", "is_mitigated", "mitigated", "out_of_scope", "risk_accepted"}
)
"""What changes one of these moves `last_status_update`: dojo/finding/helper.py, pre_save_finding_status_change."""
INSIDE = {"products": "prod_type", "engagements": "product", "tests": "engagement", "findings": "test"}
"""What lies in what, by the field that says so: who deletes the outer deletes the inner."""


class World:
    """All of it in memory; whoever looks at it from another thread holds the lock."""

    def __init__(self, version: str = "3.2.0") -> None:
        self.lock = threading.RLock()
        self.version = version
        self.algorithm: Algorithm = "hash_code"
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)
        self.rows: dict[str, dict[int, Row]] = {kind: {} for kind in KINDS}
        self.breaks_after: int | None = None
        """So many more findings are stored; then the import that stores them ends in a 500."""
        self.tokens: dict[str, int] = {}
        self.passwords: dict[str, str] = {}
        self._last: Counter[str] = Counter()
        self.add_user("admin", TOKEN, superuser=True, password="admin")  # noqa: S106 - a fake's
        for name in SCAN_TYPES:
            self.add("test_types", name=name, static_tool=False, dynamic_tool=False, active=True)
        self.add("product_types", name="Research and Development", description="", members=[])

    @property
    def has_importers(self) -> bool:
        """Whether it still imports by API, and shows with what: 3.5.0 does not."""
        return tuple(int(part) for part in self.version.split(".")[:2]) < (3, 5)

    @property
    def is_old(self) -> bool:
        """Whether it behaves as 2.x did."""
        return self.version.startswith("2.")

    # What a person does there

    def add_user(self, name: str, token: str, *, superuser: bool = False, password: str = "") -> Row:
        """A person, and the token of theirs."""
        row = self.add("users", username=name, is_superuser=superuser, is_active=True, first_name="", last_name="")
        self.tokens[token] = row["id"]
        self.passwords[name] = password
        return row

    def allow(self, product: int, user: str) -> None:
        """Lets somebody who is no superuser work in a product."""
        allowed = self.rows["products"][product]["authorized_users"]
        allowed.append(next(row["id"] for row in self.rows["users"].values() if row["username"] == user))

    def break_after(self, findings: int) -> None:
        """The next import fails when it has stored so many."""
        self.breaks_after = findings

    def edit(self, kind: str, number: int, **fields: Any) -> Row:
        """What somebody changes on a page of theirs."""
        row = self.rows[kind][number]
        if kind == "findings":
            row["last_reviewed"] = self.stamp()
            if STATUS_FIELDS & fields.keys():
                row["last_status_update"] = self.stamp()
        row.update(fields, updated=self.stamp())
        return row

    def delete(self, kind: str, number: int) -> None:
        """It and all that lies in it. Deleting an original makes its first duplicate the new active original."""
        gone = self.rows[kind].pop(number, None)
        for inner, outer in INSIDE.items():
            if gone is not None and outer == {"product_types": "prod_type"}.get(kind, kind.removesuffix("s")):
                for each in [one["id"] for one in self.rows[inner].values() if one[outer] == number]:
                    self.delete(inner, each)
        if kind == "findings" and gone is not None:
            heirs = [one for one in self.rows["findings"].values() if one["duplicate_finding"] == number]
            for place, one in enumerate(heirs):
                first = place == 0
                one.update(duplicate=not first, duplicate_finding=None if first else heirs[0]["id"], active=first)

    # What the server itself does

    def add(self, kind: str, **fields: Any) -> Row:
        """A new row with the next number."""
        self._last[kind] += 1
        row = {"id": self._last[kind], "created": self.stamp(), "updated": self.stamp(), **fields}
        self.rows[kind][row["id"]] = row
        return row

    def stamp(self) -> str:
        return self.now().isoformat().replace("+00:00", "Z")

    def today(self) -> str:
        return self.now().date().isoformat()

    def in_a_year(self) -> str:
        return (self.now() + timedelta(days=365)).date().isoformat()

    def find(self, kind: str, **fields: Any) -> Row | None:
        """The last one with these fields: as lookups by name take the newest of several."""
        found = [row for row in self.rows[kind].values() if all(row.get(name) == told for name, told in fields.items())]
        return found[-1] if found else None

    def inside(self, kind: str, outer: int) -> Iterator[Row]:
        """All that lies directly in something."""
        return (row for row in self.rows[kind].values() if row[INSIDE[kind]] == outer)

    def product_of(self, kind: str, row: Row) -> Row | None:
        """The product in which something lies; itself for a product, none for a product type."""
        if kind == "product_api_scan_configurations":
            return self.rows["products"][row["product"]]
        while kind not in ("products", "product_types"):
            outer = {"engagements": "products", "tests": "engagements", "findings": "tests"}.get(kind)
            if outer is None:
                return None
            row, kind = self.rows[outer][row[INSIDE[kind]]], outer
        return row if kind == "products" else None

    def may(self, user: Row, kind: str, row: Row) -> bool:
        """Whether somebody sees it at all: a superuser everything, others what lies in products they are let into."""
        if user["is_superuser"] or kind in ("test_types", "users"):
            return True
        if kind == "product_types":
            return any(self.may(user, "products", each) for each in self.inside("products", row["id"]))
        product = self.product_of(kind, row)
        return product is not None and user["id"] in product["authorized_users"]

    def hash_of(self, row: Row) -> str:
        """By which findings are told apart: the fields one after the other with nothing between them, so that cwe 1
        with line 23 is cwe 12 with line 3. Title and description as they are stored, whatever the case of the title."""
        told = "".join(str(row[name]) for name in HASHED).strip().lower()
        return hashlib.sha256((told + str(row["service"] or "")).encode()).hexdigest()
