"""A DefectDojo as a delivery asks it: reads that are repeated, writes that never are, lists that prove themselves.

`Dojo` is synchronous and for one thread. What differs between the server's versions is detected: `server()`.
"""

from __future__ import annotations

import json
import random
import re
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from types import TracebackType
from typing import Any, Final, Self, TypeVar, cast
from urllib.parse import urlencode
from uuid import uuid4

from tidegate_sdk import body as bodies
from tidegate_sdk.address import AddressPolicy
from tidegate_sdk.auth import reveal
from tidegate_sdk.errors import VendorChanged
from tidegate_sdk.limits import Limits
from tidegate_sdk.pace import no_log
from tidegate_sdk.proxy import Proxy
from tidegate_sdk.redaction import Redactor

from .errors import DojoError, Down, Moved, NotPermitted, NotThere, Refused, Unknown, Unreachable, Unreadable, refusal
from .pace import PAGE, Budget, Size
from .settings import DefectDojoSettings
from .wire import Answer, NoAnswer, Request, Wire

T = TypeVar("T")
Row = dict[str, Any]

WRITES_PER_MINUTE: Final = 120
READ_SECONDS: Final = 180.0
WRITE_SECONDS: Final = 180.0
UPLOAD_SECONDS: Final = 1_800.0
"""As long as the nginx that DefectDojo ships waits for an import."""

ORDERED: Final = frozenset({"findings", "products", "test_imports"})
"""Lists that take `o=id`. Engagements and tests come so by default and refuse to be told; the others come by name."""

_PASSES: Final = frozenset({429, 502, 503, 504})
_VERSION: Final = re.compile(r"v?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,5}))?")
_SCHEMA: Final = "oa3/schema/"


@dataclass(frozen=True, slots=True)
class Server:
    """What a server is, and how it differs from others. All of it is detected, nothing configured."""

    version: str
    """As it says itself, "3.2.0"."""
    number: tuple[int, int, int]
    clock_ahead: float = 0.0
    """Seconds that its clock is ahead of ours, told by an answer's Date; negative where it is behind."""

    @property
    def is_old(self) -> bool:
        """2.x: roles, endpoints; whole reports are refused for what 3.x drops."""
        return self.number[0] < 3

    @property
    def has_roles(self) -> bool:
        """Who may write is told by roles of members (2.x), else by the authorized users of a Product (3.x)."""
        return self.is_old

    @property
    def has_locations(self) -> bool:
        """Where a finding is stands in locations (3.x), else in endpoints (2.x)."""
        return not self.is_old

    @property
    def tells_algorithm(self) -> bool:
        """GET /tests/{id}/ says by what findings are told apart."""
        return self.number >= (3, 2, 0)

    @property
    def takes_cwes(self) -> bool:
        """A report's finding may have `cwes` and `fix_version`; an older server refuses the whole file for them."""
        return not self.is_old

    @property
    def supported(self) -> bool:
        """From 2.50 on."""
        return self.number >= (2, 50, 0)


class Dojo:
    """`with Dojo(settings, writes_per_minute=120) as dojo: dojo.get("tests/5/"), dojo.pages("findings/", test=5)`.

    Paths are below `/api/v2/` and end with a slash; values of a query are what `str` makes of them, true and false in
    lower case. Every method raises DojoError, scrubbed of token and proxy password:

    * reads are repeated after 429, 502, 503, 504 and lost connections, with growing pauses; at last Down;
    * writes wait for their place in the budget. One that the server cannot have seen, or that it put off by a 429, is
      sent again; one whose answer was lost, or was a 5xx, is Unknown: read the state back before the next write.

    `look` is called while anything is waited for, and may raise what ends the delivery. `log(event, **facts)`.
    """

    def __init__(
        self,
        settings: DefectDojoSettings,
        *,
        policy: AddressPolicy | None = None,
        proxy: Proxy | None = None,
        writes_per_minute: float = WRITES_PER_MINUTE,
        look: Callable[[], None] = lambda: None,
        log: Callable[..., object] = no_log,
        limits: Limits | None = None,
        sleep: Callable[[float], object] = time.sleep,
    ) -> None:
        self.url = settings.url
        self.limits = limits or Limits(tries=6)
        self.requests = self.writes = 0
        self.seconds = 0.0
        """Spent waiting for answers."""
        self.page_size: Size = PAGE
        self._look, self._log, self._sleep = look, log, sleep
        door = settings.way()
        used = door.proxy if isinstance(door.proxy, Proxy) else proxy
        self._redactor = Redactor((*_secrets_of(settings), *(used.secrets() if used else ())))
        self._ahead = self._held_until = 0.0
        self._budget = Budget(writes_per_minute, self._now)
        self._server: Server | None = None
        self._clock_ahead = 0.0
        self._wire = Wire(door, policy or AddressPolicy(), proxy, self.limits, look)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all connections."""
        self._wire.close()

    # Reads

    def get(self, path: str, **query: Any) -> Row:
        """One object."""
        return self._safe(lambda: self._object(self._read(path, query)))

    def count(self, path: str, **query: Any) -> int:
        """How many rows a list has, by one cheap request."""
        return self._safe(lambda: _count(path, self._object(self._read(path, {**query, "limit": 1}))))

    def pages(self, path: str, **query: Any) -> Generator[Row]:
        """The rows of a list, page by page as they are asked for; ordered by id where the server can.

        Raises Moved where rows came, went or came twice meanwhile, and Unreadable where a filter by a number or by
        true and false was not obeyed: the server answers everything for a filter that it does not know.
        """
        kind = path.strip("/").rpartition("/")[2]
        ordered = {"o": "id"} if kind in ORDERED and "o" not in query else {}
        walk = _Walk(path, {name: told for name, told in query.items() if name not in ("o", "prefetch")})
        while not walk.ended:
            size = self.page_size.now
            asked = {**query, **ordered, "limit": size, "offset": walk.rows}
            rows = self._safe(lambda asked=asked: walk.page(self._page(path, asked)))
            yield from rows

    def server(self) -> Server:
        """What the server is; asked once."""
        if self._server is None:
            schema = self.get(_SCHEMA, format="json")
            info = schema.get("info")
            said = str(info.get("version", "")) if isinstance(info, Mapping) else ""
            found = _VERSION.match(said)
            if found is None:
                raise Unreadable(f"GET /api/v2/{_SCHEMA} does not say which version the server is.")
            number = (int(found[1]), int(found[2]), int(found[3] or 0))
            self._server = Server(found[0].removeprefix("v"), number, self._clock_ahead)
        return self._server

    def version(self) -> str:
        """The server's version, "3.2.0"."""
        return self.server().version

    # Writes

    def post(self, path: str, told: Mapping[str, Any]) -> Row:
        """Makes an object; what the server answers of it."""
        return self._safe(lambda: self._object(self._written("POST", path, _json(told), "application/json")))

    def patch(self, path: str, told: Mapping[str, Any]) -> Row:
        """Changes these fields of an object; what the server answers of it."""
        return self._safe(lambda: self._object(self._written("PATCH", path, _json(told), "application/json")))

    def upload(self, path: str, fields: Mapping[str, Any], report: bytes, *, seconds: float = UPLOAD_SECONDS) -> Row:
        """Sends a report (`import-scan/`, `reimport-scan/`) as the form with a file that these take, and nothing else.

        The answer of a large one may be lost while the server goes on with it: then this raises Unknown.
        """
        boundary = uuid4().hex
        form = _multipart(boundary, fields, report)
        kind = f"multipart/form-data; boundary={boundary}"
        return self._safe(lambda: self._object(self._written("POST", path, form, kind, seconds)))

    # What they share

    def _page(self, path: str, asked: Mapping[str, Any]) -> Row:
        """One page; a smaller one where it took too long."""
        try:
            answer = self._read(path, asked)
        except Down:
            self.page_size = self.page_size.after_failure()
            raise
        body = self._object(answer)
        rows = body.get("results")
        self.page_size = self.page_size.after(len(rows) if isinstance(rows, list) else 0, answer.seconds)
        return body

    def _read(self, path: str, query: Mapping[str, Any]) -> Answer:
        request = Request("GET", _path(path, query))
        for attempt in range(1, self.limits.tries + 1):
            try:
                answer = self._sent(request, READ_SECONDS)
            except NoAnswer as error:
                if error.odd:
                    raise Unreadable(f"{request.where}: {error.reason}.") from None
                reason, after = error.reason, None
            else:
                if answer.status not in _PASSES:
                    return self._judged(request, answer)
                reason, after = f"the server answers {answer.status}", _retry_after(answer)
            self._wait_before_next(request, reason, after, attempt)
        raise AssertionError  # the last attempt raises

    def _written(self, method: str, path: str, content: bytes, kind: str, seconds: float = WRITE_SECONDS) -> Answer:
        request = Request(method, _path(path, {}), content, kind)
        self._wait(self._budget.take())
        self.writes += 1
        for attempt in range(1, self.limits.tries + 1):
            try:
                answer = self._sent(request, seconds)
            except NoAnswer as error:
                if not error.unsent:
                    raise Unknown(f"{request.where}: {error.reason}.") from None
                reason, after = error.reason, None
            else:
                if answer.status >= 500:
                    raise Unknown(self._failed(request, answer), status=answer.status)
                if answer.status != 429:
                    return self._judged(request, answer)
                reason, after = "the server answers 429", _retry_after(answer)
            self._wait_before_next(request, reason, after, attempt)
        raise AssertionError

    def _wait_before_next(self, request: Request, reason: str, after: float | None, attempt: int) -> None:
        """Waits, or raises Down where another try would be in vain."""
        if after is not None and after > self.limits.longest_wait:
            raise Down(f"{request.where}: {reason} and asks to wait {after:,.0f} seconds.", after=after)
        if attempt >= self.limits.tries:
            raise Down(f"{request.where}: {reason}, {attempt} times running.", after=after)
        longest = min(self.limits.longest_back_off, self.limits.back_off * 2 ** (attempt - 1))
        pause = after if after is not None else longest * random.uniform(0.5, 1)  # noqa: S311 - not a secret
        self._held_until = max(self._held_until, self._now() + pause)
        self._log("dojo.again", question=request.where, reason=reason, seconds=round(pause, 3))

    def _sent(self, request: Request, seconds: float) -> Answer:
        self._wait(self._held_until - self._now())
        self._look()
        began, status, size = time.monotonic(), 0, 0
        self.requests += 1
        try:
            answer = self._wire.send(request, seconds)
            status, size = answer.status, len(answer.data)
        finally:
            took = time.monotonic() - began
            self.seconds += took
            facts = {"method": request.method, "path": self._redactor.url(request.path), "status": status}
            self._log("dojo.asked", **facts, ms=round(took * 1000), bytes=size)
        if date := _date(answer.headers.get("date", "")):
            self._clock_ahead = (date - datetime.now(UTC)).total_seconds()
        return answer

    def _judged(self, request: Request, answer: Answer) -> Answer:
        status = answer.status
        if 200 <= status < 300:
            return answer
        if 300 <= status < 400:
            raise Unreadable(
                f"{request.where} is redirected, and no redirect is followed with a token.",
                "Enter the URL that a browser shows in the end, with https:// where it does.",
                status=status,
            )
        if status >= 500:
            raise Down(self._failed(request, answer), status=status)
        raise refusal(request.where, status, bodies.told_in(answer.data, request.where))

    def _failed(self, request: Request, answer: Answer) -> str:
        return str(refusal(request.where, 400, bodies.told_in(answer.data, request.where)).what).replace(
            "answered 400", f"answered {answer.status}"
        )

    def _object(self, answer: Answer) -> Row:
        try:
            told = bodies.decode(answer.data, "The server")
        except VendorChanged as error:
            raise Unreadable(error.what, status=answer.status) from None
        if self._redactor.is_echoed_in(answer.data):
            told = bodies.with_texts(told, self._redactor.echo)
        if not isinstance(told, dict):
            raise Unreadable("The server answered with something else than an object.", status=answer.status)
        return cast("Row", told)

    def _safe(self, work: Callable[[], T]) -> T:
        """What the work gives; its error without secrets, and without causes, which quote what was sent."""
        try:
            return work()
        except DojoError as error:
            failure = error
        failure.what = self._redactor.shortened(failure.what, 1_000)
        failure.next_step = self._redactor.shortened(failure.next_step, 1_000)
        if isinstance(failure, Refused):
            failure.fields = {self._redactor.text(name): self._redactor.text(t) for name, t in failure.fields.items()}
        failure.args = (failure.what,)
        failure.__cause__ = failure.__context__ = None
        raise failure

    def _wait(self, seconds: float) -> None:
        """Sleeps in short pieces and looks between. Where the given sleep returns at once, our clock goes ahead."""
        until = self._now() + seconds
        while (left := until - self._now()) > 0:
            piece, before = min(left, 1.0), time.monotonic()
            self._sleep(piece)
            self._ahead += max(0.0, piece - (time.monotonic() - before))
            self._look()

    def _now(self) -> float:
        return time.monotonic() + self._ahead


@dataclass(slots=True)
class _Walk:
    """One reading of a list: how far it is, and whether what came can be one and the same list."""

    path: str
    filters: Mapping[str, Any]
    total: int | None = None
    rows: int = 0
    ended: bool = False
    seen: set[int] = field(default_factory=set[int])

    def page(self, body: Row) -> list[Row]:
        """The rows of the next page. Raises Moved, Unreadable."""
        count, rows = _count(self.path, body), body.get("results")
        if not isinstance(rows, list) or not all(isinstance(row, dict) for row in cast("list[Any]", rows)):
            raise Unreadable(f"GET {self.path} has no list of results.")
        if self.total is not None and count != self.total:
            raise Moved(f"GET {self.path} had {self.total:,} rows, and now has {count:,}.")
        self.total = count
        found = cast("list[Row]", rows)
        for row in found:
            self._check(row)
        self.rows += len(found)
        self.ended = self.rows >= count
        if self.rows > count or (not found and not self.ended):
            raise Moved(f"GET {self.path} says {count:,} rows, and shows {self.rows:,}.")
        return found

    def _check(self, row: Row) -> None:
        number = row.get("id")
        if isinstance(number, int):
            if number in self.seen:
                raise Moved(f"GET {self.path} shows {number} twice.")
            self.seen.add(number)
        for name, asked in self.filters.items():
            if isinstance(asked, bool | int) and isinstance(told := row.get(name), bool | int) and told != asked:
                raise Unreadable(f"GET {self.path} does not obey the filter {name}: it shows everything.")


def _count(path: str, body: Row) -> int:
    count = body.get("count")
    if not isinstance(count, int) or isinstance(count, bool) or count < 0:
        raise Unreadable(f"GET {path} does not say how many rows there are.")
    return count


def _path(path: str, query: Mapping[str, Any]) -> str:
    if path.startswith("/") or not path.endswith("/") or ".." in path or "?" in path:
        raise ValueError(f"A path is like findings/5/: {path}")
    told = {name: str(one).lower() if isinstance(one, bool) else str(one) for name, one in query.items()}
    return f"/api/v2/{path}{f'?{urlencode(told)}' if told else ''}"


def _json(told: Mapping[str, Any]) -> bytes:
    return json.dumps(told, separators=(",", ":"), ensure_ascii=False, allow_nan=False).encode()


def _multipart(boundary: str, fields: Mapping[str, Any], report: bytes) -> bytes:
    """A form with one file. What the fields are called is ours; their values may hold anything but the boundary."""
    parts: list[bytes] = []
    for name, told in fields.items():
        for one in told if isinstance(told, (list, tuple)) else (told,):
            text = str(one).lower() if isinstance(one, bool) else str(cast("object", one))
            head = f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n'
            parts.append(head.encode() + text.encode() + b"\r\n")
    head = f'--{boundary}\r\nContent-Disposition: form-data; name="file"; filename="tidegate.json"\r\n'
    parts.append(head.encode() + b"Content-Type: application/json\r\n\r\n" + report + b"\r\n")
    return b"".join([*parts, f"--{boundary}--\r\n".encode()])


def _retry_after(answer: Answer) -> float | None:
    """Seconds to wait by Retry-After, or None where it is absent or makes no sense."""
    text = answer.headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:12])
    when = _date(text)
    now = _date(answer.headers.get("date", "")) or datetime.now(UTC)
    return max(0.0, (when - now).total_seconds()) if when else None


def _date(text: str) -> datetime | None:
    try:
        date = parsedate_to_datetime(text)
    except (ValueError, OverflowError):
        return None
    return date if date.tzinfo else date.replace(tzinfo=UTC)


def _secrets_of(settings: DefectDojoSettings) -> Iterable[str]:
    for secret in (settings.token, settings.client_key_password, settings.proxy_password):
        if secret is not None:
            yield reveal(secret)


__all__ = [
    "Dojo", "DojoError", "Down", "Moved", "NotPermitted", "NotThere", "Refused", "Server", "Unknown", "Unreachable",
    "Unreadable",
]  # fmt: skip
