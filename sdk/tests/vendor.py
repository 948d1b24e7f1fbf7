"""A vendor on a loopback socket that answers with exactly the bytes a test wants."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections import defaultdict
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Step = bytes | Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Asked:
    """One request as it came over the wire."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Vendor:
    """Answers each path with its steps in turn; the last one again and again."""

    asked: list[Asked] = field(default_factory=list)
    scheme: str = "http"
    port: int = 0
    host: str = "127.0.0.1"
    steps: dict[str, list[Step]] = field(default_factory=lambda: defaultdict(list))
    _server: asyncio.Server | None = None
    _open: set[asyncio.Task[None]] = field(default_factory=set)

    def on(self, path: str, *steps: Step) -> None:
        self.steps[path] = list(steps)

    @property
    def location(self) -> str:
        return f"{self.scheme}://{self.host}:{self.port}/api/"

    @property
    def targets(self) -> list[str]:
        return [asked.target for asked in self.asked]

    async def start(self, context: ssl.SSLContext | None = None) -> None:
        self.scheme = "https" if context else "http"
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=context)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        for task in self._open:
            task.cancel()
        await asyncio.gather(*self._open, return_exceptions=True)
        await self._server.wait_closed()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task
        self._open.add(task)
        try:
            while asked := await _request(reader):
                self.asked.append(asked)
                steps = self.steps[asked.target.partition("?")[0]]
                step = steps.pop(0) if len(steps) > 1 else steps[0] if steps else answer(404)
                if callable(step):
                    await step(writer)
                    break
                writer.write(step)
                await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass
        finally:
            self._open.discard(task)
            writer.transport.abort()


async def _request(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")[:-2]
    method, target, _ = first.split(" ")
    headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
    return Asked(method, target, headers, await reader.readexactly(int(headers.get("content-length", "0"))))


def answer(status: int = 200, body: Any = None, **headers: str) -> bytes:
    """A raw HTTP answer; bytes go as they are, anything else as JSON."""
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    lines = {"Content-Length": str(len(content))} | {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + content
