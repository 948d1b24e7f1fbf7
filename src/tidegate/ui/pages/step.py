"""Undo of what a person did with Records, or said of findings, in one step."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from tidegate.actions import finding as findings
from tidegate.actions import record as records
from tidegate.reads.place import records_of_step
from tidegate.rules.actor import Actor
from tidegate.ui.page import act, back, saying, tell
from tidegate.ui.words import several


@act
def undo(request: HttpRequest, actor: Actor, /, *, step: UUID) -> HttpResponse:
    """Takes the step back, and says for how many."""
    with saying(request):
        if records_of_step(step):
            outcome = records.undo(actor, step=step)
            done = sum(1 for one in outcome.items if one.ok)
            _tell(request, "Record", done, len(outcome.items) - done)
        else:
            undone = findings.undo(actor, step=step)
            _tell(request, "finding", undone.number - undone.refused, undone.refused)
    return back(request, reverse("status"))


def _tell(request: HttpRequest, noun: str, done: int, left: int) -> None:
    said = f"Undone for {several(done, noun)}."
    if left:
        said += f" {several(left, noun)} {'was' if left == 1 else 'were'} decided about since, and stay."
    tell(request, said, "warning" if left else "success")
