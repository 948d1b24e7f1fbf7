"""Secrets at rest: encrypted with a key that is not in the database; mode 0600; a lost key is a clear error."""

from __future__ import annotations

import os
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import SecretStr

from tidegate.config import Settings
from tidegate.guard.keys import Key, KeyProblem, made_key, the_key
from tidegate.guard.secrets import seal, unseal

TOKEN = {"token": SecretStr("s3cr3t-päss")}
KEY = "A" * 42 + "E"  # 32 bytes


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.delenv("TIDEGATE_SECRET_KEY", raising=False)
    return Settings(home=tmp_path / "a home")


def clear(values: dict[str, SecretStr]) -> dict[str, str]:
    return {name: value.get_secret_value() for name, value in values.items()}


def test_what_is_sealed_opens_and_shows_nothing(settings: Settings):
    sealed = seal(TOKEN, 7, settings)

    assert b"s3cr3t" not in sealed
    assert b"token" not in sealed
    assert clear(unseal(sealed, 7, settings)) == clear(TOKEN)
    assert seal(TOKEN, 7, settings) != sealed


def test_the_key_is_made_once_with_mode_0600(settings: Settings):
    seal(TOKEN, 7, settings)
    path = settings.home / "secret.key"
    first = path.read_text()

    seal(TOKEN, 7, settings)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == first
    assert [each.name for each in settings.home.iterdir()] == ["secret.key"]


def test_a_new_key_is_on_the_disk_before_anything_is_sealed_with_it(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
):
    """A database that survives a power cut beside a key that does not would hold secrets that nobody can open."""
    names_when_written: list[list[str]] = []
    real = os.fsync

    def fsync(file: int) -> None:
        if stat.S_ISDIR(os.fstat(file).st_mode):
            names_when_written.append([each.name for each in settings.home.iterdir()])
        real(file)

    monkeypatch.setattr(os, "fsync", fsync)

    seal(TOKEN, 7, settings)

    assert names_when_written == [["secret.key"]]


def test_of_two_who_make_the_key_at_once_both_get_the_first(settings: Settings):
    gate = threading.Barrier(8)

    def make(_: int) -> Key:
        gate.wait()
        return made_key(settings.home)

    with ThreadPoolExecutor(8) as pool:
        keys = set(pool.map(make, range(8)))

    assert keys == {the_key(settings)}


def test_a_row_of_another_connection_does_not_open(settings: Settings):
    with pytest.raises(KeyProblem, match="damaged or belong to another Connection"):
        unseal(seal(TOKEN, 7, settings), 8, settings)


def test_a_number_is_that_of_a_connection_and_other_owners_say_what_they_are(settings: Settings):
    """What earlier versions stored for a Connection opens; nothing opens for an owner of another kind."""
    assert clear(unseal(seal(TOKEN, 7, settings), "connection 7", settings)) == clear(TOKEN)
    assert clear(unseal(seal(TOKEN, "route 7", settings), "route 7", settings)) == clear(TOKEN)
    with pytest.raises(KeyProblem, match="damaged or belong to another Route"):
        unseal(seal(TOKEN, 7, settings), "route 7", settings)


@given(position=st.integers(min_value=0), bit=st.integers(0, 7), length=st.integers(min_value=0))
def test_damage_anywhere_is_noticed(tmp_path_factory: pytest.TempPathFactory, position: int, bit: int, length: int):
    settings = Settings(home=tmp_path_factory.getbasetemp() / "unused", secret_key=SecretStr(KEY))
    sealed = bytearray(seal(TOKEN, 7, settings))
    cut = bytes(sealed[: length % len(sealed)])
    sealed[position % len(sealed)] ^= 1 << bit

    for broken in (bytes(sealed), cut):
        with pytest.raises(KeyProblem):
            unseal(broken, 7, settings)


def test_a_lost_key_is_named_and_none_is_made_in_its_place(settings: Settings):
    """the key lost: a clear error per Connection."""
    sealed = seal(TOKEN, 7, settings)
    (settings.home / "secret.key").unlink()

    with pytest.raises(KeyProblem, match="is missing") as problem:
        unseal(sealed, 7, settings)

    assert "enter the secrets again" in problem.value.next_step
    assert not (settings.home / "secret.key").exists()


def test_another_key_is_told_apart_from_damage(settings: Settings):
    sealed = seal(TOKEN, 7, settings)
    (settings.home / "secret.key").unlink()
    made_key(settings.home)

    with pytest.raises(KeyProblem, match="sealed with another key"):
        unseal(sealed, 7, settings)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602])
def test_a_key_that_others_may_read_or_change_is_refused(settings: Settings, mode: int):
    made_key(settings.home)
    (settings.home / "secret.key").chmod(mode)

    with pytest.raises(KeyProblem, match=f"has mode {mode:04o}") as problem:
        the_key(settings)

    assert "chmod 600" in problem.value.next_step


@pytest.mark.parametrize("text", ["", "short", "A" * 42, "A" * 44, "!" * 43, "é" * 43, "A" * 43 + "\n\nrest"])
def test_what_is_no_key_is_refused_without_being_repeated(settings: Settings, text: str):
    settings.home.mkdir()
    (settings.home / "secret.key").write_text(text)
    (settings.home / "secret.key").chmod(0o600)

    with pytest.raises(KeyProblem, match="is not a key") as problem:
        the_key(settings)

    assert not text or text not in str(problem.value)


def test_a_key_of_the_environment_comes_before_the_file_and_needs_no_home(settings: Settings):
    given = settings.model_copy(update={"secret_key": SecretStr(KEY + "=")})

    sealed = seal(TOKEN, 7, given)

    assert clear(unseal(sealed, 7, settings.model_copy(update={"secret_key": SecretStr(KEY)}))) == clear(TOKEN)
    assert not settings.home.exists()
    with pytest.raises(KeyProblem, match="TIDEGATE_SECRET_KEY is not a key"):
        the_key(settings.model_copy(update={"secret_key": SecretStr("hunter2")}))


def test_a_home_that_cannot_be_written_or_read_is_a_sentence(tmp_path: Path):
    (tmp_path / "file").write_text("")

    with pytest.raises(KeyProblem, match="cannot be made"):
        made_key(tmp_path / "file")
    with pytest.raises(KeyProblem, match="cannot be read"):
        the_key(Settings(home=tmp_path / "file"))


def test_a_key_that_root_makes_in_somebodys_home_is_theirs(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    settings.home.mkdir()
    given: list[tuple[int, int]] = []
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setattr(os, "fchown", lambda file, user, group: given.append((user, group)))
    real = Path.stat
    monkeypatch.setattr(
        Path, "stat", lambda path, **more: os.stat_result([*real(path, **more)[:4], 1234, 99, *real(path, **more)[6:]])
    )

    made_key(settings.home)

    assert given == [(1234, 99)]


def test_neither_key_nor_problem_shows_a_secret(settings: Settings):
    key = made_key(settings.home)

    assert str(key.value) not in repr(key)
