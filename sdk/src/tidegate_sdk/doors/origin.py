"""Where questions may go: below one location, at one origin; links and redirects do not lead away. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from itertools import chain
from typing import Any
from urllib.parse import unquote

import httpx2

from ..ask import Ask
from ..errors import AddressRefused, VendorChanged

_LAST_PORT = 65_535
_ODD = re.compile("[?#@]")  # beside the parameters: others, a fragment, a user
_LOCATION_STEP = "Enter the address as a browser shows it, beginning with https://."
_AWAY = "If the tool has moved, enter its new address as the location; the credential is sent nowhere else."
_DOWNGRADE = "Ask the tool's administrator why it leads away from https; Tidegate does not follow."


class Origin:
    """The location of a Connection, parsed. Raises AddressRefused where it is no http(s) URL."""

    def __init__(self, location: str) -> None:
        try:
            url = httpx2.URL(location.strip())
            bare = url.copy_with(userinfo=b"", query=None, fragment=None)
        except (httpx2.InvalidURL, ValueError):  # their words may quote half a password
            raise AddressRefused("The location is not a URL.", _LOCATION_STEP) from None
        if url.scheme not in ("http", "https") or not url.host:
            raise AddressRefused("The location is not an http or https URL with a host.", _LOCATION_STEP)
        if url.port is not None and not 1 <= url.port <= _LAST_PORT:
            raise AddressRefused(f"The location's port {url.port} is none: 1 to {_LAST_PORT}.", _LOCATION_STEP)
        self._place, self._shown, self._below = _place(bare), _shown(bare), bare.raw_path.decode()
        scheme, host, port = self._place
        self._upgraded = ("https", host, None) if (scheme, port) == ("http", None) else self._place
        self.secure = scheme == "https"

    def __str__(self) -> str:
        return self._shown

    def url(self, ask: Ask) -> httpx2.URL:
        """The URL of a question: below the location, at the root of its host, or a link that stays at its origin."""
        path, below = ask.path, self._below
        if path.startswith("//"):
            text = f"{self._place[0]}:{path}"
        elif "://" in path.partition("?")[0]:
            text = path
        elif path.startswith("/"):
            text = f"{self}{path}"
        else:
            text = f"{self}{below.rstrip('/')}/{path}" if path else f"{self}{below}"
        if ".." in unquote(path.partition("?")[0]).split("/"):
            raise VendorChanged(f"{name(ask)} climbs out of the location.")
        try:
            url = _parsed(text, ask.query)
        except (httpx2.InvalidURL, TypeError, ValueError):
            raise VendorChanged(f"{name(ask)} is not a URL.") from None
        if _place(url) != self._place:
            raise AddressRefused(f"A link of the vendor leads to {_shown(url)}, away from {self}.", _AWAY)
        return url

    def redirect(self, ask: Ask, url: httpx2.URL, response: httpx2.Response) -> httpx2.URL:
        """Where a redirect leads, if it may be followed: the same origin, or the same host's https instead of http."""
        try:
            target = url.join(response.headers["location"]).copy_with(userinfo=b"", fragment=None)
        except (httpx2.InvalidURL, ValueError):
            raise VendorChanged(f"{name(ask)} is redirected to something that is not a URL.") from None
        if url.scheme == "https" and target.scheme != "https":
            raise AddressRefused(f"{name(ask)} is redirected from https to {_shown(target)}.", _DOWNGRADE)
        if not self.is_home(target):
            raise AddressRefused(f"{name(ask)} is redirected to {_shown(target)}, away from {self}.", _AWAY)
        if ask.method.upper() not in ("GET", "HEAD") and response.status_code not in (307, 308):
            raise VendorChanged(f"{name(ask)} is redirected to {_shown(target)} in a way that drops its content.")
        return target

    def is_home(self, url: httpx2.URL) -> bool:
        """Whether the credential may go there: this origin, or the same host by https instead of http."""
        return _place(url) in (self._place, self._upgraded)


@lru_cache(maxsize=100)
def origin_of(location: str) -> Origin:
    """The same location is opened again and again: once a run by each Operation. Raises what Origin raises."""
    return Origin(location)


def _parsed(text: str, query: Mapping[str, Any]) -> httpx2.URL:
    """The URL with these parameters. Reading one costs more than the rest of a question, so it is read once if it can
    be, and not again where the same question comes again."""
    try:
        return _read_once(text, *chain.from_iterable(query.items()))
    except TypeError:  # a value that cannot be compared: a list
        return _read(text, dict(query))


@lru_cache(maxsize=500, typed=True)
def _read_once(text: str, *query: Any) -> httpx2.URL:
    return _read(text, dict(zip(query[::2], query[1::2], strict=True)))


def _read(text: str, query: dict[str, Any]) -> httpx2.URL:
    if not _ODD.search(text):
        return httpx2.URL(text, params=query) if query else httpx2.URL(text)
    url = httpx2.URL(text).copy_with(userinfo=b"", fragment=None)
    return url.copy_merge_params(query) if query else url


def authority(url: httpx2.URL) -> str:
    """Who is asked, as `host:port`: one name for it, however the location is spelled."""
    port = url.port or (443 if url.scheme == "https" else 80)
    return f"{url.raw_host.decode().lower().rstrip('.')}:{port}"


def name(ask: Ask) -> str:
    """The question in an error: the method and the path, never the query, where credentials may stand."""
    path = ask.path.partition("?")[0].partition("#")[0]
    if "://" in path:
        path = "/" + path.partition("://")[2].partition("/")[2]
    return f"{ask.method} {path or '/'}"


def _place(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _shown(url: httpx2.URL) -> str:
    """Only scheme, host and port: what a link or redirect carries besides may be a secret."""
    return f"{url.scheme}://{url.netloc.decode()}"
