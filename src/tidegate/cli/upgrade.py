"""`tidegate upgrade`: the data of an older PostgreSQL, brought to the one that comes with this Tidegate."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.answer import UpgradedServer
from tidegate.cli.failure import DONE, FAILED
from tidegate.cli.option import Json, alone
from tidegate.cli.terminal import facts, moment, note, print_json, say

if TYPE_CHECKING:
    from tidegate.server.upgrade import UpgradeCheck

app = alone()


@app.command("upgrade")
def upgrade(
    check: Annotated[bool, typer.Option("--check", help="Only say what it would do, and whether it can.")] = False,
    programs: Annotated[
        Path | None,
        typer.Option("--programs", metavar="FOLDER", help="Where the programs of the old PostgreSQL stand."),
    ] = None,
    json: Json = False,
) -> int:
    """Bring the database's server up to the one that comes along.

    Needed once this Tidegate brings a newer major version of PostgreSQL than made the data. Loads them into a new
    server beside the old one, compares both row by row, and changes places; the old folder stays until you delete it.
    Make a backup before. A database of your own is upgraded by whoever runs it. With --check it ends with 1 where it
    cannot be done.
    """
    from tidegate.config import load_settings
    from tidegate.log import set_up_log

    settings = load_settings()
    set_up_log()
    if check or settings.database_url is not None:
        from tidegate.server.upgrade import check_upgrade

        found = check_upgrade(settings, programs)
        if check:
            print_json(found) if json else _show(found)
            return FAILED if found.blocked else DONE
        _answer(UpgradedServer(upgraded=False, server=found.server, rows=0, old_data=""), json=json)
        return DONE
    from tidegate.server.postgres.upgrade import server_of, upgrade_server

    done = upgrade_server(settings.home, (lambda _: None) if json else note, programs)
    if done is None:
        server = server_of(settings.home).found
        _answer(UpgradedServer(upgraded=False, server=server, rows=0, old_data=""), json=json)
    else:
        _answer(UpgradedServer(upgraded=True, server=done.ours, rows=done.rows, old_data=str(done.old)), json=json)
    return DONE


def _answer(done: UpgradedServer, *, json: bool) -> None:
    if json:
        print_json(done)
    elif done.upgraded:
        say(f"The database is one of PostgreSQL {done.server} now, with the same {done.rows:,} rows.")
        note(f"The old one is kept in {done.old_data}. Once you have seen that all is well, delete that folder.")
    else:
        say(
            f"There is nothing to upgrade{f': the database is one of PostgreSQL {done.server}' if done.server else ''}."
        )


def _show(found: UpgradeCheck) -> None:
    waiting = found.migrations
    facts(
        [
            ("Server", f"PostgreSQL {found.server}" if found.server else "none yet"),
            ("Comes along", f"PostgreSQL {found.brings}" if found.brings else ""),
            ("To do", _to_do(found)),
            ("Old programs", found.programs),
            ("Room needed", _megabytes(found.needed_bytes) if found.server_due else ""),
            ("Room free", _megabytes(found.free_bytes) if found.embedded else ""),
            ("Migrations", "" if waiting is None else f"{len(waiting):,} wait" if waiting else "none wait"),
            ("Workers", "" if found.workers is None else f"{found.workers:,} live"),
            ("Last backup", moment(found.last_backup) or "none was made from this home"),
        ]
    )
    if found.blocked:
        note(found.blocked)
        if found.server_due and not found.programs:
            from tidegate.server.postgres.upgrade import programs_missing

            note(programs_missing(found.server).next_step)


def _to_do(found: UpgradeCheck) -> str:
    if found.server_due:
        return "stop every part, make a backup with the old version, then: tidegate upgrade"
    if found.migrations:
        return "the next start does it" if found.embedded else "make a backup, then: tidegate migrate"
    return "nothing"


def _megabytes(number: int) -> str:
    return f"{number / 1024**2:,.0f} MB"
