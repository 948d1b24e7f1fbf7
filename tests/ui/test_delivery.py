"""Settings, Delivery: a look before anything is stored, and no token on a page."""

from __future__ import annotations

from typing import Any

from tests.database import migrated_database
from tests.ui.rooms import comes_in, here
from tests.ui.test_lists import House, text, words
from tidegate.demo.fake_defectdojo.server import FakeDefectDojo
from tidegate.rules.access import Grant
from tidegate.store.models import Destination

__all__ = ["here", "migrated_database"]

PATH = "/settings/delivery/"


def sent(client: Any, path: str, **fields: str) -> Any:
    return client.post(path, fields, follow=True)


def test_a_destination_is_looked_at_added_and_given_something_to_take(here: House):
    client, own, _ = here
    with FakeDefectDojo() as dojo:
        entered = {"name": "Dojo", "url": dojo.url, "token": dojo.token, "product_type": "Research and Development"}
        tried = sent(client, PATH, do="try", **entered)
        assert "Deliveries can work" in words(tried.content.decode())
        assert not Destination.objects.filter(name="Dojo").exists()
        refused = sent(client, PATH, do="add", writes_per_minute="0", **entered)
        assert refused.status_code == 422
        assert dojo.token not in tried.content.decode() + refused.content.decode()

        sent(client, PATH, do="add", writes_per_minute="60", **entered)
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


def test_who_may_not_change_it_is_offered_nothing_and_refused(here: House):
    _, own, _ = here
    reader = comes_in("delivery-reader", Grant("reader"))

    page = text(reader, PATH)
    answer = reader.post(f"{PATH}{own.destination}", {"do": "off"})

    assert "Own destination" in words(page)
    assert "<form" not in page.partition('aria-label="Destinations"')[2]
    assert answer.status_code == 403
    assert Destination.objects.get(pk=own.destination).off_at is None
