"""What goes wrong with a file that a folder's door leads to, before it is read and while it is read."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

Damage = Callable[[Path], bool]
"""Damages one file; False where it has nothing to damage there."""

OUTSIDE = "tidegate-read-this-outside-of-the-folder"


def _bytes(change: Callable[[bytes], bytes | None]) -> Damage:
    def damage(file: Path) -> bool:
        content = change(file.read_bytes())
        if content is not None:
            keep_time(file, content)
        return content is not None

    return damage


def keep_time(file: Path, content: bytes) -> None:
    """Writes the file and leaves its modification time as it was."""
    time = file.stat().st_mtime_ns
    file.write_bytes(content)
    os.utime(file, ns=(time, time))


def _cut(part: float) -> Damage:
    return _bytes(lambda content: content[: int(len(content) * part)])


def _amid(poison: bytes) -> Damage:
    def change(content: bytes) -> bytes | None:
        found = re.search(rb'[:>]\s*"?[A-Za-z]', content)
        return None if found is None else content[: found.end()] + poison + content[found.end() :]

    return _bytes(change)


def _entity_bomb(content: bytes) -> bytes | None:
    if not content.lstrip().startswith(b"<?xml"):
        return None
    levels = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
    head, end, rest = content.partition(b"?>")
    rest = re.sub(rb">([^<>\s][^<>]*)<", b">&e9;<", rest, count=1)
    return head + end + f'<!DOCTYPE bomb [<!ENTITY e0 "ha">{levels}]>'.encode() + rest


def _gone(file: Path) -> bool:
    file.unlink()
    return True


def _link_out(file: Path) -> bool:
    outside = file.parent / f"{file.name}.outside"
    target = _root(file).parent / f"outside-{file.name}"
    target.write_bytes(
        re.sub(rb'("(?:text|title|name|message)"\s*:\s*)"[^"\\]*"', rb'\1"%s"' % OUTSIDE.encode(), file.read_bytes())
    )
    outside.symlink_to(target)
    outside.replace(file)
    return True


def _link_loop(file: Path) -> bool:
    file.unlink()
    file.symlink_to(file.name)
    return True


def _folder_instead(file: Path) -> bool:
    file.unlink()
    file.mkdir()
    return True


def _pipe_instead(file: Path) -> bool:
    file.unlink()
    os.mkfifo(file)
    return True


def _forbidden(file: Path) -> bool:
    file.chmod(0)
    return True


def _strangers(file: Path) -> bool:
    for name in ("notes.txt", ".hidden.json", f"{file.name}.part", f"{file.name}~", "a\nb.json", "empty.json"):
        (file.parent / name).write_bytes(b"")
    (file.parent / "a folder.json").mkdir(exist_ok=True)
    shutil.copy2(file, file.parent / f".{file.name}.tmp")
    return True


def _odd_name(file: Path) -> bool:
    try:
        Path(os.fsdecode(os.fsencode(file.parent) + b"/\xff\xfe.json")).write_bytes(b"{}")
    except OSError:  # some file systems take only UTF-8
        return False
    return True


BEFORE: Mapping[str, Damage] = {
    **{f"cut at {part:.0%}": _cut(part) for part in (0.05, 0.33, 0.5, 0.9, 0.99)},
    "cut by one byte": _bytes(lambda content: content.rstrip()[:-1]),
    "emptied": _bytes(lambda content: b""),
    "blank": _bytes(lambda content: b" \n"),
    "a login page": _bytes(lambda content: b"<!doctype html><html><title>Sign in</title></html>"),
    "null": _bytes(lambda content: b"null"),
    "an empty object": _bytes(lambda content: b"{}"),
    "an empty list": _bytes(lambda content: b"[]"),
    "followed by more": _bytes(lambda content: content + content),
    "nested 10,000 deep": _bytes(lambda content: b"[" * 10_000 + b"]" * 10_000),
    "nested 100,000 objects deep": _bytes(lambda content: b'{"a":' * 100_000 + b"1" + b"}" * 100_000),
    "invalid UTF-8": _amid(b"\xff\xfe\x80"),
    "a raw NUL": _amid(b"\x00"),
    "a lone surrogate in bytes": _amid(b"\xed\xa0\x80"),
    "byte-order mark": _bytes(lambda content: b"\xef\xbb\xbf" + content),
    "UTF-16": _bytes(lambda content: content.decode("utf-8", "replace").encode("utf-16")),
    "entity bomb": _bytes(_entity_bomb),
    "gone": _gone,
    "a link out of the folder": _link_out,
    "a link to itself": _link_loop,
    "a folder in its place": _folder_instead,
    "a pipe in its place": _pipe_instead,
    "not readable": _forbidden,
    "strangers beside it": _strangers,
    "a name that is no text": _odd_name,
}
"""Before the run."""

LATER: Mapping[str, Damage] = {
    "gone": _gone,
    "emptied": _bytes(lambda content: b""),
    "cut": _cut(0.6),
    "grown": _bytes(lambda content: content + b"\n{"),
    "a login page": BEFORE["a login page"],
    "a link out of the folder": _link_out,
    "a pipe in its place": _pipe_instead,
}
"""Between the listing and the reading, or after the first batch."""


def files_of(root: Path) -> list[Path]:
    """Every file of a tree, in order."""
    return sorted(file for file in root.rglob("*") if file.is_file() and not file.is_symlink())


def _root(file: Path) -> Path:
    """The folder that the World was written into; see suite.py, which names it so."""
    return next(folder for folder in file.parents if folder.name == "root")
