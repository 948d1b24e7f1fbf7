"""The web part: listens, answers, and lets no slow or greedy client keep it from answering others."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import socket
import threading
from collections.abc import Callable
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from tidegate.config import Settings
from tidegate.server.gate import LONGEST_HEAD, Application

# Connections to the database, for all requests together.
POOL: dict[str, object] = {
    "min_size": 1,
    "max_size": 6,
    "timeout": 2.0,
    "max_waiting": 64,
    "reconnect_timeout": 5.0,
    "name": "web",
}

BACKLOG = 128
MOST_CLIENTS = 256
# Seconds: to ask, between two questions, to read some of an answer, and for answers under way when we are told to stop.
TO_ASK, BETWEEN, TO_READ, TO_END = 10.0, 5, 20.0, 5


class PortTaken(Exception):
    """Somebody listens there already, or we may not."""

    for_a_person = True

    def __init__(self, host: str, port: int, why: str) -> None:
        self.cause = f"Tidegate cannot listen on {host}, port {port}: {why}."
        self.next_step = "Stop what listens there (another Tidegate?), or choose another port with --port."
        super().__init__(f"{self.cause} {self.next_step}")


def listening(host: str, port: int) -> socket.socket:
    """A socket that listens there. Raises PortTaken."""
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
        listener = socket.socket(family, kind, protocol)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(BACKLOG)
    except OSError as error:
        if listener:
            listener.close()
        why = "it is taken" if error.errno == errno.EADDRINUSE else error.strerror or str(error)
        raise PortTaken(host, port, why) from None
    return listener


def hosts_of(settings: Settings, host: str) -> list[str]:
    """The names Tidegate may be asked for by: the settings', this machine's own for itself, and where it listens."""
    own = [] if is_everywhere(host) else [f"[{host}]" if ":" in host else host]
    return ["localhost", "127.0.0.1", "[::1]", *own, *settings.named_hosts]


def is_everywhere(host: str) -> bool:
    return host in ("0.0.0.0", "::")  # noqa: S104 - a comparison


def is_loopback(host: str) -> bool:
    """Whether only this machine can come in."""
    return host in ("localhost", "::1") or host.startswith("127.")


def serve(
    settings: Settings, host: str, listener: socket.socket, stop: threading.Event, ready: Callable[[], None]
) -> None:
    """Answers until told to stop; what is being answered then is finished."""
    from django.urls import get_resolver

    from tidegate.server.asgi import application
    from tidegate.server.health import Health
    from tidegate.server.people import prepare

    prepare(settings)
    for name in ("uvicorn.error", "django.request", "django.security"):
        logging.getLogger(name).setLevel(logging.ERROR)  # what strangers send is no news
    health = Health(settings)
    try:
        server = Server(configured(application(settings, hosts_of(settings, host), health)), stop, ready)
        # Else they would be read with the first request, while the other parts begin and want the processors too.
        _ = get_resolver().url_patterns
        # What stands now stands for good: the garbage collector need not look at it again, in the middle of an answer.
        gc.collect()
        gc.freeze()
        server.run([listener])
    finally:
        health.close()


def configured(application: Application) -> uvicorn.Config:
    """uvicorn without what it would do by itself: signals, logs, headers that name it, trust in what proxies say."""
    return uvicorn.Config(
        application,  # pyright: ignore[reportArgumentType] - the same, said with other types
        http=PatientProtocol,
        ws="none",
        loop="asyncio",
        lifespan="off",
        interface="asgi3",
        log_config=None,
        access_log=False,
        proxy_headers=False,
        server_header=False,
        limit_concurrency=MOST_CLIENTS,
        timeout_keep_alive=BETWEEN,
        timeout_graceful_shutdown=TO_END,
        h11_max_incomplete_event_size=LONGEST_HEAD,
    )


class Server(uvicorn.Server):
    """uvicorn's, told to stop by an event: signals are the part's."""

    def __init__(self, config: uvicorn.Config, stop: threading.Event, ready: Callable[[], None]) -> None:
        super().__init__(config)
        self.stop, self.ready = stop, ready

    def run(self, sockets: list[socket.socket] | None = None) -> None:
        with asyncio.Runner() as runner:
            runner.run(self._serve(sockets))

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self.ready()

    async def on_tick(self, counter: int) -> bool:
        return await super().on_tick(counter) or self.stop.is_set()


class PatientProtocol(H11Protocol):
    """HTTP with an end to patience: a client has so long to ask, and so long to read some of the answer."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.patience: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        super().connection_made(transport)
        self.wait_at_most(TO_ASK)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        asked = self.cycle is not None and not self.cycle.response_complete and not self.cycle.more_body
        if asked:
            self.wait_as_long_as_it_takes()
        elif self.patience is None:  # a drop now and then buys no time
            self.wait_at_most(TO_ASK)

    def pause_writing(self) -> None:
        super().pause_writing()
        self.wait_as_long_as_it_takes()
        self.wait_at_most(TO_READ)

    def resume_writing(self) -> None:
        super().resume_writing()
        self.wait_as_long_as_it_takes()

    def connection_lost(self, exc: Exception | None) -> None:
        self.wait_as_long_as_it_takes()
        super().connection_lost(exc)

    def wait_at_most(self, seconds: float) -> None:
        self.patience = self.loop.call_later(seconds, self.transport.abort)

    def wait_as_long_as_it_takes(self) -> None:
        if self.patience:
            self.patience.cancel()
            self.patience = None
