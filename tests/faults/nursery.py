"""Where the processes of these tests come from: it has imported everything once, and forks a child in no time.

Each child is a whole process of its own session that runs the real `tidegate` with the words it was given. What such a
child starts itself (an Operation's solitary process, the parts of `tidegate up`) is started as anywhere.
Spoken to in lines of JSON; when its input ends, whatever lives of its children is killed.
"""

from __future__ import annotations

import contextlib
import gc
import json
import os
import signal
import sys
from typing import Any

from tests.faults.orders import ORDERS, obey


def warm() -> None:
    """All that a command imports; and Django learns its database only in the child."""
    import tests.database
    import tests.faults.vendor  # noqa: F401
    from tidegate.server import start

    start.set_up_django = point_django_at
    gc.collect()
    gc.freeze()


def point_django_at(database: Any, pool: Any = None) -> None:
    """What sets Django up in a process that knew no database before."""
    from django.db import connections

    from tidegate.server.postgres import django_settings

    connections.settings["default"].update(django_settings(database, pool))


def be_born(asked: dict[str, Any]) -> None:
    """In the child: forgets where it comes from, and becomes what was asked for."""
    os.setsid()
    said = os.open(asked["said"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    nothing = os.open(os.devnull, os.O_RDONLY)
    for number, stream in ((0, nothing), (1, said), (2, said)):
        os.dup2(stream, number)
    os.environ.clear()
    os.environ.update(asked["environment"])
    sys.argv = ["tidegate", *asked["words"]]
    if ORDERS in os.environ:
        obey(json.loads(os.environ[ORDERS]))
    from tidegate.cli import main

    main(asked["words"])


def serve() -> None:
    children: set[int] = set()
    for line in sys.stdin:
        asked = json.loads(line)
        if "words" in asked:
            sys.stdout.flush()
            child = os.fork()
            if child == 0:
                be_born(asked)
                return
            children.add(child)
            answer: int | None = child
        else:
            answer = ended(asked["ended"])
            if answer is not None:
                children.discard(asked["ended"])
        print(json.dumps(answer), flush=True)
    for child in children:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(child, signal.SIGKILL)
        with contextlib.suppress(ChildProcessError):
            os.waitpid(child, 0)


def ended(child: int) -> int | None:
    """Its exit code, negative for a signal; None while it lives."""
    found, status = os.waitpid(child, os.WNOHANG)
    return os.waitstatus_to_exitcode(status) if found else None


if __name__ == "__main__":
    warm()
    print(json.dumps("warm"), flush=True)
    serve()
