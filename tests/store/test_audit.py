"""The audit log is append-only by the database's own grants, and by a trigger."""

from __future__ import annotations

import pytest
from django.db import connection, transaction
from django.db.utils import ProgrammingError

from tests.world import ALICE
from tidegate.store.models import AuditLine
from tidegate.store.writers.audit import save_audit_line

pytestmark = pytest.mark.usefixtures("database")

CHANGES = ("UPDATE audit_line SET actor = 'mallory'", "DELETE FROM audit_line", "TRUNCATE audit_line")
GIVEN_BACK = "GRANT UPDATE, DELETE, TRUNCATE ON audit_line TO CURRENT_USER"


@pytest.mark.parametrize("given_back", [False, True], ids=["by grants", "by trigger"])
@pytest.mark.parametrize("change", CHANGES)
def test_nobody_changes_or_deletes_a_line(change: str, given_back: bool):
    """Issue 6.6: append-only by the database's own grants; where the owner gives these back, the trigger holds."""
    save_audit_line(ALICE, "a.b", "done", "record", [1], {})

    with transaction.atomic(), connection.cursor() as cursor:
        if given_back:
            cursor.execute(GIVEN_BACK)
        with pytest.raises(ProgrammingError), transaction.atomic():
            cursor.execute(change)
        transaction.set_rollback(True)
    assert AuditLine.objects.get().actor == "alice"
