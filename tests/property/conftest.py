"""These tests need a database and a vendor."""

import pytest

from tests.database import database, migrated_database
from tests.ingest import scene as of_one_connection
from tests.ingest.scene import scene
from tests.property.vendor import Branched, BranchedWorld

__all__ = ["database", "migrated_database", "scene", "settings_read_once", "world"]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> BranchedWorld:
    """Acme with branches, for the Scene that is made next."""
    monkeypatch.setattr(of_one_connection, "Acme", Branched)
    return BranchedWorld()


@pytest.fixture
def settings_read_once(scene: object, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each Operation reads the environment two times: an eighth of the time of a history that runs twenty of them."""
    from tidegate.config import load_settings
    from tidegate.ingest import operation, vendor

    settings = load_settings()
    for module in (operation, vendor):
        monkeypatch.setattr(module, "load_settings", lambda: settings)
