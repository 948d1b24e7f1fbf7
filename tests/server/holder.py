"""A process that holds a home until it is told to leave: run by the tests as root and as a plain user."""

import json
import subprocess
import sys

from tidegate.config import load_settings
from tidegate.server.postgres import DatabaseUnavailable, open_database


def say(kind: str, text: str) -> None:
    print(json.dumps([kind, text]), flush=True)


def main() -> None:
    try:
        with open_database(load_settings(), lambda text: say("progress", text)) as database:
            if "with-child" in sys.argv:
                child = subprocess.Popen(["/bin/sleep", "60"], stdin=subprocess.DEVNULL, close_fds=False)
                say("child", str(child.pid))
            say("ready", database.url)
            sys.stdin.read()
    except DatabaseUnavailable as failure:
        say("failed", str(failure))


if __name__ == "__main__":
    main()
