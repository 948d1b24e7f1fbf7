"""The vendor's count and ours, with each proof: issue 5, *Reconciliation*."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from tests.acme import as_json, row, rows
from tests.ingest.scene import ALICE, Scene
from tidegate.actions.finding import decide_finding
from tidegate.actions.operation import keep_open
from tidegate.ingest.stage import Spool
from tidegate.rules.equation import Equation
from tidegate.store.models import Result


def equation(scene: Scene, operation: Any, key: str = "shop") -> Equation:
    """As the result of the Family holds it."""
    return Equation.of_json(scene.result(operation, key, "issues").proof["equation"])


def test_each_row_of_the_tool_is_somewhere(scene: Scene) -> None:
    scene.configure(minimum_severity=3)
    scene.mapped(
        shop=rows("a", "b")
        | {
            "low": row("low", severity="low"),
            "fixed": row("fixed", status="fixed"),
            "note": row("note", licence="GPL"),
            "odd": row("odd", title=None),
            "false": row("false", status="false positive"),
        }
    )

    operation = scene.sync()

    assert equation(scene, operation) == Equation(
        vendor=7, open=3, below=1, fixed=1, skipped={"a licence note": 1}, quarantined=1
    )
    assert scene.part("shop").proof["equation"] == scene.result(operation, "shop", "issues").proof["equation"]


def test_it_is_the_same_when_nothing_changed(scene: Scene) -> None:
    scene.configure(minimum_severity=3)
    scene.mapped(shop=rows("a") | {"low": row("low", severity="low"), "fixed": row("fixed", status="fixed")})
    first = scene.sync()

    assert equation(scene, scene.sync()) == equation(scene, first)


def test_what_is_kept_open_or_held_stands_beside_it(scene: Scene) -> None:
    scene.configure(hold_above=2)
    scene.mapped(shop=rows(*"abcd"))
    scene.sync()
    for key in "abc":
        scene.world.issues("shop").pop(key)
    held = scene.sync()
    keep_open(ALICE, held.pk)
    kept = scene.sync()

    assert equation(scene, held) == equation(scene, kept) == Equation(vendor=1, open=1)
    assert (held.status, kept.status) == ("partial", "success")


def test_an_odd_row_of_a_finding_that_is_open_is_quarantined_and_not_open(scene: Scene) -> None:
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    scene.world.issues("shop")["a"] = row("a", title=None)

    assert equation(scene, scene.sync()) == Equation(vendor=2, open=1, quarantined=1)
    assert scene.open("shop") == {"a", "b"}


def test_a_severity_that_a_person_said_decides_what_is_below(scene: Scene) -> None:
    scene.mapped(shop=rows("a", "b"))
    scene.sync()
    decide_finding(ALICE, scene.findings()["a"].pk, severity="Info")
    scene.configure(minimum_severity=3)

    assert equation(scene, scene.sync()) == Equation(vendor=2, open=1, below=1)


def test_repeated_rows_are_counted(scene: Scene) -> None:
    scene.mapped(shop=rows("a", "b"))
    twice = [row("a"), row("b"), row("a")]
    scene.world.interfere = lambda request: (
        as_json({"items": twice, "total": 3}) if "/findings/" in request.url.path else None
    )

    assert equation(scene, scene.sync()) == Equation(vendor=3, open=2, repeated=1)


@pytest.mark.parametrize("severity", ["high", "low"])
@pytest.mark.parametrize("known", ["", "bc", "ab", "abc", "abcd"])
def test_a_repeated_row_may_hide_another_so_nothing_closes(scene: Scene, known: str, severity: str) -> None:
    """promises.md, *Paging*: whatever of it is known already, and shown or below the threshold."""
    scene.world.paged = "steady"
    scene.mapped(shop=rows(*known))
    scene.sync()
    scene.configure(minimum_severity=3)
    answer = [row("a", severity=severity), row("b"), row("a", severity=severity)]
    scene.world.interfere = lambda request: (
        as_json({"items": answer, "total": 3, "links": {"next": None}}) if "/findings/" in request.url.path else None
    )

    operation = scene.sync()

    assert equation(scene, operation).repeated == 1
    assert set(known) - {"a"} <= scene.open("shop")


def test_a_row_that_only_the_first_of_two_readings_showed_is_told_apart(scene: Scene) -> None:
    """It counts as shown, so it stays open; the vendor's last count has it not."""
    scene.world.paged = "drifting"
    scene.mapped(shop=rows("a", "b", "c", "d"))
    scene.sync()
    answers = iter([rows("a", "b"), rows("b", "c")])

    def drift(request: httpx2.Request) -> httpx2.Response | None:
        if "/findings/" not in request.url.path:
            return None
        listed = list(next(answers).values())
        return as_json({"items": listed, "total": len(listed)})

    scene.world.interfere = drift
    operation = scene.sync()

    assert scene.open("shop") == {"a", "b", "c"}
    assert equation(scene, operation) == Equation(vendor=2, open=3, first_only=1)


def test_where_it_does_not_add_up_nothing_closes_and_the_operation_says_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch
) -> None:
    scene.mapped(shop=rows(*"abcd"), club=rows("x", "y"))
    scene.sync()
    for key in ("a", "b"):
        scene.world.issues("shop")[key] = row(key, status="fixed")
    scene.world.issues("shop").pop("c")
    healthy = Spool.index

    def sick(spool: Spool) -> Iterator[bytes]:
        """Of three rows one is lost on its way."""
        stream = b"".join(healthy(spool))
        yield stream[:-94] + stream[-2:] if len(stream) == 19 + 3 * 92 + 2 else stream

    monkeypatch.setattr(Spool, "index", sick)

    operation = scene.sync()

    assert scene.open("shop") == set("abcd")
    assert operation.status == "partial"
    assert "The counts do not add up (3 in the tool ≠" in operation.why
    assert "nothing is closed" in scene.result(operation, "shop", "issues").why
    assert scene.waiting("pending") == set()
    assert scene.result(operation, "club").outcome == "complete"


def test_an_answer_that_is_not_whole_still_says_where_its_rows_went(scene: Scene) -> None:
    scene.world.paged = "steady"
    scene.mapped(shop=rows(*(f"f{n}" for n in range(15))))
    scene.sync()
    scene.world.interfere = lambda request: httpx2.Response(500) if request.url.params.get("page") == "2" else None

    operation = scene.sync()

    (result,) = Result.objects.filter(operation=operation, family="issues")
    assert (result.outcome, result.proof) == ("incomplete", {})
    assert result.counts["seen"] == 10
