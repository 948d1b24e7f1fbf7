"""What a preview would do, read: in words and field by field, counted exactly, and only for a day."""

from __future__ import annotations

from typing import Any

import pytest

from tests import world
from tidegate.reads.operation import operation
from tidegate.reads.preview import DifferencePage, differences, preview_counts
from tidegate.rules.preview import COUNTED_AS, KINDS, VERBS, would
from tidegate.store import models

pytestmark = pytest.mark.usefixtures("database")


@pytest.fixture
def burp() -> models.Connection:
    return world.connection()


def foreseen(of: models.Connection, type: str = "sync", **facts: Any) -> models.Operation:
    return world.operation(of, type, preview=True, **facts)


def difference(of: models.Operation, kind: str, **facts: Any) -> models.Difference:
    return models.Difference.objects.create(**{"operation": of, "kind": kind, "key": "k1", "title": "XSS", **facts})


def page(of: models.Operation, **asked: Any) -> DifferencePage:
    found = differences(of.pk, **asked)
    assert found is not None
    return found


def test_a_change_of_a_finding_is_told_field_by_field_in_words(burp: models.Connection):
    """Preview: changed (field by field); numbers and nested fields as a person reads them."""
    shop = world.record(burp)
    sync = foreseen(burp)
    difference(
        sync,
        "changed",
        record_id=shop,
        finding_id=7,
        family="dast",
        severity=4,
        before={"severity": 3, "vendor_verdict": 0, "title": "Old", "fields": {"cwe": [79, 80], "same": 1}},
        after={"severity": 4, "vendor_verdict": 1, "title": "XSS", "fields": {"cwe": None, "same": 1, "fix": True}},
    )

    (row,) = page(sync).differences

    assert (row.record, row.title, row.severity, row.what) == ("shop.example.org", "XSS", "High", "Would change.")
    assert {change.field: (change.before, change.after) for change in row.changes} == {
        "severity": ("Medium", "High"),
        "the tool says": ("", "false positive"),
        "title": ("Old", "XSS"),
        "cwe": ("79, 80", ""),
        "fix": ("", "yes"),
    }


@pytest.mark.parametrize(
    ("kind", "facts", "sentence"),
    [
        ("closed", {"because": "gone", "family": "dast"}, "Would be closed: it is no longer reported."),
        (
            "held",
            {"because": "fixed", "family": "dast"},
            "Would be held until a person decides: the tool says it is fixed.",
        ),
        ("created", {"family": "dast"}, "Would be created."),
        ("missing", {"before": {"product": "Shop"}}, "Would go Missing; it flows into «Shop»."),
        ("missing", {}, "Would be no longer in the tool."),
        (
            "held",
            {"before": {"product": "Shop"}},
            "Would be held: too many are gone at once to be believed. It flows into «Shop».",
        ),
        ("mapped", {"after": {"product": "A", "made": True}}, "Would be mapped to «A», which would be made for it."),
        ("mapped", {"after": {"product": "A", "made": False}}, "Would be mapped to «A», which is there already."),
    ],
)  # fmt: skip
def test_what_would_happen_is_said_in_a_sentence(burp: models.Connection, kind: str, facts: Any, sentence: str):
    sync = foreseen(burp)
    difference(sync, kind, **facts)

    (row,) = page(sync).differences

    assert row.what == sentence
    assert row.changes == []


def test_attributes_are_compared_one_by_one(burp: models.Connection):
    discover = foreseen(burp, "discover")
    difference(discover, "renamed", before={"attributes": {"a": 1, "b": 2}}, after={"attributes": {"a": 1, "b": 3}})

    (row,) = page(discover).differences

    assert [(change.field, change.before, change.after) for change in row.changes] == [("b", "2", "3")]


def test_pages_are_cut_by_kind_and_record_and_count_exactly(burp: models.Connection):
    """Preview: at most so many are kept; counts come from the results and are exact."""
    shop, api = world.record(burp), world.record(burp, "api.example.org")
    sync = foreseen(burp)
    for record, counts in ((shop, {"created": 900, "updated": 1}), (api, {"created": 3, "seen": 9})):
        models.Result.objects.create(operation=sync, record_id=record, outcome="complete", counts=counts)
        models.Result.objects.create(operation=sync, record_id=record, family="dast", outcome="complete", counts=counts)
    for record in (shop, shop, api):
        difference(sync, "created", record_id=record)
    difference(sync, "changed", record_id=shop)

    first = page(sync, limit=3)
    rest = page(sync, limit=3, cursor=first.next)
    of_api = page(sync, record_id=api, kind="created")

    assert [row.kind for row in (*first.differences, *rest.differences)] == ["changed", "created", "created", "created"]
    assert (first.counted, first.kept, rest.next) == (904, 4, None)
    assert (of_api.counted, of_api.kept, len(of_api.differences)) == (3, 1, 1)
    assert [(one.kind, one.record, one.count) for one in preview_counts(sync.pk)] == [
        ("created", "api.example.org", 3),
        ("created", "shop.example.org", 900),
        ("changed", "shop.example.org", 1),
    ]


def test_of_a_discover_the_operation_itself_counts(burp: models.Connection):
    discover = foreseen(burp, "discover", counts={"seen": 9, "new": 2, "auto_mapped": 2, "products_made": 1})

    assert [(one.kind, one.record_id, one.count) for one in preview_counts(discover.pk)] == [
        ("new", None, 2),
        ("mapped", None, 2),
    ]


def test_after_a_day_it_says_that_it_is_over(burp: models.Connection):
    """Preview: an Operation whose result is kept a day."""
    discover = foreseen(burp, "discover", counts={"new": 2})

    assert page(discover).why == "Its differences were kept a day. Preview again: tidegate discover Burp --preview"


def test_of_a_draft_the_number_is_said_to_preview_it_again():
    at = world.now()
    draft = world.connection(draft_at=at, deleted_at=at)
    discover = foreseen(draft, "discover", counts={"new": 2})

    assert page(discover).why.endswith(f"tidegate discover {draft.pk} --preview")


def test_none_says_why_there_is_none(burp: models.Connection):
    real = world.operation(burp)
    runs, same = foreseen(burp, status="running"), foreseen(burp)

    assert differences(99) is None
    assert "was no preview" in page(real).why
    assert page(runs).why == "The preview has not ended."
    assert page(same).why == "Nothing would change."
    assert (preview_counts(real.pk), preview_counts(99)) == ([], [])


@pytest.mark.parametrize(
    ("type", "status", "counts", "said"),
    [
        ("sync", "success", {"created": 1041, "updated": 3, "closed": 2, "held": 1, "seen": 9},
         "Would create 1,041, change 3, close 2; 1 would be held."),
        ("sync", "success", {"seen": 9, "unchanged": 9}, "Would change nothing."),
        ("discover", "partial", {"seen": 0, "held": 3}, "Nothing would change; 3 would be held. So it is."),
        ("discover", "success", {"new": 1, "products_made": 2}, "Would add 1 Record, make 2 Products."),
        ("sync", "failed", {}, "It failed. So it is."),
        ("sync", "pending", {}, "A preview; it waits for its turn."),
        ("sync", "running", {}, "A preview; it runs."),
    ],
)  # fmt: skip
def test_the_verdict_is_in_the_conditional(burp: models.Connection, type: str, status: str, counts: Any, said: str):
    """The verdict of a preview: what would be, never what was."""
    why = "So it is." if status in ("partial", "failed") else ""

    found = operation(foreseen(burp, type, status=status, counts=counts, why=why).pk)

    assert found is not None
    assert (found.verdict, found.operation.preview) == (said, True)


def test_every_count_that_is_said_is_a_kind_and_every_kind_is_counted():
    counted = {kind for words in COUNTED_AS.values() for kind in words.values()}

    assert counted == set(KINDS)
    assert all(
        word in COUNTED_AS[type] for type in VERBS for word in VERBS[type] if word not in ("rewritten", "products_made")
    )
    assert would("change", {}) == "Would change nothing."
