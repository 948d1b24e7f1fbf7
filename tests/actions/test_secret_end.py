"""When the secret of a Connection ends: entered by a person, said by the token, told by the tool."""

from __future__ import annotations

import base64
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from pydantic import SecretStr

from tests import world
from tests.acme import World
from tests.world import ALICE
from tidegate.actions import connection as actions
from tidegate.actions.errors import Refused
from tidegate.rules.health import PAUSED_ITSELF
from tidegate.store.models import Connection
from tidegate.store.writers.connection import note_secret_end
from tidegate.store.writers.operation import count_rejected_login

pytestmark = pytest.mark.usefixtures("database", "acme")

TOKEN = {"token": SecretStr("acme-secret-token")}
LAST_DAY = date(2041, 4, 30)
END_OF_IT = datetime(2041, 4, 30, 23, 59, 59, tzinfo=UTC)
SOONER, LATER = END_OF_IT - timedelta(days=9), END_OF_IT + timedelta(days=9)


def jwt(ends: datetime) -> dict[str, SecretStr]:
    parts = [{"alg": "none"}, {"exp": int(ends.timestamp())}, {}]
    text = ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts)
    return {"token": SecretStr(text)}


def added(secrets: dict[str, SecretStr] = TOKEN, **more: Any) -> int:
    return actions.add_connection(ALICE, "acme", "Acme", {}, secrets, **more, discover=False)


def end_of(connection_id: int) -> tuple[datetime | None, str]:
    found = Connection.objects.get(pk=connection_id)
    return found.secret_ends_at, found.secret_ends_told_by


def test_a_date_that_is_entered_is_kept():
    assert end_of(added(secret_ends=LAST_DAY)) == (END_OF_IT, "person")


def test_a_token_says_its_end_itself():
    """Issue 4, 9: a JWT's `exp`."""
    assert end_of(added(jwt(LATER))) == (LATER, "token")


@pytest.mark.parametrize(("ends", "believed"), [(SOONER, (SOONER, "token")), (LATER, (END_OF_IT, "person"))])
def test_of_what_a_person_and_the_token_say_the_earlier_counts(ends: datetime, believed: Any):
    assert end_of(added(jwt(ends), secret_ends=LAST_DAY)) == believed


def test_a_secret_that_says_nothing_has_no_known_end():
    assert end_of(added()) == (None, "")


def test_a_new_secret_forgets_the_end_of_the_one_before():
    id = added(secret_ends=LAST_DAY)

    actions.edit_connection(ALICE, id, secrets=TOKEN)
    assert end_of(id) == (None, "")
    actions.edit_connection(ALICE, id, secrets=jwt(LATER))
    assert end_of(id) == (LATER, "token")
    actions.edit_connection(ALICE, id, secrets=TOKEN, secret_ends=LAST_DAY)
    assert end_of(id) == (END_OF_IT, "person")


def test_another_edit_leaves_it_as_it_is():
    id = added(secret_ends=LAST_DAY)

    actions.edit_connection(ALICE, id, label="Acme 2", settings={"url": "https://other.test/"})

    assert end_of(id) == (END_OF_IT, "person")


def test_a_date_can_be_entered_later_and_taken_back():
    id = added()

    actions.edit_connection(ALICE, id, secret_ends=LAST_DAY)
    assert end_of(id) == (END_OF_IT, "person")
    actions.edit_connection(ALICE, id, secret_ends="unknown")
    assert end_of(id) == (None, "")


def test_a_date_that_is_over_or_of_no_secret_is_refused():
    bare = world.connection("bare", tool="acme")

    with pytest.raises(Refused, match="2020-01-01 is over"):
        added(secret_ends=date(2020, 1, 1))
    with pytest.raises(Refused, match="No secret is stored"):
        actions.edit_connection(ALICE, bare.pk, secret_ends=LAST_DAY)
    with pytest.raises(Refused, match="No secret is stored"):
        added({}, secret_ends=LAST_DAY)
    assert not Connection.objects.filter(label="Acme").exists()


def test_a_date_that_a_person_entered_yields_only_to_an_earlier_one():
    id = added(secret_ends=LAST_DAY)

    assert not note_secret_end(id, LATER, "tool")
    assert end_of(id) == (END_OF_IT, "person")
    assert note_secret_end(id, SOONER, "tool")
    assert end_of(id) == (SOONER, "tool")
    assert note_secret_end(id, LATER, "tool")
    assert not note_secret_end(id, LATER, "tool"), "told again, it is no news"


def test_what_a_login_with_the_old_secret_heard_is_not_said_of_the_new_one():
    id = added()
    old = Connection.objects.get(pk=id).secrets
    actions.edit_connection(ALICE, id, secrets=TOKEN)

    assert not note_secret_end(id, SOONER, "tool", sealed=old)
    assert note_secret_end(id, LATER, "tool", sealed=Connection.objects.get(pk=id).secrets)


def test_nothing_is_noted_where_no_secret_is_any_more():
    id = added(secret_ends=LAST_DAY)
    actions.delete_connection(ALICE, id, "Acme")

    assert end_of(id) == (None, "")
    assert not note_secret_end(id, SOONER, "tool")
    assert not note_secret_end(99, SOONER, "tool")


def test_continuing_a_deleted_connection_takes_the_end_of_the_new_secret():
    id = added(secret_ends=LAST_DAY)
    actions.delete_connection(ALICE, id, "Acme")

    assert added(jwt(LATER), continues=id) == id
    assert end_of(id) == (LATER, "token")


def test_a_new_secret_resumes_what_rejected_logins_paused(acme: World):
    """The person has done what the pause asked for; a Connection that stays silent afterwards helps nobody."""
    id = added()
    for _ in range(3):
        count_rejected_login(id)
    assert Connection.objects.get(pk=id).paused_because.startswith(PAUSED_ITSELF)

    edited = actions.edit_connection(ALICE, id, secrets=TOKEN)

    found = Connection.objects.get(pk=id)
    assert edited.resumed
    assert (found.paused_at, found.paused_because, found.rejected_logins) == (None, "", 0)


def test_a_new_secret_does_not_end_the_pause_of_a_person():
    id = added()
    actions.pause_connection(ALICE, id, "the move")

    assert not actions.edit_connection(ALICE, id, secrets=TOKEN).resumed
    assert Connection.objects.get(pk=id).paused_because == "Paused by alice: the move."
