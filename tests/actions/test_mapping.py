"""Mappings out as CSV and in again: one step, an answer for each wrong line, nothing for those unchanged."""

from __future__ import annotations

import csv
import io
from typing import Any
from unicodedata import normalize

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests import world
from tests.database import empty_all_tables
from tests.world import ALICE
from tidegate.actions import mapping as actions
from tidegate.actions import record as records
from tidegate.actions.errors import Refused
from tidegate.reads.mapping import mappings, mappings_csv
from tidegate.rules.mapping_file import COLUMNS
from tidegate.store import models

pytestmark = pytest.mark.usefixtures("database")


def taken_out() -> str:
    return "".join(mappings_csv())


def brought_in(text: str, *, preview: bool = False) -> actions.MappingsImported:
    return actions.import_mappings(ALICE, io.StringIO(text, newline=""), preview=preview)


def edited(**changes: dict[str, str]) -> str:
    """What was taken out, with these cells of these Records changed."""
    text = io.StringIO()
    writer: csv.DictWriter[str] = csv.DictWriter(text, list(map(str, COLUMNS)))
    writer.writeheader()
    for row in csv.DictReader(io.StringIO(taken_out(), newline="")):
        writer.writerow(row | changes.get(row["name"], {}))
    return text.getvalue()


def state() -> list[Any]:
    return [(row.id, row.decision, row.product, row.reason, row.epoch) for row in mappings()]


def test_changed_lines_are_decided_as_one_step_and_undone_as_one():
    """CSV round trip: changed lines as one bulk step, undoable; unchanged lines do nothing."""
    burp = world.connection()
    new, mapped, ignored, same = (world.record(burp, name) for name in ("new", "mapped", "ignored", "same"))
    records.map_records(ALICE, [mapped, same], new_product="Shop", product_type="Web")
    records.ignore_records(ALICE, [ignored], "Old")
    before = [row[:4] for row in state()]
    text = edited(
        new={"decision": "mapped", "product": "Fresh", "product_type": "Apps"},
        mapped={"decision": "ignored", "reason": "Toys"},
        ignored={"decision": "new"},
    )

    preview = brought_in(text, preview=True)
    assert [row[:4] for row in state()] == before
    done = brought_in(text)

    assert [(line.number, line.ok, line.sentence) for line in done.lines] == [
        (2, True, "Flows into «Fresh» from the next Sync on."),
        (3, True, "Is ignored."),
        (4, True, "Is New again."),
    ]
    assert (done.unchanged, [line.number for line in preview.lines], preview.step) == (1, [2, 3, 4], None)
    assert world.read(new).feed.test.engagement.product.product_type.name == "Apps"
    assert world.read(mapped).ignored_because == "Toys"
    records.undo(ALICE, step=done.step)
    assert [row[:4] for row in state()] == before
    assert not models.Product.objects.filter(name="Fresh").exists()


def test_a_remap_leaves_what_was_imported_and_a_new_type_is_no_mapping():
    burp = world.connection()
    shop = world.record(burp, "shop")
    records.map_records(ALICE, [shop], new_product="Shop", product_type="Web")
    world.product("Other", "Apps")

    refused = brought_in(edited(shop={"product_type": "Apps"}))
    done = brought_in(edited(shop={"product": "Other"}))

    assert "«Shop» is of the Product Type «Web»" in refused.lines[0].sentence
    assert done.lines[0].sentence == "Flows into «Other» from the next Sync on; what was imported stays in «Shop»."
    assert (world.product_of(shop), world.read(shop).earlier_product_name) == ("Other", "Shop")


def test_every_line_that_is_wrong_says_what_is_wrong_with_it():
    """refuses nothing silently: what is wrong in line N."""
    burp = world.connection()
    for name in "abcdef":
        world.record(burp, name)
    head = "connection,vendor_id,name,decision,product,reason\n"
    wrong = {
        "Nope,id of a,a,new,,": "There is no Connection «Nope».",
        "Burp,nope,a,new,,": "«Burp» has no Record of the id «nope».",
        "Burp,id of a,b,new,,": "Its name is «b» here and «a» in the tool",
        "Burp,id of a,a,maybe,,": "«maybe» is no decision",
        "Burp,id of b,b,mapped,,": "no Product is named",
        "Burp,id of c,c,new,Shop,": "only what is mapped has one",
        "Burp,id of d,d,mapped,Shop,why": "only what is ignored has one",
        "Burp,id of e,e,mapped,a\x01b,": "cannot be shown",
        "Burp,id of f": "It has 2 cells",
    }

    done = brought_in(head + "".join(f"{line}\n" for line in wrong) + "Burp,id of f,f,new,,\n")

    assert (done.step, done.unchanged) == (None, 1)
    assert [line.number for line in done.lines] == list(range(2, 11))
    for line, said in zip(done.lines, wrong.values(), strict=True):
        assert not line.ok
        assert said in line.sentence


def test_a_record_is_decided_by_one_line():
    burp = world.connection()
    shop = world.record(burp, "a")
    head = "connection,vendor_id,decision,product\n"

    done = brought_in(head + "Burp,id of a,mapped,One\nBurp,id of a,mapped,Two\n")

    assert [line.ok for line in done.lines] == [True, False]
    assert done.lines[1].sentence == "Line 2 decides the same Record."
    assert world.product_of(shop) == "One"


def test_what_somebody_decided_meanwhile_is_left_to_them(monkeypatch: pytest.MonkeyPatch):
    """A decision looks at what the person saw: a Record that somebody decided since is left to them."""
    burp = world.connection()
    shop = world.record(burp, "a")
    carried_out = actions._carried_out

    def later(*args: Any) -> Any:
        records.ignore_records(world.BOB, [shop])
        return carried_out(*args)

    monkeypatch.setattr(actions, "_carried_out", later)

    done = brought_in(edited(a={"decision": "mapped", "product": "Shop"}))

    assert "It was decided by bob" in done.lines[0].sentence
    assert (done.step, world.read(shop).decision) == (None, "ignored")


def test_a_file_that_is_none_is_refused():
    with pytest.raises(Refused, match="does not name the column"):
        brought_in("a,b\n")
    with pytest.raises(Refused, match="not UTF-8"):
        actions.import_mappings(ALICE, io.TextIOWrapper(io.BytesIO(b"\xff\xfe"), encoding="utf-8"))


NAMES = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1, max_size=12)
PRODUCTS = NAMES.map(lambda name: normalize("NFC", name).strip(" ")).filter(bool)
"""What the column holds."""

DECISIONS = st.tuples(NAMES, NAMES, st.sampled_from(["new", "mapped", "ignored"]), PRODUCTS)


@settings(deadline=None, max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(DECISIONS, max_size=5, unique_by=lambda one: one[0]))
def test_what_was_taken_out_and_is_brought_in_changes_nothing(rows: list[tuple[str, str, str, str]]):
    """export | import is a no-op, whatever the vendor's texts and the people's names are."""
    empty_all_tables()
    burp = world.connection("=Burp")
    for vendor_id, text, decision, product in rows:
        id = world.record(burp, text, vendor_id=vendor_id, parent=text[::-1])
        if decision == "ignored":
            models.Record.objects.filter(pk=id).update(
                decision="ignored", finalized_at=world.now(), ignored_because=text
            )
        elif decision == "mapped":
            there = models.Product.objects.filter(name=product).first()
            records.map_records(ALICE, [id], product_id=there.pk if there else world.product(product))
    before = state()

    done = brought_in(taken_out())

    assert (done.lines, done.step, done.unchanged) == ((), None, len(rows))
    assert state() == before
