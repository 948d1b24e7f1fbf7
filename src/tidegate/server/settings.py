"""Django's settings. The database is filled in by `server.start`, once it is known which one it is."""

from pathlib import Path

SECRET_KEY = "set by server.start"  # noqa: S105 - no page signs anything yet; a real one comes with the pages
INSTALLED_APPS = [
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "tidegate.store",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.socialaccount.providers.openid_connect",
    "allauth.usersessions",
]
AUTH_USER_MODEL = "store.User"
DATABASES: dict[str, dict[str, object]] = {}
USE_TZ = True
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING_CONFIG = None

# The pages. Who may ask, and what every answer carries, is said by server/gate.py, before Django.
ROOT_URLCONF = "tidegate.server.urls"
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = ["allauth.account.middleware.AccountMiddleware"]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [str(Path(__file__).parents[1] / "ui" / "templates")],
        "OPTIONS": {"libraries": {"words": "tidegate.ui.words"}, "builtins": ["tidegate.ui.words"]},
    }
]
