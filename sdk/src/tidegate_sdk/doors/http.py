"""The door over HTTP(S): one origin, one credential, checked addresses, bounded bodies, repeated questions."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterable, Callable, Generator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import partial
from tempfile import TemporaryFile
from typing import Any, BinaryIO, cast

import httpx2
import msgspec

from .. import body as bodies
from .. import refusal, tls
from ..address import AddressPolicy
from ..ask import Ask, Reader
from ..auth import Login, Outgoing, form
from ..errors import AuthRejected, Busy, CertificateUnknown, ConnectorError, Incomplete, VendorChanged, VendorDown
from ..limits import Limits
from ..line import Line
from ..login import Held, Pass
from ..pace import Pace
from ..proxy import Proxy
from ..redaction import Listener, Redactor
from ..steps import make
from ..tool import Http
from . import Answer, Stream
from .origin import Origin, authority, name, origin_of
from .transport import CheckedTransport

_BUSY = {429, 503}
_REPEATED = {429, 500, 502, 503, 504}
_OF_A_PROXY = {408, 425, 507, 509, *range(520, 531)}  # what stands before the vendor: it passes as well
_ANSWERED = range(200, 205)  # 205 and 206 hold no whole answer
_REDIRECTS = {301, 302, 303, 307, 308}
_ERROR_BYTES = 64 * 2**10
_WRITE_BYTES = 2**20
_DECODE_IN_THREAD = 2**18

Refusal = Callable[[Any], ConnectorError | None]


class _Again(Exception):
    """One try failed in a way that may pass. `unsent`: the vendor cannot have acted on it; `host`: who was asked."""

    def __init__(self, reason: str, *, unsent: bool = False, busy: bool = False, after: float | None = None) -> None:
        super().__init__(reason)
        self.reason, self.unsent, self.busy, self.after = reason, unsent, busy, after
        self.host = ""


class HttpDoor:
    """Asks a vendor over HTTP(S). Nothing but this class sends the credential, and only to the door's own origin."""

    def __init__(
        self,
        door: Http,
        *,
        limits: Limits,
        policy: AddressPolicy,
        pace: Pace,
        redactor: Redactor,
        log: Callable[..., object],
        refusal: Refusal,
        transport: httpx2.AsyncBaseTransport | None = None,
        proxy: Proxy | None = None,
    ) -> None:
        self.calls = Counter[str]()
        self._sent = 0
        self._door, self._limits, self._policy, self._pace = door, limits, policy, pace
        self._redactor, self._log, self._refusal = redactor, log, refusal
        self._transport, self._ours = transport, transport is None
        self._proxy = proxy
        self._parsed: Origin | None = None
        self._pass = Pass(door.auth, self._way_to, redactor.learn)

    @property
    def requests(self) -> int:
        """Questions sent, those for the credential included."""
        return self._sent + self._pass.requests

    async def ask(self, ask: Ask) -> Answer:
        """The answer to one question, asked again while that is safe and promises something."""
        url = self._origin.url(ask)
        attempt, renewed = 0, False
        while True:
            held = await self._pass.ready()
            attempt += 1
            try:
                answer = await self._once(ask, url, held)
            except _Again as again:
                failed = again
            except AuthRejected:
                # A refused credential did nothing, so any question may be asked again with the next one.
                if renewed or not self._pass.refuses(held):
                    raise
                attempt, renewed = attempt - 1, True
                continue
            else:
                if held is not None:
                    held.is_good = True
                self._pace.answered()
                return answer
            await self._prepare_next_try(ask, failed, attempt)

    async def aclose(self) -> None:
        """Closes every connection; a transport that was given is its giver's."""
        await self._pass.aclose()
        if self._transport is not None and self._ours:
            # Let go of, too: its hundred authorities are megabytes, and would wait for a collection of garbage.
            transport, self._transport = self._transport, None
            await transport.aclose()

    async def _prepare_next_try(self, ask: Ask, failed: _Again, attempt: int) -> None:
        """Waits, or raises VendorDown where another try would be wrong or in vain."""
        where, limits = name(ask), self._limits
        if failed.after is not None and failed.after > limits.longest_wait:
            raise VendorDown(
                f"{where}: {failed.reason} and asks to wait {failed.after:,.0f} seconds, "
                f"longer than the {limits.longest_wait:,.0f} Tidegate waits within one run."
            )
        pause = failed.after or self._pace.back_off(attempt)
        if failed.busy:
            self._pace.slow_down()
            await self._pace.hold(failed.host, pause)
        if not (failed.unsent or _is_repeatable(ask)):
            raise VendorDown(f"{where}: {failed.reason}; asking again could do it twice.")
        if attempt >= limits.tries:
            raise VendorDown(f"{where}: {failed.reason}, {attempt} times running.")
        if not self._pace.spend():
            raise VendorDown(f"{where}: {failed.reason}, and this run has already repeated too many questions.")
        self._log("vendor.again", question=where, reason=failed.reason, seconds=round(pause, 3))
        if not failed.busy:
            await self._pace.rest(pause)

    def _way_to(self, login: Login) -> Line:
        """A door of its own for what a Login asks, at this one's pace and counted with it."""
        way = HttpDoor(
            make(login.door, "the credential"),
            limits=self._limits,
            policy=self._policy,
            pace=self._pace,
            redactor=self._redactor,
            log=self._log,
            refusal=self._refusal,
            transport=None if self._ours else self._transport,
            proxy=self._proxy,
        )
        way.calls = self.calls
        return Line(way, self._pace, self._limits, self._redactor)

    async def _once(self, ask: Ask, url: httpx2.URL, held: Held | None) -> Answer:
        """One try, redirects included, bounded in time; what it waits for its turns is not the vendor's time."""
        seconds = left = self._limits.stream_seconds if ask.reader else self._limits.page_seconds
        for _ in range(self._limits.redirects + 1):
            host = authority(url)
            await self._pace.turn(host)
            began = time.monotonic()
            try:
                async with asyncio.timeout(left):
                    answer = await self._exchange(ask, url, held)
            except TimeoutError:
                raise VendorDown(f"{name(ask)}: the answer did not end within {seconds:,.0f} seconds.") from None
            except _Again as again:
                again.host = host
                raise
            if not isinstance(answer, httpx2.URL):
                return answer
            url, left = answer, left - (time.monotonic() - began)
        raise VendorChanged(f"{name(ask)} is redirected without end.")

    async def _exchange(self, ask: Ask, url: httpx2.URL, held: Held | None) -> Answer | httpx2.URL:
        """One request and its answer, or the URL it is redirected to."""
        began, size, status = time.monotonic(), 0, 0
        try:
            with self._pace.stopwatch.waiting_for("vendor"):
                async with self._send(ask, url, held) as response:
                    status = response.status_code
                    if status in _REDIRECTS and "location" in response.headers:
                        return self._origin.redirect(ask, url, response)
                    if status in _ANSWERED and status != 204 and ask.reader is not None:
                        file, size, echoed = await self._save(ask, response)
                        reader = partial(self._without_echo, ask.reader) if echoed else ask.reader
                        return Answer(headers=response.headers, stream=Stream(partial(reader, file), file.close))
                    data = await self._collect(ask, response)
            size = len(data)
            return await self._read(ask, response, data)
        except (httpx2.TransportError, ssl.SSLError, OSError) as error:
            raise self._explain(ask, error) from None
        finally:
            ms = round((time.monotonic() - began) * 1000)
            shown = self._redactor.url(str(url))
            self._log("vendor.asked", method=ask.method, url=shown, status=status, ms=ms, bytes=size)

    @asynccontextmanager
    async def _send(self, ask: Ask, url: httpx2.URL, held: Held | None) -> AsyncGenerator[httpx2.Response]:
        request = self._request(ask, url, held)
        self._sent += 1
        status = "none"
        try:
            response = await self._open_transport().handle_async_request(request)
            status = str(response.status_code)
        finally:
            self.calls[status] += 1
        try:
            yield response
        finally:
            await response.aclose()

    def _request(self, ask: Ask, url: httpx2.URL, held: Held | None) -> httpx2.Request:
        headers = {"Accept": "*/*" if ask.reader else "application/json", "Accept-Encoding": "gzip, deflate"}
        headers["User-Agent"] = "Tidegate"
        content = b""
        if ask.json is not None:
            content, headers["Content-Type"] = _written(ask), "application/json"
        elif ask.form is not None:
            content, headers["Content-Type"] = form(ask.form), "application/x-www-form-urlencoded"
        if self._origin.is_home(url):
            outgoing = Outgoing(ask.method, str(url), dict(headers), content)
            headers |= _sendable(self._pass.headers(held, outgoing))
        limits = self._limits
        timeouts = {"connect": limits.connect, "read": limits.read, "write": limits.read, "pool": limits.page_seconds}
        # The second is for the conformance suite, which would otherwise have to guess what a POST is for.
        extensions = {"timeout": timeouts, "repeatable": _is_repeatable(ask)}
        return httpx2.Request(ask.method, url, headers=headers, content=content or None, extensions=extensions)

    async def _read(self, ask: Ask, response: httpx2.Response, data: bytes) -> Answer:
        """The decoded body, or the error that the status or the body stands for."""
        where, status = name(ask), response.status_code
        limited = status == 403 and "retry-after" in response.headers  # GitHub's secondary rate limits
        if status in _REPEATED or status in _OF_A_PROXY or limited:
            reason = f"the vendor answers {status}"
            busy = limited or status in _BUSY
            raise _Again(reason, unsent=status == 429 or limited, busy=busy, after=_retry_after(response.headers))
        if status not in _ANSWERED and status not in ask.also:
            raise self._hurried(self._refused(where, status, data), response)
        if len(data) > _DECODE_IN_THREAD:
            value = await asyncio.to_thread(bodies.decode, data, where)
        else:
            value = bodies.decode(data, where)
        if self._redactor.is_echoed_in(data):
            value = bodies.with_texts(value, self._redactor.echo)
        if error := self._refusal(value):
            raise self._hurried(error, response)
        if ask.graphql and (error := refusal.by_graphql(where, value)):
            raise error
        return Answer(value, response.headers)

    def _hurried(self, error: ConnectorError, response: httpx2.Response) -> Exception:
        """The error itself; where it says that we ask too often, a reason to ask again later."""
        if not isinstance(error, Busy):
            return error
        return _Again(error.what, unsent=True, busy=True, after=_retry_after(response.headers))

    def _refused(self, where: str, status: int, data: bytes) -> ConnectorError:
        """The error of a status. The Tool may know better from the vendor's own body."""
        value = bodies.told_in(data, where)
        known = None if value is None else self._refusal(value)
        error = known or refusal.by_status(where, status, value)
        error.status = status
        return error

    async def _pieces(self, ask: Ask, response: httpx2.Response) -> AsyncGenerator[bytes]:
        """The body without its Content-Encoding, piece by piece, never more than 1 MB at once."""
        inflate = bodies.Decompressor(response.headers.get("content-encoding", ""), name(ask))
        raw = aiter(cast("AsyncIterable[bytes]", response.stream))
        async with aclosing(cast("AsyncGenerator[bytes]", raw)) if hasattr(raw, "aclose") else nullcontext():
            async for data in raw:
                for piece in inflate.feed(data):
                    yield piece
        inflate.finish()

    async def _collect(self, ask: Ask, response: httpx2.Response) -> bytes:
        """The whole body. That of a page must stay below its cap; of an error's, what can be read is enough."""
        data, size, answered = list[bytes](), 0, response.status_code in _ANSWERED
        cap = self._limits.page_bytes if answered else _ERROR_BYTES
        try:
            async with aclosing(self._pieces(ask, response)) as pieces:
                async for piece in pieces:
                    data.append(piece)
                    size += len(piece)
                    if size > cap:
                        if answered:
                            raise VendorChanged(f"{name(ask)} answered with more than {cap:,} bytes in one page.")
                        break
        except (VendorChanged, httpx2.TransportError):
            if answered:
                raise
        return b"".join(data)

    async def _save(self, ask: Ask, response: httpx2.Response) -> tuple[BinaryIO, int, bool]:
        """The body on disk, in a file without a name: it is gone with the process. And whether it echoes a secret."""
        cap, size = self._limits.stream_bytes, 0
        buffer, echo = bytearray(), self._redactor.listener()
        with _own_disk():
            file = cast(BinaryIO, TemporaryFile())  # noqa: SIM115 - it lives as long as its reader
        try:
            async with aclosing(self._pieces(ask, response)) as pieces:
                async for piece in pieces:
                    size += len(piece)
                    if size > cap:
                        raise VendorChanged(f"{name(ask)} answered with more than {cap:,} bytes.")
                    buffer += piece
                    if len(buffer) >= _WRITE_BYTES:
                        await asyncio.to_thread(_write, file, bytes(buffer), echo)
                        buffer.clear()
            await asyncio.to_thread(_write, file, bytes(buffer), echo)
            file.seek(0)
            start = file.read(2048)
            file.seek(0)
            if not size:
                raise VendorChanged(f"{name(ask)} answered with an empty body where data is due.")
            if bodies.is_web_page(start):
                raise bodies.web_page(name(ask))
        except BaseException:
            file.close()
            raise
        return file, size, echo.heard

    def _without_echo(self, reader: Reader, file: BinaryIO) -> Iterator[Any]:
        """The rows of a body that repeats a credential, without it."""
        for row in reader(file):
            yield bodies.with_texts(row, self._redactor.echo)

    def _explain(self, ask: Ask, error: Exception) -> Exception:
        """A failure below HTTP: one that may pass, or one that a person must mend."""
        where = name(ask)
        if isinstance(error, httpx2.LocalProtocolError):
            return AuthRejected(f"{where}: the credential has characters that cannot be sent.")
        # What is wrong on the way to a proxy is not the vendor's certificate.
        through = not isinstance(error.__cause__, refusal.ProxyFailed)
        if through and (permanent := tls.explain(error, str(self._origin))):
            return permanent
        reason, unsent = refusal.by_transport(error, self._limits)
        return _Again(reason, unsent=unsent)

    @property
    def _origin(self) -> Origin:
        """Parsed at the first question, so that a bad location is an error of that question."""
        if self._parsed is None:
            self._parsed = origin_of(self._door.location)
        return self._parsed

    def _open_transport(self) -> httpx2.AsyncBaseTransport:
        if self._transport is None:
            if self._origin.secure and self._door.warning:
                self._log("vendor.unverified", level="warning", location=str(self._origin), note=self._door.warning)
            if not self._origin.secure and (self._door.pins or self._door.client):
                raise CertificateUnknown(
                    f"The certificate of {self._origin} cannot be compared with a pin, nor ours be shown: it is asked"
                    " without TLS.",
                    "Enter the location with https://, or take pins and client certificate away.",
                )
            # Also for http://: a redirect to https is followed, and trusts whom the Connection trusts.
            self._transport = CheckedTransport(
                self._policy,
                tls.context(self._door),
                pins=self._door.pins,
                proxy=self._proxy,
                proxy_context=tls.context(tls.of_proxy(self._door)) if self._proxy and self._proxy.secure else None,
            )
        return self._transport


def _is_repeatable(ask: Ask) -> bool:
    """Whether the question does nothing but read, so that it may be asked twice."""
    return ask.safe or ask.graphql or ask.method.upper() in ("GET", "HEAD")


def _sendable(headers: Mapping[str, str]) -> Mapping[str, str]:
    """The headers, if they can stand in a request; the error must not quote them."""
    for value in headers.values():
        if not (value.isascii() and value.isprintable()) or value != value.strip():
            raise AuthRejected("The credential has characters that cannot be sent: a space, a line break, an accent.")
    return headers


def _retry_after(headers: httpx2.Headers) -> float | None:
    """Seconds to wait by Retry-After, or None where it is absent or makes no sense."""
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    when = _date(text)
    # Measured by the vendor's own clock where it shows it: ours may differ by more than the wait.
    now = _date(headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (when - now).total_seconds()) if when else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):  # a year of twenty digits
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _written(ask: Ask) -> bytes:
    try:
        return msgspec.json.encode(ask.json)
    except (TypeError, ValueError, RecursionError) as error:
        raise VendorChanged(f"{name(ask)} cannot be asked: its content is not JSON ({error}).") from None


def _write(file: BinaryIO, data: bytes, echo: Listener) -> None:
    echo.hear(data)
    with _own_disk():
        file.write(data)
        file.flush()


@contextmanager
def _own_disk() -> Generator[None]:
    """A full or missing disk of ours is not the vendor's failure."""
    try:
        yield
    except OSError as error:
        raise Incomplete(
            f"The answer could not be kept on Tidegate's own disk ({error.strerror}).",
            "Free some space for temporary files, or point TMPDIR at another disk.",
        ) from None
