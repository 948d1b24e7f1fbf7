"""What the fake Probely knows: targets and what was found on them, and the verbs that change it."""

import threading
from typing import Any


class World:
    """An account. Each target counts its findings by itself, as Probely does."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.targets: dict[str, str] = {}
        self.findings: dict[tuple[str, int], dict[str, Any]] = {}
        self.visible: set[str] | None = None
        self.may_see_findings = True
        self._number = 0

    def add_target(self, name: str) -> str:
        self._number += 1
        key = f"T{self._number:011d}"
        self.targets[key] = name
        return key

    def delete_target(self, key: str) -> None:
        """With everything that was found on it."""
        del self.targets[key]
        self.findings = {place: found for place, found in self.findings.items() if place[0] != key}

    def find(self, target: str, name: str = "SQL Injection", **fields: Any) -> str:
        """A scan finds something; gives the number that the target gave it, as a text."""
        number = 1 + max((place[1] for place in self.findings if place[0] == target), default=0)
        self.findings[target, number] = {
            "id": number, "definition": {"id": "xnV8PJVmSoLS", "name": name, "desc": "What it is."}, "severity": 30,
            "state": "notfixed", "url": f"https://{target.lower()}.example.com/", "method": "get", "labels": [],
            "requests": [], "evidence": None, "extra": "", "fix": "Mend it.", "cvss_score": 6.5, "comment": "",
            "last_found": "2025-01-06T08:00:00.000000Z", **fields,
        }  # fmt: skip
        return str(number)

    def change(self, target: str, number: str, **fields: Any) -> None:
        self.findings[target, int(number)] |= fields

    def forget(self, target: str, number: str) -> None:
        """It is not listed any more."""
        del self.findings[target, int(number)]

    def show_only(self, *targets: str) -> None:
        """The key may see these targets and no other."""
        self.visible = set(targets)

    def sees(self, target: str) -> bool:
        return target in self.targets and (self.visible is None or target in self.visible)
