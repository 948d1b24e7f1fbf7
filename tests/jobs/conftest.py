"""These tests need a database and a vendor."""

from tests.database import database, migrated_database
from tests.ingest.scene import scene, world

__all__ = ["database", "migrated_database", "scene", "world"]
