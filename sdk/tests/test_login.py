"""A credential that must be asked for: when, where, how often, and what becomes of a refused one."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from sdk.tests.conftest import Open
from sdk.tests.plain import Log, Naps, body_of
from tidegate_sdk import Ask, AuthRejected, Busy, Grant, Header, Http, Talk, VendorChanged, VendorDown

API, IAM = "https://api.vendor.test/", "https://iam.vendor.test/"
KEY, LATER = "the-key-of-a-person", datetime(2199, 1, 1, tzinfo=UTC)


@dataclass
class Vendor(httpx2.AsyncBaseTransport):
    """Gives tokens for the key, each another one, and answers who shows the latest that it has not revoked."""

    ends: datetime | None = LATER
    given: int = 0
    revoked: set[str] = field(default_factory=set)
    asked: list[tuple[str, str]] = field(default_factory=list)
    login: list[Any] = field(default_factory=list)
    """What the next logins are answered with instead: a status."""
    busy: int = 0

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        shown = request.headers.get("authorization", "")
        self.asked.append((request.url.host, shown))
        if request.url.host == "iam.vendor.test":
            fields = (await request.aread()).decode()
            assert fields == f"grant_type=refresh_token&key={KEY}"
            if self.login:
                return httpx2.Response(self.login.pop(0), json={"message": f"no {KEY}"})
            self.given += 1
            await asyncio.sleep(0)
            return httpx2.Response(200, json={"token": f"token-number-{self.given}-of-many"})
        token = shown.removeprefix("Bearer ")
        if not token or token in self.revoked:
            return httpx2.Response(401, json={"message": f"{token} has expired"})
        if self.busy:
            self.busy -= 1
            return httpx2.Response(400, json={"message": "Rate exceeded"})
        return httpx2.Response(200, text=json.dumps({"id": "1", "echo": token}))

    @property
    def logins(self) -> int:
        return [host for host, _ in self.asked].count("iam.vendor.test")


@dataclass
class KeyLogin:
    """A token for a key."""

    ends: datetime | None = LATER
    gives: Any = None

    def door(self) -> Http:
        return Http(IAM)

    def talk(self) -> Talk[Grant]:
        fields: dict[str, str | SecretStr] = {"grant_type": "refresh_token", "key": SecretStr(KEY)}
        page = yield Ask("token", method="POST", form=fields, safe=True)
        token = page.body["token"]
        return self.gives or Grant(Header("Authorization", SecretStr(token), "Bearer {}"), self.ends, (token,))


def door(**how: Any) -> Http:
    return Http(API, KeyLogin(**how), per_second=0)


async def test_a_credential_is_asked_for_once_and_goes_only_to_the_tool(opened: Open):
    vendor = Vendor()

    async with opened(door(), transport=vendor) as session:
        await asyncio.gather(*(session.talk(body_of("me")) for _ in range(3)))
        requests, calls = session.requests, session.calls

    assert vendor.logins == 1
    assert {shown for host, shown in vendor.asked if host == "iam.vendor.test"} == {""}
    assert {shown for host, shown in vendor.asked if host == "api.vendor.test"} == {"Bearer token-number-1-of-many"}
    assert (requests, calls) == (4, {"200": 4})


async def test_one_that_ends_is_asked_for_anew_before_it_does(opened: Open):
    """Two minutes early: a question may take a while, and clocks differ."""
    vendor = Vendor()

    async with opened(door(ends=datetime.now(UTC) + timedelta(seconds=100)), transport=vendor) as session:
        await session.talk(body_of("me"))
        await session.talk(body_of("you"))

    assert vendor.logins == 2


async def test_one_that_is_refused_half_way_is_asked_for_once_more(opened: Open):
    """promises.md: a token that expires half-way."""
    vendor = Vendor(ends=None)

    async with opened(door(ends=None), transport=vendor) as session:
        await session.talk(body_of("me"))
        vendor.revoked.add("token-number-1-of-many")
        await asyncio.gather(*(session.talk(body_of("things", method="POST", json={})) for _ in range(3)))

    assert vendor.logins == 2


async def test_one_that_is_refused_at_once_is_the_persons_to_mend(opened: Open):
    vendor = Vendor(revoked={f"token-number-{number}-of-many" for number in range(9)})

    async with opened(door(), transport=vendor) as session:
        with pytest.raises(AuthRejected):
            await session.talk(body_of("me"))

    assert vendor.logins == 1


async def test_a_new_one_that_is_refused_too_ends_it(opened: Open):
    vendor = Vendor()

    async with opened(door(), transport=vendor) as session:
        await session.talk(body_of("me"))
        vendor.revoked |= {f"token-number-{number}-of-many" for number in range(9)}
        with pytest.raises(AuthRejected):
            await session.talk(body_of("me"))

    assert vendor.logins == 2


async def test_a_login_that_is_refused_is_told_without_the_key(opened: Open, log: Log):
    """Invariant 7: no secret in an error or a log line, neither the key nor a token that was given for it."""
    vendor = Vendor(login=[401])

    async with opened(door(), transport=vendor) as session:
        session._redactor.learn([KEY])  # pyright: ignore[reportPrivateUsage] - a Tool's settings hold it otherwise
        with pytest.raises(AuthRejected) as refused:
            await session.talk(body_of("me"))
        body = await session.talk(body_of("me"))
        vendor.revoked |= {f"token-number-{number}-of-many" for number in range(9)}
        with pytest.raises(AuthRejected) as expired:
            await session.talk(body_of("me"))

    said = f"{refused.value} {expired.value} {body} {log}"
    assert KEY not in said
    assert "token-number" not in said


async def test_a_login_that_fails_is_tried_again_like_any_question(opened: Open, naps: Naps):
    vendor = Vendor(login=[503, 503])

    async with opened(door(), transport=vendor) as session:
        await session.talk(body_of("me"))

    assert vendor.logins == 3
    assert len(naps) >= 2


@pytest.mark.parametrize("gives", ["a token", Grant(Header("A", SecretStr("b")), datetime(2199, 1, 1))])  # noqa: DTZ001
async def test_a_login_that_gives_nothing_is_an_error(opened: Open, gives: Any):
    async with opened(door(gives=gives), transport=Vendor()) as session:
        with pytest.raises(VendorChanged, match="gave no credential"):
            await session.talk(body_of("me"))


async def test_a_throttling_that_the_tool_knows_by_its_words_is_waited_for(opened: Open, naps: Naps):
    """Busy: AWS answers 400 where others answer 429."""
    vendor = Vendor(busy=2)

    async with opened(door(), transport=vendor) as session:
        session.tool.known_refusal = lambda body: Busy("too many") if "Rate" in str(body) else None  # type: ignore[attr-defined]
        await session.talk(body_of("things", method="POST", json={}))

    assert len([1 for host, _ in vendor.asked if host == "api.vendor.test"]) == 3
    assert naps


async def test_a_throttling_without_end_is_the_vendors(opened: Open):
    async with opened(door(), transport=Vendor(busy=99)) as session:
        session.tool.known_refusal = lambda body: Busy("too many") if "Rate" in str(body) else None  # type: ignore[attr-defined]
        with pytest.raises(VendorDown, match="too many, 5 times running"):
            await session.talk(body_of("me"))
