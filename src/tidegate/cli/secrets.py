"""`tidegate secrets`: which key seals what, and a new key for all of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidegate.cli.answer import RotatedSecrets
from tidegate.cli.failure import DONE, PARTIAL
from tidegate.cli.option import Json, group
from tidegate.cli.start import me, ready
from tidegate.cli.terminal import heading, note, print_json, progressing, say, table

if TYPE_CHECKING:
    from tidegate.actions.secret import Rotated
    from tidegate.reads.secret import SecretsStatus

app = group("See which key seals what, and change the key.")


@app.command("status")
def status(json: Json = False) -> int:
    """See which key seals how much, and that nothing is lost.

    Opens everything that is sealed once, and shows nothing of it. Ends with 3 where something cannot be opened.
    """
    with ready(quiet=json) as settings:
        from tidegate.reads.secret import secrets_status

        found = secrets_status(settings)
    if json:
        print_json(found)
    else:
        _show(found)
    return PARTIAL if found.lost else DONE


@app.command("rotate")
def rotate(json: Json = False) -> int:
    """Seal everything with a new key, and retire the old one.

    Where Tidegate keeps the key itself it makes the new one. Where TIDEGATE_SECRET_KEY or a command names it, put the
    new one before the old one there, start every part again, then run this. The service may go on running. Broken off,
    even by a power cut, it goes on when it is run again. Ends with 3 where something could not be opened.
    """
    with ready(quiet=json) as settings, progressing(quiet=json) as progress:
        from tidegate.actions.secret import rotate_secrets

        done = rotate_secrets(me(), settings, lambda what, number: progress(what, number, None))
    if json:
        answer = {name: getattr(done, name) for name in ("key", "made", "resealed", "lost")}
        print_json(RotatedSecrets(**answer, retired=list(done.retired), kept=list(done.kept)))
    else:
        _say(done, ours=settings.secret_key is None and not settings.secret_key_command)
        if done.made and settings.database_url is not None:
            note("Other machines at this database need the new key as well: docs/guide/secrets.md says how.")
    return PARTIAL if done.lost else DONE


def _show(found: SecretsStatus) -> None:
    say(f"Keys stand in {found.where}.")
    rows = [
        (
            key.id,
            "lost" if not key.known else "seals" if key.newest else "opens",
            f"{key.connections:,}",
            f"{key.routes:,}",
            f"{key.destinations:,}",
            f"{key.users:,}",
            key.remark,
        )
        for key in found.keys
    ]
    heads = ("KEY", "IT", "CONNECTIONS#", "ROUTES#", "DESTINATIONS#", "SECOND FACTORS#", "MADE")
    # A column of nothing but zeros takes the room of those that say something.
    shown = [place for place, head in enumerate(heads) if "#" not in head or any(row[place] != "0" for row in rows)]
    table(
        tuple(heads[place] for place in shown),
        [tuple(row[place] for place in shown) for row in rows],
        empty="No key was made yet: nothing is sealed.",
    )
    if not found.lost:
        say(_all_open(found.sealed))
        return
    heading("Cannot be opened")
    table(
        ("WHAT", "NAME", "WHY", "NEXT"),
        [(f"{row.kind} {row.id}", row.name, row.why, row.next_step) for row in found.lost],
        empty="",
    )


def _all_open(sealed: int) -> str:
    if not sealed:
        return "Nothing is sealed."
    return "The one that is sealed can be opened." if sealed == 1 else f"All {sealed:,} can be opened."


def _say(done: Rotated, *, ours: bool) -> None:
    if done.made:
        say(f"Made the key {done.key}, and sealed {_secrets(done.resealed)} with it.")
    elif ours or done.resealed:
        say(f"Sealed {_secrets(done.resealed)} with the key {done.key}, the newest there is.")
    else:
        say(f"Everything is sealed with {done.key} already.")
        note("For a new one, put it before that key where that stands, start every part again, then run this again.")
    if done.retired:
        say(f"Retired {', '.join(done.retired)}: nothing is sealed with it any more.")
        note("Copies of the database from before still need it, so keep a copy of the old key as long as of them.")
    elif done.kept and ours:
        note(f"Still there: {', '.join(done.kept)}. Something is sealed with it, or is being stored; run this again.")
    elif done.kept and not done.lost:
        note(f"Nothing is sealed with {', '.join(done.kept)} any more.")
        note("Take it out where it stands, once every part has the new key as its newest.")
    if done.lost:
        note(f"{done.lost:,} could not be opened and stay as they are: tidegate secrets status")


def _secrets(number: int) -> str:
    return f"{number:,} {'secret' if number == 1 else 'secrets'}"
