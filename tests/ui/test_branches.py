"""What becomes of a branch that vanished, in the form of a Connection."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pydantic import SecretStr

from tests.actions.ways import Side
from tests.database import migrated_database
from tests.ui.rooms import here
from tests.world import ALICE
from tidegate.actions.connection import add_connection
from tidegate.store.models import Connection

__all__ = ["here", "migrated_database"]

URL = "https://sonar.example.org/"


@pytest.mark.parametrize(
    ("entered", "status", "days"), [("30", 302, 30), ("", 302, 0), ("many", 422, 7), ("9999", 422, 7)]
)
def test_the_form_takes_days_and_says_what_is_no_number_of_them(
    here: tuple[Client, Side, Side], entered: str, status: int, days: int
):
    client, own, _ = here
    secrets = {"token": SecretStr("squ_of_the_form")}
    number = add_connection(
        ALICE, "sonarqube", f"Sonar {entered}", {"url": URL}, secrets, close_branches_after=7, discover=False
    )
    address = reverse("edit_connection", kwargs={"connection_id": number})
    shown = client.get(address).content.decode()

    form: dict[str, Any] = {"label": f"Sonar {entered}", "set.url": URL, "close_branches_after": entered}
    answer = client.post(address, {**form, "minimum_severity": "Info", "set.severity": "impact", "do": "save"})

    assert 'name="close_branches_after" type="number" min="0" max="3650" value="7"' in shown
    assert answer.status_code == status
    assert Connection.objects.get(pk=number).close_branches_after == days
    assert (
        "close_branches_after"
        not in client.get(reverse("edit_connection", kwargs={"connection_id": own.connection})).content.decode()
    )
