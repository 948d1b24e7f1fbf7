"""What a configuration file manages says so on every page that shows or edits it, and what becomes of an edit."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client, RequestFactory
from django.urls import reverse

from tests.actions.ways import Side
from tests.database import migrated_database
from tests.ui.rooms import here
from tidegate.store import models
from tidegate.ui.urls import urlpatterns

__all__ = ["here", "migrated_database"]

House = tuple[Client, Side, Side]

SAYS = {
    "status": "connection",
    "connections": "connection",
    "connection": "connection, mapping",
    "edit_connection": "connection, schedule of discover, schedule of sync",
    "delete_connection": "connection",
    "inbox": "mapping of a new one",
    "record": "mapping",
    "edit_record": "mapping",
    "suggestions": "mapping of a missing one",
    "rules": "rules",
    "products": "product, product type",
    "product": "product",
    "people": "user",
    "notifications": "notification",
    "delivery": "destination",
    "edit_destination": "destination",
    "delete_destination": "destination",
}
"""Of what each page says that a file manages it."""

QUERY = {"products": "?product_type=Own+type"}

BESIDE = {
    "add_connection": "what is not there yet",
    "audit": "what was done",
    "draft": "what is no Connection yet",
    "find": "leads to all of these",
    "find_options": "leads to all of these",
    "finding": "a finding is no matter of a file",
    "findings": "a finding is no matter of a file",
    "keys": "a key is no matter of a file",
    "operation": "what was done",
    "operation_log": "what was done",
    "operations": "what was done",
    "product_options": "names to choose from",
    "settings": "leads to others",
    "styleguide": "how pages look",
    "threshold": "a part of edit_connection",
    "tokens": "a token is no matter of a file",
}
"""Pages that say it of nothing, and why."""

ONLY_SENT = {
    "again_operation", "answer_suggestion", "approve_operation", "cancel_operation", "change_destination",
    "change_person", "change_route", "change_rule", "decide_findings", "decide_records", "discover_connection",
    "keep_draft", "keep_open_operation", "pause_connection", "preview_record", "resume_connection", "revoke_token",
    "sync_connection", "test_settings", "try_destination", "undo_operation", "undo_step",
}  # fmt: skip
"""What a button or a form sends; nobody looks at it."""


@pytest.fixture
def managed(here: House, django_db_blocker: Any) -> Iterator[dict[str, str]]:
    """By what it manages, the name of a file; each thing is managed by another."""
    _, own, _ = here
    with django_db_blocker.unblock():
        things = {
            "connection": ("connection", own.connection),
            "schedule of discover": ("schedule of discover", own.connection),
            "schedule of sync": ("schedule of sync", own.connection),
            "mapping": ("mapping", own.shop),
            "mapping of a new one": ("mapping", own.new),
            "mapping of a missing one": ("mapping", own.missing),
            "rules": ("rules", own.connection),
            "product": ("product", own.product),
            "product type": ("product type", own.product_type),
            "user": ("user", models.User.objects.latest("pk").pk),
            "notification": ("notification", own.route),
            "destination": ("destination", own.destination),
        }
        files = {name: f"the {name} & more.yaml" for name in things}
        models.Managed.objects.bulk_create(
            models.Managed(kind=kind, thing_id=thing, source=files[name]) for name, (kind, thing) in things.items()
        )
        yield files
        models.Managed.objects.all().delete()


def words(page: str) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page)).split())


def address(name: str, own: Side) -> str:
    there = {
        "connection_id": own.connection, "record_id": own.shop, "product_id": own.product,
        "destination_id": own.destination,
    }  # fmt: skip
    one = next(one for one in urlpatterns if one.name == name)
    return reverse(name, kwargs={part: there[part] for part in one.pattern.converters}) + QUERY.get(name, "")


@pytest.mark.parametrize("name", SAYS)
def test_what_a_file_manages_says_so_and_what_becomes_of_a_change(here: House, managed: dict[str, str], name: str):
    """Issue 6: what is managed by a file says so everywhere."""
    client, own, _ = here

    told = words(client.get(address(name, own)).content.decode())

    for thing in SAYS[name].split(", "):
        said = re.search(rf"{re.escape(managed[thing])} manages [^.]*\. .*?tidegate plan", told)
        assert said or f"managed by {managed[thing]}: a change here is a difference to its plan" in told, thing


def test_a_preview_of_many_says_how_many_are(here: House, managed: dict[str, str]):
    client, own, _ = here

    sent = client.post(reverse("decide_records"), {"do": "delete", "ids": [own.shop, own.new]})

    assert "2 Records of those that would change are managed by a configuration file" in words(sent.content.decode())


def test_nothing_is_said_of_what_no_file_manages(here: House):
    client, own, _ = here

    told = [words(client.get(address(name, own)).content.decode()) for name in SAYS]

    assert [one for one in told if " manages " in one or "managed by" in one] == []


def test_every_page_is_looked_at():
    """A new page says what a file manages, or stands among those that have nothing to say, with the reason."""
    of_oneself = ("account/", "setup")
    views = {str(one.name): one for one in urlpatterns if not str(one.pattern).startswith(of_oneself)}

    assert views.keys() == SAYS.keys() | BESIDE.keys() | ONLY_SENT
    for name in ONLY_SENT:
        given = dict.fromkeys(views[name].pattern.converters, 1)
        assert views[name].callback(RequestFactory().get("/"), **given).status_code == 405, name
