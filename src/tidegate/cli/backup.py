"""`tidegate backup` and `tidegate restore`: everything that is stored, in one file, and back again."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.failure import DONE, PARTIAL, usage
from tidegate.cli.option import Json, alone
from tidegate.cli.terminal import facts, moment, note, print_json, progressing, say

if TYPE_CHECKING:
    from pydantic import SecretStr

    from tidegate.config import Settings
    from tidegate.server.backup import Backup
    from tidegate.server.postgres import Database
    from tidegate.server.restore import Restored

app, restore_app = alone(), alone()

LONGEST_PASSPHRASE = 4096

File = Annotated[Path, typer.Argument(metavar="FILE", help="The backup's file.")]
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file", metavar="FILE", help="Holds the passphrase in its first line; not asked for then."
    ),
]


@app.command("backup")
def backup(
    file: File,
    check: Annotated[bool, typer.Option("--check", help="Only verify a backup that is there, to its end.")] = False,
    encrypt: Annotated[bool, typer.Option("--encrypt", help="Ask for a passphrase, and encrypt it.")] = False,
    with_key: Annotated[
        bool, typer.Option("--with-key", help="Put the key of the secrets in as well; only where it is encrypted.")
    ] = False,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> None:
    """Write everything that is stored into one file.

    As it is at one moment; the service may go on running. The file is readable to you alone, and there whole or not at
    all. Without --with-key the key that opens stored secrets is not in it: keep a copy of that apart.
    """
    if check:
        _check(file, passphrase_file, json=json)
        return
    passphrase = _new_passphrase(passphrase_file, wanted=encrypt)
    with _opened(quiet=json) as (settings, database), progressing(quiet=json) as progress:
        from tidegate.server.backup import back_up

        made = back_up(
            settings,
            database,
            file.absolute(),
            lambda what, number: progress(what, number, None),
            passphrase=passphrase,
            with_key=with_key,
        )
    if json:
        print_json(made)
        return
    say(f"Everything is in {made.file}.")
    _show(made)
    if not with_key and made.manifest.sealed:
        note("The key of its secrets is not in it. Keep a copy of that apart; where it stands: tidegate secrets status")


@restore_app.command("restore")
def restore(
    file: File,
    replace: Annotated[
        str | None,
        typer.Option("--replace", metavar="NAME", help="Give up what is there: its name, typed exactly."),
    ] = None,
    passphrase_file: PassphraseFile = None,
    json: Json = False,
) -> int:
    """Put what a backup holds in place.

    Verifies the file to its end first. A Tidegate that is not empty is given up only with --replace; every part of the
    service is stopped before. All of it is restored or nothing, and brought up to this version. Ends with 3 where keys
    are missing that its secrets need.
    """
    passphrase = _passphrase_of(file, passphrase_file)
    with _opened(quiet=json) as (settings, database), progressing(quiet=json) as progress:
        from tidegate.server.restore import restore as put_back

        done = put_back(
            settings,
            database,
            file.absolute(),
            lambda what, number: progress(what, number, None),
            passphrase=passphrase,
            replace=replace,
        )
    if json:
        print_json(done)
    else:
        _say(done)
    return PARTIAL if done.keys_missing else DONE


def _check(file: Path, passphrase_file: Path | None, *, json: bool) -> None:
    from tidegate.server.backup import check_backup

    passphrase = _passphrase_of(file, passphrase_file)
    with progressing(quiet=json) as progress:
        found, _ = check_backup(file, lambda what, number: progress(what, number, None), passphrase=passphrase)
    if json:
        print_json(found)
        return
    say(f"{found.file} is whole.")
    _show(found)


def _show(found: Backup) -> None:
    rows = found.manifest.rows
    facts(
        [
            ("Made", f"{moment(found.manifest.made_at)} by Tidegate {found.manifest.tidegate}"),
            ("From", f"PostgreSQL {found.manifest.postgresql}"),
            ("Size", f"{found.bytes:,} bytes{', encrypted' if found.encrypted else ''}"),
            ("Rows", f"{sum(rows.values()):,} in {len(rows):,} tables"),
            ("Secrets", ", ".join(f"{one.secrets:,} sealed with {one.key}" for one in found.manifest.sealed)),
            ("Key", "in it" if found.manifest.with_key else ""),
        ]
    )


def _say(done: Restored) -> None:
    rows = done.manifest.rows
    say(f"Restored {sum(rows.values()):,} rows in {len(rows):,} tables, as of {moment(done.manifest.made_at)}.")
    if done.migrated:
        say(f"Brought it up to this version: {len(done.migrated):,} migrations.")
    if done.keys_added:
        say(f"Its key is in the key file: {', '.join(done.keys_added)}.")
    if done.keys_missing:
        note(f"The key {', '.join(done.keys_missing)} is not here, so that what it sealed cannot be opened.")
        note("Put it back; what is concerned: tidegate secrets status")


@contextmanager
def _opened(*, quiet: bool) -> Iterator[tuple[Settings, Database]]:
    """The database as it is: neither migrated nor looked at for it."""
    from tidegate.config import load_settings
    from tidegate.log import set_up_log
    from tidegate.server.postgres import open_database

    settings = load_settings()
    set_up_log()
    with open_database(settings, (lambda _: None) if quiet else note) as database:
        yield settings, database


# The passphrase: from a file or the keyboard, never from the command line, which all processes can read


def _new_passphrase(file: Path | None, *, wanted: bool) -> SecretStr | None:
    if file is not None:
        return _read(file)
    return _asked(twice=True) if wanted else None


def _passphrase_of(archive: Path, file: Path | None) -> SecretStr | None:
    from tidegate.guard.archive import is_encrypted

    if file is not None:
        return _read(file)
    return _asked(twice=False) if is_encrypted(archive) else None


def _asked(*, twice: bool) -> SecretStr:
    from pydantic import SecretStr

    if not sys.stdin.isatty():
        raise usage("Nobody can be asked for the passphrase here.", "Give it in a file: --passphrase-file FILE")
    return SecretStr(typer.prompt("Passphrase", hide_input=True, err=True, confirmation_prompt=twice))


def _read(file: Path) -> SecretStr:
    from pydantic import SecretStr

    with file.open(encoding="utf-8") as opened:
        passphrase = SecretStr(opened.readline(LONGEST_PASSPHRASE).rstrip("\r\n"))
    if not passphrase:
        raise usage(f"The first line of {file} is empty, and is to be the passphrase.", "Write it there.")
    return passphrase
