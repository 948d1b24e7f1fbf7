"""Which scan says how a Family is: the newest completed one in which its engine ran."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from tidegate_sdk import Row, VendorChanged, identifier
from tidegate_sdk.fields import mark, objects, text, texts

SAST, SCA, KICS = "SAST", "SCA", "KICS"
CONTAINERS, SECRETS, SCORECARD = "containers", "secrets", "scorecard"
ENGINES: Mapping[str, str] = {
    SAST: "sast",
    SCA: "sca",
    KICS: "kics",
    CONTAINERS: "containers",
    SECRETS: "2ms",
    SCORECARD: "scorecard",
}
"""The Families, and what the engine of each is called in a scan; the last two are parts of `microengines`."""
MICRO = "microengines"
OTHERS = frozenset({"apisec", "dast", "aisc", "enterprise-secrets", "ai-supply-chain"})
"""Engines whose findings are not among the results of a scan."""
FAILED = frozenset({"failed", "canceled", "cancelled", "partial", "skipped", "queued", "running"})


@dataclass(frozen=True, slots=True)
class Scan:
    """A completed scan: when it began, on which branch, which Families it says something of, and of which nobody can
    tell whether it does."""

    id: str
    branch: str
    mark: str
    families: tuple[str, ...]
    unsure: frozenset[str] = frozenset()


def scan_of(row: Row) -> Scan:
    """A row of the list of scans; raises VendorChanged for one that has not completed."""
    if text(row["status"]).lower() != "completed":
        raise VendorChanged(f"A scan that is {text(row['status'])[:100]!r} is listed as one that has completed.")
    ran, unsure = _engines(row)
    families = tuple(family for family, engine in ENGINES.items() if engine in ran)
    doubtful = frozenset(family for family, engine in ENGINES.items() if engine not in ran and engine in unsure)
    return Scan(identifier(row, "id"), text(row.get("branch")), mark(row["createdAt"]), families, doubtful)


def newest(scans: Iterable[Scan]) -> dict[str, tuple[Scan | None, str]]:
    """The scan that says how each Family is; where it is None, why there is none.

    A scan of which nobody can tell whether the engine ran hides the older ones: what they say may be long past.
    """
    ordered = sorted(scans, key=lambda scan: scan.mark, reverse=True)
    looked = "1 was" if len(ordered) == 1 else f"{len(ordered)} were"
    why = f"The engine ran in no completed scan of this branch; {looked} looked at."
    nothing = why if ordered else "No scan of this branch has completed yet."
    found: dict[str, tuple[Scan | None, str]] = {}
    for family in ENGINES:
        scan = next((scan for scan in ordered if family in (*scan.families, *scan.unsure)), None)
        if scan is None:
            found[family] = None, nothing
        elif family in scan.unsure:
            found[family] = None, f"The scan {scan.id} does not say in known words whether the engine ran."
        else:
            found[family] = scan, ""
    return found


def _engines(row: Row) -> tuple[set[str], set[str]]:
    """The engines that ran to their end, and those that may have. Which of the small ones did is in the scan's
    configuration alone."""
    if row["engines"] is None:
        raise VendorChanged("A scan does not say which engines it has.")
    told = {engine.lower() for engine in texts(row["engines"])}
    failed, odd = set[str](), set[str]()
    for detail in objects(row.get("statusDetails")):
        name, status = text(detail.get("name")).lower(), text(detail.get("status")).lower()
        if status != "completed":
            (failed if status in FAILED else odd).add(name)
    ran, unsure = told - failed - odd, told & odd
    if told - {*ENGINES.values(), *OTHERS, MICRO}:
        unsure.update(ENGINES.values())
    if MICRO in ran:
        small, known = _small(objects(row.get("metadata.configs")))
        ran |= small
        unsure |= set() if known else {*_SMALL}
    elif MICRO in unsure:
        unsure.update(_SMALL)
    return ran, unsure


_SMALL = ("2ms", "scorecard")


def _small(configs: Iterable[Row]) -> tuple[set[str], bool]:
    """The small engines that are switched on, and whether anything is said of them."""
    for config in configs:
        value: Any = config.get("value")
        if config.get("type") == MICRO and isinstance(value, dict):
            switches = {name: str(Row(value).get(name, "false")).lower() for name in _SMALL}
            return {name for name, on in switches.items() if on == "true"}, {*switches.values()} <= {"true", "false"}
    return set(), False
