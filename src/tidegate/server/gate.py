"""What every request passes before a page sees it: methods, sizes, names of this host; and what every answer carries.

An ASGI application around another one. It answers by itself what has to be answered when nothing else works.
"""

import ipaddress
import logging
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from django.http.request import split_domain_port, validate_host

from tidegate.api.problem import KIND, TITLES, body_of

log = logging.getLogger(__name__)

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Headers = list[tuple[bytes, bytes]]

LONGEST_TARGET = 2048
LONGEST_TARGET_OF_THE_API = 8192
"""A search and the names of fields stand in the address there, and a letter may take nine characters."""
LONGEST_HEAD = 16 * 1024

LARGEST_FILE = 8 * 1024 * 1024
"""Of mappings: those of 20,000 Records."""

API = "/api/"
READING = ("GET", "HEAD")
# Where more than reading is answered: the methods, and how large a body may be.
OPEN: Mapping[str, tuple[tuple[str, ...], int]] = {
    "/api/v1/mappings/import": ((*READING, "POST", "PUT", "PATCH", "DELETE"), LARGEST_FILE),
    "/api/": ((*READING, "POST", "PUT", "PATCH", "DELETE"), 1024 * 1024),
    "/account/": ((*READING, "POST"), 64 * 1024),
    "/setup": ((*READING, "POST"), 64 * 1024),
    **dict.fromkeys(
        (
            "/connectors/",
            "/connections/",
            "/inbox/",
            "/records/",
            "/operations/",
            "/products/",
            "/findings/",
            "/settings/",
            "/steps/",
            "/rules/",
        ),
        ((*READING, "POST"), 512 * 1024),
    ),
}

NEXT_STEPS: Mapping[str, str] = {
    "host": "Ask for it by one of its names; whoever runs it may add one to TIDEGATE_HOSTS.",
    "too-large": "Send less at a time.",
    "too-long": "Ask for less at a time, or for fewer fields.",
    "headers": "Send fewer or shorter headers.",
    "broken": "Report what the log says.",
}
"""What to do next, by the kind of problem."""

# Nothing is loaded from elsewhere, nothing runs but files of ours, nobody frames us, and no answer is kept: pages tell
# of weaknesses.
CARRIED: Mapping[str, str] = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; connect-src 'self'; style-src 'self'; img-src 'self'; base-uri 'none';"
        " form-action 'self'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Referrer-Policy": "same-origin",  # without it a browser hides where a form came from, and no form is believed
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}


class Refused(Exception):
    """A request that no page sees, and no route of the API. `kind` is the problem's."""

    def __init__(self, kind: str, sentence: str, **headers: str) -> None:
        super().__init__(sentence)
        self.kind, self.sentence, self.headers = kind, sentence, headers


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
            await inner(scope, measured(receive, opened(scope["path"])[1]), carrying)
        except Refused as refused:
            await refuse(scope, carrying, refused)
        except Exception:
            log.exception("A request met something it was not made for")
            if not begun:
                await refuse(
                    scope, carrying, Refused("broken", "Tidegate met something it was not made for; its log says what.")
                )

    return application


async def refuse(scope: Scope, send: Send, refused: Refused) -> None:
    """A sentence where people look; under /api/ a problem of RFC 9457, as the API's own refusals are."""
    status, _ = TITLES[refused.kind]
    if not scope["path"].startswith(API):
        await answer(scope, send, status, refused.sentence, refused.headers)
        return
    _, body = body_of(refused.kind, refused.sentence, NEXT_STEPS[refused.kind])
    await answer(scope, send, status, body, refused.headers, kind=KIND)


def check(scope: Scope, hosts: Sequence[str], also_by_address: frozenset[str]) -> None:
    """Raises Refused for what no page wants to see."""
    headers: Headers = scope["headers"]
    path, (methods, largest) = scope["path"], opened(scope["path"])
    of_api = path.startswith(API)  # each address there says by itself which methods it takes, and what has no body
    if scope["method"] not in methods and not of_api:
        said = " and ".join((", ".join(methods[:-1]), methods[-1]))
        raise Refused("method", f"Only {said} are answered here.", Allow=", ".join(methods), Connection="close")
    if has_body(headers) and not of_api and (not largest or scope["method"] in READING):
        raise Refused("too-large", "A request with a body is not read here.", Connection="close")
    if any(name == b"content-length" and length_of(value) > largest for name, value in headers):
        raise Refused("too-large", f"A body may have {largest:,} bytes here.", Connection="close")
    longest = LONGEST_TARGET_OF_THE_API if of_api else LONGEST_TARGET
    if len(scope["raw_path"]) + len(scope["query_string"]) > longest:
        raise Refused("too-long", "The address is too long.")
    if sum(len(name) + len(value) for name, value in headers) > LONGEST_HEAD:
        raise Refused("headers", "The headers are too long.")
    names = [value.decode("latin-1") for name, value in headers if name == b"host"]
    name = split_domain_port(names[0])[0] if len(names) == 1 else ""
    if name and validate_host(name, hosts):
        return
    # Without a name (HTTP/1.0) or by address no page of another site can have sent it here through a person's browser.
    if path in also_by_address and (not names or is_address(name)):
        return
    raise Refused("host", "Tidegate is not called that. TIDEGATE_HOSTS says by which names it may be asked for.")


def opened(path: str) -> tuple[tuple[str, ...], int]:
    """The methods that are answered at this path, and how large a body may be there."""
    return next((allowed for beginning, allowed in OPEN.items() if path.startswith(beginning)), (READING, 0))


def length_of(value: bytes) -> int:
    """What a Content-Length says; more than anything where it is no number."""
    return int(value) if value.strip().isdigit() and len(value) < 19 else 2**63


def measured(receive: Receive, largest: int) -> Receive:
    """What arrives, until it is more than may arrive: a length need not be told, and need not be true."""
    arrived = 0

    async def following() -> MutableMapping[str, Any]:
        nonlocal arrived
        message = await receive()
        arrived += len(message.get("body", b""))
        if arrived > largest:
            raise Refused("too-large", f"A body may have {largest:,} bytes here.", Connection="close")
        return message

    return following


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
