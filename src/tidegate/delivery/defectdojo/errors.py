"""What a DefectDojo's refusals mean: a class for each thing that the operator, or the delivery, must do about it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

_REJECTED: Final = ("invalid token", "credentials were not provided", "user inactive", "user is inactive")
_LONGEST_SAID: Final = 400


class DojoError(Exception):
    """The server was asked in vain. `what` happened and `next_step` are sentences without secrets."""

    next_step = "Look at the log of the Operation."

    def __init__(self, what: str, next_step: str | None = None, *, status: int | None = None) -> None:
        super().__init__(what)
        self.what, self.status = what, status
        """The HTTP status it was told by, where there was one."""
        if next_step is not None:
            self.next_step = next_step

    def __str__(self) -> str:
        return f"{self.what} {self.next_step}"


class TokenRejected(DojoError):
    """The server does not know the token, or its user may not log in."""

    next_step = "Enter another API v2 token for this Destination."


class NotPermitted(DojoError):
    """The token is good, and its user may not do this."""

    next_step = "Give the token's user the right to do it in DefectDojo, or use another user's token."


class NotThere(DojoError):
    """There is no such thing, or the token's user may not see it: the server does not tell the two apart."""

    next_step = "Look whether it was deleted in DefectDojo, and whether the token's user may see it."


class Refused(DojoError):
    """The server does not take what was sent. `fields` is what it says of each, its own words; "" for the whole."""

    next_step = "Nothing is sent again as it is; the words above say what the server did not take."

    def __init__(
        self, what: str, next_step: str | None = None, *, status: int | None = None, fields: Mapping[str, str]
    ) -> None:
        super().__init__(what, next_step, status=status)
        self.fields = dict(fields)


class TooLarge(DojoError):
    """The report is larger than the server, or a proxy before it, takes: the batch must be smaller."""

    next_step = "Smaller batches are sent; if it lasts, raise the body size of the proxy before DefectDojo."


class Down(DojoError):
    """The server did not answer, or answered that it cannot; nothing was written. Tried again by the next delivery."""

    next_step = "Wait: the next delivery tries again. If it lasts, check the address and the network between."

    def __init__(
        self, what: str, next_step: str | None = None, *, status: int | None = None, after: float | None = None
    ) -> None:
        super().__init__(what, next_step, status=status)
        self.after = after
        """Seconds that the server asked for, where it did."""


class Unknown(DojoError):
    """A write was sent and its outcome is not known: all, some or nothing of it was done.

    Whoever wrote reads the state back before anything else is written; the write is never simply repeated.
    """

    next_step = "What the server holds is read back before anything is sent again."


class Moved(DojoError):
    """A list changed while it was read, so what was read of it proves nothing; it may be read anew."""

    next_step = "The list is read again."


class Unreadable(DojoError):
    """What answers there does not speak DefectDojo's API v2."""

    next_step = "Check that the URL is DefectDojo's own and that no login page (SSO, a proxy) stands before its API."


class Unreachable(DojoError):
    """Nothing could be sent: the address is not called, its certificate proves nothing, the proxy lets nobody through.

    A person must mend it.
    """

    next_step = "Check URL, certificates and proxy of this Destination."


def refusal(where: str, status: int, body: Any) -> DojoError:
    """The error of an answer with a status of 400 to 499; `body` is its decoded JSON, or None."""
    fields = said(body)
    words = "; ".join(f"{name}: {text}" if name else text for name, text in fields.items())[:_LONGEST_SAID]
    what = f"{where} answered {status}." + (f' DefectDojo says: "{words}"' if words else "")
    if status in (401, 403):
        if status == 401 or any(word in words.lower() for word in _REJECTED):
            return TokenRejected(what, status=status)
        return NotPermitted(what, status=status)
    if status == 404:
        if body is None:
            return Unreadable(f"{where}: there is no such path on this server.", status=status)
        return NotThere(what, status=status)
    if status == 413 or (status == 400 and "too large" in words.lower()):
        return TooLarge(what, status=status)
    if status in (400, 409, 422):
        return Refused(what, status=status, fields=fields)
    return Unreadable(what, status=status)


def said(body: Any) -> dict[str, str]:
    """What an error's body says of each field, in one of the server's forms: an object, a list, a word.

    Twins are told once: 3.x puts the sentence of a field into `message` too, and an advertisement into `pro`.
    """
    if isinstance(body, str):
        return {"": _one_line(body)}
    if isinstance(body, list):
        return {"": _sentences(cast("list[Any]", body))} if body else {}
    if not isinstance(body, Mapping):
        return {}
    found: dict[str, str] = {}
    for name, told in cast("Mapping[str, Any]", body).items():
        if name == "pro":
            continue
        text = _sentences(cast("list[Any]", told)) if isinstance(told, list) else _one_line(str(told))
        if name in ("message", "detail", "non_field_errors"):
            found.setdefault("", text)
        else:
            found[_one_line(name)[:60]] = text
    if "" in found and any(text and text in found[""] for name, text in found.items() if name):
        del found[""]
    return found


def _sentences(words: list[Any]) -> str:
    return " ".join(_one_line(str(word)) for word in words[:20])


def _one_line(text: str) -> str:
    return "".join(letter if letter.isprintable() else " " for letter in " ".join(text.split()))[:_LONGEST_SAID]
