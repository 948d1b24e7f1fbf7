"""These tests need a database of their own each, a vendor over HTTP, and processes that nobody minds killing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import pytest
from django.db import connections
from psycopg.conninfo import conninfo_to_dict

from tests.database import empty_all_tables, migrated_database
from tests.faults.house import House, Nursery, a_house, copy_of, drop, pointed_at, prepare
from tests.faults.stored import Stored, stored
from tests.faults.vendor import IN_CATALOG, Vendor
from tests.spot import folder_for_a_home
from tidegate import catalog
from tidegate.server.postgres import Database

__all__ = ["migrated_database"]


@pytest.fixture(scope="session")
def nursery() -> Iterator[Nursery]:
    nursery = Nursery(folder_for_a_home())
    yield nursery
    nursery.close()


@pytest.fixture(scope="session")
def vendor() -> Iterator[Vendor]:
    vendor = Vendor()
    yield vendor
    vendor.close()


@pytest.fixture(scope="session")
def prepared(migrated_database: Database, vendor: Vendor, django_db_blocker: Any) -> Iterator[Database]:
    """The database that each test gets a copy of. Nobody is connected to it when it is copied."""
    shared = str(conninfo_to_dict(migrated_database.url)["dbname"])
    name = f"{shared}_prepared"
    with django_db_blocker.unblock():
        connections.close_all()
        prepared = copy_of(migrated_database, shared, name)
        # Only while it is prepared: what is patched for a whole run is patched for every test that comes after.
        with pytest.MonkeyPatch.context() as patch, pointed_at(prepared):
            patch.setitem(catalog.BUILT_IN, *next(iter(IN_CATALOG.items())))
            patch.setenv("TIDEGATE_HOME", str(folder_for_a_home()))
            empty_all_tables()  # the shared one holds what the test before left there
            prepare(vendor)
    yield prepared
    with django_db_blocker.unblock():
        drop(migrated_database, name)


Houses = Callable[[], AbstractContextManager[House]]


@pytest.fixture(scope="session")
def houses(
    prepared: Database, migrated_database: Database, nursery: Nursery, vendor: Vendor, django_db_blocker: Any
) -> Houses:
    """Makes a house, and pulls it down."""

    @contextmanager
    def with_unblocked_database() -> Iterator[House]:
        with django_db_blocker.unblock(), a_house(migrated_database, prepared, nursery, vendor) as house:
            yield house

    return with_unblocked_database


@pytest.fixture
def house(houses: Houses) -> Iterator[House]:
    """A house of this test's own."""
    with houses() as house:
        yield house


@pytest.fixture(scope="session")
def undisturbed(houses: Houses) -> dict[str, Stored]:
    """What is stored after a Sync, and after a Discover, that nobody disturbed."""
    found: dict[str, Stored] = {}
    for type in ("sync", "discover"):
        with houses() as house:
            house.restart()
            assert house.ends(house.ask(type)).deaths == 0
            found[type] = stored()
    return found
