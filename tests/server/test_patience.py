"""Slow and greedy clients, against the server of the web part with little patience and an answer of 256 MB."""

import asyncio
import contextlib
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from tidegate.server import web

SOON = 0.5
LATE = 10.0


PIECES = 4096  # of 64 KB: far more than lies in the buffers of a connection


async def much(scope: web.Any, receive: web.Any, send: web.Any) -> None:
    """A large answer, piece by piece, unless it is asked for a short one."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    for _ in range(0 if scope["path"] == "/short" else PIECES):
        await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await asyncio.sleep(0.001)
    await send({"type": "http.response.body", "body": b"done"})


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> Iterator[int]:
    for name in ("TO_ASK", "TO_READ", "BETWEEN", "TO_END"):
        monkeypatch.setattr(web, name, SOON)
    listener, stop, ready = web.listening("127.0.0.1", 0), threading.Event(), threading.Event()
    server = web.Server(web.configured(much), stop, ready.set)
    thread = threading.Thread(target=server.run, args=([listener],))
    thread.start()
    assert ready.wait(LATE)
    yield listener.getsockname()[1]
    stop.set()
    thread.join(LATE)
    assert not thread.is_alive()
    listener.close()


def seconds_until_closed(client: socket.socket, drop: bytes = b"") -> float:
    """How long it takes, with a drop sent now and then."""
    began = time.monotonic()
    client.settimeout(0.1)
    while time.monotonic() - began < LATE:
        try:
            client.sendall(drop)
            if client.recv(1) == b"":
                break
        except TimeoutError:
            continue
        except OSError:
            break
    return time.monotonic() - began


def test_a_client_that_says_nothing_is_let_go(port: int):
    with socket.create_connection(("127.0.0.1", port)) as client:
        assert SOON * 0.9 <= seconds_until_closed(client) < SOON * 6


def test_a_client_that_asks_drop_by_drop_is_let_go(port: int):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\n")

        assert SOON * 0.9 <= seconds_until_closed(client, b"X: y\r\n") < SOON * 6


def test_a_client_that_sends_its_body_drop_by_drop_is_let_go(port: int):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /short HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
        assert client.recv(12) == b"HTTP/1.1 200"

        assert seconds_until_closed(client, b"y") < SOON * 6


def test_a_second_question_gets_no_more_patience_than_the_first(port: int):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET /short HTTP/1.1\r\nHost: x\r\n\r\nGET /short HT")
        assert client.recv(12) == b"HTTP/1.1 200"

        assert seconds_until_closed(client, b"T") < SOON * 6


def test_a_client_that_reads_nothing_is_let_go(port: int):
    """What nobody takes must not pile up in memory, nor hold a place."""
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        time.sleep(SOON * 4)
        client.settimeout(LATE)
        taken = 0
        with contextlib.suppress(ConnectionResetError):
            while more := client.recv(1 << 20):
                taken += len(more)

        assert taken < PIECES * 65536 / 4


def test_a_client_that_reads_slowly_gets_all_it_takes(port: int):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.settimeout(LATE)
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        began, taken = time.monotonic(), 0
        while time.monotonic() - began < SOON * 4:
            taken += len(client.recv(1 << 20))
            time.sleep(0.01)

        assert taken > 1 << 20


def test_a_connection_between_two_questions_is_kept_for_a_while(port: int):
    with socket.create_connection(("127.0.0.1", port)) as client:
        for _ in range(2):
            client.sendall(b"GET /short HTTP/1.1\r\nHost: x\r\n\r\n")
            said = b""
            while b"done\r\n0\r\n\r\n" not in said:
                said += client.recv(4096)

        assert SOON * 0.5 <= seconds_until_closed(client) < SOON * 6


def test_told_to_stop_it_does_not_wait_for_ever_for_answers_under_way(port: int):
    with socket.create_connection(("127.0.0.1", port)) as client:
        client.sendall(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        assert client.recv(12)
        # The fixture asserts that the server ends.
