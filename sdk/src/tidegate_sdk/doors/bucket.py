"""The door to a folder in S3, or in what speaks like it: asked and answered as a folder of this machine is."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any, BinaryIO
from urllib.parse import quote, unquote
from xml.parsers import expat

from ..ask import Ask
from ..errors import Incomplete, NotFound, VendorChanged
from ..limits import Limits
from . import Answer
from .folder import parts_of
from .http import HttpDoor

_SAFE = "/-_.~"
_FIELDS = {"Key", "LastModified", "Size", "Prefix", "IsTruncated", "NextContinuationToken"}
_LONGEST = 2**24
"""Bytes of one page: a thousand keys of a thousand bytes, each quoted."""


class BucketDoor:
    """Lists what lies below a prefix, a thousand keys a question, and fetches objects to the disk for their reader."""

    def __init__(self, http: HttpDoor, prefix: str, *, limits: Limits) -> None:
        self._http, self._prefix, self._limits = http, prefix, limits

    @property
    def requests(self) -> int:
        return self._http.requests

    @property
    def calls(self) -> Counter[str]:
        return self._http.calls

    async def ask(self, ask: Ask) -> Answer:
        """A listing, or an object for the Ask's reader."""
        if ask.path == "" or ask.path.endswith("/"):
            return Answer(await self._list(ask.path))
        if ask.reader is None:
            raise VendorChanged(f"{ask.path} is a file and needs a reader.")
        key = self._prefix + "/".join(parts_of(ask.path))
        return await self._http.ask(Ask(quote(key, safe=_SAFE), reader=ask.reader))

    async def aclose(self) -> None:
        await self._http.aclose()

    async def _list(self, path: str) -> list[dict[str, Any]]:
        """The entries of a folder. S3 has none without an object in it, so an empty one is not there."""
        below = self._prefix + "".join(f"{part}/" for part in parts_of(path))
        found: list[dict[str, Any]] = []
        token = ""
        while True:
            entries, following = await self._page(below, token)
            found += [row for entry in entries if (row := _row(path, entry, below)) is not None]
            if len(found) > self._limits.entries:
                raise Incomplete(f"The folder {path or '/'} has more than {self._limits.entries:,} entries.")
            if not following:
                break
            if following == token:
                raise Incomplete(f"The listing of {path or '/'} repeats a page.")
            token = following
        if not found:
            raise NotFound(
                f"There is nothing below {below or 'the root of the bucket'}.",
                "Check bucket and prefix, and what wrote there.",
            )
        return sorted(found, key=lambda row: row["name"].encode("utf-8", "surrogatepass"))

    async def _page(self, below: str, token: str) -> tuple[list[dict[str, str]], str]:
        """Some entries, and the token of the next page; "" at the end."""
        query = {"list-type": "2", "delimiter": "/", "encoding-type": "url", "prefix": below}
        if token:
            query["continuation-token"] = token
        told = "&".join(f"{name}={quote(value, safe='')}" for name, value in query.items())
        answer = await self._http.ask(Ask(f"?{told}", reader=_entries))
        if answer.stream is None:
            raise VendorChanged("A listing came without a body.")
        try:
            *entries, end = await asyncio.to_thread(lambda: list(answer.stream.rows()))  # type: ignore[union-attr]
        finally:
            answer.stream.close()
        if end.get("IsTruncated") not in ("true", "false"):
            raise VendorChanged("A listing does not say whether it goes on.")
        if end["IsTruncated"] == "false":
            return entries, ""
        if not end.get("NextContinuationToken"):
            raise VendorChanged("A listing goes on, and does not say how.")
        return entries, end["NextContinuationToken"]


def _row(path: str, entry: dict[str, str], below: str) -> dict[str, Any] | None:
    """An entry as a folder's listing tells it; None for one that no path can name, and for the folder itself."""
    is_folder = "Key" not in entry
    whole = unquote(entry["Prefix"] if is_folder else entry["Key"], errors="replace")
    if not whole.startswith(below):
        raise VendorChanged(f"A listing of {below} holds {whole[:200]}.")
    name = whole[len(below) :].removesuffix("/") if is_folder else whole[len(below) :]
    if name in ("", ".", "..") or "\0" in name or "\ufffd" in name:
        return None
    return {
        "name": name,
        "path": f"{path}{name}/" if is_folder else f"{path}{name}",
        "folder": is_folder,
        "size": 0 if is_folder else _number(entry.get("Size")),
        "modified": _UNKNOWN if is_folder else _moment(entry.get("LastModified")),
    }


_UNKNOWN = "1970-01-01T00:00:00+00:00"
"""A folder of S3 has no time of its own."""


def _entries(file: BinaryIO) -> Iterator[dict[str, str]]:
    """The objects and folders of one page, each with its fields; the last row holds those of the page itself."""
    data = file.read(_LONGEST + 1)
    if len(data) > _LONGEST:
        raise VendorChanged("A listing has more bytes than a thousand keys need.")
    found: list[dict[str, str]] = []
    page: dict[str, str] = {}
    path: list[str] = []
    words: list[str] = []

    def start(name: str, attributes: dict[str, str]) -> None:
        path.append(name)
        words.clear()
        if path[1:] in (["Contents"], ["CommonPrefixes"]):
            found.append({})

    def end(name: str) -> None:
        told, where = "".join(words), path[1:]
        words.clear()
        path.pop()
        if name in _FIELDS and len(where) == 1:
            page[name] = told
        elif name in _FIELDS and len(where) == 2 and where[0] in ("Contents", "CommonPrefixes"):
            found[-1][name] = told

    def refuse(*_: object) -> None:
        raise VendorChanged("A listing is XML with a document type, which is not read.")

    parser = expat.ParserCreate()
    parser.StartElementHandler, parser.EndElementHandler = start, end
    parser.CharacterDataHandler, parser.StartDoctypeDeclHandler = words.append, refuse
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise VendorChanged(f"A listing is not XML ({error}).") from None
    if any(not (entry.get("Key") or entry.get("Prefix")) for entry in found):
        raise VendorChanged("A listing has an entry without a name.")
    yield from (*found, page)


def _number(told: str | None) -> int:
    if told is None or not told.isdecimal():
        raise VendorChanged("A listing has an object without a size.")
    return int(told[:18])


def _moment(told: str | None) -> str:
    try:
        at = datetime.fromisoformat(told or "")
    except ValueError:
        raise VendorChanged("A listing has an object without a time.") from None
    if at.tzinfo is None:
        raise VendorChanged("A listing has a time without a zone.")
    return at.isoformat()
