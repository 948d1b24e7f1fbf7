"""PostgreSQL's own programs as a client runs them: pg_dump, pg_restore, psql.

What they need to enter goes by two files that only we may read, never by their command line or environment, which every
process of this user could read.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from psycopg.conninfo import conninfo_to_dict

from tidegate.server.postgres.embedded import site_folder
from tidegate.server.postgres.keeper.binaries import PROGRAMS

PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "HOME", "KRB5CCNAME")


class ProgramFailed(Exception):
    """One of PostgreSQL's programs did not do what it was asked. `cause` and `next_step` are sentences."""

    def __init__(self, program: str, said: str) -> None:
        self.cause = f"{program} did not do what it was asked: {said}."
        self.next_step = "Remove the cause, then try again; look at the database with: tidegate doctor"
        super().__init__(f"{self.cause} {self.next_step}")


@dataclass(frozen=True)
class Entrance:
    """How the programs enter a database: a service file, and the file of its password."""

    folder: Path

    @property
    def word(self) -> str:
        return "service=tidegate"

    def environment(self) -> dict[str, str]:
        """Without any secret of ours; libpq's own variables go along where the operator set some."""
        passed = {name: value for name, value in os.environ.items() if name in PASSED_ON or name.startswith("PG")}
        return passed | {"LC_ALL": "C", "PGSERVICEFILE": str(self.folder / "service")}


@contextlib.contextmanager
def entrance_to(url: str) -> Iterator[Entrance]:
    """While open, the programs can enter the database of this conninfo."""
    parts = {name: str(value) for name, value in conninfo_to_dict(url).items() if value is not None}
    password = parts.pop("password", None)
    with tempfile.TemporaryDirectory(prefix="tidegate-entrance-") as name:
        folder = Path(name)
        if password is not None:
            escaped = password.replace("\\", "\\\\").replace(":", "\\:")
            _write(folder / "password", f"*:*:*:*:{escaped}\n")
            parts["passfile"] = str(folder / "password")
        lines = [f"{name}={value}" for name, value in parts.items()]
        _write(folder / "service", "\n".join(["[tidegate]", *lines, ""]))
        yield Entrance(folder)


def _write(path: Path, text: str) -> None:
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        file.write(text)


def client_program(name: str) -> Path:
    """Where the program of the installed wheel stands. Raises DatabaseUnavailable without the wheel."""
    return site_folder() / PROGRAMS / "bin" / name


@contextlib.contextmanager
def running(
    words: list[str | Path], entrance: Entrance | None = None, *, stdin: int | None, stdout: int | None
) -> Iterator[subprocess.Popen[bytes]]:
    """A program while it runs; it is killed where anything goes wrong here. Raises ProgramFailed, with its last words,
    where it ends badly."""
    environment = entrance.environment() if entrance else {"LC_ALL": "C"}
    with tempfile.TemporaryFile(prefix="tidegate-said-") as said:
        program: subprocess.Popen[Any] = subprocess.Popen(
            words, stdin=stdin, stdout=stdout, stderr=said, env=environment, cwd="/"
        )
        try:
            yield program
            if program.stdin:
                program.stdin.close()
            code = program.wait()
        except BrokenPipeError:
            code = program.wait()
        finally:
            if program.poll() is None:
                program.kill()
                program.wait()
            for pipe in (program.stdin, program.stdout):
                with contextlib.suppress(OSError):
                    if pipe:
                        pipe.close()
        if code != 0:
            raise ProgramFailed(Path(words[0]).name, _last_words(said, code))


def _last_words(said: IO[bytes], code: int) -> str:
    """Its error, without what it says of details and statements: these hold people's values."""
    said.seek(0)
    lines = said.read(64 * 1024).decode("utf-8", "replace").splitlines()
    errors = [line for line in lines if "error:" in line or "ERROR:" in line or "FATAL:" in line]
    return (errors or lines or [f"it ended with code {code}"])[0].strip().rstrip(".")
