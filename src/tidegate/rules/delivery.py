"""What one of our findings looks like in DefectDojo, what has to be written there, and whose word counts: pure.

Only keys that every version from 2.50 takes are sent, whole numbers as whole numbers, texts without what PostgreSQL
cannot hold and cut to the server's limits (design: defectdojo.md). Where the server would refuse or break on a value,
it is left out: one odd vendor's row must not keep a batch of others from arriving.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import blake2b
from typing import Any, Final

LONGEST: Final[Mapping[str, int]] = {
    "title": 511,
    "description": 60_000,
    "mitigation": 20_000,
    "impact": 20_000,
    "references": 20_000,
    "file_path": 4_000,
    "component_name": 500,
    "component_version": 100,
    "vuln_id_from_tool": 500,
}
"""Letters. The long texts have no limit there; ours keeps one finding from filling a batch."""

LONGEST_EVIDENCE: Final = 10_000
LONGEST_TAG: Final = 255
LONGEST_ID: Final = 50
LARGEST: Final = 2**31 - 1
UNKNOWN_TAG: Final = "severity-unknown"
SEVERITIES: Final = ("Info", "Low", "Medium", "Medium", "High", "Critical")
"""By rank. Anything but its five words is refused there, so Unknown (2) is Medium, and wears a tag."""

RANKS: Final = {"Info": 0, "Low": 1, "Medium": 3, "High": 4, "Critical": 5}
FLAGS: Final = {"false positive": "false_p", "accepted": "risk_accepted", "out of scope": "out_of_scope"}
"""By verdict."""

STATUS: Final = ("active", "verified", "false_p", "out_of_scope", "risk_accepted", "is_mitigated")
JUDGED: Final = tuple(name for name in STATUS if name != "verified")
COLUMNS: Final = {
    "verdict": JUDGED,
    "severity": ("severity",),
    "verified": ("verified",),
    "tags": ("tags",),
    "note": (),
}
"""What a decision about a field shows there."""

TOLD: Final = (
    "title", "severity", "description", "mitigation", "impact", "references", "file_path", "line", "cwe",
    "component_name", "component_version", "unique_id_from_tool", "vuln_id_from_tool", "vulnerability_ids", "date",
    "cvssv3", "epss_score", "known_exploited", "fix_available", "tags", *STATUS, "note",
)  # fmt: skip
"""All that is ever sent. A digest of each is kept in this order: what is added goes to the end. A note is no field
there: each is written beside the others, once."""

THEIR_PEOPLE: Final = "somebody in "
"""So begins who decides here what people at a Destination said; its name follows."""

DIGEST: Final = 6
"""Bytes a field: a change goes unseen once in 280,000,000,000,000."""

_VECTOR: Final = re.compile(
    r"CVSS:3\.[01]/AV:[NALP]/AC:[LH]/PR:[NLH]/UI:[NR]/S:[UC]/C:[NLH]/I:[NLH]/A:[NLH]"
    r"(/E:[XUPFH])?(/RL:[XOTWU])?(/RC:[XURC])?"
)
_NAMESPACE: Final = re.compile(r"tidegate:(\d{1,18}):(\d{1,18})")


@dataclass(frozen=True)
class Said:
    """What a person here decided of one field: its value as it is stored, and when."""

    value: str
    at: datetime


@dataclass(frozen=True)
class Ours:
    """One finding as it stands here. `verdict` is what is in force, "" for none; `decided` what people said, by field
    (verdict, severity, verified, tags, note)."""

    id: int
    connection: int
    label: str
    title: str
    severity: int
    open: bool
    active: bool
    since: datetime
    verdict: str = ""
    vendor_verdict: str = ""
    fields: Mapping[str, Any] = field(default_factory=dict[str, Any])
    decided: Mapping[str, Said] = field(default_factory=dict[str, Said])
    noted_by: str = ""

    @property
    def verified(self) -> bool:
        return "verified" in self.decided and json.loads(self.decided["verified"].value) is True

    @property
    def tags(self) -> tuple[str, ...]:
        """Those that people gave it here."""
        return tuple(json.loads(self.decided["tags"].value)) if "tags" in self.decided else ()

    @property
    def note(self) -> str:
        """What people here wrote, signed; "" where they wrote nothing, or it came from a Destination."""
        said = self.decided.get("note")
        if said is None or self.noted_by.startswith(THEIR_PEOPLE):
            return ""
        return f"{clean(said.value).strip()}\n\n({_line_of(self.noted_by)}, in Tidegate)"


# What is sent


def sent(ours: Ours) -> dict[str, Any]:
    """The finding as it should stand there: each of TOLD, plain JSON, within the server's limits."""
    told = ours.fields
    numbers = [number for number in told.get("cwe") or () if isinstance(number, int) and 0 < number <= LARGEST]
    text = {
        "description": _description(ours),
        "mitigation": "\n\n".join(part for part in (_text(told, "mitigation"), _fix(told)) if part),
        "impact": _text(told, "impact"),
        "references": "\n".join(
            clean(each) for each in (*(told.get("references") or ()), told.get("url") or "") if each
        ),
        "file_path": _line_of(told.get("path")),
        "component_name": _line_of(told.get("component")),
        "component_version": _line_of(told.get("version")),
        "vuln_id_from_tool": _line_of(told.get("rule")),
    }
    return {
        "title": cut("title", _line_of(ours.title)) or "(no title)",
        "severity": SEVERITIES[ours.severity],
        **{name: value if name == "description" else cut(name, value) for name, value in text.items()},
        "line": _whole(told.get("line")),
        "cwe": numbers[0] if numbers else 0,
        "unique_id_from_tool": unique_id(ours.connection, ours.id),
        "vulnerability_ids": _ids(told.get("ids") or ()),
        "date": _day(told.get("found_at")) or ours.since.date().isoformat(),
        "cvssv3": next((each for each in told.get("cvss") or () if _VECTOR.fullmatch(str(each))), ""),
        "epss_score": _share(told.get("epss")),
        "known_exploited": told.get("known_exploited") is True,
        "fix_available": True if told.get("fix") or told.get("fixed_version") else None,
        "tags": tags_of(ours),
        **status_of(ours),
        "note": ours.note,
    }


def status_of(ours: Ours) -> dict[str, bool]:
    """The six flags, as they go together there: what was judged stays judged when the finding is gone, since losing its
    risk acceptance is what DefectDojo itself does wrong."""
    flags = {flag: ours.verdict == verdict for verdict, flag in FLAGS.items()}
    judged_away = flags["false_p"] or flags["out_of_scope"]
    return {
        "active": ours.open and ours.active and not any(flags.values()),
        "verified": ours.verified and not judged_away,
        **flags,
        "is_mitigated": not ours.open or judged_away,
    }


def tags_of(ours: Ours) -> list[str]:
    """The vendor's and people's, as the eldest server would store them, so that they come back as they went."""
    unknown = (UNKNOWN_TAG,) if ours.severity == 2 else ()
    return sorted({tag for each in (*(ours.fields.get("tags") or ()), *ours.tags, *unknown) if (tag := tag_of(each))})


def tag_of(text: str) -> str:
    """One tag: small letters, nothing that parts tags from one another."""
    return re.sub(r"[\s,'\"]+", "_", clean(str(text))).strip("_").lower()[:LONGEST_TAG]


def unique_id(connection: int, finding: int) -> str:
    """The finding's name there."""
    return f"tidegate:{connection}:{finding}"


def ours_by_id(unique_id: str | None) -> tuple[int, int] | None:
    """Connection and finding of a name that is ours; None for any other."""
    found = _NAMESPACE.fullmatch(unique_id or "")
    return (int(found[1]), int(found[2])) if found else None


def as_report(told: Mapping[str, Any]) -> dict[str, Any]:
    """The finding as the import takes it: what is empty is left away, since a null there ends a whole report."""
    return {name: value for name, value in told.items() if value not in (None, "", []) and name != "note"}


def clean(text: str) -> str:
    """Without NUL and lone surrogates, which end a whole report in a 500."""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()


def cut(name: str, text: str) -> str:
    """No longer than the server takes."""
    return text[: LONGEST[name]].rstrip()


def _description(ours: Ours) -> str:
    """Its last line names the finding. The server tells findings apart by title, CWE, line, path and description, and
    takes two that differ in host or component only for one: the line makes each of ours distinct, for ever, whatever
    else stands beside it. Making only those distinct that collide would let a new finding change an old one's hash."""
    told = ours.fields
    evidence = clean(str(told.get("evidence") or ""))[:LONGEST_EVIDENCE].rstrip()
    fence = "`" * max(3, 1 + max((len(each) for each in re.findall("`+", evidence)), default=0))
    where = [
        f"{word}: {_line_of(told.get(name))}"
        for name, word in (("endpoint", "Where"), ("image", "Image"), ("purl", "Package"))
        if told.get(name)
    ]
    own = f"Tidegate: {_line_of(ours.label)} ({unique_id(ours.connection, ours.id)})"
    parts = [
        _text(told, "description"),
        "\n".join(where),
        f"{fence}\n{evidence}\n{fence}" if evidence else "",
    ]
    before = "\n\n".join(part for part in parts if part)[: LONGEST["description"] - len(own) - 2].rstrip()
    return f"{before}\n\n{own}" if before else own


def _fix(told: Mapping[str, Any]) -> str:
    version = _line_of(told.get("fixed_version"))
    return "\n".join(part for part in (_text(told, "fix"), f"Fixed in {version}" if version else "") if part)


def _text(told: Mapping[str, Any], name: str) -> str:
    return clean(str(told.get(name) or "")).strip()


def _line_of(value: object) -> str:
    """On one line, white space made even: an old server's hash is unstable otherwise."""
    return " ".join(clean(str(value or "")).split())


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= LARGEST else None


def _share(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and 0 <= value <= 1 else None


def _ids(told: Iterable[Any]) -> list[str]:
    """Vulnerability ids; one too long would end a whole report."""
    found = (_line_of(each) for each in told)
    return [*dict.fromkeys(each for each in found if each and len(each) <= LONGEST_ID)]


def _day(value: object) -> str:
    try:
        return datetime.fromisoformat(str(value)).date().isoformat() if value else ""
    except ValueError:
        return ""


# What was written, in few bytes, and what has to be


def digests(told: Mapping[str, Any]) -> bytes:
    """A digest a field, in the order of TOLD: what is kept of what was written."""
    return b"".join(_digest(told[name]) for name in TOLD)


def changed(written: bytes, told: Mapping[str, Any]) -> list[str]:
    """The fields that are no longer as they were written; what an older Tidegate did not write is one, if there is
    something to say."""
    found: list[str] = []
    for place, name in enumerate(TOLD):
        was = written[place * DIGEST : (place + 1) * DIGEST]
        if was != _digest(told[name]) and (was or told[name] not in ("", None, [])):
            found.append(name)
    return found


def but(written: bytes, names: Sequence[str]) -> bytes:
    """What was written, with nothing for these fields: they are looked at again."""
    return b"".join(
        b"\0" * DIGEST if name in names else written[place * DIGEST : (place + 1) * DIGEST]
        for place, name in enumerate(TOLD)
    )


def notes_by(row: Mapping[str, Any], author: int) -> set[str]:
    """What this user wrote at a finding there, however its lines end."""
    notes: Sequence[Mapping[str, Any]] = row.get("notes") or ()
    return {as_noted(str(note["entry"])) for note in notes if _author(note) == author}


def _author(note: Mapping[str, Any]) -> object:
    author: Mapping[str, Any] | None = note.get("author")
    return None if author is None else author.get("id")


def as_noted(text: str) -> str:
    """A note as two of them are compared: the server trims, and some ways to it change the ends of lines."""
    return "\n".join(text.strip().splitlines())


def fate(written: bytes, told: Mapping[str, Any]) -> str:
    """What would become of a finding that stands there: changed, closed, reopened; "" for nothing."""
    wrong = changed(written, told)
    if "is_mitigated" in wrong:
        return "closed" if told["is_mitigated"] else "reopened"
    return "changed" if wrong else ""


def foretold(
    written: bytes, told: Mapping[str, Any], before: Mapping[str, Any]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """What would change there, field by field: as it is, as far as that is known here, and as it would be. Of texts
    only digests are kept; of a flag the digest says all; `before` is what was `seen` last."""
    wrong = changed(written, told)
    was = {name: not told[name] for name in wrong if name in STATUS}
    was |= {name: before[name] for name in ("severity", "tags") if name in wrong and name in before}
    return was, {name: told[name] for name in wrong}


def _digest(value: object) -> bytes:
    return blake2b(json.dumps(value, ensure_ascii=True).encode(), digest_size=DIGEST).digest()


# What stands there


def seen(row: Mapping[str, Any]) -> dict[str, Any]:
    """Of a finding there what people decide: verdict, severity, verified, tags, the number of its newest note, and
    whether it is off: inactive, though nothing of the above says why."""
    verdict = next((word for word, flag in FLAGS.items() if row[flag]), "")
    notes = [note["id"] for note in row.get("notes") or ()]
    return {
        "verdict": verdict,
        "severity": row["severity"],
        "verified": bool(row["verified"]) and verdict not in ("false positive", "out of scope"),
        "tags": sorted(row.get("tags") or ()),
        "note": max(notes, default=0),
        "off": not row["active"] and not verdict,
    }


def differs(row: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    """The fields of what should stand there that do not. A title counts as the same in any case: the server sets it in
    its own."""
    return [name for name in TOLD if name in row and not _same(name, row[name], told[name])]


def edit(row: Mapping[str, Any], told: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What a PATCH says so that these fields stand there as they should: only what does not yet.

    The server reads the flags together, so where one of them has changed all of them are looked at.
    """
    names = [*names, *(STATUS if any(name in JUDGED for name in names) else ())]
    wrong = [name for name in names if name in row and not _same(name, row[name], told[name])]
    said = {name: told[name] for name in wrong}
    if "vulnerability_ids" in said:
        said["vulnerability_ids"] = [{"vulnerability_id": each} for each in told["vulnerability_ids"]]
    if any(name in said for name in JUDGED):
        said |= {name: told[name] for name in ("active", "is_mitigated")}
        if told["false_p"] or told["out_of_scope"]:
            said["verified"] = False
    return said


def _same(name: str, theirs: Any, ours: Any) -> bool:
    match name:
        case "title":
            return str(theirs).casefold() == str(ours).casefold()
        case "vulnerability_ids":
            # The server does not hear that there are none (seen in 2.50.4 and 3.2.0): what it has stays.
            return not ours or sorted(str(dict(each)["vulnerability_id"]) for each in theirs or ()) == sorted(ours)
        case "tags":
            return set(ours) == set(theirs or ())
        case "date":
            return str(theirs)[:10] == ours
        case (
            "known_exploited"
            | "cwe"
            | "verified"
            | "active"
            | "false_p"
            | "out_of_scope"
            | "risk_accepted"
            | "is_mitigated"
        ):
            return (theirs or 0) == (ours or 0)
        case _:
            return (theirs if theirs not in ("", None) else None) == (ours if ours not in ("", None) else None)


# Whose word counts


@dataclass(frozen=True)
class Merge:
    """What people there said since it was last looked at: `taken` is decided here (None takes a field back), `lost`
    was said before what people said here, and stays in the history."""

    taken: Mapping[str, str | None] = field(default_factory=dict[str, str | None])
    lost: Mapping[str, str | None] = field(default_factory=dict[str, str | None])

    def __bool__(self) -> bool:
        return bool(self.taken or self.lost)


def merge(
    before: Mapping[str, Any],
    now: Mapping[str, Any],
    ours: Ours,
    *,
    written_at: datetime,
    said_at: Mapping[str, datetime],
    note: str = "",
) -> Merge:
    """Field by field the later word counts, ours where both are of one moment.

    `before` and `now` are `seen` then and now; what differs is a person's. Ours spoke where a decision is younger than
    `written_at`. `said_at` is when they spoke, by field; where the server does not tell, ours counts: nobody could show
    that theirs is later. Tags are no word against a word: what either gave or took away is so. `note` is their newest.
    """
    taken: dict[str, str | None] = {}
    lost: dict[str, str | None] = {}
    for name, value in _said(before, now, ours, note).items():
        own = ours.decided.get(name)
        if value == (own.value if own is not None else None):
            continue
        at = said_at.get(name)
        ours_is_later = own is not None and own.at > written_at and (at is None or at <= own.at)
        (lost if ours_is_later and name != "tags" else taken)[name] = value
    return Merge(taken, lost)


def _said(before: Mapping[str, Any], now: Mapping[str, Any], ours: Ours, note: str) -> dict[str, str | None]:
    """What they decided, as it would be stored here."""
    said: dict[str, str | None] = {}
    if now["verdict"] != before["verdict"]:
        said["verdict"] = now["verdict"] or ("real" if ours.vendor_verdict else None)
    if now["severity"] != before["severity"] and now["severity"] in RANKS:
        said["severity"] = str(RANKS[now["severity"]])
    if now["verified"] != before["verified"]:
        said["verified"] = json.dumps(now["verified"])
    added, removed = set(now["tags"]) - set(before["tags"]), set(before["tags"]) - set(now["tags"])
    kept = {tag for tag in ours.tags if tag_of(tag) not in removed}
    tags = sorted(kept | (added - {tag_of(tag) for tag in kept} - {UNKNOWN_TAG}))
    if tags != sorted(ours.tags):
        said["tags"] = json.dumps(tags, ensure_ascii=False) if tags else None
    if now["note"] > before["note"] and note:
        said["note"] = note
    return said
