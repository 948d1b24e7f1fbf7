"""What people do with Connections; each promise of records.md is named where it is held."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx2
import pytest
from pydantic import SecretStr

from tests import world
from tests.acme import World
from tests.world import ALICE, BOB
from tidegate import catalog
from tidegate.actions import connection as actions
from tidegate.actions import record as records
from tidegate.actions.errors import NotThere, Refused
from tidegate.store.models import Connection, Held, Operation, ProductType, Record

pytestmark = pytest.mark.usefixtures("database")

TOKEN = {"token": SecretStr("acme-secret-token")}


def added(label: str = "Acme", **more: Any) -> int:
    return actions.add_connection(ALICE, "acme", label, {}, TOKEN, **more, discover=False)


def read(connection_id: int) -> Connection:
    return Connection.objects.get(pk=connection_id)


def mapped(connection_id: int) -> int:
    shop = world.record(read(connection_id))
    records.map_records(ALICE, [shop], new_product="Shop")
    return shop


def test_a_connection_is_stored_with_its_secrets_sealed(acme: World):
    """No secret appears in the clear: encrypted at rest with a key that is not in the database."""
    id = added(auto_map=True, join_by_name=True, minimum_severity=1, product_type="Web")

    found = read(id)
    assert (found.label, found.created_by, found.minimum_severity, found.auto_map) == ("Acme", "alice", 1, True)
    assert found.product_type == ProductType.objects.get(name="Web")
    assert b"acme-secret-token" not in bytes(found.secrets or b"")
    assert "token" not in json.dumps(found.settings)
    assert catalog.build(found).settings.token.get_secret_value() == "acme-secret-token"


@pytest.mark.parametrize(
    ("settings", "secrets", "sentence"),
    [
        ({"uri": "x"}, TOKEN, "Acme Scanner has no setting of a name that was given; it has: url, token."),
        ({"url": 5}, TOKEN, "Acme Scanner's Location URL (url) cannot be used: input should be a valid string."),
        ({"token": "in the clear"}, {}, "Acme Scanner's token is a secret."),
        ({}, {"url": SecretStr("x")}, "Acme Scanner's url is no secret."),
        ({}, {"password": SecretStr("x")}, "Acme Scanner has no secret of a name that was given; it has: token."),
    ],
)
def test_settings_that_cannot_be_used_are_named_and_nothing_is_stored(
    acme: World, settings: dict[str, Any], secrets: dict[str, SecretStr], sentence: str
):
    with pytest.raises(Refused) as refused:
        actions.add_connection(ALICE, "acme", "Acme", settings, secrets, discover=False)

    assert refused.value.sentence == sentence
    assert refused.value.next_step
    assert not Connection.objects.exists()


def test_an_unknown_tool_is_refused_with_those_there_are(acme: World, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(catalog, "BUILT_IN", {})

    with pytest.raises(NotThere, match=r"There is no Tool «acne»\. There are: acme\."):
        actions.add_connection(ALICE, "acne", "Acme", {}, TOKEN, discover=False)


@pytest.mark.parametrize("label", ["", "a\0b", "x" * 256])
def test_a_label_that_cannot_be_used_is_refused(acme: World, label: str):
    with pytest.raises(Refused, match="The label"):
        added(label)


def test_a_label_that_is_taken_is_refused_and_that_of_a_deleted_one_is_free(acme: World):
    id = added()

    with pytest.raises(Refused, match="There is a Connection «Acme» already"):
        added()
    with pytest.raises(Refused, match="There is a Connection «Acme» already"):
        actions.edit_connection(ALICE, added("Other"), label="Acme")
    actions.delete_connection(ALICE, id, "Acme")
    assert added() != id


@pytest.mark.parametrize("rank", [-1, 6])
def test_a_minimum_that_is_no_severity_is_refused(acme: World, rank: int):
    with pytest.raises(Refused, match="no severity"):
        added(minimum_severity=rank)


@pytest.mark.parametrize("unknown", [99, -1, 2**63])
def test_an_unknown_connection_is_named(unknown: int):
    for act in (
        lambda: actions.edit_connection(ALICE, unknown, label="x"),
        lambda: actions.pause_connection(ALICE, unknown),
        lambda: actions.resume_connection(ALICE, unknown),
        lambda: actions.delete_connection(ALICE, unknown, "x"),
        lambda: actions.test_connection(ALICE, unknown),
        lambda: actions.threshold_effect(unknown, 1),
    ):
        with pytest.raises(NotThere, match=f"There is no Connection {unknown}"):
            act()


def test_an_edit_changes_what_is_named_and_nothing_else(acme: World):
    id = added(minimum_severity=1, product_type="Web")
    before = Connection.objects.filter(pk=id).values().get()

    actions.edit_connection(
        BOB, id, label="Acme EU", auto_map=True, product_type="", hold_percent=80, close_branches_after=30
    )

    after = Connection.objects.filter(pk=id).values().get()
    assert {name: after[name] for name in after if after[name] != before[name]} == {
        "label": "Acme EU",
        "auto_map": True,
        "product_type_id": None,
        "hold_percent": 80,
        "close_branches_after": 30,
    }


@pytest.mark.parametrize(
    "wrong",
    [
        {"hold_percent": 0},
        {"hold_percent": 101},
        {"hold_above": -1},
        {"close_branches_after": -1},
        {"close_branches_after": 3_651},
    ],
)
def test_a_number_that_makes_no_sense_is_refused(acme: World, wrong: dict[str, Any]):
    with pytest.raises(Refused, match="Give a number from"):
        actions.edit_connection(ALICE, added(), **wrong)


def test_one_setting_or_one_secret_is_changed_alone(acme: World):
    id = added()

    actions.edit_connection(ALICE, id, settings={"url": "https://eu.acme.test/"})
    actions.edit_connection(ALICE, id, secrets={"token": SecretStr("new")})

    tool = catalog.build(read(id))
    assert (tool.settings.url, tool.settings.token.get_secret_value()) == ("https://eu.acme.test/", "new")
    actions.edit_connection(ALICE, id, settings={"url": None})
    assert read(id).settings == {}


def test_other_settings_keep_the_account_until_a_person_says_that_the_records_continue(acme: World):
    """records.md: another account asks whether the Records continue; and a running Sync looks again."""
    id = added()
    Connection.objects.update(account="acme-1", account_name="Acme")
    shop = mapped(id)
    epoch = world.read(shop).epoch

    actions.edit_connection(ALICE, id, secrets=TOKEN)
    assert (read(id).account, world.read(shop).epoch) == ("acme-1", epoch)
    actions.edit_connection(ALICE, id, settings={"url": "https://eu.acme.test/"})
    assert (read(id).account, world.read(shop).epoch) == ("acme-1", epoch + 1)
    actions.edit_connection(ALICE, id, records_continue=True)

    assert (read(id).account, world.read(shop).epoch) == ("", epoch + 2)


def test_a_raised_threshold_closes_at_once_what_is_below_it(acme: World):
    """Threshold: the severity in force; Below it nothing is stored; raising it closes (not deletes) at once, with that
    reason; Unknown is never filtered by a threshold."""
    id = added()
    shop = mapped(id)
    info, low, unknown, medium = (world.synced(shop, str(rank), severity_vendor=rank)[0] for rank in range(4))
    lowered = world.synced(shop, "lowered", severity_vendor=5, severity=0)[0]
    raised = world.synced(shop, "raised", severity_vendor=0, severity=5)[0]
    feed = world.read(shop).feed_id
    Held.objects.create(finding_id=info, feed_id=feed, since_operation=1, latest_operation=1, standing="held")
    epoch = world.read(shop).epoch
    assert actions.threshold_effect(id, 3).closes == 3

    edited = actions.edit_connection(BOB, id, minimum_severity=3)

    assert (edited.closed, edited.sync_wanted) == (3, False)
    assert {world.of(each).closed_because for each in (info, low, lowered)} == {"threshold"}
    assert all(world.of(each).open for each in (unknown, medium, raised))
    assert world.journal(info) == [("closed", "bob")]
    assert not Held.objects.exists()
    assert world.read(shop).epoch == epoch + 1
    assert world.tallies() == world.true_tallies()


def test_a_lowered_threshold_wants_a_sync_that_brings_back(acme: World):
    """lowering it queues a Sync that brings back and creates. The form says how many of each before it is saved."""
    id = added(minimum_severity=3)
    shop = mapped(id)
    world.synced(shop, "k1")
    from tidegate.store.models import Part

    Part.objects.update(below=7)
    effect = actions.threshold_effect(id, 1)

    edited = actions.edit_connection(ALICE, id, minimum_severity=1)

    assert (effect.closes, effect.may_bring, edited.sync_wanted) == (0, 7, True)


def test_what_a_remap_left_behind_is_not_closed_by_a_threshold(acme: World):
    """imported findings are left as they are."""
    id = added()
    shop = mapped(id)
    (left,) = world.synced(shop, "k1", severity_vendor=1)
    records.map_records(ALICE, [shop], new_product="Other")

    assert actions.edit_connection(ALICE, id, minimum_severity=3).closed == 0
    assert world.of(left).open


def test_pausing_says_by_whom_and_why_and_resuming_forgets_rejected_logins(acme: World):
    """A Connection can be paused."""
    id = added()
    Connection.objects.update(rejected_logins=3)

    actions.pause_connection(BOB, id, "moving house")

    assert read(id).paused_because == "Paused by bob: moving house."
    with pytest.raises(Refused, match="paused already"):
        actions.pause_connection(ALICE, id)
    actions.resume_connection(ALICE, id)
    assert (read(id).paused_at, read(id).paused_because, read(id).rejected_logins) == (None, "", 0)
    with pytest.raises(Refused, match="not paused"):
        actions.resume_connection(ALICE, id)


def test_a_deleted_connection_keeps_its_row_without_secrets_and_its_findings(acme: World):
    """user deletes a Connection: its Records, schedules and secrets go; Products, Engagements, Tests and Findings stay
    and still say where they came from."""
    id = added()
    shop = mapped(id)
    (finding,) = world.synced(shop, "k1")
    waiting = Operation.objects.get(status="pending")
    epoch = world.read(shop).epoch

    with pytest.raises(Refused, match="is called «Acme»"):
        actions.delete_connection(BOB, id, "acme")
    actions.delete_connection(BOB, id, "Acme")

    found = read(id)
    assert (found.secrets, found.deleted_by, found.deleted_at is not None) == (None, "bob", True)
    assert world.of(finding).open
    assert world.of(finding).feed.test.connection.label == "Acme"
    assert Operation.objects.get(pk=waiting.pk).status == "cancelled"
    assert world.read(shop).epoch == epoch + 1
    with pytest.raises(NotThere):
        actions.edit_connection(ALICE, id, label="x")


def test_a_deleted_connection_is_continued_with_the_same_records_tests_and_decisions(acme: World):
    """A new Connection of the same Tool and account offers continue the deleted one: same Records, Tests, decisions."""
    id = added(minimum_severity=3)
    shop = mapped(id)
    (finding,) = world.synced(shop, "k1")
    Connection.objects.update(account="acme-1")
    actions.delete_connection(ALICE, id, "Acme")
    assert [one.pk for one in actions.continuable("acme", "acme-1")] == [id]
    assert actions.continuable("acme", "acme-2") == []

    again = added("Acme again", continues=id)

    assert again == id
    assert (read(id).label, read(id).deleted_at, read(id).deleted_by, read(id).minimum_severity) == (
        "Acme again",
        None,
        "",
        0,
    )
    assert catalog.build(read(id)).settings.token.get_secret_value() == "acme-secret-token"
    assert world.read(shop).feed_id == world.of(finding).feed_id
    assert Record.objects.count() == 1


@pytest.mark.parametrize("continues", [1, 99, -1])
def test_only_a_deleted_connection_of_the_same_tool_is_continued(acme: World, continues: int):
    added()

    with pytest.raises(NotThere, match="no deleted Connection"):
        added("B", continues=continues)
    assert Connection.objects.count() == 1


# What is stored can no longer be used


def test_corrupt_settings_are_a_sentence_that_names_the_field(acme: World):
    id = added()
    Connection.objects.update(settings={"url": None, "old": 1})

    (step,) = actions.test_connection(ALICE, id)

    assert (step.name, step.ok) == ("settings", False)
    assert "Acme cannot be used as it is stored. Acme Scanner's Location URL (url) cannot be used" in step.sentence
    assert "Acme Scanner has no setting «old»" in step.sentence
    assert f"tidegate connection edit {id}" in step.sentence


def test_a_lost_key_is_a_clear_error_and_entering_the_secrets_again_mends_it(acme: World, tmp_path: Path):
    """the key lost: a clear error per Connection, everything else works."""
    id = added()
    (tmp_path / "home" / "secret.key").unlink()

    with pytest.raises(catalog.Unusable, match=r"Acme cannot be used\. The key .* is missing"):
        catalog.build(read(id))
    with pytest.raises(Refused, match="is missing"):
        actions.edit_connection(ALICE, id, settings={"url": "https://eu.acme.test/"})
    actions.edit_connection(ALICE, id, label="Still editable")
    actions.edit_connection(ALICE, id, secrets=TOKEN)
    assert catalog.build(read(id)).settings.token.get_secret_value() == "acme-secret-token"


def test_a_tool_that_is_gone_is_a_sentence(acme: World, monkeypatch: pytest.MonkeyPatch):
    id = added()
    monkeypatch.setattr(catalog, "added", dict)
    monkeypatch.setattr(catalog, "BUILT_IN", {})

    with pytest.raises(catalog.Unusable, match="There is no Tool «acme»"):
        catalog.build(read(id))


def test_secrets_copied_to_another_connection_do_not_open(acme: World):
    first, second = added(), added("Other")
    Connection.objects.filter(pk=second).update(secrets=read(first).secrets)

    with pytest.raises(catalog.Unusable, match="damaged or belong to another Connection"):
        catalog.build(read(second))


# Test connection


def test_a_test_asks_step_by_step_and_writes_nothing(acme: World):
    """Test connection runs the real first call and shows, step by step, what it can see."""
    acme.add("a", "A")
    acme.add("b", "B")
    id = added()
    before = Connection.objects.filter(pk=id).values().get()

    steps = actions.test_connection(ALICE, id)

    assert [(step.name, step.ok, step.sentence) for step in steps] == [
        ("login", True, "Logged in as Acme user."),
        ("what it can see", True, "All 2 applications."),
    ]
    assert Connection.objects.filter(pk=id).values().get() == before
    assert not Record.objects.exists()


def test_a_rejected_login_ends_the_test_with_what_to_do(acme: World):
    id = actions.add_connection(ALICE, "acme", "Acme", {}, {"token": SecretStr("wrong")}, discover=False)

    (step,) = actions.test_connection(ALICE, id)

    assert (step.name, step.ok) == ("login", False)
    assert "Enter a new credential" in step.sentence


def test_another_account_is_told(acme: World):
    id = added()
    Connection.objects.update(account="acme-0", account_name="The old one")

    last = actions.test_connection(ALICE, id)[-1]

    assert (last.name, last.ok) == ("account", False)
    assert "the Records of Acme belong to The old one" in last.sentence
    assert "tidegate connection edit Acme --records-continue" in last.sentence


def test_an_account_that_sees_nothing_is_told_what_to_check(acme: World):
    assert "No applications at all" in actions.test_connection(ALICE, added())[-1].sentence


def test_a_list_that_fails_after_the_login_is_told(acme: World):
    acme.interfere = lambda request: httpx2.Response(403) if request.url.path == "/products" else None

    last = actions.test_connection(ALICE, added())[-1]

    assert (last.name, last.ok) == ("what it can see", False)


def test_a_long_list_is_not_read_to_its_end(acme: World):
    acme.paged, acme.per_page = "steady", 500
    for number in range(3000):
        acme.add(str(number))

    last = actions.test_connection(ALICE, added())[-1]

    assert last.sentence == "At least 1,000 applications."
    assert acme.asked.count("/products") < 5


def test_what_is_not_saved_yet_can_be_tried(acme: World):
    found = actions.try_settings(ALICE, "acme", {}, TOKEN)

    assert found.account is not None
    assert found.account.id == "acme-1"
    assert not Connection.objects.exists()
