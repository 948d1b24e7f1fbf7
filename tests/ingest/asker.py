"""A process that asks a vendor at the pace all processes share: `python -m tests.ingest.asker`.

Reads its orders as JSON from standard input, prints "ready", begins at the next line, and prints what it counted.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from django.db import connections

import tests.database  # noqa: F401 - sets Django up
from sdk.tests.plain import Plain, body_of
from tidegate_sdk import Http


async def ask(orders: dict[str, Any]) -> dict[str, Any]:
    from tidegate.ingest.pace import SharedPace

    door = Http(orders["location"], per_second=orders["per_second"])
    turnstile, told = SharedPace(), list[str]()
    try:
        async with Plain(door).open(turnstile=turnstile, log=lambda event, **facts: told.append(event)) as session:
            await asyncio.gather(*[session.talk(body_of(path)) for path in orders["paths"]])
    finally:
        turnstile.close()
    return {"calls": session.calls, "seconds": session.seconds, "told": told}


def main() -> None:
    orders = json.loads(sys.stdin.readline())
    connections.settings["default"].update(orders["database"])
    print("ready", flush=True)
    sys.stdin.readline()
    print(json.dumps(asyncio.run(ask(orders))), flush=True)


if __name__ == "__main__":
    main()
