"""The keys: in a file, in the environment, or what a command says; the newest seals, older ones still open."""

from __future__ import annotations

import base64
import shlex
import stat
import sys
from pathlib import Path

import pytest
from pydantic import SecretStr

from tidegate.config import Settings
from tidegate.guard import keys
from tidegate.guard.keys import KeyProblem, add_key, change_file, known_keys, made_key, the_key
from tidegate.guard.secrets import key_id_of, seal, unseal

OLD, NEW = (base64.urlsafe_b64encode(bytes([n]) * 32).decode().rstrip("=") for n in (1, 2))
TOKEN = {"token": SecretStr("s3cr3t-päss")}


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    for name in ("TIDEGATE_SECRET_KEY", "TIDEGATE_SECRET_KEY_COMMAND"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(keys, "_said", keys._Command())
    return Settings(home=tmp_path / "home")


def saying(settings: Settings, program: str) -> Settings:
    """The key is what a Python program prints."""
    command = shlex.join([sys.executable, "-c", program])
    return settings.model_copy(update={"secret_key_command": command})


def test_a_file_of_an_earlier_version_with_one_key_goes_on_working(settings: Settings):
    settings.home.mkdir()
    (settings.home / "secret.key").write_text(f"{OLD}\n")
    (settings.home / "secret.key").chmod(0o600)
    sealed = seal(TOKEN, 7, settings)

    made = add_key(settings.home, "2026-11-27 01:20 UTC by alice")

    assert unseal(sealed, 7, settings) == TOKEN
    assert [key.value == bytes([1]) * 32 for key in known_keys(settings)] == [False, True]
    assert the_key(settings) == made
    assert key_id_of(seal(TOKEN, 7, settings)) == made.id
    assert stat.S_IMODE((settings.home / "secret.key").stat().st_mode) == 0o600
    assert [path.name for path in settings.home.iterdir()] == ["secret.key"]


def test_a_remark_is_kept_through_changes_and_cannot_begin_a_line(settings: Settings):
    add_key(settings.home, f"by eve\n{OLD}")
    change_file(settings.home, lambda there: [*there, keys.Key(bytes(32))])

    assert [key.remark for key in known_keys(settings)] == [f"by eve {OLD}", ""]


def test_the_file_is_read_at_each_need_so_whoever_runs_finds_a_new_key(settings: Settings):
    """Running workers and web hold old settings, and none of them keeps a key."""
    first = made_key(settings.home)

    second = add_key(settings.home, "")

    assert known_keys(settings) == [second, first]


def test_a_full_disk_leaves_the_old_file(settings: Settings, monkeypatch: pytest.MonkeyPatch):
    first = made_key(settings.home)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(KeyProblem, match="No space left"):
        add_key(settings.home, "")

    assert known_keys(settings) == [first]
    assert [path.name for path in settings.home.iterdir()] == ["secret.key"]


def test_the_environment_holds_several_with_commas_the_newest_first(settings: Settings):
    old, both = (settings.model_copy(update={"secret_key": SecretStr(text)}) for text in (OLD, f"{NEW}, {OLD}"))
    sealed = seal(TOKEN, 7, old)

    assert unseal(sealed, 7, both) == TOKEN
    with pytest.raises(KeyProblem, match="sealed with another key"):
        unseal(seal(TOKEN, 7, both), 7, old)


def test_a_command_says_the_keys_and_is_asked_once_in_a_while(settings: Settings, tmp_path: Path):
    asked = tmp_path / "asked"
    given = saying(settings, f"open({str(asked)!r}, 'a').write('x'); print('{NEW}\\n{OLD}')")

    for _ in range(3):
        assert unseal(seal(TOKEN, 7, given), 7, given) == TOKEN

    assert [key.value[0] for key in known_keys(given)] == [2, 1]
    assert asked.read_text() == "x"
    assert not settings.home.exists()


def test_a_key_that_a_command_did_not_name_is_asked_for_once_more(
    settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    """A worker that asked before the rotation finds the new key without a new start."""
    (tmp_path / "keys").write_text(OLD)
    given = saying(settings, f"print(open({str(tmp_path / 'keys')!r}).read())")
    assert len(known_keys(given)) == 1
    sealed = seal(TOKEN, 7, settings.model_copy(update={"secret_key": SecretStr(NEW)}))
    (tmp_path / "keys").write_text(f"{NEW}\n{OLD}")
    clock = keys.time.monotonic
    monkeypatch.setattr(keys.time, "monotonic", lambda: clock() + 2)

    assert unseal(sealed, 7, given) == TOKEN


def test_a_command_runs_without_a_shell(settings: Settings, tmp_path: Path):
    """What stands in the setting is never expanded, and starts nothing else."""
    given = settings.model_copy(update={"secret_key_command": f"echo $HOME; touch {tmp_path / 'made'}"})

    with pytest.raises(KeyProblem, match="is not a key"):
        known_keys(given)

    assert not (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("program", "said"),
    [
        ("print('c4nary'); import sys; sys.exit('c4nary')", "ended with code 1"),
        ("print('c4nary')", "is not a key"),
        ("", "is not a key"),
        ("import time; print('c4nary', flush=True); time.sleep(30)", "did not end within 0.3 seconds"),
    ],
)
def test_what_a_command_says_is_repeated_nowhere(
    settings: Settings, program: str, said: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
):
    """Its output is never logged: neither stdout nor stderr, also where it fails."""
    monkeypatch.setattr(keys, "SECONDS_FOR_THE_COMMAND", 0.3)

    with pytest.raises(KeyProblem, match=said) as problem:
        known_keys(saying(settings, program))

    assert "c4nary" not in f"{problem.value}{problem.value.next_step}{capfd.readouterr()}"
    assert problem.value.__cause__ is None
    assert problem.value.__suppress_context__ or problem.value.__context__ is None


@pytest.mark.parametrize(("command", "said"), [("/no/such/program", "cannot be run"), ("echo 'x", "quote")])
def test_a_command_that_cannot_be_run_is_said(settings: Settings, command: str, said: str):
    with pytest.raises(KeyProblem, match=said):
        known_keys(settings.model_copy(update={"secret_key_command": command}))


def test_a_variable_and_a_command_at_once_are_refused(settings: Settings):
    both = settings.model_copy(update={"secret_key": SecretStr(OLD), "secret_key_command": "echo"})

    with pytest.raises(KeyProblem, match="are both set"):
        the_key(both)


def test_no_key_shows_itself(settings: Settings):
    made_key(settings.home)
    (key,) = known_keys(settings)

    assert str(key.value) not in repr(key) + repr(keys._Said("echo", [key], 0.0))
