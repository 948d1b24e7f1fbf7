"""The smallest Tool, the questions and lists that tests ask through it, and what they listen with."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pydantic import SecretStr

from tidegate_sdk import (
    Account,
    Ask,
    ConnectorError,
    Door,
    Families,
    Header,
    Http,
    List,
    NextLink,
    Reading,
    Settings,
    Skip,
    Talk,
    Tool,
    Vep,
    Whole,
)

SECRET = "tok-8f3/Zq+secret"


class PlainSettings(Settings):
    token: SecretStr = SecretStr(SECRET)


class Plain(Tool[PlainSettings]):
    """Talks to one door; a test gives it what the test is about."""

    slug, name, a_record_is = "plain", "Plain", "a thing"

    def __init__(self, door: Door | str, token: str = SECRET) -> None:
        super().__init__(PlainSettings(token=SecretStr(token)))
        header = Header("Authorization", self.settings.token, "Bearer {}")
        self._door = Http(door, header, per_second=0) if isinstance(door, str) else door
        self.named: Callable[[Vep], Families] | None = None
        self.known_refusal: Callable[[Any], ConnectorError | None] = lambda body: None

    def door(self) -> Door:
        return self._door

    def account(self) -> Talk[Account]:
        page = yield Ask("me")
        return Account(id=page.body["id"])

    def veps(self) -> List[Vep]:
        return things()

    def families(self, vep: Vep) -> Families:
        assert self.named
        return self.named(vep)

    def refusal(self, body: Any) -> ConnectorError | None:
        return self.known_refusal(body)


def thing(row: Any) -> Vep | Skip:
    return Skip("It is a draft.") if row.get("draft") else Vep(id=row["id"], name=row["name"])


def things(**changes: Any) -> List[Vep]:
    """The list of things; without changes it walks along links."""
    return replace(List(Ask("things"), "data", NextLink("next", kind="steady"), thing, "id"), **changes)


def whole(**changes: Any) -> List[Vep]:
    return things(by=Whole(), **changes)


class Naps(list[float]):
    """A sleep that returns at once and remembers."""

    async def __call__(self, seconds: float) -> None:
        self.append(seconds)
        await asyncio.sleep(0)


class Log(list[dict[str, Any]]):
    """Every line that was logged."""

    def __call__(self, event: str, **facts: Any) -> None:
        self.append({"event": event, **facts})


def body_of(path: str = "me", **ask: Any) -> Talk[Any]:
    """A Talk that asks one question and gives back the body."""
    page = yield Ask(path, **ask)
    return page.body


async def rows_of(reading: Reading[Any]) -> list[Any]:
    """Everything a Reading hands over."""
    return [value async for batch in reading for value in batch]
