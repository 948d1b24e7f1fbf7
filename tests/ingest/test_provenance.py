"""For any finding its whole story, in order, each line with its Operation and what proves it (issue 5, 6)."""

from __future__ import annotations

from datetime import timedelta

import httpx2
import pytest
from django.db import connection as database
from django.test.utils import CaptureQueriesContext

from tests.acme import World, many, row
from tests.ingest.scene import ALICE, Scene
from tidegate.actions import finding as finding_actions
from tidegate.actions import operation, record
from tidegate.actions.connection import edit_connection
from tidegate.reads.finding import finding
from tidegate.reads.page import CursorRefused
from tidegate.reads.story import Event, story
from tidegate.store.models import Journal, Mark, Part, Result


def of(scene: Scene, key: str) -> int:
    return scene.findings()[key].pk


def whole(number: int, limit: int = 100) -> list[Event]:
    """The story page by page, which is what the finding's page tells too where it is short."""
    events: list[Event] = []
    cursor = None
    while True:
        page = story(number, cursor=cursor, limit=limit)
        assert page is not None
        events += page.events
        cursor = page.next
        if cursor is None:
            return events


def told(number: int) -> list[str]:
    events = whole(number)
    detail = finding(number)
    assert detail is not None
    assert detail.story == events
    return [event.what for event in events]


def proofs(number: int) -> list[str]:
    return [event.proof for event in whole(number)]


def test_each_change_says_how_its_sync_read_and_whether_it_was_there(scene: Scene, world: World):
    """Break it: leave `gone` out where `_proof` says whether it was there."""
    world.paged = "drifting"
    scene.mapped(a=many(3))
    found = scene.sync().pk
    world.issues("a")["f1"]["title"] = "New"
    changed = scene.sync().pk
    lost = world.issues("a").pop("f1")
    closed = scene.sync().pk
    world.issues("a")["f1"] = lost
    back = scene.sync().pk
    number = of(scene, "f1")

    assert told(number) == [
        f"Found by Sync {found}.",
        f"Changed by Sync {changed}: title «Weakness f1» → «New».",
        f"Closed by Sync {closed}: it is no longer reported.",
        f"Open again by Sync {back}: it is reported once more.",
    ]
    assert proofs(number) == [
        f"Sync {found} read issues whole: 3 of 3 declared rows in 1 page, and this was among them.",
        f"Sync {changed} read issues whole: 3 of 3 declared rows in 1 page, and this was among them.",
        f"Sync {closed} read issues whole: 2 of 2 declared rows in 1 page, and this was not among them.",
        f"Sync {back} read issues whole: 3 of 3 declared rows in 1 page, and this was among them.",
    ]


def test_what_the_tool_says_is_fixed_was_there(scene: Scene, world: World):
    scene.mapped(a=many(3))
    scene.sync()
    world.issues("a")["f1"]["status"] = "fixed"
    closed = scene.sync().pk

    *_, last = whole(of(scene, "f1"))

    assert last.what == (f"Closed by Sync {closed}: the tool says it is fixed (vendor status «open» → «fixed»).")
    assert last.proof == f"Sync {closed} read issues whole: 3 of 3 declared rows in 1 page, and this was among them."


def test_a_read_that_was_cut_short_proves_that_it_was_there_and_no_more(scene: Scene, world: World):
    world.paged = "drifting"
    scene.mapped(a=many(15))
    world.interfere = _cut
    found = scene.sync().pk

    (first,) = whole(of(scene, "f1"))

    assert first.proof.startswith(f"Sync {found} read 10 rows of issues and not all: ")
    assert first.proof.endswith("; this was among them.")


def _cut(request: httpx2.Request) -> httpx2.Response | None:
    return httpx2.Response(500) if "page=2" in str(request.url) else None


def test_results_of_before_and_forgotten_ones_prove_what_they_can(scene: Scene):
    """Where the result went, the proof of the last complete read is its Family's own; else nothing is made up."""
    scene.mapped(a=many(3))
    first = scene.sync().pk
    number = of(scene, "f1")
    proof = f"Sync {first} read issues whole: 3 of 3 declared rows in 1 page, and this was among them."
    Result.objects.update(proof={})
    assert proofs(number) == [proof]
    Part.objects.update(proof={})
    assert proofs(number) == [f"Sync {first} read issues whole: 3 rows, and this was among them."]
    Result.objects.all().delete()
    assert proofs(number) == [""]
    Part.objects.update(proof={"kind": "whole", "pages": 1, "declared": 3, "seen": 3})
    assert proofs(number) == [proof]


def test_a_feed_that_went_as_one_row_is_told_of_each_finding(scene: Scene):
    """Not one line of journal a finding. Break it: drop the trigger feed_move."""
    scene.mapped(a=many(3))
    found = scene.sync().pk
    number = of(scene, "f1")
    scene.map("a", "B", already_imported="move")
    scene.map("a", "C", already_imported="move")
    record.undo(ALICE, record_id=scene.record("a").pk)
    scene.world.issues("a")["new"] = row("new")
    later = scene.sync().pk

    assert not Journal.objects.exists()
    assert told(number) == [
        f"Found by Sync {found}.",
        "Moved by alice from «Product a» to «B», with its history and decisions.",
        "Moved by alice from «B» to «C», with its history and decisions.",
        "Moved back by alice from «C» to «B», with its history and decisions: that was undone.",
    ]
    assert told(of(scene, "new")) == [f"Found by Sync {later}."]


def test_a_finding_that_was_left_behind_does_not_move_with_the_other_feed(scene: Scene):
    """Break it: tell each move of any Feed of the Record."""
    scene.mapped(a=many(3))
    found = scene.sync().pk
    left = of(scene, "f1")
    scene.map("a", "B")
    scene.world.issues("a")["new"] = row("new")
    scene.sync()
    scene.map("a", "C", already_imported="move")

    assert told(left) == [f"Found by Sync {found}."]
    assert told(of(scene, "new"))[1:] == ["Moved by alice from «B» to «C», with its history and decisions."]


def test_findings_that_were_merged_say_from_where_to_where(scene: Scene):
    """One that went over has a line of its own; where the Feeds lay is read from their moves since."""
    scene.mapped(a=many(1, "both"))
    scene.sync()
    scene.map("a", "B")
    scene.world.issues("a")["alone"] = row("alone")
    scene.sync()
    alone = of(scene, "alone")
    scene.map("a", "Product a", already_imported="move")
    scene.sync()
    scene.map("a", "D", already_imported="move")

    assert [line for line in told(alone) if line.startswith("Moved")] == [
        "Moved by alice from «B» to «Product a», with its history and decisions.",
        "Moved by alice from «Product a» to «D», with its history and decisions.",
    ]


def test_a_closing_that_waits_is_told_with_its_read(scene: Scene):
    scene.mapped(a=many(25))
    scene.sync()
    for n in range(5, 25):
        del scene.world.issues("a")[f"f{n}"]
    held = scene.sync()
    number = of(scene, "f9")

    assert told(number)[1:] == [
        f"Held by Sync {held.pk}: it no longer saw it, and too much was gone at once; a person decides."
    ]
    assert (
        proofs(number)[1]
        == f"Sync {held.pk} read issues whole: 5 of 5 declared rows in 1 page, and this was not among them."
    )

    operation.keep_open(ALICE, held.pk)
    assert told(number)[2:] == ["Kept open by alice, until the tool shows it once more."]


def test_an_approved_closing_says_who_approved_and_what_was_read(scene: Scene):
    scene.mapped(a=many(25))
    scene.sync()
    for n in range(5, 25):
        del scene.world.issues("a")[f"f{n}"]
    scene.sync()
    held = scene.sync()
    operation.approve(ALICE, held.pk)

    *_, last = whole(of(scene, "f9"))

    assert last.what == f"Closed by Sync {held.pk}: it is no longer reported; alice approved."
    assert (
        last.proof == f"Sync {held.pk} read issues whole: 5 of 5 declared rows in 1 page, and this was not among them."
    )


def test_a_raised_threshold_says_so(scene: Scene):
    scene.mapped(a=many(3, severity="low"))
    scene.sync()
    edit_connection(ALICE, scene.connection_id, minimum_severity=4)

    last = told(of(scene, "f1"))[-1]

    assert last.startswith("Closed by alice")
    assert last.endswith(": the minimum severity of its Connection was raised above it.")


def long_story(scene: Scene, lines: int) -> int:
    """Its severity went up and down and up, in equal steps of time."""
    scene.mapped(a=many(3))
    found = scene.sync()
    number = of(scene, "f1")
    at = found.requested_at
    Journal.objects.bulk_create(
        Journal(
            finding_id=number, operation=None, actor="alice", kind="changed", before={"title": f"Title {n}"},
            at=at + timedelta(seconds=n),
        )
        for n in range(lines)
    )  # fmt: skip
    return number


def test_a_long_story_is_the_same_page_by_page(scene: Scene):
    """What came after the last line of a page is read from the next ones. Break it: begin each page at the present."""
    number = long_story(scene, 23)

    events = whole(number, limit=5)

    assert events == whole(number, limit=1000)
    assert [event.after["title"] for event in events[1:4]] == ["Title 1", "Title 2", "Title 3"]
    assert events[-1].after == {"title": "Weakness f1"}


def test_a_story_asks_as_much_however_long_it_is(scene: Scene):
    """No line is asked for by itself; nor does the finding's page tell a thousand of them."""
    number = long_story(scene, 3)
    with CaptureQueriesContext(database) as short:
        finding(number)
    Journal.objects.all().delete()
    Journal.objects.bulk_create(
        Journal(finding_id=number, actor="alice", kind="changed", operation=n, before={"title": "x"})
        for n in range(1_000)
    )

    with CaptureQueriesContext(database) as long:
        detail = finding(number)
    with CaptureQueriesContext(database) as page:
        assert story(number, limit=100) is not None

    assert detail is not None
    assert (len(detail.story), detail.story_whole, detail.story[0].kind) == (101, False, "created")
    assert len(long) == len(short) <= 12
    assert len(page) <= 12


@pytest.mark.parametrize("cursor", ["x", "WzEsIDJd", "WzEsICJ4Il0"])
def test_a_cursor_of_another_list_is_refused(scene: Scene, cursor: str):
    number = long_story(scene, 1)

    with pytest.raises(CursorRefused):
        story(number, cursor=cursor)


def test_there_is_no_story_of_what_is_not_there(database: object):
    assert story(4711) is None


def test_what_was_forgotten_is_said(scene: Scene):
    scene.mapped(a=many(3))
    scene.sync()
    number = of(scene, "f1")
    until = scene.findings()["f1"].created_at + timedelta(days=1)
    Mark.objects.create(name=Mark.JOURNAL, forgotten_until=until)

    assert told(number)[1] == (
        f"Changes until {until:%Y-%m-%d}, if there were any, were forgotten, as TIDEGATE_KEEP_JOURNAL_DAYS says."
    )


def test_a_finding_that_came_later_forgot_nothing(scene: Scene):
    scene.mapped(a=many(3))
    scene.sync()
    until = scene.findings()["f1"].created_at - timedelta(days=1)
    Mark.objects.create(name=Mark.JOURNAL, forgotten_until=until)

    assert len(told(of(scene, "f1"))) == 1


def test_a_decision_is_part_of_it_and_proves_itself(scene: Scene):
    scene.mapped(a=many(3))
    scene.sync()
    number = of(scene, "f1")
    finding_actions.decide_finding(ALICE, number, verdict="false positive")

    assert told(number)[1:] == ["Decided by alice: verdict «nothing» → «false positive». It is inactive now."]
    assert proofs(number)[1] == ""
