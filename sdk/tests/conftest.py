"""A vendor that runs, and Sessions that wait for nobody."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from sdk.tests.plain import Log, Naps, Plain
from sdk.tests.vendor import Vendor
from tidegate_sdk import Limits, Session, Tool

PATIENT = Limits(connect=10, read=10, page_seconds=30, stream_seconds=60)  # never the reason, on a busy machine
Open = Callable[..., Session]


@pytest.fixture
async def vendor() -> AsyncIterator[Vendor]:
    vendor = Vendor()
    await vendor.start()
    yield vendor
    await vendor.stop()


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def log() -> Log:
    return Log()


@pytest.fixture
def opened(naps: Naps, log: Log) -> Open:
    """A Session with a vendor, a location, a door or a Tool; it never really sleeps."""

    def open_session(at: Any, *, limits: Limits = PATIENT, **how: Any) -> Session:
        at = at.location if isinstance(at, Vendor) else at
        tool: Tool[Any] = at if isinstance(at, Tool) else Plain(at)
        return tool.open(limits=limits, sleep=naps, log=log, **how)

    return open_session
