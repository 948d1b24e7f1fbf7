"""`tidegate up`, `web`, `worker`, `scheduler`: the service, whole or in parts, on one machine or many."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Annotated

import typer

from tidegate.cli.failure import Failure, failure_of
from tidegate.cli.option import alone
from tidegate.cli.terminal import note
from tidegate.server.part import MEND, Part, being_part

if TYPE_CHECKING:
    from tidegate.config import Settings
    from tidegate.server.postgres import Database

HOST = "127.0.0.1"
PORT = 8686
CONCURRENCY = 4
# Of the grace, for handing back what runs; the rest is for closing the database.
OF_THE_GRACE = 0.8

Host = Annotated[str, typer.Option("--host", metavar="ADDRESS", help="Where to listen; 0.0.0.0 is everywhere.")]
Port = Annotated[int, typer.Option("--port", min=1, max=65535, metavar="N", help="The port to listen on.")]
Concurrency = Annotated[
    int, typer.Option("--concurrency", min=1, max=64, metavar="N", help="How many Operations run at once here.")
]

up_app, web_app, worker_app, scheduler_app = alone(), alone(), alone(), alone()


@up_app.command("up")
def up(host: Host = HOST, port: Port = PORT, concurrency: Concurrency = CONCURRENCY) -> None:
    """Run everything, in one terminal, until you stop it.

    Opens the database, its own unless TIDEGATE_DATABASE_URL names one, then starts web, scheduler and worker, and
    starts again what dies. Ctrl-C, or SIGTERM, ends it in order: an Operation that runs is handed back and goes on at
    the next start. After TIDEGATE_GRACE_SECONDS, or a second Ctrl-C, whatever is left is ended at once.
    """
    from tidegate.config import load_settings
    from tidegate.server.up import replace_this_process

    settings = load_settings()
    asked = {"host": host, "port": port, "concurrency": concurrency, "grace": settings.grace_seconds}
    where = "PostgreSQL at TIDEGATE_DATABASE_URL" if settings.database_url else str(settings.home)
    replace_this_process(*(f"--{name}={value}" for name, value in (asked | {"where": where}).items()))


@web_app.command("web")
def web(host: Host = HOST, port: Port = PORT) -> None:
    """Answer the status page, health and metrics alone.

    /healthz says whether this process lives, /readyz whether Tidegate can work and why not, /metrics is for Prometheus.
    Pages are for who logs in; while nobody is administrator, /setup makes the first with the code that the log shows.
    """
    from tidegate.server.web import POOL, is_loopback, listening, serve

    with _part("web") as (settings, part), listening(host, port) as listener:
        if not is_loopback(host):
            note(f"Careful: whoever can reach {host}, port {port}, can try to log in, and read health and metrics.")
        with _database(settings, part, pool=POOL):
            serve(settings, host, listener, part.stop, part.ready)


@worker_app.command("worker")
def worker(
    concurrency: Concurrency = CONCURRENCY,
    operation: Annotated[
        int | None,
        typer.Option("--operation", metavar="NUMBER", hidden=True, help="Run this Operation alone, then end."),
    ] = None,
) -> None:
    """Run Operations that are due, here beside other machines.

    Any number of workers on any number of machines share one database; none runs what another has. Told to stop, it
    hands back what runs.
    """
    with _part("worker") as (settings, part), _database(settings, part):
        from tidegate.jobs.crew import run_alone
        from tidegate.jobs.worker import work

        if operation is not None:
            run_alone(operation, part.stop)
        else:
            work(settings, concurrency, part.stop, part.ready, settings.grace_seconds * OF_THE_GRACE)


@scheduler_app.command("scheduler")
def scheduler() -> None:
    """Keep the time: begin what is due.

    Any number may run: one keeps the time, the others wait to take its place.
    """
    with _part("scheduler") as (settings, part), _database(settings, part):
        from tidegate.jobs.scheduler import keep_time

        keep_time(settings, part.stop, part.ready)


@contextmanager
def _part(name: str) -> Iterator[tuple[Settings, Part]]:
    """Told to stop by signals, with its settings read and its log begun. What a person must mend ends it with MEND."""
    from tidegate.config import load_settings
    from tidegate.log import set_up_log

    settings = load_settings()
    set_up_log(name, settings)
    with being_part(settings.grace_seconds) as part:
        try:
            yield settings, part
        except Exception as error:
            if getattr(error, "for_a_person", False):
                failure = failure_of(error)
                raise Failure(failure.what, failure.next_step, MEND) from error
            raise


@contextmanager
def _database(settings: Settings, part: Part, pool: dict[str, object] | None = None) -> Iterator[Database]:
    """The database, ready, and kept up for as long as the part runs."""
    from tidegate.server.start import started

    with started(settings, note, pool=pool) as database:
        part.begin()
        with database.kept_up(note):
            yield database
