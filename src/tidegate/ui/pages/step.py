"""Undo of what a person did with Records in one step."""

from __future__ import annotations

from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse

from tidegate.actions import record as actions
from tidegate.rules.actor import Actor
from tidegate.ui.page import act, back, saying, tell
from tidegate.ui.words import several


@act
def undo(request: HttpRequest, actor: Actor, /, *, step: UUID) -> HttpResponse:
    """Takes the step back, and says for how many Records."""
    with saying(request):
        outcome = actions.undo(actor, step=step)
        done = sum(1 for one in outcome.items if one.ok)
        left = len(outcome.items) - done
        said = f"Undone for {several(done, 'Record')}."
        if left:
            said += f" {several(left, 'Record')} {'was' if left == 1 else 'were'} decided about since, and stay."
        tell(request, said, "warning" if left else "success")
    return back(request, reverse("status"))
