"""Settings, Delivery: a look before anything is stored, and no token on a page."""

from __future__ import annotations

import re
from typing import Any

from tests.database import migrated_database
from tests.ui.rooms import comes_in, here
from tests.ui.test_lists import House, text, words
from tidegate.delivery.defectdojo.destination import stored_secrets
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo
from tidegate.rules.access import Grant
from tidegate.store.models import Destination, Managed

__all__ = ["here", "migrated_database"]

PATH = "/settings/delivery/"


def sent(client: Any, path: str, **fields: str) -> Any:
    return client.post(path, fields, follow=True)


def typed(**fields: str) -> dict[str, str]:
    """A form as the page sends it."""
    return {
        "name": "Dojo", "product_type": "Research and Development", "engagement_name": "Global Connectors",
        "join_products": "ask", "writes_per_minute": "60", "set.verify_tls": "on",
    } | fields  # fmt: skip


def test_a_destination_is_looked_at_added_and_given_something_to_take(here: House):
    client, own, _ = here
    with FakeDefectDojo() as dojo:
        entered = typed(**{"set.url": dojo.url, "set.token": dojo.token})
        tried = sent(client, f"{PATH}try", **entered)
        assert "Deliveries can work" in words(tried.content.decode())
        assert not Destination.objects.filter(name="Dojo").exists()
        refused = sent(client, PATH, **entered | {"writes_per_minute": "0", "engagement_name": "Ours"})
        assert refused.status_code == 422
        assert beside(refused, "writes_per_minute", "engagement_name") == ("0 writes a minute cannot be.", "Ours")
        assert dojo.token not in tried.content.decode() + refused.content.decode()

        sent(client, PATH, **entered)
        made = Destination.objects.get(name="Dojo")
        one = f"{PATH}{made.pk}"
        missed = sent(client, one, do="take", takes="connection", which="nothing of that name")
        assert "no one Connection of that name" in words(missed.content.decode())
        taken = sent(client, one, do="take", takes="connection", which="Own scanner")
        assert "Connection Own scanner Leave out" in words(taken.content.decode())
        looked = sent(client, one, do="test")
        assert "The server is DefectDojo 3.2.0." in words(looked.content.decode())

        page = text(client, PATH)
        assert dojo.token not in page
        sent(client, one, do="off")
        assert Destination.objects.get(pk=made.pk).off_at is not None
    Destination.objects.filter(pk=made.pk).delete()
    assert own


def beside(answer: Any, wrong: str, kept: str) -> tuple[str, str]:
    """What is said beside one field, and what still stands in another."""
    page = answer.content.decode()
    sentence = r'aria-invalid.*?<span class="error" role="alert">(.*?)</span>'
    said = re.search(rf'name="{wrong}"[^>]*{sentence}', page, re.DOTALL)
    there = re.search(rf'name="{kept}" value="([^"]*)"', page)
    assert said is not None
    assert there is not None
    return f"{said[1].partition('.')[0]}.", there[1]


def test_a_destination_is_edited_and_nothing_that_was_typed_is_lost(here: House):
    client, own, _ = here
    edit = f"{PATH}{own.destination}/edit"
    before = Destination.objects.get(pk=own.destination)
    page = text(client, edit)
    version = re.findall(r'name="version" value="(\w+)"', page)[0]
    form = typed(name=before.name, version=version, on="on", **{"set.url": before.settings["url"]})

    twice = sent(client, edit, **form | {"name": "Other destination", "product_type": "Ours"})
    assert beside(twice, "name", "product_type") == ("There is a Destination «Other destination» already.", "Ours")
    astray = sent(client, edit, **form | {"set.url": "https://elsewhere.example.org", "name": "Renamed"})
    assert beside(astray, "set.token", "name")[1] == "Renamed"
    assert Destination.objects.get(pk=own.destination).name == before.name

    saved = sent(client, edit, **form | {"writes_per_minute": "7", "set.token": "canary-new-token"})
    assert "Saved." in words(saved.content.decode())
    after = Destination.objects.get(pk=own.destination)
    assert (after.writes_per_minute, after.off_at, after.settings) == (7, None, before.settings)
    assert stored_secrets(after)["token"].get_secret_value() == "canary-new-token"
    assert "canary" not in saved.content.decode() + text(client, edit)

    late = sent(client, edit, **form | {"writes_per_minute": "9", "product_type": "Typed"})
    assert "was changed since you looked at it" in words(late.content.decode())
    assert 'value="Typed"' in late.content.decode()
    assert Destination.objects.get(pk=own.destination).writes_per_minute == 7

    Managed.objects.create(kind="destination", thing_id=own.destination, source="tidegate.yaml", by="alice")
    assert "tidegate.yaml manages this Destination" in words(text(client, edit))
    version = re.findall(r'name="version" value="(\w+)"', text(client, edit))[0]
    off = sent(client, edit, **{name: value for name, value in form.items() if name != "on"} | {"version": version})
    assert "It is off" in words(off.content.decode())
    Destination.objects.filter(pk=own.destination).update(off_at=None)


def test_a_destination_is_deleted_once_its_name_is_typed(here: House):
    client, _, other = here
    made = Destination.objects.create(name="To go", settings={"url": "https://d.example"}, secrets=b"", created_by="x")
    delete = f"{PATH}{made.pk}/delete"

    wrong = sent(client, delete, typed_name="to go")
    assert wrong.status_code == 422
    assert "something else was typed" in words(wrong.content.decode())
    assert Destination.objects.filter(pk=made.pk).exists()
    sent(client, delete, typed_name="To go")
    assert not Destination.objects.filter(pk=made.pk).exists()
    assert Destination.objects.filter(pk=other.destination).exists()


def test_who_may_not_change_it_is_offered_nothing_and_refused(here: House):
    _, own, _ = here
    reader = comes_in("delivery-reader", Grant("reader"))

    page = text(reader, PATH)
    answer = reader.post(f"{PATH}{own.destination}", {"do": "off"})
    assert {reader.get(f"{PATH}{own.destination}/{page}").status_code for page in ("edit", "delete")} == {403}
    assert reader.post(f"{PATH}{own.destination}/delete", {"typed_name": "Own destination"}).status_code == 403

    assert "Own destination" in words(page)
    assert "<form" not in page.partition('aria-label="Destinations"')[2]
    assert answer.status_code == 403
    assert Destination.objects.get(pk=own.destination).off_at is None
