"""The keys that seal secrets: in a file of the home, in the environment, or what a command says; never in the database.

Wherever they stand they are written alike: one a line (in the environment a comma will do), the newest first; behind a
key may stand a remark. The newest seals, every other still opens what it sealed. A file of an earlier version is the
same with one line. The file is read whenever a key is needed, so that whoever runs finds a new one at once; what a
command says is believed for a while.
"""

from __future__ import annotations

import base64
import binascii
import contextlib
import hashlib
import os
import re
import secrets
import shlex
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fcntl import LOCK_EX, flock
from pathlib import Path

from tidegate.config import Settings

KEY_FILE = "secret.key"
VARIABLE = "TIDEGATE_SECRET_KEY"
COMMAND = "TIDEGATE_SECRET_KEY_COMMAND"

KEY_BYTES = 32
ID_BYTES = 8

SECONDS_FOR_THE_COMMAND = 10.0
SECONDS_A_COMMAND_IS_BELIEVED = 60.0
LONGEST_ANSWER = 64 * 1024


class KeyProblem(Exception):
    """Secrets cannot be sealed or opened. `cause` and `next_step` are sentences; neither repeats a secret."""

    def __init__(self, cause: str, next_step: str) -> None:
        super().__init__(f"{cause} {next_step}")
        self.cause = cause
        self.next_step = next_step


@dataclass(frozen=True)
class Key:
    """32 random bytes, the id under which what they seal can be told, and what was remarked when they were made."""

    value: bytes = field(repr=False)
    remark: str = field(default="", compare=False)

    @property
    def id(self) -> bytes:
        return hashlib.sha256(b"tidegate key id" + self.value).digest()[:ID_BYTES]


def known_keys(settings: Settings) -> list[Key]:
    """Every key, the newest first; none where none was made yet. Raises KeyProblem."""
    if settings.secret_key is not None and settings.secret_key_command:
        raise KeyProblem(f"{VARIABLE} and {COMMAND} are both set, and they may not say the same.", "Unset one of them.")
    if settings.secret_key is not None:
        return keys_of(settings.secret_key.get_secret_value(), VARIABLE)
    if settings.secret_key_command:
        return _said.keys(settings.secret_key_command)
    return keys_of_file(settings.home / KEY_FILE)


def the_key(settings: Settings) -> Key | None:
    """The newest key, which seals; None where there is none yet. Raises KeyProblem."""
    return next(iter(known_keys(settings)), None)


def key_with(id: bytes, settings: Settings) -> Key | None:
    """The key of this id, asked for once more where a command said that there is none. Raises KeyProblem."""
    for look_again in (False, True):
        if look_again and not (settings.secret_key_command and _said.forget()):
            return None
        if found := next((key for key in known_keys(settings) if key.id == id), None):
            return found
    return None


def where(settings: Settings) -> str:
    """Where the keys stand, as a person would name it."""
    if settings.secret_key is not None:
        return VARIABLE
    return f"the command of {COMMAND}" if settings.secret_key_command else str(settings.home / KEY_FILE)


def file_is_ours(settings: Settings) -> bool:
    """Whether Tidegate keeps the keys itself, and so may make a new one."""
    return settings.secret_key is None and not settings.secret_key_command


# As they are written


def keys_of(text: str, place: str) -> list[Key]:
    """The keys of a text, each once. Raises KeyProblem where one is none, or the text has none."""
    keys: dict[Key, None] = {}
    for line in re.split(r"[\n,]", text):
        word, _, remark = line.strip().partition(" ")
        if word:
            keys.setdefault(Key(decoded(word, place), remark.strip(" #")))
    return list(keys) or [Key(decoded("", place))]


def decoded(text: str, where: str) -> bytes:
    """The 32 bytes written as URL-safe base64, with or without padding."""
    try:
        value = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        value = b""
    if len(value) != KEY_BYTES:
        raise KeyProblem(
            f"{where} is not a key: it must be 32 bytes written as URL-safe base64, 43 characters.",
            "Put the right one back; a new one is made by:"
            ' python3 -c "import secrets; print(secrets.token_urlsafe(32))"',
        ) from None
    return value


def written(keys: Sequence[Key]) -> str:
    """The text of a key file."""
    texts = (base64.urlsafe_b64encode(key.value).decode().rstrip("=") for key in keys)
    return "".join(
        f"{text} # {key.remark}\n" if key.remark else f"{text}\n" for text, key in zip(texts, keys, strict=True)
    )


# The file


def keys_of_file(path: Path) -> list[Key]:
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeyProblem(f"The key {path} cannot be read: {error.strerror}.", "Give Tidegate's user access.") from error
    with file:
        mode = os.fstat(file.fileno()).st_mode & 0o777
        if mode & 0o077:
            raise KeyProblem(
                f"The key {path} has mode {mode:04o}, so others may read or change it.",
                f"Run: chmod 600 '{path}' (and renew the secrets if others use this machine).",
            )
        return keys_of(file.read(LONGEST_ANSWER).decode("utf-8", "replace"), str(path))


def made_key(home: Path) -> Key:
    """A new key in the home, mode 0600. Where two processes make one at once, both get the first."""
    path = home / KEY_FILE
    with _written_whole(home, [Key(secrets.token_bytes(KEY_BYTES))]) as draft, contextlib.suppress(FileExistsError):
        os.link(draft, path)  # whole, or not at all; never over another
    keys = keys_of_file(path)
    if not keys:
        raise KeyProblem(f"The key {path} was made and is gone again.", "Find out who removes it, then try again.")
    return keys[0]


def add_key(home: Path, remark: str) -> Key:
    """Puts a new key before those of the file; they still open what they sealed. Raises KeyProblem."""
    made = Key(secrets.token_bytes(KEY_BYTES), " ".join(remark.split()))
    change_file(home, lambda keys: [made, *keys])
    return made


def change_file(home: Path, changed: Callable[[list[Key]], list[Key]]) -> None:
    """Writes the file anew, whole or not at all; who changes it at the same time waits. Raises KeyProblem."""
    with contextlib.ExitStack() as stack:
        try:
            home.mkdir(mode=0o700, parents=True, exist_ok=True)
            folder = os.open(home, os.O_RDONLY | os.O_DIRECTORY)
            stack.callback(os.close, folder)
            flock(folder, LOCK_EX)
        except OSError as error:
            raise _not_made(home, error) from error
        keys = changed(keys_of_file(home / KEY_FILE))
        with _written_whole(home, keys) as draft:
            draft.rename(home / KEY_FILE)


@contextlib.contextmanager
def _written_whole(home: Path, keys: Sequence[Key]) -> Iterator[Path]:
    """A draft beside the file, to be given its name; when this ends that name outlasts a power cut."""
    try:
        home.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = home / f".{KEY_FILE}.{secrets.token_hex(8)}"
        try:
            write_draft(draft, home, written(keys))
            yield draft
        finally:
            draft.unlink(missing_ok=True)
        keep_through_a_power_cut(home)
    except OSError as error:
        raise _not_made(home, error) from error


def _not_made(home: Path, error: OSError) -> KeyProblem:
    return KeyProblem(
        f"The key {home / KEY_FILE} cannot be made: {error.strerror}.",
        f"Give Tidegate's user write access to {home}, or set {VARIABLE}.",
    )


def keep_through_a_power_cut(folder: Path) -> None:
    """Until the folder itself is written, the key's name is not: PostgreSQL would keep what no key opens any more."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_draft(draft: Path, home: Path, text: str) -> None:
    with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        owner = home.stat()
        if os.geteuid() == 0 and owner.st_uid != 0:  # root at work in somebody's home: it stays theirs
            os.fchown(file.fileno(), owner.st_uid, owner.st_gid)
        file.write(text)
        file.flush()
        os.fsync(file.fileno())


# The command


@dataclass(frozen=True)
class _Said:
    command: str
    keys: list[Key] = field(repr=False)
    at: float


class _Command:
    """What the command said last, for all threads of this process."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.said: _Said | None = None

    def keys(self, command: str) -> list[Key]:
        with self.lock:
            said, now = self.said, time.monotonic()
            if said is None or said.command != command or now - said.at > SECONDS_A_COMMAND_IS_BELIEVED:
                said = self.said = _Said(
                    command, keys_of(output_of(command), f"What the command of {COMMAND} says"), now
                )
            return said.keys

    def forget(self) -> bool:
        """Asks anew at the next need; False where it was asked within the second, so that nothing hammers it."""
        with self.lock:
            fresh = self.said is not None and time.monotonic() - self.said.at < 1.0
            if self.said is not None and not fresh:
                self.said = replace(self.said, at=float("-inf"))
            return not fresh


_said = _Command()


def output_of(command: str) -> str:
    """What it writes to stdout. It is run without a shell, so that nothing in the setting is ever expanded; what it
    writes, to stderr as well, is repeated nowhere: there may be a key in it. Raises KeyProblem."""
    failed = f"The command of {COMMAND}"
    step = f"Run it by hand, as Tidegate's user: it must print the keys, the newest first. See what {COMMAND} says."
    try:
        words = shlex.split(command)
        ended = subprocess.run(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=SECONDS_FOR_THE_COMMAND,
            check=False,
        )
    except subprocess.TimeoutExpired:
        # `from None` here and below: the errors hold the output and the command line.
        raise KeyProblem(f"{failed} did not end within {SECONDS_FOR_THE_COMMAND:g} seconds.", step) from None
    except OSError as error:
        raise KeyProblem(f"{failed} cannot be run: {error.strerror}.", step) from None
    except ValueError:
        raise KeyProblem(f"{failed} has a quote that does not end.", step) from None
    if ended.returncode != 0:
        raise KeyProblem(f"{failed} ended with code {ended.returncode}.", step)
    return ended.stdout[:LONGEST_ANSWER].decode("utf-8", "replace")
