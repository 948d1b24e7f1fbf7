"""Deciding about many at once: how they are chosen, the token by which a preview is known again, and what a decision
can come to for each."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from hashlib import sha256
from typing import Final, Literal, NamedTuple, TypedDict

RecordDeed = Literal["map", "map each", "ignore", "restore", "restore to earlier", "delete", "sync"]
"""What can be done with many Records. `map each` maps each to the Product of its own name."""


class RecordFilter(TypedDict, total=False):
    """Which Records are meant: the filters of their list. None at all means every Record."""

    connection_id: int
    state: Literal["new", "ignored", "good", "stale", "missing", "mapped"]
    product_id: int
    search: str
    gone: bool
    seen_since: datetime
    seen_until: datetime


class FindingFilter(TypedDict, total=False):
    """Which findings are meant: the filters of their list."""

    product_id: int
    product_type: str
    connection_id: int
    record_id: int
    tool: str
    severity: str
    status: Literal["active", "inactive", "open", "closed", "held", "kept open", "unwatched"]
    since: datetime
    until: datetime
    cwe: int
    component: str
    search: str


class Fate(NamedTuple):
    """What becomes of one of them: whether anything changes, or why it is refused."""

    kind: Literal["changes", "stays", "refused"]
    sentence: str


FATES: Final[dict[str, Fate]] = {
    "map": Fate("changes", "Flows into «{product}» from the next Sync on."),
    "remap": Fate("changes", "Flowed elsewhere, and flows into «{product}» from the next Sync on."),
    "make": Fate("changes", "Flows into a new Product of its name from the next Sync on."),
    "join": Fate("changes", "Flows into the Product of its name, which is there already, from the next Sync on."),
    "flows": Fate("stays", "Flows there already."),
    "ignore": Fate("changes", "Is ignored."),
    "ignored": Fate("stays", "Is ignored already."),
    "restore": Fate("changes", "Is New again."),
    "new": Fate("stays", "Is New already."),
    "earlier": Fate("changes", "Flows again into the Product it flowed into before."),
    "delete": Fate("changes", "Is deleted; Discover brings it back if it is still in the tool."),
    "sync": Fate("changes", "Is synced."),
    "decide": Fate("changes", "Is decided."),
    "close": Fate("changes", "Is closed."),
    "closed": Fate("stays", "Is closed already."),
    "undo": Fate("changes", "Is again as it was before."),
    "reopen": Fate("changes", "Is open again."),
    "undone": Fate("stays", "Was undone already."),
    "open": Fate("stays", "Is open already."),
    "forbidden": Fate("refused", "You see it and may not do this to it: that takes the role {role} there."),
    "changing": Fate("refused", "A change is at its findings just now: wait until it has ended."),
    "taken": Fate("refused", "A Product of its name is there already, or made for another of these."),
    "mapped": Fate("refused", "It is mapped now; map it where it should go."),
    "earlier deleted": Fate("refused", "The Product it flowed into before was deleted; map it to another."),
    "never mapped": Fate("refused", "It was never mapped before; map it to a Product."),
    "earlier forbidden": Fate("refused", "You may not map to the Product it flowed into before."),
    "not good": Fate("refused", "Only what is Good is synced."),
    "paused": Fate("refused", "Its Connection is paused."),
    "not accepted": Fate("refused", "It is not accepted, so nothing has an end."),
    "decided since": Fate("refused", "It was decided again since: decide anew instead."),
    "moved since": Fate("refused", "It moved to another Product since: decide anew instead."),
    "closed since": Fate("refused", "It was closed by something else since."),
    "below": Fate("refused", "It is below the minimum severity of its Connection by now."),
    "watched": Fate("refused", "Its Record still watches it: a Sync closes it when it is gone. Decide about it."),
}
"""By the words of store/sql/records_sort.sql, findings_sort.sql and findings_undo_sort.sql."""


def token(facts: Iterable[tuple[int, int]]) -> str:
    """How many they are and, in few letters, which, each as it was decided last (its epoch): other ones, or a decision
    made since, give another token."""
    told = [b"%d:%d" % pair for pair in facts]
    return f"{len(told)}-{sha256(b' '.join(told)).hexdigest()[:12]}"


def fits(expected: str, now: str) -> bool:
    """Whether these are what somebody expects: by the token of a preview, or by their number alone."""
    return expected in (now, now.partition("-")[0])
