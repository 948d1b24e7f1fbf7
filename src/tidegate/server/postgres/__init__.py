"""The door to the database: `with open_database(settings) as database: …`."""

from tidegate.server.postgres.database import Database, django_settings, open_database
from tidegate.server.postgres.keeper.failure import DatabaseUnavailable

__all__ = ["Database", "DatabaseUnavailable", "django_settings", "open_database"]
