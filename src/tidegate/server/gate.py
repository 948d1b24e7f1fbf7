"""What every request passes before a page sees it: methods, sizes, names of this host; and what every answer carries.

An ASGI application around another one. It answers by itself what has to be answered when nothing else works.
"""

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from django.http.request import split_domain_port, validate_host

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LONGEST_TARGET = 2048
LONGEST_HEAD = 16 * 1024

# Nothing is loaded from elsewhere, nothing runs, nobody frames us, and no answer is kept: pages tell of weaknesses.
CARRIED: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'none';"
        " frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Refused(Exception):
    """A request that no page sees."""

    def __init__(self, status: int, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.status, self.sentence, self.headers = status, sentence, headers


def gate(inner: Application, hosts: Sequence[str], also_by_address: frozenset[str]) -> Application:
    """Lets through GET and HEAD without a body, for a name of this host. Paths of `also_by_address` may be asked for by
    any IP address too: whoever watches from outside has no name for us."""

    async def application(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        begun = False

        async def carrying(message: MutableMapping[str, Any]) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                message = {**message, "headers": carried(message.get("headers", []))}
            await send(message)

        try:
            check(scope, hosts, also_by_address)
            await inner(scope, receive, carrying)
        except Refused as refused:
            await answer(scope, carrying, refused.status, refused.sentence, refused.headers)
        except Exception:
            log.exception("A request met something it was not made for")
            if not begun:
                await answer(scope, carrying, 500, "Tidegate met something it was not made for; its log says what.")

    return application


def check(scope: Scope, hosts: Sequence[str], also_by_address: frozenset[str]) -> None:
    """Raises Refused for what no page wants to see."""
    headers: Headers = scope["headers"]
    if scope["method"] not in ("GET", "HEAD"):
        raise Refused(405, "Only GET and HEAD are answered here.", Allow="GET, HEAD", Connection="close")
    if has_body(headers):
        raise Refused(413, "A request with a body is not read here.", Connection="close")
    if len(scope["raw_path"]) + len(scope["query_string"]) > LONGEST_TARGET:
        raise Refused(414, "The address is too long.")
    if sum(len(name) + len(value) for name, value in headers) > LONGEST_HEAD:
        raise Refused(431, "The headers are too long.")
    names = [value.decode("latin-1") for name, value in headers if name == b"host"]
    name = split_domain_port(names[0])[0] if len(names) == 1 else ""
    if name and validate_host(name, hosts):
        return
    # Without a name (HTTP/1.0) or by address no page of another site can have sent it here through a person's browser.
    if scope["path"] in also_by_address and (not names or is_address(name)):
        return
    raise Refused(400, "Tidegate is not called that. TIDEGATE_HOSTS says by which names it may be asked for.")


def has_body(headers: Headers) -> bool:
    return any(
        name == b"transfer-encoding" or (name == b"content-length" and value.strip() != b"0") for name, value in headers
    )


def is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True


def carried(headers: Any) -> Headers:
    """The headers of an answer, and beside them what every answer carries unless it says otherwise."""
    given = [(name.lower(), value) for name, value in headers]
    said = {name for name, _ in given}
    return given + [
        (name.lower().encode(), value.encode()) for name, value in CARRIED.items() if name.lower().encode() not in said
    ]


async def answer(
    scope: Scope,
    send: Send,
    status: int,
    body: bytes | str,
    headers: Mapping[str, str] | None = None,
    kind: str = "text/plain; charset=utf-8",
) -> None:
    """A whole answer at once; a HEAD gets its headers alone."""
    content = f"{body}\n".encode() if isinstance(body, str) else body
    all_headers = {"Content-Type": kind, "Content-Length": str(len(content)), **(headers or {})}
    pairs = [(name.lower().encode(), value.encode("latin-1")) for name, value in all_headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": pairs})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else content})
