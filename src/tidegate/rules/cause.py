"""Why an Operation failed, as a word that says what an operator can do, and whether it may pass by itself."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Cause:
    """`needs_you`: a person must do something first. Else it is tried again by itself (rules/retry.py)."""

    word: str
    needs_you: bool
    next_step: str
    everywhere: bool = True
    """It is about the Connection as a whole, also where the Operation was asked for one Record only."""


_ALL: Final = (
    Cause("auth_rejected", True, "Enter a new credential for this Connection."),
    Cause("secret_ended", True, "Make a new credential in the tool and enter it for this Connection."),
    Cause("account_changed", True, "Go back to the account of its Records, or say that the Records continue."),
    Cause("unusable", True, "Correct what is stored for the Connection; tidegate doctor says what is wrong with it."),
    Cause("certificate", True, "Have the certificate mended, or add the certificate of your authority."),
    Cause("proxy_refused", True, "Check the proxy of the Connection, or of the service (TIDEGATE_PROXY)."),
    Cause("address_refused", True, "Enter the tool's own address as location."),
    Cause("access_denied", True, "Give the account the missing permission in the tool.", everywhere=False),
    Cause("not_found", True, "Check the location, and run Discover to see what the account sees.", everywhere=False),
    Cause("vendor_changed", True, "Check the location; if it is right, report this as a bug.", everywhere=False),
    Cause("disk", True, "Free some space for temporary files, or point TMPDIR at another disk."),
    Cause("deaths", True, "Look at its log, mend what ends the worker, then ask for it anew."),
    Cause("fault", True, "Report it, with the log of the Operation."),
    Cause("vendor_down", False, "Wait. If it lasts, check the location and the network between."),
    Cause("database", False, "Wait. If it lasts: tidegate doctor"),
    Cause("incomplete", False, "Wait: nothing was closed.", everywhere=False),
)

CAUSES: Final = {cause.word: cause for cause in _ALL}
"""By their word, the worst first."""

UNTOLD: Final = Cause("", True, "Look at the log of the Operation.")
"""An Operation of an earlier version, or a word of a later one: a failure that nobody can judge is not waited out."""

EVERYWHERE: Final = [cause.word for cause in _ALL if cause.everywhere]

# By the full name of the class, since rules know neither the SDK nor Django. The tests look whether each still exists.
_BY_CLASS: Final = {
    "tidegate_sdk.errors.AuthRejected": "auth_rejected",
    "tidegate_sdk.errors.AccessDenied": "access_denied",
    "tidegate_sdk.errors.NotFound": "not_found",
    "tidegate_sdk.errors.CertificateUnknown": "certificate",
    "tidegate_sdk.errors.ClientCertificateRefused": "certificate",
    "tidegate_sdk.errors.ProxyRefused": "proxy_refused",
    "tidegate_sdk.errors.VendorDown": "vendor_down",
    "tidegate_sdk.errors.VendorChanged": "vendor_changed",
    "tidegate_sdk.errors.Incomplete": "incomplete",
    "tidegate_sdk.errors.AddressRefused": "address_refused",
    "tidegate.ingest.login.AccountChanged": "account_changed",
    "tidegate.ingest.stage.SpoolFailed": "disk",
    "tidegate.catalog.Unusable": "unusable",
    "tidegate.ingest.run.Cancelled": "",
    "tidegate.ingest.run.HandedBack": "",
    "tidegate.store.writers.operation.Lost": "",
    "builtins.KeyboardInterrupt": "",
    "django.db.utils.Error": "database",
    "psycopg.Error": "database",
}

# Two kinds of failure share a class with others, and what a person does about them is something else.
_BY_TEXT: Final = (
    ("tidegate_sdk.errors.VendorDown",
     r".* does not speak TLS\.$", "certificate"),
    ("tidegate_sdk.errors.Incomplete", r"The answer could not be kept on Tidegate's own disk", "disk"),
)  # fmt: skip


def cause_of(error: BaseException) -> str:
    """The word for what ended an Operation: "" where it was a person's wish, "fault" for a bug of ours."""
    names = [f"{kind.__module__}.{kind.__qualname__}" for kind in type(error).__mro__]
    what = str(getattr(error, "what", ""))
    for name, pattern, word in _BY_TEXT:
        if name in names and re.match(pattern, what):
            return word
    return next((_BY_CLASS[name] for name in names if name in _BY_CLASS), "fault")


def the_cause(word: str) -> Cause:
    """What is known about this word of a failed Operation."""
    return CAUSES.get(word, UNTOLD)


def needs_you(word: str) -> bool:
    """Whether a failure of this cause waits for a person."""
    return the_cause(word).needs_you


def worst_cause(words: Iterable[str]) -> str:
    """The cause of an Operation that failed for some Records: the worst of theirs, "" where there is none.

    What a Family lacks that was never read before is no cause (records.md: a grey word); leave it out.
    """
    found = set(words) - {""}
    return next((word for word in CAUSES if word in found), min(found, default=""))
