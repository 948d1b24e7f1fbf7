"""News reach their routes once, are tried again when they do not arrive, and a route that fails hurts nobody else."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection as database_connection
from django.db import connections, transaction
from django.db.models import F
from pydantic import SecretStr

from tests import world
from tests.delivery.mailbox import Mailbox
from tests.delivery.webhook import Webhook
from tidegate.actions.route import add_route, edit_route, remove_route
from tidegate.config import load_settings
from tidegate.delivery.courier import Courier
from tidegate.delivery.deliver import deliver_news, deliver_once
from tidegate.store.models import Connection, Delivery, News, Route
from tidegate.store.writers.notification import note_ended, note_sent, route_news, save_news, take_due

ALICE = world.ALICE
TOKEN = "T0pS3cretT0ken"


@pytest.fixture
def acme(database: object) -> Connection:
    return world.connection("Acme")


@pytest.fixture
def deliver(database: object, courier: Courier) -> Callable[[], int]:
    """Delivers all that is due; returns in how many rounds."""

    def run() -> int:
        rounds = 0
        while deliver_once(courier, load_settings()):
            rounds += 1
        return rounds

    return run


def route(to: Webhook | str, name: str = "Team", **facts: Any) -> Route:
    address = to if isinstance(to, str) else f"json://{to.host}/{TOKEN}"
    return Route.objects.get(pk=add_route(ALICE, name, SecretStr(address), **facts))


def tell(of: Connection, kind: str = "needs_you", **facts: Any) -> None:
    with transaction.atomic():
        save_news(kind, of.pk, facts={"key": f"{News.objects.count()}", "cause": "auth_rejected", **facts})


def later(**by: float) -> None:
    """The clock goes on: everything that waits is due so much earlier, and so much older."""
    Delivery.objects.filter(next_at__isnull=False).update(next_at=F("next_at") - timedelta(**by))
    News.objects.update(at=F("at") - timedelta(**by))


def deliveries() -> list[tuple[str, bool, bool, int]]:
    rows = Delivery.objects.select_related("route").order_by("pk")
    return [(one.route.name, one.sent_at is not None, one.next_at is not None, one.attempts) for one in rows]


# They arrive


def test_news_arrive_once(acme: Connection, webhook: Webhook, deliver: Callable[[], int]):
    route(webhook)
    tell(acme, why="The login was rejected.")
    deliver()
    later(days=2)
    deliver()

    assert webhook.titles == ["Acme needs you: its login is rejected"]
    assert "The login was rejected." in webhook.messages[0]
    assert deliveries() == [("Team", True, False, 1)]
    assert Route.objects.get().last_sent_at is not None


def test_the_end_of_an_operation_comes_by_mail(acme: Connection, mailbox: Mailbox, deliver: Callable[[], int]):
    route(f"mailto://{mailbox.host}?from=tide@example.org&to=bob@example.org")
    note_ended(world.operation(acme, "sync", "failed", cause="auth_rejected", ended_at=world.now()).pk)
    deliver()

    (mail,) = mailbox.mails
    assert mail.parsed["Subject"] == "Acme needs you: its login is rejected"
    assert f"tidegate connection test {acme.pk}" in mail.text


def test_a_name_of_a_vendor_makes_no_header_and_no_line(acme: Connection, mailbox: Mailbox, deliver: Callable[[], int]):
    """Vendor text is hostile."""
    Connection.objects.update(label="Acme\r\nBcc: eve@example.org\r\n\r\nbody")
    route(f"mailto://{mailbox.host}?from=tide@example.org&to=bob@example.org")
    tell(acme, "new_records", new=1, names=["x\r\n.\r\nMAIL FROM:<eve@example.org>"])
    deliver()

    (mail,) = mailbox.mails
    assert mail.to == ["bob@example.org"]
    assert mail.parsed["Bcc"] is None
    assert "Bcc: eve@example.org" in mail.parsed["Subject"]


def test_each_route_gets_the_kinds_and_connections_it_is_for(acme: Connection, webhook: Webhook, deliver: Any):
    other = world.connection("Other")
    for name, facts in {
        "all": {},
        "kind": {"kinds": ["overdue", "held"]},
        "acme": {"connection_id": acme.pk},
        "neither": {"connection_id": acme.pk, "kinds": ["held"]},
    }.items():
        route(webhook, name, **facts)
    tell(acme)
    tell(other, "overdue")
    deliver()

    told = Delivery.objects.values_list("route__name", "news__kind").order_by("route__name", "news__kind")
    assert list(told) == [("acme", "needs_you"), ("all", "needs_you"), ("all", "overdue"), ("kind", "overdue")]


def test_what_waits_for_one_route_goes_out_together(acme: Connection, webhook: Webhook, deliver: Callable[[], int]):
    route(webhook)
    for _ in range(25):
        tell(acme, "overdue")
    deliver()

    assert webhook.titles == ["20 news from Tidegate", "5 news from Tidegate"]
    assert webhook.messages[0].count("Acme is overdue") == 20
    assert all(sent for _, sent, _, _ in deliveries())


def test_a_route_added_later_is_not_told_what_was_before(acme: Connection, webhook: Webhook, deliver: Any):
    tell(acme)
    deliver()
    route(webhook)
    deliver()

    assert webhook.taken == []
    assert News.objects.get().routed_at is not None


# They do not arrive


def test_what_does_not_arrive_is_tried_again_until_it_does(acme: Connection, webhook: Webhook, deliver: Any):
    route(webhook)
    webhook.answer = lambda request: 503
    tell(acme)
    for minutes in (0, 1, 5, 30):
        later(minutes=minutes)
        deliver()
        deliver()  # not before its time
    assert deliveries() == [("Team", False, True, 4)]
    failing = Route.objects.get()
    assert failing.failing_since is not None
    assert "503" in failing.last_error

    webhook.answer = lambda request: 200
    later(hours=2)
    deliver()

    assert len(webhook.taken) == 5
    assert deliveries() == [("Team", True, False, 5)]
    well = Route.objects.get()
    assert (well.failing_since, well.last_error) == (None, "")


def test_after_a_day_it_is_given_up_and_shown(acme: Connection, webhook: Webhook, deliver: Callable[[], int]):
    route(webhook)
    webhook.answer = lambda request: 404
    tell(acme)
    for _ in range(10):
        deliver()
        later(hours=12)
    tries = len(webhook.taken)
    deliver()

    assert 3 <= tries == len(webhook.taken) <= 7
    assert deliveries()[0][1:3] == (False, False)
    assert "404" in Delivery.objects.get().error
    assert Route.objects.get().failing_since is not None


def test_a_route_that_fails_does_not_keep_others_from_theirs(acme: Connection, webhook: Webhook, deliver: Any):
    route("json://127.0.0.1:1/closed", "Broken")
    route(webhook, "Team")
    for _ in range(3):
        tell(acme)
    deliver()

    assert webhook.titles == ["3 news from Tidegate"]
    assert Route.objects.get(name="Broken").last_error == "It refuses the connection."
    assert Route.objects.get(name="Team").failing_since is None


def test_a_route_that_fails_fails_no_operation(acme: Connection, deliver: Callable[[], int]):
    route("json://127.0.0.1:1/closed")
    number = world.operation(acme, "sync", "failed", cause="auth_rejected", ended_at=world.now())
    note_ended(number.pk)
    deliver()

    number.refresh_from_db()
    assert (number.status, number.why) == ("failed", "")


def test_a_lost_key_is_said_of_the_route(acme: Connection, webhook: Webhook, deliver: Any, tmp_path: Any):
    route(webhook)
    load_settings().home.joinpath("secret.key").unlink()
    tell(acme)
    deliver()

    assert "is missing" in Route.objects.get().last_error
    assert webhook.taken == []


def test_an_address_copied_to_another_route_does_not_open(acme: Connection, webhook: Webhook, deliver: Any):
    one, two = route(webhook, "one"), route("json://127.0.0.1:1/", "two")
    Route.objects.filter(pk=two.pk).update(address=one.address)
    tell(acme)
    deliver()

    assert "belong to another Route" in Route.objects.get(pk=two.pk).last_error
    assert len(webhook.taken) == 1


# Switched off, edited, removed


def test_a_route_that_is_switched_off_is_told_nothing_also_not_what_waited(
    acme: Connection, webhook: Webhook, deliver: Any
):
    number = route(webhook).pk
    tell(acme)
    route_news()
    edit_route(ALICE, number, on=False)
    tell(acme)
    deliver()
    edit_route(ALICE, number, on=True)
    deliver()
    assert webhook.taken == []
    assert Delivery.objects.get().error == "The route was switched off by alice."

    tell(acme)
    deliver()
    assert len(webhook.taken) == 1


def test_a_route_that_is_removed_while_it_sends_is_no_trouble(acme: Connection, webhook: Webhook, deliver: Any):
    number = route(webhook).pk

    def remove(request: object) -> int:
        remove_route(ALICE, number)
        connections.close_all()
        return 200

    webhook.answer = remove
    tell(acme)
    deliver()

    assert (Route.objects.count(), Delivery.objects.count(), News.objects.count()) == (0, 0, 1)


# Two at once, and death between


def test_two_who_deliver_at_once_send_once(acme: Connection, webhook: Webhook):
    """Any number of schedulers on any number of machines: two do not double anything."""
    for number in range(4):
        route(webhook, f"Team {number}")
    for _ in range(30):
        tell(acme)
    settings, gate = load_settings(), threading.Barrier(3)

    def run() -> None:
        try:
            with Courier("allow") as courier:
                gate.wait()
                while deliver_once(courier, settings):
                    pass
        finally:
            connections.close_all()

    threads = [threading.Thread(target=run) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    sent = sum(int(title.split()[0]) if title[0].isdigit() else 1 for title in webhook.titles)
    assert sent == 4 * 30
    assert {(sent, attempts) for _, sent, _, attempts in deliveries()} == {(True, 1)}


def test_no_transaction_is_open_while_the_network_is_waited_for(acme: Connection, webhook: Webhook, deliver: Any):
    """No transaction is open while a vendor is being waited for, and a chat is none the better."""
    open_ones: list[int] = []

    def look(request: object) -> int:
        with database_connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
                " AND pid <> pg_backend_pid() AND xact_start IS NOT NULL AND backend_type = 'client backend'"
            )
            open_ones.append(cursor.fetchone()[0])  # pyright: ignore[reportOptionalSubscript]
        connections.close_all()
        return 200

    webhook.answer = look
    route(webhook)
    tell(acme)
    deliver()

    assert open_ones == [0]


def test_who_dies_before_sending_is_followed_by_another(acme: Connection, webhook: Webhook, deliver: Any):
    route(webhook)
    tell(acme)
    route_news()
    assert len(take_due(180)) == 1  # and dies here

    deliver()
    assert webhook.taken == []
    later(seconds=181)
    deliver()
    assert len(webhook.taken) == 1


def test_who_notes_too_late_changes_nothing(acme: Connection, webhook: Webhook, deliver: Any):
    """Taken, asleep past its time, taken by another whose send failed: the sleeper's word is not of this attempt."""
    route(webhook)
    webhook.answer = lambda request: 500
    tell(acme)
    route_news()
    sleeper = take_due(180)
    later(seconds=181)
    deliver()

    note_sent(sleeper)

    assert deliveries() == [("Team", False, True, 2)]


# The loop


def test_the_loop_delivers_until_it_is_stopped(acme: Connection, webhook: Webhook):
    route(webhook)
    tell(acme)
    came, stop = threading.Event(), threading.Event()
    webhook.answer = lambda request: came.set() or 200
    thread = threading.Thread(target=deliver_news, args=(stop,))
    thread.start()

    assert came.wait(60)
    stop.set()
    thread.join(60)

    assert not thread.is_alive()


def test_the_loop_survives_a_database_that_goes_away(
    acme: Connection, webhook: Webhook, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("tidegate.delivery.deliver.AFTER_TROUBLE_SECONDS", 0.1)
    monkeypatch.setattr("tidegate.delivery.deliver.LOOK_EVERY_SECONDS", 0.1)
    came, stop = threading.Event(), threading.Event()
    webhook.answer = lambda request: came.set() or 200
    thread = threading.Thread(target=deliver_news, args=(stop,))
    thread.start()
    try:
        for _ in range(5):
            with database_connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    " WHERE datname = current_database() AND pid <> pg_backend_pid()"
                    " AND backend_type = 'client backend'"
                )
            stop.wait(0.2)
        route(webhook)
        tell(acme)
        assert came.wait(60)
    finally:
        stop.set()
        thread.join(60)


# Secrets


def test_a_secret_of_an_address_stands_nowhere(
    acme: Connection, webhook: Webhook, deliver: Any, caplog: pytest.LogCaptureFixture, capfd: Any
):
    """No secret appears in a log line, an error, or the database in the clear."""
    address = f"json://ann:{TOKEN}@{webhook.host}/{TOKEN}?+Authorization={TOKEN}"
    webhook.answer = lambda request: 401
    number = route(address).pk
    tell(acme)
    deliver()
    remembered = [repr(route(f"json://ann:{TOKEN}@127.0.0.1:1/{TOKEN}", "closed")), repr(SecretStr(address))]
    tell(acme)
    deliver()

    with database_connection.cursor() as cursor:
        cursor.execute("SELECT route::text, delivery::text FROM route LEFT JOIN delivery ON route_id = route.id")
        stored = str(cursor.fetchall())
    said = "".join(capfd.readouterr()) + caplog.text + stored + str(remembered)
    assert "401" in stored
    assert number
    assert TOKEN not in said
    assert TOKEN.encode().hex() not in said
