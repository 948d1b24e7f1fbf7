"""Where a Tool plays against its World's vendor: a transport that asks the vendor, and lets one fault strike."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from fnmatch import fnmatchcase
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import quote

import httpx2

from ..ask import List, Row
from ..limits import Limits
from ..tool import Bucket, Http, Tool
from .world import UNANSWERED, Answer, Exchange, Fault, Key, Request, Vendor, World

MANY = 2_000
"""More requests than any fixture needs: the walk does not end."""
PATIENT, HURRIED = Limits(), Limits(page_seconds=0.05, stream_seconds=0.05)


class Stage(httpx2.AsyncBaseTransport):
    """Answers as the vendor does, but for the fault, from the request of that number on. Remembers what was asked."""

    def __init__(self, world: World, vendor: Vendor, tool: Tool[Any], fault: Fault | None = None, number: int = 1):
        door = tool.door()
        http = door.http if isinstance(door, Bucket) else door
        location = httpx2.URL(http.location if isinstance(http, Http) else "")
        self.origin = location.host
        self._secure = location.scheme == "https"
        self.secrets = tool.secrets()
        self.exchanges: list[Exchange] = []
        self.unanswered: list[Request] = []
        self.leaks: list[str] = []
        self.struck: list[Exchange] = []
        self.limits = HURRIED if fault is not None and fault.slow else PATIENT
        self._allowed = {self.origin, *world.hosts}
        self._totals = world.totals
        self._documents = world.documents
        self._vendor = vendor
        self._fault = fault
        self._number = number
        self._question: tuple[str, str, bytes] | None = None
        self._asked = 0
        self._list: List[Any] | None = None
        self._of: str | Callable[[Row], str] | None = None
        self.key: Key = ("", "", "")
        self._earlier: tuple[Answer, ...] = ()

    @property
    def unasked(self) -> list[str]:
        """What the vendor could have said and was not asked for, where it knows."""
        return getattr(self._vendor, "unasked", [])

    def begin(self, list_: List[Any] | None, key: Key, of: str | Callable[[Row], str] | None = None) -> None:
        """The requests that follow belong to this list, or ask about this VEP. `of`: see Exchange."""
        self._list = list_
        self._of = of
        self.key = key
        self._earlier = ()

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        asked = _request(request, await request.aread())
        self._asked += 1
        if self._asked > MANY:
            raise AssertionError("The walk does not end.")
        self._watch(asked)
        answer = self._vendor.answer(asked)
        if answer is UNANSWERED:
            self.unanswered.append(asked)
        exchange = self._exchange(asked, answer)
        self.exchanges.append(exchange)
        return _response(self._struck(exchange) or answer)

    def _exchange(self, asked: Request, answer: Answer) -> Exchange:
        if any(fnmatchcase(asked.path, pattern) for pattern in self._documents):
            return Exchange(asked, answer, key=self.key, document=True)
        earlier, self._earlier = self._earlier, (*self._earlier, answer)
        return Exchange(asked, answer, self._list, self.key, earlier, self._totals, self._of)

    def _watch(self, asked: Request) -> None:
        if asked.host not in self._allowed:
            self.leaks.append(f"A request went to {asked.host}.")
        if self._secure and not asked.url.startswith("https:"):
            self.leaks.append(f"A request went to {asked.host} without TLS.")
        if asked.host == self.origin:
            return
        told = " ".join([asked.url, *asked.headers.values(), asked.content.decode("utf-8", "replace")])
        if spoken(self.secrets, told) and asked.host not in self._allowed:
            self.leaks.append(f"A credential went to {asked.host}.")

    def _struck(self, exchange: Exchange) -> Answer | None:
        if self._fault is None or not self._is_time(exchange.request):
            return None
        done = self._fault.strike(exchange)
        if done is not None:
            self.struck.append(exchange)
        if isinstance(done, Exception):
            raise done
        return done

    def _is_time(self, asked: Request) -> bool:
        if self._asked == self._number:
            self._question = asked.question
            return True
        if self._fault is None or self._fault.lasts == "once" or self._asked < self._number:
            return False
        return self._fault.lasts == "ever" or asked.question == self._question


@lru_cache(maxsize=1_000)
def spellings(secret: str) -> tuple[str, ...]:
    """A secret as it may travel: plain, quoted for a URL, in base64."""
    coded = base64.b64encode(secret.encode()).decode()
    return secret, quote(secret, safe=""), coded, coded.rstrip("=")


def spoken(secrets: Iterable[str], text: str) -> bool:
    """Whether the text says one of the secrets, in any spelling."""
    return any(spelling in text for secret in secrets if secret for spelling in spellings(secret))


def _request(request: httpx2.Request, content: bytes) -> Request:
    url = str(request.url)
    repeatable = bool(request.extensions.get("repeatable"))
    # Not dict(headers): that looks for each name among all of them.
    return Request(request.method, url, *_parts(url), dict(request.headers.items()), content, repeatable)


@lru_cache(maxsize=2_000)
def _parts(url: str) -> tuple[str, str, Mapping[str, str]]:
    """Host, path and query: the same questions are asked in every run."""
    read = httpx2.URL(url)
    return read.host, read.path, MappingProxyType(dict(read.params))


def _response(answer: Answer) -> httpx2.Response:
    headers = dict(answer.headers)
    if answer.content is None:
        headers.setdefault("content-type", "application/json")
    return httpx2.Response(answer.status, headers=headers, stream=_Body(answer))


class _Body(httpx2.AsyncByteStream):
    def __init__(self, answer: Answer) -> None:
        self._answer = answer

    async def __aiter__(self) -> AsyncIterator[bytes]:
        content, breaks = self._answer.wire, self._answer.breaks
        for start in range(0, len(content), 65_536):
            yield content[start : start + 65_536]
        if self._answer.drips:
            await asyncio.Event().wait()
        if breaks is not None:
            raise breaks
