"""Structured logs in which no secret can stand: redaction is a step of the chain that no call goes around."""

from __future__ import annotations

import contextvars
import logging
import re
import sys
from collections.abc import Callable, Iterator, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ParamSpec, TextIO, TypeVar

import structlog

if TYPE_CHECKING:
    from tidegate.config import Settings

P = ParamSpec("P")
T = TypeVar("T")

MASK = "•••"

_SECRET_NAME = re.compile(
    r"(?i)(?:^|[_\-. ])(?:token|secrets?|passw(?:or)?d|passphrase|pwd|api[_-]?key|secret[_-]?key|private[_-]?key"
    r"|access[_-]?key|authorization|credentials?|cookie|session[_-]?id|signature)s?$|^(?:key|auth)$"
)
_CAMEL_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
# A vendor's text may be a megabyte of one word: each pattern begins only where a word begins, and `++` never goes back.
_PATTERNS = (
    # Up to the last @ before the path: a password that somebody forgot to encode may hold one.
    (re.compile(r"(?i)(?<![a-z0-9+.-])([a-z0-9+.-]++://)[^\s/?#]*@"), rf"\g<1>{MASK}@"),
    (
        re.compile(
            r"(?i)\b(authorization|proxy-authorization|x-api-key|cookie|set-cookie)(['\"]?\s*+[:=]\s*)[^\r\n,}]+"
        ),
        rf"\g<1>\g<2>{MASK}",
    ),
    (re.compile(r"(?s)(-----BEGIN [A-Z0-9 ]*PRIVATE KEY-----).*?(?=-----END |\Z)"), rf"\g<1>{MASK}"),
    (re.compile(r"(?i)\b(bearer|basic|token)\s+[A-Za-z0-9._~+/=-]{8,}"), rf"\g<1> {MASK}"),
    (
        re.compile(
            r"(?i)(?<![a-z0-9_-])(?=[a-z0-9_-]*(?:token|secret|passw(?:or)?d|api[_-]?key|signature|credential))"
            r"([a-z0-9_-]++)(['\"]?\s*+[=:]\s*+['\"]?)[^\s&'\",;}]+"
        ),
        rf"\g<1>\g<2>{MASK}",
    ),
)

# C0 and C1, DEL, and the separators that Unicode adds; a line feed that is data was escaped before.
_CONTROL = {
    code: f"\\u{code:04x}"
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F), *range(0x2066, 0x206A))
}
_LIBRARIES = ("procrastinate", "apprise", "httpx2", "httpcore", "httpcore2", "urllib3", "requests", "django", "asyncio")


def set_up_log(
    part: str = "",
    settings: Settings | None = None,
    *,
    level: int | None = None,
    as_json: bool | None = None,
    stream: TextIO | None = None,
) -> None:
    """Sends structlog's and the standard library's logs through one chain to stderr, redaction last but one.

    `part` is the part of the service that this process is (worker, scheduler, web): every line names it. Without one
    this is a single command, which is quiet unless TIDEGATE_LOG_LEVEL says otherwise.
    """
    if level is None:
        word = (settings and settings.log_level) or ("info" if part else "warning")
        level = logging.getLevelNamesMapping()[word.upper()]
    if as_json is None:
        as_json = settings is not None and settings.log_format == "json"
    shared = [
        structlog.contextvars.merge_contextvars,
        _names(part),
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    render = structlog.processors.JSONRenderer() if as_json else _as_logfmt
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                structlog.processors.format_exc_info,
                redact,
                render,
            ],
        )
    )
    logging.root.handlers = [handler]
    logging.root.setLevel(level)
    _take_in_libraries(level)
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


@contextmanager
def bound(**facts: Any) -> Iterator[None]:
    """Every line logged inside carries these facts: `with bound(operation=12, connection="Burp"):`.

    They belong to this thread or task. Hand work to another thread as `carried(work)`.
    """
    with structlog.contextvars.bound_contextvars(**facts):
        yield


def carried(work: Callable[P, T]) -> Callable[P, T]:
    """The same work, which logs in another thread with the facts that are bound here and now."""
    context = contextvars.copy_context()

    def in_its_context(*args: P.args, **kwargs: P.kwargs) -> T:
        # A context can be entered once at a time, and the work may be handed to many threads.
        return context.copy().run(work, *args, **kwargs)

    return in_its_context


def redact(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """A processor: masks every value whose name says that it is a secret, and credentials inside texts."""
    return {name: _redacted_value(name, value) for name, value in event.items()}


def redacted(text: str) -> str:
    """A text without what looks like a credential: in URLs, headers and assignments."""
    for pattern, replacement in _PATTERNS:
        text = pattern.sub(replacement, text)
    return text


def _redacted_value(name: str, value: Any) -> Any:
    if _SECRET_NAME.search(_CAMEL_HUMP.sub("_", name)):
        return MASK
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, dict):
        return {redacted(str(key)): _redacted_value(str(key), item) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_redacted_value("", item) for item in value]
    return redacted(value if isinstance(value, str) else str(value))


def _names(part: str) -> structlog.typing.Processor:
    """A processor that says which part of the service speaks, in whichever thread."""

    def name(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        if part:
            event.setdefault("part", part)
        return event

    return name


_logfmt = structlog.processors.LogfmtRenderer(
    key_order=["timestamp", "level", "part", "logger", "operation", "connection", "event"],
    drop_missing=True,
    bool_as_flag=False,
)


def _as_logfmt(logger: Any, method: str, event: MutableMapping[str, Any]) -> str:
    """One line, whatever a vendor wrote: nothing in it moves a cursor, or begins a line that nobody logged."""
    return str(_logfmt(logger, method, event)).translate(_CONTROL)


def _take_in_libraries(level: int) -> None:
    """Their loggers have no handlers of their own, and speak one step lower than we do.

    At their loudest some write addresses and headers whose secrets no pattern could know, so none is ever heard there.
    """
    for name in _LIBRARIES:
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
        library.setLevel(logging.INFO if level < logging.INFO else max(level, logging.WARNING))
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        library = logging.getLogger(name)
        library.handlers = []
        library.propagate = True
        library.setLevel(max(level, logging.INFO))
    access = logging.getLogger("uvicorn.access")
    access.filters = [_without_query]


def _without_query(record: logging.LogRecord) -> bool:
    """A filter that takes the query out of a line of uvicorn's access log: (client, method, path, version, status)."""
    if isinstance(record.args, tuple) and len(record.args) == 5:
        client, method, path, *rest = record.args
        record.args = (client, method, str(path).partition("?")[0], *rest)
    return True
