"""The worker: waits for Operations that are offered and has its crew run them, until it is told to stop."""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Callable
from typing import Final

import procrastinate
import psycopg
import structlog
from procrastinate.exceptions import ConnectorException

from tidegate.config import Settings
from tidegate.store.listen import conninfo

from .crew import Crew

QUEUE: Final = "operations"
LOOK_AT: Final = "look_at_operation"  # both are written by store/sql/offer_operations.sql
POLL_SECONDS: Final = 5.0
BEAT_SECONDS: Final = 10.0
FORGET_SECONDS: Final = 2.0
"""How long the queue waits for jobs before it is opened anew: the Operations go on, their rows say where they are."""

ANSWER_SECONDS: Final = 5.0
"""How long the queue waits for a connection to a database that is away: who is told to stop then cannot wait longer."""

_log = structlog.get_logger(__name__)


def work(
    settings: Settings, concurrency: int, stop: threading.Event, ready: Callable[[], None], grace: float = 30.0
) -> None:
    """Runs Operations, `concurrency` at a time, until `stop` is set; what is not done within `grace` seconds by then is
    handed back. Raises OldWorker where the database has become a newer Tidegate's."""
    crew = Crew(concurrency)
    threading.Thread(target=_end_after, args=(stop, crew), name="stop", daemon=True).start()
    asyncio.run(_work(crew, concurrency, stop, ready))
    if not crew.stop(grace):
        _log.warning("worker.left_behind", told="Operations did not end in time; they are taken up again elsewhere.")
        os._exit(1)
    if crew.old is not None:
        raise crew.old


def _end_after(stop: threading.Event, crew: Crew) -> None:
    stop.wait()
    crew.hand_back()


async def _work(crew: Crew, concurrency: int, stop: threading.Event, ready: Callable[[], None]) -> None:
    """Serves the queue; where the database goes away, again as soon as it is back."""
    while not (stop.is_set() or crew.old):
        try:
            async with _queue(crew).open_async() as queue:
                ready()
                await _serve(queue, crew, concurrency, stop)
        except (ConnectorException, psycopg.Error) as error:
            _log.warning("worker.database_away", error=str(error).strip())
        if not stop.is_set() and crew.old is None:
            await asyncio.to_thread(stop.wait, 1.0)


async def _serve(queue: procrastinate.App, crew: Crew, concurrency: int, stop: threading.Event) -> None:
    serving = asyncio.create_task(
        queue.run_worker_async(
            queues=[QUEUE],
            concurrency=concurrency,
            install_signal_handlers=False,
            delete_jobs="always",
            shutdown_graceful_timeout=FORGET_SECONDS,
            fetch_job_polling_interval=POLL_SECONDS,
            update_heartbeat_interval=BEAT_SECONDS,
            stalled_worker_timeout=6 * BEAT_SECONDS,
        )
    )
    while not (serving.done() or stop.is_set() or crew.old):
        await asyncio.wait([serving], timeout=0.1)
    if not serving.done():
        serving.cancel()
    try:
        await serving
    except asyncio.CancelledError:
        return


def _queue(crew: Crew) -> procrastinate.App:
    pool = {"min_size": 2, "max_size": 3, "timeout": ANSWER_SECONDS}
    queue = procrastinate.App(connector=procrastinate.PsycopgConnector(conninfo=conninfo(), **pool))

    @queue.task(name=LOOK_AT, queue=QUEUE)
    async def look_at_operation(operation: int) -> None:
        await asyncio.wrap_future(crew.look_at(operation))

    return queue
