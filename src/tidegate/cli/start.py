"""Makes Tidegate ready for one command: settings, log, database; and says who is asking.

For a Tidegate elsewhere nothing has to be made ready: whoever has the token is asking.
"""

from __future__ import annotations

import getpass
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidegate.cli.house import is_far
from tidegate.cli.terminal import note

if TYPE_CHECKING:
    from tidegate.config import Settings
    from tidegate.rules.actor import Actor


@contextmanager
def ready(*, quiet: bool = False) -> Iterator[Settings]:
    """The database is open and Django set up. What a slow start waits for is said on stderr, unless `quiet`. What needs
    the settings that this gives works on this machine alone: HERE_ALONE in cli/root.py names it."""
    if is_far():
        yield None  # pyright: ignore[reportReturnType]
        return
    from tidegate.config import load_settings
    from tidegate.log import set_up_log
    from tidegate.server.start import started

    settings = load_settings()
    set_up_log()
    with started(settings, (lambda _: None) if quiet else note):
        from tidegate.reads.viewer import viewing

        with viewing(me().access):
            yield settings


def me() -> Actor:
    """Whoever is logged in on this machine."""
    from tidegate.rules.actor import at_this_machine

    try:
        name = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        name = f"user {os.getuid()}"
    try:
        return at_this_machine(name)
    except ValueError:  # a service account called, say, `tidegate`
        return at_this_machine(f"user {name}")
