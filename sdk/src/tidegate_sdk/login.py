"""The credential of a door while it is open: fixed, or asked for by a Login and kept until shortly before it ends."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, cast

from .ask import Page, Talk
from .auth import Auth, Credential, Grant, Login, Outgoing, Signature
from .errors import ConnectorError, VendorChanged
from .line import Line
from .steps import End, close, make, move

_EARLY = timedelta(minutes=2)
"""A grant is not used to its last second: a question may take a while, and clocks differ."""
_WHERE = "the credential"


class Held:
    """A grant, and whether the vendor has taken it."""

    def __init__(self, grant: Grant) -> None:
        self.grant, self.is_good = grant, False


class Pass:
    """Gives the headers that carry the credential. `line` opens the way to where a Login asks."""

    def __init__(
        self,
        credential: Credential | None,
        line: Callable[[Login], Line],
        learn: Callable[[tuple[str, ...]], None],
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        asked = hasattr(credential, "talk")
        self._fixed = None if asked else cast("Auth | Signature | None", credential)
        self._login = cast("Login", credential) if asked else None
        self._open, self._learn, self._now = line, learn, now
        self._line: Line | None = None
        self._held: Held | None = None
        self._lock = asyncio.Lock()

    @property
    def requests(self) -> int:
        """Questions that were sent for it."""
        return self._line.way.requests if self._line else 0

    async def ready(self) -> Held | None:
        """What the next question goes with, asked for where there is none or it ends; None where nothing is asked for.

        Raises ConnectorError.
        """
        if self._login is None:
            return None
        async with self._lock:
            if self._held is None or self._ends(self._held.grant):
                self._held = Held(await self._ask(self._login))
            return self._held

    def refuses(self, held: Held | None) -> bool:
        """Whether a question that was refused is worth another try: its grant was good before, or is replaced."""
        if held is None:
            return False
        if self._held is not held:
            return True
        self._held = None
        return held.is_good

    def headers(self, held: Held | None, request: Outgoing) -> Mapping[str, str]:
        """The headers for one request."""
        auth = self._fixed if held is None else held.grant.auth
        if auth is None:
            return {}
        sign = getattr(auth, "sign", None)
        return make(lambda: cast("Auth", auth).headers() if sign is None else sign(request), _WHERE)

    async def aclose(self) -> None:
        """Closes the way to where it was asked for."""
        line, self._line = self._line, None
        if line is not None:
            await line.way.aclose()

    def _ends(self, grant: Grant) -> bool:
        return grant.ends is not None and self._now() >= grant.ends - _EARLY

    async def _ask(self, login: Login) -> Grant:
        if self._line is None:
            self._line = self._open(login)
        talk = make(login.talk, _WHERE)
        try:
            step: Any = move(lambda: next(talk), _WHERE)
            for _ in range(self._line.limits.questions):
                if isinstance(step, End):
                    return self._granted(cast("End[Any]", step).value)
                step = await self._after(self._line, step, talk)
        finally:
            close(talk)
        raise VendorChanged("The login was asked for again and again without an end.")

    async def _after(self, line: Line, step: Any, talk: Talk[Grant]) -> Any:
        try:
            page: Page = await line.page(step)
        except ConnectorError as error:
            failure = error
        else:
            return move(lambda: talk.send(page), _WHERE)
        return move(lambda: talk.throw(failure), _WHERE)

    def _granted(self, value: Any) -> Grant:
        if not isinstance(value, Grant) or (value.ends is not None and value.ends.utcoffset() is None):
            raise VendorChanged("The login gave no credential.")
        self._learn(value.secrets)
        return value
