"""`tidegate notify`: who is told what, tried at once, and the address shown nowhere."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.delivery.webhook import Webhook
from tidegate.cli.option import NewsKind
from tidegate.rules.news import KINDS

TOKEN = "T0pS3cretT0ken"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture
def team(tidegate: Any, webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A route «Team» to the webhook."""
    monkeypatch.setenv("HOOK", f"json://{webhook.host}/{TOKEN}")
    added = tidegate("notify", "add", "Team", "--address", "env:HOOK")
    assert added.code == 0, added.err
    return tidegate


def test_the_kinds_of_news_are_those_of_the_rules():
    assert [kind.value for kind in NewsKind] == list(KINDS)


def test_a_route_is_tried_before_it_is_stored(team: Any, webhook: Webhook):
    (request,) = webhook.taken
    assert request.path == f"/{TOKEN}"
    assert request.json["title"] == "Tidegate can reach you"

    listed = team("notify", "list")
    assert f"json://{webhook.host}/…" in listed.out
    assert TOKEN not in listed.out + team("notify", "show", "Team").out + team("notify", "list", "--json").out


def test_what_does_not_arrive_is_not_stored(tidegate: Any, webhook: Webhook, monkeypatch: pytest.MonkeyPatch):
    webhook.answer = lambda request: 403
    monkeypatch.setenv("HOOK", f"json://{webhook.host}/{TOKEN}")

    ran = tidegate("notify", "add", "Team", "--address", "env:HOOK")

    assert ran.code == 1
    assert "did not arrive, so nothing is stored" in ran.err
    assert "403" in ran.err
    assert TOKEN not in ran.out + ran.err
    assert tidegate.json("notify", "list") == {"routes": []}
    assert tidegate("notify", "add", "Team", "--address", "env:HOOK", "--no-test").code == 0


def test_an_address_is_taken_from_where_it_stays_secret(
    tidegate: Any, webhook: Webhook, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    address = f"json://{webhook.host}/{TOKEN}"
    (tmp_path / "address").write_text(address + "\n")

    assert tidegate("notify", "add", "a", "--address", f"file:{tmp_path / 'address'}").code == 0
    assert tidegate("notify", "add", "b", "--address", "-", stdin=address + "\n").code == 0
    monkeypatch.setattr("getpass.getpass", lambda *a, **k: address)
    assert tidegate("notify", "add", "c", keyboard=True).code == 0

    assert len(webhook.taken) == 3


def test_an_address_in_the_command_is_refused_without_being_repeated(tidegate: Any):
    """Secrets stand in no process list: what stands in a command can be read by others."""
    ran = tidegate("notify", "add", "Team", "--address", f"jsons://hooks.example.org/{TOKEN}")

    assert ran.code == 2
    assert "can be read by others" in ran.err
    assert "--address env:VARIABLE" in ran.err
    assert TOKEN not in ran.err


def test_without_address_and_without_anybody_to_ask_it_says_how(tidegate: Any):
    ran = tidegate("notify", "add", "Team")

    assert ran.code == 2
    assert "--address env:VARIABLE" in ran.err


@pytest.mark.parametrize("address", ["syslog://", "json://127.0.0.1/?verify=no", "nonsense"])
def test_an_address_that_may_not_be_is_a_sentence(tidegate: Any, monkeypatch: pytest.MonkeyPatch, address: str):
    monkeypatch.setenv("HOOK", address)

    ran = tidegate("notify", "add", "Team", "--address", "env:HOOK")

    assert ran.code == 1
    assert "Next: See how addresses look" in ran.err


def test_two_routes_have_no_name_in_common(team: Any):
    ran = team("notify", "add", "Team", "--address", "env:HOOK")

    assert ran.code == 1
    assert "There is a route «Team» already." in ran.err


def test_a_test_sends_one_message_now_and_says_how_it_went(team: Any, webhook: Webhook):
    assert team("notify", "test", "Team").code == 0
    assert "«Team»" in webhook.messages[-1]

    webhook.answer = lambda request: 500
    failed = team("notify", "test", "1", "--json")
    assert failed.code == 1
    assert failed.json["ok"] is False
    assert "500" in failed.json["steps"][0]["sentence"]


def test_a_route_is_edited_switched_off_and_removed(team: Any, shop: Any):
    edited = team.json("notify", "edit", "Team", "--name", "Crew", "--kind", "held", "--kind", "overdue", "-c", "Burp")
    assert (edited["name"], edited["kinds"], edited["connection"]) == ("Crew", ["overdue", "held"], "Burp")

    back = team.json("notify", "edit", "Crew", "--every-kind", "--every-connection", "--off")
    assert (back["kinds"], back["connection"], back["state"]) == ([], None, "off")

    assert "already" in team("notify", "edit", "Crew", "--off").err
    assert team.json("notify", "edit", "Crew", "--on")["state"] == "on"
    assert team("notify", "edit", "Crew").code == 2
    assert team("notify", "edit", "Crew", "--kind", "held", "--every-kind").code == 2
    assert team.json("notify", "remove", "Crew") == {"deleted": {"id": 1, "name": "Crew"}}
    gone = team("notify", "show", "Crew")
    assert (gone.code, "There is no route «Crew»." in gone.err) == (1, True)


def test_the_log_says_what_happened_and_who_was_told(team: Any, shop: Any, webhook: Webhook):
    from tests import world
    from tidegate.config import load_settings
    from tidegate.delivery.courier import Courier
    from tidegate.delivery.deliver import deliver_once
    from tidegate.store.models import Connection
    from tidegate.store.writers.notification import note_ended

    of = Connection.objects.get()
    webhook.answer = lambda request: 503
    note_ended(world.operation(of, "sync", "failed", cause="auth_rejected", ended_at=world.now()).pk)
    with Courier("allow") as courier:
        while deliver_once(courier, load_settings()):
            pass

    log = team("notify", "log")
    assert "Burp needs you" in log.out
    assert "Team: waiting" in " ".join(log.out.split())
    (told,) = team.json("notify", "log", "--kind", "needs_you", "--route", "Team", "-c", "Burp")["news"]
    assert (told["connection"], told["deliveries"][0]["outcome"]) == ("Burp", "waiting")
    assert team.json("notify", "log", "--kind", "held")["news"] == []
    failing = team("notify", "list")
    assert "failing" in failing.out
    assert "503" in team("notify", "show", "Team").out


def test_nobody_told_anything_is_said_with_the_next_step(tidegate: Any):
    assert "Begin with: tidegate notify add NAME" in tidegate("notify", "list").out
    assert "There are no such news." in tidegate("notify", "log").out
