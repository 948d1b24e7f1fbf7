"""What a vendor's refusal means for the operator: from status, GraphQL errors and broken connections to our errors."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Mapping
from typing import Any, cast

import httpcore2
import httpx2

from .ask import dig
from .errors import AccessDenied, AuthRejected, ConnectorError, Incomplete, NotFound, VendorChanged, VendorDown
from .limits import Limits
from .tls import causes

_LONGEST_JUDGED = 2_000  # a pattern that tries every start must not be given megabytes
_SENTENCES = (
    "message",
    "Message",
    "error_description",
    "errorMessage",
    "detail",
    "details",
    "description",
    "msg",
    "title",
    "errors",
    "error",
)
_AUTH = re.compile(
    r"(?i)unauthenti|unauthori[sz]ed|not authenticated|authenticat\w* (?:fail|requir|error)"
    r"|invalid[_ ](?:token|api[_ ]?key|credential)"
    r"|(?:token|api[_ ]?key|credential|session)s? (?:is |are |has |have )?(?:invalid|expired|revoked)"
    r"|bad credentials|log ?in required"
)
_RIGHT = re.compile(
    r"(?i)forbidden|permission|access[_ ]denied|not (?:authori[sz]ed|allowed|permitted)|insufficient|missing scope"
)
_BUSY = re.compile(r"(?i)rate[_ -]?limit|throttl|too many requests")


class ProxyFailed(httpcore2.ConnectError):
    """The proxy did not bring us to the vendor, and may do so next time. The message says "the proxy …"."""


def by_status(where: str, status: int, body: Any) -> ConnectorError:
    """The error of an answer that is not repeated any more; the vendor's own words go with it."""
    what = f"{where} answered {status}.{_quote(body)}"
    if status == 401:
        return AuthRejected(what)
    if status == 403:
        return AccessDenied(what)
    if status == 404:
        return NotFound(what)
    if status == 410:
        return Incomplete(f"{where} answered 410: what the list was read from has expired.{_quote(body)}")
    if status >= 500:
        return VendorDown(what)
    return VendorChanged(what)


def by_graphql(where: str, body: Any) -> ConnectorError | None:
    """The error of a GraphQL answer, told by codes first, then by words; None if there is none."""
    errors = cast("Mapping[str, Any]", body).get("errors") if isinstance(body, Mapping) else None
    if not errors:
        return None
    what = f"{where} answered with errors.{_quote(body)}"
    for words in (" ".join(_codes(errors)), _said(body) or str(errors)):
        text = words[:_LONGEST_JUDGED]
        if _AUTH.search(text):
            return AuthRejected(what)
        if _RIGHT.search(text):
            return AccessDenied(what)
        if _BUSY.search(text):
            return VendorDown(what)
    return VendorChanged(what)


def by_transport(error: Exception, limits: Limits) -> tuple[str, bool]:
    """Why no answer came, in plain words, and whether the vendor cannot have seen the question."""
    if isinstance(error.__cause__, ProxyFailed):
        return str(error.__cause__), True
    if isinstance(error, httpx2.ConnectTimeout):
        return f"there is no connection within {limits.connect:g} seconds", True
    if isinstance(error, httpx2.TimeoutException):
        return f"nothing came for {limits.read:g} seconds", False
    unsent = isinstance(error, httpx2.ConnectError)
    for cause in causes(error):
        if isinstance(cause, (socket.gaierror, UnicodeError)):
            return "the host's name does not resolve", True
        if isinstance(cause, ConnectionRefusedError):
            return "the connection is refused", unsent
        if isinstance(cause, OSError) and cause.strerror:
            return f"the connection failed ({cause.strerror})", unsent
    if isinstance(error, httpx2.RemoteProtocolError):
        return "the answer broke off or is not HTTP", False
    return ("there is no connection" if unsent else "the connection broke off"), unsent


def why_unreachable(error: BaseException) -> str:
    """Why another machine on the way, a proxy, is not there."""
    for cause in causes(error):
        if isinstance(cause, ssl.SSLCertVerificationError):
            return "its certificate is not trusted"
        if isinstance(cause, ssl.SSLError):
            return "it does not speak TLS"
        if isinstance(cause, (socket.gaierror, UnicodeError)):
            return "its name does not resolve"
        if isinstance(cause, ConnectionRefusedError):
            return "the connection is refused"
        if isinstance(cause, OSError) and cause.strerror:
            return f"the connection failed ({cause.strerror})"
    return "the connection broke off"


def _quote(body: Any) -> str:
    said = _said(body)
    return f' The vendor says: "{said}"' if said else ""


def _said(body: Any) -> str:
    """The vendor's own sentence, where its error body has one of the usual forms."""
    for _ in range(4):
        if isinstance(body, list) and body:
            body = cast("list[Any]", body)[0]
        if not isinstance(body, Mapping):
            break
        fields = cast("Mapping[str, Any]", body)
        named = [fields[name] for name in _SENTENCES if fields.get(name)]
        body = named[0] if named else None
    return " ".join(body.split()) if isinstance(body, str) else ""


def _codes(errors: Any) -> list[str]:
    """`extensions.code`, `type` and `code` of each GraphQL error."""
    found: list[str] = []
    for error in cast("list[Any]", errors) if isinstance(errors, list) else [errors]:
        if isinstance(error, Mapping):
            fields = cast("Mapping[str, Any]", error)
            codes = (dig(fields, "extensions.code", None), fields.get("type"), fields.get("code"))
            found += [str(code) for code in codes if code]
    return found
