"""News: which things people are told, in which words, and when a message that did not arrive is tried again.

What makes a thing *the same* that was told already is its `key`: it is told once until it is well again, then anew.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple, cast

from tidegate.rules.cause import the_cause

KINDS: Final[dict[str, str]] = {
    "needs_you": "a Connection cannot go on without you: a login, a right, a secret, a certificate",
    "overdue": "a Discover or Sync of a Connection should have come by now, and has not",
    "held": "closings or absences wait for you; again every 7 days while they wait",
    "records": "mapped Records became Missing or Stale",
    "new_records": "new Records wait for your decision; at most once a day for each Connection",
    "recovered": "what needed you or was overdue is well again",
    "secret_ends": "a stored secret ends in 14 days, in 3, or today",
}

EVERY_CONNECTION: Final = 0
"""Said of a route as a Connection's number: it is for all of them again."""

FIRST_NAMES: Final = 5
"""Records named in a message; the others are counted."""

HELD_AGAIN: Final = timedelta(days=7)
DIGEST_EVERY: Final = timedelta(days=1)

GIVE_UP_AFTER: Final = timedelta(days=1)
_WAITS: Final = tuple(timedelta(minutes=minutes) for minutes in (1, 5, 30, 120, 720))

AT_ONCE: Final = 20
"""News that go out together in one message when many wait for one route."""

_NAME: Final = 80
_SENTENCE: Final = 400
_TITLE: Final = 150


@dataclass(frozen=True)
class About:
    """The Connection that the news are of."""

    number: int
    label: str


class Words(NamedTuple):
    """What a person reads: plain text, no markup, nothing of a vendor that could pass for it."""

    title: str
    body: str


# When


def next_try(attempts: int, age: timedelta, asked: float = 0) -> timedelta | None:
    """How long to wait after so many attempts to send news of that age, and where we were asked to wait so many seconds
    at least; None where it is given up."""
    wait = max(_WAITS[min(attempts, len(_WAITS)) - 1], timedelta(seconds=min(asked, GIVE_UP_AFTER.total_seconds())))
    if age >= GIVE_UP_AFTER:
        return None
    return min(wait, GIVE_UP_AFTER - age)


def heals(cause: str, told_type: str, *, type: str, status: str, whole: bool) -> bool:
    """Whether an Operation that ended so shows that what needed a person is well.

    A login that works is a login; but that a right is there again is only shown by the same work on everything.
    """
    if the_cause(cause).everywhere:
        return status in ("success", "partial")
    return status == "success" and type == told_type and whole


# In which words


def words(kind: str, facts: Mapping[str, Any], about: About) -> Words:
    """Title and body of one piece of news. Facts it does not know, of another version's, are left out."""
    tell = _TELLERS.get(kind, _anything)
    title, lines = tell(facts, About(about.number, plain(about.label, _NAME)))
    return Words(plain(title, _TITLE), "\n".join(line for line in lines if line))


def together(news: Sequence[Words]) -> Words:
    """One message for all that waits: the only one as it is, several below each other."""
    if len(news) == 1:
        return news[0]
    return Words(f"{len(news)} news from Tidegate", "\n\n".join(f"{one.title}\n{one.body}" for one in news))


def test_words(name: str) -> Words:
    """What `notify test` sends."""
    return Words(
        "Tidegate can reach you",
        f"This is a test of the route «{plain(name, _NAME)}»; nothing has happened.\n"
        "From now on you are told here what needs you, and when it is well again.",
    )


def plain(text: object, longest: int = _SENTENCE) -> str:
    """A text of any origin on one line: without control characters, and without what chats take for markup or calls.

    The messages go out as text; these replacements are for places that read markup into every text all the same.
    """
    kept = "".join(letter if _shows(letter) else " " for letter in unicodedata.normalize("NFC", str(text)))
    for pattern, replacement in _HARMLESS:
        kept = pattern.sub(replacement, kept)
    kept = " ".join(kept.split())
    return kept if len(kept) <= longest else kept[: longest - 1].rstrip() + "…"


def _shows(letter: str) -> bool:
    return unicodedata.category(letter) not in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


_HARMLESS: Final = (
    (re.compile("<"), "‹"),
    (re.compile(">"), "›"),
    (re.compile("`"), "'"),
    (re.compile(r"\]\s*\("), "] ( "),
    (re.compile(r"@(?=(?:everyone|here|channel|all|room)\b)", re.IGNORECASE), "@ "),
)

_NEEDS: Final = {
    "auth_rejected": "its login is rejected",
    "secret_ended": "its secret has ended",
    "account_changed": "it leads to another account",
    "unusable": "what is stored for it cannot be used",
    "certificate": "its certificate is not trusted",
    "proxy_refused": "its proxy lets nothing through",
    "address_refused": "its address is one that is never called",
    "access_denied": "a right is missing",
    "not_found": "what it asks for is not there",
    "vendor_changed": "the tool answers what nobody expected",
    "disk": "there is no room for its work",
    "deaths": "its work ends every process that runs it",
    "fault": "Tidegate itself failed",
}


def _needs_you(facts: Mapping[str, Any], about: About) -> tuple[str, list[str]]:
    cause = str(facts.get("cause", ""))
    what = _NEEDS.get(cause, "it cannot go on without you")
    if facts.get("paused"):
        what = "it paused itself after three rejected logins"
    return (
        f"{about.label} needs you: {what}",
        [
            _why(facts),
            f"Next: {the_cause(cause).next_step}",
            f"Look: tidegate connection show {about.number}",
            f"Change it: tidegate connection edit {about.number} --help",
            f"Then try it: tidegate connection test {about.number}",
            f"And let it go on: tidegate connection resume {about.number}" if facts.get("paused") else "",
        ],
    )


def _overdue(facts: Mapping[str, Any], about: About) -> tuple[str, list[str]]:
    what = " and ".join(type.capitalize() for type in _texts(facts.get("types"))) or "work"
    last = _moment(facts.get("last_success"))
    return (
        f"{about.label} is overdue: its {what} should have come by now",
        [
            _why(facts),
            f"Everything went well last on {last}." if last else "Nothing of it ever went well in full.",
            f"Next: see what stands in its way: tidegate connection show {about.number}",
            "Is anybody there to do the work? tidegate doctor",
        ],
    )


def _held(facts: Mapping[str, Any], about: About) -> tuple[str, list[str]]:
    findings, absences = _number(facts.get("findings")), _number(facts.get("absences"))
    parts = [_counted(findings, "closing") if findings else "", _counted(absences, "absence") if absences else ""]
    what = " and ".join(filter(None, parts)) or "Something"
    waits = "waits" if findings + absences <= 1 else "wait"
    since, operation = _moment(facts.get("since")), facts.get("operation")
    still = "still " if facts.get("reminder") else ""
    where = f"operation show {operation}" if isinstance(operation, int) else "operation list --held"
    return (
        f"{about.label}: {what} {still}{waits} for you",
        [
            "Too much was gone at once to be believed, so nothing was closed; everything else went on.",
            f"{_named(facts)}." if _named(facts) else "",
            f"{'It waits' if waits == 'waits' else 'They wait'} since {since}." if since else "",
            f"Next: look, then approve or keep: tidegate {where}",
        ],
    )


def _records(facts: Mapping[str, Any], about: About) -> tuple[str, list[str]]:
    missing, stale = _number(facts.get("missing")), _number(facts.get("stale"))
    number = missing or stale
    state = "Missing" if missing else "Stale"
    why = (
        "The tool no longer has them; what they brought stays as it is."
        if missing
        else _stale_why(number, _number(facts.get("away")))
    )
    mend = "delete them or wait for their return" if missing else "map them anew"
    if not missing and facts.get("away"):
        mend = "look why, then map them anew, or repair the delivery"
    return (
        f"{about.label}: {_counted(number, 'Record')} became {state}",
        [
            f"{_named(facts)}." if _named(facts) else "",
            why,
            f"Next: {mend}: tidegate record list --connection {about.number} --state {state.lower()}",
        ],
    )


def _stale_why(number: int, away: int) -> str:
    """`away` of them are lost at a Destination only: these are read as before."""
    here = "What they write to was deleted, so nothing flows any more."
    there = "What they are delivered into was deleted in DefectDojo, so nothing is delivered there any more."
    if not away:
        return here
    return there if away == number else f"What {number - away:,} of them write to was deleted; the others: {there}"


def _new_records(facts: Mapping[str, Any], about: About) -> tuple[str, list[str]]:
    new, waiting = _number(facts.get("new")), _number(facts.get("waiting"))
    all_of_them = f"In all {waiting:,} wait." if waiting > new else ""
    return (
        f"{about.label}: {_counted(new, 'new Record')} {'waits' if new == 1 else 'wait'} for your decision",
        [
            f"{_named(facts)}." if _named(facts) else "",
            all_of_them,
            f"Next: map or ignore them: tidegate record list --connection {about.number} --state new",
        ],
    )


def _recovered(facts: Mapping[str, Any], about: About) -> tuple[str, list[str]]:
    since = _moment(facts.get("since"))
    was = " and ".join(_WAS[kind] for kind in _texts(facts.get("of")) if kind in _WAS)
    return (
        f"{about.label} is well again",
        [
            f"It {was}{f' since {since}' if since else ''}; that is over." if was else "",
            "There is nothing to do.",
        ],
    )


_WAS: Final = {"needs_you": "needed you", "overdue": "was overdue"}


def _secret_ends(facts: Mapping[str, Any], about: About) -> tuple[str, list[str]]:
    ends, days, ended = _day(facts.get("ends_at")), _number(facts.get("days")), bool(facts.get("ended"))
    when = "has ended" if ended else "ends today" if days <= 0 else f"ends in {_counted(days, 'day')}"
    return (
        f"{about.label}: its secret {when}",
        [
            f"It {'ended' if ended else 'ends'} on {ends}; after that the tool lets nobody in with it." if ends else "",
            f"Next: {the_cause('secret_ended').next_step}",
            f"How: tidegate connection edit {about.number} --help",
            f"Then try it: tidegate connection test {about.number}",
        ],
    )


def _anything(facts: Mapping[str, Any], about: About) -> tuple[str, list[str]]:
    return (f"{about.label} has news", [_why(facts), f"Next: tidegate connection show {about.number}"])


_TELLERS: Final = {
    "needs_you": _needs_you,
    "overdue": _overdue,
    "held": _held,
    "records": _records,
    "new_records": _new_records,
    "recovered": _recovered,
    "secret_ends": _secret_ends,
}


def _why(facts: Mapping[str, Any]) -> str:
    return plain(facts.get("why", ""))


def _named(facts: Mapping[str, Any]) -> str:
    """ "«shop», «blog» and 3 more" """
    names = [f"«{plain(name, _NAME)}»" for name in _texts(facts.get("names"))[:FIRST_NAMES]]
    more = _number(facts.get("more"))
    if more:
        return f"{', '.join(names)} and {more:,} more" if names else ""
    return " and ".join(filter(None, (", ".join(names[:-1]), names[-1]))) if names else ""


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _number(fact: object) -> int:
    return fact if isinstance(fact, int) else 0


def _texts(fact: object) -> list[str]:
    return [str(item) for item in cast("list[object]", fact)] if isinstance(fact, list) else []


def _moment(fact: object) -> str:
    at = _read(fact)
    return "" if at is None else f"{_said(at.date())} at {at:%H:%M} UTC"


def _day(fact: object) -> str:
    at = _read(fact)
    return "" if at is None else _said(at.date())


def _read(fact: object) -> datetime | None:
    return datetime.fromisoformat(fact).astimezone(UTC) if isinstance(fact, str) and fact else None


def _said(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
