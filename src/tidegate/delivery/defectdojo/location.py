"""Where a DefectDojo is, as a person enters it."""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

LONGEST: Final = 2_000
_LIKE: Final = "It looks like: https://defectdojo.example.org"
_API: Final = "/api/v2"


class NoLocation(ValueError):
    """The text is no URL of a DefectDojo; the message is a sentence that repeats nothing of it."""


def base_url(text: str) -> str:
    """The URL up to where `/api/v2/` begins, without a slash at its end. Raises NoLocation."""
    text = text.strip()
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        raise NoLocation(f"That is no URL. {_LIKE}") from None
    if parts.scheme.lower() not in ("http", "https") or not parts.hostname or port == 0:
        raise NoLocation(f"A DefectDojo has an http or https URL with a host. {_LIKE}")
    if not text.isascii() or not text.isprintable() or " " in text or "\\" in text or len(text) > LONGEST:
        raise NoLocation(f"The URL has letters that no URL has, or is too long. {_LIKE}")
    if "@" in parts.netloc:
        raise NoLocation("The URL holds no user or password: the token says who we are.")
    if parts.query or parts.fragment:
        raise NoLocation(f"The URL ends with its path, without ? or #. {_LIKE}")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    path = parts.path.rstrip("/").removesuffix(_API).rstrip("/")
    return f"{parts.scheme.lower()}://{host}{f':{port}' if port else ''}{path}"
