"""Django's settings. The database is filled in by `server.start`, once it is known which one it is."""

SECRET_KEY = "set by server.start"  # noqa: S105 - no page signs anything yet; a real one comes with the pages
INSTALLED_APPS = ["django.contrib.postgres", "procrastinate.contrib.django", "tidegate.store"]
DATABASES: dict[str, dict[str, object]] = {}
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING_CONFIG = None
