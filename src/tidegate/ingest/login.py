"""The first question of every Operation: whom does the vendor take us for, and is it still the same account."""

from __future__ import annotations

import shlex

from tidegate.store.models import Connection
from tidegate.store.writers.connection import note_secret_end
from tidegate.store.writers.operation import count_rejected_login, login_accepted
from tidegate_sdk import Account, AuthRejected, ConnectorError

from .run import Run
from .vendor import Vendor


class AccountChanged(ConnectorError):
    """The credential belongs to another account than the Records of this Connection."""


def other_account_step(label: str) -> str:
    """What to do where a Connection leads to another account than before."""
    return (
        "Go back to that one; or, if this one has the same things, say that the Records continue:"
        f" tidegate connection edit {shlex.quote(label)} --records-continue"
    )


def log_in(run: Run, vendor: Vendor, connection: Connection) -> Account:
    """Proves the login and that the account is the one whose Records these are.

    Raises ConnectorError; three rejected logins running pause the Connection. A preview notes nothing of what it
    learns; only a rejected login counts there too, for the vendor counts it, unless the Connection is a draft: nothing
    asks for that again and again.
    """
    run.show("Logging in")
    try:
        account = vendor.call(vendor.session.talk(vendor.tool.account()))
    except AuthRejected:
        if connection.draft_at is None and count_rejected_login(connection.pk):
            run.say("The login was rejected three times running: the Connection is paused.", "error")
        raise
    if connection.account not in ("", account.id):
        raise AccountChanged(
            f"{connection.label} now logs in as {account.id}, but its Records belong to {connection.account}.",
            other_account_step(connection.label),
        )
    if not run.operation.preview:
        login_accepted(connection.pk, account.id, account.name)
        if account.credential_ends is not None:
            note_secret_end(connection.pk, account.credential_ends, "tool", sealed=connection.secrets)
    run.say(f"Logged in as {account.name or account.id}.")
    return account
