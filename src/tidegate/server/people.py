"""What the pages need to know of people: the key that signs sessions, the names forms come from, and the
code of the first administrator."""

from __future__ import annotations

import secrets
from typing import Any, Final

import structlog
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from django.conf import settings as django_conf

from tidegate.actions.second_factor import seal_what_is_in_the_clear
from tidegate.actions.setup import code_to_set_up
from tidegate.config import Settings
from tidegate.guard.keys import Key, known_keys, made_key
from tidegate.reads.service import secrets_are_stored

log = structlog.get_logger("tidegate.people")

PURPOSE: Final = b"tidegate: sessions and what pages sign"


def prepare(settings: Settings) -> None:
    """Fills in Django's settings for a process that shows pages, and seals what an earlier version stored in the clear.
    Raises KeyProblem."""
    for name, value in of_pages(settings).items():
        setattr(django_conf, name, value)
    if known_keys(settings):
        seal_what_is_in_the_clear(settings)
    if code := code_to_set_up(settings):
        log.warning("nobody is administrator yet: open /setup and enter the code", code=code)


def of_pages(settings: Settings) -> dict[str, Any]:
    """Django's settings that are known only now."""
    keys = known_keys(settings)
    if not keys and not secrets_are_stored():
        keys = [made_key(settings.home)]
    # Where the key is lost a new one would only hide that: until it is back, sessions end with this process.
    first, *older = [signing(key) for key in keys] or [secrets.token_hex(32)]
    return {
        "SECRET_KEY": first,
        # After a rotation who is logged in stays so, as long as the older key is there.
        "SECRET_KEY_FALLBACKS": older,
        "CSRF_TRUSTED_ORIGINS": [f"https://{origin(name)}" for name in settings.named_hosts],
    }


def signing(key: Key) -> str:
    """What signs instead of the key itself, so that nothing signed tells anything of what the key seals."""
    return HKDF(algorithm=SHA256(), length=32, salt=None, info=PURPOSE).derive(key.value).hex()


def origin(name: str) -> str:
    """A name of `TIDEGATE_HOSTS` as Django writes it here: `.example.com` is every name below."""
    return f"*{name}" if name.startswith(".") else name
