"""The process that sends: apprise and what posts to webhooks live here alone, in an environment of their own.

Started by delivery/courier.py as `python -I -m tidegate.delivery.errand`: no home, no proxies, no `.netrc`, no
configuration or plugins of apprise's command. A proxy is used where the errand names one. One JSON line in, one out; it
is killed when it takes too long. Every connection is checked against the address policy on the very address it is made
to, programs cannot be started.
"""

from __future__ import annotations

import json
import logging
import os
import re
import socket
import ssl
import sys
import time
from collections.abc import Iterable
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from ipaddress import ip_address
from typing import Any, Literal, TextIO
from urllib.parse import unquote, urlsplit

from pydantic import SecretStr

from tidegate.delivery.address import Service, Unusable, service_of
from tidegate_sdk.address import AddressPolicy
from tidegate_sdk.errors import AddressRefused
from tidegate_sdk.proxy import Proxy, operators_proxy
from tidegate_sdk.redaction import Redactor

CONNECT_SECONDS = 10.0
READ_SECONDS = 20.0
"""apprise's own 4 seconds make a failure, and a second message, of a service that is only slow."""

LONGEST_ERROR = 300
_SHORTEST_SECRET = 6
_PROGRAMS = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "pty.spawn")


class Refused(OSError):
    """The address policy forbids the connection; an OSError, so that libraries treat it as one."""


class Guard:
    """Watches what this process does; its last refusal is why a message did not go out."""

    def __init__(self) -> None:
        self.policy = AddressPolicy()
        self.proxy: Proxy | None = None
        self.refused = ""
        self._proxies: set[tuple[str, int]] = set()
        sys.addaudithook(self.watch)

    def begin(self, asked: dict[str, Any]) -> None:
        """Takes the rules of one errand."""
        self.policy, self.refused = AddressPolicy(_private(asked["private_networks"])), ""
        if asked["proxy"] and self.proxy is None:
            self.proxy = operators_proxy(SecretStr(asked["proxy"]))
            os.environ |= {"http_proxy": asked["proxy"], "https_proxy": asked["proxy"]}  # requests looks there

    def watch(self, event: str, arguments: tuple[Any, ...]) -> None:
        if event in _PROGRAMS:
            raise Refused(f"{event} is refused here")
        if event == "socket.getaddrinfo":
            self.check(_text(arguments[0]), [])
        elif event in ("socket.connect", "socket.sendto", "socket.sendmsg"):
            sock, address = arguments[:2]
            if getattr(sock, "family", None) in _INTERNET and isinstance(address, tuple) and address:
                host = str(address[0])  # pyright: ignore[reportUnknownArgumentType]
                if _is_address(host):
                    self.check(host, [host], to_proxy=self._is_proxy(host, address[1]))

    def check_target(self, host: str) -> None:
        """What can be known of a host before a proxy is asked to go there; the proxy resolves it itself."""
        try:
            found = socket.getaddrinfo(host, None, type=socket.SOCK_STREAM)
        except socket.gaierror:
            found = []  # a name that only the proxy knows
        self.check(host, [str(one[4][0]) for one in found])

    def _is_proxy(self, host: str, port: int) -> bool:
        """Whoever runs Tidegate named it, so it may live in a private network; never where clouds keep credentials."""
        if self.proxy is None or port != self.proxy.port:
            return False
        if not self._proxies:
            try:
                found = socket.getaddrinfo(self.proxy.host, self.proxy.port, type=socket.SOCK_STREAM)
            except socket.gaierror:
                return False
            self._proxies = {(str(one[4][0]), self.proxy.port) for one in found}
        return (host, port) in self._proxies

    def check(self, host: str, addresses: Iterable[str], *, to_proxy: bool = False) -> None:
        try:
            (AddressPolicy() if to_proxy else self.policy).check(host, addresses)
        except AddressRefused as error:
            self.refused = error.what
            raise Refused(error.what) from None


class Told(logging.Handler):
    """Hears what apprise says; a warning may be repeated to people, a debug line only tells what kind of trouble."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.warning = self.trouble = ""

    def emit(self, record: logging.LogRecord) -> None:
        said = record.getMessage()
        if record.levelno >= logging.WARNING:
            self.warning = self.warning or said
        elif "Exception" in said:
            self.trouble = self.trouble or said


def main() -> None:
    """Answers one line of JSON after the other until its standard input ends."""
    answers = _private_output()
    guard = Guard()
    for line in sys.stdin:
        asked = json.loads(line)
        guard.begin(asked)
        answers.write(json.dumps(_answer(guard, asked)) + "\n")
        answers.flush()


def _private_output() -> TextIO:
    """What libraries print must not be taken for an answer."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
    return answers


def _private(word: str) -> Literal["allow", "refuse"]:
    return "refuse" if word == "refuse" else "allow"


def _answer(guard: Guard, asked: dict[str, Any]) -> dict[str, Any]:
    address = str(asked["address"]).strip()
    if asked["do"] == "post":
        return _posted(guard, address, asked)
    try:
        service, plugin = _opened(address)
    except Unusable as error:
        return {"ok": False, "why": str(error)}
    if asked["do"] == "describe":
        return {"ok": True, "why": "", **_described(service, plugin, address)}
    return _sent(
        guard, plugin, asked, Redactor([*secrets_in(address), *(guard.proxy.secrets() if guard.proxy else ())])
    )


def _opened(address: str) -> tuple[Service, Any]:
    """The service of the address, and apprise's sender to it. Raises Unusable."""
    from apprise import Apprise, AppriseAsset, NotifyFormat, OverflowMode
    from apprise.plugins import url_to_dict

    given, colon, _ = address.partition("://")
    parsed = url_to_dict(address)
    service = service_of(parsed, given.lower() if colon and re.fullmatch(r"[A-Za-z0-9+.-]{1,30}", given) else "")
    asset = AppriseAsset(
        app_id="Tidegate", app_desc="Tidegate", app_url="", image_url_mask="", image_url_logo="", image_path_mask=False,
        storage_mode="memory", http_redirects=False, async_mode=False, allow_templates=False, pgp_autogen=False,
        pem_autogen=False, interpret_emojis=False,
    )  # fmt: skip
    plugin: Any = Apprise.instantiate(parsed or {}, asset=asset)
    if plugin is None:
        raise Unusable(f"That is no complete address of {service.name}. It looks like: {service.example}")
    plugin.verify_certificate, plugin.redirects = True, False
    plugin.retry = 0
    plugin.socket_connect_timeout, plugin.socket_read_timeout = CONNECT_SECONDS, READ_SECONDS
    plugin.overflow_mode = OverflowMode.SPLIT
    formats = plugin.notify_format if isinstance(plugin.notify_format, tuple) else (plugin.notify_format,)
    if NotifyFormat.TEXT in formats:
        plugin.notify_format = NotifyFormat.TEXT
    return service, plugin


def _described(service: Service, plugin: Any, address: str) -> dict[str, Any]:
    """How the address may be shown, and what its owner should know."""
    schema = address.partition("://")[0].lower()
    bare = schema in service.schemas and not plugin.secure and schema + "s" in service.schemas
    if service.name == "Mail":
        bare = str(getattr(plugin, "secure_mode", "")) == "insecure"
    warning = f"What goes to it is not encrypted on its way; {schema.rstrip('s')}s:// would be." if bare else ""
    if service.name == "ntfy" and getattr(plugin, "mode", "") == "cloud":
        warning = ""
    return {"service": service.name, "shown": _shown(service, plugin), "warning": warning}


def _shown(service: Service, plugin: Any) -> str:
    if service.shows == "host":
        host = f"{plugin.host}:{plugin.port}" if plugin.port else str(plugin.host)
        if getattr(plugin, "mode", "") == "cloud":
            host = "ntfy.sh"
        schema = service.schemas[-1] if plugin.secure else service.schemas[0]
        return f"{schema}://{host}/…"
    masked = unquote(plugin.url(privacy=True).partition("?")[0]).rstrip("/")
    if service.name == "Mail":
        to = ", ".join(str(one[1]) for one in plugin.targets)
        schema = "mailtos" if plugin.secure else "mailto"
        return f"{schema}://{plugin.smtp_host}{f':{plugin.port}' if plugin.port else ''} to {to}"
    return masked


def _sent(guard: Guard, plugin: Any, asked: dict[str, Any], redactor: Redactor) -> dict[str, Any]:
    from apprise import NotifyFormat, NotifyType

    told = _listen()
    try:
        if guard.proxy and (host := getattr(plugin, "host", None)):
            guard.check_target(str(host))
        well = plugin.notify(
            title=asked["title"], body=asked["body"], notify_type=NotifyType.INFO, body_format=NotifyFormat.TEXT
        )
    except Exception as error:  # noqa: BLE001 - a plugin of apprise may raise what it likes: that is told, not obeyed
        well, told.warning = False, f"{type(error).__name__} in the sender."
    finally:
        logging.getLogger("apprise").removeHandler(told)
    return {"ok": bool(well), "why": "" if well else _why(guard, told, redactor)}


def _posted(guard: Guard, url: str, asked: dict[str, Any]) -> dict[str, Any]:
    """Posts to a webhook. Of the answer only its status and Retry-After are looked at; the rest is never read."""
    import httpx2

    told = Told()
    timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    try:
        if guard.proxy and (host := urlsplit(url).hostname):
            guard.check_target(host)
        with (
            httpx2.Client(
                verify=_authorities(), trust_env=False, proxy=asked["proxy"] or None, timeout=timeout
            ) as client,
            client.stream("POST", url, content=str(asked["body"]).encode(), headers=asked["headers"]) as answer,
        ):
            status, wait = answer.status_code, _seconds(answer.headers.get("Retry-After", ""))
    except (httpx2.HTTPError, httpx2.InvalidURL, OSError) as error:
        told.trouble = f"{type(error).__name__} {error}"
        redactor = Redactor([*secrets_in(url), *(guard.proxy.secrets() if guard.proxy else ())])
        return {"ok": False, "why": _why(guard, told, redactor)}
    if 200 <= status < 300:
        return {"ok": True, "why": ""}
    if status == HTTPStatus.GONE:
        return {"ok": False, "gone": True, "why": "It answered with status 410: it wants no more of it, ever."}
    more = ": a redirect, which is not followed" if 300 <= status < 400 else ""
    return {"ok": False, "wait": wait, "why": f"It answered with status {status}{more}."}


def _authorities() -> ssl.SSLContext:
    """Whom apprise trusts too: those of the system, or of the file or folder that the courier names."""
    named = os.environ.get("REQUESTS_CA_BUNDLE")
    if named and os.path.isdir(named):  # noqa: PTH112 - of a name in the environment
        return ssl.create_default_context(capath=named)
    return ssl.create_default_context(cafile=named or None)


def _seconds(told: str) -> float:
    """What Retry-After says, as seconds or as a date; 0 where it says nothing that is understood."""
    if re.fullmatch(r"[0-9]{1,6}", told):
        return float(told)
    try:
        return max(0.0, parsedate_to_datetime(told).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return 0.0


def _listen() -> Told:
    told, logger = Told(), logging.getLogger("apprise")
    logger.setLevel(logging.DEBUG)
    logger.propagate = False
    logger.addHandler(told)
    return told


# Of a library's own error only its kind is told: the text may hold the address, so the token.
_TROUBLES = (
    ("Tunnel connection failed: 407|ProxyError 407", "The proxy asks for a user and a password, or rejects them."),
    ("ProxyError|Tunnel connection failed", "The proxy lets nothing through."),
    ("CERTIFICATE_VERIFY_FAILED|certificate verify failed", "Its certificate is not trusted."),
    ("WRONG_VERSION_NUMBER|SSLError|UNEXPECTED_EOF", "It does not speak TLS as the address says."),
    ("NameResolution|getaddrinfo|Name or service|nodename|resolve|failure in name", "Its name does not resolve."),
    ("refused", "It refuses the connection."),
    ("timed out|Timeout", "It did not answer in time."),
    ("SMTPAuthentication|Authentication|\\(535", "It rejects user or password."),
    ("unreachable|No route", "No way leads there."),
    ("reset|aborted|closed|EOF|Disconnected", "It broke the connection off."),
)  # fmt: skip

_ANSWERED = re.compile(r"Failed to send [^:]*: *(.*?)\.?,? *\(?error=(\d{3})\)?\.?")


def _why(guard: Guard, told: Told, redactor: Redactor) -> str:
    if guard.refused:
        return f"{guard.refused} News are not sent there."
    for pattern, sentence in _TROUBLES:
        if told.trouble and re.search(pattern, told.trouble, re.IGNORECASE):
            return sentence
    said = " ".join(told.warning.split()) or "It did not take the message, and does not say why."
    if answered := _ANSWERED.fullmatch(said):
        what = f": {answered[1]}" if answered[1] else ""
        said = f"It answered with status {answered[2]}{what}."
    return redactor.shortened(said, LONGEST_ERROR)


def secrets_in(address: str) -> list[str]:
    """Every piece of an address that could be secret: all but its schema, names of parameters, and short words."""
    pieces: set[str] = set()
    rest = address.partition("://")[2]
    for text in (rest, unquote(rest)):
        whole = re.split(r"[/?&#@]", text)
        pieces |= {part.partition("=")[2] or part for part in whole}
        pieces |= set(re.split(r"[/?&#@:=+,\s]", text))
    return [piece for piece in pieces if len(piece) >= _SHORTEST_SECRET]


_INTERNET = (2, 10, 30)  # AF_INET, and AF_INET6 on Linux and macOS


def _is_address(host: str) -> bool:
    try:
        ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return True


def _text(host: object) -> str:
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host or "")


if __name__ == "__main__":
    main()
