"""The database Tidegate works with: its own embedded PostgreSQL, or the one of TIDEGATE_DATABASE_URL."""

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from tidegate.config import Settings
from tidegate.server.postgres.embedded import hold_embedded, keep_up, revive
from tidegate.server.postgres.keeper.failure import DatabaseUnavailable
from tidegate.server.postgres.keeper.place import Place

OLDEST_MAJOR = 15
SECONDS_TO_CONNECT = 10
SECONDS_TO_TRY_AGAIN = 2.0


@dataclass(frozen=True)
class Database:
    """A database that was reachable when it was opened. `url` is a libpq conninfo with the password in it."""

    url: str = field(repr=False)
    embedded: bool
    place: Place | None = field(default=None, repr=False)

    def revive(self, stop: threading.Event, progress: Callable[[str], None]) -> bool:
        """Wait until the database can be reached again, the embedded one started if need be; False once `stop` is set.

        The URL stays the same. Any number of processes and threads may ask at once.
        """
        if self.place:
            return revive(self.place, stop, progress)
        while not stop.is_set():
            try:
                _checked(self.url)
            except DatabaseUnavailable as failure:
                progress(str(failure))
                stop.wait(SECONDS_TO_TRY_AGAIN)
            else:
                return True
        return False

    @contextlib.contextmanager
    def kept_up(self, progress: Callable[[str], None]) -> Iterator[None]:
        """While open, the embedded server is started again whenever nobody keeps it, beside whatever we do."""
        if self.place is None:
            yield
            return
        stop = threading.Event()
        keeping = threading.Thread(target=keep_up, args=(self.place, stop, progress), name="keeping", daemon=True)
        keeping.start()
        try:
            yield
        finally:
            stop.set()
            keeping.join(SECONDS_TO_CONNECT * 2)


def _say_nothing(_: str) -> None:
    return


@contextlib.contextmanager
def open_database(settings: Settings, progress: Callable[[str], None] = _say_nothing) -> Iterator[Database]:
    """The database of these settings, held while open: the embedded server stops when its last holder is gone.

    `progress` is told, in whole sentences, what a start that takes long is waiting for. Raises DatabaseUnavailable.
    """
    if settings.database_url:
        yield Database(_checked(settings.database_url.get_secret_value()), embedded=False)
        return
    with hold_embedded(settings.home, progress) as (url, place):
        yield Database(url, embedded=True, place=place)


def django_settings(database: Database, pool: Mapping[str, object] | None = None) -> dict[str, object]:
    """The entry of Django's DATABASES for this database; with `pool`, for connections that threads share."""
    parts = conninfo_to_dict(database.url)
    names = {"NAME": "dbname", "USER": "user", "PASSWORD": "password", "HOST": "host", "PORT": "port"}
    entry: dict[str, object] = {django: str(parts.pop(libpq, "")) for django, libpq in names.items()}
    if pool:
        # Looked at before each use: the server may have been started again meanwhile.
        entry["CONN_HEALTH_CHECKS"] = True
        parts = {"connect_timeout": SECONDS_TO_CONNECT, **parts, "pool": dict(pool)}
    return entry | {"ENGINE": "django.db.backends.postgresql", "OPTIONS": parts}


def _checked(url: str) -> str:
    """The given URL with the names it leaves to libpq filled in. Raises DatabaseUnavailable if it cannot be used."""
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        # Neither libpq's words nor the chain: both repeat the URL, password and all.
        raise DatabaseUnavailable(
            "TIDEGATE_DATABASE_URL is not a PostgreSQL URL.",
            "Write it as postgresql://user:password@host:5432/name, with % codes for special characters.",
        ) from None
    try:
        seconds = parts.get("connect_timeout") or SECONDS_TO_CONNECT
        with psycopg.connect(make_conninfo(url, connect_timeout=seconds)) as found:
            version, name, user = found.info.server_version, found.info.dbname, found.info.user
            encoding = found.info.parameter_status("server_encoding")
    except psycopg.Error as error:
        raise _unreachable(parts, error) from None
    if version // 10000 < OLDEST_MAJOR:
        raise DatabaseUnavailable(
            f"The PostgreSQL of TIDEGATE_DATABASE_URL ({_where(parts)}) is version {version // 10000}.",
            f"Tidegate needs {OLDEST_MAJOR} or later: upgrade it, or unset the variable to use the embedded one.",
        )
    if encoding != "UTF8":
        # Debian makes SQL_ASCII where no locale is set. All goes well there until the first jsonb with an umlaut.
        raise DatabaseUnavailable(
            f"The database of TIDEGATE_DATABASE_URL ({_where(parts)}) is encoded in {encoding}.",
            "Tidegate needs UTF8: make one with ENCODING 'UTF8' TEMPLATE template0, and name that in the URL.",
        )
    return make_conninfo(url, dbname=name, user=user)


def _unreachable(parts: Mapping[str, object], error: psycopg.Error) -> DatabaseUnavailable:
    reason = " ".join(str(error).split())
    password = parts.get("password")
    if password:
        reason = reason.replace(str(password), "…")
    if "password" in reason:
        next_step = "Check user and password in TIDEGATE_DATABASE_URL."
    else:
        next_step = "Check TIDEGATE_DATABASE_URL, and that the server runs and can be reached from this machine."
    cause = f"The PostgreSQL of TIDEGATE_DATABASE_URL ({_where(parts)}) refuses us: {reason}."
    return DatabaseUnavailable(cause, next_step, for_a_person="FATAL:" in reason and not _passes(reason))


def _passes(reason: str) -> bool:
    """Whether what a server that can be reached says passes by itself: it starts or stops, or is full of others."""
    return any(words in reason for words in ("the database system is", "connection slots", "too many"))


def _where(parts: Mapping[str, object]) -> str:
    host, port, name = (parts.get(part) for part in ("host", "port", "dbname"))
    return f"{host or 'local socket'}{f':{port}' if port else ''}/{name or ''}"
