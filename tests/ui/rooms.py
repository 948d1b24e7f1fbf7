"""A house in which there is something of each kind, and somebody who looks at its pages; made once for a module."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.test import Client
from pydantic import SecretStr

from tests import world
from tests.acme import Acme, World
from tests.actions.ways import Side, side
from tests.database import empty_all_tables
from tests.world import ALICE
from tidegate import catalog
from tidegate.actions.user import add_user
from tidegate.reads.viewer import viewing
from tidegate.rules.access import FULL_ACCESS, Grant
from tidegate.store import models

PASSWORD = "a long tide comes in"


@pytest.fixture(scope="module")
def here(migrated_database: object, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Somebody who may everything, and a house in which there is something of each kind; made once."""
    tool: Any = type("Acme", (Acme,), {"world": World(), "__orig_bases__": Acme.__orig_bases__})  # pyright: ignore[reportAttributeAccessIssue]
    with pytest.MonkeyPatch.context() as patch, django_db_blocker.unblock():
        patch.setenv("TIDEGATE_HOME", str(tmp_path_factory.mktemp("home")))
        for name in ("TIDEGATE_SECRET_KEY", "TIDEGATE_SECRET_KEY_COMMAND"):
            patch.delenv(name, raising=False)
        patch.setattr(catalog, "added", lambda: {"acme": tool})
        empty_all_tables()
        with viewing(FULL_ACCESS):
            sides = [furnished(name) for name in ("Own", "Other")]
        yield comes_in("carol", Grant("administrator")), sides[0], sides[1]
        empty_all_tables()


def furnished(name: str) -> Side:
    """A side where something runs, something waits, something is held, and a preview told what would differ."""
    there, now = side(name), datetime.now(UTC)
    acme = models.Connection.objects.get(pk=there.connection)
    looks = models.Record.objects.get(pk=there.missing)
    models.Record.objects.filter(pk=there.new).update(name=looks.name, parent=looks.parent)
    for number in range(3):
        world.record(acme, f"{name} new {number}")
    for type, status in (("sync", "running"), ("discover", "pending")):
        begun = world.operation(acme, type, status, started_at=now)
        models.Lease.objects.create(operation=begun, attempt=1, until=now, worker="w", progress={"phase": "Reading"})
    models.Result.objects.create(operation_id=there.sync, record_id=there.shop, family="", outcome="complete")
    models.Result.objects.create(operation_id=there.sync, record_id=there.shop, family="dast", outcome="complete")
    models.LogLine.objects.create(operation_id=there.sync, n=1, at=now, level="info", text="line", facts={})
    preview = world.operation(acme, preview=True, ended_at=now, counts={"created": 1})
    models.Result.objects.create(
        operation=preview, record_id=there.shop, family="", outcome="complete", counts={"created": 1}
    )
    models.Difference.objects.create(
        operation=preview, kind="created", record_id=there.shop, title=f"{name} difference", before={}, after={}
    )
    return there


def comes_in(name: str, *grants: Grant) -> Client:
    """Somebody with these grants, who has logged in."""
    add_user(ALICE, name, grants=grants, password=SecretStr(PASSWORD))
    client = Client(HTTP_HOST="localhost")
    client.post("/account/login/", {"login": name, "password": PASSWORD})
    return client
