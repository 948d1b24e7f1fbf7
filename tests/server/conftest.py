"""Fixtures for tests with real servers: a folder any user can reach, and a home whose database is already made."""

import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.server.homes import (
    ROOT,
    all_processes,
    keepers,
    opened,
    plain_user,
    remove_reachable_python,
    wait_for,
    words_of,
)

ENOUGH = 2 * 1024**3  # bytes


@pytest.fixture
def spot() -> Iterator[Path]:
    """A short folder that every user can search; at the end no server may be left in it."""
    yield from made_spot()


@pytest.fixture(scope="session")
def template() -> Iterator[Path]:
    """A home with a database, shut down, to copy: making one takes a second."""
    for folder in made_spot():
        with opened(folder / "home"):
            pass
        yield folder / "home"
    remove_reachable_python()


@pytest.fixture
def home(spot: Path, make_home: Callable[..., Path]) -> Path:
    return make_home(spot / "home")


@pytest.fixture
def make_home(template: Path) -> Callable[..., Path]:
    """Make a home with a database at a path, for root or for a plain user."""

    def make(path: Path, user: str = "root") -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        copied(template, path)
        if user == "plain":
            give_to_plain_user(path)
        return path

    return make


def copied(template: Path, path: Path) -> Path:
    subprocess.run(["cp", "-a", template, path], check=True)
    return path


def give_to_plain_user(path: Path) -> None:
    if ROOT:
        plain = plain_user()
        subprocess.run(["chown", "-R", f"{plain.pw_uid}:{plain.pw_gid}", path], check=True)


def made_spot() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="tidegate-tests-", dir=quickest_folder()))
    folder.chmod(0o755)
    yield folder
    wait_for(lambda: not processes_of(folder), f"no process is left in {folder}")
    shutil.rmtree(folder)


def quickest_folder() -> str:
    """Memory, where there is enough of it: dozens of clusters are written here, and none of them has to last."""
    memory = Path("/dev/shm")
    roomy = memory.is_dir() and shutil.disk_usage(memory).free > ENOUGH
    return str(memory) if roomy else tempfile.gettempdir()


def processes_of(folder: Path) -> list[int]:
    servers = [process for process in all_processes() if str(folder).encode() in words_of(process)]
    return servers + keepers(folder)
