"""These tests need a database."""

from tests.database import database, migrated_database

__all__ = ["database", "migrated_database"]
