"""The first administrator, while there is none: whoever reads the code that the service shows may say who it is."""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

from django.db import transaction
from pydantic import SecretStr

from tidegate.actions.errors import NotThere, Refused
from tidegate.actions.user import add_user
from tidegate.config import Settings
from tidegate.reads.user import has_administrator
from tidegate.rules.access import Grant
from tidegate.rules.actor import TIDEGATE
from tidegate.store.writers.user import hold_people

CODE_FILE: Final = "setup.code"
_CODE_BYTES: Final = 10
_PARTS: Final = 5


def is_set_up() -> bool:
    """Whether some person who may come in is administrator of everything."""
    return has_administrator()


def code_to_set_up(settings: Settings) -> str | None:
    """The code that the page asks for; made where there is none yet. None where nobody needs it any more."""
    file = settings.home / CODE_FILE
    if is_set_up():
        file.unlink(missing_ok=True)
        return None
    return _kept(file) or _made(file)


def set_up(settings: Settings, code: str, name: str, password: SecretStr, address: str = "") -> int:
    """Adds the first administrator; returns the number. Raises NotThere where there is one already, Refused where the
    code is another one or something else cannot be used."""
    with transaction.atomic():
        hold_people()  # two at once: the second finds the first
        if is_set_up():
            raise NotThere("There is an administrator already.", "Ask them to let you in.")
        kept = _kept(settings.home / CODE_FILE)
        given = "".join(code.upper().split()).replace("-", "")
        if kept is None or not hmac.compare_digest(given.encode(), kept.replace("-", "").encode()):
            raise Refused("That is not the code.", "Read it in the terminal or log of the service, at its start.")
        tidegate = replace(TIDEGATE, through="page", address=address)
        user_id = add_user(tidegate, name, password=password, grants=[Grant("administrator")])
    (settings.home / CODE_FILE).unlink(missing_ok=True)
    return user_id


def _kept(file: Path) -> str | None:
    """The code in the file; a file that others may read or that is no file of ours holds none."""
    try:
        handle = os.open(file, os.O_RDONLY | os.O_NOFOLLOW)
    except OSError:
        return None
    with os.fdopen(handle) as opened:
        return opened.read(100).strip() or None if not os.fstat(handle).st_mode & 0o077 else None


def _made(file: Path) -> str:
    text = "".join(secrets.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(_CODE_BYTES * 2))
    code = "-".join(text[start : start + _PARTS] for start in range(0, len(text), _PARTS))
    file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    file.unlink(missing_ok=True)
    with suppress(FileExistsError):  # another one was quicker
        opened = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(opened, "w") as written:
            written.write(f"{code}\n")
    return _kept(file) or code
