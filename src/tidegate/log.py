"""Structured logs in which no secret can stand: redaction is a step of the chain that no call goes around."""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

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


def set_up_log(*, level: int = logging.WARNING, as_json: bool = False, stream: TextIO | None = None) -> None:
    """Sends structlog's and the standard library's logs through one chain to stderr, redaction last but one."""
    shared = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
    ]
    handler = logging.StreamHandler(stream or sys.stderr)
    render = structlog.processors.JSONRenderer() if as_json else structlog.processors.LogfmtRenderer(bool_as_flag=False)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=[structlog.stdlib.PositionalArgumentsFormatter(), *shared],
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
    structlog.configure(
        processors=[structlog.stdlib.filter_by_level, *shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


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
