"""An SMTP server on loopback, as small as a mail needs."""

from __future__ import annotations

import asyncio
import base64
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Self


@dataclass(frozen=True)
class Mail:
    """One mail as it came over the wire."""

    sender: str
    to: list[str]
    raw: bytes

    @property
    def parsed(self) -> EmailMessage:
        return message_from_bytes(self.raw, policy=policy.default)  # pyright: ignore[reportReturnType]

    @property
    def text(self) -> str:
        return self.parsed.get_content()


class Mailbox:
    """Takes mails; with `password`, only from who knows it."""

    def __init__(self) -> None:
        self.mails: list[Mail] = []
        self.password = ""
        self.logins: list[str] = []
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._server: asyncio.Server | None = None

    @property
    def host(self) -> str:
        assert self._server is not None
        return f"localhost:{self._server.sockets[0].getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        start = asyncio.start_server(self._talk, "127.0.0.1", 0)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result()
        return self

    def __exit__(self, *_: object) -> None:
        asyncio.run_coroutine_threadsafe(self._end(), self._loop).result()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _end(self) -> None:
        assert self._server is not None
        self._server.close()
        others = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in others:
            task.cancel()
        await asyncio.gather(*others, return_exceptions=True)

    async def _talk(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        def say(line: str) -> None:
            writer.write(f"{line}\r\n".encode())

        sender, to, let_in = "", [], not self.password
        say("220 mailbox")
        while line := (await reader.readline()).decode().strip():
            word = line.upper()
            if word.startswith("EHLO"):
                say("250-mailbox\r\n250 AUTH PLAIN")
            elif word.startswith("AUTH PLAIN"):
                self.logins.append(base64.b64decode(line.split()[2]).decode().split("\0")[2])
                let_in = self.logins[-1] == self.password
                say("235 welcome" if let_in else "535 5.7.8 no")
            elif not let_in and word.startswith("MAIL"):
                say("530 log in first")
            elif word.startswith("MAIL"):
                sender, to = line.split("<")[1].split(">")[0], []
                say("250 ok")
            elif word.startswith("RCPT"):
                to.append(line.split("<")[1].split(">")[0])
                say("250 ok")
            elif word == "DATA":
                say("354 go on")
                raw = await reader.readuntil(b"\r\n.\r\n")
                self.mails.append(Mail(sender, list(to), raw[:-3]))
                say("250 taken")
            elif word == "QUIT":
                say("221 bye")
                break
            else:
                say("250 ok")
        await writer.drain()
        writer.close()
