"""Programs that a test starts, reads line by line, signals and kills; and what is left of them."""

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import httpx2

from tests.server.homes import SECONDS, all_processes, wait_for, words_of

TIDEGATE = Path(sys.executable).with_name("tidegate")


class Program:
    """A process with what it has said on stderr so far. Leaving kills what is left of it."""

    def __init__(
        self, *words: str | Path, environment: Mapping[str, str] | None = None, stdout: int | None = None
    ) -> None:
        self.mark = f"test-{os.getpid()}-{time.monotonic_ns()}"
        clean = {name: value for name, value in os.environ.items() if not name.startswith(("TIDEGATE_", "NOTIFY_"))}
        self.process = subprocess.Popen(
            [*words],
            stdin=subprocess.DEVNULL,
            stdout=stdout or subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            env={**clean, "TIDEGATE_TEST_MARK": self.mark, **(environment or {})},
            start_new_session=True,
        )
        assert self.process.stderr
        self.stream = self.process.stderr
        os.set_blocking(self.stream.fileno(), False)
        self._said = b""

    @property
    def said(self) -> str:
        while (
            not self.stream.closed
            and select.select([self.stream], [], [], 0)[0]
            and (more := os.read(self.stream.fileno(), 65536))
        ):
            self._said += more
        return self._said.decode(errors="replace")

    def until(self, text: str, seconds: float = SECONDS) -> str:
        """All that it said, once that holds a text."""
        wait_for(lambda: text in self.said or self.ended, f"it says {text!r}; so far: {self.said}", seconds)
        assert text in self.said, f"It ended before it said {text!r}: {self.said}"
        return self.said

    @property
    def ended(self) -> bool:
        return self.process.poll() is not None

    def tell(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def end(self, number: signal.Signals = signal.SIGTERM, seconds: float = SECONDS) -> int:
        """Its exit code after this signal."""
        self.tell(number)
        return self.code(seconds)

    def code(self, seconds: float = SECONDS) -> int:
        until = time.monotonic() + seconds
        while not self.ended:
            assert time.monotonic() < until, f"It did not end: {self.said}"
            _ = self.said  # nobody may wait for a reader
            time.sleep(0.02)
        return self.process.returncode

    def family(self) -> list[int]:
        """It and everything that it started, however far away by now: they have the mark in their environment."""
        return [process for process in all_processes() if self.mark.encode() in words_of(process, "environ")]

    def parts(self, name: str) -> list[int]:
        return [process for process in self.family() if f"\0{name}\0".encode() in words_of(process)]

    def __enter__(self) -> "Program":
        return self

    def __exit__(self, *_: object) -> None:
        if not self.ended:
            self.process.kill()
        self.process.wait()
        for process in self.family():
            os.kill(process, signal.SIGKILL)
        self.stream.close()  # closing what is closed is nothing


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return found.getsockname()[1]


def get(port: int, path: str = "/", **headers: str) -> httpx2.Response:
    with httpx2.Client(trust_env=False, timeout=60) as client:
        return client.get(f"http://127.0.0.1:{port}{path}", headers=headers)


def answers(port: int, path: str = "/healthz") -> bool:
    try:
        return get(port, path).status_code == 200
    except httpx2.TransportError:
        return False
