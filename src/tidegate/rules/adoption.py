"""Which decisions of a DefectDojo's people about what its API importers brought become ours, and which cannot and why.

Facts of its findings: dojo/finding/ and dojo/tools/api_sonarqube/ of DefectDojo 3.2.0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from tidegate.rules.names import is_printable, made_clean, trimmed
from tidegate.rules.takeover import Left, shown


@dataclass(frozen=True)
class TheirNote:
    """What somebody wrote beside a finding."""

    author: str
    at: datetime | None
    text: str
    private: bool = False


@dataclass(frozen=True)
class TheirAcceptance:
    """A risk acceptance that a finding is in; `until` is its end, or None."""

    name: str
    accepted_by: str
    until: datetime | None
    details: str = ""


@dataclass(frozen=True)
class TheirFinding:
    """A finding of an importer's Test, with what people decided about it."""

    id: int
    product: int
    vendor_id: str
    title: str
    severity: str
    active: bool = True
    verified: bool = False
    false_positive: bool = False
    out_of_scope: bool = False
    accepted: bool = False
    mitigated: bool = False
    duplicate: bool = False
    under_review: bool = False
    reviewed_by: str = ""
    reviewed_at: datetime | None = None
    notes: tuple[TheirNote, ...] = ()
    acceptances: tuple[TheirAcceptance, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        """In our words; "" where nobody judged it."""
        if self.false_positive:
            return "false positive"
        if self.out_of_scope:
            return "out of scope"
        return "accepted" if self.accepted else ""

    @property
    def people_wrote(self) -> tuple[TheirNote, ...]:
        """The notes of people, without those that imports leave."""
        return tuple(note for note in self.notes if not OF_IMPORTS.match(note.text))

    @property
    def is_decided(self) -> bool:
        return bool(self.verdict or self.verified or self.people_wrote or self.tags or self.under_review) or (
            not self.active and not self.mitigated and not self.duplicate
        )


OF_IMPORTS: Final = re.compile(
    r"(Mitigated|Re-?activated|Closed|Reopened) by .{1,200}(re-?upload|re-?import)", re.IGNORECASE
)

Key = tuple[str, str]
"""Family and key of a finding here."""


@dataclass(frozen=True)
class OurFinding:
    """A finding here, by one of its Branches, with what is decided about it: by field the value as it is stored."""

    id: int
    open: bool
    severity: str
    """The vendor's, in our word."""
    decided: Mapping[str, Any] = field(default_factory=dict[str, Any])


@dataclass(frozen=True)
class Adopted:
    """What becomes decided about a finding here: the arguments of the decision."""

    finding: int
    theirs: int
    title: str
    fields: Mapping[str, Any]


@dataclass(frozen=True)
class Adoption:
    """What becomes of the decisions about one Product's findings."""

    decisions: tuple[Adopted, ...]
    left: tuple[Left, ...]
    unchanged: int
    """Decided here the same already."""
    undecided: int
    """Findings there about which nobody decided anything."""


def key_of(unique_id: str) -> Key:
    """Where the SonarQube importer's id of a finding leads to here: a hotspot's begins with its kind."""
    kind, colon, key = unique_id.partition(":")
    return ("hotspots", key) if colon and kind == "hotspot" else ("vulnerabilities", unique_id)


def adopted(
    theirs: Iterable[TheirFinding], ours: Mapping[Key, OurFinding], url: str, now: datetime, *, severities: bool = False
) -> Adoption:
    """What of their people's decisions becomes ours. A field that is decided here stays as it is. `severities` also
    takes over a severity that differs from the tool's; by itself nobody can say whether a person there changed it."""
    decisions: list[Adopted] = []
    left: list[Left] = []
    unchanged = undecided = 0
    for one, others in _one_each(theirs):
        what = f"finding {one.id}, {shown(one.title)}"
        if any(other.verdict and other.verdict != one.verdict for other in others):
            left.append(Left(what, "Copies of it there are judged differently; the latest judgement counts."))
        own = ours.get(key_of(one.vendor_id)) if one.vendor_id else None
        differs = own is not None and severities_differ(one, own)
        if not one.is_decided and not differs:
            undecided += 1
            continue
        if own is None:
            if one.is_decided:
                left.append(Left(what, WITHOUT_ID if not one.vendor_id else NOT_HERE))
            continue
        left += [Left(what, why) for why in _without_counterpart(one, own, now, severities=severities)]
        wanted = _fields(one, url, now)
        if severities and differs:
            wanted["severity"] = one.severity
        same = {name for name in wanted if own.decided.get(name) == _as_decided(wanted, name)}
        other = sorted(name for name in wanted.keys() & own.decided.keys() if name not in same)
        if other:
            left.append(Left(what, f"Here it is decided otherwise already ({', '.join(other)}); that stays."))
        fields = {name: value for name, value in wanted.items() if name not in own.decided}
        if "verdict" not in fields:
            fields.pop("until", None)
        if fields:
            decisions.append(Adopted(own.id, one.id, one.title, fields))
        elif wanted and not other:
            unchanged += 1
    return Adoption(tuple(decisions), tuple(left), unchanged, undecided)


WITHOUT_ID: Final = "It has no id of the tool, so nothing here can be said to be the same."
NOT_HERE: Final = (
    "The tool does not report it to Tidegate: fixed and forgotten there, of another type, or not shown to us."
)


def _one_each(theirs: Iterable[TheirFinding]) -> Iterator[tuple[TheirFinding, list[TheirFinding]]]:
    """Each vendor's id once, by the copy that somebody judged last; originals before duplicates."""
    copies: dict[str, list[TheirFinding]] = {}
    for one in theirs:
        copies.setdefault(one.vendor_id or f"\0{one.id}", []).append(one)

    def weight(one: TheirFinding) -> tuple[bool, bool, float, int]:
        return one.is_decided, not one.duplicate, one.reviewed_at.timestamp() if one.reviewed_at else 0.0, one.id

    for found in copies.values():
        best = max(found, key=weight)
        yield best, [one for one in found if one is not best]


def severities_differ(one: TheirFinding, own: OurFinding) -> bool:
    return one.severity in THEIR_SEVERITIES and one.severity != own.severity


THEIR_SEVERITIES: Final = ("Critical", "High", "Medium", "Low", "Info")


def _without_counterpart(one: TheirFinding, own: OurFinding, now: datetime, *, severities: bool) -> Iterator[str]:
    if one.mitigated and own.open and not one.verdict:
        yield "Closed there, and the tool still reports it: here only the tool's evidence closes a finding."
    if not one.active and not one.mitigated and not one.duplicate and not one.verdict:
        yield "Inactive there without a verdict: Tidegate has no such state, so it is active here."
    if one.under_review:
        yield "Under review there: Tidegate has no reviews."
    if one.accepted and one.verdict == "accepted" and (end := _end(one)) is not None and end <= now:
        yield f"Its acceptance ended on {end.date()}, so it is not taken over."
    if hidden := sum(note.private for note in one.people_wrote):
        yield f"{hidden:,} private {'note' if hidden == 1 else 'notes'} stay there: notes here are seen by all readers."
    if severities_differ(one, own) and not severities:
        yield (
            f"{one.severity} there, {own.severity} as the tool says it now. Nobody can say whether a person changed it:"
            " --severities takes theirs over."
        )


def _end(one: TheirFinding) -> datetime | None:
    """When the last of its acceptances ends; None where one of them has no end, or none is shown."""
    ends = [each.until for each in one.acceptances]
    return None if not ends or None in ends else max(end for end in ends if end is not None)


def _fields(one: TheirFinding, url: str, now: datetime) -> dict[str, Any]:
    """What of it can be decided here, by the names of the decision's fields."""
    fields: dict[str, Any] = {}
    end = _end(one) if one.verdict == "accepted" else None
    if one.verdict and (end is None or end > now):
        fields["verdict"] = one.verdict
        if end is not None:
            fields["until"] = end
    if one.verified:
        fields["verified"] = True
    if tags := sorted({made_clean(tag, "") for tag in one.tags} - {""}):
        fields["tags"] = tags
    # Imports verify whole reports, so that alone is no word of somebody's that needs its reason.
    if "verdict" in fields or any(not note.private for note in one.people_wrote):
        fields["note"] = note_of(one, url)
    return fields


def _as_decided(wanted: Mapping[str, Any], name: str) -> Any:
    """The value as a decision here says it."""
    return (wanted["verdict"], wanted.get("until")) if name == "verdict" else wanted[name]


LONGEST_NOTE: Final = 10_000


def note_of(one: TheirFinding, url: str) -> str:
    """Who decided what there and when, as far as DefectDojo says it: the reason of the decisions here. As it is stored,
    so that the same reason is known again."""
    said = " and ".join(filter(None, (one.verdict, "verified" if one.verified else "")))
    lines = [f"From DefectDojo, {url}/finding/{one.id}"]
    if said:
        by = f", reviewed last by {one.reviewed_by}" if one.reviewed_by else ""
        lines.append(f"{said.capitalize()} there{by}{f' on {one.reviewed_at.date()}' if one.reviewed_at else ''}.")
    for each in one.acceptances if one.verdict == "accepted" else ():
        by = f" by {each.accepted_by}" if each.accepted_by else ""
        until = f" until {each.until.date()}" if each.until else ""
        lines.append(f"Risk acceptance «{each.name}»{by}{until}.{f' {each.details}' if each.details else ''}")
    written = [note for note in one.people_wrote if not note.private]
    lines += [
        f"{note.at.date() if note.at else 'Undated'}, {note.author or 'somebody'}: {note.text.strip()}"
        for note in sorted(written, key=lambda note: note.at.isoformat() if note.at else "")
    ]
    text = "".join(letter if letter in "\n\t" or is_printable(letter) else " " for letter in "\n".join(lines))
    return trimmed(f"{text[: LONGEST_NOTE - 2].rstrip()} …" if len(text) > LONGEST_NOTE else text)
