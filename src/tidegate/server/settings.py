"""Django's settings. The database is filled in by `server.start`, once it is known which one it is; the key, the
addresses people come by and single sign-on by `server.people`, where pages are shown."""

from pathlib import Path

SECRET_KEY = "set by server.people"  # noqa: S105 - where no page is shown nothing is signed
DATA_UPLOAD_MAX_MEMORY_SIZE = None  # the gate says how much may arrive, path by path
INSTALLED_APPS = [
    "django.contrib.postgres",
    "procrastinate.contrib.django",
    "tidegate.store",
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.socialaccount",
    "allauth.usersessions",
]
AUTH_USER_MODEL = "store.User"
DATABASES: dict[str, dict[str, object]] = {}
USE_TZ = True
USE_I18N = False
TIME_ZONE = "UTC"
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LOGGING_CONFIG = None

# The pages. Who may ask, and what every answer carries, is said by server/gate.py, before Django.
ROOT_URLCONF = "tidegate.server.urls"
ALLOWED_HOSTS = ["*"]
MIDDLEWARE = [
    "tidegate.ui.account.securing_cookies",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
]
_CONTEXT = [
    "django.template.context_processors.request",
    "django.contrib.auth.context_processors.auth",
    "django.contrib.messages.context_processors.messages",
]
_UI = Path(__file__).parents[1] / "ui"
TEMPLATES = [
    {
        "NAME": "pages",
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [str(_UI / "templates")],
        "OPTIONS": {
            "environment": "tidegate.ui.engine.environment",
            "context_processors": [*_CONTEXT, "tidegate.ui.engine.token"],
        },
    },
    {
        "NAME": "entrance",
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [str(_UI / "entrance")],
        "APP_DIRS": True,
        "OPTIONS": {"builtins": ["tidegate.ui.engine"], "context_processors": _CONTEXT},
    },
]

# People. Logging in, second factors and single sign-on are django-allauth's.
AUTHENTICATION_BACKENDS = ["tidegate.ui.account.Sessions"]
PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}", "OPTIONS": options}
    for name, options in (
        ("MinimumLengthValidator", {"min_length": 12}),
        ("CommonPasswordValidator", {}),
        ("UserAttributeSimilarityValidator", {"user_attributes": ["username", "email"]}),
    )
]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "status"
LOGOUT_REDIRECT_URL = "account_login"

# A page of another site cannot send these along with what it lets a browser send here. Whether they are for https only
# is decided by how the page was asked for, see ui/account.py.
SESSION_COOKIE_AGE = 12 * 60 * 60
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "tidegate.ui.pages.nothing_here.forged"
MESSAGE_STORAGE = "django.contrib.messages.storage.session.SessionStorage"
# Said by a proxy that ends TLS. Who says so untruly gets cookies that their own browser does not send back.
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")

# Counts of attempts live in the one process that answers pages. Far more than anybody could fill within their time.
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.locmem.LocMemCache",
        "OPTIONS": {"MAX_ENTRIES": 100_000},
    }
}

ACCOUNT_ADAPTER = "tidegate.ui.account.Account"
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*"]
ACCOUNT_EMAIL_VERIFICATION = "none"
ACCOUNT_EMAIL_NOTIFICATIONS = False
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_PASSWORD_CHANGE = False
ACCOUNT_REAUTHENTICATION_REQUIRED = True
ACCOUNT_REAUTHENTICATION_TIMEOUT = 10 * 60
# By the address at the other end of the connection, whatever headers say (a proxy is one address: there the limit by
# name holds), and by name, whether there is such a user or not.
ACCOUNT_RATE_LIMITS = {"login": "60/m/ip", "login_failed": "30/m/ip,10/5m/key", "reauthenticate": "10/m/user"}
MFA_ADAPTER = "tidegate.ui.account.SecondFactor"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_FORMS = {
    "add_webauthn": "tidegate.ui.passkeys.Add",
    "authenticate_webauthn": "tidegate.ui.passkeys.Authenticate",
    "login_webauthn": "tidegate.ui.passkeys.Login",
    "reauthenticate_webauthn": "tidegate.ui.passkeys.Reauthenticate",
}
MFA_TOTP_ISSUER = "Tidegate"
MFA_TOTP_TOLERANCE = 1
MFA_RECOVERY_CODES_SHOW_ONCE = True
SOCIALACCOUNT_ADAPTER = "tidegate.ui.sign_on.SignOn"
SOCIALACCOUNT_AUTO_SIGNUP = False
SOCIALACCOUNT_STORE_TOKENS = False
