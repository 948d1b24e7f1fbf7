"""`tidegate migrate`: brings a database that is not our own up to this version; our own is brought up by itself."""

from __future__ import annotations

from tidegate.cli.answer import Migrated
from tidegate.cli.option import Json, alone
from tidegate.cli.terminal import note, print_json, say

app = alone()


@app.command("migrate")
def migrate(json: Json = False) -> None:
    """Bring a database of your own up to this version.

    The database that Tidegate runs itself is brought up at every start; only one that TIDEGATE_DATABASE_URL names
    waits for this.
    """
    from tidegate.config import load_settings
    from tidegate.log import set_up_log
    from tidegate.server import start
    from tidegate.server.postgres import open_database

    settings = load_settings()
    set_up_log()
    with open_database(settings, (lambda _: None) if json else note) as database:
        start.set_up_django(database)
        from django.db import connections

        try:
            applied = start.migrate((lambda _: None) if json else note)
        finally:
            connections.close_all()
    if json:
        print_json(Migrated(applied=applied))
    else:
        say(f"Applied {len(applied)} migrations." if applied else "The database is up to date already.")
