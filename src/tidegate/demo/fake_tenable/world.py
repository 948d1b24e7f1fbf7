"""What the fake Tenable knows: networks, tags, scans, hosts and what was found on them, and the exports that run; and
the verbs that change it.

Findings are kept as an export shows them. Times are fixed, so that a run is the same each time.
"""

import threading
from collections.abc import Sequence
from copy import deepcopy
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

DEFAULT = "00000000-0000-0000-0000-000000000000"
FIRST = datetime(2025, 1, 6, 8, tzinfo=UTC)
PLUGINS = {
    156641: ("Security Updates for Acme Office Server (January 2022)", "Windows : Acme Bulletins", "CVE-2022-21837"),
    96982: ("Server Message Block (SMB) Protocol Version 1 Enabled", "Misc.", "CVE-2017-0144"),
    35450: ("DNS Server Spoofed Request Amplification", "DNS", "CVE-2006-0987"),
}
"""Name, family and weakness of each plugin."""


@dataclass(slots=True)
class Host:
    """An asset: where it is, its tags by category, and the last scan that saw it."""

    uuid: str
    name: str
    network: str = DEFAULT
    tags: dict[str, tuple[str, ...]] = field(default_factory=dict[str, tuple[str, ...]])
    scan: str = ""


@dataclass(slots=True)
class Job:
    """An export: what it exports is cut when it starts. `looks` is how often it still says that it is at work."""

    uuid: str
    filters: dict[str, Any]
    chunks: list[list[dict[str, Any]]]
    looks: int
    failed: tuple[int, ...] = ()
    ended: str = "FINISHED"
    expired: bool = False

    @property
    def runs(self) -> bool:
        return self.looks > 0


class World:
    """A container. `at_work` is how many looks an export takes, `at_once` how many may run (two, says Tenable).

    `per_chunk`: hosts in a chunk, as many as asked for unless a test says fewer.
    """

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.networks: dict[str, str] = {DEFAULT: "Default"}
        self.values: dict[str, tuple[str, str]] = {}
        self.scans: dict[str, str] = {}
        self.hosts: dict[str, Host] = {}
        self.findings: dict[str, dict[str, Any]] = {}
        self.jobs: dict[str, Job] = {}
        self.visible: set[str] | None = None
        self.may_export = self.may_list_networks = True
        self.at_work, self.at_once, self.per_chunk = 1, 2, 0
        self.fails: tuple[int, ...] = ()
        self.ends = "FINISHED"
        self._number = 0

    def add_network(self, name: str) -> str:
        return self._named(self.networks, name)

    def add_tag(self, category: str, value: str) -> str:
        uuid = self._uuid()
        self.values[uuid] = (category, value)
        return uuid

    def rename_tag(self, uuid: str, value: str) -> None:
        """The tag keeps its id, and its hosts."""
        category, before = self.values[uuid]
        self.values[uuid] = (category, value)
        for host in self.hosts.values():
            kept = host.tags.get(category, ())
            host.tags[category] = tuple(value if each == before else each for each in kept)

    def add_scan(self, name: str) -> str:
        return self._named(self.scans, name)

    def add_host(self, name: str, *, network: str = DEFAULT, scan: str = "", **tags: Sequence[str]) -> str:
        host = Host(self._uuid(), name, network, {name: tuple(values) for name, values in tags.items()}, scan)
        self.hosts[host.uuid] = host
        return host.uuid

    def find(self, host: str, plugin: int = 156641, **fields: Any) -> str:
        """A plugin finds something on a host; gives the finding's id."""
        key, number = self._uuid(), self._number
        name, family, cve = PLUGINS[plugin]
        found = {
            "plugin": {"id": plugin, "name": name, "family": family, "cve": [cve], "synopsis": "It is too old.",
                       "description": "What runs here has a known weakness.", "solution": "Update it."},
            "port": {"port": 445, "protocol": "TCP"}, "severity": "high", "severity_id": 3, "severity_default_id": 3,
            "severity_modification_type": "NONE", "state": "OPEN", "first_found": _time(number),
            "last_found": _time(number), "finding_id": key, "host": host, **fields,
        }  # fmt: skip
        self.findings[key] = found
        return key

    def change(self, key: str, **fields: Any) -> None:
        self.findings[key] |= fields

    def fix(self, key: str) -> None:
        """A later scan does not find it any more."""
        self.change(key, state="FIXED", last_fixed=_time(self._number))

    def reopen(self, key: str) -> None:
        self.change(key, state="REOPENED")

    def accept(self, key: str, reason: str) -> None:
        self.change(key, severity_modification_type="ACCEPTED", recast_reason=reason)

    def recast(self, key: str, severity: str, reason: str) -> None:
        self.change(key, severity_modification_type="RECASTED", severity=severity, recast_reason=reason)

    def delete_host(self, uuid: str) -> None:
        """With everything that was found on it."""
        del self.hosts[uuid]
        self.findings = {key: found for key, found in self.findings.items() if found["host"] != uuid}

    def show_only(self, *hosts: str) -> None:
        """The user of the keys may see these hosts and no other."""
        self.visible = set(hosts)

    def running(self) -> list[Job]:
        return [job for job in self.jobs.values() if job.runs]

    def start_export(self, filters: dict[str, Any], hosts_a_chunk: int) -> Job:
        """A job over what is there now."""
        hosts = [host for host in self.hosts.values() if self._is_wanted(host, filters)]
        size = self.per_chunk or hosts_a_chunk
        groups = [hosts[at : at + size] for at in range(0, len(hosts), size)]
        chunks = [[row for host in group for row in self._rows(host, filters)] for group in groups]
        job = Job(self._uuid(), filters, chunks, self.at_work, self.fails, self.ends)
        self.jobs[job.uuid] = job
        return job

    def _is_wanted(self, host: Host, filters: dict[str, Any]) -> bool:
        if self.visible is not None and host.uuid not in self.visible:
            return False
        tags = {name.removeprefix("tag."): values for name, values in filters.items() if name.startswith("tag.")}
        return all(set(values) & set(host.tags.get(category, ())) for category, values in tags.items())

    def _rows(self, host: Host, filters: dict[str, Any]) -> list[dict[str, Any]]:
        asset = {"uuid": host.uuid, "hostname": host.name, "network_id": host.network, "tracked": True}
        scan = {"scan": {"schedule_uuid": host.scan}} if host.scan else {}
        states, severities = filters.get("state", ["OPEN", "REOPENED"]), filters.get("severity")
        return [
            deepcopy({"asset": asset, **scan, **{name: told for name, told in found.items() if name != "host"}})
            for found in self.findings.values()
            if found["host"] == host.uuid
            and found["state"] in states
            and (severities is None or found["severity"] in severities)
        ]

    def _named(self, where: dict[str, str], name: str) -> str:
        uuid = self._uuid()
        where[uuid] = name
        return uuid

    def _uuid(self) -> str:
        self._number += 1
        return f"7d1f0a52-0000-4000-8000-{self._number:012d}"


def _time(number: int) -> str:
    return (FIRST + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%S.000Z")
