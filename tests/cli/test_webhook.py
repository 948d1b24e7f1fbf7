"""`tidegate notify` for programs: webhooks whose secret is shown once, another secret, and news sent again."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterator
from typing import Any

import pytest

from tests import world
from tests.cli.test_json import has_shape
from tests.delivery.webhook import Webhook
from tidegate.cli.answer import answers, answers_to_previews
from tidegate.store import models

PATH = "T0pS3cretPath"
SECRET = f"whsec_{b64encode(b'0123456789abcdef0123456789abcdef').decode()}"


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    with Webhook() as webhook:
        yield webhook


@pytest.fixture
def hook(tidegate: Any, webhook: Webhook, monkeypatch: pytest.MonkeyPatch) -> Any:
    """The webhook's URL and a secret stand in the environment."""
    monkeypatch.setenv("HOOK", f"http://{webhook.host}/{PATH}")
    monkeypatch.setenv("SIGN", SECRET)
    return tidegate


def news() -> int:
    acme = world.connection()
    facts = {"kind": "new_records", "connection": acme, "operation_id": world.operation(acme).pk, "facts": {}}
    return models.News.objects.create(**facts).pk


def test_a_secret_in_the_command_is_refused_without_being_repeated(hook: Any):
    """promises.md, Attack: secrets stand in no process list."""
    ran = hook("notify", "add", "Hook", "--webhook", "--address", "env:HOOK", "--signing-secret", SECRET)

    assert ran.code == 2
    assert "can be read by others" in ran.err
    assert SECRET not in ran.out + ran.err
    assert hook.json("notify", "list") == {"routes": []}


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("add", "Hook", "--address", "env:HOOK", "--signing-secret", "env:SIGN"), "Only what goes to a webhook"),
        (("add", "Hook", "--webhook", "--address", "-", "--signing-secret", "-"), "Standard input holds one"),
        (("edit", "Hook", "--at-once"), "about a new secret"),
        (("edit", "Hook", "--signing-secret", "env:SIGN"), "about a new secret"),
        (("replay",), "Which news?"),
        (("replay", "1", "--since", "2026-01-01"), "Which news?"),
        (("replay", "first"), "is not the number of a piece of news"),
    ],
)
def test_what_contradicts_itself_is_asked_wrongly(hook: Any, arguments: tuple[str, ...], why: str):
    ran = hook("notify", *arguments)

    assert (ran.code, why in ran.err) == (2, True), ran.err


def test_an_address_that_is_no_url_is_refused_and_nothing_stored(hook: Any, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOOK", f"mailto://somebody:{PATH}@example.org")

    ran = hook("notify", "add", "Hook", "--webhook", "--address", "env:HOOK")

    assert (ran.code, "https URL" in ran.err) == (1, True)
    assert PATH not in ran.err
    assert not models.Route.objects.exists()


def test_with_a_secret_that_the_receiver_knows_it_is_tried_first(hook: Any, webhook: Webhook):
    webhook.answer = lambda request: 401
    add = ("notify", "add", "Hook", "--webhook", "--address", "env:HOOK", "--signing-secret", "env:SIGN")

    refused = hook(*add)
    webhook.answer = lambda request: 200
    taken = hook(*add)

    assert (refused.code, "nothing is stored" in refused.err) == (1, True)
    assert (taken.code, taken.out.strip()) == (0, SECRET)
    assert "not encrypted" in taken.err
    assert [request.headers["webhook-signature"][:3] for request in webhook.taken] == ["v1,"] * 2


def test_a_secret_that_is_made_is_shown_once(hook: Any, webhook: Webhook):
    """promises.md, Attack: a secret is shown once, to whoever asked for it, and nowhere else."""
    ran = hook("notify", "add", "Hook", "--webhook", "--address", "env:HOOK")
    secret = ran.out.strip()

    assert ran.code == 0
    assert secret.startswith("whsec_")
    assert "not shown again" in ran.err
    assert secret not in ran.err
    assert webhook.taken == []
    for command in (("list",), ("show", "Hook"), ("list", "--json"), ("show", "Hook", "--json")):
        assert secret not in hook("notify", *command).out
    assert hook.json("notify", "show", "Hook")["webhook"] is True


def test_a_route_that_is_no_webhook_signs_nothing(hook: Any, webhook: Webhook, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("HOOK", f"json://{webhook.host}/{PATH}")
    hook("notify", "add", "Team", "--address", "env:HOOK")

    ran = hook("notify", "edit", "Team", "--new-secret")

    assert (ran.code, "is no webhook" in ran.err) == (1, True)
    assert "tidegate notify add NAME --webhook" in ran.err


def test_another_secret_signs_beside_the_one_before_or_at_once(hook: Any, webhook: Webhook):
    shapes = answers_to_previews()
    made = hook.json("notify", "add", "Hook", "--webhook", "--address", "env:HOOK")
    assert has_shape(made, shapes["notify add --webhook"])

    second = hook.json("notify", "edit", "Hook", "--new-secret")
    hook("notify", "test", "Hook")
    third = hook(
        "notify", "edit", "Hook", "--name", "Crew", "--new-secret", "--signing-secret", "env:SIGN", "--at-once"
    )
    hook("notify", "test", "Crew")

    assert has_shape(second, shapes["notify edit --new-secret"])
    assert (third.code, third.out.strip()) == (0, SECRET)
    assert second["signing_secret"] not in ("", made["signing_secret"])
    assert [len(request.headers["webhook-signature"].split()) for request in webhook.taken] == [2, 1]


def test_news_are_sent_again_by_number_or_since_a_moment(hook: Any):
    number = news()
    nobody = hook("notify", "replay", number)
    hook("notify", "add", "Hook", "--webhook", "--address", "env:HOOK")

    once = hook.json("notify", "replay", number, "--route", "hook")
    since = hook("notify", "replay", "--since", "2026-01-01")
    none = hook("notify", "replay", "--since", "2099-01-01")

    assert (nobody.code, "No route is for these news" in nobody.err) == (1, True)
    assert once == {"news": 1, "messages": 1}
    assert has_shape(once, answers()["notify replay"])
    assert "1 news go out again" in since.out
    assert (none.code, "There are no such news" in none.err) == (1, True)
    assert str(number) in hook("notify", "log").out
